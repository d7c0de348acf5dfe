-- Sign-off: who stands behind a decision, what is due at a request, what was posted where, who may come in.
-- What an older version wrote stays readable and decidable.

-- A failed check ended the run before its gate, so no older request shows one.
ALTER TABLE requests ADD COLUMN verdict TEXT NOT NULL DEFAULT 'needs-person';
ALTER TABLE requests ADD COLUMN nonce TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN progress TEXT NOT NULL DEFAULT '{"reminded":0,"escalated":false,"overdue":false}';
-- When the next thing is due, by the policy and the progress; NULL when nothing is left to come.
ALTER TABLE requests ADD COLUMN next_at BIGINT;
UPDATE requests SET nonce = lower(hex(randomblob(16)));
UPDATE requests SET next_at = posted_at + 1000000 * json_extract(policy, '$.expire.after_seconds') WHERE status = 'open';
CREATE INDEX requests_due ON requests (next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX requests_open_since ON requests (posted_at) WHERE status = 'open';

-- An older version knew accounts only.
ALTER TABLE decisions ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE decisions ADD COLUMN second_factor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE decisions ADD COLUMN conditions TEXT NOT NULL DEFAULT '{}';
ALTER TABLE decisions ADD COLUMN envelope TEXT;
UPDATE decisions SET person = actor;

ALTER TABLE pushes ADD COLUMN conditions TEXT NOT NULL DEFAULT '{}';

-- Notices quote decisions and pushes; those on their way must read back too.
UPDATE outbox SET message = json_set(message, '$.decision.person', json_extract(message, '$.decision.actor'),
        '$.decision.second_factor', json('false'), '$.decision.conditions', json('{}'), '$.decision.envelope', NULL)
    WHERE json_extract(message, '$.about') = 'decision-recorded';
UPDATE outbox SET message = json_set(message, '$.push.conditions', json('{}'))
    WHERE json_extract(message, '$.about') = 'pushed';

-- What is on its way, in the order in which it was written; within a channel, what waits for another try; what went wrong.
DROP INDEX outbox_due;
CREATE INDEX outbox_pending ON outbox (created_at, id, channel, next_at) WHERE status = 'pending';
CREATE INDEX outbox_of_channel ON outbox (channel, next_at, created_at, id) WHERE status = 'pending';
CREATE INDEX outbox_dead ON outbox (id) WHERE status = 'dead';
CREATE INDEX outbox_undelivered ON outbox (created_at, id) WHERE status <> 'done' AND attempts > 0;
CREATE INDEX outbox_undelivered_of_run ON outbox (run, created_at, id) WHERE status <> 'done' AND attempts > 0;

CREATE TABLE pokes (
    id          TEXT PRIMARY KEY NOT NULL,
    request     TEXT NOT NULL REFERENCES requests (id),
    actor       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    example     TEXT NOT NULL,
    candidate   TEXT NOT NULL,
    live        TEXT
);
CREATE INDEX pokes_of_request ON pokes (request, at, id);

-- Messages out there: which one to edit instead of posting another.
CREATE TABLE posts (
    subject     TEXT NOT NULL,
    channel     TEXT NOT NULL,
    channel_id  TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    posted_at   BIGINT NOT NULL,
    memo        TEXT NOT NULL,
    PRIMARY KEY (subject, channel)
);

-- Sessions, links, tokens, sign-ins under way: digests of secrets, never the secrets.
CREATE TABLE credentials (
    digest      TEXT PRIMARY KEY NOT NULL,
    kind        TEXT NOT NULL,
    actor       TEXT NOT NULL,
    label       TEXT NOT NULL,
    companion   TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX credentials_of_kind ON credentials (kind, created_at, digest);
CREATE INDEX credentials_expiring ON credentials (expires_at);

-- One-time codes that were used, until they expire by themselves.
CREATE TABLE used_keys (
    key         TEXT PRIMARY KEY NOT NULL,
    until       BIGINT NOT NULL
);
CREATE INDEX used_keys_expiring ON used_keys (until);
