-- Whether a live view is what was registered: mv_create says "exists", or fails with 42P07.
CREATE SCHEMA mat;
SET search_path = mat, public;
CREATE TABLE t (id int PRIMARY KEY, v varchar(10), c char(3), n numeric(10,2), d date, ts timestamptz,
                j jsonb, a int[], txt text, bo bool);
CREATE TABLE u (id int, w text, "Odd col" int, "select" int);
CREATE TYPE composite AS (p int, q text);
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE FUNCTION rows_of(int) RETURNS TABLE (k int, l text) LANGUAGE sql AS 'SELECT $1, $1::text';
CREATE FUNCTION named(a int DEFAULT 1, b int DEFAULT 2) RETURNS int LANGUAGE sql AS 'SELECT a + b';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);

-- A view matches the text that it was created from, in the session that created it and in one with
-- other settings, and it matches the text that the server prints for it.
CREATE TABLE form (n int GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO form (query) VALUES
  ($$SELECT * FROM t$$),
  ($$SELECT id FROM t WHERE v IN ('a', 'b') AND c IN ('x', 'y') AND v NOT IN ('c', 'd')$$),
  ($$SELECT id FROM t WHERE v = ANY ('{a,b}') OR c = 'x' OR c LIKE 'x%' OR v BETWEEN 'a' AND 'b'$$),
  ($$SELECT v FROM t WHERE v IN ('a'::varchar, 'b'::varchar(5), c) AND n IN (1, 2.5) AND v IN ('a')$$),
  ($$SELECT id FROM t WHERE v = ANY (ARRAY['a'::varchar, 'b']) AND id <> ALL (ARRAY[1, 2])$$),
  ($$WITH a AS (SELECT 1 AS x), b AS MATERIALIZED (SELECT x + 1 AS y FROM a) SELECT * FROM b, a$$),
  ($$WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r$$),
  ($$WITH RECURSIVE r AS (SELECT id, id AS p FROM t UNION ALL SELECT t.id, r.id FROM t JOIN r ON t.id = r.p)
     SEARCH DEPTH FIRST BY id SET o CYCLE id SET is_cycle USING path SELECT id, p, is_cycle FROM r$$),
  ($$SELECT id, row_number() OVER w AS r, sum(n) OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES)
     FROM t WINDOW w AS (PARTITION BY v ORDER BY id DESC NULLS LAST)$$),
  ($$SELECT id, lag(n, 1, 0) OVER (ORDER BY d RANGE BETWEEN '1 day' PRECEDING AND '1 day' FOLLOWING) FROM t$$),
  ($$SELECT v, count(*) FILTER (WHERE id > 1), string_agg(v, ',' ORDER BY id DESC) AS s,
     percentile_cont(0.5) WITHIN GROUP (ORDER BY id) AS p FROM t GROUP BY v HAVING count(DISTINCT c) > 1$$),
  ($$SELECT v, c, grouping(v, c) AS g, count(*) FROM t GROUP BY GROUPING SETS ((v), (c), ()), CUBE (v, c)$$),
  ($$SELECT 1 AS a UNION SELECT 2 UNION ALL (SELECT 3 AS b EXCEPT SELECT 4) INTERSECT SELECT 5 ORDER BY 1 LIMIT 3$$),
  ($$SELECT v FROM t UNION SELECT w FROM u UNION ALL VALUES ('x') ORDER BY v OFFSET 1$$),
  ($$SELECT x FROM (SELECT id AS x FROM t UNION SELECT 2 INTERSECT SELECT id FROM u) AS s$$),
  ($$SELECT DISTINCT ON (v) v, id FROM t ORDER BY v, id DESC FETCH FIRST 3 ROWS WITH TIES$$),
  ($$VALUES (1, 'a'), (2, 'b')$$),
  ($$TABLE t$$),
  ($$SELECT '01/02/2026'::date AS d, '2026-01-01 12:00'::timestamptz AS z, interval '1' DAY AS i, '1 day -01:00'::interval AS j$$),
  ($$SELECT now() AS n, current_date AS d, localtimestamp(2) AS l, current_user AS u, session_user AS s$$),
  ($$SELECT E'a\nb\\c' AS e, 'it''s' AS i, 'a\b' AS b, B'101' AS bits, X'1F' AS x, '\x00ff'::bytea AS bytes$$),
  ($$SELECT 1.0::float8 AS f, 'NaN'::float8 AS nan, 0.1::real AS r, - 1 AS m, -(-1) AS mm, 1e300 AS e, 12345678901234567890 AS l$$),
  ($$SELECT NULL AS n, NULL::int AS i, TRUE AS t, 'unknown' AS u$$),
  ($$SELECT id FROM t WHERE v IS NULL OR bo IS NOT UNKNOWN OR v IS DISTINCT FROM 'a' OR NOT bo OR v = NULL$$),
  ($$SELECT x.k, x.l FROM t, LATERAL rows_of(t.id) AS x$$),
  ($$SELECT * FROM ROWS FROM (rows_of(1), generate_series(1, 3)) WITH ORDINALITY AS z(a, b, c, o)$$),
  ($$SELECT named() AS a, named(5) AS b, named(b => 3) AS c, 1 === 2 AS d, 1 OPERATOR(mat.===) 2 AS e$$),
  ($$SELECT * FROM t JOIN u USING (id) AS j LEFT JOIN (SELECT w AS ww FROM u) AS k ON k.ww = j.id::text$$),
  ($$SELECT id, (SELECT max(id) FROM u WHERE u.id = t.id) AS m, EXISTS (SELECT FROM u) AS e, ARRAY(SELECT id FROM u) AS r,
     (id, v) IN (SELECT id, w FROM u) AS i, id > ALL (SELECT id FROM u) AS g FROM t$$),
  ($$SELECT j -> 'a' ->> 'b' AS x, j['a']['b'] AS y, a[1] AS z, a[1:2] AS s, (ROW(1, 'a')::composite).q, (t).id FROM t$$),
  ($$SELECT 1::positive AS a, positive '2' AS b, 'sad'::mood AS c, '{1,2}'::positive[] AS d, t, t.ts FROM t$$),
  ($$SELECT v COLLATE "C" AS v, max(c COLLATE "POSIX") AS m FROM t GROUP BY v COLLATE "C", v ORDER BY v COLLATE "C" USING >$$),
  ($$SELECT ts AT TIME ZONE 'UTC' AS z, extract(year FROM ts) AS y, substring(txt FROM 1 FOR 2) AS s, trim(BOTH 'x' FROM txt) AS t,
     overlay(txt PLACING 'x' FROM 1) AS o, txt SIMILAR TO 'a' AS i, normalize(txt, NFC) AS n FROM t$$),
  ($$SELECT id FROM ONLY t AS "T T" TABLESAMPLE system (50) REPEATABLE (1) WHERE "T T".id > 0$$),
  ($$SELECT id + 1 AS "select", id AS "Odd ""name""", id AS "a.b;c", "Odd col", "select" AS k FROM u$$),
  ($$SELECT CASE v WHEN 'a' THEN 1 ELSE 2 END AS a, CASE WHEN id > 1 THEN v END AS b, coalesce(v, 'x') AS c, nullif(v, 'a') AS d FROM t$$),
  ($$SELECT id::text || v AS a, c || 'y' AS b, id::varchar(3) AS d, v::char(2) AS e, n::int AS f, CAST(n AS numeric(5)) AS g FROM t$$),
  ($$SELECT 't'::regclass AS r, 'mat.t'::regclass AS s, 'int4'::regtype AS y, to_tsvector('english', txt) @@ 'a & b'::tsquery AS q FROM t$$),
  ($$SELECT generate_series(1, 3) AS g, unnest(ARRAY['a', 'b']) AS u$$),
  ($$SELECT c1.relname FROM pg_class AS c1, pg_catalog.pg_class AS c2 WHERE false$$),
  ($$SELECT id FROM t ORDER BY id FOR SHARE OF t SKIP LOCKED$$),
  ($$SELECT id, v, n FROM t GROUP BY id$$);

