-- What mv_check() finds: every problem once, what its hint says done, and the problem gone.
CREATE SCHEMA che;
SET search_path = che, public;
\set VERBOSITY default
\a
\t
CREATE TABLE base (id int, v text);
INSERT INTO base VALUES (1, 'a'), (2, 'b');
CREATE VIEW checked AS
  SELECT format(E'%s %s %s\n  %s\n  %s', severity, name, problem, coalesce(detail, '-'), coalesce(hint, '-'))
  FROM public.mv_check();
-- The first statement of a hint.
CREATE FUNCTION che.hinted(what text) RETURNS text LANGUAGE sql AS $$
  SELECT substring(hint FROM '(SELECT \* FROM mv_\w+\(E?''[^;]*;|ALTER [^;]*;|REINDEX [^;]*;)') FROM public.mv_check() WHERE problem = what
$$;

-- Nothing is wrong where nothing is registered, nor with views as they were made.
SELECT * FROM mv_check();
SELECT mv_register('a', 'SELECT id, v FROM base', unique_key => '{id}', indexes => ARRAY['CREATE INDEX a_v ON a USING btree (v)']);
SELECT mv_register('b', 'SELECT count(*) AS n FROM a', depends_on => '{a}');
SELECT count(*) FROM mv_create_all();
SELECT * FROM mv_check();
SELECT count(*) FROM mv_refresh_all();
SELECT * FROM mv_check();

-- missing: what reads it is not called invalid, as that is created after it.
SELECT mv_register('later', 'SELECT id FROM a');
SELECT mv_register('latest', 'SELECT id FROM later', depends_on => '{later}', options => '{"enabled": false}');
SELECT * FROM checked;
SELECT hint FROM mv_check() WHERE problem = 'missing' AND name = 'che.later';
SELECT count(*) FROM mv_create('che.latest');
SELECT name, problem FROM mv_check();
SELECT mv_register('later', 'SELECT id FROM a', depends_on => ARRAY['che.a']);
SELECT * FROM mv_check();
SELECT count(*) FROM mv_drop('later', cascade => true);
SELECT count(mv_unregister(n)) FROM unnest('{later,latest}'::text[]) AS n;

-- definition_invalid: of one that does not exist, and of one that does.
SELECT mv_register('broken', 'SELECT x FROM nowhere');
SELECT * FROM checked;
SELECT mv_unregister('broken');
SELECT mv_register('b', 'SELECT count(*) AS n FROM a WHERE che.nothing()', depends_on => '{a}');
SELECT * FROM checked;
CREATE FUNCTION che.nothing() RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = che AS 'SELECT true';

-- drift: where the two differ, and no word of it to who may not see the text.
SELECT * FROM checked;
DROP FUNCTION che.nothing();
SELECT mv_register('b', 'SELECT count(*) AS n FROM a WHERE id > 1', depends_on => '{a}');
SELECT * FROM checked;
SELECT mv_drop('b');
SELECT che.hinted('missing') \gexec
SELECT * FROM mv_check();

-- not_populated
REFRESH MATERIALIZED VIEW b WITH NO DATA;
SELECT * FROM checked;
SELECT 'SELECT name, status FROM (' || rtrim(che.hinted('not_populated'), ';') || ') AS s' \gexec
SELECT * FROM mv_check();

