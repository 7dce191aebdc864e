#include "pg/worker_transactions.hpp"

#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"

extern "C" {
#include <utils/snapmgr.h>
}

namespace mvo::pg {

WorkerTransactions::WorkerTransactions()
    : memory_(call([] {
        return AllocSetContextCreate(TopMemoryContext, "mv_orchestrator worker",
                                     ALLOCSET_DEFAULT_SIZES);
      })) {}

void WorkerTransactions::begin() {
  call([&] { MemoryContextReset(memory_); });
  start(memory_);
}

void WorkerTransactions::start(MemoryContext memory) {
  call([&] {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    MemoryContextSwitchTo(memory);
    PushActiveSnapshot(GetTransactionSnapshot());
  });
}

void WorkerTransactions::end() {
  call([] {
    PopActiveSnapshot();
    CommitTransactionCommand();
  });
}

std::optional<core::Failure> WorkerTransactions::commit(const core::Name& view) {
  const MemoryContext memory = CurrentMemoryContext;
  std::optional<core::Failure> failure;
  try {
    naming("commit the refresh of", view, [&] { end(); });
  } catch (const PgError& error) {
    abandon();
    if (error.is_own_interrupt()) throw;
    failure = failure_of(error);
  }
  start(memory);
  return failure;
}

void WorkerTransactions::abandon() {
  call([] { AbortCurrentTransaction(); });
}

}  // namespace mvo::pg
