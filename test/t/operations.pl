# The queries of docs/operations.md give what the document says, with views that are well, failed, old,
# missing and at work; each as the role that it is meant for. Every block fenced as ```sql or ```sh is
# run here, and known by the heading that it stands under.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %blocks;    # by heading
my ($heading, $fence) = ('');
for (split /^/, slurp_file(source_root() . '/docs/operations.md')) {
    if (defined $fence) {
        if (/^```$/) { undef $fence; next; }
        $blocks{$heading}[-1] .= $_ if $fence =~ /^(sql|sh)$/;
    } elsif (/^```(\w*)$/) {
        $fence = $1;
        push @{ $blocks{$heading} }, '' if $fence =~ /^(sql|sh)$/;
    } elsif (/^#+ (.*)$/) {
        $heading = $1;
    }
}

# The next block under a heading; each is used once.
sub block {
    my ($of) = @_;
    my $block = shift @{ $blocks{$of} // [] } // die("docs/operations.md has no block under \"$of\"");
    delete $blocks{$of} unless @{ $blocks{$of} };
    return $block;
}

my $node = PostgreSQL::Test::Cluster->new('operations');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE clerk LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE mart OWNER clerk');
my $mart = $node->connstr('mart');
my $superuser = $node->safe_psql('mart', 'SELECT current_user');

sub ask_as {
    my ($role, $sql) = @_;
    my ($out, $err);
    my $status = $node->psql('mart', $sql, on_error_stop => 1, connstr => "$mart user=$role", stdout => \$out, stderr => \$err);
    die "$sql\n$err" if $status != 0;
    return $out;
}

# Some columns of what a query gave, in an order.
sub columns {
    my ($rows, @columns) = @_;
    return join "\n", sort map { join '|', (split /\|/, $_, -1)[@columns] } split /\n/, $rows;
}

sub run_in_session {
    my ($call) = @_;
    my $session = session($node);
    ask($session, '\c mart clerk');
    $session->{pid} = ask($session, 'SELECT pg_backend_pid()');
    send_query($session, $call);
    return $session;
}

# Waits for something in pg_stat_activity or a view of ours.
sub wait_for {
    my ($condition) = @_;
    $node->poll_query_until('mart', "SELECT EXISTS ($condition)") or die "in vain: $condition";
}

ask_as($superuser, 'CREATE EXTENSION mv_orchestrator');
ask_as($superuser, block('Schedules'));
ask_as($superuser, block('Alerts'));

# The query of "slow" stops while somebody holds advisory lock 1.
ask_as('clerk', <<'SQL');
CREATE SCHEMA shop;
SET search_path = shop, public;
CREATE TABLE base AS SELECT g AS id, g % 7 AS kind FROM generate_series(1, 700) g;
CREATE TABLE divisor AS SELECT 1 AS d;
SELECT mv_register('daily', 'SELECT kind, count(*) AS n FROM base GROUP BY kind');
SELECT mv_register('bad', 'SELECT id / d AS x FROM base, divisor');
SELECT mv_register('reads_bad', 'SELECT max(x) AS x FROM bad');
SELECT mv_register('slow', 'SELECT count(*) AS n FROM base, pg_advisory_xact_lock_shared(1) AS pause');
SELECT mv_register('never', 'SELECT 1 AS x', options => '{"enabled": false}');
SELECT count(*) FROM mv_create_all();
SELECT mv_register('gone', 'SELECT 2 AS x', options => '{"enabled": false}');
CALL mv_run();
UPDATE divisor SET d = 0;
SQL

# What cron does.
my $cron = block('cron');
sub cron {
    my ($out, $err) = ('', '');
    local @ENV{qw(PGHOST PGPORT PGUSER PGDATABASE)} = ($node->host, $node->port, 'clerk', 'mart');
    IPC::Run::run([ 'sh', '-c', $cron ], '<', \undef, '>', \$out, '2>', \$err);
    return ($? >> 8, "$out$err");
}

my ($status, $said) = cron();
is($status, 1, 'a run with a failure fails for cron');
like($said, qr/^ERROR:  2 of 4 materialized views could not be refreshed\nDETAIL:  shop\.bad: 22012: division by zero\n/,
    'and says why');

# A run at work on "slow", for which another one is skipped.
my $holder = session($node);
ask($holder, '\c mart');
my $holder_pid = ask($holder, 'SELECT pg_backend_pid()');
ask($holder, 'SELECT pg_advisory_lock(1)');
my $run = run_in_session(q{CALL mv_run('{shop.slow}')});
wait_for("SELECT FROM mv_orchestrator.progress WHERE phase = 'query' AND blocked_by = '{$holder_pid}'");
is_deeply([ cron() ], [ 0, '' ], 'a run that is skipped is no news for cron');

my $each = ask_as('exporter', block('Each view'));
is(columns($each, 0 .. 2), <<'ROWS' =~ s/\n\z//r, 'which views cannot be read, and which fail');
shop.bad|0|1
shop.daily|0|0
shop.gone|1|0
shop.never|0|0
shop.reads_bad|0|1
shop.slow|0|0
ROWS
my %age = map { (split /\|/)[ 0, 3 ] } split /\n/, $each;
is(join(' ', grep { $age{$_} eq 'Infinity' } sort keys %age), 'shop.gone shop.never', 'what no run has refreshed is endlessly old');
is(join(' ', grep { $age{$_} <= 0 } keys %age), '', 'nothing is from the future');

my $old = block('Views that are too old');
is(columns(ask_as('exporter', $old), 0), "shop.gone\nshop.never", 'only what was never refreshed is too old');
$old =~ s/public\.daily', interval '15 minutes'/shop.daily', interval '0'/ or die 'no limit to change';
like(ask_as('exporter', $old), qr/^shop\.daily\|[^|]+\|skipped\|$/m, 'a limit of its own makes a view too old');

like(ask_as('exporter', block('Runs under way')), qr/^clerk\|shop\.slow\|query\|\d+\.\d+\|\d+\.\d+\|1$/, 'the run under way has its numbers');
is(columns(ask_as('exporter', block('Steps of the last hour')), 0 .. 2), <<'ROWS' =~ s/\n\z//r, 'steps of the last hour');
failed|1|1
skipped|4|1
unchanged|6|2
upstream_failed|1|1
ROWS
my $durations = ask_as('exporter', block('Durations over time'));
is(scalar(() = $durations =~ /^[^|]+\|shop\.\w+\|\d+\.\d+$/mg), 6, 'durations of all successes');

is(columns(ask_as('exporter', block('Which views are not well')), 0, 3), <<'ROWS' =~ s/\n\z//r, 'which views are not well');
shop.bad|22012: division by zero
shop.gone|
shop.never|
shop.reads_bad|materialized view shop.bad could not be refreshed
ROWS
is(columns(ask_as('exporter', block('The latest runs')), 0, 1, 4 .. 6), "1|clerk|4|0|0\n2|clerk|4|2|0\n4|clerk|4|0|4", 'the latest runs');
is(columns(ask_as('exporter', block('One run, step by step')), 0, 1, 3), <<'ROWS' =~ s/\n\z//r, 'one run has its steps');
1|shop.bad|skipped
2|shop.daily|skipped
3|shop.reads_bad|skipped
4|shop.slow|skipped
ROWS
is(scalar(split /\n/, ask_as('exporter', block('What takes long, and what takes longer than it did'))), 4, 'what takes long');

# Stuck: in its query, by a table that it reads, by a reader.
my $stuck = block('A view is stuck');
my $in_the_way = block('A view is stuck');
like(ask_as('exporter', $stuck), qr/^$run->{pid}\|clerk\|3\|1\|1\|shop\.slow\|query\|[^|]+\|[^|]+\|0\|Lock\|advisory$/, 'stuck in its query');
like(ask_as('exporter', $in_the_way), qr/^$run->{pid}\|shop\.slow\|query\|$holder_pid\|$superuser\|[^|]*\|idle\|[^|]*\|SELECT pg_advisory_lock/, 'somebody holds what the query waits for');
my $waits = run_in_session(q{SELECT * FROM mv_refresh('shop.slow')});
wait_for("SELECT FROM mv_orchestrator.progress WHERE pid = $waits->{pid} AND blocked_by = '{$run->{pid}}'");
like(ask_as('exporter', $stuck), qr/^$waits->{pid}\|clerk\|\|\|\|\|waiting\|/m, 'a call that waits for a run has no step');
ask($holder, 'SELECT pg_advisory_unlock(1)');
answer($_) for $run, $waits;

ask($holder, 'BEGIN; LOCK TABLE shop.base');
$run = run_in_session(q{CALL mv_run('{shop.daily}')});
wait_for("SELECT FROM mv_orchestrator.progress WHERE blocked_by = '{$holder_pid}'");
like(ask_as('exporter', $in_the_way), qr/^$run->{pid}\|shop\.daily\|waiting\|$holder_pid\|$superuser\|[^|]*\|idle in transaction\|/, 'somebody has locked what it reads');
ask($holder, 'ROLLBACK');
answer($run);

ask($holder, 'BEGIN; SELECT count(*) FROM shop.daily');
$run = run_in_session(q{CALL mv_run('{shop.daily}', mode => 'swap')});
wait_for(q{SELECT FROM mv_orchestrator.progress WHERE phase = 'exchange'});
like(ask_as('exporter', $in_the_way), qr/^$run->{pid}\|shop\.daily\|exchange\|$holder_pid\|$superuser\|[^|]*\|idle in transaction\|/, 'somebody reads it');
is(scalar(split /\n/, ask_as('exporter', $in_the_way)), 1, 'and nobody else');
ask($holder, 'ROLLBACK');
unlike(answer($run), qr/ERROR/, 'and the run ends well when he is gone');

# All views of one transaction are exchanged together; it is not the last one that is read.
ask($holder, 'BEGIN; SELECT count(*) FROM shop.daily');
$run = run_in_session(q{SELECT * FROM mv_refresh_all('{shop.daily, shop.slow}', mode => 'swap')});
wait_for(q{SELECT FROM mv_orchestrator.progress WHERE phase = 'exchange'});
is(columns(ask_as('exporter', $in_the_way), 0 .. 3), "$run->{pid}||exchange|$holder_pid", 'somebody reads one of several');
ask($holder, 'ROLLBACK');
unlike(answer($run), qr/ERROR/, 'and the run ends well when he is gone');

# A prepared transaction has no process.
sub prepared {
    my ($does, $call, $phase) = @_;
    ask($holder, "BEGIN; $does; PREPARE TRANSACTION 'p'");
    $run = run_in_session($call);
    wait_for("SELECT FROM mv_orchestrator.progress WHERE phase = '$phase' AND (phase = 'exchange' OR blocked_by <> '{}')");
    is(columns(ask_as('exporter', $in_the_way), 0 .. 4), "$run->{pid}|shop.daily|$phase|0|", "a prepared transaction in $phase");
    ask($holder, q{ROLLBACK PREPARED 'p'});
    unlike(answer($run), qr/ERROR/, 'and the run ends well when it is gone');
}
prepared('LOCK TABLE shop.base', q{CALL mv_run('{shop.daily}')}, 'waiting');
prepared('SELECT count(*) FROM shop.daily', q{CALL mv_run('{shop.daily}', mode => 'swap')}, 'exchange');

is(ask_as('exporter', $in_the_way) . ask_as('exporter', $stuck), '', 'then nothing is stuck');

like(ask_as('clerk', block('Sizing')), qr/^4\|\d+ [kM]?B\|\d+ [kM]?B\|\d+\|\d+$/, 'what a run needs');
ask_as($superuser, block('Sizing'));
is(ask_as('clerk', 'SELECT count(*) FROM mv_order(); SHOW mv_orchestrator.history_retention; SHOW mv_orchestrator.lock_timeout'),
    "6\n14d\n30s", 'settings of the database and of the role count');
is(join(' ', sort keys %blocks), '', 'every block was run');

done_testing();