-- moved: renamed, in another schema, in a schema that was renamed.
ALTER MATERIALIZED VIEW b RENAME TO "B ""2""";
SELECT * FROM checked;
SELECT che.hinted('moved') \gexec
SELECT * FROM mv_check();
CREATE SCHEMA "Other che";
ALTER MATERIALIZED VIEW b RENAME TO b2;
ALTER MATERIALIZED VIEW b2 SET SCHEMA "Other che";
SELECT * FROM checked;
ALTER MATERIALIZED VIEW "Other che".b2 SET SCHEMA che;
ALTER MATERIALIZED VIEW che.b2 RENAME TO b;
SELECT mv_register('"Other che".c', 'SELECT 1 AS x');
SELECT count(*) FROM mv_create('"Other che".c');
ALTER SCHEMA "Other che" RENAME TO che3;
SELECT * FROM checked;
SELECT che.hinted('moved') \gexec
SELECT * FROM mv_check();
-- Out of a schema that was dropped then: what it is in now need not be renamed. Nor is anything created in a schema that is
-- not there.
ALTER MATERIALIZED VIEW "Other che".c SET SCHEMA che;
DROP SCHEMA "Other che";
SELECT * FROM checked;
SELECT unnest(string_to_array(substring(hint FROM 'moved: (.*); Or'), '; ')) FROM mv_check() WHERE problem = 'moved' \gexec
SELECT * FROM mv_check();
SET client_min_messages = warning;
DROP SCHEMA "Other che" CASCADE;
RESET client_min_messages;
SELECT * FROM checked;
CREATE SCHEMA "Other che";
SELECT count(*) FROM mv_create('"Other che".c');
-- Nothing is said of an OID that something else has.
UPDATE mv_orchestrator.seen SET relation = 'base'::regclass WHERE view_name = 'c';
SELECT count(*) FROM mv_drop('"Other che".c');
SELECT name, problem, detail FROM mv_check();
SELECT mv_unregister('"Other che".c');
-- What is forgotten is forgotten whole.
SELECT count(*) FROM mv_orchestrator.seen WHERE view_name = 'c';

-- replaced, as migrations do it: until the next run has seen it.
CREATE MATERIALIZED VIEW b_tmp AS SELECT count(*) AS n FROM a WHERE id > 1;
DROP MATERIALIZED VIEW b;
ALTER MATERIALIZED VIEW b_tmp RENAME TO b;
SELECT * FROM checked;
SELECT name, status FROM mv_refresh('b', mode => 'plain');
SELECT * FROM mv_check();
ALTER MATERIALIZED VIEW b RENAME TO b_old;
CREATE MATERIALIZED VIEW b AS TABLE b_old;
SELECT name, problem, detail FROM mv_check();
DROP MATERIALIZED VIEW b;
ALTER MATERIALIZED VIEW b_old RENAME TO b;
SELECT * FROM mv_check();
-- Seen as it is registered, too, and noted once.
CREATE MATERIALIZED VIEW mine AS SELECT 1 AS x;
SELECT mv_register('mine', 'SELECT 1 AS x') FROM generate_series(1, 2);
SELECT count(*) FROM mv_orchestrator.seen WHERE view_name = 'mine';
ALTER MATERIALIZED VIEW mine RENAME TO mine2;
SELECT detail FROM mv_check();
SELECT mv_unregister('mine');

-- name_taken
ALTER MATERIALIZED VIEW b RENAME TO b_old;
CREATE TABLE b ();
SELECT * FROM checked;
DROP TABLE b;
ALTER MATERIALIZED VIEW b_old RENAME TO b;

-- missing_index, and one that is plainly another.
DROP INDEX a_v;
SELECT * FROM checked;
SELECT che.hinted('missing_index') \gexec
SELECT * FROM mv_check();
DROP INDEX a_v;
CREATE INDEX a_v ON a (id);
SELECT * FROM checked;
DROP INDEX a_v;
SELECT count(*) FROM mv_create('a');
-- invalid_index
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'che.a_v'::regclass;
SELECT * FROM checked;
SELECT che.hinted('invalid_index') \gexec
SELECT * FROM mv_check();

-- duplicate_key and null_in_key; NULLs are no duplicates, rows of NULLs are not NULL.
CREATE TYPE pair AS (x int, y int);
CREATE TABLE rows ("k ""1""" int, r che.pair);
INSERT INTO rows VALUES (1, (1, 1)), (1, NULL), (1, NULL), (NULL, (1, 1)), (NULL, (1, 1));
SELECT mv_register('keyed', 'SELECT * FROM rows', unique_key => ARRAY['"k ""1"""', 'r']);
CREATE MATERIALIZED VIEW keyed AS SELECT * FROM rows;
SELECT * FROM checked;
INSERT INTO rows VALUES (1, (1, 1)), (2, (NULL, NULL));
REFRESH MATERIALIZED VIEW keyed;
SELECT * FROM checked;
DELETE FROM rows WHERE "k ""1""" IS NULL OR r IS NOT DISTINCT FROM NULL;
REFRESH MATERIALIZED VIEW keyed;
SELECT problem FROM mv_check() ORDER BY 1;
DELETE FROM rows WHERE ctid IN (SELECT max(ctid) FROM rows GROUP BY rows.* HAVING count(*) > 1);
REFRESH MATERIALIZED VIEW keyed;
SELECT che.hinted('missing_index') \gexec
SELECT * FROM mv_check();
SELECT count(*) FROM mv_drop('keyed');
SELECT mv_unregister('keyed');

