-- Fifteen materialized views as analysts build them on the OMOP tables, in no
-- order at all: registration does not need one.  Each is stored with the
-- search_path of this moment, so cdm tables may be named without their schema.

SET search_path = omop, cdm, public;

-- level 3 ------------------------------------------------------------------

SELECT mv_register('heart_failure_cohort', $$
    -- Heart failure, a diuretic at some time, and a hospital stay since the diagnosis.
    SELECT d.person_id,
           d.first_date AS diagnosis_date,
           min(s.stay_start) AS index_date,
           count(DISTINCT s.stay_start) AS stays,
           bool_or(s.readmission) AS readmitted
    FROM first_diagnosis d
    JOIN hospital_stays s ON s.person_id = d.person_id AND s.stay_end >= d.first_date
    WHERE d.diagnosis = 'heart failure'
      AND EXISTS (SELECT FROM drug_eras e
                  WHERE e.person_id = d.person_id
                    AND e.ingredient IN ('furosemide', 'torasemide', 'bumetanide'))
    GROUP BY d.person_id, d.first_date
    $$,
    depends_on => ARRAY['drug_eras', 'first_diagnosis', 'hospital_stays'],
    unique_key => ARRAY['person_id'],
    options => '{"comment": "Heart failure with a diuretic and a hospital stay; index date: first stay"}');

-- level 1 ------------------------------------------------------------------

SELECT mv_register('recent_observations', $$
    SELECT o.observation_id, o.person_id, o.observation_date, o.observation_concept_id,
           c.concept_name, c.concept_code, o.value_as_number, o.value_as_string
    FROM observation o
    JOIN concept c ON c.concept_id = o.observation_concept_id
    WHERE o.observation_date >= CURRENT_DATE - INTERVAL '30 days'
    $$,
    unique_key => ARRAY['observation_id'],
    indexes => ARRAY['CREATE INDEX recent_observations_by_person ON omop.recent_observations USING btree (person_id, observation_date DESC)'],
    options => '{"comment": "Observations of the last thirty days with their names"}');

-- level 5 ------------------------------------------------------------------

SELECT mv_register('reporting.cohort_summary', $$
    WITH stays AS (
        SELECT m.cohort, m.person_id, count(*) AS stays, count(*) FILTER (WHERE s.readmission) AS readmissions
        FROM cohort_members m
        JOIN hospital_stays s ON s.person_id = m.person_id
                             AND s.stay_start BETWEEN m.index_date AND m.index_date + 365
        GROUP BY m.cohort, m.person_id
    ), pain AS (
        SELECT person_id, score FROM patient_reported WHERE concept_name LIKE 'Pain%'
    )
    SELECT m.cohort,
           count(*) AS members,
           round(100.0 * count(*) FILTER (WHERE m.sex = 'F') / count(*), 1) AS percent_female,
           round(avg(m.age_at_index), 1) AS mean_age,
           count(*) FILTER (WHERE m.index_date > CURRENT_DATE - INTERVAL '1 year') AS new_this_year,
           coalesce(sum(s.stays), 0) AS stays_first_year,
           coalesce(sum(s.readmissions), 0) AS readmissions,
           round(avg(p.score), 2) AS recent_pain
    FROM cohort_members m
    LEFT JOIN stays s ON s.cohort = m.cohort AND s.person_id = m.person_id
    LEFT JOIN pain p ON p.person_id = m.person_id
    GROUP BY m.cohort
    $$,
    depends_on => ARRAY['cohort_members', 'hospital_stays', 'patient_reported'],
    unique_key => ARRAY['cohort'],
    options => '{"comment": "One row for each cohort"}');

-- level 2 ------------------------------------------------------------------

