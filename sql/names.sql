-- How names are read, looked up and printed.
SET mv_orchestrator.mode = 'plain';
CREATE SCHEMA names;
CREATE SCHEMA "Odd schema";
SET search_path = names, public;

-- A name is read as SQL reads it: folded to lower case unless it is quoted.
SELECT mv_register('Plain', 'SELECT 1 AS x');
SELECT mv_register('"Plain"', 'SELECT 1 AS x');
SELECT mv_register('NAMES."plain"', 'SELECT 2 AS x');
SELECT mv_register('  names . spaced  ', 'SELECT 1 AS x');
SELECT schema_name, view_name, definition FROM mv_orchestrator.registry
  ORDER BY schema_name, view_name;

\pset format unaligned
-- Everything that quotes can hold is a name, and is printed so that it can be read again.
CREATE TABLE victim (id int);
CREATE TABLE odd (n int, name text);
INSERT INTO odd VALUES
  (1, '"Odd name"'), (2, '"a.b"'), (3, '"Odd schema"."x.y"'), (4, '"say ""hi"""'),
  (5, '"semi;colon"'), (6, '"x""; DROP TABLE names.victim; --"'), (7, '"it''s"'),
  (8, '"größe_naïve_日本"'), (9, '"select"'), (10, '"%s %n"'), (11, '" lead and trail "'),
  (12, '"back\slash"'), (13, '"$1"'), (14, '"--"'), (15, '"{a,b}"');
SELECT n, mv_register(name, 'SELECT ' || n || ' AS x') FROM odd ORDER BY n;
-- An array takes them as the elements of ARRAY[...].
SELECT step, o.name, level, depends_on
  FROM mv_order((SELECT array_agg(odd.name) FROM odd)) AS o ORDER BY step;
-- They can be created, refreshed, depended on and dropped.
SELECT mv_register('reader', 'SELECT "x" FROM "Odd name"',
                   depends_on => ARRAY['"Odd name"', '"Odd schema"."x.y"']);
SELECT * FROM mv_create_all((SELECT array_agg(name) || 'reader'::text FROM odd));
SELECT step, name, status, rows FROM mv_refresh('reader', scope => 'upstream');
SELECT count(*) FROM mv_refresh_all((SELECT array_agg(name) FROM odd)) WHERE status = 'refreshed';
SELECT schemaname, matviewname FROM pg_matviews
  WHERE schemaname IN ('names', 'Odd schema')
  ORDER BY schemaname COLLATE "C", matviewname COLLATE "C";
SELECT * FROM mv_drop_all((SELECT array_agg(name) || 'reader'::text FROM odd));
SELECT count(*) AS victim_is_there FROM pg_class WHERE oid = 'victim'::regclass;
-- What a function prints, every function reads.
SELECT count(mv_unregister(name)) FROM mv_order((SELECT array_agg(name) || 'reader'::text FROM odd));

\pset format aligned

-- A name of 63 bytes is whole; of 64 bytes it is an error, never cut. Bytes count, not characters.
SELECT mv_register(repeat('a', 63), 'SELECT 1 AS x') = 'names.' || repeat('a', 63) AS whole;
SELECT action FROM mv_create(repeat('a', 63));
SELECT status FROM mv_refresh('names.' || repeat('a', 63));
SELECT mv_register(repeat('a', 64), 'SELECT 1 AS x');
SELECT mv_register('"' || repeat('ü', 31) || 'x"', 'SELECT 1 AS x') IS NOT NULL AS whole;
SELECT mv_register('"' || repeat('ü', 32) || '"', 'SELECT 1 AS x');
SELECT mv_register(repeat('s', 64) || '.a', 'SELECT 1 AS x');
SELECT mv_register('a', 'SELECT 1 AS x', depends_on => ARRAY[repeat('d', 64)]);
SELECT mv_register('a', 'SELECT 1 AS x', unique_key => ARRAY[repeat('k', 64)]);
SELECT mv_refresh(repeat('a', 64));
SELECT mv_order(ARRAY[repeat('a', 64)]);
SELECT mv_create(repeat('a', 64));
SELECT mv_drop(repeat('a', 64));
SELECT mv_unregister(repeat('a', 64));
-- Inside an index statement the server itself reads the name, and says that it cuts it.
SELECT mv_register('a', 'SELECT 1 AS x',
                   indexes => ARRAY['CREATE INDEX ' || repeat('i', 64) || ' ON a (x)']);

-- What SQL would not read as a name is an error that says how to write it.
SELECT mv_register('two words', 'SELECT 1 AS x');
SELECT mv_register('a.b.c', 'SELECT 1 AS x');
\set VERBOSITY sqlstate
SELECT mv_register('', 'SELECT 1 AS x');
SELECT mv_register(' ', 'SELECT 1 AS x');
SELECT mv_register('.', 'SELECT 1 AS x');
SELECT mv_register('a.', 'SELECT 1 AS x');
SELECT mv_register('.a', 'SELECT 1 AS x');
SELECT mv_register('"a', 'SELECT 1 AS x');
SELECT mv_register('""', 'SELECT 1 AS x');
SELECT mv_register('a"b"', 'SELECT 1 AS x');
SELECT mv_register('1a', 'SELECT 1 AS x');
SELECT mv_register('a;b', 'SELECT 1 AS x');
SELECT mv_register('a-b', 'SELECT 1 AS x');
SELECT mv_register('a, b', 'SELECT 1 AS x');
SELECT mv_register(E'a\nb', 'SELECT 1 AS x');
SELECT mv_register('a', 'SELECT 1 AS x', depends_on => ARRAY['b c']);
SELECT mv_register('a', 'SELECT 1 AS x', unique_key => ARRAY['x y']);
SELECT mv_register('a', 'SELECT 1 AS x', unique_key => ARRAY['a.x']);
SELECT mv_refresh('b c');
SELECT mv_refresh_all(ARRAY['plain', '']);
\set VERBOSITY default

-- A new view's unqualified name gets the first schema of the search_path that exists.
SET search_path = no_such_schema, "Odd schema", names, public;
SELECT mv_register('new', 'SELECT 1 AS x');
-- Elsewhere a name is looked up along the search_path, in the registry: what lives there without
-- being registered does not hide it.
SET search_path = "Odd schema", names, public;
CREATE MATERIALIZED VIEW "Odd schema".plain AS SELECT 'not registered' AS x;
SELECT name FROM mv_order('{plain}');
SELECT * FROM mv_create('plain');
SELECT name, status FROM mv_refresh('plain');
SELECT * FROM mv_drop('plain');
SELECT * FROM "Odd schema".plain;
SELECT mv_register('plain', 'SELECT ''not registered'' AS x');
SELECT name FROM mv_order('{plain}');
SET search_path = names, "Odd schema", public;
SELECT name FROM mv_order('{plain}');
-- The same view by two names is one view.
SELECT name FROM mv_order(ARRAY['plain', 'names.plain', 'names."plain"', 'PLAIN']);
-- Outside the search_path it is not found without its schema.
SET search_path = pg_catalog;
SELECT public.mv_refresh('plain');
SELECT name, level FROM public.mv_order('{names.plain}');
SET search_path = '';
SELECT public.mv_register('nowhere', 'SELECT 1 AS x');
RESET search_path;

-- A schema has to exist, and a view cannot be temporary.
SELECT mv_register('no_such_schema.a', 'SELECT 1 AS x');
SET search_path = pg_temp, public;
\set VERBOSITY sqlstate
SELECT mv_register('a', 'SELECT 1 AS x');
\set VERBOSITY default
RESET search_path;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA names, "Odd schema" CASCADE;
