-- Mode "diff": the query is run and compared with the rows that are there; what differs is written.
CREATE SCHEMA dif;
SET search_path = dif, public;
SET client_min_messages = warning;
CREATE TABLE base (id int, n numeric, label text);
INSERT INTO base SELECT i, i, 'label ' || i FROM generate_series(1, 100) AS i;
SELECT mv_register('days', 'SELECT id, n, label FROM base', unique_key => '{id}',
  indexes => ARRAY['CREATE INDEX days_label ON days USING hash (label)']);
SELECT * FROM mv_create('days');

CREATE TABLE place_before (place tid, writer xid, file oid, class_writer xid);
CREATE FUNCTION note() RETURNS void LANGUAGE sql AS $$
  TRUNCATE dif.place_before;
  INSERT INTO dif.place_before SELECT d.ctid, d.xmin, pg_relation_filenode(c.oid), c.xmin
  FROM dif.days AS d, pg_class AS c WHERE c.oid = 'dif.days'::regclass;
$$;
CREATE FUNCTION seen() RETURNS TABLE (kept bigint, written bigint, same_file boolean, class_written boolean) LANGUAGE sql AS $$
  SELECT count(b.place), count(*) - count(b.place),
         (SELECT pg_relation_filenode('dif.days') = max(file) FROM dif.place_before),
         (SELECT (SELECT xmin FROM pg_class WHERE oid = 'dif.days'::regclass) <> class_writer FROM dif.place_before LIMIT 1)
  FROM dif.days AS d LEFT JOIN dif.place_before AS b ON b.place = d.ctid AND b.writer = d.xmin;
$$;
CREATE FUNCTION wrong() RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM ((SELECT d::text FROM days AS d EXCEPT ALL SELECT b::text FROM base AS b) UNION ALL
                        (SELECT b::text FROM base AS b EXCEPT ALL SELECT d::text FROM days AS d)) AS x;
$$;

-- Nothing changed: nothing is written, neither rows nor catalogs nor a transaction's number.
SELECT note();
SELECT step, name, status, mode, rows, changed, detail FROM mv_refresh('days', mode => 'diff');
SELECT * FROM seen();
-- But for the history's row, nothing is written at all.
TRUNCATE mv_orchestrator.run_step;
BEGIN;
SET LOCAL mv_orchestrator.history_retention = 0;
SELECT status FROM mv_refresh('days', mode => 'diff');
SELECT pg_current_xact_id_if_assigned();
COMMIT;

-- A row that changed is one that is written; rows that go and rows that come are, too.
UPDATE base SET label = 'changed' WHERE id = 3;
SELECT status, rows, changed FROM mv_refresh('days', mode => 'diff');
SELECT * FROM seen();
INSERT INTO base VALUES (101, 1, 'new');
DELETE FROM base WHERE id IN (1, 2);
SELECT note();
SELECT status, rows, changed FROM mv_refresh('days', mode => 'diff');
SELECT * FROM seen();
SELECT wrong();

-- Equal is not the same: a numeric's scale, the sign of zero.
UPDATE base SET n = 5.00 WHERE id = 5;
SELECT status, rows, changed FROM mv_refresh('days', mode => 'diff');
SELECT n FROM days WHERE id = 5;
CREATE TABLE signed (f float8, j json, p point);
INSERT INTO signed VALUES (0, '{"a":1}', '(0,0)'), ('NaN', NULL, NULL), (NULL, NULL, NULL), (NULL, NULL, NULL);
SELECT mv_register('signs', 'TABLE signed');
SELECT count(*) FROM mv_create('signs');
SELECT status, rows, changed FROM mv_refresh('signs', mode => 'diff');
UPDATE signed SET f = '-0' WHERE f = 0;
SELECT status, rows, changed FROM mv_refresh('signs', mode => 'diff');
UPDATE signed SET j = '{"a": 1}' WHERE f = 0;
SELECT status, rows, changed FROM mv_refresh('signs', mode => 'diff');
UPDATE signed SET f = f, j = j;
SELECT status, rows, changed FROM mv_refresh('signs', mode => 'diff');
SELECT * FROM signs ORDER BY f;

