#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/progress.hpp"

#include "pg/identifier.hpp"

extern "C" {
#include <utils/backend_status.h>
}

namespace mvo::pg {
namespace {

// Nobody else writes our entry.
std::string reported_query() {
  if (MyBEEntry == nullptr || MyBEEntry->st_activity_raw == nullptr) return {};
  return const_cast<const char*>(MyBEEntry->st_activity_raw);
}

void report_query(const std::string& text, std::uint64_t id) {
  pgstat_report_activity(STATE_RUNNING, text.c_str());
  pgstat_report_query_id(id, true);  // it is still the caller's statement
}

}  // namespace

Progress::Progress()
    : callers_(reported_query()), query_id_(MyBEEntry != nullptr ? MyBEEntry->st_query_id : 0) {
  innermost = this;
  report("waiting");
}

Progress::~Progress() {
  innermost = outer_;
  report_query(callers_, query_id_);
}

void Progress::begin(std::size_t step, std::size_t steps, const core::Name& view) {
  step_ = fmt::format(", step {} of {}", step, steps);
  view_ = ": " + print(view);
  report("waiting");
}

void Progress::end_steps() {
  step_.clear();
  view_.clear();
}

void Progress::phase(std::string_view what) {
  if (innermost != nullptr) innermost->report(what);
}

void Progress::report(std::string_view phase) const {
  report_query(
      fmt::format("/* mv_orchestrator{}{}, {}{} */ {}", run_ ? fmt::format(" run {}", *run_) : "",
                  step_, phase, view_, callers_),
      query_id_);
}

}  // namespace mvo::pg
