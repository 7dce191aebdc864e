// From what a call asks for to locked views and a plan that holds.
#pragma once

#include <functional>

#include "core/plan.hpp"
#include "pg/identifier.hpp"
#include "pg/locks.hpp"
#include "pg/settings.hpp"
#include "pg/spi.hpp"

namespace mvo::pg {

// 42704
[[noreturn]] void raise_not_registered(const WrittenName& name);
// A registered view by its written name, along the caller's search_path: 42704 when there is none.
core::Node find_registered(const core::Views& views, const std::string& name);
// Ascending and distinct.
std::vector<core::Node> find_registered(const core::Views& views,
                                        const std::vector<std::string>& names);

struct Planned {
  core::Views views;
  core::Plan plan;

  const core::Name& name(const core::Step& step) const { return views[step.view].name; }
  const core::Limits& limits(const core::Step& step) const { return views[step.view].limits; }
};

struct PlanRequest {
  // Which views, out of those that are registered now; ascending and distinct.
  std::function<std::vector<core::Node>(const core::Views&)> choose;
  std::optional<core::Mode> mode = {};
};

// 42P19 for a cycle among the chosen views.
Planned make_plan(const PlanRequest& request, Sees sees);

struct LockRequest {
  // Checks rights and existence, before any lock is taken and again when all are had.
  std::function<void(const Planned&)> check;
  // Views beyond the plan that are changed as well; may be empty.
  std::function<std::vector<core::Node>(const core::Views&)> also_changed = {};
  Overlap overlap = Overlap::wait;
  // Lock the views themselves too, ExclusiveLock, whatever their mode.
  bool lock_views = false;
  // In force, where views have limits of their own; may be null.
  const LockLimit* limit = nullptr;
  // Keeps the run locks, for a run that goes on in other transactions; null: this one does.
  SessionLocks* session = nullptr;
  // Locks what is on the way from the views to their sources, once they are locked themselves: it
  // decides about the order, so it must not change after the plan that holds; may be empty.
  std::function<void(const Planned&)> lock_sources = {};
};

struct Locked {
  Planned planned;
  // Set when the call is to be skipped; then nothing is locked.
  std::optional<std::string> busy;
  std::vector<RunLock> run_locks = {};
};

// Plans, locks, and plans anew: the registry that the returned plan was made from cannot have been
// changed in what matters before the locks were there.
Locked plan_and_lock(const PlanRequest& request, const LockRequest& locking);

}  // namespace mvo::pg
