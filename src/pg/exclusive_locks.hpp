// The exclusive locks at the end of a run: all of them or none.
#pragma once

#include "core/name.hpp"
#include "pg/guard.hpp"

namespace mvo::pg {

struct ExclusiveLockRequest {
  core::Name view;
  std::vector<Oid> relations;  // the view first
};

// Takes AccessExclusiveLock on every relation. Taken one by one and kept, a reader of the first
// would wait for the longest reader of the last; so an attempt is short, is given back whole when
// it fails, and the next one comes after a pause, and not before the readers that it failed on are
// gone. 55P03 after the lock limit, with the processes in the way.
void take_exclusive_locks(std::vector<ExclusiveLockRequest>& wanted);

}  // namespace mvo::pg
