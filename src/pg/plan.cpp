#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/plan.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/cycle.hpp"
#include "pg/dependencies.hpp"
#include "pg/failure.hpp"
#include "pg/identifier.hpp"
#include "pg/identity.hpp"
#include "pg/read_rights.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"
#include "pg/settings.hpp"
#include "pg/subtransaction.hpp"

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

// Registrations that change each time we look, while we wait for locks: an error then.
constexpr int most_attempts = 10;

[[noreturn]] void raise_cycle(const core::Views& views, const core::Cycle& cycle) {
  const auto [path, detail, hint] = describe_cycle(views, cycle);
  throw Error{Code::cycle, "materialized views depend on each other in a cycle: " + path, detail,
              hint};
}

// A source is locked in the name of who reads it. Whoever may not read a view cannot keep others
// waiting for it by declaring that he does, as with LOCK TABLE. What is not locked is not protected
// from a concurrent change, like a source that nobody knows of.
std::vector<RunLock> run_locks_for(const Planned& planned, std::vector<core::Node> changed) {
  const core::Views& views = planned.views;
  for (const core::Step& step : planned.plan) changed.push_back(step.view);
  std::map<core::Node, RunLock> locks;  // nodes ascend as names do
  for (const core::Node node : changed) locks.insert({node, {views[node].name, true, GetUserId()}});
  for (const core::Node node : changed)
    for (const core::Node source : views.graph().sources(node)) {
      if (locks.contains(source)) continue;
      if (const auto role = role_that_reads(views[source].name, views[node].name))
        locks.insert({source, {views[source].name, false, *role}});
    }
  std::vector<RunLock> sorted;
  for (const auto& [node, lock] : locks) sorted.push_back(lock);
  return sorted;
}

// What is changed, and what that reads: core's plain REFRESH of a source in the middle of a run
// would be seen by what comes after it, whatever the snapshot, as its rows are frozen.
void lock_view_of(const RunLock& lock) {
  if (lock.exclusive)
    lock_view(lock.view);
  else
    naming("lock", lock.view, [&] {
      const Identity reader(lock.role, Trust::local);  // the caller may not see the schema
      (void)lock_if_exists(lock.view, AccessShareLock);
    });
}

void lock_views_of(const std::vector<RunLock>& locks, const core::Views& views,
                   const LockLimit* limit) {
  for (const RunLock& lock : locks) {
    const auto node = views.find(lock.view);
    if (limit == nullptr || !node)
      lock_view_of(lock);
    else
      limit->for_view(views[*node].limits, [&] { lock_view_of(lock); });
  }
}

bool same_plan(const Planned& a, const Planned& b) {
  return std::ranges::equal(a.plan, b.plan, [&](const core::Step& left, const core::Step& right) {
    return a.name(left) == b.name(right) && left.level == right.level && left.mode == right.mode;
  });
}

void give_back(Subtransaction& holding, const LockRequest& locking) {
  holding.roll_back();
  if (locking.session != nullptr) locking.session->release();
}

std::vector<core::Node> also_changed(const LockRequest& locking, const core::Views& views) {
  return locking.also_changed ? locking.also_changed(views) : std::vector<core::Node>{};
}

}  // namespace

void raise_not_registered(const WrittenName& name) {
  throw Error{Code::not_registered,
              fmt::format("materialized view {} is not registered", print(name)),
              {},
              "Register it with mv_register().",
              0,
              {},
              core::Name{name.schema.value_or(""), name.name}};
}

core::Node find_registered(const core::Views& views, const std::string& text) {
  const WrittenName name = parse_name(text, "materialized view name");
  const auto found = name.schema ? views.find(core::Name{*name.schema, name.name})
                                 : views.find(caller_search_path(), name.name);
  if (found) return *found;
  raise_not_registered(name);
}

std::vector<core::Node> find_registered(const core::Views& views,
                                        const std::vector<std::string>& names) {
  std::vector<core::Node> nodes;
  for (const std::string& name : names) nodes.push_back(find_registered(views, name));
  std::ranges::sort(nodes);
  const auto repeats = std::ranges::unique(nodes);
  nodes.erase(repeats.begin(), repeats.end());
  return nodes;
}

Planned make_plan(const PlanRequest& request, Sees sees) {
  core::Views views = load_views_with_reads(sees);
  auto plan = core::plan_for(views, request.choose(views), request.mode, mode_setting());
  if (const auto* cycle = std::get_if<core::Cycle>(&plan)) raise_cycle(views, *cycle);
  return {std::move(views), std::get<core::Plan>(std::move(plan))};
}

Locked plan_and_lock(const PlanRequest& request, const LockRequest& locking) {
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    Planned planned = make_plan(request, Sees::latest);
    locking.check(planned);
    const auto locks = run_locks_for(planned, also_changed(locking, planned.views));
    Subtransaction holding;  // so that the locks can be given back
    if (auto busy = take_run_locks(locks, locking.overlap, planned.views, locking.session)) {
      give_back(holding, locking);
      return {std::move(planned), std::move(busy)};
    }
    if (locking.lock_views) lock_views_of(locks, planned.views, locking.limit);
    if (locking.lock_sources) locking.lock_sources(planned);
    Planned again = make_plan(request, Sees::latest);
    if (same_plan(planned, again) &&
        run_locks_for(again, also_changed(locking, again.views)) == locks) {
      locking.check(again);  // names may belong to others than before the wait
      holding.commit();
      return {std::move(again), std::nullopt, locks};
    }
    give_back(holding, locking);
  }
  throw Error{Code::overlap,
              "registrations changed while waiting for locks",
              {},
              "Try again when no views are being registered."};
}

}  // namespace mvo::pg
