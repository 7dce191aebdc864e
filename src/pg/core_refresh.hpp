// Core's REFRESH, as the modes that are made of it call it.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// Called once, from _PG_init.
void install_refresh_hook();

// Not wrapped in anybody's identity: it switches to the owner itself, and CONCURRENTLY fails inside
// a restricted operation. `settings` are in force for the view's query but not for event triggers,
// whose functions run as the caller and must not look names up where the view's author says.
// Returns the number of rows in the view afterwards.
std::int64_t run_core_refresh(const core::Name& view, bool concurrently,
                              const std::vector<std::string>& settings);

}  // namespace mvo::pg
