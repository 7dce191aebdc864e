-- mv_orchestrator.history: every step of every run, for those whom it concerns, as long as it is kept.
SET mv_orchestrator.mode = 'plain';
\getenv builddir PG_ABS_BUILDDIR
\set module :builddir '/test/bridge/bridge_test.so'
TRUNCATE mv_orchestrator.run_step;
CREATE SCHEMA his;
SET search_path = his, public;
CREATE TABLE base (id int);
INSERT INTO base VALUES (1), (2);
CREATE TABLE fail (message text, detail text);
GRANT SELECT ON fail TO PUBLIC;
CREATE FUNCTION fail() RETURNS int LANGUAGE plpgsql AS $$
DECLARE f his.fail := (SELECT f FROM his.fail AS f);
BEGIN
  IF f.message IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'XX999', MESSAGE = f.message, DETAIL = coalesce(f.detail, '');
  END IF;
  RETURN 1;
END
$$;
SELECT mv_register('a', 'SELECT id FROM base', unique_key => '{id}');
SELECT mv_register('"B b"', 'SELECT fail() AS x', depends_on => '{a}', mode => 'plain');
SELECT mv_register('c', 'SELECT x FROM "B b"', depends_on => ARRAY['"B b"']);
SELECT count(*) FROM mv_create_all();
SELECT count(*) FROM mv_orchestrator.history;

-- What a run returned is what is written, and each step begins where the one before it ended.
CREATE FUNCTION last_run() RETURNS bigint LANGUAGE sql AS $$ SELECT max(run) FROM mv_orchestrator.history $$;
CREATE VIEW last AS SELECT * FROM mv_orchestrator.history WHERE run = his.last_run() ORDER BY step;
CREATE TABLE told (step int, name text, status text, mode text, rows bigint, changed bigint, elapsed interval, detail text, at timestamptz);
CREATE FUNCTION compare() RETURNS TABLE (steps bigint, not_written bigint, not_told bigint, gaps bigint, begins boolean) LANGUAGE sql AS $$
  WITH h AS (SELECT step, name, status, mode, rows, changed, elapsed FROM his.last),
       t AS (SELECT step, name, status, mode, rows, changed, elapsed FROM his.told)
  SELECT (SELECT count(*) FROM his.told),
         (SELECT count(*) FROM (TABLE t EXCEPT ALL TABLE h) AS x), (SELECT count(*) FROM (TABLE h EXCEPT ALL TABLE t) AS x),
         (SELECT count(*) FROM (SELECT started <> lag(started + elapsed) OVER (ORDER BY step) AS gap FROM his.last) AS x WHERE gap),
         (SELECT min(started) BETWEEN (SELECT at FROM his.told LIMIT 1) AND clock_timestamp() AND max(started + elapsed) <= clock_timestamp() FROM his.last)
$$;
BEGIN;
INSERT INTO told SELECT *, now() FROM mv_refresh_all();
SELECT * FROM compare();
COMMIT;
SELECT step, name, mode, reason, status, rows, changed, sqlstate, message, detail, role FROM last;
TRUNCATE told;
INSERT INTO fail VALUES ('failed', 'of what');
BEGIN;
INSERT INTO told SELECT *, now() FROM mv_refresh_all(mode => 'diff', on_error => 'continue');
SELECT * FROM compare();
COMMIT;
SELECT step, name, mode, reason, status, rows, changed, sqlstate, message, detail FROM last;
SELECT count(DISTINCT run) AS runs, count(*) AS steps FROM mv_orchestrator.history;
-- What there is to say of a step that did not fail is its message.
SELECT mv_register('a', 'SELECT id + 0 AS id FROM base', unique_key => '{id}');
SELECT detail FROM mv_refresh('a');
SELECT status, sqlstate, message, detail FROM last;
SELECT mv_register('a', 'SELECT id FROM base', unique_key => '{id}');
-- A run of no steps is none.
SELECT last_run() AS before \gset
SELECT count(*) FROM mv_refresh_all('{}');
SELECT last_run() = :before AS same;

