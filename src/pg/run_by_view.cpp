#include "pg/run_by_view.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/retry.hpp"
#include "pg/automatic.hpp"
#include "pg/clock.hpp"
#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"
#include "pg/history.hpp"
#include "pg/patience.hpp"
#include "pg/progress.hpp"
#include "pg/run_checks.hpp"
#include "pg/seen.hpp"
#include "pg/step.hpp"
#include "pg/unapplied_edits.hpp"
#include "pg/utility.hpp"
#include "pg/view_timer.hpp"

extern "C" {
#include <catalog/pg_extension.h>
#include <commands/extension.h>
#include <storage/lmgr.h>
}

namespace mvo::pg {
namespace {

constexpr int most_tries_to_write = 3;

Oid extension() {
  return call([] { return get_extension_oid("mv_orchestrator", true); });
}

Oid owner_of(const core::Name& view) {
  const auto relation = find_relation(view);
  return relation ? relation->owner : InvalidOid;
}

// What goes on from one transaction to the next.
class ViewByView {
 public:
  ViewByView(Locked locked, SessionLocks& locks, core::Microseconds started,
             Transactions& transactions, Progress& progress)
      : planned_(std::move(locked.planned)),
        run_locks_(std::move(locked.run_locks)),
        locks_(locks),
        started_(started),
        transactions_(transactions),
        progress_(progress),
        edits_(planned_, facts_of(planned_)),
        read_(core::read_by(planned_.plan, planned_.views.graph())),
        run_(number_run()),
        extension_(extension()) {
    progress_.number(run_);
  }

  std::vector<core::Outcome> take_steps(core::OnError on_error) {
    commit_callers();
    return core::take_steps(
        planned_.plan, planned_.views.graph(), on_error,
        [&](const core::Step& step) { return take(step); },
        [&](const core::Outcome& outcome) {
          owner_ = owner_of(planned_.name(outcome.step));
          write_down(outcome);
        },
        now);
  }

  void finish(const std::vector<core::Outcome>& outcomes) {
    locks_.release();
    edits_.warn(planned_, outcomes);
    warn_of_left_out(planned_);
    raise_failures(outcomes, planned_.views, run_);
  }

 private:
  // What became of it is committed when this returns.
  core::Outcome take(const core::Step& step) {
    const core::Microseconds began = place_of(step) == 1 ? started_ : now();
    const int most = planned_.limits(step).retries.value_or(core::default_retries);
    for (int retries = 0;; ++retries) {
      const StatementMemory memory;
      auto outcome = try_step(step, began, retries);
      if (!outcome.failure) return outcome;
      if (retries == most || !core::is_worth_retrying(outcome.failure->sqlstate)) {
        if (retries > 0) outcome.failure->message += "; " + core::describe_retries(retries);
        write_down(outcome);
        return outcome;
      }
      wait_before_retry(retries + 1, outcome);
    }
  }

  // Who is cancelled meanwhile has not been refreshed.
  void wait_before_retry(int retry, const core::Outcome& failed) {
    Progress::phase("waiting");
    std::optional<PgError> interrupt;
    try {
      return pause(static_cast<int>(core::pause_before(retry).count()));
    } catch (const PgError& error) {
      interrupt = error;
    }
    end_interrupted(failed, *interrupt);
  }

  // Committed when it has succeeded, in a transaction of its own in any case.
  core::Outcome try_step(const core::Step& step, core::Microseconds began, int retries) {
    const core::Name& view = planned_.name(step);
    progress_.begin(place_of(step), planned_.plan.size(), view);
    keep_extension();
    owner_ = owner_of(view);
    core::Outcome outcome{step, core::Status::failed, {}, began};
    core::Attempt attempted = attempt_step(step, outcome, retries);
    if (std::holds_alternative<core::Refreshed>(attempted)) {
      if (auto failure = commit(view)) attempted = std::move(*failure);
    } else {
      (void)commit(view);  // nothing but an end: what failed has been undone
    }
    if (std::holds_alternative<core::Failure>(attempted))
      outcome = core::outcome_of(step, std::move(attempted), began, now());
    return outcome;
  }

