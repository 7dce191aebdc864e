# A streaming standby has the rows of every swap and diff. A swap's exchange locks what it exchanges
# there, for a moment, so a standby's reader can hold up replay; a diff locks nothing.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "autovacuum = off\n");
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\nhot_standby_feedback = off\n");
$standby->start;

sub query { return $primary->safe_psql('postgres', $_[0]); }

query(<<'SQL');
CREATE EXTENSION mv_orchestrator;
CREATE TABLE base AS SELECT g AS id, g AS amount, string_agg(md5((g * i)::text), '') AS t
                     FROM generate_series(1, 500) g, generate_series(1, 100) i GROUP BY g;
SELECT mv_register('a', 'SELECT * FROM base', unique_key => '{id}',
                   indexes => ARRAY['CREATE INDEX a_amount ON a USING btree (amount)', 'CREATE INDEX a_md5 ON a USING hash (md5(t))']);
SELECT mv_register('b', 'SELECT amount % 10 AS kind, count(*) AS n FROM a GROUP BY 1', depends_on => '{a}', unique_key => '{kind}');
SELECT mv_register('c', 'SELECT amount FROM base');
SELECT mv_create_all();
SQL

my $contents = q{SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM a; SELECT string_agg(b::text, ',' ORDER BY kind) FROM b;
                 SELECT md5(string_agg(c::text, ',' ORDER BY amount)) FROM c};

sub check_equal {
    my ($what) = @_;
    $primary->wait_for_catchup($standby);
    is($standby->safe_psql('postgres', $contents), query($contents), "$what: equal rows on the standby");
    is(wrong_views($primary), '', "$what: the right ones");
    is($standby->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM a WHERE amount > 0'),
        query('SELECT count(*) FROM a WHERE amount > 0'), "$what: equal by index");
}

# The relations of users, and what hangs on them, that are there now: view, indexes, TOAST.
sub user_relations {
    my %relations = map { split /\|/ } split /\n/, query(<<'SQL');
WITH views AS (SELECT oid, reltoastrelid FROM pg_class WHERE relkind = 'm'),
     heaps AS (SELECT oid FROM views UNION SELECT reltoastrelid FROM views WHERE reltoastrelid <> 0)
SELECT oid, oid::regclass FROM heaps
UNION ALL SELECT indexrelid, indexrelid::regclass FROM pg_index WHERE indrelid IN (SELECT oid FROM heaps)
SQL
    return %relations;
}

# How often each relation that was there before is locked in the WAL of a statement.
sub exclusive_locks {
    my ($sql) = @_;
    my %relations = user_relations();
    my $start = query('SELECT pg_current_wal_insert_lsn()');
    query($sql);
    my $end = query('SELECT pg_switch_wal()');
    my ($out, $error);
    IPC::Run::run([ 'pg_waldump', '--rmgr=Standby', '-p', $primary->data_dir . '/pg_wal', '-s', $start, '-e', $end ],
        '>', \$out, '2>', \$error) or die "pg_waldump: $error";
    my %locked;
    while ($out =~ /desc: LOCK (.*)/g) {
        my $list = $1;
        $locked{$1}++ while $list =~ /rel (\d+)/g;
    }
    return map { $relations{$_} => $locked{$_} } grep { $locked{$_} } keys %relations;
}

my $everything = { map { $_ => 1 } values %{ { user_relations() } } };
for my $mode (qw(swap diff)) {
    my $sql = "SELECT mv_refresh_all(mode => '$mode')";
    my $expected = $mode eq 'swap' ? [ sort map { s/pg_toast_\d+/pg_toast_N/r } keys %$everything ] : [];

    query('UPDATE base SET amount = amount + 1 WHERE id % 7 = 0; DELETE FROM base WHERE id % 50 = 1');
    my %locks = exclusive_locks($sql);
    is_deeply([ sort map { s/pg_toast_\d+/pg_toast_N/r } keys %locks ], $expected, "$mode: what is locked exclusively");
    is_deeply([ grep { $locks{$_} != 1 } sort keys %locks ], [], "$mode: once each");
    check_equal($mode);

    query("UPDATE base SET amount = amount + 1; BEGIN; SAVEPOINT s; $sql; ROLLBACK TO s; COMMIT");
    $primary->wait_for_catchup($standby);
    is($standby->safe_psql('postgres', $contents), query($contents), "$mode, rolled back: equal rows on the standby");
    query($sql);
    check_equal("$mode, again");

    my $reader = $standby->background_psql('postgres');
    my $old = $reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT sum(amount) FROM a');
    # Only an insert: pruning of what an update leaves would be in this reader's way as well.
    query("INSERT INTO base SELECT max(id) + 1, 1000, repeat('t', 5000) FROM base; $sql");
    my $lsn = query('SELECT pg_current_wal_insert_lsn()');
    if ($mode eq 'diff') {
        $primary->wait_for_catchup($standby);
        pass('diff: a reader of the standby does not hold up replay');
    }
    else {
        ok($standby->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks
                WHERE mode = 'AccessExclusiveLock' AND NOT granted}), 'swap: replay waits for a reader of the standby');
        is($standby->safe_psql('postgres', "SELECT pg_last_wal_replay_lsn() < '$lsn'"), 't', 'swap: and is not done');
    }
    is($reader->query_safe('SELECT sum(amount) FROM a'), $old, "$mode: the reader sees its old rows");
    $reader->query_safe('COMMIT');
    $reader->quit;
    check_equal("$mode, with a reader of the standby");
}

# The standby becomes a primary and goes on.
$primary->wait_for_catchup($standby);
$primary->stop;
$standby->promote;
is($standby->safe_psql('postgres', q{UPDATE base SET amount = 1; SELECT string_agg(status, ' ') FROM mv_refresh_all(mode => 'diff');
    SELECT string_agg(status, ' ') FROM mv_refresh_all(mode => 'swap')}), "refreshed refreshed refreshed\nrefreshed refreshed refreshed", 'promoted: both modes work');
is(wrong_views($standby), '', 'promoted: every view is right');
unlike(slurp_file($_->logfile), qr/TRAP|PANIC|WARNING:.*leak/, 'nothing odd in the log') for $primary, $standby;
done_testing();
