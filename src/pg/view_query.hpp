// Running the query of a live view ourselves, as core's REFRESH runs it.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <executor/execdesc.h>
#include <tcop/dest.h>
#include <utils/rel.h>
}

namespace mvo::pg {

// Takes AccessShareLock on all that the view's query reads, through views, partitions and children
// too; not on what functions read. The same of the caller as below.
void lock_view_sources(Relation view);

// The view's own query, planned and run from the active snapshot. The caller has the owner's
// identity in force, restricted. Only server code that may raise: use it inside pg::call.
class ViewQuery {
 public:
  void open(Relation view);
  // Gives the receiver all rows, or those that are left, until it wants no further one. Returns
  // how many, but for the one at which it was stopped.
  std::uint64_t run(DestReceiver* receiver);
  // Whether it can be run on after a receiver has stopped it: not with parallel workers.
  bool can_go_on() const { return !query_->plannedstmt->parallelModeNeeded; }
  void close();

 private:
  QueryDesc* query_;
};

}  // namespace mvo::pg
