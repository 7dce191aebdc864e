-- Refresh modes: which one a step is done in, and what each asks for.
CREATE SCHEMA mod;
SET search_path = mod, public;
CREATE TABLE base (id int, label text);
INSERT INTO base SELECT i, 'label ' || i FROM generate_series(1, 10) AS i;
SELECT mv_register('of_auto', 'SELECT * FROM base', unique_key => '{id}');
SELECT mv_register('of_plain', 'SELECT * FROM base', unique_key => '{id}', mode => 'plain');
SELECT mv_register('of_concurrent', 'SELECT * FROM base', unique_key => '{id}', mode => 'concurrent');
SELECT count(*) FROM mv_create_all();

-- A plain refresh gives a view new files, a concurrent one and a diff leave it its own: that is how
-- one sees from outside which it was.
CREATE TABLE files (name text, node oid);
CREATE FUNCTION note_files() RETURNS void LANGUAGE sql AS $$
  TRUNCATE mod.files;
  INSERT INTO mod.files SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relkind = 'm' AND relname LIKE 'of_%';
$$;
CREATE FUNCTION modes_seen() RETURNS TABLE (name text, seen text) LANGUAGE sql AS $$
  SELECT name, CASE WHEN node = pg_relation_filenode(name::regclass) THEN 'in place' ELSE 'new files' END
  FROM mod.files ORDER BY name COLLATE "C";
$$;

-- The call's argument comes first, then the registration, then the setting. "auto" registered leaves
-- the choice to the setting; in a call it is a choice, and nobody's.
SELECT note_files();
SELECT name, mode FROM mv_refresh_all();
SELECT * FROM modes_seen();
SET mv_orchestrator.mode = 'concurrent';
SELECT note_files();
SELECT name, mode FROM mv_refresh_all();
SELECT * FROM modes_seen();
SELECT note_files();
SELECT name, mode FROM mv_refresh_all(mode => 'plain');
SELECT * FROM modes_seen();
SET mv_orchestrator.mode = 'plain';
SELECT note_files();
SELECT name, mode FROM mv_refresh_all(mode => 'concurrent');
SELECT * FROM modes_seen();
RESET mv_orchestrator.mode;
SELECT name, mode FROM mv_refresh('of_concurrent');
SELECT name, mode FROM mv_refresh('of_concurrent', mode => 'plain');
SELECT name, mode FROM mv_refresh('of_plain', mode => 'concurrent');
SELECT name, mode FROM mv_refresh('of_concurrent', mode => 'auto');
SET mv_orchestrator.mode = 'concurrent';
SELECT name, mode FROM mv_refresh_all(mode => 'auto');
RESET mv_orchestrator.mode;
SELECT name, mode FROM mv_refresh_all(mode => NULL);

-- Both give the rows of the query, and say how many there are.
UPDATE base SET label = 'new' WHERE id = 1;
DELETE FROM base WHERE id = 2;
INSERT INTO base VALUES (11, NULL), (12, 'x');
SELECT name, mode, rows, changed FROM mv_refresh_all();
SELECT name, count(*) AS differences FROM (
  SELECT 'of_auto' AS name, d.* FROM ((TABLE of_auto EXCEPT ALL TABLE base) UNION ALL (TABLE base EXCEPT ALL TABLE of_auto)) AS d
  UNION ALL
  SELECT 'of_concurrent', d.* FROM ((TABLE of_concurrent EXCEPT ALL TABLE base) UNION ALL (TABLE base EXCEPT ALL TABLE of_concurrent)) AS d
) AS s GROUP BY name;

-- A concurrent refresh that a view is not fit for is an error that says what is missing: never done
-- in another mode.
SELECT mv_register('of_no_key', 'SELECT * FROM base', mode => 'concurrent');
SELECT * FROM mv_create('of_no_key');
SELECT note_files();
SELECT mv_refresh('of_no_key');
SELECT mv_refresh_all();
SELECT count(*) AS kept FROM files WHERE node = pg_relation_filenode(name::regclass);
-- Unique indexes that do not say what identifies every row do not count.
CREATE UNIQUE INDEX partial ON of_no_key (id) WHERE id > 0;
CREATE UNIQUE INDEX expression ON of_no_key ((id + 0));
SELECT mv_refresh('of_no_key');
DROP INDEX expression;
CREATE UNIQUE INDEX whole ON of_no_key (id);
SELECT mode, rows FROM mv_refresh('of_no_key');
SELECT * FROM mv_drop('of_no_key');
SELECT mv_unregister('of_no_key');
-- A view that holds nothing yet.
REFRESH MATERIALIZED VIEW of_concurrent WITH NO DATA;
SELECT mv_refresh('of_concurrent');
SELECT name, mode FROM mv_refresh('of_concurrent', mode => 'plain');
-- New rows that are not unique: the old ones stay, whichever the mode.
INSERT INTO base VALUES (12, 'x');
SELECT mv_refresh('of_concurrent');
SELECT mv_refresh('of_plain');
SELECT count(*) FROM of_concurrent UNION ALL SELECT count(*) FROM of_plain;
DELETE FROM base WHERE id = 12;
-- Failing in one step of many, all keep their old rows.
INSERT INTO base VALUES (13, 'y');
REFRESH MATERIALIZED VIEW of_concurrent WITH NO DATA;
SELECT mv_refresh_all();
SELECT max(id) FROM of_auto;
SELECT name, mode, rows FROM mv_refresh_all(mode => 'plain');

-- A concurrent refresh leaves what depends on the view alone, and works inside a transaction.
CREATE VIEW over_it AS SELECT max(id) FROM of_concurrent;
BEGIN;
INSERT INTO base VALUES (14, 'z');
SELECT name, mode, rows FROM mv_refresh('of_concurrent');
SELECT * FROM over_it;
ROLLBACK;
SELECT * FROM over_it;
-- Not where it is being read.
BEGIN;
DECLARE reader CURSOR FOR SELECT * FROM of_concurrent;
FETCH 0 FROM reader;
SELECT mv_refresh('of_concurrent');
ROLLBACK;

-- A mode that does not exist is an error, wherever it is written, and leaves what was said before.
SELECT mv_register('of_plain', 'SELECT 1 AS x', mode => 'fast');
SELECT mv_register('of_plain', 'SELECT 1 AS x', mode => '');
SELECT mv_register('of_plain', 'SELECT 1 AS x', mode => 'PLAIN');
SELECT mv_refresh('of_plain', mode => 'fast');
SELECT mv_refresh_all(mode => 'concurrently');
SELECT mode, definition FROM mv_orchestrator.registry WHERE view_name = 'of_plain';

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA mod CASCADE;
