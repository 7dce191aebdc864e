// The main function of a worker: the double of the session that asked for the run.
#include "pg/clock.hpp"
#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"
#include "pg/shared_run.hpp"
#include "pg/step_taker.hpp"
#include "pg/stored_text.hpp"
#include "pg/unapplied_edits.hpp"
#include "pg/worker.hpp"

extern "C" {
#include <access/parallel.h>
#include <pgstat.h>
#include <postmaster/bgworker.h>
#include <postmaster/interrupt.h>
#include <storage/ipc.h>
#include <storage/procsignal.h>
#include <tcop/tcopprot.h>
#include <utils/guc.h>
#include <utils/snapmgr.h>
#include <utils/wait_event.h>
}

namespace mvo::pg {
namespace {

constexpr long longest_wait_ms = 1000;  // then it looks whether the leader is still there

// Transactions of a process that no client talks to.
class WorkerTransactions {
 public:
  WorkerTransactions()
      : memory_(call([] {
          return AllocSetContextCreate(TopMemoryContext, "mv_orchestrator worker",
                                       ALLOCSET_DEFAULT_SIZES);
        })) {}

  void begin() {
    call([&] {
      SetCurrentStatementStartTimestamp();
      StartTransactionCommand();
      MemoryContextSwitchTo(memory_);
      PushActiveSnapshot(GetTransactionSnapshot());
    });
  }
  void end() {
    call([] {
      PopActiveSnapshot();
      CommitTransactionCommand();
    });
  }
  // Ends it and begins the next, whatever comes of that.
  std::optional<core::Failure> commit(const core::Name& view) {
    std::optional<core::Failure> failure;
    try {
      naming("commit the refresh of", view, [&] { end(); });
    } catch (const PgError& error) {
      call([] { AbortCurrentTransaction(); });
      if (error.is_own_interrupt()) throw;
      failure = failure_of(error);
    }
    begin();
    return failure;
  }

 private:
  MemoryContext memory_;
};

// Everything that a view's contents can depend on is as in the leader's session.
void become_the_leaders_double(const SharedRun& run) {
  const SharedHeader& header = run.header();
  call([&] {
    BackgroundWorkerInitializeConnectionByOid(header.database, header.user, 0);
    SetClientEncoding(GetDatabaseEncoding());
    StartTransactionCommand();
    // Its own checks were made when the leader set them.
    InitializingParallelWorker = true;
    RestoreGUCState(run.session());
    InitializingParallelWorker = false;
    if (header.role[0] != '\0')
      SetConfigOption("role", header.role, PGC_USERSET, PGC_S_SESSION);
    CommitTransactionCommand();
  });
}

void write_outcome(SharedStep& step, const core::Outcome& outcome) {
  step.status = outcome.status;
  if (!outcome.failure) return;
  strlcpy(step.sqlstate, outcome.failure->sqlstate.c_str(), sizeof step.sqlstate);
  strlcpy(step.message, cut_text(outcome.failure->message, sizeof step.message - 1).c_str(),
          sizeof step.message);
}

class Worker {
 public:
  Worker(SharedRun& run, int number) : run_(run), number_(number), planned_(run.planned()) {}

  void work() {
    Progress progress;
    progress.number(run_.header().run);
    transactions_.begin();
    StepTaker taker({planned_, read_later(), [this](const core::Name& view) { return detail(view); },
                     run_.header().run, run_.header().extension},
                    [this](const core::Name& view) { return transactions_.commit(view); }, progress);
    transactions_.end();
    while (const auto place = next()) take(taker, *place);
  }

 private:
  std::vector<core::Node> read_later() const {
    std::vector<core::Node> read;
    for (core::Place place = 0; place < run_.header().steps; ++place)
      if (run_.step(place).read_later) read.push_back(planned_.plan[place].view);
    std::ranges::sort(read);
    return read;
  }

  std::string detail(const core::Name& view) const {
    const auto node = planned_.views.find(view);
    const auto found = std::ranges::find(planned_.plan, *node, &core::Step::view);
    return describe_edit(run_.step(static_cast<core::Place>(found - planned_.plan.begin())).edit);
  }

  // Holds nothing while it waits.
  std::optional<core::Place> next() {
    SharedHeader& header = run_.header();
    std::optional<core::Place> place;
    bool over = false;
    call([&] { ConditionVariablePrepareToSleep(&header.changed); });
    for (;;) {
      place = run_.locked([&](core::Schedule& schedule) {
        over = header.given_up || schedule.is_over();
        const auto taken = over ? std::nullopt : schedule.take();
        header.worker[number_].taking = taken ? static_cast<std::int64_t>(*taken) : -1;
        return taken;
      });
      if (place || over) break;
      call([&] {
        (void)ConditionVariableTimedSleep(&header.changed, longest_wait_ms, PG_WAIT_EXTENSION);
      });
    }
    call([] { ConditionVariableCancelSleep(); });
    return place;
  }

  void take(StepTaker& taker, core::Place place) {
    transactions_.begin();
    const core::Outcome outcome = taker.take(planned_.plan[place], now());
    transactions_.end();
    write_outcome(run_.step(place), outcome);
    run_.locked([&](core::Schedule& schedule) {
      schedule.end(place, !outcome.failure);
      run_.header().worker[number_].taking = -1;
    });
    call([&] { ConditionVariableBroadcast(&run_.header().changed); });
  }

  SharedRun& run_;
  int number_;
  Planned planned_;
  WorkerTransactions transactions_;
};

void work(dsm_handle handle) {
  int number = 0;
  memcpy(&number, MyBgworkerEntry->bgw_extra, sizeof number);
  SharedRun run(handle);
  run.header().worker[number].pid = MyProcPid;
  become_the_leaders_double(run);
  pgstat_report_activity(STATE_RUNNING, "");
  Worker(run, number).work();
}

}  // namespace
}  // namespace mvo::pg

extern "C" PGDLLEXPORT void mv_worker_main(Datum handle) {
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  mvo::pg::run_as_entry([&] { mvo::pg::work(DatumGetUInt32(handle)); });
}