  core::Attempt attempt_step(const core::Step& step, core::Outcome& outcome, int retries) {
    std::optional<PgError> interrupt;
    try {
      check_for_interrupts();
      return naming("refresh", planned_.name(step), [&] {
        return attempt([&] {
          return within(view_timeout(planned_.limits(step)),
                        [&] { return refresh(step, outcome, retries); });
        });
      });
    } catch (const PgError& error) {
      if (!error.is_own_interrupt()) throw;
      interrupt = error;
    }
    end_interrupted(core::outcome_of(step, failure_of(*interrupt), outcome.started, now()),
                    *interrupt);
  }

  core::Refreshed refresh(const core::Step& step, core::Outcome& outcome, int retries) {
    const core::Name& view = planned_.name(step);
    LockLimit limit;
    core::Refreshed result;
    limit.for_view(planned_.limits(step), [&] {
      lock_to_refresh(view);
      owner_ = get_locked_view(view).owner;
      lock_sources(view);
      Facts facts = load_run_facts({view});  // it can have been made anew since the run began
      facts.try_emplace(view);
      RunSnapshot snapshot;
      check_not_missed(view, snapshot);
      Exchanges exchanges;
      result = refresh_step(step, view, snapshot, facts.at(view), exchanges,
                            std::ranges::binary_search(read_, step.view));
      add_detail(result, edits_.detail(view));
      if (retries > 0) add_detail(result, core::describe_retries(retries));
      exchanges.lock();
      outcome = core::outcome_of(step, result, outcome.started, now());
      record_step(outcome);  // one row: readers wait that long, so that their time counts
      save_learned({outcome}, planned_.views);
      note_refreshed(planned_, {outcome}, facts);
      snapshot.release();
      exchanges.finish();
    });
    limit.end();
    return result;
  }

  // A cancel ends the run at once, but for saying where it struck.
  [[noreturn]] void end_interrupted(const core::Outcome& outcome, const PgError& interrupt) {
    try {
      write_down(outcome);
    } catch (...) {
      // The rollback that follows is all that is left to do.
    }
    throw interrupt;
  }

  // In a transaction of its own. SERIALIZABLE, it may have to be repeated.
  void write_down(const core::Outcome& outcome) {
    std::optional<core::Failure> failure;
    for (int tries = 0; tries < most_tries_to_write; ++tries) {
      keep_extension();
      LockLimit limit;
      record_step(outcome);
      limit.end();
      failure = commit(planned_.name(outcome.step));
      if (!failure) return;
    }
    throw core::Error{core::Code::not_ready, "could not write down what became of a step",
                      failure->message};
  }

  void record_step(core::Outcome outcome) {
    std::vector<core::Outcome> outcomes{std::move(outcome)};
    const std::vector<Oid> owners{owner_};
    const RunPlace place{run_, place_of(outcomes.front().step)};
    describe_failures(outcomes, planned_.views, owners);
    record(outcomes, planned_.views, owners, place);
  }

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

  // Our tables may go between two transactions, but not within one from here on: who drops them
  // waits for its end, and we for him when he was first.
  void keep_extension() const {
    LockLimit limit;
    call([&] { LockDatabaseObject(ExtensionRelationId, extension_, 0, AccessShareLock); });
    limit.end();
    if (extension() == extension_) return;
    throw core::Error{core::Code::not_ready,
                      "extension \"mv_orchestrator\" was dropped during the run",
                      {},
                      "What had been refreshed by then stays."};
  }

  std::size_t place_of(const core::Step& step) const {
    const auto found = std::ranges::find(planned_.plan, step.view, &core::Step::view);
    return found - planned_.plan.begin() + 1;
  }

  Planned planned_;
  std::vector<RunLock> run_locks_;
  SessionLocks& locks_;
  core::Microseconds started_;
  Transactions& transactions_;
  Progress& progress_;
  UnappliedEdits edits_;
  std::vector<core::Node> read_;
  std::int64_t run_;
  Oid extension_;
  Oid owner_ = InvalidOid;  // of the step's view; its name can have come to another's since
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
                 core::OnError on_error) {
  const core::Microseconds started = now();
  Progress progress;
  SessionLocks locks;
  LockLimit limit;
  Locked locked = lock_for_session(request, overlap, locks);
  if (locked.busy) {
    skip_run(locked.planned, started, *locked.busy);
    return limit.end();
  }
  ViewByView run(std::move(locked), locks, started, transactions, progress);
  limit.end();
  run.finish(run.take_steps(on_error));
}

}  // namespace mvo::pg
