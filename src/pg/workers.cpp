#include "pg/workers.hpp"

#include <algorithm>
#include <csignal>

extern "C" {
#include <storage/ipc.h>
}

namespace mvo::pg {
namespace {

// Null when the server has no room for it.
BackgroundWorkerHandle* start_worker(dsm_handle run, int number) {
  BackgroundWorker worker;
  memset(&worker, 0, sizeof worker);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  strlcpy(worker.bgw_library_name, "$libdir/mv_orchestrator", sizeof worker.bgw_library_name);
  strlcpy(worker.bgw_function_name, "mv_worker_main", sizeof worker.bgw_function_name);
  strlcpy(worker.bgw_type, "mv_orchestrator worker", sizeof worker.bgw_type);
  snprintf(worker.bgw_name, sizeof worker.bgw_name, "mv_orchestrator worker of PID %d", MyProcPid);
  worker.bgw_main_arg = UInt32GetDatum(run);
  worker.bgw_notify_pid = MyProcPid;  // wakes us when its state changes
  memcpy(worker.bgw_extra, &number, sizeof number);
  BackgroundWorkerHandle* handle = nullptr;
  const MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
  const bool registered = RegisterDynamicBackgroundWorker(&worker, &handle);
  MemoryContextSwitchTo(caller);
  return registered ? handle : nullptr;
}

}  // namespace

// Those that were started end with it also when the next one cannot be: it is complete by then.
Workers::Workers(const SharedRun& run, int count) : Workers(run) {
  static bool registered = false;
  if (!registered) call([] { before_shmem_exit(end_with_session, 0); });
  registered = true;
  workers_.reserve(count);
  of_session = this;
  for (int number = 0; number < count; ++number) {
    auto* handle = call([&] { return start_worker(run_.handle(), number); });
    if (handle == nullptr) break;
    workers_.push_back(handle);
  }
}

Workers::~Workers() {
  terminate();
  of_session = nullptr;
  for (BackgroundWorkerHandle* handle : workers_)
    if (handle != nullptr) pfree(handle);
}

// A FATAL error ends the process without a look at what C++ holds. Comes before the server gives
// up the session's run locks.
void Workers::end_with_session(int, Datum) {
  if (of_session != nullptr) of_session->terminate();
}

// As parallel queries end: not to be interrupted, as the run locks must not be free before.
void Workers::terminate() noexcept {
  if (!any_left()) return;
  run_.header().given_up = true;
  ConditionVariableBroadcast(&run_.header().changed);
  HOLD_INTERRUPTS();
  for (BackgroundWorkerHandle* handle : workers_)
    if (handle != nullptr) TerminateBackgroundWorker(handle);
  for (BackgroundWorkerHandle* handle : workers_)
    if (handle != nullptr) (void)WaitForBackgroundWorkerShutdown(handle);
  RESUME_INTERRUPTS();
}

bool Workers::any_left() const {
  return std::ranges::any_of(workers_, [](const auto* handle) { return handle != nullptr; });
}

std::vector<int> Workers::ended() {
  std::vector<int> ended;
  for (int number = 0; number < started(); ++number) {
    BackgroundWorkerHandle*& handle = workers_[number];
    pid_t pid;
    if (handle == nullptr ||
        call([&] { return GetBackgroundWorkerPid(handle, &pid); }) != BGWH_STOPPED)
      continue;
    pfree(handle);
    handle = nullptr;
    ended.push_back(number);
  }
  return ended;
}

void Workers::cancel(int number) {
  BackgroundWorkerHandle* handle = workers_[number];
  pid_t pid;
  if (handle != nullptr &&
      call([&] { return GetBackgroundWorkerPid(handle, &pid); }) == BGWH_STARTED)
    kill(pid, SIGINT);
}

void Workers::wait_for_end() {
  for (BackgroundWorkerHandle*& handle : workers_) {
    if (handle == nullptr) continue;
    call([&] { (void)WaitForBackgroundWorkerShutdown(handle); });
    pfree(handle);
    handle = nullptr;
  }
}

}  // namespace mvo::pg
