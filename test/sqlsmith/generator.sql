-- The database that sqlsmith looks at, a copy of the one in which its queries run, with its
-- operators for geometry, ranges and pseudo-types gone: it does not know how to use them, and most
-- queries would be refused for one.
\set ON_ERROR_STOP on

SET allow_system_table_mods = on;
DELETE FROM pg_operator
WHERE EXISTS (SELECT FROM pg_type AS t WHERE t.typcategory IN ('G', 'P', 'R') AND t.oid IN (oprleft, oprright, oprresult));
