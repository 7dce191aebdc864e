// The refresh modes, one file each, behind one shape. Each refreshes one view that is locked and
// exists, from the active snapshot, with the caller's identity; `settings` (name=value) are in
// force while the view's query runs, and only then. Errors are the server's own.
#pragma once

#include "core/run.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// Core's REFRESH MATERIALIZED VIEW. Locks the view AccessExclusive to the end of the transaction.
core::Refreshed refresh_plain(const core::Name& view, const std::vector<std::string>& settings);

// Core's REFRESH MATERIALIZED VIEW CONCURRENTLY: ExclusiveLock. 0A000 for a view that is not
// populated, 55000 without a usable unique index, 21000 when the new rows hold duplicates.
core::Refreshed refresh_concurrent(const core::Name& view,
                                   const std::vector<std::string>& settings);

// The function of a mode; core::Mode::automatic has been resolved by then.
core::Refreshed refresh_in(core::Mode mode, const core::Name& view,
                           const std::vector<std::string>& settings);

}  // namespace mvo::pg