-- Texts as they are: quotes, lines, what looks like an array, a format or a parameter.
UPDATE fail SET message = E'it''s "odd" \\ {1,NULL,"x"} $1 100% %s\n\ttwo', detail = E'{"a": NULL}\n''; DROP TABLE base; --';
SELECT count(*) FROM mv_refresh('"B b"', on_error => 'continue');
SELECT h.message = f.message AS message, h.detail = f.detail AS detail FROM last AS h, fail AS f;
UPDATE fail SET message = '', detail = '';
SELECT status, detail FROM mv_refresh('"B b"', on_error => 'continue');
SELECT sqlstate, message, detail FROM last;
-- A row stays under a kilobyte, however long they are: cut between two characters.
SELECT format('%I', repeat('s', 63)) AS long_schema, format('%I', repeat('v', 63)) AS long_view \gset
CREATE SCHEMA :long_schema;
SELECT mv_register(:'long_schema' || '.' || :'long_view', 'SELECT his.fail() AS x');
UPDATE fail SET message = NULL;
SELECT action FROM mv_create(:'long_schema' || '.' || :'long_view');
CREATE FUNCTION fits(letter text) RETURNS TABLE (width int, fits boolean, message_cut boolean, detail_cut boolean, whole boolean) LANGUAGE plpgsql AS $$
DECLARE seen mv_orchestrator.history;
BEGIN
  FOR shift IN 0 .. 3 LOOP
    UPDATE his.fail SET message = repeat('.', shift) || repeat(letter, 3000), detail = repeat('.', shift) || repeat(letter, 3000);
    PERFORM mv_refresh(repeat('s', 63) || '.' || repeat('v', 63), on_error => 'continue');
    SELECT * INTO seen FROM his.last;
    width := octet_length(letter);
    fits := (SELECT pg_column_size(s) < 1024 FROM mv_orchestrator.run_step AS s WHERE run = seen.run);
    message_cut := octet_length(seen.message) BETWEEN 310 AND 320;
    detail_cut := octet_length(seen.detail) BETWEEN 230 AND 240;
    whole := (SELECT seen.message = left(message, length(seen.message) - 3) || '...' AND seen.detail = left(detail, length(seen.detail) - 3) || '...' FROM his.fail);
    RETURN NEXT;
  END LOOP;
END
$$;
SET client_min_messages = error;
SELECT f.*, count(*) FROM (VALUES ('x'), (U&'\00e4'), (U&'\20ac'), (U&'\+01f600')) AS c (c), fits(c) AS f GROUP BY 1, 2, 3, 4, 5 ORDER BY 1;
-- Exactly as long as there is room for: not cut.
UPDATE fail SET message = repeat('m', 320), detail = repeat('d', 240);
SELECT count(*) FROM mv_refresh('"B b"', on_error => 'continue');
SELECT message = repeat('m', 320) AS message, detail = repeat('d', 240) AS detail FROM last;
-- Bytes that are no text, as an error of a foreign server can have them.
CREATE FUNCTION bridge_raise(message bytea, detail bytea) RETURNS int AS :'module' LANGUAGE C;
SELECT mv_register('bytes', 'SELECT bridge_raise(message, detail) AS x FROM bytes_of_error');
CREATE TABLE bytes_of_error (message bytea, detail bytea);
SELECT action FROM mv_create('bytes');
INSERT INTO bytes_of_error VALUES ('\x61ff62c3', '\xe282ace282');
SELECT status, detail FROM mv_refresh('bytes', on_error => 'continue');
SELECT message, detail = U&'\20ac??' AS detail FROM last;
UPDATE bytes_of_error SET message = convert_to(repeat('x', 316), 'UTF8') || '\xe282'::bytea || convert_to(repeat('y', 100), 'UTF8'), detail = '\xf0';
SELECT status FROM mv_refresh('bytes', on_error => 'continue');
SELECT message = repeat('x', 316) || '?...' AS message, detail FROM last;
SELECT count(*) FROM mv_drop('bytes');
SELECT count(*) FROM mv_drop(:'long_schema' || '.' || :'long_view');
SELECT count(mv_unregister(n)) FROM unnest(ARRAY['bytes', :'long_schema' || '.' || :'long_view']) AS n;
UPDATE fail SET message = NULL, detail = NULL;

-- What is rolled back was not: a run that fails, a savepoint, a handler.
SELECT last_run() AS before \gset
UPDATE fail SET message = 'no';
SELECT mv_refresh_all();
BEGIN;
SELECT count(*) FROM mv_refresh_all('{a}');
SAVEPOINT s;
SELECT count(*) FROM mv_refresh_all('{a}');
SELECT count(*) FROM mv_refresh_all(on_error => 'continue');
SELECT count(DISTINCT run) AS runs, count(*) AS steps FROM mv_orchestrator.history WHERE run > :before;
ROLLBACK TO s;
SELECT count(*) FROM mv_refresh_all(on_error => 'continue');
COMMIT;
SELECT run - :before > 1 AS later, string_agg(status, ' ' ORDER BY step) FROM mv_orchestrator.history WHERE run > :before GROUP BY run ORDER BY run;
SELECT last_run() AS before \gset
DO $$
BEGIN
  PERFORM mv_refresh_all('{a}');
  BEGIN
    PERFORM mv_refresh_all('{a}');
    PERFORM mv_refresh_all();
  EXCEPTION WHEN OTHERS THEN
    PERFORM mv_refresh('a', mode => 'swap');
  END;
