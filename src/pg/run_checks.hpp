// What is looked at of all views of a run before its first step, and said of them after its last.
#pragma once

#include "pg/plan.hpp"
#include "pg/registry.hpp"

namespace mvo::pg {

// 42501 that lists all views which the caller may not refresh, 42809 for one that is something
// else. Those that do not exist are left to others.
void check_may_refresh(const Planned& planned);
// 42P01 that lists all views which do not exist.
void check_all_exist(const Planned& planned);

// Of each step's view.
Facts facts_of(const Planned& planned);

// Said once a run, of those that could have changed its order.
void warn_of_left_out(const Planned& planned);

}  // namespace mvo::pg
