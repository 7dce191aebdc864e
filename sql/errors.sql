-- The SQLSTATE of each error, and that nothing is left behind by any.
SET mv_orchestrator.mode = 'plain';
CREATE SCHEMA err;
SET search_path = err, public;
CREATE ROLE regress_errors_nobody;
CREATE TABLE base (id int);
INSERT INTO base VALUES (1), (1);
CREATE TEMP TABLE temporary (id int);
CREATE VIEW plain_view AS SELECT 1 AS id;
CREATE SEQUENCE counter;
SELECT mv_register('v', 'SELECT id FROM base');
SELECT mv_register('w', 'SELECT id FROM v', depends_on => '{v}');
SELECT count(*) FROM mv_create_all();
CREATE VIEW left_behind AS
  SELECT (SELECT string_agg(view_name || ': ' || definition, ', ' ORDER BY view_name) FROM mv_orchestrator.registry) AS registered,
         (SELECT string_agg(matviewname, ', ' ORDER BY matviewname) FROM pg_matviews WHERE schemaname = 'err') AS live;
\set VERBOSITY sqlstate

-- mv_register: names
SELECT mv_register(NULL, 'SELECT 1 AS x');
SELECT mv_register('', 'SELECT 1 AS x');
SELECT mv_register('a b', 'SELECT 1 AS x');
SELECT mv_register('a.b.c', 'SELECT 1 AS x');
SELECT mv_register(repeat('a', 64), 'SELECT 1 AS x');
SELECT mv_register('no_such_schema.a', 'SELECT 1 AS x');
SELECT mv_register('pg_temp.a', 'SELECT 1 AS x');
SELECT mv_register('base', 'SELECT 1 AS x');
SELECT mv_register('plain_view', 'SELECT 1 AS x');
SELECT mv_register('counter', 'SELECT 1 AS x');
SELECT mv_register('a', 'SELECT 1 AS x', depends_on => '{a b}');
SELECT mv_register('a', 'SELECT 1 AS x', depends_on => '{NULL}');
SELECT mv_register('a', 'SELECT 1 AS x', depends_on => '{a}');
SELECT mv_register('v', 'SELECT 1 AS x', depends_on => '{err.v}');
TABLE left_behind;
-- mv_register: the definition
SELECT mv_register('a', NULL);
SELECT mv_register('a', '');
SELECT mv_register('a', ' ; -- nothing');
SELECT mv_register('a', 'SELEC 1');
SELECT mv_register('a', 'SELECT 1; SELECT 2');
SELECT mv_register('a', 'SELECT 1; DROP TABLE err.base');
SELECT mv_register('a', 'DELETE FROM base');
SELECT mv_register('a', 'INSERT INTO base VALUES (1) RETURNING id');
SELECT mv_register('a', 'WITH d AS (DELETE FROM base RETURNING id) SELECT id FROM d');
SELECT mv_register('a', 'WITH d AS (INSERT INTO base VALUES (2) RETURNING id) TABLE d');
SELECT mv_register('a', 'WITH o AS (WITH d AS (UPDATE base SET id = 2 RETURNING id) TABLE d) SELECT 1 FROM o');
SELECT mv_register('a', 'SELECT id INTO t FROM base');
SELECT mv_register('a', 'WITH i AS (SELECT 1 AS x INTO t) SELECT x FROM i');
SELECT mv_register('a', 'SELECT $1');
SELECT mv_register('a', 'SELECT id FROM base LIMIT $2');
SELECT mv_register('a', 'VACUUM');
SELECT mv_register('a', 'REFRESH MATERIALIZED VIEW v');
SELECT mv_register('a', 'CREATE TABLE t AS SELECT 1');
SELECT mv_register('a', 'EXPLAIN SELECT 1');
SELECT mv_register('a', 'DECLARE c CURSOR FOR SELECT 1');
SELECT mv_register('a', 'SELECT nope FROM base');
SELECT mv_register('a', 'SELECT id FROM temporary');
SELECT mv_register('a', 'SELECT id FROM base, v');
SELECT mv_register('a', 'SELECT id + ''x'' FROM base');
SELECT mv_register('a', 'SELECT id, count(*) FROM base');
SELECT mv_register('a', 'SELECT 1 AS x, 2 AS x');
SELECT mv_register('a', 'SELECT 1 AS x', unique_key => '{y}');
SELECT mv_register('a', 'SELECT 1 AS x', unique_key => '{x, x}');
SELECT mv_register('a', 'SELECT 1 AS x', indexes => '{SELECT 1}');
SELECT mv_register('a', 'SELECT 1 AS x', indexes => '{CREATE INDEX i ON base (id)}');
SELECT mv_register('a', 'SELECT 1 AS x', mode => 'fast');
SELECT mv_register('a', 'SELECT 1 AS x', options => '{"fast": true}');
SELECT mv_register('a', 'SELECT 1 AS x', options => '{"enabled": "yes"}');
SELECT mv_register('a', 'SELECT 1 AS x', options => '[]');
SELECT mv_register('a', 'SELECT 1 AS x', options => '{"owner": "regress_errors_no_such_role"}');
TABLE left_behind;

