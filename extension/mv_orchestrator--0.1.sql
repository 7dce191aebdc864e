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

-- What follows means what it says, whatever the schema of the extension holds.
SET LOCAL search_path = pg_catalog, pg_temp;

--
-- The registry: text keyed by schema and name, so that it survives dump and restore and everything
-- that gives a view a new OID.
--

CREATE TABLE mv_orchestrator.registry (
    schema_name text COLLATE pg_catalog."C" NOT NULL,
    view_name text COLLATE pg_catalog."C" NOT NULL,
    owner text NOT NULL,
    author text NOT NULL,
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
    'role whose text the definition is and with whose rights it is read, as it was called then';
COMMENT ON COLUMN mv_orchestrator.registry.author IS
    'who that is, as system identifier/OID: a name can come to another role';
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

CREATE FUNCTION mv_orchestrator.author_role(owner text, author text) RETURNS oid
AS 'MODULE_PATHNAME', 'mv_author_role'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;

COMMENT ON FUNCTION mv_orchestrator.author_role(text, text) IS
    'the role that these columns of the registry mean; null when it no longer exists';

--
-- What runs in mode auto have learned. Not dumped.
--

CREATE TABLE mv_orchestrator.learned (
    schema_name text COLLATE pg_catalog."C" NOT NULL,
    view_name text COLLATE pg_catalog."C" NOT NULL,
    definition_hash bigint NOT NULL,
    gave_up integer NOT NULL,
    runs_left integer NOT NULL,
    PRIMARY KEY (schema_name, view_name)
);

COMMENT ON TABLE mv_orchestrator.learned IS
    'what runs in mode auto have learned of views whose changes were too many for a diff';
COMMENT ON COLUMN mv_orchestrator.learned.definition_hash IS
    'of the registered text that it was learned of';
COMMENT ON COLUMN mv_orchestrator.learned.gave_up IS 'diffs that gave up, one after the other';
COMMENT ON COLUMN mv_orchestrator.learned.runs_left IS 'until a diff is tried again';

REVOKE ALL ON mv_orchestrator.learned FROM PUBLIC;

--
-- A hint for mv_check(): under which OID a view was last seen. Not dumped. No key, so that nobody
-- waits for somebody else who notes the same.
--

CREATE TABLE mv_orchestrator.seen (
    schema_name text COLLATE pg_catalog."C" NOT NULL,
    view_name text COLLATE pg_catalog."C" NOT NULL,
    relation oid NOT NULL,
    seen_at timestamp with time zone NOT NULL
);

CREATE INDEX seen_view ON mv_orchestrator.seen (schema_name, view_name);

COMMENT ON TABLE mv_orchestrator.seen IS
    'under which OID a registered materialized view was last seen';

REVOKE ALL ON mv_orchestrator.seen FROM PUBLIC;

--
-- History: what became of each step of each run. Not dumped.
--

CREATE SEQUENCE mv_orchestrator.run_id;

CREATE TABLE mv_orchestrator.run_step (
    run bigint NOT NULL,
    step integer NOT NULL,
    schema_name text COLLATE pg_catalog."C" NOT NULL,
    view_name text COLLATE pg_catalog."C" NOT NULL,
    mode text NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    started timestamp with time zone NOT NULL,
    elapsed interval NOT NULL,
    analyzing interval,
    rows bigint,
    changed bigint,
    sqlstate text,
    message text,
    detail text,
    owner oid,
    role text NOT NULL,
    pid integer,
    PRIMARY KEY (run, step)
);

-- For what is too old, for what is known of a view, and for what failed, which is rare.
CREATE INDEX run_step_started ON mv_orchestrator.run_step (started);
CREATE INDEX run_step_view ON mv_orchestrator.run_step (schema_name, view_name, run);
CREATE INDEX run_step_failed ON mv_orchestrator.run_step (schema_name, view_name, run)
    WHERE status IN ('failed', 'upstream_failed');

COMMENT ON SEQUENCE mv_orchestrator.run_id IS 'numbers the runs';
COMMENT ON TABLE mv_orchestrator.run_step IS
    'one row for each step of each run; shown by mv_orchestrator.history';
COMMENT ON COLUMN mv_orchestrator.run_step.owner IS 'who owned the view then';

REVOKE ALL ON mv_orchestrator.run_step FROM PUBLIC;
REVOKE ALL ON SEQUENCE mv_orchestrator.run_id FROM PUBLIC;

-- A row is shown to members of the view's owner, that is of the live view, else of the registration,
-- else of the one who owned it then. What an error says was said to the one who owned it then: his
-- successor may be a stranger.
CREATE VIEW mv_orchestrator.history WITH (security_barrier) AS
SELECT s.run,
       s.step,
       format('%I.%I', s.schema_name, s.view_name) AS name,
       s.mode,
       s.reason,
       s.status,
       s.started,
       s.elapsed,
       s.analyzing,
       s.rows,
       s.changed,
       s.sqlstate,
       CASE WHEN pg_has_role('pg_monitor', 'USAGE') OR pg_has_role(s.owner, 'USAGE')
            THEN s.message END AS message,
       CASE WHEN pg_has_role(s.owner, 'USAGE') THEN s.detail END AS detail,
       s.role,
       s.pid,
       s.schema_name,
       s.view_name
FROM mv_orchestrator.run_step AS s
LEFT JOIN (pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace AND c.relkind = 'm')
    ON n.nspname = s.schema_name AND c.relname = s.view_name
LEFT JOIN mv_orchestrator.registry AS r
    ON r.schema_name = s.schema_name AND r.view_name = s.view_name
WHERE pg_has_role('pg_monitor', 'USAGE')
   OR pg_has_role(coalesce(c.relowner, mv_orchestrator.author_role(r.owner, r.author), s.owner), 'USAGE');

COMMENT ON VIEW mv_orchestrator.history IS
    'one row for each step of each run, as long as mv_orchestrator.history_retention says';
COMMENT ON COLUMN mv_orchestrator.history.run IS 'number of the run: one call of a function';
COMMENT ON COLUMN mv_orchestrator.history.step IS 'place of the step in its run, from 1';
COMMENT ON COLUMN mv_orchestrator.history.name IS 'the view, as the functions print it';
COMMENT ON COLUMN mv_orchestrator.history.reason IS 'why it had this mode';
COMMENT ON COLUMN mv_orchestrator.history.started IS
    'when the step began; the first begins with the call and waits for locks';
COMMENT ON COLUMN mv_orchestrator.history.analyzing IS
    'of that time, what ANALYZE took; null where there was none';
COMMENT ON COLUMN mv_orchestrator.history.rows IS 'rows of the view afterwards';
COMMENT ON COLUMN mv_orchestrator.history.changed IS 'rows written, where that is known';
COMMENT ON COLUMN mv_orchestrator.history.message IS
    'the error''s message, or what else there is to say; for members of the role that owned the view then and of pg_monitor';
COMMENT ON COLUMN mv_orchestrator.history.detail IS
    'the error''s DETAIL, which can hold data; for members of the role that owned the view then';
COMMENT ON COLUMN mv_orchestrator.history.role IS 'whose call it was';
COMMENT ON COLUMN mv_orchestrator.history.pid IS
    'the process that took the step: of the session, or of a worker of mv_run(jobs)';
COMMENT ON COLUMN mv_orchestrator.history.schema_name IS 'the view''s schema; a condition on it is fast';
COMMENT ON COLUMN mv_orchestrator.history.view_name IS 'the view''s name; a condition on it is fast';

-- Reads the catalogs alone and locks no view.
CREATE VIEW mv_orchestrator.status WITH (security_barrier) AS
SELECT format('%I.%I', r.schema_name, r.view_name) AS name,
       coalesce(pg_get_userbyid(coalesce(c.relowner, author_role))::text, r.owner) AS owner,
       c.oid IS NOT NULL AS exists,
       c.relispopulated AS populated,
       r.mode,
       latest.status AS last_status,
       latest.run AS last_run,
       good.started + good.elapsed AS last_success,
       bad.started + bad.elapsed AS last_failure,
       good.elapsed AS last_elapsed,
       CASE WHEN c.relispopulated
            THEN coalesce(good.rows, nullif(c.reltuples, -1)::bigint) END AS rows,
       CASE WHEN c.reltuples >= 0
            THEN (SELECT sum(p.relpages)
                  FROM (VALUES (c.oid), (c.reltoastrelid)) AS heap (oid)
                  CROSS JOIN LATERAL (
                      SELECT heap.oid
                      UNION ALL
                      SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = heap.oid) AS part
                  JOIN pg_class AS p ON p.oid = part.oid)
                 * current_setting('block_size')::bigint END AS size,
       CASE WHEN pg_has_role('pg_monitor', 'USAGE') OR pg_has_role(bad.owner, 'USAGE')
            THEN coalesce(bad.sqlstate || ': ', '') || bad.message END AS last_error,
       r.schema_name,
       r.view_name
FROM mv_orchestrator.registry AS r
CROSS JOIN mv_orchestrator.author_role(r.owner, r.author)
LEFT JOIN (pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace AND c.relkind = 'm')
    ON n.nspname = r.schema_name AND c.relname = r.view_name
LEFT JOIN LATERAL (
    SELECT s.status, s.run FROM mv_orchestrator.run_step AS s
    WHERE s.schema_name = r.schema_name AND s.view_name = r.view_name
    ORDER BY s.run DESC LIMIT 1) AS latest ON true
LEFT JOIN LATERAL (
    SELECT s.started, s.elapsed, s.rows FROM mv_orchestrator.run_step AS s
    WHERE s.schema_name = r.schema_name AND s.view_name = r.view_name
      AND s.status IN ('refreshed', 'unchanged')
    ORDER BY s.run DESC LIMIT 1) AS good ON true
LEFT JOIN LATERAL (
    SELECT s.started, s.elapsed, s.sqlstate, s.message, s.owner FROM mv_orchestrator.run_step AS s
    WHERE s.schema_name = r.schema_name AND s.view_name = r.view_name
      AND s.status IN ('failed', 'upstream_failed')
    ORDER BY s.run DESC LIMIT 1) AS bad ON true
WHERE pg_has_role('pg_monitor', 'USAGE')
   OR pg_has_role(coalesce(c.relowner, author_role), 'USAGE');

COMMENT ON VIEW mv_orchestrator.status IS
    'one row for each registered materialized view; what is known from catalogs and history, without a lock';
COMMENT ON COLUMN mv_orchestrator.status.name IS 'the view, as the functions print it';
COMMENT ON COLUMN mv_orchestrator.status.owner IS
    'owner of the live view, else of the registration';
COMMENT ON COLUMN mv_orchestrator.status.exists IS 'there is a materialized view of this name';
COMMENT ON COLUMN mv_orchestrator.status.mode IS
    'as registered; mv_plan() says which mode a run would use';
COMMENT ON COLUMN mv_orchestrator.status.last_status IS 'how its last step in the history ended';
COMMENT ON COLUMN mv_orchestrator.status.last_run IS
    'and the number of the run that it was in: mv_orchestrator.history says who did it';
COMMENT ON COLUMN mv_orchestrator.status.last_success IS
    'when it was last refreshed by a run, or found unchanged';
COMMENT ON COLUMN mv_orchestrator.status.last_failure IS
    'when it could last not be refreshed while its run went on';
COMMENT ON COLUMN mv_orchestrator.status.last_elapsed IS 'how long the last success took';
COMMENT ON COLUMN mv_orchestrator.status.rows IS
    'after the last success, else as the server estimates';
COMMENT ON COLUMN mv_orchestrator.status.size IS
    'bytes with indexes and TOAST, as the server last counted them';
COMMENT ON COLUMN mv_orchestrator.status.last_error IS
    'of the last failure, with its SQLSTATE; for members of the role that owned the view then and of pg_monitor';

-- A run says what it does in the query that its session reports, which the server shows to members of
-- the session's role and of pg_read_all_stats. Whoever else writes such a comment holds no run lock;
-- who does, after mv_refresh_all() in a transaction, can write what he likes, but no number too large.
CREATE VIEW mv_orchestrator.progress WITH (security_barrier) AS
SELECT a.pid,
       a.usename::text AS role,
       a.backend_type,
       said[1]::bigint AS run,
       said[2]::integer AS step,
       said[3]::integer AS steps,
       said[5] AS name,
       said[4] AS phase,
       a.state_change AS since,
       a.query_start AS started,
       done.failed,
       a.wait_event_type,
       a.wait_event,
       pg_blocking_pids(a.pid) AS blocked_by
FROM pg_stat_activity AS a
CROSS JOIN LATERAL regexp_match(a.query,
    '^/\* mv_orchestrator(?: run ([0-9]{1,18}))?(?:, step ([0-9]{1,9}) of ([0-9]{1,9}))?'
    ', (waiting|workers|query|index [0-9]+ of [0-9]+|exchange|analyze)'
    '(?:: ((?:"(?:[^"]|"")*"|[a-z0-9_]+)\.(?:"(?:[^"]|"")*"|[a-z0-9_]+)) \*/|: | \*/)') AS said
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.status IN ('failed', 'upstream_failed')) AS failed
    FROM mv_orchestrator.run_step AS s
    WHERE s.run = said[1]::bigint) AS done ON said[1] IS NOT NULL
