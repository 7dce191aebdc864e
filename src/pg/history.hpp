// The table mv_orchestrator.run_step: one row for each step of each run.
#pragma once

#include "core/run.hpp"
#include "core/view.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// A new run's number.
std::int64_t number_run();

// The place of steps that are written down before their run has ended.
struct RunPlace {
  std::int64_t run;
  std::size_t step;  // of the first of them, from 1
  int process = MyProcPid;
};

// Writes down what became of a run's steps, in the calling transaction: what is rolled back leaves
// nothing. `owners` are those of the steps' views, in the same order. Texts are cut so that no row
// is longer than a kilobyte. Also forgets some of what is older than
// mv_orchestrator.history_retention, more rows than it writes; it never waits for anybody who does
// the same, and leaves it to others where that could fail: in REPEATABLE READ and SERIALIZABLE.
// Without a place it is a run of its own, whole. Locks: RowExclusiveLock on the table.
void record(const std::vector<core::Outcome>& outcomes, const core::Views& views,
            const std::vector<Oid>& owners, const std::optional<RunPlace>& place = {});

// What is written down of a step, committed by anybody.
std::optional<std::string> recorded_status(const RunPlace& place);

}  // namespace mvo::pg
