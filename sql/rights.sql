-- Who may do what.
SET mv_orchestrator.mode = 'plain';
CREATE ROLE regress_rights_olga;
CREATE ROLE regress_rights_rita;
CREATE ROLE regress_rights_team;
CREATE ROLE regress_rights_member IN ROLE regress_rights_olga;
CREATE SCHEMA rig;
GRANT USAGE ON SCHEMA rig TO PUBLIC;
GRANT CREATE ON SCHEMA rig TO regress_rights_olga, regress_rights_rita, regress_rights_team;
CREATE SCHEMA rig_closed;
SET search_path = rig, public;
CREATE TABLE source (id int);
CREATE TABLE secret (id int);
GRANT SELECT ON source TO PUBLIC;
CREATE VIEW state AS
  SELECT format('%I.%I', schema_name, view_name) AS name, r.owner AS registered, m.matviewowner AS live, r.definition
  FROM mv_orchestrator.registry AS r LEFT JOIN pg_matviews AS m ON (m.schemaname, m.matviewname) = (schema_name, view_name)
  ORDER BY 1;

-- The one who registers a view owns it, and the view that is created.
SET ROLE regress_rights_olga;
SELECT mv_register('hers', 'SELECT id FROM source');
SELECT mv_register('hers2', 'SELECT id FROM hers', depends_on => '{hers}');
SELECT count(*) FROM mv_create_all();
SET ROLE regress_rights_rita;
SELECT mv_register('ritas', 'SELECT id FROM source');
SELECT count(*) FROM mv_create('ritas');
SELECT mv_register('ritas_reader', 'SELECT 1 AS id', depends_on => '{hers, hers2}');

-- Somebody else may do nothing with it, whether it is there or only registered.
SELECT mv_register('hers', 'SELECT 1 AS id');
SELECT mv_unregister('hers');
SELECT mv_create('hers');
SELECT mv_refresh('hers');
SELECT mv_refresh('hers', mode => 'concurrent');
SELECT mv_drop('hers');
SELECT mv_drop('hers', cascade => true);
-- A call for several says which ones, and does nothing to any.
RESET ROLE;
DROP MATERIALIZED VIEW hers CASCADE;
SET ROLE regress_rights_rita;
SELECT mv_create('ritas_reader');
SELECT mv_create_all();
SELECT mv_unregister('hers');
SELECT mv_register('hers', 'SELECT 1 AS id');
RESET ROLE;
SELECT count(*) FROM mv_create_all('{hers, hers2}');
SET ROLE regress_rights_rita;
SELECT count(*) FROM mv_create('ritas_reader');
SELECT mv_refresh('ritas_reader', scope => 'upstream');
SELECT mv_refresh_all();
SELECT mv_drop_all();
SELECT mv_refresh_all('{ritas, hers}');
SELECT name FROM mv_refresh_all('{ritas, ritas_reader}');
RESET ROLE;
SELECT name, registered, live FROM state;
-- The right order of the views is no secret, the registry is.
SET ROLE regress_rights_rita;
SELECT name FROM mv_order();
SELECT count(*) FROM mv_orchestrator.registry;
SELECT count(*) FROM mv_orchestrator.dependency;
DELETE FROM mv_orchestrator.registry;
RESET ROLE;

-- A member of the owner's role may do all that the owner may; what he makes is the owner's.
SET ROLE regress_rights_member;
SELECT mv_refresh('hers', scope => 'downstream');
SELECT name FROM mv_refresh_all('{hers, hers2}');
SELECT * FROM mv_drop('hers2');
SELECT mv_register('hers2', 'SELECT id + 1 AS id FROM hers', depends_on => '{hers}');
SELECT * FROM mv_create('hers2');
RESET ROLE;
SELECT name, registered, live FROM state WHERE name = 'rig.hers2';

