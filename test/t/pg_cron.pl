# Runs that pg_cron starts, as its background workers and over connections: what cron.job_run_details
# says of a job agrees with mv_orchestrator.history; a run that overlaps another one is skipped and
# succeeds; a view that fails makes the job fail and nothing else; no lock is left.
# Then the example, whose jobs are called as they are scheduled.
# pg_cron starts jobs when a minute begins, so this takes up to a minute and some seconds.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

# The query of "slow" stops while somebody holds advisory lock 1.
my $scene = <<'SQL';
CREATE ROLE clerk LOGIN;
GRANT CREATE ON SCHEMA public TO clerk;
GRANT USAGE ON SCHEMA cron TO clerk;
SET ROLE clerk;
CREATE TABLE base AS SELECT g AS id, g % 7 AS kind FROM generate_series(1, 70) g;
CREATE TABLE divisor AS SELECT 1 AS d;
SELECT mv_register('kinds', 'SELECT kind, count(*) AS n FROM base GROUP BY kind');
SELECT mv_register('total', 'SELECT sum(n) AS n FROM kinds');
SELECT mv_register('bad', 'SELECT id / d AS x FROM base, divisor');
SELECT mv_register('reads_bad', 'SELECT max(x) AS x FROM bad');
SELECT mv_register('fine', 'SELECT max(id) AS id FROM base');
SELECT mv_register('late', 'SELECT count(*) AS n FROM base, pg_advisory_xact_lock_shared(1) AS pause',
                   options => '{"view_timeout": "100ms"}');
SELECT mv_register('slow', 'SELECT count(*) AS n FROM base, pg_advisory_xact_lock_shared(1) AS pause');
SELECT count(*) FROM mv_create_all();
INSERT INTO base VALUES (71, 0);
UPDATE divisor SET d = 0;
SQL

my $jobs = <<'SQL';
SET ROLE clerk;
BEGIN;
SELECT cron.schedule('good', '* * * * *', $$CALL mv_run('{total, kinds}')$$);
SELECT cron.schedule('failing', '* * * * *', $$CALL mv_run('{bad, reads_bad, fine, late}')$$);
SELECT cron.schedule('slow 1', '* * * * *', $$CALL mv_run('{slow}')$$);
SELECT cron.schedule('slow 2', '* * * * *', $$CALL mv_run('{slow}')$$);
COMMIT;
SQL

# One row for each run of a job, with its steps in the history. A run is found by its number where the
# job says it or was seen at it, else by its views.
my $agreement = <<'SQL';
WITH job AS (
    SELECT j.jobname, d.job_pid, d.status, d.username, d.return_message,
           CASE WHEN j.jobname = 'good' THEN 'public.kinds' ELSE 'public.slow' END AS first_view,
           coalesce(substring(d.return_message FROM 'Run (\d+) in mv_orchestrator.history')::bigint, seen.run) AS run
    FROM cron.job_run_details AS d
    JOIN cron.job AS j USING (jobid)
    LEFT JOIN seen ON seen.pid = d.job_pid)
SELECT jobname, job.status, username = ALL (array_agg(h.role)) AS by_its_role, count(DISTINCT h.run) AS runs,
       string_agg(h.name || ' ' || h.status, ', ' ORDER BY h.step) AS steps
FROM job
LEFT JOIN mv_orchestrator.history AS h
    ON h.run = job.run
    OR job.run IS NULL AND h.run IN (
        SELECT o.run FROM mv_orchestrator.history AS o
        WHERE o.step = 1 AND o.name = first_view AND o.run NOT IN (SELECT run FROM seen))
GROUP BY jobname, job_pid, job.status, username ORDER BY jobname
SQL

sub start_node {
    my ($name, $workers) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);
    my $host = $node->host;
    $node->init;
    $node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
cron.use_background_workers = $workers
cron.host = '$host'
CONF
    $node->start;
    $node->safe_psql('postgres', "CREATE EXTENSION mv_orchestrator; CREATE EXTENSION pg_cron; $scene");
    my $holder = session($node);
    ask($holder, 'SELECT pg_advisory_lock(1)');
    $node->safe_psql('postgres', $jobs);
    return { node => $node, holder => $holder };
}

# Waits until each job of each node has been started, and lets none be started again: once is enough,
# and a job that is unscheduled would be cancelled.
sub wait_for_jobs {
    my @waiting = @_;
    my $end = time + $PostgreSQL::Test::Utils::timeout_default;
    while (@waiting) {
        die 'the jobs did not start' if time > $end;
        usleep(200_000);
        @waiting = grep { $_->safe_psql('postgres', 'SELECT count(job_pid) < 4 FROM cron.job_run_details') eq 't'
              || !$_->safe_psql('postgres', q{SELECT count(cron.alter_job(jobid, schedule => '0 0 29 2 *')) FROM cron.job}) } @waiting;
    }
}

sub check_node {
    my ($node, $holder) = @{ $_[0] }{qw(node holder)};
    my $at_work = q{FROM mv_orchestrator.progress AS p WHERE p.name = 'public.slow' AND p.phase = 'query'};
    ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT $at_work AND p.blocked_by = '{$holder->{pid}}')"),
        'a run can be seen at work');
    $node->safe_psql('postgres', "CREATE TABLE seen AS SELECT p.pid, p.run, p.role, p.step, p.steps $at_work");
    is($node->safe_psql('postgres', <<'SQL'), q{CALL mv_run('{slow}')|clerk|1|1}, 'it is a job');
