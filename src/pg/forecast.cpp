#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/forecast.hpp"

#include <numeric>

#include "core/error.hpp"
#include "pg/own_tables.hpp"

extern "C" {
#include <access/twophase.h>
#include <storage/lock.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

// The run lock, and the lock on the view.
constexpr std::int64_t locks_of_any_step = 2;
// A new table and its two types; with a TOAST table, that and its index, old and new.
constexpr std::int64_t locks_of_new_table = 3, locks_of_toast = 4;
// Temporary tables of core's REFRESH CONCURRENTLY, with types and TOAST tables.
constexpr std::int64_t locks_of_comparison = 8, locks_of_its_toast = 2;
// No step takes more, unless its view has dozens of indexes.
constexpr std::int64_t most_locks_of_step = 32;

// What a view takes whose history is not known: good enough to compare it with others.
constexpr core::Microseconds any_step{4000}, page_read{100};

std::int64_t locks_of(core::Mode mode, std::int64_t indexes, bool has_toast) {
  const std::int64_t rewritten = locks_of_new_table + (has_toast ? locks_of_toast : 0);
  switch (mode) {
    case core::Mode::swap:
      return locks_of_any_step + rewritten + 2 * indexes;
    case core::Mode::diff:
    case core::Mode::automatic:  // as long as nothing is chosen: the least that it takes
      return locks_of_any_step + indexes;
    case core::Mode::concurrent:
      return locks_of_any_step + indexes + locks_of_comparison +
             (has_toast ? locks_of_its_toast : 0);
    case core::Mode::plain:
      break;
  }
  return locks_of_any_step + rewritten + indexes;
}

// The steps with their views, as far as those exist.
constexpr const char* steps_with_views =
    "FROM unnest($1, $2, $3) WITH ORDINALITY AS s (schema_name, view_name, mode, step)"
    " LEFT JOIN (pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " AND c.relkind = 'm') ON n.nspname = s.schema_name AND c.relname = s.view_name";

constexpr const char* sizes =
    " LEFT JOIN LATERAL (SELECT sum(p.relpages) AS pages FROM pg_index AS i"
    " JOIN pg_class AS p ON p.oid = i.indexrelid WHERE i.indrelid = c.oid) AS indexes ON true"
    " LEFT JOIN LATERAL (SELECT t.relpages + sum(p.relpages) AS pages FROM pg_class AS t"
    " JOIN pg_index AS i ON i.indrelid = t.oid JOIN pg_class AS p ON p.oid = i.indexrelid"
    " WHERE t.oid = c.reltoastrelid GROUP BY t.relpages) AS toast ON true";

// The last hundred steps of a view are enough to look at.
constexpr const char* successes =
    " LEFT JOIN LATERAL (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY elapsed) AS elapsed"
    " FROM (SELECT elapsed FROM (SELECT * FROM mv_orchestrator.run_step AS r"
    " WHERE r.schema_name = s.schema_name AND r.view_name = s.view_name"
    " ORDER BY run DESC LIMIT 100) AS recent"
    " WHERE recent.mode = s.mode AND status IN ('refreshed', 'unchanged')"
    " ORDER BY run DESC LIMIT 5) AS few) AS past ON true";

// What its query reads and itself, as the server last counted pages.
constexpr const char* pages_read =
    " LEFT JOIN LATERAL (SELECT sum(greatest(p.relpages, 0))::bigint AS pages FROM pg_class AS p"
    " WHERE p.oid IN (SELECT d.refobjid FROM pg_rewrite AS r JOIN pg_depend AS d"
    " ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
    " AND d.refclassid = 'pg_class'::regclass WHERE r.ev_class = c.oid)) AS read ON true";

// What each view reads, through plain views, partitions and children too; what it consists of, as
// indexes and TOAST tables are also locked by themselves; and what of that others have locked.
constexpr const char* locks_met =
    "WITH RECURSIVE source (view, oid) AS ("
    "SELECT c.oid, c.oid FROM unnest($1, $2) AS s (schema_name, view_name)"
    " JOIN pg_namespace AS n ON n.nspname = s.schema_name"
    " JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.view_name AND c.relkind = 'm'"
    " UNION SELECT source.view, next.oid FROM source, LATERAL (SELECT d.refobjid AS oid"
    " FROM pg_class AS p JOIN pg_rewrite AS r ON r.ev_class = p.oid AND r.ev_type = '1'"
    " JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
    " AND d.refclassid = 'pg_class'::regclass"
    " WHERE p.oid = source.oid AND (p.oid = source.view OR p.relkind = 'v')"
    " UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = source.oid) AS next),"
    " part (view, oid, kind) AS ("
    "SELECT view, oid, CASE oid WHEN view THEN 'view' ELSE 'source' END FROM source"
    " UNION ALL SELECT view, indexrelid, 'index' FROM source JOIN pg_index ON indrelid = view"
    " WHERE oid = view UNION ALL SELECT view, reltoastrelid, 'toast' FROM source"
    " JOIN pg_class AS c USING (oid) WHERE oid = view),"
    " met AS MATERIALIZED (SELECT view, kind, pid, mode FROM part JOIN pg_locks ON relation = oid"
    " WHERE locktype = 'relation' AND granted AND pid IS DISTINCT FROM pg_backend_pid()"
    " AND database = (SELECT d.oid FROM pg_database AS d WHERE datname = current_database())) ";