-- Registering needs CREATE on the schema, and so does creating.
SET ROLE regress_rights_rita;
SELECT mv_register('rig_closed.v', 'SELECT 1 AS x');
SELECT mv_register('pg_catalog.v', 'SELECT 1 AS x');
RESET ROLE;
GRANT CREATE, USAGE ON SCHEMA rig_closed TO regress_rights_rita;
SET ROLE regress_rights_rita;
SELECT mv_register('rig_closed.v', 'SELECT 1 AS x');
RESET ROLE;
REVOKE CREATE ON SCHEMA rig_closed FROM regress_rights_rita;
SET ROLE regress_rights_rita;
SELECT mv_create('rig_closed.v');
RESET ROLE;
SELECT mv_create('rig_closed.v');
SELECT mv_unregister('rig_closed.v');

-- A live view of somebody else cannot be registered, an own one can.
CREATE MATERIALIZED VIEW by_hand AS SELECT 1 AS x;
SET ROLE regress_rights_rita;
SELECT mv_register('by_hand', 'SELECT 1 AS x');
CREATE MATERIALIZED VIEW own AS SELECT 1 AS x;
SELECT mv_register('own', 'SELECT 1 AS x');
RESET ROLE;
-- For a superuser's registration the live view's owner counts, too.
SELECT mv_register('own', 'SELECT 1 AS x');
SELECT name, registered, live FROM state WHERE name = 'rig.own';
SELECT mv_unregister('own');

-- The option owner needs the right to become that role, and that role the right to create.
SET ROLE regress_rights_rita;
SELECT mv_register('for_team', 'SELECT 1 AS x', options => '{"owner": "regress_rights_team"}');
SELECT mv_register('for_team', 'SELECT 1 AS x', options => '{"owner": "regress_rights_unknown"}');
RESET ROLE;
GRANT regress_rights_team TO regress_rights_rita;
SET ROLE regress_rights_rita;
SELECT mv_register('for_team', 'SELECT id FROM secret', options => '{"owner": "regress_rights_team"}');
RESET ROLE;
SELECT mv_register('rig_closed.v', 'SELECT 1 AS x', options => '{"owner": "regress_rights_team"}');
-- The rows are read with the owner's rights, not with those of the one who calls.
SELECT mv_create('for_team');
GRANT SELECT ON secret TO regress_rights_team;
SET ROLE regress_rights_rita;
SELECT * FROM mv_create('for_team');
RESET ROLE;
REVOKE SELECT ON secret FROM regress_rights_team;
SELECT mv_refresh('for_team');
SELECT registered, live FROM state WHERE name = 'rig.for_team';
-- The owner stays when a name is registered again; to ask for another is an error.
SELECT mv_register('for_team', 'SELECT 1 AS x');
SELECT registered FROM state WHERE name = 'rig.for_team';
SELECT mv_register('for_team', 'SELECT 1 AS x', options => '{"owner": "regress_rights_rita"}');
SELECT * FROM mv_drop('for_team');
SELECT mv_register('for_team', 'SELECT 1 AS x', options => '{"owner": "regress_rights_rita"}');
SELECT registered, definition FROM state WHERE name = 'rig.for_team';
SELECT mv_unregister('for_team');

-- The owner of a schema may drop what is in it, as with DROP.
CREATE SCHEMA rig_team AUTHORIZATION regress_rights_team;
GRANT CREATE, USAGE ON SCHEMA rig_team TO regress_rights_olga;
SET ROLE regress_rights_olga;
SELECT mv_register('rig_team.v', 'SELECT 1 AS x');
SELECT action FROM mv_create('rig_team.v');
SET ROLE regress_rights_team;
SELECT mv_refresh('rig_team.v');
SELECT * FROM mv_drop('rig_team.v');
-- What a superuser may do he may also where the view's owner lost the way to it.
SET ROLE regress_rights_olga;
SELECT action FROM mv_create('rig_team.v');
RESET ROLE;
REVOKE ALL ON SCHEMA rig_team FROM regress_rights_olga;
SELECT action FROM mv_create('rig_team.v');
SELECT status FROM mv_refresh('rig_team.v');
SELECT action FROM mv_drop('rig_team.v');
SELECT mv_unregister('rig_team.v');

