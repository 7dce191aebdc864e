# Every call in transactions that are undone in part or whole: afterwards nothing of it is left,
# no lock and no file either; twice in one transaction it does what it does once; and of a random
# transaction that remains which was not undone.
# SEED in the environment repeats the random part, MVO_POINTS says how many transactions it tries.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = orchestrator_node('rollback', "max_prepared_transactions = 2\nautovacuum = off\njit = off\n");

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE base AS SELECT g AS id, g % 7 AS kind FROM generate_series(1, 1500) g;
SELECT mv_register('kinds', 'SELECT kind, count(*) AS n FROM base GROUP BY kind', unique_key => '{kind}', mode => 'swap',
                   indexes => ARRAY['CREATE INDEX kinds_n ON kinds USING btree (n)'], options => '{"comment": "c"}');
SELECT mv_register('total', 'SELECT sum(n) AS n FROM kinds', depends_on => '{kinds}', unique_key => '{n}', mode => 'diff');
SELECT mv_register('ids', 'SELECT id, kind FROM base', unique_key => '{id}');
SELECT mv_create_all();
UPDATE base SET kind = id % 5;

-- All that our calls can change, rows, indexes and comments included.
CREATE FUNCTION state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text := (SELECT string_agg(r::text, ' ' ORDER BY r::text) FROM mv_orchestrator.registry r)
               || coalesce((SELECT string_agg(d::text, ' ' ORDER BY d::text) FROM mv_orchestrator.dependency d), '');
    name text;
    rows text;
BEGIN
    FOR name IN SELECT matviewname FROM pg_matviews ORDER BY 1 LOOP
        EXECUTE format('SELECT string_agg(v::text, '' '' ORDER BY v::text) FROM %I v', name) INTO rows;
        state := state || name || rows
              || (SELECT string_agg(indexdef, ' ' ORDER BY indexdef) FROM pg_indexes WHERE tablename = name)
              || coalesce(obj_description(name::regclass, 'pg_class'), '');
    END LOOP;
    RETURN md5(state);
END $$;
SQL
create_own_locks($node);

my %calls = (
    'register' => q{mv_register('kinds', 'SELECT 1 AS kind, 2 AS n', depends_on => '{other}')},
    'register a new name' => q{mv_register('more', 'SELECT * FROM total', depends_on => '{total}')},
    'unregister' => q{mv_unregister('total')},
    'create' => q{mv_create('total')},
    'create_all' => q{mv_create_all()},
    'drop' => q{mv_drop('total')},
    'drop with cascade' => q{mv_drop('kinds', cascade => true)},
    'drop_all' => q{mv_drop_all()},
    'refresh' => q{mv_refresh('total', 'upstream', 'concurrent')},
    'refresh_all' => q{mv_refresh_all(mode => 'plain')},
    'swap' => q{mv_refresh_all(mode => 'swap')},
    'diff' => q{mv_refresh_all(mode => 'diff')},
    'mixed' => q{mv_refresh_all()},
    'auto' => q{mv_refresh_all(mode => 'auto')},  # of "ids" too much has changed for a diff
);
# What has to be done before, for a call to have something to do.
my %before = (create => q{SELECT mv_drop('total')}, create_all => q{SELECT mv_drop_all()});
# Calls that are an error the second time.
my %once = map { $_ => 1 } 'unregister', 'drop', 'drop with cascade';

my $session;

sub results {
    $session //= session($node);
    my $said = ask($session, "SET client_min_messages = error;\n$_[0]");
    die "$said\n$_[0]" if $said =~ /ERROR|FATAL/;
    return split /\n/, $said, -1;
}

# The state as another session would see it after the transaction, which is rolled back itself.
sub state_after {
    my @steps = @_;
    return (results(join ";\n", 'BEGIN', @steps, 'SELECT state()', 'ROLLBACK'))[-1];
}

for my $name (sort keys %calls) {
    my $before = $before{$name} // 'SELECT';
    my $call = "SELECT FROM $calls{$name}";
    my $untouched = state_after($before);
    my $done = state_after($before, $call);
    isnt($done, $untouched, "$name does something");

    my ($committed) = (results('SELECT state()'));
    results("BEGIN;\n$before;\n$call;\nROLLBACK;");
    is((results('SELECT state()'))[-1], $committed, "$name: nothing is left after ROLLBACK");

    is(state_after($before, 'SAVEPOINT s', $call, 'ROLLBACK TO s'), $untouched, "$name: nothing is left after ROLLBACK TO");
    is((results("BEGIN;\nSAVEPOINT s;\n$before;\n$call;\nROLLBACK TO s;\nSELECT own_locks();\nROLLBACK"))[-1], 0,
        "$name: no lock is left after ROLLBACK TO");
    is(state_after($before, 'SAVEPOINT s', $call, 'ROLLBACK TO s', $call), $done, "$name: works after ROLLBACK TO");
    is(state_after($before, 'SAVEPOINT s', $call, 'RELEASE s'), $done, "$name: works in a released savepoint");

    my $caught = 'DO $$BEGIN PERFORM * FROM ' . $calls{$name} . q{; RAISE 'undone'; EXCEPTION WHEN raise_exception THEN NULL; END$$};
    is(state_after($before, $caught), $untouched, "$name: nothing is left after an exception was caught");
    is(state_after($before, $caught, $caught, $call), $done, "$name: works after that");

    if ($once{$name}) {
        my $again = 'DO $$BEGIN PERFORM * FROM ' . $calls{$name}
          . q{; RAISE division_by_zero; EXCEPTION WHEN undefined_table OR undefined_object THEN NULL; END$$};
        is(state_after($before, $call, $again), $done, "$name: the second time in one transaction is an error");
    } else {
        is(state_after($before, $call, $call), $done, "$name: twice in one transaction is as once");
    }
}

