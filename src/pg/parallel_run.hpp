// The steps of a run in several processes.
#pragma once

#include "core/run.hpp"
#include "pg/plan.hpp"
#include "pg/step_taker.hpp"
#include "pg/unapplied_edits.hpp"

namespace mvo::pg {

// How many workers a run is worth: 1 when it is not, as its history says that it is short or as no
// two of its steps could run at once. At most `jobs`, and mv_orchestrator.max_jobs.
int workers_worth(const Planned& planned, int jobs, const std::vector<core::Microseconds>& expected);

// By the history, else by size.
std::vector<core::Microseconds> expected_times(const Planned& planned);

// Takes the steps in as many workers as the server has room for, and says so where those are fewer;
// what they leave undone, as all have died or there never was one, in this session. The caller holds
// nothing but the run locks.
std::vector<core::Outcome> take_steps_in_workers(const Planned& planned, const UnappliedEdits& edits,
                                                 core::OnError on_error, int workers,
                                                 const std::vector<core::Microseconds>& expected,
                                                 std::int64_t run, StepTaker& taker);

}  // namespace mvo::pg
