-- Options, and what the functions make of arguments that are NULL, empty or of an odd shape.
SET mv_orchestrator.mode = 'plain';
CREATE SCHEMA arg;
SET search_path = arg, public;
CREATE VIEW stored AS
  SELECT view_name AS name, mode, options, unique_key, indexes FROM mv_orchestrator.registry ORDER BY view_name;

-- Options are stored as given; null for one means that it was not given.
SELECT mv_register('a', 'SELECT 1 AS x', options =>
  '{"comment": "say \"hi\"", "enabled": true, "with": {"fillfactor": "70", "autovacuum_enabled": false}, "access_method": "heap"}');
SELECT mv_register('b', 'SELECT 1 AS x', options =>
  '{"owner": null, "access_method": null, "tablespace": null, "with": null, "comment": null, "enabled": null}');
SELECT mv_register('c', 'SELECT 1 AS x', options => '{"with": {}, "comment": ""}');
SELECT name, options FROM stored;
SELECT * FROM mv_create_all();
SELECT relname, reloptions, obj_description(oid, 'pg_class') AS comment FROM pg_class
  WHERE relkind = 'm' AND relnamespace = 'arg'::regnamespace ORDER BY relname;
SELECT name, status FROM mv_refresh_all();
SELECT count(*) FROM mv_drop_all();
SELECT mv_unregister('b');
-- Of a key that is written twice the last one counts, as everywhere in jsonb.
SELECT mv_register('c', 'SELECT 1 AS x', options => '{"comment": "first", "comment": "last"}');
-- Storage parameters of the view's TOAST table are written as in WITH (...).
SELECT mv_register('toasted', 'SELECT repeat(''x'', 10) AS x', options => '{"with": {"toast.autovacuum_enabled": false}}');
SELECT * FROM mv_create('toasted');
SELECT t.reloptions FROM pg_class AS c JOIN pg_class AS t ON t.oid = c.reltoastrelid WHERE c.oid = to_regclass('toasted');
SELECT action FROM mv_drop('toasted');
SELECT mv_unregister('toasted');

-- What is no option, or of the wrong kind, is an error and never ignored.
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"colour": "red"}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"Comment": "x"}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"view_timeout": true}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"lock_timeout": "5 parsecs"}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"view_timeout": -5}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"lock_timeout": "9999999999999"}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"retries": "2"}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"retries": 1.5}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"retries": -1}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"retries": 101}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"": 1}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '["comment"]');
SELECT mv_register('a', 'SELECT 2 AS x', options => '"comment"');
SELECT mv_register('a', 'SELECT 2 AS x', options => 'null');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"comment": 1}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"comment": ["x"]}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"enabled": "true"}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"enabled": 1}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"with": "fillfactor=70"}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"with": {"fillfactor": [70]}}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"with": {"fillfactor": null}}');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"tablespace": {}}');
SELECT definition FROM mv_orchestrator.registry WHERE view_name = 'a';
-- What names something that does not exist shows when the view is created, and leaves none.
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"access_method": "no_such_method"}');
SELECT mv_create('a');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"tablespace": "no_such_tablespace"}');
SELECT mv_create('a');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"with": {"no_such_parameter": 1}}');
SELECT mv_create('a');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"with": {"fillfactor": 5}}');
SELECT mv_create('a');
SELECT mv_register('a', 'SELECT 2 AS x', options => '{"with": {"x) AS SELECT 1; DROP SCHEMA arg CASCADE; --": 1}}');
SELECT mv_create('a');
SELECT count(*) FROM pg_matviews WHERE schemaname = 'arg';

-- NULL for an optional argument means its default.
SELECT mv_register('n', 'SELECT 1 AS x', depends_on => NULL, unique_key => NULL, indexes => NULL, mode => NULL, options => NULL);
SELECT * FROM stored WHERE name = 'n';
SELECT * FROM mv_create('n', with_data => NULL);
SELECT x FROM n;
SELECT name, mode FROM mv_refresh('n', scope => NULL, mode => NULL, on_error => NULL, on_overlap => NULL);
SELECT mv_unregister('a');
SELECT mv_unregister('c');
SELECT name, mode FROM mv_refresh_all(names => NULL, mode => NULL, on_error => NULL, on_overlap => NULL);
SELECT * FROM mv_create_all(names => NULL, with_data => NULL);
SELECT * FROM mv_drop('n', cascade => NULL, if_exists => NULL);
SELECT * FROM mv_drop('n', cascade => NULL, if_exists => NULL);
SELECT * FROM mv_drop_all(names => NULL);
SELECT name FROM mv_order(names => NULL);
-- NULL for a name or a definition, or in a list, is an error.
SELECT mv_register(NULL, 'SELECT 1 AS x');
SELECT mv_register('n', NULL);
SELECT mv_register('n', 'SELECT 2 AS x', depends_on => '{a, NULL}');
SELECT mv_register('n', 'SELECT 2 AS x', unique_key => '{NULL}');
SELECT mv_register('n', 'SELECT 2 AS x', indexes => '{NULL, NULL}');
SELECT mv_unregister(NULL);
SELECT mv_create(NULL);
SELECT mv_create_all('{n, NULL}');
SELECT mv_drop(NULL);
SELECT mv_drop(NULL, if_exists => true);
SELECT mv_drop_all('{NULL}');
SELECT mv_refresh(NULL);
SELECT mv_refresh_all('{n, NULL}');
SELECT mv_order('{NULL}');
SELECT definition FROM mv_orchestrator.registry;

-- Empty lists name nothing: none of the functions takes them for "all".
SELECT count(*) FROM mv_create_all('{}');
SELECT count(*) FROM mv_refresh_all('{}');
SELECT count(*) FROM mv_drop_all('{}');
SELECT count(*) FROM mv_order('{}');
-- Arrays of more dimensions, or with other bounds, are lists of their elements.
SELECT mv_register('o', 'SELECT 1 AS x, 2 AS y', depends_on => '{{n, p}, {q, n}}', unique_key => '[5:6]={x, y}',
  indexes => ARRAY[ARRAY['CREATE INDEX o_x ON o (x)'], ARRAY['CREATE INDEX o_y ON o (y)']]);
SELECT count(*) FROM mv_orchestrator.dependency WHERE view_name = 'o';
SELECT name, unique_key, indexes FROM stored WHERE name = 'o';
SELECT * FROM mv_create_all('{{o, n}, {n, o}}');
SELECT name FROM mv_refresh_all('[-1:0]={o, n}');
SELECT name FROM mv_order('{{{n}}}');
SELECT name, action FROM mv_drop_all('{{n}, {o}}');
-- A list can hold a name a thousand times, and the functions can be called for many rows.
SELECT count(*) FROM mv_order((SELECT array_agg(CASE WHEN i % 2 = 0 THEN 'n' ELSE 'o' END) FROM generate_series(1, 1000) AS i));
SELECT c.name, c.action FROM unnest('{o, n, o}'::text[]) AS v, LATERAL mv_create(v) AS c;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA arg CASCADE;