SELECT d.command, s.role, s.step, s.steps FROM seen AS s JOIN cron.job_run_details AS d ON d.job_pid = s.pid
SQL
    $node->poll_query_until('postgres', 'SELECT count(*) = 2 + 4 + 1 FROM mv_orchestrator.history')
      or die 'the other runs did not end';
    is($node->safe_psql('postgres', <<'SQL'), 't', 'the overlapping run names the one at work');
SELECT message = 'materialized view public.slow is in a run of process ' || seen.pid
FROM mv_orchestrator.history, seen WHERE status = 'skipped'
SQL
    ask($holder, 'SELECT pg_advisory_unlock(1)');
    $node->poll_query_until('postgres', q{SELECT bool_and(status IN ('succeeded', 'failed')) FROM cron.job_run_details})
      or die 'the jobs did not end';
    check_results($node);
}

sub check_results {
    my ($node) = @_;
    my @rows = split /\n/, $node->safe_psql('postgres', $agreement);
    s/^slow [12]/slow/ for @rows;
    is_deeply([ sort @rows ], [
        'failing|failed|t|1|public.bad failed, public.fine refreshed, public.late failed, public.reads_bad upstream_failed',
        'good|succeeded|t|1|public.kinds refreshed, public.total refreshed',
        'slow|succeeded|t|1|public.slow refreshed',
        'slow|succeeded|t|1|public.slow skipped',
    ], 'what became of each job agrees with the history');
    is($node->safe_psql('postgres', 'SELECT count(DISTINCT run) FROM mv_orchestrator.history'), 4, 'no other run was made');

    my $messages = $node->safe_psql('postgres', q{SELECT return_message FROM cron.job_run_details WHERE status = 'failed'});
    like($messages, qr/^ERROR: +3 of 4 materialized views could not be refreshed\n/, 'the message counts the failures');
    like($messages, qr/^DETAIL: +public\.bad: 22012: division by zero\npublic\.late: 57014: canceled due to view timeout\n/m,
        'and names them');
    is($node->safe_psql('postgres', q{SELECT DISTINCT return_message FROM cron.job_run_details WHERE status = 'succeeded'}),
        'CALL', 'success is a command tag');
    like(slurp_file($node->logfile), qr/NOTICE: +run skipped: materialized view public.slow is in a run of process \d+/,
        'that a run was skipped is in the log of the server');

    ok(wait_for_no_locks($node), 'no lock is left');
    is($node->safe_psql('postgres', 'SELECT count(*) FROM mv_orchestrator.progress'), 0, 'nor a run');
    $node->safe_psql('postgres', 'UPDATE divisor SET d = 1');
    is(wrong_views($node), "public.bad|1\npublic.late|2", 'what failed has its old rows, the rest is as its query');
}

sub run_example {
    my ($node, $file) = @_;
    my ($out, $err);
    my $status = $node->psql('postgres', slurp_file(source_root() . "/examples/pg_cron/$file"),
        on_error_stop => 1, extra_params => [ '-q' ], connstr => $node->connstr('postgres') . ' user=clerk',
        stdout => \$out, stderr => \$err);
    is($status, 0, "$file runs") or diag($err);
    return $out;
}

sub check_example {
    my ($node) = @_;
    my $as_clerk = $node->connstr('postgres') . ' user=clerk';
    $node->safe_psql('postgres', 'GRANT CREATE ON DATABASE postgres TO clerk;'
          . q{SELECT mv_unregister(name) FROM mv_orchestrator.status});
    run_example($node, 'views.sql');
    run_example($node, 'schedule.sql');
    my $sql = q{SELECT command FROM cron.job WHERE jobname ~ '^(refresh|rebuild|forget)' ORDER BY jobid};
    my @commands = split /\n/, $node->safe_psql('postgres', $sql);
    is(scalar @commands, 4, 'four jobs are scheduled');
    for (@commands) {
        my ($status, undef, $err) = $node->psql('postgres', $_, connstr => $as_clerk);
        is($status, 0, $_) or diag($err);
    }
    is($node->safe_psql('postgres', 'SELECT string_agg(DISTINCT mode, $$ $$) FROM mv_orchestrator.history'
              . q{ WHERE schema_name = 'shop'}), 'diff swap', 'they refreshed the views');
    $node->safe_psql('postgres', q{INSERT INTO shop.orders VALUES (101, 'customer 0', '2026-01-02', 0)});
    my (undef, undef, $err) = $node->psql('postgres', $commands[0], connstr => $as_clerk);
    like($err, qr/1 of 3 materialized views could not be refreshed/, 'an order of nothing makes one view fail');
    my $seen = run_example($node, 'look.sql');
    like($seen, qr/\|failing\|failed\|\d+\|public.bad\|failed\|.*division by zero$/m, 'which view it was that failed is shown');
    like($seen, qr/\|slow [12]\|succeeded\|/, 'and what succeeded');
    like($seen, qr/\|clerk\|materialized view public.slow is in a run of process \d+$/m, 'and what was skipped');
}

my %workers = ('background workers' => 'on', 'connections' => 'off');
my %started = map { $_ => start_node("pg_cron_$workers{$_}", $workers{$_}) } sort keys %workers;
wait_for_jobs(map { $_->{node} } values %started);
for my $way (sort keys %started) {
    subtest "jobs as $way" => sub { check_node($started{$way}) };
}
subtest 'the example' => sub { check_example($started{connections}{node}) };

done_testing();
