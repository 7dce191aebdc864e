// mv_refresh, mv_refresh_all, mv_run, mv_plan
#include "core/error.hpp"
#include "pg/arguments.hpp"
#include "pg/entry.hpp"
#include "pg/forecast.hpp"
#include "pg/identifier.hpp"
#include "pg/rows.hpp"
#include "pg/run.hpp"
#include "pg/run_by_view.hpp"

#include "api/only_api.hpp"

using namespace mvo;

namespace {

[[noreturn]] void reject(const char* argument, const std::string& value, const std::string& known) {
  throw core::Error{core::Code::parameter_invalid,
                    std::string("unrecognized ") + argument + " \"" + value + "\"",
                    {},
                    "Known values are " + known + "."};
}

std::optional<core::Mode> mode_argument(const pg::Arguments& arguments, int place) {
  const auto text = arguments.optional_text(place);
  if (!text) return std::nullopt;
  if (const auto mode = core::parse_mode(*text)) return mode;
  reject("mode", *text, core::known_modes());
}

core::Scope scope_argument(const pg::Arguments& arguments, int place) {
  const std::string text = arguments.text_or(place, "self");
  if (const auto scope = core::parse_scope(text)) return *scope;
  reject("scope", text, "\"self\", \"upstream\", \"downstream\", \"both\"");
}

core::OnError on_error_argument(const pg::Arguments& arguments, int place,
                                const char* fallback = "stop") {
  const std::string text = arguments.text_or(place, fallback);
  if (const auto on_error = core::parse_on_error(text)) return *on_error;
  reject("on_error", text, "\"stop\", \"continue\"");
}

pg::Overlap overlap_argument(const pg::Arguments& arguments, int place,
                             const char* fallback = "wait") {
  const std::string text = arguments.text_or(place, fallback);
  if (const auto overlap = pg::parse_overlap(text)) return *overlap;
  reject("on_overlap", text, "\"wait\", \"skip\", \"fail\"");
}

Datum return_steps(FunctionCallInfo fcinfo, const pg::RunResult& result) {
  pg::ResultRows rows(fcinfo);
  std::int32_t number = 0;
  for (const core::Outcome& outcome : result.outcomes)
    rows.add({pg::column(++number), pg::column(pg::print(result.views[outcome.step.view].name)),
              pg::column(core::to_string(outcome.status)),
              pg::column(core::to_string(outcome.step.mode)), pg::column(outcome.result.rows),
              pg::column(outcome.result.changed), pg::column(outcome.elapsed),
              pg::text_or_null(outcome.result.detail)});
  return Datum{0};
}

// All enabled views, or those of the list in the first argument.
pg::PlanRequest request_for_all(const pg::Arguments& arguments, int mode_place = 1) {
  auto names = arguments.optional_texts(0, "names");
  const auto mode = mode_argument(arguments, mode_place);
  return {[names = std::move(names)](const core::Views& views) {
            return names ? pg::find_registered(views, *names) : core::enabled_views(views);
          },
          mode};
}

// How many views at once.
int jobs_argument(const pg::Arguments& arguments, int place) {
  const std::int32_t jobs = arguments.integer_or(place, 1);
  if (jobs >= 1) return jobs;
  throw core::Error{core::Code::parameter_invalid,
                    "invalid value for \"jobs\": " + std::to_string(jobs),
                    "It must be at least 1."};
}

}  // namespace

// mv_refresh(name, scope, mode, on_error, on_overlap) -> steps
MVO_FUNCTION(mv_refresh) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_refresh()");
  const std::string name = arguments.text(0, "name");
  const core::Scope scope = scope_argument(arguments, 1);
  const auto mode = mode_argument(arguments, 2);
  const core::OnError on_error = on_error_argument(arguments, 3);
  const pg::PlanRequest request{[&](const core::Views& views) {
                                  return core::in_scope(views, pg::find_registered(views, name),
                                                        scope);
                                },
                                mode};
  return return_steps(fcinfo, pg::run(request, overlap_argument(arguments, 4), on_error));
}

// mv_refresh_all(names, mode, on_error, on_overlap) -> steps
MVO_FUNCTION(mv_refresh_all) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_refresh_all()");
  const pg::PlanRequest request = request_for_all(arguments);
  const core::OnError on_error = on_error_argument(arguments, 2);
  return return_steps(fcinfo, pg::run(request, overlap_argument(arguments, 3), on_error));
}

// CALL mv_run(names, jobs, mode, on_error, on_overlap)
MVO_FUNCTION(mv_run) {
  const pg::Arguments arguments(fcinfo);
  pg::require_writable("mv_run()");
  const int jobs = jobs_argument(arguments, 1);
  const pg::PlanRequest request = request_for_all(arguments, 2);
  const core::OnError on_error = on_error_argument(arguments, 3, "continue");
  const pg::Overlap overlap = overlap_argument(arguments, 4, "skip");
  pg::Transactions transactions(fcinfo, "mv_run()");
  pg::run_by_view(transactions, request, overlap, on_error, jobs);
  return Datum{0};
}

// mv_plan(names, mode, on_error, on_overlap) -> step, name, level, mode, reason, predicted,
// new_bytes, locks, blocked_by
MVO_FUNCTION(mv_plan) {
  const pg::Arguments arguments(fcinfo);
  const pg::PlanRequest request = request_for_all(arguments);
  (void)on_error_argument(arguments, 2);
  (void)overlap_argument(arguments, 3);
  const pg::Planned planned = pg::plan_of_run(request);
  const auto forecasts = pg::forecast(planned);
  pg::ResultRows rows(fcinfo);
  for (std::size_t i = 0; i < planned.plan.size(); ++i) {
    const core::Step& step = planned.plan[i];
    rows.add({pg::column(static_cast<std::int32_t>(i + 1)),
              pg::column(pg::print(planned.name(step))), pg::column(step.level),
              pg::column(core::to_string(step.mode)), pg::column(core::to_string(step.reason)),
              pg::column(forecasts[i].predicted), pg::column(forecasts[i].new_bytes),
              pg::column(std::optional(forecasts[i].locks)), pg::column(forecasts[i].blocked_by)});
  }
  pg::warn_of_locks(pg::locks_of(forecasts));
  return Datum{0};
}
