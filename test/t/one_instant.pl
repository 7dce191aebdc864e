# A graph whose views read each other in every way there is, refreshed again and again in one mode
# and in mixes of them, beside a writer that commits all the time: thousands of statements that name
# the views, by every way in which a client sends one, and none sees two states. What is read in one
# REPEATABLE READ transaction is one state as well where all views have the same mode.
# SECONDS makes each mix longer.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $seconds = $ENV{SECONDS} // 4;
my $node = orchestrator_node('one_instant', "autovacuum = off\nmv_orchestrator.lock_timeout = 60s\n");

sub query { return $node->safe_psql('postgres', $_[0]); }

# Every row holds the version that its refresh saw. Each view reads the one before it: through
# plpgsql, a string-bodied function that is not inlined, BEGIN ATOMIC, an inlined function, a plain
# view. What finds rows of an older run there holds another version than the first.
my %query = (
    a_direct => 'SELECT v, g FROM version, generate_series(1, 200) g',
    b_plpgsql => 'SELECT v, g FROM by_plpgsql()',
    c_string => 'SELECT (by_string(g)).* FROM generate_series(1, 200) g',
    d_atomic => 'SELECT v, g FROM by_atomic()',
    e_inlined => 'SELECT v, g FROM by_inlining()',
    f_plain => 'SELECT v, g FROM plain JOIN a_direct USING (v, g)',
);
my @views = sort keys %query;
query(<<'SQL');
CREATE TABLE version AS SELECT 0 AS v;
SET check_function_bodies = off;
CREATE TYPE pair AS (v int, g int);
CREATE FUNCTION by_plpgsql() RETURNS SETOF pair STABLE LANGUAGE plpgsql AS 'BEGIN RETURN QUERY TABLE a_direct; END';
CREATE FUNCTION by_string(int) RETURNS pair STABLE LANGUAGE sql SET work_mem = '4MB' AS 'SELECT v, g FROM b_plpgsql WHERE g = $1';
CREATE VIEW plain AS SELECT NULL::int AS v, NULL::int AS g;
SQL
# Those that need what they read to exist come when it does.
my %before = (
    d_atomic => 'CREATE FUNCTION by_atomic() RETURNS SETOF pair STABLE LANGUAGE sql SET work_mem = \'4MB\' BEGIN ATOMIC SELECT v, g FROM c_string; END',
    e_inlined => q{CREATE FUNCTION by_inlining() RETURNS SETOF pair STABLE LANGUAGE sql AS 'SELECT v, g FROM d_atomic'},
    f_plain => 'CREATE OR REPLACE VIEW plain AS SELECT v, g FROM e_inlined',
);

sub register {
    my ($view, $mode) = @_;
    my ($source) = grep { ord == ord($view) - 1 } @views;
    my $reads = join ',', grep { defined } $source, $view eq 'f_plain' ? 'a_direct' : ();
    query("SELECT mv_register('$view', '$query{$view}', '{$reads}', unique_key => '{g}', mode => '$mode')");
}

for my $view (@views) {
    query($before{$view}) if $before{$view};
    register($view, 'plain');
    query("SELECT mv_create('$view')");
}

# One state: every view whole and of the same version.
my $all = join ' UNION ALL ', map { "SELECT '$_' AS view, v FROM $_" } reverse @views;
my $check = 'SELECT 1 / (min(v) = max(v) AND count(*) = 1200)::int FROM (' . $all . ') AS u';
query("CREATE VIEW all_rows AS $all");
query("CREATE FUNCTION all_rows() RETURNS SETOF all_rows STABLE LANGUAGE sql AS 'TABLE all_rows'");
my $two = 'SELECT 1 / (:one = v)::int FROM (SELECT v FROM %s LIMIT 1) AS x;';
my %script = (
    direct => "$check;",
    view => $check =~ s/\(SELECT.*\)/all_rows/r . ';',
    function => $check =~ s/\(SELECT.*\)/all_rows()/r . ';',
    repeatable => "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT FROM version;\n\\sleep 5 ms\n$check;\n\\sleep 5 ms\n$check;\nCOMMIT;",
    # Who has read one view reads the others as of the same run.
    transaction => "BEGIN;\nSELECT v AS one FROM f_plain LIMIT 1 \\gset\n\\sleep 3 ms\n"
      . sprintf($two, 'a_direct') . "\n" . sprintf($two, 'd_atomic') . "\nCOMMIT;",
);
my $directory = PostgreSQL::Test::Utils::tempdir();
# A pause, as swaps come to their end between readers.
append_to_file("$directory/$_.sql", "$script{$_}\n\\sleep 4 ms\n") for keys %script;
append_to_file("$directory/write.sql", "UPDATE version SET v = v + 1;\n");

sub pgbench {
    my ($script, $protocol, $clients) = @_;
    my %run = (out => '', what => "$script, $protocol");
    $run{run} = IPC::Run::start([ 'pgbench', '-n', '-T', $seconds, '-c', $clients, '-M', $protocol, '--max-tries=0',
            '-f', "$directory/$script.sql", $node->connstr('postgres') ], '<', \undef, '>&', \$run{out}, IPC::Run::timeout(180));
    return \%run;
}