WHERE a.state = 'active'
  AND a.datname = current_database()
  AND said IS NOT NULL
  AND (a.backend_type = 'mv_orchestrator worker'
       OR a.pid IN (
           SELECT l.pid FROM pg_locks AS l
           WHERE l.locktype = 'object'
             AND l.database = a.datid
             AND l.classid = (SELECT e.oid FROM pg_extension AS e WHERE e.extname = 'mv_orchestrator')));

COMMENT ON VIEW mv_orchestrator.progress IS
    'one row for each session with a run under way in this database, and one for each of its workers: what it does now; for members of its role and of pg_read_all_stats';
COMMENT ON COLUMN mv_orchestrator.progress.pid IS 'the process, as in pg_stat_activity';
COMMENT ON COLUMN mv_orchestrator.progress.role IS 'who has logged in';
COMMENT ON COLUMN mv_orchestrator.progress.backend_type IS
    'mv_orchestrator worker, or what the session with the run is: client backend';
COMMENT ON COLUMN mv_orchestrator.progress.run IS
    'number of the run in the history, where mv_run() writes the steps that are done; null for the functions';
COMMENT ON COLUMN mv_orchestrator.progress.step IS
    'the step that it is at; null while it waits for run locks, and while it exchanges the files of several views together';
COMMENT ON COLUMN mv_orchestrator.progress.steps IS 'how many steps it has';
COMMENT ON COLUMN mv_orchestrator.progress.name IS 'the view of that step, as the functions print it; null where track_activity_query_size cuts it';
COMMENT ON COLUMN mv_orchestrator.progress.phase IS
    'waiting (for locks), query, index i of m, exchange (waits for readers to end), analyze, or workers (waits for them)';
