# What the TAP tests share.
package MvTest;

use strict;
use warnings;

use Exporter 'import';
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(source_root orchestrator_node wrong_views wait_for_no_locks);

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

1;
