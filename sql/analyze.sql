-- What reads a view is planned with statistics of what the view holds: ANALYZE after creation with
-- data and, in a run, of what changed much and is read by a later step.
CREATE SCHEMA ana;
SET search_path = ana, public;
CREATE TABLE base AS SELECT g AS id, g % 3 AS kind FROM generate_series(1, 1000) AS g;
ALTER TABLE base SET (autovacuum_enabled = off);

-- What the server knows of a view, as seen by what reads it while that is being filled.
CREATE FUNCTION known(view text) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT format('%s rows, kinds: %s', (SELECT reltuples FROM pg_class WHERE oid = view::regclass),
                  coalesce((SELECT n_distinct::text FROM pg_stats
                            WHERE schemaname = 'ana' AND tablename = view AND attname = 'kind'), 'unknown'))
$$;
SELECT mv_register('bottom', 'SELECT id, kind FROM base', unique_key => '{id}', options => '{"with": {"autovacuum_enabled": false}}');
SELECT mv_register('middle', $$SELECT kind, count(*) AS n, ana.known('bottom') FROM bottom GROUP BY kind$$, depends_on => '{bottom}', unique_key => '{kind}');
SELECT mv_register('top', $$SELECT max(n) AS n, ana.known('middle'), min(known) AS below FROM middle$$, depends_on => '{middle}', unique_key => '{n}');
CREATE FUNCTION analyzed() RETURNS TABLE (analyzed text) LANGUAGE sql AS $$
    SELECT string_agg(name || CASE WHEN analyzing BETWEEN '1 us' AND elapsed THEN ': analyzed' ELSE '' END, ', ' ORDER BY step) FROM mv_orchestrator.history
    WHERE run = (SELECT max(run) FROM mv_orchestrator.history)
$$;

-- At creation: each before the next, and the last as well.
SELECT action FROM mv_create_all();
TABLE top;
SELECT known('top') ~ '^1 rows' AS known;
SELECT tablename, count(*) FROM pg_stats WHERE schemaname = 'ana' GROUP BY 1 ORDER BY 1;
SELECT action FROM mv_drop_all();

-- Created empty there is nothing to know; the first run knows it all, in every mode that can fill.
SELECT action FROM mv_create_all(with_data => false);
SELECT known('bottom');
SELECT status FROM mv_refresh_all(mode => 'plain');
TABLE top;
SELECT * FROM analyzed();
SELECT known('top') ~ '^1 rows' AS known;
SELECT FROM mv_drop_all();
SELECT FROM mv_create_all(with_data => false);
SELECT status FROM mv_refresh_all(mode => 'swap');
TABLE top;
SELECT * FROM analyzed();

-- A run in which little changes analyses nothing, whatever the mode.
UPDATE base SET kind = kind + 10 WHERE id <= 50;
SELECT status, changed FROM mv_refresh_all(mode => 'diff');
SELECT * FROM analyzed();
SELECT status FROM mv_refresh_all(mode => 'swap');
SELECT * FROM analyzed();
SELECT status FROM mv_refresh_all(mode => 'plain');
SELECT * FROM analyzed();
SELECT status FROM mv_refresh_all(mode => 'diff');
SELECT * FROM analyzed();

-- One in which much changes analyses what a later step reads. 50 + 0.1 * 1000 rows are not much yet.
UPDATE base SET kind = kind + 100 WHERE id <= 150;
SELECT changed FROM mv_refresh_all(mode => 'diff');
SELECT * FROM analyzed();
UPDATE base SET kind = kind + 1000 WHERE id <= 151;
SELECT changed FROM mv_refresh_all(mode => 'diff');
SELECT * FROM analyzed();
SELECT n, below FROM top;
INSERT INTO base SELECT g, g % 40 FROM generate_series(1001, 3000) AS g;
SELECT status FROM mv_refresh_all(mode => 'swap');
SELECT * FROM analyzed();
SELECT n, below FROM top;
DELETE FROM base WHERE id > 500;
SELECT status FROM mv_refresh_all(mode => 'plain');
SELECT * FROM analyzed();
SELECT n, below FROM top;
INSERT INTO base SELECT g, g % 50 FROM generate_series(501, 3000) AS g;
SELECT status FROM mv_refresh_all(mode => 'plain');
UPDATE base SET kind = 7;
SELECT status FROM mv_refresh('bottom', 'downstream', 'concurrent');
SELECT * FROM analyzed();
SELECT n, below FROM top;
-- Nobody in the run reads it.
UPDATE base SET kind = id;
SELECT status FROM mv_refresh('bottom', mode => 'diff');
SELECT * FROM analyzed();
SELECT known('bottom');

