#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/create.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/analyze.hpp"
#include "pg/compat.hpp"
#include "pg/definition.hpp"
#include "pg/failure.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/index_statement.hpp"
#include "pg/normal_form.hpp"
#include "pg/plan.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"
#include "pg/seen.hpp"
#include "pg/settings.hpp"
#include "pg/snapshot.hpp"
#include "pg/utility.hpp"

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

// What was asked for, and what it needs that is not there.
std::vector<core::Node> with_missing_sources(const core::Views& views,
                                             const std::vector<core::Node>& asked) {
  std::vector<core::Node> chosen = views.graph().with_sources(asked);
  std::erase_if(chosen, [&](core::Node node) {
    return !std::ranges::binary_search(asked, node) && find_relation(views[node].name);
  });
  return chosen;
}

Registration registration_of(const core::Name& name) {
  if (auto registration = load_registration(name)) return *std::move(registration);
  raise_not_registered({name.schema, name.name});
}

void check_may_create(const Planned& planned) {
  Refusals refusals("create");
  for (const core::Step& step : planned.plan) {
    const core::Name& name = planned.name(step);
    if (const auto relation = find_relation(name)) {
      check_is_view(name, *relation);
      if (!has_rights_of(relation->owner)) refusals.add(name);
      continue;
    }
    naming("create", name, [&] {
      const Oid owner = role_of(registration_of(name).author), schema = schema_of(name);
      if (!has_rights_of(owner))
        refusals.add(name);
      else if (!call([&] { return compat::has_schema_right(schema, owner, ACL_CREATE); }))
        refusals.add(name, lacks_create(owner, schema));
    });
  }
  refusals.raise_if_any();
}

void comment_on(const Registration& registration) {
  if (!registration.options.comment) return;
  Node* statement = call([&] {
    auto* comment = makeNode(CommentStmt);
    comment->objtype = OBJECT_MATVIEW;
    comment->object =
        reinterpret_cast<Node*>(list_make2(makeString(pstrdup(registration.name.schema.c_str())),
                                           makeString(pstrdup(registration.name.name.c_str()))));
    comment->comment = pstrdup(registration.options.comment->c_str());
    return reinterpret_cast<Node*>(comment);
  });
  run_utility(statement, "COMMENT ON MATERIALIZED VIEW " + print(registration.name));
}

// With the author's identity in force.
CreateTableAsStmt* analyse_with_settings(const Registration& registration, bool with_data) {
  GucScope settings;
  put_in_force(settings, registration.settings);
  CreateTableAsStmt* statement = analyse_creation(registration, with_data);
  settings.end();
  return statement;
}

// Whether anything was missing. The statements are the author's text: on a view that belongs to
// somebody else by now they are not run.
bool complete_indexes(const Registration& registration, const LiveRelation& view) {
  const Oid author = role_of(registration.author);
  const Identity identity(author, Trust::restricted);
  GucScope settings;
  put_in_force(settings, registration.settings);
  const bool missing = has_missing_indexes(registration, view.oid);
  if (missing && view.owner != author)
    throw Error{Code::rights_missing, "its indexes are registered by another role than its owner",
                fmt::format("It is registered by role {}.", print(registration.author.name)),
                "Register it again as its owner."};
  if (missing) create_missing_indexes(registration, view.oid);
  settings.end();
  return missing;
}

// The author's text is analysed once: what is executed is the analysed tree. It is executed as a
// refresh is: with the recorded search_path, everything else as the caller has it. All of it is
// under restriction, not only what the server itself restricts: event triggers run as the owner and
// find his functions first if they name things without a schema.
void create_view(const Registration& registration, bool with_data) {
  const Oid owner = role_of(registration.author);
  const Identity identity(owner, Trust::restricted);
  CreateTableAsStmt* statement = analyse_with_settings(registration, with_data);
  GucScope settings;
  settings.set_all(search_path_of(registration.settings));
  run_utility(
      reinterpret_cast<Node*>(statement),
      "CREATE MATERIALIZED VIEW " + print(registration.name) + " AS " + registration.definition);
  comment_on(registration);
  settings.end();
  complete_indexes(registration, get_relation(registration.name));
}

void check_matches(const Registration& registration, const LiveRelation& view) {
  (void)role_of(registration.author);  // says more than that its text cannot be read
  const Matched matched = match(registration, view);
  if (matched.match == Match::same) return;
  if (matched.match == Match::differs)
    throw Error{Code::name_taken,
                "it already exists with a definition other than the registered one",
                {},
                "Drop it with mv_drop() and create it again, or register the definition it has."};
  throw Error{Code::name_taken,
              "it already exists and the registered definition cannot be analysed",
              fmt::format("The reason is: {}.", matched.reason), "Register the definition it has."};
}

// All views of the call were checked before any lock; the name may have become somebody else's
// while the views before it were filled.
void check_still_has(Oid owner) {
  if (has_rights_of(owner)) return;
  const std::string role = call([&] { return GetUserNameFromId(owner, false); });
  throw Error{Code::rights_missing, "permission denied",
              fmt::format("It belongs to role {}.", print(role))};
}

const char* create_one(const core::Name& name, bool with_data) {
  return naming("create", name, [&] {
    const Registration registration = registration_of(name);
    (void)lock_if_exists(name, AccessShareLock);  // somebody may be dropping it
    const auto live = find_relation(name);
    check_still_has(live ? live->owner : role_of(registration.author));
    const char* action = "created";
    if (live) {
      check_matches(registration, *live);
      action = complete_indexes(registration, *live) ? "indexed" : "exists";
    } else {
      create_view(registration, with_data);
    }
    if (!registration.applied) mark_applied(registration);
    return action;
  });
}

// So that neither its users nor what is created next are planned blind.
core::Microseconds analyze_created(const core::Name& name) {
  return naming("analyze", name, [&] {
    return analyze(get_relation(name), search_path_of(registration_of(name).settings));
  });
}

}  // namespace

std::vector<Action> create_views(const std::optional<std::vector<std::string>>& names,
                                 bool with_data) {
  const PlanRequest request{[&](const core::Views& views) {
    return with_missing_sources(views,
                                names ? find_registered(views, *names) : core::all_views(views));
  }};
  LockLimit limit;
  const Planned planned = plan_and_lock(request, {.check = check_may_create}).planned;
  RunSnapshot snapshot;
  std::vector<Action> actions;
  for (const core::Step& step : planned.plan) {
    const core::Name& name = planned.name(step);
    actions.push_back({name, snapshot.run([&] { return create_one(name, with_data); })});
    if (with_data && std::string_view(actions.back().action) == "created" && analyze_views())
      (void)snapshot.run([&] { return analyze_created(name); });
  }
  snapshot.release();
  std::vector<core::Name> there;
  for (const Action& action : actions) there.push_back(action.name);
  note_seen(there);
  limit.end();
  return actions;
}

}  // namespace mvo::pg
