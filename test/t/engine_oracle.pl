# Random definitions over all kinds of types and values, changed at random and refreshed at random
# in every mode: afterwards a view holds what its query gives, image for image, heap and indexes
# are sound, what was reported is what happened, and nothing is left behind.
# MVO_SEED in the environment repeats a run, MVO_ROUNDS makes it longer; what fails is kept as a
# script.

use strict;
use warnings;

use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{MVO_ROUNDS} // 500;
my $seed = $ENV{MVO_SEED} // int rand 2**31;
note "MVO_SEED=$seed";
srand $seed;

my $node = PostgreSQL::Test::Cluster->new('oracle');
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', <<'CONF');
autovacuum = off
fsync = off
jit = off
log_line_prefix = '%p '
max_parallel_workers = 2
shared_buffers = 32MB
statement_timeout = 60s
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION mv_orchestrator;
CREATE EXTENSION amcheck;
CREATE EXTENSION dblink;
SQL

sub server_takes {
    my ($sql) = @_;
    return 0 == $node->psql('postgres', "BEGIN; $sql; ROLLBACK", on_error_stop => 1);
}
my $has_icu = server_takes(
    q{CREATE COLLATION c (provider = icu, locale = 'und-u-ks-level2', deterministic = false)});
my $has_xml = server_takes(q{SELECT xmlparse(CONTENT '<a/>')});
my $has_lz4 = server_takes(q{CREATE TABLE t (v text COMPRESSION lz4)});
note "icu: $has_icu, xml: $has_xml, lz4: $has_lz4";

# The driver inside the server. What a row is, as an image: record_image_ops; where values hold
# rows whose headers may differ, as text. Each function returns what is wrong, one line each.
$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA o;
CREATE TABLE o.old (name text, place tid, writer xid, t text, k text);
CREATE TABLE o.before (name text, file oid, toast oid, class_writer xid);
CREATE TABLE o.answer (name text, status text, mode text, rows bigint, changed bigint);
-- What became of mode auto; not a row but a number, so that it outlives a rollback.
CREATE SEQUENCE o.gave_up;

-- As many values of incompressible text as it takes to fill n bytes.
CREATE FUNCTION o.noise(i int, n int) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT string_agg(translate(md5(i || ':' || g), '0123456789', 'QWERTYUIOP'), '' ORDER BY g)
   FROM generate_series(1, n / 32 + 1) AS g $$;

CREATE FUNCTION o.query(view text) RETURNS text LANGUAGE sql AS
$$ SELECT rtrim(pg_get_viewdef(view::regclass), ';') $$;

-- By what a row that changed is known, as an expression: the columns of all unique indexes, those in
-- their expressions and predicates too, else all that is indexed. NULL where nothing is.
CREATE FUNCTION o.key(view regclass) RETURNS text LANGUAGE sql AS $$
    WITH used AS (
        SELECT d.refobjsubid AS number, x.indisunique, x.indnkeyatts > place AS in_key
        FROM pg_index AS x JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = x.indexrelid
             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = x.indrelid AND d.refobjsubid > 0,
             array_position(x.indkey::int2[], d.refobjsubid::int2) AS place
        WHERE x.indrelid = view
    )
    SELECT coalesce('md5(ROW(' || string_agg(format('v.%I', a.attname), ', ') || ')::text)', 'NULL::text')
    FROM pg_attribute AS a
    WHERE a.attrelid = view AND CASE WHEN (SELECT bool_or(indisunique) FROM used)
          THEN a.attnum IN (SELECT number FROM used WHERE indisunique AND in_key IS NOT FALSE)
          ELSE a.attnum IN (SELECT number FROM used) END
$$;

