# Dump and restore, twice over: the registry is the same row by row, every view that was restored
# still matches its registration, and one call refreshes what the server could not.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump_restore');
$node->init;
$node->append_conf('postgresql.conf', 'allow_in_place_tablespaces = on');
$node->start;
my $f = '"mv functions"';
my $odd = '"Odd ""schema"""';

$node->safe_psql('postgres', <<'SQL');
CREATE DATABASE source;
CREATE ROLE alice;
CREATE ROLE "Bob's";
CREATE TABLESPACE "odd space" LOCATION '';
GRANT CREATE ON TABLESPACE "odd space" TO PUBLIC;
SQL

$node->safe_psql('source', <<SQL);
CREATE SCHEMA $f;
CREATE EXTENSION mv_orchestrator SCHEMA $f;
GRANT USAGE ON SCHEMA $f TO PUBLIC;
CREATE SCHEMA $odd;
CREATE SCHEMA s2;
GRANT ALL ON SCHEMA $odd, s2 TO alice, "Bob's";
CREATE TABLE s2.t (id int PRIMARY KEY, kind varchar(8), code char(3), day date, at timestamptz, n numeric(10,2), tags text[], doc jsonb);
INSERT INTO s2.t SELECT g, (ARRAY['a', 'b', 'c'])[1 + g % 3], 'x' || g % 10, DATE '2024-01-01' + g % 60,
    TIMESTAMPTZ '2024-01-01 00:00+00' + g * interval '7 hours', g / 3.0, ARRAY['t' || g % 2, 'u'], jsonb_build_object('k', g % 5)
FROM generate_series(1, 200) g;
GRANT SELECT ON s2.t TO alice, "Bob's";
ALTER DEFAULT PRIVILEGES FOR ROLE alice GRANT SELECT ON TABLES TO PUBLIC;

-- Every argument and option, names that need quotes, several owners, all settings.
SET ROLE alice;
SET search_path = $odd, s2, pg_temp;
SELECT $f.mv_register('"Base view"', 'SELECT kind AS "Kind", count(*) AS n FROM t GROUP BY kind', unique_key => '{"\\"Kind\\""}',
    indexes => ARRAY['CREATE INDEX "Base n" ON "Base view" USING btree (n DESC) WHERE (n > 0)'], mode => 'concurrent',
    options => '{"access_method": "heap", "tablespace": "odd space", "with": {"fillfactor": 70, "autovacuum_enabled": false},
                 "comment": "a ''comment'' of\\nthree \\"words\\"", "enabled": true}');
