//! From rows to types. Whatever does not fit is reported with table, column and row, never skipped.

use super::connection::Row;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::audit::{AuditEntry, AuditFact};
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::event::{Event, EventOutcome};
use countersign_model::execution::Execution;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::push::Push;
use countersign_model::run::{Run, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::Waiting;
use countersign_ports::notifier::Notice;
use serde::de::DeserializeOwned;
use serde::de::value::StrDeserializer;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};
use std::error::Error;
use std::str::FromStr;

/// What both databases can hold.
trait Stored<'r>: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres> {}

impl<'r, T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>> Stored<'r> for T {}

type Cause = Box<dyn Error + Send + Sync>;

/// A row, its table, and the column that tells it from others.
pub(super) struct Record<'r> {
    row: &'r Row,
    table: &'static str,
    key: &'static str,
}

impl<'r> Record<'r> {
    pub(super) fn new(row: &'r Row, table: &'static str, key: &'static str) -> Self {
        Self { row, table, key }
    }

    pub(super) fn nonsense(&self, column: &'static str, cause: impl Into<Cause>) -> StoreError {
        let number = || self.get::<i64>(self.key).ok().map(|number| number.to_string());
        let key = self.get::<String>(self.key).ok().or_else(number);
        let key = key.unwrap_or_else(|| "an unnamed row".to_string());
        StoreError::Nonsense { table: self.table, column, row: key, source: cause.into() }
    }

    fn get<T: Stored<'r>>(&self, column: &'static str) -> Result<T, sqlx::Error> {
        match self.row {
            Row::Sqlite(row) => row.try_get(column),
            Row::Postgres(row) => row.try_get(column),
        }
    }

    fn value<T: Stored<'r>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.get(column).map_err(|error| self.nonsense(column, error))
    }

    pub(super) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.value(column)
    }

    pub(super) fn optional_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.value(column)
    }

    /// A text that spells a value: an identifier, a digest, an actor.
    pub(super) fn parsed<T: FromStr<Err: Into<Cause>>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.value::<&str>(column)?.parse().map_err(|error| self.nonsense(column, error))
    }

    pub(super) fn optional_parsed<T: FromStr<Err: Into<Cause>>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let text = self.value::<Option<&str>>(column)?;
        text.map(str::parse).transpose().map_err(|error| self.nonsense(column, error))
    }

    /// A text that names one case of an enum.
    fn named<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        let name = StrDeserializer::<serde_json::Error>::new(self.value(column)?);
        T::deserialize(name).map_err(|error| self.nonsense(column, error))
    }

    /// A JSON document.
    pub(super) fn document<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(self.value(column)?).map_err(|error| self.nonsense(column, error))
    }

    pub(super) fn optional_document<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let text = self.value::<Option<&str>>(column)?;
        text.map(serde_json::from_str).transpose().map_err(|error| self.nonsense(column, error))
    }

    pub(super) fn number<T: TryFrom<i64, Error: Into<Cause>>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.value::<i64>(column)?.try_into().map_err(|error| self.nonsense(column, error))
    }

    pub(super) fn instant(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.value(column).map(Timestamp::from_micros)
    }

    pub(super) fn optional_instant(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.value::<Option<i64>>(column)?.map(Timestamp::from_micros))
    }
}

pub(super) fn pipeline_version(row: &Row) -> Result<PipelineVersion, StoreError> {
    let record = Record::new(row, "pipeline_versions", "digest");
    Ok(PipelineVersion {
        name: record.text("name")?,
        digest: record.parsed("digest")?,
        pipeline: record.document("pipeline")?,
        origin: record.text("origin")?,
        created_at: record.instant("created_at")?,
    })
}

pub(super) fn event(row: &Row) -> Result<(Event, EventOutcome), StoreError> {
    let record = Record::new(row, "events", "id");
    let event = Event {
        id: record.parsed("id")?,
        pipeline: record.text("pipeline")?,
        cause: record.document("cause")?,
        actor: record.parsed("actor")?,
        dedupe_key: record.text("dedupe_key")?,
        at: record.instant("at")?,
    };
    let outcome = match record.optional_parsed("run")? {
        Some(run) => EventOutcome::Run { run },
        None => EventOutcome::Skipped { reason: record.text("skipped")? },
    };
    Ok((event, outcome))
}

pub(super) fn run(row: &Row) -> Result<Run, StoreError> {
    let record = Record::new(row, "runs", "id");
    let state: RunState = record.document("state")?;
    if state.status() != record.value::<&str>("status")? {
        return Err(record.nonsense("status", "it is not that of the state"));
    }
    Ok(Run {
        id: record.parsed("id")?,
        pipeline: record.text("pipeline")?,
        pipeline_digest: record.parsed("pipeline_digest")?,
        event: record.parsed("event")?,
        cause: record.document("cause")?,
        started_by: record.parsed("started_by")?,
        span: record.optional_text("span")?,
        priority: record.number("priority")?,
        state,
        created_at: record.instant("created_at")?,
        ended_at: record.optional_instant("ended_at")?,
    })
}

