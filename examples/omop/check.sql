-- Does every view hold what its query gives now?  Uses only the server's own
-- catalogs, nothing of the extension.  missing: rows that the query gives and
-- the view lacks; extra: rows that the view holds beyond them.  Zeros all the way up
-- mean that the whole graph is right, since each level is compared on the last.

CREATE OR REPLACE FUNCTION pg_temp.compare_views() RETURNS TABLE ("view" text, missing bigint, extra bigint)
LANGUAGE plpgsql AS $$
DECLARE
    query text;
BEGIN
    FOR "view", query IN
        SELECT format('%I.%I', schemaname, matviewname), rtrim(definition, ';')
        FROM pg_matviews
        WHERE schemaname IN ('omop', 'reporting')
        ORDER BY 1
    LOOP
        EXECUTE format('SELECT count(*) FROM ((%s) EXCEPT ALL TABLE %s) AS d', query, "view") INTO missing;
        EXECUTE format('SELECT count(*) FROM (TABLE %s EXCEPT ALL (%s)) AS d', "view", query) INTO extra;
        RETURN NEXT;
    END LOOP;
END
$$;

BEGIN ISOLATION LEVEL REPEATABLE READ;

CREATE TEMP TABLE difference ON COMMIT DROP AS SELECT * FROM pg_temp.compare_views();

TABLE difference;

DO $$
BEGIN
    IF (SELECT count(*) FROM difference) <> 15 THEN
        RAISE 'expected fifteen views, found %', (SELECT count(*) FROM difference);
    ELSIF EXISTS (SELECT FROM difference WHERE missing + extra <> 0) THEN
        RAISE 'not every view holds what its query gives';
    END IF;
END
$$;

COMMIT;

DROP FUNCTION pg_temp.compare_views();
