# CALL mv_run(jobs => 2) under fire at chosen instants: workers that are cancelled, terminated and killed,
# and the session that waits for them as well; its client gone, statement_timeout, the server stopped;
# DROP of a view and of the extension; views that fail; another run. Afterwards each view holds its
# old or its new rows, whole: the new ones exactly where the history says so; no worker, no lock, no
# relation and no file is left, and the next run works, in workers again.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvParallel;
use MvScene;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $slow = slowness();
my $node = parallel_scene('parallel_fire');
my %session;  # admin, gate1 to gate3, leader, other
my $views = q{'{a,b,c,d,e,f}'};
my $since;  # the last run before
my %gate = (a => 1, b => 2, f => 3);

sub of { my ($who) = @_; return $session{$who} = $session{$who} && alive($session{$who}) ? $session{$who} : session($node); }

sub close_gates { ask(of("gate$gate{$_}"), "SELECT pg_advisory_lock($gate{$_})") for @_; }
sub open_gates { ask(of("gate$gate{$_}"), 'SELECT pg_advisory_unlock_all()') for @_; }
sub refreshed { return join ', ', map { "$_ refreshed" } @_; }

# A view without history is one whose time is not known: workers take it.
sub forget { ask(of('admin'), 'TRUNCATE mv_orchestrator.run_step'); }