SET ROLE "Bob's";
SELECT $f.mv_register('s2."x.y"', 'SELECT * FROM "Base view" WHERE n > 1', depends_on => ARRAY['"Base view"', 'not_there', 's9."Nor this"']);
SELECT $f.mv_register('disabled', 'TABLE t', mode => 'plain', options => '{"enabled": false}');
RESET ROLE;
SELECT $f.mv_register('of_bob', 'VALUES (1, ''it''''s''), (2, NULL)', options => '{"owner": "Bob''s"}');
SET datestyle = 'SQL, DMY'; SET timezone = 'Asia/Tokyo'; SET intervalstyle = 'iso_8601';
SET standard_conforming_strings = off; SET transform_null_equals = on; SET default_text_search_config = 'pg_catalog.german';
SET escape_string_warning = off;
SELECT $f.mv_register('settings', 'SELECT ''02/01/2024''::date AS d, ''2024-01-01 00:00''::timestamptz AS t, ''P1Y''::interval AS i,'
    ' ''a\\\\tb'' AS s, to_tsvector(''Bäume und Häuser'') AS v, count(*) AS n FROM t WHERE kind = NULL');
SQL

# Forms that the server prints otherwise than they were written, some of them more than once.
my @forms = (
    q{SELECT id FROM t WHERE kind IN ('a', 'b')},
    q{SELECT id FROM t WHERE kind NOT IN ('a', 'b') AND code = 'x1'},
    q{SELECT id FROM t WHERE code = ANY ('{x1,x2}') AND kind || 'x' LIKE 'a%'},
    q{SELECT id FROM t WHERE day BETWEEN SYMMETRIC '2024-02-01' AND date '2024-01-10' + 3},
    q{SELECT id, extract(month FROM at AT TIME ZONE 'UTC') AS m, at::date + interval '1 month 2 days' AS later FROM t},
    q{SELECT kind, day, sum(n) FILTER (WHERE n > 5), grouping(kind) FROM t GROUP BY GROUPING SETS ((kind), (day), ())},
    q{SELECT id, lag(n, 2, 0) OVER w, rank() OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM t WINDOW w AS (PARTITION BY kind ORDER BY id)},
    q{WITH RECURSIVE r(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM r WHERE i < 9) SELECT i, doc ->> 'k' FROM r JOIN t ON id = i},
    q{SELECT t.*, u.x FROM t, LATERAL unnest(tags) WITH ORDINALITY AS u(x, o) WHERE o = 1 OR NOT (n IS DISTINCT FROM 4.0)},
    q{SELECT a.id, b.id AS other FROM t a NATURAL JOIN (SELECT id, kind FROM t) b WHERE (a.id, a.n) < (50, 7.5)},
    q{SELECT CASE kind WHEN 'a' THEN 1::smallint WHEN 'b' THEN 2.5 ELSE -3 END AS c, (- id) % 5 AS m, n::varchar(4) AS v FROM t},
    q{SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY n) AS p, array_agg(kind ORDER BY kind COLLATE "C" DESC) AS a FROM t},
    q{(SELECT id FROM t ORDER BY id LIMIT 5) UNION (SELECT id FROM t ORDER BY n DESC NULLS LAST, id FETCH FIRST 3 ROWS WITH TIES) EXCEPT ALL SELECT 1},
    q{SELECT kind FROM t GROUP BY kind HAVING count(*) > 3 AND bool_or(doc @> '{"k": 2}') ORDER BY kind},
    q{SELECT U&'d\0061t\+000061' AS u, E'a\\nb' AS e, $q$it's$q$ AS q, B'101' AS b, 1e10 AS f, '{1,2}'::int[] AS a, ROW(1, 'x') = ROW(id, kind) AS r FROM t},
    q{SELECT DISTINCT ON (kind) kind, coalesce(nullif(code, 'x1'), 'none') AS c, greatest(id, 3) AS g FROM t ORDER BY kind, id; -- done},
);
$node->safe_psql('source', join ";\n", "SET search_path = s2, public",
    map { sprintf "SELECT $f.mv_register('form_%02d', %s)", $_, "\$form\$$forms[$_]\$form\$" } 0 .. $#forms);

# Read through a function, which the server does not see; by name it comes before what it reads.
$node->safe_psql('source', <<SQL);
CREATE FUNCTION s2.kinds() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM $odd."Base view"); END';
SELECT $f.mv_register('$odd."A hidden"', 'SELECT s2.kinds() AS n', depends_on => ARRAY['$odd."Base view"']);
SET client_min_messages = error;
SELECT $f.mv_create_all();
SELECT $f.mv_register('s2.without_data', 'SELECT count(*) AS n FROM $odd."A hidden"', depends_on => ARRAY['$odd."A hidden"']);
SELECT $f.mv_create('s2.without_data', with_data => false);
INSERT INTO s2.t VALUES (1000, 'new', 'x0');
SQL

sub registry_of {
    my ($database) = @_;
    return $node->safe_psql($database, <<'SQL');
SELECT r::text FROM mv_orchestrator.registry r ORDER BY schema_name, view_name;
SELECT d::text FROM mv_orchestrator.dependency d ORDER BY schema_name, view_name, position;
SELECT schemaname, matviewname, matviewowner, tablespace, hasindexes, obj_description(c.oid), c.reloptions
FROM pg_matviews JOIN pg_class c ON c.oid = format('%I.%I', schemaname, matviewname)::regclass ORDER BY 1, 2;
SELECT indexdef FROM pg_indexes WHERE tablename ~ 'Base' ORDER BY indexdef;
SQL
}

sub actions { return $node->safe_psql($_[0], "SELECT action, count(*) FROM $f.mv_create_all() GROUP BY 1 ORDER BY 1"); }

sub unpopulated {
    return $node->safe_psql($_[0], "SELECT string_agg(matviewname, ' ' ORDER BY matviewname) FROM pg_matviews WHERE NOT ispopulated");
}

# What was done here stays here: a run is in the history and not in the dump.
$node->safe_psql('source', qq{SELECT count(*) FROM $f.mv_refresh('s2."x.y"')});
sub history_rows { return $node->safe_psql($_[0], 'SELECT count(*) FROM mv_orchestrator.history'); }
is(history_rows('source'), 1, 'there is a history');

my $views = 7 + @forms;
is(actions('source'), "exists|$views", 'before: every view matches');
my $registry = registry_of('source');
like($registry, qr/"Base view"/, 'there is a registry to compare with');
my $directory = PostgreSQL::Test::Utils::tempdir();

sub check_restored {
    my ($database, $errors, $expected) = @_;
    is(join(' ', $errors =~ /ERROR: +(.*)/g), $expected, "$database: restored") or diag($errors);
    is(registry_of($database), $registry, "$database: the registry, its dependencies and the views are the same");
    is(actions($database), "exists|$views", "$database: every view matches its registration");
    is(unpopulated($database), 'A hidden without_data', "$database: two views are not populated");
    is(history_rows($database), 0, "$database: the history is not restored");
    is($node->safe_psql($database, 'SELECT count(*) FROM mv_orchestrator.status'), $views, "$database: every view has a status");
    $node->command_ok([ 'pg_dump', '--schema-only', '-f', '/dev/null', $node->connstr($database) ],
        "$database: pg_dump --schema-only");
}

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$directory/first", $node->connstr('source') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE first');
my (undef, $errors) = run_command([ 'pg_restore', '-d', $node->connstr('first'), "$directory/first" ]);
# The server does not know that one view reads the other.
check_restored('first', $errors, 'materialized view "Base view" has not been populated');

$node->command_ok([ 'pg_dump', '-f', "$directory/second.sql", $node->connstr('first') ], 'pg_dump of what was restored');
$node->safe_psql('postgres', 'CREATE DATABASE second');
(undef, $errors) = run_command([ 'psql', '-XqAt', '-d', $node->connstr('second'), '-f', "$directory/second.sql" ]);
check_restored('second', $errors, '');

for my $database (qw(first second)) {
    my $enabled = $views - 1;
    is($node->safe_psql($database, "SELECT status, count(*) FROM $f.mv_refresh_all(mode => 'plain') GROUP BY 1"),
        "refreshed|$enabled", "$database: one call refreshes all");
    is(unpopulated($database), '', "$database: all are populated");
    is($node->safe_psql($database, "SELECT count(*) FROM $f.mv_refresh('$odd.disabled')"), 1, "$database: by name, also a disabled one");
    is(wrong_views($node, $database), '', "$database: every view is right");
    is($node->safe_psql($database, 'SELECT n FROM s2.without_data'), 1, "$database: also what was created without data");
}
isnt(wrong_views($node, 'source'), '', 'the source was stale all the time');

# The structure alone: the extension works, with nothing registered.
$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$directory/schema.sql", $node->connstr('source') ], 'pg_dump --schema-only');
$node->safe_psql('postgres', 'CREATE DATABASE structure');
$node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('structure'), '-f', "$directory/schema.sql" ],
    'and it can be restored');
is($node->safe_psql('structure', "SELECT count(*) FROM $f.mv_order()"), 0, 'nothing is registered there');

# All gone and made anew from the registry alone.
$node->safe_psql('second', "SET client_min_messages = warning; SELECT $f.mv_drop_all()");
is($node->safe_psql('second', 'SELECT count(*) FROM pg_matviews'), 0, 'all views can be dropped');
is(actions('second'), "created|$views", 'and be made from the restored registry');
is(wrong_views($node, 'second'), '', 'with the right rows');
is(registry_of('second'), $registry, 'owners, comments and storage are the same again');

# Taken over as they are instead: what the server prints of a view is what it is, here and after one
# more restore, whatever the text that it was once made of.
my $adopted = $node->safe_psql('second', <<SQL);
SET client_min_messages = warning;
SELECT count($f.mv_unregister(format('%I.%I', schema_name, view_name))) FROM mv_orchestrator.registry;
SELECT $f.mv_adopt('$odd."A hidden"', ARRAY['$odd."Base view"']);
SELECT count(*) FROM $f.mv_adopt_all();
SELECT count(*) FROM mv_orchestrator.registry WHERE applied;
SQL
is($adopted =~ s/\n/ /gr, qq{$views $odd."A hidden" } . ($views - 1) . " $views", 'all are adopted as they are');
is(actions('second'), "exists|$views", 'and match');
$node->command_ok([ 'pg_dump', '-f', "$directory/third.sql", $node->connstr('second') ], 'pg_dump of what was adopted');
$node->safe_psql('postgres', 'CREATE DATABASE third');
(undef, $errors) = run_command([ 'psql', '-XqAt', '-d', $node->connstr('third'), '-f', "$directory/third.sql" ]);
is(registry_of('third'), registry_of('second'), 'third: the registry is the same') or diag($errors);
is(actions('third'), "exists|$views", 'third: every view matches its registration');
is($node->safe_psql('third', "SELECT DISTINCT status FROM $f.mv_refresh_all(mode => 'plain')"), 'refreshed', 'third: one call refreshes all');
is(wrong_views($node, 'third'), '', 'third: every view is right');
$node->safe_psql('third', "SET client_min_messages = warning; SELECT $f.mv_drop_all()");
is(actions('third'), "created|$views", 'third: all can be made again');
is(wrong_views($node, 'third'), '', 'third: with the right rows');

done_testing();
