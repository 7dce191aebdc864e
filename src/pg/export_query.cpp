#include "pg/export_query.hpp"

#include <algorithm>
#include <tuple>

#include "pg/own_tables.hpp"

namespace mvo::pg {
namespace {

std::vector<WrittenName> names_of(const SpiRows& rows, std::uint64_t row, int schemas, int names) {
  std::vector<WrittenName> written;
  const auto parts = rows.texts(row, schemas), last = rows.texts(row, names);
  for (std::size_t i = 0; i < last.size(); ++i)
    written.push_back({parts[i].empty() ? std::nullopt : std::optional(parts[i]), last[i]});
  return written;
}

Argument caller() {
  return {OIDOID, ObjectIdGetDatum(GetUserId())};
}

// $1: the caller. No schema has the empty name.
constexpr const char* registry_query = R"sql(
SELECT r.schema_name, r.view_name, coalesce(a.rolname::text, r.owner), a.oid IS NULL, r.definition,
       r.unique_key, r.indexes, r.mode, (r.options - 'owner')::text, r.settings,
       coalesce(d.schemas, '{}'), coalesce(d.names, '{}'),
       CASE WHEN c.relowner <> a.oid THEN pg_get_userbyid(c.relowner)::text END,
       pg_get_userbyid(n.nspowner)::text,
       coalesce(has_schema_privilege(a.oid, n.oid, 'CREATE'), false),
       coalesce(n.nspowner <> a.oid AND NOT a.rolsuper, false)
FROM mv_orchestrator.registry AS r
LEFT JOIN pg_roles AS a ON a.oid = mv_orchestrator.author_role(r.owner, r.author)
LEFT JOIN pg_namespace AS n ON n.nspname = r.schema_name
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = r.view_name AND c.relkind = 'm'
LEFT JOIN (SELECT schema_name, view_name,
                  array_agg(coalesce(depends_on_schema, '') ORDER BY position) AS schemas,
                  array_agg(depends_on_name ORDER BY position) AS names
           FROM mv_orchestrator.dependency GROUP BY schema_name, view_name) AS d
    ON (d.schema_name, d.view_name) = (r.schema_name, r.view_name)
WHERE pg_has_role($1, 'pg_monitor', 'USAGE')
   OR pg_has_role($1, coalesce(c.relowner, a.oid), 'USAGE')
)sql";

// $1, $2: schemas and names of views; $3: their authors. The column '' is the whole view.
constexpr const char* afterwards_query = R"sql(
WITH RECURSIVE live AS (
    SELECT c.oid, c.relowner, c.relacl, pg_get_userbyid(c.relowner)::text AS owner, v.author,
           format('%I.%I', v.schema, v.name) AS view, v.schema,
           format('SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%L)'
                  ' AND relkind = ''m''', format('%I.%I', v.schema, v.name)) AS exists
    FROM unnest($1, $2, $3) AS v (schema, name, author)
    JOIN pg_namespace AS n ON n.nspname = v.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.name AND c.relkind = 'm'),
-- What the owner gave himself is mentioned only where it is not all, as it is anyhow.
restricted AS (
    SELECT oid, owner, view, exists FROM live
    WHERE relacl IS NOT NULL AND EXISTS (
        SELECT privilege_type FROM aclexplode(acldefault('r', relowner)) EXCEPT
        SELECT privilege_type FROM aclexplode(relacl) WHERE grantor = relowner AND grantee = relowner)),
acl AS (
    SELECT live.oid, '' AS attname, live.relowner, p.grantor, p.grantee, p.privilege_type, p.is_grantable
    FROM live CROSS JOIN LATERAL aclexplode(live.relacl) AS p
    WHERE p.grantee <> live.relowner OR live.oid IN (SELECT oid FROM restricted)
    UNION ALL
    SELECT live.oid, t.attname::text, live.relowner, p.grantor, p.grantee, p.privilege_type, p.is_grantable
    FROM live JOIN pg_attribute AS t ON t.attrelid = live.oid AND NOT t.attisdropped
    CROSS JOIN LATERAL aclexplode(t.attacl) AS p),
-- Who may grant at how many removes from the owner: those further away come later.
chain AS (
    SELECT DISTINCT oid, attname, privilege_type, relowner AS role, 0 AS depth FROM acl
    UNION
    SELECT a.oid, a.attname, a.privilege_type, a.grantee, c.depth + 1
    FROM chain AS c JOIN acl AS a ON (a.oid, a.attname, a.privilege_type, a.grantor)
                                   = (c.oid, c.attname, c.privilege_type, c.role)
    WHERE a.is_grantable AND a.grantee <> a.grantor),
granted AS (
    SELECT oid, attname, grantor, grantee, is_grantable, max(coalesce(depth, 64)) AS depth,
           string_agg(privilege_type || CASE attname WHEN '' THEN '' ELSE format(' (%I)', attname) END,
                      ', ' ORDER BY privilege_type) AS privileges
    FROM acl
    LEFT JOIN (SELECT oid, attname, privilege_type, role AS grantor, min(depth) AS depth
               FROM chain GROUP BY 1, 2, 3, 4) AS c USING (oid, attname, privilege_type, grantor)
    GROUP BY oid, attname, grantor, grantee, is_grantable),
steps (view, kind, place, grantor, condition, command) AS (
    SELECT view, 1, 0, NULL, exists, format('ALTER MATERIALIZED VIEW %s OWNER TO %I', view, owner)
    FROM live WHERE owner <> author
    UNION ALL
    SELECT view, 2, 0, NULL, exists, format('REVOKE ALL ON %s FROM %I', view, owner) FROM restricted
    UNION ALL
    SELECT view, CASE attname WHEN '' THEN 3 ELSE 4 END, depth,
           CASE WHEN grantor <> relowner THEN pg_get_userbyid(grantor)::text END,
           CASE attname WHEN '' THEN exists ELSE format(
               'SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass(%L)'
               ' AND attname = %L AND NOT attisdropped', view, attname) END,
           format('GRANT %s ON %s TO %s%s', privileges, view,
                  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                  CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM live JOIN granted USING (oid)
    UNION ALL
    SELECT view, 5, attnum, NULL,
           format('SELECT FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass(%L)'
                  ' AND attname = %L AND NOT attisdropped', view, attname),
           format('COMMENT ON COLUMN %s.%I IS %L', view, attname, description)
    FROM live JOIN pg_description ON objoid = live.oid AND classoid = 'pg_class'::regclass
    JOIN pg_attribute ON attrelid = live.oid AND attnum = objsubid AND attnum > 0
    UNION ALL
    SELECT view, 6, 0, NULL,
           format('SELECT FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass(%L)'
                  ' AND indrelid = pg_catalog.to_regclass(%L)', format('%I.%I', schema, i.relname), view),
           format('COMMENT ON INDEX %I.%I IS %L', schema, i.relname, description)
    FROM live JOIN pg_index ON indrelid = live.oid JOIN pg_class AS i ON i.oid = indexrelid
    JOIN pg_description ON objoid = i.oid AND objsubid = 0 AND classoid = 'pg_class'::regclass)
SELECT grantor, condition, command FROM steps
ORDER BY view COLLATE "C", kind, place, grantor COLLATE "C" NULLS FIRST, command COLLATE "C"
)sql";

}  // namespace

