-- Taking over live materialized views as they are.
SET client_min_messages = warning;
CREATE ROLE regress_adopt_olga;
CREATE ROLE regress_adopt_rita;
CREATE SCHEMA ado AUTHORIZATION regress_adopt_olga;
CREATE SCHEMA "Odd ado";
SET allow_in_place_tablespaces = true;
CREATE TABLESPACE regress_adopt_space LOCATION '';
GRANT ALL ON TABLESPACE regress_adopt_space TO PUBLIC;
GRANT ALL ON SCHEMA "Odd ado" TO regress_adopt_olga;
RESET client_min_messages;
SET search_path = ado, public;

SET ROLE regress_adopt_olga;
CREATE TABLE t (id int, kind varchar(9), at timestamptz, n numeric, note text);
INSERT INTO t SELECT g, 'k' || g % 3, timestamptz '2026-01-01 00:00+00' + g * interval '1 day', g / 2.0, repeat('x', g)
  FROM generate_series(1, 20) AS g;
RESET ROLE;
CREATE ACCESS METHOD regress_adopt_heap TYPE TABLE HANDLER heap_tableam_handler;
SET ROLE regress_adopt_olga;

-- Forms, storage, comments, indexes of many kinds.
CREATE MATERIALIZED VIEW full_of_options USING regress_adopt_heap
  WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_vacuum_threshold = 77)
  TABLESPACE regress_adopt_space AS SELECT * FROM t WHERE kind IN ('k1', 'k2') AND at > '2026-01-02 00:00+09';
COMMENT ON MATERIALIZED VIEW full_of_options IS E'It''s a "comment"\nof two \\ lines';
CREATE UNIQUE INDEX full_id ON full_of_options (id) TABLESPACE regress_adopt_space;
CREATE INDEX full_expression ON full_of_options (lower(kind) COLLATE "C" DESC NULLS LAST, n) INCLUDE (at) WHERE id > 3;
CREATE INDEX full_hash ON full_of_options USING hash (kind) WITH (fillfactor = 60);
CREATE INDEX full_pattern ON full_of_options (note text_pattern_ops) TABLESPACE regress_adopt_space WHERE note LIKE 'x''\%';
CREATE UNIQUE INDEX "Full ""unique""" ON full_of_options (n, kind) NULLS NOT DISTINCT;
CREATE INDEX full_brin ON full_of_options USING brin (at) WITH (pages_per_range = 4);
CREATE MATERIALIZED VIEW "Odd ado"."x.y" AS SELECT kind AS "Kind of", count(*) FROM full_of_options GROUP BY 1 WITH NO DATA;
ALTER MATERIALIZED VIEW "Odd ado"."x.y" RENAME COLUMN count TO "How many";
CREATE INDEX ON "Odd ado"."x.y" ("Kind of");
CREATE MATERIALIZED VIEW unions AS (SELECT 1 AS a UNION ALL SELECT 2) INTERSECT SELECT id FROM t;
CREATE MATERIALIZED VIEW intervals AS SELECT interval '-1 year 2 days -03:04' AS i, date '2026-02-01' AS d, E'a\\b' AS s, at = NULL AS never FROM t;
RESET ROLE;

-- What there is, by the catalogs alone.
CREATE VIEW live AS
  SELECT c.relname AS name, 'view' AS what, concat_ws(' ', c.relowner::regrole, a.amname, s.spcname,
         (SELECT string_agg(o, ' ' ORDER BY o) FROM unnest(c.reloptions) AS o), r.reloptions::text, obj_description(c.oid, 'pg_class'),
         (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
          WHERE attrelid = c.oid AND attnum > 0)) AS has
    FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam LEFT JOIN pg_tablespace AS s ON s.oid = c.reltablespace
    LEFT JOIN pg_class AS r ON r.oid = c.reltoastrelid
    WHERE c.relkind = 'm' AND c.relnamespace IN ('ado'::regnamespace, '"Odd ado"'::regnamespace)
  UNION ALL
  SELECT c.relname, i.relname, concat_ws(' ', pg_get_indexdef(i.oid), i.reloptions::text, s.spcname, x.indisunique, x.indisvalid)
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS c ON c.oid = x.indrelid AND c.relkind = 'm'
    LEFT JOIN pg_tablespace AS s ON s.oid = i.reltablespace
    WHERE c.relnamespace IN ('ado'::regnamespace, '"Odd ado"'::regnamespace);
