# Parallel runs at instants, and of sessions, that are unkind: a worker that is cancelled before its
# step begins, an extension that goes while workers are at work, roles that change their names, a
# session with libraries of its own. The oracles are the history, compared with what was done, and the
# rows of the views.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = orchestrator_node('parallel_attack', "autovacuum = off\n");
my %session;

sub of { my ($who) = @_; return $session{$who} = $session{$who} && alive($session{$who}) ? $session{$who} : session($node); }
sub admin { return ask(of('admin'), $_[0]); }

# Until the query gives that.
sub wait_for {
    my ($query, $answer) = @_;
    $node->poll_query_until('postgres', $query, $answer) or die "waited for $answer of: $query";
}

# Two pairs of a view and its reader; the first of each stops while somebody holds its advisory lock.
sub scene {
    admin(<<'SQL');
DROP EXTENSION IF EXISTS mv_orchestrator CASCADE;
DROP SCHEMA IF EXISTS t CASCADE;
CREATE EXTENSION mv_orchestrator;
CREATE SCHEMA t;
CREATE TABLE t.version AS SELECT 0 AS v;
SELECT FROM mv_register('t.g1', 'SELECT v FROM t.version, pg_advisory_xact_lock_shared(1) AS gate');
SELECT FROM mv_register('t.g2', 'SELECT v FROM t.version, pg_advisory_xact_lock_shared(2) AS gate');
SELECT FROM mv_register('t.r1', 'SELECT v FROM t.g1');
SELECT FROM mv_register('t.r2', 'SELECT v FROM t.g2');
SELECT FROM mv_create_all();
UPDATE t.version SET v = 1
SQL
}

sub close_gate { my ($gate) = @_; ask(of("gate$gate"), "SELECT pg_advisory_lock($gate)"); }
sub open_gate { my ($gate) = @_; ask(of("gate$gate"), "SELECT pg_advisory_unlock($gate)"); }

