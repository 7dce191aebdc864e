# What CALL mv_run() tries again, how often, and what it says of it: failures by another transaction's
# doing, real ones and ones that the view's own function raises a number of times. A sequence, which
# no rollback puts back, counts the tries.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

# "m" fails as often as "plan" says. "s" is exchanged at the end of its step; "z" stops in its query
# while somebody holds advisory lock 1.
my $node = orchestrator_node('run_retries', "autovacuum = off\njit = off\n");
create_own_locks($node);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE version AS SELECT 0 AS v;
CREATE TABLE plan AS SELECT '40001' AS code, 0 AS failures;
CREATE SEQUENCE tries;
CREATE FUNCTION may_fail() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE p public.plan; t bigint := nextval('public.tries');
BEGIN
    SELECT * INTO p FROM public.plan;
    IF t <= p.failures THEN RAISE EXCEPTION 'raised' USING ERRCODE = p.code; END IF;
    RETURN t;
END $$;
SELECT mv_register('m', 'SELECT v, public.may_fail() AS t FROM version');
SELECT mv_register('s', 'SELECT v FROM version', mode => 'swap', options => '{"lock_timeout": "20s"}');
SELECT mv_register('z', 'SELECT v FROM version, pg_advisory_xact_lock_shared(1)');
SELECT mv_create_all();
SQL
my ($admin, $holder, $session) = map { session($node) } 1 .. 3;

sub options {
    my ($mode, $options) = @_;
    ask($admin, "SELECT mv_register('m', 'SELECT v, public.may_fail() AS t FROM version', mode => '$mode', options => '$options')");
}

sub plan_failures {
    my ($code, $failures) = @_;
    ask($admin, "UPDATE version SET v = v + 1; UPDATE plan SET code = '$code', failures = $failures; ALTER SEQUENCE tries RESTART");
}

sub last_run {
    return ask($admin, q{SELECT string_agg(concat_ws(' ', view_name, status, sqlstate, message), '; ' ORDER BY step)
        FROM mv_orchestrator.history WHERE run = (SELECT max(run) FROM mv_orchestrator.history)});
}

sub tries { return ask($admin, 'SELECT last_value FROM tries'); }

sub tried { return "tried again $_[0] time" . ($_[0] == 1 ? '' : 's'); }

my $raised = 'raised';
my %retried = map { $_ => 1 } qw(40001 40P01 55P03);

