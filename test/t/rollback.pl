# Every call in transactions that are undone in part or whole: afterwards nothing of it is left,
# no lock either; and twice in one transaction it does what it does once.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = orchestrator_node('rollback', "max_prepared_transactions = 2\n");

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE base AS SELECT g AS id, g % 7 AS kind FROM generate_series(1, 100) g;
SELECT mv_register('kinds', 'SELECT kind, count(*) AS n FROM base GROUP BY kind', unique_key => '{kind}',
                   indexes => ARRAY['CREATE INDEX kinds_n ON kinds USING btree (n)'], options => '{"comment": "c"}');
SELECT mv_register('total', 'SELECT sum(n) AS n FROM kinds', depends_on => '{kinds}', unique_key => '{n}');
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

-- What this session holds of our locks and of locks on views.
CREATE FUNCTION locks() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM pg_locks
    WHERE pid = pg_backend_pid() AND mode <> 'AccessShareLock'
      AND (relation IN (SELECT oid FROM pg_class WHERE relkind = 'm')
           OR classid = (SELECT oid FROM pg_extension WHERE extname = 'mv_orchestrator'))
$$;
SQL

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
);
# What has to be done before, for a call to have something to do.
my %before = (create => q{SELECT mv_drop('total')}, create_all => q{SELECT mv_drop_all()});
# Calls that are an error the second time.
my %once = map { $_ => 1 } 'unregister', 'drop', 'drop with cascade';

sub results { return split /\n/, $node->safe_psql('postgres', "SET client_min_messages = error;\n$_[0]"), -1; }

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
    is((results("BEGIN;\nSAVEPOINT s;\n$before;\n$call;\nROLLBACK TO s;\nSELECT locks();\nROLLBACK"))[-1], 0,
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
results(q{COMMIT PREPARED 'run'});
is(wrong_views($node), '', 'committed after a restart, it has done all');
ok(wait_for_no_locks($node), 'and left no lock');

done_testing();
