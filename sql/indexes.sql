-- unique_key and indexes: what belongs to a view besides its rows.
CREATE SCHEMA idx;
SET search_path = idx, public;
CREATE TABLE base (id int, "Odd col" text, d date);
INSERT INTO base VALUES (1, 'one', '2026-01-01'), (2, 'two', NULL);
CREATE VIEW live AS
  SELECT indrelid::regclass AS view, replace(pg_get_indexdef(indexrelid), 'idx.', '') AS index
  FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'idx'::regnamespace AND relkind = 'm'
  ORDER BY indrelid::regclass::text COLLATE "C", indexrelid::regclass::text COLLATE "C";

-- A unique key is of columns, read as names; the server names its index.
SELECT mv_register('keyed', 'SELECT * FROM base', unique_key => ARRAY['id', '"Odd col"']);
SELECT * FROM mv_create('keyed');
-- As a set: the order of the columns makes no other key.
SELECT mv_register('keyed', 'SELECT * FROM base', unique_key => ARRAY['"Odd col"', 'ID']);
SELECT * FROM mv_create('keyed');
-- A new key gets its index; an old one is left to who wants it.
SELECT mv_register('keyed', 'SELECT * FROM base', unique_key => '{id}');
SELECT * FROM mv_create('keyed');
SELECT * FROM live;
-- Only an index that keeps every row apart counts.
SELECT mv_register('apart', 'SELECT * FROM base', unique_key => '{id}');
CREATE MATERIALIZED VIEW apart AS SELECT * FROM base;
CREATE UNIQUE INDEX u1 ON apart (id) WHERE id > 0;
CREATE UNIQUE INDEX u2 ON apart ((id + 0));
CREATE UNIQUE INDEX u3 ON apart (id, d);
CREATE INDEX u4 ON apart (id);
SELECT * FROM mv_create('apart');
DROP INDEX apart_id_idx;
CREATE UNIQUE INDEX u5 ON apart USING btree (id DESC) INCLUDE (d);
SELECT * FROM mv_create('apart');

-- Index statements are kept whole, as pg_get_indexdef prints them: method, expressions, conditions,
-- operator classes, storage options.
SELECT mv_register('full', 'SELECT id, "Odd col", d FROM base', indexes => ARRAY[
  'CREATE INDEX by_odd ON idx."full" USING btree ("Odd col" text_pattern_ops DESC NULLS LAST) WHERE (id > 0);',
  'CREATE UNIQUE INDEX "By id" ON "full" (id) INCLUDE (d) NULLS NOT DISTINCT WITH (fillfactor=50)',
  'CREATE INDEX by_hash ON "full" USING hash (id) -- for equality',
  'CREATE INDEX by_expression ON "full" USING btree (lower("Odd col"), (id % 10))',
  'CREATE INDEX by_brin ON "full" USING brin (d) TABLESPACE pg_default']);
SELECT * FROM mv_create('full');
SELECT index FROM live WHERE view = '"full"'::regclass;
-- What the server prints can be registered, and is the same.
SELECT mv_register('full', 'SELECT id, "Odd col", d FROM base', indexes =>
  ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '"full"'::regclass));
SELECT * FROM mv_create('full');
DROP INDEX by_odd, "By id", by_hash, by_expression, by_brin;
SELECT * FROM mv_create('full');
SELECT index FROM live WHERE view = '"full"'::regclass;

-- A name in an index statement is looked up along the search_path of the registration.
CREATE SCHEMA idx2;
CREATE FUNCTION idx2.fold(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN lower($1);
SET search_path = idx, idx2, public;
SELECT mv_register('looked_up', 'SELECT * FROM base', indexes => ARRAY['CREATE INDEX by_fold ON looked_up (fold("Odd col"))']);
SET search_path = public;
SELECT * FROM mv_create('idx.looked_up');
SET search_path = idx, public;
SELECT index FROM live WHERE view = 'looked_up'::regclass;

-- An index statement is one CREATE INDEX with a name, on this view, and nothing else.
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX a ON v (x); CREATE INDEX b ON v (x)']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['DROP TABLE base']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX a ON v (x']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX a ON base (id)']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX a ON idx2.v (x)']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX a ON other_database.idx.v (x)']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX ON v (x)']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX CONCURRENTLY a ON v (x)']);
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY[NULL]);
-- IF NOT EXISTS would pass over the index where its name is taken.
\set VERBOSITY sqlstate
SELECT mv_register('v', 'SELECT 1 AS x', indexes => ARRAY['CREATE INDEX IF NOT EXISTS base ON v (x)']);
\set VERBOSITY default
SELECT count(*) FROM mv_orchestrator.registry WHERE view_name = 'v';

-- What can only show when it is made fails then, and leaves no view.
SELECT mv_register('v', 'SELECT id FROM base', indexes => ARRAY['CREATE INDEX good ON v (id)', 'CREATE INDEX bad ON v (nope)']);
SELECT mv_create('v');
SELECT mv_register('v', 'SELECT d FROM base', indexes => ARRAY['CREATE INDEX bad ON v (to_char(d, ''YYYY''))']);
SELECT mv_create('v');
SELECT mv_register('v', 'SELECT id / 2 * 0 AS x FROM base', indexes => ARRAY['CREATE UNIQUE INDEX bad ON v (x)']);
SELECT mv_create('v');
SELECT mv_register('v', 'SELECT id FROM base', indexes => ARRAY['CREATE INDEX bad ON v USING no_such_method (id)']);
SELECT mv_create('v');
-- So does a name that is taken, by something else in the schema or by an index before it.
SELECT mv_register('v', 'SELECT id FROM base', indexes => ARRAY['CREATE INDEX base ON v (id)']);
SELECT mv_create('v');
SELECT mv_register('v', 'SELECT id FROM base', indexes => ARRAY['CREATE INDEX same ON v (id)', 'CREATE INDEX same ON v (id DESC)']);
SELECT mv_create('v');
SELECT count(*) FROM live WHERE view::text = 'v';
SELECT count(*) FROM pg_matviews WHERE matviewname = 'v';
-- On a view that is there, it stays as it was.
CREATE MATERIALIZED VIEW v AS SELECT id FROM base;
SELECT mv_register('v', 'SELECT id FROM base', indexes => ARRAY['CREATE INDEX first ON v (id)', 'CREATE INDEX second ON v (nope)']);
SELECT mv_create('v');
SELECT count(*) FROM live WHERE view = 'v'::regclass;

-- An index that has the registered name and is another one is not taken for it.
SELECT mv_register('v', 'SELECT id FROM base', indexes => ARRAY['CREATE INDEX first ON v (id)']);
SELECT * FROM mv_create('v');
SELECT mv_register('v', 'SELECT id FROM base', indexes => ARRAY['CREATE UNIQUE INDEX first ON v (id DESC)']);
\set VERBOSITY sqlstate
SELECT * FROM mv_create('v');
\set VERBOSITY default

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA idx, idx2 CASCADE;
