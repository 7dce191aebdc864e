-- The registry as a script.
SET client_min_messages = warning;
CREATE ROLE regress_export_olga;
CREATE ROLE "regress_export_o'brien
DROP ROLE regress_export_olga; \echo";
CREATE ROLE regress_export_reader;
CREATE ROLE regress_export_friend;
CREATE ROLE regress_export_gone;
CREATE ROLE regress_export_member IN ROLE regress_export_olga;
CREATE ROLE regress_export_monitor IN ROLE pg_monitor;
CREATE SCHEMA exp AUTHORIZATION regress_export_olga;
CREATE SCHEMA "exp""; DROP SCHEMA exp CASCADE
--" AUTHORIZATION regress_export_reader;
GRANT ALL ON SCHEMA exp, "exp""; DROP SCHEMA exp CASCADE
--" TO "regress_export_o'brien
DROP ROLE regress_export_olga; \echo";
GRANT USAGE ON SCHEMA exp TO PUBLIC;
GRANT ALL ON SCHEMA exp TO regress_export_gone, regress_export_friend;
RESET client_min_messages;
SET search_path = exp, public;

-- An empty registry.
\t
\a
SELECT * FROM mv_export();
\t
\a

-- Every argument; settings that decide what a text means; names that are statements.
SET SESSION AUTHORIZATION regress_export_olga;
SELECT mv_register('base', 'SELECT 1 AS a, 2 AS "B""b"', unique_key => '{a,"\"B\"\"b\""}',
  indexes => ARRAY['CREATE INDEX base_b ON base USING btree ("B""b")', 'CREATE INDEX "base \x" ON exp.base (a) WHERE a > 0'],
  mode => 'diff', options => '{"with": {"fillfactor": 70}, "comment": "it''s \\ \"quoted\"", "enabled": false}');
SET search_path = exp, "$user", "Odd, one", '', pg_temp, public;
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'iso_8601'; SET transform_null_equals = on;
SET standard_conforming_strings = off; SET escape_string_warning = off; SET quote_all_identifiers = on;
SELECT public.mv_register('settings', 'SELECT ''02/01/2024''::date AS d, ''a\\\\tb'' AS s', depends_on => ARRAY['base', 'later', '"never there"']);
RESET ALL;
SET search_path = exp, public;
SELECT mv_register('later', 'SELECT 1 AS x');
SET SESSION AUTHORIZATION "regress_export_o'brien
DROP ROLE regress_export_olga; \echo";
SELECT mv_register('"exp""; DROP SCHEMA exp CASCADE
--"."x''; DROP TABLE y; --\"', $$SELECT ''';
\! false
'::text AS "c'';
--"$$, options => $${"comment": "'; DROP ROLE regress_export_olga; --\nnew line"}$$);
RESET SESSION AUTHORIZATION;
SELECT mv_register('for_another', 'SELECT 1 AS x', options => '{"owner": "regress_export_friend"}');
SELECT count(*) FROM mv_create_all();
-- What belongs to the views: privileges of all kinds, comments.
SET SESSION AUTHORIZATION regress_export_olga;
GRANT SELECT ON base TO PUBLIC;
GRANT SELECT, UPDATE ON base TO regress_export_reader WITH GRANT OPTION;
GRANT INSERT ON base TO regress_export_reader;
GRANT SELECT ("B""b"), REFERENCES (a) ON base TO regress_export_friend WITH GRANT OPTION;
COMMENT ON COLUMN base."B""b" IS E'of a \\ column\nof it';
COMMENT ON INDEX base_b IS 'it''s';
REVOKE DELETE, TRUNCATE ON later FROM regress_export_olga;
SET SESSION AUTHORIZATION regress_export_reader;
GRANT UPDATE ON base TO regress_export_friend WITH GRANT OPTION;
SET SESSION AUTHORIZATION regress_export_friend;
GRANT UPDATE ON base TO "regress_export_o'brien
DROP ROLE regress_export_olga; \echo";
SET SESSION AUTHORIZATION "regress_export_o'brien
DROP ROLE regress_export_olga; \echo";
COMMENT ON COLUMN "exp""; DROP SCHEMA exp CASCADE
--"."x'; DROP TABLE y; --\"."c'';
--" IS $$'; DROP ROLE regress_export_olga; --$$;
GRANT SELECT ON "exp""; DROP SCHEMA exp CASCADE
--"."x'; DROP TABLE y; --\" TO PUBLIC;
RESET SESSION AUTHORIZATION;
\t
\a
SELECT * FROM mv_export();
\t
\a

-- The same, whoever asks in whichever settings.
CREATE TABLE script AS SELECT * FROM mv_export() WITH ORDINALITY AS s (line, n);
GRANT SELECT ON script TO PUBLIC;
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET standard_conforming_strings = off; SET quote_all_identifiers = on;
SET search_path = pg_catalog; SET bytea_output = escape; SET escape_string_warning = off;
SELECT count(*) AS different FROM (SELECT * FROM public.mv_export() WITH ORDINALITY AS s (line, n) EXCEPT TABLE exp.script) AS d;
RESET ALL;
SET search_path = exp, public;

-- Forgotten and run again, statement by statement: the registry is as it was.
CREATE TABLE registry AS TABLE mv_orchestrator.registry;
CREATE TABLE dependency AS TABLE mv_orchestrator.dependency;
CREATE VIEW acls AS SELECT relname, attname, grantor::regrole::text, grantee::regrole::text, privilege_type, is_grantable
  FROM (SELECT relname, NULL AS attname, relacl FROM pg_class WHERE relkind = 'm' UNION ALL
        SELECT relname, attname, attacl FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid WHERE relkind = 'm') AS a, aclexplode(relacl);
CREATE TABLE acls_before AS TABLE acls;
CREATE VIEW comments AS SELECT relname, attname, description FROM pg_description AS d JOIN pg_class AS c ON c.oid = objoid
  LEFT JOIN pg_attribute ON attrelid = c.oid AND attnum = objsubid AND attnum > 0
  WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'exp%');