// The strongest lock of each. A reader is in the way of an AccessExclusiveLock alone, and of a
// source only that can keep a run waiting which keeps its readers waiting.
constexpr const char* blockers =
    " LEFT JOIN LATERAL (SELECT array_agg(coalesce(pid, 0) || ' ' || mode ORDER BY pid) AS locks"
    " FROM (SELECT DISTINCT ON (pid) pid, met.mode FROM met WHERE view = c.oid AND CASE kind"
    " WHEN 'view' THEN met.mode <> 'AccessShareLock' OR s.mode IN ('swap', 'plain')"
    " WHEN 'source' THEN met.mode = 'AccessExclusiveLock'"
    " ELSE met.mode IN"
    " ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"
    " OR met.mode = 'ShareUpdateExclusiveLock' AND (s.mode IN ('swap', 'plain')"
    " OR s.mode = 'diff' AND kind = 'index') END"
    " ORDER BY pid, array_position('{AccessShareLock,RowShareLock,RowExclusiveLock,"
    "ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}',"
    " met.mode) DESC) AS strongest) AS others ON true";

std::string forecast_query() {
  return std::string(locks_met) +
         "SELECT (extract(epoch FROM past.elapsed) * 1000000)::bigint,"
         " CASE WHEN c.relispopulated AND c.reltuples >= 0 THEN CASE"
         " WHEN s.mode IN ('swap', 'plain') THEN c.relpages + coalesce(indexes.pages, 0)"
         " + coalesce(toast.pages, 0)"
         " WHEN s.mode = 'concurrent' THEN c.relpages + coalesce(toast.pages, 0) END"
         " * current_setting('block_size')::bigint END, coalesce(others.locks, '{}') " +
         steps_with_views + sizes + successes + blockers + " ORDER BY s.step";
}

// Of the steps, for unnest(schemas, views, modes).
class StepColumns {
 public:
  explicit StepColumns(const Planned& planned) {
    for (const core::Step& step : planned.plan) {
      schemas_.push_back(planned.name(step).schema);
      views_.push_back(planned.name(step).name);
      modes_.emplace_back(core::to_string(step.mode));
    }
  }

  Argument schemas() const { return array_argument(schemas_); }
  Argument views() const { return array_argument(views_); }
  Argument modes() const { return array_argument(modes_); }

 private:
  std::vector<std::string> schemas_, views_, modes_;
};

// Without all else that a forecast says: it is asked before runs, too.
std::vector<std::int64_t> locks_of_steps(const Planned& planned) {
  const StepColumns steps(planned);
  OwnTables access;
  const SpiRows rows =
      query((std::string("SELECT (SELECT count(*) FROM pg_index AS i WHERE i.indrelid = c.oid),"
                         " coalesce(c.reltoastrelid <> 0, false) ") +
             steps_with_views + " ORDER BY s.step")
                .c_str(),
            {steps.schemas(), steps.views(), steps.modes()}, Sees::caller);
  std::vector<std::int64_t> locks;
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    locks.push_back(
        locks_of(planned.plan[i].mode, rows.bigint(i, 0).value_or(0), rows.boolean(i, 1)));
  access.end();
  return locks;
}

std::int64_t room_for_locks() {
  return std::int64_t{max_locks_per_xact} * (MaxBackends + max_prepared_xacts);
}

}  // namespace

std::vector<Forecast> forecast(const Planned& planned) {
  const auto locks = locks_of_steps(planned);
  const StepColumns steps(planned);
  OwnTables access;
  const SpiRows rows = query(forecast_query().c_str(),
                             {steps.schemas(), steps.views(), steps.modes()}, Sees::caller);
  std::vector<Forecast> forecasts;
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    const auto predicted = rows.bigint(i, 0);
    forecasts.push_back({predicted ? std::optional(core::Microseconds(*predicted)) : std::nullopt,
                         rows.bigint(i, 1), locks[i], rows.texts(i, 2)});
  }
  access.end();
  return forecasts;
}

Expected expected_times(const Planned& planned) {
  const StepColumns steps(planned);
  OwnTables access;
  const SpiRows rows =
      query((std::string("SELECT (extract(epoch FROM past.elapsed) * 1000000)::bigint,"
                         " coalesce(read.pages, 0) ") +
             steps_with_views + successes + pages_read + " ORDER BY s.step")
                .c_str(),
            {steps.schemas(), steps.views(), steps.modes()}, Sees::caller);
  Expected expected;
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    const auto past = rows.bigint(i, 0);
    if (!past) expected.by_history = false;
    const core::Microseconds by_size = any_step + page_read * rows.bigint(i, 1).value();
    expected.times.push_back(past ? core::Microseconds(*past) : by_size);
  }
  access.end();
  return expected;
}

std::int64_t locks_of(const std::vector<Forecast>& steps) {
  return std::accumulate(steps.begin(), steps.end(), std::int64_t{0},
                         [](std::int64_t sum, const Forecast& step) { return sum + step.locks; });
}

void warn_of_locks(std::int64_t locks) {
  const std::int64_t room = room_for_locks();
  if (2 * locks <= room) return;
  const std::string message = fmt::format(
      "a run of these materialized views takes about {} locks, and the server has room for {}",
      locks, room);
  call([&] {
    ereport(WARNING,
            (errmsg("%s", message.c_str()),
             errhint("Raise max_locks_per_transaction, or refresh fewer views in one call.")));
  });
}

void check_locks_fit(const Planned& planned) {
  const std::int64_t room = room_for_locks();
  if (static_cast<std::int64_t>(planned.plan.size()) * most_locks_of_step < room) return;
  const auto steps = locks_of_steps(planned);
  const std::int64_t locks = std::accumulate(steps.begin(), steps.end(), std::int64_t{0});
  if (locks <= room) return;
  throw Error{
      Code::too_many_locks,
      fmt::format("a run of {} materialized views takes too many locks", planned.plan.size()),
      fmt::format("It takes about {} locks, and the server has room for {}.", locks, room),
      "Raise max_locks_per_transaction, or refresh fewer views in one call."};
}

}  // namespace mvo::pg
