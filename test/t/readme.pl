# The tour in the README prints what it says it prints. In the section "A five-minute tour" every
# block fenced as ```sql is given to one `psql -X`, in sequence, in an empty database, as a
# superuser. A block fenced as ```text right after it is all that psql then prints, errors and
# notices among it; without one, the output is not looked at, but an error is a failure.
# Intervals like 00:00:00.0123 may differ, and with them the width of a table that has them.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MvTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $end_of_block = 'end of block ' . ('=' x 20);

# [ sql, text or undef, line in the README ]
sub blocks_of {
    my ($section, $first_line) = @_;
    my @blocks;
    my ($language, $body, $start);
    my $line = $first_line;
    for (split /^/, $section) {
        ++$line;
        if (!defined $language && /^```(\w*)\s*$/) {
            ($language, $body, $start) = ($1, '', $line);
        } elsif (defined $language && /^```\s*$/) {
            push @blocks, [ $body, undef, $start ] if $language eq 'sql';
            if ($language eq 'text' && @blocks && !defined $blocks[-1][1]) {
                $blocks[-1][1] = $body;
            }
            undef $language;
        } elsif (defined $language) {
            $body .= $_;
        }
    }
    return @blocks;
}

sub run_in_one_session {
    my ($node, @scripts) = @_;
    my $input = join '', map { "$_\n\\echo $end_of_block\n" } @scripts;
    my $output = '';
    local $ENV{PGOPTIONS} = '';
    IPC::Run::run([ 'stdbuf', '-oL', 'psql', '-X', '-d', $node->connstr('postgres') ],
        '<', \$input, '>&', \$output);
    return split /^\Q$end_of_block\E\n/m, $output, -1;
}

sub without_intervals {
    my ($text) = @_;
    if ($text =~ s/\b\d\d:\d\d:\d\d(\.\d+)?\b/INTERVAL/g) {
        $text =~ s/ +/ /g;
        $text =~ s/-+/-/g;
    }
    $text =~ s/[ \t]+$//mg;
    $text =~ s/\n+\z/\n/;
    return $text;
}

my $readme = slurp_file(source_root() . '/README.md');
ok($readme =~ /^(.*?^## A five-minute tour\n)(.*?)(?=^## |\z)/ms, 'the README has a section "A five-minute tour"')
  or die 'no tour';
my ($before, $tour) = ($1, $2);
my @blocks = blocks_of($tour, scalar split /^/, $before);
cmp_ok(scalar(grep { defined $_->[1] } @blocks), '>=', 3, 'the tour shows what its commands print');

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->start;
my @outputs = run_in_one_session($node, map { $_->[0] } @blocks);
is(scalar @outputs, @blocks + 1, 'psql came to the end of the tour');

for my $i (0 .. $#blocks) {
    my (undef, $expected, $line) = @{ $blocks[$i] };
    my $name = "the commands of line $line";
    if (defined $expected) {
        is(without_intervals($outputs[$i] // ''), without_intervals($expected), "$name print what is shown");
    } else {
        unlike($outputs[$i] // 'ERROR: nothing', qr/^(ERROR|FATAL|PANIC):/m, "$name run");
    }
}

done_testing();
