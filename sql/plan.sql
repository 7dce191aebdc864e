-- mv_plan: the steps that a run would take now, in which mode and why, without taking them.
CREATE SCHEMA pla;
SET search_path = pla, public;
CREATE TABLE base (id int);
INSERT INTO base VALUES (1);
SELECT mv_register('top', 'SELECT id FROM "Mid" UNION ALL SELECT id FROM base', depends_on => ARRAY['"Mid"']);
SELECT mv_register('"Mid"', 'SELECT id FROM bottom', depends_on => '{bottom}', mode => 'concurrent', unique_key => '{id}');
SELECT mv_register('bottom', 'SELECT id FROM base', mode => 'swap');
SELECT mv_register('beside', 'SELECT id FROM base');
SELECT mv_register('asleep', 'SELECT id FROM base', mode => 'diff', options => '{"enabled": false}');
SELECT count(*) FROM mv_create_all();

-- Who chose the mode: the call, the registration, the setting, nobody.
SELECT step, name, level, mode, reason FROM mv_plan();
SET mv_orchestrator.mode = 'diff';
SELECT step, name, level, mode, reason FROM mv_plan();
SELECT step, name, level, mode, reason FROM mv_plan(mode => 'plain');
SELECT step, name, level, mode, reason FROM mv_plan(mode => 'auto');
SELECT step, name, level, mode, reason FROM mv_plan(names => '{top, asleep, top}', on_error => 'continue', on_overlap => 'skip');
RESET mv_orchestrator.mode;
SELECT step, name, level, mode, reason FROM mv_plan('{}');

-- What it prints is what the run does and writes down.
DO $$
DECLARE
  setting text;
  names text[];
  mode text;
  seen record;
BEGIN
  FOREACH setting IN ARRAY '{auto, plain, diff}'::text[] LOOP
    PERFORM set_config('mv_orchestrator.mode', setting, true);
    FOREACH mode IN ARRAY '{NULL, auto, plain, swap, diff}'::text[] LOOP
      FOR i IN 0 .. 2 LOOP
        names := CASE i WHEN 1 THEN ARRAY['top', '"Mid"'] WHEN 2 THEN ARRAY['asleep', 'beside', 'bottom'] END;
        CREATE TEMP TABLE p ON COMMIT DROP AS SELECT p.step, p.name, p.mode, p.reason FROM mv_plan(names, mode) AS p;
        CREATE TEMP TABLE r ON COMMIT DROP AS SELECT r.step, r.name, r.mode FROM mv_refresh_all(names, mode) AS r;
        SELECT INTO STRICT seen
          (SELECT count(*) FROM p) AS planned,
          (SELECT count(*) FROM (SELECT step, name, p.mode FROM p EXCEPT ALL TABLE r) AS x) AS not_done,
          (SELECT count(*) FROM (TABLE r EXCEPT ALL SELECT step, name, p.mode FROM p) AS x) AS not_planned,
          (SELECT count(*) FROM (TABLE p EXCEPT ALL
             SELECT h.step, h.name, h.mode, h.reason FROM mv_orchestrator.history AS h WHERE run = (SELECT max(run) FROM mv_orchestrator.history)) AS x) AS not_written;
        IF seen.planned = 0 OR (seen.not_done, seen.not_planned, seen.not_written) <> (0, 0, 0) THEN
          RAISE NOTICE 'setting %, mode %, names %: %', setting, mode, names, seen;
        END IF;
        DROP TABLE p, r;
      END LOOP;
    END LOOP;
  END LOOP;
END
$$;

-- The same errors as the run's, and nothing is accepted that the run does not know.
\set VERBOSITY sqlstate
SELECT mv_plan('{nowhere}');
SELECT mv_plan('{top, NULL}');
SELECT mv_plan(mode => 'fast');
SELECT mv_plan(on_error => 'ignore');
SELECT mv_plan(on_overlap => 'queue');
SELECT mv_register('bottom', 'SELECT id FROM base', depends_on => '{beside}');
SELECT mv_register('beside', 'SELECT id FROM base', depends_on => '{top}');
SELECT mv_plan();
SELECT name FROM mv_plan('{beside}');
SELECT mv_register('beside', 'SELECT id FROM base');
SELECT mv_register('bottom', 'SELECT id FROM base', mode => 'swap');
SELECT mv_register('missing', 'SELECT 1 AS x');
SELECT mv_plan();
SELECT mv_unregister('missing');
CREATE ROLE regress_plan_stranger;
GRANT USAGE ON SCHEMA pla TO regress_plan_stranger;
SET ROLE regress_plan_stranger;
SELECT mv_plan();
SELECT mv_refresh_all();
RESET ROLE;
\set VERBOSITY default
SELECT count(*) FROM mv_plan(NULL, NULL, NULL, NULL);

-- It does nothing: in a read-only transaction, with no lock on anything of a user's, no row of history.
SELECT count(*) AS before FROM mv_orchestrator.history \gset
BEGIN READ ONLY;
SELECT count(*) FROM mv_plan();
SELECT count(*) FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
  WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'pla'::regnamespace;
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object';
SELECT mv_refresh_all();
ROLLBACK;
SELECT count(*) = :before AS same FROM mv_orchestrator.history;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA pla CASCADE;
DROP ROLE regress_plan_stranger;
