# What somebody without rights registers, and what happens when a superuser then calls everything
# that we have: the code runs as its author and gets nowhere, or is refused.
# ATTACK in the environment, a pattern, leaves out the attacks whose names do not match.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvAttack;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = arena();
my $server_has = { map { $_ => 1 } split /\n/, $node->safe_psql('postgres', 'SELECT name FROM pg_available_extensions') };

is_deeply([ grep { my $function = $_; !grep { $_ eq $function } known_functions() } our_functions() ],
    [], 'every function of the extension is among those that are called');

# The trap works: it sees a superuser who runs the payload by hand, also when it waits for the end of
# the transaction.
{
    my $database = new_database();
    my $from = log_size();
    as_role('boss', $database, 'SELECT lair.payload()');
    my @shots = shots_since($from);
    is(scalar(grep { $_->{event} eq 'runs' && $_->{current} eq 'boss' } @shots), 1, 'control: the trap sees a superuser');
    is(scalar(grep { $_->{event} eq 'did_ALTER_ROLE_stranger_SUPERUSER' } @shots), 1, 'control: and what he does');
    is(scalar(grep { $_->{event} eq 'did_CREATE_TEMP_TABLE_left_behind_(x_int)' } @shots), 1, 'control: and what he leaves');
    is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'stranger'}), 't', 'control: it does make one');
    disarm();
    $from = log_size();
    as_role('boss', $database, 'INSERT INTO lair.bomb VALUES (1)');
    is(join(' ', map { "$_->{event} $_->{current}" } shots_since($from)), 'explodes boss did_ALTER_ROLE boss',
        'control: the trap sees what a transaction ends with');
    disarm();
}

#
# Code by way of the definition.
#

attack(name => 'a function in the query', definition => 'SELECT x, lair.fire(x) AS y FROM lair.source');
attack(name => 'a domain whose CHECK runs as the text is read',
    definition => q{SELECT x, '{1}'::lair.trap[] AS y FROM lair.source});
attack(name => 'a column of a domain', definition => 'SELECT x::lair.trap AS x FROM lair.source');
attack(name => 'an immutable function, folded as the query is planned',
    definition => 'SELECT x, lair.still(1) AS y FROM lair.source');
