# What other sessions see of a run while it is stopped in each of its phases, in mv_orchestrator.progress
# and pg_stat_activity: run, step, view, phase and whom it waits for; who sees it and who does not; and
# that afterwards, however it ends, a session's reported query is its own again.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

# The odd view stops in its query while somebody holds advisory lock 1, in its second index while
# somebody holds 2, and when that index is analyzed while somebody holds 3.
my $odd = qq{"Odd */ ""view"",\n'step 9 of 9"};
my $literal = $odd =~ s/'/''/gr;
my $node = orchestrator_node('run_progress', "autovacuum = off\njit = off\n");
create_own_locks($node);
$node->safe_psql('postgres', <<SQL);
CREATE ROLE runner;
CREATE ROLE stranger;
CREATE ROLE watcher IN ROLE pg_read_all_stats;
GRANT ALL ON SCHEMA public TO runner;
SET ROLE runner;
CREATE TABLE version AS SELECT 0 AS v;
CREATE SEQUENCE calls;
CREATE FUNCTION gated(g int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \$\$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(2);
    IF nextval('public.calls') > 10 THEN PERFORM pg_advisory_xact_lock_shared(3); END IF;
    RETURN g;
END \$\$;
SELECT mv_register('"A"', 'SELECT v FROM version', mode => 'diff');
SELECT mv_register('$literal', 'SELECT v, g FROM version, generate_series(1, 10) g, pg_advisory_xact_lock_shared(1) gate',
    unique_key => '{g}', indexes => ARRAY['CREATE INDEX gated ON $literal USING btree (public.gated(g))'], mode => 'swap');
SELECT mv_create_all();
SQL
my $names = "ARRAY['\"A\"', '$literal']";
my ($admin, $runner, $holder, $reader) = map { session($node) } 1 .. 4;
my @gates = map { session($node) } 1 .. 3;
ask($runner, 'SET ROLE runner; SET client_min_messages = warning');

my $columns = q{concat_ws('|', step, steps, name, phase)};
sub progress { return ask($admin, "SELECT $columns FROM mv_orchestrator.progress"); }

# Until it is there, or what it is instead.
sub wait_for_progress {
    my ($expected) = @_;
    my $deadline = time + 180;
    my $seen = '';
    usleep(2000) until ($seen = progress()) eq $expected || time > $deadline;
    return $seen;
}

my $me = ask($admin, 'SELECT current_user');

# What of the present state does not depend on the phase. blocker: whom it waits for.
sub check_state {
    my ($phase, $call, $blocker, $numbered) = @_;
    my ($name) = $phase =~ /^\d+\|\d+\|(.*)\|[^|]+$/s;
    is(ask($admin, q{SELECT pid, role, started <= since, since <= clock_timestamp(), run IS NOT NULL, failed FROM mv_orchestrator.progress}),
        "$runner->{pid}|$me|t|t|" . ($numbered ? 't|0' : 'f|'), "$phase: who, since when, which run");
    if ($blocker) {
        ok($node->poll_query_until('postgres', "SELECT blocked_by = ARRAY[$blocker->{pid}] FROM mv_orchestrator.progress"), "$phase: whom it waits for");
    }
    my $query = ask($admin, "SELECT query FROM pg_stat_activity WHERE pid = $runner->{pid}");
    like($query, qr{^/\* mv_orchestrator.*\Q$call\E;$}s, "$phase: the caller's query is there still");
    is(ask($admin, 'SET ROLE stranger; SELECT count(*) FROM mv_orchestrator.progress; RESET ROLE'), 0, "$phase: a stranger sees nothing of it");
    unlike(ask($admin, "SET ROLE stranger; SELECT query FROM pg_stat_activity WHERE pid = $runner->{pid}; RESET ROLE"), qr/Odd|mv_/, "$phase: nor elsewhere");
    is(ask($admin, "SET ROLE watcher; SELECT $columns FROM mv_orchestrator.progress; RESET ROLE"), $phase, "$phase: who reads all statistics does");
}

sub is_own {
    my ($what, $call) = @_;
    is(ask($admin, "SELECT state, query FROM pg_stat_activity WHERE pid = $runner->{pid}"), "idle|$call;", "$what: the reported query is the caller's own");
    is(progress(), '', "$what: nothing is under way");
}

sub close_gates {
    ask($admin, "REFRESH MATERIALIZED VIEW $odd WITH NO DATA; ALTER SEQUENCE calls RESTART");
    ask($gates[ $_ - 1 ], "SELECT pg_advisory_lock($_)") for 1 .. 3;
    # A lock as readers have it; without rows nobody may read.
    ask($reader, "BEGIN; DEALLOCATE ALL; PREPARE r AS SELECT FROM $odd");
    ask($holder, 'BEGIN; LOCK TABLE version');
}

my $run = "CALL mv_run($names, on_overlap => 'wait')";
close_gates();
my $other = session($node);
ask($other, q{BEGIN; SELECT pg_backend_pid() FROM mv_drop('"A"')});
send_query($runner, $run);
is(wait_for_progress('waiting'), 'waiting', 'it waits for another run');
check_state('waiting', $run, $other, 0);
ask($other, 'ROLLBACK');
my @phases = (
    [ '1|2|public."A"|waiting', $holder, $holder ], [ "2|2|public.$odd|query", $gates[0], $gates[0] ],
    [ "2|2|public.$odd|index 2 of 2", $gates[1], $gates[1] ], [ "2|2|public.$odd|analyze", $gates[2], $gates[2] ],
    [ "2|2|public.$odd|exchange", $reader ]);
my $freed;
for my $stage (@phases) {
    my ($phase, $gate, $blocker) = @$stage;
    is(wait_for_progress($phase), $phase, "it comes to $phase");
    check_state($phase, $run, $blocker, 1);
    is(ask($admin, q{SELECT string_agg(view_name || ' ' || status, ', ') FROM mv_orchestrator.history h JOIN mv_orchestrator.progress USING (run)}),
        $phase =~ /^2/ ? 'A unchanged' : '', "$phase: the history tells what is done");
    $freed = ask($admin, 'SELECT clock_timestamp()');
    ask($gate, 'ROLLBACK; SELECT pg_advisory_unlock_all()');
}
is(answer($runner), '', 'it is done');
is(ask($admin, "SELECT started + elapsed >= '$freed' FROM mv_orchestrator.history ORDER BY run DESC, step DESC LIMIT 1"), 't',
    'the time of a step has in it that it waited for readers');
is_own('done', $run);

# The functions say the same, but for the number; whoever ends them, what they report ends.
for my $case ([ "SELECT count(*) FROM mv_refresh_all($names)", 'cancel' ], [ $run, 'cancel' ], [ "SELECT count(*) FROM mv_refresh('$literal')", 'failure' ]) {
    my ($call, $how) = @$case;
    close_gates();
    ask($holder, 'ROLLBACK');
    send_query($runner, $call);
    my $steps = $call =~ /'$/ || $call =~ /mv_refresh\(/ ? '1|1' : '2|2';
    my $phase = "$steps|public.$odd|query";
    is(wait_for_progress($phase), $phase, "$call: its query");
    check_state($phase, $call, $gates[0], $call =~ /CALL/) ;
    ask($admin, $how eq 'cancel' ? "SELECT pg_cancel_backend($runner->{pid})" : "ALTER SEQUENCE calls RENAME TO other");
    ask($_, 'ROLLBACK; SELECT pg_advisory_unlock_all()') for @gates, $reader;
    my %said = (cancel => qr/ERROR:  57014: canceling statement/, failure => qr/ERROR:  42P01: could not refresh/);
    like(answer($runner), $said{$how}, "$call: $how");
    is_own("$call, $how", $call);
    ask($admin, 'ALTER SEQUENCE IF EXISTS other RENAME TO calls');
}

# What failed is counted.
ask($admin, "UPDATE version SET v = 1; SELECT mv_register('\"A\"', 'SELECT v FROM version', mode => 'diff', options => '{\"lock_timeout\": 10, \"retries\": 1}')");
ask($holder, q{BEGIN; COMMENT ON MATERIALIZED VIEW "A" IS 'locked'});
ask($admin, "REFRESH MATERIALIZED VIEW $odd WITH NO DATA; ALTER SEQUENCE calls RESTART");
ask($gates[0], 'SELECT pg_advisory_lock(1)');
send_query($runner, $run);
is(wait_for_progress("2|2|public.$odd|query"), "2|2|public.$odd|query", 'the first view has failed');
is(ask($admin, 'SELECT failed FROM mv_orchestrator.progress'), 1, 'which is counted');
ask($_, 'ROLLBACK; SELECT pg_advisory_unlock_all()') for @gates, $reader, $holder;
like(answer($runner), qr/ERROR:  55P03: 1 of 2/, 'and said in the end');
is_own('failed', $run);

# Whoever writes such a comment himself does no run, also where he has one of his own.
for my $before ('SELECT 1', "SELECT count(*) FROM mv_refresh('\"A\"')") {
    ask($runner, $before);
    ask($gates[0], 'SELECT pg_advisory_lock(1)');
    my $fake = "/* mv_orchestrator run 1, step 1 of 3, query: public.fake */ SELECT pg_advisory_lock(1)";
    send_query($runner, $fake);
    my $deadline = time + 60;
    usleep(2000) until ask($admin, "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $runner->{pid}") eq 'Lock' || time > $deadline;
    is(ask($admin, "SELECT query FROM pg_stat_activity WHERE pid = $runner->{pid}"), "$fake;", 'somebody writes such a comment');
    is(progress(), '', 'which is no progress');
    ask($gates[0], 'SELECT pg_advisory_unlock_all()');
    answer($runner);
    ask($runner, 'SELECT pg_advisory_unlock_all()');
}
ask($gates[0], 'SELECT pg_advisory_lock(1)');
my $fake = "/* mv_orchestrator run 1, step 1 of 3, query: public.fake */ SELECT count(*) FROM mv_refresh('$literal')";
send_query($runner, $fake);
is(wait_for_progress("1|1|public.$odd|query"), "1|1|public.$odd|query", 'nor is it where a run is');
ask($gates[0], 'SELECT pg_advisory_unlock_all()');
answer($runner);

# Not reported at all.
ask($admin, 'ALTER ROLE CURRENT_USER SET track_activities = off');
my $silent = session($node);
is(ask($silent, "SELECT count(*) FROM mv_refresh('\"A\"')"), 1, 'a session that reports nothing');
is(ask($admin, "SELECT state FROM pg_stat_activity WHERE pid = $silent->{pid}"), 'disabled', 'reports nothing');
ask($admin, 'ALTER ROLE CURRENT_USER RESET track_activities');
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|terminated by signal/, 'nothing odd in the log');

done_testing();
