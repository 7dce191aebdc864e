#include <fmt/format.h>  // before the server, which redefines printf

#include "pg/export.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/view.hpp"
#include "pg/export_query.hpp"
#include "pg/identifier.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/registry.hpp"

namespace mvo::pg {
namespace {

using Script = std::vector<std::string>;

// A view is filled with the rights of its owner, who may need some on another's view first.
constexpr const char* head[] = {
    "-- Registrations of mv_orchestrator: run this by a superuser in a database that has the",
    "-- extension in the same schema, and the roles. Then create the views:",
    "--   SELECT mv_create_all(with_data => false);",
    "-- run this again, for what is the views' own (owners that changed, privileges, comments on",
    "-- columns and indexes), and fill them:",
    "--   SELECT mv_refresh_all();",
};

std::string literal(const std::string& text) {
  char* quoted = call([&] { return quote_literal_cstr(text.c_str()); });
  std::string printed(quoted);
  pfree(quoted);
  return printed;
}

std::string text_literal(const std::string& text) {
  return literal(text) + "::pg_catalog.text";
}

std::string array_literal(const std::vector<std::string>& texts) {
  std::string elements;
  for (const std::string& text : texts) elements += (elements.empty() ? "" : ", ") + literal(text);
  return "ARRAY[" + elements + "]::pg_catalog.text[]";
}

// A line break in a name would end the comment.
std::string comment(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r'; }, '?');
  return "-- " + text;
}

// search_path=a, "B" -> SET search_path = 'a', 'B'; the other settings hold one value each.
std::string set_statement(const std::string& setting) {
  const auto equals = setting.find('=');
  const std::string name = setting.substr(0, equals);
  std::string values;
  if (name == "search_path")
    for (const std::string& schema : recorded_search_path({setting}))
      values += (values.empty() ? "" : ", ") + literal(schema);
  else
    values = literal(setting.substr(equals + 1));
  return "SET " + name + " = " + values + ";";
}

// As an ordering would look it up now, so that the order of the script does not matter.
std::vector<std::string> depends_on(const Exported& exported, const core::Views& views) {
  std::vector<std::string> names;
  for (WrittenName dependency : exported.depends_on) {
    if (!dependency.schema)
      if (const auto found = views.find(recorded_search_path(exported.settings), dependency.name))
        dependency.schema = views[*found].name.schema;
    const std::string name = print(dependency);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<std::string> key_of(const Exported& exported) {
  std::vector<std::string> columns;
  for (const std::string& column : exported.unique_key) columns.push_back(print(column));
  return columns;
}

// Here the author's search_path is in force and his code could become the superuser who runs the
// script, by RESET SESSION AUTHORIZATION: so every type and function is named with its schema, and
// no other function of that name fits better. What belongs to another role by now cannot be
// registered by its author any more.
std::string registration(const Exported& exported, const std::string& schema,
                         const core::Views& views) {
  const std::string name = print(exported.name);
  return fmt::format(
      "SELECT {}.mv_register(name => {},\n    definition => {},\n    depends_on => {},\n"
      "    unique_key => {},\n    indexes => {},\n    mode => {},\n"
      "    options => {}::pg_catalog.jsonb){};",
      print(schema), text_literal(name), text_literal(exported.definition),
      array_literal(depends_on(exported, views)), array_literal(key_of(exported)),
      array_literal(exported.indexes), text_literal(exported.mode), literal(exported.options),
      exported.new_owner ? "\nWHERE pg_catalog.to_regclass(" + text_literal(name) + ") IS NULL"
                         : "");
}

void add_schemas(Script& script, const std::vector<Exported>& registry) {
  std::map<std::string, std::string> owners;
  std::set<std::string> grants, lacking;
  for (const Exported& exported : registry) {
    const std::string& schema = exported.name.schema;
    if (!exported.schema_owner) {
      lacking.insert(comment(fmt::format("Schema {} does not exist.", print(schema))));
      continue;
    }
    owners[schema] = *exported.schema_owner;
    if (exported.may_create && exported.needs_grant)
      grants.insert(
          fmt::format("GRANT CREATE ON SCHEMA {} TO {};", print(schema), print(exported.author)));
    else if (!exported.may_create)
      lacking.insert(comment(fmt::format("Role {} lacks CREATE on schema {} by now.",
                                         print(exported.author), print(schema))));
  }
  for (const auto& [schema, owner] : owners)
    script.push_back(fmt::format("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {};", print(schema),
                                 print(owner)));
  script.insert(script.end(), grants.begin(), grants.end());
  script.insert(script.end(), lacking.begin(), lacking.end());
}

// Only what is not in force already. Which settings were set.
std::vector<std::string> add_registrations(Script& script, const std::vector<Exported>& registry) {
  const core::Views views = load_views(Sees::caller);
  const std::string schema = functions_schema();
  std::vector<std::string> in_force, names;
  std::string author;
  for (const Exported& exported : registry) {
    if (exported.author != author) {
      author = exported.author;
      script.push_back("SET SESSION AUTHORIZATION " + literal(author) + ";");
    }
    for (const std::string& setting : exported.settings)
      if (std::ranges::find(in_force, setting) == in_force.end()) {
        script.push_back(set_statement(setting));
        const std::string name = setting.substr(0, setting.find('='));
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
      }
    in_force = exported.settings;
    script.push_back(registration(exported, schema, views));
  }
  return names;
}

void add_after_creation(Script& script, const std::vector<Exported>& registry) {
  script.push_back("RESET SESSION AUTHORIZATION;");
  script.push_back("SET search_path = 'pg_catalog', 'pg_temp';");
  std::optional<std::string> grantor;
  for (const Afterwards& step : load_afterwards(registry)) {
    if (step.grantor != grantor) {
      if (grantor) script.push_back("RESET SESSION AUTHORIZATION;");
      if (step.grantor)
        script.push_back("SET SESSION AUTHORIZATION " + literal(*step.grantor) + ";");
      grantor = step.grantor;
    }
    const std::string block =
        fmt::format("BEGIN IF EXISTS ({}) THEN {}; END IF; END", step.condition, step.command);
    script.push_back("DO " + literal(block) + ";");
  }
  if (grantor) script.push_back("RESET SESSION AUTHORIZATION;");
}

Script write_script() {
  Script script(std::begin(head), std::end(head));
  auto registry = load_exported();
  std::erase_if(registry, [&](const Exported& exported) {
    if (exported.author_is_gone)
      script.push_back(
          comment(fmt::format("Left out: {}, as role {}, which registered it, no longer "
                              "exists.",
                              print(exported.name), print(exported.author))));
    return exported.author_is_gone;
  });
  if (registry.empty()) return script;
  add_schemas(script, registry);
  script.push_back("SET escape_string_warning = off;");
  const auto names = add_registrations(script, registry);
  add_after_creation(script, registry);
  script.push_back("RESET escape_string_warning;");
  for (const std::string& name : names) script.push_back("RESET " + name + ";");
  return script;
}

}  // namespace

std::vector<std::string> export_registry() {
  GucScope settings;
  settings.set("quote_all_identifiers", "off");
  Script script = write_script();
  settings.end();
  return script;
}

}  // namespace mvo::pg
