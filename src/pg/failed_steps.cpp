#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/failed_steps.hpp"

#include "core/error.hpp"
#include "pg/datum.hpp"
#include "pg/error_code.hpp"
#include "pg/identifier.hpp"
#include "pg/rights.hpp"
#include "pg/stored_text.hpp"
#include "pg/subtransaction.hpp"
#include "pg/utility.hpp"

namespace mvo::pg {
namespace {

std::string print_sqlstate(int state) {
  return unpack_sql_state(state);
}

core::Failure failure_of(const PgError& error) {
  return {print_sqlstate(error.sqlstate()), valid_text(error.what()),
          valid_text(to_string(error.data().detail))};
}

std::string describe(const core::Failure& failure, Oid owner) {
  std::string text = failure.sqlstate + ": " + failure.message;
  if (!failure.detail.empty() && has_rights_of(owner)) text += "\nDETAIL:  " + failure.detail;
  return text;
}

}  // namespace

core::Attempt attempt(const std::function<core::Refreshed()>& refresh) {
  const StatementMemory memory;  // freed after the rollback
  try {
    Subtransaction alone;
    core::Refreshed result = refresh();
    alone.commit();
    return result;
  } catch (const PgError& error) {
    if (error.is_interrupt()) throw;
    return failure_of(error);
  } catch (const core::Error& error) {
    return core::Failure{print_sqlstate(sqlstate_of(error.code)), error.message, error.detail};
  }
}

void describe_failures(std::vector<core::Outcome>& outcomes, const core::Views& views,
                       const std::vector<Oid>& owners) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    core::Outcome& outcome = outcomes[i];
    if (outcome.failure) outcome.result.detail = describe(*outcome.failure, owners[i]);
    if (outcome.failed_source)
      outcome.result.detail = fmt::format("materialized view {} could not be refreshed",
                                          print(views[*outcome.failed_source].name));
  }
}

void warn_of_failures(const std::vector<core::Outcome>& outcomes) {
  const std::size_t failed = core::count_failed(outcomes);
  if (failed == 0) return;
  const std::string message = fmt::format("{} of {} materialized view{} could not be refreshed",
                                          failed, outcomes.size(), outcomes.size() == 1 ? "" : "s");
  call([&] {
    ereport(WARNING, (errmsg("%s", message.c_str()),
                      errhint("The column \"detail\" of the result says why.")));
  });
}

}  // namespace mvo::pg