CREATE TABLE before AS TABLE live;
CREATE TABLE rows_before AS SELECT oid, relfilenode, xmin::text AS written, relispopulated FROM pg_class WHERE relname IN
  (SELECT name FROM live UNION SELECT what FROM live);
SELECT name, what FROM before ORDER BY name COLLATE "C", what COLLATE "C";

-- One, in settings that print otherwise: nothing of it is touched, nothing stays locked.
SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = 'sql_standard'; SET transform_null_equals = on;
SET standard_conforming_strings = off; SET escape_string_warning = off; SET quote_all_identifiers = on;
BEGIN;
SELECT mv_adopt('full_of_options');
SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN ('full_of_options'::regclass, 'full_id'::regclass, 't'::regclass);
COMMIT;
SELECT definition, indexes, options, settings, applied FROM mv_orchestrator.registry \gx
-- All others.
SELECT * FROM mv_adopt_all(ARRAY['ado', '"Odd ado"']);
SELECT * FROM mv_adopt_all(ARRAY['ado', '"Odd ado"']);
RESET ALL;
SET search_path = ado, public;
SELECT schema_name, view_name, owner, applied FROM mv_orchestrator.registry ORDER BY 1, 2;
SELECT definition, indexes, options FROM mv_orchestrator.registry WHERE view_name IN ('x.y', 'intervals') ORDER BY 1;
SELECT count(*) AS touched FROM (SELECT oid, relfilenode, xmin::text AS written, relispopulated FROM pg_class WHERE relname IN
  (SELECT name FROM live UNION SELECT what FROM live) EXCEPT TABLE rows_before) AS d;
-- They are what is registered; dropped, they are made again as they were, whatever the session takes a date for.
SELECT * FROM mv_create_all();
SET client_min_messages = warning;
SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard';
SELECT count(*) FROM mv_drop_all();
SELECT * FROM mv_create_all();
RESET ALL;
SET search_path = ado, public;
SELECT * FROM ((TABLE before EXCEPT ALL TABLE live) UNION ALL (TABLE live EXCEPT ALL TABLE before)) AS d;
SELECT * FROM mv_create_all();

-- What is registered stays as it is.
SELECT mv_register('unions', 'SELECT 7 AS a');
SELECT mv_adopt('unions', '{t}');
SELECT * FROM mv_adopt_all('{ado}');
SELECT definition, applied FROM mv_orchestrator.registry WHERE view_name = 'unions';
-- Nothing is left of an adoption that is rolled back.
SELECT mv_unregister('unions');
BEGIN;
SELECT mv_adopt('unions');
ROLLBACK;
SELECT count(*) FROM mv_orchestrator.registry WHERE view_name = 'unions';
-- A view can be adopted in the transaction that made it; its dependencies can be declared.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM t;
CREATE MATERIALIZED VIEW fresh AS SELECT count(*) AS n FROM t;
CREATE INDEX ON fresh (n);
SELECT mv_adopt('fresh', ARRAY['unions', 'intervals', '"not there"', 'intervals']);
SELECT name, depends_on FROM mv_order('{fresh, intervals}');
SELECT depends_on_schema, depends_on_name FROM mv_orchestrator.dependency ORDER BY position;
ROLLBACK;

-- A function that comes before the server's own in the recorded search_path is not taken for it.
CREATE SCHEMA ado_first;
CREATE FUNCTION ado_first.length(varchar) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT -1';
CREATE FUNCTION ado_first.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$SELECT timestamptz '-infinity'$$;
CREATE MATERIALIZED VIEW shadowed AS SELECT length(kind) AS l, now() > '2026-01-01' AS later FROM t;
CREATE INDEX shadowed_l ON shadowed (abs(l));
SET search_path = ado_first, pg_catalog, ado;
SELECT public.mv_adopt('shadowed');
SELECT definition, applied FROM mv_orchestrator.registry WHERE view_name = 'shadowed';
SELECT * FROM public.mv_drop('shadowed');
SELECT * FROM public.mv_create('shadowed');
SET search_path = ado, public;
SELECT DISTINCT l, later FROM shadowed;
SELECT * FROM mv_create('shadowed');

