// What is wrong with the registered views, or will be, and what to do about it.
#pragma once

#include "core/problem.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

// Of the views whose owner's rights the caller has; members of pg_monitor see all, but nothing that
// holds a definition or data. One view that cannot be checked does not stop it: what it raised is a
// problem of its own. An interrupt ends it.
// Reads the rows of views that have a unique key. Locks: what reading texts and views locks, never
// longer than a view is looked at, and a lock that is not had within 100 ms is not waited for.
// Writes nothing.
std::vector<core::Problem> check_views();

}  // namespace mvo::pg
