# Taking over what is there, and what people then do to it. First the round trip: adopted, exported,
# imported into an empty database, created, the same in everything. Then a registry whose views are
# renamed, moved, given away, replaced and restored, with a dependency that only a function knows.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = orchestrator_node('adopt', "allow_in_place_tablespaces = on\n");
my $directory = PostgreSQL::Test::Utils::tempdir();

# The roles' names, schemas and texts are statements, where they are taken for such.
my %role = (alice => 'alice', bob => qq{Bob's\nALTER ROLE alice SUPERUSER; --}, carol => q{carol "the \\ third"}, reader => 'reader');
my $odd = qq{odd\n'); ALTER ROLE alice SUPERUSER; --};

sub ident { my ($name) = @_; $name =~ s/"/""/g; return qq{"$name"}; }
my ($alice, $bob, $carol, $reader) = map { ident($role{$_}) } qw(alice bob carol reader);
my $o = ident($odd);

$node->safe_psql('postgres', <<SQL);
CREATE ROLE $alice;
CREATE ROLE $bob;
CREATE ROLE $carol;
CREATE ROLE $reader;
CREATE TABLESPACE "odd space" LOCATION '';
GRANT CREATE ON TABLESPACE "odd space" TO PUBLIC;
SQL

# What the views read, without the views.
my $sources = <<SQL;
CREATE SCHEMA $o AUTHORIZATION $bob;
CREATE SCHEMA s AUTHORIZATION $alice;
GRANT USAGE ON SCHEMA s, $o TO PUBLIC;
GRANT CREATE ON SCHEMA s TO $carol;
SET SESSION AUTHORIZATION $alice;
CREATE TABLE s.t (id int PRIMARY KEY, kind varchar(8), code char(3), at timestamptz, n numeric(10,2));
INSERT INTO s.t SELECT g, (ARRAY['a', 'b', 'c'])[1 + g % 3], 'x' || g % 10, TIMESTAMPTZ '2024-01-01 00:00+00' + g * interval '7 hours', g / 3.0
    FROM generate_series(1, 200) g;
GRANT SELECT ON s.t TO PUBLIC;
-- Names without a schema: what it reads depends on the search_path.
CREATE FUNCTION s.kinds() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(DISTINCT kind) FROM t); END';
RESET SESSION AUTHORIZATION;
SQL

my $views = <<SQL;
SET SESSION AUTHORIZATION $alice;
CREATE MATERIALIZED VIEW s.base WITH (fillfactor = 80, toast.autovacuum_enabled = off) TABLESPACE "odd space" AS
    SELECT id, kind, code, n, n::text AS note FROM s.t WHERE kind IN ('a', 'b') AND at > '2024-01-02 00:00:00+09';
COMMENT ON MATERIALIZED VIEW s.base IS E'one\\n''; ALTER ROLE alice SUPERUSER; --';
COMMENT ON COLUMN s.base.n IS E'\\\\ column ''n''';
CREATE UNIQUE INDEX base_id ON s.base (id) TABLESPACE "odd space";
CREATE INDEX "base ""expression""" ON s.base (upper(kind) DESC, n) INCLUDE (code) WHERE code LIKE E'x\\\\%';
COMMENT ON INDEX s.base_id IS 'by number';
GRANT SELECT ON s.base TO PUBLIC;
GRANT SELECT (id, n), UPDATE (n) ON s.base TO $bob WITH GRANT OPTION;
CREATE MATERIALIZED VIEW s.with_function AS SELECT kind, s.kinds() AS kinds FROM s.base GROUP BY kind WITH NO DATA;
RESET SESSION AUTHORIZATION;
CREATE MATERIALIZED VIEW $o."x\ny" AS SELECT kind AS "K i", count(*) AS n FROM s.base GROUP BY 1;
ALTER MATERIALIZED VIEW $o."x\ny" OWNER TO $bob;
ALTER MATERIALIZED VIEW $o."x\ny" RENAME COLUMN n TO "how; many";
CREATE UNIQUE INDEX ON $o."x\ny" ("K i");
GRANT SELECT ON $o."x\ny" TO $alice, $carol, $reader;
SET SESSION AUTHORIZATION $bob;
REVOKE TRUNCATE ON $o."x\ny" FROM $bob;
COMMENT ON COLUMN $o."x\ny"."how; many" IS 'of it';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION $carol;
CREATE MATERIALIZED VIEW s."A last" AS SELECT sum("how; many") AS n FROM $o."x\ny";
RESET SESSION AUTHORIZATION;
SQL

# All that the catalogs say of the views, by name.
sub state_of {
    my ($database) = @_;
    return $node->safe_psql($database, <<'SQL');
SELECT c.oid::regclass, c.relowner::regrole, a.amname, s.spcname, c.reloptions, t.reloptions, obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_am a ON a.oid = c.relam LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.relkind = 'm' ORDER BY c.oid::regclass::text;
SELECT pg_get_indexdef(i.oid), i.reloptions, s.spcname, obj_description(i.oid, 'pg_class'), x.indisunique, x.indisvalid
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid AND c.relkind = 'm'
LEFT JOIN pg_tablespace s ON s.oid = i.reltablespace ORDER BY 1;
SELECT c.oid::regclass, attname, p.grantor::regrole, p.grantee::regrole, p.privilege_type, p.is_grantable
FROM (SELECT oid, NULL AS attname, relacl AS acl FROM pg_class WHERE relkind = 'm'
      UNION ALL SELECT attrelid, attname, attacl FROM pg_attribute) c, aclexplode(acl) p
WHERE c.oid IN (SELECT oid FROM pg_class WHERE relkind = 'm') ORDER BY c.oid::regclass::text, 2, p.grantee::regrole::text, 5;
SELECT c.oid::regclass, attnum, attname, format_type(atttypid, atttypmod), col_description(c.oid, attnum)
FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid WHERE relkind = 'm' AND attnum > 0 ORDER BY c.oid::regclass::text, 2;
SQL
}

sub registry_of {
    my ($database) = @_;
    return $node->safe_psql($database, <<'SQL');
SELECT r::text FROM mv_orchestrator.registry r ORDER BY schema_name, view_name;
SELECT d::text FROM mv_orchestrator.dependency d ORDER BY schema_name, view_name, position;
SQL
}

sub export_of { return $node->safe_psql($_[0], 'SELECT mv_export()'); }

# The script as a file that psql reads.
sub import_into {
    my ($database, $script) = @_;
    my $file = "$directory/script.sql";
    open my $handle, '>', $file or die $!;
    print $handle $script, "\n";
    close $handle;
    my ($out, $errors) = run_command([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', $file ]);
    return $errors =~ s/^.*NOTICE:[^\n]*(\n--; ALTER[^\n]*|\n'\); ALTER[^\n]*)?\n?//mgr =~ s/\s+\z//r;
}

my $search_path = 'SET search_path = s, public';
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(origin copy);
$node->safe_psql('origin', "CREATE EXTENSION mv_orchestrator;\n$sources$views");
my $before = state_of('origin');
is($node->safe_psql('origin', "$search_path; SELECT count(*) FROM mv_adopt_all()"), 4, 'four views are adopted');
is($node->safe_psql('origin', 'SELECT bool_and(applied) FROM mv_orchestrator.registry'), 't', 'each as it is');
is(state_of('origin'), $before, 'nothing of them has changed');
is($node->safe_psql('origin', 'SELECT DISTINCT action FROM mv_create_all()'), 'exists', 'there is no drift');

my $script = export_of('origin');
is(export_of('origin'), $script, 'the export is the same each time');
$node->safe_psql('copy', "CREATE EXTENSION mv_orchestrator;\n$sources");
is(import_into('copy', $script), '', 'it can be imported');
is(registry_of('copy') =~ s/,t\)$/,f)/mgr, registry_of('origin') =~ s/,t\)$/,f)/mgr, 'the registry is the same');
is(export_of('copy') =~ s/^DO .*?END';\n//msgr =~ s/^(RESET|SET) SESSION.*\n//mgr,
    $script =~ s/^DO .*?END';\n//msgr =~ s/^(RESET|SET) SESSION.*\n//mgr, 'so is its export, but for what the views have');
is($node->safe_psql('copy', 'SELECT count(*) FROM pg_matviews'), 0, 'nothing is created yet');
is($node->safe_psql('copy', 'SET client_min_messages = warning; SELECT action, count(*) FROM mv_create_all(with_data => false) GROUP BY 1'),
    'created|4', 'everything can be created');
is(import_into('copy', $script), '', 'it can be imported again');
is($node->safe_psql('copy', q{SELECT DISTINCT status FROM mv_refresh_all(mode => 'plain')}), 'refreshed', 'then all can be filled');
is(state_of('copy'), $before, 'the views are what they were, with owners, indexes, storage, privileges, comments');
{
    local $ENV{PGOPTIONS} = '-c search_path=s';  # for the oracle
    is(wrong_views($node, 'copy'), '', 'and have the right rows');
}
is($node->safe_psql('copy', 'SELECT DISTINCT action FROM mv_create_all()'), 'exists', 'there is no drift');
is(drifts_in('copy'), 0, 'and no check finds any');
is($node->safe_psql('copy', 'SELECT bool_and(exists) FROM mv_orchestrator.status'), 't', 'every view exists');
is(export_of('copy'), $script, 'both databases export the same, byte for byte');
is(registry_of('copy'), registry_of('origin'), 'and their registries are the same, row by row');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_roles WHERE rolsuper'), 1, 'no name was taken for a statement');
is($node->safe_psql('copy', 'SELECT DISTINCT kinds FROM s.with_function'), 3, 'functions run with the search_path of the adopter');
is($node->safe_psql('copy', "SELECT DISTINCT status FROM mv_refresh_all(mode => 'diff')"), 'unchanged', 'all can be refreshed');

# An adopted view is made again as it was, when it is dropped.
$node->safe_psql('copy', 'SET client_min_messages = warning; SELECT mv_drop_all(); SELECT mv_create_all(with_data => false)');
is(import_into('copy', $script), '', 'it can be imported once more');
is(state_of('copy'), $before, 'dropped and created, the views are what they were');

# What people do. The function's dependency is declared; by name its reader comes first.
$node->safe_psql('postgres', 'CREATE DATABASE people');
$node->safe_psql('people', <<SQL);
CREATE EXTENSION mv_orchestrator;
CREATE SCHEMA s AUTHORIZATION $alice;
CREATE SCHEMA moved AUTHORIZATION $alice;
GRANT ALL ON SCHEMA s, moved TO $carol;
SET SESSION AUTHORIZATION $alice;
CREATE TABLE s.t AS SELECT g AS id, g % 7 AS kind FROM generate_series(1, 100) g;
GRANT SELECT ON s.t TO PUBLIC;
CREATE MATERIALIZED VIEW s.base AS SELECT kind, count(*) AS n FROM s.t GROUP BY kind;
GRANT SELECT ON s.base TO PUBLIC;
CREATE FUNCTION s.total() RETURNS numeric LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT sum(n) FROM s.base); END';
CREATE VIEW s.between AS SELECT s.total() AS total;
CREATE MATERIALIZED VIEW s.a_hidden AS SELECT total FROM s.between;
CREATE MATERIALIZED VIEW s.z_last AS SELECT total, n FROM s.a_hidden, s.base;
CREATE INDEX z_last_n ON s.z_last (n);
SELECT mv_adopt('s.a_hidden', '{s.base}');
SELECT mv_adopt_all('{s}');
SQL

my $order = 's.base s.a_hidden s.z_last';

# Something was done, and rows have changed: one call makes everything right.
my $changes = 0;
sub one_call_is_enough {
    my ($what, %expected) = @_;
    my $database = $expected{database} // 'people';
    ++$changes;
    $node->safe_psql($database, "INSERT INTO s.t SELECT g, g % 5 FROM generate_series(1, 10 + $changes) g");
    my $names = $expected{order} // $order;
    is($node->safe_psql($database, "SELECT string_agg(name, ' ' ORDER BY step) FROM mv_refresh_all(mode => 'plain') WHERE status = 'refreshed'"),
        $names, "$what: one call refreshes all, in order");
    is(wrong_views($node, $database), '', "$what: every view is right");
    is($node->safe_psql($database, q{SELECT string_agg(DISTINCT action, ' ') FROM mv_create_all()}), 'exists', "$what: there is no drift")
      unless $expected{drift};
    is(drifts_in($database), 0, "$what: no check finds any") unless $expected{drift};
}
# By mv_check(), where there is one.
sub drifts_in {
    my ($database) = @_;
    return 0 unless $node->safe_psql($database, q{SELECT to_regprocedure('mv_check()') IS NOT NULL}) eq 't';
    return $node->safe_psql($database, q{SELECT count(*) FROM mv_check() WHERE problem IN ('drift', 'definition_invalid', 'missing')});
}
sub people_do { $node->safe_psql('people', "SET client_min_messages = warning; $_[0]"); }

one_call_is_enough('nothing');

# A view is replaced as migrations do it: same name, new OID.
people_do('CREATE MATERIALIZED VIEW s.z_tmp AS SELECT total, n FROM s.a_hidden, s.base; DROP MATERIALIZED VIEW s.z_last;'
      . " ALTER MATERIALIZED VIEW s.z_tmp RENAME TO z_last; CREATE INDEX z_last_n ON s.z_last (n); ALTER MATERIALIZED VIEW s.z_last OWNER TO $alice");
one_call_is_enough('drop and create');

# Its source likewise: what reads it is dropped with it, and created by us.
people_do("DROP MATERIALIZED VIEW s.base CASCADE; SET SESSION AUTHORIZATION $alice;"
      . ' CREATE MATERIALIZED VIEW s.base AS SELECT kind, count(*) AS n FROM s.t GROUP BY kind; GRANT SELECT ON s.base TO PUBLIC');
is($node->safe_psql('people', 'SELECT name, action FROM mv_create_all() WHERE action <> \'exists\''), 's.z_last|created', 'what was dropped is created');
one_call_is_enough('drop cascade');

# Given away: it is refreshed as it is, with its new owner's rights.
people_do("ALTER MATERIALIZED VIEW s.base OWNER TO $carol");
one_call_is_enough('owner change');
is($node->safe_psql('people', q{SELECT owner FROM mv_orchestrator.status WHERE view_name = 'base'}), $role{carol}, 'owner change: it is shown');
my ($result, undef, $errors) = $node->psql('people', "SET SESSION AUTHORIZATION $alice; SELECT mv_refresh('s.base')");
like($errors, qr/permission denied to refresh/, 'owner change: the old owner has no say');
is(import_into('people', export_of('people')), '', 'owner change: the export can be imported where it came from');
one_call_is_enough('owner change, imported');
people_do("ALTER MATERIALIZED VIEW s.base OWNER TO $alice");
one_call_is_enough('owner change, and back');

# Renamed: the name is what is registered, so the call says what is missing; nothing is done silently.
people_do('ALTER MATERIALIZED VIEW s.z_last RENAME TO z_best');
($result, undef, $errors) = $node->psql('people', 'SELECT mv_refresh_all()');
like($errors, qr/materialized view s\.z_last does not exist/, 'rename: the view is missed by its name');
people_do(q{SELECT mv_unregister('s.z_last'); SELECT mv_adopt('s.z_best')});
one_call_is_enough('rename', order => 's.base s.a_hidden s.z_best');
people_do(q{ALTER MATERIALIZED VIEW s.z_best RENAME TO z_last; SELECT mv_unregister('s.z_best'); SELECT mv_adopt('s.z_last')});

# Moved with its schema's name, and alone.
people_do('ALTER MATERIALIZED VIEW s.z_last SET SCHEMA moved');
($result, undef, $errors) = $node->psql('people', 'SELECT mv_refresh_all()');
like($errors, qr/materialized view s\.z_last does not exist/, 'set schema: the view is missed by its name');
people_do(q{SELECT mv_unregister('s.z_last'); SELECT mv_adopt('moved.z_last')});
one_call_is_enough('set schema', order => 's.base s.a_hidden moved.z_last');

# A table gets another name: the live views follow it, what is registered does not.
people_do('ALTER TABLE s.t RENAME TO renamed; INSERT INTO s.renamed VALUES (0, 1)');
is($node->safe_psql('people', q{SELECT string_agg(name, ' ' ORDER BY step) FROM mv_refresh_all(mode => 'plain')}),
    's.base s.a_hidden moved.z_last', 'a table renamed: one call refreshes all, in order');
is(wrong_views($node, 'people'), '', 'a table renamed: every view is right');
($result, undef, $errors) = $node->psql('people', q{SELECT mv_create('s.base')});
like($errors, qr/the registered definition cannot be analysed/, 'a table renamed: what is registered does not know it');
people_do('ALTER TABLE s.renamed RENAME TO t');
one_call_is_enough('a table renamed and back', order => 's.base s.a_hidden moved.z_last');

# Dumped and restored: the server fills what it can before what it cannot see it needs.
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$directory/people", $node->connstr('people') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
(undef, $errors) = run_command([ 'pg_restore', '-d', $node->connstr('restored'), "$directory/people" ]);
like($errors, qr/materialized view "base" has not been populated/, 'restored: the server does not see what the function reads');
like($node->safe_psql('restored', 'SELECT matviewname FROM pg_matviews WHERE NOT ispopulated ORDER BY 1'), qr/a_hidden/, 'restored: a view is empty');
one_call_is_enough('restored', database => 'restored', order => 's.base s.a_hidden moved.z_last');
is(export_of('restored'), export_of('people'), 'restored: the export is the same');
$node->safe_psql('restored', 'SET client_min_messages = warning; SELECT mv_drop_all(); SELECT mv_create_all()');
is(wrong_views($node, 'restored'), '', 'restored: all can be dropped and created');

# Restored without its rows.
$node->safe_psql('postgres', 'CREATE DATABASE unpopulated');
(undef, $errors) = run_command([ 'pg_restore', '--section=pre-data', '-d', $node->connstr('unpopulated'), "$directory/people" ]);
run_command([ 'pg_restore', '--data-only', '-t', 't', '-t', 'registry', '-t', 'dependency', '-d', $node->connstr('unpopulated'), "$directory/people" ]);
is($node->safe_psql('unpopulated', 'SELECT count(*) FROM pg_matviews WHERE ispopulated'), 0, 'unpopulated: all are empty');
one_call_is_enough('unpopulated', database => 'unpopulated', order => 's.base s.a_hidden moved.z_last', drift => 1);

# Whoever imports is a superuser, and sets session_authorization: what a stranger's code does with
# RESET would be his. So nothing of a stranger's runs but in mv_register(), restricted. His schema
# comes first in the path that he registered with, and shadows what the script could name.
$node->safe_psql('postgres', 'CREATE ROLE stranger; CREATE DATABASE trapped');
$node->safe_psql('trapped', <<'SQL');
CREATE EXTENSION mv_orchestrator;
CREATE SCHEMA lair AUTHORIZATION stranger;
SET SESSION AUTHORIZATION stranger;
CREATE FUNCTION lair.payload(what pg_catalog.text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    command pg_catalog.text;
BEGIN
    RAISE LOG 'PAYLOAD current=% session=% in=%', current_user, session_user, what;
    FOREACH command IN ARRAY ARRAY['RESET SESSION AUTHORIZATION', 'RESET ROLE', 'SET SESSION AUTHORIZATION DEFAULT',
                                   'ALTER ROLE stranger SUPERUSER']::pg_catalog.text[] LOOP
        BEGIN
            EXECUTE command;
            RAISE LOG 'PAYLOAD did=%', command;
        EXCEPTION WHEN OTHERS THEN
        END;
    END LOOP;
END $$;
CREATE FUNCTION lair.yes(x pg_catalog.text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload('domain'); RETURN true; END $$;
CREATE DOMAIN lair.trap AS pg_catalog.text CHECK (lair.yes(VALUE));
CREATE DOMAIN lair.text AS pg_catalog.text CHECK (lair.yes(VALUE));
CREATE DOMAIN lair.jsonb AS pg_catalog.jsonb CHECK (lair.yes(VALUE::pg_catalog.text));
CREATE FUNCTION lair.to_regclass(pg_catalog.text) RETURNS regclass LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload('to_regclass'); RETURN NULL; END $$;
CREATE FUNCTION lair.equal(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload('operator'); RETURN true; END $$;
CREATE OPERATOR lair.= (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = lair.equal);
CREATE FUNCTION lair.mv_register(name pg_catalog.text, definition pg_catalog.text, depends_on pg_catalog.text[], unique_key pg_catalog.text[],
    indexes pg_catalog.text[], mode pg_catalog.text, options pg_catalog.jsonb) RETURNS pg_catalog.text LANGUAGE plpgsql
    AS $$ BEGIN PERFORM lair.payload('mv_register'); RETURN name; END $$;
CREATE TABLE lair.pg_class (oid oid, relkind "char");
SET search_path = lair, pg_catalog;
SELECT public.mv_register('lair.v', $$SELECT '{1}'::lair.trap[]::pg_catalog.text[] AS x$$, indexes => ARRAY['CREATE INDEX i ON lair.v (x)']);
SELECT public.mv_create('lair.v');
GRANT SELECT ON lair.v TO PUBLIC;
COMMENT ON COLUMN lair.v.x IS 'x';
SQL
my $trapped = export_of('trapped');
$node->safe_psql('trapped', q{SELECT mv_unregister('lair.v')});
my $from = -s $node->logfile;
is(import_into('trapped', $trapped), '', 'trapped: the script can be imported');
my $log = substr slurp_file($node->logfile), $from;
my %ran = map { $_ => 1 } $log =~ /PAYLOAD (\w+=.*?)(?: at character \d+)?$/mg;
is(join(', ', sort keys %ran), 'current=stranger session=stranger in=domain', 'trapped: only what is registered was read, and nothing came of it');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_roles WHERE rolsuper'), 1, 'trapped: nobody has become a superuser');
is($node->safe_psql('trapped', q{SELECT owner, applied FROM mv_orchestrator.registry}), 'stranger|t', 'trapped: the view is registered');

done_testing();