-- Rows may repeat, and be all NULL: they are counted.
CREATE TABLE bag (a int, b text);
INSERT INTO bag SELECT 1, 'x' FROM generate_series(1, 10);
INSERT INTO bag SELECT NULL, NULL FROM generate_series(1, 5);
SELECT mv_register('bags', 'TABLE bag');
SELECT count(*) FROM mv_create('bags');
SELECT status, rows, changed FROM mv_refresh('bags', mode => 'diff');
INSERT INTO bag VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
SELECT status, rows, changed FROM mv_refresh('bags', mode => 'diff');
DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE a = 1 LIMIT 7);
SELECT status, rows, changed FROM mv_refresh('bags', mode => 'diff');
UPDATE bag SET b = 'y' WHERE ctid = (SELECT ctid FROM bag WHERE a IS NULL LIMIT 1);
SELECT status, rows, changed FROM mv_refresh('bags', mode => 'diff');
SELECT a, b, count(*) FROM bags GROUP BY a, b ORDER BY a, b;
DELETE FROM bag;
SELECT status, rows, changed FROM mv_refresh('bags', mode => 'diff');
SELECT status, rows, changed FROM mv_refresh('bags', mode => 'diff');
TABLE bags;

-- Unique columns that are exchanged between rows; a unique index that takes equal values for one.
SELECT mv_register('pairs', 'SELECT id, n FROM base WHERE id < 20', indexes => ARRAY[
  'CREATE UNIQUE INDEX pairs_id ON pairs USING btree (id)', 'CREATE UNIQUE INDEX pairs_n ON pairs USING btree (n) NULLS NOT DISTINCT']);
SELECT count(*) FROM mv_create('pairs');
UPDATE base SET n = 29 - id WHERE id BETWEEN 10 AND 19;
SELECT status, rows, changed FROM mv_refresh('pairs', mode => 'diff');
UPDATE base SET n = n::numeric(10, 2) WHERE id BETWEEN 10 AND 11;
SELECT status, rows, changed FROM mv_refresh('pairs', mode => 'diff');
SELECT string_agg(n::text, ' ' ORDER BY id) FROM pairs;

-- Values that are stored in another way than the query gives them are the same: short, compressed,
-- out of line. In each of the two tables another storage.
CREATE FUNCTION noise(n int) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT string_agg(md5(i::text), '' ORDER BY i) FROM generate_series(1, n) AS i $$;
CREATE TABLE long (id int, v text);
INSERT INTO long VALUES (1, repeat('x', 100)), (2, repeat('x', 3000)), (3, repeat('x', 300000)),
  (4, noise(30)), (5, noise(100)), (6, noise(3000));
