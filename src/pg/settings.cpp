#include "pg/settings.hpp"

#include <algorithm>
#include <charconv>

#include "pg/prelude.hpp"

extern "C" {
#include <storage/proc.h>
}

namespace mvo::pg {
namespace {

constexpr int default_lock_timeout_ms = 5 * 60 * 1000;
constexpr int default_retention_min = 90 * 24 * 60;

int mode = static_cast<int>(core::Mode::automatic);
int lock_timeout = default_lock_timeout_ms;
int view_limit = 0;
int retention = default_retention_min;
int diff_work_mem = 256 * 1024;
bool views_are_analyzed = true;
int most_jobs = 8;

bool waits_are_limited = false;

const config_enum_entry mode_values[] = {
    {"auto", static_cast<int>(core::Mode::automatic), false},
    {"plain", static_cast<int>(core::Mode::plain), false},
    {"concurrent", static_cast<int>(core::Mode::concurrent), false},
    {"swap", static_cast<int>(core::Mode::swap), false},
    {"diff", static_cast<int>(core::Mode::diff), false},
    {nullptr, 0, false},
};

}  // namespace

void define_settings() {
  DefineCustomEnumVariable("mv_orchestrator.mode",
                           "Refresh mode of views that are registered with mode \"auto\".", nullptr,
                           &mode, mode, mode_values, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable(
      "mv_orchestrator.lock_timeout", "Longest wait for a lock in a call of mv_orchestrator.",
      "Zero turns this limit off. A shorter lock_timeout comes first.", &lock_timeout, lock_timeout,
      0, INT_MAX, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("mv_orchestrator.view_timeout",
                          "Longest time that the step of one view may take in a run.",
                          "Zero turns this limit off.", &view_limit, view_limit, 0, INT_MAX,
                          PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("mv_orchestrator.diff_work_mem",
                          "Memory for the rows that a refresh in mode \"diff\" compares.",
                          "Rows beyond it are compared in parts, with the rest on disk.",
                          &diff_work_mem, diff_work_mem, 64, MAX_KILOBYTES, PGC_USERSET,
                          GUC_UNIT_KB, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("mv_orchestrator.analyze_views",
                           "Analyzes views that were created or changed much, before what reads "
                           "them is refreshed.",
                           nullptr, &views_are_analyzed, views_are_analyzed, PGC_USERSET, 0,
                           nullptr, nullptr, nullptr);
  DefineCustomIntVariable("mv_orchestrator.max_jobs",
                          "Most views that a run refreshes at once, each in a worker process.",
                          nullptr, &most_jobs, most_jobs, 1, most_workers, PGC_SUSET, 0, nullptr,
                          nullptr, nullptr);
  // Not for everybody: a run forgets everybody's history.
  DefineCustomIntVariable("mv_orchestrator.history_retention",
                          "How long the steps of runs are kept.",
                          "Zero keeps nothing, -1 keeps them for ever.", &retention, retention, -1,
                          INT_MAX, PGC_SUSET, GUC_UNIT_MIN, nullptr, nullptr, nullptr);
  MarkGUCPrefixReserved("mv_orchestrator");
}

int diff_work_mem_kb() {
  return diff_work_mem;
}

bool analyze_views() {
  return views_are_analyzed;
}

int max_jobs() {
  return most_jobs;
}

void always_limit_lock_waits() {
  waits_are_limited = true;
}

core::Mode mode_setting() {
  return static_cast<core::Mode>(mode);
}

int history_retention() {
  return retention;
}

std::chrono::milliseconds view_timeout(const core::Limits& limits) {
  return limits.view_timeout.value_or(std::chrono::milliseconds(view_limit));
}

std::optional<std::chrono::milliseconds> parse_milliseconds(const std::string& text) {
  int value = 0;
  if (!call([&] { return parse_int(text.c_str(), &value, GUC_UNIT_MS, nullptr); }) || value < 0)
    return std::nullopt;
  return std::chrono::milliseconds(value);
}

std::optional<int> parse_count(const std::string& text, int most) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value < 0 || value > most) return std::nullopt;
  return value;
}

LockLimit::LockLimit() : servers_(LockTimeout) {
  set(scope_, lock_timeout);
}

void LockLimit::set(GucScope& scope, int limit) const {
  // Zero is no limit, so it is the larger of the two that counts where one is zero.
  const bool both = limit != 0 && servers_ != 0;
  const int shorter = both ? std::min(limit, servers_) : std::max(limit, servers_);
  scope.set("lock_timeout",
            std::to_string(shorter == 0 && waits_are_limited ? default_lock_timeout_ms : shorter));
}

}  // namespace mvo::pg