CREATE FUNCTION mismatches() RETURNS TABLE (n int, what text, message text) LANGUAGE plpgsql AS $$
DECLARE
  f record;
  result text;
BEGIN
  FOR f IN SELECT * FROM mat.form ORDER BY 1 LOOP
    FOR what IN SELECT unnest('{create,again,elsewhere,printed}'::text[]) LOOP
      BEGIN
        n := f.n;
        IF what = 'create' THEN
          PERFORM public.mv_register('mat.form' || f.n, f.query);
        ELSIF what = 'elsewhere' THEN
          SET LOCAL search_path = pg_catalog;
          SET LOCAL DateStyle = 'German';
          SET LOCAL TimeZone = 'Asia/Tokyo';
          SET LOCAL IntervalStyle = 'iso_8601';
          SET LOCAL standard_conforming_strings = off;
          SET LOCAL escape_string_warning = off;
          SET LOCAL transform_null_equals = on;
          SET LOCAL extra_float_digits = 0;
          SET LOCAL bytea_output = 'escape';
          SET LOCAL quote_all_identifiers = on;
        ELSIF what = 'printed' THEN
          PERFORM public.mv_register('mat.form' || f.n, pg_get_viewdef(('mat.form' || f.n)::regclass));
        END IF;
        SELECT c.action INTO STRICT result FROM public.mv_create('mat.form' || f.n) AS c;
        IF result <> (CASE what WHEN 'create' THEN 'created' ELSE 'exists' END) THEN
          message := result;
          RETURN NEXT;
        END IF;
      EXCEPTION WHEN OTHERS THEN
        message := SQLERRM;
        RETURN NEXT;
      END;
    END LOOP;
    SET LOCAL search_path = mat, public;
    RESET DateStyle; RESET TimeZone; RESET IntervalStyle; RESET standard_conforming_strings;
    RESET escape_string_warning; RESET transform_null_equals; RESET extra_float_digits;
    RESET bytea_output; RESET quote_all_identifiers;
  END LOOP;