CREATE TABLE comments_before AS TABLE comments;
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
\set ECHO none
\o /dev/null
SELECT line FROM script ORDER BY n \gexec
\o
\set ECHO all
RESET client_min_messages;
SELECT current_user = session_user AS reset, current_setting('search_path'), current_setting('standard_conforming_strings');
SET search_path = exp, public;
-- But for a name that could be looked up by now, the owner's option, and settings in one way to write them.
SELECT schema_name, view_name, owner, options FROM (TABLE registry EXCEPT TABLE mv_orchestrator.registry) AS d ORDER BY view_name;
SELECT view_name, position, depends_on_schema, depends_on_name
  FROM ((TABLE dependency EXCEPT TABLE mv_orchestrator.dependency) UNION ALL (TABLE mv_orchestrator.dependency EXCEPT TABLE dependency)) AS d
  ORDER BY depends_on_schema;
SELECT count(*) AS different FROM (SELECT * FROM mv_export() WITH ORDINALITY AS s (line, n) EXCEPT TABLE script) AS d;
-- Dropped and made again, the views get what they had when it is run again.
SELECT count(*) FROM mv_drop_all();
SELECT count(*) FROM mv_create_all();
SET client_min_messages = warning;
\set ECHO none
\o /dev/null
SELECT line FROM script ORDER BY n \gexec
\o
\set ECHO all
RESET client_min_messages;
SET search_path = exp, public;
SELECT * FROM ((TABLE acls EXCEPT ALL TABLE acls_before) UNION ALL (TABLE acls_before EXCEPT ALL TABLE acls)) AS d;
SELECT * FROM ((TABLE comments EXCEPT ALL TABLE comments_before) UNION ALL (TABLE comments_before EXCEPT ALL TABLE comments)) AS d;
SELECT count(*) FROM pg_roles WHERE rolname LIKE 'regress\_export%';
SELECT count(*) AS different FROM (SELECT * FROM mv_export() WITH ORDINALITY AS s (line, n) EXCEPT TABLE script) AS d;

-- To each what is his.
SET ROLE regress_export_member;
SELECT substring(line FROM 'name => (.*?)::') AS name FROM mv_export() AS s (line) WHERE line LIKE 'SELECT%';
SET ROLE regress_export_friend;
SELECT substring(line FROM 'name => (.*?)::') AS name FROM mv_export() AS s (line) WHERE line LIKE 'SELECT%';
SET ROLE regress_export_reader;
SELECT substring(line FROM 'name => (.*?)::') AS name FROM mv_export() AS s (line) WHERE line LIKE 'SELECT%';
SET ROLE regress_export_monitor;
SELECT count(*) FROM mv_export() AS s (line) WHERE line LIKE 'SELECT%';
RESET ROLE;
BEGIN READ ONLY;
SELECT count(*) > 10 AS read_only FROM mv_export();
COMMIT;

-- A view that belongs to somebody else by now: the text stays its author's, the view goes to its owner. The author
-- lacks CREATE by now; another is gone.
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry WHERE view_name <> 'later';
ALTER MATERIALIZED VIEW later OWNER TO regress_export_friend;
SET ROLE regress_export_gone;
SELECT mv_register('left', 'SELECT 1 AS x');
SET ROLE regress_export_friend;
SELECT mv_register('no_create', 'SELECT 1 AS x');
RESET ROLE;
REVOKE ALL ON SCHEMA exp FROM regress_export_friend, regress_export_gone;
DROP ROLE regress_export_gone;
\t
\a
SELECT * FROM mv_export();
\t
\a
SELECT line FROM mv_export() AS s (line) \gexec
SET search_path = exp, public;
SELECT * FROM mv_drop('later');
SELECT * FROM mv_create('later');
SELECT matviewowner FROM pg_matviews WHERE matviewname = 'later';

SET client_min_messages = warning;
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
DROP SCHEMA exp, "exp""; DROP SCHEMA exp CASCADE
--" CASCADE;
DROP ROLE regress_export_olga, regress_export_reader, regress_export_friend, regress_export_member, regress_export_monitor,
  "regress_export_o'brien
DROP ROLE regress_export_olga; \echo";