attack(name => 'a function that is the source', definition => 'SELECT x FROM lair.rows() AS x',
    arm => 'CREATE FUNCTION lair.rows() RETURNS SETOF int LANGUAGE plpgsql AS $$
            BEGIN PERFORM lair.payload(); RETURN QUERY SELECT x FROM lair.source; END $$');
attack(name => 'an inlined function', definition => 'SELECT x, lair.inlined(x) AS y FROM lair.source',
    arm => 'CREATE FUNCTION lair.inlined(int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT lair.still($1) + lair.still(2) $$');
attack(name => 'a plain view on the way', definition => 'SELECT * FROM lair.between',
    arm => 'CREATE VIEW lair.between AS SELECT x, lair.fire(x) AS y FROM lair.source');
attack(name => 'a row-level security policy', definition => 'SELECT x FROM lair.source',
    arm => 'ALTER TABLE lair.source ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY p ON lair.source USING (lair.yes(x))');
attack(name => 'a table that is written: default, generated column, triggers',
    definition => 'SELECT x, lair.write(x) AS y FROM lair.source', arm => <<'SQL');
CREATE TABLE lair.written (x int, y int DEFAULT lair.fire(1), z int GENERATED ALWAYS AS (lair.still(x)) STORED);
CREATE FUNCTION lair.on_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN NULL; END $$;
CREATE TRIGGER on_write AFTER INSERT ON lair.written FOR EACH STATEMENT EXECUTE FUNCTION lair.on_write();
CREATE FUNCTION lair.write(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO lair.written (x) VALUES ($1); RETURN $1; END $$;
SQL
attack(name => 'casts and operators of an own type', definition => 'SELECT x, (p + p)::int AS y FROM lair.pairs WHERE p = p', arm => <<'SQL');
CREATE TYPE lair.pair AS (a int);
CREATE FUNCTION lair.to_int(lair.pair) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT lair.still($1.a)';
CREATE FUNCTION lair.add(lair.pair, lair.pair) RETURNS lair.pair LANGUAGE plpgsql AS 'BEGIN PERFORM lair.payload(); RETURN $1; END';
CREATE FUNCTION lair.same(lair.pair, lair.pair) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM lair.payload(); RETURN true; END';
CREATE CAST (lair.pair AS int) WITH FUNCTION lair.to_int(lair.pair) AS IMPLICIT;
CREATE OPERATOR lair.+ (FUNCTION = lair.add, LEFTARG = lair.pair, RIGHTARG = lair.pair);
CREATE OPERATOR lair.= (FUNCTION = lair.same, LEFTARG = lair.pair, RIGHTARG = lair.pair);
CREATE TABLE lair.pairs AS SELECT x, ROW(x)::lair.pair AS p FROM lair.source;
SQL
attack(name => 'a transaction that turns read-only', definition => 'SELECT x, lair.freeze(x) AS y FROM lair.source',
    arm => 'CREATE FUNCTION lair.freeze(int) RETURNS int LANGUAGE plpgsql AS $$
            BEGIN SET TRANSACTION READ ONLY; PERFORM lair.report($c$runs$c$); RETURN $1; END $$');

#
# Code by way of indexes and statistics.
#

attack(name => 'an expression index', definition => 'SELECT x FROM lair.source',
    indexes => [ 'CREATE INDEX by_y ON lair.v ((x + lair.still(1)))', 'CREATE UNIQUE INDEX by_z ON lair.v (lair.still(x), (x + lair.still(1)))' ]);
attack(name => 'an index predicate', definition => 'SELECT x FROM lair.source',
    indexes => [ 'CREATE UNIQUE INDEX by_y ON lair.v (x) WHERE lair.yes(x)', 'CREATE UNIQUE INDEX by_z ON lair.v (x) WHERE lair.yes(1)' ]);
attack(name => 'an index statement that runs as it is read', definition => 'SELECT x FROM lair.source',
    indexes => [ q{CREATE INDEX by_y ON lair.v ((x = ('{1}'::lair.trap[])[1]))} ]);
attack(name => 'an index made by hand', definition => 'SELECT x FROM lair.source',
    later => 'CREATE UNIQUE INDEX by_hand ON lair.v ((x + lair.still(1))); CREATE UNIQUE INDEX by_hand_too ON lair.v (x) WHERE lair.yes(1)');
attack(name => 'extended statistics', definition => 'SELECT x FROM lair.source',
    later => 'CREATE STATISTICS lair.counted ON (lair.still(x)), (x + lair.still(1)) FROM lair.v; ANALYZE lair.v');
attack(name => 'the support function of a range type', key => '{x}',
    definition => 'SELECT x, lair.span(x, x + 1) AS y FROM generate_series(1, 2000) AS x',
    indexes => ['CREATE INDEX by_y ON lair.v USING gist (y)'], arm => <<'SQL');
CREATE SEQUENCE lair.shots;
CREATE FUNCTION lair.apart(int, int) RETURNS float8 IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    -- The server holds a page's lock: no subtransaction can be undone here.
    IF nextval('lair.shots') % 1000 = 0 THEN PERFORM lair.report('runs'); END IF;
    RETURN $1 - $2;
END $$;
CREATE TYPE lair.span AS RANGE (subtype = int4, subtype_diff = lair.apart);
SQL

#
# Names that are looked up elsewhere than where one thinks.
#

my $shadows = <<'SQL';
CREATE FUNCTION lair.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN pg_catalog.now(); END $$;
CREATE FUNCTION lair.length(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN pg_catalog.length($1); END $$;
CREATE FUNCTION lair.format_type(oid, int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN 'int'; END $$;
CREATE FUNCTION lair.plus(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN $1; END $$;
CREATE FUNCTION lair.equals(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE FUNCTION lair.equals(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE OPERATOR lair.+ (FUNCTION = lair.plus, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR lair.= (FUNCTION = lair.equals, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR lair.= (FUNCTION = lair.equals, LEFTARG = text, RIGHTARG = text);
CREATE AGGREGATE lair.sum(int) (SFUNC = lair.plus, STYPE = int, INITCOND = '0');
CREATE COLLATION lair."C" FROM pg_catalog."C";
CREATE TABLE lair.registry (schema_name text, view_name text);
CREATE TABLE lair.pg_class (oid oid, relowner oid);
SQL
attack(name => 'a schema that shadows the server', path => 'lair, pg_catalog, public', arm => $shadows,
    definition => q{SELECT x, now() AS y, length('a' COLLATE "C") AS z FROM source WHERE x = 1 + 0 OR x IN (SELECT sum(s.x) FROM source AS s) OR x = 2});
attack(name => 'an event trigger that names things without a schema', path => 'lair, pg_catalog, public', arm => $shadows,
    definition => 'SELECT x FROM source', indexes => ['CREATE INDEX by_y ON lair.v (x)'], options => '{"comment": "c"}', prepare => <<'SQL');
CREATE FUNCTION public.audit() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM length(tg_tag); END $$;
CREATE EVENT TRIGGER audit_start ON ddl_command_start EXECUTE FUNCTION public.audit();
CREATE EVENT TRIGGER audit_end ON ddl_command_end EXECUTE FUNCTION public.audit();
CREATE EVENT TRIGGER audit_drop ON sql_drop EXECUTE FUNCTION public.audit();
SQL
attack(name => 'a search_path with "$user"', path => '"$user", lair', definition => 'SELECT x, lair.call_helper() AS y FROM source',
    prepare => q{CREATE SCHEMA stranger AUTHORIZATION stranger; CREATE FUNCTION public.helper() RETURNS int LANGUAGE sql AS 'SELECT 1'},
    arm => q{CREATE FUNCTION stranger.helper() RETURNS int LANGUAGE sql AS 'SELECT lair.fire(1)';
             CREATE FUNCTION lair.call_helper() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN helper(); END'});

# A temporary table of the caller does not come before a real one, wherever the path says.
for my $path ('lair, public', 'pg_temp, lair', join ', ', (map { "pg_temp_$_" } 0 .. 20), 'lair') {
    attack(name => "a temporary table of the caller, path @{[ substr $path, 0, 20 ]}", path => $path, definition => 'SELECT x FROM source', quiet => 1,
        caller => q{CREATE TEMP TABLE source AS SELECT 666 AS x; GRANT SELECT ON source TO PUBLIC; SET arena.own = 'source';},
        checks => sub {
            my ($database, $title) = @_;
            return if $title =~ /drops/;
            is(as_role('boss', $database, 'SELECT x FROM lair.v ORDER BY x'), "1\n2", "$title: the view holds what the real one holds");
        });
}

#
# Names and owners that change.
#

attack(name => 'a source that is exchanged after registration', definition => 'SELECT x FROM lair.source',
    swap => 'ALTER TABLE lair.source RENAME TO source_before; CREATE VIEW lair.source AS SELECT lair.fire(x) AS x FROM lair.source_before');
attack(name => 'a name that was registered before its owner came', view => 'commons.report',
    definition => q{SELECT x, '{1}'::lair.trap[] AS y FROM lair.source}, indexes => ['CREATE INDEX by_x ON commons.report (lair.still(x))'],
    obstruct => 'CREATE MATERIALIZED VIEW commons.report AS SELECT 1 AS x', met => ['mv_create 42P07']);
attack(name => 'a name that was registered before its owner came, with the same text', view => 'commons.report',
    definition => 'SELECT 1 AS x', key => '{}', indexes => ['CREATE INDEX by_x ON commons.report (lair.still(x))'],
    obstruct => 'CREATE MATERIALIZED VIEW commons.report AS SELECT 1 AS x', met => ['mv_create 42501']);
attack(name => 'a view that the superuser takes over', definition => 'SELECT x FROM lair.source', but => 'mv_register', take_over => 'ALTER MATERIALIZED VIEW lair.v OWNER TO boss',
    later => q{SELECT mv_register('lair.v', $$SELECT x FROM lair.source WHERE x <> ALL ('{1}'::lair.trap[]::int[])$$, unique_key => '{x}',
               indexes => ARRAY['CREATE INDEX by_y ON lair.v (lair.still(x))'])});
attack(name => 'the option owner, of a role that he is a member of', definition => q{SELECT x, '{1}'::lair.trap[] AS y FROM lair.source},
    options => '{"owner": "crew"}', arm => 'GRANT USAGE ON SCHEMA lair TO crew; GRANT SELECT ON lair.source TO crew; GRANT INSERT ON lair.bomb TO crew');
{
    my $name = 'a view that was there before the superuser registered it';
    my $database = new_database();
    as_role('stranger', $database, 'CREATE MATERIALIZED VIEW commons.report AS SELECT 1 AS x');
    my $from = log_size();
    as_role('boss', $database, q{SELECT mv_register('commons.report', 'SELECT lair.fire(1) AS x, current_user::text AS who')});
    as_role('boss', $database, q{SELECT mv_drop('commons.report'); SELECT mv_create('commons.report'); SELECT mv_refresh('commons.report')});
    is(as_role('boss', $database, 'SELECT who FROM commons.report'), 'stranger', "$name: is the stranger's all the same");
    is_harmless($from, $name);
}

# A role that was dropped and made again is another one, as is one that has the name of one renamed.
for my $way ([ 'made again', 'DROP OWNED BY ghost; DROP ROLE ghost', '' ], [ 'renamed', 'ALTER ROLE ghost RENAME TO spirit', 'spirit' ]) {
    my ($what, $change, $runs_as) = @$way;
    my $name = "a role that is $what";
    next if defined $ENV{ATTACK} && $name !~ /$ENV{ATTACK}/;
    my $database = new_database();
    as_role('boss', $database, 'CREATE ROLE ghost LOGIN; GRANT USAGE ON SCHEMA lair TO ghost');
    as_role('ghost', $database, q{SELECT mv_register('commons.haunted', 'SELECT lair.fire(1) AS x')});
    as_role('boss', $database, "$change; CREATE ROLE ghost SUPERUSER");
    my $from = log_size();
    is(error_of('boss', $database, q{SELECT mv_create('commons.haunted')}), $runs_as ? '' : '42704', "$name: met");
    error_of('boss', $database, q{SELECT mv_create_all(); SELECT mv_register('commons.haunted', 'SELECT 1 AS x'); SELECT mv_refresh('commons.haunted')});
    my %ran_as = map { $_->{current} => 1 } shots_since($from);
    is(join(' ', sort keys %ran_as), $runs_as, "$name: what the first one registered does not run as the second");
    disarm();
    my $roles = join ', ', grep { $_ } 'ghost', $runs_as;
    as_role('boss', $database, "DROP OWNED BY $roles CASCADE; DROP ROLE $roles");
}

# While the first view is refreshed its function puts another schema into the place of the one in
# which the second is: the view of that name there is the superuser's.
for my $mode (modes()) {
    my $name = "a schema that is exchanged during a run, $mode";
    next if defined $ENV{ATTACK} && $name !~ /$ENV{ATTACK}/;
    my $database = new_database();
    as_role('boss', $database, "GRANT CREATE ON DATABASE $database TO stranger; CREATE SCHEMA den AUTHORIZATION stranger;"
          . ' CREATE TABLE commons.base AS SELECT 1 AS x; CREATE MATERIALIZED VIEW den.b AS SELECT x FROM commons.base;'
          . ' CREATE UNIQUE INDEX ON den.b (x); UPDATE commons.base SET x = 2');
    as_role('stranger', $database, <<'SQL');
CREATE SCHEMA tools;
CREATE FUNCTION tools.exchange(int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('lair.b') IS NOT NULL AND current_setting('application_name') = 'now' THEN
        ALTER SCHEMA lair RENAME TO lair_before;
        ALTER SCHEMA den RENAME TO lair;
    END IF;
    RETURN $1;
END $$;
SELECT mv_register('commons.a', 'SELECT tools.exchange(1) AS x', unique_key => '{x}');
SELECT mv_register('lair.b', 'SELECT 1 AS x', unique_key => '{x}');
SELECT mv_create_all('{commons.a, lair.b}');
SQL
    my $met = error_of('stranger', $database, "SET application_name = now; SELECT mv_refresh_all('{commons.a, lair.b}', mode => '$mode')");
    like($met, qr/^(?:42501|55006)$/, "$name: $met");
    is(as_role('boss', $database, "SELECT x FROM den.b"), 1, "$name: the superuser's view was not touched");
}

#
# Texts that try to be more than one thing.
#

attack(name => 'names that end the statement', view => q{lair."v""; ALTER ROLE stranger SUPERUSER; --"}, key => q{{"\"x'; ALTER ROLE stranger SUPERUSER; --\""}},
    definition => q{SELECT lair.fire(x) AS "x'; ALTER ROLE stranger SUPERUSER; --" FROM lair.source},
    indexes => [ q{CREATE INDEX "i'""; ALTER ROLE stranger SUPERUSER; --" ON lair."v""; ALTER ROLE stranger SUPERUSER; --" ("x'; ALTER ROLE stranger SUPERUSER; --")} ],
    options => q{{"comment": "'; ALTER ROLE stranger SUPERUSER; --", "with": {"fillfactor": 70}}});

my $sel = q{'SELECT 1 AS x'};
my %refused = (
    'SET ROLE as a definition' => [ '42601', q{mv_register('lair.v', 'SET ROLE boss')} ],
    'RESET ROLE as a definition' => [ '42601', q{mv_register('lair.v', 'RESET ROLE')} ],
    'SET SESSION AUTHORIZATION as a definition' => [ '42601', q{mv_register('lair.v', 'SET SESSION AUTHORIZATION boss')} ],
    'COPY PROGRAM as a definition' => [ '42601', q{mv_register('lair.v', $$COPY lair.source TO PROGRAM 'true'$$)} ],
    'a second statement after the query' => [ '42601', q{mv_register('lair.v', 'SELECT 1 AS x; ALTER ROLE stranger SUPERUSER')} ],
    'a WITH that writes' => [ '42601', q{mv_register('lair.v', 'WITH w AS (INSERT INTO lair.bomb VALUES (1) RETURNING x) SELECT x FROM w')} ],
    'a WITH that writes, deeper' => [ '42601', q{mv_register('lair.v', 'SELECT (WITH w AS (DELETE FROM lair.bomb RETURNING x) SELECT x FROM w) AS x')} ],
    'SELECT INTO' => [ '42601', q{mv_register('lair.v', 'SELECT 1 AS x INTO lair.t')} ],
    'EXECUTE' => [ '42601', q{mv_register('lair.v', 'EXECUTE p')} ],
    'a parameter' => [ '42P02', q{mv_register('lair.v', 'SELECT $1 AS x')} ],
    'an index statement that is two' =>
        [ '42601', qq{mv_register('lair.v', $sel, indexes => ARRAY['CREATE INDEX i ON lair.v (x); ALTER ROLE stranger SUPERUSER'])} ],
    'an index statement that is another' => [ '42601', qq{mv_register('lair.v', $sel, indexes => ARRAY['ALTER ROLE stranger SUPERUSER'])} ],
    'an index on another table' => [ '42601', qq{mv_register('lair.v', $sel, indexes => ARRAY['CREATE INDEX i ON commons.ledger (x)'])} ],
    'an index on a table of that name elsewhere' => [ '42601', qq{mv_register('lair.v', $sel, indexes => ARRAY['CREATE INDEX i ON commons.v (x)'])} ],
    'an index CONCURRENTLY' => [ '42601', qq{mv_register('lair.v', $sel, indexes => ARRAY['CREATE INDEX CONCURRENTLY i ON lair.v (x)'])} ],
    'a superuser as owner' => [ '42501', qq{mv_register('lair.v', $sel, options => '{"owner": "boss"}')} ],
    'the bootstrap superuser as owner' => [ '42501', qq{mv_register('lair.v', $sel, options => jsonb_build_object('owner', pg_get_userbyid(10)))} ],
    'an unknown option' => [ '22023', qq{mv_register('lair.v', $sel, options => '{"security": "none"}')} ],
    'a mode that is more' => [ '22023', qq{mv_register('lair.v', $sel, mode => 'plain; ALTER ROLE stranger SUPERUSER')} ],
    'a unique key that is more' => [ '42602', qq{mv_register('lair.v', $sel, unique_key => ARRAY['x); ALTER ROLE stranger SUPERUSER; --'])} ],
    'a dependency that is more' => [ '42602', qq{mv_register('lair.v', $sel, depends_on => ARRAY['x; ALTER ROLE stranger SUPERUSER'])} ],
    'a name that is more' => [ '42602', qq{mv_register('lair.v; ALTER ROLE stranger SUPERUSER', $sel)} ],
    'a name in the catalog' => [ '42501', qq{mv_register('pg_catalog.v', $sel)} ],
    'a name among our tables' => [ '42501', qq{mv_register('mv_orchestrator.v', $sel)} ],
    'a name in a temporary schema' => [ '42602', qq{(SELECT pg_my_temp_schema()::regnamespace::text AS s) AS t, mv_register(t.s || '.v', $sel)},
        'CREATE TEMP TABLE t (x int)' ],
    "somebody else's view" => [ '42501', qq{mv_register('commons.crown', $sel)} ],
    "somebody else's table" => [ '42809', qq{mv_register('commons.ledger', $sel)} ],
    "the tablespace of the server's catalogs" => [ '42501', q{mv_create('lair.v')}, qq{SELECT mv_register('lair.v', $sel, options => '{"tablespace": "pg_global"}')} ],
    'an access method that is no table\'s' => [ '55000', q{mv_create('lair.v')}, qq{SELECT mv_register('lair.v', $sel, options => '{"access_method": "btree"}')} ],
    'a storage parameter that is more' =>
        [ '22023', q{mv_create('lair.v')}, qq{SELECT mv_register('lair.v', $sel, options => '{"with": {"fillfactor": "70); ALTER ROLE stranger SUPERUSER; --"}}')} ],
    'set_config(role)' => [ '42501', q{mv_create('lair.v')}, q{SELECT mv_register('lair.v', $$SELECT set_config('role', 'boss', false) AS x$$)} ],
    'set_config(session_authorization)' =>
        [ '42501', q{mv_create('lair.v')}, q{SELECT mv_register('lair.v', $$SELECT set_config('session_authorization', 'boss', false) AS x$$)} ],
    "somebody else's table read" => [ '42501', q{mv_create('lair.v')}, q{SELECT mv_register('lair.v', 'SELECT x FROM commons.ledger')} ],
    'the registry read' => [ '42501', q{mv_create('lair.v')}, q{SELECT mv_register('lair.v', 'SELECT view_name FROM mv_orchestrator.registry')} ],
    'a file read' => [ '42501', q{mv_create('lair.v')}, q{SELECT mv_register('lair.v', $$SELECT pg_read_file('PG_VERSION') AS x$$)} ],
    'a large object written to a file' => [ '42501', q{mv_create('lair.v')}, q{SELECT mv_register('lair.v', $$SELECT lo_export(1, '/tmp/x') AS x$$)} ],
);
{
    my $database = new_database();
    my $from = log_size();
    for my $name (sort keys %refused) {
        my ($sqlstate, $call, $before) = @{ $refused{$name} };
        $before //= 'SELECT';
        is(error_of('stranger', $database, "BEGIN; $before; SELECT * FROM $call; ROLLBACK"), $sqlstate, "$name: $sqlstate");
        # What is refused at creation is so whoever creates it.
        next unless $call =~ /mv_create/;
        as_role('stranger', $database, $before);
        is(error_of('boss', $database, "SELECT $call"), $sqlstate, "$name, created by a superuser: $sqlstate");
        as_role('stranger', $database, q{SELECT mv_unregister('lair.v')});
    }
    is_harmless($from, 'what is refused');
    is(as_role('boss', $database, 'TABLE commons.ledger'), '1', 'and left everything as it was');
}

#
# The way out over another connection.
#

SKIP: {
    skip 'no dblink', 2 unless $server_has->{dblink};
    my $database = new_database();
    as_role('boss', $database, 'CREATE EXTENSION dblink');
    as_role('stranger', $database, sprintf q{SELECT mv_register('lair.v', %s)},
        literal(sprintf q{SELECT x FROM dblink(%s, 'ALTER ROLE stranger SUPERUSER; SELECT 1') AS t (x text)}, literal($node->connstr($database) . ' user=boss')));
    my $from = log_size();
    is(error_of('boss', $database, q{SELECT mv_create('lair.v')}), '2F003', 'dblink without a password: 2F003');
    is_harmless($from, 'dblink');
}
SKIP: {
    skip 'no postgres_fdw', 3 unless $server_has->{postgres_fdw};
    my $database = new_database();
    as_role('boss', $database, 'CREATE EXTENSION postgres_fdw; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO stranger');
    as_role('stranger', $database, sprintf <<'SQL', $node->host, $node->port, $database);
CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%s', dbname '%s');
CREATE USER MAPPING FOR stranger SERVER loop OPTIONS (user 'boss');
CREATE VIEW lair.armed AS SELECT lair.fire(1) AS x;
CREATE FOREIGN TABLE lair.far (x int) SERVER loop OPTIONS (schema_name 'lair', table_name 'armed');
SELECT mv_register('lair.v', 'SELECT x FROM lair.far');
SQL
    my $from = log_size();
    is(error_of('boss', $database, q{SELECT mv_create('lair.v')}), '2F003', 'a foreign table without a password: 2F003');
    is(error_of('boss', $database, q{SELECT mv_create('lair.v', with_data => false); SELECT mv_refresh('lair.v')}), '2F003',
        'a foreign table, refreshed: 2F003');
    is_harmless($from, 'a foreign table');
}

#
# Locks: who has no right to a view waits for none of its locks, nor lets others wait.
#

{
    my $database = new_database();
    as_role('boss', $database, q{BEGIN; SELECT mv_refresh('commons.crown', mode => 'plain'); PREPARE TRANSACTION 'held'});
    for my $call (q{mv_refresh('commons.crown')}, q{mv_refresh('commons.crown', mode => 'concurrent')}, q{mv_refresh_all()},
        q{mv_drop('commons.crown')}, q{mv_drop('commons.crown', cascade => true)}, q{mv_drop_all()}, q{mv_create('commons.crown')},
        q{mv_create_all()}, q{mv_register('commons.crown', 'SELECT 1 AS x')}, q{mv_unregister('commons.crown')}) {
        is(error_of('stranger', $database, "SET lock_timeout = '1s'; SELECT $call"), '42501', "$call: 42501 before it waits for a lock");
    }
    as_role('boss', $database, q{ROLLBACK PREPARED 'held'});
    as_role('boss', $database, q{SELECT mv_drop('commons.crown'); BEGIN; SELECT mv_create('commons.crown'); PREPARE TRANSACTION 'held'});
    for my $call (q{mv_drop('commons.crown', if_exists => true)}, q{mv_drop_all()}, q{mv_create('commons.crown')}) {
        is(error_of('stranger', $database, "SET lock_timeout = '1s'; SELECT $call"), '42501',
            "$call of what does not exist: 42501 before it waits for a lock");
    }
    as_role('boss', $database, q{COMMIT PREPARED 'held'});
    is(as_role('boss', $database, 'SELECT view_name FROM mv_orchestrator.registry'), 'crown', 'and nothing has changed');
}

done_testing();
