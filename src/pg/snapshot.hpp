// The one snapshot of a run.
#pragma once

#include "pg/guard.hpp"

extern "C" {
#include <utils/snapmgr.h>
}

namespace mvo::pg {

// Taken when it is made: READ COMMITTED, all that is committed by now; otherwise the
// transaction's own. After an error the rollback releases it, as it does everywhere in the server.
class RunSnapshot {
 public:
  RunSnapshot() : snapshot_(call([] { return RegisterSnapshot(GetTransactionSnapshot()); })) {}

  // What another transaction wrote that this snapshot does not see.
  bool misses(TransactionId writer) const {
    return call([&] {
      return !TransactionIdIsCurrentTransactionId(writer) && XidInMVCCSnapshot(writer, snapshot_);
    });
  }

  // Runs body() with it as the active snapshot, which also sees what this transaction did so far.
  template <class Body>
  auto run(Body body) const {
    call([&] {
      CommandCounterIncrement();
      PushCopiedSnapshot(snapshot_);
      UpdateActiveSnapshotCommandId();
    });
    auto result = body();
    call([] { PopActiveSnapshot(); });
    return result;
  }

  void release() {
    call([&] { UnregisterSnapshot(snapshot_); });
  }

 private:
  Snapshot snapshot_;
};

}  // namespace mvo::pg
