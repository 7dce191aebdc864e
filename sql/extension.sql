-- The extension itself: where it lives, what it grants, what it leaves.
SET mv_orchestrator.mode = 'plain';
CREATE SCHEMA ext;
SET search_path = ext, public;

-- Every function, table and column that needs words has a comment; every argument has a name.
SELECT p.proname, obj_description(p.oid, 'pg_proc') IS NOT NULL AS commented
  FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
  JOIN pg_extension AS e ON e.oid = d.refobjid WHERE e.extname = 'mv_orchestrator' ORDER BY p.proname COLLATE "C";
SELECT count(*) AS without_comment FROM pg_class AS c
  WHERE relnamespace = 'mv_orchestrator'::regnamespace AND relkind IN ('r', 'v') AND obj_description(oid, 'pg_class') IS NULL;
SELECT p.oid::regprocedure AS unnamed_arguments FROM pg_proc AS p
  WHERE p.proname LIKE 'mv\_%' AND p.pronamespace = 'public'::regnamespace
    AND (p.pronargs > 0 AND p.proargnames IS NULL OR '' = ANY (p.proargnames) OR p.proisstrict);
-- Only order and plan read; no function may run in a parallel worker.
SELECT proname, provolatile, proparallel, prosecdef FROM pg_proc
  WHERE proname LIKE 'mv\_%' AND pronamespace = 'public'::regnamespace
    AND (provolatile, proparallel, prosecdef) <> ('v', 'u', false);

-- Everybody may call the functions and ask the views, which show to each what is his; nobody but the owner
-- sees the tables.
CREATE ROLE regress_extension_nobody;
SELECT proname FROM pg_proc WHERE proname LIKE 'mv\_%' AND pronamespace = 'public'::regnamespace
  AND NOT has_function_privilege('regress_extension_nobody', oid, 'EXECUTE');
SELECT has_schema_privilege('regress_extension_nobody', 'mv_orchestrator', 'USAGE') AS usage,
       has_schema_privilege('regress_extension_nobody', 'mv_orchestrator', 'CREATE') AS "create";
SELECT relname FROM pg_class WHERE relnamespace = 'mv_orchestrator'::regnamespace AND relkind IN ('r', 'v')
  AND (has_table_privilege('regress_extension_nobody', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR relacl IS NOT NULL AND EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = 0))
  ORDER BY relname;
-- The registry is dumped, and has nothing that a dump would not bring back; history is not, with all it has.
SELECT c::regclass FROM (SELECT unnest(extconfig) AS c FROM pg_extension WHERE extname = 'mv_orchestrator') AS s ORDER BY 1;
SELECT relname, relkind FROM pg_class WHERE relnamespace = 'mv_orchestrator'::regnamespace AND relkind NOT IN ('r', 'i')
  ORDER BY relname;
SELECT attrelid::regclass, attname, atttypid::regtype FROM pg_attribute
  WHERE attrelid IN ('mv_orchestrator.registry'::regclass, 'mv_orchestrator.dependency'::regclass) AND attnum > 0
    AND atttypid NOT IN ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype, 'boolean'::regtype, 'integer'::regtype);

-- DROP EXTENSION leaves the users' views, and forgets the registrations.
SELECT mv_register('kept', 'SELECT 1 AS x', unique_key => '{x}');
SELECT * FROM mv_create('kept');
BEGIN;
DROP EXTENSION mv_orchestrator;
SELECT x FROM kept;
SELECT count(*) FROM pg_namespace WHERE nspname = 'mv_orchestrator';
SELECT count(*) FROM pg_proc WHERE proname LIKE 'mv\_%';
-- A view that is there can be registered with a new one.
CREATE EXTENSION mv_orchestrator SCHEMA public;
SELECT * FROM mv_order();
SELECT mv_register('kept', 'SELECT 1 AS x', unique_key => '{x}');
SELECT * FROM mv_create('kept');
ROLLBACK;
SELECT name FROM mv_order();
-- Its objects cannot be dropped one by one.
DROP TABLE mv_orchestrator.registry;
DROP SCHEMA mv_orchestrator CASCADE;
DROP FUNCTION public.mv_order;

-- It can be installed into any schema: the functions live there, all works from there.
BEGIN;
DROP EXTENSION mv_orchestrator;
CREATE SCHEMA "Odd schema";
CREATE EXTENSION mv_orchestrator SCHEMA "Odd schema";
SELECT DISTINCT pronamespace::regnamespace FROM pg_proc WHERE proname LIKE 'mv\_%';
SELECT "Odd schema".mv_register('odd', 'SELECT 1 AS x');
SELECT * FROM "Odd schema".mv_create_all();
SELECT name, status FROM "Odd schema".mv_refresh_all();
SELECT * FROM "Odd schema".mv_drop_all();
SELECT "Odd schema".mv_unregister('odd');
DROP EXTENSION mv_orchestrator;
-- Into a schema mv_orchestrator as well, where that is said.
CREATE SCHEMA mv_orchestrator;
CREATE EXTENSION mv_orchestrator SCHEMA mv_orchestrator;
SELECT mv_orchestrator.mv_register('inside', 'SELECT 1 AS x');
SELECT * FROM mv_orchestrator.mv_create('inside');
SELECT name, status FROM mv_orchestrator.mv_refresh('inside');
SELECT has_schema_privilege('regress_extension_nobody', 'mv_orchestrator', 'CREATE') AS "create";
ROLLBACK;
-- A schema mv_orchestrator that somebody made beforehand is not taken.
BEGIN;
DROP EXTENSION mv_orchestrator;
CREATE SCHEMA mv_orchestrator AUTHORIZATION regress_extension_nobody;
CREATE EXTENSION mv_orchestrator SCHEMA public;
ROLLBACK;
-- The script is not run by hand, and the extension does not move.
ALTER EXTENSION mv_orchestrator SET SCHEMA ext;
-- Only a superuser creates it.
BEGIN;
DROP EXTENSION mv_orchestrator;
GRANT CREATE ON SCHEMA public TO regress_extension_nobody;
SET ROLE regress_extension_nobody;
CREATE EXTENSION mv_orchestrator SCHEMA public;
ROLLBACK;

-- Where functions and operators of the same names come first in the search_path, its own tables are
-- read and written as ever.
CREATE FUNCTION ext.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql AS $$ SELECT 1 / 0 || '' $$;
CREATE FUNCTION ext.coalesce_trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE OPERATOR ext.= (LEFTARG = text, RIGHTARG = text, FUNCTION = ext.coalesce_trap);
CREATE TABLE ext.registry (schema_name text);
SET search_path = ext, pg_catalog, public;
SELECT mv_register('ext.kept', 'SELECT 1 AS x', options => '{"comment": "c", "with": {"fillfactor": 90}}', depends_on => '{other}');
SELECT * FROM mv_create('kept');
SELECT * FROM mv_order();
SELECT name, status FROM mv_refresh_all();
SELECT mv_unregister('kept');
SET search_path = ext, public;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA ext CASCADE;
DROP ROLE regress_extension_nobody;
