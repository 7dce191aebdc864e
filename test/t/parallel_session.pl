# What CALL mv_run(jobs => 2) puts into a view does not depend on which process does it: the workers
# are doubles of the session that asks. One view after the other is given all settings that can be
# shown, and what expressions give that depend on settings, on who has logged in and on the role; in
# sessions of many kinds the rows after jobs => 1, by the session itself, and after jobs => 2, by two
# workers at once, are the same, and are what the session's own queries say.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = orchestrator_node('parallel_session', "autovacuum = off\njit = off\nmax_worker_processes = 8\n");
create_meeting($node);

# Names of roles, schemas and views that need their quotes.
my ($owner, $login, $nologin) = map { qq("${_}'s ""role""") } qw(owner login nologin);
my @views = map { qq{"view's ""$_"",\n*/"} } 1, 2;
my $schema = q{"odd ""schema's"""};
sub name_of { return $_[0] =~ s/^"|"$//gr =~ s/""/"/gr; }
sub literal { return "'" . $_[0] =~ s/'/''/gr . "'"; }

# Workers are meant to differ in these: they share the cores.
my $settings = q{SELECT name, setting FROM pg_settings
    WHERE name NOT IN ('max_parallel_workers_per_gather', 'max_parallel_maintenance_workers')};
my $expressions = q{SELECT name, value FROM (VALUES ('date', CURRENT_DATE::text), ('session user', session_user::text),
    ('role', current_setting('role')), ('x', current_setting('my.x', true)), ('y', current_setting('my.y', true)),
    ('time', (SELECT max(t)::text FROM public.moment)), ('interval', (SELECT max(i)::text FROM public.moment)),
    ('float', (SELECT max(f)::text FROM public.moment)), ('bytea', (SELECT max(b::text) FROM public.moment)),
    ('rows', (SELECT count(*)::text FROM public.guarded))) AS e (name, value)};
my $definition = "$settings UNION ALL $expressions UNION ALL SELECT 'lookup', public.lookup() UNION ALL SELECT 'met', public.meet()::text";
$node->safe_psql('postgres', <<SQL);
CREATE ROLE $owner NOLOGIN;
CREATE ROLE $login LOGIN;
CREATE ROLE $nologin NOLOGIN;
CREATE ROLE plain LOGIN;
GRANT $owner TO $login, $nologin, plain;
GRANT $nologin TO $login;
CREATE SCHEMA $schema;
GRANT ALL ON SCHEMA public, $schema TO PUBLIC;
CREATE TABLE moment AS SELECT timestamp '2020-02-03 04:05:06' AS t, interval '1 year 2 days 03:04:05' AS i, 1 / 3::float8 AS f, '\\xff61'::bytea AS b;
CREATE TABLE guarded AS SELECT 'a' AS x;
INSERT INTO guarded VALUES ('b');
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_setting ON guarded USING (x = current_setting('my.x', true));
GRANT SELECT ON moment, guarded TO PUBLIC;
CREATE FUNCTION public.here() RETURNS text LANGUAGE sql AS \$\$ SELECT 'public' \$\$;
CREATE FUNCTION $schema.here() RETURNS text LANGUAGE sql AS \$\$ SELECT 'odd' \$\$;
CREATE FUNCTION public.lookup() RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN RETURN here(); END \$\$;
SET ROLE $owner;
SET search_path = $schema, public;
@{[ map { 'SELECT mv_register(' . literal("public.$_") . ', ' . literal($definition) . ", mode => 'swap');\n" } @views ]}
SELECT mv_create_all();
SQL
my $admin = session($node);
my $names = "ARRAY[" . join(', ', map { literal($_) } @views) . ']';

# The rows of a view, by their names.
sub rows_of {
    my ($view) = @_;
    my $rows = ask($admin, qq{SELECT string_agg(concat_ws(chr(1), name, coalesce(setting, chr(3))), chr(2)) FROM $view});
    return { map { my ($name, $value) = split /\x01/, $_, 2; ($name => $value) } split /\x02/, $rows };
}

sub differences {
    my ($one, $other) = @_;
    my %names = (%$one, %$other);
    return map { "$_: " . ($one->{$_} // 'no row') . ' and ' . ($other->{$_} // 'no row') }
      grep { ($one->{$_} // "\x04") ne ($other->{$_} // "\x04") } sort keys %names;
}

# Empties the views, runs, and says what is wrong with who did it.
sub run {
    my ($session, $jobs) = @_;
    ask($admin, join '; ', 'ALTER SEQUENCE met RESTART', 'TRUNCATE mv_orchestrator.run_step', map { "REFRESH MATERIALIZED VIEW $_ WITH NO DATA" } @views);
    ask($session, "SET my.meet = $jobs");
    my $said = ask($session, "CALL mv_run($names, jobs => $jobs)") =~ s/Run \d+/Run/r;
    my $by = ask($admin, qq{SELECT concat_ws(' ', count(DISTINCT pid), bool_or(pid = $session->{pid}), count(*)) FROM mv_orchestrator.history});
    return ($said, $by eq ($jobs == 1 ? '1 t 2' : '2 f 2') ? () : "number of processes, the session's among them, steps: $by");
}

my %default;

# In a session of that user with these statements. own: rows that its own queries must say as well;
# other: rows that must differ from those of a session where nothing is set; but: rows not to compare.
sub same_rows {
    my ($what, $user, $statements, %expected) = @_;
    my $session = $expected{session} // session($node, $user && name_of($user));
    my $complaint = join '', map { ask($session, $_) } @$statements;
    my @wrong = $complaint ? "setting: $complaint" : ();
    my %own = map { split /\x01/, $_, 2 } split /\x02/,
      ask($session, "SELECT string_agg(concat_ws(chr(1), name, coalesce(value, chr(3))), chr(2)) FROM ($expressions) AS e");
    my ($serial_said, @serial_wrong) = run($session, 1);
    my $serial = rows_of($views[0]);
    push @wrong, @serial_wrong, map { "jobs => 1: $_" } differences({ %$serial, 'met' => 0 }, rows_of($views[1]));
    my ($said, @by) = run($session, 2);
    push @wrong, @by, "they said: $serial_said\nand: $said", if @by || $serial_said ne $said || $said ne '';
    for my $view (@views) {
        my $rows = rows_of($view);
        delete @$_{ @{ $expected{but} // [] } } for $serial, $rows, \%own;
        push @wrong, map { "jobs => 1 and 2: $_" } differences($serial, $rows);
        push @wrong, map { "the session's $_" } differences({ map { $_ => $own{$_} } @{ $expected{own} } }, { map { $_ => $rows->{$_} } @{ $expected{own} } });
        push @wrong, map { "$_ is as by default: $rows->{$_}" } grep { ($rows->{$_} // '') eq ($default{$_} // '') } @{ $expected{other} };
        push @wrong, 'few rows' if keys %$rows < 200;
    }
    %default = %{ rows_of($views[0]) } unless %default;
    ok(!@wrong, $what) or diag(join "\n", @wrong > 20 ? (@wrong[ 0 .. 19 ], "and more") : @wrong);
    return $session;
}

my @all = (qw(date x y time interval float bytea role), 'session user');

# A zone where the date is not the same as in UTC, and will not be within this test.
usleep(1e6) while ask($admin, q{SELECT to_char(now() AT TIME ZONE 'UTC', 'HH24:MI') IN ('11:59', '23:59')}) eq 't';
my $zone = (gmtime)[2] < 12 ? 'Etc/GMT+12' : 'Etc/GMT-14';

same_rows('a session with nothing set', undef, ["SET TimeZone = 'UTC'"], own => \@all);
same_rows("CURRENT_DATE in $zone", undef, ["SET TimeZone = '$zone'"], own => \@all, other => [qw(date TimeZone)]);
same_rows('a setting of no module, with quotes', undef, [q{SET my.x = e'it''s "odd" \\\\ %s\n'}, q{SET my.y = ''}], own => \@all, other => [qw(x y)]);
same_rows('how values look', undef, [ q{SET DateStyle = 'German, DMY'}, q{SET IntervalStyle = 'iso_8601'}, 'SET extra_float_digits = -3', "SET bytea_output = 'escape'" ],
    own => \@all, other => [qw(time interval float bytea)]);
same_rows('memory, encoding, planner, names', undef, [ "SET work_mem = '123kB'", "SET client_encoding = 'LATIN1'", 'SET enable_hashjoin = off', 'SET jit = on',
        q{SET application_name = 'it''s "me"'}, "SET lc_time = 'C'", "SET mv_orchestrator.diff_work_mem = '99kB'", "SET statement_timeout = '10min'", "SET lock_timeout = '77s'" ],
    own => \@all, other => [qw(work_mem client_encoding enable_hashjoin application_name mv_orchestrator.diff_work_mem statement_timeout lock_timeout)]);
same_rows('a module that the session has loaded', undef, ["LOAD 'auto_explain'", "SET auto_explain.log_format = 'json'"], own => \@all,
    other => [qw(auto_explain.log_format auto_explain.log_level)]);
same_rows('another search_path', undef, [qq{SET search_path = public, $schema, "\$user"}], own => \@all);

same_rows('a login without rights of its own', $login, [], own => \@all, other => ['session user']);
same_rows('SET ROLE', $login, ["SET ROLE $owner"], own => \@all, other => [qw(role), 'session user']);
same_rows('SET ROLE to a role that may not log in', $login, ["SET ROLE $nologin"], own => \@all, other => [qw(role), 'session user']);
same_rows('SET ROLE by a superuser', undef, ["SET ROLE $nologin"], own => \@all, other => [qw(role)]);
same_rows('SET SESSION AUTHORIZATION', undef, ["SET SESSION AUTHORIZATION $login"], own => \@all, other => ['session user']);
same_rows('SET SESSION AUTHORIZATION to a role that may not log in, then SET ROLE', undef, [ "SET SESSION AUTHORIZATION $nologin", "SET ROLE $owner" ],
    own => \@all, other => [ 'session user', 'role' ]);
same_rows('what only a superuser may set, then SET ROLE', undef, [ 'SET session_replication_role = replica', "SET log_min_messages = 'error'", "SET ROLE $nologin" ],
    own => \@all, other => [qw(session_replication_role role)]);

same_rows('rows that a policy lets through', $login, ["SET my.x = 'a'"], own => \@all, other => [qw(x rows)]);
for my $level ('serializable', 'repeatable read') {
    same_rows("default_transaction_isolation = $level", undef, ["SET default_transaction_isolation = '$level'"], own => \@all,
        other => [qw(default_transaction_isolation transaction_isolation)]);
}

# What roles and databases set; a session that was there before has none of it, and overrides stay.
my $before = same_rows('before anything is set for the role', 'plain', [], own => \@all);
ask($admin, join '; ', q{ALTER ROLE plain SET my.x = 'of the role'}, q{ALTER ROLE plain SET work_mem = '234kB'}, q{ALTER DATABASE postgres SET my.y = 'of the database'},
    q{ALTER DATABASE postgres SET DateStyle = 'SQL, DMY'}, q{ALTER ROLE plain IN DATABASE postgres SET IntervalStyle = 'sql_standard'});
same_rows('set for role and database', 'plain', [], own => \@all, other => [qw(x y work_mem time interval)]);
same_rows('set for role and database, and overridden', 'plain', [ q{SET my.x = 'of the session'}, 'SET my.y = DEFAULT', q{SET work_mem = '345kB'}, q{SET DateStyle = 'ISO, MDY'} ],
    own => \@all, other => [qw(x y work_mem interval)]);
# As in the server's own parallel workers: what no module has defined is empty and not null.
same_rows('set for role and database since the session began', 'plain', [], own => [ grep { !/^[xy]$/ } @all ], but => [qw(x y)], session => $before);
like($_, qr/^\x03?$/, 'and the rest is not there') for map { @{ rows_of($_) }{qw(x y)} } @views;
same_rows('set for the role that is taken on', undef, ['SET ROLE plain'], own => \@all, other => ['role']);
ask($admin, 'ALTER DATABASE postgres RESET ALL; ALTER ROLE plain RESET ALL; ALTER ROLE plain IN DATABASE postgres RESET ALL');

# Where the rows are not to be had at all, it is the same error.
my $strict = session($node, name_of($login));
ask($strict, 'SET row_security = off');
my ($serial) = run($strict, 1);
like($serial, qr/^ERROR:  42501: 2 of 2 materialized views could not be refreshed.*row-level security/s, 'row_security = off');
my ($parallel) = run($strict, 2);
is($parallel, $serial, 'and in workers');
is(ask($admin, "SELECT count(*) FROM mv_orchestrator.history WHERE pid <> $strict->{pid}"), 2, 'which took them');

# But for one: a worker waits for no lock for ever.
my $patient = session($node);
ask($patient, 'SET mv_orchestrator.lock_timeout = 0');
run($patient, 1);
is(rows_of($views[0])->{lock_timeout}, 0, 'a session without any lock_timeout');
run($patient, 2);
is(rows_of($views[0])->{lock_timeout}, 300000, 'has workers with one');

ok(wait_for_no_workers($node), 'no worker is left');
$node->stop;
unlike(slurp_file($node->logfile), qr/TRAP|PANIC|XX000|terminated by signal/, 'nothing odd in the log');
done_testing();
