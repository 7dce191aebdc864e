-- mv_refresh and mv_refresh_all: which views, in which order, from one snapshot, all or nothing.
SET mv_orchestrator.mode = 'plain';
CREATE SCHEMA ref;
SET search_path = ref, public;
CREATE TABLE base (id int);
INSERT INTO base VALUES (1), (1), (NULL);
SELECT mv_register('a', 'SELECT id FROM base');
SELECT mv_register('b', 'SELECT id, count(*) AS n FROM a GROUP BY id', depends_on => '{a}');
SELECT mv_register('c', 'SELECT sum(id) AS total FROM a', depends_on => '{a}');
SELECT mv_register('d', 'SELECT b.id, b.n, c.total FROM b, c', depends_on => '{b, c}');
SELECT mv_register('z', 'SELECT 1 AS x');
SELECT count(*) FROM mv_create_all();

-- The rows that a view holds without being the query's, and the other way round, summed over views.
CREATE FUNCTION difference(VARIADIC views text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text := '';
  definition text;
  n bigint;
BEGIN
  FOR i IN 1 .. cardinality(views) LOOP
    SELECT r.definition INTO STRICT definition FROM mv_orchestrator.registry AS r WHERE r.view_name = views[i];
    EXECUTE format('SELECT count(*) FROM ((TABLE %1$I EXCEPT ALL (%2$s)) UNION ALL ((%2$s) EXCEPT ALL TABLE %1$I)) AS d',
                   views[i], definition) INTO n;
    result := result || views[i] || n || ' ';
  END LOOP;
  RETURN result;
END
$$;

-- A step says what was done: its status and mode, the rows in the view afterwards, the time.
INSERT INTO base VALUES (2), (2);
SELECT step, name, status, mode, rows, changed, elapsed > '0' AND elapsed < '1 min' AS timed, detail FROM mv_refresh('a');
SELECT difference('a', 'b', 'c', 'd');
-- The scope adds what the view reads, what reads it, or both; never what is beside it.
SELECT name FROM mv_refresh('b');
SELECT name FROM mv_refresh('b', scope => 'self');
SELECT name FROM mv_refresh('b', scope => 'upstream');
SELECT name FROM mv_refresh('b', scope => 'downstream');
SELECT name FROM mv_refresh('b', scope => 'both');
SELECT name FROM mv_refresh('a', scope => 'downstream');
SELECT name FROM mv_refresh('d', 'upstream');
SELECT difference('a', 'b', 'c', 'd');
-- mv_refresh_all takes all views.
INSERT INTO base SELECT generate_series(1, 100);
SELECT step, name, status, rows FROM mv_refresh_all();
SELECT difference('a', 'b', 'c', 'd', 'z');
-- Names given in the wrong order are put right; what is not given is left alone.
DELETE FROM base WHERE id > 50;
SELECT step, name, rows FROM mv_refresh_all('{d, a, b, d, ref.a}');
SELECT difference('a', 'b', 'c') AS c_is_old;
SELECT * FROM mv_refresh_all('{}');
SELECT difference('c') AS c_is_old;

-- A view that holds nothing yet is filled; one that reads it before that cannot be.
REFRESH MATERIALIZED VIEW a WITH NO DATA;
SELECT name FROM mv_refresh('b');
SELECT status, rows FROM mv_refresh_all('{b, a}');
SELECT difference('a', 'b');

-- All steps or none: where one fails the views before it hold their old rows.
CREATE TABLE divisor (x int);
INSERT INTO divisor VALUES (1);
SELECT mv_register('fails', 'SELECT 1 / x AS x FROM divisor', depends_on => '{a}');
SELECT * FROM mv_create('fails');
SELECT count(*) FROM mv_refresh_all();
UPDATE divisor SET x = 0;
INSERT INTO base VALUES (7), (8);
SELECT name FROM mv_refresh_all();
SELECT name FROM mv_refresh('a', scope => 'downstream');
SELECT difference('a') AS a_is_old, (SELECT x FROM fails) AS old;
UPDATE divisor SET x = 1;
SELECT count(*) FROM mv_refresh_all();
SELECT difference('a', 'b', 'c', 'd', 'z', 'fails');
SELECT * FROM mv_drop('fails');
-- A view that is missing stops the run before anything is done.
INSERT INTO base VALUES (9);
SELECT name FROM mv_refresh_all();
SELECT name FROM mv_refresh('fails');
SELECT difference('a') AS a_is_old;
SELECT mv_unregister('fails');

-- A disabled view is left out, unless it is named; what reads it is not.
SELECT mv_register('b', 'SELECT id, count(*) AS n FROM a GROUP BY id', depends_on => '{a}', options => '{"enabled": false}');
SELECT name FROM mv_refresh_all();
SELECT name FROM mv_refresh('a', scope => 'downstream');
SELECT name FROM mv_refresh('d', scope => 'upstream');
SELECT name FROM mv_refresh('b');
SELECT name FROM mv_refresh_all('{b}');
SELECT mv_register('b', 'SELECT id, count(*) AS n FROM a GROUP BY id', depends_on => '{a}');

-- A dependency that the server does not know, inside a function, is kept as it was declared.
CREATE FUNCTION biggest() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT max(id) FROM a); END $$;
SELECT mv_register('_hidden', 'SELECT biggest() AS x', depends_on => '{a}');
SELECT * FROM mv_create('_hidden');
INSERT INTO base VALUES (1000);
SELECT step, name FROM mv_refresh_all('{_hidden, a}');
SELECT x FROM _hidden;

