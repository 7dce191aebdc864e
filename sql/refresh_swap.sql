-- Mode "swap": a view is built anew beside itself and its files are exchanged.
CREATE SCHEMA swp;
SET search_path = swp, public;
SET client_min_messages = warning;
CREATE ROLE regress_swap_reader;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_swap_space LOCATION '';

CREATE TABLE base (id int, n numeric, label text);
ALTER TABLE base ALTER label SET STORAGE EXTERNAL;
INSERT INTO base SELECT i, i, 'label ' || i FROM generate_series(1, 1000) AS i;
UPDATE base SET label = repeat(label, 1000) WHERE id = 7;
SELECT mv_register('days', 'SELECT id, n, label FROM base WHERE id IS NOT NULL', unique_key => '{id}', indexes => ARRAY[
  'CREATE INDEX days_label ON days USING hash (label)',
  'CREATE INDEX days_part ON days USING btree (n DESC) INCLUDE (id) WITH (fillfactor=''60'') WHERE (id > 10)',
  'CREATE INDEX days_upper ON days USING btree (upper(left(label, 5)))',
  'CREATE INDEX days_brin ON days USING brin (id) WITH (pages_per_range=''4'')']);
SELECT * FROM mv_create('days');
COMMENT ON MATERIALIZED VIEW days IS 'a view';
COMMENT ON COLUMN days.n IS 'a column';
COMMENT ON INDEX days_part IS 'an index';
GRANT SELECT ON days TO regress_swap_reader;
GRANT SELECT (id) ON days TO PUBLIC;
CREATE STATISTICS days_stats ON id, n FROM days;
ALTER MATERIALIZED VIEW days SET (fillfactor = 80, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER MATERIALIZED VIEW days ALTER label SET STORAGE EXTERNAL;
ALTER MATERIALIZED VIEW days ALTER n SET STATISTICS 33;
ALTER INDEX days_upper ALTER COLUMN 1 SET STATISTICS 44;
ALTER MATERIALIZED VIEW days SET TABLESPACE regress_swap_space;
ALTER INDEX days_part SET TABLESPACE regress_swap_space;
CREATE VIEW above AS SELECT count(*), sum(n) AS n, max(length(label)) AS longest FROM days;
ALTER MATERIALIZED VIEW days CLUSTER ON days_id_idx;
SET enable_seqscan = off;
SET jit = off;

-- All that is known of a view and must stay; and all that changes.
CREATE FUNCTION kept() RETURNS TABLE (what text) LANGUAGE sql AS $$
  SELECT concat_ws(' ', c.oid, relname, relkind, relowner::regrole, relacl, reloptions, spcname, relispopulated, relpersistence,
                   relhasindex, reltype, relam, relreplident)
  FROM pg_class AS c LEFT JOIN pg_tablespace AS s ON s.oid = reltablespace WHERE relnamespace = 'swp'::regnamespace AND relname ~ '^(days|above)'
  UNION ALL SELECT concat_ws(' ', attrelid, attname, attstorage, attstattarget, attacl, attnum, attcompression) FROM pg_attribute
  WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'swp'::regnamespace AND relname ~ '^(days|above)')
  UNION ALL SELECT concat_ws(' ', indexrelid, pg_get_indexdef(indexrelid), indisvalid, indisready, indislive, indisclustered, indcheckxmin)
  FROM pg_index WHERE indrelid = 'swp.days'::regclass
  UNION ALL SELECT concat_ws(' ', oid, stxname, stxkeys, stxkind) FROM pg_statistic_ext WHERE stxrelid = 'swp.days'::regclass
  UNION ALL SELECT concat_ws(' ', objoid, objsubid, description) FROM pg_description WHERE objoid IN
    (SELECT oid FROM pg_class WHERE relnamespace = 'swp'::regnamespace)
  UNION ALL SELECT concat_ws(' ', 'reloptions of toast', t.reloptions, s.spcname, t.relname = 'pg_toast_' || c.oid,
                             i.indexrelid::regclass::text = 'pg_toast.pg_toast_' || c.oid || '_index', t.relrewrite)
  FROM pg_class AS c JOIN pg_class AS t ON t.oid = c.reltoastrelid LEFT JOIN pg_tablespace AS s ON s.oid = t.reltablespace
  JOIN pg_index AS i ON i.indrelid = t.oid WHERE c.oid = 'swp.days'::regclass
  UNION ALL SELECT concat_ws(' ', classid::regclass, CASE WHEN t.oid IS NULL THEN objid::text ELSE 'toast' END, refclassid::regclass,
                             refobjid, refobjsubid, deptype)
  FROM pg_depend LEFT JOIN pg_class AS t ON t.oid = objid AND t.relkind = 't' WHERE refobjid = 'swp.days'::regclass;
