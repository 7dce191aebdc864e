# What the TAP tests share.
package MvTest;

use strict;
use warnings;

use Exporter 'import';
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More ();
use Time::HiRes qw(time usleep);

our @EXPORT = qw(source_root orchestrator_node wrong_views wait_for_no_locks create_own_locks
  session session_when_back alive send_query answer ask create_meeting wait_for_no_workers wait_until wait_for_answer
  slowness);

# The tree's root.
sub source_root { return "$FindBin::RealBin/../.."; }

# A running server with the extension in the database postgres.
sub orchestrator_node {
    my ($name, $settings) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);
    $node->init;
    $node->append_conf('postgresql.conf', $settings) if defined $settings;
    $node->start;
    $node->safe_psql('postgres', 'CREATE EXTENSION mv_orchestrator');
    return $node;
}

# The oracle: which materialized views do not hold what their queries give, with the number of
# rows that differ, by the server's own catalogs alone; -1: not populated. Empty when all is well.
sub wrong_views {
    my ($node, $database) = @_;
    return $node->safe_psql($database // 'postgres', <<'SQL');
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.differences(name text, query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM ((TABLE %1$s EXCEPT ALL (%2$s)) UNION ALL'
                   ' ((%2$s) EXCEPT ALL TABLE %1$s)) AS d', name, query) INTO n;
    RETURN n;
END $$;
SELECT name, n FROM (
    SELECT name, CASE WHEN ispopulated THEN pg_temp.differences(name, query) ELSE -1 END AS n
    FROM (SELECT format('%I.%I', schemaname, matviewname) AS name, rtrim(definition, ';') AS query, ispopulated
          FROM pg_matviews) AS v) AS d
WHERE n <> 0 ORDER BY name;
SQL
}

# Whether no session holds a lock on a view, nor a run lock, within some seconds.
sub wait_for_no_locks {
    my ($node, $database) = @_;
    return $node->poll_query_until($database // 'postgres', <<'SQL');
SELECT count(*) = 0 FROM pg_locks
WHERE pid IS DISTINCT FROM pg_backend_pid()
  AND (relation IN (SELECT oid FROM pg_class WHERE relkind = 'm')
       OR classid = (SELECT oid FROM pg_extension WHERE extname = 'mv_orchestrator'))
SQL
}

# Whether no worker of a run is left, within some seconds.
sub wait_for_no_workers {
    my ($node) = @_;
    return $node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'mv_orchestrator worker'});
}

# A function that returns 0 once as many have called it as my.meet says: what calls it in different
# views proves that these were refreshed at once. ALTER SEQUENCE met RESTART before the next time.
sub create_meeting {
    my ($node) = @_;
    $node->safe_psql('postgres', <<'SQL');
CREATE SEQUENCE met MINVALUE 0 START 0;
GRANT ALL ON SEQUENCE met TO PUBLIC;
CREATE FUNCTION meet() RETURNS int LANGUAGE plpgsql AS $$
DECLARE expected int := coalesce(nullif(current_setting('my.meet', true), ''), '1');
BEGIN
    PERFORM nextval('public.met');
    WHILE (SELECT last_value FROM public.met) + 1 < expected LOOP
        IF clock_timestamp() > now() + interval '1 minute' THEN RAISE EXCEPTION 'nobody else has come'; END IF;
        PERFORM pg_sleep(0.002);
    END LOOP;
    RETURN 0;
END $$;
SQL
}

# How many times longer than usual a server may take: one that checks itself is slow, and what must
# be over before a limit strikes needs a longer one there.
sub slowness { return ($ENV{PG_TEST_TIMEOUT_DEFAULT} // 180) / 180; }

# Whether a condition holds within some minutes.
sub wait_until {
    my ($condition) = @_;
    my $deadline = time + 180;
    until ($condition->()) {
        return 0 if time > $deadline;
        usleep(2000);
    }
    return 1;
}

# What a query says: the expected, or what it still says after some minutes.
sub wait_for_answer {
    my ($session, $query, $expected) = @_;
    my $said;
    wait_until(sub { ($said = ask($session, $query)) eq $expected });
    return $said;
}

# A psql that stays, in which queries are sent and answered, as long as somebody holds it. user: who
# logs in.
sub session {
    my ($node, $user) = @_;
    local $ENV{PGUSER} = $user // $ENV{PGUSER};
    my $session = bless { in => '', out => '', asked => 0, timer => IPC::Run::timeout(300) }, 'MvTest::Session';
    $session->{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres') ],
        '<', \$session->{in}, '>&', \$session->{out}, $session->{timer});
    $session->{pid} = ask($session, 'SELECT pg_backend_pid()');
    return $session;
}

# It would keep its process and two files open: some hundreds of crashes later a server would find
# too few left.
sub MvTest::Session::DESTROY {
    my ($session) = @_;
    return if $session->{gone} || ${^GLOBAL_PHASE} eq 'DESTRUCT';
    local ($@, $?, $!);
    eval { $session->{run}->kill_kill };
}

sub alive { return !$_[0]->{gone} && $_[0]->{run}->pumpable; }

# A psql may end before it has been asked, as the server does: that is a session that is gone.
sub pump {
    my ($session, $way) = @_;
    eval { $session->{run}->$way; 1 } and return;
    die $@ unless $@ =~ /Broken pipe/;
    $session->{gone} = 1;
    eval { $session->{run}->kill_kill };
}

# When the server is back after a crash.
sub session_when_back {
    my ($node) = @_;
    my ($deadline, $session) = time + 180;
    until (($session = session($node)) && alive($session)) {
        die 'the server does not come back' if time > $deadline;
        usleep(10_000);
    }
    return $session;
}

sub send_query {
    my ($session, $sql) = @_;
    $session->{timer}->start;  # so much for each query
    $session->{out} = '';
    $session->{in} = "$sql;\n\\echo answered " . ++$session->{asked} . "\n";
    pump($session, 'pump_nb') while length $session->{in} && alive($session);
}

# All that is said until the query is done or the connection is gone.
sub answer {
    my ($session) = @_;
    my $mark = "answered $session->{asked}\n";
    pump($session, 'pump') while alive($session) && $session->{out} !~ /^$mark/m;
    unless ($session->{gone} || alive($session)) {
        $session->{run}->finish;
        $session->{gone} = 1;
    }
    return $session->{out} =~ s/^$mark//mr =~ s/\n\z//r;
}

sub ask { send_query(@_); return answer($_[0]); }

# A function that counts what its session holds of run locks and of locks on views.
sub create_own_locks {
    my ($node) = @_;
    $node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION own_locks() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM pg_locks
    WHERE pid = pg_backend_pid() AND mode <> 'AccessShareLock'
      AND (relation IN (SELECT oid FROM pg_class WHERE relkind = 'm')
           OR classid = (SELECT oid FROM pg_extension WHERE extname = 'mv_orchestrator'))
$$;
SQL
}

1;
