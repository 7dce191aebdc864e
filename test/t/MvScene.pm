# What the tests of interruption share: three views whose query and index build can be stopped by an
# advisory lock, calls that change them, and a state of the database that is old, new, or neither.
package MvScene;

use strict;
use warnings;

use Exporter 'import';
use MvTest;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(usleep);

our @EXPORT = qw(scene prepare complaints next_run_complaints
  state calls registrations files stray_files wait_until_stopped);

# "m" stops in its query while somebody holds advisory lock
# 1, and in its index while somebody holds 2. Wide rows give it a TOAST table. "z" reads both, "r" is
# registered only. Every row holds the version that its refresh saw.
my $scene = <<'SQL';
CREATE EXTENSION amcheck;
CREATE TABLE version AS SELECT 0 AS v;
CREATE TABLE base AS SELECT g, g % 7 AS kind, repeat(md5(g::text), CASE WHEN g % 50 = 0 THEN 300 ELSE 1 END) AS doc
    FROM generate_series(1, 1500) g;
ALTER TABLE base ALTER doc SET STORAGE EXTERNAL;
CREATE FUNCTION gated(g int) RETURNS int IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(2); RETURN g; END';
SQL

my $registrations = <<'SQL';
SELECT mv_register('a', 'SELECT v, kind, count(*) AS n FROM version, base GROUP BY v, kind', unique_key => '{kind}', mode => 'swap');
SELECT mv_register('m', 'SELECT v, g, kind, doc FROM version, base, pg_advisory_xact_lock_shared(1) pause',
                   unique_key => '{g}', indexes => '{CREATE INDEX m_gated ON m USING btree (public.gated(g))}', mode => 'diff');
SELECT mv_register('z', 'SELECT m.v, m.g, m.doc, a.n FROM m JOIN a USING (v, kind)', depends_on => '{a,m}', unique_key => '{g}', mode => 'swap');
SELECT mv_register('r', 'SELECT 0 AS v', depends_on => '{d0,other}');
SQL

my $instruments = <<'SQL';
CREATE SCHEMA before;
CREATE TABLE before.rows (view text, row text);
CREATE TABLE before.views (view text, ispopulated boolean);
CREATE TABLE before.registry (rest text, r text);

CREATE FUNCTION public.rest_of_registry() RETURNS text LANGUAGE sql AS $$
    SELECT md5(coalesce((SELECT string_agg(e::text, ' ' ORDER BY e::text) FROM mv_orchestrator.registry e WHERE view_name <> 'r'), '')
            || coalesce((SELECT string_agg(d::text, ' ' ORDER BY d::text) FROM mv_orchestrator.dependency d WHERE view_name <> 'r'), ''))
$$;
CREATE FUNCTION public.r() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce((SELECT definition FROM mv_orchestrator.registry WHERE view_name = 'r'), 'nothing') || ' reads '
        || coalesce((SELECT string_agg(depends_on_name, ' ' ORDER BY position) FROM mv_orchestrator.dependency
                     WHERE view_name = 'r'), 'nothing')
$$;

-- Keeps what there is now for a later comparison.
CREATE FUNCTION remember() RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
    TRUNCATE before.rows, before.views, before.registry;
    INSERT INTO before.registry VALUES (rest_of_registry(), r());
    INSERT INTO before.views SELECT matviewname, ispopulated FROM pg_matviews;
    FOR name IN SELECT view FROM before.views WHERE ispopulated LOOP
        EXECUTE format('INSERT INTO before.rows SELECT %L, t::text FROM %I t', name, name);
    END LOOP;
END $$;

-- Of a view: old, the rows that were remembered; fresh, what its query gives now; wrong, neither.
CREATE FUNCTION rows_of(name text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    difference CONSTANT text := 'SELECT count(*) = 0 FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) AS d';
    same boolean;
BEGIN
    EXECUTE format(difference, format('(SELECT t::text FROM %I t)', name),
                   format('(SELECT row FROM before.rows WHERE view = %L)', name)) INTO same;
    IF same AND EXISTS (SELECT FROM before.views WHERE view = name AND ispopulated) THEN RETURN 'old'; END IF;
    EXECUTE format(difference, format('(TABLE %I)', name), '(' || query || ')') INTO same;
    RETURN CASE WHEN same THEN 'fresh' ELSE 'wrong' END;
END $$;

-- All that our calls can change, each compared with what was remembered.
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ',
        (SELECT string_agg(matviewname || '=' || CASE WHEN ispopulated THEN rows_of(matviewname, rtrim(definition, ';'))
                                                      ELSE 'empty' END, ' ' ORDER BY matviewname) FROM pg_matviews),
        'r=' || CASE r() WHEN b.r THEN 'old' ELSE r() END,
        'rest=' || CASE rest_of_registry() WHEN b.rest THEN 'old' ELSE 'changed' END)
    FROM before.registry b
$$;

