-- Synthetic patients.  Every "random" choice is a hash of a row's own keys, so
-- the same two settings always give the same rows:
--   patients  how many (10000)
--   as_of     the day after the last recorded fact (today)
-- Some views look back from CURRENT_DATE; with an older as_of they find nothing.

\if :{?patients}
\else
    \set patients 10000
\endif
\if :{?as_of}
\else
    SELECT CURRENT_DATE AS as_of \gset
\endif

BEGIN;

-- A number in [0, 1) from a key and a stream number.
CREATE OR REPLACE FUNCTION pg_temp.u(key bigint, stream bigint) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
    SELECT (hashint8extended(key, stream) & 2147483647) / 2147483648.0::float8
$$;

-- A rank in 1..n, Zipf-like: rank 1 most often, each doubling of the rank as
-- likely as the one before.
CREATE OR REPLACE FUNCTION pg_temp.zipf(n bigint, key bigint, stream bigint) RETURNS int
LANGUAGE sql IMMUTABLE AS $$
    SELECT least(n, floor(power((n + 1)::float8, pg_temp.u(key, stream)))::bigint)::int
$$;

-- Vocabulary ---------------------------------------------------------------
-- Concept ids above two thousand million are a site's own in OMOP; only the
-- ids that every site uses (sex, kind of visit, EHR as origin) are the real ones.

-- Most frequent disease first; drugs: the classes that treat it.
CREATE TEMP TABLE disease ON COMMIT DROP AS
SELECT row_number() OVER ()::int AS rank, v.* FROM (VALUES
    (1, 'Essential hypertension', 30, '{1,12}'::int[]),
    (2, 'Hyperlipidemia', 30, '{3}'),
    (3, 'Upper respiratory infection', 0, NULL),
    (2, 'Type 2 diabetes mellitus', 25, '{2}'),
    (4, 'Low back pain', 15, '{7}'),
    (5, 'Depressive disorder', 14, '{5}'),
    (5, 'Anxiety disorder', 12, '{5}'),
    (7, 'Gastro-esophageal reflux disease', 18, '{6}'),
    (3, 'Asthma', 3, '{9}'),
    (4, 'Osteoarthritis', 45, '{7}'),
    (1, 'Heart failure', 45, '{8,1}'),
    (6, 'Urinary tract infection', 0, '{4}'),
    (2, 'Hypothyroidism', 20, '{10}'),
    (8, 'Eczema', 0, NULL),
    (1, 'Coronary artery disease', 40, '{3,1}'),
    (2, 'Obesity', 10, NULL),
    (3, 'Chronic obstructive lung disease', 40, '{9}'),
    (1, 'Atrial fibrillation', 50, '{11}'),
    (6, 'Chronic kidney disease', 40, '{1}'),
    (3, 'Acute bronchitis', 0, '{4}'),
    (9, 'Migraine', 10, '{7}'),
    (10, 'Iron deficiency anemia', 5, NULL),
    (5, 'Insomnia', 18, NULL),
    (7, 'Constipation', 0, NULL),
    (8, 'Psoriasis', 10, NULL),
    (3, 'Pneumonia', 0, '{4}'),
    (4, 'Osteoporosis', 50, NULL),
    (4, 'Gout', 35, '{7}'),
    (7, 'Irritable bowel syndrome', 15, NULL),
    (8, 'Cellulitis', 0, '{4}'),
    (9, 'Peripheral neuropathy', 40, NULL),
    (1, 'Ischemic stroke', 45, '{11,3}'),
    (7, 'Gallstone disease', 25, NULL),
    (6, 'Kidney stone', 18, '{7}'),
    (5, 'Alcohol use disorder', 18, NULL),
    (4, 'Rheumatoid arthritis', 25, '{7}'),
    (9, 'Epilepsy', 2, NULL),
    (5, 'Dementia', 62, NULL),
    (7, 'Gastritis', 15, '{6}'),
    (8, 'Acne', 11, NULL),
    (10, 'Vitamin B12 deficiency', 30, NULL),
    (9, 'Parkinson disease', 55, NULL),
    (2, 'Type 1 diabetes mellitus', 4, NULL),
    (1, 'Deep vein thrombosis', 20, '{11}'),
    (6, 'Acute kidney injury', 30, NULL),
    (7, 'Peptic ulcer', 25, '{6}'),
    (10, 'Thrombocytopenia', 10, NULL),
    (9, 'Multiple sclerosis', 18, NULL)
) AS v (system, name, min_age, drugs);

