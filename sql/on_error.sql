-- on_error => 'continue': a failed view keeps its rows, what reads it is left out, the rest go on.
SET mv_orchestrator.mode = 'plain';
CREATE SCHEMA err;
SET search_path = err, public;
CREATE TABLE base (id int);
INSERT INTO base VALUES (1), (2);
CREATE TABLE divisor (x int);
INSERT INTO divisor VALUES (1);
-- a <- b (fails) <- c <- d;  a <- e;  f reads d and e;  _alone reads nothing of it.
SELECT mv_register('a', 'SELECT id FROM base');
SELECT mv_register('b', 'SELECT id / x AS id FROM a, divisor', depends_on => '{a}');
SELECT mv_register('c', 'SELECT id FROM b', depends_on => '{b}');
SELECT mv_register('d', 'SELECT id FROM c', depends_on => '{c}');
SELECT mv_register('e', 'SELECT id FROM a', depends_on => '{a}', unique_key => '{id}');
SELECT mv_register('f', 'SELECT id FROM d UNION ALL SELECT id FROM e', depends_on => '{d, e}');
SELECT mv_register('_alone', 'SELECT count(*) AS n FROM base');
SELECT count(*) FROM mv_create_all();

-- What all views hold, read by nothing but SELECT.
CREATE FUNCTION contents() RETURNS TABLE (view text, ids text) LANGUAGE sql AS $$
  SELECT '_alone', n::text FROM _alone
  UNION ALL SELECT view, string_agg(id::text, ' ' ORDER BY id) FROM (
    SELECT 'a' AS view, id FROM a UNION ALL SELECT 'b', id FROM b UNION ALL SELECT 'c', id FROM c
    UNION ALL SELECT 'd', id FROM d UNION ALL SELECT 'e', id FROM e UNION ALL SELECT 'f', id FROM f) AS v
  GROUP BY view ORDER BY 1
