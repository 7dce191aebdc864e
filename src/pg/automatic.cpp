#include "pg/automatic.hpp"

#include "pg/own_tables.hpp"
#include "pg/relation.hpp"
#include "pg/subtransaction.hpp"

extern "C" {
#include <access/genam.h>
#include <access/table.h>
#include <catalog/indexing.h>
#include <catalog/pg_am.h>
#include <catalog/pg_index.h>
#include <utils/fmgroids.h>
}

namespace mvo::pg {
namespace {

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::optional<std::int64_t>>;

// From the catalog: the view is not locked when a plan is only shown.
bool has_valid_indexes(Oid view) {
  return call([&] {
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(view));
    Relation catalog = table_open(IndexRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, nullptr, 1, &key);
    bool valid = true;
    while (HeapTuple tuple = systable_getnext(scan)) {
      const auto* row = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
      valid = valid && (!row->indislive || (row->indisvalid && row->indisready));
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return valid;
  });
}

core::LiveState state_of(const core::Name& view) {
  const auto live = find_relation(view);
  if (!live) return {};  // whoever needs it to exist checks that
  return {live->access_method == HEAP_TABLE_AM_OID, live->populated, has_valid_indexes(live->oid)};
}

// What a run changed of what is known.
struct News {
  Texts schemas, names;
  Numbers gave_up, runs_left;

  void add(const core::Name& view, const core::Learned& learned) {
    schemas.push_back(view.schema);
    names.push_back(view.name);
    gave_up.push_back(learned.gave_up);
    runs_left.push_back(learned.runs_left);
  }
};

News news_of(const std::vector<core::Outcome>& outcomes, const core::Views& views) {
  News news;
  for (const core::Outcome& outcome : outcomes) {
    if (outcome.status != core::Status::refreshed && outcome.status != core::Status::unchanged)
      continue;
    const core::View& view = views[outcome.step.view];
    const auto learned = core::learn(view.learned, outcome.step.reason, outcome.result.gave_up);
    if (learned != view.learned) news.add(view.name, learned);
  }
  return news;
}

// Of a view that was unregistered meanwhile there is nothing to keep.
void write(const News& news) {
  OwnTables access;
  query(
      "INSERT INTO mv_orchestrator.learned (schema_name, view_name, definition_hash, gave_up,"
      " runs_left) SELECT r.schema_name, r.view_name, hashtextextended(r.definition, 0),"
      " n.gave_up, n.runs_left FROM unnest($1, $2, $3, $4)"
      " AS n (schema_name, view_name, gave_up, runs_left)"
      " JOIN mv_orchestrator.registry r USING (schema_name, view_name)"
      " ON CONFLICT (schema_name, view_name) DO UPDATE SET (definition_hash, gave_up, runs_left) ="
      " (excluded.definition_hash, excluded.gave_up, excluded.runs_left)",
      {array_argument(news.schemas), array_argument(news.names), array_argument(news.gave_up),
       array_argument(news.runs_left)},
      Sees::latest);
  access.end();
}

}  // namespace

void choose_modes(Planned& planned) {
  for (core::Step& step : planned.plan) {
    if (step.mode != core::Mode::automatic) continue;
    const core::View& view = planned.views[step.view];
    const auto choice = core::choose_automatic(state_of(view.name), view.learned);
    step.mode = choice.mode;
    step.reason = choice.reason;
  }
}

// REPEATABLE READ, a row may be newer than the snapshot: another run found the view unchanged, or
// this one would have failed for that. What it learned is as good as what this one did.
void save_learned(const std::vector<core::Outcome>& outcomes, const core::Views& views) {
  const News news = news_of(outcomes, views);
  if (news.names.empty()) return;
  if (XactIsoLevel == XACT_READ_COMMITTED) return write(news);
  Subtransaction alone;
  try {
    write(news);
    alone.commit();
  } catch (const PgError& error) {
    if (error.sqlstate() != ERRCODE_T_R_SERIALIZATION_FAILURE) throw;
    alone.roll_back();
  }
}

}  // namespace mvo::pg
