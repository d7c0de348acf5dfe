-- Triggers: places in which runs run, priorities, turns between pipelines, pauses; and duties that one of several daemons has.

ALTER TABLE runs ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
-- Which of its pipeline's places a running run has; means nothing while it is not running. Until now there was one place.
ALTER TABLE runs ADD COLUMN slot BIGINT NOT NULL DEFAULT 0;
-- The database itself says that no two runs have one place.
DROP INDEX runs_running;
CREATE UNIQUE INDEX runs_running ON runs (pipeline, slot) WHERE status = 'running';
DROP INDEX runs_queued;
CREATE INDEX runs_queued ON runs (pipeline, priority DESC, queued_at, id) WHERE status = 'queued';
-- Given back, or let go on by a decision: these are claimed although their pipeline is paused.
CREATE INDEX runs_given_back ON runs (pipeline, priority DESC, queued_at, id) WHERE status = 'queued' AND epoch > 0;

-- How many may run at once, and when something was last claimed: pipelines take turns.
ALTER TABLE pipelines ADD COLUMN most_running BIGINT NOT NULL DEFAULT 1;
ALTER TABLE pipelines ADD COLUMN claimed_at BIGINT NOT NULL DEFAULT 0;

CREATE TABLE paused (
    pipeline    TEXT PRIMARY KEY NOT NULL,
    actor       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    at          BIGINT NOT NULL
);

-- Duties that one daemon at a time has, until when.
CREATE TABLE leases (
    name        TEXT PRIMARY KEY NOT NULL,
    owner       TEXT NOT NULL,
    until       BIGINT NOT NULL
);

-- What is being placed: its run can not be stopped while its worker lives.
CREATE INDEX pushes_begun ON pushes (run) WHERE completed_at IS NULL;