-- What no call may leave behind: relations for the time of a refresh, TOAST tables that are nobody's
-- or named after somebody else, indexes that are missing or not usable, damage.
CREATE FUNCTION leftovers() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'relation ' || oid::regclass::text FROM pg_class
    WHERE relname LIKE 'pg\_temp\_%' OR relnamespace::regnamespace::text ~ '^pg_(toast_)?temp_'
    UNION ALL
    SELECT 'TOAST table ' || t.relname FROM pg_class t LEFT JOIN pg_class o ON o.reltoastrelid = t.oid
    WHERE t.relkind = 't' AND (o.oid IS NULL OR t.relname <> 'pg_toast_' || o.oid)
    UNION ALL
    SELECT 'index ' || indexrelid::regclass::text FROM pg_index
    WHERE NOT (indisvalid AND indisready AND indislive) OR indexrelid::regclass::text LIKE '%ccnew%'
    UNION ALL
    SELECT 'indexes of ' || v.matviewname FROM pg_matviews v JOIN mv_orchestrator.registry e ON e.view_name = v.matviewname
    WHERE (SELECT count(*) FROM pg_indexes i WHERE i.tablename = v.matviewname) <> cardinality(e.indexes) + 1
    UNION ALL
    SELECT 'damage in ' || c.oid::regclass || ': ' || msg FROM pg_class c, verify_heapam(c.oid)
    WHERE c.relkind IN ('m', 't') AND (c.relkind = 'm' OR c.oid IN (SELECT reltoastrelid FROM pg_class WHERE relkind = 'm'))
    UNION ALL
    -- Damage in an index is an error, which is no less of an answer.
    SELECT 'none' FROM (SELECT count(bt_index_parent_check(indexrelid, true, true)) AS n FROM pg_index
                        WHERE indrelid IN (SELECT oid FROM pg_class WHERE relkind = 'm')) AS checked WHERE n < 0
    UNION ALL
    SELECT 'lock: ' || concat_ws(' ', mode, relation::regclass, classid::regclass, objid) FROM pg_locks
    WHERE pid IS DISTINCT FROM pg_backend_pid() AND locktype IN ('relation', 'object', 'advisory')
$$;

-- Several runs in one transaction, one of them undone.
CREATE FUNCTION several_runs() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM * FROM mv_refresh_all('{a,m}', 'swap');
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
    PERFORM * FROM mv_refresh_all('{a,m,z}', 'swap');
    -- So that the diff writes into the files that are new in this transaction.
    UPDATE base SET kind = (kind + 1) % 7 WHERE g % 11 = 5;
    PERFORM * FROM mv_refresh_all('{a,m,z}', 'diff');
END $$;

-- Files of the database; stray ones belong to no relation.
CREATE FUNCTION files() RETURNS TABLE (file text, stray boolean) LANGUAGE sql AS $$
    SELECT f, NOT EXISTS (SELECT FROM pg_class c WHERE pg_relation_filenode(c.oid)::text = substring(f FROM '^[0-9]+'))
    FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = current_database())) f
    WHERE f ~ '^t?[0-9]'
$$;
SELECT FROM mv_create_all(ARRAY(SELECT view_name FROM mv_orchestrator.registry WHERE view_name <> 'r'));
SQL

my $old = 'a=old m=old z=old r=old rest=old';
my $fresh = 'a=fresh m=fresh z=fresh r=old rest=old';

# To be made again where all of it is gone.
sub registrations { return $registrations; }

# Each with what has to be done before and what the state is when it is done. It is all or nothing.
# stops: where it can be stopped half way, and how.
my %stop = (
    query => 'SELECT pg_advisory_lock(1)',
    index => 'SELECT pg_advisory_lock(2)',
    reader => 'BEGIN; SELECT FROM a LIMIT 0',
    last_reader => 'BEGIN; SELECT FROM z LIMIT 0',
    source => 'BEGIN; LOCK TABLE version',
);
my $no_views = q{SELECT FROM mv_drop_all('{a,m,z}')};

