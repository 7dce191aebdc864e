-- With whose rights a view's text is read and run: its owner's, whoever calls.
SET mv_orchestrator.mode = 'plain';
CREATE ROLE regress_ident_boss SUPERUSER;
CREATE ROLE regress_ident_anna;
CREATE ROLE regress_ident_mob;
CREATE SCHEMA ide;
CREATE SCHEMA mobs AUTHORIZATION regress_ident_mob;
GRANT ALL ON SCHEMA ide TO PUBLIC;
SET SESSION AUTHORIZATION regress_ident_boss;
SET search_path = ide, public;

-- What runs is seen by sequences, which no rollback undoes.
CREATE SEQUENCE ran_as_regress_ident_boss;
CREATE SEQUENCE ran_as_regress_ident_anna;
CREATE SEQUENCE ran_as_regress_ident_mob;
CREATE SEQUENCE escaped;
GRANT ALL ON ALL SEQUENCES IN SCHEMA ide TO PUBLIC;
-- Who ran since the last call, and whether it got out of its role.
CREATE FUNCTION ran() RETURNS TABLE (boss boolean, anna boolean, mob boolean, escaped boolean) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT b.is_called, a.is_called, m.is_called, e.is_called
    FROM ide.ran_as_regress_ident_boss AS b, ide.ran_as_regress_ident_anna AS a,
         ide.ran_as_regress_ident_mob AS m, ide.escaped AS e;
  PERFORM setval(n, 1, false) FROM unnest('{ide.ran_as_regress_ident_boss, ide.ran_as_regress_ident_anna,
                                            ide.ran_as_regress_ident_mob, ide.escaped}'::regclass[]) AS n;
