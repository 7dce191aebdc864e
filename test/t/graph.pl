# What mv_graph() draws is what the database holds, whatever names there are. The dot is rendered by
# graphviz and read back from the drawing: nodes, the texts in them, arrows. The mermaid is read by
# a strict parser of the few statements that it may consist of. What is expected comes from the
# test's own list of edges and from SQL that shares no code with the extension.
# MVO_SEED in the environment repeats a run.

use strict;
use warnings;
use utf8;

use Encode qw(decode encode);
use FindBin;
use JSON::PP;
use lib $FindBin::RealBin;
use MvTest;
use Test::More;

my $seed = $ENV{MVO_SEED} // int rand 2**31;
note "MVO_SEED=$seed";
srand $seed;

my $node = orchestrator_node('graph');

sub sql { return decode('UTF-8', $node->safe_psql('postgres', encode('UTF-8', $_[0]))); }
sub literal { my ($text) = @_; return "E'" . $text =~ s/(['\\])/\\$1/gr . "'"; }

# The name as SQL prints it, with what cannot be seen made visible.
sub expected_label {
    my ($schema, $name) = @_;
    my %short = ("\n" => 'n', "\t" => 't', "\r" => 'r', '\\' => '\\');
    return join '.', map {
        my $printed = /^[a-z_][a-z0-9_]*$/ && $_ ne 'end' ? $_ : '"' . s/"/""/gr . '"';
        $printed =~ s{([\\\p{Cc}\p{Cf}\x{2028}\x{2029}])}{
            my $c = $1;
            '\\' . ($short{$c} // sprintf(ord $c < 0x80 ? 'x%02X' : 'u%04X', ord $c)) }ger;
    } $schema, $name;
}

# Node => [ first line, second line ], and arrows "n1 n2" => kind, from the picture that dot draws.
sub drawn_by_graphviz {
    my ($dot) = @_;
    my ($input, $output, $errors) = (encode('UTF-8', $dot), '', '');
    IPC::Run::run([ 'dot', '-Tjson' ], '<', \$input, '>', \$output, '2>', \$errors)
      or die "dot failed (is graphviz installed?): $errors";
    unlike($errors, qr/error|warning: (?!.*font)/i, 'graphviz has nothing to say against it');
    my $picture = JSON::PP->new->utf8->decode($output);
    my (%nodes, %arrows, %name);
    for my $object (grep { !exists $_->{nodes} && $_->{name} =~ /^n\d+$/ } @{ $picture->{objects} }) {
        $name{ $object->{_gvid} } = $object->{name};
        $nodes{ $object->{name} } = [ map { $_->{text} } grep { $_->{op} eq 'T' } @{ $object->{_ldraw_} } ];
    }
    for my $edge (@{ $picture->{edges} // [] }) {
        my $style = $edge->{style} // 'solid';
        $arrows{"$name{$edge->{tail}} $name{$edge->{head}}"} = { solid => 'found', dashed => 'declared' }->{$style};
    }
    return (\%nodes, \%arrows);
}

# The same from a mermaid text, of which every line must be one of those that we write.
sub read_from_mermaid {
    my ($text) = @_;
    my (%nodes, %arrows, @strange);
    my $label = qr/(?:[A-Za-z0-9 .]|[^\x00-\x7f]|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9])|#\d+;|(?<=[^\x00-\x7f])_|_(?=[^\x00-\x7f]))+/;
    my $words = qr/[a-z_]+(?:, [a-z_]+)*/;
    my %brackets = ('[' => ']', '(' => ')', '{{' => '}}', '[(' => ')]');
    my ($init, $head, @lines) = split /\n/, $text;
    ok($init =~ /^%%\{init: (.*)\}%%$/ && eval { JSON::PP->new->decode($1) }, 'mermaid: settings');
    is($head, 'flowchart LR', 'mermaid: a flowchart');
    for (@lines) {
        if (/^  (n\d+)([\[({]+)"($label)(?:<br\/>($words))?"([\])}]+)$/ && $brackets{$2} eq $5) {
            push @strange, $_ if exists $nodes{$1};
            my ($id, @texts) = ($1, $3, $4 // ());
            s/#8203;//g, s/#(\d+);/chr $1/ge for $texts[0];
            $nodes{$id} = \@texts;
        } elsif (/^  (n\d+) (-->|-\.->) (n\d+)$/ && $nodes{$1} && $nodes{$3}) {
            $arrows{"$1 $3"} = $2 eq '-->' ? 'found' : 'declared';
        } elsif (/^  class (n\d+(?:,n\d+)*) \w+$/) {
            push @strange, grep { !$nodes{$_} } split /,/, $1;
        } elsif (!/^  %% [^{}]*$/ && !/^  classDef \w+ [a-z-]+:[#\w ]+(?:,[a-z-]+:[#\w ]+)*$/
            && !/^  linkStyle \d+(?:,\d+)* [a-z-]+:[#\w]+(?:,[a-z-]+:[#\w]+)*$/) {
            push @strange, $_;
        }
    }
    is_deeply(\@strange, [], 'mermaid: nothing strange in it');
    return (\%nodes, \%arrows);
}

# By label instead of by number.
sub by_label {
    my ($nodes, $arrows) = @_;
    my %texts = map { $_->[0] => $_->[1] // '' } values %$nodes;
    my %kinds;
    while (my ($ends, $kind) = each %$arrows) {
        my ($source, $reader) = map { $nodes->{$_}[0] } split / /, $ends;
        $kinds{"$reader <- $source"} = $kind;
    }
    return { nodes => \%texts, arrows => \%kinds, count => scalar keys %$nodes };
}

sub is_drawn {
    my ($expected, $what) = @_;
    is_deeply(by_label(drawn_by_graphviz(sql("SELECT mv_graph('dot')"))), $expected, "dot: $what");
    is_deeply(by_label(read_from_mermaid(sql("SELECT mv_graph('mermaid')"))), $expected, "mermaid: $what");
}

is_drawn({ nodes => {}, arrows => {}, count => 0 }, 'nothing, where nothing is registered');

my @names = (
    'plain', 'Upper', 'with_under_scores', 'quo"te', '"', '""', 'back\\slash', '\\', '\\N\\G\\l', "new\nline",
    "tab\tand\rreturn", "bell\aescape\e[31m\x7f", '<b>bold</b>', '<script>alert(1)</script>', '&amp; &lt; &#35; &copy;', '#quot; #35;',
    'a;b', ']', '[x]{y}(z)|w|', 'end', 'subgraph', '%%{init: {}}%%', '`code` **bold** _it_', '_', '__', '-->', 'n1 --> n2',
    ' ', ' lead', 'two  spaces', "it's", '日本語のビュー', "ne\x{301}e", 'é' x 31, 'x' x 63, '名' x 21, "\x{202e}rtl\x{200b}zero",
    "line\x{2028}sep\x{85}next", '$$x^2$$', 'fa:fa-car', '@', '%d %s %n', '?', '/* c */', '// c', '-- c', '1', '1. one', "\xa0",
);
my @views = map { [ 's', $_ ] } @names;
push @views, [ 'S"chema', 'a' ], [ "1. n\n", 'a' ], [ 'www', 'example.com' ], [ '_x_', 'y_' ], [ 'S' x 63, 'V' x 63 ];

# A view is read in its definition, or declared to be read and nothing more.
my (%edges, @labels);
my $script = '';
for my $i (0 .. $#views) {
    my @sources = grep { rand(@views) < 2 } 0 .. $i - 1;
    my $found = rand() < 0.7;
    my $name = sprintf "format('%%I.%%I', %s, %s)", map { literal($_) } @{ $views[$i] };
    my @read = map { sprintf "format('%%I.%%I', %s, %s)", map { literal($_) } @{ $views[$_] } } @sources;
    my $definition = "'SELECT 1 AS x'";
    $definition .= " || ' FROM ' || " . join " || ', ' || ", map { "$read[$_] || ' AS s$_'" } 0 .. $#read if $found && @read;
    $script .= sprintf "SELECT format('CREATE SCHEMA IF NOT EXISTS %%I', %s) \\gexec\n", literal($views[$i][0]);
    $script .= "SELECT mv_register($name, $definition, depends_on => ARRAY[" . join(', ', @read) . "]::text[]);\n";
    $labels[$i] = expected_label(@{ $views[$i] });
    $edges{"$labels[$i] <- $labels[$_]"} = $found ? 'found' : 'declared' for @sources;
}
sql("SET client_min_messages = warning;\n$script");
my %nodes = map { $_ => 'missing' } @labels;
is_drawn({ nodes => \%nodes, arrows => \%edges, count => scalar @labels }, 'every view and what it reads, by their texts');
sql('SELECT mv_create_all()');
%nodes = map { $_ => '' } @labels;
is_drawn({ nodes => \%nodes, arrows => \%edges, count => scalar @labels }, 'every view and what it reads, by their rules');

# Materialized and plain views over tables, at random, in a database of their own. Who reads what
# the server's catalogs say: all that can be reached from a materialized view.
$node->safe_psql('postgres', 'CREATE DATABASE mixed');
my @relations = map { "t$_" } 1 .. 5;
$script = join '', 'CREATE EXTENSION mv_orchestrator;', map { "CREATE TABLE $_ (x int);\n" } @relations;
for my $i (1 .. 40) {
    my %read = map { $relations[ rand @relations ] => 1 } 0 .. rand 3;
    my $query = 'SELECT 1 AS x FROM ' . join ', ', sort keys %read;
    push @relations, rand() < 0.5 ? "m$i" : "v$i";
    $script .= $relations[-1] =~ /m/ ? "SELECT mv_register('$relations[-1]', '$query'), mv_create('$relations[-1]');\n"
      : "CREATE VIEW $relations[-1] AS $query;\n";
}
$node->safe_psql('mixed', $script);
my @reached = map { [ split /\|/ ] } split /\n/, $node->safe_psql('mixed', <<'SQL');
WITH RECURSIVE direct AS (
    SELECT DISTINCT r.ev_class AS reader, d.refobjid AS source
    FROM pg_rewrite AS r JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
), reached AS (
    SELECT d.* FROM direct AS d JOIN pg_class AS c ON c.oid = reader AND relkind = 'm'
    UNION SELECT d.* FROM reached AS r JOIN direct AS d ON d.reader = r.source
)
SELECT 'public.' || reader::regclass, 'public.' || source::regclass FROM reached
SQL
my $alone = $node->safe_psql('mixed', "SELECT string_agg('public.' || matviewname, ' ') FROM pg_matviews");
my %expected = (
    arrows => { map { ("$_->[0] <- $_->[1]" => 'found') } @reached },
    nodes => { map { $_ => '' } split(/ /, $alone), map { @$_ } @reached });
$expected{count} = keys %{ $expected{nodes} };
for ([ dot => \&drawn_by_graphviz ], [ mermaid => \&read_from_mermaid ]) {
    my ($format, $read) = @$_;
    my $drawing = $node->safe_psql('mixed', "SELECT mv_graph('$format', with_views => true, with_sources => true)");
    is_deeply(by_label($read->($drawing)), \%expected, "$format: with views and sources");
}

done_testing();
