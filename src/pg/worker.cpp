// The main function of a worker: the double of the session that asked for the run.
#include <unistd.h>

#include <algorithm>

#include "core/error.hpp"
#include "pg/entry.hpp"
#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"
#include "pg/lock_holders.hpp"
#include "pg/progress.hpp"
#include "pg/settings.hpp"
#include "pg/shared_run.hpp"
#include "pg/step_taker.hpp"
#include "pg/unapplied_edits.hpp"
#include "pg/worker_transactions.hpp"

extern "C" {
#include <optimizer/cost.h>
#include <pgstat.h>
#include <postmaster/bgworker.h>
#include <storage/lock.h>
#include <tcop/tcopprot.h>
}

namespace mvo::pg {
namespace {

void set_for_session(const char* setting, int value) {
  const std::string text = std::to_string(value);
  call([&] { SetConfigOption(setting, text.c_str(), PGC_USERSET, PGC_S_SESSION); });
}

// Everything that a view's contents can depend on is as in the leader's session.
void become_the_double(const SharedRun& run) {
  const SharedHeader& header = run.header();
  call([&] {
    BackgroundWorkerInitializeConnectionByOid(header.database, header.user, 0);
    StartTransactionCommand();
    RestoreLibraryState(run.libraries());  // first, as they define settings
    RestoreGUCState(run.session());
    SetConfigOption("role", header.role, PGC_USERSET, PGC_S_SESSION);  // some versions leave it out
    CommitTransactionCommand();
  });
  if (GetSessionUserId() != header.session_user || GetUserId() != header.current_user)
    throw core::Error{core::Code::not_ready, "the role that asked for the run was renamed"};
  always_limit_lock_waits();
  work_for(header.session);
}

// The cores are for the workers first: two that each start parallel queries were slower than two
// that do not.
void share_the_cores(int workers) {
  const int each = std::max(static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) / workers - 1, 0);
  for (const auto& [name, most] :
       {std::pair("max_parallel_workers_per_gather", max_parallel_workers_per_gather),
        std::pair("max_parallel_maintenance_workers", max_parallel_maintenance_workers)})
    set_for_session(name, std::min(most, each));
}

class Worker {
 public:
  Worker(const SharedRun& run, int number)
      : run_(run), taking_(run.header().taking[number]), planned_(run.planned()) {}

  void work() {
    Progress progress;
    progress.number(run_.header().run);
    StepTaker taker(
        {planned_, read_later(), [this](const core::Name& view) { return detail(view); },
         run_.header().run, run_.header().extension,
         [this](const core::Step& step) { return deadlock(place_of(step.view)); }},
        [this](const core::Name& view) { return transactions_.commit(view); }, progress);
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

  core::Place place_of(core::Node view) const {
    const auto found = std::ranges::find(planned_.plan, view, &core::Step::view);
    return static_cast<core::Place>(found - planned_.plan.begin());
  }

  std::string detail(const core::Name& view) const {
    return describe_edit(run_.step(place_of(planned_.views.find(view).value())).edit);
  }

  std::optional<core::Failure> deadlock(core::Place place) const {
    if (!run_.step(place).in_deadlock) return std::nullopt;
    return core::Failure{"40P01", "deadlock detected: who is in the way waits for this run", {}};
  }

  // Holds nothing while it waits.
  std::optional<core::Place> next() {
    for (;;) {
      run_.prepare_to_wait();
      bool over = false;
      const auto place = run_.locked([&](core::Schedule& schedule) {
        over = run_.header().given_up || schedule.is_over();
        const auto taken = over ? std::nullopt : run_.take(schedule);
        if (taken) taking_ = *taken;
        return taken;
      });
      if (place || over) {
        call([] { ConditionVariableCancelSleep(); });
        return place;
      }
      wait();
    }
  }

  static void wait() {
    call([] { pgstat_report_activity(STATE_IDLE, nullptr); });
    SharedRun::wait();
    QueryCancelPending = false;  // there is nothing to cancel
    check_for_interrupts();
  }

  void take(StepTaker& taker, core::Place place) {
    bool succeeded = false;
    try {
      transactions_.begin();
      const core::Outcome outcome = taker.take(planned_.plan[place], run_.step(place).began);
      transactions_.end();
      run_.write_outcome(place, outcome.status, outcome.failure);
      succeeded = !outcome.failure;
    } catch (const PgError& error) {
      run_.write_outcome(place, core::Status::failed, deadlock(place).value_or(failure_of(error)));
      if (error.sqlstate() != ERRCODE_QUERY_CANCELED) throw;
      transactions_.abandon();  // who cancels a worker means its step, which says so in the history
    } catch (const core::Error& error) {
      run_.write_outcome(place, core::Status::failed, failure_of(error));
      throw;
    }
    end(place, succeeded);
  }

  // An advisory lock that a view's function took for its session would be held from the others
  // until the run's end, which waits for them.
  void end(core::Place place, bool succeeded) {
    call([] { LockReleaseAll(USER_LOCKMETHOD, true); });
    run_.locked([&](core::Schedule& schedule) {
      schedule.end(place, succeeded);
      taking_ = -1;
    });
    run_.tell_all();
    call([] { (void)pgstat_report_stat(true); });
  }

  const SharedRun& run_;
  std::int64_t& taking_;
  Planned planned_;
  WorkerTransactions transactions_;
};

void work(dsm_handle handle) {
  int number = 0;
  memcpy(&number, MyBgworkerEntry->bgw_extra, sizeof number);
  SharedRun run(handle);
  become_the_double(run);
  share_the_cores(run.header().workers);
  Worker(run, number).work();
}

}  // namespace
}  // namespace mvo::pg

extern "C" PGDLLEXPORT void mv_worker_main(Datum handle);

void mv_worker_main(Datum handle) {
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  mvo::pg::entry([&] { mvo::pg::work(DatumGetUInt32(handle)); });
}
