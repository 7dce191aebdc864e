-- What a definition means is decided when it is registered: the settings are stored with it.
CREATE SCHEMA se1;
CREATE SCHEMA se2;
CREATE TABLE se1.t AS SELECT 'se1' AS place;
CREATE TABLE se2.t AS SELECT 'se2' AS place;
SET search_path = se1, public;

-- They are stored as name=value; the search_path with the current role in the place of "$user", and
-- pg_temp at its end.
CREATE ROLE "regress_Settings";
SET ROLE "regress_Settings";
SET search_path = "$user", se1, pg_temp, "No such, schema", public;
RESET ROLE;
GRANT ALL ON SCHEMA se1 TO "regress_Settings";
SET ROLE "regress_Settings";
SET TimeZone = 'Asia/Tokyo';
SET IntervalStyle = 'sql_standard';
SET default_text_search_config = 'simple';
SELECT mv_register('path', 'SELECT 1 AS x');
RESET TimeZone;
RESET IntervalStyle;
RESET default_text_search_config;
RESET ROLE;
SELECT unnest(settings) FROM mv_orchestrator.registry WHERE view_name = 'path';
SET search_path = '';
SELECT public.mv_register('se1.empty_path', 'SELECT place FROM se1.t');
SELECT settings[1] FROM mv_orchestrator.registry WHERE view_name = 'empty_path';
SELECT action FROM public.mv_create('se1.empty_path');

-- A name in the text is looked up along the search_path of the registration.
SET search_path = se2, se1, public;
SELECT mv_register('se1.places', 'SELECT place FROM t');
SET search_path = se1, public;
SELECT action FROM mv_create('places');
SELECT * FROM places;
SET search_path = pg_catalog;
SELECT action FROM public.mv_create('se1.places');
SET search_path = se1, public;
-- Registered again under another search_path the same text is another definition.
SELECT mv_register('places', 'SELECT place FROM t');
SELECT mv_create('places');
SELECT action FROM mv_drop('places');
SELECT action FROM mv_create('places');
SELECT * FROM places;

-- A temporary table never comes before a real one, neither then nor now.
CREATE TEMP TABLE t AS SELECT 'temporary' AS place;
SELECT mv_register('shadow', 'SELECT place FROM t');
SELECT action FROM mv_create('shadow');
SELECT * FROM shadow;
SELECT action FROM mv_create('shadow');
DROP TABLE pg_temp.t;
SELECT action FROM mv_create('shadow');

-- DateStyle, TimeZone and IntervalStyle decide what a literal means: what was meant at registration
-- is what is created, and what still matches, under any other.
SET DateStyle = 'ISO, DMY';
SET TimeZone = 'Asia/Tokyo';
SET IntervalStyle = 'sql_standard';
CREATE FUNCTION text_of_moments() RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT $q$SELECT '01/02/2026'::date AS day, '2026-01-01 00:00'::timestamptz AS moment,
               '-1 2:03:04'::interval AS span$q$ $$;
SELECT mv_register('moments', text_of_moments());
SET DateStyle = 'ISO, MDY';
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';
SELECT action FROM mv_create('moments');
SELECT * FROM moments;
SET DateStyle = 'German';
SET TimeZone = 'America/New_York';
SET IntervalStyle = 'iso_8601';
SELECT action FROM mv_create('moments');
SELECT action FROM mv_drop('moments');
SELECT action FROM mv_create('moments');
SELECT day = make_date(2026, 2, 1) AS day, moment = timestamptz '2025-12-31 15:00 UTC' AS moment,
       span = make_interval(days => -1, hours => -2, mins => -3, secs => -4) AS span FROM moments;
-- The same text under other settings is another definition.
SELECT mv_register('moments', text_of_moments());
SELECT action FROM mv_create('moments');
RESET DateStyle;
RESET TimeZone;
RESET IntervalStyle;

-- So do standard_conforming_strings and transform_null_equals.
SET escape_string_warning = off;
SET standard_conforming_strings = off;
SET transform_null_equals = on;
SELECT mv_register('strings', 'SELECT ''a\\b'' AS x WHERE NULL::int = NULL');
RESET standard_conforming_strings;
RESET transform_null_equals;
SELECT definition FROM mv_orchestrator.registry WHERE view_name = 'strings';
SELECT action FROM mv_create('strings');
SELECT length(x), x = E'a\b' AS as_meant FROM strings;
SELECT action FROM mv_create('strings');
RESET escape_string_warning;

-- Settings that only change how things are printed never make a difference.
SELECT mv_register('printing',
  'SELECT 0.1::float8 + 0.2 AS f, ''\x00ff''::bytea AS b, id AS "id" FROM generate_series(1, 2) AS id');
SELECT action FROM mv_create('printing');
SET extra_float_digits = -5;
SET bytea_output = 'escape';
SET quote_all_identifiers = on;
SELECT action FROM mv_create('printing');
RESET extra_float_digits;
RESET bytea_output;
RESET quote_all_identifiers;

-- After a call the caller's settings are what they were, also after one that failed.
SELECT action FROM mv_drop('places');
SET search_path = se1, public, pg_temp;
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Tokyo';
SELECT * FROM mv_create_all('{strings, printing, places}');
SELECT mv_create('moments');
SELECT count(*) FROM mv_refresh_all('{strings, shadow}');
SHOW search_path;
SHOW DateStyle;
SHOW TimeZone;
SHOW lock_timeout;
RESET DateStyle;
RESET TimeZone;

-- A function without a search_path of its own finds what the registration's search_path holds, at
-- creation and at every refresh, whoever refreshes from wherever.
SET search_path = se2, public;
CREATE FUNCTION se2.read_t() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT place FROM t); END $$;
SELECT mv_register('through', 'SELECT read_t() AS place');
SET search_path = se1, public;
SELECT action FROM mv_create('se2.through');
SELECT * FROM se2.through;
UPDATE se2.t SET place = 'se2 new';
SELECT status FROM mv_refresh('se2.through');
SELECT * FROM se2.through;

-- The extension has settings of its own; a name that it does not have is an error.
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'mv_orchestrator.%' ORDER BY name;
SET mv_orchestrator.mode = 'fast';
SET mv_orchestrator.lock_timeout = '-1';
SET mv_orchestrator.no_such_setting = 'on';

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA se1, se2 CASCADE;
DROP ROLE "regress_Settings";