END
$$;
SELECT * FROM mismatches();
SELECT count(*) = (SELECT count(*) FROM form) AS all_created FROM pg_matviews WHERE schemaname = 'mat';
-- A dump prints a view, a restore reads it: what comes out still matches what was registered.
SELECT count(mv_register('form' || n, query)) = (SELECT count(*) FROM form) AS registered FROM form;
CREATE FUNCTION dump_and_restore(view text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  printed text := pg_get_viewdef(view::regclass);
BEGIN
  EXECUTE 'DROP MATERIALIZED VIEW ' || view;
  EXECUTE 'CREATE MATERIALIZED VIEW ' || view || ' AS ' || printed;
END
$$;
SELECT count(dump_and_restore('form' || n)) FROM form;
SELECT action, count(*) = (SELECT count(*) FROM form) AS each FROM mv_create_all() GROUP BY action;
SELECT count(dump_and_restore('form' || n)) FROM form;
SELECT action, count(*) = (SELECT count(*) FROM form) AS each FROM mv_create_all() GROUP BY action;

-- Spelling, comments, quotes and redundant parentheses make no difference; meaning does.
CREATE MATERIALIZED VIEW m AS SELECT id, v AS name FROM t WHERE id > 1 AND v = 'a';
CREATE TABLE other (n int GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO other (query) VALUES
  ('select mat."t".ID, ((t.v)) as name /* c */ from mat.t where ((id > 1)) and (v = ''a''::text);'),
  ('SELECT id, v FROM t WHERE id > 1 AND v = ''a'''),
  ('SELECT id, v AS "Name" FROM t WHERE id > 1 AND v = ''a'''),
  ('SELECT id, v AS name FROM t WHERE id > 1 AND v = ''A'''),
  ('SELECT id, v AS name FROM t WHERE id > 1::bigint AND v = ''a'''),
  ('SELECT id, v AS name FROM t WHERE id >= 1 AND v = ''a'''),
  ('SELECT v AS name, id FROM t WHERE id > 1 AND v = ''a'''),
  ('SELECT id, v AS name FROM ONLY t WHERE id > 1 AND v = ''a'''),
  ('SELECT DISTINCT id, v AS name FROM t WHERE id > 1 AND v = ''a'''),
  ('SELECT id, v AS name FROM t AS x WHERE id > 1 AND v = ''a'''),
  ('SELECT id, v AS name, 1 AS more FROM t WHERE id > 1 AND v = ''a''');
CREATE FUNCTION verdict(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM mv_register('m', query);
  RETURN (SELECT action FROM mv_create('m'));
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END
$$;
SELECT n, verdict(query) FROM other ORDER BY n;

-- A change of the live view shows: columns renamed in it, or what the server rewrote in its text.
SELECT verdict('SELECT id, v AS name FROM t WHERE id > 1 AND v = ''a''');
ALTER MATERIALIZED VIEW m RENAME COLUMN name TO label;
SELECT * FROM mv_create('m');
ALTER MATERIALIZED VIEW m RENAME COLUMN label TO name;
SELECT * FROM mv_create('m');
-- A source's column renamed: the registered text cannot be read any more, and that is what is said.
ALTER TABLE t RENAME COLUMN v TO vv;
SELECT * FROM mv_create('m');
SELECT verdict('SELECT id, vv AS name FROM t WHERE id > 1 AND vv = ''a''');
-- A source replaced by another of the same name: the view still reads the old one.
ALTER TABLE t RENAME TO t_old;
CREATE TABLE t (LIKE t_old);
SELECT * FROM mv_create('m');
SELECT verdict('SELECT id, vv AS name FROM t_old WHERE id > 1 AND vv = ''a''');

-- A column added to a source: SELECT * now means more than the view holds.
SELECT mv_register('star', 'SELECT * FROM t');
SELECT * FROM mv_create('star');
ALTER TABLE t ADD COLUMN more int;
SELECT * FROM mv_create('star');
SELECT * FROM mv_drop('star');
SELECT * FROM mv_create('star');

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA mat CASCADE;
