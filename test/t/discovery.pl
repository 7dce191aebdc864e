# Random databases of materialized views, plain views, functions with a parsed body, partitions and
# children: mv_dependencies() and mv_order() against recursive queries over pg_depend and pg_rewrite,
# as people write them, which share no code with it. Then all materialized views go, with what reads
# them, and the texts alone have to tell what they read of what is left.
# SEED in the environment repeats a run, ROUNDS makes it longer.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use List::Util qw(shuffle);
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{ROUNDS} // 6;
my $seed = $ENV{SEED} // int rand 2**31;
note "SEED=$seed";
srand $seed;

my $node = orchestrator_node('discovery');

my @schemas = ('one', '"Two ""2"', 'three');
my $created;    # number of relations and functions, for names that none has

sub one_of { return $_[ rand @_ ]; }
sub some_of { my ($most, @all) = @_; @all = shuffle @all; return @all[ 0 .. (@all < $most ? $#all : rand $most) ]; }
sub new_name { return one_of(@schemas) . '.' . one_of('x%d', '"X %d"', 'name_%d', '"a.%d"') =~ s/%d/++$created/er; }

# What one relation, or a function that is called with no arguments, gives: a column "n".
sub rows_of {
    my ($read) = @_;
    return $read =~ /\)$/ ? "SELECT $read AS n" : "SELECT n FROM $read";
}

# A query that reads just these, each in one of the ways in which SQL lets one read.
sub query_of {
    my (@reads) = @_;
    my $query = rows_of(shift @reads);
    for my $read (@reads) {
        my $rows = rows_of($read);
        $query = one_of(
            "$query UNION ALL $rows",
            "SELECT n FROM ($query) AS a WHERE EXISTS ($rows)",
            "SELECT a.n + (SELECT max(n) FROM ($rows) AS c) AS n FROM ($query) AS a",
            "WITH c AS ($rows) SELECT a.n FROM ($query) AS a JOIN c USING (n)",
            "SELECT a.n FROM ($query) AS a, LATERAL (SELECT n FROM ($rows) AS b WHERE b.n = a.n) AS l");
    }
    return $query;
}

# Who reads what directly, as the catalogs have it, by name.
my $edges = <<'SQL';
CREATE VIEW edge AS
WITH object (class, oid, name, kind) AS (
    SELECT 'pg_class'::regclass, c.oid, format('%I.%I', n.nspname, c.relname) COLLATE "C", c.relkind::text
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)), 'function'
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace)
SELECT DISTINCT reader.name AS reader, reader.kind AS reader_kind, source.name AS source, source.kind AS source_kind
FROM (SELECT 'pg_class'::regclass AS class, r.ev_class AS oid, d.refclassid, d.refobjid
      FROM pg_rewrite AS r JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      WHERE d.refobjid <> r.ev_class
      UNION ALL
      SELECT 'pg_proc'::regclass, p.oid, d.refclassid, d.refobjid
      FROM pg_proc AS p JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
      WHERE p.prosqlbody IS NOT NULL
      UNION ALL
      SELECT 'pg_class'::regclass, inhparent, 'pg_class'::regclass, inhrelid FROM pg_inherits) AS e
JOIN object AS reader ON reader.class = e.class AND reader.oid = e.oid
JOIN object AS source ON source.class = e.refclassid AND source.oid = e.refobjid
WHERE source.kind IN ('r', 'p', 'm', 'v', 'f', 'function');
SQL

# What views read in the end, and the shortest ways there, from a relation that looks like "edge".
# Ways stop at what stores rows, but for the children of a parent.
sub query_for_reads {
    my ($edge) = @_;
    return <<SQL;
WITH RECURSIVE way (view, source, kind, via, on_the_way) AS (
    SELECT reader, source, source_kind, '{}'::text[] COLLATE "C", ARRAY[source] FROM $edge WHERE reader_kind = 'm'
    UNION ALL
    SELECT w.view, e.source, e.source_kind,
           CASE WHEN w.kind IN ('v', 'function') THEN w.via || w.source ELSE w.via END, w.on_the_way || e.source
    FROM way AS w JOIN $edge AS e ON e.reader = w.source
    WHERE w.kind <> 'm' AND e.source <> ALL (w.on_the_way))
SELECT DISTINCT ON (view, source) view, source, via FROM way WHERE kind NOT IN ('v', 'function')
ORDER BY view, source, cardinality(via), via
SQL
}