# A failure half way, caught: the view that was refreshed before it has its old rows again.
results(<<'SQL');
CREATE TABLE divisor AS SELECT 1 AS d;
SELECT mv_register('zero', 'SELECT n / d AS n FROM total, divisor', depends_on => '{total}', unique_key => '{n}', mode => 'swap');
SELECT mv_create('zero');
UPDATE divisor SET d = 0;
SQL
for my $mode (qw(plain concurrent swap diff mixed)) {
    my $fails = $mode eq 'mixed' ? 'mv_refresh_all()' : "mv_refresh_all(mode => '$mode')";
    my $caught = "DO \$\$BEGIN PERFORM * FROM $fails; EXCEPTION WHEN division_by_zero THEN NULL; END\$\$";
    is(state_after($caught), state_after('SELECT'), "$mode: nothing is left of a run that failed half way");
    is((results("BEGIN;\n$caught;\nSELECT own_locks();\nROLLBACK"))[-1], 0, "$mode: no lock either");
    is(state_after($caught, 'UPDATE divisor SET d = 1', "SELECT FROM $fails"), state_after('UPDATE divisor SET d = 1', "SELECT FROM $fails"),
        "$mode: the next run in that transaction works");
}
results(q{SELECT mv_drop('zero'); SELECT mv_unregister('zero')});

# Random transactions. The oracle is a transaction of those steps alone that were not undone.
# Whether core's REFRESH CONCURRENTLY makes the file longer, and so whether the view is analyzed and
# one more lock kept, depends on what dead rows could be pruned, that is on other sessions.
results(<<'SQL');
SET mv_orchestrator.analyze_views = off;
CREATE FUNCTION attempt(call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT FROM ' || call;
EXCEPTION WHEN undefined_table OR undefined_object OR object_not_in_prerequisite_state
            OR dependent_objects_still_exist OR duplicate_table OR feature_not_supported THEN NULL;
END $$;
CREATE FUNCTION more_rows() RETURNS void LANGUAGE sql AS $$INSERT INTO base SELECT max(id) + 1, max(id) % 3 FROM base$$;
SQL
my $points = $ENV{MVO_POINTS} // 60;
my $seed = $ENV{SEED} // int rand 2**31;
srand $seed;
note "SEED=$seed";

sub random_step {
    my @calls = (values %calls, q{mv_refresh('kinds', 'downstream', 'swap')}, q{mv_refresh('total', mode => 'diff')}, 'more_rows()');
    return "SELECT attempt(\$call\$$calls[rand @calls]\$call\$)";
}

# All steps of a transaction, and those that remain.
sub random_transaction {
    my (@steps, @kept, @open);
    for (1 .. 3 + rand 10) {
        my $die = rand 10;
        if ($die < 3) { push @open, scalar @kept; push @steps, 'SAVEPOINT s' . @open; }
        elsif (@open && $die < 4.5) { $#kept = $open[-1] - 1; push @steps, 'ROLLBACK TO s' . @open; }
        elsif (@open && $die < 5.5) { push @steps, 'RELEASE s' . @open; pop @open; }
        else { push @steps, random_step(); push @kept, $steps[-1]; }
    }
    return (\@steps, \@kept);
}

my $failed = 0;
for (1 .. $points) {
    my ($steps, $kept) = random_transaction();
    my ($done, $expected) = map { join ' ', grep { length } results(join ";\n", 'BEGIN', @$_, 'SELECT state(), own_locks()', 'ROLLBACK') } $steps, $kept;
    next if $done eq $expected;
    ++$failed;
    fail('a random transaction leaves what was not undone');
    diag("$done instead of $expected (rows, indexes and comments; locks) after\n" . join ";\n", @$steps);
}
note "$points transactions, $failed failures, SEED=$seed";
is($failed, 0, "$points random transactions leave what was not undone") or diag("SEED=$seed");

is(join(' ', results(<<'SQL')), '', 'no file is left of all this');
CHECKPOINT;
SELECT f FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = current_database())) f
WHERE f ~ '^t?[0-9]' AND NOT EXISTS (SELECT FROM pg_class c WHERE pg_relation_filenode(c.oid)::text = substring(f FROM '^[0-9]+'))
SQL

# A prepared transaction keeps its locks without a process.
results(q{BEGIN; SELECT mv_refresh_all(); PREPARE TRANSACTION 'run'});
my (undef, undef, $error) = $node->psql('postgres', q{\set VERBOSITY verbose
SELECT mv_refresh('total', on_overlap => 'fail')});
like($error, qr/ERROR:  55P03: /, 'a prepared run is in the way of another');
unlike($error, qr/process \d+|just ended/, 'and neither is a process blamed for it nor has it ended');
results(q{ROLLBACK PREPARED 'run'});
isnt(wrong_views($node), '', 'rolled back, it has done nothing');
results(q{BEGIN; SELECT mv_refresh_all(); PREPARE TRANSACTION 'run'});
$node->restart;
undef $session;
results(q{COMMIT PREPARED 'run'});
is(wrong_views($node), '', 'committed after a restart, it has done all');
ok(wait_for_no_locks($node), 'and left no lock');

done_testing();
