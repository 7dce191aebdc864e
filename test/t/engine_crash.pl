# Runs of several views, in swap, in diff and in both, that are cancelled, terminated, killed or end with the server,
# at random instants, with each wal_level: afterwards all views hold their old rows or all their new
# ones, nothing is left but that, and heaps and indexes are sound.
# MVO_KILLS: how many instants of each kind; SEED repeats them.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $kills = $ENV{MVO_KILLS} // 3;
my $rows = 2000;
my $seed = $ENV{SEED} || int rand 2**31;
note "SEED=$seed MVO_KILLS=$kills";
srand $seed;

my %settings = (
    replica => '',
    minimal => "wal_level = minimal\nmax_wal_senders = 0\nwal_skip_threshold = 0\n",
    logical => "wal_level = logical\nmax_replication_slots = 2\n",
);

my $node;
my $version;
my %duration;

sub query { return $node->safe_psql('postgres', $_[0]); }

# Every row of every view holds the version that its run saw; some are toasted.
sub prepare {
    my ($level) = @_;
    $node = orchestrator_node("crash_$level", "restart_after_crash = on\nautovacuum = off\nfsync = off\n"
          . "max_prepared_transactions = 2\n$settings{$level}");
    $version = 0;
    query(<<SQL);
CREATE EXTENSION amcheck;
CREATE TABLE version AS SELECT 0 AS v;
SELECT mv_register('a', 'SELECT v, g, repeat(md5((v * g)::text), 10) AS t FROM version, generate_series(1, $rows) g',
                   unique_key => '{g}', mode => 'swap', indexes => ARRAY['CREATE INDEX a_t ON a USING btree (md5(t)) WHERE g > 10']);
SELECT mv_register('b', 'SELECT v, g, (SELECT string_agg(md5((v * g * i)::text), '''') FROM generate_series(1, 100) i) AS t
                         FROM version, generate_series(1, 50) g', mode => 'diff');
SELECT mv_register('c', 'SELECT a.v, a.g FROM a JOIN b USING (v) WHERE b.g = 1', depends_on => '{a,b}', unique_key => '{g}', mode => 'swap');
SELECT mv_create_all();
CREATE FUNCTION versions() RETURNS text LANGUAGE sql AS \$\$
    SELECT string_agg(DISTINCT v || ' x' || n, ' ' ORDER BY v || ' x' || n)
    FROM (SELECT v, count(*) AS n FROM (SELECT 1, v FROM a UNION ALL SELECT 2, v FROM b UNION ALL SELECT 3, v FROM c) u (w, v)
          GROUP BY w, v) x
\$\$;
SQL
    for my $mode (qw(swap diff auto mixed)) {
        change();
        my $began = time;
        query(run_of($mode));
        $duration{$mode} = time - $began;
    }
}

# Every row changes, so "auto" is a diff that gives up, as long as it has not learned from it.
sub change { query('UPDATE version SET v = ' . ++$version . '; DELETE FROM mv_orchestrator.learned'); }
# Mixed: each view as it is registered.
sub run_of {
    my $mode = $_[0] eq 'mixed' ? 'NULL' : "'$_[0]'";
    return "SELECT string_agg(status, ' ') FROM mv_refresh_all(mode => $mode)";
}

sub whole { return join ' ', sort "$_[0] x50", "$_[0] x$rows"; }

# After %what: all old or all new, sound, nothing left, and the next run works.
sub check {
    my ($what, @versions) = @_;
    $node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
    my $seen = query('SELECT versions()');
    ok(scalar(grep { $seen eq whole($_) } @versions), "$what: whole, of one run") or diag("seen: $seen, run: @versions");
    ok(wait_for_no_locks($node), "$what: no lock is left");
    is(query(q{SELECT count(*) FROM pg_class WHERE relname ~ '^pg_temp_'}), '0', "$what: no transient relation is left");
    check_sound($what);
    is(query(run_of('swap')), 'refreshed refreshed refreshed', "$what: the next swap works");
    is(query(run_of('diff')), 'unchanged unchanged unchanged', "$what: the next diff works");
    is(wrong_views($node), '', "$what: every view is right");
}

sub check_sound {
    my ($what) = @_;
    is(query(<<'SQL'), '0', "$what: heaps are sound");
SELECT count(*) FROM pg_class c, verify_heapam(c.oid, check_toast => true) WHERE c.relkind = 'm'
SQL
    my ($code, undef, $error) = $node->psql('postgres', <<'SQL');
SELECT bt_index_parent_check(i.indexrelid, true, true)
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relkind = 'm' OR t.oid IN (SELECT reltoastrelid FROM pg_class WHERE relkind = 'm')
SQL
    is($code, 0, "$what: indexes are sound") or diag($error);
}

# A session that says first which process it has: there is no time to look for it.
sub start {
    my ($sql) = @_;
    my %session = (in => "SELECT pg_backend_pid();\n", out => '');
    $session{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
        '<', \$session{in}, '>&', \$session{out}, IPC::Run::timeout(180));
    $session{run}->pump until $session{out} =~ /^(\d+)\n/;
    $session{pid} = $1;
    $session{in} .= "$sql;\n\\q\n";
    $session{run}->pump while length $session{in};
    return \%session;
}

my %interrupts = (
    cancel => sub { query("SELECT pg_cancel_backend($_[0])") },
    terminate => sub { query("SELECT pg_terminate_backend($_[0])") },
    kill => sub {
        kill 'KILL', $_[0];
        $node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $_[0])");
    },
    crash => sub { $node->stop('immediate'); $node->start },
);

sub interrupt_at_random {
    my ($level, $how, $number) = @_;
    my $mode = (qw(swap diff auto mixed))[ $number % 4 ];
    my $pause = int rand 1.2e6 * $duration{$mode};
    my $what = "$level, $mode, $how $number after $pause us";
    my $old = $version;
    change();
    my $run = run_of($mode);
    if ($how eq 'timeout') {
        my $session = start(sprintf 'SET statement_timeout = %d; %s', 1 + $pause / 1000, $run);
        $session->{run}->finish;
    }
    else {
        my $session = start($run);
        usleep($pause);
        $interrupts{$how}->($session->{pid});
        eval { $session->{run}->finish };
    }
    check($what, $old, $version);
}

# What is committed just before the server ends is there, and what was undone is not.
sub crash_after {
    my ($level, $what, $sql, $committed) = @_;
    my $old = $version;
    change();
    query($sql);
    $node->stop('immediate');
    $node->start;
    query($committed) if $committed;
    check("$level, $what", $version);
}

for my $level (qw(replica minimal logical)) {
    prepare($level);
    my ($swap, $diff, $mixed) = map { run_of($_) . ';' } qw(swap diff mixed);
    query(q{SELECT pg_create_logical_replication_slot('changes', 'test_decoding')}) if $level eq 'logical';
    # Only what ends the server has to do with its log.
    for my $how ($level eq 'replica' ? qw(cancel timeout terminate kill crash) : qw(kill crash)) {
        interrupt_at_random($level, $how, $_) for 1 .. $kills;
    }
    crash_after($level, 'swap', $swap);
    crash_after($level, 'diff', $diff);
    crash_after($level, 'mixed', $mixed);
    crash_after($level, 'mixed, undone to a savepoint, mixed', "BEGIN; SAVEPOINT s; $mixed ROLLBACK TO s; $mixed COMMIT");
    crash_after($level, 'swap, undone to a savepoint, swap', "BEGIN; SAVEPOINT s; $swap ROLLBACK TO s; $swap COMMIT");
    crash_after($level, 'swap, undone to a savepoint, diff', "BEGIN; SAVEPOINT s; $swap ROLLBACK TO s; $diff COMMIT");
    crash_after($level, 'diff, undone to a savepoint, swap', "BEGIN; SAVEPOINT s; $diff ROLLBACK TO s; $swap COMMIT");
    crash_after($level, 'swap in a savepoint, undone swap', "BEGIN; SAVEPOINT s; $swap RELEASE s; SAVEPOINT t; $swap ROLLBACK TO t; COMMIT");
    crash_after($level, 'swap, diff, swap', "BEGIN; $swap UPDATE version SET v = v; $diff SAVEPOINT s; $swap COMMIT");
    crash_after($level, 'swap and REFRESH', "BEGIN; $swap REFRESH MATERIALIZED VIEW b; SAVEPOINT s; REFRESH MATERIALIZED VIEW a; ROLLBACK TO s; COMMIT");
    crash_after($level, "prepared $_", "BEGIN; " . run_of($_) . "; PREPARE TRANSACTION 'run'", "COMMIT PREPARED 'run'") for qw(swap diff mixed);
    if ($level eq 'logical') {
        my ($code, $out, $error) = $node->psql('postgres',
            q{SELECT count(*) FROM pg_logical_slot_get_changes('changes', NULL, NULL) WHERE data ~ 'pg_temp_'});
        is("$code $out", '0 0', 'the changes of all these runs can be decoded') or diag($error);
    }
    $node->stop;
    unlike(slurp_file($node->logfile), qr/TRAP|PANIC|WARNING:.*(leak|still referenced)/, "$level: nothing odd in the log");
}

diag("SEED=$seed") unless Test::More->builder->is_passing;
done_testing();