-- unstable: in the query, in a plain view that it reads, in a BEGIN ATOMIC function; of one that exists and of one that does not.
CREATE VIEW recent AS SELECT id FROM base WHERE now() > '2020-01-01' LIMIT 3;
CREATE FUNCTION che.dice() RETURNS float LANGUAGE sql STABLE BEGIN ATOMIC SELECT random(); END;
CREATE FUNCTION che.dust(int) RETURNS int LANGUAGE sql VOLATILE BEGIN ATOMIC SELECT 1; END;
SELECT mv_register('shaky', 'SELECT id, row_number() OVER (), CURRENT_DATE, che.dice(), che.dust(1) FROM recent');
SELECT * FROM checked WHERE format !~ 'missing';
SELECT count(*) FROM mv_create('shaky');
SELECT * FROM checked;
SELECT mv_register('shaky', $$SELECT DISTINCT ON (v) v, id, (SELECT v FROM base ORDER BY id LIMIT 1) AS first,
  first_value(id) OVER (PARTITION BY v), lag(id) OVER w, pg_relation_size('base') FROM base TABLESAMPLE system (100) WINDOW w AS (ORDER BY id)$$);
SELECT count(*) FROM mv_drop('shaky');
SELECT count(*) FROM mv_create('shaky');
SELECT * FROM checked;
-- What is as stable as it can be.
SELECT mv_register('shaky', $$SELECT DISTINCT ON (v) v, id, rank() OVER (), row_number() OVER (ORDER BY id), count(*) OVER (), 'now'::text,
  '2020-01-01'::timestamptz + '1 day' AS day, age('2020-01-02'::timestamp, '2020-01-01'::timestamp) FROM base ORDER BY v, id LIMIT ALL$$);
SELECT count(*) FROM mv_drop('shaky');
SELECT count(*) FROM mv_create('shaky');
SELECT * FROM mv_check();
SELECT count(*) FROM mv_drop('shaky');
SELECT mv_unregister('shaky');

-- Dependencies: unknown, the wrong way round, unused, undeclared (also through what lies between).
CREATE VIEW between_them AS SELECT n FROM b;
SELECT mv_register('"D d"', 'SELECT n FROM between_them', depends_on => ARRAY['"no such"', 'nor.this']);
SELECT count(*) FROM mv_create('"D d"');
SELECT * FROM checked;
SELECT mv_register('"D d"', 'SELECT n FROM between_them', depends_on => ARRAY['che.b']);
SELECT mv_register('a', 'SELECT id, v FROM base', unique_key => '{id}', indexes => ARRAY['CREATE INDEX a_v ON a USING btree (v)'],
  depends_on => ARRAY['"D d"', 'base', 'rows']);
SELECT * FROM checked;
SELECT mv_register('a', 'SELECT id, v FROM base', unique_key => '{id}', indexes => ARRAY['CREATE INDEX a_v ON a USING btree (v)'],
  depends_on => ARRAY['che.base']);
SELECT * FROM mv_check();

