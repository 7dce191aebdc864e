// The table mv_orchestrator.run_step: one row for each step of each run.
#pragma once

#include "core/run.hpp"
#include "core/view.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// Writes down what became of a run's steps, in the calling transaction: what is rolled back leaves
// nothing. `owners` are those of the steps' views, in the same order. Texts are cut so that no row
// is longer than a kilobyte. Also forgets some of what is older than
// mv_orchestrator.history_retention, more rows than it writes; it never waits for anybody who does
// the same, and leaves it to others where that could fail: in REPEATABLE READ and SERIALIZABLE.
// Locks: RowExclusiveLock on the table.
void record(const std::vector<core::Outcome>& outcomes, const core::Views& views,
            const std::vector<Oid>& owners);

}  // namespace mvo::pg
