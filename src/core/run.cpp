#include "core/run.hpp"

namespace mvo::core {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::refreshed:
      return "refreshed";
    case Status::unchanged:
      return "unchanged";
    case Status::skipped:
      return "skipped";
  }
  return {};
}

std::vector<Outcome> run(const Plan& plan, Microseconds started, const Refresher& refresh,
                         const Clock& now) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(plan.size());
  for (const Step& step : plan) {
    Refreshed result = refresh(step);
    const Microseconds finished = now();
    const Status status = result.changed == 0 ? Status::unchanged : Status::refreshed;
    outcomes.push_back({step, status, std::move(result), finished - started});
    started = finished;
  }
  return outcomes;
}

std::vector<Outcome> skip(const Plan& plan, const std::string& reason) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(plan.size());
  for (const Step& step : plan)
    outcomes.push_back({step, Status::skipped, {std::nullopt, std::nullopt, reason}});
  return outcomes;
}

}  // namespace mvo::core
