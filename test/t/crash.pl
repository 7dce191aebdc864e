# A killed backend, an immediate shutdown and the end of all processes at once, at instants that are
# chosen and at random ones, of every call that changes something, with wal_level replica and
# minimal: afterwards the database is in its old or its new state, whole; what was committed is
# there; no lock and no relation is left, and of files only those that the server's own REFRESH
# leaves as well; the next run works.
# SEED in the environment repeats a run, MVO_POINTS says how many random instants it tries.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvScene;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $points = $ENV{MVO_POINTS} // 10;
my $seed = $ENV{SEED} // int rand 2**31;
srand $seed;
note "SEED=$seed MVO_POINTS=$points";

# No checkpoint comes by itself: whoever crashes between its end and the removal of files that were
# dropped before it keeps these files.
my $common = "restart_after_crash = on\ncheckpoint_timeout = 1h\nmax_wal_size = 10GB\n";
my @settings = ("wal_level = replica\n", "wal_level = minimal\nmax_wal_senders = 0\nwal_skip_threshold = 0\n");
my @servers = map { { node => scene("crash$_", $common . $settings[$_]), level => $settings[$_] =~ /= (\w+)/, known => {} } } 0, 1;
my $calls = calls();
my ($tried, $undone, $orphans, $failed) = (0) x 4;

# Whoever watches comes back with the server; who calls and who stops a call come when needed.
sub connect_to {
    my ($server) = @_;
    $server->{admin} = session_when_back($server->{node});
    delete @$server{qw(holder victim)};
}

sub session_of { my ($server, $who) = @_; return $server->{$who} //= session($server->{node}); }

# Signals a process and waits until it is gone.
sub kill_at_once {
    my @pids = @_;
    kill 'KILL', @pids;
    my $deadline = time + 60;
    usleep(1000) while (kill 0, @pids) && time < $deadline;
}

# Each gets the processes of the server that there were when the call began.
my %crashes = (
    kill => sub { my ($server) = @_; kill_at_once($server->{victim}{pid}) },
    immediate => sub { my ($server) = @_; $server->{node}->stop('immediate'); $server->{node}->start },
    power => sub {
        my ($server, @pids) = @_;
        my ($postmaster) = slurp_file($server->{node}->data_dir . '/postmaster.pid') =~ /^(\d+)/;
        kill_at_once($postmaster, @pids);
        $server->{node}->{_pid} = undef;
        $server->{node}->start;
    },
);

# The files that a crash may leave: of relations that the transaction had made and that nobody knows
# when it does not come to its commit. Core keeps no list of them. So they are no older than the
# call, and when it was committed, there are none.
sub file_complaints {
    my ($server, $state_is_new, @before) = @_;
    my %before = map { $_ => 1 } @before;
    my @new = grep { !$server->{known}{$_} } stray_files($server->{admin});
    $server->{known}{$_} = 1 for @new;
    $orphans += @new;
    return map { "file $_" } grep { $state_is_new || $before{$_} || /^t/ } @new;
}

# Tries one call. where: a stop's name; "open", done but not committed; "committed"; or a number of
# microseconds.
sub try_point {
    my ($name, $where, $how) = @_;
    my $server = $servers[ rand @servers ];
    my ($call, $admin, $victim) = ($calls->{$name}, $server->{admin}, session_of($server, 'victim'));
    my ($sql, $new) = prepare($admin, $call);
    my @before = files($admin);
    my @pids = split /\n/, ask($admin, 'SELECT pid FROM pg_stat_activity');
    my %allowed = ($call->{old} => 1, $new => 1);
    if ($call->{stops}{$where}) { ask(session_of($server, 'holder'), $call->{stops}{$where}); }
    if ($where eq 'open') { ask($victim, "BEGIN; $sql"); }
    elsif ($where eq 'committed') { ask($victim, $sql); }
    else { send_query($victim, $sql); }
    if ($call->{stops}{$where}) { wait_until_stopped($admin, $victim->{pid}); }
    if ($where =~ /^\d+$/) { usleep($where); }
    elsif ($where eq 'committed') { delete $allowed{ $call->{old} }; }
    else { delete $allowed{$new}; }
    $crashes{$how}->($server, @pids);
    connect_to($server);
    my $state = state($server->{admin});
    my @wrong = complaints($server->{admin}, keys %allowed);
    push @wrong, file_complaints($server, $state eq $new, @before);
    push @wrong, next_run_complaints(@$server{qw(admin admin)}, $call->{mode});
    push @wrong, file_complaints($server, 1);
    ++$tried;
    $undone += $state eq $call->{old};
    my $what = "$name, $where, $how, wal_level $server->{level}";
    ok(!@wrong, $what) or diag(join "\n", @wrong);
    $failed += !!@wrong;
}

connect_to($_) for @servers;
# To start after the end of all processes takes longest.
my @hows = qw(kill immediate kill immediate power);
my $turn = int rand @hows;
# The others do the same in another order.
for my $name (grep { !/upstream|cascade/ } sort keys %$calls) {
    try_point($name, $_, $hows[ $turn++ % @hows ]) for 'committed', 'open', sort keys %{ $calls->{$name}{stops} };
}
my %duration;
for my $name (sort keys %$calls) {
    my ($sql) = prepare($servers[0]{admin}, $calls->{$name});
    my $victim = session_of($servers[0], 'victim');
    my $start = time;
    ask($victim, $sql);
    $duration{$name} = 1e6 * (time - $start);
    next_run_complaints($victim, $servers[0]{admin}, 'plain');
}
for (1 .. $points) {
    my $name = (sort keys %$calls)[ rand keys %$calls ];
    try_point($name, int rand 1.2 * $duration{$name}, $hows[ rand @hows ]);
}
note "$tried instants, $undone undone, $failed failures, $orphans orphan files of undone relations, SEED=$seed";

for my $server (@servers) {
    $server->{node}->stop;
    unlike(slurp_file($server->{node}->logfile), qr/TRAP|PANIC|XX000|XX001|XX002|invalid page/, "nothing odd in the log of wal_level $server->{level}");
}
diag("SEED=$seed") unless Test::More->builder->is_passing;
done_testing();
