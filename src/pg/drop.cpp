#include "pg/drop.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/failure.hpp"
#include "pg/identifier.hpp"
#include "pg/plan.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"
#include "pg/settings.hpp"
#include "pg/utility.hpp"

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

// As core's DROP: the owner of the view or of its schema. Of a view that does not exist, whoever
// registered it: there is nothing to drop, but its locks are taken.
bool may_drop(const core::Name& name, const std::optional<LiveRelation>& view) {
  if (owns_schema_of(name)) return true;
  if (view) return call([&] { return compat::owns_relation(view->oid, GetUserId()); });
  const auto registration = load_registration(name);
  return !registration || has_rights_of(registration->author);
}

void check_may_drop(const Planned& planned) {
  Refusals refusals("drop");
  for (const core::Step& step : planned.plan) {
    const core::Name& name = planned.name(step);
    const auto relation = find_relation(name);
    if (relation) check_is_view(name, *relation);
    if (!may_drop(name, relation)) refusals.add(name);
  }
  refusals.raise_if_any();
}

// As the caller, who has the right: dropping reads nobody's text, and a schema's owner may drop
// what its own owner cannot even look up.
void drop_one(const core::Name& name, bool cascade) {
  naming("drop", name, [&] {
    Node* statement = call([&] {
      auto* drop = makeNode(DropStmt);
      drop->removeType = OBJECT_MATVIEW;
      drop->objects = list_make1(list_make2(makeString(pstrdup(name.schema.c_str())),
                                            makeString(pstrdup(name.name.c_str()))));
      drop->behavior = cascade ? DROP_CASCADE : DROP_RESTRICT;
      return reinterpret_cast<Node*>(drop);
    });
    try {
      run_utility(statement, "DROP MATERIALIZED VIEW " + print(name) + (cascade ? " CASCADE" : ""));
    } catch (PgError& error) {
      if (error.sqlstate() == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST)
        set_hint(error, "Use mv_drop(..., cascade => true) to drop the dependent objects too.");
      throw;
    }
  });
}

std::vector<core::Name> existing(const core::Views& views) {
  std::vector<core::Name> names;
  for (core::Node node = 0; node < views.size(); ++node)
    if (const auto relation = find_relation(views[node].name); relation && relation->is_view())
      names.push_back(views[node].name);
  return names;
}

// The view first, then what a cascade took along.
std::vector<Action> drop_and_see(const Planned& planned, bool cascade) {
  const core::Name& name = planned.name(planned.plan.front());
  const auto before = cascade ? existing(planned.views) : std::vector<core::Name>{};
  drop_one(name, cascade);
  std::vector<Action> actions{{name, "dropped"}};
  for (const core::Name& other : before)
    if (other != name && !find_relation(other)) actions.push_back({other, "dropped"});
  return actions;
}

// Nobody waits for an exclusive lock on what came to be somebody else's: readers would wait behind.
void check_before_lock(const RangeVar* name, Oid view, Oid, void*) {
  if (!OidIsValid(view) || compat::owns_relation(view, GetUserId()) ||
      compat::owns_schema(get_rel_namespace(view), GetUserId()))
    return;
  aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_MATVIEW, name->relname);
}

// Whether it still exists once the lock is had.
bool lock_for_drop(const core::Name& name) {
  return naming("drop", name, [&] {
    return lock_if_exists(name, AccessExclusiveLock, check_before_lock).has_value();
  });
}

LockRequest locking_for(const PlanRequest& request) {
  // Core's DROP locks all that reads the view, however far away, even to refuse.
  return {.check = check_may_drop, .also_changed = [&](const core::Views& views) {
            return views.graph().with_readers(request.choose(views));
          }};
}

}  // namespace

std::vector<Action> drop_view(const std::string& name, bool cascade, bool if_exists) {
  const PlanRequest request{[&](const core::Views& views) {
    return std::vector<core::Node>{find_registered(views, name)};
  }};
  LockLimit limit;
  const Planned planned = plan_and_lock(request, locking_for(request)).planned;
  const core::Name& view = planned.name(planned.plan.front());
  std::vector<Action> actions{{view, "missing"}};
  if (lock_for_drop(view))
    actions = drop_and_see(planned, cascade);
  else if (!if_exists)
    (void)get_relation(view);  // raises
  limit.end();
  return actions;
}

std::vector<Action> drop_views(const std::optional<std::vector<std::string>>& names) {
  const PlanRequest request{[&](const core::Views& views) {
    return names ? find_registered(views, *names) : core::all_views(views);
  }};
  LockLimit limit;
  Planned planned = plan_and_lock(request, locking_for(request)).planned;
  std::ranges::reverse(planned.plan);
  std::vector<Action> actions;
  for (const core::Step& step : planned.plan) {
    const core::Name& name = planned.name(step);
    const bool exists = lock_for_drop(name);
    if (exists) drop_one(name, false);
    actions.push_back({name, exists ? "dropped" : "missing"});
  }
  limit.end();
  return actions;
}

}  // namespace mvo::pg