$$;
-- What the session would lose by an error that is not cleaned up.
CREATE VIEW session_state AS
  SELECT current_user, current_setting('search_path') AS path, current_setting('lock_timeout') AS lock_timeout,
         (SELECT count(*) FROM pg_cursors) AS cursors,
         (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object') AS run_locks,
         (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()) AS temporary,
         (SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'mv_orchestrator%') AS memory;

UPDATE divisor SET x = 0;
INSERT INTO base VALUES (3);
SELECT step, name, status, mode, rows, changed, elapsed >= '0' AS timed, detail FROM mv_refresh_all(on_error => 'continue');
SELECT * FROM contents();
SELECT * FROM session_state;
-- With 'stop', which is what is done unless told otherwise, nothing is changed.
INSERT INTO base VALUES (4);
SELECT mv_refresh_all(on_error => 'stop');
SELECT mv_refresh_all();
SELECT * FROM contents() WHERE view = 'a';
-- The scope decides which views are steps; only among them does a failure count.
SELECT name, status FROM mv_refresh('b', scope => 'downstream', on_error => 'continue');
SELECT name, status FROM mv_refresh('b', scope => 'upstream', on_error => 'continue');
SELECT name, status FROM mv_refresh('c', on_error => 'continue');
SELECT name, status FROM mv_refresh_all('{b, d, e}', on_error => 'continue');
SELECT * FROM contents();
-- Nothing fails: as without it.
UPDATE divisor SET x = 1;
SELECT name, status, detail FROM mv_refresh_all(on_error => 'continue');
SELECT * FROM contents();

-- In mode concurrent, each for a reason of its own; siblings go on.
INSERT INTO base VALUES (4);
SELECT name, status, detail FROM mv_refresh_all('{a, e}', on_error => 'continue', mode => 'concurrent');
SELECT mv_register('a', 'SELECT id FROM base', unique_key => '{id}');
DELETE FROM base;
INSERT INTO base VALUES (5);
SELECT action FROM mv_create('a');
SELECT name, status FROM mv_refresh_all('{a, e}', on_error => 'continue');
INSERT INTO base VALUES (5);
SELECT name, status, detail FROM mv_refresh_all('{a, _alone}', on_error => 'continue', mode => 'concurrent');
SELECT name, status, detail FROM mv_refresh_all('{a, _alone}', on_error => 'continue', mode => 'plain');
REFRESH MATERIALIZED VIEW e WITH NO DATA;
SELECT name, status, detail FROM mv_refresh('e', on_error => 'continue', mode => 'concurrent');
SELECT a.id, n FROM a, _alone;
SELECT * FROM session_state;
DELETE FROM base WHERE ctid = (SELECT max(ctid) FROM base);
SELECT name, status FROM mv_refresh_all(on_error => 'continue');

-- In modes swap and diff: the error of one undoes that one, what was exchanged before it is finished.
CREATE VIEW files AS SELECT name, pg_relation_filenode(name::regclass) AS file FROM unnest('{err.a, err.b, err.c, err.e}'::text[]) AS name;
CREATE TABLE files_before AS TABLE files;
UPDATE divisor SET x = 0;
SELECT name, status, changed FROM mv_refresh_all('{a, b, c, e}', on_error => 'continue', mode => 'swap');
SELECT name, f.file <> b.file AS new_file FROM files AS f JOIN files_before AS b USING (name) ORDER BY name COLLATE "C";
INSERT INTO base VALUES (6);
SELECT name, status, changed FROM mv_refresh_all('{a, b, c, e}', on_error => 'continue', mode => 'diff');
INSERT INTO base VALUES (6);
SELECT name, status, detail FROM mv_refresh_all('{a, e, _alone}', on_error => 'continue', mode => 'diff');
SELECT name, status, detail FROM mv_refresh_all('{a, e, _alone}', on_error => 'continue', mode => 'swap');
SELECT * FROM contents() WHERE view IN ('_alone', 'a', 'b', 'c', 'e');
DELETE FROM base WHERE ctid = (SELECT max(ctid) FROM base);
SELECT count(*) AS transient FROM pg_class WHERE relname ~ '^pg_temp';
UPDATE divisor SET x = 1;
DELETE FROM base WHERE id = 6;
SELECT name, status FROM mv_refresh_all(on_error => 'continue', mode => 'swap');
SELECT * FROM contents();
SELECT * FROM session_state;

-- Whatever a view's query raises: with DETAIL, of many lines, of its own SQLSTATE, in the role of its
-- owner, with something open.
CREATE ROLE regress_error_owner;
GRANT ALL ON SCHEMA err TO regress_error_owner;
CREATE TABLE fail (how text);
INSERT INTO fail VALUES ('no');
GRANT ALL ON ALL TABLES IN SCHEMA err TO regress_error_owner;
CREATE FUNCTION fail() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  how text := (SELECT fail.how FROM err.fail);
  opened CURSOR FOR SELECT * FROM err.base;
BEGIN
  OPEN opened;
  PERFORM set_config('search_path', 'nowhere', true);
  CASE how
    WHEN 'no' THEN RETURN 1;
    WHEN 'detail' THEN RAISE 'went wrong' USING ERRCODE = 'XX999', DETAIL = 'in two' || E'\n' || 'lines', HINT = 'hint';
    WHEN 'quotes' THEN RAISE '%', $q$it's "odd" \x {1,NULL} $1 100%$q$;
    WHEN 'cancel' THEN RAISE query_canceled;
    WHEN 'caught' THEN
      BEGIN
        RAISE division_by_zero;
      EXCEPTION WHEN division_by_zero THEN RAISE 'caught and raised anew';
      END;
  END CASE;
END
$$;
SET ROLE regress_error_owner;
SELECT mv_register('g', 'SELECT fail() AS x');
SELECT action FROM mv_create('g');
RESET ROLE;
UPDATE fail SET how = 'detail';
SELECT name, status, detail FROM mv_refresh_all('{g, _alone}', on_error => 'continue');
SELECT * FROM session_state;
SET ROLE regress_error_owner;
SELECT name, status, detail FROM mv_refresh('g', on_error => 'continue');
SELECT * FROM session_state;
RESET ROLE;
UPDATE fail SET how = 'quotes';
SELECT name, status, detail FROM mv_refresh('g', on_error => 'continue');
UPDATE fail SET how = 'caught';
SELECT name, status, detail FROM mv_refresh('g', on_error => 'continue');
-- A function that raises query_canceled itself has failed like any other; who cancels the run ends it.
UPDATE fail SET how = 'cancel';
SELECT name, status FROM mv_refresh_all('{g, _alone}', on_error => 'continue');
SELECT * FROM session_state;
UPDATE fail SET how = 'no';

-- An event trigger that refuses is an error of the view as well.
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT object_identity FROM pg_event_trigger_ddl_commands()) = 'err.b' THEN RAISE 'not this one'; END IF;
END
$$;
CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('REFRESH MATERIALIZED VIEW') EXECUTE FUNCTION refuse();
SELECT name, status, detail FROM mv_refresh_all('{a, b, c, e}', on_error => 'continue');
DROP EVENT TRIGGER refuse;