# Both gates are closed and a worker waits at each.
sub start {
    scene();
    close_gate($_) for 1, 2;
    send_query(of('leader'), 'CALL mv_run(jobs => 2)');
    wait_for(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mv_orchestrator worker' AND wait_event = 'advisory'}, 2);
}

sub worker_at { return admin("SELECT pid FROM mv_orchestrator.progress WHERE name = '$_[0]'"); }
sub nothing_left {
    return wait_for_no_locks($node)
      && $node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mv_orchestrator worker'}, 0);
}

# A reader of a view waits for whoever drops the extension, and is cancelled there.
start();
my ($first) = worker_at('t.g1');
send_query(of('dropper'), 'BEGIN; DROP EXTENSION mv_orchestrator; ROLLBACK');
wait_for(qq{SELECT count(*) FROM pg_stat_activity WHERE pid = $session{dropper}{pid} AND wait_event_type = 'Lock'}, 1);
open_gate(1);
wait_for(qq{SELECT query LIKE '%: t.r1 */%' AND wait_event = 'object' FROM pg_stat_activity WHERE pid = $first}, 't');
usleep(50_000);
admin("SELECT pg_cancel_backend($first)");
open_gate(2);
like(answer($session{leader}), qr/^ERROR:  57014: 1 of 4 .*t\.r1: 57014: canceling statement due to user request/s, 'a worker is cancelled before its step');
is(answer($session{dropper}), '', 'whoever was waited for notices nothing');
is(admin("SELECT string_agg(concat_ws(' ', name, status, pid = $first), ', ' ORDER BY step) FROM mv_orchestrator.history WHERE name IN ('t.g1', 't.r1')"),
    't.g1 refreshed t, t.r1 failed t', 'the step is the worker\'s');
is(admin(q{SELECT elapsed BETWEEN '50 ms' AND '1 min' FROM mv_orchestrator.history WHERE name = 't.r1'}), 't', 'and has its time');
ok(nothing_left(), 'nothing is left');

# The worker is terminated: its time is known, too.
start();
($first) = worker_at('t.g1');
usleep(50_000);
admin("SELECT pg_terminate_backend($first)");
wait_for(q{SELECT count(*) FROM mv_orchestrator.history WHERE status = 'failed'}, 1);
open_gate($_) for 1, 2;
like(answer($session{leader}), qr/57P01: its worker was terminated/, 'a worker is terminated');
is(admin("SELECT concat_ws(' ', pid = $first, elapsed BETWEEN '50 ms' AND '1 min') FROM mv_orchestrator.history WHERE status = 'failed'"), 't t', 'whose step, and for how long');
ok(nothing_left(), 'nothing is left');

# The extension goes.
start();
send_query(of('dropper'), 'DROP EXTENSION mv_orchestrator');
wait_for(qq{SELECT count(*) FROM pg_stat_activity WHERE pid = $session{dropper}{pid} AND wait_event_type = 'Lock'}, 1);
open_gate($_) for 1, 2;
like(answer($session{leader}), qr/^ERROR:  55000: extension "mv_orchestrator" was dropped during the run/, 'the extension is dropped');
is(answer($session{dropper}), '', 'by somebody who notices nothing');
ok(nothing_left(), 'nothing is left');

# The role that asks changes its name, and another one has it now.
scene();
admin(q{CREATE ROLE asker; GRANT USAGE ON SCHEMA t TO asker; GRANT SELECT ON t.version TO asker;
    ALTER MATERIALIZED VIEW t.g1 OWNER TO asker; ALTER MATERIALIZED VIEW t.g2 OWNER TO asker});
ask(of('renamed'), 'SET ROLE asker');
admin('ALTER ROLE asker RENAME TO other_name; CREATE ROLE asker');
like(ask($session{renamed}, q{CALL mv_run('{t.g1,t.g2}', jobs => 2)}), qr/^WARNING:  01000: 2 of 2 workers ended before the run did$/m, 'a renamed role');
is(admin(q{SELECT string_agg(concat_ws(' ', name, status, role, pid =} . $session{renamed}{pid} . q{), ', ' ORDER BY step) FROM mv_orchestrator.history}),
    't.g1 refreshed other_name t, t.g2 refreshed other_name t', 'refreshes as itself');
ask($session{renamed}, 'RESET ROLE');
admin('DROP ROLE asker');

# What a library of the session defines.
scene();
admin(q{SELECT count(mv_register('t.setting' || i, $q$SELECT current_setting('auto_explain.log_min_duration', true) AS s$q$)) FROM generate_series(1, 2) i;
    SELECT FROM mv_create_all()});
ask(of('loaded'), q{LOAD 'auto_explain'; SET auto_explain.log_min_duration = '1h'});
is(ask($session{loaded}, q{CALL mv_run('{t.setting1,t.setting2}', jobs => 2)}), '', 'a session with a library');
is(admin("SELECT string_agg(DISTINCT s || ' ' || (pid <> $session{loaded}{pid}), ' ') FROM mv_orchestrator.history, t.setting1, t.setting2 AS two(s2)"), '1h true', 'its setting is the same in workers');

# Advisory locks that are taken for the session, each by the functions of two views.
scene();
admin(q{CREATE FUNCTION t.keep() RETURNS text LANGUAGE sql AS 'SELECT pg_advisory_lock(42)::text';
    SELECT count(mv_register('t.kept' || i, 'SELECT t.keep() FROM pg_sleep(0.5)')) FROM generate_series(1, 2) i;
    SELECT FROM mv_create_all(); SELECT pg_advisory_unlock_all()});
is(ask(of('patient'), q{SET mv_orchestrator.lock_timeout = '30s'; CALL mv_run('{t.kept1,t.kept2}', jobs => 2)}), '', 'a view that keeps a lock does not keep it from the others');
is(admin("SELECT count(*) FROM mv_orchestrator.history WHERE pid <> $session{patient}{pid}"), 2, 'both in workers');
ok(nothing_left(), 'nothing is left');

# The server does not know that the session waits for its workers: who waits for the session's run locks,
# himself or through another, and is in a worker's way, at the table that a view reads or at the exchange.
sub deadlock {
    my ($mode, @preparations) = @_;
    scene();
    admin(q{CREATE TABLE t.source AS SELECT 1 AS id; CREATE TABLE t.other ();
        SELECT FROM mv_register('t.d1', 'SELECT id FROM t.source'); SELECT FROM mv_register('t.d2', 'SELECT 2 AS id');
        SELECT FROM mv_create_all()});
    ask(of($_->[0]), $_->[1]) for @preparations;
    send_query(of('leader'), "CALL mv_run('{t.d1,t.d2}', jobs => 2, mode => '$mode')");
    wait_for(q{SELECT count(*) FROM mv_orchestrator.history WHERE name = 't.d2'}, 1);
}
deadlock('diff', [ 'writer', 'BEGIN; LOCK TABLE t.source' ]);
is(ask(of('writer'), q{SELECT name, status FROM mv_refresh_all('{t.d1}'); COMMIT}), 't.d1|unchanged', 'a deadlock by way of the session ends');
like(answer($session{leader}), qr/^ERROR:  40P01: 1 of 2 .*t\.d1: 40P01: deadlock detected: /s, 'with the error of that view');
deadlock('swap', [ 'reader', 'BEGIN; SELECT count(*) FROM t.d1' ], [ 'writer', 'BEGIN; LOCK TABLE t.other' ]);
wait_for(q{SELECT count(*) FROM mv_orchestrator.progress WHERE name = 't.d1' AND phase = 'exchange'}, 1);
send_query(of('reader'), 'LOCK TABLE t.other; ROLLBACK');
send_query(of('writer'), q{SELECT name, status FROM mv_refresh_all('{t.d2}', 'diff'); ROLLBACK});
like(answer($session{leader}), qr/^ERROR:  40P01: 1 of 2 .*t\.d1: 40P01: /s, 'at the exchange, too');
is(answer($session{writer}), 't.d2|unchanged', 'and the others go on');
is(answer($session{reader}), '', 'both of them');
ok(nothing_left(), 'nothing is left');

# All settings there are, of a session that has changed many. Without a history the run is not short.
scene();
admin(q{SELECT count(mv_register('t.settings' || i, 'SELECT name, setting, source FROM pg_settings')) FROM generate_series(1, 2) i;
    SELECT FROM mv_create_all()});
ask(of('changed'), join ';', map { "SET $_" } q{TimeZone = 'Asia/Tokyo'}, q{DateStyle = 'German'}, q{IntervalStyle = 'iso_8601'}, 'extra_float_digits = -3',
    q{search_path = t, "$user", public}, 'row_security = off', q{client_encoding = 'latin1'}, q{default_transaction_isolation = 'repeatable read'},
    q{work_mem = '3MB'}, q{lock_timeout = '20min'}, q{statement_timeout = '1h'}, q{my.own = 'a''b'}, 'session_replication_role = replica',
    q{plpgsql.variable_conflict = 'use_column'}, 'mv_orchestrator.diff_work_mem = 100', 'synchronous_commit = off', q{application_name = 'x y'}, q{bytea_output = 'escape'});
my $all = q{'{t.settings1,t.settings2}'};
is(ask($session{changed}, "CALL mv_run($all, jobs => 1); CREATE TABLE t.before AS TABLE t.settings1; TRUNCATE mv_orchestrator.run_step; CALL mv_run($all, jobs => 2)"), '', 'a session with settings');
is(admin("SELECT count(*) FROM mv_orchestrator.history WHERE pid <> $session{changed}{pid}"), 2, 'which workers are given');
is(admin(q{SELECT string_agg(name, ' ' ORDER BY name) FROM (TABLE t.before EXCEPT TABLE t.settings1) d}),
    'max_parallel_maintenance_workers max_parallel_workers_per_gather', 'all of them but two');

done_testing();
