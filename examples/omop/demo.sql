-- From nothing to refreshed, in a database without the schemas cdm, omop and
-- reporting:  psql -X -f demo.sql [-v patients=2000]

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
SET client_min_messages = warning;

\echo
\echo '== 1. The extension, the clinical tables, synthetic patients'
\echo
CREATE EXTENSION mv_orchestrator;
\ir schema.sql
\ir data.sql
SELECT (SELECT count(*) FROM cdm.person) AS patients,
       (SELECT count(*) FROM cdm.visit_occurrence) AS visits,
       (SELECT count(*) FROM cdm.condition_occurrence) AS conditions,
       (SELECT count(*) FROM cdm.drug_exposure) AS drugs,
       (SELECT count(*) FROM cdm.procedure_occurrence) AS procedures,
       (SELECT count(*) FROM cdm.measurement) AS measurements,
       (SELECT count(*) FROM cdm.observation) AS observations;

\echo '== 2. Fifteen views are registered, in no particular order'
\echo
\o /dev/null
\ir views.sql
\o
\echo '   This is the order that their dependencies ask for:'
\echo
SELECT * FROM mv_order();

\echo '== 3. One call creates them all, with their indexes'
\echo
SELECT * FROM mv_create_all();

\echo '== 4. The cohorts at the end of the day'
\echo
SELECT cohort, members, percent_female, mean_age, new_this_year, stays_first_year, readmissions, recent_pain
FROM reporting.cohort_summary
ORDER BY cohort;

\echo '== 5. Another day: new visits, corrected results, two records merged'
\echo
\ir change.sql

\echo '== 6. One call refreshes the graph, from one snapshot'
\echo
SELECT step, name, status, mode, rows, elapsed FROM mv_refresh_all();

\echo '== 7. The cohorts afterwards'
\echo
SELECT cohort, members, percent_female, mean_age, new_this_year, stays_first_year, readmissions, recent_pain
FROM reporting.cohort_summary
ORDER BY cohort;

\echo '== 8. Every view compared with its query, both ways'
\echo
\ir check.sql