-- Not registered: every function.
SELECT mv_unregister('nope');
SELECT mv_create('nope');
SELECT mv_create_all('{v, nope}');
SELECT mv_drop('nope');
SELECT mv_drop_all('{v, nope}');
SELECT mv_refresh('nope');
SELECT mv_refresh_all('{v, nope}');
SELECT mv_order('{v, nope}');
-- An argument that is not known.
SELECT mv_refresh('v', scope => 'all');
SELECT mv_refresh('v', mode => 'fast');
SELECT mv_refresh('v', on_error => 'Continue');
SELECT mv_refresh('v', on_overlap => 'queue');
SELECT mv_refresh_all(mode => 'fast');
SELECT mv_refresh_all(on_error => '');
SELECT mv_refresh_all(on_overlap => 'queue');
-- A cycle: whatever orders.
SELECT mv_register('a', 'SELECT 1 AS x', depends_on => '{b}');
SELECT mv_register('b', 'SELECT 1 AS x', depends_on => '{a}');
SELECT mv_order();
SELECT mv_create('a');
SELECT mv_create_all();
SELECT mv_drop_all();
SELECT mv_refresh_all();
SELECT mv_refresh('a', scope => 'upstream');
SELECT count(mv_unregister(n)) FROM unnest('{a, b}'::text[]) AS n;
TABLE left_behind;

-- At creation.
SELECT mv_register('a', 'SELECT x FROM not_there');
SELECT mv_create('a');
SELECT mv_register('a', 'SELECT id FROM base', unique_key => '{id}');
SELECT mv_create('a');
SELECT mv_register('a', 'SELECT 1 / (id - 1) AS x FROM base');
SELECT mv_create('a');
SELECT mv_register('a', 'SELECT 1 AS x', indexes => '{CREATE INDEX i ON a (y)}');
SELECT mv_create('a');
SELECT mv_register('a', 'SELECT 1 AS x');
CREATE TABLE a (x int);
SELECT mv_create('a');
SELECT mv_create_all();
SELECT mv_refresh('a');
SELECT mv_drop('a');
SELECT mv_register('a', 'SELECT 1 AS x');
DROP TABLE a;
SELECT mv_register('v', 'SELECT 2 AS id');
SELECT mv_create('v');
SELECT mv_create('w');
SELECT mv_register('v', 'SELECT id FROM base');
TABLE left_behind;
-- At a refresh, or a drop.
SELECT mv_refresh('a');
SELECT mv_drop('a');
SELECT mv_unregister('a');
SELECT mv_drop('v');
SELECT mv_refresh('v', mode => 'concurrent');
CREATE UNIQUE INDEX key ON w (id);
DELETE FROM base WHERE ctid = '(0,1)';
SELECT status FROM mv_refresh_all();
CREATE UNIQUE INDEX key ON w (id);
INSERT INTO base VALUES (1);
REFRESH MATERIALIZED VIEW v;
SELECT mv_refresh('w', mode => 'concurrent');
SELECT mv_refresh('w');
REFRESH MATERIALIZED VIEW v WITH NO DATA;
SELECT mv_refresh('w');
DROP INDEX key;
REFRESH MATERIALIZED VIEW w WITH NO DATA;
SELECT mv_refresh('w', mode => 'concurrent');
SELECT status FROM mv_refresh_all();
TABLE left_behind;

-- Without the rights, and in a read-only transaction.
SET ROLE regress_errors_nobody;
SELECT public.mv_register('err.a', 'SELECT 1 AS x');
SELECT public.mv_register('err.v', 'SELECT 1 AS x');
SELECT public.mv_unregister('err.v');
SELECT public.mv_create('err.v');
SELECT public.mv_create_all();
SELECT public.mv_refresh('err.v');
SELECT public.mv_refresh_all();
SELECT public.mv_drop('err.v');
SELECT public.mv_drop_all();
RESET ROLE;
SET default_transaction_read_only = on;
SELECT mv_register('a', 'SELECT 1 AS x');
SELECT mv_unregister('v');
SELECT mv_create('v');
SELECT mv_create_all();
SELECT mv_drop('v');
SELECT mv_drop_all();
SELECT mv_refresh('v');
SELECT mv_refresh_all();
SET default_transaction_read_only = off;
TABLE left_behind;

-- While another session has the view: 55P03 is what it gets; 40001 where it was changed after our
-- snapshot was taken.
\setenv PGDATABASE :DBNAME
\setenv PGUSER :USER
BEGIN;
SELECT status FROM mv_refresh('v');
\! psql -Xq -v VERBOSITY=sqlstate -c "SELECT mv_refresh('err.v', on_overlap => 'fail')" 2>&1
\! psql -Xq -v VERBOSITY=sqlstate -c "SET mv_orchestrator.lock_timeout = '10ms'" -c "SELECT mv_refresh('err.w')" 2>&1
\! psql -Xq -v VERBOSITY=sqlstate -c "SET lock_timeout = '10ms'" -c "SELECT mv_drop('err.v')" 2>&1
\! psql -Xq -v VERBOSITY=sqlstate -c "BEGIN" -c "SELECT count(*) FROM err.w" -c "SELECT mv_refresh('err.v')" 2>&1
\! psql -Xq -c "SELECT step, name, status, mode, rows FROM mv_refresh_all(mode => 'plain', on_overlap => 'skip')" 2>&1
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM base;
\! psql -Xq -c "REFRESH MATERIALIZED VIEW err.v" 2>&1
SELECT mv_refresh('v');
ROLLBACK;
TABLE left_behind;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA err CASCADE;
DROP ROLE regress_errors_nobody;
