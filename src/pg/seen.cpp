#include "pg/seen.hpp"

#include <algorithm>

#include "pg/datum.hpp"
#include "pg/own_tables.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {
namespace {

bool may_write() {
  return XactIsoLevel == XACT_READ_COMMITTED;
}

}  // namespace

SeenViews load_seen() {
  OwnTables access;
  const SpiRows rows = query(
      "SELECT schema_name, view_name, array_agg(relation::text ORDER BY seen_at DESC)"
      " FROM mv_orchestrator.seen GROUP BY 1, 2",
      {}, Sees::latest);
  SeenViews seen;
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    std::vector<Oid>& oids = seen[{rows.text(i, 0), rows.text(i, 1)}];
    for (const std::string& oid : rows.texts(i, 2)) oids.push_back(to_oid(oid));
  }
  access.end();
  return seen;
}

void note_seen(const std::vector<core::Name>& views) {
  if (!may_write()) return;
  std::vector<std::string> schemas, names;
  std::vector<std::optional<std::int64_t>> oids;
  for (const core::Name& view : views) {
    const auto live = find_relation(view);
    if (!live || !live->is_view()) continue;
    schemas.push_back(view.schema);
    names.push_back(view.name);
    oids.push_back(live->oid);
  }
  if (oids.empty()) return;
  OwnTables access;
  // No key and no wait: two that note the same view at once leave two rows that say the same.
  query(
      "WITH live AS (SELECT schema_name, view_name, relation::oid FROM unnest($1, $2, $3)"
      " AS l (schema_name, view_name, relation)),"
      " old AS (DELETE FROM mv_orchestrator.seen WHERE ctid = ANY (ARRAY("
      "SELECT s.ctid FROM mv_orchestrator.seen AS s JOIN live AS l USING (schema_name, view_name)"
      " WHERE s.relation <> l.relation FOR UPDATE OF s SKIP LOCKED)))"
      " INSERT INTO mv_orchestrator.seen (schema_name, view_name, relation, seen_at)"
      " SELECT schema_name, view_name, relation, clock_timestamp() FROM live AS l"
      " WHERE NOT EXISTS (SELECT FROM mv_orchestrator.seen AS s"
      " WHERE (s.schema_name, s.view_name, s.relation)"
      " = (l.schema_name, l.view_name, l.relation))",
      {array_argument(schemas), array_argument(names), array_argument(oids)}, Sees::latest);
  access.end();
}

void note_refreshed(const Planned& planned, const std::vector<core::Outcome>& outcomes,
                    const Facts& facts) {
  std::vector<core::Name> others;
  for (const core::Outcome& outcome : outcomes) {
    const core::Name& name = planned.name(outcome.step);
    const auto live = find_relation(name);
    if (outcome.failure || !live) continue;
    const auto& seen = facts.at(name).seen;
    const auto is_other = [&](Oid oid) { return oid != live->oid; };
    if (seen.empty() || std::ranges::any_of(seen, is_other)) others.push_back(name);
  }
  note_seen(others);
}

void forget_seen(const core::Name& view) {
  if (!may_write()) return;
  OwnTables access;
  query(
      "DELETE FROM mv_orchestrator.seen WHERE ctid = ANY (ARRAY("
      "SELECT ctid FROM mv_orchestrator.seen WHERE schema_name = $1 AND view_name = $2"
      " FOR UPDATE SKIP LOCKED))",
      {text_argument(view.schema), text_argument(view.name)}, Sees::latest);
  access.end();
}

}  // namespace mvo::pg
