-- What a user reads: the words, the place, the detail, the hint, and the fields of an error.
CREATE SCHEMA mes;
SET search_path = mes, public;
CREATE TABLE orders (id int, customer text, amount numeric);
INSERT INTO orders VALUES (1, 'ann', 10), (2, 'ann', 20), (3, 'bob', 30);

-- A misspelt column, in a definition of several lines.
SELECT mv_register('totals', '
  SELECT customer,
         sum(ammount) AS total
  FROM orders GROUP BY customer');
-- A query that does not parse; characters count, not bytes.
SELECT mv_register('totals', 'SELECT ''größe'' AS x FORM orders');
-- Two statements.
SELECT mv_register('totals', 'SELECT 1 AS x;
SELECT 2 AS x;');
-- A statement that is no query.
SELECT mv_register('totals', 'CREATE MATERIALIZED VIEW totals AS SELECT 1');
-- A parameter.
SELECT mv_register('totals', 'SELECT * FROM orders WHERE id = $1');
-- One that changes data.
SELECT mv_register('totals', 'WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone');
-- A name that SQL does not read.
SELECT mv_register('daily totals', 'SELECT 1 AS x');
-- A name that has been taken by a table.
SELECT mv_register('orders', 'SELECT 1 AS x');
-- An index for something else.
SELECT mv_register('totals', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX i ON orders (id)']);
-- A key of a column that there is not.
SELECT mv_register('totals', 'SELECT 1 AS x', unique_key => '{y}');
-- An option or a value that there is not.
SELECT mv_register('totals', 'SELECT 1 AS x', options => '{"fillfactor": 70}');
SELECT mv_register('totals', 'SELECT 1 AS x', mode => 'concurrently');
SELECT mv_refresh('totals', scope => 'all');
SELECT mv_refresh('totals', on_overlap => 'ignore');
-- A view that depends on itself, or on what depends on it.
SELECT mv_register('totals', 'SELECT 1 AS x', depends_on => '{totals}');
SELECT mv_register('totals', 'SELECT customer, max(total) AS total FROM totals GROUP BY customer');
SELECT mv_register('totals', 'SELECT customer, max(total) AS total FROM mes.totals GROUP BY customer');
SELECT mv_register('totals', 'SELECT customer, sum(amount) AS total FROM orders GROUP BY customer', depends_on => '{late}');
SELECT mv_register('report', 'SELECT max(total) FROM totals', depends_on => '{totals}');
SELECT mv_register('late', 'SELECT 1 AS x', depends_on => '{report}');
SELECT mv_create('report');
SELECT mv_register('totals', 'SELECT customer, sum(amount) AS total FROM orders GROUP BY customer');
SELECT mv_unregister('late');
-- A view that is not registered, or not there.
SELECT mv_refresh('total');
SELECT mv_refresh_all('{totals, reports}');
SELECT mv_refresh('totals');
SELECT mv_refresh_all();
SELECT mv_drop('totals');
-- A source that is not there.
SELECT mv_register('late', 'SELECT * FROM invoices');
SELECT mv_create('late');
SELECT mv_register('late', 'SELECT * FROM mes.invoices');
SELECT mv_create('late');
-- A key that is none.
SELECT mv_register('keyed', 'SELECT customer, id FROM orders', unique_key => '{customer}');
SELECT mv_create('keyed');
-- A failure in the query itself, or in a function that it calls.
SELECT mv_register('ratio', 'SELECT amount / (id - 1) AS r FROM orders');
SELECT mv_create('ratio');
CREATE FUNCTION check_amount(numeric) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  IF $1 > 25 THEN
    RAISE EXCEPTION 'amount % is too large', $1 USING ERRCODE = 'check_violation', DETAIL = 'Limit is 25.', HINT = 'Split the order.';
  END IF;
  RETURN $1;
END
$$;
SELECT mv_register('ratio', 'SELECT check_amount(amount) AS r FROM orders');
SELECT mv_create('ratio');
SELECT mv_unregister('ratio');
-- A view that exists with another definition.
SELECT count(*) FROM mv_create_all('{totals, report}');
SELECT mv_register('report', 'SELECT min(total) FROM totals', depends_on => '{totals}');
SELECT mv_create('report');
SELECT name, detail FROM mv_refresh('report');
-- A concurrent refresh of a view without a key, or without rows.
SELECT mv_refresh('totals', mode => 'concurrent');
REFRESH MATERIALIZED VIEW totals WITH NO DATA;
SELECT mv_refresh('totals', mode => 'concurrent');
SELECT mv_refresh('report');
-- A drop of what others read.
SELECT mv_drop('totals');
-- A view of somebody else.
CREATE ROLE regress_messages_guest;
GRANT USAGE ON SCHEMA mes TO regress_messages_guest;
SET ROLE regress_messages_guest;
SELECT mv_refresh('totals');
SELECT mv_refresh_all();
SELECT mv_register('mine', 'SELECT 1 AS x');
RESET ROLE;
-- A read-only transaction.
BEGIN READ ONLY;
SELECT mv_refresh('totals');
ROLLBACK;

-- An error about one view has that view in its schema and table fields, whoever raises it.
CREATE FUNCTION fields(call text) RETURNS TABLE (state text, field text, message text) LANGUAGE plpgsql AS $$
DECLARE
  schema_field text;
  table_field text;
BEGIN
  EXECUTE call;
  state := 'none';
  RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, schema_field = SCHEMA_NAME, table_field = TABLE_NAME, message = MESSAGE_TEXT;
  field := concat_ws('.', nullif(schema_field, ''), nullif(table_field, ''));
  RETURN NEXT;
END
$$;
DROP MATERIALIZED VIEW report;
SELECT mv_register('late', 'SELECT * FROM mes.totals');
SELECT f.* FROM unnest(ARRAY[
  $q$SELECT mv_register('new', 'SELECT nope FROM orders')$q$,
  $q$SELECT mv_register('new', 'SELECT 1; SELECT 2')$q$,
  $q$SELECT mv_register('new', 'SELECT 1 AS x', depends_on => '{new}')$q$,
  $q$SELECT mv_register('new', 'SELECT 1 AS x', unique_key => '{y}')$q$,
  $q$SELECT mv_register('new', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX i ON orders (id)'])$q$,
  $q$SELECT mv_register('orders', 'SELECT 1 AS x')$q$,
  $q$SELECT mv_create('late')$q$,
  $q$SELECT mv_create('keyed')$q$,
  $q$SELECT mv_refresh('report')$q$,
  $q$SELECT mv_refresh('totals', mode => 'concurrent')$q$,
  $q$SELECT mv_drop('report')$q$]) AS call, LATERAL fields(call) AS f;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA mes CASCADE;
DROP ROLE regress_messages_guest;
