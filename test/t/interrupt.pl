# A cancel, a time limit and a terminate, at instants that are chosen and at random ones, of every
# call that changes something: afterwards the database is in its old or its new state, whole; no
# lock, no relation and no file is left; the same session is as it was, and the next run works.
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

my $points = $ENV{MVO_POINTS} // 80;
my $node = scene('interrupt');
my $calls = calls();
my ($admin, $holder, $session) = map { session($node) } 1 .. 3;

my %message = (
    cancel => qr/ERROR:  57014: canceling statement due to user request/,
    timeout => qr/ERROR:  57014: canceling statement due to statement timeout/,
    terminate => qr/FATAL:  57P01: terminating connection due to administrator command/,
);
my %signal = (cancel => 'INT', terminate => 'TERM');

# What is wrong after an interruption that left one of the allowed states; never a file.
sub complaints_after {
    my ($mode, @allowed) = @_;
    my @wrong = complaints($admin, @allowed);
    $session = session($node) unless alive($session);
    push @wrong, next_run_complaints($session, $admin, $mode);
    push @wrong, map { "file $_" } stray_files($admin);
    return @wrong;
}

sub interrupt_half_way {
    my ($name, $stop, $how) = @_;
    my $call = $calls->{$name};
    my ($sql) = prepare($admin, $call);
    ask($holder, $call->{stops}{$stop});
    ask($session, 'SET statement_timeout = 300') if $how eq 'timeout';
    send_query($session, $sql);
    if ($how ne 'timeout') {
        wait_until_stopped($admin, $session->{pid});
        ask($admin, "SELECT pg_${how}_backend($session->{pid})");
    }
    my $said = answer($session);
    ask($session, 'RESET statement_timeout') if $how eq 'timeout';
    ask($holder, 'ROLLBACK; SELECT pg_advisory_unlock_all()');
    my @wrong = $said =~ $message{$how} ? () : "it said: $said";
    ok(!(push @wrong, complaints_after($call->{mode}, $call->{old})), "$name, stopped by $stop: $how")
      or diag(join "\n", @wrong);
}

# The same call from a block that survives the interruption: nothing of it is left in the
# transaction that goes on.
sub surviving {
    my ($sql) = @_;
    $sql =~ s/^SELECT/PERFORM/;
    return join '\;', 'BEGIN', "DO \$\$BEGIN $sql; EXCEPTION WHEN query_canceled THEN"
      . " ASSERT own_locks() = 0; RAISE NOTICE 'survived'; END\$\$", 'COMMIT';
}

# How long each call takes, in microseconds.
sub durations {
    my %duration;
    for my $name (sort keys %$calls) {
        my ($sql) = prepare($admin, $calls->{$name});
        my $start = time;
        ask($session, $sql);
        $duration{$name} = 1e6 * (time - $start);
        is(join("\n", next_run_complaints($session, $admin, $calls->{$name}{mode})), '', "$name, not interrupted");
    }
    return %duration;
}

sub interrupt_at {
    my ($name, $how, $pause) = @_;
    my $call = $calls->{$name};
    my ($sql, $new) = prepare($admin, $call);
    $sql = surviving($sql) if $how eq 'survive';
    ask($session, 'SET statement_timeout = ' . (1 + int $pause / 1000)) if $how eq 'timeout';
    send_query($session, $sql);
    if ($how ne 'timeout') {
        usleep($pause);
        kill $signal{$how} // 'INT', $session->{pid};
    }
    my $said = answer($session);
    my $undone = $said =~ /57014|57P01|survived/;
    if (alive($session)) { ask($session, $_) for 'ROLLBACK', 'RESET statement_timeout'; }
    # Who is told that it was cancelled can rely on that; who is terminated cannot know.
    my @wrong = $said =~ /ERROR:  (?!57014)/ ? "it said: $said" : ();
    push @wrong, complaints_after($call->{mode}, $undone ? $call->{old} : (), $undone && alive($session) ? () : $new);
    return ($undone, @wrong);
}

# Whether it is noticed when something is wrong.
sub check_the_checks {
    my %wrongs = (
        'a view that was refreshed alone' => 'REFRESH MATERIALIZED VIEW a',
        'a view that is missing' => 'DROP MATERIALIZED VIEW z',
        'a row of the registry without its dependencies' => q{DELETE FROM mv_orchestrator.dependency WHERE view_name = 'r'},
        'an index that is missing' => 'DROP INDEX m_gated',
        'a relation that is left' => 'CREATE TABLE pg_temp_1()',
        'a lock that is left' => 'LOCK TABLE base IN SHARE MODE',
    );
    for my $wrong (sort keys %wrongs) {
        prepare($admin, $calls->{plain});
        # Only a lock has to be seen from elsewhere.
        my $checker = $wrongs{$wrong} =~ /SHARE/ ? $admin : $holder;
        ask($holder, "BEGIN; $wrongs{$wrong}");
        isnt(join("\n", complaints($checker, @{ $calls->{plain} }{qw(old new)})), '', "$wrong is noticed");
        ask($holder, 'ROLLBACK');
    }
    my $oid = ask($admin, 'SELECT oid FROM pg_database WHERE datname = current_database()');
    my $file = $node->data_dir . "/base/$oid/4000000000_vm";
    append_to_file($file, '');
    is(join(' ', stray_files($admin)), '4000000000_vm', 'a file that is left is noticed');
    unlink $file;
}

check_the_checks();
for my $name (sort keys %$calls) {
    for my $stop (sort keys %{ $calls->{$name}{stops} }) {
        interrupt_half_way($name, $stop, $_) for sort keys %message;
    }
}

my $seed = $ENV{SEED} // int rand 2**31;
srand $seed;
note "SEED=$seed";
my %duration = durations();
my ($undone, $failed) = (0, 0);
for my $point (1 .. $points) {
    my $name = (sort keys %$calls)[ rand keys %$calls ];
    my $how = (qw(cancel survive timeout terminate))[ rand 4 ];
    my $pause = int rand 1.2 * $duration{$name};
    my ($was_undone, @wrong) = interrupt_at($name, $how, $pause);
    $undone += $was_undone;
    next unless @wrong;
    ++$failed;
    fail("instant $point: $name, $how after $pause us");
    diag(join "\n", @wrong);
}
note "$points instants, $undone undone, $failed failures, SEED=$seed";
is($failed, 0, "$points random instants") or diag("SEED=$seed");

done_testing();