-- What is wrong with the run as a whole ends it: a view that is missing, a right that is.
INSERT INTO base VALUES (6);
SELECT mv_register('missing', 'SELECT 1 AS x');
SELECT mv_refresh_all(on_error => 'continue');
SELECT mv_unregister('missing');
SET ROLE regress_error_owner;
SELECT mv_refresh_all(on_error => 'continue');
RESET ROLE;
SELECT * FROM contents() WHERE view = 'a';

-- An edit that is not applied is told of views that are refreshed, not of those that failed.
SELECT mv_register('e', 'SELECT id + 0 AS id FROM a', depends_on => '{a}', unique_key => '{id}');
SELECT mv_register('b', 'SELECT 1 / x AS id FROM a, divisor', depends_on => '{a}');
UPDATE divisor SET x = 0;
SELECT name, status, detail FROM mv_refresh_all('{b, e}', on_error => 'continue');
UPDATE divisor SET x = 1;
SELECT name, status, detail FROM mv_refresh_all('{b, e}', on_error => 'continue');

-- In a transaction with savepoints and handlers, twice in one transaction and in one statement.
UPDATE divisor SET x = 0;
BEGIN;
SAVEPOINT s;
INSERT INTO base VALUES (7);
SELECT name, status FROM mv_refresh_all('{a, b, c}', on_error => 'continue');
SELECT * FROM contents() WHERE view IN ('a', 'b');
ROLLBACK TO s;
SELECT * FROM contents() WHERE view IN ('a', 'b');
INSERT INTO base VALUES (8);
SELECT name, status FROM mv_refresh_all('{a, b, c}', on_error => 'continue');
UPDATE divisor SET x = 1;
SELECT name, status FROM mv_refresh_all('{b, c}', on_error => 'continue');
COMMIT;
SELECT * FROM contents() WHERE view IN ('a', 'b', 'c');
UPDATE divisor SET x = 0;
SELECT s.name, s.status FROM generate_series(1, 2) AS i, LATERAL mv_refresh_all('{b, _alone}', on_error => left('continue', i + 7)) AS s;
DO $$
BEGIN
  INSERT INTO base VALUES (9);
  BEGIN
    PERFORM mv_refresh_all('{a, b}', on_error => 'continue');
    PERFORM mv_refresh_all('{a, b}', on_error => 'stop');
  EXCEPTION WHEN division_by_zero THEN
    RAISE NOTICE 'caught %', SQLERRM;
  END;
  PERFORM mv_refresh_all('{b, e}', on_error => 'continue');
END
$$;
SELECT * FROM contents() WHERE view IN ('a', 'b', 'e');
-- In the other isolation levels.
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT name, status FROM mv_refresh_all('{a, b, c, e}', on_error => 'continue');
COMMIT;
SELECT * FROM contents() WHERE view IN ('a', 'b', 'e');
-- Hundreds that fail leave nothing behind.
SELECT count(mv_register('many' || i, 'SELECT 1 / x AS x FROM divisor')) FROM generate_series(1, 300) AS i;
UPDATE divisor SET x = 1;
SELECT count(*) FROM mv_create_all((SELECT array_agg('many' || i) FROM generate_series(1, 300) AS i));
UPDATE divisor SET x = 0;
SET client_min_messages = error;
SELECT status, count(*) FROM mv_refresh_all((SELECT array_agg('many' || i) FROM generate_series(1, 300) AS i), on_error => 'continue') GROUP BY 1;
SELECT * FROM session_state;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
DROP SCHEMA err CASCADE;
DROP ROLE regress_error_owner;
