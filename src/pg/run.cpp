#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/run.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/automatic.hpp"
#include "pg/clock.hpp"
#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"
#include "pg/forecast.hpp"
#include "pg/history.hpp"
#include "pg/progress.hpp"
#include "pg/registry.hpp"
#include "pg/run_checks.hpp"
#include "pg/seen.hpp"
#include "pg/settings.hpp"
#include "pg/snapshot.hpp"
#include "pg/step.hpp"
#include "pg/unapplied_edits.hpp"
#include "pg/view_timer.hpp"

namespace mvo::pg {
namespace {

// A name can come to another's view while the run goes on, as its schema can be renamed.
std::vector<Oid> owners_of(const Planned& planned) {
  std::vector<Oid> owners;
  for (const core::Step& step : planned.plan) {
    const auto relation = find_relation(planned.name(step));
    owners.push_back(relation ? relation->owner : InvalidOid);
  }
  return owners;
}

// What each step of a run has to pass before the first is taken. In a run that goes on after
// failures, those that fail are left out of the rest of this and fail when their turn comes.
class Conditions {
 public:
  explicit Conditions(core::OnError on_error) : stop_(on_error == core::OnError::stop) {}

  void check(const Planned& planned, const std::function<void(const core::Step&)>& condition) {
    for (const core::Step& step : planned.plan) {
      const core::Name& view = planned.name(step);
      if (failures_.contains(view)) continue;
      naming("refresh", view, [&] {
        if (stop_) return condition(step);
        auto result = attempt([&] { return condition(step), core::Refreshed{}; });
        if (auto* failure = std::get_if<core::Failure>(&result))
          failures_.emplace(view, std::move(*failure));
      });
    }
  }

  const core::Failure* failure_of(const core::Name& view) const {
    const auto found = failures_.find(view);
    return found == failures_.end() ? nullptr : &found->second;
  }

 private:
  bool stop_;
  std::unordered_map<core::Name, core::Failure, core::NameHash> failures_;
};

std::vector<core::Outcome> run_steps(const Planned& planned, core::Microseconds started,
                                     core::OnError on_error, Conditions& conditions,
                                     Progress& progress) {
  const Facts facts = facts_of(planned);
  const auto owners = owners_of(planned);
  const UnappliedEdits edits(planned, facts);
  RunSnapshot snapshot;
  conditions.check(planned,
                   [&](const core::Step& step) { check_not_missed(planned.name(step), snapshot); });
  const auto read = core::read_by(planned.plan, planned.views.graph());
  Exchanges exchanges;
  auto outcomes = core::run(
      planned.plan, planned.views.graph(), started,
      [&](const core::Step& step) {
        const core::Name& view = planned.name(step);
        progress.begin(&step - planned.plan.data() + 1, planned.plan.size(), view);
        if (const auto* failure = conditions.failure_of(view)) return core::Attempt(*failure);
        const auto refresh = [&] {
          core::Refreshed result = within(view_timeout(planned.limits(step)), [&] {
            return refresh_step(step, view, snapshot, facts.at(view), exchanges,
                                std::ranges::binary_search(read, step.view));
          });
          add_detail(result, edits.detail(view));
          return result;
        };
        check_for_interrupts();
        return naming("refresh", view, [&] {
          if (on_error == core::OnError::stop) return core::Attempt(refresh());
          core::Attempt result = attempt(refresh);
          if (std::holds_alternative<core::Failure>(result)) exchanges.forget(view);
          return result;
        });
      },
      now);
  describe_failures(outcomes, planned.views, owners);
  record(outcomes, planned.views, owners);  // while readers still go on
  save_learned(outcomes, planned.views);
  note_refreshed(planned, outcomes, facts);
  snapshot.release();
  if (outcomes.size() > 1) progress.end_steps();
  exchanges.lock();
  exchanges.finish();
  edits.warn(planned, outcomes);
  warn_of_left_out(planned);
  warn_of_failures(outcomes);
  return outcomes;
}

std::vector<core::Outcome> skip_steps(const Planned& planned, core::Microseconds started,
                                      const std::string& reason) {
  auto outcomes = core::skip(planned.plan, reason, started);
  record(outcomes, planned.views, owners_of(planned));
  return outcomes;
}

}  // namespace

Planned plan_of_run(const PlanRequest& request) {
  Planned planned = make_plan(request, Sees::caller);
  check_may_refresh(planned);
  check_all_exist(planned);
  choose_modes(planned);
  return planned;
}

RunResult run(const PlanRequest& request, Overlap overlap, core::OnError on_error) {
  const core::Microseconds started = now();
  LockLimit limit;
  const auto check = [](const Planned& planned) {
    check_may_refresh(planned);
    check_all_exist(planned);
    check_locks_fit(planned);
  };
  Progress progress;
  Conditions conditions(on_error);
  const auto lock_all_sources = [&](const Planned& planned) {
    conditions = Conditions(on_error);  // it may not be the first attempt
    conditions.check(planned, [&](const core::Step& step) {
      limit.for_view(planned.limits(step), [&] { lock_sources(planned.name(step)); });
    });
  };
  Locked locked = plan_and_lock(request, {.check = check,
                                          .overlap = overlap,
                                          .lock_views = true,
                                          .limit = &limit,
                                          .lock_sources = lock_all_sources});
  choose_modes(locked.planned);
  auto outcomes = locked.busy ? skip_steps(locked.planned, started, *locked.busy)
                              : run_steps(locked.planned, started, on_error, conditions, progress);
  limit.end();
  return {std::move(locked.planned.views), std::move(outcomes)};
}

}  // namespace mvo::pg
