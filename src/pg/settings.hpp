// The settings mv_orchestrator.*
#pragma once

#include "core/mode.hpp"
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

// Bounds every lock wait until its end(): by mv_orchestrator.lock_timeout, or by the server's
// lock_timeout where that is shorter.
class LockLimit {
 public:
  LockLimit();
  void end() { scope_.end(); }

 private:
  GucScope scope_;
};

}  // namespace mvo::pg
