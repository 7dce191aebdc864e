-- mv_run(): each view is committed when it is done.
CREATE SCHEMA run;
SET search_path = run, public;
\pset format unaligned
\pset tuples_only on
CREATE TABLE base AS SELECT g AS id, g % 7 AS kind FROM generate_series(1, 70) g;
CREATE TABLE divisor AS SELECT 1 AS d;
SELECT mv_register('kinds', 'SELECT kind, count(*) AS n FROM base GROUP BY kind', unique_key => '{kind}');
SELECT mv_register('ratio', 'SELECT n / d AS n FROM kinds, divisor', mode => 'swap');
SELECT mv_register('total', 'SELECT sum(n) AS n FROM ratio', mode => 'diff');
SELECT mv_register('"Ids */ ""x"""', 'SELECT id FROM base', mode => 'plain');
SELECT mv_register('zeta', 'SELECT max(id) AS id FROM base', mode => 'diff');
SELECT * FROM mv_create_all();
-- What the run of that number or, without one, the last one left.
CREATE FUNCTION steps(n bigint DEFAULT NULL) RETURNS TABLE (line text) LANGUAGE sql AS $$
  SELECT concat_ws(' ', step, name, mode, status, rows, sqlstate, message) FROM mv_orchestrator.history
  WHERE run = coalesce(n, (SELECT max(run) FROM mv_orchestrator.history)) ORDER BY step $$;

CALL mv_run();
SELECT * FROM steps();
-- As many transactions as views.
INSERT INTO base VALUES (71, 0);
CALL mv_run();
SELECT * FROM steps();
SELECT count(DISTINCT c.xmin::text) FROM mv_orchestrator.run_step AS c WHERE run = (SELECT max(run) FROM mv_orchestrator.run_step);
-- A list, in the right order, and a mode for all.
CALL mv_run('{total, kinds}', mode => 'plain');
SELECT * FROM steps();
CALL mv_run('{}');
CALL mv_run(NULL, NULL, NULL, NULL, NULL);
SELECT * FROM steps();

-- A failure hurts only what depends on it. The rest is committed; then there is one error.
UPDATE divisor SET d = 0;
INSERT INTO base VALUES (72, 1);
\set VERBOSITY terse
CALL mv_run();
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM steps();
SELECT * FROM kinds ORDER BY kind LIMIT 2;
SELECT max(id) FROM "Ids */ ""x""";
SELECT min(n) FROM ratio;
-- With 'stop' what comes after it is not tried; what came before stays.
INSERT INTO base VALUES (73, 1);
CALL mv_run(on_error => 'stop');
SELECT * FROM steps();
SELECT n FROM kinds WHERE kind = 1;
-- It lists the first ten. The number of the run is the same in every database from here on.
ALTER SEQUENCE mv_orchestrator.run_id RESTART 5000001;
SELECT mv_register('fail_' || to_char(g, 'FM00'), 'SELECT 1 / d AS x FROM divisor') FROM generate_series(1, 12) g;
SELECT count(*) FROM mv_create_all(with_data => false);
\set VERBOSITY default
CALL mv_run();
\set VERBOSITY terse
SELECT count(*) FROM steps() WHERE line ~ 'failed';
SELECT count(mv_unregister(format('fail_%s', to_char(g, 'FM00')))) FROM generate_series(1, 12) g;
UPDATE divisor SET d = 1;
CALL mv_run();

-- A view that is gone fails alone.
DROP MATERIALIZED VIEW total;
CALL mv_run();
SELECT * FROM steps();
SELECT * FROM mv_create('total');

-- An edit that is not applied is said.
SELECT mv_register('total', 'SELECT sum(n) + 1 AS n FROM ratio', mode => 'diff');
CALL mv_run();
SELECT * FROM steps();
SELECT mv_register('total', 'SELECT sum(n) AS n FROM ratio', mode => 'diff');

-- Where its transactions are not its own.
\set VERBOSITY default
BEGIN;
CALL mv_run();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
SAVEPOINT s;
CALL mv_run();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT 1\; CALL mv_run();
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION in_function() RETURNS void LANGUAGE plpgsql AS $$BEGIN CALL mv_run(); END$$;
SELECT in_function();
\echo :LAST_ERROR_SQLSTATE
DO $$BEGIN CALL mv_run(); EXCEPTION WHEN division_by_zero THEN NULL; END$$;
\echo :LAST_ERROR_SQLSTATE
CREATE PROCEDURE with_setting() LANGUAGE plpgsql SET work_mem = '4MB' AS $$BEGIN CALL mv_run(); END$$;
CALL with_setting();
\echo :LAST_ERROR_SQLSTATE
CREATE PROCEDURE definer() LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN CALL mv_run(); END$$;
CALL definer();
\echo :LAST_ERROR_SQLSTATE
BEGIN READ ONLY;
CALL mv_run();
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SET default_transaction_read_only = on;
CALL mv_run();
\echo :LAST_ERROR_SQLSTATE
RESET default_transaction_read_only;
\set VERBOSITY terse
-- Where they are.
DO $$BEGIN CALL mv_run('{kinds}'); CALL mv_run('{kinds}'); END$$;
CREATE PROCEDURE for_each() LANGUAGE plpgsql AS $$
DECLARE v record;
BEGIN
  INSERT INTO base VALUES (74, 2);
  FOR v IN SELECT name FROM mv_order() ORDER BY step LOOP
    CALL mv_run(ARRAY[v.name]);
  END LOOP;
  INSERT INTO base VALUES (75, 2);
  ROLLBACK;
