# A reader that stays is in the way of a swap's exchange. The run waits with patience: nobody else
# is held up, of whichever view of the run, and it ends soon after the reader does. All or nothing:
# a limit, a cancel or a deadlock leaves the old rows and nothing else.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = orchestrator_node('exchange', "autovacuum = off\nmax_prepared_transactions = 2\n");

sub query { return $node->safe_psql('postgres', $_[0]); }

query(<<'SQL');
CREATE TABLE base (amount int NOT NULL, padding text);
INSERT INTO base SELECT 10, string_agg(md5(g::text), '') FROM generate_series(1, 200) AS g;
SELECT mv_register('a', 'SELECT * FROM base', indexes => ARRAY['CREATE INDEX a_amount ON a USING btree (amount)']);
SELECT mv_register('b', 'SELECT sum(amount) AS total FROM base', unique_key => ARRAY['total']);
SELECT mv_register('c', 'SELECT a.amount FROM a, b', depends_on => ARRAY['a', 'b']);
SELECT mv_create_all();
SQL

my $amount = 10;
my $rows = 'SELECT a.amount, length(padding), b.total, c.amount FROM a, b, c';
my $swap = q{SELECT string_agg(status, ' ') FROM mv_refresh_all(mode => 'swap')};

sub shown { return "$_[0]|6400|$_[0]|$_[0]"; }

sub change { query('UPDATE base SET amount = ' . ++$amount); }

# Starts a call in a session of its own; its output is there after finish().
sub start {
    my ($sql, $options) = @_;
    my %session = (out => '');
    local $ENV{PGOPTIONS} = $options // '';
    $session{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d',
            $node->connstr('postgres'), '-c', $sql ], '<', \undef, '>&', \$session{out}, IPC::Run::timeout(180));
    return \%session;
}

sub finish {
    my ($session) = @_;
    $session->{run}->finish;
    return $session->{out} =~ s/\s+$//r;
}

# A session that holds what it read until it is told to end.
sub reader {
    my ($sql) = @_;
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_safe("BEGIN; $sql");
    return $session;
}

sub wait_until_at_exchange {
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity
            WHERE query LIKE '%mv_refresh_all%' AND wait_event = 'Extension' AND pid <> pg_backend_pid()})
      or die 'the run does not come to its exchange';
}

sub pid_of_run {
    return query(q{SELECT max(pid) FROM pg_stat_activity WHERE query LIKE '%mv_refresh_all%'
                   AND state = 'active' AND pid <> pg_backend_pid()});
}

sub check_all_is_well {
    my ($what) = @_;
    ok(wait_for_no_locks($node), "$what: no lock is left");
    is(query(q{SELECT count(*) FROM pg_class WHERE relname ~ '^pg_temp_'}), '0', "$what: nothing is left behind");
    is(query($swap), 'refreshed refreshed refreshed', "$what: the next run works");
    is(query($rows), shown($amount), "$what: new rows");
    is(wrong_views($node), '', "$what: every view is right");
}

my %readers = (
    'who read a' => 'SELECT amount FROM a',
    'who read c' => 'SELECT amount FROM c',
    'with a cursor over a' => 'DECLARE rows CURSOR FOR TABLE a',
    'who planned by the index of a' => 'SET LOCAL enable_seqscan = off; SELECT amount FROM a WHERE amount = 1',
);

for my $reader (sort keys %readers) {
    my $old = $amount;
    change();
    my $session = reader($readers{$reader});
    my $run = start($swap);
    wait_until_at_exchange();
    my $longest = 0;
    my %seen;
    for (1 .. 20) {
        my $began = time;
        $seen{ query($rows) } = 1;
        $longest = time - $began if time - $began > $longest;
    }
    is_deeply([ keys %seen ], [ shown($old) ], "a reader $reader: others see the old rows");
    cmp_ok($longest, '<', 2 * slowness(), "a reader $reader: others are not held up");
    is(query(q{SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'
               AND relation IN ('a'::regclass, 'b'::regclass, 'c'::regclass)}), '0',
        "a reader $reader: the run holds no exclusive lock while it waits");
    $session->query_safe('COMMIT');
    my $ended = time;
    is(finish($run), 'refreshed refreshed refreshed', "a reader $reader: the run ends with it");
    cmp_ok(time - $ended, '<', 5 * slowness(), "a reader $reader: soon");
    $session->quit;
    check_all_is_well("a reader $reader");
}