-- Statistics that are not there are made, though nothing changed.
SELECT FROM mv_refresh_all(mode => 'diff');
DELETE FROM pg_statistic WHERE starelid = 'bottom'::regclass;
SELECT status FROM mv_refresh_all(mode => 'diff');
SELECT * FROM analyzed();

-- How many rows a swapped view holds is known without ANALYZE, and without an index to build.
SELECT mv_register('few', 'SELECT id FROM base WHERE id <= 3');
SELECT FROM mv_create('few');
SELECT status FROM mv_refresh('few', mode => 'swap');
SELECT * FROM analyzed();
SELECT relpages, reltuples, relallvisible FROM pg_class WHERE oid = 'few'::regclass;
DROP MATERIALIZED VIEW few;
SELECT mv_unregister('few');

-- What a view holds that was exchanged in this very transaction; undone, nothing of it is left.
SELECT known('bottom') AS before \gset
BEGIN;
UPDATE base SET kind = 1;
INSERT INTO base SELECT g, 1 FROM generate_series(3001, 6000) AS g;
SELECT status FROM mv_refresh_all(mode => 'swap');
SELECT n, below FROM top;
SELECT known('bottom');
ROLLBACK;
SELECT known('bottom') = :'before' AS same;

-- A diff that gives up has not counted either, but knows that much changed, though the size is the same.
INSERT INTO base SELECT g, 1 FROM generate_series(3001, 6000) AS g;
SELECT status FROM mv_refresh_all(mode => 'swap');
UPDATE base SET kind = -id;
SELECT name, detail FROM mv_refresh('bottom', 'downstream', 'auto') WHERE name = 'ana.bottom';
SELECT analyzed LIKE 'ana.bottom: analyzed,%' AS analyzed FROM analyzed();
DELETE FROM base WHERE id > 3000;

-- The setting is everybody's.
CREATE ROLE regress_analyze_owner;
GRANT ALL ON SCHEMA ana TO regress_analyze_owner;
GRANT SELECT ON base TO regress_analyze_owner;
SELECT FROM mv_drop_all();
SELECT count(mv_unregister(view_name)) FROM mv_orchestrator.registry;
SET ROLE regress_analyze_owner;
SET mv_orchestrator.analyze_views = off;
SELECT mv_register('his', 'SELECT id, kind FROM base');
SELECT action FROM mv_create('his');
SELECT known('his');
SELECT FROM mv_refresh_all('{his}', 'swap');
SELECT * FROM analyzed();
RESET mv_orchestrator.analyze_views;
RESET ROLE;

-- An expression of an index, or of statistics, is run as the owner and finds what it names where the
-- registration does; whoever refreshes. His error is the step's.
CREATE SCHEMA other;
CREATE FUNCTION ana.place() RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT 'ana'$$;
CREATE FUNCTION other.place() RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT 'other'$$;
CREATE FUNCTION ana.odd(id int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
    'BEGIN RETURN concat(current_user, '' in '', place(), '' '', 1 / (id - 6666)); END';
GRANT USAGE ON SCHEMA other TO regress_analyze_owner;
SET ROLE regress_analyze_owner;
SELECT mv_register('his', 'SELECT id, kind FROM base', unique_key => '{id}');
SELECT action FROM mv_create('his');
CREATE STATISTICS ana.of_his ON (ana.odd(id)) FROM his;
SELECT mv_register('reader', 'SELECT count(*) FROM his', depends_on => '{his}');
SELECT action FROM mv_create('reader');
RESET ROLE;
SET search_path = other, public;
SELECT status FROM public.mv_refresh_all(mode => 'plain');
SELECT array_length(most_common_vals, 1), most_common_vals::text, n_distinct FROM pg_stats_ext_exprs WHERE statistics_name = 'of_his';
INSERT INTO ana.base VALUES (6666, 0);
INSERT INTO ana.base SELECT g, 1 FROM generate_series(10000, 13000) AS g;
SELECT name, status, detail FROM mv_refresh_all(mode => 'swap', on_error => 'continue');
SELECT name, status, analyzing IS NULL AS not_analyzed FROM mv_orchestrator.history WHERE run = (SELECT max(run) FROM mv_orchestrator.history) ORDER BY step;
SELECT count(*) FROM ana.his;
SET search_path = ana, public;
\set VERBOSITY terse
SELECT FROM mv_refresh_all(mode => 'diff');
\set VERBOSITY default

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA ana, other CASCADE;
DROP ROLE regress_analyze_owner;
