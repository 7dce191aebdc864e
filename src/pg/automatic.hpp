// Mode auto: what is known of views when a run begins, and what it taught in the end.
#pragma once

#include "core/run.hpp"
#include "pg/plan.hpp"

namespace mvo::pg {

// Puts a mode in the place of core::Mode::automatic in each step. Reads catalogs alone and locks
// nothing.
void choose_modes(Planned& planned);

// The table mv_orchestrator.learned. In the calling transaction, and only what the run changed.
// Locks: RowExclusiveLock on the table, when there is something to write.
void save_learned(const std::vector<core::Outcome>& outcomes, const core::Views& views);

}  // namespace mvo::pg
