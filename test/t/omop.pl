# The OMOP example: from nothing to a refreshed graph of fifteen views.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = orchestrator_node('omop');

# Runs one of the example's files; whether it worked is left to the caller.
sub try_file {
    my ($file) = @_;
    my $output = '';
    my $ok = IPC::Run::run([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'patients=300', '-d',
            $node->connstr('postgres'), '-f', source_root() . "/examples/omop/$file" ],
        '<', \undef, '>&', \$output);
    return ($ok, $output);
}

sub run_file {
    my ($file) = @_;
    my ($ok, $output) = try_file($file);
    ok($ok, "$file runs") or diag($output);
    return $output;
}

run_file($_) for qw(schema.sql data.sql views.sql);
my $levels = $node->safe_psql('postgres', 'SELECT max(level) FROM mv_order()');
cmp_ok($levels, '>=', 4, 'the order has at least four levels');

is($node->safe_psql('postgres', <<'SQL'), 15, 'every view comes after what it reads');
WITH place AS (SELECT step, name, depends_on FROM mv_order())
SELECT count(*) FROM place AS p
WHERE NOT EXISTS (SELECT FROM place AS source WHERE source.name = ANY (p.depends_on) AND source.step >= p.step)
SQL
is($node->safe_psql('postgres', 'SELECT action, count(*) FROM mv_create_all() GROUP BY 1'),
    'created|15', 'one call creates all');
is($node->safe_psql('postgres', 'SELECT action, count(*) FROM mv_create_all() GROUP BY 1'),
    'exists|15', 'and the next finds them all');
is(wrong_views($node), '', 'every view holds what its query gives');
cmp_ok($node->safe_psql('postgres', <<'SQL'), '>=', 10, 'most views hold rows');
SELECT count(*) FROM pg_class
WHERE relkind = 'm' AND query_to_xml(format('SELECT 1 FROM %s LIMIT 1', oid::regclass), true, true, '')::text ~ '<row'
SQL

# The README shows the graph of this example.
my ($pictures) = slurp_file(source_root() . '/README.md') =~ /^## What reads what\n(.*?)^## /ms;
for my $format ('text', 'mermaid') {
    my ($shown) = ($pictures // '') =~ /^```$format\n(.*?)^```$/ms;
    is($node->safe_psql('postgres', "SELECT mv_graph('$format')") . "\n", $shown, "the README shows the graph as $format");
}

run_file('change.sql');
isnt(wrong_views($node), '', 'another day makes views stale');
is($node->safe_psql('postgres', q{SELECT count(*), bool_and(status IN ('refreshed', 'unchanged')) FROM mv_refresh_all()}),
    '15|t', 'one call refreshes all');
my @report = split /\n/, run_file('check.sql');
is(scalar(grep { /\|0\|0$/ } @report), 15, 'check.sql reports fifteen views without a difference')
  or diag(join "\n", @report);
is(wrong_views($node), '', 'the oracle says so too');

run_file('change.sql');
my ($ok, $output) = try_file('check.sql');
ok(!$ok, 'check.sql fails when views are stale');
like($output, qr/not every view holds what its query gives/, 'and says why');

done_testing();
