# A cancel, a timeout, a terminated or killed backend and a crash, at instants that are chosen and
# at random ones, of every call that changes something: afterwards all views hold their old or
# their new rows, whole; the registry is true; no lock is left; the next run works.
# SEED in the environment repeats a run's random part.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $random_instants = 16;
my $rows = 300;

my $node = orchestrator_node('interrupt', "restart_after_crash = on\nautovacuum = off\n");

# Every row of every view holds the version that its run saw. "m" can be paused.
$node->safe_psql('postgres', <<SQL);
CREATE TABLE version AS SELECT 0 AS v;
SELECT mv_register('a', 'SELECT v, g FROM version, generate_series(1, $rows) g', unique_key => '{g}');
SELECT mv_register('m', 'SELECT v, g FROM version, generate_series(1, $rows) g, pg_advisory_xact_lock_shared(1) pause',
                   unique_key => '{g}');
SELECT mv_register('z', 'SELECT a.v, a.g FROM a JOIN m USING (v, g)', depends_on => '{a,m}', unique_key => '{g}');
SELECT mv_register('r', 'SELECT 0 AS v', depends_on => '{d0,other}');

CREATE FUNCTION views_are() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
    name text;
    state text := '';
    one text;
BEGIN
    FOR name IN SELECT matviewname FROM pg_matviews WHERE matviewname IN ('a', 'm', 'z') ORDER BY 1 LOOP
        EXECUTE format('SELECT count(*) || '' rows of '' || string_agg(DISTINCT v::text, '','') FROM %I', name) INTO one;
        state := state || name || ' ' || one || '; ';
    END LOOP;
    RETURN state;
END \$\$;

CREATE FUNCTION registry_is() RETURNS text LANGUAGE sql AS \$\$
    SELECT (SELECT string_agg(view_name, ' ' ORDER BY view_name) FROM mv_orchestrator.registry) || '; r ' ||
           (SELECT substring(definition, '[0-9]+') FROM mv_orchestrator.registry WHERE view_name = 'r') || ' reads ' ||
           (SELECT string_agg(depends_on_name, ' ' ORDER BY position) FROM mv_orchestrator.dependency WHERE view_name = 'r')
\$\$;
SQL

sub query { return $node->safe_psql('postgres', $_[0]); }

my $version = 0;
query(q{SELECT mv_create_all('{a,m,z}')});

# What is done, and how to make it stop half way.
my %calls = (
    create => [ q{SELECT mv_create_all('{a,m,z}')}, 'SELECT pg_advisory_lock(1)' ],
    plain => [ q{SELECT mv_refresh_all('{a,m,z}', 'plain')}, 'SELECT pg_advisory_lock(1)' ],
    concurrent => [ q{SELECT mv_refresh_all('{a,m,z}', 'concurrent')}, 'SELECT pg_advisory_lock(1)' ],
    drop => [ q{SELECT mv_drop_all('{a,m,z}')}, 'BEGIN; SELECT FROM a LIMIT 0' ],
    register => [ q{SELECT mv_register('r', 'SELECT %d AS v FROM version', '{d%1$d,other}')}, 'BEGIN; LOCK TABLE version' ],
);

# All views are there and right; with 'create' they are dropped first.
sub prepare {
    my ($call) = @_;
    query(q{SELECT mv_drop_all('{a,m,z}')}) if $call eq 'create';
    query('UPDATE version SET v = ' . ++$version);
    return sprintf $calls{$call}[0], $version;
}

# Starts a call in a session of its own.
sub start {
    my ($sql, $options) = @_;
    my %session = (out => '');
    local $ENV{PGOPTIONS} = $options // '';
    $session{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d',
            $node->connstr('postgres'), '-c', $sql ], '<', \undef, '>&', \$session{out}, IPC::Run::timeout(180));
    return \%session;
}

sub backend_of {
    my ($sql) = @_;
    return query(sprintf 'SELECT max(pid) FROM pg_stat_activity WHERE query = %s', quoted($sql));
}

