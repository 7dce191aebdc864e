-- Limits of one view: options of its registration, and settings.
CREATE SCHEMA lim;
SET search_path = lim, public;
SET mv_orchestrator.mode = 'plain';
\pset format unaligned
\pset tuples_only on
-- Sleeps as long as the table says when the view is refreshed.
CREATE TABLE pause AS SELECT 0.0 AS seconds;
CREATE FUNCTION slow() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_sleep(seconds) FROM lim.pause;
  RETURN 1;
END $$;
-- Does not let itself be cancelled, once.
CREATE FUNCTION stubborn() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    PERFORM pg_sleep(30 * seconds) FROM lim.pause;
  EXCEPTION WHEN query_canceled THEN
    PERFORM pg_sleep(30);
  END;
  RETURN 1;
END $$;
CREATE FUNCTION steps() RETURNS TABLE (line text) LANGUAGE sql AS $$
  SELECT concat_ws(' ', step, name, status, sqlstate, message, detail) FROM mv_orchestrator.history
  WHERE run = (SELECT max(run) FROM mv_orchestrator.history) ORDER BY step $$;

SELECT mv_register('a_fast', 'SELECT 1 AS x');
SELECT mv_register('b_slow', 'SELECT slow() AS x', options => '{"view_timeout": "100ms"}');
SELECT mv_register('c_reads', 'SELECT x FROM b_slow');
SELECT mv_register('d_fast', 'SELECT 1 AS x');
SELECT count(*) FROM mv_create_all();
UPDATE pause SET seconds = 60;

-- The view that takes too long fails, and the rest go on.
\set VERBOSITY terse
CALL mv_run();
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM steps();
SELECT name, status, detail FROM mv_refresh_all(on_error => 'continue');
-- With 'stop' it is the call's error.
SELECT * FROM mv_refresh('b_slow');
\echo :LAST_ERROR_SQLSTATE
-- Nothing of the limit is left.
SELECT pg_sleep(0.2);
BEGIN;
SELECT status FROM mv_refresh_all('{b_slow}', on_error => 'continue');
SELECT pg_sleep(0.2);
COMMIT;

-- In every mode, and while it waits for rows, builds or compares.
SELECT status FROM mv_refresh_all('{b_slow}', mode => 'swap', on_error => 'continue');
SELECT status FROM mv_refresh_all('{b_slow}', mode => 'diff', on_error => 'continue');

-- The option comes before the setting, zero turns the limit off, and both have the server's units.
SET mv_orchestrator.view_timeout = '100ms';
UPDATE pause SET seconds = 0.3;
SELECT mv_register('b_slow', 'SELECT slow() AS x', options => '{"view_timeout": 0}');
SELECT status FROM mv_refresh_all('{b_slow}', on_error => 'continue');
SELECT mv_register('b_slow', 'SELECT slow() AS x', options => '{"view_timeout": "1min"}');
SELECT status FROM mv_refresh_all('{b_slow}', on_error => 'continue');
SELECT mv_register('b_slow', 'SELECT slow() AS x', options => '{"view_timeout": null}');
SELECT status FROM mv_refresh_all('{b_slow}', on_error => 'continue');
RESET mv_orchestrator.view_timeout;
SELECT mv_register('b_slow', 'SELECT slow() AS x', options => '{"view_timeout": 100}');
SELECT status FROM mv_refresh_all('{b_slow}', on_error => 'continue');

-- The limit is for each view: three that stay below it together take longer.
UPDATE pause SET seconds = 1;
SELECT mv_register('s' || i, 'SELECT slow() AS x', options => '{"view_timeout": "2.5s"}') FROM generate_series(1, 3) i;
SELECT count(*) FROM mv_create_all('{s1,s2,s3}', with_data => false);
SELECT name, status FROM mv_refresh_all('{s1,s2,s3}', on_error => 'continue');

-- Whoever survives the first cancel meets another one.
SELECT mv_register('stubborn', 'SELECT stubborn() AS x', options => '{"view_timeout": "100ms"}');
SELECT count(*) FROM mv_create('stubborn', with_data => false);
SELECT status, detail FROM mv_refresh_all('{stubborn}', on_error => 'continue');

-- A limit of the server's is none of a view's: it ends the run.
UPDATE pause SET seconds = 60;
SET mv_orchestrator.view_timeout = '30s';
SELECT mv_register('b_slow', 'SELECT slow() AS x');
SET statement_timeout = '1s';
CALL mv_run('{b_slow, d_fast}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM mv_refresh_all('{b_slow, d_fast}', on_error => 'continue');
RESET statement_timeout;
SELECT * FROM steps();

-- A view's function may refresh another view: the limit of the first one counts for both, and goes on
-- after it. Once it is off, who is cancelled is told so.
CREATE FUNCTION nested() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  PERFORM status FROM public.mv_refresh('lim.d_fast');
  PERFORM pg_sleep(seconds) FROM lim.pause;
  RETURN 1;
END $$;
SELECT mv_register('e_nested', 'SELECT nested() AS x');
UPDATE pause SET seconds = 0;
SET mv_orchestrator.view_timeout = '1min';
SELECT * FROM mv_create('e_nested');
SELECT status FROM mv_refresh('e_nested');
SET statement_timeout = '100ms';
SELECT pg_sleep(60);
RESET statement_timeout;
UPDATE pause SET seconds = 60;
SET mv_orchestrator.view_timeout = '500ms';
SELECT status, detail FROM mv_refresh_all('{e_nested}', on_error => 'continue');

DROP SCHEMA lim CASCADE;
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
