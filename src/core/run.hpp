// A run carries out a plan, step by step. What a step does to a view and what time it is are
// handed in, so that the order of things is tested without a server.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/plan.hpp"

namespace mvo::core {

using Microseconds = std::chrono::microseconds;

enum class Status { refreshed, unchanged, skipped, failed, upstream_failed };
std::string_view to_string(Status status);

// What the error of one view does to the rest of the run.
enum class OnError { stop, proceed };
// "stop", "continue"
std::optional<OnError> parse_on_error(std::string_view text);

// What refreshing one view gave.
struct Refreshed {
  std::optional<std::int64_t> rows;     // in the view afterwards
  std::optional<std::int64_t> changed;  // written; unknown in most modes
  std::string detail = {};
  bool gave_up = false;                        // a diff that found too much: it became a swap
  std::optional<Microseconds> analyzing = {};  // of the time, what ANALYZE took
};

// An error that a step ended with while the run goes on.
struct Failure {
  std::string sqlstate;
  std::string message;
  std::string detail;  // can hold rows: not for everybody
};

struct Outcome {
  Step step;
  Status status;
  Refreshed result;
  Microseconds started{0};
  Microseconds elapsed{0};
  std::optional<Failure> failure = {};  // of a step that failed
  // Of a step that was left out: the view whose failure is behind it, at whatever distance.
  std::optional<Node> failed_source = {};
};

using Attempt = std::variant<Refreshed, Failure>;
using Refresher = std::function<Attempt(const Step&)>;
using Clock = std::function<Microseconds()>;

Outcome outcome_of(Step step, Attempt attempt, Microseconds started, Microseconds finished);

// Takes each step in turn, but for those that read, directly or through other steps, what failed;
// with OnError::stop but for all that come after a failure. Of those it tells `left_out`. `graph`
// is of the plan's nodes.
std::vector<Outcome> take_steps(const Plan& plan, const Graph& graph, OnError on_error,
                                const std::function<Outcome(const Step&)>& take,
                                const std::function<void(const Outcome&)>& left_out,
                                const Clock& now);

// In one transaction. A refresher that throws ends the run: on_error => 'stop'. After one that
// returns a failure the run goes on without what reads the failed view. The time before the first
// step, spent waiting for locks, counts to the first step.
std::vector<Outcome> run(const Plan& plan, const Graph& graph, Microseconds started,
                         const Refresher& refresh, const Clock& now);

// Every step left out for the same reason.
std::vector<Outcome> skip(const Plan& plan, const std::string& reason, Microseconds now);

// Of how many steps the view could not be refreshed.
std::size_t count_failed(const std::vector<Outcome>& outcomes);

}  // namespace mvo::core