# Mixes of modes, and what else than statements sees one state there.
my %mix = (
    swap => [ ('swap') x 6 ],
    diff => [ ('diff') x 6 ],
    concurrent => [ ('concurrent') x 6 ],
    'swap and diff' => [ qw(swap diff swap diff swap diff) ],
    'diff and swap' => [ qw(diff swap diff swap diff swap) ],
    'four modes' => [ qw(plain diff swap concurrent plain swap) ],
    auto => [ ('auto') x 6 ],
);

my ($runs, $reads) = (0, 0);
for my $mix (sort keys %mix) {
    my @modes = @{ $mix{$mix} };
    register($views[$_], $modes[$_]) for 0 .. $#views;
    my $session = session($node);
    ask($session, 'SET client_min_messages = error');
    my @readers = map { pgbench(@$_) } [ 'direct', 'simple', 1 ], [ 'view', 'prepared', 1 ], [ 'function', 'extended', 1 ];
    push @readers, pgbench('repeatable', 'simple', 1) if $mix =~ /^(swap|diff|concurrent)$/;
    push @readers, pgbench('transaction', 'simple', 1) if $mix eq 'swap';
    my $writer = pgbench('write', 'simple', 1);
    my $deadline = time + $seconds;
    my ($done, %said) = (0);
    while (time < $deadline || !$done && time < $deadline + 60) {
        # A plain run can end in a deadlock with who reads several views; the reader tries again.
        my $said = ask($session, q{SELECT count(*) FROM mv_refresh_all() WHERE status IN ('refreshed', 'unchanged')});
        ++$said{$said};
        ++$done if $said eq '6';
    }
    delete $said{6};
    is(join(' ', grep { $mix !~ /four|auto/ || !/40P01/ } keys %said), '', "$mix: every run works");
    cmp_ok($done, '>=', 1, "$mix: and there are some: $done");
    $runs += $done;
    for my $reader (@readers, $writer) {
        my $ok = $reader->{run}->finish;
        my ($count) = $reader->{out} =~ /transactions actually processed: (\d+)/;
        $reads += $count // 0 unless $reader == $writer;
        next if $mix =~ /four|auto/ && $reader->{out} =~ /deadlock detected/;  # before it could try again
        ok($ok && $reader->{out} !~ /ERROR/, "$mix: $reader->{what}: one state each time, $count times")
          or diag($reader->{out});
    }
    is(query('SELECT mv_refresh_all(); SELECT count(DISTINCT v) FROM all_rows') =~ s/.*\n//sr, '1', "$mix: in the end too");
    is(wrong_views($node), '', "$mix: every view is right");
}
note "$runs runs, $reads reads";

# A statement that waits for the end of a run of mixed modes: by every protocol it sees one state. COPY
# has its snapshot before its locks: new rows of what was swapped, old ones of what was diffed.
register($views[$_], $_ % 2 ? 'diff' : 'swap') for 0 .. $#views;
append_to_file("$directory/slow.sql", "$check;\n\\sleep 100 ms\n");

sub at_the_end_of_a_run {
    my ($action) = @_;
    my $session = session($node);
    query('UPDATE version SET v = v + 1');
    ask($session, 'BEGIN; SELECT FROM mv_refresh_all()');
    $action->();
    $node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation IN (SELECT oid FROM pg_class WHERE relkind = 'm')})
      or die 'nobody waits';
    ask($session, 'COMMIT');
}

for my $protocol (qw(simple extended prepared)) {
    my %reader = (out => '');
    $reader{run} = IPC::Run::start([ 'pgbench', '-n', '-t', 100, '-M', $protocol, '-f', "$directory/slow.sql",
            $node->connstr('postgres') ], '<', \undef, '>&', \$reader{out}, IPC::Run::timeout(180));
    at_the_end_of_a_run(sub { }) for 1 .. 2;
    ok($reader{run}->finish && $reader{out} =~ m{processed: 100/100}, "$protocol: who waits for the end of a run sees one state")
      or diag($reader{out});
}
{
    my $reader = session($node);
    at_the_end_of_a_run(sub { send_query($reader, 'COPY (SELECT b.v - a.v FROM a_direct a, b_plpgsql b LIMIT 1) TO STDOUT') });
    is(answer($reader), '-1', 'COPY of a query sees two states, as documented');
}

# Whether it would be noticed: without the run's one instant a reader sees two states.
{
    my $reader = pgbench('direct', 'simple', 1);
    my $writer = pgbench('write', 'simple', 1);
    my $session = session($node);
    my $deadline = time + $seconds;
    while (time < $deadline) {
        ask($session, "SELECT FROM mv_refresh('$_', mode => 'diff')") for @views;
    }
    $_->{run}->finish for $reader, $writer;
    like($reader->{out}, qr/division by zero/, 'views refreshed one by one are seen in two states');
}

ok(wait_for_no_locks($node), 'no lock is left');
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|WARNING:.*leak/, 'nothing odd in the log');
done_testing();