{
    change();
    my ($first, $second) = (reader('SELECT FROM a'), undef);
    my $run = start($swap);
    wait_until_at_exchange();
    $second = reader('SELECT FROM c');
    $first->query_safe('COMMIT');
    usleep(500_000);
    wait_until_at_exchange();
    $second->query_safe('COMMIT');
    is(finish($run), 'refreshed refreshed refreshed', 'readers that overlap: the run ends with the last');
    $_->quit for $first, $second;
    check_all_is_well('readers that overlap');
}

# Those without an interruption say themselves that it was at the exchange.
my %ends = (
    'the limit' => [ '-c mv_orchestrator.lock_timeout=300', qr/ERROR:  55P03: could not lock materialized view public\.a exclusively.*in use by process (\d+)/s ],
    'a shorter lock_timeout' => [ '-c lock_timeout=300', qr/ERROR:  55P03: could not lock materialized view public\.a exclusively/ ],
    'statement_timeout' => [ '-c mv_orchestrator.lock_timeout=0 -c statement_timeout=' . 1000 * slowness(), qr/ERROR:  57014: .*statement timeout/, sub { } ],
    cancel => [ '', qr/ERROR:  57014: .*user request/, sub { query("SELECT pg_cancel_backend($_[0])") } ],
    terminate => [ '', qr/FATAL:  57P01/, sub { query("SELECT pg_terminate_backend($_[0])") } ],
);

for my $end (sort keys %ends) {
    my ($options, $message, $interrupt) = @{ $ends{$end} };
    my $old = $amount;
    change();
    my $session = reader('SELECT FROM a');
    my $run = start($swap, $options);
    if ($interrupt) {
        wait_until_at_exchange();
        $interrupt->(pid_of_run());
    }
    like(finish($run), $message, "$end: the run says so");
    is(query($rows), shown($old), "$end: old rows");
    $session->query_safe('COMMIT');
    $session->quit;
    check_all_is_well($end);
}

# A prepared transaction is no process: the message names the view, and no process that has nothing
# to do with it, be it the run's own, which has the place of the one that prepared.
for my $place ('free', 'taken by the run') {
    change();
    my $before = $place eq 'free' ? reader('SELECT') : undef;
    query(q{BEGIN; SELECT FROM a; PREPARE TRANSACTION 'reader'});
    $before->quit if $before;
    my $out = finish(start("SELECT 'run ' || pg_backend_pid(); $swap", '-c mv_orchestrator.lock_timeout=500'));
    my ($pid) = $out =~ /^run (\d+)/;
    like($out, qr/55P03: could not lock materialized view public\.a exclusively/, "a prepared transaction, place $place: the message names the view");
    unlike($out, qr/in use by process $pid\b/, "a prepared transaction, place $place: not the run itself");
    query(q{COMMIT PREPARED 'reader'});
    check_all_is_well("a prepared transaction, place $place");
}

# A reader that then asks for more than the run lets it have: each waits for the other. One of them
# fails, whatever the limit; it is the run where the reader's own check comes too late.
for my $wish ('REFRESH MATERIALIZED VIEW a', 'REFRESH MATERIALIZED VIEW CONCURRENTLY b', 'DROP MATERIALIZED VIEW a CASCADE',
    q{SET deadlock_timeout = '100s'; REFRESH MATERIALIZED VIEW a}) {
    change();
    my $session = reader('SELECT FROM a');
    my $run = start($swap, '-c mv_orchestrator.lock_timeout=0 -c deadlock_timeout=200');
    wait_until_at_exchange();
    my $timer = time;
    eval { $session->query("SET statement_timeout = '10s'"); $session->query("$wish; ROLLBACK"); };
    my $took = time - $timer;
    $session->query('ROLLBACK');
    my $text = finish($run);
    cmp_ok($took, '<', 9, "a reader who wants $wish: no hang") or diag("$took s; the run said: $text");
    like($text, qr/40P01: .*deadlock detected/, "a reader who wants $wish: the run sees it") if $wish =~ /deadlock_timeout/;
    $session->quit;
    check_all_is_well("a reader who wants $wish");
}