$$;
CREATE FUNCTION files() RETURNS TABLE (name text, file oid) LANGUAGE sql AS $$
  SELECT oid::regclass::text, pg_relation_filenode(oid) FROM pg_class
  WHERE oid = 'swp.days'::regclass OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'swp.days'::regclass);
$$;
CREATE FUNCTION wrong() RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM ((TABLE days EXCEPT ALL SELECT * FROM base WHERE id IS NOT NULL) UNION ALL
                        (SELECT * FROM base WHERE id IS NOT NULL EXCEPT ALL TABLE days)) AS d;
$$;
CREATE FUNCTION left_behind() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT oid::regclass::text FROM pg_class WHERE relname LIKE 'pg\_temp\_%' AND relkind IN ('r', 'i', 'm')
  UNION ALL SELECT oid::regclass::text FROM pg_class WHERE relkind = 't' AND oid NOT IN (SELECT reltoastrelid FROM pg_class)
$$;
CREATE TABLE kept_before AS SELECT * FROM kept();
CREATE TABLE files_before AS SELECT * FROM files();

-- A swap reports rows, not changes; what a user gave the view is kept, the files are new.
INSERT INTO base VALUES (1001, 1.0, 'new'), (NULL, 1, 'never');
UPDATE base SET n = 5.00 WHERE id = 5;
DELETE FROM base WHERE id = 6;
SELECT step, name, status, mode, rows, changed, detail FROM mv_refresh('days', mode => 'swap');
SELECT wrong();
TABLE above;
(TABLE kept_before EXCEPT ALL SELECT * FROM kept()) UNION ALL (SELECT * FROM kept() EXCEPT ALL TABLE kept_before);
SELECT count(*) AS all_files, count(*) FILTER (WHERE a.file <> b.file) AS new_files FROM files() AS a JOIN files_before AS b USING (name);
SELECT * FROM left_behind();
SELECT relallvisible = relpages AND relpages > 0 AS all_visible, reltuples FROM pg_class WHERE oid = 'days'::regclass;
SELECT bool_and(reltuples > 0) AS indexes_counted FROM pg_class WHERE oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'days'::regclass AND indpred IS NULL) AND relname <> 'days_brin';
EXPLAIN (COSTS off) SELECT label FROM days WHERE id = 5;
SELECT n, label FROM days WHERE id = 5;
SELECT id FROM days WHERE label = 'label 9';
SELECT n FROM days WHERE n BETWEEN 1000 AND 1001 AND id > 10;
GRANT USAGE ON SCHEMA swp TO regress_swap_reader;
SET ROLE regress_swap_reader;
SELECT count(*) FROM days;
RESET ROLE;

-- Nothing changed is not known: it is refreshed.
SELECT status, rows, changed FROM mv_refresh('days', mode => 'swap');

-- The setting, the registration and the argument all choose it.
SET mv_orchestrator.mode = 'swap';
SELECT status, mode FROM mv_refresh('days');
RESET mv_orchestrator.mode;

-- Undone: the old rows and files, in a transaction and in a part of it.
TRUNCATE files_before;
INSERT INTO files_before SELECT * FROM files();
DELETE FROM base WHERE id > 500;
BEGIN;
SELECT rows FROM mv_refresh('days', mode => 'swap');
SELECT count(*) FROM days;
ROLLBACK;
SELECT count(*) FROM days;
SELECT count(*) FROM files_before NATURAL JOIN files();
BEGIN;
SAVEPOINT one;
SELECT rows FROM mv_refresh('days', mode => 'swap');
ROLLBACK TO one;
SELECT count(*) FROM days;
SELECT rows FROM mv_refresh('days', mode => 'swap');
SAVEPOINT two;
INSERT INTO base SELECT i FROM generate_series(2001, 2010) AS i;
SELECT rows FROM mv_refresh('days', mode => 'swap');
SELECT count(*) FROM days;
ROLLBACK TO two;
SELECT count(*) FROM days;
SELECT rows FROM mv_refresh('days', mode => 'swap');
COMMIT;
SELECT count(*), wrong() FROM days;
SELECT * FROM left_behind();

-- Twice in a transaction, and with every other mode before and after it.
BEGIN;
UPDATE base SET label = 'a' WHERE id = 1;
SELECT mode, status, rows, changed FROM mv_refresh('days', mode => 'swap');
UPDATE base SET label = 'b' WHERE id = 1;
SELECT mode, status, rows, changed FROM mv_refresh('days', mode => 'diff');
UPDATE base SET label = 'c' WHERE id = 1;
SELECT mode, status, rows, changed FROM mv_refresh('days', mode => 'swap');
UPDATE base SET label = 'd' WHERE id = 1;
SELECT mode, status, rows, changed FROM mv_refresh('days', mode => 'plain');
UPDATE base SET label = 'e' WHERE id = 1;
SELECT mode, status, rows, changed FROM mv_refresh('days', mode => 'swap');
UPDATE base SET label = 'f' WHERE id = 1;
SELECT mode, status, rows, changed FROM mv_refresh('days', mode => 'concurrent');
SELECT mode, status, rows, changed FROM mv_refresh('days', mode => 'diff');
SELECT label FROM days WHERE id = 1;
COMMIT;
SELECT wrong();
SELECT * FROM left_behind();
(TABLE kept_before EXCEPT ALL SELECT * FROM kept()) UNION ALL (SELECT * FROM kept() EXCEPT ALL TABLE kept_before);

