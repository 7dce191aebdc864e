#include "core/retry.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mvo::core {
namespace {

constexpr std::chrono::milliseconds first_pause{200}, longest_pause{10'000};
constexpr int most_doublings = 6;

}  // namespace

bool is_worth_retrying(std::string_view sqlstate) {
  return sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03";
}

std::chrono::milliseconds pause_before(int retry) {
  return std::min(longest_pause, first_pause * (1 << std::min(retry - 1, most_doublings)));
}

std::string describe_retries(int retries) {
  return fmt::format("tried again {} time{}", retries, retries == 1 ? "" : "s");
}

}  // namespace mvo::core