END
$$;
SELECT name, mode FROM mv_orchestrator.history WHERE run > :before ORDER BY run;
UPDATE fail SET message = NULL;
-- In the other isolation levels too.
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM mv_refresh_all();
COMMIT;
SELECT string_agg(status, ' ' ORDER BY step) FROM last;

-- Whose call it was, and who sees it. A mere owner has no right on the table, and needs none.
CREATE ROLE regress_history_anna;
CREATE ROLE regress_history_ben;
CREATE ROLE regress_history_monitor IN ROLE pg_monitor;
CREATE ROLE regress_history_member IN ROLE regress_history_anna;
CREATE ROLE regress_history_distant NOINHERIT IN ROLE regress_history_anna;
GRANT ALL ON SCHEMA his TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA his TO PUBLIC;
SELECT last_run() AS before \gset
SET ROLE regress_history_anna;
SELECT mv_register('annas', 'SELECT fail() AS x');
SELECT action FROM mv_create('annas');
RESET ROLE;
UPDATE fail SET message = 'her message', detail = 'her detail';
SET ROLE regress_history_anna;
SELECT status FROM mv_refresh('annas', on_error => 'continue');
SELECT name, status, message, detail, role FROM mv_orchestrator.history;
SELECT * FROM mv_orchestrator.run_step;
INSERT INTO mv_orchestrator.run_step (run) VALUES (1);
DELETE FROM mv_orchestrator.history;
SELECT nextval('mv_orchestrator.run_id');
RESET ROLE;
-- As which role the function ran counts: a superuser who calls, a function that is somebody's.
SELECT status FROM mv_refresh('annas', on_error => 'continue');
CREATE FUNCTION as_definer() RETURNS text SECURITY DEFINER LANGUAGE sql AS $$ SELECT status FROM mv_refresh('his.annas', on_error => 'continue') $$;
ALTER FUNCTION as_definer() OWNER TO regress_history_anna;
SELECT as_definer();
SELECT CASE WHEN role = current_user THEN 'caller' ELSE role END AS role FROM mv_orchestrator.history WHERE run > :before ORDER BY run;

CREATE FUNCTION seen_by(who name) RETURNS TABLE (name name, rows bigint, message text, detail text) LANGUAGE plpgsql AS $$
DECLARE before text := current_user;
BEGIN
  EXECUTE format('SET ROLE %I', who);
  RETURN QUERY SELECT who, count(*), max(h.message), max(h.detail) FROM mv_orchestrator.history AS h WHERE h.name = 'his.annas';
  EXECUTE format('SET ROLE %I', before);
END
$$;
CREATE VIEW seen AS SELECT s.* FROM unnest(ARRAY['postgres', 'regress_history_anna', 'regress_history_ben', 'regress_history_member',
  'regress_history_distant', 'regress_history_monitor']::name[]) AS r, seen_by(CASE r WHEN 'postgres' THEN current_user ELSE r END) AS s;
