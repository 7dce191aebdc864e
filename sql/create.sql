-- mv_create and mv_create_all.
CREATE SCHEMA cre;
SET search_path = cre, public;
CREATE TABLE sales (id int, day date, amount int);
INSERT INTO sales SELECT i, date '2026-01-01' + i % 3, i * 10 FROM generate_series(1, 9) AS i;

-- The rows that a view holds without being the query's, and the other way round.
CREATE FUNCTION difference(view text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  definition text := (SELECT r.definition FROM mv_orchestrator.registry AS r WHERE r.view_name = view);
  result bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM ((TABLE %1$I EXCEPT ALL (%2$s)) UNION ALL ((%2$s) EXCEPT ALL TABLE %1$I)) AS d',
                 view, definition) INTO result;
  RETURN result;
END
$$;
CREATE VIEW live AS
  SELECT c.relname AS name, c.relispopulated AS populated, a.amname, t.spcname, c.reloptions,
         obj_description(c.oid, 'pg_class') AS comment,
         ARRAY(SELECT replace(pg_get_indexdef(indexrelid), 'cre.', '') FROM pg_index
               WHERE indrelid = c.oid ORDER BY indexrelid::regclass::text COLLATE "C") AS indexes
  FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam LEFT JOIN pg_tablespace AS t ON t.oid = c.reltablespace
  WHERE c.relkind = 'm' AND c.relnamespace = 'cre'::regnamespace ORDER BY c.relname COLLATE "C";

-- A view is created whole: rows, unique key, indexes, comment, storage options, tablespace, access
-- method.
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_create_tablespace LOCATION '';
CREATE ACCESS METHOD cre_heap TYPE TABLE HANDLER heap_tableam_handler;
SELECT mv_register('daily', 'SELECT day, sum(amount) AS total FROM sales GROUP BY day',
  unique_key => '{day}',
  indexes => ARRAY['CREATE INDEX by_total ON daily (total DESC) WHERE total > 0',
                   'CREATE UNIQUE INDEX by_both ON cre.daily USING btree (total, day) INCLUDE (day) WITH (fillfactor = 80)'],
  options => '{"comment": "It''s per day", "with": {"fillfactor": 70, "autovacuum_enabled": false},
               "tablespace": "regress_create_tablespace", "access_method": "cre_heap"}');
SELECT * FROM mv_create('daily');
SELECT name, populated, amname, spcname, reloptions, comment FROM live;
SELECT unnest(indexes) FROM live;
SELECT difference('daily');
-- Creating it again does nothing; the rows stay, too.
INSERT INTO sales VALUES (10, '2026-01-04', 5);
SELECT * FROM mv_create('daily');
SELECT difference('daily');
-- Declared indexes that are missing are made, and nothing else is.
DROP INDEX by_total;
DROP INDEX daily_day_idx;
SELECT * FROM mv_create('daily');
SELECT * FROM mv_create('daily');
SELECT unnest(indexes) FROM live;
-- An index that the registration does not know stays. A key that is unique by another index is not
-- made twice.
DROP INDEX daily_day_idx;
CREATE UNIQUE INDEX by_hand ON daily (day);
SELECT * FROM mv_create('daily');

-- What it reads and what is missing is created first, and reported; what exists is left alone.
SELECT mv_register('weekly', 'SELECT sum(total) AS total FROM daily', depends_on => '{daily}');
SELECT mv_register('monthly', 'SELECT sum(total) AS total FROM weekly', depends_on => '{weekly}');
SELECT mv_register('yearly', 'SELECT m.total, w.total AS weekly FROM monthly AS m, weekly AS w',
                   depends_on => '{monthly, weekly}');
