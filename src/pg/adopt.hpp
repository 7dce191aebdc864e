// Registering live materialized views as they are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// Registers a materialized view with its definition and indexes as the server prints them, its
// storage and its comment, for its owner; touches nothing else. One that is registered already is
// left as it is, with a NOTICE. Returns the name.
// Locks: the view and its indexes AccessShare, what its query reads as analysis does; all are given
// back at once.
// Errors: 42P01, 42809 for something else, 42501 without the owner's rights, 42P19, 42602 and 42622
// for a bad dependency.
core::Name adopt_view(Oid view, const std::vector<std::string>& depends_on);

// The same for all materialized views in these schemas, without a list in all schemas but the
// server's own, that are not registered, not temporary and no part of an extension: all or, with
// one error that lists those for which rights are missing, none. Returns the names, sorted.
// 3F000 for a schema that does not exist.
std::vector<core::Name> adopt_views(const std::optional<std::vector<std::string>>& schemas);

}  // namespace mvo::pg