SELECT mv_register('treatment_episodes', $$
    -- Time under treatment with one group of drugs; more than sixty days
    -- without supply start a new episode.
    WITH fills AS (
        SELECT de.drug_exposure_id, de.person_id, g.group_name,
               de.drug_exposure_start_date AS start_date, de.drug_exposure_end_date AS end_date, de.days_supply,
               max(de.drug_exposure_end_date) OVER earlier AS covered_until
        FROM drug_exposure de
        JOIN concept_groups g ON g.concept_id = de.drug_concept_id
        WHERE g.domain_id = 'Drug'
        WINDOW earlier AS (PARTITION BY de.person_id, g.group_name
                           ORDER BY de.drug_exposure_start_date, de.drug_exposure_id
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE covered_until IS NULL OR start_date > covered_until + 60)
                      OVER (PARTITION BY person_id, group_name ORDER BY start_date, drug_exposure_id) AS episode
        FROM fills
    )
    SELECT person_id, group_name, episode,
           min(start_date) AS episode_start,
           max(end_date) AS episode_end,
           count(*) AS fills,
           sum(days_supply) AS days_supplied
    FROM numbered
    GROUP BY person_id, group_name, episode
    $$,
    depends_on => ARRAY['concept_groups'],
    unique_key => ARRAY['person_id', 'group_name', 'episode'],
    indexes => ARRAY['CREATE INDEX treatment_episodes_by_group ON omop.treatment_episodes USING btree (group_name, episode_start) INCLUDE (person_id)'],
    options => '{"comment": "Time under treatment by drug group, gaps up to sixty days bridged", "with": {"fillfactor": 90}}');

-- level 4 ------------------------------------------------------------------

SELECT mv_register('cohort_members', $$
    WITH member (cohort, person_id, index_date) AS (
        SELECT 'diabetes, treated', person_id, index_date FROM diabetes_cohort
        UNION ALL
        SELECT 'heart failure, admitted', person_id, index_date FROM heart_failure_cohort
        UNION ALL
        SELECT 'hypertension, untreated', person_id, index_date FROM untreated_hypertension
    )
    SELECT m.cohort, m.person_id, m.index_date,
           p."Sex" AS sex,
           extract(year FROM m.index_date)::int - p."Birth Year" AS age_at_index,
           row_number() OVER (PARTITION BY m.cohort ORDER BY m.index_date, m.person_id) AS entry_number
    FROM member m
    JOIN "Person Summary" p ON p."Person Id" = m.person_id
    $$,
    depends_on => ARRAY['diabetes_cohort', 'heart_failure_cohort', 'untreated_hypertension', '"Person Summary"'],
    unique_key => ARRAY['cohort', 'person_id'],
    indexes => ARRAY['CREATE INDEX cohort_members_by_person ON omop.cohort_members USING btree (person_id)']);

-- level 1 ------------------------------------------------------------------

SELECT mv_register('"Person Summary"', $$
    SELECT p.person_id AS "Person Id",
           p.gender_source_value AS "Sex",
           p.year_of_birth AS "Birth Year",
           extract(year FROM CURRENT_DATE)::int - p.year_of_birth AS "Age",
           coalesce(v.visits, 0) AS "Visits",
           coalesce(o.procedures, 0) AS "Procedures",
           v.first_visit AS "First Contact",
           v.last_visit AS "Last Contact"
    FROM person p
    LEFT JOIN (SELECT person_id, count(*) AS visits, min(visit_start_date) AS first_visit, max(visit_end_date) AS last_visit
               FROM visit_occurrence
               GROUP BY person_id) v USING (person_id)
    LEFT JOIN (SELECT person_id, count(*) AS procedures
               FROM procedure_occurrence
               GROUP BY person_id) o USING (person_id)
    $$,
    unique_key => ARRAY['"Person Id"'],
    indexes => ARRAY['CREATE INDEX "Person Summary by contact" ON omop."Person Summary" USING btree ("Last Contact" DESC NULLS LAST)'],
    options => '{"comment": "Every patient: sex, age and use of care"}');

-- level 3 ------------------------------------------------------------------

