// Dropping live views; their registrations stay.
#pragma once

#include "pg/create.hpp"

namespace mvo::pg {

// Drops one view. Actions: dropped, also for each registered view that cascade took along; missing,
// with if_exists.
// Locks: run locks, also on all that reads the view; what DROP locks.
// Errors: 42704 not registered, 42P01 when it does not exist, 42501, 2BP01 when something depends
// on it.
std::vector<Action> drop_view(const std::string& name, bool cascade, bool if_exists);

// Drops the views (all that are registered when nothing is given) in reverse order, all or none.
std::vector<Action> drop_views(const std::optional<std::vector<std::string>>& names);

}  // namespace mvo::pg