sub quoted { return q{'} . ($_[0] =~ s/'/''/gr) . q{'}; }

sub wait_until_up {
    $node->poll_query_until('postgres', 'SELECT true') or BAIL_OUT('the server does not come back');
}

my %interrupts = (
    cancel => sub { query("SELECT pg_cancel_backend($_[0])") },
    timeout => sub { },    # statement_timeout strikes by itself
    terminate => sub { query("SELECT pg_terminate_backend($_[0])") },
    kill => sub {
        kill 'KILL', $_[0];
        # The postmaster notices in its own time.
        $node->poll_query_until('postgres',
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $_[0])");
    },
    crash => sub { $node->stop('immediate'); $node->start },
);

my %message = (
    cancel => qr/ERROR:  57014: canceling statement due to user request/,
    timeout => qr/ERROR:  57014: canceling statement due to statement timeout/,
    terminate => qr/FATAL:  57P01: terminating connection due to administrator command/,
    kill => qr/server closed the connection unexpectedly|connection to server was lost/,
    crash => qr/57P01|57P02|server closed the connection unexpectedly|connection to server was lost/,
);

sub check_whole {
    my ($call, $what, $undone) = @_;
    ok(wait_for_no_locks($node), "$what: no lock is left");
    my ($views, $registry) = split /\n/, query('SELECT views_are(); SELECT registry_is()'), -1;
    my $old = $call eq 'create' ? '' : whole($version - 1);
    my $new = $call eq 'drop' ? '' : whole($version);
    ok($views eq $old || !$undone && $views eq $new, "$what: old or new, whole") or diag("views: $views");
    like($registry, qr/^a m r z; r (\d+) reads d\1 other$/, "$what: the registry is true");
}

sub whole { return join '', map { "$_ $rows rows of $_[0]; " } qw(a m z); }

sub check_next_run_works {
    my ($what) = @_;
    is(query(<<'SQL'), 'refreshed', "$what: the next run works");
SELECT FROM mv_create_all('{a,m,z}');
SELECT DISTINCT status FROM mv_refresh_all('{a,m,z}');
SQL
    is(wrong_views($node), '', "$what: and every view is right");
}

sub interrupt_half_way {
    my ($call, $how) = @_;
    my $what = "$call, $how";
    my $sql = prepare($call);
    my $holder = $node->background_psql('postgres', on_error_stop => 0);
    $holder->query_safe($calls{$call}[1]);
    my $session = start($sql, $how eq 'timeout' ? '-c statement_timeout=300' : undef);
    if ($how ne 'timeout') {
        $node->poll_query_until('postgres', sprintf
              q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query = %s AND wait_event_type = 'Lock'}, quoted($sql))
          or BAIL_OUT("$what does not pause");
        $interrupts{$how}->(backend_of($sql));
    }
    $session->{run}->finish;
    like($session->{out}, $message{$how}, "$what: the call says that it was interrupted");
    wait_until_up();
    eval { $holder->quit };
    check_whole($call, $what, 'undone');
    check_next_run_works($what);
}

sub interrupt_at_random {
    my ($number) = @_;
    my $call = (sort keys %calls)[ rand keys %calls ];
    my $how = (qw(cancel terminate kill crash))[ rand 4 ];
    my $pause = int rand 60_000;
    my $what = "instant $number: $call, $how after $pause us";
    my $sql = prepare($call);
    # A session that says first which process it has: there is no time to look for it.
    my $out = '';
    my $input = "SELECT pg_backend_pid();\n";
    my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
        '<', \$input, '>&', \$out, IPC::Run::timeout(180));
    $session->pump until $out =~ /^(\d+)\n/;
    my $pid = $1;
    $input .= "$sql;\n\\q\n";
    $session->pump while length $input;
    usleep($pause);
    $interrupts{$how}->($pid);
    eval { $session->finish };
    wait_until_up();
    check_whole($call, $what);
    check_next_run_works($what);
}

for my $call (sort keys %calls) {
    interrupt_half_way($call, $_) for sort keys %interrupts;
}

my $seed = $ENV{SEED} // int rand 2**31;
note "SEED=$seed";
srand $seed;
interrupt_at_random($_) for 1 .. $random_instants;
diag("SEED=$seed") unless Test::More->builder->is_passing;

done_testing();