SELECT replace(name, current_user, 'superuser') AS who, rows, message, detail FROM seen;
-- A condition that tells what it sees is not asked about rows that are not shown.
CREATE FUNCTION tell(text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'told: %', $1; RETURN true; END $$;
SET client_min_messages = notice;
SET ROLE regress_history_ben;
SELECT count(*) FROM mv_orchestrator.history WHERE tell(name) AND tell(message) AND tell(detail);
SELECT count(*) FROM mv_orchestrator.status WHERE tell(name) AND tell(last_error);
RESET ROLE;
SET client_min_messages = error;
-- Where the view is given to somebody, he sees what was done, and not what the errors said.
ALTER MATERIALIZED VIEW annas OWNER TO regress_history_ben;
SELECT replace(name, current_user, 'superuser') AS who, rows, message, detail FROM seen;
-- So it is with a view of that name that somebody makes when hers is gone.
ALTER MATERIALIZED VIEW annas OWNER TO regress_history_anna;
SET ROLE regress_history_anna;
DROP MATERIALIZED VIEW annas;
SET ROLE regress_history_ben;
CREATE MATERIALIZED VIEW annas AS SELECT 1 AS x;
RESET ROLE;
SELECT replace(name, current_user, 'superuser') AS who, rows, message, detail FROM seen;
-- With no view at all it is the registration's owner, without one who owned it then, without him nobody.
DROP MATERIALIZED VIEW annas;
SELECT replace(name, current_user, 'superuser') AS who, rows FROM seen;
SELECT mv_unregister('annas');
SELECT replace(name, current_user, 'superuser') AS who, rows FROM seen;
DROP OWNED BY regress_history_anna;
DROP ROLE regress_history_anna, regress_history_member, regress_history_distant;
SELECT replace(s.name, current_user, 'superuser') AS who, s.rows, message, detail FROM unnest('{regress_history_ben, regress_history_monitor}'::name[]) AS r, seen_by(r) AS s;
-- An object that is no materialized view makes nobody an owner.
SET ROLE regress_history_ben;
CREATE TABLE annas (x int);
SELECT count(*) FROM mv_orchestrator.history;
DROP TABLE annas;
RESET ROLE;

-- What is older than the setting says is forgotten by the next run, a thousand rows and more at a time.
UPDATE fail SET message = NULL;
CREATE FUNCTION age(run_ bigint, days int, copies int = 1) RETURNS void LANGUAGE sql AS $$
  INSERT INTO mv_orchestrator.run_step (run, step, schema_name, view_name, mode, reason, status, started, elapsed, role)
  SELECT run_, i, 'his', 'old', 'plain', 'default', 'refreshed', now() - days * interval '1 day', '1 s', 'nobody' FROM generate_series(1, copies) AS i
$$;
CREATE VIEW old AS SELECT run, count(*) FROM mv_orchestrator.history WHERE run < 0 GROUP BY run ORDER BY run;
SHOW mv_orchestrator.history_retention;
SELECT age(-1, 91), age(-2, 89), age(-3, 10000);
SELECT * FROM old;
SELECT count(*) FROM mv_refresh('a');
SELECT * FROM old;
SET mv_orchestrator.history_retention = '1000h';
SELECT count(*) FROM mv_refresh('a');
SELECT * FROM old;
SET mv_orchestrator.history_retention = -1;
SELECT age(-4, 100000);
SELECT count(*) FROM mv_refresh('a');
SELECT * FROM old;
-- Not where it could fail.
RESET mv_orchestrator.history_retention;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM mv_refresh('a');
COMMIT;
SELECT * FROM old;
SELECT age(-5, 91, 1500);
SELECT count(*) FROM mv_refresh('a');
SELECT sum(count) FROM old;
SELECT count(*) FROM mv_refresh('a');
SELECT * FROM old;
-- A run that is undone has forgotten nothing.
SELECT age(-6, 91);
BEGIN;
SELECT count(*) FROM mv_refresh('a');
ROLLBACK;
SELECT * FROM old;
-- Zero keeps nothing.
SET mv_orchestrator.history_retention = 0;
SELECT count(*) FROM mv_refresh('a');
SELECT count(*) FROM mv_orchestrator.history;
RESET mv_orchestrator.history_retention;
-- It is not everybody's to decide.
SET ROLE regress_history_ben;
SET mv_orchestrator.history_retention = 0;
RESET ROLE;
SET mv_orchestrator.history_retention = -2;

-- Nobody's objects of the same names come in between.
CREATE SCHEMA his_trap;
CREATE FUNCTION his_trap.caught(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE OPERATOR his_trap.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = his_trap.caught);
CREATE OPERATOR his_trap.< (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = his_trap.caught);
CREATE FUNCTION his_trap.caught(real, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE OPERATOR his_trap.= (LEFTARG = real, RIGHTARG = int, FUNCTION = his_trap.caught);
CREATE OPERATOR his_trap.>= (LEFTARG = real, RIGHTARG = int, FUNCTION = his_trap.caught);
CREATE FUNCTION his_trap.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION his_trap.nextval(regclass) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION his_trap.pg_has_role(name, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE TABLE his_trap.run_step (x int);
CREATE TEMP TABLE run_step (x int);
CREATE TEMP TABLE pg_class (x int);
SET search_path = his_trap, pg_catalog, his, public;
SELECT status FROM mv_refresh('a');
SELECT count(*) AS steps FROM mv_orchestrator.history;
SELECT count(*) AS views FROM mv_orchestrator.status;
RESET search_path;
SET search_path = his, public;
DROP TABLE pg_temp.run_step, pg_temp.pg_class;

-- It goes with the extension, and a new one begins anew.
BEGIN;
DROP EXTENSION mv_orchestrator CASCADE;
-- Built with such objects in its own schema, too.
CREATE EXTENSION mv_orchestrator SCHEMA his_trap;
SET LOCAL search_path = his, his_trap;
SELECT his_trap.mv_register('a', 'SELECT id FROM base');
SELECT name, status FROM his_trap.mv_refresh('a');
SELECT run, step, name, status FROM mv_orchestrator.history;
SELECT name, exists, last_status FROM mv_orchestrator.status;
ROLLBACK;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
-- Nor by a setting from before the library is there.
\c -
SET SESSION AUTHORIZATION regress_history_ben;
SET mv_orchestrator.history_retention = 0;
SELECT count(*) FROM mv_order();
SHOW mv_orchestrator.history_retention;
RESET SESSION AUTHORIZATION;

SET client_min_messages = error;
TRUNCATE mv_orchestrator.run_step;
DROP SCHEMA his, his_trap CASCADE;
DROP SCHEMA :long_schema CASCADE;
DROP ROLE regress_history_ben, regress_history_monitor;