COMMENT ON COLUMN mv_orchestrator.progress.since IS 'when that phase began';
COMMENT ON COLUMN mv_orchestrator.progress.started IS 'when the statement began; of a worker, its step''s transaction';
COMMENT ON COLUMN mv_orchestrator.progress.failed IS 'steps that have failed by now';
COMMENT ON COLUMN mv_orchestrator.progress.blocked_by IS 'processes that it waits for';

GRANT USAGE ON SCHEMA mv_orchestrator TO PUBLIC;
GRANT SELECT ON mv_orchestrator.history, mv_orchestrator.status, mv_orchestrator.progress TO PUBLIC;

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

CREATE FUNCTION @extschema@.mv_adopt(
    view regclass,
    depends_on text[] DEFAULT '{}'
) RETURNS text
AS 'MODULE_PATHNAME', 'mv_adopt'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_adopt(regclass, text[]) IS
    'registers a live materialized view as it is; returns its qualified name';

CREATE FUNCTION @extschema@.mv_adopt_all(schemas text[] DEFAULT NULL) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mv_adopt_all'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_adopt_all(text[]) IS
    'registers all live materialized views, or those in these schemas, as they are; returns the names of those that were not registered';

CREATE FUNCTION @extschema@.mv_export() RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mv_export'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_export() IS
    'a script that rebuilds the registry in another database: one statement or comment line a row';

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

