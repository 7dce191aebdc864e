// Which failures of a step are worth another try, and when.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace mvo::core {

constexpr int default_retries = 2;

// What another transaction is the cause of and may be over the next time: serialization failures,
// deadlocks, locks that were not had.
bool is_worth_retrying(std::string_view sqlstate);

// Before try `retry`, counted from 1: doubling from 0.2 s to at most 10 s.
std::chrono::milliseconds pause_before(int retry);

// "tried again 2 times"
std::string describe_retries(int retries);

}  // namespace mvo::core
