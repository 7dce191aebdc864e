# The arena of attacks.pl: a stranger who arms a view, a superuser who calls everything that we
# have, and a trap that sees as whom the stranger's code ran. What it sees goes to the server's log,
# which no rollback empties.
package MvAttack;

use strict;
use warnings;

use Exporter 'import';
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(arena new_database literal as_role error_of attack shots_since log_size disarm is_harmless
                 our_functions known_functions modes);

my $node;
my $databases = 0;
my %catalog;

# The stranger may create in lair, which is his, and in commons, where the superuser works as well.
# Payload, whatever runs it: says as whom it runs and tries all that would get it out of there.
my $arena = <<'SQL';
CREATE EXTENSION mv_orchestrator;
CREATE SCHEMA lair AUTHORIZATION stranger;
CREATE SCHEMA commons;
GRANT ALL ON SCHEMA commons TO PUBLIC;
GRANT ALL ON SCHEMA lair TO crew;
CREATE TABLE commons.ledger AS SELECT 1 AS x;
SELECT mv_register('commons.crown', 'SELECT x FROM commons.ledger', unique_key => '{x}');
SELECT mv_create('commons.crown');
SET SESSION AUTHORIZATION stranger;
CREATE TABLE lair.source AS SELECT 1 AS x UNION ALL SELECT 2;
CREATE TABLE lair.bomb (x int);
CREATE FUNCTION lair.report(event text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE LOG 'PAYLOAD current=% session=% call=% event=%', current_user, session_user,
        replace(current_setting('application_name'), ' ', '_'), event;
END $$;
CREATE FUNCTION lair.payload() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    command text;
BEGIN
    IF current_setting('lair.firing', true) OPERATOR(pg_catalog.=) 'yes' THEN RETURN; END IF;  -- an event trigger fires within
    PERFORM set_config('lair.firing', 'yes', false);
    PERFORM lair.report('runs');
    FOREACH command IN ARRAY ARRAY[
        'ALTER ROLE stranger SUPERUSER', 'GRANT boss TO stranger', 'CREATE SCHEMA boss',
        'SET ROLE boss', 'RESET ROLE', 'SET SESSION AUTHORIZATION boss', 'RESET SESSION AUTHORIZATION',
        $c$SELECT set_config('role', 'boss', false)$c$, $c$SELECT set_config('session_authorization', 'boss', false)$c$,
        'CREATE TEMP TABLE left_behind (x int)', 'PREPARE left_behind AS SELECT 1', 'LISTEN left_behind',
        'DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1', 'INSERT INTO lair.bomb VALUES (1)',
        $c$COPY (SELECT 1) TO PROGRAM 'true'$c$, $c$SELECT pg_read_file('PG_VERSION')$c$,
        'DELETE FROM mv_orchestrator.registry', 'UPDATE commons.ledger SET x = 666',
        $c$SELECT mv_unregister('commons.crown')$c$, $c$SELECT mv_drop('commons.crown')$c$,
        $c$SELECT mv_refresh('commons.crown')$c$, 'DROP MATERIALIZED VIEW commons.crown',
        $c$SELECT mv_register('lair.as_boss', 'SELECT 1 AS x', options => '{"owner": "boss"}')$c$] LOOP
        BEGIN
            EXECUTE command;
            PERFORM lair.report('did_' || replace(command, ' ', '_'));
        EXCEPTION WHEN OTHERS THEN
        END;
    END LOOP;
    PERFORM set_config('lair.firing', 'no', false);
    PERFORM set_config(name, value, false) FROM (VALUES ('search_path', 'lair, stranger, pg_catalog'), ('TimeZone', 'Asia/Tokyo'),
        ('DateStyle', 'SQL, DMY'), ('IntervalStyle', 'iso_8601'), ('standard_conforming_strings', 'off'),
        ('transform_null_equals', 'on'), ('work_mem', '77kB'), ('lock_timeout', '77777'), ('row_security', 'off'),
        ('default_transaction_read_only', 'on'), ('mv_orchestrator.mode', 'concurrent')) AS s (name, value);
END $$;
-- What it queues runs at the end of the transaction, as whoever that is then.
CREATE FUNCTION lair.explode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lair.report('explodes');
    ALTER ROLE stranger SUPERUSER;
    PERFORM lair.report('did_ALTER_ROLE');
    RETURN NULL;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER explode AFTER INSERT ON lair.bomb DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lair.explode();
CREATE FUNCTION lair.fire(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN x; END $$;
CREATE FUNCTION lair.still(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN x; END $$;
CREATE FUNCTION lair.yes(x int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM lair.payload(); RETURN true; END $$;
CREATE DOMAIN lair.trap AS int CHECK (lair.yes(VALUE));
SQL

# Calls of a superuser by function, in the order of a view's life; VIEW and MODE are filled in. A
# function that is not there yet is not called. In each stage once.
my @stages = (
    [ 'creates' => [
        [ author_role => 'SELECT mv_orchestrator.author_role(owner, author) FROM mv_orchestrator.registry' ],
        [ mv_order => 'SELECT mv_order()' ],
        [ mv_dependencies => 'SELECT mv_dependencies()' ],
        [ mv_graph => 'SELECT mv_graph()' ],
        [ mv_plan => 'SELECT mv_plan()' ],
        [ mv_check => 'SELECT mv_check()' ],
        [ mv_export => 'SELECT mv_export()' ],
        [ mv_create => 'SELECT mv_create(VIEW, with_data => false)' ],
        [ mv_drop => 'SELECT mv_drop(VIEW)' ],
        [ mv_create => 'SELECT mv_create(VIEW)' ],
        [ mv_create_all => 'SELECT mv_create_all()' ] ] ],
    [ 'refreshes' => [
        [ mv_create => 'SELECT mv_create(VIEW)' ],
        [ mv_create_all => 'SELECT mv_create_all()' ],
        [ mv_refresh => 'SELECT mv_refresh(VIEW)' ],
        [ mv_refresh => "SELECT mv_refresh(VIEW, scope => 'both', mode => 'MODE')" ],
        [ mv_refresh_all => 'SELECT mv_refresh_all()' ],
        [ mv_refresh_all => "SELECT mv_refresh_all(ARRAY[VIEW], mode => 'MODE')" ],
        [ mv_run => 'CALL mv_run()' ],
        [ mv_run => "CALL mv_run(ARRAY[VIEW], mode => 'MODE')" ],
        [ mv_dependencies => 'SELECT mv_dependencies()' ],
        [ mv_graph => 'SELECT mv_graph()' ],
        [ mv_plan => 'SELECT mv_plan()' ],
        [ mv_check => 'SELECT mv_check()' ],
        [ mv_export => 'SELECT mv_export()' ] ] ],
    [ 'refreshes what was edited' => [
        [ mv_create_all => 'SELECT mv_create_all()' ],
        [ mv_refresh_all => "SELECT mv_refresh_all(mode => 'MODE')" ],
        [ mv_run => "CALL mv_run(mode => 'MODE')" ],
        [ mv_replace => 'SELECT mv_replace(VIEW)' ],
        [ mv_check => 'SELECT mv_check()' ],
        [ mv_plan => 'SELECT mv_plan()' ] ] ],
    [ 'registers anew and drops' => [
        [ mv_register => 'SELECT mv_register(VIEW, definition, unique_key => ARRAY(SELECT quote_ident(k) FROM unnest(unique_key) AS k), indexes => indexes)'
              . " FROM mv_orchestrator.registry WHERE view_name <> 'crown'" ],
        [ mv_create_all => 'SELECT mv_create_all()' ],
        [ mv_drop => 'SELECT mv_drop(VIEW, cascade => true)' ],
        [ mv_create => 'SELECT mv_create(VIEW)' ],
        [ mv_unregister => 'SELECT mv_unregister(VIEW)' ],
        [ mv_adopt => 'SELECT mv_adopt(VIEW)' ],
        [ mv_adopt_all => 'SELECT mv_adopt_all()' ],
        [ mv_drop_all => 'SELECT mv_drop_all()' ],
        [ mv_unregister => 'SELECT mv_unregister(VIEW)' ] ] ],
);

sub literal { my ($text) = @_; $text =~ s/'/''/g; return "'$text'"; }

sub known_functions {
    my %known = map { $_->[0] => 1 } map { @{ $_->[1] } } @stages;
    return sort keys %known;
}

# By the catalog, those that a user can call.
sub our_functions { return @{ $catalog{functions} //= [ split /\n/, $node->safe_psql('arena', <<'SQL') ] } }
SELECT DISTINCT proname FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND refclassid = 'pg_extension'::regclass
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mv_orchestrator')
  AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) ORDER BY 1
SQL

sub our_views { return @{ $catalog{views} //= [ split /\n/, $node->safe_psql('arena', <<'SQL') ] } }
SELECT objid::regclass FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND refclassid = 'pg_extension'::regclass
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'mv_orchestrator') AND relkind = 'v' ORDER BY 1
SQL

sub modes { return @{ $catalog{modes} //= [ split /\n/, $node->safe_psql('arena', <<'SQL') ] } }
LOAD 'mv_orchestrator';
SELECT unnest(enumvals) FROM pg_settings WHERE name = 'mv_orchestrator.mode';
SQL


sub arena {
    $node = orchestrator_node('attacks', <<'CONF');
log_min_error_statement = panic
log_error_verbosity = terse
max_prepared_transactions = 2
autovacuum = off  # it runs the functions of indexes, too
CONF
    $node->safe_psql('postgres', <<'SQL');
CREATE ROLE boss SUPERUSER LOGIN;
CREATE ROLE stranger LOGIN;
CREATE ROLE crew ROLE stranger;
CREATE DATABASE arena;
SQL
    as_role('boss', 'arena', $arena);
    return $node;
}

sub new_database {
    my $database = 'attack' . ++$databases;
    $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE arena");
    return $database;
}

# Must succeed.
sub as_role {
    my ($role, $database, $sql) = @_;
    return $node->safe_psql($database, $sql, connstr => $node->connstr($database) . " user=$role");
}

# SQLSTATEs that the script met, by line; empty when there were none.
sub errors_of {
    my ($role, $database, $sql) = @_;
    my (undef, $out, $errors) = $node->psql($database, $sql, on_error_stop => 0,
        connstr => $node->connstr($database) . " user=$role");
    my %at = $errors =~ /^psql:<stdin>:(\d+): (?:ERROR|FATAL):  (\w{5})/mg;
    return ($out, \%at, $errors);
}

# The first SQLSTATE that a script meets, '' when it meets none.
sub error_of {
    my ($role, $database, $sql) = @_;
    my (undef, $at) = errors_of($role, $database, "\\set VERBOSITY sqlstate\n$sql");
    my ($line) = sort { $a <=> $b } keys %$at;
    return defined $line ? $at->{$line} : '';
}

sub log_size { return -s $node->logfile; }

# What the trap saw: {current, session, call, event} each.
sub shots_since {
    my ($from) = @_;
    my @shots;
    for (slurp_file($node->logfile, $from) =~ /LOG:  PAYLOAD (.*)$/mg) {
        my %shot = /(\w+)=(\S*)/g;
        push @shots, \%shot;
    }
    return @shots;
}

# Everything that the stranger's code must not have done or been: one line each.
sub harm {
    my ($from) = @_;
    my %harm;
    for my $shot (shots_since($from)) {
        $harm{"$shot->{call}: ran as $shot->{current}"} = 1 unless $shot->{current} =~ /^(?:stranger|crew)$/;
        $harm{"$shot->{call}: $shot->{event}"} = 1 unless $shot->{event} eq 'runs';
    }
    my $gained = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_roles WHERE rolsuper AND oid NOT IN (10, 'boss'::regrole)}
        . q{ UNION ALL SELECT count(*) FROM pg_auth_members WHERE roleid IN (10, 'boss'::regrole)});    # 10 made the cluster
    $harm{'the stranger is a superuser'} = 1 if $gained ne "0\n0";
    return sort keys %harm;
}

# Takes from the stranger what he gained.
sub disarm { $node->safe_psql('postgres', 'ALTER ROLE stranger NOSUPERUSER; REVOKE boss FROM stranger'); }

sub is_harmless {
    my ($from, $name) = @_;
    my @harm = harm($from);
    is(join("\n", @harm), '', "$name: ran as nobody else and got nowhere");
    disarm() if @harm;
}

# What a session should have been left as: settings, temporary tables, prepared statements, cursors,
# channels and locks.
my $remember = q{LOAD 'mv_orchestrator'; LOAD 'plpgsql'; }
  . 'CREATE TEMP TABLE before AS SELECT name, setting FROM pg_settings;';
my $compare = join ' UNION ALL ', 'SELECT name FROM (SELECT name, setting FROM pg_settings EXCEPT TABLE before) AS s'
      . " WHERE name <> 'application_name'", 'SELECT name FROM pg_prepared_statements', 'SELECT name FROM pg_cursors WHERE is_holdable',
    'SELECT pg_listening_channels()', "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relname <> 'before'"
      . ' AND NOT relname = ANY (string_to_array(current_setting($$arena.own$$, true), $$,$$))',
    "SELECT 'a role' WHERE current_user <> 'boss' OR session_user <> 'boss'",
    q{SELECT 'an advisory lock' FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'},
    q{SELECT 'a run lock' FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'object'};

# The superuser's session of one stage; returns what his calls met: call => SQLSTATE.
sub stage {
    my ($attack, $database, $title, $calls) = @_;
    my %exists = map { $_ => 1 } our_functions();
    my @lines = ('\set VERBOSITY sqlstate', $attack->{caller} // '', $remember);
    my %call_at;
    my $add = sub {
        my ($label, $statement) = @_;
        $label =~ tr/ /_/;
        push @lines, "SET application_name = '$label';", "$statement;";
        $call_at{ scalar @lines } = $label;
    };
    for my $call (@$calls) {
        my ($function, $statement) = @$call;
        next unless $exists{$function} && $function ne ($attack->{but} // '');
        my $view = literal($attack->{view});
        $statement =~ s/VIEW/$view/g;
        if ($statement =~ /MODE/) {
            $add->("$function $_", $statement =~ s/MODE/$_/r) for modes();
        } else {
            $add->($function, $statement);
        }
    }
    $add->($_, "SELECT * FROM $_") for our_views();
    s/\n/ /g for @lines;
    my ($out, $at, $errors) = errors_of('boss', $database, join "\n", @lines, '\echo LEFT', "$compare;");
    my ($left) = $out =~ /^LEFT\n?(.*)\z/ms;
    is($left, '', "$attack->{name}: the session that $title is left as it was") or diag $errors;
    my %met = map { ($call_at{$_} // 'prelude') => $at->{$_} } keys %$at;
    return \%met;
}

sub registration {
    my ($attack, $definition) = @_;
    my @indexes = map { literal($_) } @{ $attack->{indexes} // [] };
    return sprintf "SET search_path = %s;\nSELECT public.mv_register(%s, %s, unique_key => %s, indexes => ARRAY[%s]::text[], options => %s);",
        $attack->{path} // 'lair, public', literal($attack->{view}), literal($definition), literal($attack->{key} // '{x}'),
        join(', ', @indexes), literal($attack->{options} // '{}');
}

# One attack from registration to its end. Fields: name; definition, indexes, key, options, path and
# view as registered; SQL of the stranger: arm before that, then swap before anything is created,
# later when the view lives; SQL of the superuser: prepare before all that, obstruct after the
# registration, take_over when the view lives, caller in each of his sessions. quiet: no code is
# expected to run. but: a function that the superuser does not call. met: SQLSTATEs that have to be met.
sub attack {
    my (%attack) = @_;
    my $attack = { view => 'lair.v', %attack };
    my $name = $attack->{name};
    return if defined $ENV{ATTACK} && $name !~ /$ENV{ATTACK}/;
    my $database = new_database();
    as_role('boss', $database, $attack->{prepare}) if $attack->{prepare};
    as_role('stranger', $database, $attack->{arm}) if $attack->{arm};
    my $from = log_size();
    as_role('stranger', $database, registration($attack, $attack->{definition}));
    as_role('stranger', $database, $attack->{swap}) if $attack->{swap};
    as_role('boss', $database, $attack->{obstruct}) if $attack->{obstruct};
    my %met;
    for my $stage (@stages) {
        my ($title, $calls) = @$stage;
        # His own session may do what he likes, outside of our calls.
        if ($title eq 'refreshes') {
            is_harmless($from, $name);
            as_role('stranger', $database, $attack->{later}) if $attack->{later};
            as_role('boss', $database, $attack->{take_over}) if $attack->{take_over};
            $from = log_size();
        }
        if ($title eq 'refreshes what was edited' && !$attack->{take_over} && !$attack->{obstruct}) {
            as_role('stranger', $database, registration($attack, "SELECT * FROM ($attack->{definition}) AS edited"));
        }
        my $stage_from = log_size();
        my $errors = stage($attack, $database, $title, $calls);
        $met{"$_ $errors->{$_}"} = 1 for keys %$errors;
        $attack->{ran}{"$_->{call} as $_->{current}"}++ for shots_since($stage_from);
        $attack->{checks}->($database, $title) if $attack->{checks};
    }
    is_harmless($from, $name);
    my @ran = sort keys %{ $attack->{ran} // {} };
    if ($attack->{quiet}) {
        is(join(', ', @ran), '', "$name: nothing ran");
    } else {
        isnt(join(', ', @ran), '', "$name: ran in " . join ', ', @ran);
    }
    my $met = join ', ', sort keys %met;
    like($met, qr/$_/, "$name: met $_") for @{ $attack->{met} // [] };
    note "$name met: $met";
}

1;