-- A registration belongs to its author, whatever his role is called; a role that has his old name has nothing.
SET ROLE regress_rights_team;
SELECT mv_register('of_team', 'SELECT 1 AS x');
SELECT action FROM mv_create('of_team');
SELECT mv_register('only_registered', 'SELECT current_user::text AS who');
RESET ROLE;
ALTER ROLE regress_rights_team RENAME TO regress_rights_crew;
CREATE ROLE regress_rights_team;
GRANT CREATE ON SCHEMA rig TO regress_rights_team;
SET ROLE regress_rights_team;
SELECT mv_create('only_registered');
SELECT mv_unregister('only_registered');
SELECT mv_register('only_registered', 'SELECT 2 AS x');
SELECT name, owner FROM mv_orchestrator.status ORDER BY name;
SET ROLE regress_rights_crew;
SELECT name, owner FROM mv_orchestrator.status ORDER BY name;
SELECT * FROM mv_create_all('{of_team, only_registered}');
SELECT status FROM mv_refresh('of_team');
SELECT who FROM only_registered;
SELECT mv_register('of_team', 'SELECT 1 AS x');
RESET ROLE;
SELECT name, registered, live FROM state WHERE name IN ('rig.of_team', 'rig.only_registered');
SELECT * FROM mv_drop('only_registered');
SELECT mv_unregister('only_registered');

-- Of an author who is gone nothing is read, also when another role has his name by now. The view is
-- refreshed and dropped all the same, and whoever may says anew what it is.
CREATE ROLE regress_rights_ghost;
GRANT CREATE, USAGE ON SCHEMA rig TO regress_rights_ghost;
SET ROLE regress_rights_ghost;
SELECT mv_register('haunted', 'SELECT current_user::text AS who');
SELECT mv_register('haunted_live', 'SELECT 1 AS x');
SELECT action FROM mv_create('haunted_live');
SELECT mv_register('haunted_live', 'SELECT 2 AS x');
RESET ROLE;
ALTER MATERIALIZED VIEW haunted_live OWNER TO regress_rights_olga;
DROP OWNED BY regress_rights_ghost;
DROP ROLE regress_rights_ghost;
SELECT mv_create('haunted');
CREATE ROLE regress_rights_ghost;
GRANT CREATE, USAGE ON SCHEMA rig TO regress_rights_ghost;
SELECT mv_create('haunted');
SELECT mv_create('haunted_live');
SELECT status, detail FROM mv_refresh('haunted_live');
SELECT step, name FROM mv_order('{haunted, haunted_live}');
SELECT name, owner, exists FROM mv_orchestrator.status WHERE view_name ~ 'haunted' ORDER BY name;
SET ROLE regress_rights_ghost;
SELECT count(*) FROM mv_orchestrator.status;
SELECT mv_create('haunted');
SELECT mv_drop('haunted', if_exists => true);
SELECT mv_unregister('haunted');
SELECT mv_register('haunted', 'SELECT 1 AS x');
SET ROLE regress_rights_olga;
SELECT * FROM mv_drop('haunted_live');
SELECT mv_register('haunted_live', 'SELECT 1 AS x');
RESET ROLE;
SELECT mv_register('haunted', 'SELECT current_user::text AS who', options => '{"owner": "regress_rights_ghost"}');
SELECT action FROM mv_create('haunted');
SELECT who FROM haunted;
-- In a registry that came from another cluster the name is all there is, until one registers again.
UPDATE mv_orchestrator.registry SET author = '1/' || 'regress_rights_rita'::regrole::oid WHERE view_name = 'haunted';
SELECT action FROM mv_create('haunted');
UPDATE mv_orchestrator.registry SET author = '' WHERE view_name = 'haunted';
SELECT mv_register('haunted', 'SELECT current_user::text AS who');
SELECT author = format('%s/%s', system_identifier, 'regress_rights_ghost'::regrole::oid) AS by_oid FROM mv_orchestrator.registry, pg_control_system()
  WHERE view_name = 'haunted';
