//! Requests and decisions: the one place in which a waiting run is moved on.

use super::claims;
use super::connection::{Connection, all, one};
use super::statement::Sql;
use super::write::Write;
use super::{deadlines, outbox, rows, runs};
use crate::deeds::{self, Deed};
use crate::judgement;
use countersign_model::actor::Actor;
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::id::{RequestId, RunId};
use countersign_model::run::{Claim, RunEnd, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{Recorded, Waiting};
use countersign_ports::notifier::Notice;

pub(super) const ONE: &str = "SELECT * FROM requests WHERE id = $1";
pub(super) const OF_RUN: &str = "SELECT * FROM requests WHERE run = $1 ORDER BY id DESC";
pub(super) const OF_MODEL: &str = "SELECT * FROM requests WHERE model_digest = $1 ORDER BY id DESC";
pub(super) const EVERY: &str = "SELECT * FROM requests WHERE id < '~' ORDER BY id DESC";
pub(super) const OPEN_OF_GATE: &str = "SELECT * FROM requests WHERE pipeline = $1 AND gate = $2 AND status = 'open'";
pub(super) const OLDER_OF_GATE: &str =
    "SELECT * FROM requests WHERE pipeline = $1 AND gate = $2 AND status = 'open' AND run <> $3";
/// Names its columns, so that evidence is not read.
pub(super) const WAITING: &str = "SELECT id, run, pipeline, gate, policy, evidence_digest, model_digest, verdict, posted_at \
     FROM requests WHERE status = 'open' AND (posted_at, id) > ($1, $2) ORDER BY posted_at, id LIMIT $3";
pub(super) const DECISIONS: &str = "SELECT * FROM decisions WHERE request = $1 ORDER BY position";
pub(super) const DECISION: &str = "SELECT * FROM decisions WHERE id = $1";
const INSERT: &str = "INSERT INTO requests (id, run, pipeline, gate, policy, evidence, evidence_digest, model_digest, verdict, \
     nonce, status, state, posted_at, progress, next_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
/// Nothing is due any more at a request that is closed.
const CLOSE: &str = "UPDATE requests SET status = $2, state = $3, closed_at = $4, next_at = NULL WHERE id = $1";
const INSERT_DECISION: &str = "INSERT INTO decisions (id, request, position, kind, actor, person, roles, channel, \
     second_factor, reason, conditions, evidence_digest, envelope, late, at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

pub(super) async fn find(
    connection: &mut Connection<'_>,
    id: &RequestId,
) -> Result<Option<SignoffRequest>, StoreError> {
    let row = one(connection, "read request", Sql::new(ONE).bind(id.to_string())).await?;
    row.as_ref().map(rows::request).transpose()
}

/// The request, which has to be there.
pub(super) async fn get(connection: &mut Connection<'_>, id: &RequestId) -> Result<SignoffRequest, StoreError> {
    find(connection, id).await?.ok_or_else(|| StoreError::NotFound { what: "request", id: id.to_string() })
}

/// The open request of a gate.
pub(super) async fn open_at(
    connection: &mut Connection<'_>,
    pipeline: &str,
    gate: &str,
) -> Result<Option<SignoffRequest>, StoreError> {
    let sql = Sql::new(OPEN_OF_GATE).bind(pipeline).bind(gate);
    let row = one(connection, "read open request", sql).await?;
    row.as_ref().map(rows::request).transpose()
}

/// Writes a state in which nobody waits any more.
pub(super) async fn set_closed(
    write: &mut Write<'_>,
    id: &RequestId,
    state: &RequestState,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = Sql::new(CLOSE)
        .bind(id.to_string())
        .bind(state.status())
        .bind(serde_json::to_string(state)?)
        .bind(at.as_micros());
    write.execute("write request state", sql).await.map(|_| ())
}

pub(super) async fn open(
    mut write: Write<'_>,
    claim: &Claim,
    request: &SignoffRequest,
    notices: &[Notice],
) -> Result<(), StoreError> {
    let held = claims::guard(&mut write, claim, &request.run).await?;
    let mut deeds = supersede(&mut write, claim, request).await?;
    let request = SignoffRequest { state: RequestState::Open, ..request.clone() };
    insert(&mut write, &request).await?;
    runs::set_state(&mut write, &claim.run, &held.wait(request.id)?, None, None).await?;
    outbox::insert(&mut write, notices).await?;
    deeds.push(deeds::request_opened(claim, &request));
    write.commit(deeds).await
}

async fn insert(write: &mut Write<'_>, request: &SignoffRequest) -> Result<(), StoreError> {
    let sql = Sql::new(INSERT)
        .bind(request.id.to_string())
        .bind(request.run.to_string())
        .bind(request.pipeline.as_str())
        .bind(request.gate.as_str())
        .bind(serde_json::to_string(&request.policy)?)
        .bind(request.evidence.as_str())
        .bind(request.evidence_digest.to_string())
        .bind(request.model_digest.to_string())
        .bind(serde_json::to_value(request.verdict)?.as_str().map(str::to_string))
        .bind(request.nonce.as_str())
        .bind(request.state.status())
        .bind(serde_json::to_string(&request.state)?)
        .bind(request.posted_at.as_micros())
        .bind(serde_json::to_string(&request.progress)?)
        .bind(deadlines::next_at(request));
    write.execute("open request", sql).await.map(|_| ())
}

/// Older candidates at the same gate: their requests are superseded and their runs end.
async fn supersede(write: &mut Write<'_>, claim: &Claim, request: &SignoffRequest) -> Result<Vec<Deed>, StoreError> {
    let sql =
        Sql::new(OLDER_OF_GATE).bind(request.pipeline.as_str()).bind(request.gate.as_str()).bind(claim.run.to_string());
    let older = all(&mut write.connection(), "supersede requests", sql).await?;
    let state = RequestState::Superseded { by: claim.run };
    let mut deeds = Vec::new();
    for row in &older {
        let older = rows::request(row)?;
        set_closed(write, &older.id, &state, request.posted_at).await?;
        let run = runs::get(&mut write.connection(), &older.run).await?;
        let ended = run.state.end(RunEnd::Superseded { by: claim.run })?;
        runs::set_state(write, &older.run, &ended, Some(request.posted_at), None).await?;
        deeds.push(deeds::request_superseded(claim, &older, &state));
        deeds.push(deeds::run_superseded(claim, &older.run));
    }
    Ok(deeds)
}

pub(super) async fn record_decision(
    mut write: Write<'_>,
    decision: &Decision,
    notices: &[Notice],
) -> Result<Recorded, StoreError> {
    let mut request = get(&mut write.connection(), &decision.request).await?;
    let known = one(&mut write.connection(), "read decision", Sql::new(DECISION).bind(decision.id.to_string())).await?;
    let mut decisions = self::decisions(&mut write.connection(), &request.id).await?;
    if let Some(row) = known {
        let (standing, _) = judgement::judge(&request, &decisions);
        return Ok(Recorded { decision: rows::decision(&row)?, standing, request });
    }
    let decision = judgement::admit(&request, decision)?;
    insert_decision(&mut write, &decision, decisions.len()).await?;
    outbox::insert(&mut write, &judgement::notices_of(&decision, notices)).await?;
    let mut deeds = vec![deeds::decision_recorded(&decision, &request)];
    decisions.push(decision.clone());
    let (standing, state) = judgement::judge(&request, &decisions);
    if let Some(state) = state {
        set_closed(&mut write, &request.id, &state, decision.at).await?;
        deeds.push(deeds::request_closed(&decision.actor, &request, &state));
        deeds.extend(resume(&mut write, &decision.actor, &request).await?);
        request.state = state;
    }
    write.commit(deeds).await?;
    Ok(Recorded { decision, standing, request })
}

async fn insert_decision(write: &mut Write<'_>, decision: &Decision, position: usize) -> Result<(), StoreError> {
    let sql = Sql::new(INSERT_DECISION)
        .bind(decision.id.to_string())
        .bind(decision.request.to_string())
        .bind(i64::try_from(position).unwrap_or(i64::MAX))
        .bind(decision.kind.as_str())
        .bind(decision.actor.as_str())
        .bind(decision.person.as_str())
        .bind(serde_json::to_string(&decision.roles)?)
        .bind(decision.channel.as_str())
        .bind(i64::from(decision.second_factor))
        .bind(decision.reason.as_str())
        .bind(serde_json::to_string(&decision.conditions)?)
        .bind(decision.evidence_digest.to_string())
        .bind(decision.envelope.as_deref())
        .bind(i64::from(decision.late))
        .bind(decision.at.as_micros());
    write.execute("record decision", sql).await.map(|_| ())
}

/// Queues the run when it waits for this request. A run whose worker goes on working is left to it.
async fn resume(write: &mut Write<'_>, by: &Actor, request: &SignoffRequest) -> Result<Option<Deed>, StoreError> {
    let run = runs::get(&mut write.connection(), &request.run).await?;
    if run.state != (RunState::Waiting { request: request.id }) {
        return Ok(None);
    }
    let now = write.now();
    runs::set_state(write, &run.id, &run.state.resume(request.id)?, None, Some(now)).await?;
    Ok(Some(deeds::run_resumed(by, request)))
}

pub(super) async fn close(
    mut write: Write<'_>,
    id: &RequestId,
    state: &RequestState,
    at: Timestamp,
    notices: &[Notice],
) -> Result<(), StoreError> {
    let request = get(&mut write.connection(), id).await?;
    judgement::may_close(&request.state, state)?;
    set_closed(&mut write, id, state, at).await?;
    let by = Actor::system("signoff");
    let mut deeds = vec![deeds::request_closed(&by, &request, state)];
    deeds.extend(resume(&mut write, &by, &request).await?);
    outbox::insert(&mut write, notices).await?;
    write.commit(deeds).await
}

pub(super) async fn list(
    connection: &mut Connection<'_>,
    run: Option<&RunId>,
    model: Option<&Digest>,
) -> Result<Vec<SignoffRequest>, StoreError> {
    let sql = match (run, model) {
        (Some(run), _) => Sql::new(OF_RUN).bind(run.to_string()),
        (None, Some(model)) => Sql::new(OF_MODEL).bind(model.to_string()),
        (None, None) => Sql::new(EVERY),
    };
    let rows = all(connection, "list requests", sql).await?;
    let mut requests = rows.iter().map(rows::request).collect::<Result<Vec<_>, _>>()?;
    requests.retain(|request| model.is_none_or(|model| request.model_digest == *model));
    Ok(requests)
}

pub(super) async fn waiting(
    connection: &mut Connection<'_>,
    after: Option<(Timestamp, RequestId)>,
    limit: u32,
) -> Result<Vec<Waiting>, StoreError> {
    let (at, id) = after.map_or((i64::MIN, String::new()), |(at, id)| (at.as_micros(), id.to_string()));
    let rows = all(connection, "list waiting requests", Sql::new(WAITING).bind(at).bind(id).bind(limit)).await?;
    rows.iter().map(rows::waiting).collect()
}

pub(super) async fn decisions(connection: &mut Connection<'_>, id: &RequestId) -> Result<Vec<Decision>, StoreError> {
    let rows = all(connection, "list decisions", Sql::new(DECISIONS).bind(id.to_string())).await?;
    rows.iter().map(rows::decision).collect()
}