SELECT mv_register('untreated_hypertension', $$
    -- Who has the diagnosis, less those who ever had a blood pressure drug.
    SELECT person_id, first_date AS index_date
    FROM first_diagnosis
    WHERE diagnosis = 'hypertension'
    EXCEPT ALL
    SELECT d.person_id, d.first_date
    FROM first_diagnosis d
    JOIN treatment_episodes e ON e.person_id = d.person_id
    WHERE d.diagnosis = 'hypertension'
      AND e.group_name = 'blood pressure drugs'
    $$,
    depends_on => ARRAY['first_diagnosis', 'treatment_episodes'],
    unique_key => ARRAY['person_id']);

-- level 1 ------------------------------------------------------------------

SELECT mv_register('latest_labs', $$
    -- The newest value of each laboratory test (vital signs are left out).
    SELECT DISTINCT ON (m.person_id, m.measurement_concept_id)
           m.person_id, m.measurement_concept_id, c.concept_name,
           m.measurement_date, m.value_as_number, m.unit_source_value,
           CASE WHEN m.value_as_number < m.range_low THEN 'low'
                WHEN m.value_as_number > m.range_high THEN 'high'
                ELSE 'normal' END AS flag
    FROM measurement m
    JOIN concept c ON c.concept_id = m.measurement_concept_id
    WHERE m.measurement_concept_id IN (
              2000030105, 2000030107, 2000030108, 2000030109, 2000030110, 2000030120, 2000030121, 2000030125, 2000030130,
              2000030206, 2000030211, 2000030212, 2000030226, 2000030228, 2000030229,
              2000030313, 2000030314, 2000030315, 2000030327,
              2000030418, 2000030419, 2000030422, 2000030423, 2000030424)
      AND m.value_as_number IS NOT NULL
    ORDER BY m.person_id, m.measurement_concept_id, m.measurement_date DESC, m.measurement_id DESC
    $$,
    unique_key => ARRAY['person_id', 'measurement_concept_id'],
    indexes => ARRAY['CREATE INDEX latest_labs_abnormal ON omop.latest_labs USING btree (measurement_concept_id, value_as_number) WHERE (flag <> ''normal''::text)'],
    options => '{"comment": "Newest result of each laboratory test for each patient"}');

-- level 2 ------------------------------------------------------------------

SELECT mv_register('patient_reported', $$
    -- The newest answer to each question asked of the patient (codes p...),
    -- and the change since the first answer of the month.
    WITH answered AS (
        SELECT r.person_id, r.observation_concept_id, r.concept_name, r.observation_date, r.value_as_number,
               first_value(r.value_as_number) OVER asked AS first_score,
               count(*) OVER (PARTITION BY r.person_id, r.observation_concept_id) AS answers,
               row_number() OVER (PARTITION BY r.person_id, r.observation_concept_id
                                  ORDER BY r.observation_date DESC, r.observation_id DESC) AS newest
        FROM recent_observations r
        WHERE r.concept_code LIKE 'p%'
        WINDOW asked AS (PARTITION BY r.person_id, r.observation_concept_id
                         ORDER BY r.observation_date, r.observation_id)
    )
    SELECT a.person_id, p."Age" AS age, a.observation_concept_id, a.concept_name, a.observation_date,
           a.value_as_number AS score, a.value_as_number - a.first_score AS change, a.answers
    FROM answered a
    JOIN "Person Summary" p ON p."Person Id" = a.person_id
    WHERE a.newest = 1
    $$,
    depends_on => ARRAY['"Person Summary"', 'recent_observations'],
    unique_key => ARRAY['person_id', 'observation_concept_id']);

-- level 3 ------------------------------------------------------------------

