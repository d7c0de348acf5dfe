-- As the migration of that name for SQLite; why each column and index is there is said in that.

ALTER TABLE runs ADD COLUMN collected_at BIGINT;
ALTER TABLE artifacts ADD COLUMN collected_at BIGINT;

CREATE INDEX runs_not_collected ON runs (pipeline, ended_at, id) WHERE collected_at IS NULL;
CREATE INDEX artifacts_not_collected ON artifacts (digest) WHERE collected_at IS NULL;
CREATE INDEX pushes_of_run ON pushes (run);