pub(super) fn execution(row: &Row) -> Result<Execution, StoreError> {
    let record = Record::new(row, "executions", "id");
    Ok(Execution {
        id: record.parsed("id")?,
        run: record.parsed("run")?,
        pipeline: record.text("pipeline")?,
        step: record.text("step")?,
        attempt: record.number("attempt")?,
        component: record.text("component")?,
        fingerprint: record.document("fingerprint")?,
        cache_key: record.parsed("cache_key")?,
        own_inputs: record.parsed("own_inputs")?,
        inputs: record.document("inputs")?,
        parameters: record.document("parameters")?,
        why: record.text("why")?,
        state: record.document("state")?,
        started_at: record.instant("started_at")?,
    })
}

pub(super) fn artifact(row: &Row) -> Result<Artifact, StoreError> {
    let record = Record::new(row, "artifacts", "id");
    Ok(Artifact {
        id: record.parsed("id")?,
        kind: ArtifactKind::new(record.text("kind")?),
        digest: record.parsed("digest")?,
        bytes: record.number("bytes")?,
        pipeline: record.text("pipeline")?,
        step: record.text("step")?,
        output: record.text("output")?,
        run: record.parsed("run")?,
        execution: record.optional_parsed("execution")?,
        span: record.optional_text("span")?,
        created_at: record.instant("created_at")?,
    })
}

pub(super) fn request(row: &Row) -> Result<SignoffRequest, StoreError> {
    let record = Record::new(row, "requests", "id");
    Ok(SignoffRequest {
        id: record.parsed("id")?,
        run: record.parsed("run")?,
        pipeline: record.text("pipeline")?,
        gate: record.text("gate")?,
        policy: record.document("policy")?,
        evidence: record.text("evidence")?,
        evidence_digest: record.parsed("evidence_digest")?,
        model_digest: record.parsed("model_digest")?,
        verdict: record.named("verdict")?,
        nonce: record.text("nonce")?,
        state: record.document("state")?,
        posted_at: record.instant("posted_at")?,
        progress: record.document("progress")?,
    })
}

pub(super) fn waiting(row: &Row) -> Result<Waiting, StoreError> {
    let record = Record::new(row, "requests", "id");
    Ok(Waiting {
        id: record.parsed("id")?,
        run: record.parsed("run")?,
        pipeline: record.text("pipeline")?,
        gate: record.text("gate")?,
        policy: record.document("policy")?,
        evidence_digest: record.parsed("evidence_digest")?,
        model_digest: record.parsed("model_digest")?,
        verdict: record.named("verdict")?,
        posted_at: record.instant("posted_at")?,
    })
}

pub(super) fn decision(row: &Row) -> Result<Decision, StoreError> {
    let record = Record::new(row, "decisions", "id");
    Ok(Decision {
        id: record.parsed("id")?,
        request: record.parsed("request")?,
        kind: record.named("kind")?,
        actor: record.parsed("actor")?,
        person: record.text("person")?,
        roles: record.document("roles")?,
        channel: record.named("channel")?,
        second_factor: record.number::<i64>("second_factor")? != 0,
        reason: record.text("reason")?,
        conditions: record.document("conditions")?,
        evidence_digest: record.parsed("evidence_digest")?,
        envelope: record.optional_text("envelope")?,
        late: record.number::<i64>("late")? != 0,
        at: record.instant("at")?,
    })
}

pub(super) fn push(row: &Row) -> Result<Push, StoreError> {
    let record = Record::new(row, "pushes", "id");
    Ok(Push {
        id: record.parsed("id")?,
        run: record.parsed("run")?,
        pipeline: record.text("pipeline")?,
        model: record.parsed("model")?,
        target: record.text("target")?,
        request: record.parsed("request")?,
        conditions: record.document("conditions")?,
        begun_at: record.instant("begun_at")?,
        completed_at: record.optional_instant("completed_at")?,
    })
}

pub(super) fn notice(row: &Row) -> Result<Notice, StoreError> {
    let record = Record::new(row, "outbox", "id");
    Ok(Notice {
        id: record.parsed("id")?,
        run: record.parsed("run")?,
        channel: record.text("channel")?,
        message: record.document("message")?,
        created_at: record.instant("created_at")?,
        attempts: record.number("attempts")?,
    })
}

pub(super) fn audit_entry(row: &Row) -> Result<AuditEntry, StoreError> {
    let record = Record::new(row, "audit", "sequence");
    Ok(AuditEntry {
        sequence: record.number("sequence")?,
        fact: AuditFact {
            at: record.instant("at")?,
            actor: record.parsed("actor")?,
            action: record.text("action")?,
            subject: record.text("subject")?,
            detail: record.document("detail")?,
        },
        previous: record.parsed("previous")?,
        hash: record.parsed("hash")?,
    })
}