SELECT mv_register('diabetes_cohort', $$
    -- Type 2 diabetes, on glucose lowering drugs within a year of the diagnosis.
    WITH first_treatment AS (
        SELECT d.person_id, d.first_date, min(e.episode_start) AS treated_from
        FROM first_diagnosis d
        JOIN treatment_episodes e ON e.person_id = d.person_id
                                 AND e.group_name = 'glucose lowering drugs'
                                 AND e.episode_start BETWEEN d.first_date - 30 AND d.first_date + 365
        WHERE d.diagnosis = 'type 2 diabetes'
        GROUP BY d.person_id, d.first_date
    )
    SELECT t.person_id, t.treated_from AS index_date,
           l.value_as_number AS latest_hba1c,
           coalesce(l.value_as_number, 0) >= 8 AS poor_control,
           EXISTS (SELECT FROM first_diagnosis k
                   WHERE k.person_id = t.person_id
                     AND k.diagnosis = 'chronic kidney disease') AS kidney_disease
    FROM first_treatment t
    LEFT JOIN latest_labs l ON l.person_id = t.person_id AND l.measurement_concept_id = 2000030107
    $$,
    depends_on => ARRAY['treatment_episodes', 'latest_labs', 'first_diagnosis'],
    unique_key => ARRAY['person_id'],
    options => '{"comment": "Type 2 diabetes under drug treatment; index date: start of treatment"}');

-- level 1 ------------------------------------------------------------------

SELECT mv_register('drug_eras', $$
    -- Time on one ingredient; up to thirty days without supply are bridged.
    WITH taken AS (
        SELECT de.person_id, ca.ancestor_concept_id AS ingredient_concept_id,
               de.drug_exposure_start_date AS start_date, de.drug_exposure_end_date AS end_date
        FROM drug_exposure de
        JOIN concept_ancestor ca ON ca.descendant_concept_id = de.drug_concept_id
        JOIN concept i ON i.concept_id = ca.ancestor_concept_id AND i.concept_class_id = 'Ingredient'
    ), era AS (
        SELECT person_id, ingredient_concept_id,
               unnest(range_agg(daterange(start_date, end_date + 31))) AS days
        FROM taken
        GROUP BY person_id, ingredient_concept_id
    )
    SELECT e.person_id, e.ingredient_concept_id, c.concept_name AS ingredient,
           lower(e.days) AS era_start_date,
           upper(e.days) - 31 AS era_end_date,
           count(*) AS exposures,
           upper(e.days) - 30 - lower(e.days)
               - least(sum(t.end_date - t.start_date + 1), upper(e.days) - 30 - lower(e.days)) AS gap_days
    FROM era e
    JOIN taken t ON t.person_id = e.person_id
                AND t.ingredient_concept_id = e.ingredient_concept_id
                AND t.start_date <@ e.days
    JOIN concept c ON c.concept_id = e.ingredient_concept_id
    GROUP BY e.person_id, e.ingredient_concept_id, c.concept_name, e.days
    $$,
    unique_key => ARRAY['person_id', 'ingredient_concept_id', 'era_start_date'],
    indexes => ARRAY['CREATE INDEX drug_eras_by_ingredient ON omop.drug_eras USING btree (ingredient, era_start_date)',
                     'CREATE INDEX drug_eras_by_year ON omop.drug_eras USING btree (EXTRACT(year FROM era_start_date))'],
    options => '{"comment": "Time on one ingredient, gaps up to thirty days bridged", "with": {"fillfactor": 90}}');

SELECT mv_register('daily_observation_counts', $$
    WITH counted AS (
        SELECT o.observation_date AS day, o.observation_concept_id, count(*) AS observations, count(DISTINCT o.person_id) AS persons
        FROM observation o
        GROUP BY o.observation_date, o.observation_concept_id
    )
    SELECT row_number() OVER (ORDER BY day, observation_concept_id) AS row_id,
           day, observation_concept_id, observations, persons,
           round(avg(observations) OVER (PARTITION BY observation_concept_id ORDER BY day
                                         RANGE BETWEEN INTERVAL '27 days' PRECEDING AND CURRENT ROW), 2) AS mean_of_28_days
    FROM counted
    $$,
    unique_key => ARRAY['row_id'],
    indexes => ARRAY['CREATE INDEX daily_observation_counts_by_day ON omop.daily_observation_counts USING btree (day)']);

