# CALL mv_run(jobs => 2 and 3) under fire at random instants: its session and its workers cancelled,
# terminated and killed, statement_timeout, the server stopped, a view or the extension dropped, a
# second run, and several of these in one run. Afterwards each view holds its old or its new rows,
# whole: the new ones exactly where the history says so; the steps of the history fit together and to
# what the session was told; no worker, lock, relation or file is left, and the next run works.
# SEED in the environment repeats a run, MVO_POINTS says how many instants it tries.

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

my $points = $ENV{MVO_POINTS} // 40;
my $seed = $ENV{SEED} // int rand 2**31;
srand $seed;
note "SEED=$seed MVO_POINTS=$points";

my $node = parallel_scene('parallel_instants', "log_line_prefix = '%m [%p] %b '\n");
my %session;  # admin, leader, other
my $views = q{'{a,b,c,d,e,f}'};
my ($hits, $misses, %done) = (0, 0);

sub of { my ($who) = @_; return $session{$who} = $session{$who} && alive($session{$who}) ? $session{$who} : session($node); }
sub one_of { return $_[ rand @_ ]; }

# Nobody's session is left after a crash.
sub reconnect { %session = (admin => session_when_back($node)); }

sub kill_at_once { my ($pid) = @_; wait_until(sub { !kill 0, $pid }) if $pid && kill 'KILL', $pid; }