# A session that reads all the time, each time in a new transaction, longer than an attempt lasts:
# the run gets in between.
{
    change();
    my $busy = start('DO $$ BEGIN FOR i IN 1..75 LOOP PERFORM pg_sleep(0.2) FROM c; COMMIT; END LOOP; END $$');
    usleep(300_000);
    is(finish(start($swap, '-c mv_orchestrator.lock_timeout=12000')), 'refreshed refreshed refreshed',
        'a session that reads again and again: the run gets in between');
    finish($busy);
    check_all_is_well('a session that reads again and again');
}

# A run of which one view is diffed: who reads that is in nobody's way. Who reads a swapped one keeps
# all of the run waiting, and nobody sees any of it before its end.
{
    query(q{SELECT mv_register('a', 'SELECT * FROM base', indexes => ARRAY['CREATE INDEX a_amount ON a USING btree (amount)'], mode => 'swap');
            SELECT mv_register('b', 'SELECT sum(amount) AS total FROM base', unique_key => ARRAY['total'], mode => 'diff');
            SELECT mv_register('c', 'SELECT a.amount FROM a, b', depends_on => ARRAY['a', 'b'], mode => 'swap')});
    my $mixed = $swap =~ s/mode => 'swap'//r;
    my $old = $amount;
    change();
    my $session = reader('SELECT FROM b');
    is(finish(start($mixed, '-c mv_orchestrator.lock_timeout=5000')), 'refreshed refreshed refreshed', 'a reader of the diffed view: no wait');
    $session->query_safe('COMMIT');
    is(query($rows), shown($amount), 'a reader of the diffed view: new rows');
    $old = $amount;
    change();
    $session->query_safe('BEGIN; SELECT FROM c');
    my $run = start($mixed);
    wait_until_at_exchange();
    is(query($rows), shown($old), 'a reader of a swapped view: others see the old rows of all');
    is(query('SELECT total FROM b'), $old, 'a reader of a swapped view: of the diffed view too');
    $session->query_safe('COMMIT');
    is(finish($run), 'refreshed refreshed refreshed', 'a reader of a swapped view: the run ends with it');
    $session->quit;
    check_all_is_well('a mixed run');
}

# Autovacuum works on a TOAST table alone, and gives way to who waits for it, as to the server's
# REFRESH: a second or two, not the limit.
{
    query(<<'SQL');
CREATE TABLE wide AS SELECT g, string_agg(md5((g * i)::text), '') AS t
                     FROM generate_series(1, 1500) g, generate_series(1, 300) i GROUP BY g;
SELECT mv_register('d', 'SELECT * FROM wide');
SELECT mv_create_all();
ALTER MATERIALIZED VIEW d SET (autovacuum_enabled = off, toast.autovacuum_enabled = on, toast.autovacuum_vacuum_threshold = 1,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_cost_delay = 100, toast.autovacuum_vacuum_cost_limit = 1);
UPDATE wide SET t = t || 'x' WHERE g % 2 = 0;
SELECT mv_refresh('d', mode => 'diff');
ALTER SYSTEM SET autovacuum_naptime = 1;
ALTER SYSTEM SET autovacuum = on;
SELECT pg_reload_conf();
SQL
    $node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity JOIN pg_locks USING (pid)
        WHERE backend_type = 'autovacuum worker' AND mode = 'ShareUpdateExclusiveLock'
          AND relation = (SELECT reltoastrelid FROM pg_class WHERE relname = 'd')}) or die 'no autovacuum';
    is(finish(start(q{SELECT status FROM mv_refresh('d', mode => 'swap')}, '-c mv_orchestrator.lock_timeout=10000')),
        'refreshed', 'autovacuum of the TOAST table gives way');
}

unlike(slurp_file($node->logfile), qr/TRAP|PANIC|WARNING:.*leak/, 'nothing odd in the log');
done_testing();