CREATE TEMP TABLE drug_class ON COMMIT DROP AS
SELECT row_number() OVER ()::int AS class, v.* FROM (VALUES
    ('ACE inhibitors', '{lisinopril,ramipril,perindopril,enalapril}'::text[]),
    ('Glucose lowering drugs', '{metformin,gliclazide,empagliflozin,sitagliptin}'),
    ('Statins', '{atorvastatin,rosuvastatin,simvastatin,pravastatin}'),
    ('Antibacterials', '{amoxicillin,doxycycline,nitrofurantoin,ciprofloxacin}'),
    ('Antidepressants', '{sertraline,escitalopram,mirtazapine,venlafaxine}'),
    ('Proton pump inhibitors', '{omeprazole,pantoprazole,esomeprazole}'),
    ('Analgesics', '{paracetamol,ibuprofen,naproxen,tramadol}'),
    ('Loop diuretics', '{furosemide,torasemide,bumetanide}'),
    ('Inhaled airway drugs', '{salbutamol,budesonide,tiotropium,formoterol}'),
    ('Thyroid hormones', '{levothyroxine,liothyronine}'),
    ('Anticoagulants', '{apixaban,rivaroxaban,warfarin,dabigatran}'),
    ('Calcium channel blockers', '{amlodipine,diltiazem,verapamil,felodipine}')
) AS v (name, ingredients);

-- Most frequent test first.
CREATE TEMP TABLE test ON COMMIT DROP AS
SELECT row_number() OVER ()::int AS rank,
       2000030000 + v.panel * 100 + row_number() OVER ()::int AS id, v.*
FROM (VALUES
    (5, 'Systolic blood pressure', 'mmHg', 128, 14, 0),
    (5, 'Diastolic blood pressure', 'mmHg', 78, 9, 0),
    (5, 'Heart rate', '/min', 74, 11, 0),
    (5, 'Body weight', 'kg', 77, 15, 1),
    (1, 'Creatinine', 'mg/dL', 0.95, 0.22, 2),
    (2, 'Hemoglobin', 'g/dL', 13.8, 1.4, 1),
    (1, 'Hemoglobin A1c', '%', 5.6, 0.4, 1),
    (1, 'Glucose', 'mg/dL', 97, 15, 0),
    (1, 'Potassium', 'mmol/L', 4.2, 0.4, 1),
    (1, 'Sodium', 'mmol/L', 140, 2.8, 0),
    (2, 'Leukocytes', '10*3/uL', 7.2, 1.8, 1),
    (2, 'Platelets', '10*3/uL', 250, 55, 0),
    (3, 'LDL cholesterol', 'mg/dL', 118, 32, 0),
    (3, 'HDL cholesterol', 'mg/dL', 52, 13, 0),
    (3, 'Triglycerides', 'mg/dL', 135, 45, 0),
    (5, 'Body temperature', 'Cel', 36.8, 0.4, 1),
    (5, 'Oxygen saturation', '%', 97, 1, 0),
    (4, 'Alanine aminotransferase', 'U/L', 26, 9, 0),
    (4, 'Aspartate aminotransferase', 'U/L', 25, 8, 0),
    (1, 'Urea nitrogen', 'mg/dL', 15, 4.5, 0),
    (1, 'Calcium', 'mg/dL', 9.4, 0.4, 1),
    (4, 'Alkaline phosphatase', 'U/L', 72, 20, 0),
    (4, 'Bilirubin', 'mg/dL', 0.7, 0.2, 1),
    (4, 'Albumin', 'g/dL', 4.2, 0.35, 1),
    (1, 'Thyrotropin', 'mIU/L', 2.1, 0.8, 2),
    (2, 'C-reactive protein', 'mg/L', 9, 3, 1),
    (3, 'Total cholesterol', 'mg/dL', 192, 36, 0),
    (2, 'Hematocrit', '%', 41.5, 3.8, 1),
    (2, 'Ferritin', 'ng/mL', 110, 40, 0),
    (1, 'Magnesium', 'mg/dL', 2.0, 0.2, 1)
) AS v (panel, name, unit, mean, sd, digits);

