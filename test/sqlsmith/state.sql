-- What a rolled back transaction must leave as it was: the registry, and what relations there are.
SELECT * FROM mv_orchestrator.registry ORDER BY 1, 2;
SELECT * FROM mv_orchestrator.dependency ORDER BY 1, 2, 3;
SELECT format('%I.%I %s %I', n.nspname, relname, relkind, relowner::regrole) COLLATE "C" AS relation
FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY relation;
