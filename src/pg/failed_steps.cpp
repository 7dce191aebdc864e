#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/failed_steps.hpp"

#include <algorithm>

#include "pg/cancel_watch.hpp"
#include "pg/datum.hpp"
#include "pg/error_code.hpp"
#include "pg/identifier.hpp"
#include "pg/rights.hpp"
#include "pg/stored_text.hpp"
#include "pg/subtransaction.hpp"
#include "pg/utility.hpp"

namespace mvo::pg {
namespace {

constexpr std::size_t most_listed = 10;

std::string print_sqlstate(int state) {
  return unpack_sql_state(state);
}

std::string describe(const core::Failure& failure, Oid owner) {
  std::string text = failure.sqlstate + ": " + failure.message;
  if (!failure.detail.empty() && has_rights_of(owner)) text += "\nDETAIL:  " + failure.detail;
  return text;
}

std::string reason_of_left_out(const core::Outcome& outcome, const core::Views& views) {
  return fmt::format("materialized view {} could not be refreshed",
                     print(views[*outcome.failed_source].name));
}

// What every caller may know, as he may refresh the views.
std::string list_failures(const std::vector<core::Outcome>& outcomes, const core::Views& views) {
  std::string list;
  std::size_t listed = 0, more = 0;
  for (const core::Outcome& outcome : outcomes) {
    if (!outcome.failure && outcome.status != core::Status::upstream_failed) continue;
    if (listed == most_listed) {
      ++more;
      continue;
    }
    const std::string reason = outcome.failure
                                   ? outcome.failure->sqlstate + ": " + outcome.failure->message
                                   : reason_of_left_out(outcome, views);
    list += fmt::format("{}{}: {}", listed++ == 0 ? "" : "\n", print(views[outcome.step.view].name),
                        reason);
  }
  return more == 0 ? list : fmt::format("{}\nand {} more", list, more);
}

std::string count_failures(const std::vector<core::Outcome>& outcomes) {
  return fmt::format("{} of {} materialized view{} could not be refreshed",
                     core::count_failed(outcomes), outcomes.size(),
                     outcomes.size() == 1 ? "" : "s");
}

core::Attempt attempt_alone(const std::function<core::Refreshed()>& refresh,
                            const CancelWatch& watch) {
  const StatementMemory memory;  // freed after the rollback
  try {
    Subtransaction alone;
    core::Refreshed result = refresh();
    watch.raise_if_heard();
    alone.commit();
    return result;
  } catch (const PgError& error) {
    if (error.is_own_interrupt()) throw;
    return failure_of(error);
  } catch (const core::Error& error) {
    return failure_of(error);
  }
}

}  // namespace

core::Failure failure_of(const PgError& error) {
  return {print_sqlstate(error.sqlstate()), valid_text(error.what()),
          valid_text(to_string(error.data().detail))};
}

core::Failure failure_of(const core::Error& error) {
  return {print_sqlstate(sqlstate_of(error.code)), error.message, error.detail};
}

core::Attempt attempt(const std::function<core::Refreshed()>& refresh) {
  const CancelWatch watch;
  core::Attempt attempted = attempt_alone(refresh, watch);
  if (std::holds_alternative<core::Failure>(attempted)) watch.raise_if_heard();
  return attempted;
}

void describe_failures(std::vector<core::Outcome>& outcomes, const core::Views& views,
                       const std::vector<Oid>& owners) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    core::Outcome& outcome = outcomes[i];
    if (outcome.failure) outcome.result.detail = describe(*outcome.failure, owners[i]);
    if (outcome.failed_source) outcome.result.detail = reason_of_left_out(outcome, views);
  }
}

void warn_of_failures(const std::vector<core::Outcome>& outcomes) {
  if (core::count_failed(outcomes) == 0) return;
  const std::string message = count_failures(outcomes);
  call([&] {
    ereport(WARNING, (errmsg("%s", message.c_str()),
                      errhint("The column \"detail\" of the result says why.")));
  });
}

void raise_failures(const std::vector<core::Outcome>& outcomes, const core::Views& views,
                    std::int64_t run) {
  const auto first = std::ranges::find_if(
      outcomes, [](const core::Outcome& outcome) { return outcome.failure.has_value(); });
  if (first == outcomes.end()) return;
  const char* state = first->failure->sqlstate.c_str();
  const std::string message = count_failures(outcomes), list = list_failures(outcomes, views);
  const auto untried = std::ranges::count(outcomes, core::Status::skipped, &core::Outcome::status);
  const std::string rest = untried == 0 ? "" : fmt::format(", {} not tried", untried);
  call([&] {
    ereport(
        ERROR,
        (errcode(MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4])),
         errmsg("%s%s", message.c_str(), rest.c_str()), errdetail("%s", list.c_str()),
         errhint("What could be refreshed is committed. Run %lld in mv_orchestrator.history says "
                 "more.",
                 static_cast<long long>(run))));
  });
}

}  // namespace mvo::pg
