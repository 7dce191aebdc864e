// A run inside the backend: plan, lock, one snapshot, step by step.
#pragma once

#include "core/run.hpp"
#include "pg/plan.hpp"

namespace mvo::pg {

struct RunResult {
  core::Views views;
  std::vector<core::Outcome> outcomes;
};

// The steps that run() would take now. Errors: those of run() before its locks. Locks nothing.
Planned plan_of_run(const PlanRequest& request);

// In the calling transaction. OnError::stop: an error of any step undoes them all.
// OnError::proceed: a view whose refresh fails keeps its rows, what reads it is left out, the rest
// go on; an error before the first step, and an interrupt at any time, still ends the run. Locks:
// run locks, then ExclusiveLock on every view, then what its mode takes. Errors: 42704 not
// registered, 42P19 cycle, 42P01 missing view, 42501, 55P03 for a lock that is not had; and, of a
// step, 40001 for a view that somebody changed whom the snapshot does not see, and whatever the
// refresh of a view raises, with that view named.
RunResult run(const PlanRequest& request, Overlap overlap, core::OnError on_error);

}  // namespace mvo::pg