SELECT mv_register('unrelated', 'SELECT 1 AS x');
SELECT * FROM mv_create('yearly');
SELECT * FROM mv_create_all();
SELECT name, populated FROM live;
SELECT difference('weekly'), difference('monthly'), difference('yearly');
-- with_data => false creates views that hold nothing yet, indexes included.
SELECT * FROM mv_drop_all();
SELECT * FROM mv_create('weekly', with_data => false);
SELECT name, populated, cardinality(indexes) AS indexes FROM live;
-- with_data => true does not fill what is there, and a view cannot be read from one without rows.
SELECT * FROM mv_create('monthly');
SELECT name FROM live;
SELECT action FROM mv_create('daily', with_data => true);
SELECT count(*) FROM mv_refresh('weekly', scope => 'upstream');
SELECT * FROM mv_create_all('{monthly}');

-- A failed create leaves no view: not the one that failed, not those made before it in the call.
SELECT mv_register('broken', 'SELECT total / 0 AS x FROM unrelated2', depends_on => '{unrelated2}');
SELECT mv_register('unrelated2', 'SELECT 1 AS total');
SELECT * FROM mv_create('broken');
SELECT mv_register('twice', 'SELECT id % 2 AS k FROM sales', unique_key => '{k}', depends_on => '{unrelated2}');
SELECT * FROM mv_create('twice');
SELECT mv_register('bad_index', 'SELECT 1 AS k', indexes => ARRAY['CREATE INDEX ok ON bad_index (k)', 'CREATE INDEX nok ON bad_index (nope)']);
SELECT * FROM mv_create('bad_index');
SELECT * FROM mv_create_all();
SELECT name FROM live;
-- It can be tried again in the same transaction after a savepoint.
BEGIN;
SELECT * FROM mv_create('unrelated');
SAVEPOINT s;
SELECT * FROM mv_create('twice');
ROLLBACK TO s;
SELECT mv_register('twice', 'SELECT DISTINCT id % 2 AS k FROM sales', unique_key => '{k}');
SELECT * FROM mv_create('twice');
COMMIT;
SELECT name, indexes FROM live WHERE name IN ('unrelated', 'twice');
SELECT count(mv_unregister(n)) FROM unnest('{broken, bad_index}'::text[]) AS n;

-- A view that exists with another definition is an error, never replaced and never taken as done.
SELECT mv_register('twice', 'SELECT 3 AS k');
SELECT * FROM mv_create('twice');
SELECT * FROM mv_create_all();
SELECT count(*) FROM twice;
SELECT action FROM mv_drop('twice');
SELECT * FROM mv_create_all();
-- One that has become something else is an error, too.
SELECT action FROM mv_drop('twice');
CREATE TABLE twice (k int);
SELECT * FROM mv_create('twice');
DROP TABLE twice;
-- A schema that has gone is an error, and does not keep the registration from being forgotten.
CREATE SCHEMA cre_gone;
SELECT mv_register('cre_gone.v', 'SELECT 1 AS x');
DROP SCHEMA cre_gone;
SELECT * FROM mv_create('cre_gone.v');
SELECT mv_unregister('cre_gone.v');

-- Every view of a call is created from one snapshot: what runs in between does not show.
CREATE FUNCTION burn_a_transaction_id() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    INSERT INTO cre.sales VALUES (0);
    RAISE division_by_zero;
  EXCEPTION WHEN division_by_zero THEN RETURN 1;
  END;
END
$$;
SELECT mv_register('snap1', 'SELECT pg_current_snapshot()::text AS s');
SELECT mv_register('snap2', 'SELECT burn_a_transaction_id() AS x', depends_on => '{snap1}');
SELECT mv_register('snap3', 'SELECT pg_current_snapshot()::text AS s', depends_on => '{snap2}');
SELECT * FROM mv_create_all('{snap1, snap2, snap3}');
SELECT count(DISTINCT s) AS snapshots FROM (TABLE snap1 UNION ALL TABLE snap3) AS s;
-- Statements of their own in the same transaction see more than one.
BEGIN;
REFRESH MATERIALIZED VIEW snap1;
REFRESH MATERIALIZED VIEW snap2;
REFRESH MATERIALIZED VIEW snap3;
SELECT count(DISTINCT s) AS snapshots FROM (TABLE snap1 UNION ALL TABLE snap3) AS s;
ROLLBACK;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA cre CASCADE;
DROP ACCESS METHOD cre_heap;
DROP TABLESPACE regress_create_tablespace;
