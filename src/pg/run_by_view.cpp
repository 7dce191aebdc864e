#include "pg/run_by_view.hpp"

#include "pg/automatic.hpp"
#include "pg/clock.hpp"
#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"
#include "pg/history.hpp"
#include "pg/parallel_run.hpp"
#include "pg/progress.hpp"
#include "pg/run_checks.hpp"
#include "pg/step_taker.hpp"
#include "pg/unapplied_edits.hpp"

namespace mvo::pg {
namespace {

// What goes on from one transaction to the next.
class ViewByView {
 public:
  ViewByView(Locked locked, int jobs, SessionLocks& locks, core::Microseconds started,
             Transactions& transactions, Progress& progress)
      : planned_(std::move(locked.planned)),
        run_locks_(std::move(locked.run_locks)),
        locks_(locks),
        started_(started),
        transactions_(transactions),
        edits_(planned_, facts_of(planned_)),
        run_{planned_, core::read_by(planned_.plan, planned_.views.graph()),
             [this](const core::Name& view) { return edits_.detail(view); }, number_run(),
             extension()},
        crew_(crew_for(planned_, jobs)),
        taker_(
            run_, [this](const core::Name& view) { return commit(view); }, progress) {
    progress.number(run_.run);
  }

  std::vector<core::Outcome> take_steps(core::OnError on_error) {
    commit_callers();
    if (crew_.workers > 1) {
      auto outcomes = take_steps_in_workers({run_, edits_, taker_, transactions_}, crew_, on_error);
      if (outcomes) return std::move(*outcomes);
    }
    return core::take_steps(
        planned_.plan, planned_.views.graph(), on_error,
        [&](const core::Step& step) {
          const bool first = step.view == planned_.plan.front().view;
          return taker_.take(step, first ? started_ : now());
        },
        [&](const core::Outcome& outcome) { taker_.write_down_untaken(outcome); }, now);
  }

  void finish(const std::vector<core::Outcome>& outcomes) {
    locks_.release();
    edits_.warn(planned_, outcomes);
    warn_of_left_out(planned_);
    raise_failures(outcomes, planned_.views, run_.run);
  }

 private:
  // Of all that has been locked the run locks alone are kept. What the caller did before the call
  // is committed with it, and where that cannot be, the call fails.
  void commit_callers() {
    try {
      transactions_.commit();
    } catch (const PgError&) {
      locks_.forget();
      throw;
    }
  }

  // A commit that fails has taken the run locks along: they are taken again.
  std::optional<core::Failure> commit(const core::Name& view) {
    try {
      naming("commit the refresh of", view, [&] { transactions_.commit(); });
      return std::nullopt;
    } catch (const PgError& error) {
      locks_.forget();
      if (error.is_own_interrupt()) throw;
      transactions_.go_on();
      retake_locks();
      return failure_of(error);
    }
  }

  void retake_locks() {
    LockLimit limit;
    (void)take_run_locks(run_locks_, Overlap::wait, planned_.views, &locks_);
    limit.end();
  }

  Planned planned_;
  std::vector<RunLock> run_locks_;
  SessionLocks& locks_;
  core::Microseconds started_;
  Transactions& transactions_;
  UnappliedEdits edits_;
  StepsOfRun run_;
  Crew crew_;
  StepTaker taker_;
};

Locked lock_for_session(const PlanRequest& request, Overlap overlap, SessionLocks& locks) {
  Locked locked =
      plan_and_lock(request, {.check = check_may_refresh, .overlap = overlap, .session = &locks});
  choose_modes(locked.planned);
  return locked;
}

void skip_run(const Planned& planned, core::Microseconds started, const std::string& reason) {
  std::vector<Oid> owners;
  for (const core::Step& step : planned.plan) owners.push_back(owner_of(planned.name(step)));
  record(core::skip(planned.plan, reason, started), planned.views, owners);
  call([&] { ereport(NOTICE, (errmsg("run skipped: %s", reason.c_str()))); });
}

}  // namespace

void run_by_view(Transactions& transactions, const PlanRequest& request, Overlap overlap,
                 core::OnError on_error, int jobs) {
  const core::Microseconds started = now();
  Progress progress;
  SessionLocks locks;
  LockLimit limit;
  Locked locked = lock_for_session(request, overlap, locks);
  if (locked.busy) {
    skip_run(locked.planned, started, *locked.busy);
    return limit.end();
  }
  ViewByView run(std::move(locked), jobs, locks, started, transactions, progress);
  limit.end();
  run.finish(run.take_steps(on_error));
}

}  // namespace mvo::pg
