# CALL mv_run() under fire: cancel, terminate, statement_timeout, kill -9, an immediate shutdown, DROP of
# a later view and of the extension, and another run, at instants that are chosen and at random ones.
# Afterwards each view holds its old or its new rows, whole: the new ones exactly where the history
# says so; no lock, no relation and no file is left, the session is as it was, and the next run works.
# SEED in the environment repeats the random part, MVO_POINTS says how many instants it tries.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvScene;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $points = $ENV{MVO_POINTS} // 30;
my $seed = $ENV{SEED} // int rand 2**31;
srand $seed;
note "SEED=$seed MVO_POINTS=$points";

my $node = scene('run_fire', "restart_after_crash = on\ncheckpoint_timeout = 1h\nmax_wal_size = 10GB\n");
my %session;  # admin, holder, victim, other
my %known;  # files that a crash has left
my $views = q{'{a,m,z}'};

sub of { my ($who) = @_; return $session{$who} = $session{$who} && alive($session{$who}) ? $session{$who} : session($node); }

# Where a run can be stopped, and how many views are committed by then.
my %stop = (
    source => { by => 'BEGIN; LOCK TABLE version', done => 0 },
    exchange => { by => 'BEGIN; SELECT FROM a LIMIT 0', done => 0 },
    locked => { by => q{BEGIN; COMMENT ON MATERIALIZED VIEW m IS 'x'}, done => 1 },
    pause => { by => q{BEGIN; COMMENT ON MATERIALIZED VIEW m IS 'x'}, limit => '40ms', done => 1 },
    query => { by => 'SELECT pg_advisory_lock(1)', done => 1 },
    index => { by => 'SELECT pg_advisory_lock(2)', done => 1 },
    last_exchange => { by => 'BEGIN; SELECT FROM z LIMIT 0', done => 2 },
);

sub last_run_number { return ask(of('admin'), 'SELECT coalesce(max(run), 0) FROM mv_orchestrator.run_step'); }

# The state that the history tells of, for the views that there still are.
sub told_state {
    my ($since) = @_;
    return ask(of('admin'), qq{SELECT concat_ws(' ', string_agg(matviewname || '=' || CASE WHEN EXISTS (
            SELECT FROM mv_orchestrator.run_step s WHERE run > $since AND s.view_name = v.matviewname
              AND status IN ('refreshed', 'unchanged')) THEN 'fresh' ELSE 'old' END, ' ' ORDER BY matviewname), 'r=old rest=old')
        FROM pg_matviews v});
}

# A session in which a call has ended: it may have noticed nothing else.
sub session_complaints {
    my $said = ask(of('victim'), q{SELECT current_user = session_user, current_setting('search_path'), current_setting('lock_timeout'),
        own_locks(), now() = statement_timestamp()});
    my $query = ask(of('admin'), "SELECT query FROM pg_stat_activity WHERE pid = $session{victim}{pid}");
    return ($said eq 't|"$user", public|0|0|t' ? () : "the session: $said", $query =~ /mv_orchestrator/ ? "it reports: $query" : ());
}

# Those of undone relations that only a crash leaves, as it does after the server's own REFRESH.
sub file_complaints {
    my ($may_leave) = @_;
    my @new = grep { !$known{$_} } stray_files(of('admin'));
    $known{$_} = 1 for @new;
    return $may_leave ? () : map { "file $_" } @new;
}

sub next_run {
    ask(of('admin'), "SELECT FROM mv_create_all($views)");
    my $said = ask(of('victim'), "CALL mv_run($views, on_overlap => 'fail')");
    my @wrong = $said eq '' ? () : "next run: $said";
    ask(of('admin'), 'TRUNCATE before.rows, before.views');
    return (@wrong, complaints(of('admin'), 'a=fresh m=fresh z=fresh r=old rest=old'), file_complaints(0));
}

