-- mv_drop and mv_drop_all.
SET mv_orchestrator.mode = 'plain';
CREATE SCHEMA dro;
SET search_path = dro, public;
CREATE VIEW there AS SELECT matviewname AS name FROM pg_matviews WHERE schemaname = 'dro'
  ORDER BY matviewname COLLATE "C";
SELECT mv_register('a', 'SELECT 1 AS x');
SELECT mv_register('b', 'SELECT x FROM a', depends_on => '{a}');
SELECT mv_register('c', 'SELECT x FROM a', depends_on => '{a}');
SELECT mv_register('d', 'SELECT b.x FROM b, c', depends_on => '{b, c}');
SELECT mv_register('e', 'SELECT 1 AS x');
SELECT count(*) FROM mv_create_all();

-- What is read by another view is not dropped; the error names what reads it.
SELECT * FROM mv_drop('a');
SELECT count(*) FROM there;
-- The last reader is; its registration stays, so that it can be created again.
SELECT * FROM mv_drop('d');
SELECT * FROM mv_create('d');
-- cascade takes along what reads it, says what else of the registered views it took, and no more.
SELECT * FROM mv_drop('b', cascade => true);
SELECT name FROM there;
SELECT * FROM mv_create_all();
CREATE VIEW between_views AS SELECT x FROM a;
CREATE MATERIALIZED VIEW not_registered AS SELECT x FROM between_views;
SELECT mv_register('through', 'SELECT x FROM not_registered');
SELECT * FROM mv_create('through');
SELECT * FROM mv_drop('a', cascade => true);
SELECT name FROM there;
SELECT count(*) FROM pg_views WHERE viewname = 'between_views';

-- A view that is not there is an error, or "missing" with if_exists.
SELECT * FROM mv_drop('a');
SELECT * FROM mv_drop('a', if_exists => true);
SELECT * FROM mv_drop('a', cascade => true, if_exists => true);
-- One that is not registered is an error either way, and so is one that is something else.
SELECT * FROM mv_drop('nobody', if_exists => true);
CREATE MATERIALIZED VIEW nobody AS SELECT 1 AS x;
SELECT * FROM mv_drop('nobody');
DROP MATERIALIZED VIEW nobody;
CREATE TABLE a (x int);
SELECT * FROM mv_drop('a');
SELECT * FROM mv_drop('a', cascade => true, if_exists => true);
SELECT * FROM mv_drop_all();
SELECT count(*) FROM pg_class WHERE oid = 'dro.a'::regclass AND relkind = 'r';
DROP TABLE a;

-- mv_drop_all drops in reverse order and reports what was not there.
SELECT mv_unregister('through');
SELECT name, action FROM mv_drop_all();
SELECT count(*) FROM mv_create_all();
SELECT * FROM mv_drop('d');
SELECT * FROM mv_drop_all();
SELECT count(*) FROM there;
SELECT count(*) FROM mv_orchestrator.registry;
-- Given names it drops these alone, in the right order whatever the given one.
SELECT count(*) FROM mv_create_all();
SELECT * FROM mv_drop_all('{e, b, d, b}');
SELECT name FROM there;
SELECT * FROM mv_drop_all('{}');
-- What is not in the list is not taken along: nothing is dropped then.
SELECT count(*) FROM mv_create_all() WHERE action = 'created';
SELECT * FROM mv_drop_all('{a, b, e}');
SELECT count(*) FROM there;
-- A plain view in between stands in the way of all, and is named.
SELECT * FROM mv_drop('d');
CREATE VIEW between_views AS SELECT x FROM b;
CREATE MATERIALIZED VIEW d AS SELECT b.x FROM b, c;
SELECT * FROM mv_drop_all();
SELECT count(*) FROM there;
DROP VIEW between_views;
SELECT count(*) FROM mv_drop_all() WHERE action = 'dropped';

-- A declared dependency is not the server's: without a real one the drop goes through, and the
-- order is the declared one.
SELECT mv_register('reader', 'SELECT 1 AS x', depends_on => '{e}');
SELECT count(*) FROM mv_create_all();
SELECT * FROM mv_drop('e');
SELECT * FROM mv_drop_all('{e, reader}');

-- Dropped by other means or with its schema, a view is missing; its registration is still there.
DROP MATERIALIZED VIEW c CASCADE;
SELECT * FROM mv_drop('c', if_exists => true);
SELECT * FROM mv_create('d');
-- A drop is undone by a rollback, and a view that was created can be dropped in the same transaction.
BEGIN;
SELECT * FROM mv_drop('d');
SELECT * FROM mv_create('d');
SELECT * FROM mv_refresh('d') WHERE status <> 'refreshed';
SELECT * FROM mv_drop_all();
ROLLBACK;
SELECT name FROM there;
-- A view that is in use is not dropped.
BEGIN;
DECLARE in_use CURSOR FOR SELECT x FROM d;
FETCH in_use;
SELECT * FROM mv_drop('d');
ROLLBACK;
SELECT name FROM there;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA dro CASCADE;
