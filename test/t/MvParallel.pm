# What the tests of parallel runs under fire share: six views, of which "a" stops in its query while
# somebody holds advisory lock 1, "b" with 2, "f" with 3; "c" reads "a", "d" reads "b", "e" both of these.
package MvParallel;

use strict;
use warnings;

use Exporter 'import';
use MvScene;
use MvTest;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(usleep);

our @EXPORT = qw(parallel_scene parallel_registrations workers worker_at history told_state stray_complaints);

my $registrations = <<'SQL';
SELECT mv_register('a', 'SELECT v, g, kind, doc FROM version, base, pg_advisory_xact_lock_shared(1) pause', unique_key => '{g}', mode => 'diff');
SELECT mv_register('b', 'SELECT v, kind, count(*) AS n FROM version, base, pg_advisory_xact_lock_shared(2) pause GROUP BY v, kind',
                   unique_key => '{kind}', mode => 'swap');
SELECT mv_register('c', 'SELECT v, g, kind FROM a', unique_key => '{g}', mode => 'plain');
SELECT mv_register('d', 'SELECT v, kind, n FROM b', unique_key => '{kind}', mode => 'diff');
SELECT mv_register('e', 'SELECT c.v, c.g, d.n FROM c JOIN d USING (kind)', unique_key => '{g}', mode => 'swap');
SELECT mv_register('f', 'SELECT v, g, doc FROM version, base, pg_advisory_xact_lock_shared(3) pause', unique_key => '{g}');
SELECT mv_register('r', 'SELECT 0 AS v', depends_on => '{d0,other}');
SQL

sub parallel_registrations { return $registrations; }

# No restart but one's own: whoever crashes the server waits for it.
sub parallel_scene {
    my ($name, $settings) = @_;
    return scene($name, "restart_after_crash = on\ncheckpoint_timeout = 1h\nmax_wal_size = 10GB\nmax_worker_processes = 8\n" . ($settings // ''),
        $registrations);
}

# The processes of all workers.
sub workers {
    my ($admin) = @_;
    return split /\n/, ask($admin, q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'mv_orchestrator worker' ORDER BY pid});
}

# The worker that is stopped in the query of a view, once it is.
sub worker_at {
    my ($admin, $view) = @_;
    my $pid;
    wait_until(sub {
        $pid = ask($admin, qq{SELECT pid FROM pg_stat_activity WHERE backend_type = 'mv_orchestrator worker' AND wait_event_type = 'Lock'
            AND query ~ ', query: public\\.$view \\*/'});
    }) or die "no worker comes to $view";
    return $pid;
}

# What the last run did, as far as it says.
sub history {
    my ($admin, $since) = @_;
    return ask($admin, qq{SELECT string_agg(concat_ws(' ', view_name, status, sqlstate), ', ' ORDER BY view_name)
        FROM mv_orchestrator.history WHERE run > $since});
}

# The state that the history tells of, for the views that there still are.
sub told_state {
    my ($admin, $since) = @_;
    return ask($admin, qq{SELECT concat_ws(' ', string_agg(matviewname || '=' || CASE WHEN EXISTS (
            SELECT FROM mv_orchestrator.run_step s WHERE run > $since AND s.view_name = v.matviewname
              AND status IN ('refreshed', 'unchanged')) THEN 'fresh' ELSE 'old' END, ' ' ORDER BY matviewname), 'r=old rest=old')
        FROM pg_matviews v});
}

my %known;

# Files of relations that are gone, which a crash alone may leave.
sub stray_complaints {
    my ($admin, $may_leave) = @_;
    my @new = grep { !$known{$_} } stray_files($admin);
    $known{$_} = 1 for @new;
    return $may_leave ? () : map { "file $_" } @new;
}

1;