-- opaque_function: an unused dependency may hide in it. unqualified_in_function: what a locked search_path breaks.
CREATE FUNCTION total(a text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
  DECLARE one base%rowtype; found "D d".n%type; BEGIN
    IF a IS DISTINCT FROM 'base' THEN RETURN helper(1::pair_id) + length(a); END IF;
    SELECT count(*) INTO found FROM pg_catalog.pg_class, base; -- FROM rows
    RETURN (SELECT n FROM "D d");
  END $$;
CREATE DOMAIN pair_id AS int;
CREATE FUNCTION helper(int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM (SELECT 1 FROM che.a, rows) AS s';
CREATE FUNCTION clean() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT pg_catalog.count(*) FROM che.a, pg_class';
CREATE FUNCTION settled() RETURNS bigint LANGUAGE sql STABLE SET search_path = che AS 'SELECT count(*) FROM rows';
SELECT mv_register('hidden', 'SELECT total(''x''), che.clean(), settled()', depends_on => ARRAY['a', '"D d"']);
SELECT count(*) FROM mv_create('hidden');
SELECT * FROM checked;
-- As 17 would refresh it, and what the hints make of that.
SET search_path = pg_catalog, pg_temp;
REFRESH MATERIALIZED VIEW che.hidden;
SET search_path = che, public;
SELECT substring(hint FROM 'ALTER [^;]*;') FROM mv_check() WHERE problem = 'unqualified_in_function' \gexec
SET search_path = pg_catalog, pg_temp;
REFRESH MATERIALIZED VIEW che.hidden;
SET search_path = che, public;
SELECT name, problem FROM mv_check();
SELECT count(*) FROM mv_drop('hidden');
SELECT mv_unregister('hidden');

-- Of a body that cannot be cut into words, what comes before the fault; nothing is said of it to the client.
SET check_function_bodies = off;
CREATE FUNCTION half() RETURNS int LANGUAGE sql STABLE AS $$ SELECT n AS abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz
  FROM "D d" WHERE E'\\' = E'\' AND U&'\zzzz' = '' UNION SELECT id FROM base WHERE v = 'open $$;
CREATE FUNCTION odd(int) RETURNS int LANGUAGE plpgsql STABLE AS $$ \ ? @ # : :: . % ( FROM $$;
RESET check_function_bodies;
SELECT mv_register('halved', 'SELECT che.half(), odd(1)');
SELECT count(*) FROM mv_create('halved', with_data => false);
SELECT * FROM checked;
SELECT count(*) FROM mv_drop('halved');
SELECT mv_unregister('halved');

-- cycle: one row each, and everything else is still looked at.
SELECT mv_register('x', 'SELECT 1 AS x', depends_on => '{y}');
SELECT mv_register('y', 'SELECT 1 AS x', depends_on => '{x}');
SELECT mv_register('z', 'SELECT 1 AS x', depends_on => '{zz}');
SELECT mv_register('zz', 'SELECT 1 AS x', depends_on => '{z}');
SELECT * FROM checked;
SELECT count(mv_unregister(n)) FROM unnest('{x,y,z,zz}'::text[]) AS n;
-- One that nobody declared is not ended by registering.
CREATE VIEW che.detour AS SELECT 1 AS x;
CREATE MATERIALIZED VIEW ring AS SELECT x FROM che.detour;
SELECT mv_adopt('ring');
CREATE OR REPLACE VIEW che.detour AS SELECT x FROM ring;
SELECT * FROM checked WHERE format ~ 'cycle';
CREATE OR REPLACE VIEW che.detour AS SELECT 1 AS x;
SELECT count(*) FROM checked WHERE format ~ 'cycle';
SELECT mv_unregister('ring');
DROP VIEW che.detour CASCADE;

-- One view whose texts raise an error when they are read does not stop it; a cancel does.
CREATE FUNCTION che.may(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF current_setting('che.bad', true) = 'yes' THEN
  RAISE 'the text says 42'; ELSIF current_setting('che.bad', true) = 'cancelled' THEN RAISE query_canceled; ELSIF current_setting('che.bad', true) = 'slow' THEN PERFORM pg_sleep(60); END IF; RETURN true; END $$;
CREATE DOMAIN small AS int CHECK (che.may(VALUE));
SELECT mv_register('sour', $$SELECT '{1}'::che.small[] AS x$$);
SELECT count(*) FROM mv_create('sour');
SELECT * FROM mv_check();
SET che.bad = yes;
DROP INDEX a_v;
SELECT * FROM checked;
SELECT count(*) FROM mv_create('a');
-- What only looks like one is an error like others.
SET che.bad = cancelled;
SELECT severity, name, problem, detail FROM mv_check();
SET che.bad = slow;
SET statement_timeout = '300ms';
SELECT * FROM mv_check();
RESET statement_timeout;
SELECT severity, name, problem, detail FROM mv_check();
RESET che.bad;
SELECT count(*) FROM mv_drop('sour');
SELECT mv_unregister('sour');

-- Nothing is written, and a read-only transaction is enough.
BEGIN READ ONLY;
SELECT * FROM mv_check();
ROLLBACK;
BEGIN;
ALTER MATERIALIZED VIEW b RENAME TO b3;
COMMIT;
BEGIN;
SELECT problem FROM mv_check();
SELECT pg_current_xact_id_if_assigned();
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN ('a'::regclass, 'base'::regclass);
COMMIT;
ALTER MATERIALIZED VIEW b3 RENAME TO b;
-- In REPEATABLE READ it works as well, and a run notes nothing there.
DROP MATERIALIZED VIEW b CASCADE;
CREATE MATERIALIZED VIEW b AS SELECT count(*) AS n FROM a WHERE id > 1;
SELECT name, problem, detail FROM mv_check();
CREATE VIEW between_them AS SELECT n FROM b;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT name, status FROM mv_refresh('b', mode => 'plain');
SELECT name, problem FROM mv_check();
COMMIT;
SELECT count(*) FROM mv_create_all();
SELECT name, problem FROM mv_check();

-- Names are only names.
SELECT mv_register('"a"") or --''\n"', 'SELECT 1 AS "x"") y''"', unique_key => ARRAY['"x"") y''"'], depends_on => ARRAY['"q''"']);
SELECT * FROM checked;
SELECT che.hinted('missing') \gexec
ALTER MATERIALIZED VIEW "a"") or --'\n" RENAME TO "a2'";
SELECT * FROM checked WHERE format ~ 'moved';
SELECT che.hinted('moved') \gexec
SELECT problem FROM mv_check();
SELECT count(*) FROM mv_drop('"a"") or --''\n"');
SELECT mv_unregister('"a"") or --''\n"');

-- Who sees what: owners theirs, pg_monitor all without texts and what is in the views, others nothing.
CREATE ROLE regress_check_olga;
CREATE ROLE regress_check_rita;
CREATE ROLE regress_check_member IN ROLE regress_check_olga;
CREATE ROLE regress_check_monitor IN ROLE pg_monitor;
GRANT USAGE, CREATE ON SCHEMA che TO regress_check_olga, regress_check_rita;
GRANT SELECT ON checked TO PUBLIC;
SET ROLE regress_check_olga;
SELECT mv_register('hers', 'SELECT 1 AS id', unique_key => '{id}');
CREATE MATERIALIZED VIEW hers AS SELECT 2 AS id UNION ALL SELECT 2;
SET ROLE regress_check_rita;
SELECT mv_register('ritas', 'SELECT gone FROM nothing_there');
SELECT mv_check();
SET ROLE regress_check_member;
SELECT severity, name, problem, detail FROM mv_check();
SET ROLE regress_check_monitor;
SELECT severity, name, problem, detail FROM mv_check();
RESET ROLE;
REVOKE USAGE ON SCHEMA che FROM regress_check_olga;
SET ROLE regress_check_monitor;
SELECT problem, detail FROM mv_check() WHERE name = 'che.hers';
RESET ROLE;
SELECT problem, detail FROM mv_check() WHERE name = 'che.hers';
GRANT USAGE ON SCHEMA che TO regress_check_olga;
-- owner_differs: neither of the two sees the other's text.
ALTER MATERIALIZED VIEW hers OWNER TO regress_check_rita;
SET ROLE regress_check_rita;
SELECT * FROM checked;
SET ROLE regress_check_olga;
SELECT * FROM mv_check();
RESET ROLE;
SELECT substring(hint FROM 'ALTER [^;]*;') FROM mv_check() WHERE problem = 'owner_differs' \gexec
SELECT problem FROM mv_check() WHERE name = 'che.hers';
-- owner_missing
REASSIGN OWNED BY regress_check_olga TO regress_check_rita;
DROP OWNED BY regress_check_olga;
DROP ROLE regress_check_olga;
SELECT * FROM checked WHERE format ~ 'hers';
SELECT mv_register('hers', 'SELECT 2 AS id UNION ALL SELECT 2');
SELECT * FROM mv_check() WHERE name = 'che.hers';

SET client_min_messages = warning;
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SELECT * FROM mv_check();
DROP SCHEMA che, "Other che" CASCADE;
DROP OWNED BY regress_check_rita;
DROP ROLE regress_check_rita, regress_check_member, regress_check_monitor;