CREATE FUNCTION @extschema@.mv_dependencies(
    name text DEFAULT NULL
) RETURNS TABLE (
    name text,
    depends_on text,
    declared boolean,
    discovered boolean,
    registered boolean,
    via text[]
)
AS 'MODULE_PATHNAME', 'mv_dependencies'
LANGUAGE C STABLE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_dependencies(text) IS
    'what materialized views read, as declared and as discovered, and by which way';

CREATE FUNCTION @extschema@.mv_graph(
    format text DEFAULT 'text',
    with_views boolean DEFAULT false,
    with_sources boolean DEFAULT false
) RETURNS text
AS 'MODULE_PATHNAME', 'mv_graph'
LANGUAGE C STABLE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_graph(text, boolean, boolean) IS
    'a picture of what reads what and of what is broken: text, mermaid or dot';

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

CREATE PROCEDURE @extschema@.mv_run(
    names text[] DEFAULT NULL,
    jobs integer DEFAULT 1,
    mode text DEFAULT NULL,
    on_error text DEFAULT 'continue',
    on_overlap text DEFAULT 'skip'
)
AS 'MODULE_PATHNAME', 'mv_run'
LANGUAGE C;

COMMENT ON PROCEDURE @extschema@.mv_run(text[], integer, text, text, text) IS
    'refreshes materialized views in order and commits each when it is done';

CREATE FUNCTION @extschema@.mv_plan(
    names text[] DEFAULT NULL,
    mode text DEFAULT NULL,
    on_error text DEFAULT 'stop',
    on_overlap text DEFAULT 'wait'
) RETURNS TABLE (
    step integer,
    name text,
    level integer,
    mode text,
    reason text,
    predicted interval,
    new_bytes bigint,
    locks bigint,
    blocked_by text[]
)
AS 'MODULE_PATHNAME', 'mv_plan'
LANGUAGE C STABLE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_plan(text[], text, text, text) IS
    'the steps that mv_refresh_all() with the same arguments would take now, in which mode and why, and what they would take and meet';

--
-- Look
--

CREATE FUNCTION @extschema@.mv_check() RETURNS TABLE (
    severity text,
    name text,
    problem text,
    detail text,
    hint text
)
AS 'MODULE_PATHNAME', 'mv_check'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;

COMMENT ON FUNCTION @extschema@.mv_check() IS
    'what is wrong with the registered materialized views, or will be, and what to do about it';
