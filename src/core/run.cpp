#include "core/run.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace mvo::core {
namespace {

// The views of a run that were not refreshed, each with the one whose failure is behind it.
class Failures {
 public:
  explicit Failures(const Graph& graph) : graph_(graph) {}

  void add(Node view, Node failed) { behind_.emplace(view, failed); }

  // Steps come after what they read, so their sources tell about everything upstream.
  std::optional<Node> upstream_of(Node view) const {
    if (behind_.empty()) return std::nullopt;
    for (const Node source : graph_.sources(view))
      if (const auto found = behind_.find(source); found != behind_.end()) return found->second;
    return std::nullopt;
  }

 private:
  const Graph& graph_;
  std::unordered_map<Node, Node> behind_;
};

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::refreshed:
      return "refreshed";
    case Status::unchanged:
      return "unchanged";
    case Status::skipped:
      return "skipped";
    case Status::failed:
      return "failed";
    case Status::upstream_failed:
      return "upstream_failed";
  }
  return {};
}

std::optional<OnError> parse_on_error(std::string_view text) {
  if (text == "stop") return OnError::stop;
  if (text == "continue") return OnError::proceed;
  return std::nullopt;
}

Outcome outcome_of(Step step, Attempt attempt, Microseconds started, Microseconds finished) {
  if (auto* failure = std::get_if<Failure>(&attempt))
    return {step,    Status::failed,     {std::nullopt, std::nullopt},
            started, finished - started, std::move(*failure)};
  auto& result = std::get<Refreshed>(attempt);
  if (result.gave_up) step.mode = Mode::swap;
  const Status status = result.changed == 0 ? Status::unchanged : Status::refreshed;
  return {step, status, std::move(result), started, finished - started};
}

std::vector<Outcome> take_steps(const Plan& plan, const Graph& graph, OnError on_error,
                                const std::function<Outcome(const Step&)>& take,
                                const std::function<void(const Outcome&)>& left_out,
                                const Clock& now) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(plan.size());
  Failures failures(graph);
  std::optional<Node> first_failed;
  for (const Step& step : plan) {
    const auto failed = failures.upstream_of(step.view);
    const bool stopped = on_error == OnError::stop && first_failed;
    if (!failed && !stopped) {
      outcomes.push_back(take(step));
      if (!outcomes.back().failure) continue;
      failures.add(step.view, step.view);
      if (!first_failed) first_failed = step.view;
      continue;
    }
    if (failed) failures.add(step.view, *failed);
    outcomes.push_back({step,
                        failed ? Status::upstream_failed : Status::skipped,
                        {},
                        now(),
                        {},
                        {},
                        failed ? failed : first_failed});
    left_out(outcomes.back());
  }
  return outcomes;
}

std::vector<Outcome> run(const Plan& plan, const Graph& graph, Microseconds started,
                         const Refresher& refresh, const Clock& now) {
  return take_steps(
      plan, graph, OnError::proceed,
      [&](const Step& step) {
        Attempt attempt = refresh(step);
        const Microseconds began = std::exchange(started, now());
        return outcome_of(step, std::move(attempt), began, started);
      },
      [](const Outcome&) {}, [&] { return started; });
}

std::vector<Outcome> skip(const Plan& plan, const std::string& reason, Microseconds now) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(plan.size());
  for (const Step& step : plan)
    outcomes.push_back({step, Status::skipped, {std::nullopt, std::nullopt, reason}, now});
  return outcomes;
}

std::size_t count_failed(const std::vector<Outcome>& outcomes) {
  return std::ranges::count_if(outcomes, [](const Outcome& outcome) {
    return outcome.status == Status::failed || outcome.status == Status::upstream_failed;
  });
}

}  // namespace mvo::core
