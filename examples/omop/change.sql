-- One more day at the clinic, dated as_of (today when not set): about one fact in
-- a hundred is new or different afterwards.  Run again, it adds other changes.

\if :{?as_of}
\else
    SELECT CURRENT_DATE AS as_of \gset
\endif

BEGIN;

CREATE OR REPLACE FUNCTION pg_temp.u(key bigint, stream bigint) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
    SELECT (hashint8extended(key, stream) & 2147483647) / 2147483648.0::float8
$$;

-- Where the ids go on from; also makes a second run different from the first.
SELECT max(visit_occurrence_id) AS last_visit FROM cdm.visit_occurrence \gset
SELECT max(condition_occurrence_id) AS last_condition FROM cdm.condition_occurrence \gset
SELECT max(drug_exposure_id) AS last_drug FROM cdm.drug_exposure \gset
SELECT max(measurement_id) AS last_measurement FROM cdm.measurement \gset
SELECT max(observation_id) AS last_observation FROM cdm.observation \gset

-- One adult in ten comes in.  What is recorded is like what was recorded before:
-- each new fact takes its concept and value from an older one, of any patient.
INSERT INTO cdm.visit_occurrence
SELECT :last_visit + row_number() OVER (ORDER BY person_id), person_id, kind, DATE :'as_of', DATE :'as_of' + interval '9 hours',
       DATE :'as_of', DATE :'as_of' + interval '10 hours', 32817, 'day of change'
FROM (SELECT person_id, CASE WHEN pg_temp.u(person_id, :last_visit + 1) < 0.1 THEN 9201 ELSE 9202 END AS kind
      FROM cdm.person
      WHERE year_of_birth <= extract(year FROM DATE :'as_of') - 40
        AND pg_temp.u(person_id, :last_visit) < 0.1) AS comes;

CREATE TEMP VIEW today AS
SELECT visit_occurrence_id, person_id FROM cdm.visit_occurrence WHERE visit_occurrence_id > :last_visit;

INSERT INTO cdm.condition_occurrence
SELECT :last_condition + row_number() OVER (ORDER BY t.visit_occurrence_id), t.person_id,
       c.condition_concept_id, DATE :'as_of', NULL, NULL, 32817, NULL, t.visit_occurrence_id, c.condition_source_value
FROM today t
JOIN cdm.condition_occurrence c
  ON c.condition_occurrence_id = 1 + floor(:last_condition * pg_temp.u(t.visit_occurrence_id, 81))::int
WHERE pg_temp.u(t.visit_occurrence_id, 80) < 0.6;

INSERT INTO cdm.drug_exposure
SELECT :last_drug + row_number() OVER (ORDER BY t.visit_occurrence_id), t.person_id, d.drug_concept_id,
       DATE :'as_of', NULL, DATE :'as_of' + d.days_supply - 1, NULL, 32817, NULL, d.refills, d.quantity, d.days_supply,
       t.visit_occurrence_id, d.drug_source_value
FROM today t
JOIN cdm.drug_exposure d ON d.drug_exposure_id = 1 + floor(:last_drug * pg_temp.u(t.visit_occurrence_id, 83))::int
WHERE pg_temp.u(t.visit_occurrence_id, 82) < 0.5;

INSERT INTO cdm.measurement
SELECT :last_measurement + row_number() OVER (ORDER BY t.visit_occurrence_id, m.measurement_id), t.person_id, m.measurement_concept_id,
       DATE :'as_of', NULL, 32817, NULL, m.value_as_number, NULL, NULL, m.range_low, m.range_high,
       t.visit_occurrence_id, m.measurement_source_value, m.unit_source_value
FROM today t, generate_series(1, 2) AS n, cdm.measurement m
WHERE m.measurement_id = 1 + floor(:last_measurement * pg_temp.u(t.visit_occurrence_id * 4::bigint + n, 84))::int;

INSERT INTO cdm.observation
SELECT :last_observation + row_number() OVER (ORDER BY t.visit_occurrence_id, o.observation_id), t.person_id, o.observation_concept_id,
       DATE :'as_of', NULL, 32817, o.value_as_number, o.value_as_string, NULL, t.visit_occurrence_id, o.observation_source_value
FROM today t, generate_series(1, 3) AS n, cdm.observation o
WHERE o.observation_id = 1 + floor(:last_observation * pg_temp.u(t.visit_occurrence_id * 4::bigint + n, 85))::int;

-- The laboratory corrects a batch of HbA1c: read a tenth too high last quarter.
UPDATE cdm.measurement
SET value_as_number = round(value_as_number * 0.91, 1)
WHERE measurement_concept_id = 2000030107
  AND measurement_date BETWEEN DATE :'as_of' - 90 AND DATE :'as_of' - 1;

-- Diagnoses entered for the wrong patient are taken out.
DELETE FROM cdm.condition_occurrence
WHERE condition_occurrence_id <= :last_condition
  AND pg_temp.u(condition_occurrence_id, :last_visit + 2) < 0.003;

-- Two records turn out to be one patient: the newer one goes into the older.
SELECT max(person_id) AS double, max(person_id) - 1 AS kept FROM cdm.person \gset
UPDATE cdm.visit_occurrence SET person_id = :kept WHERE person_id = :double;
UPDATE cdm.condition_occurrence SET person_id = :kept WHERE person_id = :double;
UPDATE cdm.drug_exposure SET person_id = :kept WHERE person_id = :double;
UPDATE cdm.procedure_occurrence SET person_id = :kept WHERE person_id = :double;
UPDATE cdm.measurement SET person_id = :kept WHERE person_id = :double;
UPDATE cdm.observation SET person_id = :kept WHERE person_id = :double;
DELETE FROM cdm.person WHERE person_id = :double;

DROP VIEW today;
DROP FUNCTION pg_temp.u(bigint, bigint);

COMMIT;