-- Codes p..: asked of the patient; s..: social history; n..: nursing notes.
CREATE TEMP TABLE question ON COMMIT DROP AS
SELECT row_number() OVER ()::int AS rank,
       2000040000 + v.section * 100 + row_number() OVER ()::int AS id,
       substr('psn', v.section, 1) || lpad(row_number() OVER ()::text, 3, '0') AS code, v.*
FROM (VALUES
    (1, 'Pain severity, 0 to 10'), (2, 'Tobacco smoking status'), (3, 'Fall risk assessment'),
    (1, 'Fatigue, 0 to 10'), (2, 'Alcohol use'), (3, 'Skin integrity'),
    (1, 'Sleep quality, 0 to 10'), (2, 'Living arrangement'), (3, 'Mobility'),
    (1, 'Mood, 0 to 10'), (2, 'Employment status'), (3, 'Orientation'),
    (1, 'Shortness of breath, 0 to 10'), (2, 'Physical activity'), (3, 'Oral intake'),
    (1, 'Ability to work, 0 to 10'), (2, 'Education'), (3, 'Wound condition'),
    (1, 'Satisfaction with care, 0 to 10'), (2, 'Housing stability'), (3, 'Catheter care'),
    (1, 'Nausea, 0 to 10'), (2, 'Transport to care'), (3, 'Pressure injury risk'),
    (1, 'Appetite, 0 to 10'), (2, 'Social support'), (3, 'Isolation precautions'),
    (1, 'Dizziness, 0 to 10'), (2, 'Diet'), (3, 'Discharge readiness')
) AS v (section, name);

CREATE TEMP TABLE technique ON COMMIT DROP AS
SELECT row_number() OVER ()::int AS rank,
       2000050000 + v.kind * 100 + row_number() OVER ()::int AS id, v.*
FROM (VALUES
    (1, 'Electrocardiogram'), (2, 'Chest X-ray'), (3, 'Vaccination'), (4, 'Wound dressing'),
    (1, 'Echocardiogram'), (2, 'Ultrasound of abdomen'), (3, 'Diabetic foot examination'), (4, 'Suture of skin'),
    (1, 'Spirometry'), (2, 'CT of head'), (3, 'Retinal screening'), (4, 'Joint injection'),
    (1, 'Holter monitoring'), (2, 'MRI of spine'), (3, 'Smoking cessation advice'), (4, 'Cataract extraction'),
    (1, 'Exercise stress test'), (2, 'Mammography'), (3, 'Dietary counseling'), (4, 'Colonoscopy'),
    (1, 'Sleep study'), (2, 'Bone densitometry'), (3, 'Physiotherapy session'), (4, 'Knee replacement')
) AS v (kind, name);

-- One row per term; parent 0: a root.
CREATE TEMP TABLE term ON COMMIT DROP AS
SELECT 2000010000 AS id, 0 AS parent, 'Clinical finding' AS name, 'Condition' AS domain, 'Demo Conditions' AS vocabulary,
       'Clinical Finding' AS class, 'C' AS standard, 'd0' AS code
UNION ALL
SELECT 2000010000 + n::int, 2000010000, 'Disorder of ' || name, 'Condition', 'Demo Conditions', 'Body System', 'C', 'd' || n
FROM unnest(ARRAY['cardiovascular system', 'endocrine system and metabolism', 'respiratory system', 'musculoskeletal system',
                  'mental health', 'kidney and urinary tract', 'digestive system', 'skin', 'nervous system', 'blood'])
     WITH ORDINALITY AS s (name, n)
UNION ALL
SELECT 2000010100 + rank * 10, 2000010000 + system, name, 'Condition', 'Demo Conditions', 'Disorder', 'S', 'd' || 100 + rank
FROM disease
UNION ALL
SELECT 2000010100 + rank * 10 + n::int, 2000010100 + rank * 10, name || ', ' || form,
       'Condition', 'Demo Conditions', 'Disorder', 'S', 'd' || 100 + rank || '.' || n
