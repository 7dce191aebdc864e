-- mv_graph: what reads what, level by level, and what is broken.
TRUNCATE mv_orchestrator.run_step;
CREATE SCHEMA grp;
SET search_path = grp, public;
\pset format unaligned
\pset tuples_only on

-- Without registrations there is nothing to draw, but what comes is a drawing.
SELECT mv_graph();
SELECT mv_graph('mermaid');
SELECT mv_graph('dot');

-- One view. NULL means the default, as everywhere.
CREATE TABLE base (id int, n int);
INSERT INTO base SELECT i, i FROM generate_series(1, 3) AS i;
SELECT mv_register('"Day by day"', 'SELECT id, 6 / n AS n FROM base');
SELECT mv_graph();
SELECT mv_graph(NULL, NULL, NULL) = mv_graph('text', false, false) AS same;
SELECT mv_graph(with_sources => NULL, format => 'text', with_views => NULL) = mv_graph() AS same;

-- Anything else is no format.
SELECT mv_graph('svg');
SELECT mv_graph('');
SELECT mv_graph('Text');
\set VERBOSITY sqlstate
SELECT mv_graph('dot ');
\set VERBOSITY default

-- What is read stands above what reads it. Declared alone: nothing in the view's text shows why.
SELECT mv_register('weekly', 'SELECT sum(n) AS n FROM "Day by day"', depends_on => ARRAY['"Day by day"']);
SELECT mv_register('report', 'SELECT * FROM weekly, other', depends_on => '{weekly, other}');
SELECT mv_register('other', 'SELECT 1 AS one');
SELECT mv_register('hidden', 'SELECT 2 AS two', depends_on => '{other}');
SELECT count(*) FROM mv_create_all();
SELECT mv_graph();

-- What is broken is to be seen: a view that failed with all that reads it, one that is missing, not
-- populated, disabled.
UPDATE base SET n = 0 WHERE id = 3;
SET client_min_messages = error;
SELECT name, status FROM mv_refresh_all(mode => 'plain', on_error => 'continue');
RESET client_min_messages;
SELECT mv_register('lonely', 'SELECT 1 AS x', options => '{"enabled": false}');
SELECT mv_register('empty', 'SELECT 1 AS x');
SELECT action FROM mv_create('empty', with_data => false);
SELECT mv_graph();
SELECT mv_graph('mermaid');
SELECT mv_graph('dot');
-- A step that was skipped says nothing of the view.
INSERT INTO mv_orchestrator.run_step (run, step, schema_name, view_name, mode, reason, status, started, elapsed, role)
  VALUES (nextval('mv_orchestrator.run_id'), 1, 'grp', 'Day by day', 'plain', 'argument', 'skipped', now(), '0', 'nobody');
SELECT mv_graph() LIKE '%! grp."Day by day" [failed]%' AS failed;

-- Everybody sees the graph, and the outcome of runs who sees it in mv_orchestrator.status.
CREATE ROLE regress_graph_nobody;
CREATE ROLE regress_graph_member;
CREATE ROLE regress_graph_monitor;
GRANT pg_monitor TO regress_graph_monitor;
SELECT format('GRANT %I TO regress_graph_member', current_user) \gexec
SET ROLE regress_graph_nobody;
SELECT mv_graph();
SET ROLE regress_graph_member;
SELECT mv_graph() ~ '1 failed' AS failed;
SET ROLE regress_graph_monitor;
SELECT mv_graph() ~ '1 failed' AS failed;
RESET ROLE;

-- It reads only, what the statement sees, whatever lies in the search_path.
SELECT provolatile FROM pg_proc WHERE proname = 'mv_graph';
CREATE FUNCTION grp.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE OPERATOR grp.= (LEFTARG = text, RIGHTARG = text, FUNCTION = grp.trap);
CREATE OPERATOR grp.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = grp.trap);
CREATE TABLE grp.pg_class (relname text);
BEGIN READ ONLY;
SET LOCAL search_path = grp, pg_catalog, public;
SELECT length(mv_graph()) > 100 AS drawn;
COMMIT;
DROP FUNCTION grp.trap CASCADE;
DROP TABLE grp.pg_class;
-- Recovered.
UPDATE base SET n = 1 WHERE id = 3;
SELECT count(*) FROM mv_refresh_all('{"\"Day by day\"", weekly, report, other, hidden, empty}', mode => 'plain');
SELECT mv_graph();

-- On demand with what is on the way, and with what is read in the end. What is hidden is passed over;
-- into the text of a view that does not exist only who may see its state looks.
CREATE VIEW step_1 AS SELECT * FROM weekly;
CREATE VIEW step_2 AS SELECT s.n FROM step_1 AS s, weekly;
CREATE VIEW beside AS SELECT id FROM base;
CREATE FUNCTION parsed() RETURNS bigint STABLE LANGUAGE sql BEGIN ATOMIC SELECT sum(two) FROM hidden; END;
CREATE FUNCTION "opaque one"(int) RETURNS bigint STABLE LANGUAGE sql AS 'SELECT sum(two) FROM hidden';
CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parts DEFAULT;
SELECT mv_register('final', 'SELECT s.n, parsed(), "opaque one"(1) FROM step_2 AS s, beside, weekly, parts');
SELECT action FROM mv_create('final');
SELECT mv_register('secret', 'SELECT 1 AS x FROM step_2, base, nowhere');
SELECT mv_graph();
SELECT mv_graph(with_views => true);
SELECT mv_graph(with_sources => true);
SELECT mv_graph('text', true, true);
SELECT mv_graph('mermaid', true, true);
SELECT mv_graph('dot', true, true);
SET ROLE regress_graph_nobody;
SELECT regexp_matches(mv_graph('text', true, true), '^.* grp.secret.*$', 'gn');
SET ROLE regress_graph_monitor;
SELECT regexp_matches(mv_graph('text', true, true), '^.* grp.secret.*$', 'gn');
RESET ROLE;
SELECT mv_drop('final') \g /dev/null
SELECT count(mv_unregister(name)) FROM unnest('{final, secret}'::text[]) AS name;

