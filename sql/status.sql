-- mv_orchestrator.status: one row for each registered view, from catalogs and history.
SET mv_orchestrator.mode = 'plain';
TRUNCATE mv_orchestrator.run_step;
CREATE SCHEMA sta;
SET search_path = sta, public;
CREATE TABLE base (id int);
INSERT INTO base SELECT generate_series(1, 1000);
CREATE TABLE divisor (x int);
INSERT INTO divisor VALUES (1);
SELECT mv_register('"A a"', 'SELECT id, (SELECT string_agg(md5((100 * id + i)::text), '''') FROM generate_series(1, 100) AS i) AS long FROM base',
  unique_key => '{id}', mode => 'diff', options => '{"with": {"autovacuum_enabled": false, "toast.autovacuum_enabled": false}}');
SELECT mv_register('b', 'SELECT id / x AS id FROM "A a", divisor', depends_on => ARRAY['"A a"'], options => '{"with": {"autovacuum_enabled": false}}');
SELECT mv_register('c', 'SELECT count(*) AS n FROM b', depends_on => '{b}', options => '{"with": {"autovacuum_enabled": false}}');
SELECT mv_register('not_yet', 'SELECT 1 AS x');
CREATE VIEW short AS SELECT name, owner = current_user AS mine, exists, populated, mode, last_status, rows, last_error FROM mv_orchestrator.status ORDER BY name;

-- Before anything is there; after creation; after runs that go well, and not.
SELECT * FROM short;
SELECT count(*) FROM mv_create_all('{"\"A a\"", b}');
SELECT count(*) FROM mv_create('c', with_data => false);
SELECT * FROM short;
SELECT exists, rows FROM mv_orchestrator.status WHERE schema_name = 'sta' AND view_name = 'b';
SELECT status, rows FROM mv_refresh_all('{"\"A a\"", b, c}');
SELECT * FROM short;
DELETE FROM base WHERE id > 900;
UPDATE divisor SET x = 0;
SET client_min_messages = error;
SELECT status, rows FROM mv_refresh_all('{"\"A a\"", b, c}', on_error => 'continue');
RESET client_min_messages;
SELECT * FROM short;
-- The moments are those of the history.
SELECT s.name, s.last_success = (SELECT max(h.started + h.elapsed) FROM mv_orchestrator.history AS h WHERE h.name = s.name AND h.status IN ('refreshed', 'unchanged')) AS success,
       s.last_failure = (SELECT max(h.started + h.elapsed) FROM mv_orchestrator.history AS h WHERE h.name = s.name AND h.status IN ('failed', 'upstream_failed')) AS failure,
       s.last_failure > s.last_success AS fails,
       s.last_elapsed = (SELECT h.elapsed FROM mv_orchestrator.history AS h WHERE h.name = s.name AND h.status IN ('refreshed', 'unchanged') ORDER BY run DESC LIMIT 1) AS elapsed
  FROM mv_orchestrator.status AS s ORDER BY name;
UPDATE divisor SET x = 1;
SELECT status, rows FROM mv_refresh_all('{"\"A a\"", b, c}');
SELECT name, last_status, rows, last_failure < last_success AS recovered, last_error FROM mv_orchestrator.status ORDER BY name;

-- The size is what the server's own functions measure, as long as its counts are fresh; unknown before it has counted.
VACUUM ANALYZE "A a";
SELECT name, size = pg_total_relation_size(format('%I.%I', schema_name, view_name)::regclass)
         - pg_relation_size(format('%I.%I', schema_name, view_name)::regclass, 'fsm') - pg_relation_size(format('%I.%I', schema_name, view_name)::regclass, 'vm')
         - pg_relation_size(c.reltoastrelid, 'fsm') - pg_relation_size(c.reltoastrelid, 'vm') AS right, size > 1000000 AS large
  FROM mv_orchestrator.status JOIN pg_class AS c ON c.oid = to_regclass(name) WHERE view_name = 'A a';
SELECT size FROM mv_orchestrator.status WHERE view_name = 'c';
ANALYZE c;
SELECT size = pg_relation_size('c') FROM mv_orchestrator.status WHERE view_name = 'c';
-- Rows that no run has counted are the server's estimate.
TRUNCATE mv_orchestrator.run_step;
SELECT name, rows, last_status, last_success, last_failure, last_elapsed FROM mv_orchestrator.status ORDER BY name;

-- A view that is dropped, renamed, something else; a name that needs quotes.
DROP MATERIALIZED VIEW c;
CREATE TABLE c (n int);
ALTER MATERIALIZED VIEW b RENAME TO bb;
SELECT name, exists, populated, rows, size > 0 AS size FROM mv_orchestrator.status ORDER BY name;
DROP TABLE c;
ALTER MATERIALIZED VIEW bb RENAME TO b;

-- Shown to those whom the view's owner lets do what he does, to pg_monitor and superusers; who owns it
-- is asked of the live view before the registration.
CREATE ROLE "regress_status Olga";
CREATE ROLE regress_status_rita;
CREATE ROLE regress_status_member IN ROLE "regress_status Olga";
CREATE ROLE regress_status_monitor IN ROLE pg_monitor;
GRANT ALL ON SCHEMA sta TO PUBLIC;
GRANT SELECT, UPDATE ON divisor TO PUBLIC;
CREATE FUNCTION seen_by(who name) RETURNS TABLE (role name, name text, owner text, last_error text) LANGUAGE plpgsql AS $$
DECLARE before text := current_user;
BEGIN
  EXECUTE format('SET ROLE %I', seen_by.who);
  RETURN QUERY SELECT seen_by.who, s.name, s.owner, s.last_error FROM mv_orchestrator.status AS s WHERE s.view_name LIKE 'olga%';
  EXECUTE format('SET ROLE %I', before);
END
$$;
CREATE VIEW seen AS SELECT s.* FROM pg_roles AS r, seen_by(r.rolname) AS s WHERE rolname LIKE 'regress_status%' ORDER BY 1, 2;
SET ROLE "regress_status Olga";
SELECT mv_register('olga', 'SELECT 1 / x AS x FROM divisor');
SELECT * FROM seen_by('regress_status Olga');
SELECT mv_register('olga2', 'SELECT 1 AS x');
SELECT count(*) FROM mv_create_all('{olga, olga2}');
UPDATE divisor SET x = 0;
SELECT status FROM mv_refresh_all('{olga, olga2}', on_error => 'continue');
RESET ROLE;
SELECT * FROM seen;
ALTER MATERIALIZED VIEW olga OWNER TO regress_status_rita;
SELECT * FROM seen;
-- A registration whose owner is gone, and that has no view, is for those who see all.
ALTER MATERIALIZED VIEW olga OWNER TO "regress_status Olga";
DROP OWNED BY "regress_status Olga";
DROP ROLE "regress_status Olga", regress_status_member;
SELECT * FROM seen;
SELECT name, owner, exists FROM mv_orchestrator.status WHERE view_name LIKE 'olga%' ORDER BY name;

-- It waits for nobody: no lock on a user's relation is taken.
BEGIN;
SELECT count(*) FROM mv_orchestrator.status WHERE size IS NULL OR rows >= 0;
SELECT count(*) FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
  WHERE l.pid = pg_backend_pid() AND c.relnamespace = 'sta'::regnamespace;
COMMIT;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SELECT count(*) FROM mv_orchestrator.status;
TRUNCATE mv_orchestrator.run_step;
SET client_min_messages = warning;
DROP SCHEMA sta CASCADE;
DROP ROLE regress_status_rita, regress_status_monitor;