FROM disease, unnest(ARRAY['mild', 'moderate', 'severe', 'recurrent']) WITH ORDINALITY AS f (form, n)
UNION ALL
SELECT 2000020000 + class * 100, 0, name, 'Drug', 'Demo Drugs', 'Drug Class', 'C', 'c' || class
FROM drug_class
UNION ALL
SELECT 2000020000 + class * 100 + n::int * 10, 2000020000 + class * 100, ingredient,
       'Drug', 'Demo Drugs', 'Ingredient', 'S', 'c' || class || '.' || n
FROM drug_class, unnest(ingredients) WITH ORDINALITY AS i (ingredient, n)
UNION ALL
SELECT 2000020000 + class * 100 + i.n::int * 10 + s.n::int, 2000020000 + class * 100 + i.n::int * 10, ingredient || ' ' || strength,
       'Drug', 'Demo Drugs', 'Clinical Drug', 'S', 'c' || class || '.' || i.n || '.' || s.n
FROM drug_class, unnest(ingredients) WITH ORDINALITY AS i (ingredient, n),
     unnest(ARRAY['standard strength', 'low strength', 'high strength']) WITH ORDINALITY AS s (strength, n)
UNION ALL
SELECT 2000030000 + n::int * 100, 0, name, 'Measurement', 'Demo Tests', 'Panel', 'C', 't' || n
FROM unnest(ARRAY['Chemistry', 'Hematology', 'Lipids', 'Liver function', 'Vital signs']) WITH ORDINALITY AS p (name, n)
UNION ALL
SELECT id, 2000030000 + panel * 100, name, 'Measurement', 'Demo Tests', 'Test', 'S', 't' || panel || '.' || rank
FROM test
UNION ALL
SELECT 2000040000 + n::int * 100, 0, name, 'Observation', 'Demo Observations', 'Survey', 'C', substr('psn', n::int, 1) || '000'
FROM unnest(ARRAY['Patient reported outcomes', 'Social history', 'Nursing assessment']) WITH ORDINALITY AS q (name, n)
UNION ALL
SELECT id, 2000040000 + section * 100, name, 'Observation', 'Demo Observations', 'Survey Item', 'S', code
FROM question
UNION ALL
SELECT 2000050000 + n::int * 100, 0, name, 'Procedure', 'Demo Procedures', 'Procedure Group', 'C', 'x' || n
FROM unnest(ARRAY['Diagnostic test', 'Imaging', 'Preventive care', 'Treatment']) WITH ORDINALITY AS k (name, n)
UNION ALL
SELECT id, 2000050000 + kind * 100, name, 'Procedure', 'Demo Procedures', 'Procedure', 'S', 'x' || kind || '.' || rank
FROM technique
UNION ALL
VALUES (0, 0, 'No matching concept', 'Metadata', 'None', 'Undefined', NULL, 'none'),
       (8507, 0, 'MALE', 'Gender', 'Gender', 'Gender', 'S', 'M'),
       (8532, 0, 'FEMALE', 'Gender', 'Gender', 'Gender', 'S', 'F'),
       (9201, 0, 'Inpatient Visit', 'Visit', 'Visit', 'Visit', 'S', 'IP'),
       (9202, 0, 'Outpatient Visit', 'Visit', 'Visit', 'Visit', 'S', 'OP'),
       (9203, 0, 'Emergency Room Visit', 'Visit', 'Visit', 'Visit', 'S', 'ER'),
       (32817, 0, 'EHR', 'Type Concept', 'Type Concept', 'Type Concept', 'S', 'EHR');

INSERT INTO cdm.concept
SELECT id, name, domain, vocabulary, class, standard, code, DATE '1970-01-01', DATE '2099-12-31', NULL
FROM term;

-- Some diseases have a second parent: what it is a complication of.
INSERT INTO cdm.concept_ancestor
WITH RECURSIVE edge (parent, child) AS (
    SELECT parent, id FROM term WHERE parent <> 0
    UNION ALL
    SELECT p.concept_id, c.concept_id
    FROM (VALUES ('Type 2 diabetes mellitus', 'Chronic kidney disease, severe'),
                 ('Type 2 diabetes mellitus', 'Peripheral neuropathy, recurrent'),
                 ('Essential hypertension', 'Heart failure, mild'),
                 ('Disorder of cardiovascular system', 'Ischemic stroke, severe')) AS v (parent, child)
    JOIN cdm.concept p ON p.concept_name = v.parent
    JOIN cdm.concept c ON c.concept_name = v.child
), path (ancestor, descendant, steps) AS (
    SELECT id, id, 0 FROM term WHERE id <> 0
    UNION ALL
    SELECT path.ancestor, edge.child, path.steps + 1
    FROM path JOIN edge ON edge.parent = path.descendant
)
SELECT ancestor, descendant, min(steps), max(steps)
FROM path
GROUP BY ancestor, descendant;

