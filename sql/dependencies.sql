-- mv_dependencies: what a view reads, as declared and as discovered; and that order, creation, refresh and drop go by it.
CREATE SCHEMA dep;
CREATE SCHEMA "Other s";
SET search_path = dep, public;
\pset null NULL
CREATE TABLE t (id int, v int);
INSERT INTO t VALUES (1, 10), (2, 20);
CREATE FUNCTION register(name text, VARIADIC depends_on text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN mv_register(register.name, pg_get_viewdef(register.name::regclass), register.depends_on);
END
$$;

-- The recursive query over pg_depend that people use, as the oracle: what is between is left out.
CREATE VIEW recursive_query AS
WITH RECURSIVE
  edge AS (
    SELECT DISTINCT r.ev_class::oid AS reader, d.refclassid::oid AS class, d.refobjid AS source
      FROM pg_rewrite AS r JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      WHERE r.rulename = '_RETURN' AND d.refobjid <> r.ev_class
    UNION
    SELECT p.oid, d.refclassid, d.refobjid
      FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
      WHERE p.prosqlbody IS NOT NULL OR p.prokind = 'a'
    UNION
    SELECT o.oid, 'pg_proc'::regclass, o.oprcode FROM pg_operator AS o
    UNION
    SELECT i.inhparent, 'pg_class'::regclass, i.inhrelid FROM pg_inherits AS i),
  reach AS (
    SELECT c.oid AS view, e.class, e.source
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN mv_orchestrator.registry AS g ON (g.schema_name, g.view_name) = (n.nspname, c.relname)
      JOIN edge AS e ON e.reader = c.oid WHERE c.relkind = 'm'
    UNION
    SELECT r.view, e.class, e.source FROM reach AS r JOIN edge AS e ON e.reader = r.source
      WHERE r.class <> 'pg_class'::regclass OR (SELECT relkind FROM pg_class WHERE oid = r.source) IN ('v', 'p')
        OR e.source IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = r.source))
SELECT format('%s.%I', c.relnamespace::regnamespace, c.relname) AS name,
       format('%s.%I', s.relnamespace::regnamespace, s.relname) AS depends_on
  FROM reach AS r JOIN pg_class AS c ON c.oid = r.view JOIN pg_class AS s ON s.oid = r.source
  WHERE r.class = 'pg_class'::regclass AND s.relkind IN ('r', 'p', 'm', 'f');

-- Plain views to any depth; the shortest way counts, and among equal ones the smallest.
CREATE MATERIALIZED VIEW a AS SELECT id, v FROM t;
CREATE VIEW v1 AS SELECT id, v FROM a;
CREATE VIEW v2 AS SELECT id, v FROM v1;
CREATE VIEW v3 AS SELECT id, v FROM v2;
CREATE VIEW "V 4" AS SELECT id, v FROM v3;
CREATE MATERIALIZED VIEW b AS SELECT id FROM "V 4";
CREATE VIEW w0 AS SELECT id FROM v1;
CREATE VIEW w1 AS SELECT id FROM v1;
CREATE MATERIALIZED VIEW c AS SELECT w1.id FROM w1 JOIN w0 USING (id) JOIN "V 4" USING (id);
SELECT register('c'), register('b'), register('a');
SELECT * FROM mv_dependencies();
SELECT name, level, depends_on FROM mv_order();

-- Functions with a parsed body, operators and aggregates that are such functions.
CREATE FUNCTION inner_sum() RETURNS bigint BEGIN ATOMIC SELECT sum(v) FROM dep.v1; END;
CREATE FUNCTION outer_sum(n int) RETURNS bigint BEGIN ATOMIC SELECT dep.inner_sum() + n; END;
CREATE FUNCTION "Plus"(a int, b int) RETURNS bigint RETURN a + b + (SELECT count(*) FROM dep.b);
CREATE OPERATOR |+| (FUNCTION = "Plus", LEFTARG = int, RIGHTARG = int);
CREATE FUNCTION add_c(a bigint, b int) RETURNS bigint RETURN a + b * (SELECT count(*) FROM dep.c);
CREATE AGGREGATE sum_c(int) (SFUNC = add_c, STYPE = bigint, INITCOND = '0');
CREATE MATERIALIZED VIEW of_function AS SELECT outer_sum(1) AS x;
CREATE MATERIALIZED VIEW of_operator AS SELECT 1 |+| 2 AS x;
CREATE MATERIALIZED VIEW of_aggregate AS SELECT sum_c(v) AS x FROM t;
SELECT register('of_function'), register('of_operator'), register('of_aggregate');
SELECT depends_on, registered, via FROM mv_dependencies('of_function');
SELECT depends_on, registered, via FROM mv_dependencies('of_operator');
SELECT depends_on, registered, via FROM mv_dependencies('of_aggregate');

