#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/run.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"
#include "pg/history.hpp"
#include "pg/identity.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/refresh.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"
#include "pg/seen.hpp"
#include "pg/settings.hpp"
#include "pg/snapshot.hpp"
#include "pg/unapplied_edits.hpp"
#include "pg/view_query.hpp"

extern "C" {
#include <access/table.h>
#include <utils/timestamp.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

core::Microseconds now() {
  return core::Microseconds(GetCurrentTimestamp());
}

void check_may_refresh(const Planned& planned) {
  Refusals refusals("refresh");
  std::vector<core::Name> missing;
  for (const core::Step& step : planned.plan) {
    const core::Name& name = planned.name(step);
    const auto relation = find_relation(name);
    if (!relation) {
      missing.push_back(name);
      continue;
    }
    check_is_view(name, *relation);
    if (!call([&] { return compat::may_refresh(relation->oid, GetUserId()); })) refusals.add(name);
  }
  refusals.raise_if_any();
  if (missing.empty()) return;
  const bool one = missing.size() == 1;
  throw Error{Code::view_missing,
              fmt::format("materialized view{} {} {} not exist", one ? "" : "s",
                          print_list(missing), one ? "does" : "do"),
              {},
              "Create what is missing with mv_create() or mv_create_all().",
              0,
              {},
              one ? std::optional(missing.front()) : std::nullopt};
}

Facts facts_of(const Planned& planned) {
  std::vector<core::Name> names;
  for (const core::Step& step : planned.plan) names.push_back(planned.name(step));
  Facts facts = load_run_facts(names);
  for (const core::Name& name : names) facts.try_emplace(name);  // unregistered a moment ago
  return facts;
}

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
  Conditions(const Planned& planned, core::OnError on_error)
      : planned_(planned), stop_(on_error == core::OnError::stop) {}

  void check(const std::function<void(const core::Name&)>& condition) {
    for (const core::Step& step : planned_.plan) {
      const core::Name& view = planned_.name(step);
      if (failures_.contains(view)) continue;
      naming("refresh", view, [&] {
        if (stop_) return condition(view);
        auto result = attempt([&] { return condition(view), core::Refreshed{}; });
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
  const Planned& planned_;
  bool stop_;
  std::unordered_map<core::Name, core::Failure, core::NameHash> failures_;
};

void check_not_missed(const core::Name& view, const RunSnapshot& snapshot) {
  const auto relation = find_relation(view);
  if (relation && !snapshot.misses(relation->changed_by)) return;
  throw Error{Code::changed_after_snapshot, "it was changed after this transaction's snapshot",
              "An older image must not replace a newer one.", "Retry the transaction."};
}

// The recorded search_path is what a definition's functions look things up in; TimeZone and the
// like stay the caller's, as with core's REFRESH. A registration that is not the owner's own says
// nothing about where the owner's query finds things.
std::vector<std::string> settings_for(const LiveRelation& view, const RunFacts& facts) {
  if (compat::server_locks_search_path) return {};
  if (facts.author != view.owner) return {};
  return search_path_of(facts.settings);
}

// Before the snapshot: whoever empties a table and fills it again, or rewrites it, leaves nothing
// that an older snapshot would see, and would otherwise have until the turn of who reads it.
void lock_sources(const core::Name& view) {
  const LiveRelation live = get_locked_view(view);
  const Identity owner(live.owner, Trust::restricted);
  call([&] {
    Relation relation = table_open(live.oid, NoLock);
    lock_view_sources(relation);
    table_close(relation, NoLock);
  });
}

core::Refreshed refresh_step(const core::Name& view, core::Mode mode, const RunSnapshot& snapshot,
                             const RunFacts& facts, Exchanges& exchanges) {
  const LiveRelation live = get_locked_view(view);
  const auto settings = settings_for(live, facts);
  return snapshot.run([&] { return refresh_in(mode, view, live, settings, exchanges); });
}

// Costs nothing as long as the views are those that were seen last.
void note_views_seen(const Planned& planned, const std::vector<core::Outcome>& outcomes,
                     const Facts& facts) {
  std::vector<core::Name> others;
  for (const core::Outcome& outcome : outcomes) {
    const core::Name& name = planned.name(outcome.step);
    const auto live = find_relation(name);
    if (outcome.failure || !live) continue;
    const auto& seen = facts.at(name).seen;
    const auto is_other = [&](Oid oid) { return oid != live->oid; };
    if (seen.empty() || std::ranges::any_of(seen, is_other)) others.push_back(name);
  }
  note_seen(others);
}

std::vector<core::Outcome> run_steps(const Planned& planned, core::Microseconds started,
                                     core::OnError on_error) {
  const Facts facts = facts_of(planned);
  const auto owners = owners_of(planned);
  const UnappliedEdits edits(planned, facts);
  Conditions conditions(planned, on_error);
  conditions.check(lock_sources);
  RunSnapshot snapshot;
  conditions.check([&](const core::Name& view) { check_not_missed(view, snapshot); });
  Exchanges exchanges;
  auto outcomes = core::run(
      planned.plan, planned.views.graph(), started,
      [&](const core::Step& step) {
        const core::Name& view = planned.name(step);
        if (const auto* failure = conditions.failure_of(view)) return core::Attempt(*failure);
        const auto refresh = [&] {
          core::Refreshed result =
              refresh_step(view, step.mode, snapshot, facts.at(view), exchanges);
          result.detail = edits.detail(view);
          return result;
        };
        check_for_interrupts();
        return naming("refresh", view, [&] {
          return on_error == core::OnError::stop ? refresh() : attempt(refresh);
        });
      },
      now);
  describe_failures(outcomes, planned.views, owners);
  record(outcomes, planned.views, owners);  // while readers still go on
  note_views_seen(planned, outcomes, facts);
  snapshot.release();
  exchanges.finish();
  edits.warn(planned, outcomes);
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
  return planned;
}

RunResult run(const PlanRequest& request, Overlap overlap, core::OnError on_error) {
  const core::Microseconds started = now();
  LockLimit limit;
  Locked locked =
      plan_and_lock(request, {.check = check_may_refresh, .overlap = overlap, .lock_views = true});
  auto outcomes = locked.busy ? skip_steps(locked.planned, started, *locked.busy)
                              : run_steps(locked.planned, started, on_error);
  limit.end();
  return {std::move(locked.planned.views), std::move(outcomes)};
}

}  // namespace mvo::pg