SELECT mv_register('longer', 'SELECT id, v, v || '''' AS computed FROM long');
SELECT count(*) FROM mv_create('longer');
SELECT status, rows, changed FROM mv_refresh('longer', mode => 'diff');
ALTER MATERIALIZED VIEW longer ALTER v SET STORAGE EXTERNAL, ALTER computed SET STORAGE MAIN;
SELECT status, rows, changed FROM mv_refresh('longer', mode => 'swap');
SELECT status, rows, changed FROM mv_refresh('longer', mode => 'diff');
SELECT status, rows, changed FROM mv_refresh('longer', mode => 'plain');
SELECT status, rows, changed FROM mv_refresh('longer', mode => 'diff');
CREATE TABLE copied AS SELECT id, v || '' AS v FROM long;
TRUNCATE long;
ALTER TABLE long ALTER v SET STORAGE EXTERNAL;
INSERT INTO long SELECT id, v || '' FROM copied ORDER BY id DESC;
SELECT status, rows, changed FROM mv_refresh('longer', mode => 'diff');
-- one byte of the longest, at its end
UPDATE long SET v = left(v, -1) || 'Z' WHERE id IN (3, 6);
SELECT status, rows, changed FROM mv_refresh('longer', mode => 'diff');
SELECT id, length(v), right(v, 1), v = computed AS same FROM longer ORDER BY id;
SELECT status, rows, changed FROM mv_refresh('longer', mode => 'diff');

-- Many long values of one length and one beginning and nothing else: each is told from the others
-- and not compared with each of them, which would take minutes.
CREATE TABLE alike (v text);
ALTER TABLE alike ALTER v SET STORAGE EXTERNAL;
INSERT INTO alike SELECT repeat('same', 600) || repeat(md5(i::text), 20) FROM generate_series(1, 5000) AS i;
SELECT mv_register('alikes', 'TABLE alike');
SELECT count(*) FROM mv_create('alikes', with_data => false);
ALTER MATERIALIZED VIEW alikes ALTER v SET STORAGE EXTERNAL;
SELECT status, rows, changed FROM mv_refresh('alikes', mode => 'swap');
UPDATE alike SET v = overlay(v PLACING 'new' FROM 2500);
SET statement_timeout = '60s';
SELECT status, rows, changed FROM mv_refresh('alikes', mode => 'diff');
SELECT status, rows, changed FROM mv_refresh('alikes', mode => 'diff');
UPDATE alike SET v = overlay(v PLACING 'old' FROM 2500) WHERE md5(v) < '4';
SET mv_orchestrator.diff_work_mem = '64kB';
SELECT status, rows, changed = (SELECT 2 * count(*) FROM alike WHERE substr(v, 2500, 3) = 'old') AS changed
  FROM mv_refresh('alikes', mode => 'diff');
RESET mv_orchestrator.diff_work_mem;
RESET statement_timeout;
SELECT count(*) FROM (TABLE alike EXCEPT ALL TABLE alikes) AS missing;

-- Little memory: the same, in parts.
SET mv_orchestrator.diff_work_mem = '63kB';
SET mv_orchestrator.diff_work_mem = '64kB';
INSERT INTO base SELECT i, i, 'more ' || i FROM generate_series(1000, 21000) AS i;
SELECT status, rows, changed FROM mv_refresh('days', mode => 'diff');
SELECT status, rows, changed FROM mv_refresh('days', mode => 'diff');
UPDATE base SET label = 'part' WHERE id % 100 = 0 AND id > 999;
SELECT note();
SELECT status, rows, changed FROM mv_refresh('days', mode => 'diff');
SELECT * FROM seen();
SELECT wrong();
RESET mv_orchestrator.diff_work_mem;
DELETE FROM base WHERE id > 999;
SELECT status, rows, changed FROM mv_refresh('days', mode => 'diff');

-- What becomes of a row that changed. It is updated in its place where it keeps the columns of all
-- unique indexes, without new index entries where it keeps all indexed columns and its page has
-- room; else one row goes and one comes.
CREATE TABLE src (id int, code text, day int, n numeric, v text);
INSERT INTO src SELECT i, 'c' || i, i % 5, i, 'v' || i FROM generate_series(1, 40) AS i;
SELECT mv_register('spots', 'TABLE src', options => '{"with": {"fillfactor": 30, "autovacuum_enabled": false}}');
SELECT count(*) FROM mv_create('spots');
CREATE FUNCTION counts(rel oid, OUT ins bigint, OUT upd bigint, OUT hot bigint, OUT del bigint) LANGUAGE sql AS $$
  SELECT pg_stat_get_xact_tuples_inserted(rel), pg_stat_get_xact_tuples_updated(rel),
         pg_stat_get_xact_tuples_hot_updated(rel), pg_stat_get_xact_tuples_deleted(rel);
$$;
-- Refreshes; what was written to the table and to its TOAST table, and how many rows are wrong.
CREATE FUNCTION refreshed(OUT changed bigint, OUT ins bigint, OUT upd bigint, OUT hot bigint, OUT del bigint,
    OUT toast_ins bigint, OUT wrong bigint) LANGUAGE plpgsql AS $$
DECLARE toast oid := (SELECT reltoastrelid FROM pg_class WHERE oid = 'spots'::regclass);
        before record; after record; toasted bigint := (counts(toast)).ins;
BEGIN
    before := counts('spots'::regclass);
    changed := (SELECT r.changed FROM mv_refresh('spots', mode => 'diff') AS r);
    after := counts('spots'::regclass);
    ins := after.ins - before.ins;
    upd := after.upd - before.upd;
    hot := after.hot - before.hot;
    del := after.del - before.del;
    toast_ins := (counts(toast)).ins - toasted;
    wrong := (SELECT count(*) FROM ((SELECT x::text FROM spots AS x EXCEPT ALL SELECT x::text FROM src AS x) UNION ALL
                                    (SELECT x::text FROM src AS x EXCEPT ALL SELECT x::text FROM spots AS x)) AS d);
END $$;
-- no index: nothing tells which row became which
UPDATE src SET v = 'a' WHERE id IN (1, 2);
SELECT * FROM refreshed();
-- no unique index: rows that keep what is indexed
CREATE INDEX spots_day ON spots (day) INCLUDE (code);
UPDATE src SET v = 'b' WHERE id IN (1, 2);
UPDATE src SET day = 9 WHERE id = 3;
UPDATE src SET code = 'other' WHERE id = 4;
SELECT * FROM refreshed();
-- a unique index: nothing indexed has changed, or something has, or the key itself
CREATE UNIQUE INDEX spots_id ON spots (id) INCLUDE (v);
UPDATE src SET n = n + 0.5 WHERE id IN (1, 2);
SELECT * FROM refreshed();
UPDATE src SET day = 8 WHERE id = 5;
UPDATE src SET v = 'c' WHERE id = 6;
SELECT * FROM refreshed();
UPDATE src SET id = 47 WHERE id = 7;
SELECT * FROM refreshed();
-- rows that are exchanged but for the key; each kind of change at once; one row again and again
UPDATE src SET (code, v) = (SELECT o.code, o.v FROM src AS o WHERE o.id = 19 - src.id) WHERE id IN (9, 10);
SELECT * FROM refreshed();
UPDATE src SET v = 'd' WHERE id IN (1, 2);
DELETE FROM src WHERE id IN (11, 12, 13);
INSERT INTO src VALUES (101), (102), (NULL), (NULL);
SELECT * FROM refreshed();
BEGIN;
UPDATE src SET n = 1000 WHERE id = 1;
SELECT * FROM refreshed();
SAVEPOINT one;
UPDATE src SET n = 1001 WHERE id = 1;
SELECT * FROM refreshed();
ROLLBACK TO one;
UPDATE src SET n = 1002 WHERE id = 1;
SELECT * FROM refreshed();
UPDATE src SET n = 1003 WHERE id = 1;
SELECT * FROM refreshed();
COMMIT;
SET enable_seqscan = off;
SELECT n FROM spots WHERE id = 1;
SELECT id FROM spots WHERE day IN (8, 9) ORDER BY id;
RESET enable_seqscan;
-- NULLs in the key: any of them may become any other, not one that is not NULL
UPDATE src SET n = 7 WHERE id IS NULL;
SELECT * FROM refreshed();
UPDATE src SET id = 103 WHERE ctid = (SELECT max(ctid) FROM src WHERE id IS NULL);
SELECT * FROM refreshed();
DELETE FROM src WHERE id IS NULL;
SELECT * FROM refreshed();
-- a second unique index: values that move from row to row, in both directions
CREATE UNIQUE INDEX spots_n ON spots (n) NULLS NOT DISTINCT WHERE id < 100;
UPDATE src SET v = 'e' WHERE id = 20;
SELECT * FROM refreshed();
UPDATE src SET n = (SELECT o.n FROM src AS o WHERE o.id = 41 - src.id) WHERE id IN (20, 21);
SELECT * FROM refreshed();
UPDATE src SET n = NULL WHERE id = 22;
SELECT * FROM refreshed();
UPDATE src SET n = CASE id WHEN 23 THEN NULL ELSE 22 END WHERE id IN (22, 23);
SELECT * FROM refreshed();
-- equal, but not the same
UPDATE src SET n = 24.00 WHERE id = 24;
SELECT * FROM refreshed();
-- a predicate's column: which of two rows is in the index; both ways
DROP INDEX spots_n;
CREATE UNIQUE INDEX spots_code ON spots (v) WHERE day = 77;
UPDATE src SET v = 'same' WHERE id IN (25, 26);
UPDATE src SET day = 77 WHERE id = 25;
SELECT * FROM refreshed();
UPDATE src SET day = CASE id WHEN 25 THEN 1 ELSE 77 END WHERE id IN (25, 26);
SELECT * FROM refreshed();
UPDATE src SET day = CASE id WHEN 26 THEN 1 ELSE 77 END WHERE id IN (25, 26);
SELECT * FROM refreshed();
UPDATE src SET n = 0 WHERE id IN (25, 26);
SELECT * FROM refreshed();
DROP INDEX spots_code;
-- an expression's columns
CREATE UNIQUE INDEX spots_sum ON spots ((n + id)) WHERE id BETWEEN 30 AND 39;
UPDATE src SET n = CASE id WHEN 30 THEN 31.0 ELSE 29.0 END WHERE id IN (30, 31);
UPDATE src SET v = 'f' WHERE id = 32;
SELECT * FROM refreshed();
UPDATE src SET n = 30 WHERE id IN (30, 31);
SELECT * FROM refreshed();
DROP INDEX spots_sum;
-- an expression of the whole row
CREATE FUNCTION image(spots) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1.v || $1.day || coalesce($1.code, '') || coalesce($1.id, 0) $$;
CREATE UNIQUE INDEX spots_image ON spots (image(spots));
UPDATE src SET v = 'g' WHERE id = 33;
SELECT * FROM refreshed();
DROP INDEX spots_image;
-- a second row of a key, beside one that is updated
UPDATE src SET v = 'h' WHERE id = 34;
INSERT INTO src VALUES (34);
SELECT * FROM refreshed();
DELETE FROM src WHERE id = 34 AND v IS NULL;
-- long values: those that stay are not written again, nor do they keep an update from being HOT
DROP INDEX spots_id;
CREATE UNIQUE INDEX spots_id ON spots (id);
CREATE INDEX spots_v ON spots USING hash (v);
UPDATE src SET v = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) AS i) WHERE id = 35;
UPDATE src SET v = repeat('x', 5000) WHERE id = 36;
SELECT changed, ins, upd, hot, del, toast_ins > 0 AS toasted, wrong FROM refreshed();
UPDATE src SET n = n + 1 WHERE id IN (35, 36);
SELECT * FROM refreshed();
UPDATE src SET v = v || 'y' WHERE id IN (35, 36);
SELECT changed, ins, upd, hot, del, toast_ins > 0 AS toasted, wrong FROM refreshed();
UPDATE src SET v = NULL WHERE id = 35;
SELECT * FROM refreshed();
-- Little memory: as many pairs as it holds.
SET mv_orchestrator.diff_work_mem = '64kB';
INSERT INTO src (id, n) SELECT i, 0 FROM generate_series(1001, 6000) AS i;
SELECT * FROM refreshed();
UPDATE src SET n = 1 WHERE id % 10 = 0 AND id > 1000;
SELECT changed, ins, upd, del, wrong FROM refreshed();
UPDATE src SET n = 2 WHERE id % 25 = 0 AND id > 1000;
SELECT changed, ins, upd, del, wrong FROM refreshed();
RESET mv_orchestrator.diff_work_mem;

-- Undone, twice, and mixed with other modes in a transaction.
BEGIN;
DELETE FROM base WHERE id < 50;
SELECT status, rows, changed FROM mv_refresh('days', mode => 'diff');
ROLLBACK;
SELECT count(*) FROM days;
SELECT status FROM mv_refresh('days', mode => 'diff');
BEGIN;
SAVEPOINT one;
UPDATE base SET label = 'a' WHERE id = 10;
SELECT status, changed FROM mv_refresh('days', mode => 'diff');
ROLLBACK TO one;
SELECT status, changed FROM mv_refresh('days', mode => 'diff');
UPDATE base SET label = 'b' WHERE id = 10;
SELECT status, changed FROM mv_refresh('days', mode => 'diff');
UPDATE base SET label = 'c' WHERE id = 10;
SELECT status, changed FROM mv_refresh('days', mode => 'diff');
SELECT status, changed FROM mv_refresh('days', mode => 'diff');
SELECT mode, status, changed FROM mv_refresh('days', mode => 'swap');
UPDATE base SET label = 'd' WHERE id = 10;
SELECT mode, status, changed FROM mv_refresh('days', mode => 'diff');
UPDATE base SET label = 'e' WHERE id = 10;
SELECT mode, status, changed FROM mv_refresh('days', mode => 'concurrent');
UPDATE base SET label = 'f' WHERE id = 10;
SELECT mode, status, changed FROM mv_refresh('days', mode => 'diff');
SELECT mode, status, changed FROM mv_refresh('days', mode => 'plain');
SELECT mode, status, changed FROM mv_refresh('days', mode => 'diff');
SELECT label FROM days WHERE id = 10;
COMMIT;
SELECT wrong();

-- Views that read each other, in one call.
SELECT mv_register('total', 'SELECT count(*) AS days, sum(n) AS n FROM days', depends_on => '{days}');
SELECT count(*) FROM mv_create('total');
SELECT name, status, rows, changed FROM mv_refresh_all('{days,total}', mode => 'diff');
UPDATE base SET label = 'total stays' WHERE id = 20;
SELECT name, status, rows, changed FROM mv_refresh_all('{days,total}', mode => 'diff');
UPDATE base SET n = n + 1 WHERE id = 20;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT name, status, rows, changed FROM mv_refresh_all('{days,total}', mode => 'diff');
COMMIT;
SELECT t.n = (SELECT sum(n) FROM base) AS right FROM total AS t;

-- Errors. Each leaves the rows that were there.
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
SELECT mv_register('hollow', 'TABLE base');
SELECT count(*) FROM mv_create('hollow', with_data => false);
SELECT * FROM state($$SELECT mv_refresh('hollow', mode => 'diff')$$);
SELECT note();
INSERT INTO base VALUES (30, 1, 'again'), (31, 2, 'also');
SELECT * FROM state($$SELECT mv_refresh('days', mode => 'diff')$$);
SELECT * FROM seen();
DELETE FROM base WHERE label IN ('again', 'also');
SELECT status FROM mv_refresh('days', mode => 'diff');
INSERT INTO base VALUES (12, NULL, 'a'), (13, NULL, 'b');
DELETE FROM base WHERE id IN (12, 13) AND n IS NOT NULL;
SELECT * FROM state($$SELECT mv_refresh('pairs', mode => 'diff')$$);
-- an index that failed to be built
INSERT INTO bag VALUES (1), (1);
SELECT status FROM mv_refresh('bags', mode => 'diff');
CREATE UNIQUE INDEX CONCURRENTLY bags_a ON bags (a);
SELECT * FROM state($$SELECT mv_refresh('bags', mode => 'diff')$$);
DROP INDEX bags_a;
SELECT status FROM mv_refresh('bags', mode => 'diff');
-- a cursor of this session that reads the view
BEGIN;
DECLARE c CURSOR FOR SELECT a FROM bags;
FETCH 1 FROM c;
INSERT INTO bag VALUES (2);
SELECT * FROM state($$SELECT mv_refresh('bags', mode => 'diff')$$);
FETCH ALL FROM c;
CLOSE c;
SELECT status, changed FROM mv_refresh('bags', mode => 'diff');
COMMIT;
-- not a heap
CREATE ACCESS METHOD regress_diff_heap TYPE TABLE HANDLER heap_tableam_handler;
SELECT mv_register('other', 'TABLE bag', options => '{"access_method": "regress_diff_heap"}');
SELECT count(*) FROM mv_create('other');
SELECT * FROM state($$SELECT mv_refresh('other', mode => 'diff')$$);
-- an error of the query, after rows that were compared
SELECT mv_register('divided', 'SELECT 10 / a AS a FROM bag');
SELECT count(*) FROM mv_create('divided');
INSERT INTO bag VALUES (0);
SELECT * FROM state($$SELECT mv_refresh('divided', mode => 'diff')$$);
\x off
SELECT array_agg(a) FROM divided;

DROP SCHEMA dif CASCADE;
SELECT count(mv_unregister(name)) FROM mv_order() WHERE name LIKE 'dif.%';
DROP ACCESS METHOD regress_diff_heap;
