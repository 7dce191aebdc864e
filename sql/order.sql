-- mv_order: the order in which views are created and refreshed.
CREATE SCHEMA ord;
CREATE SCHEMA ord2;
SET search_path = ord, public;

-- Without registrations there is nothing to order.
SELECT * FROM mv_order();

-- What is read comes before what reads it; among ready views the smallest name comes first. Order
-- of registration does not matter, and the views need not exist.
SELECT mv_register('a', 'SELECT 1 AS x', depends_on => '{c}');
SELECT mv_register('b', 'SELECT 1 AS x', depends_on => '{c, d}');
SELECT mv_register('c', 'SELECT 1 AS x');
SELECT mv_register('d', 'SELECT 1 AS x', depends_on => '{c}');
SELECT mv_register('e', 'SELECT 1 AS x', depends_on => '{b, a, d, b}');
SELECT * FROM mv_order();

-- Names compare by their bytes, whatever the database's collation: schema first, then name.
SELECT mv_register('"B"', 'SELECT 1 AS x');
\pset format unaligned
SELECT mv_register('"É"', 'SELECT 1 AS x');
SELECT mv_register('ord2.a', 'SELECT 1 AS x');
SELECT mv_register('a_', 'SELECT 1 AS x');
SELECT mv_register('"a "', 'SELECT 1 AS x');
SELECT step, name FROM mv_order();
\pset format aligned
SELECT count(mv_unregister(name)) FROM mv_order('{"\"B\"", "\"É\"", ord2.a, a_, "\"a \""}');

-- A subset has its own order and levels: what lies outside it does not matter, but depends_on names
-- it all the same.
SELECT * FROM mv_order('{e, a}');
SELECT * FROM mv_order('{e, c}');
SELECT * FROM mv_order('{e, b, c, b, ord.e}');
-- No names are no views, not all.
SELECT count(*) FROM mv_order('{}');
SELECT count(*) FROM mv_order(NULL);

-- Dependencies on what is not registered never matter, whether it exists or not.
CREATE TABLE base (id int);
SELECT mv_register('f', 'SELECT 1 AS x', depends_on => '{base, ord.base, nothing, ord2.nothing, pg_class, a}');
SELECT * FROM mv_order('{f, a}');
-- One that named nothing is looked up again at each ordering, along the search_path that was in force
-- at registration and no other.
SELECT mv_register('nothing', 'SELECT 1 AS x');
SELECT * FROM mv_order('{f, nothing}');
SET search_path = ord2, ord, public;
SELECT mv_register('g', 'SELECT 1 AS x', depends_on => '{later}');
SET search_path = ord, public;
SELECT mv_register('later', 'SELECT 1 AS x');
SELECT name, depends_on FROM mv_order('{ord2.g}');
SELECT mv_register('ord2.later', 'SELECT 1 AS x');
SELECT name, depends_on FROM mv_order('{ord2.g}');
-- One that named something stays with it.
SET search_path = ord2, ord, public;
SELECT mv_register('h', 'SELECT 1 AS x', depends_on => '{c}');
SELECT mv_register('ord2.c', 'SELECT 1 AS x');
SET search_path = ord, public;
SELECT name, depends_on FROM mv_order('{ord2.h}');

-- What is unregistered is out of the order at once, and back in its place when it is registered anew.
SELECT mv_unregister('d');
SELECT name, level, depends_on FROM mv_order('{b, c, e}');
SELECT mv_register('d', 'SELECT 1 AS x', depends_on => '{c}');
SELECT name, level, depends_on FROM mv_order('{b, c, d, e}');

-- A disabled view keeps its place.
SELECT mv_register('c', 'SELECT 1 AS x', options => '{"enabled": false}');
SELECT name, level FROM mv_order('{a, b, c, d, e}');
SELECT mv_register('c', 'SELECT 1 AS x');

-- A cycle is an error that prints one way round it: a shortest one, from its smallest name.
SELECT mv_register('c', 'SELECT 1 AS x', depends_on => '{e}');
SELECT * FROM mv_order();
SELECT mv_register('d', 'SELECT 1 AS x', depends_on => '{b, c}');
SELECT mv_register('"Loop"', 'SELECT 1 AS x', depends_on => '{"\"the other\""}');
SELECT mv_register('"the other"', 'SELECT 1 AS x', depends_on => '{"\"Loop\""}');
SELECT * FROM mv_order();
-- It stops only what has it inside.
SELECT name, level FROM mv_order('{a, d, e}');
SELECT * FROM mv_order('{a, c, e}');
-- Nothing is done in a cycle.
\set VERBOSITY sqlstate
SELECT mv_create_all();
SELECT mv_refresh_all();
SELECT mv_drop_all();
SELECT mv_create('"Loop"');
\set VERBOSITY default
SELECT count(*) FROM pg_matviews WHERE schemaname = 'ord';
-- A view cannot depend on itself, by whichever name.
\set VERBOSITY sqlstate
SELECT mv_register('self', 'SELECT 1 AS x', depends_on => '{self}');
SELECT mv_register('self', 'SELECT 1 AS x', depends_on => '{base, ord.self}');
SELECT mv_register('a', 'SELECT 1 AS x', depends_on => ARRAY['ORD."a"']);
\set VERBOSITY default
SELECT definition FROM mv_orchestrator.registry WHERE view_name = 'self';
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;

