-- The part of the OMOP common data model (v5.4) that the views read, with its
-- real column names and types.  Three schemas: cdm holds the clinical tables,
-- omop the views built on them, reporting what is shown to others.

CREATE SCHEMA cdm;
CREATE SCHEMA omop;
CREATE SCHEMA reporting;

CREATE TABLE cdm.concept (
    concept_id integer PRIMARY KEY,
    concept_name varchar(255) NOT NULL,
    domain_id varchar(20) NOT NULL,
    vocabulary_id varchar(20) NOT NULL,
    concept_class_id varchar(20) NOT NULL,
    standard_concept varchar(1),
    concept_code varchar(50) NOT NULL,
    valid_start_date date NOT NULL,
    valid_end_date date NOT NULL,
    invalid_reason varchar(1)
);

CREATE TABLE cdm.concept_ancestor (
    ancestor_concept_id integer NOT NULL,
    descendant_concept_id integer NOT NULL,
    min_levels_of_separation integer NOT NULL,
    max_levels_of_separation integer NOT NULL,
    PRIMARY KEY (ancestor_concept_id, descendant_concept_id)
);

CREATE TABLE cdm.person (
    person_id integer PRIMARY KEY,
    gender_concept_id integer NOT NULL,
    year_of_birth integer NOT NULL,
    month_of_birth integer,
    day_of_birth integer,
    birth_datetime timestamp,
    race_concept_id integer NOT NULL,
    ethnicity_concept_id integer NOT NULL,
    person_source_value varchar(50),
    gender_source_value varchar(50)
);

CREATE TABLE cdm.visit_occurrence (
    visit_occurrence_id integer PRIMARY KEY,
    person_id integer NOT NULL,
    visit_concept_id integer NOT NULL,
    visit_start_date date NOT NULL,
    visit_start_datetime timestamp,
    visit_end_date date NOT NULL,
    visit_end_datetime timestamp,
    visit_type_concept_id integer NOT NULL,
    visit_source_value varchar(50)
);

CREATE TABLE cdm.condition_occurrence (
    condition_occurrence_id integer PRIMARY KEY,
    person_id integer NOT NULL,
    condition_concept_id integer NOT NULL,
    condition_start_date date NOT NULL,
    condition_start_datetime timestamp,
    condition_end_date date,
    condition_type_concept_id integer NOT NULL,
    condition_status_concept_id integer,
    visit_occurrence_id integer,
    condition_source_value varchar(50)
);

CREATE TABLE cdm.drug_exposure (
    drug_exposure_id integer PRIMARY KEY,
    person_id integer NOT NULL,
    drug_concept_id integer NOT NULL,
    drug_exposure_start_date date NOT NULL,
    drug_exposure_start_datetime timestamp,
    drug_exposure_end_date date NOT NULL,
    drug_exposure_end_datetime timestamp,
    drug_type_concept_id integer NOT NULL,
    stop_reason varchar(20),
    refills integer,
    quantity numeric,
    days_supply integer,
    visit_occurrence_id integer,
    drug_source_value varchar(50)
);

CREATE TABLE cdm.procedure_occurrence (
    procedure_occurrence_id integer PRIMARY KEY,
    person_id integer NOT NULL,
    procedure_concept_id integer NOT NULL,
    procedure_date date NOT NULL,
    procedure_datetime timestamp,
    procedure_end_date date,
    procedure_type_concept_id integer NOT NULL,
    quantity integer,
    visit_occurrence_id integer,
    procedure_source_value varchar(50)
);

CREATE TABLE cdm.measurement (
    measurement_id integer PRIMARY KEY,
    person_id integer NOT NULL,
    measurement_concept_id integer NOT NULL,
    measurement_date date NOT NULL,
    measurement_datetime timestamp,
    measurement_type_concept_id integer NOT NULL,
    operator_concept_id integer,
    value_as_number numeric,
    value_as_concept_id integer,
    unit_concept_id integer,
    range_low numeric,
    range_high numeric,
    visit_occurrence_id integer,
    measurement_source_value varchar(50),
    unit_source_value varchar(50)
);

CREATE TABLE cdm.observation (
    observation_id integer PRIMARY KEY,
    person_id integer NOT NULL,
    observation_concept_id integer NOT NULL,
    observation_date date NOT NULL,
    observation_datetime timestamp,
    observation_type_concept_id integer NOT NULL,
    value_as_number numeric,
    value_as_string varchar(60),
    value_as_concept_id integer,
    visit_occurrence_id integer,
    observation_source_value varchar(50)
);

CREATE INDEX concept_ancestor_descendant ON cdm.concept_ancestor (descendant_concept_id);
CREATE INDEX visit_person ON cdm.visit_occurrence (person_id, visit_start_date);
CREATE INDEX condition_person ON cdm.condition_occurrence (person_id);
CREATE INDEX condition_concept ON cdm.condition_occurrence (condition_concept_id);
CREATE INDEX drug_person ON cdm.drug_exposure (person_id);
CREATE INDEX drug_concept ON cdm.drug_exposure (drug_concept_id);
CREATE INDEX procedure_person ON cdm.procedure_occurrence (person_id);
CREATE INDEX measurement_person ON cdm.measurement (person_id);
CREATE INDEX measurement_concept ON cdm.measurement (measurement_concept_id);
CREATE INDEX observation_person ON cdm.observation (person_id);
CREATE INDEX observation_date ON cdm.observation (observation_date);
