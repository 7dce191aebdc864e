#include "pg/registry.hpp"

#include "pg/datum.hpp"
#include "pg/own_tables.hpp"
#include "pg/recorded_settings.hpp"
#include "pg/settings.hpp"

namespace mvo::pg {
namespace {

core::Mode mode_of(const std::string& text) {
  return core::parse_mode(text).value_or(core::Mode::automatic);
}

// Names and values of a jsonb object, side by side.
std::vector<std::pair<std::string, std::string>> pairs(const SpiRows& rows, int keys, int values) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto names = rows.texts(0, keys), texts = rows.texts(0, values);
  for (std::size_t i = 0; i < names.size(); ++i) pairs.emplace_back(names[i], texts[i]);
  return pairs;
}

core::Learned learned_of(const SpiRows& rows, std::uint64_t row, int column) {
  if (rows.is_null(row, column)) return {};
  return {rows.integer(row, column), rows.integer(row, column + 1)};
}

// Registration has checked them.
core::Limits limits_of(const SpiRows& rows, std::uint64_t row, int column) {
  const auto time = [&](int of) {
    const auto text = rows.optional_text(row, of);
    return text ? parse_milliseconds(*text) : std::nullopt;
  };
  const auto retries = rows.optional_text(row, column + 2);
  return {time(column), time(column + 1), retries ? parse_count(*retries, INT_MAX) : std::nullopt};
}

std::vector<core::View> read_views(Sees sees) {
  // What was learned of a view is good for the text that was registered then.
  const SpiRows rows = query(
      "SELECT r.schema_name, r.view_name, r.mode, coalesce((r.options->>'enabled')::boolean, true),"
      " CASE WHEN l.gave_up > 0 AND l.definition_hash = hashtextextended(r.definition, 0)"
      " THEN l.gave_up END, l.runs_left, r.options->>'lock_timeout', r.options->>'view_timeout',"
      " r.options->>'retries' FROM mv_orchestrator.registry r"
      " LEFT JOIN mv_orchestrator.learned l"
      " ON l.schema_name = r.schema_name AND l.view_name = r.view_name",
      {}, sees);
  std::vector<core::View> views;
  views.reserve(rows.size());
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    views.push_back({{rows.text(i, 0), rows.text(i, 1)},
                     mode_of(rows.text(i, 2)),
                     rows.boolean(i, 3),
                     learned_of(rows, i, 4),
                     limits_of(rows, i, 6)});
  return views;
}

std::vector<core::Dependency> read_dependencies(Sees sees) {
  // The settings are fetched only where a name has to be looked up in them.
  const SpiRows rows = query(
      "SELECT d.schema_name, d.view_name, d.depends_on_schema, d.depends_on_name, r.settings"
      " FROM mv_orchestrator.dependency d LEFT JOIN mv_orchestrator.registry r"
      " ON d.depends_on_schema IS NULL"
      " AND r.schema_name = d.schema_name AND r.view_name = d.view_name",
      {}, sees);
  std::vector<core::Dependency> dependencies;
  dependencies.reserve(rows.size());
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    dependencies.push_back(
        {{rows.text(i, 0), rows.text(i, 1)}, rows.optional_text(i, 2), rows.text(i, 3)});
    if (!rows.is_null(i, 4))
      dependencies.back().search_path = recorded_search_path(rows.texts(i, 4));
  }
  return dependencies;
}

// For unnest(schemas, views).
std::pair<std::vector<std::string>, std::vector<std::string>> columns_of(
    const std::vector<core::Name>& names) {
  std::vector<std::string> schemas, views;
  for (const core::Name& name : names) {
    schemas.push_back(name.schema);
    views.push_back(name.name);
  }
  return {std::move(schemas), std::move(views)};
}

void write_dependencies(const Registration& registration) {
  query("DELETE FROM mv_orchestrator.dependency WHERE schema_name = $1 AND view_name = $2",
        {text_argument(registration.name.schema), text_argument(registration.name.name)},
        Sees::latest);
  int position = 0;
  for (const WrittenName& dependency : registration.depends_on)
    query(
        "INSERT INTO mv_orchestrator.dependency (schema_name, view_name, position, "
        "depends_on_schema,"
        " depends_on_name) VALUES ($1, $2, $3, $4, $5)",
        {text_argument(registration.name.schema), text_argument(registration.name.name),
         int_argument(++position), nullable_argument(dependency.schema),
         text_argument(dependency.name)},
        Sees::latest);
}

// Without waiting for a run that is writing it: a row that is left is tied to the text.
void forget_learned(const core::Name& name) {
  query(
      "DELETE FROM mv_orchestrator.learned WHERE ctid = ANY (ARRAY("
      "SELECT ctid FROM mv_orchestrator.learned WHERE schema_name = $1 AND view_name = $2"
      " FOR UPDATE SKIP LOCKED))",
      {text_argument(name.schema), text_argument(name.name)}, Sees::latest);
}

}  // namespace

core::Views load_views(Sees sees) {
  OwnTables access;
  core::Views views(read_views(sees), read_dependencies(sees));
  access.end();
  return views;
}

