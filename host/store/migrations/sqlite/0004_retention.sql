-- Retention: runs that it has been over, artifacts whose bytes were given up. The rows themselves stay.

ALTER TABLE runs ADD COLUMN collected_at BIGINT;
ALTER TABLE artifacts ADD COLUMN collected_at BIGINT;

-- The runs of a pipeline that ended before an instant, as long as retention has something to do with them.
CREATE INDEX runs_not_collected ON runs (pipeline, ended_at, id) WHERE collected_at IS NULL;
-- Whether bytes are still somebody's, however many artifacts had them.
CREATE INDEX artifacts_not_collected ON artifacts (digest) WHERE collected_at IS NULL;
-- What a run that pushed read and made is never collected.
CREATE INDEX pushes_of_run ON pushes (run);
