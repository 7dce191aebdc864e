# A disk that is full: a refresh fails in each mode, the view keeps its old rows, whole, nothing is
# left behind, and the next run works once there is room.
#
# The views are in a tablespace on a small file system of memory, mounted where this test and its
# server alone see it. Where that is not allowed, files get a limit instead.

use strict;
use warnings;

use File::Temp;
use FindBin;
use lib $FindBin::RealBin;

# Before the test modules, which take the standard output for themselves.
BEGIN {
    if (!defined $ENV{MVO_DISK}) {
        my $disk = File::Temp->newdir;
        my @unshare = qw(unshare --user --map-current-user --keep-caps --mount);
        my $mount = 'mount -t tmpfs -o size=28m tmpfs "$1"';
        my $is_allowed = 0 == system("@unshare sh -c '$mount' sh $disk 2>/dev/null");
        my @under = $is_allowed
            ? (@unshare, 'sh', '-c', "$mount && shift && exec \"\$@\"", 'sh', $disk)
            : ('bash', '-c', 'ulimit -f 24576; exec "$@"', 'bash');    # WAL segments are 16 MB
        local $ENV{PERL5LIB} = join ':', @INC;
        local $ENV{MVO_DISK} = $disk;
        local $ENV{MVO_DISK_KIND} = $is_allowed ? 'tmpfs' : 'limit';
        exit(system(@under, $^X, $0) ? 1 : 0);
    }
}

use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $disk = $ENV{MVO_DISK};
note "disk: $ENV{MVO_DISK_KIND}";

my $node = orchestrator_node('disk_full', "autovacuum = off\nfsync = off\nmax_wal_size = 128MB\n");
sub query { return $node->safe_psql('postgres', $_[0]); }

query("CREATE TABLESPACE small LOCATION '$disk'");
append_to_file("$disk/ballast", 'x' x (4 * 1024 * 1024));
query(<<'SQL');
CREATE EXTENSION amcheck;
CREATE TABLE version AS SELECT 1 AS v, 20000 AS amount;
SELECT mv_register('big', $$SELECT v, g, repeat(md5(g::text), 10) AS filler FROM version, generate_series(1, amount) g$$,
                   unique_key => '{g}', options => '{"tablespace": "small"}');
SELECT mv_register('after', 'SELECT max(v) AS v, count(*) AS n FROM big', depends_on => '{big}',
                   options => '{"tablespace": "small"}');
SELECT mv_create_all();
SQL

# Files in the tablespace that belong to no relation.
my $orphans = <<'SQL';
SELECT count(*)
FROM (SELECT version FROM pg_ls_dir('pg_tblspc/' || (SELECT oid FROM pg_tablespace WHERE spcname = 'small')) AS version
      WHERE version LIKE 'PG_%') AS directory,
     pg_ls_dir(format('pg_tblspc/%s/%s/%s', (SELECT oid FROM pg_tablespace WHERE spcname = 'small'), version,
                      (SELECT oid FROM pg_database WHERE datname = 'postgres'))) AS file
WHERE substring(file FROM '^\d+')::oid NOT IN
      (SELECT relfilenode FROM pg_class WHERE reltablespace = (SELECT oid FROM pg_tablespace WHERE spcname = 'small'))
SQL

sub check_is_whole {
    my ($what, $v, $amount) = @_;
    is(query('SELECT min(v), max(v), count(*) FROM big'), "$v|$v|$amount", "$what: the rows of one run");
    is(query('TABLE after'), "$v|$amount", "$what: what reads it, too");
    is(query("SELECT count(*) FROM verify_heapam('big')"), '0', "$what: the heap is sound");
    query(q{SELECT bt_index_parent_check(indexrelid, true, true) FROM pg_index WHERE indrelid = 'big'::regclass});
    is(query(q{SELECT count(*) FROM pg_class WHERE relname ~ '^pg_temp_'}), '0', "$what: no transient relation");
    query('CHECKPOINT');    # removes what is to be removed
    is(query($orphans), '0', "$what: no file is left");
}

check_is_whole('at first', 1, 20000);
my $version = 1;
for my $mode (qw(plain swap diff concurrent)) {
    query('UPDATE version SET v = v + 1, amount = 90000');
    my (undef, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT mv_refresh('big', mode => '$mode')");
    like($error, qr/53100.*could not refresh materialized view public\.big|File too large|could not (write|extend)/s, "$mode: the error says it");
    check_is_whole($mode, $version, 20000);
}

# What waits on disk while a diff compares in parts.
query('UPDATE version SET v = v + 1, amount = 90000');
my (undef, undef, $error) = $node->psql('postgres',
    "SET temp_tablespaces = small; SET mv_orchestrator.diff_work_mem = '64kB'; SELECT mv_refresh('big', mode => 'diff')");
like($error, qr/could not (write|extend)|No space left|File too large/, 'diff in parts: the error says it');
check_is_whole('diff in parts', $version, 20000);

# Somebody makes room. What the diffs wrote before they failed are dead rows.
unlink "$disk/ballast";
query('VACUUM big');
for my $mode (qw(diff swap plain)) {
    query('UPDATE version SET v = v + 1, amount = 5000');
    query("SELECT mv_refresh_all(mode => '$mode')");
    check_is_whole("$mode, with room again", query('SELECT v FROM version'), 5000);
}
is(wrong_views($node), '', 'every view is right');

$node->stop;
done_testing();
