// The settings mv_orchestrator.*
#pragma once

#include <chrono>

#include "core/mode.hpp"
#include "core/view.hpp"
#include "pg/guc_scope.hpp"

namespace mvo::pg {

// Called once, from _PG_init.
void define_settings();

// mv_orchestrator.mode: how views registered as "auto" are refreshed.
core::Mode mode_setting();
// mv_orchestrator.history_retention, in minutes: how long steps of runs are kept; 0: not at all,
// -1: for ever.
int history_retention();
// mv_orchestrator.diff_work_mem: memory for the rows that a diff compares.
int diff_work_mem_kb();

// mv_orchestrator.analyze_views: whether views are analysed as part of a call that fills them.
bool analyze_views();

constexpr int most_workers = 64;
// mv_orchestrator.max_jobs: how many views a run may refresh at once.
int max_jobs();

// How long the step of a view may take: what its registration says, else
// mv_orchestrator.view_timeout; zero: as long as it takes.
std::chrono::milliseconds view_timeout(const core::Limits& limits);

// A time as in a configuration file, zero or more; without a unit in milliseconds.
std::optional<std::chrono::milliseconds> parse_milliseconds(const std::string& text);
// An integer from 0 to `most`.
std::optional<int> parse_count(const std::string& text, int most);

// For a process that another one waits for: the server's detector does not know of that wait, so
// that no lock may be waited for without a limit. Where it is turned off, the default counts.
void always_limit_lock_waits();

// Bounds every lock wait until its end(): by mv_orchestrator.lock_timeout, or by the server's
// lock_timeout where that is shorter.
class LockLimit {
 public:
  LockLimit();
  void end() { scope_.end(); }

  // Within it, the waits for one view, whose registration may have a limit of its own in the place
  // of mv_orchestrator.lock_timeout.
  template <class Body>
  void for_view(const core::Limits& limits, Body body) const {
    if (!limits.lock_timeout) return body();
    GucScope scope;
    set(scope, static_cast<int>(limits.lock_timeout->count()));
    body();
    scope.end();
  }

 private:
  // The shorter of it and the server's.
  void set(GucScope& scope, int limit) const;

  int servers_;
  GucScope scope_;
};

}  // namespace mvo::pg
