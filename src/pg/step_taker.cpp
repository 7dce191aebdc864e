#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/step_taker.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/retry.hpp"
#include "pg/automatic.hpp"
#include "pg/clock.hpp"
#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"
#include "pg/history.hpp"
#include "pg/patience.hpp"
#include "pg/seen.hpp"
#include "pg/step.hpp"
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

}  // namespace

Oid extension() {
  return call([] { return get_extension_oid("mv_orchestrator", true); });
}

Oid owner_of(const core::Name& view) {
  const auto relation = find_relation(view);
  return relation ? relation->owner : InvalidOid;
}

core::Outcome StepTaker::take(const core::Step& step, core::Microseconds began) {
  const int most = run_.planned.limits(step).retries.value_or(core::default_retries);
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
void StepTaker::wait_before_retry(int retry, const core::Outcome& failed) {
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
core::Outcome StepTaker::try_step(const core::Step& step, core::Microseconds began, int retries) {
  const core::Name& view = run_.planned.name(step);
  progress_.begin(place_of(step), run_.planned.plan.size(), view);
  keep_extension();
  owner_ = owner_of(view);
  core::Outcome outcome{step, core::Status::failed, {}, began};
  core::Attempt attempted = attempt_step(step, outcome, retries);
  if (std::holds_alternative<core::Refreshed>(attempted)) {
    if (auto failure = commit_(view)) attempted = std::move(*failure);
  } else {
    (void)commit_(view);  // nothing but an end: what failed has been undone
  }
  if (std::holds_alternative<core::Failure>(attempted))
    outcome = core::outcome_of(step, std::move(attempted), began, now());
  return outcome;
}

core::Attempt StepTaker::attempt_step(const core::Step& step, core::Outcome& outcome, int retries) {
  std::optional<PgError> interrupt;
  try {
    check_for_interrupts();
    return naming("refresh", run_.planned.name(step), [&] {
      return attempt([&] {
        return within(view_timeout(run_.planned.limits(step)),
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

core::Refreshed StepTaker::refresh(const core::Step& step, core::Outcome& outcome, int retries) {
  const core::Name& view = run_.planned.name(step);
  LockLimit limit;
  core::Refreshed result;
  limit.for_view(run_.planned.limits(step), [&] {
    lock_to_refresh(view);
    owner_ = get_locked_view(view).owner;
    lock_sources(view);
    Facts facts = load_run_facts({view});  // it can have been made anew since the run began
    facts.try_emplace(view);
    RunSnapshot snapshot;
    check_not_missed(view, snapshot);
    Exchanges exchanges;
    result = refresh_step(step, view, snapshot, facts.at(view), exchanges,
                          std::ranges::binary_search(run_.read, step.view));
    add_detail(result, run_.detail(view));
    if (retries > 0) add_detail(result, core::describe_retries(retries));
    exchanges.lock();
    outcome = core::outcome_of(step, result, outcome.started, now());
    record_step(outcome);  // one row: readers wait that long, so that their time counts
    save_learned({outcome}, run_.planned.views);
    note_refreshed(run_.planned, {outcome}, facts);
    snapshot.release();
    exchanges.finish();
  });
  limit.end();
  return result;
}

// A cancel ends the run at once, but for saying where it struck.
void StepTaker::end_interrupted(core::Outcome outcome, const PgError& interrupt) {
  try {
    if (run_.reason_of_cancel)
      if (auto reason = run_.reason_of_cancel(outcome.step)) outcome.failure = std::move(reason);
    write_down(outcome);
  } catch (...) {
    // The rollback that follows is all that is left to do.
  }
  throw interrupt;
}

void StepTaker::write_down(const core::Outcome& outcome) {
  std::optional<core::Failure> failure;
  for (int tries = 0; tries < most_tries_to_write; ++tries) {
    keep_extension();
    LockLimit limit;
    record_step(outcome);
    limit.end();
    failure = commit_(run_.planned.name(outcome.step));
    if (!failure) return;
  }
  throw core::Error{core::Code::not_ready, "could not write down what became of a step",
                    failure->message};
}

void StepTaker::record_step(core::Outcome outcome) {
  std::vector<core::Outcome> outcomes{std::move(outcome)};
  const std::vector<Oid> owners{owner_};
  const RunPlace place{run_.run, place_of(outcomes.front().step), process_};
  describe_failures(outcomes, run_.planned.views, owners);
  record(outcomes, run_.planned.views, owners, place);
}

// Our tables may go between two transactions, but not within one from here on: who drops them
// waits for its end, and we for him when he was first.
void StepTaker::keep_extension() const {
  LockLimit limit;
  call([&] { LockDatabaseObject(ExtensionRelationId, run_.extension, 0, AccessShareLock); });
  limit.end();
  if (extension() == run_.extension) return;
  throw core::Error{core::Code::not_ready,
                    "extension \"mv_orchestrator\" was dropped during the run",
                    {},
                    "What had been refreshed by then stays."};
}

std::optional<std::string> StepTaker::recorded(const core::Step& step) const {
  keep_extension();
  LockLimit limit;
  auto status = recorded_status({run_.run, place_of(step)});
  limit.end();
  return status;
}

std::size_t StepTaker::place_of(const core::Step& step) const {
  const auto found = std::ranges::find(run_.planned.plan, step.view, &core::Step::view);
  return found - run_.planned.plan.begin() + 1;
}

void StepTaker::write_down_untaken(const core::Outcome& outcome, int process) {
  owner_ = owner_of(run_.planned.name(outcome.step));
  process_ = process;
  write_down(outcome);
  process_ = MyProcPid;
}

}  // namespace mvo::pg
