# How many workers CALL mv_run(jobs => N) starts: none for what is short, for one view and for a chain, no
# more than can be under way at once, than mv_orchestrator.max_jobs allows and than the server has; with
# fewer than asked and with none the run goes on and says so. And what others see of them meanwhile, in
# mv_orchestrator.progress, pg_stat_activity and pg_locks, and afterwards, in history and status.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

# The launcher of logical replication would take one of max_worker_processes.
my $node = orchestrator_node('parallel_workers', <<'CONF');
autovacuum = off
jit = off
max_worker_processes = 8
max_logical_replication_workers = 0
log_min_messages = debug1
CONF
create_meeting($node);

# Four views that read nothing of each other, the second of which is stopped in its query while
# somebody holds advisory lock 2, and so on; and a chain that begins with the first.
my $odd = qq{"Odd */ ""view"",\n'step 9 of 9"};
my @gated = ('a', 'b', 'c', $odd);
sub literal { return "'" . $_[0] =~ s/'/''/gr . "'"; }
sub names { return 'ARRAY[' . join(', ', map { literal($_) } @_) . ']'; }
$node->safe_psql('postgres', join ";\n", 'CREATE ROLE runner LOGIN', 'CREATE ROLE taken NOLOGIN', 'GRANT taken TO runner', 'CREATE ROLE stranger',
    'CREATE ROLE watcher IN ROLE pg_read_all_stats', 'CREATE ROLE member IN ROLE runner', 'GRANT ALL ON SCHEMA public TO PUBLIC', 'SET ROLE taken', 'CREATE TABLE version AS SELECT 0 AS v',
    (map { 'SELECT mv_register(' . literal($gated[$_]) . ", 'SELECT v, public.meet() AS m, current_setting(''max_parallel_workers_per_gather'')::int AS gather FROM version, pg_advisory_xact_lock_shared(" . ($_ + 1) . ") pause', mode => 'swap')" } 0 .. 3),
    q{SELECT mv_register('chain1', 'SELECT v FROM a', mode => 'swap')}, q{SELECT mv_register('chain2', 'SELECT v FROM chain1', mode => 'swap')},
    'SELECT mv_create_all()');
my ($admin, @gates) = map { session($node) } 0 .. 4;
my $runner = session($node, 'runner');

sub forget { ask($admin, 'TRUNCATE mv_orchestrator.run_step; UPDATE version SET v = v + 1; ALTER SEQUENCE met RESTART'); }
sub history { return ask($admin, "SELECT $_[0] FROM mv_orchestrator.history WHERE run = (SELECT max(run) FROM mv_orchestrator.history)"); }

# How many workers the server has begun to start since the last time.
my $read = 0;
sub started {
    my $log = slurp_file($node->logfile, $read);
    $read = -s $node->logfile;
    return scalar(() = $log =~ /starting background worker process "mv_orchestrator worker of PID/g);
}

# A run that nothing stops. workers: how many start; takers: how many processes take steps at most, of which
# the session is one where no worker is; said: what it says.
sub check_run {
    my ($what, $call, %expected) = @_;
    started();
    my $said = ask($runner, "CALL mv_run($call)") =~ s/\n?LOCATION: .*//gr;
    is($said, ($expected{said} // ''), "$what: it says so");
    is(started(), $expected{workers}, "$what: workers");
    my $by_session = $expected{by_session} // $expected{workers} == 0;
    # Steps are short: a worker that begins a little later may find none left.
    my $most = $expected{takers} // $expected{workers} || 1;
    is(history("(count(DISTINCT pid) <= $most) || ' ' || bool_or(pid = $runner->{pid}) || ' ' || bool_and(status = 'refreshed')"),
        ($by_session ? 'true true true' : 'true false true'), "$what: who took the steps");
    my $wrong = join ' UNION ALL ', map { "SELECT v FROM $_" } qw(a b c chain1 chain2), $odd;
    is(ask($admin, "SELECT count(*) FROM ($wrong) AS w WHERE v <> (SELECT v FROM version)"), 0, "$what: the views are right") if !$expected{some};
}

ask($runner, 'SET my.meet = 2');
forget();
check_run('nothing is known of the views', "names => " . names('a', 'b') . ', jobs => 2', workers => 2, some => 1);
ask($runner, 'SET my.meet = 1');
ask($admin, q{UPDATE mv_orchestrator.run_step SET elapsed = '1 ms'});  # on whatever machine
check_run('what is known to be short', "names => " . names('a', 'b') . ', jobs => 2', workers => 0, some => 1);
ask($admin, q{UPDATE mv_orchestrator.run_step SET elapsed = '249 ms'});
check_run('just too short', "names => " . names('a', 'b') . ', jobs => 2', workers => 0, some => 1);
ask($admin, q{UPDATE mv_orchestrator.run_step SET elapsed = '250 ms'});
ask($runner, 'SET my.meet = 2');
ask($admin, 'ALTER SEQUENCE met RESTART');
check_run('long enough', "names => " . names('a', 'b') . ', jobs => 2', workers => 2, some => 1);
ask($admin, q{UPDATE mv_orchestrator.run_step SET elapsed = '1 ms'; ALTER SEQUENCE met RESTART});
check_run('not known in this mode', "names => " . names('a', 'b') . q{, jobs => 2, mode => 'plain'}, workers => 2, some => 1);
ask($runner, 'SET my.meet = 1');
for my $case (['one view', names('a')], ['a chain', names(qw(a chain1 chain2))]) {
    forget();
    check_run($case->[0], "names => $case->[1], jobs => 2", workers => 0, some => 1);
}
forget();
ask($runner, 'SET my.meet = 2');
check_run('no more than can be under way at once', 'names => ' . names(qw(a b chain1)) . ', jobs => 5', workers => 2, some => 1);
ask($runner, 'SET my.meet = 4');
forget();
check_run('as many as can be', 'jobs => 7', workers => 4);

# What a worker is to leave to the others, of what its session may use itself.
forget();
ask($runner, 'SET max_parallel_workers_per_gather = 64; SET my.meet = 2');
my $cores = `getconf _NPROCESSORS_ONLN` + 0;
check_run('with many parallel workers allowed', 'jobs => 2', workers => 2);
my $share = $cores / 2 < 1 ? 0 : int($cores / 2) - 1;
is(ask($admin, "SELECT min(gather) || ' ' || max(gather) FROM (SELECT gather FROM a UNION ALL SELECT gather FROM b) x"), "$share $share", 'the workers share the cores');
ask($runner, 'SET max_parallel_workers_per_gather = 0');
forget();
check_run('with none allowed', 'jobs => 2', workers => 2);
is(ask($admin, "SELECT min(gather) || ' ' || max(gather) FROM (SELECT gather FROM a UNION ALL SELECT gather FROM b) x"), '0 0', 'a session that uses none has none');
ask($runner, 'RESET max_parallel_workers_per_gather');

# The limit, which is not for everybody to set.
my $limited = "NOTICE:  00000: jobs is limited to %d\nHINT:  mv_orchestrator.max_jobs is the limit.";
like(ask($runner, 'SET mv_orchestrator.max_jobs = 100'), qr/^ERROR:  42501/, 'max_jobs is not for everybody to set');
forget();
ask($runner, 'SET my.meet = 4');
check_run('jobs beyond every limit', 'jobs => 2147483647', workers => 4, said => sprintf $limited, 8);
for my $most (2, 1) {
    ask($admin, "ALTER ROLE runner SET mv_orchestrator.max_jobs = $most");
    $runner = session($node, 'runner');
    ask($runner, "SET my.meet = $most");
    forget();
    check_run("max_jobs = $most", 'jobs => 4', workers => $most == 1 ? 0 : $most, said => sprintf $limited, $most);
}
ask($admin, 'ALTER ROLE runner RESET ALL');
$runner = session($node, 'runner');

# While they work: two at views that are stopped, one with nothing to do.
forget();
my @long = ('b', $odd, 'a');
ask($gates[$_], 'SELECT pg_advisory_lock(' . ($_ + 1) . ')') for 1, 3;
my $call = 'CALL mv_run(' . names(@long) . ', jobs => 3)';
send_query($runner, $call);
my $shown = q{SELECT string_agg(concat_ws('|', backend_type, step, steps, name, phase, role, failed, wait_event_type), E'\n' ORDER BY backend_type, step) FROM mv_orchestrator.progress};
my $expected = join "\n", 'client backend|workers|runner|0|Extension', "mv_orchestrator worker|1|3|public.$odd|query|runner|0|Lock", 'mv_orchestrator worker|3|3|public.b|query|runner|0|Lock';
is(wait_for_answer($admin, $shown, $expected), $expected, 'progress: the session, and each worker with its view');
is(ask($admin, 'SELECT count(DISTINCT pid) || chr(32) || count(DISTINCT run) FROM mv_orchestrator.progress'), '3 1', 'three processes, one run');
is(ask($admin, 'SELECT run IN (SELECT run FROM mv_orchestrator.history) FROM mv_orchestrator.progress LIMIT 1'), 't', 'which the history has');
is(ask($admin, "SELECT pid FROM mv_orchestrator.progress WHERE backend_type = 'client backend'"), $runner->{pid}, 'the session is itself');
is(ask($admin, "SELECT string_agg(blocked_by::text, ' ' ORDER BY step) FROM mv_orchestrator.progress WHERE step IS NOT NULL"), "{$gates[3]{pid}} {$gates[1]{pid}}", 'whom each waits for');
is(ask($admin, 'SELECT bool_and(started <= since AND since <= clock_timestamp()) FROM mv_orchestrator.progress'), 't', 'since when');
my $workers = q{FROM pg_stat_activity WHERE backend_type = 'mv_orchestrator worker'};
is(ask($admin, "SELECT string_agg(state || ' ' || usename || ' ' || datname, ', ' ORDER BY state) $workers"),
    join(', ', ('active runner postgres') x 2, 'idle runner postgres'), 'pg_stat_activity: three workers, of which one is idle');
is(ask($admin, "SELECT count(*) $workers AND state = 'active' AND query ~ '^/\\* mv_orchestrator run \\d+, step \\d of 3, query: public\\.(b|\"Odd)'"), 2, 'and the views are in their queries');
like(ask($admin, "SELECT query FROM pg_stat_activity WHERE pid = $runner->{pid}"), qr{^/\* mv_orchestrator run \d+, workers.*\Q$call\E;$}s, 'the call is in that of the session');

# Nobody who waits outside of locks may hold what others wait for.
my $idle = "SELECT pid $workers AND state = 'idle'";
is(ask($admin, "SELECT count(*) FROM pg_locks WHERE pid IN ($idle)"), 0, 'the idle worker holds nothing');
is(ask($admin, "SELECT count(*) FROM pg_stat_activity WHERE pid IN ($idle) AND (backend_xmin IS NOT NULL OR xact_start IS NOT NULL)"), 0, 'nor a snapshot');
is(ask($admin, qq{SELECT count(*) || ' ' || bool_and(classid = (SELECT oid FROM pg_extension WHERE extname = 'mv_orchestrator')) FROM pg_locks
    WHERE pid = $runner->{pid} AND locktype <> 'virtualxid'}), '3 true', 'the session holds its run locks');
is(ask($admin, "SELECT backend_xmin IS NULL AND backend_xid IS NULL FROM pg_stat_activity WHERE pid = $runner->{pid}"), 't', 'and no snapshot');

for my $who (['stranger', ''], ['watcher', $expected], ['member', $expected], ['taken', '']) {
    is(ask($admin, "SET ROLE $who->[0]; $shown; RESET ROLE"), $who->[1], "what role $who->[0] sees in progress");
}
unlike(ask($admin, "SET ROLE stranger; SELECT query FROM pg_stat_activity; RESET ROLE"), qr/Odd|mv_run/, 'nor elsewhere does a stranger see of it');
ask($gates[$_], 'SELECT pg_advisory_unlock_all()') for 1, 3;
is(answer($runner), '', 'it ends');
is(history(qq{string_agg(DISTINCT role, ' ') || ' ' || (count(DISTINCT pid) > 1 AND bool_and(pid <> $runner->{pid})) || ' ' || count(*) || ' ' || count(DISTINCT run)}), 'runner true 3 1', 'the history says whose it was and who did it');
is(ask($admin, q{SELECT string_agg(last_status, ' ') || ' ' || count(DISTINCT last_run) || ' ' || max(last_run) FROM mv_orchestrator.status WHERE last_run IS NOT NULL}),
    'refreshed refreshed refreshed 1 ' . history('max(run)'), 'status: which run it was');
is(ask($admin, "$shown"), '', 'and nothing is under way');
is(ask($admin, "SELECT state || '|' || query FROM pg_stat_activity WHERE pid = $runner->{pid}"), "idle|$call;", 'the reported query is the caller\'s own');

# From within a block, whose own snapshot is not kept either.
forget();
ask($gates[$_], 'SELECT pg_advisory_lock(' . ($_ + 1) . ')') for 1, 3;
send_query($runner, 'DO $do$ DECLARE n int := 0; BEGIN n := (SELECT count(*) FROM version); CALL mv_run(' . names(@long) . ', jobs => 3); RAISE NOTICE $$%$$, n; END $do$');
wait_for_answer($admin, "SELECT count(*) $workers AND wait_event_type = 'Lock'", 2);
is(wait_for_answer($admin, "SELECT backend_xmin IS NULL AND backend_xid IS NULL FROM pg_stat_activity WHERE pid = $runner->{pid}", 't'), 't', 'in DO: the session has no snapshot');
ask($gates[$_], 'SELECT pg_advisory_unlock_all()') for 1, 3;
like(answer($runner), qr/^NOTICE:  00000: 1\n/, 'in DO: it ends');
is(history(q{count(*) || ' ' || bool_and(status = 'refreshed') || ' ' || bool_or(pid = } . "$runner->{pid})"), '3 true false', 'in DO: workers took the steps');

# Who may no longer be the double of a session leaves all to it.
my $lost = "WARNING:  01000: %d of %d workers ended before the run did\nHINT:  The server's log says why.";
ask($runner, 'SET my.meet = 1');
for my $case ([ 'a role that may no longer log in', 'ALTER ROLE runner NOLOGIN', 'ALTER ROLE runner LOGIN' ],
    [ 'a database that nobody may connect to', 'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC', 'GRANT CONNECT ON DATABASE postgres TO PUBLIC' ]) {
    my ($what, $before, $after) = @$case;
    ask($admin, $before);
    forget();
    check_run($what, 'jobs => 2', workers => 2, takers => 1, by_session => 1, said => sprintf($lost, 2, 2));
    ask($admin, $after);
}
ask($runner, 'SET ROLE taken');
ask($admin, 'REVOKE taken FROM runner');
forget();
check_run('a role that may no longer be taken on', 'jobs => 2', workers => 2, takers => 1, by_session => 1, said => sprintf($lost, 2, 2));
ask($admin, 'GRANT taken TO runner');

# Fewer than asked: another run has them.
$node->append_conf('postgresql.conf', 'max_worker_processes = 3');
$node->restart;
($admin, @gates) = map { session($node) } 0 .. 4;
$runner = session($node, 'runner');
my $other = session($node);
forget();
ask($gates[$_], 'SELECT pg_advisory_lock(' . ($_ + 1) . ')') for 0, 1;
send_query($other, 'CALL mv_run(' . names('a', 'b') . ', jobs => 2)');
wait_for_answer($admin, "SELECT count(*) $workers AND wait_event_type = 'Lock'", 2);
my $hint = 'HINT:  Raise max_worker_processes.';
check_run('one that is left', 'names => ' . names('c', $odd) . ', jobs => 2', workers => 1, some => 1, said => "NOTICE:  00000: only 1 of 2 workers could be started\n$hint");
ask($gates[$_], 'SELECT pg_advisory_unlock_all()') for 0, 1;
is(answer($other), '', 'the other run ends');
wait_for_no_workers($node);
forget();
check_run('three of four', 'jobs => 4', workers => 3, said => "NOTICE:  00000: only 3 of 4 workers could be started\n$hint");

# None at all.
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
$admin = session($node);
$runner = session($node, 'runner');
forget();
check_run('none', 'jobs => 2', workers => 0, said => "NOTICE:  00000: no worker could be started: views are refreshed one after the other\n$hint");
forget();
check_run('one job', 'jobs => 1', workers => 0);
is(ask($admin, 'SELECT count(*) FROM mv_orchestrator.history'), 6, 'one row for each view');

ok(wait_for_no_workers($node), 'no worker is left');
ok(wait_for_no_locks($node), 'no lock is left');
$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|terminated by signal/, 'nothing odd in the log');
done_testing();
