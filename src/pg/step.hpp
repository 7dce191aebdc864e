// The step of one view in a run: what both kinds of runs do for it.
#pragma once

#include "core/run.hpp"
#include "pg/exchange.hpp"
#include "pg/registry.hpp"
#include "pg/snapshot.hpp"

namespace mvo::pg {

// Before the snapshot: whoever empties a table and fills it again, or rewrites it, leaves nothing
// that an older snapshot would see, and would otherwise have until the turn of who reads it. Before
// the plan that holds: plain views on the way can be replaced until then.
void lock_sources(const core::Name& view);

// 40001 for a view that somebody changed whom the snapshot does not see.
void check_not_missed(const core::Name& view, const RunSnapshot& snapshot);

// Refreshes a view that is locked, and analyzes it where that is needed. `read_later`: a later step
// reads it.
core::Refreshed refresh_step(const core::Step& step, const core::Name& view,
                             const RunSnapshot& snapshot, const RunFacts& facts,
                             Exchanges& exchanges, bool read_later);

// One more thing to be said of a step.
void add_detail(core::Refreshed& result, const std::string& text);

}  // namespace mvo::pg
