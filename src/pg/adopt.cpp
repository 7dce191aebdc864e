#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/adopt.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/declared.hpp"
#include "pg/failure.hpp"
#include "pg/identity.hpp"
#include "pg/live_view.hpp"
#include "pg/locks.hpp"
#include "pg/normal_form.hpp"
#include "pg/own_tables.hpp"
#include "pg/patience.hpp"
#include "pg/reads.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"
#include "pg/seen.hpp"
#include "pg/settings.hpp"
#include "pg/utility.hpp"

namespace mvo::pg {
namespace {

enum class Adoption {
  done,
  was_registered,
  stale,  // the view was changed, renamed or dropped while we waited
};

// What is the same for all views of a call.
struct Session {
  core::Views views;
  bool wait;  // see look_without_holding_locks()
  std::vector<std::string> settings;
};

Session this_session() {
  core::Views views = load_views(Sees::latest);
  const bool wait = holds_view_lock(views);
  return {std::move(views), wait, record_settings_of_printed()};
}

// `before`: what it was called when it was last looked at.
core::Name name_of(Oid relation, const std::optional<core::Name>& before) {
  if (const auto found = relation_at(relation)) return found->name;
  throw core::Error{core::Code::view_missing,
                    before ? fmt::format("materialized view {} does not exist", print(*before))
                           : fmt::format("relation with OID {} does not exist", relation)};
}

// Both texts are printed for the settings in which they will be read.
void print_texts(Registration& registration, LiveIndexes& indexes, const LiveRelation& view,
                 const std::vector<std::string>& settings) {
  const Identity identity(view.owner, Trust::restricted);
  GucScope scope;
  scope.set_all(settings);
  registration.definition = print_definition(view);
  indexes = print_indexes(view);
  registration.indexes = indexes.statements;
  scope.end();
}

// With every name qualified nothing that is created later can come between; but the server leaves
// pg_catalog out, and the recorded search_path can find another function before that one. Printed
// for just that path, the text has all the names that it needs there.
void read_texts(Registration& registration, LiveIndexes& indexes, const LiveRelation& view) {
  auto for_path = canonical_settings();
  for (const std::string& path : search_path_of(registration.settings)) for_path.push_back(path);
  for (const auto& settings : {canonical_settings(), for_path}) {
    print_texts(registration, indexes, view, settings);
    registration.applied = match(registration, view).match == Match::same;
    if (registration.applied) return;
  }
}

// Whether the view is still the one whose rights were checked.
bool read_view(Registration& registration, LiveIndexes& indexes, Oid view, bool wait) {
  bool same = false;
  look_without_holding_locks(wait, [&] {
    (void)lock_if_exists(registration.name, AccessShareLock);
    const auto live = find_relation(registration.name);
    same = live && live->oid == view && live->owner == registration.author.role;
    if (!same) return;
    registration.options = options_of(*live);
    read_texts(registration, indexes, *live);
  });
  return same;
}

void say_what_is_odd(const Registration& registration, const LiveIndexes& indexes) {
  const std::string view = print(registration.name);
  for (const std::string& index : indexes.invalid) {
    const std::string name = print(core::Name{registration.name.schema, index});
    call([&] {
      ereport(NOTICE, (errmsg("index %s of materialized view %s is not valid and was left out",
                              name.c_str(), view.c_str()),
                       errhint("Use REINDEX INDEX %s or drop it, then register the view again.",
                               name.c_str())));
    });
  }
  if (registration.applied) return;
  call([&] {
    ereport(WARNING, (errmsg("definition of materialized view %s does not mean the same once "
                             "it is printed",
                             view.c_str()),
                      errhint("Register the view with the text that it was made of.")));
  });
}

Adoption try_to_adopt(const core::Name& name, const LiveRelation& live,
                      const std::vector<std::string>& depends_on, const Session& session) {
  Registration registration;
  registration.name = name;
  registration.author = author_of(live.owner);
  require_rights_of(registration.author);
  registration.depends_on = read_dependencies(depends_on, name, session.views);
  registration.settings = session.settings;
  LiveIndexes indexes;
  if (!read_view(registration, indexes, live.oid, session.wait)) return Adoption::stale;
  if (!save_registration(registration, std::nullopt)) return Adoption::was_registered;
  say_what_is_odd(registration, indexes);
  return Adoption::done;
}

}  // namespace

core::Name adopt_view(Oid view, const std::vector<std::string>& depends_on) {
  LockLimit limit;
  std::optional<core::Name> name;
  auto adoption = Adoption::stale;
  while (adoption == Adoption::stale) {
    check_for_interrupts();
    name = name_of(view, name);
    const auto live = find_relation(*name);
    if (!live || live->oid != view) continue;
    check_is_view(*name, *live);
    const Session session = this_session();
    adoption = session.views.find(*name) ? Adoption::was_registered : naming("adopt", *name, [&] {
      return try_to_adopt(*name, *live, depends_on, session);
    });
  }
  if (adoption == Adoption::was_registered)
    call([&] {
      ereport(NOTICE, (errmsg("materialized view %s is already registered", print(*name).c_str()),
                       errhint("Use mv_register() to change what is registered.")));
    });
  limit.end();
  return *name;
}

namespace {

// Without a list nothing, for all schemas but the server's own.
std::optional<std::vector<std::string>> read_schemas(
    const std::optional<std::vector<std::string>>& texts) {
  if (!texts) return std::nullopt;
  std::vector<std::string> schemas;
  for (const std::string& text : *texts) {
    schemas.push_back(parse_identifier(text, "schema name"));
    (void)call([&] { return get_namespace_oid(schemas.back().c_str(), false); });
  }
  return schemas;
}

std::vector<core::Name> find_unregistered(const std::optional<std::vector<std::string>>& schemas) {
  OwnTables access;
  const SpiRows rows = query(
      "SELECT n.nspname::text, c.relname::text"
      " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
      " WHERE c.relkind = 'm' AND c.relpersistence <> 't'"
      " AND CASE WHEN $1 THEN n.nspname::text = ANY ($2)"
      " ELSE NOT starts_with(n.nspname, 'pg_') AND n.nspname <> 'information_schema' END"
      " AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass"
      " AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e')"
      " AND NOT EXISTS (SELECT FROM mv_orchestrator.registry AS r"
      " WHERE (r.schema_name, r.view_name) = (n.nspname::text, c.relname::text))",
      {bool_argument(schemas.has_value()),
       array_argument(schemas.value_or(std::vector<std::string>{}))},
      Sees::latest);
  std::vector<core::Name> names;
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    names.push_back({rows.text(i, 0), rows.text(i, 1)});
  access.end();
  std::ranges::sort(names);
  return names;
}

// That the owner may create there is asked when the view is created anew: it is there already.
void check_may_adopt(const std::vector<core::Name>& names) {
  Refusals refusals("adopt");
  for (const core::Name& name : names) {
    const auto live = find_relation(name);
    if (live && !has_rights_of(live->owner)) refusals.add(name);
  }
  refusals.raise_if_any();
}

// Whether it was, and not gone or registered by somebody else meanwhile.
bool adopt_one(const core::Name& name, const Session& session) {
  const StatementMemory memory;
  for (;;) {
    check_for_interrupts();
    const auto live = find_relation(name);
    if (!live || !live->is_view()) return false;
    const auto adoption =
        naming("adopt", name, [&] { return try_to_adopt(name, *live, {}, session); });
    if (adoption != Adoption::stale) return adoption == Adoption::done;
  }
}

}  // namespace

std::vector<core::Name> adopt_views(const std::optional<std::vector<std::string>>& schemas) {
  LockLimit limit;
  auto names = find_unregistered(read_schemas(schemas));
  check_may_adopt(names);
  const Session session = this_session();
  std::erase_if(names, [&](const core::Name& name) { return !adopt_one(name, session); });
  note_seen(names);
  limit.end();
  return names;
}

}  // namespace mvo::pg
