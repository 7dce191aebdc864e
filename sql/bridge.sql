-- The bridge between the server's errors and C++ exceptions, through functions of a module of its
-- own (test/bridge).
\getenv builddir PG_ABS_BUILDDIR
\set module :builddir '/test/bridge/bridge_test.so'
CREATE SCHEMA bridge;
SET search_path = bridge;
CREATE FUNCTION bridge_alive() RETURNS int AS :'module' LANGUAGE C;
CREATE FUNCTION bridge_server_error() RETURNS void AS :'module' LANGUAGE C;
CREATE FUNCTION bridge_nested_guards() RETURNS void AS :'module' LANGUAGE C;
CREATE FUNCTION bridge_cancel() RETURNS void AS :'module' LANGUAGE C;
CREATE FUNCTION bridge_exception(kind text) RETURNS void AS :'module' LANGUAGE C;
CREATE FUNCTION bridge_exception_in_guard() RETURNS void AS :'module' LANGUAGE C;
CREATE FUNCTION bridge_survive(sql text) RETURNS text AS :'module' LANGUAGE C;

-- Every field of an error as a handler sees it.
CREATE FUNCTION caught(sql text,
    OUT state text, OUT message text, OUT detail text, OUT hint text,
    OUT schema_name text, OUT table_name text, OUT first_context text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
EXCEPTION WHEN OTHERS OR query_canceled THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
        schema_name = SCHEMA_NAME, table_name = TABLE_NAME, first_context = PG_EXCEPTION_CONTEXT;
    first_context = split_part(first_context, E'\n', 1);
END
$$;
\x on
\t on

-- a server error keeps SQLSTATE, message, detail, hint, context and fields
SELECT * FROM caught('SELECT bridge_server_error()');
-- also when it is caught, changed and thrown on
SELECT * FROM caught('SELECT bridge_nested_guards()');
-- a cancel inside a guarded call stays a cancel
SELECT * FROM caught('SELECT bridge_cancel()');
-- an error of our own has its SQLSTATE and all its fields
SELECT * FROM caught($$SELECT bridge_exception('core')$$);
-- exceptions of C++ become internal errors, want of memory stays that
SELECT * FROM caught($$SELECT bridge_exception('runtime_error')$$);
SELECT * FROM caught($$SELECT bridge_exception('bad_alloc')$$);
SELECT * FROM caught($$SELECT bridge_exception('int')$$);
-- no exception: no error
SELECT * FROM caught($$SELECT bridge_exception('none')$$);
-- an exception thrown inside a guard leaves the server's handlers in order
SELECT * FROM caught('SELECT bridge_exception_in_guard()');
\x off

-- no object was leaked by any of them
SELECT bridge_alive();

-- the position of an error of our own points into the query that it is about
SELECT bridge_exception('core');

-- a subtransaction is rolled back with what it did, and only that
CREATE TABLE bridge_log (entry text);
SELECT bridge_survive('SELECT 1/0');
SELECT bridge_survive('SELECT nothing');
SELECT * FROM bridge_log;
TRUNCATE bridge_log;
-- without an error it is kept
SELECT bridge_survive('SELECT 1');
SELECT * FROM bridge_log;
TRUNCATE bridge_log;
-- a cancel is not survived
SELECT bridge_survive('SELECT bridge.bridge_cancel()');
SELECT count(*) FROM bridge_log;
-- a subtransaction inside others, which go on
BEGIN;
SAVEPOINT s;
SELECT bridge_survive('SELECT 1/0');
ROLLBACK TO s;
SELECT bridge_survive('SELECT 1/0');
COMMIT;
SELECT * FROM bridge_log;

SET client_min_messages = warning;
DROP SCHEMA bridge CASCADE;