# Levels and the smallest order, by edges between views alone.
sub query_for_levels {
    return <<'SQL';
WITH RECURSIVE leveled (view, level) AS (
    SELECT view, 1 FROM registered
    UNION
    SELECT r.view, l.level + 1 FROM leveled AS l JOIN expected AS r ON r.source = l.view)
SELECT view, max(level) FROM leveled GROUP BY view ORDER BY view COLLATE "C"
SQL
}

# With so many simple views beside, that the catalogs are read in another way.
sub create_random_database {
    my ($beside) = @_;
    my @sql = map { "CREATE SCHEMA $_;" } @schemas;
    my (@readable, @views);
    for (1 .. 3) {
        my ($table, $parent, $whole) = (new_name(), new_name(), new_name());
        push @sql, "CREATE TABLE $table (n bigint);", "CREATE TABLE $parent (n bigint);",
          "CREATE TABLE ${\new_name()} () INHERITS ($parent);", "CREATE TABLE $whole (n bigint) PARTITION BY LIST (n);",
          "CREATE TABLE ${\new_name()} PARTITION OF $whole FOR VALUES IN (1);",
          "CREATE TABLE ${\new_name()} PARTITION OF $whole DEFAULT;";
        push @readable, $table, $parent, $whole;
    }
    for (1 .. 40) {
        my $name = new_name();
        # What is new is read more often, so that ways are long.
        my @reads = some_of(3, @readable[ (@readable > 12 && rand 3 > 1 ? @readable - 8 : 0) .. $#readable ]);
        my $query = query_of(@reads);
        my $die = rand 10;
        if ($die < 4) {
            push @sql, "CREATE MATERIALIZED VIEW $name AS $query WITH NO DATA;";
            push @views, [ $name, $query ] if rand 10 < 9;
        } elsif ($die < 8) {
            push @sql, "CREATE VIEW $name AS $query;";
        } else {
            push @sql, "CREATE FUNCTION $name() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM ($query) AS q; END;";
            $name .= '()';
        }
        push @readable, $name;
    }
    for (1 .. $beside) {
        my ($name, $query) = (new_name(), rows_of(one_of(@readable)));
        push @sql, "CREATE MATERIALIZED VIEW $name AS $query WITH NO DATA;";
        push @views, [ $name, $query ];
    }
    push @sql, 'CREATE TABLE registered (view text COLLATE "C");';
    for my $view (@views) {
        my $name = $view->[0];
        push @sql, sprintf 'INSERT INTO registered SELECT mv_register(%s, %s);', map { s/'/''/gr =~ s/.*/'$&'/sr } @$view;
    }
    return join "\n", shuffled_tail(@sql);
}

# Views are registered in any order.
sub shuffled_tail {
    my (@sql) = @_;
    my @registrations = grep { /^INSERT INTO registered/ } @sql;
    return ((grep { !/^INSERT INTO registered/ } @sql), shuffle @registrations);
}

sub compare {
    my ($database, $what) = @_;
    my $ask = sub { return $node->safe_psql($database, $_[0]); };
    is($ask->('SELECT name, depends_on, via FROM mv_dependencies() WHERE discovered ORDER BY name COLLATE "C", depends_on COLLATE "C"'),
        $ask->('SELECT view, source, via FROM expected ORDER BY view COLLATE "C", source COLLATE "C"'), "$what: dependencies");
    is($ask->('SELECT name, level FROM mv_order() ORDER BY name COLLATE "C"'), $ask->(query_for_levels()), "$what: levels");
    is($ask->(<<'SQL'), 0, "$what: the order is one");
WITH o AS MATERIALIZED (SELECT * FROM mv_order())
SELECT count(*) FROM expected AS e JOIN o AS reader ON reader.name = e.view JOIN o AS source ON source.name = e.source
WHERE reader.step <= source.step
SQL
}

for my $round (1 .. $rounds) {
    my $database = "round$round";
    $created = 0;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    my $sql = create_random_database($round % 2 ? 0 : 100);
    $node->safe_psql($database, "CREATE EXTENSION mv_orchestrator;\n$sql\n$edges");

    # What is not registered reads nothing that is asked for.
    $node->safe_psql($database, <<SQL);
CREATE TABLE live_edge AS TABLE edge;
CREATE TABLE expected AS
SELECT r.* FROM (${\query_for_reads('live_edge')}) AS r JOIN registered USING (view);
SQL
    my $found = $node->safe_psql($database, 'SELECT count(*) FROM expected');
    cmp_ok($found, '>', 10, "round $round: $found dependencies to find");
    compare($database, "round $round, live");

    # With the materialized views goes all that reads them: what then is left of the ways. A name that
    # means nothing any more is all that is known of it. What functions read only an analysis can tell.
    $node->safe_psql($database, <<'SQL');
SET client_min_messages = warning;
DO $$
DECLARE view text;
BEGIN
    FOR view IN SELECT DISTINCT reader FROM live_edge WHERE reader_kind = 'm' LOOP
        EXECUTE 'DROP MATERIALIZED VIEW IF EXISTS ' || view || ' CASCADE';
    END LOOP;
END $$;
SQL
    $node->safe_psql($database, <<SQL);
DELETE FROM live_edge WHERE source_kind = 'function' AND reader_kind = 'm';
-- Gone, with what they read, which nobody has to look for behind them.
CREATE VIEW gone AS
SELECT source AS name FROM live_edge WHERE source_kind = 'v'
EXCEPT SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace;
DELETE FROM live_edge WHERE reader IN (TABLE gone);
-- An unregistered one is but a name, too, as is a plain view that is gone.
DROP TABLE expected;
CREATE TABLE expected AS
SELECT DISTINCT ON (view, source) * FROM (
    SELECT r.* FROM (${\query_for_reads('live_edge')}) AS r JOIN registered USING (view)
    UNION ALL
    SELECT reader, source, '{}' FROM live_edge JOIN registered ON view = reader
    WHERE source IN (TABLE gone)) AS u
ORDER BY view, source;
SQL
    compare($database, "round $round, texts");
    if (!Test::More->builder->is_passing) {
        diag "SEED=$seed\n$sql";
        last;
    }
    $node->safe_psql('postgres', "DROP DATABASE $database");
}

# Whatever is dropped while it looks: what is gone reads nothing, and nothing is an error.
$node->safe_psql('postgres', <<'SQL');
CREATE PROCEDURE come_and_go(times int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. times LOOP
        CREATE SCHEMA passing;
        CREATE TYPE passing.pair AS (a int, b int);
        CREATE TABLE passing.parent (n int);
        CREATE TABLE passing.child () INHERITS (passing.parent);
        CREATE TABLE passing.grandchild () INHERITS (passing.child);
        CREATE FUNCTION passing.opaque(passing.pair, passing.pair[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION passing.parsed(passing.pair) RETURNS int RETURN (SELECT max(n) FROM passing.parent);
        CREATE OPERATOR passing.=== (FUNCTION = passing.opaque, LEFTARG = passing.pair, RIGHTARG = passing.pair[]);
        CREATE VIEW passing.v AS
            SELECT passing.opaque(p, ARRAY[p]) AS o, p OPERATOR(passing.===) ARRAY[p] AS e, passing.parsed(p) AS n
            FROM (SELECT ROW(1, 2)::passing.pair AS p) AS s;
        CREATE MATERIALIZED VIEW comes_and_goes AS SELECT v.* FROM passing.v, passing.parent WITH NO DATA;
        COMMIT;
        DROP SCHEMA passing CASCADE;
        COMMIT;
    END LOOP;
END $$;
SELECT mv_register('comes_and_goes', 'SELECT * FROM passing.v, passing.parent');
SQL
my ($changes, $looks) = (session($node), session($node));
ask($changes, 'SET client_min_messages = warning');
send_query($changes, 'CALL come_and_go(150)');
my %seen;
until ($changes->{out} =~ /^answered/m || !alive($changes)) {
    $seen{ ask($looks, 'SELECT count(*) FROM mv_dependencies(); SELECT count(*) FROM mv_order()') }++;
    $changes->{run}->pump_nb;
}
is(answer($changes), '', 'everything came and went');
note join '; ', map { s/\n/, /r . ": $seen{$_}" } sort keys %seen;
is(scalar(grep { !/^\d+\n1$/ } keys %seen), 0, 'nothing that is dropped meanwhile is an error');
cmp_ok(scalar(keys %seen), '>', 1, 'and it was seen to come and go');

$node->stop;
done_testing();
