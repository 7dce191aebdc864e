-- Mode "auto": plain, swap or diff for each view, by what is known of it; a diff that finds too much
-- becomes a swap in the same step.
CREATE SCHEMA aut;
SET search_path = aut, public;
SET client_min_messages = warning;
CREATE TABLE base (id int, version int, doc text);
INSERT INTO base SELECT i, 0, CASE WHEN i % 100 = 0 THEN repeat(md5(i::text), 300) ELSE 'row ' || i END FROM generate_series(1, 3000) AS i;
ALTER TABLE base ALTER doc SET STORAGE EXTERNAL;
SELECT mv_register('docs', 'SELECT id, version, doc FROM base ORDER BY id DESC', unique_key => '{id}',
  indexes => ARRAY['CREATE INDEX docs_version ON docs USING btree (version)']);
SELECT * FROM mv_create('docs');
COMMENT ON MATERIALIZED VIEW docs IS 'kept';

CREATE FUNCTION wrong() RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM ((SELECT d::text FROM docs AS d EXCEPT ALL SELECT b::text FROM base AS b) UNION ALL
                        (SELECT b::text FROM base AS b EXCEPT ALL SELECT d::text FROM docs AS d)) AS x;
$$;
-- What users of ORDER BY rely on: the rows lie in the order of the query.
CREATE FUNCTION out_of_order() RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM (SELECT id, lag(id) OVER (ORDER BY ctid) AS previous FROM docs) AS d WHERE previous <= id;
$$;
CREATE FUNCTION learned() RETURNS TABLE (name text, gave_up int, runs_left int) LANGUAGE sql AS $$
  SELECT view_name, gave_up, runs_left FROM mv_orchestrator.learned ORDER BY 1;
$$;

-- In which order the rows came is remembered in memory, as long as there is room.
SELECT pg_stat_force_next_flush();
SELECT temp_files FROM pg_stat_database WHERE datname = current_database() \gset
SELECT status, mode FROM mv_refresh_all();
SELECT pg_stat_force_next_flush();
SELECT temp_files - :temp_files AS temp_files FROM pg_stat_database WHERE datname = current_database();

-- Few rows changed, or none: a diff. Nothing changed costs nothing, and nothing is learned from it.
SELECT name, mode, reason FROM mv_plan();
TRUNCATE mv_orchestrator.run_step;
BEGIN;
SET LOCAL mv_orchestrator.history_retention = 0;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all();
SELECT pg_current_xact_id_if_assigned();
COMMIT;
UPDATE base SET version = 1 WHERE id <= 300;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all();
SELECT * FROM learned();

-- Many: the diff gives up, and the step becomes a swap. The next run does not try.
SELECT 'docs'::regclass::oid AS before \gset
UPDATE base SET version = 2 WHERE id % 2 = 0;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all();
SELECT wrong(), out_of_order(), 'docs'::regclass = :before AS same_view, obj_description('docs'::regclass);
SET enable_seqscan = off;
SELECT count(*), sum(version) FROM docs WHERE version > 0;
SELECT doc = repeat(md5('100'), 300) AS same FROM docs WHERE id = 100;
RESET enable_seqscan;
SELECT * FROM learned();
SELECT name, mode, reason FROM mv_plan();
SELECT mode, reason, status, message FROM mv_orchestrator.history ORDER BY run;

-- It is tried again, after twice as many runs each time, 16 at most.
CREATE PROCEDURE many_runs(runs int, change text) LANGUAGE plpgsql AS $$
DECLARE
  seen text := '';
  step record;
BEGIN
  FOR i IN 1 .. runs LOOP
    EXECUTE change;
    SELECT mode, detail INTO step FROM mv_refresh_all();
    seen := seen || CASE WHEN step.detail LIKE 'diff gave up%' THEN ' GAVE_UP' WHEN step.detail IS NULL THEN ' ' || step.mode ELSE ' ' || step.detail END;
    ASSERT wrong() = 0;
  END LOOP;
  RAISE WARNING '%', ltrim(seen);
END
$$;
CALL many_runs(40, 'UPDATE base SET version = version + 1');
SELECT * FROM learned();
UPDATE mv_orchestrator.learned SET runs_left = 1;
-- Few changes again: the diff that is tried is carried through, and all is forgotten.
CALL many_runs(4, 'UPDATE base SET version = version + 1 WHERE id = 1');
SELECT * FROM learned();
SELECT name, mode, reason FROM mv_plan();
-- A bulk load now and then.
CALL many_runs(3, 'UPDATE base SET version = version + 1');
CALL many_runs(3, 'UPDATE base SET version = version + 1 WHERE id = 1');
-- What has no count of changes is not "unchanged".
SELECT status, mode FROM mv_refresh_all();

