// What a run would take and meet, as far as catalogs, history and the lock table tell.
#pragma once

#include "core/run.hpp"
#include "pg/plan.hpp"

namespace mvo::pg {

struct Forecast {
  // The median of the last few successes in this mode.
  std::optional<core::Microseconds> predicted;
  // What is written beside the old files, as the server last counted pages; nothing where it has
  // not, and of modes that write what differs.
  std::optional<std::int64_t> new_bytes;
  // Places in the server's lock table.
  std::int64_t locks;
  // Who holds a lock now that the step would wait for: process and lock mode; process 0 is a
  // prepared transaction.
  std::vector<std::string> blocked_by;
};

// Of each step of the plan. Locks nothing of a user's.
std::vector<Forecast> forecast(const Planned& planned);

// How long the steps are expected to take, for a good order of them.
struct Expected {
  std::vector<core::Microseconds> times;  // the history's, else by the size of what is read
  bool by_history = true;                 // all of them
};
Expected expected_times(const Planned& planned);

// What all steps take, without the few dozen locks that are the run's own.
std::int64_t locks_of(const std::vector<Forecast>& steps);
// A WARNING where a run takes more than half of the locks that the server has room for, whoever
// else takes some.
void warn_of_locks(std::int64_t locks);

// 53200 before a run that the lock table cannot hold even if nobody else takes a lock. Costs
// nothing for a run that is far from it.
void check_locks_fit(const Planned& planned);

}  // namespace mvo::pg
