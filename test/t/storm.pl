# Twenty sessions make random calls, one in each transaction, CALL mv_run() among them, while rows are
# written and read: no deadlock among them, no hang, no error beyond those that such calls may raise,
# no lock left, no more and no less in the history than was done; and in the end one call each brings
# every view up to date.
# SEED in the environment repeats what is called, SECONDS makes it longer.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use List::Util qw(shuffle);
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $sessions = 20;
my $seconds = $ENV{SECONDS} // 20;
my $seed = $ENV{SEED} // int rand 2**31;
note "SEED=$seed";
srand $seed;

my $node = orchestrator_node('storm', <<'CONF');
log_line_prefix = '%p %e '
log_statement = none
deadlock_timeout = 1s
max_locks_per_transaction = 128
max_connections = 40
max_worker_processes = 3
log_min_messages = notice
CONF

# Three bases, and twelve views in four layers; each reads one or two of the layer below. A view's
# name says nothing of its layer, so that the order of names and the order of refreshes differ.
my @names = shuffle map { "v$_" } 'a' .. 'l';
my @layers = map { [ splice @names, 0, 3 ] } 1 .. 4;
my @views = map { @$_ } @layers;
my (%reads, %definition);
for my $depth (0 .. 3) {
    for my $view (@{ $layers[$depth] }) {
        my @below = $depth ? (shuffle @{ $layers[ $depth - 1 ] })[ 0 .. 1 ] : ();
        $reads{$view} = \@below;
        my $from = join ' UNION ALL ', map { "SELECT id, n FROM $_" } @below ? @below : 'base' . int rand 3;
        $definition{$view} = "SELECT id, sum(n) AS n FROM ($from) AS s GROUP BY id";
    }
}
# Read by nobody, so that it can be forgotten and registered again.
my $leaf = 'leaf';
$reads{$leaf} = [ @{ $layers[2] }[0] ];
$definition{$leaf} = "SELECT id, n FROM $reads{$leaf}[0]";

sub one_of { return $_[ rand @_ ]; }
sub some_of { my @all = shuffle @_; return @all[ 0 .. rand @all ]; }
sub array { return "ARRAY['" . join("','", @_) . "']"; }

# The definition is always the same, though not to the byte; the rest may differ. What is not declared
# is discovered.
sub registration {
    my ($view) = @_;
    my $reads = @{ $reads{$view} } && rand 2 < 1 ? array(@{ $reads{$view} }) : q{'{}'};
    return sprintf q{SELECT mv_register('%s', '/* %d */ %s', depends_on => %s, unique_key => '{id}', mode => '%s',}
      . q{ indexes => %s)}, $view, rand 9, $definition{$view}, $reads, one_of(qw(auto plain concurrent)),
      one_of(q{'{}'}, "ARRAY['CREATE INDEX ${view}_n ON $view USING btree (n)']");
}

sub random_call {
    my $mode = one_of('NULL', q{'plain'}, q{'concurrent'}, q{'swap'}, q{'diff'});
    my $overlap = one_of(qw(wait wait wait skip fail));
    my $die = rand 100;
    return sprintf q{SELECT FROM mv_refresh('%s', '%s', %s, on_overlap => '%s')}, one_of(@views, $leaf),
      one_of(qw(self upstream downstream both)), $mode, $overlap if $die < 30;
    return sprintf q{SELECT FROM mv_refresh_all(%s, %s, on_overlap => '%s')}, array(some_of(@views)), $mode, $overlap
      if $die < 40;
    return sprintf q{CALL mv_run(%s, jobs => %d, mode => %s, on_error => '%s', on_overlap => '%s')}, one_of('NULL', array(some_of(@views))),
      one_of(1, 2, 2, 3), $mode, one_of(qw(continue stop)), $overlap if $die < 50;
    return sprintf q{SELECT FROM mv_create('%s', %s)}, one_of(@views, $leaf), one_of(qw(true true false)) if $die < 56;
    return q{SELECT FROM mv_create_all()} if $die < 60;
    return sprintf q{SELECT FROM mv_drop('%s', if_exists => true)}, one_of(@views, $leaf) if $die < 66;
    return sprintf q{SELECT FROM mv_drop_all(%s)}, array(some_of(@views)) if $die < 68;
    return registration(one_of(@views, $leaf)) if $die < 76;
    return "SELECT mv_unregister('$leaf')" if $die < 78;
    return sprintf q{SELECT sum(n) FROM %s}, one_of(@views) if $die < 88;
    return sprintf q{INSERT INTO base%d SELECT g, 1 FROM generate_series(1, 20) g}, rand 3 if $die < 94;
    return sprintf q{DELETE FROM base%d WHERE n = 1 AND id %% 7 = %d}, rand 3, rand 7;
}