# How often it fails, how often it may be tried again.
sub check_retries {
    my ($code, $failures, $mode, $retries) = @_;
    options($mode, defined $retries ? qq({"retries": $retries}) : '{}');
    plan_failures($code, $failures);
    my $said = ask($session, q{CALL mv_run('{m}')});
    my $most = $retried{$code} ? $retries // 2 : 0;
    my $again = $failures < $most ? $failures : $most;
    my $told = $again ? tried($again) : '';
    my $ok = $failures <= $most;
    my $what = "$code $failures times, $mode, retries " . ($retries // 'by default');
    is(last_run(), $ok ? 'm refreshed' . ($told && " $told") : "m failed $code $raised" . ($told && "; $told"), $what);
    is(tries(), $again + 1, 'as many tries');
    $ok ? is($said, '', 'no error') : like($said, qr/ERROR:  $code: 1 of 1 /, 'its error');
    is(ask($admin, 'SELECT m.v = version.v FROM m, version'), $ok ? 't' : 'f', 'and its rows');
    is(ask($session, q{SELECT own_locks(), current_setting('lock_timeout')}), '0|0', 'nothing is left');
}

check_retries('40001', 1, 'plain');
check_retries('40001', 2, 'swap');
check_retries('40001', 3, 'diff');
check_retries('40P01', 1, 'diff', 1);
check_retries('40P01', 2, 'plain', 1);
check_retries('55P03', 1, 'swap', 0);
check_retries('55P03', 3, 'diff', 3);
# Not another transaction's doing; a cancel that is none.
check_retries($_, 1, 'diff', 5) for qw(22012 57014 XX001 P0001);

# With a failure it is the run's error, and what comes after it goes on as it was asked to.
options('diff', '{"retries": 1}');
plan_failures('40001', 9);
like(ask($session, q{CALL mv_run('{m,z}', on_error => 'stop')}), qr/ERROR:  40001: 1 of 2 .* could not be refreshed, 1 not tried/, 'stop: only when all tries failed');
is(tries(), 2, 'two of them');
plan_failures('40001', 1);
is(ask($session, q{CALL mv_run('{m,z}', on_error => 'stop')}), '', 'stop: not when one succeeded');
# Only there.
plan_failures('40001', 1);
like(ask($session, q{SELECT * FROM mv_refresh_all('{m}', on_error => 'continue')}), qr/failed\|diff.*40001/, 'mv_refresh_all() does not try again');
is(tries(), 1, 'at all');

sub wait_event { return ask($admin, "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $session->{pid}"); }

# A lock that another session gives back while the run pauses.
options('diff', '{"lock_timeout": "50ms", "retries": 4}');
plan_failures('40001', 0);
ask($holder, q{BEGIN; COMMENT ON MATERIALIZED VIEW m IS 'locked'});
send_query($session, q{CALL mv_run('{m}')});
ok(wait_until(sub { wait_event() eq 'Extension' }), 'it pauses');
is(ask($admin, q{SELECT count(*) FROM pg_locks WHERE relation = 'm'::regclass AND NOT granted}), 0, 'and waits for nothing meanwhile');
is(ask($admin, qq{SELECT count(*) FROM pg_locks WHERE pid = $session->{pid} AND locktype = 'object' AND mode = 'ExclusiveLock'}), 1, 'but keeps its run lock');
ask($holder, 'ROLLBACK');
is(answer($session), '', 'then it has the lock');
like(last_run(), qr/^m refreshed tried again [1-4] times?$/, 'and says that it waited');
# One that it keeps.
options('diff', '{"lock_timeout": "20ms", "retries": 1}');
ask($holder, q{BEGIN; COMMENT ON MATERIALIZED VIEW m IS 'locked'});
like(ask($session, q{CALL mv_run('{m}')}), qr/ERROR:  55P03: 1 of 1 /, 'a lock that is not had');
is(last_run(), 'm failed 55P03 canceling statement due to lock timeout; tried again 1 time', 'is no more waited for');
# A cancel during the pause.
options('diff', '{"lock_timeout": "20ms", "retries": 9}');
send_query($session, q{CALL mv_run('{m,z}')});
ok(wait_until(sub { wait_event() eq 'Extension' }), 'it pauses');
ask($admin, "SELECT pg_cancel_backend($session->{pid})");
like(answer($session), qr/ERROR:  57014: canceling statement due to user request/, 'a cancel ends the pause and the run');
like(last_run(), qr/^m failed \w+ [^;]*$/, 'which says what it was at, and nothing of what did not begin');
ask($holder, 'ROLLBACK');
is(ask($session, q{SELECT own_locks(), current_setting('lock_timeout')}), '0|0', 'nothing is left');

# A commit that fails takes the session's locks with it: they are taken again. SERIALIZABLE, while
# the run waits for readers to exchange files, somebody reads the history without its step and changes
# what it has read: it cannot have been before, nor after.
my $reader = session($node);
plan_failures('40001', 0);
ask($session, q{SET default_transaction_isolation = 'serializable'});
ask($holder, 'SELECT pg_advisory_lock(1)');
ask($reader, 'BEGIN; SELECT FROM s LIMIT 0');
send_query($session, q{CALL mv_run('{s,z}')});
ok(wait_until(sub { wait_event() eq 'Extension' }), 'it waits for readers');
is(ask($admin, q{BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT FROM mv_orchestrator.run_step; UPDATE version SET v = v + 1; COMMIT}), '' x 1, 'somebody comes between')
  or note 'rows were printed';
ask($reader, 'ROLLBACK');
ok(wait_until(sub { wait_event() eq 'Lock' }), 'it is at the next view');
like(ask($reader, q{SELECT mv_refresh('s', on_overlap => 'fail')}), qr/ERROR:  55P03: .*public.s is in a run of process $session->{pid}/, 'and has its run locks still');
ask($holder, 'SELECT pg_advisory_unlock(1)');
is(answer($session), '', 'and ends well');
is(last_run(), 's refreshed tried again 1 time; z refreshed', 'the step was repeated');
ask($session, 'RESET default_transaction_isolation');
is(ask($session, q{SELECT own_locks(), current_setting('lock_timeout')}), '0|0', 'nothing is left');

options('diff', '{}');
is(ask($session, 'CALL mv_run()'), '', 'the next run works');
is(ask($admin, 'SELECT count(*) FROM version, m, s, z WHERE m.v = version.v AND s.v = version.v AND z.v = version.v'), 1, 'and every view is right');
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|terminated by signal/, 'nothing odd in the log');

done_testing();
