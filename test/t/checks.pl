# docs/checks.md has every problem that mv_check() knows, with its severity, and no other; and
# mv_check() works on a standby, where nothing can be written.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::RealBin/../..";
my $source = slurp_file("$root/src/core/problem.cpp");
my %known = $source =~ /return \{"(\w+)", Severity::(\w+)\}/g;
delete $known{unknown};
my %documented = slurp_file("$root/docs/checks.md") =~ /^\| `(\w+)` \| (\w+) \|/mg;
cmp_ok(scalar keys %known, '>', 20, 'problems are found in the source');
is_deeply(\%documented, \%known, 'each is in docs/checks.md with its severity');

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION mv_orchestrator;
CREATE TABLE base AS SELECT 1 AS id UNION ALL SELECT NULL;
SELECT mv_register('keyed', 'SELECT id FROM base', unique_key => '{id}');
SELECT mv_register('gone', 'SELECT now() AS x');
SELECT mv_register('other', 'SELECT 1 AS x');
SELECT mv_create_all();
SELECT mv_register('other', 'SELECT 2 AS x');
ALTER MATERIALIZED VIEW gone RENAME TO elsewhere;
SQL
$primary->wait_for_catchup($standby);
my $checks = 'SELECT severity, name, problem, detail FROM mv_check()';
my $found = $standby->safe_psql('postgres', $checks);
is($found, $primary->safe_psql('postgres', $checks), 'the same on the standby');
like($found, qr/^error\|public\.$_->[0]\|$_->[1]\|/m, "$_->[1]") for [ gone => 'moved' ], [ other => 'drift' ];
like($found, qr/^warning\|public\.keyed\|null_in_key\|/m, 'null_in_key');
$standby->stop;
$primary->stop;

done_testing();
