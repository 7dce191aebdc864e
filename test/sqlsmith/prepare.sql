-- What sqlsmith plays with. It calls no function that returns rows and finds a value for an
-- argument among the columns of its very type; so each of our functions gets wrappers here that
-- count its rows, each kind of argument a domain, and each domain a column of the tables words_*.
-- It looks for a function by the type that it wants at a place, so there is one for each of the
-- types that it wants most.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

CREATE EXTENSION mv_orchestrator;
CREATE ROLE smith LOGIN;
GRANT CREATE ON DATABASE postgres TO smith;
GRANT CREATE ON SCHEMA public TO smith;

SET SESSION AUTHORIZATION smith;
\cd :examples
\set patients 20
\ir schema.sql
\ir data.sql
\o /dev/null
\ir views.sql
SELECT mv_create_all();
\o

CREATE SCHEMA smith;
SET search_path = smith, public;

DO $$
DECLARE
    argument record;
    called record;
    type text;
    columns text := '';
BEGIN
    FOR argument IN
        SELECT DISTINCT p.proargnames[i] || '_argument' AS name, t::regtype AS type
        FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid,
             unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (t, i)
        WHERE d.deptype = 'e' AND p.prokind = 'f'
          AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mv_orchestrator')
        ORDER BY 1, 2
    LOOP
        EXECUTE format('CREATE DOMAIN %I AS %s', argument.name, argument.type);
        columns := columns || format(', %1$I %1$I', argument.name);
    END LOOP;
    EXECUTE format('CREATE TABLE words_1 (%s)', substr(columns, 3));

    FOR called IN
        SELECT p.proname AS name, format('%s.%I', p.pronamespace::regnamespace, p.proname) AS function,
               (SELECT string_agg(quote_ident(p.proargnames[i] || '_argument'), ', ' ORDER BY i)
                FROM generate_series(1, p.pronargs) AS i) AS domains,
               (SELECT string_agg('$' || i, ', ' ORDER BY i) FROM generate_series(1, p.pronargs) AS i) AS given
        FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        WHERE d.deptype = 'e' AND p.prokind = 'f'
          AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mv_orchestrator')
    LOOP
        FOREACH type IN ARRAY ARRAY['bigint', 'integer', 'text', 'boolean'] LOOP
            EXECUTE format('CREATE FUNCTION smith.%I(%s) RETURNS %s LANGUAGE sql AS %L',
                           called.name || '_as_' || type, called.domains, type,
                           format('SELECT count(*)::integer::%s FROM %s(%s)', type, called.function, called.given));
        END LOOP;
    END LOOP;
END
$$;

-- Views of some of them, which sqlsmith does not know itself, so that they are in use where they are
-- refreshed.
DO $$
BEGIN
    EXECUTE (SELECT string_agg(format('CREATE VIEW %I AS TABLE %I.%I', matviewname, schemaname, matviewname), ';')
             FROM pg_matviews WHERE schemaname = 'reporting');
END
$$;

-- What makes sense and what does not.
CREATE FUNCTION any_of(VARIADIC text[]) RETURNS text LANGUAGE sql AS
    'SELECT $1[1 + floor(random() * cardinality($1))::int]';
CREATE FUNCTION some_view() RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN random() < 0.9
        THEN (SELECT format('%I.%I', schemaname, matviewname) FROM pg_matviews ORDER BY random() LIMIT 1)
        ELSE any_of('nowhere', '"Odd name".x', 'cdm.person', '', 'a.b.c', repeat('x', 64), 'pg_class', 'public.new', 'smith.new', NULL)
    END
$$;
CREATE FUNCTION some_views() RETURNS text[] LANGUAGE sql AS $$
    SELECT CASE WHEN random() < 0.3 THEN NULL
        ELSE ARRAY(SELECT some_view() FROM generate_series(1, floor(random() * 4)::int)) END
$$;
CREATE FUNCTION some_relation() RETURNS regclass LANGUAGE sql AS
    'SELECT oid::regclass FROM pg_catalog.pg_class WHERE relkind = ''m'' ORDER BY random() LIMIT 1';