-- Patients -----------------------------------------------------------------

INSERT INTO cdm.person
SELECT id, CASE WHEN female THEN 8532 ELSE 8507 END,
       extract(year FROM born), extract(month FROM born), extract(day FROM born), born, 0, 0,
       'MRN' || lpad(id::text, 8, '0'), CASE WHEN female THEN 'F' ELSE 'M' END
FROM (
    SELECT n AS id, pg_temp.u(n, 1) < 0.53 AS female,
           -- the mean of two draws: few infants, few over ninety, most in between
           DATE :'as_of' - 30 - (365.25 * 96 * (0.35 * pg_temp.u(n, 2) + 0.65 * pg_temp.u(n, 3)))::int AS born
    FROM generate_series(1, :patients) AS n
) AS p;

-- Visits -------------------------------------------------------------------
-- Most patients come a few times in five years, a few come hundreds of times.
-- Visits cluster: up to three within some weeks, counted back from a first day.

INSERT INTO cdm.visit_occurrence
WITH planned AS (
    SELECT p.person_id, n, p.person_id * 1000::bigint + n AS key,
           make_date(p.year_of_birth, p.month_of_birth, p.day_of_birth) AS born,
           DATE :'as_of' - 1
               - floor(1825 * power(pg_temp.u(p.person_id * 1000::bigint + n / 3, 10), 1.2))::int
               - (n % 3) * (3 + floor(18 * pg_temp.u(p.person_id * 1000::bigint + n, 11))::int) AS day
    FROM cdm.person p,
         generate_series(1, least(400, ceil(2.4 * power(1 - pg_temp.u(p.person_id, 12), -0.75)))::int) AS n
), seasonal AS (
    SELECT *, CASE WHEN pg_temp.u(key, 13) < 0.02 + 0.0011 * (day - born) / 365 THEN 9201
                   WHEN pg_temp.u(key, 14) < 0.11 THEN 9203
                   ELSE 9202 END AS kind
    FROM planned
    WHERE day > born
      -- a busy January, a quiet July
      AND pg_temp.u(key, 15) < 0.8 + 0.2 * cos(2 * pi() * (extract(doy FROM day) - 15) / 365)
), dated AS (
    SELECT person_id, key, kind,
           -- the clinic is closed at weekends: some day of the week before instead
           CASE WHEN kind = 9202 AND extract(isodow FROM day) > 5
                THEN day - (extract(isodow FROM day)::int - 5) - floor(5 * pg_temp.u(key, 18))::int
                ELSE day END AS start_date,
           CASE WHEN kind = 9201 THEN 1 + floor(-4 * ln(1 - pg_temp.u(key, 16)))::int ELSE 0 END AS nights
    FROM seasonal
), timed AS (
    SELECT *, least(start_date + nights, DATE :'as_of' - 1) AS end_date,
           start_date + interval '7 hours' + floor(660 * pg_temp.u(key, 17)) * interval '1 minute' AS start_time
    FROM dated
)
SELECT row_number() OVER (ORDER BY start_date, key), person_id, kind, start_date, start_time,
       end_date, CASE WHEN end_date > start_date THEN end_date + interval '11 hours' ELSE start_time + interval '25 minutes' END,
       32817, CASE kind WHEN 9201 THEN 'inpatient' WHEN 9203 THEN 'emergency' ELSE 'outpatient' END
FROM timed;

ANALYZE cdm.person, cdm.visit_occurrence;

-- One row for each fact to be recorded at a visit; key: unique over all visits.
CREATE TEMP VIEW slot AS
SELECT v.visit_occurrence_id, v.person_id, v.visit_concept_id AS kind, v.visit_start_date AS start_date, n,
       v.visit_occurrence_id * 16::bigint + n AS key,
       v.visit_start_date + floor((1 + v.visit_end_date - v.visit_start_date)
                                  * pg_temp.u(v.visit_occurrence_id * 16::bigint + n, 20))::int AS day