-- An index that is not valid is no part of it.
CREATE MATERIALIZED VIEW doubles AS SELECT 1 AS x FROM t;
CREATE INDEX doubles_x ON doubles (x);
CREATE UNIQUE INDEX CONCURRENTLY "Doubles unique" ON doubles (x);
SELECT mv_adopt('doubles');
SELECT indexes, applied FROM mv_orchestrator.registry WHERE view_name = 'doubles';

-- What is no materialized view, and arguments that mean nothing.
CREATE VIEW plain AS SELECT 1 AS x;
SELECT mv_adopt('t');
SELECT mv_adopt('plain');
SELECT mv_adopt('doubles_x');
SELECT mv_adopt('not_there');
SELECT mv_adopt(0);
SELECT mv_adopt(NULL);
SELECT mv_adopt('unions', '{unions}');
SELECT mv_adopt('unions', '{NULL}');
SELECT mv_adopt('unions', '{a.b.c}');
SELECT mv_adopt('unions', ARRAY[repeat('x', 64)]);
SELECT mv_adopt_all(ARRAY['ado', '"ADO"']);
SELECT mv_adopt_all('{NULL}');
SELECT mv_adopt_all('{ado.t}');
SELECT mv_adopt_all(ARRAY[repeat('x', 64)]);
SELECT * FROM mv_adopt_all('{}');
BEGIN READ ONLY;
SELECT mv_adopt('unions');
ROLLBACK;
BEGIN READ ONLY;
SELECT mv_adopt_all();
ROLLBACK;
SELECT mv_adopt('unions', NULL);

-- Rights: those of the owner, whether he may create in the schema or not: that is asked when the view
-- is created anew. All or nothing, and the error says which.
GRANT USAGE ON SCHEMA ado TO regress_adopt_rita;
CREATE MATERIALIZED VIEW "Odd ado".second AS SELECT 1 AS x;
ALTER MATERIALIZED VIEW "Odd ado".second OWNER TO regress_adopt_olga;
CREATE MATERIALIZED VIEW ado.third AS SELECT 1 AS x;
GRANT CREATE ON SCHEMA ado TO regress_adopt_rita;
ALTER MATERIALIZED VIEW ado.third OWNER TO regress_adopt_rita;
REVOKE CREATE ON SCHEMA ado FROM regress_adopt_rita;
CREATE MATERIALIZED VIEW ado.fourth AS SELECT 1 AS x;
ALTER MATERIALIZED VIEW ado.fourth OWNER TO regress_adopt_olga;
SET ROLE regress_adopt_rita;
SELECT mv_adopt('full_of_options');
SELECT mv_adopt('fourth');
SELECT mv_adopt('third');
SELECT mv_adopt_all(ARRAY['"Odd ado"', 'ado']);
SELECT status FROM mv_refresh('third');
SELECT * FROM mv_create('third');
SELECT * FROM mv_drop('third');
SELECT * FROM mv_create('third');
RESET ROLE;
SELECT count(*) FROM mv_orchestrator.registry WHERE view_name IN ('second', 'fourth');
SELECT * FROM mv_adopt_all(ARRAY['"Odd ado"', 'ado']);
SELECT view_name, owner FROM mv_orchestrator.registry WHERE view_name IN ('second', 'third', 'fourth') ORDER BY 1;

-- Without a list: everything but what belongs to an extension. That can be adopted by name.
CREATE SCHEMA ado_extension;
CREATE MATERIALIZED VIEW ado_extension.member AS SELECT 1 AS x;
CREATE MATERIALIZED VIEW ado_extension.other AS SELECT 1 AS x;
ALTER EXTENSION plpgsql ADD MATERIALIZED VIEW ado_extension.member;
SELECT * FROM mv_adopt_all();
SELECT mv_adopt('ado_extension.member');
ALTER EXTENSION plpgsql DROP MATERIALIZED VIEW ado_extension.member;

SET client_min_messages = warning;
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
DROP SCHEMA ado, "Odd ado", ado_first, ado_extension CASCADE;
DROP ACCESS METHOD regress_adopt_heap;
DROP TABLESPACE regress_adopt_space;
DROP ROLE regress_adopt_olga, regress_adopt_rita;
