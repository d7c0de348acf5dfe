-- The same tables, columns and indexes as in SQLite after its second migration; why each is there is said in those. Text is compared
-- and sorted byte by byte, as SQLite does, whatever the database's locale.

CREATE TABLE pipeline_versions (
    digest      TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    pipeline    TEXT COLLATE "C" NOT NULL,
    origin      TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE pipelines (
    name        TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL REFERENCES pipeline_versions (digest)
);

CREATE TABLE events (
    id          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    pipeline    TEXT COLLATE "C" NOT NULL,
    cause       TEXT COLLATE "C" NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    dedupe_key  TEXT COLLATE "C" NOT NULL UNIQUE,
    at          BIGINT NOT NULL,
    run         TEXT COLLATE "C",
    skipped     TEXT COLLATE "C",
    seen        BIGINT NOT NULL DEFAULT 1,
    CHECK ((run IS NULL) <> (skipped IS NULL))
);
CREATE INDEX events_of_pipeline ON events (pipeline, id);

CREATE TABLE runs (
    id              TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    pipeline        TEXT COLLATE "C" NOT NULL,
    pipeline_digest TEXT COLLATE "C" NOT NULL REFERENCES pipeline_versions (digest),
    event           TEXT COLLATE "C" NOT NULL REFERENCES events (id),
    cause           TEXT COLLATE "C" NOT NULL,
    started_by      TEXT COLLATE "C" NOT NULL,
    span            TEXT COLLATE "C",
    status          TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    created_at      BIGINT NOT NULL,
    ended_at        BIGINT,
    owner           TEXT COLLATE "C",
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
CREATE UNIQUE INDEX runs_running ON runs (pipeline) WHERE status = 'running';

-- Written in one transaction, the event first.
ALTER TABLE events ADD FOREIGN KEY (run) REFERENCES runs (id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE executions (
    id          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    run         TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
    pipeline    TEXT COLLATE "C" NOT NULL,
    step        TEXT COLLATE "C" NOT NULL,
    attempt     BIGINT NOT NULL,
    component   TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    cache_key   TEXT COLLATE "C" NOT NULL,
    own_inputs  TEXT COLLATE "C" NOT NULL,
    inputs      TEXT COLLATE "C" NOT NULL,
    parameters  TEXT COLLATE "C" NOT NULL,
    why         TEXT COLLATE "C" NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    verdict     TEXT COLLATE "C",
    state       TEXT COLLATE "C" NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT
);
CREATE INDEX executions_of_run ON executions (run, started_at, id);
CREATE INDEX executions_by_cache_key ON executions (cache_key, id) WHERE status = 'succeeded';
CREATE INDEX executions_of_step ON executions (pipeline, step, run, id) WHERE status <> 'running';
CREATE INDEX executions_failed_checks ON executions (run) WHERE verdict = 'fail';

CREATE TABLE artifacts (
    id          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL,
    bytes       BIGINT NOT NULL,
    pipeline    TEXT COLLATE "C" NOT NULL,
    step        TEXT COLLATE "C" NOT NULL,
    output      TEXT COLLATE "C" NOT NULL,
    run         TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
    execution   TEXT COLLATE "C" REFERENCES executions (id),
    span        TEXT COLLATE "C",
    created_at  BIGINT NOT NULL
);
CREATE INDEX artifacts_of_digest ON artifacts (digest, id);
CREATE INDEX artifacts_of_run ON artifacts (run, id);
CREATE INDEX artifacts_of_pipeline ON artifacts (pipeline, id);
CREATE INDEX artifacts_of_kind ON artifacts (kind, id);
CREATE INDEX artifacts_of_pipeline_and_kind ON artifacts (pipeline, kind, id);
CREATE INDEX artifacts_of_span ON artifacts (pipeline, kind, span, id) WHERE span IS NOT NULL;

CREATE TABLE execution_inputs (
    execution   TEXT COLLATE "C" NOT NULL REFERENCES executions (id),
    port        TEXT COLLATE "C" NOT NULL,
    position    BIGINT NOT NULL,
    artifact    TEXT COLLATE "C" NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (execution, port, position)
);
CREATE INDEX execution_inputs_of_artifact ON execution_inputs (artifact, execution, port);

CREATE TABLE execution_outputs (
    execution   TEXT COLLATE "C" NOT NULL REFERENCES executions (id),
    port        TEXT COLLATE "C" NOT NULL,
    artifact    TEXT COLLATE "C" NOT NULL REFERENCES artifacts (id),
    run         TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
    PRIMARY KEY (execution, port)
);
CREATE INDEX execution_outputs_of_artifact ON execution_outputs (artifact, run);

CREATE TABLE logs (
    execution   TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES executions (id),
    lines       TEXT COLLATE "C" NOT NULL
);

CREATE TABLE requests (
    id              TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    run             TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
    pipeline        TEXT COLLATE "C" NOT NULL,
    gate            TEXT COLLATE "C" NOT NULL,
    policy          TEXT COLLATE "C" NOT NULL,
    evidence        TEXT COLLATE "C" NOT NULL,
    evidence_digest TEXT COLLATE "C" NOT NULL,
    model_digest    TEXT COLLATE "C" NOT NULL,
    verdict         TEXT COLLATE "C" NOT NULL,
    nonce           TEXT COLLATE "C" NOT NULL,
    status          TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,
    posted_at       BIGINT NOT NULL,
    closed_at       BIGINT,
    progress        TEXT COLLATE "C" NOT NULL,
    next_at         BIGINT,
    CHECK ((status = 'open') = (closed_at IS NULL))
);
CREATE INDEX requests_of_run ON requests (run, id);
CREATE INDEX requests_of_model ON requests (model_digest, id);
CREATE INDEX requests_open ON requests (id) WHERE status = 'open';
CREATE UNIQUE INDEX requests_open_of_gate ON requests (pipeline, gate) WHERE status = 'open';
CREATE INDEX requests_approved ON requests (pipeline, closed_at, id) WHERE status = 'approved';
CREATE INDEX requests_due ON requests (next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX requests_open_since ON requests (posted_at) WHERE status = 'open';

CREATE TABLE decisions (
    id              TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    request         TEXT COLLATE "C" NOT NULL REFERENCES requests (id),
    position        BIGINT NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    actor           TEXT COLLATE "C" NOT NULL,
    person          TEXT COLLATE "C" NOT NULL,
    roles           TEXT COLLATE "C" NOT NULL,
    channel         TEXT COLLATE "C" NOT NULL,
    second_factor   BIGINT NOT NULL,
    reason          TEXT COLLATE "C" NOT NULL,
    conditions      TEXT COLLATE "C" NOT NULL,
    evidence_digest TEXT COLLATE "C" NOT NULL,
    envelope        TEXT COLLATE "C",
    late            BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    UNIQUE (request, position)
);

CREATE TABLE pushes (
    id              TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    run             TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
    pipeline        TEXT COLLATE "C" NOT NULL,
    model           TEXT COLLATE "C" NOT NULL,
    target          TEXT COLLATE "C" NOT NULL,
    request         TEXT COLLATE "C" NOT NULL REFERENCES requests (id),
    conditions      TEXT COLLATE "C" NOT NULL,
    begun_at        BIGINT NOT NULL,
    completed_at    BIGINT,
    UNIQUE (model, target)
);
CREATE INDEX pushes_completed ON pushes (completed_at, id) WHERE completed_at IS NOT NULL;
CREATE INDEX pushes_completed_of_pipeline ON pushes (pipeline, completed_at, id) WHERE completed_at IS NOT NULL;

CREATE TABLE outbox (
    id          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    run         TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
    channel     TEXT COLLATE "C" NOT NULL,
    message     TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    next_at     BIGINT NOT NULL,
    problem     TEXT COLLATE "C"
);
CREATE INDEX outbox_pending ON outbox (created_at, id, channel, next_at) WHERE status = 'pending';
CREATE INDEX outbox_of_channel ON outbox (channel, next_at, created_at, id) WHERE status = 'pending';
CREATE INDEX outbox_dead ON outbox (id) WHERE status = 'dead';
CREATE INDEX outbox_undelivered ON outbox (created_at, id) WHERE status <> 'done' AND attempts > 0;
CREATE INDEX outbox_undelivered_of_run ON outbox (run, created_at, id) WHERE status <> 'done' AND attempts > 0;

CREATE TABLE fires (
    trigger_name TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    at           BIGINT NOT NULL
);

CREATE TABLE seen_files (
    trigger_name TEXT COLLATE "C" NOT NULL,
    path         TEXT COLLATE "C" NOT NULL,
    bytes        BIGINT NOT NULL,
    modified     BIGINT NOT NULL,
    stable_since BIGINT NOT NULL,
    accepted     TEXT COLLATE "C",
    PRIMARY KEY (trigger_name, path)
);

CREATE TABLE audit (
    sequence    BIGINT PRIMARY KEY NOT NULL,
    at          BIGINT NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    action      TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL,
    detail      TEXT COLLATE "C" NOT NULL,
    previous    TEXT COLLATE "C" NOT NULL,
    hash        TEXT COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE pokes (
    id          TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    request     TEXT COLLATE "C" NOT NULL REFERENCES requests (id),
    actor       TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    example     TEXT COLLATE "C" NOT NULL,
    candidate   TEXT COLLATE "C" NOT NULL,
    live        TEXT COLLATE "C"
);
CREATE INDEX pokes_of_request ON pokes (request, at, id);

CREATE TABLE posts (
    subject     TEXT COLLATE "C" NOT NULL,
    channel     TEXT COLLATE "C" NOT NULL,
    channel_id  TEXT COLLATE "C" NOT NULL,
    message_id  TEXT COLLATE "C" NOT NULL,
    posted_at   BIGINT NOT NULL,
    memo        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (subject, channel)
);

CREATE TABLE credentials (
    digest      TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    label       TEXT COLLATE "C" NOT NULL,
    companion   TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX credentials_of_kind ON credentials (kind, created_at, digest);
CREATE INDEX credentials_expiring ON credentials (expires_at);

CREATE TABLE used_keys (
    key         TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    until       BIGINT NOT NULL
);
CREATE INDEX used_keys_expiring ON used_keys (until);