FROM cdm.visit_occurrence v, generate_series(1, 8) AS n;

-- Conditions ---------------------------------------------------------------
-- Six in ten are one of the patient's three lasting diseases, the rest new.

INSERT INTO cdm.condition_occurrence
WITH coded AS (
    SELECT s.*, CASE WHEN pg_temp.u(s.key, 31) < 0.6
                     THEN pg_temp.zipf(48, s.person_id * 4::bigint + floor(3 * pg_temp.u(s.key, 32))::int, 33)
                     ELSE pg_temp.zipf(48, s.key, 34) END AS rank
    FROM slot s
    WHERE n <= 2 AND pg_temp.u(key, 30) < CASE n WHEN 1 THEN 0.75 ELSE 0.25 END
)
SELECT row_number() OVER (ORDER BY c.day, c.key), c.person_id,
       2000010100 + c.rank * 10 + CASE WHEN pg_temp.u(c.key, 35) < 0.3 THEN 0 ELSE pg_temp.zipf(4, c.key, 36) END,
       c.day, c.day, NULL, 32817, NULL, c.visit_occurrence_id, 'd' || 100 + c.rank
FROM coded c
JOIN disease d USING (rank)
JOIN cdm.person p USING (person_id)
WHERE extract(year FROM c.day) - p.year_of_birth >= d.min_age;

-- Drugs --------------------------------------------------------------------
-- Four in five treated diseases get a series of fills, from the diagnosis on:
-- mostly punctual, sometimes late, sometimes interrupted for months; after half
-- of them one patient in four is switched to another drug of the class.

