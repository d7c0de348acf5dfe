-- Identifiers and digests are text, instants BIGINT microseconds since 1970 (UTC), documents JSON text: what both databases
-- hold alike. Every index below answers one question of the MetadataStore trait.

CREATE TABLE pipeline_versions (
    digest      TEXT PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL,
    pipeline    TEXT NOT NULL,
    origin      TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

-- The definition in force of each name.
CREATE TABLE pipelines (
    name        TEXT PRIMARY KEY NOT NULL,
    digest      TEXT NOT NULL REFERENCES pipeline_versions (digest)
);

CREATE TABLE events (
    id          TEXT PRIMARY KEY NOT NULL,
    pipeline    TEXT NOT NULL,
    cause       TEXT NOT NULL,
    actor       TEXT NOT NULL,
    dedupe_key  TEXT NOT NULL UNIQUE,
    at          BIGINT NOT NULL,
    run         TEXT REFERENCES runs (id) DEFERRABLE INITIALLY DEFERRED,
    skipped     TEXT,
    seen        BIGINT NOT NULL DEFAULT 1,
    CHECK ((run IS NULL) <> (skipped IS NULL))
);
CREATE INDEX events_of_pipeline ON events (pipeline, id);

CREATE TABLE runs (
    id              TEXT PRIMARY KEY NOT NULL,
    pipeline        TEXT NOT NULL,
    pipeline_digest TEXT NOT NULL REFERENCES pipeline_versions (digest),
    event           TEXT NOT NULL REFERENCES events (id),
    cause           TEXT NOT NULL,
    started_by      TEXT NOT NULL,
    span            TEXT,
    status          TEXT NOT NULL,
    state           TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    ended_at        BIGINT,
    -- The queue: who holds it, the fencing token, until when.
    owner           TEXT,
    epoch           BIGINT NOT NULL DEFAULT 0,
    lease_until     BIGINT,
    queued_at       BIGINT NOT NULL,
    CHECK ((status = 'running') = (owner IS NOT NULL)),
    CHECK ((owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX runs_of_pipeline ON runs (pipeline, id);
CREATE INDEX runs_of_status ON runs (status, id);
CREATE INDEX runs_of_pipeline_and_status ON runs (pipeline, status, id);
CREATE INDEX runs_queued ON runs (pipeline, queued_at, id) WHERE status = 'queued';
-- At most one run of a pipeline is running: the database itself says so.
CREATE UNIQUE INDEX runs_running ON runs (pipeline) WHERE status = 'running';

CREATE TABLE executions (
    id          TEXT PRIMARY KEY NOT NULL,
    run         TEXT NOT NULL REFERENCES runs (id),
    pipeline    TEXT NOT NULL,
    step        TEXT NOT NULL,
    attempt     BIGINT NOT NULL,
    component   TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    cache_key   TEXT NOT NULL,
    own_inputs  TEXT NOT NULL,
    inputs      TEXT NOT NULL,
    parameters  TEXT NOT NULL,
    why         TEXT NOT NULL,
    status      TEXT NOT NULL,
    verdict     TEXT,
    state       TEXT NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT
);
CREATE INDEX executions_of_run ON executions (run, started_at, id);
CREATE INDEX executions_by_cache_key ON executions (cache_key, id) WHERE status = 'succeeded';
CREATE INDEX executions_of_step ON executions (pipeline, step, run, id) WHERE status <> 'running';
CREATE INDEX executions_failed_checks ON executions (run) WHERE verdict = 'fail';

CREATE TABLE artifacts (
    id          TEXT PRIMARY KEY NOT NULL,
    kind        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    bytes       BIGINT NOT NULL,
    pipeline    TEXT NOT NULL,
    step        TEXT NOT NULL,
    output      TEXT NOT NULL,
    run         TEXT NOT NULL REFERENCES runs (id),
    execution   TEXT REFERENCES executions (id),
    span        TEXT,
    created_at  BIGINT NOT NULL
);
CREATE INDEX artifacts_of_digest ON artifacts (digest, id);
CREATE INDEX artifacts_of_run ON artifacts (run, id);
CREATE INDEX artifacts_of_pipeline ON artifacts (pipeline, id);
CREATE INDEX artifacts_of_kind ON artifacts (kind, id);
CREATE INDEX artifacts_of_pipeline_and_kind ON artifacts (pipeline, kind, id);
CREATE INDEX artifacts_of_span ON artifacts (pipeline, kind, span, id) WHERE span IS NOT NULL;

CREATE TABLE execution_inputs (
    execution   TEXT NOT NULL REFERENCES executions (id),
    port        TEXT NOT NULL,
    position    BIGINT NOT NULL,
    artifact    TEXT NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (execution, port, position)
);
CREATE INDEX execution_inputs_of_artifact ON execution_inputs (artifact, execution, port);

CREATE TABLE execution_outputs (
    execution   TEXT NOT NULL REFERENCES executions (id),
    port        TEXT NOT NULL,
    artifact    TEXT NOT NULL REFERENCES artifacts (id),
    -- The execution's run: whether a resolver may use the artifact is asked of every run in which it came out.
    run         TEXT NOT NULL REFERENCES runs (id),
    PRIMARY KEY (execution, port)
);
CREATE INDEX execution_outputs_of_artifact ON execution_outputs (artifact, run);

CREATE TABLE logs (
    execution   TEXT PRIMARY KEY NOT NULL REFERENCES executions (id),
    lines       TEXT NOT NULL
);

CREATE TABLE requests (
    id              TEXT PRIMARY KEY NOT NULL,
    run             TEXT NOT NULL REFERENCES runs (id),
    pipeline        TEXT NOT NULL,
    gate            TEXT NOT NULL,
    policy          TEXT NOT NULL,
    evidence        TEXT NOT NULL,
    evidence_digest TEXT NOT NULL,
    model_digest    TEXT NOT NULL,
    status          TEXT NOT NULL,
    state           TEXT NOT NULL,
    posted_at       BIGINT NOT NULL,
    closed_at       BIGINT,
    CHECK ((status = 'open') = (closed_at IS NULL))
);
CREATE INDEX requests_of_run ON requests (run, id);
CREATE INDEX requests_of_model ON requests (model_digest, id);
CREATE INDEX requests_open ON requests (id) WHERE status = 'open';
-- One open request a gate: a newer candidate supersedes the older one in the same transaction.
CREATE UNIQUE INDEX requests_open_of_gate ON requests (pipeline, gate) WHERE status = 'open';
CREATE INDEX requests_approved ON requests (pipeline, closed_at, id) WHERE status = 'approved';

CREATE TABLE decisions (
    id              TEXT PRIMARY KEY NOT NULL,
    request         TEXT NOT NULL REFERENCES requests (id),
    position        BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    actor           TEXT NOT NULL,
    roles           TEXT NOT NULL,
    channel         TEXT NOT NULL,
    reason          TEXT NOT NULL,
    evidence_digest TEXT NOT NULL,
    late            BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    UNIQUE (request, position)
);

CREATE TABLE pushes (
    id              TEXT PRIMARY KEY NOT NULL,
    run             TEXT NOT NULL REFERENCES runs (id),
    pipeline        TEXT NOT NULL,
    model           TEXT NOT NULL,
    target          TEXT NOT NULL,
    request         TEXT NOT NULL REFERENCES requests (id),
    begun_at        BIGINT NOT NULL,
    completed_at    BIGINT,
    UNIQUE (model, target)
);
CREATE INDEX pushes_completed ON pushes (completed_at, id) WHERE completed_at IS NOT NULL;
CREATE INDEX pushes_completed_of_pipeline ON pushes (pipeline, completed_at, id) WHERE completed_at IS NOT NULL;

CREATE TABLE outbox (
    id          TEXT PRIMARY KEY NOT NULL,
    run         TEXT NOT NULL REFERENCES runs (id),
    channel     TEXT NOT NULL,
    message     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    status      TEXT NOT NULL,
    next_at     BIGINT NOT NULL,
    problem     TEXT
);
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE status = 'pending';

-- Per schedule the last instant it fired for: a cursor, so a fire is never taken twice.
CREATE TABLE fires (
    trigger_name TEXT PRIMARY KEY NOT NULL,
    at           BIGINT NOT NULL
);

CREATE TABLE seen_files (
    trigger_name TEXT NOT NULL,
    path         TEXT NOT NULL,
    bytes        BIGINT NOT NULL,
    modified     BIGINT NOT NULL,
    stable_since BIGINT NOT NULL,
    accepted     TEXT,
    PRIMARY KEY (trigger_name, path)
);

CREATE TABLE audit (
    sequence    INTEGER PRIMARY KEY NOT NULL,
    at          BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    detail      TEXT NOT NULL,
    previous    TEXT NOT NULL,
    hash        TEXT NOT NULL UNIQUE
);
