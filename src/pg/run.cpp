#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/run.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/failure.hpp"
#include "pg/guc_scope.hpp"
#include "pg/normal_form.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/refresh.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"
#include "pg/settings.hpp"
#include "pg/snapshot.hpp"

extern "C" {
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

using Facts = std::unordered_map<core::Name, RunFacts, core::NameHash>;

Facts facts_of(const Planned& planned) {
  std::vector<core::Name> names;
  for (const core::Step& step : planned.plan) names.push_back(planned.name(step));
  Facts facts = load_run_facts(names);
  for (const core::Name& name : names) facts.try_emplace(name);  // unregistered a moment ago
  return facts;
}

void check_snapshot_sees(const core::Name& view, const RunSnapshot& snapshot) {
  const auto relation = find_relation(view);
  if (relation && !snapshot.misses(relation->changed_by)) return;
  throw Error{Code::changed_after_snapshot, "it was changed after this transaction's snapshot",
              "An older image must not replace a newer one.", "Retry the transaction."};
}

// The views of the plan whose registered text is not what they were created from, with what is to
// be said of them.
class UnappliedEdits {
 public:
  UnappliedEdits(const Planned& planned, const Facts& facts) {
    for (const core::Step& step : planned.plan) {
      const core::Name& name = planned.name(step);
      if (facts.at(name).applied) continue;
      const auto match = compare(name);
      if (match == Match::same) continue;
      names_.push_back(name);
      details_.push_back(match == Match::differs
                             ? "the registered definition is newer and not applied"
                             : "the registered definition is newer and cannot be analysed");
    }
  }

  std::string detail(const core::Name& view) const {
    const auto found = std::ranges::find(names_, view);
    return found == names_.end() ? "" : details_[found - names_.begin()];
  }

  // An edit is never silently not applied: one warning a run.
  void warn() const {
    if (names_.empty()) return;
    const bool one = names_.size() == 1;
    const std::string message =
        fmt::format("materialized view{} {} refreshed with {}", one ? "" : "s",
                    print_list(names_) + (one ? " is" : " are"),
                    one ? "a definition older than the registered one"
                        : "definitions older than the registered ones");
    call([&] {
      ereport(WARNING, (errmsg("%s", message.c_str()),
                        errhint("Use mv_drop() and mv_create() to apply what is registered.")));
    });
  }

 private:
  static Match compare(const core::Name& name) {
    const auto registration = load_registration(name);
    const auto relation = find_relation(name);
    return registration && relation ? match(*registration, *relation).match : Match::same;
  }

  std::vector<core::Name> names_;
  std::vector<std::string> details_;
};

// The recorded search_path is what a definition's functions look things up in; TimeZone and the
// like stay the caller's, as with core's REFRESH. A registration that is not the owner's own says
// nothing about where the owner's query finds things.
std::vector<std::string> settings_for(const LiveRelation& view, const RunFacts& facts) {
  if (compat::server_locks_search_path) return {};
  const Oid author = call([&] { return get_role_oid(facts.owner.c_str(), true); });
  if (author != view.owner) return {};
  return search_path_of(facts.settings);
}

core::Refreshed refresh_step(const core::Name& view, core::Mode mode, const RunSnapshot& snapshot,
                             const RunFacts& facts, Exchanges& exchanges) {
  check_for_interrupts();
  return naming("refresh", view, [&] {
    const LiveRelation live = get_locked_view(view);
    const auto settings = settings_for(live, facts);
    return snapshot.run([&] { return refresh_in(mode, view, live, settings, exchanges); });
  });
}

std::vector<core::Outcome> run_steps(const Planned& planned, core::Microseconds started) {
  const Facts facts = facts_of(planned);
  const UnappliedEdits edits(planned, facts);
  RunSnapshot snapshot;
  for (const core::Step& step : planned.plan) {
    const core::Name& view = planned.name(step);
    naming("refresh", view, [&] { check_snapshot_sees(view, snapshot); });
  }
  Exchanges exchanges;
  auto outcomes = core::run(
      planned.plan, started,
      [&](const core::Step& step) {
        const core::Name& view = planned.name(step);
        core::Refreshed result = refresh_step(view, step.mode, snapshot, facts.at(view), exchanges);
        result.detail = edits.detail(view);
        return result;
      },
      now);
  snapshot.release();
  exchanges.finish();
  edits.warn();
  return outcomes;
}

}  // namespace

RunResult run(const PlanRequest& request, Overlap overlap) {
  const core::Microseconds started = now();
  LockLimit limit;
  Locked locked =
      plan_and_lock(request, {.check = check_may_refresh, .overlap = overlap, .lock_views = true});
  auto outcomes = locked.busy ? core::skip(locked.planned.plan, *locked.busy)
                              : run_steps(locked.planned, started);
  limit.end();
  return {std::move(locked.planned.views), std::move(outcomes)};
}

}  // namespace mvo::pg