# Begins a run whose workers will be stopped at "a" and "b".
sub begin_run {
    my ($arguments, @settings) = @_;
    prepare(of('admin'), {});
    $since = ask(of('admin'), 'SELECT last_value - (NOT is_called)::int FROM mv_orchestrator.run_id');
    forget();
    close_gates('a', 'b');
    ask(of('leader'), $_) for @settings;
    send_query(of('leader'), "CALL mv_run($views, jobs => 2" . ($arguments // '') . ')');
}

# And says who they are, when they are.
sub start {
    begin_run(@_);
    return map { worker_at(of('admin'), $_) } 'a', 'b';
}

# Nobody's session is left after a crash.
sub reconnect { %session = (admin => session_when_back($node)); }

sub kill_process {
    my ($pid) = @_;
    kill 'KILL', $pid or die 'no such process';
    wait_until(sub { !kill 0, $pid });
}

# A run of which nothing disturbs, in workers, by the same session where that is still there.
sub next_run {
    ask(of('admin'), 'SELECT FROM mv_create_all(' . $views . ')');
    forget();
    my $said = ask(of('leader'), "CALL mv_run($views, jobs => 2, on_overlap => 'fail')");
    my @wrong = $said eq '' ? () : "next run: $said";
    my $by = ask(of('admin'), "SELECT count(*) FROM mv_orchestrator.history WHERE pid <> $session{leader}{pid}");
    push @wrong, "workers took $by steps" if $by != 6;
    ask(of('admin'), 'TRUNCATE before.rows, before.views');
    return @wrong, complaints(of('admin'), 'a=fresh b=fresh c=fresh d=fresh e=fresh f=fresh r=old rest=old');
}

# What the end of a run has left. crashed: files may stay.
sub check_after {
    my ($what, $crashed, @wrong) = @_;
    my ($no_workers, $no_locks) = (wait_for_no_workers($node), wait_for_no_locks($node));
    push @wrong, 'a worker is left' unless $no_workers;
    push @wrong, 'a lock is left' unless $no_locks;
    push @wrong, complaints(of('admin'), told_state(of('admin'), $since)), stray_complaints(of('admin'), $crashed);
    if ($session{leader} && alive($session{leader})) {
        my $own = ask($session{leader}, q{RESET statement_timeout; SELECT current_user = session_user, current_setting('search_path'),
            current_setting('lock_timeout'), own_locks(), now() = statement_timestamp()});
        push @wrong, "the session: $own" if $own ne 't|"$user", public|0|0|t';
    }
    push @wrong, next_run(), stray_complaints(of('admin'), 0);
    ok(!@wrong, "$what: what is left, and the next run") or diag(join "\n", @wrong);
}

sub says { my ($what, $history) = @_; is(history(of('admin'), $since), $history, "$what: the history"); }

sub pid_of {
    my ($view) = @_;
    return ask(of('admin'), "SELECT pid FROM mv_orchestrator.history WHERE run > $since AND view_name = '$view'");
}

# Workers, one after the other and all.
{
    my ($at_a, $at_b) = start();
    ask(of('admin'), "SELECT pg_terminate_backend($at_a)");
    open_gates('b', 'a');
    my $said = answer($session{leader});
    like($said, qr/^WARNING:  01000: 1 of 2 workers ended before the run did$/m, 'a worker terminated: a warning');
    like($said, qr/^ERROR:  57P01: 3 of 6 materialized views could not be refreshed\nDETAIL:  public\.a: 57P01: its worker was terminated\n/m, 'and an error');
    says('a worker terminated', 'a failed 57P01, b refreshed, c upstream_failed, d refreshed, e upstream_failed, f refreshed');
    is(pid_of('a'), $at_a, 'by the worker that was');
    is(pid_of($_), $at_b, "$_ by the other one") for 'b', 'd', 'f';
    check_after('a worker terminated');
}
{
    my ($at_a, $at_b) = start();
    ask(of('admin'), "SELECT pg_cancel_backend($at_a)");
    is(wait_for_answer(of('admin'), "SELECT pid FROM mv_orchestrator.history WHERE run > $since AND view_name = 'f'", $at_a), $at_a,
        'a worker cancelled: it goes on while the other one is still at its view');
    open_gates('b', 'a');
    my $said = answer($session{leader});
    like($said, qr/^ERROR:  57014: 3 of 6 materialized views could not be refreshed\nDETAIL:  public\.a: 57014: canceling statement due to user request\n/, 'and an error alone');
    says('a worker cancelled', 'a failed 57014, b refreshed, c upstream_failed, d refreshed, e upstream_failed, f refreshed');
    is(pid_of('a'), $at_a, 'by the worker that was at it');
    check_after('a worker cancelled');
}
{
    my @all = start();
    ask(of('admin'), "SELECT pg_terminate_backend($_)") for @all;
    my $said = answer($session{leader});
    open_gates('a', 'b');
    like($said, qr/^WARNING:  01000: 2 of 2 workers ended before the run did\n.*^ERROR:  57P01: 5 of 6 /ms, 'all workers terminated');
    says('all workers terminated', 'a failed 57P01, b failed 57P01, c upstream_failed, d upstream_failed, e upstream_failed, f refreshed');
    is(pid_of('f'), $session{leader}{pid}, 'the session takes what is left');
    check_after('all workers terminated');
}
for my $how (qw(cancel terminate)) {
    my ($at_a, $at_b) = start();
    open_gates('a');
    wait_until(sub { history(of('admin'), $since) eq refreshed(qw(a c f)) });
    wait_for_answer(of('admin'), "SELECT state FROM pg_stat_activity WHERE pid = $at_a", 'idle');
    ask(of('admin'), "SELECT pg_${how}_backend($at_a)");
    my $left = $how eq 'cancel' ? join ' ', sort { $a <=> $b } $at_a, $at_b : $at_b;
    usleep(500_000) if $how eq 'cancel';  # to end in, if it were to
    ok(wait_until(sub { join(' ', workers(of('admin'))) eq $left }), "$how of a worker that has nothing to do");
    open_gates('b');
    my $said = answer($session{leader});
    like($said, $how eq 'cancel' ? qr/^\z/ : qr/^WARNING:  01000: 1 of 2 workers ended before the run did\nHINT: [^\n]*\nLOCATION: [^\n]*\z/, 'what the run says of it');
    says("$how of an idle worker", refreshed('a' .. 'f'));
    check_after("$how of an idle worker");
}

# The session that waits for them.
for my $how (qw(cancel timeout)) {
    my @pids = start(undef, $how eq 'timeout' ? "SET statement_timeout = '${\ (4 * $slow)}s'" : ());
    ask(of('admin'), "SELECT pg_cancel_backend($session{leader}{pid})") if $how eq 'cancel';
    my $said = answer($session{leader});
    my $why = $how eq 'cancel' ? 'user request' : 'statement timeout';
    like($said, qr/^ERROR:  57014: canceling statement due to $why\n/, "$how of the session");
    is(join(' ', workers(of('admin'))), '', 'when that is over, no worker is left');
    is(history(of('admin'), $since), 'a failed 57014, b failed 57014', 'what was struck is written down');
    is(join(' ', map { pid_of($_) } 'a', 'b'), join(' ', @pids), 'and who was at it');
    open_gates('a', 'b');
    check_after("$how of the session");
}
{
    start();
    ask(of('admin'), "SELECT pg_terminate_backend($session{leader}{pid})");
    like(answer($session{leader}), qr/FATAL:  57P01: terminating connection due to administrator command/, 'the session terminated');
    ok(wait_for_no_workers($node), 'takes its workers along, though both are stopped');
    is(history(of('admin'), $since), '', 'before they come to any end of their own');
    open_gates('a', 'b');
    check_after('the session terminated');
}
{
    start(undef, "SET client_connection_check_interval = '50ms'");
    $session{leader}{run}->signal('KILL');
    eval { answer($session{leader}) };
    ok(wait_for_no_workers($node), 'a client that is gone takes workers along, where the server looks for it');
    is(history(of('admin'), $since), '', 'before they come to any end of their own');
    open_gates('a', 'b');
    check_after('a client that is gone');
}
{
    my $pid = (start(), $session{leader}{pid})[-1];
    $session{leader}{run}->signal('KILL');
    eval { answer($session{leader}) };
    open_gates('a', 'b');
    ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'where it does not look');
    says('a client that is gone unnoticed', refreshed('a' .. 'f'));
    check_after('a client that is gone unnoticed');
}
for my $who (qw(worker session)) {
    my @pids = start();
    kill_process($who eq 'worker' ? $pids[0] : $session{leader}{pid});
    like(answer($session{leader}), qr/connection to server was lost/, "a $who killed");
    reconnect();
    is(history(of('admin'), $since), '', 'and the history says nothing of what was not done');
    check_after("a $who killed", 1);
}
for my $how (qw(fast immediate)) {
    my ($at_a, $at_b) = start();
    open_gates('a');
    wait_until(sub { history(of('admin'), $since) eq refreshed(qw(a c f)) });
    $node->stop($how);
    answer($session{leader});
    $node->start;
    reconnect();
    like(history(of('admin'), $since), qr/^a refreshed, (?:b failed 57P01, )?c refreshed, f refreshed\z/, "a $how shutdown");
    check_after("a $how shutdown", $how eq 'immediate');
}

# DROP.
{
    start();
    ask(of('other'), 'SET client_min_messages = warning; DROP MATERIALIZED VIEW d CASCADE; RESET client_min_messages');
    open_gates('a', 'b');
    like(answer($session{leader}), qr/^ERROR:  42P01: 2 of 6 materialized views could not be refreshed\n/, 'a view dropped');
    says('a view dropped', 'a refreshed, b refreshed, c refreshed, d failed 42P01, e upstream_failed, f refreshed');
    check_after('a view dropped');
}
{
    start();
    close_gates('f');
    open_gates('b');
    my $at_f = worker_at(of('admin'), 'f');
    is(ask(of('other'), 'SET client_min_messages = warning; DROP MATERIALIZED VIEW e; RESET client_min_messages'), '', 'a view that nobody is at is dropped at once');
    send_query(of('other'), 'DROP MATERIALIZED VIEW f');
    is(wait_for_answer(of('admin'), "SELECT pg_blocking_pids($session{other}{pid})", "{$at_f}"), "{$at_f}", 'DROP of the view that a worker is at waits for it');
    open_gates('a', 'f');
    like(answer($session{leader}), qr/^ERROR:  42P01: 1 of 6 /, 'the one could not be refreshed');
    is(answer($session{other}), '', 'the other is dropped then');
    says('a view dropped that a worker is at', 'a refreshed, b refreshed, c refreshed, d refreshed, e failed 42P01, f refreshed');
    check_after('a view dropped that a worker is at');
}
{
    start();
    send_query(of('other'), 'DROP EXTENSION mv_orchestrator');
    wait_until(sub { ask(of('admin'), "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $session{other}{pid}") eq 'Lock' });
    open_gates('a', 'b');
    my @said = map { answer($session{$_}) } qw(leader other);
    is($said[1], '', 'the extension dropped');
    like($said[0], qr/^ERROR:  55000: extension "mv_orchestrator" was dropped during the run/m, 'which the run says');
    ok(wait_for_no_workers($node), 'and no worker is left');
    ask(of('admin'), 'CREATE EXTENSION mv_orchestrator');
    ask(of('admin'), parallel_registrations() =~ s/;\s*$//r);
    is(state(of('admin')), 'a=fresh b=fresh c=old d=old e=old f=old r=old rest=old', 'what was done by then stays');
    my @wrong = (stray_complaints(of('admin'), 0), next_run());
    ok(!@wrong, 'the extension dropped: what is left, and the next run') or diag(join "\n", @wrong);
}

# Views that fail by themselves.
for my $on_error (qw(stop continue)) {
    my $what = "on_error => '$on_error'";
    my ($at_a, $at_b) = start(", on_error => '$on_error'");
    ask(of('admin'), "SELECT pg_cancel_backend($at_a)");
    my $rest = $on_error eq 'stop' ? 'd skipped, e upstream_failed, f skipped' : 'd refreshed, e upstream_failed, f refreshed';
    my $so_far = $on_error eq 'stop' ? 'a failed 57014' : 'a failed 57014, f refreshed';
    is(wait_for_answer(of('admin'), qq{SELECT string_agg(concat_ws(' ', view_name, status, sqlstate), ', ' ORDER BY view_name)
        FROM mv_orchestrator.history WHERE run > $since}, $so_far), $so_far, "$what: a view has failed");
    open_gates('a', 'b');
    my $untried = $on_error eq 'stop' ? ', 2 not tried' : '';
    like(answer($session{leader}), qr/^ERROR:  57014: 3 of 6 materialized views could not be refreshed$untried\n/, "$what: it says so");
    says($what, "a failed 57014, b refreshed, c upstream_failed, $rest");
    check_after($what);
}

{
    my ($at_a, $at_b) = start(", on_error => 'stop'");
    ask(of('admin'), "SELECT pg_terminate_backend($at_a)");
    wait_until(sub { history(of('admin'), $since) eq 'a failed 57P01' });
    open_gates('a', 'b');
    like(answer($session{leader}), qr/^ERROR:  57P01: 3 of 6 materialized views could not be refreshed, 2 not tried\n/m, "on_error => 'stop', and a worker terminated");
    says("on_error => 'stop', and a worker terminated", 'a failed 57P01, b refreshed, c upstream_failed, d skipped, e upstream_failed, f skipped');
    check_after("on_error => 'stop', and a worker terminated");
}

# Limits of one view hold in workers as well, and fail that one alone.
{
    begin_run(undef, "SET mv_orchestrator.view_timeout = '${\ (2 * $slow)}s'");
    is(wait_for_answer(of('admin'), "SELECT count(*) FROM mv_orchestrator.history WHERE run > $since AND status = 'failed'", 2), 2, 'view_timeout in workers');
    open_gates('a', 'b');
    like(answer($session{leader}), qr/^ERROR:  57014: 5 of 6 materialized views could not be refreshed\n/, 'it says so');
    says('view_timeout', 'a failed 57014, b failed 57014, c upstream_failed, d upstream_failed, e upstream_failed, f refreshed');
    is(scalar(grep { $_ eq pid_of('f') } pid_of('a'), pid_of('b')), 1, 'by a worker that goes on');
    ask($session{leader}, 'RESET mv_orchestrator.view_timeout');
    check_after('view_timeout');
}
{
    ask(of('other'), 'BEGIN; COMMENT ON MATERIALIZED VIEW d IS NULL');
    start(undef, q{SET mv_orchestrator.lock_timeout = '50ms'});
    open_gates('a', 'b');
    like(answer($session{leader}), qr/^ERROR:  55P03: 2 of 6 materialized views could not be refreshed\nDETAIL:  public\.d: 55P03: [^\n]*; tried again 2 times\n/, 'lock_timeout in workers, and tries');
    ask($session{other}, 'ROLLBACK');
    says('lock_timeout', 'a refreshed, b refreshed, c refreshed, d failed 55P03, e upstream_failed, f refreshed');
    ask($session{leader}, 'RESET mv_orchestrator.lock_timeout');
    check_after('lock_timeout');
}

# Another parallel run of the same views, and one of others.
for my $overlap (qw(skip fail wait)) {
    start();
    my $who = qr/materialized view public\.[a-f] is in a run of process $session{leader}{pid}/;
    my %expected = (skip => qr/^NOTICE:  00000: run skipped: $who/, fail => qr/^ERROR:  55P03: $who/, wait => qr/^\z/);
    send_query(of('other'), "CALL mv_run($views, jobs => 2, on_overlap => '$overlap')");
    my $second = $overlap eq 'wait' ? undef : answer($session{other});
    if ($overlap eq 'wait') {
        wait_until(sub { ask(of('admin'), "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $session{other}{pid}") eq 'Lock' });
        is(scalar(workers(of('admin'))), 2, 'a second run that waits has no workers yet');
    }
    open_gates('a', 'b');
    is(answer($session{leader}), '', "a second run, $overlap: the first one notices nothing");
    like($second // answer($session{other}), $expected{$overlap}, 'and the second does what it was told');
    my %told = (skip => 'done6 skipped6', fail => 'done6', wait => 'done6 done6');
    is(join(' ', sort split / /, ask(of('admin'), qq{SELECT string_agg(s, ' ') FROM (SELECT run, string_agg(DISTINCT CASE status WHEN 'skipped' THEN
        status ELSE 'done' END, '+') || count(*) AS s FROM mv_orchestrator.run_step WHERE run > $since GROUP BY run) x})), $told{$overlap}, 'so the history');
    check_after("a second run, $overlap");
}

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|XX001|XX002|invalid page|signal 11/, 'nothing odd in the log');
done_testing();