-- Declared the wrong way round: drawn, but no level goes by it.
SELECT mv_register('other', 'SELECT 1 AS one', depends_on => '{report}');
SELECT mv_graph();
SELECT regexp_matches(mv_graph('dot'), '^.*(?:dotted).*$', 'gn');
SELECT regexp_matches(mv_graph('mermaid'), '^.*(?:-\.-x).*$', 'gn');
SELECT mv_register('other', 'SELECT 1 AS one');

-- A cycle, of which no order can be given, is drawn all the same; what is outside has its level.
SELECT mv_register('weekly', 'SELECT sum(n) AS n FROM "Day by day"', depends_on => ARRAY['"Day by day"', 'last']);
SELECT mv_register('last', 'SELECT 1 AS x', depends_on => '{report}');
SELECT mv_register('after', 'SELECT 1 AS x', depends_on => '{last}');
SELECT mv_order();
SELECT mv_graph();
SELECT regexp_matches(mv_graph('dot'), '^.*(?:->|cycle).*$', 'gn');
SELECT regexp_matches(mv_graph('mermaid'), '^.*(?:-->|-\.->|cycle|linkStyle).*$', 'gn');
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;

-- Names: what cannot be seen is made visible, what means something is escaped, and nothing is cut.
CREATE TABLE odd (i int, name text);
INSERT INTO odd VALUES (1, E'new\nline\ttab\rreturn'), (2, E'es\x1b[31mcape\x7f'), (3, E'back\\slash'), (4, 'quo"te'),
  (5, '<b>&amp;</b>'), (6, 'a];#35;{}|%%'), (7, U&'right\202Eleft\200Bzero\2028line\0085next'), (8, repeat('x', 63)),
  (9, U&'\65E5\672C\8A9E\306E\8868'), (10, U&'n\0301e'), (11, 'end'), (12, ' '), (13, '--> n1'), (14, '$$x$$ fa:fa-car');
SELECT mv_register(format('%I', name), 'SELECT 1 AS x', depends_on =>
    coalesce((SELECT array_agg(format('%I', p.name)) FROM odd AS p WHERE p.i IN (odd.i - 1, odd.i - 8)), '{}'))
  FROM odd ORDER BY i \g /dev/null
SELECT mv_graph();
SELECT mv_graph('mermaid');
SELECT regexp_matches(mv_graph('dot'), 'label="(.*)\\nmissing"', 'gn');
SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;

-- Sixty views at random: every view has its line, in its level, with what it reads, in 120 columns.
CREATE TABLE graph AS
  SELECT i, format('grp.%I', CASE WHEN i % 3 = 0 THEN 'Monthly totals ' ELSE 'daily_' END || md5(i::text)) AS name
  FROM generate_series(1, 60) AS i;
CREATE TABLE edge AS
  SELECT g.name AS reader, s.name AS source FROM graph AS g JOIN graph AS s
    ON s.i < g.i - 3 AND (s.i * 31 + g.i * 17) % 23 < 4 AND g.i / 20 - s.i / 20 <= 1;
SELECT count(mv_register(name, coalesce((SELECT 'SELECT 1 FROM ' || string_agg(source, ', ') FROM edge WHERE reader = name), 'SELECT 1'),
                         depends_on => coalesce((SELECT array_agg(source) FROM edge WHERE reader = name), '{}'))) FROM graph;
SELECT count(*) AS edges FROM edge;
SELECT max(length(line)) <= 120 AS narrow FROM regexp_split_to_table(mv_graph(), '\n') AS line;
-- Read back: lines that are continued are joined first.
CREATE TABLE entry AS
  SELECT level::int, (regexp_match(line, '^[! ] (grp\.(?:"[^"]+"|\w+))'))[1] AS name, (regexp_match(line, '<- (.*)$'))[1] AS sources
  FROM regexp_matches(regexp_replace(mv_graph(), '\n {4,}', ' ', 'g'), '\nlevel (\d+)\n((?:[! ].*\n?)+)', 'gn') AS l (parts),
       LATERAL (SELECT parts[1] AS level, regexp_split_to_table(rtrim(parts[2], E'\n'), '\n') AS line) AS s;
CREATE TABLE drawn AS
  SELECT name AS reader, regexp_replace(source, ' \[declared\]$', '') AS source
  FROM entry, regexp_split_to_table(sources, ', ') AS source;
SELECT count(*), count(DISTINCT name) FROM entry;
SELECT count(*) AS differences FROM ((TABLE drawn EXCEPT ALL TABLE edge) UNION ALL (TABLE edge EXCEPT ALL TABLE drawn)) AS d;
WITH RECURSIVE path (name, length) AS (
    SELECT name, 1 FROM graph UNION SELECT reader, length + 1 FROM path JOIN edge ON source = name)
SELECT count(*) AS wrong_levels
  FROM entry FULL JOIN (SELECT name, max(length) AS length FROM path GROUP BY name) AS p USING (name) WHERE level IS DISTINCT FROM length;
SELECT mv_graph('dot') = mv_graph('dot') AND mv_graph('mermaid') = mv_graph('mermaid') AS same;

SELECT count(mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SET client_min_messages = warning;
DROP SCHEMA grp CASCADE;
DROP ROLE regress_graph_nobody, regress_graph_member, regress_graph_monitor;
TRUNCATE mv_orchestrator.run_step;
