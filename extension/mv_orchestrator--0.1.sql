\echo Use "CREATE EXTENSION mv_orchestrator" to load this file. \quit

-- The functions go where the extension is installed, everything else into a schema of its own,
-- which is made here: a schema of that name that somebody prepared is an error, not a trap. Only
-- CREATE EXTENSION ... SCHEMA mv_orchestrator says that it is meant.
DO $$
BEGIN
    IF '@extschema@' OPERATOR(pg_catalog.<>) 'mv_orchestrator' THEN
        CREATE SCHEMA mv_orchestrator;
    END IF;
END
$$;

--
-- The registry: text keyed by schema and name, so that it survives dump and restore and everything
-- that gives a view a new OID.
--

CREATE TABLE mv_orchestrator.registry (
    schema_name text COLLATE pg_catalog."C" NOT NULL,
    view_name text COLLATE pg_catalog."C" NOT NULL,
    owner text NOT NULL,
    definition text NOT NULL,
    unique_key text[] NOT NULL,
    indexes text[] NOT NULL,
    mode text NOT NULL,
    options jsonb NOT NULL,
    settings text[] NOT NULL,
    applied boolean NOT NULL,
    PRIMARY KEY (schema_name, view_name)
);

COMMENT ON TABLE mv_orchestrator.registry IS
    'one row for each registered materialized view; written by mv_register() alone';
COMMENT ON COLUMN mv_orchestrator.registry.owner IS
    'role whose text the definition is and with whose rights it is read';
COMMENT ON COLUMN mv_orchestrator.registry.definition IS
    'the query, byte for byte as it was registered';
COMMENT ON COLUMN mv_orchestrator.registry.unique_key IS
    'names of the columns that identify a row';
COMMENT ON COLUMN mv_orchestrator.registry.indexes IS
    'CREATE INDEX statements that belong to the view';
COMMENT ON COLUMN mv_orchestrator.registry.settings IS
    'settings that decide what the definition means, as name=value';
COMMENT ON COLUMN mv_orchestrator.registry.applied IS
    'the live view is known to have this definition';

CREATE TABLE mv_orchestrator.dependency (
    schema_name text COLLATE pg_catalog."C" NOT NULL,
    view_name text COLLATE pg_catalog."C" NOT NULL,
    position integer NOT NULL,
    depends_on_schema text COLLATE pg_catalog."C",
    depends_on_name text COLLATE pg_catalog."C" NOT NULL,
    PRIMARY KEY (schema_name, view_name, position)
);

COMMENT ON TABLE mv_orchestrator.dependency IS
    'declared dependencies of registered materialized views; written by mv_register() alone';
COMMENT ON COLUMN mv_orchestrator.dependency.depends_on_schema IS
    'null for a name that named nothing at registration: looked up at each ordering';

REVOKE ALL ON mv_orchestrator.registry, mv_orchestrator.dependency FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('mv_orchestrator.registry', '');
SELECT pg_catalog.pg_extension_config_dump('mv_orchestrator.dependency', '');

--
-- Define
--

CREATE FUNCTION @extschema@.mv_register(
    name text,
    definition text,
    depends_on text[] DEFAULT '{}',
    unique_key text[] DEFAULT '{}',
    indexes text[] DEFAULT '{}',
    mode text DEFAULT 'auto',
    options jsonb DEFAULT '{}'
) RETURNS text
AS 'MODULE_PATHNAME', 'mv_register'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_register(text, text, text[], text[], text[], text, jsonb) IS
    'registers a materialized view, or registers it anew; returns its qualified name';

CREATE FUNCTION @extschema@.mv_unregister(name text) RETURNS void
AS 'MODULE_PATHNAME', 'mv_unregister'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_unregister(text) IS
    'forgets a registered materialized view; the view itself stays';

--
-- Create and drop
--

CREATE FUNCTION @extschema@.mv_create(
    name text,
    with_data boolean DEFAULT true
) RETURNS TABLE (name text, action text)
AS 'MODULE_PATHNAME', 'mv_create'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_create(text, boolean) IS
    'creates a registered materialized view with its indexes, registered dependencies that are missing first';

CREATE FUNCTION @extschema@.mv_create_all(
    names text[] DEFAULT NULL,
    with_data boolean DEFAULT true
) RETURNS TABLE (name text, action text)
AS 'MODULE_PATHNAME', 'mv_create_all'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_create_all(text[], boolean) IS
    'creates all registered materialized views that are missing, in order';

CREATE FUNCTION @extschema@.mv_drop(
    name text,
    cascade boolean DEFAULT false,
    if_exists boolean DEFAULT false
) RETURNS TABLE (name text, action text)
AS 'MODULE_PATHNAME', 'mv_drop'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_drop(text, boolean, boolean) IS
    'drops a registered materialized view; the registration stays';

CREATE FUNCTION @extschema@.mv_drop_all(
    names text[] DEFAULT NULL
) RETURNS TABLE (name text, action text)
AS 'MODULE_PATHNAME', 'mv_drop_all'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_drop_all(text[]) IS
    'drops registered materialized views in reverse order; the registrations stay';

--
-- Order
--

CREATE FUNCTION @extschema@.mv_order(
    names text[] DEFAULT NULL
) RETURNS TABLE (step integer, name text, level integer, depends_on text[])
AS 'MODULE_PATHNAME', 'mv_order'
LANGUAGE C STABLE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_order(text[]) IS
    'the order in which materialized views are created and refreshed';

--
-- Refresh
--

CREATE FUNCTION @extschema@.mv_refresh(
    name text,
    scope text DEFAULT 'self',
    mode text DEFAULT NULL,
    on_error text DEFAULT 'stop',
    on_overlap text DEFAULT 'wait'
) RETURNS TABLE (
    step integer,
    name text,
    status text,
    mode text,
    rows bigint,
    changed bigint,
    elapsed interval,
    detail text
)
AS 'MODULE_PATHNAME', 'mv_refresh'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_refresh(text, text, text, text, text) IS
    'refreshes a materialized view and, by scope, what it reads or what reads it';

CREATE FUNCTION @extschema@.mv_refresh_all(
    names text[] DEFAULT NULL,
    mode text DEFAULT NULL,
    on_error text DEFAULT 'stop',
    on_overlap text DEFAULT 'wait'
) RETURNS TABLE (
    step integer,
    name text,
    status text,
    mode text,
    rows bigint,
    changed bigint,
    elapsed interval,
    detail text
)
AS 'MODULE_PATHNAME', 'mv_refresh_all'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_refresh_all(text[], text, text, text) IS
    'refreshes materialized views in order, in one transaction and from one snapshot';
