# Limits of one view, view_timeout and lock_timeout: whoever exceeds them fails alone, where the run is
# to go on, and nothing of it reaches the next view, the next statement or the caller's own run. A
# cancel by a user and the server's statement_timeout, which come at about the same instant, always
# win: they are sent while the run has long to go, so it can end in no other way.
# SEED in the environment repeats the random part, MVO_POINTS says how many instants it tries.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $points = $ENV{MVO_POINTS} // 40;
my $seed = $ENV{SEED} // int rand 2**31;
srand $seed;
note "SEED=$seed MVO_POINTS=$points";

# "s1" and "s2" take as long as "pace" says, "s2" without a limit; "stubborn" survives cancels.
my $node = orchestrator_node('run_limits', "autovacuum = off\njit = off\n");
create_own_locks($node);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE pace (view text, seconds float, survives int);
INSERT INTO pace VALUES ('s1', 0, 0), ('s2', 0, 0), ('stubborn', 0, 0);
CREATE TABLE version AS SELECT 0 AS v;
CREATE FUNCTION dawdle(who text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE p pace;
BEGIN
    SELECT * INTO p FROM public.pace WHERE view = who;
    LOOP
        BEGIN
            PERFORM pg_sleep(p.seconds);
            RETURN 0;
        EXCEPTION WHEN query_canceled THEN
            p.survives := p.survives - 1;
            IF p.survives < 0 THEN RAISE; END IF;
            IF p.survives = 0 THEN RETURN 1; END IF;
        END;
    END LOOP;
END $$;
SELECT mv_register('s1', $$SELECT v, public.dawdle('s1') AS d FROM version$$, mode => 'diff', options => '{"view_timeout": "30ms", "lock_timeout": 30, "retries": 0}');
SELECT mv_register('s2', $$SELECT v, public.dawdle('s2') AS d FROM version$$, mode => 'swap', options => '{"view_timeout": 0}');
SELECT mv_register('stubborn', $$SELECT v, public.dawdle('stubborn') AS d FROM version$$, mode => 'plain');
SELECT mv_create_all();
SQL
my ($admin, $holder, $session) = map { session($node) } 1 .. 3;

sub pace {
    my ($view, $seconds, $survives) = @_;
    ask($admin, "UPDATE version SET v = v + 1; UPDATE pace SET seconds = $seconds, survives = " . ($survives // 0) . " WHERE view = '$view'");
}

# What the last run that wrote a history left: statuses and messages.
sub last_run {
    return ask($admin, q{SELECT string_agg(concat_ws(' ', view_name, status, sqlstate, message), '; ' ORDER BY step)
        FROM mv_orchestrator.history WHERE run = (SELECT max(run) FROM mv_orchestrator.history)});
}

# The session as it should be after whatever befell its call: nothing is to come.
sub as_it_was {
    my ($session) = @_;
    return ask($session, q{SELECT pg_sleep(0.05), own_locks(), current_setting('lock_timeout'), current_user = session_user});
}

sub wait_until_asleep {
    for (1 .. 6000) {
        return 1 if ask($admin, "SELECT wait_event FROM pg_stat_activity WHERE pid = $session->{pid}") eq 'PgSleep';
        usleep(5000);
    }
    return 0;
}

sub versions { return ask($admin, 'SELECT array_agg(t.v = n.v) FROM (SELECT v FROM s1 UNION ALL SELECT v FROM s2) AS t, version AS n'); }

my $timeout = 'canceled due to view timeout';
pace('s1', 60);
like(ask($session, q{CALL mv_run('{s1,s2}')}), qr/ERROR:  57014: 1 of 2 materialized views could not be refreshed/, 'mv_run(): the code of the first failure');
is(last_run(), "s1 failed 57014 $timeout; s2 refreshed", 'and the history names the view');
is(as_it_was($session), '|0|0|t', 'the next statement is not cancelled');
is(versions(), '{f,t}', 'the rest is refreshed');
pace('s1', 60);
like(ask($session, q{CALL mv_run('{s1,s2}', on_error => 'stop')}), qr/ERROR:  57014: 1 of 2 materialized views could not be refreshed, 1 not tried/, 'with stop nothing else is');
is(last_run() =~ s/; s2 skipped.*//r, "s1 failed 57014 $timeout", 'history says so');
pace('s1', 60);
is(ask($session, q{SELECT name, status, detail FROM mv_refresh_all('{s1,s2}', on_error => 'continue')}) =~ s/^(WARNING|HINT|LOCATION).*\n//mgr,
    "public.s1|failed|57014: canceled due to view timeout\nDETAIL:  Its step may take 30 ms.\npublic.s2|refreshed|", 'mv_refresh_all(): it goes on');
is(as_it_was($session), '|0|0|t', 'and nothing is left');
pace('s1', 60);
like(ask($session, q{SELECT mv_refresh_all('{s1,s2}')}), qr/ERROR:  57014: could not refresh materialized view public.s1: \Q$timeout/, 'or ends with the error');
like(ask($session, q{SELECT mv_refresh('s1')}), qr/ERROR:  57014: could not refresh materialized view public.s1: \Q$timeout/, 'mv_refresh() does');
is(as_it_was($session), '|0|0|t', 'and nothing is left');
# In a block that survives it, as any error.
is(ask($session, q{DO $$BEGIN PERFORM mv_refresh('s1'); EXCEPTION WHEN query_canceled THEN ASSERT own_locks() = 0; END$$}), '', 'a caller may survive it');
is(as_it_was($session), '|0|0|t', 'and nothing is left');
pace('s1', 0);

# The setting, and an option that turns it off.
pace($_, 0.2) for 's2', 'stubborn';
ask($session, q{SET mv_orchestrator.view_timeout = '20ms'});
ask($session, q{CALL mv_run('{s2,stubborn}')});
is(last_run(), 's2 refreshed; stubborn failed 57014 ' . $timeout, 'the setting counts where no option is');
ask($session, 'RESET mv_orchestrator.view_timeout');
pace('s2', 0);

# A function that catches query_canceled: once and returns; twice and goes on.
for my $survives (1, 3) {
    ask($session, q{SET mv_orchestrator.view_timeout = '20ms'});
    pace('stubborn', 60, $survives);
    ask($session, q{CALL mv_run('{stubborn}')});
    is(last_run(), 'stubborn failed 57014 ' . $timeout, "a function that survives $survives cancels does not outlive the limit");
    is(ask($admin, 'SELECT d FROM stubborn'), 0, 'and what it gave is not kept');
    like(ask($session, q{SELECT mv_refresh_all('{stubborn}', on_error => 'continue')}), qr/57014: .*view timeout/, 'nor in mv_refresh_all()');
    is(as_it_was($session), '|0|0|t', 'nothing is left');
    ask($session, 'RESET mv_orchestrator.view_timeout');
}
# Nor does it keep a cancel from the run, which has still to go on to the second one.
pace($_, 60, 1) for 'stubborn', 's2';
for my $call (q{CALL mv_run('{s2,stubborn}')}, q{SELECT mv_refresh_all('{s2,stubborn}', on_error => 'continue')}) {
    send_query($session, $call);
    ok(wait_until_asleep(), 'it is at work');
    ask($admin, "SELECT pg_cancel_backend($session->{pid})");
    like(answer($session), qr/ERROR:  57014: canceling statement due to user request/, 'a function that survives a cancel does not keep it from the run');
    is(as_it_was($session), '|0|0|t', 'nothing is left');
}
pace($_, 0) for 'stubborn', 's2';

# A lock that another session holds.
ask($holder, q{BEGIN; COMMENT ON MATERIALIZED VIEW s1 IS 'locked'});
pace('s1', 0);
ask($session, q{CALL mv_run('{s1,s2}')});
my $lock = 'canceling statement due to lock timeout';
is(last_run(), "s1 failed 55P03 $lock; s2 refreshed", 'the lock limit of a view is its own');
is(as_it_was($session), '|0|0|t', 'and nothing is left');
ask($holder, 'ROLLBACK');
# In mv_refresh_all() a lock on the view itself is asked for before anything is done: for all or none.
# What a view reads is that view's affair.
ask($holder, 'BEGIN; LOCK TABLE version');
ask($session, q{SET mv_orchestrator.lock_timeout = '40ms'});
is(ask($session, q{SELECT name, status, split_part(detail, ':', 1) FROM mv_refresh_all('{s1,s2}', on_error => 'continue')}) =~ s/^(WARNING|HINT|LOCATION).*\n//mgr,
    "public.s1|failed|55P03\npublic.s2|failed|55P03", 'a source that is locked fails the views that read it');
ask($session, 'RESET mv_orchestrator.lock_timeout');
is(as_it_was($session), '|0|0|t', 'and nothing is left');
ask($holder, 'ROLLBACK');

# What an event trigger calls meanwhile is within the limit of the outer step, and cancels still
# are what they were.
ask($admin, <<'SQL');
CREATE FUNCTION inner_run() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN IF NOT EXISTS (SELECT FROM pace WHERE view = 'inner') THEN RETURN; END IF; PERFORM mv_refresh('s1'); END $$;
CREATE EVENT TRIGGER inner_run ON ddl_command_end WHEN TAG IN ('REFRESH MATERIALIZED VIEW') EXECUTE FUNCTION inner_run();
INSERT INTO pace VALUES ('inner', 0, 0);
SQL
ask($session, q{SET mv_orchestrator.view_timeout = '10s'});
is(ask($session, q{SELECT status FROM mv_refresh('stubborn')}), 'refreshed', 'a run within a run');
send_query($session, 'SELECT pg_sleep(60)');
usleep(50_000);
ask($admin, "SELECT pg_cancel_backend($session->{pid})");
like(answer($session), qr/ERROR:  57014: canceling statement due to user request/, 'after it a cancel is a cancel');
ask($session, q{SET mv_orchestrator.view_timeout = '50ms'});
pace('s1', 60);
like(ask($session, q{SELECT mv_refresh('stubborn')}), qr/ERROR:  57014: could not refresh materialized view public.stubborn: canceled due to view timeout/, 'the outer limit holds');
ask($session, 'RESET mv_orchestrator.view_timeout');
ask($admin, 'DROP EVENT TRIGGER inner_run');
pace('s1', 0);

# The first view is over its limit at about the instant of the cancel, the second takes its time.
my ($failed, $merged, $sent, %met) = (0, 0, 0);

# Cancels after so many microseconds; what was said.
sub cancel_after {
    my ($sql, $delay) = @_;
    send_query($session, $sql);
    usleep($delay);
    kill 'INT', $session->{pid};
    $sent = time;
    return answer($session);
}

# On a slow machine the call may not have begun when it was cancelled.
sub was_too_early {
    return ask($admin, "SELECT min(started) > to_timestamp($sent) FROM mv_orchestrator.history WHERE run = (SELECT max(run) FROM mv_orchestrator.history)") eq 't';
}

sub check_race {
    my ($what, $said, $message) = @_;
    ask($session, 'RESET statement_timeout');
    my $left = as_it_was($session);
    return if $said =~ /ERROR:  57014: (?:could not refresh materialized view public\.s[12]: )?canceling statement due to $message/ && $left eq '|0|0|t';
    return if $said !~ /57014/ && $message !~ /timeout/ && was_too_early();
    # lock_timeout is a SIGINT that the server sends to itself. Of two that are pending at once the
    # kernel delivers one: who cancels in that very moment has sent none.
    return ++$merged if $what =~ /lock timer/ && $said =~ /ERROR:  55P03: 1 of 2/ && $left eq '|0|0|t';
    ++$failed;
    fail($what);
    diag("it said: $said\nand then: $left\n" . last_run());
}

# Whichever comes first, the next try goes towards the other one.
sub race {
    my ($limit) = @_;
    my $delay = 31_000;
    for my $point (1 .. $points) {
        check_race("cancel against $limit, after $delay us", cancel_after(q{CALL mv_run('{s1,s2}')}, $delay), 'user request');
        my $cancelled_first = last_run() =~ /^s1 failed 57014 [^;]*user request/;
        ++$met{"$limit " . ($cancelled_first ? 'second' : 'first')};
        $delay += (rand 400) * ($cancelled_first ? 1 : -1);
        # There a lock that is not had ends the run.
        next if $point % 3 || $limit =~ /lock/;
        check_race("the same in mv_refresh_all()", cancel_after(q{SELECT mv_refresh_all('{s1,s2}', on_error => 'continue')}, $delay + rand(1000) - 500), 'user request');
    }
}

pace($_, 10) for 's1', 's2';
race('the view timer');
for my $point (1 .. $points / 2) {
    # The statement's begins to run earlier than the view's.
    ask($session, 'SET statement_timeout = ' . (29 + int rand 6));
    my $said = ask($session, $point % 2 ? q{CALL mv_run('{s1,s2}')} : q{SELECT mv_refresh_all('{s1,s2}', on_error => 'continue')});
    # When the function has caught the one, it is the other, unnamed, that it cannot catch.
    check_race('statement_timeout', $said, '(?:statement timeout|user request)');
}
ask($holder, q{BEGIN; COMMENT ON MATERIALIZED VIEW s1 IS 'locked'});
race('the lock timer');
ask($holder, 'ROLLBACK');
note join ', ', map { "$_ $met{$_}" } sort keys %met;
is($failed, 0, 'a cancel wins') or diag("SEED=$seed");
cmp_ok($merged, '<=', 1 + $points / 10, 'but for those that the kernel has merged with the lock timer') or diag("SEED=$seed");

pace($_, 0) for 's1', 's2';
is(ask($session, q{CALL mv_run('{s1,s2,stubborn}')}), '', 'the next run works');
is(wrong_views($node), '', 'and every view is right');
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|terminated by signal/, 'nothing odd in the log');

done_testing();