# To whom, what. Each says whether it has met somebody.
my %fire = (
    cancel => sub { ask($session{admin}, "SELECT pg_cancel_backend($session{leader}{pid})"); 1 },
    terminate => sub { ask($session{admin}, "SELECT pg_terminate_backend($session{leader}{pid})"); 1 },
    worker_cancel => sub { my @w = workers($session{admin}); ask($session{admin}, 'SELECT pg_cancel_backend(' . one_of(@w) . ')') if @w; scalar @w },
    worker_terminate => sub { my @w = workers($session{admin}); ask($session{admin}, 'SELECT pg_terminate_backend(' . one_of(@w) . ')') if @w; scalar @w },
    workers_terminate => sub { my @w = workers($session{admin}); ask($session{admin}, "SELECT pg_terminate_backend($_)") for @w; scalar @w },
    worker_kill => sub { my @w = workers($session{admin}); kill_at_once(one_of(@w)) if @w; scalar @w },
    kill => sub { kill_at_once($session{leader}{pid}); 1 },
    fast => sub { $node->stop('fast'); $node->start; 1 },
    immediate => sub { $node->stop('immediate'); $node->start; 1 },
    drop_view => sub { send_query(of('other'), 'DROP MATERIALIZED VIEW ' . one_of('e', 'f')); 1 },
    drop_extension => sub { send_query(of('other'), 'DROP EXTENSION mv_orchestrator'); 1 },
    second => sub { send_query(of('other'), "CALL mv_run($views, jobs => 2, on_overlap => '" . one_of(qw(skip fail wait)) . q{')}); 1 },
    timeout => sub { 1 },  # set before
);
my @mild = ((qw(cancel terminate timeout)) x 2, (qw(worker_cancel worker_terminate)) x 4, qw(workers_terminate workers_terminate drop_view second second));
my @hard = qw(worker_kill kill fast immediate drop_extension);

# What may be said, whatever it was.
my $told_failures = qr/^ERROR:  (?:57014|57P01|42P01): \d of 6 materialized views could not be refreshed/m;
my $told_end = qr/^ERROR:  57014: canceling statement|FATAL:  57P01|connection to server was lost|terminating connection|server closed the connection|^ERROR:  55000: extension "mv_orchestrator" was dropped/m;

# What in the history does not fit together, for runs of one view after the other.
sub history_complaints {
    my ($since) = @_;
    return grep { length } split /\n/, ask(of('admin'), qq{
        SELECT concat_ws(' ', 'history:', run, step, view_name, status, sqlstate, message) FROM mv_orchestrator.history AS h
        WHERE run > $since AND (
            status = 'upstream_failed' AND NOT EXISTS (SELECT FROM mv_orchestrator.history AS p WHERE p.run = h.run AND p.step < h.step AND p.status = 'failed')
            OR status = 'skipped' AND message !~ 'is in a run of' AND NOT EXISTS (SELECT FROM mv_orchestrator.history AS p WHERE p.run = h.run AND p.status = 'failed')
            OR (status = 'failed') <> (sqlstate IS NOT NULL) OR sqlstate NOT IN ('57014', '57P01', '42P01', '40P01') OR message ~ 'tried again'
            OR status IN ('refreshed', 'unchanged') AND EXISTS (SELECT FROM mv_orchestrator.history AS p JOIN mv_orchestrator.dependency AS d
                ON d.depends_on_name = p.view_name WHERE p.run = h.run AND d.view_name = h.view_name AND p.status NOT IN ('refreshed', 'unchanged')))
        UNION ALL SELECT 'history: twice ' || run || ' ' || view_name FROM mv_orchestrator.history WHERE run > $since GROUP BY run, view_name HAVING count(*) > 1});
}

# What the session was told and what the history tells.
sub said_complaints {
    my ($said, $since, $run) = @_;
    my ($steps, $failed) = split / /, ask(of('admin'), qq{SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE status IN ('failed', 'upstream_failed')))
        FROM mv_orchestrator.history WHERE run = $since + 1});
    return "it said: $said" unless $said eq '' || $said =~ /^WARNING:  01000: \d of \d workers ended/ || $said =~ $told_failures || $said =~ $told_end;
    return () if $said =~ $told_end;
    my ($told) = $said =~ /: (\d) of 6 materialized/;
    return $steps == 6 && $failed == ($told // 0) ? () : "$steps steps in the history, $failed failed; it said: $said";
}

# A run of which nothing disturbs.
sub next_run {
    my @wrong;
    ask(of('admin'), 'SELECT FROM mv_create_all(' . $views . ')');
    ask(of('admin'), 'TRUNCATE mv_orchestrator.run_step');
    my $said = ask(of('leader'), "CALL mv_run($views, jobs => 2, on_overlap => 'fail')");
    push @wrong, "next run: $said" if $said ne '';
    my $by = ask(of('admin'), "SELECT count(*) FROM mv_orchestrator.history WHERE pid <> $session{leader}{pid}");
    push @wrong, "workers took $by steps" if $by != 6;
    ask(of('admin'), 'TRUNCATE before.rows, before.views');
    return @wrong, complaints(of('admin'), 'a=fresh b=fresh c=fresh d=fresh e=fresh f=fresh r=old rest=old'), stray_complaints(of('admin'), 0);
}

# Without a history to tell: what is done stays, and no view is newer than what it reads.
sub state_complaints {
    my ($since, $dropped) = @_;
    return complaints(of('admin'), told_state(of('admin'), $since)) unless $dropped;
    ask(of('admin'), 'CREATE EXTENSION mv_orchestrator');
    ask(of('admin'), parallel_registrations() =~ s/;\s*$//r);
    my $state = state(of('admin'));
    my %is = $state =~ /\b(\w)=(\w+)/g;
    my @wrong = grep { $_ } map { my ($view, $source) = @$_; $is{$view} eq 'fresh' && $is{$source} eq 'old' && "$view is newer than $source" }
      [qw(c a)], [qw(d b)], [qw(e c)], [qw(e d)];
    return @wrong, complaints(of('admin'), $state =~ /wrong|empty/ ? 'old or fresh' : $state);
}

# Instants in microseconds after the beginning, with what happens there.
sub fire_at {
    my ($arguments, @instants) = @_;
    prepare(of('admin'), {});
    my $since = ask(of('admin'), 'SELECT last_value - (NOT is_called)::int FROM mv_orchestrator.run_id');
    ask(of('admin'), 'TRUNCATE mv_orchestrator.run_step');
    my %how = map { $_->[1] => 1 } @instants;
    ask(of('leader'), 'SET statement_timeout = ' . (1 + int $_->[0] / 1000)) for grep { $_->[1] eq 'timeout' } @instants;
    my $began = time;
    send_query(of('leader'), "CALL mv_run($views$arguments)");
    for (sort { $a->[0] <=> $b->[0] } @instants) {
        my ($instant, $how) = @$_;
        my $rest = $instant - 1e6 * (time - $began);
        usleep($rest) if $rest > 0;
        $fire{$how}->() ? ++$hits : ++$misses;
    }
    my $crashed = grep { /kill|immediate/ } keys %how;
    my $restarted = $crashed || $how{fast};
    my @said = map { $session{$_} && $session{$_}{asked} ? answer($session{$_}) : '' } qw(leader other);
    my $dropped = $how{drop_extension} && $said[1] eq '';
    reconnect() if $restarted;
    my @wrong;
    push @wrong, 'a worker is left' unless wait_for_no_workers($node);
    push @wrong, 'a lock is left' unless wait_for_no_locks($node);
    ask($session{leader}, 'RESET statement_timeout') if $session{leader} && alive($session{leader});
    push @wrong, said_complaints($said[0], $since), history_complaints($since) unless $dropped;
    push @wrong, "it said: $said[0]" if $dropped && !($said[0] eq '' || $said[0] =~ $told_end);
    push @wrong, state_complaints($since, $dropped), stray_complaints(of('admin'), $crashed), next_run();
    my $what = join ', ', "jobs$arguments", map { int($_->[0]) . " $_->[1]" } @instants;
    ok(!@wrong, $what) or diag(join "\n", @wrong, "they said: $said[0]", "and: $said[1]");
    ++$done{ $said[0] eq '' ? 'nothing' : $said[0] =~ /ERROR:  (\w+)/ ? $1 : 'connection lost' };
    $session{other} = session($node) if $session{admin};  # has said all
}

prepare(of('admin'), {});
ask(of('leader'), "CALL mv_run($views, jobs => 2)");
ask(of('admin'), 'TRUNCATE mv_orchestrator.run_step');
my $start = time;
ask(of('leader'), "CALL mv_run($views, jobs => 2)");
my $duration = 1e6 * (time - $start);
note 'one run takes ', int $duration / 1000, ' ms';
for (1 .. $points) {
    my $arguments = ', jobs => ' . one_of(2, 2, 3) . one_of(q{}, q{}, q{, mode => 'plain'}, q{, mode => 'swap'}, q{, mode => 'concurrent'}, q{, mode => 'diff'})
      . one_of(q{}, q{, on_error => 'stop'});
    my @hows = rand 6 < 1 ? one_of(@hard) : map { one_of(@mild) } 1 .. one_of(1, 1, 2, 4);
    # A session can have one query under way.
    my $asked = 0;
    @hows = grep { !/drop|second/ || !$asked++ } @hows;
    fire_at($arguments, map { [ rand 1.2 * $duration, $_ ] } @hows);
}
note "met somebody: $hits, nobody: $misses; ends: " . join ', ', map { "$_ $done{$_}" } sort keys %done;

$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|XX001|XX002|invalid page|signal 11/, 'nothing odd in the log');
diag("SEED=$seed") unless Test::More->builder->is_passing;
done_testing();
