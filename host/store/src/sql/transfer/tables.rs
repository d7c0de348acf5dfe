//! Every table of the record, its columns in their order in a file, and the order of its rows. A test holds this against the
//! database, so that a migration that brings a column can not forget it here.

use std::sync::LazyLock;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
}

/// A table.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// Every row, by key.
    pub(super) select: String,
    pub(super) insert: String,
    pub(super) is_empty: String,
}

impl Table {
    fn new(name: &'static str, key: &[&str], columns: &'static [(&'static str, Kind)]) -> Self {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
        let (names, places, key) = (names.join(", "), places.join(", "), key.join(", "));
        Self {
            name,
            columns,
            select: format!("SELECT {names} FROM {name} ORDER BY {key}"),
            insert: format!("INSERT INTO {name} ({names}) VALUES ({places})"),
            is_empty: format!("SELECT 1 FROM {name} LIMIT 1"),
        }
    }
}

macro_rules! tables {
    (@kind int) => { Kind::Integer };
    (@kind text) => { Kind::Text };
    ($($name:ident ($($key:ident),+): $($kind:ident $column:ident),+;)+) => {
        /// Each comes after those that it refers to. Leases are left out: they are about processes, not about what happened.
        pub(super) static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
            vec![$(Table::new(
                stringify!($name),
                &[$(stringify!($key)),+],
                &[$((stringify!($column), tables!(@kind $kind))),+],
            )),+]
        });
    };
}

tables! {
    pipeline_versions (digest):
        text digest, text name, text pipeline, text origin, int created_at;
    pipelines (name):
        text name, text digest, int most_running, int claimed_at;
    paused (pipeline):
        text pipeline, text actor, text reason, int at;
    events (id):
        text id, text pipeline, text cause, text actor, text dedupe_key, int at, text run, text skipped, int seen;
    runs (id):
        text id, text pipeline, text pipeline_digest, text event, text cause, text started_by, text span, text status, text state, int created_at, int ended_at, text owner, int epoch, int lease_until, int queued_at, int priority, int slot, int collected_at;
    executions (id):
        text id, text run, text pipeline, text step, int attempt, text component, text fingerprint, text cache_key, text own_inputs, text inputs, text parameters, text why, text status, text verdict, text state, int started_at, int ended_at;
    artifacts (id):
        text id, text kind, text digest, int bytes, text pipeline, text step, text output, text run, text execution, text span, int created_at, int collected_at;
    execution_inputs (execution, port, position):
        text execution, text port, int position, text artifact;
    execution_outputs (execution, port):
        text execution, text port, text artifact, text run;
    logs (execution):
        text execution, text lines;
    requests (id):
        text id, text run, text pipeline, text gate, text policy, text evidence, text evidence_digest, text model_digest, text status, text state, int posted_at, int closed_at, text verdict, text nonce, text progress, int next_at;
    decisions (id):
        text id, text request, int position, text kind, text actor, text roles, text channel, text reason, text evidence_digest, int late, int at, text person, int second_factor, text conditions, text envelope;
    pushes (id):
        text id, text run, text pipeline, text model, text target, text request, int begun_at, int completed_at, text conditions;
    outbox (id):
        text id, text run, text channel, text message, int created_at, int attempts, text status, int next_at, text problem;
    pokes (id):
        text id, text request, text actor, int at, text example, text candidate, text live;
    fires (trigger_name):
        text trigger_name, int at;
    seen_files (trigger_name, path):
        text trigger_name, text path, int bytes, int modified, int stable_since, text accepted, int missing_since;
    audit (sequence):
        int sequence, int at, text actor, text action, text subject, text detail, text previous, text hash;
    posts (subject, channel):
        text subject, text channel, text channel_id, text message_id, int posted_at, text memo;
    credentials (digest):
        text digest, text kind, text actor, text label, text companion, int created_at, int expires_at;
    used_keys (key):
        text key, int until;
}