-- Rows that go count as well: those that are left are written anew.
DELETE FROM base WHERE id > 1400;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all();
SELECT wrong(), out_of_order();
DELETE FROM mv_orchestrator.learned;
DELETE FROM base;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all();
SELECT count(*) FROM docs;
DELETE FROM mv_orchestrator.learned;
-- Few rows are written whatever part of the view they are.
INSERT INTO base SELECT i, 0, 'row ' || i FROM generate_series(1, 400) AS i;
SELECT status, mode, rows, changed FROM mv_refresh_all();
UPDATE base SET version = 1;
SELECT status, mode, rows, changed FROM mv_refresh_all();
DELETE FROM base WHERE id > 10;
SELECT status, mode, rows, changed FROM mv_refresh_all();
INSERT INTO base SELECT i, 0, 'row ' || i FROM generate_series(11, 3000) AS i;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all();
SELECT wrong(), out_of_order();

-- Who says "diff" means it. Who says "auto" in the call overrides what is registered.
DELETE FROM mv_orchestrator.learned;
UPDATE base SET version = version + 1;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all(mode => 'diff');
SELECT mv_register('docs', 'SELECT id, version, doc FROM base ORDER BY id DESC', unique_key => '{id}', mode => 'diff',
  indexes => ARRAY['CREATE INDEX docs_version ON docs USING btree (version)']);
UPDATE base SET version = version + 1;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all();
SELECT name, mode, reason FROM mv_plan(mode => 'auto');
UPDATE base SET version = version + 1;
SELECT status, mode, rows, changed, detail FROM mv_refresh_all(mode => 'auto');
SELECT name, mode, reason FROM mv_plan();
SELECT name, mode, reason FROM mv_plan(mode => 'auto');
-- Other modes neither count nor forget.
SELECT mode FROM mv_refresh_all(mode => 'swap') UNION ALL SELECT mode FROM mv_refresh_all();
SELECT * FROM learned();

-- What was learned is good for the text that it was learned of, and goes with the registration.
SELECT mv_register('docs', 'SELECT id, version, doc FROM base ORDER BY id DESC', unique_key => '{id}',
  indexes => ARRAY['CREATE INDEX docs_version ON docs USING btree (version)']);
SELECT mode, reason FROM mv_plan();
SELECT mv_register('docs', 'SELECT id, version, doc FROM base WHERE true ORDER BY id DESC', unique_key => '{id}',
  indexes => ARRAY['CREATE INDEX docs_version ON docs USING btree (version)']);
SELECT mode, reason FROM mv_plan();
-- An edit that is not applied is told beside it.
SET client_min_messages = error;
UPDATE base SET version = version + 1;
SELECT status, mode, detail FROM mv_refresh_all();
SET client_min_messages = warning;
SELECT mv_unregister('docs');
SELECT * FROM learned();
SELECT mv_register('docs', 'SELECT id, version, doc FROM base ORDER BY id DESC', unique_key => '{id}',
  indexes => ARRAY['CREATE INDEX docs_version ON docs USING btree (version)']);
SELECT mode, reason FROM mv_plan();

-- A run that is rolled back has learned nothing.
UPDATE base SET version = version + 1;
BEGIN;
SELECT mode, detail FROM mv_refresh_all();
SELECT * FROM learned();
SAVEPOINT s;
SELECT mode, detail FROM mv_refresh_all();
SELECT * FROM learned();
ROLLBACK TO s;
SELECT * FROM learned();
ROLLBACK;
SELECT * FROM learned();
-- In every isolation level.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT mode, detail FROM mv_refresh_all();
SELECT mode, reason FROM mv_plan();
COMMIT;
SELECT * FROM learned();
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT mode, detail FROM mv_refresh_all();
UPDATE base SET version = version + 1;
SELECT mode, detail FROM mv_refresh_all();
SELECT wrong();
COMMIT;
SELECT * FROM learned();
DELETE FROM mv_orchestrator.learned;

-- With little memory a part of the rows stands for all; the order is kept all the same.
SET mv_orchestrator.diff_work_mem = '64kB';
INSERT INTO base SELECT i, 0, 'row ' || i FROM generate_series(3001, 8000) AS i;
UPDATE base SET version = version + 1 WHERE id > 4000;
SELECT mode, rows, detail FROM mv_refresh_all();
SELECT wrong(), out_of_order();
DELETE FROM mv_orchestrator.learned;
DELETE FROM base WHERE id % 5 > 0;
SELECT mode, rows, detail FROM mv_refresh_all();
SELECT wrong(), out_of_order();
DELETE FROM mv_orchestrator.learned;
RESET mv_orchestrator.diff_work_mem;
-- Rows that differ only far behind: the query has been run twice by then.
INSERT INTO base SELECT i, 0, repeat('x', 2000) || i FROM generate_series(10001, 11200) AS i;
REFRESH MATERIALIZED VIEW docs;
UPDATE base SET doc = repeat('x', 2000) || (id + 10000) WHERE id > 10000;
SELECT mode, rows, detail FROM mv_refresh_all();
SELECT wrong(), out_of_order();
DELETE FROM mv_orchestrator.learned;