CREATE FUNCTION some_definition() RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN random() < 0.5
        THEN (SELECT definition FROM pg_matviews ORDER BY random() LIMIT 1)
        ELSE any_of('SELECT 1 AS x', 'TABLE cdm.person', 'VALUES (1, NULL), (2, 3)', 'SELECT', 'SELECT FROM nowhere',
            'SELECT 1/0', 'DROP TABLE cdm.person', 'WITH w AS (DELETE FROM cdm.person RETURNING *) TABLE w', 'SELECT $1',
            'SELECT * FROM omop.nothing', 'SELECT 1; SELECT 2', 'SELECT now(), random()', '', 'SELECT repeat(''x'', 1000000) AS x')
    END
$$;
-- A new argument makes this fail until someone says here what it may be.
DO $$
DECLARE
    filled text;
BEGIN
    SELECT string_agg(CASE replace(attname, '_argument', '')
        WHEN 'name' THEN 'some_view()'
        WHEN 'names' THEN 'some_views()'
        WHEN 'view' THEN $v$CASE WHEN random() < 0.9 THEN some_relation() ELSE any_of('1259', '0', NULL)::oid::regclass END$v$
        WHEN 'schemas' THEN $v$any_of('{}', '{cdm}', '{reporting, cdm}', '{nowhere}', '{pg_catalog}', '{NULL}', '{a.b}', NULL)::text[]$v$
        WHEN 'depends_on' THEN 'some_views()'
        WHEN 'definition' THEN 'some_definition()'
        WHEN 'scope' THEN $v$any_of('self', 'upstream', 'downstream', 'both', 'none', NULL)$v$
        WHEN 'mode' THEN $v$any_of('auto', 'plain', 'concurrent', 'swap', 'swap', 'diff', 'diff', NULL, 'Plain')$v$
        WHEN 'on_error' THEN $v$any_of('stop', 'stop', 'continue', NULL, NULL, 'ignore')$v$
        WHEN 'on_overlap' THEN $v$any_of('wait', 'skip', 'error', NULL, NULL, 'ignore')$v$
        WHEN 'unique_key' THEN $v$any_of('{}', '{person_id}', '{x}', '{ctid}', '{NULL}', NULL)::text[]$v$
        WHEN 'indexes' THEN $v$any_of('{}', '{CREATE INDEX i ON public.new USING btree (x)}', '{DROP}', NULL)::text[]$v$
        WHEN 'options' THEN $v$any_of('{}', '{"comment": "x"}', '{"owner": "postgres"}', '{"enabled": false}',
            '{"with": {"fillfactor": 10}}', '{"tablespace": "pg_global"}', '{"lock_timeout": "1ms"}', '[]', '1', NULL)::jsonb$v$
        WHEN 'owner' THEN $v$any_of('postgres', 'nobody', '', NULL)$v$
        WHEN 'author' THEN $v$any_of('0/10', '1', 'x/y', '', '18446744073709551615/4294967295', NULL)$v$
        WHEN 'format' THEN $v$any_of('text', 'mermaid', 'dot', 'svg', NULL)$v$
        WHEN 'with_views' THEN 'random() < 0.5'
        WHEN 'with_sources' THEN 'random() < 0.5'
        WHEN 'with_data' THEN 'random() < 0.5'
        WHEN 'cascade' THEN 'random() < 0.5'
        WHEN 'if_exists' THEN 'random() < 0.5'
        ELSE 'no_values_for_' || attname
        END, ', ' ORDER BY attnum)
    INTO filled FROM pg_attribute WHERE attrelid = 'words_1'::regclass AND attnum > 0;
    -- Many small ones, so that sqlsmith often picks one.
    FOR i IN 1 .. 20 LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS words_%s (LIKE words_1)', i);
        EXECUTE format('INSERT INTO words_%s SELECT %s FROM generate_series(1, 20)', i, filled);
    END LOOP;
END
$$;
DROP FUNCTION some_definition(), some_relation(), some_views(), some_view(), any_of(text[]);

-- sqlsmith reads pg_proc without a schema: among all of the server's functions it would hardly meet
-- ours. Out go, too, those that end or stall a session.
CREATE VIEW pg_proc AS
    SELECT * FROM pg_catalog.pg_proc
    WHERE pronamespace = 'smith'::regnamespace
       OR pronamespace = 'pg_catalog'::regnamespace AND oid::bigint % 100 = 0
          AND proname !~ 'terminate|cancel|sleep|advisory|pg_wal|^lo_|logfile'
          AND NOT EXISTS (SELECT FROM pg_type AS t
                          WHERE t.typcategory NOT IN ('A', 'B', 'D', 'N', 'S', 'T') AND t.oid = ANY (prorettype || proargtypes::oid[]));
