// The steps of a run in several processes.
#pragma once

#include "core/schedule.hpp"
#include "pg/plan.hpp"
#include "pg/step_taker.hpp"
#include "pg/transactions.hpp"
#include "pg/unapplied_edits.hpp"

namespace mvo::pg {

// The jobs of a run, and how many workers it is worth: 1 is none but the session itself, where no
// two steps could be under way at once, and where the history says that the run is short.
struct Crew {
  core::Jobs jobs;
  int workers = 1;
};

// For `asked` workers at most, and mv_orchestrator.max_jobs, which it says where that is less.
Crew crew_for(const Planned& planned, int asked);

// What the session that asked for the run works with.
struct Leader {
  const StepsOfRun& run;
  const UnappliedEdits& edits;
  StepTaker& taker;
  Transactions& transactions;
};

// Takes the steps in as many workers as the server has room for, and says so where those are fewer;
// what they leave undone, as all have died, in this session. Nothing when there is no worker at
// all. The caller holds nothing but the run locks, and a snapshot that is given up meanwhile. An
// interrupt ends the workers, and is thrown on once it is written down where it struck.
std::optional<std::vector<core::Outcome>> take_steps_in_workers(const Leader& leader,
                                                                const Crew& crew,
                                                                core::OnError on_error);

}  // namespace mvo::pg