# What a random call may meet: a view that is not there (42P01), not registered (42704), not
# populated (55000, 0A000), read by others (2BP01); another run (55P03).
my %expected = map { $_ => 1 } qw(42P01 42704 55000 0A000 2BP01 55P03);

sub script {
    my $script = join '', map { "$_;\n" } '\set QUIET on', '\set VERBOSITY sqlstate',
      q{SET mv_orchestrator.lock_timeout = '60s'};
    $script =~ s/^(\\.*);$/$1/mg;
    for (1 .. 40 * $seconds) {
        for my $call (map { random_call() } 1 .. 5) {
            $script .= "$call;\n" . ($call =~ /mv_(refresh|run)/ ? "\\echo $1 :SQLSTATE\n" : '');
        }
        $script .= "SELECT clock_timestamp() > :'deadline' AS done \\gset\n\\if :done\n\\q\n\\endif\n";
    }
    return $script;
}

# Every step seems to take a second, so that workers take it; how long it took stands elsewhere.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE taken (run bigint, step int, view text, started timestamptz, ended timestamptz, by text);
CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.taken VALUES (NEW.run, NEW.step, NEW.view_name, NEW.started, NEW.started + NEW.elapsed,
        (SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid()));
    NEW.elapsed := '1 s';
    RETURN NEW;
END $$;
CREATE TRIGGER take BEFORE INSERT ON mv_orchestrator.run_step FOR EACH ROW EXECUTE FUNCTION take();
SQL
$node->safe_psql('postgres', "CREATE TABLE base$_ AS SELECT g AS id, 0 AS n FROM generate_series(1, 50) g") for 0 .. 2;
$node->safe_psql('postgres', registration($_)) for shuffle(@views, $leaf);
$node->safe_psql('postgres', 'SELECT mv_create_all()');

my $deadline = $node->safe_psql('postgres', "SELECT clock_timestamp() + interval '$seconds seconds'");
my $timer = IPC::Run::timeout($seconds + 120);
my (@runs, @outputs, @ends);
my $directory = PostgreSQL::Test::Utils::tempdir();
for my $i (1 .. $sessions) {
    my $file = "$directory/session$i";
    append_to_file("$file.sql", script());
    push @outputs, "$file.err";
    push @ends, "$file.out";
    push @runs, IPC::Run::start([ 'psql', '-XAt', '-v', "deadline=$deadline", '-d', $node->connstr('postgres'),
            '-f', "$file.sql" ], '<', '/dev/null', '>', "$file.out", '2>', "$file.err", $timer);
}
my $ended = eval { $_->finish for @runs; 1 };
ok($ended, 'no session hangs') or diag($@, $node->safe_psql('postgres',
    'SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE wait_event_type = \'Lock\''));

my %errors;
my @said = map { split /^/, slurp_file($_) } @outputs;
++$errors{$_} for map { /^psql:\S+ (?:ERROR|FATAL|PANIC): +(\S+)$/ } @said;
note "errors: " . join ', ', map { "$_ $errors{$_}" } sort keys %errors;
is(join(' ', grep { !$expected{$_} } sort keys %errors), '', 'no error that such calls may not raise');
is(join('', grep { !/ (ERROR|FATAL|PANIC|NOTICE):/ } @said), '', 'and nothing else is said');

