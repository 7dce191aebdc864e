-- mv_register and mv_unregister: what is stored, and what is touched.
CREATE SCHEMA reg;
SET search_path = reg, public;
CREATE TABLE source (id int, day date);
CREATE VIEW stored AS
  SELECT r.view_name AS name, r.owner = current_user AS mine, r.definition, r.unique_key, r.indexes, r.mode,
         r.options, r.applied,
         ARRAY(SELECT concat_ws('.', d.depends_on_schema, d.depends_on_name)
               FROM mv_orchestrator.dependency AS d
               WHERE (d.schema_name, d.view_name) = (r.schema_name, r.view_name) ORDER BY position) AS depends_on
  FROM mv_orchestrator.registry AS r WHERE r.schema_name = 'reg' ORDER BY r.view_name;

-- A registration stores what it is given and returns the qualified name.
SELECT mv_register('daily', 'SELECT id, day FROM source',
  depends_on => '{source}', unique_key => '{id, DAY}',
  indexes => ARRAY['CREATE INDEX by_day ON daily USING btree (day)'],
  mode => 'concurrent', options => '{"comment": "per day", "with": {"fillfactor": 70}}');
\x on
SELECT * FROM stored;
-- Only a name and a definition are needed.
SELECT mv_register('bare', 'SELECT 1 AS x');
SELECT * FROM stored WHERE name = 'bare';
-- Registering a name again replaces all that was said before, the owner apart.
SELECT mv_register('daily', 'SELECT id FROM source', depends_on => '{bare, reg.bare, "bare"}', unique_key => '{}');
SELECT * FROM stored WHERE name = 'daily';
\x off
SELECT count(*) FROM mv_orchestrator.registry;

-- Nothing else is touched: there is no view yet, and no dependency on the source.
SELECT count(*) FROM pg_matviews WHERE schemaname = 'reg';
ALTER TABLE source RENAME COLUMN day TO d;
ALTER TABLE source RENAME COLUMN d TO day;

-- Sources, schemas, functions and types may come later, in any order.
SELECT mv_register('early', 'SELECT no_such_function(x.id) FROM not_there AS x');
SELECT mv_register('earlier', 'SELECT id::no_such_type FROM source');
SELECT mv_register('earliest', 'SELECT * FROM no_such_schema.t', depends_on => '{no_such_schema.t, early, not_there}');
SELECT name, depends_on FROM stored WHERE name LIKE 'earl%';
-- Every other mistake shows at once.
\set VERBOSITY terse
SELECT mv_register('wrong', 'SELECT nope FROM source');
SELECT mv_register('wrong', 'SELECT id FROM source GROUP BY day');
SELECT mv_register('wrong', 'SELECT id, FROM source');
SELECT mv_register('wrong', 'SELECT ''x''::int AS x');
SELECT mv_register('wrong', 'SELECT 1 AS x', unique_key => '{y}');
SELECT mv_register('wrong', 'SELECT 1 AS "X"', unique_key => '{X}');
SELECT mv_register('wrong', 'SELECT 1 AS x', unique_key => '{x, X}');
\set VERBOSITY default
-- A failed registration leaves the former one as it was.
SELECT mv_register('bare', 'SELECT nope FROM source', depends_on => '{source}');
SELECT mv_register('bare', 'SELECT 1 AS x', depends_on => '{source, bare}');
SELECT name, definition, depends_on FROM stored WHERE name IN ('bare', 'wrong');

