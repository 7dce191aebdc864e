# Runs that need more of the server's lock table than there is: mv_plan() warns, a run that cannot
# fit fails before it starts, one that does not fit beside others fails with a hint, and leaves
# nothing. A prepared transaction that is in the way is shown, too.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $views = 300;
my $node = orchestrator_node('locks', <<'CONF');
max_locks_per_transaction = 10
max_connections = 15
max_worker_processes = 1
autovacuum = off
max_wal_senders = 0
max_prepared_transactions = 1
CONF

sub query { return $node->safe_psql('postgres', $_[0]); }

sub try {
    my ($code, $out, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\n$_[0]");
    return "$out\n$error";
}

sub names { return "(SELECT array_agg('v' || i) FROM generate_series($_[0], $_[1]) AS i)"; }

query(<<SQL);
CREATE TABLE base AS SELECT 1 AS x;
SELECT mv_register('v' || i, 'SELECT x FROM base', unique_key => '{x}') FROM generate_series(1, $views) AS i;
SQL
# A few at a time, as creation takes locks as well.
query('SELECT mv_create_all(' . names($_, $_ + 19) . ')') for map { 20 * $_ + 1 } 0 .. $views / 20 - 1;

sub planned { my ($mode, $n) = @_; return try("SELECT sum(locks) FROM mv_plan(" . names(1, $n) . ", '$mode')"); }

my ($room) = planned('plain', $views) =~ /WARNING:  01000: .* takes about 1800 locks, and the server has room for (\d+)/;
cmp_ok($room, '>', 200, 'mv_plan() warns of a run that takes more locks than half of what there is room for');
my $half = int($room / 2 / 6);
like(planned('plain', $half), qr/\A\d+\n\z/, 'up to half of it it does not');
like(planned('plain', $half + 2), qr/WARNING:.*\n.*HINT:  Raise max_locks_per_transaction, or refresh fewer views/, 'but beyond');
like(planned('diff', $half + 2), qr/\A\d+\n\z/, 'a diff takes fewer');

my $steps = query('SELECT count(*) FROM mv_orchestrator.run_step');
for my $mode (qw(plain swap)) {
    like(try("SELECT FROM mv_refresh_all(mode => '$mode')"),
        qr/ERROR:  53200: a run of $views materialized views takes too many locks\nDETAIL:  It takes about \d+ locks, and the server has room for $room\.\nHINT:  Raise max_locks_per_transaction/,
        "$mode: a run that cannot fit fails before it starts");
    is(query("SELECT min(x), max(x) FROM v1"), '1|1', "$mode: and changes nothing");
}
is(query('SELECT count(*) FROM mv_orchestrator.run_step'), $steps, 'nor does it write history');

# Others hold locks as well.
my $holder = session($node);
ask($holder, 'SELECT count(pg_advisory_lock(i)) FROM generate_series(1, ' . $room . ') AS i');
query('UPDATE base SET x = 2');
for my $mode (qw(plain swap)) {
    like(try("SELECT FROM mv_refresh_all(" . names(1, int($room / 7) - 1) . ", '$mode')"),
        qr/ERROR:  53200: could not (refresh|lock) materialized view public\.v\d+: out of shared memory\nHINT:  Raise max_locks_per_transaction, or name fewer views in one call; mv_plan\(\) says how many locks a run takes\./,
        "$mode: a run that does not fit beside others says what to do");
    is(query('SELECT min(x), max(x) FROM (SELECT x FROM v1 UNION ALL SELECT x FROM v2) AS v'), '1|1', "$mode: and leaves the old rows");
}
ask($holder, 'SELECT pg_advisory_unlock_all()');
ok(wait_for_no_locks($node), 'no lock is left');
is(query('SELECT status, count(*) FROM mv_refresh_all(' . names(1, $half) . ", 'swap') GROUP BY 1"), "refreshed|$half", 'a smaller run works');

query(q{BEGIN; SELECT FROM v1; PREPARE TRANSACTION 'reader'});
is(query(q{SELECT blocked_by FROM mv_plan('{v1}', 'swap')}), '{"0 AccessShareLock"}', 'a prepared transaction is in the way as process 0');
query(q{ROLLBACK PREPARED 'reader'});

done_testing();
