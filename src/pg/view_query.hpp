// Running the query of a live view ourselves, as core's REFRESH runs it.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <tcop/dest.h>
#include <utils/rel.h>
}

namespace mvo::pg {

// Takes AccessShareLock on all that the view's query reads, through views, partitions and children
// too; not on what functions read. The same of the caller as below.
void lock_view_sources(Relation view);

// Plans and runs the view's own query from the active snapshot, every row into the receiver.
// Returns the number of rows. The caller has the owner's identity in force, restricted.
// Only server code that may raise: call it inside pg::call.
std::uint64_t run_view_query(Relation view, DestReceiver* receiver);

}  // namespace mvo::pg