std::vector<DefinitionText> load_definitions(const std::vector<core::Name>& names, Sees sees) {
  if (names.empty()) return {};
  const auto [schemas, views] = columns_of(names);
  OwnTables access;
  const SpiRows rows = query(
      "SELECT r.schema_name, r.view_name, r.owner, r.author, r.definition, r.settings"
      " FROM mv_orchestrator.registry r"
      " WHERE (schema_name, view_name) IN (SELECT * FROM unnest($1, $2))",
      {array_argument(schemas), array_argument(views)}, sees);
  std::vector<DefinitionText> texts;
  texts.reserve(rows.size());
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    texts.push_back({{rows.text(i, 0), rows.text(i, 1)},
                     find_author(rows.text(i, 2), rows.text(i, 3)).role,
                     rows.text(i, 4),
                     rows.texts(i, 5)});
  access.end();
  return texts;
}

std::optional<Registration> load_registration(const core::Name& name) {
  OwnTables access;
  const SpiRows rows = query(
      "SELECT owner, author, definition, unique_key, indexes, mode, settings, applied,"
      " options::text, options->>'access_method', options->>'tablespace', options->>'comment',"
      " ARRAY(SELECT key FROM jsonb_each_text(options->'with') ORDER BY key),"
      " ARRAY(SELECT value FROM jsonb_each_text(options->'with') ORDER BY key)"
      " FROM mv_orchestrator.registry WHERE schema_name = $1 AND view_name = $2",
      {text_argument(name.schema), text_argument(name.name)}, Sees::latest);
  std::optional<Registration> found;
  if (rows.size() == 1) {
    found.emplace();
    found->name = name;
    found->author = find_author(rows.text(0, 0), rows.text(0, 1));
    found->definition = rows.text(0, 2);
    found->unique_key = rows.texts(0, 3);
    found->indexes = rows.texts(0, 4);
    found->mode = mode_of(rows.text(0, 5));
    found->settings = rows.texts(0, 6);
    found->applied = rows.boolean(0, 7);
    found->options.json = rows.text(0, 8);
    found->options.access_method = rows.optional_text(0, 9);
    found->options.tablespace = rows.optional_text(0, 10);
    found->options.comment = rows.optional_text(0, 11);
    found->options.with = pairs(rows, 12, 13);
  }
  access.end();
  return found;
}

bool save_registration(const Registration& registration, const std::optional<Author>& expected) {
  OwnTables access;
  const auto saved = query(
      "INSERT INTO mv_orchestrator.registry AS present (schema_name, view_name, owner, author,"
      " definition, unique_key, indexes, mode, options, settings, applied)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, jsonb_strip_nulls($9::jsonb), $10, $11)"
      " ON CONFLICT (schema_name, view_name) DO UPDATE SET (owner, author, definition,"
      " unique_key, indexes, mode, options, settings, applied) = (excluded.owner,"
      " excluded.author, excluded.definition, excluded.unique_key, excluded.indexes,"
      " excluded.mode, excluded.options, excluded.settings, excluded.applied)"
      " WHERE present.author = $12",
      {text_argument(registration.name.schema), text_argument(registration.name.name),
       text_argument(registration.author.name), text_argument(registration.author.key),
       text_argument(registration.definition), array_argument(registration.unique_key),
       array_argument(registration.indexes), text_argument(core::to_string(registration.mode)),
       text_argument(registration.options.json), array_argument(registration.settings),
       bool_argument(registration.applied),
       nullable_argument(expected ? std::optional(expected->key) : std::nullopt)},
      Sees::latest);
  if (saved.size() > 0) write_dependencies(registration);
  access.end();
  return saved.size() > 0;
}

bool remove_registration(const core::Name& name, const Author& expected) {
  OwnTables access;
  const auto removed = query(
      "DELETE FROM mv_orchestrator.registry WHERE schema_name = $1 AND view_name = $2"
      " AND author = $3",
      {text_argument(name.schema), text_argument(name.name), text_argument(expected.key)},
      Sees::latest);
  if (removed.size() > 0) {
    query("DELETE FROM mv_orchestrator.dependency WHERE schema_name = $1 AND view_name = $2",
          {text_argument(name.schema), text_argument(name.name)}, Sees::latest);
    forget_learned(name);
  }
  access.end();
  return removed.size() > 0;
}

void mark_applied(const Registration& registration) {
  OwnTables access;
  query(
      "UPDATE mv_orchestrator.registry SET applied = true WHERE schema_name = $1"
      " AND view_name = $2 AND definition = $3 AND settings = $4 AND NOT applied",
      {text_argument(registration.name.schema), text_argument(registration.name.name),
       text_argument(registration.definition), array_argument(registration.settings)},
      Sees::latest);
  access.end();
}

Facts load_run_facts(const std::vector<core::Name>& names) {
  const auto [schemas, views] = columns_of(names);
  OwnTables access;
  const SpiRows rows = repeated_query(
      "SELECT schema_name, view_name, owner, author, settings, applied, s.relation::text"
      " FROM mv_orchestrator.registry LEFT JOIN mv_orchestrator.seen AS s"
      " USING (schema_name, view_name)"
      " WHERE (schema_name, view_name) IN (SELECT * FROM unnest($1, $2))",
      {array_argument(schemas), array_argument(views)}, Sees::latest);
  Facts facts;
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    const auto [entry, is_new] = facts.try_emplace({rows.text(i, 0), rows.text(i, 1)});
    RunFacts& view = entry->second;
    if (is_new)
      view = {find_author(rows.text(i, 2), rows.text(i, 3)).role,
              rows.texts(i, 4),
              rows.boolean(i, 5),
              {}};
    if (const auto oid = rows.optional_text(i, 6)) view.seen.push_back(to_oid(*oid));
  }
  access.end();
  return facts;
}

}  // namespace mvo::pg