CREATE FUNCTION o.remember(names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
    TRUNCATE o.old, o.before, o.answer;
    FOREACH name IN ARRAY names LOOP
        EXECUTE format('INSERT INTO o.old SELECT %L, ctid, xmin, md5(v::text), %s FROM %s AS v',
                       name, o.key(name), name);
        INSERT INTO o.before SELECT name, pg_relation_filenode(oid), reltoastrelid, xmin
        FROM pg_class WHERE oid = name::regclass;
    END LOOP;
END $$;

CREATE FUNCTION o.refresh(name text, mode text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO o.answer SELECT r.name, r.status, r.mode, r.rows, r.changed FROM mv_refresh(name, mode => mode) AS r
    WHERE r.detail IS NULL OR nextval('o.gave_up') > 0;
END $$;

CREATE FUNCTION o.refresh_all(names text[], mode text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO o.answer SELECT r.name, r.status, r.mode, r.rows, r.changed
    FROM mv_refresh_all(names, mode => mode) AS r WHERE r.detail IS NULL OR nextval('o.gave_up') > 0;
END $$;

-- The call must fail with this SQLSTATE.
CREATE FUNCTION o.refresh_fails(name text, mode text, state text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mv_refresh(name, mode => mode);
    RETURN NEXT format('%s in %s did not fail with %s', name, mode, state);
EXCEPTION WHEN OTHERS THEN
    IF SQLSTATE <> state THEN
        RETURN NEXT format('%s in %s failed with %s: %s', name, mode, SQLSTATE, SQLERRM);
    END IF;
END $$;

-- The contents against what the query gives now.
CREATE FUNCTION o.wrong_contents(name text, by_image boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE n bigint; q text := o.query(name);
BEGIN
    EXECUTE format('SELECT count(*) FROM ((SELECT md5(v::text) FROM %1$s AS v EXCEPT ALL
                                           SELECT md5(q::text) FROM (%2$s) AS q)
                                UNION ALL (SELECT md5(q::text) FROM (%2$s) AS q EXCEPT ALL
                                           SELECT md5(v::text) FROM %1$s AS v)) AS d', name, q) INTO n;
    IF n > 0 THEN RETURN NEXT format('%s: %s rows differ as text', name, n); END IF;
    IF NOT by_image THEN RETURN; END IF;
    EXECUTE format('SELECT count(*) FROM
                      (SELECT v AS r, row_number() OVER (ORDER BY v USING OPERATOR(pg_catalog.*<)) AS i FROM %s AS v) AS a
                      FULL JOIN
                      (SELECT q AS r, row_number() OVER (ORDER BY q USING OPERATOR(pg_catalog.*<)) AS i FROM (%s) AS q) AS b
                      ON a.i = b.i WHERE a.i IS NULL OR b.i IS NULL OR NOT a.r::record *= b.r::record', name, q) INTO n;
    IF n > 0 THEN RETURN NEXT format('%s: %s rows differ as images', name, n); END IF;
END $$;

-- How many of the rows that came can have been written in the place of one that went.
CREATE FUNCTION o.pairs(view text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; key text := o.key(view);
BEGIN
    EXECUTE format('WITH new AS (SELECT md5(v::text) AS t, %s AS k FROM %s AS v),
        old AS (SELECT t, k FROM o.old WHERE name = %L),
        gone AS (SELECT k, count(*) FROM (TABLE old EXCEPT ALL TABLE new) AS d GROUP BY k),
        come AS (SELECT k, count(*) FROM (TABLE new EXCEPT ALL TABLE old) AS d GROUP BY k)
        SELECT coalesce(sum(least(g.count, c.count)), 0) FROM gone AS g JOIN come AS c USING (k)', key, view, view) INTO n;
    RETURN n;
END $$;

-- What the last call said and did, against what was remembered before it.
CREATE FUNCTION o.wrong_answers(by_image boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE a record; b record; n bigint; gone bigint; come bigint; pairs bigint; fresh bigint; file_now oid; writer_now xid;
BEGIN
    FOR a IN SELECT * FROM o.answer LOOP
        EXECUTE format('SELECT count(*) FROM %s', a.name) INTO n;
        IF a.rows IS NOT NULL AND n <> a.rows THEN
            RETURN NEXT format('%s: %s rows reported, %s there', a.name, a.rows, n);
        END IF;
        CONTINUE WHEN a.mode <> 'diff';
        SELECT * INTO b FROM o.before WHERE before.name = a.name;
        EXECUTE format('SELECT count(*) FROM (SELECT t FROM o.old WHERE name = %L EXCEPT ALL SELECT md5(v::text) FROM %s AS v) AS d',
                       a.name, a.name) INTO gone;
        EXECUTE format('SELECT count(*) FROM (SELECT md5(v::text) FROM %s AS v EXCEPT ALL SELECT t FROM o.old WHERE name = %L) AS d',
                       a.name, a.name) INTO come;
        -- An eighth of the memory, of 32 bytes a row, is for rows that wait for their place to be taken.
        pairs := o.pairs(a.name);
        n := pg_size_bytes(current_setting('mv_orchestrator.diff_work_mem')) / 8 / 32;
        IF by_image AND (a.changed > gone + come OR a.changed < gone + come - pairs
                         OR gone <= n AND a.changed <> gone + come - pairs) THEN
            RETURN NEXT format('%s: %s changes reported, %s gone and %s come, %s of them in place',
                               a.name, a.changed, gone, come, pairs);
        END IF;
        IF (a.status = 'unchanged') <> (a.changed = 0) THEN
            RETURN NEXT format('%s: %s with %s changes', a.name, a.status, a.changed);
        END IF;
        EXECUTE format('SELECT count(*) FROM %s AS v WHERE NOT EXISTS (SELECT FROM o.old
                        WHERE name = %L AND place = v.ctid AND writer = v.xmin AND t = md5(v::text))', a.name, a.name) INTO fresh;
        IF fresh <> come AND by_image THEN
            RETURN NEXT format('%s: %s rows written, %s come', a.name, fresh, come);
        END IF;
        SELECT pg_relation_filenode(c.oid), c.xmin INTO file_now, writer_now FROM pg_class AS c WHERE oid = a.name::regclass;
        IF file_now <> b.file THEN RETURN NEXT format('%s: another file after diff', a.name); END IF;
        IF a.changed = 0 AND writer_now <> b.class_writer THEN
            RETURN NEXT format('%s: pg_class written though nothing changed', a.name);
        END IF;
    END LOOP;
END $$;

-- Each index must find what a scan of the table finds: samples of its first column's values.
CREATE FUNCTION o.wrong_index_scans(view regclass) RETURNS SETOF text LANGUAGE plpgsql
SET enable_indexonlyscan = off AS $$
DECLARE i record; op text; by_scan bigint; by_index bigint; value record;
BEGIN
    FOR i IN SELECT c.relname, am.amname, a.attname, a.atttypid::regtype::text AS type
             FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid JOIN pg_am AS am ON am.oid = c.relam
             JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
             WHERE x.indrelid = view AND x.indpred IS NULL
    LOOP
        op := CASE WHEN i.amname IN ('hash', 'btree') THEN '=' WHEN i.amname = 'brin' THEN '<='
                   WHEN i.amname = 'gin' AND i.type <> 'tsvector' THEN '@>'
                   WHEN i.amname = 'gist' AND i.type NOT IN ('tsvector', 'tsquery', 'point') THEN '&&'
                   WHEN i.amname = 'spgist' AND i.type IN ('text', 'character varying') THEN '='
                   WHEN i.amname = 'spgist' AND i.type LIKE '%range' THEN '&&' END;
        CONTINUE WHEN op IS NULL;
        FOR value IN EXECUTE format('SELECT v.%I::text AS t FROM %s AS v WHERE v.%I IS NOT NULL LIMIT 2', i.attname, view, i.attname) LOOP
            PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
                    set_config('enable_seqscan', 'on', true);
            EXECUTE format('SELECT count(*) FROM %s WHERE %I %s %L::%s', view, i.attname, op, value.t, i.type) INTO by_scan;
            PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true),
                    set_config('enable_seqscan', 'off', true);
            EXECUTE format('SELECT count(*) FROM %s WHERE %I %s %L::%s', view, i.attname, op, value.t, i.type) INTO by_index;
            IF by_scan <> by_index THEN
                RETURN NEXT format('%s: index %s (%s) finds %s of %s rows', view, i.relname, i.amname, by_index, by_scan);
            END IF;
        END LOOP;
    END LOOP;
    PERFORM set_config('enable_seqscan', 'on', true);
END $$;

CREATE FUNCTION o.unsound(names text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE view text; r record; problem record;
BEGIN
    FOREACH view IN ARRAY names LOOP
        FOR problem IN SELECT * FROM verify_heapam(view::regclass, check_toast => true) LOOP
            RETURN NEXT format('%s: %s', view, problem);
        END LOOP;
        FOR r IN SELECT c.oid::regclass AS index FROM pg_class AS c JOIN pg_index AS x ON c.oid = x.indexrelid
                 JOIN pg_am AS am ON am.oid = c.relam AND am.amname = 'btree'
                 WHERE x.indrelid = view::regclass
                    OR x.indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = view::regclass)
        LOOP
            PERFORM bt_index_parent_check(r.index, true, true);
        END LOOP;
        RETURN QUERY SELECT * FROM o.wrong_index_scans(view::regclass);
        RETURN QUERY SELECT format('%s: TOAST table is called %s', view, t.relname)
            FROM pg_class AS c JOIN pg_class AS t ON t.oid = c.reltoastrelid
            WHERE c.oid = view::regclass AND t.relname <> 'pg_toast_' || c.oid;
        RETURN QUERY SELECT format('%s: %s of %s pages all-visible after a swap', view, relallvisible, relpages)
            FROM pg_class AS c JOIN o.answer AS a ON c.oid = a.name::regclass
            WHERE a.name = view AND a.mode = 'swap' AND relallvisible <> relpages
              AND NOT EXISTS (SELECT FROM o.answer AS other WHERE other.name = a.name AND other.mode <> 'swap');
    END LOOP;
    RETURN QUERY SELECT format('%s left behind', oid::regclass) FROM pg_class WHERE relname LIKE 'pg_temp_%';
    RETURN QUERY SELECT format('lock %s on %s is left', mode, relation::regclass) FROM pg_locks
        WHERE relation = ANY (names::regclass[]) AND mode NOT IN ('AccessShareLock', 'ShareLock');
END $$;

CREATE TYPE o.pair AS (a int, b text);
CREATE TYPE o.mood AS ENUM ('sad', 'ok', 'glad');
CREATE DOMAIN o.small AS int CHECK (VALUE < 1000);
CREATE DOMAIN o.label AS text CHECK (length(VALUE) < 100);
SQL
$node->safe_psql('postgres',
    q{CREATE COLLATION o.insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false)})
  if $has_icu;

# Of each type some values as SQL, with pairs that are equal but not the same; the index methods
# that take it; composite: its images hold more than its values; rare: too big to be everywhere.
my %types = (
    bool => { values => [qw(true false)], index => [qw(btree hash)] },
    int2 => { values => [qw(0 -1 32767 -32768)], index => [qw(btree hash brin)] },
    int4 => { values => [ 0, 1, -1, 7, 2147483647, '(-2147483648)' ], index => [qw(btree hash brin)] },
    int8 => { values => [ 0, 1, -1, 4294967296, 9223372036854775807 ], index => [qw(btree hash brin)] },
    oid => { values => [ 0, 1, 2147483648, 4294967295 ], index => [qw(btree hash brin)] },
    xid => { values => [ "'3'", "'4294967295'" ], index => ['hash'] },
    tid => { values => [ "'(0,1)'", "'(4294967294,65535)'" ], index => ['btree'] },
    float4 => { values => [ "'NaN'", "'-0'", '0', "'Infinity'", "'-Infinity'", '1.1', '1e-40' ], index => [qw(btree hash brin)] },
    float8 => { values => [ "'NaN'", "'-0'", '0', "'Infinity'", "'-Infinity'", '0.1', '1e-310' ], index => [qw(btree hash brin)] },
    numeric => {
        values => [ '1', '1.0', '1.00', '0', '0.000', "'NaN'", "'Infinity'", '-1e-20', '1e50', '12345678901234567890.123', "('0.' || repeat('7', 3000))" ],
        index => [qw(btree hash brin)],
    },
    'numeric(12,4)' => { values => [ 1, '1.5', '-3.25' ], index => ['btree'] },
    money => { values => [ "'1.00'", "'-92233720368547758.08'", "'0'" ], index => [qw(btree)] },
    text => { values => [ "''", "'a'", "'A'", "'b  '", "repeat('x', 130)", "repeat('é', 70)" ], index => [qw(btree hash brin spgist)] },
    varchar => { values => [ "''", "'v'", "'V '" ], index => [qw(btree hash spgist)] },
    'varchar(20)' => { values => [ "'short'", "'12345678901234567890'" ], index => [qw(btree)] },
    'char(7)' => { values => [ "''", "'a'", "'a      '", "'1234567'" ], index => [qw(btree hash)] },
    name => { values => [ "''", "'n'", "'N'", "repeat('n', 63)" ], index => [qw(btree hash)] },
    '"char"' => { values => [ "'a'", "''", "'\\377'" ], index => [qw(btree)] },
    bytea => { values => [ "''", "'\\x00'", "'\\x0000'", "'\\xff'", "decode(repeat('00', 3000), 'hex')" ], index => [qw(btree hash)] },
    date => { values => [ "'2024-02-29'", "'infinity'", "'-infinity'", "'4713-01-01 BC'" ], index => [qw(btree brin)] },
    time => { values => [ "'00:00'", "'24:00'", "'12:34:56.789'" ], index => [qw(btree)] },
    timetz => { values => [ "'12:00+00'", "'13:00+01'", "'12:00-05:30'" ], index => [qw(btree hash)] },
    timestamp => { values => [ "'2024-01-01 00:00:00.000001'", "'infinity'" ], index => [qw(btree brin)] },
    timestamptz => { values => [ "'2024-01-01 00:00+00'", "'-infinity'" ], index => [qw(btree brin)] },
    interval => { values => [ "'1 mon'", "'30 days'", "'720 hours'", "'24:00'", "'1 day'" ], index => [qw(btree hash)] },
    uuid => { values => [ "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'" ], index => [qw(btree hash brin)] },
    inet => { values => [ "'10.0.0.1'", "'10.0.0.1/8'", "'::1'", "'10.0.0.0/8'" ], index => [qw(btree)] },
    cidr => { values => [ "'10.0.0.0/8'", "'::/0'" ], index => [qw(btree)] },
    macaddr => { values => [ "'08:00:2b:01:02:03'", "'00:00:00:00:00:00'" ], index => [qw(btree hash)] },
    macaddr8 => { values => [ "'08:00:2b:01:02:03:04:05'" ], index => [qw(btree)] },
    'bit(5)' => { values => [ "B'00000'", "B'10101'" ], index => [qw(btree)] },
    varbit => { values => [ "B''", "B'0'", "B'00'", "B'1010101010101'" ], index => [qw(btree)] },
    json => { values => [ q('{"a":1}'), q('{"a": 1}'), q('[]'), q('{"a":1,"a":2}') ] },
    jsonb => { values => [ q('{"a":1.0}'), q('{"a":1.00}'), q('[1,[2,"x"]]'), q('null'), q('{}') ], index => [qw(btree hash gin)] },
    'int4[]' => { values => [ q('{}'), q('{1,NULL,3}'), q('{{1,2},{3,4}}'), q('[0:1]={1,2}'), q('{1,2}'), q(ARRAY[1] || 2) ], index => [qw(btree hash gin)] },
    'text[]' => { values => [ q('{}'), q('{NULL}'), q('{"","NULL",a}'), q(ARRAY[repeat('t', 2500), NULL]) ], index => [qw(hash gin)] },
    'numeric[]' => { values => [ q('{1.0}'), q('{1.00}'), q('{NaN,NULL}') ], index => [qw(btree)] },
    'o.pair' => { values => [ q(ROW(1, 'x')), q(ROW(NULL, NULL)), q(ROW(2, repeat('p', 2500))) ], composite => 1 },
    'o.pair[]' => { values => [ q(ARRAY[ROW(1, 'x')::o.pair, NULL]), q('{}') ], composite => 1 },
    int4range => { values => [ "'empty'", "'[1,5)'", "'[1,4]'", "'(,3)'", "'(,)'" ], index => [qw(btree hash gist spgist)] },
    numrange => { values => [ "'[1.0,2)'", "'[1.00,2)'", "'[1,2]'" ], index => [qw(gist)] },
    tstzrange => { values => [ "'[2024-01-01,infinity]'", "'empty'" ], index => [qw(gist)] },
    int4multirange => { values => [ "'{}'", "'{[1,3),[7,9)}'" ], index => [qw(btree gist)] },
    'o.mood' => { values => [ "'sad'", "'ok'", "'glad'" ], index => [qw(btree hash)] },
    'o.small' => { values => [ 1, 999, -5 ], index => [qw(btree)] },
    'o.label' => { values => [ "'l'", "'L'", "''" ], index => [qw(btree)] },
    tsvector => { values => [ "''", "'a:1 b:2'", "'a b'", "'a:1A b:2'" ], index => [qw(gin gist)] },
    tsquery => { values => [ "'a & b'", "'!c'", "''" ], index => [qw(gist)] },
    # Not SP-GiST, which raises an error for a NaN.
    point => { values => [ "'(0,0)'", "'(-0,0)'", "'(NaN,1)'", "'(1,2)'" ], index => [qw(gist)] },
    box => { values => [ "'(0,0),(1,1)'", "'(2,2),(3,4)'" ], index => [qw(gist)] },
    lseg => { values => [ "'[(0,0),(1,1)]'" ] },
    path => { values => [ "'[(0,0),(1,1)]'", "'((0,0),(1,1))'" ] },
    polygon => { values => [ "'((0,0),(1,1),(1,0))'", "'((0,0),(2,2),(2,0))'" ], index => [qw(gist)] },
    circle => { values => [ "'<(0,0),1>'" ], index => [qw(gist)] },
    pg_lsn => { values => [ "'0/0'", "'FFFFFFFF/FFFFFFFF'" ], index => [qw(btree hash)] },
    regclass => { values => [ "'pg_class'", "'pg_type'" ], index => [qw(btree)] },
);
$types{xml} = { values => [ "'<a/>'", "'<a></a>'" ] } if $has_xml;
$types{'text COLLATE o.insensitive'} = { values => [ "'a'", "'A'", "'b'", "'B'" ], index => [qw(btree)] } if $has_icu;
# Long values: compressible, or not, from just under the limit of a row to 200 kB.
my @long = map {
    ("repeat(md5('$_'), $_ / 32 + 1)", "o.noise($_, $_)", "o.noise(-$_, $_)")
} 600, 990, 1100, 1990, 2500, 9000;
$types{'text /* long */'} = { values => \@long };
$types{'text /* huge */'} = { values => [ "repeat('z', 200000)", "o.noise(1, 60000)", "o.noise(2, 60000)", "repeat(o.noise(3, 5000), 40)" ], rare => 1 };
$types{'bytea /* long */'} = { values => [ map { "convert_to($_, 'UTF8')" } @long[ 6 .. 11 ] ] };
$types{'jsonb /* long */'} = { values => [ map { "jsonb_build_object('k', $_)" } @long[ 6 .. 14 ] ] };
my @type_names = sort keys %types;

sub one_of { return $_[ rand @_ ]; }
sub maybe { return rand() < $_[0]; }
sub array { return @_ ? "ARRAY['" . join("','", @_) . "']::text[]" : "'{}'::text[]"; }

sub literal {
    my ($type) = @_;
    return "NULL::$type" if maybe(0.15);
    return '(' . one_of(@{ $types{$type}{values} }) . ")::$type";
}

# One of three, picked anew for each row that a statement writes.
sub any_literal {
    my ($column) = @_;
    my @cases = map { "WHEN $_ THEN " . literal($column->{type}) } 0 .. 2;
    return "CASE floor(random() * 3) @cases END";
}

my $number = 0;

# A source, a view of it, perhaps views of that view, and what is indexed how.
sub scenario {
    my $n = ++$number;
    my %s = (source => "p.s$n", sql => '', views => []);
    my $wide = maybe(0.02);
    my $big = !$wide && maybe(0.08);    # more rows than the least memory of a diff holds
    my $count = $wide ? 200 : $big ? 2 : 1 + int rand 7;
    my @columns;
    for my $i (1 .. $count) {
        my $type = one_of(@type_names);
        $type = one_of(@type_names) if ($types{$type}{rare} || $wide) && maybe(0.8);
        $type = 'int4' if ($wide || $big) && ($type =~ /long|huge/ || grep { /\d{3}\)/ } @{ $types{$type}{values} });
        push @columns, { name => "c$i", type => $type };
    }
    $s{columns} = \@columns;
    $s{composite} = grep { $types{ $_->{type} }{composite} } @columns;
    $s{unique} = maybe(0.6);
    my $sql = "CREATE TABLE $s{source} (gone text, id int, k2 int, "
      . join(', ', map { "$_->{name} $_->{type}" } @columns) . ");\n";
    $sql .= "ALTER TABLE $s{source} DROP COLUMN gone;\n" if maybe(0.5);
    for my $column (grep { $_->{type} =~ /text|bytea|json/ && $_->{type} !~ /label/ } @columns) {
        $sql .= "ALTER TABLE $s{source} ALTER $column->{name} SET STORAGE " . one_of(qw(EXTERNAL MAIN EXTENDED)) . ";\n"
          if maybe(0.3);
        $sql .= "ALTER TABLE $s{source} ALTER $column->{name} SET COMPRESSION lz4;\n" if $has_lz4 && maybe(0.2);
    }
    $s{next_id} = 1;
    $s{sql} = $sql;
    $s{sql} .= insert_rows(\%s, $big ? 5000 : one_of(0, 1, 3, 20, 60, 1500, 1500)) unless maybe(0.1);
    if (maybe(0.3)) {    # rows that are shorter than the table's definition
        my $type = one_of(grep { !$types{$_}{rare} && !/long/ } @type_names);
        my $default = maybe(0.5) ? ' DEFAULT (' . literal($type) . ')' : '';
        $s{sql} .= "ALTER TABLE $s{source} ADD added $type$default;\n";
        push @columns, { name => 'added', type => $type };
        $s{composite} ||= $types{$type}{composite};
        $s{sql} .= insert_rows(\%s, 3);
    }
    add_view(\%s);
    return \%s;
}

sub insert_rows {
    my ($s, $rows) = @_;
    return '' unless $rows;
    my $first = $s->{next_id};
    $s->{next_id} += $rows;
    $rows = 5 if $rows > 5 && grep { $types{ $_->{type} }{rare} } @{ $s->{columns} };
    my @names = map { $_->{name} } @{ $s->{columns} };
    my $id = $s->{unique} ? 'g' : one_of('g', 'g % 3', 'NULL');
    return "INSERT INTO $s->{source} (id, k2, " . join(', ', @names) . ") SELECT $id, g, "
      . join(', ', map { any_literal($_) } @{ $s->{columns} })
      . " FROM generate_series($first, $first + $rows - 1) AS g;\n";
}

# Some of them are computed, so that the view stores what the query gives in another form.
sub column_of {
    my ($column) = @_;
    my ($name, $type) = @$column{qw(name type)};
    return "$name || '' AS $name" if $type =~ /^(text( \/.*)?|varchar)$/ && maybe(0.4);
    return "$name || '\\x'::bytea AS $name" if $type =~ /^bytea/ && maybe(0.4);
    return "$name || '{}'::$type AS $name" if $type =~ /^(int4|text|numeric)\[\]$/ && maybe(0.4);
    return "$name + 0 AS $name" if $type =~ /^(int8|numeric)$/ && maybe(0.2);
    return $name;
}

sub add_view {
    my ($s) = @_;
    my $v = "p.v$number";
    my @columns = @{ $s->{columns} };
    my $list = join ', ', 'id', 'k2', map { column_of($_) } @columns;
    my $plain = join ', ', 'id', 'k2', map { $_->{name} } @columns;
    my $kind = one_of(qw(star list list list where order self union cte values whole no_key function));
    $kind = 'list' if @columns > 50 && $kind eq 'self';
    my $definition = {
        star => "SELECT * FROM $s->{source}",
        list => "SELECT $list FROM $s->{source}",
        where => "SELECT $list FROM $s->{source} WHERE k2 % 3 <> 1",
        order => "SELECT $list FROM $s->{source} ORDER BY k2 DESC NULLS LAST, id",
        self => "SELECT a.id, a.k2, " . join(', ', map { "b.$_->{name}" } @columns)
          . " FROM $s->{source} AS a LEFT JOIN $s->{source} AS b ON a.k2 = b.k2 - 1",
        union => "SELECT $plain FROM $s->{source} WHERE k2 < 10 UNION ALL SELECT $plain FROM $s->{source} WHERE k2 >= 10",
        cte => "WITH w AS MATERIALIZED (SELECT $list FROM $s->{source}) SELECT * FROM w",
        values => "SELECT $plain FROM $s->{source} WHERE false",
        whole => "SELECT id, k2, " . join(', ', map { $_->{name} } @columns) . ", s AS w FROM $s->{source} AS s",
        no_key => 'SELECT ' . join(', ', map { $_->{name} } @columns) . " FROM $s->{source}",
        function => "SELECT $plain FROM p.f$number()",
    }->{$kind};
    $s->{composite} = 1 if $kind eq 'whole';
    $s->{sql} .= "CREATE FUNCTION p.f$number() RETURNS SETOF $s->{source} LANGUAGE plpgsql AS"
      . " 'BEGIN RETURN QUERY SELECT * FROM $s->{source}; END';\n"
      if $kind eq 'function';
    my $has_key = $kind ne 'no_key';
    my $unique = $s->{unique} && $has_key && $kind ne 'self';
    $s->{empty} = $kind eq 'values';
    $s->{concurrent} = $unique && maybe(0.8);
    my @indexes;
    push @indexes, "CREATE UNIQUE INDEX v${number}_id ON $v USING btree (id)" if $s->{concurrent};
    push @indexes, "CREATE UNIQUE INDEX v${number}_k2 ON $v USING btree (k2 DESC NULLS LAST) INCLUDE (id) WITH (fillfactor='70')"
      if $unique && maybe(0.6);
    push @indexes, "CREATE UNIQUE INDEX v${number}_upart ON $v USING btree (k2) WHERE (id > 5)" if $unique && maybe(0.2);
    push @indexes, "CREATE UNIQUE INDEX v${number}_uexpr ON $v USING btree (((k2 # 1)))" if $unique && maybe(0.2);
    push @indexes, "CREATE INDEX v${number}_part ON $v USING btree (id, k2) WHERE (k2 > 5)" if $has_key && maybe(0.3);
    push @indexes, "CREATE INDEX v${number}_expr ON $v USING btree (((k2 + 1)), id DESC)" if $has_key && maybe(0.3);
    push @indexes, "CREATE INDEX v${number}_brin ON $v USING brin (k2) WITH (pages_per_range='2')" if $has_key && maybe(0.2);
    for my $column (@columns) {
        my $methods = $types{ $column->{type} }{index} or next;
        next unless maybe(@columns > 20 ? 0.05 : 0.4);
        my $method = one_of(@$methods);
        my ($name, $type) = @$column{qw(name type)};
        # Too long for a btree's row.
        next if $method ne 'hash' && $type =~ /^(numeric|bytea|text\[\])$/ && $method ne 'gin';
        next if $kind eq 'self' && $type =~ /o\.small/;
        push @indexes, "CREATE INDEX v${number}_$name ON $v USING $method ($name)";
    }
    my $list_of_indexes = @indexes ? 'ARRAY[' . join(', ', map { "\$i\$$_\$i\$" } @indexes) . ']' : "'{}'";
    $s->{sql} .= "SELECT count(mv_register('$v', \$q\$$definition\$q\$, indexes => $list_of_indexes));\n"
      . "SELECT count(*) FROM mv_create('$v');\n";
    for my $column (@columns) {
        next unless $column->{type} =~ /text|bytea|jsonb/ && $column->{type} !~ /label|huge/;
        my @storage = $column->{type} =~ /long|\[\]/ || $column->{type} eq 'bytea' ? qw(EXTERNAL MAIN EXTENDED) : qw(PLAIN EXTERNAL MAIN);
        $s->{sql} .= "ALTER MATERIALIZED VIEW $v ALTER $column->{name} SET STORAGE " . one_of(@storage) . ";\n" if maybe(0.25);
        $s->{sql} .= "ALTER MATERIALIZED VIEW $v ALTER $column->{name} SET COMPRESSION lz4;\n"
          if $has_lz4 && maybe(0.2) && $column->{type} !~ /COLLATE/;
    }
    $s->{sql} .= "ALTER MATERIALIZED VIEW $v ALTER id SET STATISTICS 17;\n" if $has_key && maybe(0.2);
    $s->{sql} .= "ALTER MATERIALIZED VIEW $v SET (fillfactor = 40);\n" if maybe(0.2);
    $s->{sql} .= "CREATE STATISTICS p.st$number ON id, k2 FROM $v; ANALYZE $v;\n" if $has_key && maybe(0.2);
    push @{ $s->{views} }, $v;
    return if maybe(0.6);
    # A view above: directly, through a function or through a plain view.
    my $from = one_of($v, "p.above$number", "p.fabove$number()");
    $s->{sql} .= "CREATE VIEW p.above$number AS SELECT * FROM $v;\n" if $from =~ /above/;
    $s->{sql} .= "CREATE FUNCTION p.fabove$number() RETURNS SETOF p.above$number LANGUAGE plpgsql AS"
      . " 'BEGIN RETURN QUERY SELECT * FROM p.above$number; END';\n" if $from =~ /fabove/;
    my $above = "p.w$number";
    my $key = $has_key ? one_of('SELECT * FROM %s', 'SELECT k2, count(*) AS n, count(id) AS m FROM %s GROUP BY k2', 'SELECT t.*, 1 AS one FROM %s AS t')
      : 'SELECT * FROM %s';
    my $text = sprintf $key, $from;
    $s->{sql} .= "SELECT count(mv_register('$above', \$q\$$text\$q\$, depends_on => '{$v}'));\nSELECT count(*) FROM mv_create('$above');\n";
    push @{ $s->{views} }, $above;
}

# Some changes of the source, a statement each.
sub changes {
    my ($s) = @_;
    my $t = $s->{source};
    my @out;
    for (1 .. int rand 4) {
        my $column = one_of(@{ $s->{columns} });
        push @out, "UPDATE $t SET k2 = -k2" if maybe(0.1);
        my $set = "$column->{name} = " . any_literal($column);
        push @out, one_of(
            insert_rows($s, one_of(1, 2, 30)) || (),
            "UPDATE $t SET $set WHERE random() < " . one_of(0.05, 0.3, 1),
            "UPDATE $t SET $column->{name} = $column->{name}",
            "DELETE FROM $t WHERE random() < " . one_of(0.05, 0.3, 0.9),
            "UPDATE $t SET k2 = o.k2 FROM $t AS o WHERE o.k2 = ($t.k2 # 1)",
            $s->{unique} ? () : ("INSERT INTO $t SELECT * FROM $t ORDER BY random() LIMIT 20", "UPDATE $t SET id = 1, k2 = 1"),
            maybe(0.1) ? "TRUNCATE $t" : (),
            maybe(0.2) ? "UPDATE $t SET " . join(', ', map { "$_->{name} = " . literal($_->{type}) } @{ $s->{columns} }) : (),
        );
    }
    return map { s/;\s*$//r } grep { length } @out;
}

my %rounds_of;
my @isolations = ('READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE');

sub one_mode {
    my ($s) = @_;
    my @modes = (qw(swap swap diff diff diff plain auto auto auto));
    push @modes, 'concurrent' if $s->{concurrent};
    return one_of(@modes);
}

# SQL whose every line of output is something wrong.
sub round {
    my ($s) = @_;
    my @views = @{ $s->{views} };
    my $all = array(@views);
    my $image = $s->{composite} ? 'false' : 'true';
    my $sql = '';
    my @changes = maybe(0.2) ? () : changes($s);
    $sql .= "$_;\n" for @changes;
    $sql .= one_of('VACUUM %s', 'VACUUM FREEZE %s', 'ANALYZE %s', 'VACUUM FULL %s', 'REINDEX TABLE %s') =~ s/%s/$views[0]/r . ";\n" if maybe(0.1);
    $sql .= "DELETE FROM mv_orchestrator.learned;\n" if maybe(0.8);
    $sql .= "SELECT FROM o.remember($all);\n";
    my $isolation = one_of(@isolations);
    my $memory = one_of('64kB', '64kB', '100kB', '1MB', '256MB');
    $sql .= "BEGIN ISOLATION LEVEL $isolation;\nSET LOCAL mv_orchestrator.diff_work_mem = '$memory';\n";
    $sql .= "SET LOCAL work_mem = '" . one_of('64kB', '4MB') . "';\n";
    $sql .= "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;\n" if maybe(0.08);
    if ($isolation ne 'READ COMMITTED' && maybe(0.5)) {    # what is committed now is not to be seen
        my @later = grep { !/TRUNCATE/ } changes($s);
        $sql .= "DO 'BEGIN PERFORM 1; END';\nSELECT FROM pg_class LIMIT 1;\n";
        for my $change (@later) {
            $sql .= "SELECT FROM dblink_exec('port=' || current_setting('port') || ' host=' || split_part(current_setting('unix_socket_directories'), ',', 1) || ' dbname=' || current_database(), \$d\$$change\$d\$);\n";
        }
    }
    if (maybe(0.15)) {    # undone first
        $sql .= "SAVEPOINT s;\nSELECT * FROM o.refresh_all($all, '" . one_of(qw(swap diff auto)) . "');\nROLLBACK TO s;\n";
    }
    my $twice = maybe(0.15);
    my $together = maybe(0.5);
    for my $time (0 .. $twice) {
        $sql .= 'SELECT FROM o.remember(' . $all . ");\n" if $time && !$together;
        if ($together) {
            my $mode = one_mode($s);
            $mode = 'swap' if $mode eq 'concurrent' && @views > 1;
            $rounds_of{$mode}++;
            $sql .= "DELETE FROM o.answer; SELECT FROM o.remember($all);\n" if $time;
            $sql .= "SELECT * FROM o.refresh_all($all, '$mode');\n";
        } else {
            for my $view (@views) {
                my $mode = one_mode($s);
                $mode = 'diff' if $mode eq 'concurrent' && $view ne $views[0];
                $rounds_of{$mode}++;
                $sql .= "SELECT * FROM o.refresh('$view', '$mode');\n";
            }
        }
    }
    $sql .= "SELECT * FROM o.wrong_contents('$_', " . ($image) . ");\n" for @views;
    $sql .= "SELECT * FROM o.wrong_answers($image);\n";
    my $end = maybe(0.12) ? 'ROLLBACK' : 'COMMIT';
    $sql .= "$end;\n";
    $sql .= "TRUNCATE o.answer;\n" if $end eq 'ROLLBACK';
    $sql .= "SELECT * FROM o.unsound($all);\n";
    # A second row of a key: an error in both modes, and the old rows stay.
    if ($s->{concurrent} && !$s->{empty} && maybe(0.1)) {
        my $view = $views[0];
        $sql .= "INSERT INTO $s->{source} (id, k2) SELECT -1, -3 FROM generate_series(1, 2);\n"
          . "SELECT FROM o.remember($all);\n"
          . "SELECT * FROM o.refresh_fails('$view', '$_', '23505');\n"
          . "SELECT * FROM (SELECT count(*) FROM (SELECT t FROM o.old WHERE name = '$view' EXCEPT ALL SELECT md5(v::text) FROM $view AS v) AS d) AS n WHERE count > 0;\n"
          . "SELECT * FROM o.unsound($all);\nDELETE FROM $s->{source} WHERE id = -1;\n"
          for one_of(qw(swap diff));
    }
    return $sql;
}

my $done = 0;
my $bad = 0;
my $started = time;
$node->safe_psql('postgres', 'CREATE SCHEMA p');
while ($done < $rounds && $bad < 5) {
    my $s = scenario();
    my ($code, $out, $err) = $node->psql('postgres', "\\set QUIET on\nSET client_min_messages = warning;\n$s->{sql}", on_error_stop => 1);
    if ($code) {
        $bad++;
        fail "scenario $number is made";
        diag "MVO_SEED=$seed\n$s->{sql}\n$err";
        next;
    }
    my $times = 2 + int rand 5;
    my $sql = join '', map { round($s) } 1 .. $times;
    $done += $times;
    ($code, $out, $err) = $node->psql('postgres',
        "\\set QUIET on\n\\pset tuples_only on\nSET client_min_messages = warning;\nSELECT FROM setseed(0." . int(rand 1e6) . ");\n$sql",
        on_error_stop => 1);
    $out =~ s/^(--)?\s*\n//mg;
    $out =~ s/^\s+$//mg;
    if ($code || length $out || $err =~ /WARNING|ERROR|server closed/) {
        $bad++;
        fail "scenario $number, rounds up to $done";
        diag "MVO_SEED=$seed\n$out\n$err";
        my $file = "$PostgreSQL::Test::Utils::tmp_check/oracle_$number.sql";
        append_to_file($file, "$s->{sql}\n-- rounds\n$sql");
        diag "all of it is in $file";
        last if $err =~ /server closed/;
    }
    $node->safe_psql('postgres', "SET client_min_messages = warning; DROP SCHEMA p CASCADE; CREATE SCHEMA p;"
      . " SELECT mv_unregister(name) FROM mv_order();") if $number % 10 == 0;
}
is($bad, 0, "$done rounds in $number scenarios");
note 'by mode: ' . join ', ', map { "$_ $rounds_of{$_}" } sort keys %rounds_of;
my $gave_up = $node->safe_psql('postgres', "SELECT last_value FROM o.gave_up WHERE is_called");
ok($gave_up || $done < 100, 'a diff gave up now and then') and note "gave up: $gave_up";
note 'seconds: ' . (time - $started);

my $log = slurp_file($node->logfile);
unlike($log, qr/^.*(WARNING|PANIC|TRAP|leak|still active|terminated by signal).*$/m, 'nothing odd in the log');
$node->stop;
done_testing();