SELECT * FROM mv_drop('haunted');
SELECT mv_unregister('haunted'), mv_unregister('haunted_live');

-- All of it at a glance: each call alone, undone afterwards. SQLSTATE, or ok.
CREATE ROLE regress_rights_heir NOINHERIT IN ROLE regress_rights_olga;
CREATE ROLE regress_rights_host;
CREATE ROLE regress_rights_reader;
CREATE SCHEMA rig_host AUTHORIZATION regress_rights_host;
GRANT USAGE ON SCHEMA rig_host TO PUBLIC;
GRANT CREATE ON SCHEMA rig_host TO regress_rights_olga, regress_rights_rita;
SET ROLE regress_rights_olga;
SELECT mv_register('rig_host.live', 'SELECT 1 AS x', unique_key => '{x}');
SELECT mv_register('rig_host.meant', 'SELECT 1 AS x');
SELECT action FROM mv_create('rig_host.live');
GRANT SELECT ON rig_host.live TO regress_rights_reader;
RESET ROLE;
CREATE FUNCTION attempt(role text, call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SET LOCAL ROLE %I', role);
  EXECUTE 'SELECT FROM ' || call;
  RAISE EXCEPTION USING ERRCODE = 'DONE0';
EXCEPTION
  WHEN SQLSTATE 'DONE0' THEN RETURN 'ok';
  WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;
SELECT call,
       attempt('regress_rights_olga', call) AS owner, attempt('regress_rights_member', call) AS member,
       attempt('regress_rights_heir', call) AS not_inheriting, attempt('regress_rights_host', call) AS schema_owner,
       attempt('regress_rights_rita', call) AS may_create, attempt('regress_rights_reader', call) AS may_select,
       attempt(current_user, call) AS superuser
FROM unnest(ARRAY[
  $$mv_register('rig_host.new', 'SELECT 1 AS x')$$,
  $$mv_register('rig_host.new', 'SELECT 1 AS x', options => '{"owner": "regress_rights_olga"}')$$,
  $$mv_register('rig_host.live', 'SELECT 2 AS x')$$,
  $$mv_register('rig_host.meant', 'SELECT 2 AS x')$$,
  $$mv_unregister('rig_host.live')$$,
  $$mv_unregister('rig_host.meant')$$,
  $$mv_create('rig_host.live')$$,
  $$mv_create('rig_host.meant')$$,
  $$mv_create_all('{rig_host.live, rig_host.meant}')$$,
  $$mv_refresh('rig_host.live')$$,
  $$mv_refresh('rig_host.live', mode => 'plain')$$,
  $$mv_refresh('rig_host.live', mode => 'concurrent')$$,
  $$mv_refresh('rig_host.live', mode => 'swap')$$,
  $$mv_refresh('rig_host.live', mode => 'diff')$$,
  $$mv_refresh_all('{rig_host.live}')$$,
  $$mv_drop('rig_host.live')$$,
  $$mv_drop('rig_host.meant', if_exists => true)$$,
  $$mv_drop_all('{rig_host.live, rig_host.meant}')$$,
  $$mv_order()$$,
  $$mv_orchestrator.registry$$,
  $$mv_orchestrator.dependency$$]) WITH ORDINALITY AS calls (call, place)
ORDER BY place;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA rig, rig_closed, rig_team, rig_host CASCADE;
DROP ROLE regress_rights_olga, regress_rights_rita, regress_rights_crew, regress_rights_member, regress_rights_heir,
  regress_rights_host, regress_rights_reader, regress_rights_team, regress_rights_ghost;
