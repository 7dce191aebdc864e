// In whose name a view reads another one.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// The caller, when he may read the source; or, when he may refresh the view, the role with whose
// rights its query reads the source: its owner, or the owner of a plain view or of a function with
// SECURITY DEFINER on the way. Nothing when nobody on the way may.
std::optional<Oid> role_that_reads(const core::Name& source, const core::Name& view);

}  // namespace mvo::pg
