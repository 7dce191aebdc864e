#include "pg/history.hpp"

#include "pg/own_tables.hpp"
#include "pg/settings.hpp"
#include "pg/stored_text.hpp"

namespace mvo::pg {
namespace {

constexpr std::size_t longest_message = 320, longest_detail = 240;  // in bytes
constexpr int pruned_beyond_written = 1000;
constexpr Argument null_bigint{INT8OID, 0, true};

using Texts = std::vector<std::optional<std::string>>;
using Numbers = std::vector<std::optional<std::int64_t>>;

// The columns of the rows to be written.
struct Columns {
  Texts schemas, names, modes, reasons, statuses, states, messages, details;
  Numbers started, elapsed, analyzing, rows, changed, owners;

  void add(const core::Outcome& outcome, const core::Name& view, Oid owner);

 private:
  void add_message(const core::Outcome& outcome);
};

std::optional<std::string> cut_or_null(const std::string& text, std::size_t most_bytes) {
  if (text.empty()) return std::nullopt;
  return cut_text(text, most_bytes);
}

void Columns::add_message(const core::Outcome& outcome) {
  if (const auto& failure = outcome.failure) {
    states.push_back(failure->sqlstate);
    messages.push_back(cut_or_null(failure->message, longest_message));
    details.push_back(cut_or_null(failure->detail, longest_detail));
  } else {
    states.push_back(std::nullopt);
    messages.push_back(cut_or_null(outcome.result.detail, longest_message));
    details.push_back(std::nullopt);
  }
}

void Columns::add(const core::Outcome& outcome, const core::Name& view, Oid owner) {
  schemas.push_back(view.schema);
  names.push_back(view.name);
  modes.emplace_back(core::to_string(outcome.step.mode));
  reasons.emplace_back(core::to_string(outcome.step.reason));
  statuses.emplace_back(core::to_string(outcome.status));
  started.push_back(outcome.started.count());
  elapsed.push_back(outcome.elapsed.count());
  const auto& analysis = outcome.result.analyzing;
  analyzing.push_back(analysis ? std::optional(analysis->count()) : std::nullopt);
  rows.push_back(outcome.result.rows);
  changed.push_back(outcome.result.changed);
  owners.push_back(owner);
  add_message(outcome);
}

void write(const Columns& steps, const std::string& role, const std::optional<RunPlace>& place) {
  repeated_query(
      "INSERT INTO mv_orchestrator.run_step (run, step, schema_name, view_name, mode, reason,"
      " status, started, elapsed, analyzing, rows, changed, owner, sqlstate, message, detail, "
      "role, pid)"
      " SELECT (SELECT coalesce($16, nextval('mv_orchestrator.run_id'))), step + $17, schema_name,"
      " view_name, mode,"
      " reason, status, timestamptz '2000-01-01 00:00:00+00' + started * interval '1 microsecond',"
      " elapsed * interval '1 microsecond', analyzing * interval '1 microsecond', rows, changed,"
      " owner::oid, sqlstate, message, detail, $15, $18"
      " FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) WITH ORDINALITY"
      " AS s (schema_name, view_name, mode, reason, status, started, elapsed, analyzing, rows,"
      " changed, owner, sqlstate, message, detail, step)",
      {array_argument(steps.schemas), array_argument(steps.names), array_argument(steps.modes),
       array_argument(steps.reasons), array_argument(steps.statuses), array_argument(steps.started),
       array_argument(steps.elapsed), array_argument(steps.analyzing), array_argument(steps.rows),
       array_argument(steps.changed), array_argument(steps.owners), array_argument(steps.states),
       array_argument(steps.messages), array_argument(steps.details), text_argument(role),
       place ? bigint_argument(place->run) : null_bigint,
       bigint_argument(place ? static_cast<std::int64_t>(place->step) - 1 : 0),
       int_argument(place ? place->process : MyProcPid)},
      Sees::latest);
}

// What somebody else is about to delete is skipped, so nobody waits.
void prune(int retention_minutes, int most) {
  query(
      "DELETE FROM mv_orchestrator.run_step WHERE ctid = ANY (ARRAY("
      "SELECT ctid FROM mv_orchestrator.run_step WHERE started < now() - $1 * interval '1 minute'"
      " ORDER BY started LIMIT $2 FOR UPDATE SKIP LOCKED))",
      {int_argument(retention_minutes), int_argument(most)}, Sees::latest);
}

}  // namespace

std::int64_t number_run() {
  OwnTables access;
  const auto run =
      query("SELECT nextval('mv_orchestrator.run_id')", {}, Sees::latest).bigint(0, 0).value();
  access.end();
  return run;
}

void record(const std::vector<core::Outcome>& outcomes, const core::Views& views,
            const std::vector<Oid>& owners, const std::optional<RunPlace>& place) {
  if (outcomes.empty()) return;
  const int retention = history_retention();
  const std::string role = call([] { return GetUserNameFromId(GetUserId(), false); });
  Columns steps;
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    steps.add(outcomes[i], views[outcomes[i].step.view].name, owners[i]);
  OwnTables access;
  if (retention != 0) write(steps, role, place);
  const bool first = !place || place->step == 1;
  if (first && retention >= 0 && XactIsoLevel == XACT_READ_COMMITTED)
    prune(retention, pruned_beyond_written + static_cast<int>(outcomes.size()));
  access.end();
}

std::optional<std::string> recorded_status(const RunPlace& place) {
  OwnTables access;
  const SpiRows rows =
      query("SELECT status FROM mv_orchestrator.run_step WHERE run = $1 AND step = $2",
            {bigint_argument(place.run), int_argument(static_cast<int>(place.step))}, Sees::latest);
  auto status = rows.size() == 0 ? std::nullopt : std::optional(rows.text(0, 0));
  access.end();
  return status;
}

}  // namespace mvo::pg
