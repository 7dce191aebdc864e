#include "pg/worker.hpp"

extern "C" {
#include <pgstat.h>
#include <storage/latch.h>
#include <utils/wait_event.h>
}

namespace mvo::pg {
namespace {

constexpr long longest_wait_ms = 1000;  // a worker may die without a word

BackgroundWorkerHandle* start_worker(dsm_handle run, int number) {
  BackgroundWorker worker;
  memset(&worker, 0, sizeof worker);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  strlcpy(worker.bgw_library_name, "mv_orchestrator", sizeof worker.bgw_library_name);
  strlcpy(worker.bgw_function_name, "mv_worker_main", sizeof worker.bgw_function_name);
  strlcpy(worker.bgw_type, "mv_orchestrator worker", sizeof worker.bgw_type);
  snprintf(worker.bgw_name, sizeof worker.bgw_name, "mv_orchestrator worker of PID %d", MyProcPid);
  worker.bgw_main_arg = UInt32GetDatum(run);
  worker.bgw_notify_pid = MyProcPid;
  memcpy(worker.bgw_extra, &number, sizeof number);
  BackgroundWorkerHandle* handle = nullptr;
  return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : nullptr;
}

}  // namespace

Workers::~Workers() {
  run_.header().given_up = true;
  for (const Started& worker : workers_)
    if (!worker.ended) TerminateBackgroundWorker(worker.handle);
  // Nobody is to find the views' locks taken once the run has ended.
  for (const Started& worker : workers_)
    (void)detail::raised(
        [](void* handle) {
          (void)WaitForBackgroundWorkerShutdown(static_cast<BackgroundWorkerHandle*>(handle));
        },
        worker.handle);
}

int Workers::start(int count) {
  for (int number = 0; number < count; ++number) {
    const MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
    auto* handle = call([&] { return start_worker(run_.handle(), number); });
    MemoryContextSwitchTo(caller);
    if (handle == nullptr) break;
    workers_.push_back({handle});
  }
  return static_cast<int>(workers_.size());
}

void Workers::wait() {
  for (;;) {
    const bool any_left = look_for_dead();
    if (!any_left || run_.locked([](core::Schedule& schedule) { return schedule.is_over(); }))
      return;
    call([&] {
      ConditionVariablePrepareToSleep(&run_.header().changed);
      (void)ConditionVariableTimedSleep(&run_.header().changed, longest_wait_ms, PG_WAIT_EXTENSION);
      ConditionVariableCancelSleep();
      CHECK_FOR_INTERRUPTS();
    });
  }
}

bool Workers::look_for_dead() {
  bool any_left = false;
  for (std::size_t number = 0; number < workers_.size(); ++number) {
    Started& worker = workers_[number];
    if (worker.ended) continue;
    pid_t pid;
    if (call([&] { return GetBackgroundWorkerPid(worker.handle, &pid); }) == BGWH_STOPPED)
      bury(number);
    else
      any_left = true;
  }
  return any_left;
}

// What it was at has failed, unless it had just said how that ended.
void Workers::bury(std::size_t number) {
  workers_[number].ended = true;
  run_.locked([&](core::Schedule& schedule) {
    std::int64_t& taking = run_.header().worker[number].taking;
    if (taking < 0) return;
    SharedStep& step = run_.step(static_cast<core::Place>(taking));
    step.status = core::Status::failed;
    strlcpy(step.sqlstate, "57P01", sizeof step.sqlstate);
    strlcpy(step.message, "its worker was terminated", sizeof step.message);
    schedule.end(static_cast<core::Place>(taking), false);
    taking = -1;
  });
  call([&] { ConditionVariableBroadcast(&run_.header().changed); });
}

}  // namespace mvo::pg