END $$;
CALL for_each();
SELECT max(id) FROM base;
SELECT * FROM total;

-- What its caller did before the call and cannot be committed is an error, and nothing is refreshed.
CREATE TABLE once (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
DO $$BEGIN INSERT INTO once VALUES (1), (1); CALL mv_run(); END$$;
\echo :LAST_ERROR_SQLSTATE
DO $$
DECLARE v record;
BEGIN
  FOR v IN SELECT 1 / (500 - g) FROM generate_series(1, 1000) g LOOP CALL mv_run('{kinds}'); END LOOP;
END $$;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object';

-- A commit that fails is a failure of its view, is tried again where that may help, and goes on with
-- the run locks.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.view_name = 'kinds' AND NEW.sqlstate IS NULL THEN
    RAISE EXCEPTION 'refused' USING ERRCODE = current_setting('run.code');
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON mv_orchestrator.run_step
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
SET run.code = '23505';
INSERT INTO base VALUES (76, 2);
CALL mv_run();
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM steps();
SET run.code = '40001';
CALL mv_run('{kinds}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM steps();
DROP TRIGGER refuse ON mv_orchestrator.run_step;
DELETE FROM base WHERE id = 76;
CALL mv_run();
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object';

-- Whoever writes the comment of a run himself cannot make mv_orchestrator.progress fail for others.
BEGIN;
SELECT status FROM mv_refresh_all('{kinds}');
/* mv_orchestrator run 7, step 1 of 2, query: run.kinds */ SELECT run, step, steps, name, phase FROM mv_orchestrator.progress;
SELECT pg_stat_clear_snapshot();
/* mv_orchestrator run 99999999999999999999, step 1 of 2, query */ SELECT run FROM mv_orchestrator.progress;
SELECT pg_stat_clear_snapshot();
/* mv_orchestrator, step 9999999999 of 2, query */ SELECT run FROM mv_orchestrator.progress;
SELECT pg_stat_clear_snapshot();
/* mv_orchestrator run 7, step 1 of 2, index 1 of 2: run."cut */ SELECT run, step, name, phase FROM mv_orchestrator.progress;
SELECT pg_stat_clear_snapshot();
/* mv_orchestrator, step 999999999 of 999999999, query */ SELECT step FROM mv_orchestrator.progress;
COMMIT;

-- Arguments.
CALL mv_run(jobs => -1);
CALL mv_run(jobs => 0);
CALL mv_run('{kinds}', jobs => NULL);
-- One view is no work for two; and nobody has more than the server's owner allows.
CALL mv_run('{kinds}', jobs => 2147483647);
SELECT pid = pg_backend_pid() AS own FROM mv_orchestrator.history ORDER BY run DESC LIMIT 1;
SET mv_orchestrator.max_jobs = 1;
CALL mv_run('{kinds}', jobs => 2);
RESET mv_orchestrator.max_jobs;
CALL mv_run('{kinds}', 1);
CALL mv_run(mode => 'fast');
CALL mv_run(on_error => 'ignore');
CALL mv_run(on_overlap => 'queue');
CALL mv_run('{nothing}');
CALL mv_run(ARRAY[NULL]);
CALL mv_run(ARRAY['"Ids */ ""x"""']);

-- Rights are those of mv_refresh_all(), for all before the first.
CREATE ROLE regress_run_other;
GRANT USAGE ON SCHEMA run TO regress_run_other;
SET ROLE regress_run_other;
CALL mv_run();
CALL mv_run('{kinds}');
RESET ROLE;
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object';

-- In the other isolation levels, too.
SET default_transaction_isolation = 'repeatable read';
INSERT INTO base VALUES (76, 3);
CALL mv_run();
SET default_transaction_isolation = 'serializable';
INSERT INTO base VALUES (77, 3);
CALL mv_run();
SELECT * FROM steps();
RESET default_transaction_isolation;
SELECT n FROM kinds WHERE kind = 3;

-- The session is as it was.
SHOW lock_timeout;
SELECT current_user = session_user, current_setting('search_path');
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object';
DROP SCHEMA run CASCADE;
DROP OWNED BY regress_run_other;
DROP ROLE regress_run_other;
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
