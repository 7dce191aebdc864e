// Making live views of registrations.
#pragma once

#include "core/name.hpp"

#include <optional>
#include <string>
#include <vector>

namespace mvo::pg {

struct Action {
  core::Name name;
  const char* action;
};

// Creates the views (all that are registered when nothing is given), registered dependencies that
// are missing first: view, unique key, indexes and comment as one unit, all of them or none. All
// contents come from one snapshot. Actions: created; indexed, when only indexes were missing;
// exists, for a view that was asked for.
// Locks: run locks; what CREATE MATERIALIZED VIEW and CREATE INDEX lock.
// Errors: 42704 not registered, 42501, 42P07 for a name that is taken by something else, 42809.
std::vector<Action> create_views(const std::optional<std::vector<std::string>>& names,
                                 bool with_data);

}  // namespace mvo::pg