sub calls {
    my %calls = (
        create => { sql => q{mv_create_all('{a,m,z}')}, before => $no_views, new => $fresh, stops => [qw(query index)] },
        create_upstream => { sql => q{mv_create('z')}, before => $no_views, new => $fresh, stops => ['query'] },
        create_empty => { sql => q{mv_create_all('{a,m,z}', false)}, before => $no_views,
            new => 'a=empty m=empty z=empty r=old rest=old', stops => ['source'] },
        plain => { sql => q{mv_refresh_all('{a,m,z}', 'plain')}, new => $fresh, stops => [qw(query index last_reader)] },
        concurrent => { sql => q{mv_refresh_all('{a,m,z}', 'concurrent')}, new => $fresh, stops => [qw(query index)] },
        swap => { sql => q{mv_refresh_all('{a,m,z}', 'swap')}, new => $fresh, stops => [qw(query index last_reader)] },
        diff => { sql => q{mv_refresh_all('{a,m,z}', 'diff')}, new => $fresh, stops => [qw(query index)] },
        # Every row holds the version, so where there are enough of them the diff becomes a swap.
        auto => { sql => q{mv_refresh_all('{a,m,z}', 'auto')}, before => 'DELETE FROM mv_orchestrator.learned',
            new => $fresh, old => $old, stops => [qw(query index last_reader)] },
        several_runs => { sql => q{several_runs()}, new => $fresh, stops => [] },
        # Each view in the mode that it is registered with: swap, diff, swap.
        mixed => { sql => q{mv_refresh_all('{a,m,z}')}, new => $fresh, stops => [qw(query index last_reader)] },
        upstream => { sql => q{mv_refresh('z', 'upstream', 'plain')}, new => $fresh, stops => ['query'] },
        drop => { sql => q{mv_drop_all('{a,m,z}')}, new => 'r=old rest=old', stops => ['reader'] },
        cascade => { sql => q{mv_drop('a', cascade => true)}, new => 'm=old r=old rest=old', stops => ['last_reader'] },
        register => { sql => q{mv_register('r', 'SELECT %d AS v FROM version', '{d%1$d,other}')},
            new => 'a=old m=old z=old r=SELECT %d AS v FROM version reads d%1$d other rest=old', stops => ['source'] },
        unregister => { sql => q{mv_unregister('r')}, new => 'a=old m=old z=old r=nothing reads nothing rest=old', stops => [] },
    );
    for my $call (values %calls) {
        ($call->{mode}) = ($call->{sql} =~ /'(concurrent|swap|diff|auto)'\)$/, 'plain');
        $call->{old} //= $call->{before} ? 'r=old rest=old' : $old;
        $call->{stops} = { map { $_ => $stop{$_} } @{ $call->{stops} } };
    }
    return \%calls;
}

# Until a call waits for somebody.
sub wait_until_stopped {
    my ($admin, $pid) = @_;
    my $deadline = time + 180;
    # A swap that waits for readers looks at locks without waiting for them.
    until (ask($admin, "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $pid") =~ /Lock|Extension/) {
        die 'the call does not stop' if time > $deadline;
        usleep(2000);
    }
}

# A server with all this, its settings and whatever calls need them; with other views where these are
# registered by somebody's own statements.
sub scene {
    my ($name, $settings, $own) = @_;
    my $node = orchestrator_node($name, "autovacuum = off\njit = off\nmv_orchestrator.lock_timeout = 30s\n" . ($settings // ''));
    create_own_locks($node);
    $node->safe_psql('postgres', $scene . ($own // $registrations) . $instruments);
    return $node;
}

my $version = 0;

# Everything is there and right, and then the rows that the views read change.
sub prepare {
    my ($admin, $call) = @_;
    my $v = ++$version;
    my @steps = ($call->{before} // ());
    push @steps, "UPDATE version SET v = $v", "UPDATE base SET kind = (kind + 1) % 7 WHERE g % 13 = $v % 13",
      "INSERT INTO base SELECT g + 10000 * $v, g % 5, md5(g::text) FROM generate_series(1, 20) g",
      "DELETE FROM base WHERE g > 10000 AND g < 10000 * ($v - 1)", 'SELECT remember()';
    my $said = ask($admin, join '; ', @steps);
    die "could not prepare: $said" if $said =~ /ERROR|FATAL/;
    return unless $call->{sql};
    return map { s/%d|%1\$d/$v/gr } "SELECT * FROM $call->{sql}", $call->{new};
}

sub state { return ask($_[0], 'SELECT state()'); }

# Files of relations, and those of none once what was dropped is gone.
sub files { return split /\n/, ask($_[0], 'SELECT file FROM files()'); }
sub stray_files { return split /\n/, ask($_[0], 'CHECKPOINT; SELECT file FROM files() WHERE stray'); }

# What is wrong with the state: empty when it is one of those allowed and nothing is left over.
sub complaints {
    my ($admin, @allowed) = @_;
    my $state = state($admin);
    my @wrong;
    push @wrong, "state is $state" unless grep { $_ eq $state } @allowed;
    push @wrong, ask($admin, 'SELECT leftovers()');
    return grep { length } @wrong;
}

# Everything is made and refreshed in a session; what is wrong afterwards.
sub next_run_complaints {
    my ($session, $admin, $mode) = @_;
    my $said = ask($session, join '; ', q{SELECT FROM mv_register('r', 'SELECT 0 AS v', '{d0,other}')},
        q{SELECT FROM mv_create_all('{a,m,z}')}, qq{SELECT bool_and(status IN ('refreshed', 'unchanged')) FROM mv_refresh_all('{a,m,z}', '$mode')},
        q{SELECT current_user = session_user, current_setting('search_path'), current_setting('lock_timeout')});
    my @wrong = $said eq "t\nt|\"\$user\", public|0" ? () : "next run: $said";
    ask($admin, 'TRUNCATE before.rows, before.views');
    return (@wrong, complaints($admin, 'a=fresh m=fresh z=fresh r=SELECT 0 AS v reads d0 other rest=old',
            'a=fresh m=fresh z=fresh r=old rest=old'));
}

1;