-- A text that was registered over a live view is not applied by a refresh, and never silently: the
-- step says so, and one warning for all.
SELECT mv_register('z', 'SELECT 2 AS x');
SELECT mv_register('c', 'SELECT min(id) AS total FROM a', depends_on => '{a}');
SELECT name, detail FROM mv_refresh_all();
SELECT x FROM z;
SELECT name, detail FROM mv_refresh('a');
SELECT name, detail FROM mv_refresh('z');
-- Once it is applied, or taken back, nothing is said any more.
SELECT * FROM mv_drop('z');
SELECT * FROM mv_create('z');
SELECT mv_register('c', 'SELECT sum(id) AS total FROM a', depends_on => '{a}');
SELECT name, detail FROM mv_refresh_all('{z, c}');
SELECT x FROM z;
-- So it is when somebody else replaced the view by what is registered.
SELECT mv_register('z', 'SELECT 3 AS x');
DROP MATERIALIZED VIEW z;
CREATE MATERIALIZED VIEW z AS SELECT 3 AS x;
SELECT name, detail FROM mv_refresh('z');
-- A text that cannot be read any more is another matter.
CREATE TABLE going (id int);
SELECT mv_register('z', 'SELECT id AS x FROM going');
DROP TABLE going;
SELECT name, status, detail FROM mv_refresh('z');

-- All work is done before the first row, and a refresh is part of its transaction.
SELECT mv_register('z', 'SELECT 3 AS x');
INSERT INTO base VALUES (1001);
SELECT name FROM mv_refresh_all() LIMIT 1;
SELECT difference('a', 'b', 'c', 'd');
BEGIN;
INSERT INTO base VALUES (1002);
SELECT count(*) FROM mv_refresh_all();
SELECT max(id) FROM a;
ROLLBACK;
SELECT max(id) FROM a;
-- It sees what its own transaction and statement did so far, in every isolation level: a trigger can
-- keep a view up to date.
CREATE FUNCTION keep_up_to_date() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM mv_refresh('ref.a', scope => 'downstream');
  RETURN NULL;
END
$$;
CREATE TRIGGER up_to_date AFTER INSERT OR DELETE ON base FOR EACH STATEMENT EXECUTE FUNCTION keep_up_to_date();
INSERT INTO base VALUES (1003), (1003);
SELECT difference('a', 'b', 'c', 'd');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM a;
DELETE FROM base WHERE id = 1003;
SELECT count(*) FROM a;
COMMIT;
SELECT difference('a', 'b', 'c', 'd');
DROP TRIGGER up_to_date ON base;
-- Every step reads the same snapshot, in READ COMMITTED too.
CREATE FUNCTION burn_a_transaction_id() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ref.base VALUES (1);
  RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN RETURN 1;
END
$$;
SELECT mv_register('snap1', 'SELECT pg_current_snapshot()::text AS s');
SELECT mv_register('snap2', 'SELECT burn_a_transaction_id() AS x', depends_on => '{snap1}');
SELECT mv_register('snap3', 'SELECT pg_current_snapshot()::text AS s', depends_on => '{snap2}');
SELECT count(*) FROM mv_create_all('{snap1, snap2, snap3}');
SELECT step, name FROM mv_refresh('snap3', scope => 'upstream');
SELECT count(DISTINCT s) AS snapshots FROM (TABLE snap1 UNION ALL TABLE snap3) AS s;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA ref CASCADE;