-- level 2 ------------------------------------------------------------------

SELECT mv_register('first_diagnosis', $$
    SELECT DISTINCT ON (co.person_id, g.group_name)
           co.person_id, g.group_name AS diagnosis,
           co.condition_start_date AS first_date, co.condition_concept_id, co.visit_occurrence_id
    FROM condition_occurrence co
    JOIN concept_groups g ON g.concept_id = co.condition_concept_id
    WHERE g.domain_id = 'Condition'
    ORDER BY co.person_id, g.group_name, co.condition_start_date, co.condition_occurrence_id
    $$,
    depends_on => ARRAY['concept_groups'],
    unique_key => ARRAY['person_id', 'diagnosis'],
    indexes => ARRAY['CREATE INDEX first_diagnosis_by_diagnosis ON omop.first_diagnosis USING btree (diagnosis, first_date)'],
    options => '{"comment": "When each patient first had each disease of interest"}');

-- level 1 ------------------------------------------------------------------

SELECT mv_register('hospital_stays', $$
    -- Inpatient visits that overlap or follow on the next day are one stay;
    -- one within thirty days of the last discharge is a readmission.
    WITH inpatient AS (
        SELECT visit_occurrence_id, person_id, visit_start_date, visit_end_date,
               max(visit_end_date) OVER (PARTITION BY person_id ORDER BY visit_start_date, visit_occurrence_id
                                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier_end
        FROM visit_occurrence
        WHERE visit_concept_id = 9201
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE earlier_end IS NULL OR visit_start_date > earlier_end + 1)
                      OVER (PARTITION BY person_id ORDER BY visit_start_date, visit_occurrence_id) AS stay
        FROM inpatient
    ), stays AS (
        SELECT person_id, min(visit_start_date) AS stay_start, max(visit_end_date) AS stay_end, count(*) AS visits
        FROM numbered
        GROUP BY person_id, stay
    )
    SELECT person_id, stay_start, stay_end, visits,
           stay_end - stay_start AS nights,
           coalesce(stay_start - lag(stay_end) OVER w <= 30, false) AS readmission
    FROM stays
    WINDOW w AS (PARTITION BY person_id ORDER BY stay_start)
    $$,
    unique_key => ARRAY['person_id', 'stay_start'],
    options => '{"comment": "Hospital stays, transfers joined, readmissions marked"}');

SELECT mv_register('concept_groups', $$
    -- What the other views mean by a disease or a group of drugs: one or more
    -- concepts and everything below them.
    WITH wanted (group_name, ancestor_concept_id) AS (
        VALUES ('hypertension', 2000010110),
               ('type 2 diabetes', 2000010140),
               ('heart failure', 2000010210),
               ('chronic kidney disease', 2000010290),
               ('chronic lung disease', 2000010190),
               ('chronic lung disease', 2000010270),
               ('glucose lowering drugs', 2000020200),
               ('blood pressure drugs', 2000020100),
               ('blood pressure drugs', 2000020800),
               ('blood pressure drugs', 2000021200),
               ('statins', 2000020300),
               ('anticoagulants', 2000021100)
    )
    SELECT DISTINCT w.group_name, c.concept_id, c.concept_name, c.domain_id
    FROM wanted w
    JOIN concept_ancestor ca ON ca.ancestor_concept_id = w.ancestor_concept_id
    JOIN concept c ON c.concept_id = ca.descendant_concept_id
    $$,
    unique_key => ARRAY['group_name', 'concept_id'],
    indexes => ARRAY['CREATE INDEX concept_groups_by_concept ON omop.concept_groups USING btree (concept_id)']);

RESET search_path;