my $log = slurp_file($node->logfile);
is(scalar(() = $log =~ /40P01 ERROR/g), 0, 'no deadlock');
is(scalar(() = $log =~ /XX000 ERROR|PANIC|terminated by signal/g), 0, 'no internal error');
if ($log =~ /(40P01 ERROR.*?)^(?!\t|\d+ 40P01)/ms || $log =~ /(XX000 ERROR.*?)^(?!\t|\d+ XX000)/ms) { diag($1); }
ok(wait_for_no_locks($node), 'no lock is left');

# What failed in a run of a function is undone with it. No step had to be tried again: retries would
# hide deadlocks.
my %ended;
++$ended{$_} for map { /^((?:refresh|run) \w+)$/mg } map { slurp_file($_) } @ends;
note 'calls: ' . join ', ', map { "$_ $ended{$_}" } sort keys %ended;
my $of_runs = 'FROM (SELECT run, bool_or(sqlstate IS NOT NULL) AS failed FROM mv_orchestrator.history GROUP BY run) AS r';
is($node->safe_psql('postgres', "SELECT count(*) $of_runs WHERE NOT failed"), $ended{'refresh 00000'} + $ended{'run 00000'},
    'the history has a run for each call that succeeded');
my $failed = $node->safe_psql('postgres', "SELECT count(*) $of_runs WHERE failed");
my $raised = 0;
$raised += $ended{$_} for grep { /^run (?!00000)/ } keys %ended;
cmp_ok($failed, '<=', $raised, 'and one for each that failed after it had begun');
my $parallel = q{(SELECT run FROM taken WHERE by = 'mv_orchestrator worker')};
my $several = $node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT FROM mv_orchestrator.history GROUP BY run HAVING count(DISTINCT pid) > 1) AS r');
cmp_ok($several, '>', 0, 'several processes took the steps of some runs');
note "runs of several processes: $several; fewer workers than asked: " . scalar(() = $log =~ /of \d workers could be started|no worker could/g);
my $reads = join ', ', map { my $view = $_; map { "('$view', '$_')" } @{ $reads{$view} } } sort keys %reads;
is($node->safe_psql('postgres', <<SQL), '', 'its steps fit together');
SELECT run, step, view_name, status, sqlstate, message FROM mv_orchestrator.history AS h
WHERE message ~ 'tried again' OR sqlstate ~ '^40'
   OR step > 1 AND NOT EXISTS (SELECT FROM mv_orchestrator.history AS p WHERE p.run = h.run AND p.step = h.step - 1
                               AND (p.started <= h.started OR h.run IN $parallel))
   OR status = 'upstream_failed' AND NOT EXISTS (SELECT FROM mv_orchestrator.history AS p WHERE p.run = h.run AND p.step < h.step AND p.status = 'failed')
UNION ALL SELECT r.run, r.step, r.view, 'before ' || s.view, NULL, NULL
FROM (VALUES $reads) AS reads (reader, source) JOIN taken AS r ON r.view = reader JOIN taken AS s ON s.view = source AND s.run = r.run
WHERE s.ended > r.started AND (r.run, r.view) IN (SELECT run, view_name FROM mv_orchestrator.history WHERE status IN ('refreshed', 'unchanged') AND run IN $parallel)
SQL
ok(wait_for_no_workers($node), 'no worker is left');

$node->safe_psql('postgres', registration($leaf));
$node->safe_psql('postgres', 'SELECT mv_create_all()');
is($node->safe_psql('postgres', 'SELECT count(*), min(status) FROM mv_refresh_all(mode => \'plain\')'), '13|refreshed',
    'then one call creates what is missing, and one refreshes all');
is(wrong_views($node), '', 'and every view is right');
diag("SEED=$seed") unless Test::More->builder->is_passing;

done_testing();
