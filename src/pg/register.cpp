#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/register.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "pg/compat.hpp"
#include "pg/datum.hpp"
#include "pg/declared.hpp"
#include "pg/definition.hpp"
#include "pg/definition_reads.hpp"
#include "pg/failure.hpp"
#include "pg/guc_scope.hpp"
#include "pg/identity.hpp"
#include "pg/index_statement.hpp"
#include "pg/normal_form.hpp"
#include "pg/patience.hpp"
#include "pg/plan.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/registry.hpp"
#include "pg/rights.hpp"
#include "pg/seen.hpp"
#include "pg/settings.hpp"
#include "pg/subtransaction.hpp"

extern "C" {
#include <catalog/heap.h>
#include <executor/executor.h>
#include <nodes/nodeFuncs.h>
}

namespace mvo::pg {
namespace {

using core::Code;
using core::Error;

core::Name new_name(const std::string& text) {
  const WrittenName written = parse_name(text, "materialized view name");
  return {written.schema ? *written.schema : creation_schema(), written.name};
}

// The role that an existing view or registration belongs to. A live view's owner comes first: a
// registration that somebody else made before the view was there gives him no say.
std::optional<Author> present_owner(const std::optional<LiveRelation>& live,
                                    const std::optional<Registration>& registered) {
  if (live) return author_of(live->owner);
  if (registered) return registered->author;
  return std::nullopt;
}

// Of one who is gone nothing is kept: his name may be somebody else's.
Oid owner_for(const Options& options, const std::optional<Author>& present) {
  if (present) require_rights_of(*present);
  if (present && !present->is_gone()) {
    if (options.owner && *options.owner != present->name)
      throw Error{Code::parameter_invalid,
                  fmt::format("it belongs to role {}", print(present->name)),
                  "Registering a name again does not change its owner.",
                  "Use ALTER MATERIALIZED VIEW ... OWNER TO, or mv_unregister() first."};
    return present->role;
  }
  if (!options.owner) return GetUserId();
  const Oid role = call([&] { return get_role_oid(options.owner->c_str(), false); });
  call([&] { compat::check_can_become(GetUserId(), role); });
  return role;
}

core::Mode mode_named(const std::string& text) {
  if (const auto mode = core::parse_mode(text)) return *mode;
  throw Error{Code::parameter_invalid,
              fmt::format("unrecognized mode \"{}\"", text),
              {},
              fmt::format("Known values are {}.", core::known_modes())};
}

// A name without a schema can mean the view that is being registered, as in a dependency.
void check_does_not_read_itself(const Registration& registration, const core::Views& views) {
  const auto path = schemas_searched(registration.settings, registration.author.role);
  for (const WrittenName& written :
       relations_named_in(registration.definition, registration.settings)) {
    const auto named = look_up(written, path, [&](const core::Name& name) {
      return name == registration.name || views.find(name) || find_relation(name);
    });
    if (named == registration.name)
      throw Error{Code::cycle,
                  "its definition reads the materialized view itself",
                  {},
                  written.schema ? "" : "If another relation is meant, write its schema."};
  }
}

// What CREATE MATERIALIZED VIEW checks of the columns only when it is executed.
void check_columns(const Registration& registration, const CreateTableAsStmt* create) {
  const Query* query = castNode(Query, create->query);
  call([&] {
    CheckAttributeNamesTypes(ExecCleanTypeFromTL(query->targetList), RELKIND_MATVIEW, 0);
  });
  std::vector<std::string> columns;
  for (int i = 0; i < list_length(query->targetList); ++i) {
    const auto* column = static_cast<const TargetEntry*>(list_nth(query->targetList, i));
    if (!column->resjunk) columns.push_back(to_string(column->resname));
  }
  for (const std::string& column : registration.unique_key)
    if (std::ranges::find(columns, column) == columns.end())
      throw Error{Code::column_missing,
                  fmt::format("column {} of the unique key does not exist", print(column))};
}

// Analysis with the owner's identity and the settings that are recorded; what it finds missing may
// come later.
void check_definition(const Registration& registration) {
  Subtransaction attempt;
  try {
    const Identity identity(registration.author.role, Trust::restricted);
    GucScope settings;
    put_in_force(settings, registration.settings);
    check_columns(registration, analyse_creation(registration, false));
    settings.end();
  } catch (const PgError& error) {
    if (!means_not_yet(error)) throw;
  }
  attempt.roll_back();
}

bool is_applied(const Registration& registration) {
  if (!lock_if_exists(registration.name, AccessShareLock)) return false;
  const auto live = find_relation(registration.name);
  return live && live->is_view() && match(registration, *live).match == Match::same;
}

// All that reads texts. It is rolled back: registration keeps no lock on what was read, and code
// that ran leaves nothing.
void read_texts(Registration& registration, const core::Views& views) {
  check_is_one_query(registration.definition);
  check_does_not_read_itself(registration, views);
  for (const std::string& index : registration.indexes)
    check_index_statement(index, registration.name);
  look_without_holding_locks(holds_view_lock(views), [&] {
    check_definition(registration);
    registration.applied = is_applied(registration);
  });
}

std::vector<std::string> key_columns(const std::vector<std::string>& written) {
  std::vector<std::string> columns;
  for (const std::string& text : written) {
    columns.push_back(parse_identifier(text, "unique key column"));
    if (std::ranges::count(columns, columns.back()) > 1)
      throw Error{Code::parameter_invalid,
                  fmt::format("column {} appears twice in the unique key", print(columns.back()))};
  }
  return columns;
}

// Whether it was stored: not when somebody else registered the name meanwhile.
bool try_to_register(const RegisterRequest& request, const core::Name& name) {
  Registration registration;
  registration.name = name;
  registration.mode = mode_named(request.mode);
  registration.options = read_options(request.options);
  schema_of(name);

  const auto live = find_relation(name);
  if (live) check_is_view(name, *live);
  const auto present = load_registration(name);
  registration.author = author_of(owner_for(registration.options, present_owner(live, present)));
  require_create_in_schema_of(name, registration.author.role);

  const core::Views views = load_views(Sees::latest);
  registration.settings = record_settings();
  registration.definition = request.definition;
  registration.depends_on = read_dependencies(request.depends_on, name, views);
  registration.unique_key = key_columns(request.unique_key);
  registration.indexes = request.indexes;
  read_texts(registration, views);
  return save_registration(registration, present ? std::optional(present->author) : std::nullopt);
}

}  // namespace

core::Name register_view(const RegisterRequest& request) {
  LockLimit limit;
  const core::Name name = new_name(request.name);
  naming("register", name, [&] {
    while (!try_to_register(request, name)) check_for_interrupts();
  });
  note_seen({name});
  limit.end();
  return name;
}

namespace {

// Whether it was removed: not when it became somebody else's meanwhile.
bool try_to_unregister(const core::Name& name) {
  const auto registered = load_registration(name);
  if (!registered) raise_not_registered({name.schema, name.name});
  if (!owns_schema_of(name))  // as core's DROP
    require_rights_of(*present_owner(find_relation(name), registered));
  const bool removed = remove_registration(name, registered->author);
  if (removed) forget_seen(name);
  return removed;
}

}  // namespace

void unregister_view(const std::string& text) {
  LockLimit limit;
  const core::Views views = load_views(Sees::latest);
  const core::Name& name = views[find_registered(views, text)].name;
  naming("unregister", name, [&] {
    while (!try_to_unregister(name)) check_for_interrupts();
  });
  limit.end();
}

}  // namespace mvo::pg