std::string functions_schema() {
  OwnTables access;
  std::string name = query(
                         "SELECT n.nspname::text FROM pg_extension AS e JOIN pg_namespace AS n"
                         " ON n.oid = e.extnamespace WHERE e.extname = 'mv_orchestrator'",
                         {}, Sees::caller)
                         .text(0, 0);
  access.end();
  return name;
}

std::vector<Exported> load_exported() {
  const Argument reader = caller();
  OwnTables access;
  const SpiRows rows = query(registry_query, {reader}, Sees::caller);
  std::vector<Exported> registry;
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    registry.push_back({.name = {rows.text(i, 0), rows.text(i, 1)},
                        .author = rows.text(i, 2),
                        .author_is_gone = rows.boolean(i, 3),
                        .definition = rows.text(i, 4),
                        .unique_key = rows.texts(i, 5),
                        .indexes = rows.texts(i, 6),
                        .mode = rows.text(i, 7),
                        .options = rows.text(i, 8),
                        .settings = rows.texts(i, 9),
                        .depends_on = names_of(rows, i, 10, 11),
                        .new_owner = rows.optional_text(i, 12),
                        .schema_owner = rows.optional_text(i, 13),
                        .may_create = rows.boolean(i, 14),
                        .needs_grant = rows.boolean(i, 15)});
  access.end();
  std::ranges::sort(registry, {}, [](const Exported& exported) {
    return std::tie(exported.author, exported.name);
  });
  return registry;
}

std::vector<Afterwards> load_afterwards(const std::vector<Exported>& registry) {
  std::vector<std::string> schemas, names, authors;
  for (const Exported& exported : registry) {
    schemas.push_back(exported.name.schema);
    names.push_back(exported.name.name);
    authors.push_back(exported.author);
  }
  OwnTables access;
  const SpiRows rows = query(
      afterwards_query, {array_argument(schemas), array_argument(names), array_argument(authors)},
      Sees::caller);
  std::vector<Afterwards> steps;
  for (std::uint64_t i = 0; i < rows.size(); ++i)
    steps.push_back({rows.optional_text(i, 0), rows.text(i, 1), rows.text(i, 2)});
  access.end();
  return steps;
}

}  // namespace mvo::pg
