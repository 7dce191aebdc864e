// Core's REFRESH, as the modes that are made of it call it.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// Not wrapped in anybody's identity: it switches to the owner itself, and CONCURRENTLY fails inside
// a restricted operation. Returns the number of rows in the view afterwards.
std::int64_t run_core_refresh(const core::Name& view, bool concurrently);

}  // namespace mvo::pg
