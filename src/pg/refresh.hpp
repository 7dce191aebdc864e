// The refresh modes, one file each, behind one shape. Each refreshes one view that is locked and
// exists, from the active snapshot, with the caller's identity; `settings` (name=value) are in
// force while the view's query runs, and only then. Errors are the server's own.
#pragma once

#include "core/run.hpp"
#include "pg/exchange.hpp"
#include "pg/guard.hpp"
#include "pg/relation.hpp"

namespace mvo::pg {

// Core's REFRESH MATERIALIZED VIEW. Locks the view AccessExclusive to the end of the transaction.
core::Refreshed refresh_plain(const core::Name& view, const std::vector<std::string>& settings);

// Core's REFRESH MATERIALIZED VIEW CONCURRENTLY: ExclusiveLock. 0A000 for a view that is not
// populated, 55000 without a usable unique index, 21000 when the new rows hold duplicates.
core::Refreshed refresh_concurrent(const core::Name& view,
                                   const std::vector<std::string>& settings);

// Builds heap and indexes aside while readers go on, then exchanges the files. What is left to do
// under an exclusive lock is added to `exchanges`. 0A000 when the view is not a heap, 55000 for an
// index that is not valid.
core::Refreshed refresh_swap(const core::Name& name, const LiveRelation& view,
                             const std::vector<std::string>& settings, Exchanges& exchanges);

// Runs the query once, compares old and new rows, writes only what differs; equal rows may repeat.
// Locks nothing but what the run has. 0A000 when the view is not a heap, 55000 when it is not
// populated or an index is not valid.
core::Refreshed refresh_diff(const LiveRelation& view, const std::vector<std::string>& settings);

// Mode auto, where it hopes that few rows changed: a diff that becomes a swap when it finds too
// much to write, without running the query again. The same errors as diff.
core::Refreshed refresh_diff_or_swap(const core::Name& name, const LiveRelation& view,
                                     const std::vector<std::string>& settings,
                                     Exchanges& exchanges);

// The function of a step's mode; core::Mode::automatic has been resolved by then.
core::Refreshed refresh_in(const core::Step& step, const core::Name& name, const LiveRelation& view,
                           const std::vector<std::string>& settings, Exchanges& exchanges);

}  // namespace mvo::pg
