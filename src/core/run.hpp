// A run carries out a plan, step by step. What a step does to a view and what time it is are
// handed in, so that the order of things is tested without a server.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan.hpp"

namespace mvo::core {

using Microseconds = std::chrono::microseconds;

enum class Status { refreshed, unchanged, skipped };
std::string_view to_string(Status status);

// What refreshing one view gave.
struct Refreshed {
  std::optional<std::int64_t> rows;     // in the view afterwards
  std::optional<std::int64_t> changed;  // written; unknown in most modes
  std::string detail = {};
};

struct Outcome {
  Step step;
  Status status;
  Refreshed result;
  Microseconds elapsed{0};
};

using Refresher = std::function<Refreshed(const Step&)>;
using Clock = std::function<Microseconds()>;

// An error of the refresher ends the run and is the caller's to handle: on_error => 'stop'. The
// time before the first step, spent waiting for locks, counts to the first step.
std::vector<Outcome> run(const Plan& plan, Microseconds started, const Refresher& refresh,
                         const Clock& now);

// Every step left out for the same reason.
std::vector<Outcome> skip(const Plan& plan, const std::string& reason);

}  // namespace mvo::core