END
$$;
-- Whether a call is refused does not matter here, only what it runs.
CREATE FUNCTION try(call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE call;
EXCEPTION WHEN OTHERS THEN
END
$$;

SET SESSION AUTHORIZATION regress_ident_anna;
CREATE FUNCTION probe(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM nextval('ide.ran_as_' || current_user);
  BEGIN
    SET ROLE regress_ident_boss;
    PERFORM nextval('ide.escaped');
  EXCEPTION WHEN insufficient_privilege THEN
  END;
  BEGIN
    SET SESSION AUTHORIZATION regress_ident_boss;
    PERFORM nextval('ide.escaped');
  EXCEPTION WHEN insufficient_privilege THEN
  END;
  BEGIN
    CREATE TEMP TABLE left_behind (x int);
    PERFORM nextval('ide.escaped');
  EXCEPTION WHEN insufficient_privilege THEN
  END;
  RETURN true;
END
$$;
CREATE FUNCTION immutable_probe(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM ide.probe($1); RETURN $1; END $$;
-- A constant of this type runs the function when the text is merely read.
CREATE DOMAIN trap AS int CHECK (ide.probe(VALUE));

-- At registration.
SET search_path = ide, public;
SELECT mv_register('plain_text', 'SELECT probe(1) AS x, current_user::text AS who');
SELECT * FROM ran();
SELECT mv_register('a_trap', $$SELECT '{1}'::trap[] AS x, session_user::text AS session, current_user::text AS who$$);
SELECT * FROM ran();
-- By a superuser, of a text of his own for somebody else.
SET SESSION AUTHORIZATION regress_ident_boss;
SET search_path = ide, public;
SELECT mv_register('for_anna', $$SELECT '{1}'::trap[] AS x$$, options => '{"owner": "regress_ident_anna"}');
SELECT * FROM ran();
SELECT mv_register('a_trap', (SELECT definition FROM mv_orchestrator.registry WHERE view_name = 'a_trap'),
  unique_key => '{who}', indexes => ARRAY[
    $$CREATE INDEX reading ON a_trap ((who <> ('{1}'::trap[])[1]::text))$$,
    $$CREATE INDEX building ON a_trap (immutable_probe(length(who)))$$,
    $$CREATE INDEX choosing ON a_trap (who) WHERE immutable_probe(length(who)) = ('{2}'::trap[])[1]$$]);
SELECT * FROM ran();

-- At creation, of the rows and of the indexes, and when it is compared afterwards.
SELECT * FROM mv_create('plain_text');
SELECT * FROM ran();
SELECT * FROM mv_create('a_trap');
SELECT * FROM ran();
SELECT * FROM mv_create_all();
SELECT * FROM ran();
DROP INDEX ide.reading, ide.building, ide.choosing;
SELECT * FROM mv_create_all();
SELECT * FROM ran();
SELECT who FROM plain_text UNION ALL SELECT who FROM a_trap;
SELECT matviewname, matviewowner FROM pg_matviews WHERE schemaname = 'ide' ORDER BY matviewname;

-- At a refresh, in each mode, and when a newer text is compared with the live one.
SELECT name, status FROM mv_refresh_all();
SELECT * FROM ran();
SELECT name, status FROM mv_refresh('a_trap', mode => 'concurrent');
SELECT * FROM ran();
SELECT mv_register('a_trap', $$SELECT '{2}'::trap[] AS x$$);
SELECT * FROM ran();
SELECT name, detail FROM mv_refresh('a_trap');
SELECT * FROM ran();
SELECT who FROM plain_text UNION ALL SELECT who FROM a_trap;

-- At a drop nothing of it runs.
SELECT count(*) FROM mv_drop_all();
SELECT * FROM ran();

-- Whoever registered a name before somebody else made a view of that name has no say in it: not by
-- a text, not by an index, not by a search_path.
SET SESSION AUTHORIZATION regress_ident_mob;
SET search_path = mobs, pg_catalog, ide, public;
CREATE FUNCTION mobs.helper() RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM ide.probe(1); RETURN 'mob'; END $$;
SELECT mv_register('ide.taken_index', 'SELECT 1 AS x',
  indexes => ARRAY['CREATE INDEX taken ON ide.taken_index (ide.immutable_probe(x))']);
SELECT mv_register('ide.taken_path', 'SELECT ide.call_helper() AS x');
SET SESSION AUTHORIZATION regress_ident_boss;
SET search_path = ide, public;
CREATE FUNCTION public.helper() RETURNS text LANGUAGE sql AS $$ SELECT 'boss' $$;
CREATE FUNCTION call_helper() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN helper(); END $$;
CREATE MATERIALIZED VIEW taken_index AS SELECT 1 AS x;
CREATE MATERIALIZED VIEW taken_path AS SELECT ide.call_helper() AS x;
SELECT try('SELECT mv_create_all(''{taken_index, taken_path}'')'), try('SELECT mv_refresh_all(''{taken_index, taken_path}'')');
SELECT boss, mob, escaped FROM ran();
SELECT x FROM taken_path;
-- He cannot register it again either, nor forget it, now that it is not his.
SET SESSION AUTHORIZATION regress_ident_mob;
SELECT mv_register('ide.taken_path', 'SELECT 2 AS x');
SELECT mv_unregister('ide.taken_path');
SELECT mv_create('ide.taken_path');
SELECT * FROM ran();
-- So it is with a view that was given to somebody else later.
SELECT mv_register('ide.given', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX given_x ON ide.given (ide.immutable_probe(x))']);
SELECT * FROM mv_create('ide.given');
DROP INDEX ide.given_x;
SELECT mob FROM ran();
SET SESSION AUTHORIZATION regress_ident_boss;
ALTER MATERIALIZED VIEW ide.given OWNER TO regress_ident_boss;
SELECT try('SELECT mv_create_all(''{given}'')'), try('SELECT mv_refresh_all(''{given}'')');
SELECT boss, mob, escaped FROM ran();

-- So it is with one who is gone, also when the view's owner has his name by now.
CREATE SEQUENCE ran_as_regress_ident_ghost;
GRANT ALL ON SEQUENCE ran_as_regress_ident_ghost TO PUBLIC;
CREATE ROLE regress_ident_ghost;
GRANT USAGE ON SCHEMA mobs TO PUBLIC;
SET SESSION AUTHORIZATION regress_ident_ghost;
SET search_path = mobs, pg_catalog, ide, public;
SELECT mv_register('ide.haunted', 'SELECT ide.call_helper() AS x');
SET SESSION AUTHORIZATION regress_ident_boss;
SET search_path = ide, public;
DROP ROLE regress_ident_ghost;
CREATE ROLE regress_ident_ghost SUPERUSER;
CREATE MATERIALIZED VIEW haunted AS SELECT ide.call_helper() AS x;
ALTER MATERIALIZED VIEW haunted OWNER TO regress_ident_ghost;
SELECT try('SELECT mv_create(''haunted'')'), try('SELECT mv_refresh(''haunted'')');
SELECT boss, mob, escaped FROM ran();
SELECT x FROM haunted;

-- What runs along with a call, such as an event trigger's function, does not look things up where the
-- view's author says.
SET SESSION AUTHORIZATION regress_ident_mob;
SET search_path = mobs, pg_catalog, ide, public;
CREATE FUNCTION mobs.length(text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  PERFORM nextval('ide.ran_as_' || current_user);
  RETURN pg_catalog.length($1);
END
$$;
SELECT mv_register('mobs.bait', 'SELECT 1 AS x', unique_key => '{x}', indexes => ARRAY['CREATE INDEX bait_x ON mobs.bait (x)']);
SET SESSION AUTHORIZATION regress_ident_boss;
SET search_path = ide, public;
CREATE FUNCTION audit() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF length(tg_tag) = 0 THEN RAISE NOTICE '%', tg_tag; END IF; END $$;
CREATE EVENT TRIGGER audit_start ON ddl_command_start EXECUTE FUNCTION audit();
CREATE EVENT TRIGGER audit_end ON ddl_command_end EXECUTE FUNCTION audit();
CREATE EVENT TRIGGER audit_drop ON sql_drop EXECUTE FUNCTION audit();
SELECT action FROM mv_create('mobs.bait');
SELECT boss FROM ran();
SELECT status FROM mv_refresh('mobs.bait');
SELECT boss FROM ran();
SELECT status FROM mv_refresh('mobs.bait', mode => 'concurrent');
SELECT boss FROM ran();
DROP INDEX mobs.bait_x;
SELECT action FROM mv_create('mobs.bait');
SELECT action FROM mv_drop('mobs.bait');
SELECT boss FROM ran();
DROP EVENT TRIGGER audit_start;
DROP EVENT TRIGGER audit_end;
DROP EVENT TRIGGER audit_drop;

RESET SESSION AUTHORIZATION;
RESET search_path;
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA ide, mobs CASCADE;
DROP FUNCTION IF EXISTS public.helper();
DROP ROLE regress_ident_boss, regress_ident_anna, regress_ident_mob, regress_ident_ghost;