-- A view that was never filled; with no rows; with one that needs a TOAST table no longer.
SELECT mv_register('empty', 'SELECT id, label FROM base WHERE id < 0', unique_key => '{id}');
SELECT * FROM mv_create('empty', with_data => false);
SELECT relispopulated FROM pg_class WHERE oid = 'empty'::regclass;
SELECT status, mode, rows, changed FROM mv_refresh('empty', mode => 'swap');
SELECT relispopulated FROM pg_class WHERE oid = 'empty'::regclass;
TABLE empty;
ALTER MATERIALIZED VIEW empty ALTER label SET STORAGE PLAIN;
SELECT status FROM mv_refresh('empty', mode => 'swap');
SELECT reltoastrelid FROM pg_class WHERE oid = 'empty'::regclass;
ALTER MATERIALIZED VIEW empty ALTER label SET STORAGE EXTENDED;
SELECT status FROM mv_refresh('empty', mode => 'swap');
SELECT relname = 'pg_toast_' || 'empty'::regclass::oid FROM pg_class WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'empty'::regclass);
SELECT * FROM left_behind();

-- Views that read each other, in one call: each sees the new rows of those below, by whatever way.
CREATE TABLE number (n int);
INSERT INTO number VALUES (1);
SELECT mv_register('low', 'SELECT n FROM number');
SELECT count(*) FROM mv_create('low');
CREATE FUNCTION of_low() RETURNS SETOF int LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT n FROM swp.low; END';
CREATE VIEW plain_low AS SELECT n FROM low;
SELECT mv_register('middle', 'SELECT * FROM of_low() AS n UNION ALL SELECT n + 100 FROM plain_low', depends_on => '{low}', unique_key => '{n}');
SELECT mv_register('high', 'SELECT a.n, b.n AS m FROM middle AS a, low AS b', depends_on => '{middle,low}');
SELECT count(*) FROM mv_create_all();
UPDATE number SET n = 2;
SELECT name, status, mode, rows FROM mv_refresh_all('{low,middle,high}', mode => 'swap');
SELECT * FROM high ORDER BY n;
UPDATE number SET n = 3;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT name, status, mode, rows FROM mv_refresh_all('{low,middle,high}', mode => 'swap');
SELECT * FROM high ORDER BY n;
COMMIT;
SELECT * FROM left_behind();

