# The tests of the SQLAlchemy example pass against a server of ours.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Utils;
use Test::More;

# The system's Python, whose SQLAlchemy and psycopg2 are packages.
my $python = '/usr/bin/python3';

my $node = orchestrator_node('sqlalchemy');
my $host = $node->host;
$host =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ge;
local $ENV{DATABASE_URL} = sprintf 'postgresql+psycopg2:///postgres?host=%s&port=%d', $host, $node->port;
local $ENV{PYTHONDONTWRITEBYTECODE} = 1;

my $directory = source_root() . '/examples/sqlalchemy';
my $output = '';
my $ok = IPC::Run::run([ $python, "$directory/test_mv.py", '-v' ], '<', \undef, '>&', \$output);
ok($ok, 'the example passes its tests') or diag($output);
my ($count) = $output =~ /^Ran (\d+) tests? in /m;
cmp_ok($count // 0, '>=', 5, 'and there are some');
unlike($output, qr/skipped/, 'none is skipped');
is($node->safe_psql('postgres', 'SELECT count(*) FROM mv_orchestrator.registry'), 0, 'nothing stays registered');

done_testing();