# Starts a run; with a stop, returns when it is there.
sub start {
    my ($stop, $arguments) = @_;
    ask(of('holder'), $stop->{by}) if $stop;
    ask(of('victim'), "SET mv_orchestrator.lock_timeout = '$stop->{limit}'") if $stop && $stop->{limit};
    of('admin');
    send_query(of('victim'), "CALL mv_run($views" . ($arguments // '') . ')');
    return unless $stop;
    wait_until_stopped($session{admin}, $session{victim}{pid});
    return unless $stop->{limit};
    my $deadline = time + 60;
    usleep(1000) until ask($session{admin}, "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $session{victim}{pid}") eq 'Extension'
      || time > $deadline;
}

sub release { ask(of('holder'), 'ROLLBACK; SELECT pg_advisory_unlock_all()'); }

my %fire = (
    cancel => sub { ask($session{admin}, "SELECT pg_cancel_backend($session{victim}{pid})") },
    terminate => sub { ask($session{admin}, "SELECT pg_terminate_backend($session{victim}{pid})") },
    timeout => sub { },  # set before
    kill => sub {
        kill 'KILL', $session{victim}{pid} or die 'no such process';
        my $deadline = time + 60;
        usleep(1000) while (kill 0, $session{victim}{pid}) && time < $deadline;
    },
    immediate => sub { $node->stop('immediate'); $node->start },
);
my %message = (
    cancel => qr/ERROR:  57014: canceling statement due to user request/,
    timeout => qr/ERROR:  57014: canceling statement due to statement timeout/,
    terminate => qr/FATAL:  57P01: terminating connection due to administrator command/,
    kill => qr/connection to server was lost/,
    immediate => qr/terminating connection because of unexpected postmaster exit|immediate shutdown|connection to server was lost/,
);

# Nobody's session is left after a crash.
sub reconnect { %session = (admin => session_when_back($node)); }

# where: a stop's name or a number of microseconds.
sub fire_at {
    my ($where, $how, $arguments) = @_;
    my $stop = $stop{$where};
    prepare(of('admin'), {});
    my $since = last_run_number();
    # Workers take views of which no time is known.
    my $parallel = ($arguments // '') =~ /jobs/;
    ask(of('admin'), 'TRUNCATE mv_orchestrator.run_step') if $parallel;
    my $limit = $stop ? 300 : 1 + int $where / 1000;
    ask(of('victim'), "SET statement_timeout = $limit") if $how eq 'timeout';
    start($how eq 'timeout' ? undef : $stop, $arguments) unless $how eq 'timeout' && $stop;
    if ($how eq 'timeout' && $stop) {
        ask(of('holder'), $stop->{by});
        ask(of('victim'), "SET mv_orchestrator.lock_timeout = '$stop->{limit}'") if $stop->{limit};
        send_query(of('victim'), "CALL mv_run($views)");
    }
    usleep($where) unless $stop || $how eq 'timeout';
    $fire{$how}->();
    my $said = answer($session{victim});
    reconnect() if $how =~ /kill|immediate/;
    release() if $stop;
    if ($session{victim} && alive($session{victim})) { ask($session{victim}, "RESET $_") for 'statement_timeout', 'mv_orchestrator.lock_timeout'; }
    my @wrong = ($stop || $said) && $said !~ $message{$how} ? "it said: $said" : ();
    push @wrong, 'a worker is left' if $parallel && !wait_for_no_workers($node);
    my $told = told_state($since);
    my $done = () = $told =~ /=fresh/g;
    push @wrong, "$done views are done" if $stop && $how ne 'timeout' && $done != $stop->{done};
    push @wrong, complaints(of('admin'), $told), file_complaints($how =~ /kill|immediate/ && $done < 3);
    push @wrong, session_complaints(), next_run();
    my $what = "$where, $how" . ($arguments // '');
    ok(!@wrong, $what) or diag(join "\n", @wrong);
}

# A later view is dropped, by somebody who waits for nothing but that view.
sub drop_view_at {
    my ($where) = @_;
    my $stop = $stop{$where};
    prepare(of('admin'), {});
    my $since = last_run_number();
    start($stop);
    usleep($where) unless $stop;
    send_query(of('other'), 'DROP MATERIALIZED VIEW z');
    wait_until_stopped($session{admin}, $session{other}{pid}) if $where eq 'last_exchange';
    release() if $stop;
    my @said = map { answer($session{$_}) } qw(victim other);
    ask($session{victim}, 'RESET mv_orchestrator.lock_timeout');
    my $told = told_state($since);
    my @wrong = $said[1] eq '' && ($said[0] eq '' || $said[0] =~ /ERROR:  42P01: 1 of 3 .*could not be/) ? () : "it said: @said";
    my $z = ask($session{admin}, "SELECT count(*) FROM mv_orchestrator.history WHERE run > $since AND view_name = 'z' AND status = 'failed' AND sqlstate = '42P01'");
    push @wrong, "z failed $z times, and it said: $said[0]" if $z != ($said[0] ne '');
    push @wrong, 'a view is not done' if $told ne 'a=fresh m=fresh r=old rest=old';
    push @wrong, complaints($session{admin}, $told), file_complaints(0), session_complaints(), next_run();
    ok(!@wrong, "$where, DROP of a later view") or diag(join "\n", @wrong);
}

# What was done stays; there is no history any more to tell what that is.
sub drop_extension_at {
    my ($where) = @_;
    my $stop = $stop{$where};
    prepare(of('admin'), {});
    start($stop);
    usleep($where) unless $stop;
    send_query(of('other'), 'DROP EXTENSION mv_orchestrator');
    usleep(20_000);
    release() if $stop;
    my @said = map { answer($session{$_}) } qw(victim other);
    ask($session{victim}, 'RESET mv_orchestrator.lock_timeout');
    my $dropped = $said[1] eq '';
    my @wrong = $dropped || $said[1] =~ /ERROR:  40P01/ ? () : "the DROP said: $said[1]";
    # Where the server is slow, the DROP takes longer than the run's limit.
    my $limited = slowness() > 1 && $stop && $stop->{limit} && $said[0] =~ /^ERROR:  55P03: canceling statement due to lock timeout/;
    push @wrong, "the run said: $said[0]"
      unless $said[0] =~ /^ERROR:  55000: extension "mv_orchestrator" was dropped during the run/ || $said[0] eq '' || $limited;
    ask($session{admin}, 'CREATE EXTENSION mv_orchestrator; ' . registrations() =~ s/;\s*$//r) if $dropped;
    my $state = state($session{admin});
    push @wrong, "state is $state" unless $state =~ /^a=(?:old m=old z=old|fresh m=(?:old z=old|fresh z=(?:old|fresh))) /;
    push @wrong, complaints($session{admin}, $state), file_complaints(0), session_complaints(), next_run();
    ok(!@wrong, "$where, DROP EXTENSION" . ($dropped ? '' : ', which was undone')) or diag(join "\n", @wrong);
}

# Two runs of the same views: the second skips, fails or waits, and the first notices nothing.
sub second_run_at {
    my ($where, $overlap) = @_;
    my $stop = $stop{$where};
    prepare(of('admin'), {});
    my $since = last_run_number();
    start($stop);
    usleep($where) unless $stop;
    send_query(of('other'), "CALL mv_run($views, on_overlap => '$overlap')");
    # Whoever does not wait ends while the other one is stopped.
    my $second = $overlap eq 'wait' ? undef : answer($session{other});
    release() if $stop;
    my $first = answer($session{victim});
    $second //= answer($session{other});
    ask($session{victim}, 'RESET mv_orchestrator.lock_timeout');
    my $who = qr/materialized view public\.[amz] is in a run of process $session{victim}{pid}/;
    my %expected = (skip => qr/^NOTICE:  00000: run skipped: $who/, fail => qr/^ERROR:  55P03: $who/, wait => qr/^$/);
    my $one_after_the_other = !$stop && $second eq '';
    my @wrong = $first eq '' && ($second =~ $expected{$overlap} || $one_after_the_other) ? () : "they said: $first\nand: $second";
    my $runs = ask($session{admin}, qq{SELECT string_agg(s, ' ' ORDER BY run) FROM (SELECT run, string_agg(DISTINCT CASE status WHEN 'skipped' THEN
        status ELSE 'done' END, '+') || count(*) AS s FROM mv_orchestrator.run_step WHERE run > $since GROUP BY run) x});
    my %told = (skip => 'done3 skipped3', fail => 'done3', wait => 'done3 done3');
    push @wrong, "history tells: $runs" unless join(' ', sort split / /, $runs) eq ($one_after_the_other ? $told{wait} : $told{$overlap});
    push @wrong, complaints($session{admin}, 'a=fresh m=fresh z=fresh r=old rest=old'), file_complaints(0), session_complaints(), next_run();
    ok(!@wrong, "$where, a second run: $overlap") or diag(join "\n", @wrong);
}

for my $where (sort keys %stop) {
    fire_at($where, $_) for sort keys %fire;
    drop_view_at($where);
    drop_extension_at($where);
    second_run_at($where, $_) for qw(skip fail wait);
}

prepare(of('admin'), {});
my $start = time;
ask(of('victim'), "CALL mv_run($views)");
my $duration = 1e6 * (time - $start);
my @hows = ((qw(cancel terminate timeout cancel timeout drop_view second second)) x 2, qw(kill immediate drop_extension));
for (1 .. $points) {
    my ($how, $instant) = ($hows[ rand @hows ], int rand 1.2 * $duration);
    if ($how eq 'drop_view') { drop_view_at($instant); }
    elsif ($how eq 'drop_extension') { drop_extension_at($instant); }
    elsif ($how eq 'second') { second_run_at($instant, (qw(skip fail wait))[ rand 3 ]); }
    else { fire_at($instant, $how, (q{}, q{, mode => 'plain'}, q{, mode => 'swap'}, q{, mode => 'concurrent'}, q{, mode => 'diff'})[ rand 5 ] . (q{}, q{, jobs => 2})[ rand 2 ]); }
}

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|XX001|XX002|invalid page|signal 11/, 'nothing odd in the log');
diag("SEED=$seed") unless Test::More->builder->is_passing;
done_testing();