INSERT INTO cdm.drug_exposure
WITH treated AS (
    SELECT DISTINCT ON (co.person_id, d.rank)
           co.person_id, co.condition_start_date AS first_day, co.visit_occurrence_id,
           co.person_id * 100::bigint + d.rank AS key,
           d.drugs[1 + floor(cardinality(d.drugs) * pg_temp.u(co.person_id * 100::bigint + d.rank, 40))::int] AS class
    FROM cdm.condition_occurrence co
    JOIN disease d ON d.rank = (co.condition_concept_id - 2000010100) / 10
    WHERE d.drugs IS NOT NULL
      AND pg_temp.u(co.person_id * 100::bigint + d.rank, 41) < 0.8
    ORDER BY co.person_id, d.rank, co.condition_start_date, co.condition_occurrence_id
), planned AS (
    SELECT *, CASE WHEN class = 4 THEN 1
                   ELSE least(60, ceil(2.2 * power(1 - pg_temp.u(key, 42), -0.6)))::int END AS fills
    FROM treated
), filled AS (
    SELECT t.*, n, t.key * 100 + n AS fill_key, cardinality(c.ingredients) AS choices,
           CASE WHEN t.class = 4 THEN 7 WHEN pg_temp.u(t.key, 43) < 0.6 THEN 30 ELSE 90 END AS supply
    FROM planned t
    JOIN drug_class c USING (class), generate_series(1, t.fills) AS n
), spaced AS (
    SELECT *, coalesce(sum(supply + CASE WHEN pg_temp.u(fill_key, 44) < 0.75 THEN floor(10 * pg_temp.u(fill_key, 45))
                                         WHEN pg_temp.u(fill_key, 44) < 0.92 THEN 10 + floor(40 * pg_temp.u(fill_key, 45))
                                         ELSE 50 + floor(200 * pg_temp.u(fill_key, 45)) END)
                       OVER (PARTITION BY key ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::int AS wait,
           CASE WHEN n > fills / 2 AND pg_temp.u(key, 46) < 0.25 THEN 47 ELSE 48 END AS choice
    FROM filled
)
SELECT row_number() OVER (ORDER BY first_day + wait, fill_key), person_id,
       2000020000 + class * 100 + pg_temp.zipf(choices, key, choice) * 10 + pg_temp.zipf(3, key, 49),
       first_day + wait, NULL, first_day + wait + supply - 1, NULL, 32817, NULL,
       fills - n, supply, supply, CASE WHEN n = 1 THEN visit_occurrence_id END, 'c' || class
FROM spaced
WHERE first_day + wait < DATE :'as_of';

-- Procedures ---------------------------------------------------------------

INSERT INTO cdm.procedure_occurrence
SELECT row_number() OVER (ORDER BY s.day, s.key), s.person_id, t.id, s.day, s.day + interval '10 hours', s.day,
       32817, 1, s.visit_occurrence_id, 'x' || t.kind || '.' || t.rank
FROM slot s
JOIN technique t ON t.rank = pg_temp.zipf(24, s.key, 51)
WHERE s.n = 1 AND pg_temp.u(s.key, 50) < CASE s.kind WHEN 9202 THEN 0.3 ELSE 0.6 END;

-- Measurements -------------------------------------------------------------
-- A value is the test's mean, the patient's own lasting deviation and some
-- noise of the day; diabetics have a higher HbA1c and glucose.

CREATE TEMP TABLE diabetic ON COMMIT DROP AS
SELECT DISTINCT person_id FROM cdm.condition_occurrence WHERE condition_concept_id BETWEEN 2000010140 AND 2000010149;

INSERT INTO cdm.measurement
SELECT row_number() OVER (ORDER BY s.day, s.key), s.person_id, t.id, s.day,
       s.day + interval '7 hours' + floor(660 * pg_temp.u(s.key, 61)) * interval '1 minute', 32817, NULL,
       round(greatest(t.mean * 0.3, t.mean
             + t.sd * 1.6 * (pg_temp.u(s.person_id * 64::bigint + t.rank, 62) + pg_temp.u(s.person_id * 64::bigint + t.rank, 63) - 1)
             + t.sd * 1.8 * (pg_temp.u(s.key, 64) + pg_temp.u(s.key, 65) - 1)
             + CASE WHEN d.person_id IS NULL THEN 0
                    WHEN t.name = 'Hemoglobin A1c' THEN 1 + 2.5 * pg_temp.u(s.person_id, 66)
                    WHEN t.name = 'Glucose' THEN 25 + 70 * pg_temp.u(s.key, 66)
                    ELSE 0 END)::numeric, t.digits),
       NULL, NULL, round((t.mean - 2 * t.sd)::numeric, t.digits), round((t.mean + 2 * t.sd)::numeric, t.digits),
       s.visit_occurrence_id, 't' || t.panel || '.' || t.rank, t.unit
FROM slot s
JOIN test t ON t.rank = pg_temp.zipf(30, s.key, 67)
LEFT JOIN diabetic d USING (person_id)
WHERE s.n <= CASE s.kind WHEN 9201 THEN 6 ELSE 4 END
  AND pg_temp.u(s.key, 60) < CASE s.kind WHEN 9202 THEN 0.38 ELSE 0.7 END;

-- Observations -------------------------------------------------------------

INSERT INTO cdm.observation
SELECT row_number() OVER (ORDER BY s.day, s.key), s.person_id, q.id, s.day,
       s.day + interval '7 hours' + floor(660 * pg_temp.u(s.key, 71)) * interval '1 minute', 32817,
       CASE WHEN q.section = 1 THEN floor(11 * pg_temp.u(s.key, 72) * (0.4 + 0.6 * pg_temp.u(s.person_id * 64::bigint + q.rank, 73))) END,
       CASE WHEN q.section > 1 THEN (ARRAY['no concern', 'some concern', 'needs support', 'not assessed'])[pg_temp.zipf(4, s.key, 74)] END,
       NULL, s.visit_occurrence_id, q.code
FROM slot s
JOIN question q ON q.rank = pg_temp.zipf(30, s.key, 75)
WHERE s.n <= CASE s.kind WHEN 9201 THEN 8 ELSE 3 END
  AND pg_temp.u(s.key, 70) < 0.55;

DROP VIEW slot;
DROP FUNCTION pg_temp.zipf(bigint, bigint, bigint);
DROP FUNCTION pg_temp.u(bigint, bigint);

COMMIT;

ANALYZE cdm.concept, cdm.concept_ancestor, cdm.person, cdm.visit_occurrence, cdm.condition_occurrence,
        cdm.drug_exposure, cdm.procedure_occurrence, cdm.measurement, cdm.observation;