-- Errors. A unique index is named as the user knows it, and the old rows stay.
CREATE FUNCTION state(sql text) RETURNS TABLE (state text, message text, detail text, hint text, tab text, con text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
    state := '00000';
    RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, tab = TABLE_NAME, con = CONSTRAINT_NAME;
    RETURN NEXT;
END $$;
\x on
TRUNCATE files_before;
INSERT INTO files_before SELECT * FROM files();
INSERT INTO base VALUES (1, 1, 'again');
SELECT * FROM state($$SELECT mv_refresh('days', mode => 'swap')$$);
SELECT count(*) FROM files_before NATURAL JOIN files();
SELECT label FROM days WHERE id = 1;
DELETE FROM base WHERE label = 'again';

-- An index that failed to be built.
INSERT INTO number VALUES (3);
SELECT status FROM mv_refresh('low', mode => 'swap');
CREATE UNIQUE INDEX CONCURRENTLY "bad index" ON low (n);
SELECT * FROM state($$SELECT mv_refresh('low', mode => 'swap')$$);
DROP INDEX "bad index";
SELECT status FROM mv_refresh('low', mode => 'swap');

-- A cursor of this session that reads the view.
BEGIN;
DECLARE c CURSOR FOR SELECT n FROM low;
FETCH 1 FROM c;
SELECT * FROM state($$SELECT mv_refresh('low', mode => 'swap')$$);
FETCH 1 FROM c;
CLOSE c;
SELECT status FROM mv_refresh('low', mode => 'swap');
COMMIT;

-- A table access method that is not heap.
CREATE ACCESS METHOD regress_swap_heap TYPE TABLE HANDLER heap_tableam_handler;
SELECT mv_register('other', 'SELECT n FROM number', options => '{"access_method": "regress_swap_heap"}');
SELECT count(*) FROM mv_create('other');
SELECT * FROM state($$SELECT mv_refresh('other', mode => 'swap')$$);
SELECT status FROM mv_refresh('other', mode => 'plain');

-- An error of the query; one of an index's expression.
SELECT mv_register('divided', 'SELECT 1 / n AS n FROM number');
SELECT count(*) FROM mv_create('divided');
INSERT INTO number VALUES (0);
SELECT * FROM state($$SELECT mv_refresh('divided', mode => 'swap')$$);
CREATE INDEX ON low ((1 / (n - 7)));
UPDATE number SET n = 7;
SELECT * FROM state($$SELECT mv_refresh('low', mode => 'swap')$$);
SELECT array_agg(n) FROM low;
\x off

-- An index that appears or goes while the others are built (a function that says it is immutable
-- does it) is refused: the exchange would not know of it.
CREATE TABLE many AS SELECT i FROM generate_series(1, 1000) AS i;
SELECT mv_register('few', 'SELECT i FROM many');
SELECT count(*) FROM mv_create('few');
DELETE FROM many WHERE i < 900;
SELECT rows, changed FROM mv_refresh('few', mode => 'diff');
CREATE FUNCTION make_index() RETURNS void LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE FUNCTION lying(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM swp.make_index(); RETURN i; END';
CREATE INDEX few_lying ON few (lying(i));
CREATE OR REPLACE FUNCTION make_index() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE INDEX IF NOT EXISTS few_made ON swp.few (i); END';
SELECT * FROM state($$SELECT mv_refresh('few', mode => 'swap')$$);
CREATE INDEX few_plain ON few (i);
CREATE OR REPLACE FUNCTION make_index() RETURNS void LANGUAGE plpgsql AS 'BEGIN DROP INDEX IF EXISTS swp.few_plain; END';
SELECT * FROM state($$SELECT mv_refresh('few', mode => 'swap')$$);
SELECT count(*) FROM few WHERE i BETWEEN 900 AND 950;
SELECT * FROM left_behind();

-- What was exchanged, or the table that has the old files since, is dropped by a function of a later
-- view; a view by an event trigger, before it is analysed or between two of its indexes.
CREATE FUNCTION act() RETURNS int LANGUAGE plpgsql AS
  $$BEGIN EXECUTE coalesce(nullif(current_setting('swp.act', true), ''), 'SELECT'); RETURN 1; END$$;
SELECT mv_register('first', 'SELECT i FROM many');
SELECT mv_register('later', 'SELECT act() AS a', depends_on => '{first}');
SELECT count(*) FROM mv_create_all('{first,later}');
DO $$BEGIN PERFORM set_config('swp.act', 'DROP TABLE swp.pg_temp_' || 'first'::regclass::oid, false); END$$;
SELECT * FROM state($$SELECT count(*) FROM mv_refresh_all('{first,later}', mode => 'swap')$$);
SELECT * FROM state($$SELECT count(*) FROM mv_refresh_all('{first,later}', mode => 'swap', on_error => 'continue')$$);
SET swp.act = 'DROP MATERIALIZED VIEW swp.first';
SELECT * FROM state($$SELECT count(*) FROM mv_refresh_all('{first,later}', mode => 'swap')$$);
RESET swp.act;
CREATE FUNCTION drop_first() RETURNS event_trigger LANGUAGE plpgsql AS
  'BEGIN DROP MATERIALIZED VIEW IF EXISTS swp.first CASCADE; END';
SELECT mv_register('reader', 'SELECT i FROM first');
SELECT count(*) FROM mv_create('reader');
CREATE EVENT TRIGGER regress_swap ON ddl_command_end WHEN tag IN ('REFRESH MATERIALIZED VIEW') EXECUTE FUNCTION drop_first();
SELECT * FROM state($$SELECT count(*) FROM mv_refresh('first', mode => 'plain', scope => 'downstream')$$);
DROP EVENT TRIGGER regress_swap;
DROP MATERIALIZED VIEW first CASCADE;
SELECT mv_register('first', 'SELECT i FROM many', indexes => ARRAY['CREATE INDEX first_a ON first (i)', 'CREATE INDEX first_b ON first (i)']);
CREATE EVENT TRIGGER regress_swap ON ddl_command_end WHEN tag IN ('CREATE INDEX') EXECUTE FUNCTION drop_first();
SELECT * FROM state($$SELECT count(*) FROM mv_create('first')$$);
DROP EVENT TRIGGER regress_swap;
SELECT * FROM left_behind();

DROP SCHEMA swp CASCADE;
SELECT count(mv_unregister(name)) FROM mv_order() WHERE name LIKE 'swp.%';
DROP ACCESS METHOD regress_swap_heap;
DROP TABLESPACE regress_swap_space;
DROP ROLE regress_swap_reader;
