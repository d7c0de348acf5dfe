-- As the migration of that name for SQLite; why each column is there is said in that.

ALTER TABLE runs ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN slot BIGINT NOT NULL DEFAULT 0;
DROP INDEX runs_running;
CREATE UNIQUE INDEX runs_running ON runs (pipeline, slot) WHERE status = 'running';
DROP INDEX runs_queued;
CREATE INDEX runs_queued ON runs (pipeline, priority DESC, queued_at, id) WHERE status = 'queued';
CREATE INDEX runs_given_back ON runs (pipeline, priority DESC, queued_at, id) WHERE status = 'queued' AND epoch > 0;

ALTER TABLE pipelines ADD COLUMN most_running BIGINT NOT NULL DEFAULT 1;
ALTER TABLE pipelines ADD COLUMN claimed_at BIGINT NOT NULL DEFAULT 0;

CREATE TABLE paused (
    pipeline    TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL
);

CREATE TABLE leases (
    name        TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    owner       TEXT COLLATE "C" NOT NULL,
    until       BIGINT NOT NULL
);

-- What is being placed: its run can not be stopped while its worker lives.
CREATE INDEX pushes_begun ON pushes (run) WHERE completed_at IS NULL;