-- Sixty views at random, against an order that is found by search in the registry: at every place
-- the smallest view of which everything it reads has been placed.
CREATE TABLE graph AS
  SELECT i, CASE WHEN i % 3 = 0 THEN upper(md5(i::text)) ELSE 'v' || md5(i::text) END AS name
  FROM generate_series(1, 60) AS i;
SELECT count(mv_register(format('%I.%I', CASE WHEN i % 4 = 0 THEN 'ord2' ELSE 'ord' END, name),
  'SELECT 1 AS x', depends_on => coalesce((
    SELECT array_agg(format('%I.%I', CASE WHEN g.i % 4 = 0 THEN 'ord2' ELSE 'ord' END, g.name))
    FROM graph AS g WHERE (g.i * 7) % 61 < (graph.i * 7) % 61 AND (g.i * 31 + graph.i * 17) % 23 < 2), '{}')))
  FROM graph;
SELECT count(*) AS edges FROM mv_orchestrator.dependency;

CREATE FUNCTION expected_order(among text[]) RETURNS TABLE (step int, name text, level int)
LANGUAGE plpgsql AS $$
DECLARE
  chosen record;
BEGIN
  CREATE TEMP TABLE placed (s text, v text, step int, level int);
  FOR n IN 1 .. cardinality(among) LOOP
    SELECT r.schema_name AS s, r.view_name AS v,
           1 + coalesce((SELECT max(p.level) FROM placed AS p JOIN mv_orchestrator.dependency AS d
                         ON (d.depends_on_schema, d.depends_on_name) = (p.s, p.v)
                         WHERE (d.schema_name, d.view_name) = (r.schema_name, r.view_name)), 0) AS l
      INTO STRICT chosen
      FROM mv_orchestrator.registry AS r
      WHERE format('%I.%I', r.schema_name, r.view_name) = ANY (among)
        AND (r.schema_name, r.view_name) NOT IN (SELECT p.s, p.v FROM placed AS p)
        AND NOT EXISTS (
          SELECT FROM mv_orchestrator.dependency AS d
          WHERE (d.schema_name, d.view_name) = (r.schema_name, r.view_name)
            AND format('%I.%I', d.depends_on_schema, d.depends_on_name) = ANY (among)
            AND (d.depends_on_schema, d.depends_on_name) NOT IN (SELECT p.s, p.v FROM placed AS p))
      ORDER BY r.schema_name::bytea, r.view_name::bytea LIMIT 1;
    INSERT INTO placed VALUES (chosen.s, chosen.v, n, chosen.l);
  END LOOP;
  RETURN QUERY SELECT p.step, format('%I.%I', p.s, p.v), p.level FROM placed AS p;
  DROP TABLE placed;
END
$$;
CREATE VIEW every_name AS
  SELECT format('%I.%I', schema_name, view_name) AS name,
         row_number() OVER (ORDER BY md5(view_name)) AS n FROM mv_orchestrator.registry;
SELECT count(*) AS same, max(level) AS levels
  FROM mv_order() JOIN expected_order((SELECT array_agg(name) FROM every_name))
  USING (step, name, level);
-- So is every subset, in whatever order its names are given.
SELECT third, count(*), count(*) FILTER (WHERE e.step IS NOT NULL) AS same
  FROM generate_series(0, 2) AS third,
       LATERAL (SELECT array_agg(name ORDER BY n DESC) AS names FROM every_name WHERE n % 3 = third) AS s,
       LATERAL mv_order(s.names) AS o LEFT JOIN LATERAL expected_order(s.names) AS e
       ON (o.step, o.name, o.level) = (e.step, e.name, e.level)
  GROUP BY third ORDER BY third;
-- depends_on holds the registered dependencies, sorted.
SELECT count(*) AS wrong FROM mv_order() AS o WHERE o.depends_on IS DISTINCT FROM coalesce((
  SELECT array_agg(format('%I.%I', d.depends_on_schema, d.depends_on_name)
                   ORDER BY d.depends_on_schema::bytea, d.depends_on_name::bytea)
  FROM mv_orchestrator.dependency AS d WHERE format('%I.%I', d.schema_name, d.view_name) = o.name), '{}');

-- It is STABLE and reads only: it works in a read-only transaction, a cursor, a join, a select list.
SELECT provolatile FROM pg_proc WHERE proname = 'mv_order';
BEGIN READ ONLY;
SELECT count(*) FROM mv_order() AS o JOIN every_name USING (name);
DECLARE c SCROLL CURSOR FOR SELECT step FROM mv_order();
FETCH ABSOLUTE 60 FROM c;
SELECT max((r).step) FROM (SELECT mv_order() AS r) AS s;
COMMIT;

SELECT count(mv_unregister(name)) FROM every_name;
SET client_min_messages = warning;
DROP SCHEMA ord, ord2 CASCADE;
