#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/parallel_run.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "pg/clock.hpp"
#include "pg/failed_steps.hpp"
#include "pg/forecast.hpp"
#include "pg/lock_holders.hpp"
#include "pg/progress.hpp"
#include "pg/settings.hpp"
#include "pg/utility.hpp"
#include "pg/workers.hpp"

namespace mvo::pg {
namespace {

// To start workers for less costs more than it gains.
constexpr core::Microseconds short_run{500'000};
constexpr core::Microseconds deadlock_interval{1'000'000};

core::Failure worker_died() {
  return {"57P01", "its worker was terminated", {}};
}

void notice(const std::string& message, const char* hint) {
  call([&] { ereport(NOTICE, (errmsg("%s", message.c_str()), errhint("%s", hint))); });
}

void say_fewer(int started, int asked) {
  notice(started == 0 ? "no worker could be started: views are refreshed one after the other"
                      : fmt::format("only {} of {} workers could be started", started, asked),
         "Raise max_worker_processes.");
}

void warn_of_lost(int lost, int started) {
  const std::string message =
      fmt::format("{} of {} workers ended before the run did", lost, started);
  call([&] {
    ereport(WARNING, (errmsg("%s", message.c_str()), errhint("The server's log says why.")));
  });
}

// One run, from its first worker to what they left undone.
class ParallelRun {
 public:
  ParallelRun(const Leader& leader, const SharedRun& shared, int workers)
      : leader_(leader),
        plan_(leader.run.planned.plan),
        shared_(shared),
        workers_(shared, workers) {}

  int workers() const { return workers_.started(); }

  std::vector<core::Outcome> take_steps() {
    try {
      wait_for_workers();
    } catch (const PgError& error) {
      if (!error.is_own_interrupt()) throw;
      const core::Failure interrupt = failure_of(error);
      end_interrupted(interrupt);
      throw;
    }
    leader_.transactions.go_on();
    take_what_is_left();
    write_down_rest();
    if (lost_ > 0) warn_of_lost(lost_, workers());
    return outcomes();
  }

 private:
  bool is_over() const {
    return shared_.locked([](core::Schedule& schedule) { return schedule.is_over(); });
  }

  // Without a lock but the run locks, and without a snapshot.
  void wait_for_workers() {
    leader_.transactions.end();
    Progress::phase("workers");
    for (;;) {
      shared_.prepare_to_wait();
      for (const int number : workers_.ended())
        if (bury(number) || !is_over()) ++lost_;
      if (is_over() || !workers_.any_left()) break;
      SharedRun::wait();
      check_for_interrupts();
      look_for_deadlocks();
    }
    if (is_over()) workers_.wait_for_end();
  }

  // The server does not know that this session waits for its workers: one that waits for somebody
  // who waits for our run locks would do so until its limit. Nothing but the end of the run, or of
  // that step, can help, so that it is not tried again.
  void look_for_deadlocks() {
    if (now() - looked_ < deadlock_interval) return;
    const StatementMemory memory;
    for (int number = 0; number < workers(); ++number) {
      const std::int64_t taking = shared_.header().taking[number];
      if (taking < 0) continue;
      SharedStep& step = shared_.step(static_cast<core::Place>(taking));
      if (step.in_deadlock || !waits_for(step.process, MyProcPid)) continue;
      step.in_deadlock = true;
      workers_.cancel(number);
    }
    looked_ = now();
  }

  // What a dead worker was at has failed, unless it had committed that. Whether it was at any.
  bool bury(int number) {
    const std::int64_t taking = shared_.header().taking[number];
    if (taking < 0) return false;
    const auto place = static_cast<core::Place>(taking);
    leader_.transactions.go_on();
    const bool succeeded = settle(place, worker_died());
    leader_.transactions.end();
    shared_.header().taking[number] = -1;
    shared_.locked([&](core::Schedule& schedule) { schedule.end(place, succeeded); });
    shared_.tell_all();
    Progress::phase("workers");
    return true;
  }

  // Says whether the step had been refreshed, and writes down what else became of it: what its
  // worker had still said, or `why`.
  bool settle(core::Place place, const core::Failure& why) {
    const SharedStep& step = shared_.step(place);
    if (const auto status = leader_.taker.recorded(plan_[place])) {
      const bool failed = status == core::to_string(core::Status::failed);
      if (failed && step.sqlstate[0] == '\0')
        shared_.write_outcome(place, core::Status::failed, why);
      return !failed;
    }
    if (step.sqlstate[0] == '\0') shared_.write_outcome(place, core::Status::failed, why);
    leader_.taker.write_down_untaken(outcome(place, core::Status::failed), step.process);
    return false;
  }

  void end_interrupted(const core::Failure& interrupt) {
    workers_.terminate();
    try {
      leader_.transactions.go_on();
      for (core::Place place = 0; place < plan_.size(); ++place)
        if (shared_.jobs()[place].state == core::JobState::running ||
            shared_.jobs()[place].state == core::JobState::failed)
          (void)settle(place, interrupt);
    } catch (...) {
      // The rollback that follows is all that is left to do.
    }
  }

  void take_what_is_left() {
    for (;;) {
      const auto place =
          shared_.locked([&](core::Schedule& schedule) { return shared_.take(schedule); });
      if (!place) return;
      const auto taken = leader_.taker.take(plan_[*place], shared_.step(*place).began);
      shared_.write_outcome(*place, taken.status, taken.failure);
      shared_.locked([&](core::Schedule& schedule) { schedule.end(*place, !taken.failure); });
    }
  }

  void write_down_rest() {
    for (core::Place place = 0; place < plan_.size(); ++place) {
      if (const auto status = untaken(place))
        leader_.taker.write_down_untaken(outcome(place, *status));
      else if (shared_.jobs()[place].state == core::JobState::failed)
        (void)settle(place, worker_died());  // a cancel may have struck before it could be written
    }
  }

  std::optional<core::Status> untaken(core::Place place) const {
    const core::JobState state = shared_.jobs()[place].state;
    if (state == core::JobState::left_out) return core::Status::upstream_failed;
    if (state == core::JobState::skipped) return core::Status::skipped;
    return std::nullopt;
  }

  core::Outcome outcome(core::Place place, core::Status status) const {
    const SharedStep& step = shared_.step(place);
    if (status == core::Status::failed)
      return core::outcome_of(plan_[place], core::Failure{step.sqlstate, step.message, {}},
                              step.began, step.ended);
    core::Outcome outcome{plan_[place], status, {}, now()};
    if (status == core::Status::upstream_failed || status == core::Status::skipped)
      outcome.failed_source = plan_[shared_.jobs()[place].behind].view;
    return outcome;
  }

  std::vector<core::Outcome> outcomes() const {
    std::vector<core::Outcome> outcomes;
    for (core::Place place = 0; place < plan_.size(); ++place)
      outcomes.push_back(outcome(place, untaken(place).value_or(shared_.step(place).status)));
    return outcomes;
  }

  const Leader& leader_;
  const core::Plan& plan_;
  const SharedRun& shared_;
  Workers workers_;
  int lost_ = 0;
  core::Microseconds looked_ = now();
};

}  // namespace

Crew crew_for(const Planned& planned, int asked) {
  if (asked == 1) return {};
  const int most = std::min(asked, max_jobs());
  if (most < asked)
    notice(fmt::format("jobs is limited to {}", most), "mv_orchestrator.max_jobs is the limit.");
  const Expected expected = expected_times(planned);
  Crew crew{core::jobs_of(planned.plan, planned.views.graph(), expected.times)};
  const auto work =
      std::accumulate(expected.times.begin(), expected.times.end(), core::Microseconds{0});
  if (!expected.by_history || work >= short_run)
    crew.workers = core::most_at_once(crew.jobs, expected.times, most);
  return crew;
}

std::optional<std::vector<core::Outcome>> take_steps_in_workers(const Leader& leader,
                                                                const Crew& crew,
                                                                core::OnError on_error) {
  const auto shared = SharedRun::make(
      {leader.run.planned, crew.jobs, on_error, crew.workers, leader.run.run, leader.run.extension,
       [&](const core::Name& view) { return leader.edits.edit(view); }});
  if (!shared) {
    say_fewer(0, crew.workers);
    return std::nullopt;
  }
  ParallelRun run(leader, *shared, crew.workers);
  if (run.workers() < crew.workers) say_fewer(run.workers(), crew.workers);
  if (run.workers() == 0) return std::nullopt;
  return run.take_steps();
}

}  // namespace mvo::pg
