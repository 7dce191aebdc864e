-- mv_plan: what a run would take and meet: time, disk, locks, who is in the way.
CREATE SCHEMA forecast;
SET search_path = forecast, public;
CREATE TABLE base AS SELECT g AS id, 'a'::text AS t FROM generate_series(1, 100) AS g;
SELECT mv_register('narrow', 'SELECT id FROM base', unique_key => '{id}', options => '{"with": {"autovacuum_enabled": false}}');
SELECT mv_register('wide', 'SELECT id, t FROM base', unique_key => '{id}',
  indexes => ARRAY['CREATE INDEX wide_t ON wide USING btree (t)'], options => '{"with": {"autovacuum_enabled": false}}');
SELECT mv_register('"No index"', 'SELECT id, t FROM base', options => '{"with": {"autovacuum_enabled": false}}');

-- Nothing is known of a view that is empty.
SELECT count(*) FROM mv_create_all(with_data => false);
SELECT name, predicted, new_bytes, blocked_by FROM mv_plan(mode => 'swap');
SELECT FROM mv_refresh_all(mode => 'plain');
VACUUM ANALYZE narrow, wide, "No index";

-- Disk: what the server last counted of the old files is what is written anew.
CREATE TABLE old_files AS
SELECT format('%I.%I', n.nspname, c.relname) AS name, (pg_table_size(c.oid) - pg_relation_size(c.oid, 'fsm') - pg_relation_size(c.oid, 'vm')) AS rows_size, pg_indexes_size(c.oid) AS index_size
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'm' AND n.nspname = 'forecast';
SELECT p.name, mode, new_bytes = rows_size + CASE mode WHEN 'concurrent' THEN 0 ELSE index_size END AS as_counted, new_bytes IS NULL AS unknown
FROM unnest('{plain,swap,concurrent,diff}'::text[]) WITH ORDINALITY AS modes (asked, n), mv_plan(mode => asked) AS p JOIN old_files USING (name)
ORDER BY n, step;

-- Time: the median of the last five successes in the same mode. The oracle reads the history itself.
DELETE FROM mv_orchestrator.run_step;
DO $$
BEGIN
    FOR i IN 1 .. 7 LOOP PERFORM mv_refresh_all('{narrow}', 'swap'); END LOOP;
    FOR i IN 1 .. 2 LOOP PERFORM mv_refresh_all('{narrow}', 'diff'); END LOOP;
END
$$;
INSERT INTO base VALUES (1, 'twice');
SELECT count(*) FROM mv_refresh_all('{narrow}', 'swap', on_error => 'continue');
UPDATE mv_orchestrator.run_step SET elapsed = run * '1 second'::interval - (SELECT min(run) FROM mv_orchestrator.run_step) * '1 second'::interval;
SELECT run - min(run) OVER () AS run, mode, status, elapsed FROM mv_orchestrator.history ORDER BY run;
SELECT asked, name, predicted FROM unnest('{plain,swap,diff}'::text[]) WITH ORDINALITY AS modes (asked, n), mv_plan(mode => asked) ORDER BY n, step;
SELECT predicted FROM mv_plan('{narrow}', 'swap') \gset
SELECT :'predicted' = percentile_cont(0.5) WITHIN GROUP (ORDER BY elapsed) AS as_in_history
FROM (SELECT elapsed FROM mv_orchestrator.history WHERE mode = 'swap' AND status = 'refreshed' AND view_name = 'narrow' ORDER BY run DESC LIMIT 5) AS last;
DELETE FROM base WHERE t = 'twice';

-- Locks: what each view adds to what a run holds at its end. Those on catalogs are the same for any
-- views, but for a plan that autovacuum has made out of date: planned again, it locks more indexes.
CREATE FUNCTION held() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(DISTINCT (locktype, database, relation, classid, objid)) FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype IN ('relation', 'object') AND coalesce(relation, 0) <> ALL
        (SELECT oid FROM pg_class WHERE relnamespace IN ('pg_catalog'::regnamespace, 'mv_orchestrator'::regnamespace))
$$;
CREATE FUNCTION held_after(names text[], mode text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mv_refresh_all(names, mode);
    RAISE division_by_zero USING MESSAGE = held();
EXCEPTION WHEN division_by_zero THEN RETURN SQLERRM;
END $$;
SELECT p.name, p.mode, locks, held_after(every, p.mode) - held_after(array_remove(every, p.name), p.mode) AS held
FROM unnest('{plain,swap,diff,concurrent}'::text[]) WITH ORDINALITY AS modes (mode, n), mv_plan(NULL, modes.mode) AS p,
     LATERAL (SELECT array_agg(name) AS every FROM mv_order() WHERE p.mode <> 'concurrent' OR name <> 'forecast."No index"') AS o
WHERE p.name = ANY (every) ORDER BY n, step;

-- Who is in the way is seen without waiting for him. This session's own locks are not.
BEGIN;
LOCK TABLE base;
SELECT FROM narrow;
SELECT DISTINCT blocked_by FROM mv_plan('{narrow,wide}', 'plain');
ROLLBACK;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA forecast CASCADE;