-- Partitions, children, foreign tables; a materialized view that is not registered is a source, what it reads is not.
CREATE TABLE part (id int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (1) TO (10) PARTITION BY RANGE (id);
CREATE TABLE "Part 1a" PARTITION OF part1 FOR VALUES FROM (1) TO (5);
CREATE TABLE parent (id int);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE "Other s".grandchild () INHERITS (child);
CREATE FOREIGN DATA WRAPPER dep_wrapper;
CREATE SERVER dep_server FOREIGN DATA WRAPPER dep_wrapper;
CREATE FOREIGN TABLE far (id int) SERVER dep_server;
CREATE FOREIGN TABLE part_far PARTITION OF part FOR VALUES FROM (10) TO (20) SERVER dep_server;
CREATE MATERIALIZED VIEW unregistered AS SELECT id FROM a;
CREATE VIEW over_parent AS SELECT id FROM parent;
CREATE MATERIALIZED VIEW of_many AS
  SELECT id FROM part UNION ALL SELECT id FROM over_parent UNION ALL SELECT id FROM far UNION ALL SELECT id FROM unregistered
  WITH NO DATA;
SELECT register('of_many');
SELECT depends_on, registered, via FROM mv_dependencies('of_many');

-- Declared: on a view, on what is none, on nothing that is there. A plain view on the way is found, one beside it is not.
CREATE VIEW beside AS SELECT 1 AS x;
SELECT register('c', 'a', 'b', 'v1', 't', 'beside', 'nowhere', '"Other s"."no table"');
SELECT * FROM mv_dependencies('c');
SELECT name, level, depends_on FROM mv_order('{a, b, c}');

-- Functions whose body is a string hide what they read: declared or unknown.
CREATE FUNCTION hidden(int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM dep.a';
CREATE FUNCTION deeper() RETURNS bigint BEGIN ATOMIC SELECT dep.hidden(1); END;
CREATE MATERIALIZED VIEW secretive AS SELECT deeper() AS x;
SELECT register('secretive');
SELECT * FROM mv_dependencies('secretive');
SELECT register('secretive', 'a');
SELECT * FROM mv_dependencies('secretive');

-- All of it against the oracle, both ways.
(SELECT name, depends_on FROM mv_dependencies() WHERE discovered AND depends_on NOT IN ('dep.v1') EXCEPT TABLE recursive_query)
UNION ALL
(TABLE recursive_query EXCEPT SELECT name, depends_on FROM mv_dependencies() WHERE discovered);
SELECT count(*) > 15 AS enough FROM recursive_query;
-- Sorted bytewise, each pair once.
SELECT count(*) AS misplaced FROM (
  SELECT (name, depends_on) AS pair, lag((name, depends_on)) OVER () AS before
    FROM (SELECT name COLLATE "C", depends_on COLLATE "C" FROM mv_dependencies()) AS m) AS d WHERE pair <= before;

-- A dependency that was declared the wrong way round is left out; a run says so once.
SELECT register('a', 'b', 'c');
SELECT name, level, depends_on FROM mv_order('{a, b, c}');
SELECT depends_on, declared, discovered FROM mv_dependencies('a');
SELECT name, status FROM mv_refresh_all('{a, b, c}', 'plain');
SELECT name, status FROM mv_refresh_all('{a, b}', 'plain');
SELECT name, status FROM mv_refresh_all('{a}', 'plain');
-- Nothing but words, though, leads from "secretive" back to "a".
SELECT register('a', 'secretive');
SELECT name FROM mv_order('{a, secretive}');
SELECT register('secretive');
SELECT name, depends_on FROM mv_order('{a, secretive}');
-- A cycle of facts: a plain view on the way was replaced.
SELECT register('a');
CREATE VIEW loose AS SELECT 1 AS id;
CREATE MATERIALIZED VIEW x AS SELECT id FROM loose;
CREATE MATERIALIZED VIEW y AS SELECT id FROM x;
SELECT register('x'), register('y');
CREATE OR REPLACE VIEW loose AS SELECT id FROM y;
SELECT name FROM mv_order('{x, y}');
CREATE OR REPLACE VIEW loose AS SELECT id FROM x;
SELECT name FROM mv_order('{x, y}');
SELECT * FROM mv_dependencies('x');
CREATE OR REPLACE VIEW loose AS SELECT 1 AS id;
-- Facts and words together.
CREATE OR REPLACE VIEW loose AS SELECT id FROM "V 4";
SELECT register('a', 'secretive'), register('secretive', 'x');
SELECT name FROM mv_order('{a, x, secretive}');
SELECT register('a'), register('secretive');
CREATE OR REPLACE VIEW loose AS SELECT 1 AS id;

-- Views that do not exist: the relations that their texts name.
SELECT count(mv_unregister(name)) FROM mv_order();
SELECT mv_register('p', 'SELECT 1 AS id');
SELECT mv_register('q', 'SELECT 1 AS id');
SELECT mv_register('"Other s".q', 'SELECT 1 AS id');
SELECT mv_register('"Odd ""name"', 'SELECT 1 AS id');
CREATE FUNCTION read_by(definition text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM mv_register('reader', definition);
  RETURN (SELECT string_agg(depends_on || CASE WHEN registered THEN '' ELSE '?' END, ' ' ORDER BY depends_on COLLATE "C")
            FROM mv_dependencies('reader'));
END
$$;
SELECT text, read_by(text) FROM unnest(ARRAY[
  'SELECT * FROM p',
  'TABLE p',
  'VALUES ((SELECT count(*) FROM p))',
  'SELECT p FROM q AS p',
  'SELECT * FROM dep.p, "Other s".q',
  'SELECT * FROM "Odd ""name"',
  'SELECT * FROM P JOIN q USING (id)',
  'SELECT * FROM ONLY p, LATERAL (SELECT * FROM q WHERE q.id = p.id) AS l',
  'SELECT 1 AS x WHERE EXISTS (SELECT FROM p) AND 1 = ANY (SELECT id FROM q)',
  'SELECT * FROM p UNION (SELECT * FROM q EXCEPT TABLE "Other s".q)',
  'SELECT 1 AS x ORDER BY (SELECT id FROM p) LIMIT (SELECT id FROM q)',
  'SELECT id, count(*) FILTER (WHERE id IN (SELECT id FROM q)) OVER (PARTITION BY (SELECT id FROM "Other s".q)) FROM p GROUP BY id',
  'SELECT 1 AS x FROM generate_series(1, (SELECT id FROM p)) AS g (x), q TABLESAMPLE system (1)',
  'SELECT * FROM (p JOIN q ON p.id = (SELECT max(id) FROM "Other s".q)) AS j (a, b)',
  'SELECT CASE WHEN true THEN ARRAY(SELECT id FROM p) END AS x, ROW((SELECT id FROM q)) AS y',
  -- WITH: where it is in scope, and without a schema.
  'WITH p AS (SELECT * FROM q) SELECT * FROM p',
  'WITH p AS (SELECT * FROM p) SELECT * FROM p',
  'WITH RECURSIVE p AS (SELECT 1 AS id UNION SELECT id + 1 FROM p WHERE id < 3) SELECT * FROM p',
  'WITH p AS (SELECT 1 AS id) SELECT * FROM dep.p',
  'WITH a1 AS (SELECT * FROM p), p AS (SELECT 1 AS id) SELECT * FROM a1, p',
  'WITH RECURSIVE a1 AS (SELECT * FROM p), p AS (SELECT 1 AS id) SELECT 1 AS x FROM a1, p',
  'WITH p AS (SELECT 1 AS id), a1 AS (SELECT * FROM p) SELECT * FROM a1',
  'SELECT * FROM (WITH p AS (SELECT 1 AS id) SELECT * FROM p) AS s, p',
  'SELECT (WITH p AS (SELECT 1 AS id) SELECT id FROM p) AS x, id FROM q',
  'WITH p AS (WITH q AS (SELECT 1 AS id) SELECT * FROM q) SELECT * FROM q, p',
  'WITH p AS (SELECT 1 AS id) SELECT * FROM (SELECT * FROM p) AS s WHERE EXISTS (WITH q AS (TABLE p) TABLE q)',
  '(WITH p AS (SELECT 1 AS id) SELECT * FROM p) UNION ALL SELECT * FROM p',
  'WITH p AS (SELECT 1 AS id) SELECT * FROM p UNION ALL SELECT * FROM p',
  'WITH p AS (SELECT 1 AS id) (WITH q AS (TABLE p) TABLE q) UNION TABLE q',
  -- What is no relation, though it looks like one.
  'SELECT x.id FROM q AS x FOR UPDATE OF x',
  'SELECT ''p''::regclass AS r, ''FROM p'' AS s, p.id /* FROM nowhere */ FROM q AS p -- JOIN nowhere',
  'SELECT 1 AS p, pg_class.relname FROM pg_catalog.pg_class, pg_attribute AS p',
  'SELECT * FROM p, later, "Other s".later, nowhere.q'
  ]) WITH ORDINALITY AS u (text, n) ORDER BY n;

-- Names without a schema mean the first that is registered or exists along the recorded search_path.
SET search_path = "Other s", dep, public;
SELECT read_by('SELECT * FROM q, p');
SET search_path = dep, "Other s", public;
SELECT read_by('SELECT * FROM q, p');
CREATE TABLE "Other s".p (id int);
SELECT read_by('SELECT * FROM q, p');
SET search_path = "Other s", dep, public;
SELECT read_by('SELECT * FROM q, p');
-- pg_catalog comes first unless it is named.
CREATE TABLE "Other s".pg_class (id int);
SELECT read_by('SELECT 1 AS x FROM pg_class');
SET search_path = "Other s", dep, public, pg_catalog;
SELECT read_by('SELECT 1 AS x FROM pg_class');
-- Names are looked up anew; temporary relations never count.
SELECT read_by('SELECT 1 AS x FROM later');
CREATE TEMP TABLE later (id int);
SELECT depends_on, discovered, registered FROM mv_dependencies('reader');
SELECT mv_register('dep.later', 'SELECT 1 AS id');
SELECT depends_on, discovered, registered FROM mv_dependencies('reader');
SELECT name FROM mv_order('{reader, dep.later}');
CREATE TABLE "Other s".later (id int);
SELECT depends_on, discovered, registered FROM mv_dependencies('reader');
DROP TABLE pg_temp.later, "Other s".later, "Other s".p, "Other s".pg_class;
RESET search_path;
SET search_path = dep, public;

-- Live relations on the way of a text: their rules are followed, children are expanded.
SELECT mv_register('a', 'SELECT id, v FROM t');
SELECT mv_register('text', 'SELECT id FROM w1 UNION ALL SELECT id FROM part');
SELECT * FROM mv_dependencies('text');
-- A text is read as it was registered.
SET escape_string_warning = off;
SET standard_conforming_strings = off;
SELECT mv_register('backslash', $q$SELECT '\' FROM p WHERE x = \'' AS x FROM q$q$);
RESET standard_conforming_strings;
RESET escape_string_warning;
SELECT depends_on FROM mv_dependencies('backslash');
SELECT mv_register('text', $q$SELECT '\' AS x, id, 'a' AS y FROM p$q$);
SET standard_conforming_strings = off;
SELECT depends_on FROM mv_dependencies('backslash');
SELECT depends_on FROM mv_dependencies('text');
RESET standard_conforming_strings;

-- A definition that reads its own view.
SELECT mv_register('self', 'SELECT * FROM self');
\set VERBOSITY sqlstate
SELECT mv_register('self', 'SELECT * FROM q WHERE EXISTS (SELECT FROM dep.self)');
\set VERBOSITY default
SELECT mv_register('self', 'WITH self AS (SELECT 1 AS id) SELECT * FROM self');
SELECT mv_register('self', 'SELECT self.id FROM q AS self');
SET search_path = "Other s", dep, public;
CREATE TABLE "Other s".self (id int);
SELECT mv_register('dep.self', 'SELECT * FROM self');
SELECT depends_on FROM mv_dependencies('dep.self');
-- It goes, and its name means nothing: a view that does not exist cannot be meant.
DROP TABLE "Other s".self;
SELECT * FROM mv_dependencies('dep.self');
SELECT name FROM mv_order('{dep.self}');
SET search_path = dep, public;

-- Creation, refresh and drop, with nothing declared.
SELECT count(mv_unregister(name)) FROM mv_order();
SET client_min_messages = warning;
DROP MATERIALIZED VIEW a, unregistered CASCADE;
RESET client_min_messages;
SELECT mv_register('z', 'SELECT id, v FROM t');
SELECT mv_register('m', 'SELECT sum(v) AS s FROM z');
SELECT mv_register('b', 'SELECT s FROM m');
SELECT * FROM mv_create('b');
CREATE VIEW on_b AS SELECT s FROM b;
SELECT mv_register('a', 'SELECT s FROM on_b');
SELECT * FROM mv_create_all();
INSERT INTO t VALUES (3, 30);
SELECT name, status FROM mv_refresh('a', 'upstream', 'plain');
TABLE a;
SELECT name, status FROM mv_refresh('z', 'downstream', 'plain');
DROP MATERIALIZED VIEW a;
DROP VIEW on_b;
SELECT * FROM mv_drop_all();

-- One view; none; nobody's.
SELECT DISTINCT name FROM mv_dependencies('"dep"."b"');
SELECT DISTINCT name FROM mv_dependencies(NULL);
SELECT mv_register('alone', 'SELECT 1 AS x');
SELECT * FROM mv_dependencies('alone');
\set VERBOSITY sqlstate
SELECT mv_dependencies('nowhere');
SELECT mv_dependencies('t');
SELECT mv_dependencies('b; drop');
\set VERBOSITY default

-- What only the text or the declaration of a view says is for members of its owner, like its status; registered names and
-- what the catalogs show are for everybody.
CREATE ROLE regress_dep_stranger;
CREATE ROLE regress_dep_monitor IN ROLE pg_monitor;
GRANT USAGE ON SCHEMA dep TO regress_dep_stranger, regress_dep_monitor;
SELECT mv_register('b', 'SELECT s, 1 AS x FROM m, t, missing', depends_on => '{z, undisclosed}');
SELECT count(*) FROM mv_create('m');
SELECT name, depends_on, declared, discovered, registered FROM mv_dependencies() WHERE name IN ('dep.b', 'dep.m');
SET ROLE regress_dep_stranger;
SELECT name, depends_on, declared, discovered, registered FROM mv_dependencies() WHERE name IN ('dep.b', 'dep.m');
SET ROLE regress_dep_monitor;
SELECT count(*) FROM mv_dependencies('b');
RESET ROLE;
-- What is on the way there, too.
CREATE VIEW between_b AS SELECT s FROM m;
SELECT mv_register('b', 'SELECT s, 1 AS x FROM between_b');
SELECT depends_on, via FROM mv_dependencies('b');
SET ROLE regress_dep_stranger;
SELECT depends_on, via FROM mv_dependencies('b');
RESET ROLE;
DROP VIEW between_b;

-- Whatever relation has a registered view's name is that view; while it is something else, its text says what it reads.
DROP MATERIALIZED VIEW m;
CREATE VIEW m AS SELECT id AS s FROM parent;
CREATE MATERIALIZED VIEW of_m AS SELECT s FROM m;
SELECT register('of_m');
SELECT * FROM mv_dependencies('of_m');
SELECT * FROM mv_dependencies('m');

-- It reads in a read-only transaction, and inside another statement.
BEGIN READ ONLY;
SELECT count(*) > 0 AS found FROM mv_order() AS o, LATERAL mv_dependencies(o.name) AS d;
COMMIT;

SELECT count(mv_unregister(name)) > 0 AS gone FROM mv_order();
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA dep, "Other s" CASCADE;
DROP FOREIGN DATA WRAPPER dep_wrapper CASCADE;
DROP ROLE regress_dep_stranger, regress_dep_monitor;