-- With parallel workers, which cannot be stopped in the middle.
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT id, version, doc FROM base ORDER BY id DESC;
UPDATE base SET version = version + 1;
SELECT mode, rows, detail FROM mv_refresh_all();
SELECT wrong(), out_of_order();
DELETE FROM mv_orchestrator.learned;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Vain comparisons and new rows come to be too many at the same row.
CREATE TABLE tails (id int, tail text);
SELECT mv_register('tailed', 'SELECT id, rpad(id::text, 2000) || tail AS doc FROM tails ORDER BY id');
SELECT count(*) FROM mv_create('tailed');
CREATE FUNCTION tails_change(added int) RETURNS TABLE (detail text, wrong bigint) LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM tails;
  INSERT INTO tails SELECT i, 'a' FROM generate_series(1, 1500) AS i;
  PERFORM mv_refresh('tailed', mode => 'plain');
  UPDATE tails SET tail = 'b';
  INSERT INTO tails SELECT -i, 'b' FROM generate_series(1, added) AS i;
  detail := (SELECT r.detail FROM mv_refresh('tailed') AS r);
  wrong := (SELECT count(*) FROM (SELECT id, doc FROM tailed EXCEPT ALL SELECT id, rpad(id::text, 2000) || 'b' FROM tails) AS x)
           + abs((SELECT count(*) FROM tailed) - 1500 - added);
  DELETE FROM mv_orchestrator.learned;
  RETURN NEXT;
END
$$;
SELECT added, c.* FROM generate_series(0, 3) AS added, tails_change(added) AS c;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT added, c.* FROM generate_series(0, 3) AS added, tails_change(added) AS c;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT mv_unregister('tailed');

-- Equal rows may repeat and hold NULLs, and without an index nothing else is asked for.
CREATE TABLE bag (a int, b text);
INSERT INTO bag SELECT nullif(i % 10, 3), nullif('x' || i % 7, 'x3') FROM generate_series(1, 2000) AS i;
SELECT mv_register('bagged', 'SELECT a, b FROM bag');
SELECT count(*) FROM mv_create('bagged');
INSERT INTO bag SELECT NULL, NULL FROM generate_series(1, 1100);
SELECT mode, rows, detail FROM mv_refresh('bagged');
SELECT count(*) FROM ((TABLE bag EXCEPT ALL TABLE bagged) UNION ALL (TABLE bagged EXCEPT ALL TABLE bag)) AS x;

-- Not populated: a swap, which locks nobody out meanwhile. Afterwards it is a view like others.
REFRESH MATERIALIZED VIEW bagged WITH NO DATA;
SELECT name, mode, reason FROM mv_plan('{bagged}');
SELECT mode, rows, detail FROM mv_refresh('bagged');
SELECT * FROM learned();

-- An index that is not valid: plain, which rebuilds it.
CREATE INDEX bagged_a ON bagged (a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'bagged_a'::regclass;
SELECT name, mode, reason FROM mv_plan('{bagged}');
SELECT mode, rows, detail FROM mv_refresh('bagged');
SELECT name, mode, reason FROM mv_plan('{bagged}');
SELECT indisvalid FROM pg_index WHERE indexrelid = 'bagged_a'::regclass;

-- Another access method: plain.
CREATE ACCESS METHOD regress_auto_heap TYPE TABLE HANDLER heap_tableam_handler;
SELECT mv_register('elsewhere', 'SELECT a FROM bag', options => '{"access_method": "regress_auto_heap"}');
SELECT count(*) FROM mv_create('elsewhere');
SELECT name, mode, reason FROM mv_plan('{elsewhere}');
SELECT status, mode, rows FROM mv_refresh('elsewhere');

-- A swap that fails where the diff gave up is the view's own failure, and teaches nothing.
INSERT INTO base SELECT id, version, doc || '.' FROM base;
SELECT name, status, mode, detail FROM mv_refresh_all(on_error => 'continue');
SELECT * FROM learned();
SELECT count(*) FROM docs;
DELETE FROM base WHERE doc NOT LIKE '%.';
SELECT name, status, mode, detail FROM mv_refresh_all(on_error => 'continue');
SELECT wrong(), out_of_order();
SELECT * FROM learned();

-- The table is nobody's but ours, and not dumped.
SELECT has_table_privilege('public', 'mv_orchestrator.learned', 'SELECT, INSERT, UPDATE, DELETE');
SELECT 'mv_orchestrator.learned'::regclass = ANY (extconfig) AS dumped FROM pg_extension WHERE extname = 'mv_orchestrator';

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SELECT * FROM learned();
DROP SCHEMA aut CASCADE;
DROP ACCESS METHOD regress_auto_heap;