-- The text survives byte for byte and is one query whatever stands around it.
CREATE TABLE texts (n int, t text);
INSERT INTO texts VALUES
  (1, $t$SELECT E'a\n\t\\b''c' AS x, $$dollar 'quoted' $x$ $$ AS y, $q$ $$ $q$ AS z$t$),
  (2, $t$ /* before /* nested; */ */ SELECT 'größe — 日本' AS "Größe" -- after; '$t$),
  (3, $t$SELECT ';' AS x;$t$),
  (4, $t$SELECT 1 AS x ;; ; -- end
  $t$),
  (5, $t$WITH a AS (SELECT 1 AS x) SELECT x FROM a$t$),
  (6, $t$VALUES (1, 'a')$t$),
  (7, $t$TABLE reg.source$t$),
  (8, $t$((SELECT 1 AS x UNION SELECT 2) ORDER BY 1)$t$),
  (9, E'SELECT 1\r\n  AS x\r\n'),
  (10, $t$SELECT '$1' AS x, '%s %n' AS y, 'INTO' AS "into", 'a' || ':b' AS "?"$t$),
  (11, $t$SELECT FROM source$t$);
SELECT count(mv_register('text_' || n, t)) FROM texts;
SELECT count(*) AS same FROM texts JOIN mv_orchestrator.registry ON view_name = 'text_' || n
  WHERE definition COLLATE "C" = t COLLATE "C" AND octet_length(definition) = octet_length(t);
-- It means the same wherever it is created from.
SET standard_conforming_strings = off;
SET backslash_quote = off;
SELECT count(*) FROM mv_create_all((SELECT array_agg('text_' || n) FROM texts)) WHERE action = 'created';
SELECT count(*) FROM mv_create_all((SELECT array_agg('text_' || n) FROM texts)) WHERE action = 'exists';
RESET standard_conforming_strings;
RESET backslash_quote;
SELECT x = E'a\n\t\\b''c' AS x, y, z FROM text_1;
SELECT octet_length("Größe") FROM text_2;
SELECT count(mv_unregister('text_' || n)) FROM texts;

-- An unqualified dependency names a registered view, else what lives there, along the search_path.
CREATE SCHEMA reg2;
CREATE TABLE reg.both (id int);
SELECT mv_register('reg2.both', 'SELECT 1 AS id');
CREATE TABLE reg2.only_live (id int);
SET search_path = reg, reg2, public;
SELECT mv_register('reader', 'SELECT 1 AS x', depends_on => '{both, only_live, later, "both", reg2.both}');
SELECT position, depends_on_schema, depends_on_name FROM mv_orchestrator.dependency
  WHERE view_name = 'reader' ORDER BY position;
-- The view that is being registered comes first like any other: the same call has the same answer
-- each time.
\set VERBOSITY sqlstate
SELECT mv_register('reg.only_live', 'SELECT id FROM reg2.only_live', depends_on => '{only_live}');
SELECT mv_register('reg.only_live', 'SELECT id FROM reg2.only_live', depends_on => '{only_live}');
\set VERBOSITY default
SELECT mv_register('reg.only_live', 'SELECT id FROM reg2.only_live', depends_on => '{reg2.only_live}');
SET search_path = reg, public;

-- A name that belongs to something else cannot be registered.
SELECT mv_register('source', 'SELECT 1 AS x');
SELECT mv_register('stored', 'SELECT 1 AS x');
CREATE INDEX an_index ON source (id);
SELECT mv_register('an_index', 'SELECT 1 AS x');
CREATE SEQUENCE a_sequence;
SELECT mv_register('a_sequence', 'SELECT 1 AS x');

-- mv_unregister forgets; the live view stays, with its indexes and rows.
SELECT * FROM mv_create('daily');
INSERT INTO source VALUES (1, '2026-01-01');
SELECT mv_unregister('daily');
SELECT name FROM stored WHERE name = 'daily';
SELECT count(*) FROM mv_orchestrator.dependency WHERE view_name = 'daily';
REFRESH MATERIALIZED VIEW daily;
SELECT * FROM daily;
SELECT mv_unregister('daily');
-- Registering it anew takes up the live view.
SELECT mv_register('daily', 'SELECT source.id FROM reg.source');
SELECT * FROM mv_create('daily');
SELECT applied FROM stored WHERE name = 'daily';

-- All of it is undone by a rollback.
BEGIN;
SELECT mv_unregister('daily');
SELECT mv_register('in_transaction', 'SELECT 1 AS x');
SAVEPOINT s;
SELECT mv_register('in_transaction', 'SELECT 2 AS x');
ROLLBACK TO s;
SELECT definition FROM stored WHERE name IN ('daily', 'in_transaction');
ROLLBACK;
SELECT definition FROM stored WHERE name IN ('daily', 'in_transaction');

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SELECT count(*) FROM mv_orchestrator.dependency;
SET client_min_messages = warning;
DROP SCHEMA reg, reg2 CASCADE;
