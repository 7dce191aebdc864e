#include "pg/analyze.hpp"

#include "core/statistics.hpp"
#include "pg/owner_run.hpp"
#include "pg/settings.hpp"

extern "C" {
#include <access/table.h>
#include <catalog/pg_statistic.h>
#include <commands/vacuum.h>
#include <parser/parse_node.h>
#include <postmaster/autovacuum.h>
#include <storage/bufmgr.h>
#include <utils/timestamp.h>
}

namespace mvo::pg {
namespace {

std::uint64_t pages_of(Oid view) {
  return call([&] {
    Relation relation = table_open(view, NoLock);
    const BlockNumber pages = RelationGetNumberOfBlocks(relation);
    table_close(relation, NoLock);
    return pages;
  });
}

// Of any column: one may be left out of ANALYZE, all hardly are.
bool has_statistics(Oid view) {
  return call([&] {
    Relation relation = table_open(view, NoLock);
    bool found = relation->rd_rel->reltuples == 0;
    for (AttrNumber i = 1; !found && i <= RelationGetNumberOfAttributes(relation); ++i)
      found = SearchSysCacheExists3(STATRELATTINH, ObjectIdGetDatum(view), Int16GetDatum(i),
                                    BoolGetDatum(false));
    table_close(relation, NoLock);
    return found;
  });
}

}  // namespace

core::Microseconds analyze(const LiveRelation& view, const std::vector<std::string>& settings) {
  const TimestampTz started = GetCurrentTimestamp();
  OwnerRun as_owner(view, settings);
  call([&] {
    auto* statement = makeNode(VacuumStmt);
    statement->rels = list_make1(makeVacuumRelation(nullptr, view.oid, NIL));
    statement->is_vacuumcmd = false;
    ParseState* parse = make_parsestate(nullptr);
    ExecVacuum(parse, statement, false);
    free_parsestate(parse);
    CommandCounterIncrement();
  });
  as_owner.end();
  return core::Microseconds(GetCurrentTimestamp() - started);
}

SizeBefore::SizeBefore(const LiveRelation& view, bool read_later)
    : view_(view),
      read_later_(read_later),
      matters_(analyze_views() && (read_later || !view.populated)) {
  if (matters_) pages_ = pages_of(view.oid);
}

bool SizeBefore::needs_analyze(const core::Refreshed& result) const {
  if (!matters_) return false;
  check_not_dropped(view_.oid);
  const core::Refill refill{
      view_.populated, has_statistics(view_.oid), result.rows, result.changed, result.gave_up,
      pages_,          pages_of(view_.oid)};
  return core::needs_analyze(refill, read_later_,
                             {static_cast<double>(autovacuum_anl_thresh), autovacuum_anl_scale});
}

}  // namespace mvo::pg
