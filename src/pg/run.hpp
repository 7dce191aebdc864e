// A run inside the backend: plan, lock, one snapshot, step by step.
#pragma once

#include "core/run.hpp"
#include "pg/plan.hpp"

namespace mvo::pg {

struct RunResult {
  core::Views views;
  std::vector<core::Outcome> outcomes;
};

// In the calling transaction: an error of any step undoes them all.
// Locks: run locks, then ExclusiveLock on every view, then what its mode takes.
// Errors: 42704 not registered, 42P19 cycle, 42P01 missing view, 42501, 55P03 for a lock that is
// not had, 40001 for a view that somebody changed whom the snapshot does not see, and whatever the
// refresh of a view raises, with that view named.
RunResult run(const PlanRequest& request, Overlap overlap);

}  // namespace mvo::pg
