#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/run.hpp"

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "pg/analyze.hpp"
#include "pg/automatic.hpp"
#include "pg/compat.hpp"
#include "pg/failed_steps.hpp"
#include "pg/failure.hpp"
#include "pg/forecast.hpp"
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
  explicit Conditions(core::OnError on_error) : stop_(on_error == core::OnError::stop) {}

  void check(const Planned& planned, const std::function<void(const core::Name&)>& condition) {
    for (const core::Step& step : planned.plan) {
      const core::Name& view = planned.name(step);
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
// that an older snapshot would see, and would otherwise have until the turn of who reads it. Before
// the plan that holds: plain views on the way can be replaced until then.
void lock_sources(const core::Name& view) {
  const LiveRelation live = get_locked_view(view);
  const Identity owner(live.owner, Trust::restricted);
  call([&] {
    Relation relation = table_open(live.oid, NoLock);
    lock_view_sources(relation);
    table_close(relation, NoLock);
  });
}

core::Refreshed refresh_step(const core::Step& step, const core::Name& view,
                             const RunSnapshot& snapshot, const RunFacts& facts,
                             Exchanges& exchanges, bool read_later) {
  const LiveRelation live = get_locked_view(view);
  const auto settings = settings_for(live, facts);
  const SizeBefore before(live, read_later);
  core::Refreshed result =
      snapshot.run([&] { return refresh_in(step, view, live, settings, exchanges); });
  if (before.needs_analyze(result))
    result.analyzing = snapshot.run([&] { return analyze(live, settings); });
  return result;
}

void add_detail(core::Refreshed& result, const std::string& text) {
  if (!result.detail.empty() && !text.empty()) result.detail += "; ";
  result.detail += text;
}

// Said once a run, of those that could have changed its order.
void warn_of_left_out(const Planned& planned) {
  std::set<core::Node> run;
  for (const core::Step& step : planned.plan) run.insert(step.view);
  std::string list;
  int count = 0;
  for (const auto& [reader, source] : planned.views.left_out()) {
    if (!run.contains(reader) || !run.contains(source)) continue;
    list += fmt::format("{}{} on {}", count++ == 0 ? "" : ", ", print(planned.views[reader].name),
                        print(planned.views[source].name));
  }
  if (count == 0) return;
  const bool one = count == 1;
  const std::string message =
      fmt::format("declared dependenc{} ignored: {}", one ? "y is" : "ies are", list);
  const char* detail = "The views are read in the opposite direction.";
  call([&] {
    ereport(WARNING, (errmsg("%s", message.c_str()), errdetail("%s", detail),
                      errhint("Register the view again without it.")));
  });
}

std::vector<core::Outcome> run_steps(const Planned& planned, core::Microseconds started,
                                     core::OnError on_error, Conditions& conditions) {
  const Facts facts = facts_of(planned);
  const auto owners = owners_of(planned);
  const UnappliedEdits edits(planned, facts);
  RunSnapshot snapshot;
  conditions.check(planned, [&](const core::Name& view) { check_not_missed(view, snapshot); });
  const auto read = core::read_by(planned.plan, planned.views.graph());
  Exchanges exchanges;
  auto outcomes = core::run(
      planned.plan, planned.views.graph(), started,
      [&](const core::Step& step) {
        const core::Name& view = planned.name(step);
        if (const auto* failure = conditions.failure_of(view)) return core::Attempt(*failure);
        const auto refresh = [&] {
          core::Refreshed result = refresh_step(step, view, snapshot, facts.at(view), exchanges,
                                                std::ranges::binary_search(read, step.view));
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
  choose_modes(planned);
  return planned;
}

RunResult run(const PlanRequest& request, Overlap overlap, core::OnError on_error) {
  const core::Microseconds started = now();
  LockLimit limit;
  const auto check = [](const Planned& planned) {
    check_may_refresh(planned);
    check_locks_fit(planned);
  };
  Conditions conditions(on_error);
  const auto lock_all_sources = [&](const Planned& planned) {
    conditions = Conditions(on_error);  // it may not be the first attempt
    conditions.check(planned, lock_sources);
  };
  Locked locked = plan_and_lock(
      request,
      {.check = check, .overlap = overlap, .lock_views = true, .lock_sources = lock_all_sources});
  choose_modes(locked.planned);
  auto outcomes = locked.busy ? skip_steps(locked.planned, started, *locked.busy)
                              : run_steps(locked.planned, started, on_error, conditions);
  limit.end();
  return {std::move(locked.planned.views), std::move(outcomes)};
}

}  // namespace mvo::pg
