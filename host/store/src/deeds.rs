//! What each state change says in the audit log. Both stores write these, so their logs read alike. Details carry digests,
//! numbers and names; people's own words appear as a digest only, for they may hold what must not be kept for ever.

use countersign_model::actor::Actor;
use countersign_model::artifact::Artifact;
use countersign_model::audit::AuditFact;
use countersign_model::canonical;
use countersign_model::deadline::Progress;
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::event::Event;
use countersign_model::execution::{Execution, ExecutionState, StepResult};
use countersign_model::id::RunId;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::poke::Poke;
use countersign_model::push::Push;
use countersign_model::run::{Claim, Run, RunEnd};
use countersign_model::time::Timestamp;
use countersign_ports::access_store::Credential;
use countersign_ports::metadata_store::AuditNote;
use countersign_ports::retention_store::Collected;
use countersign_ports::trigger_store::{Paused, SeenFile};
use serde_json::{Map, Value, json};

/// Who did what to what; the store adds when, unless it happened before it was written.
pub(crate) struct Deed {
    at: Option<Timestamp>,
    actor: Actor,
    action: &'static str,
    subject: String,
    detail: Value,
}

impl Deed {
    pub(crate) fn at(self, now: Timestamp) -> AuditFact {
        let at = self.at.unwrap_or(now);
        AuditFact { at, actor: self.actor, action: self.action.to_string(), subject: self.subject, detail: self.detail }
    }
}

fn deed(actor: &Actor, action: &'static str, subject: impl ToString, detail: Value) -> Deed {
    Deed { at: None, actor: actor.clone(), action, subject: subject.to_string(), detail }
}

fn worker(claim: &Claim) -> Actor {
    Actor::system(&claim.worker.to_string())
}

pub(crate) fn pipeline_registered(version: &PipelineVersion, by: &Actor) -> Deed {
    deed(by, "pipeline.registered", &version.name, json!({ "digest": version.digest }))
}

/// `replaced` are the runs in whose place it starts one.
pub(crate) fn event_accepted(event: &Event, run: &Run, replaced: &[RunId]) -> Deed {
    let mut detail = json!({
        "pipeline": event.pipeline, "cause": event.cause, "run": run.id, "pipeline_digest": run.pipeline_digest,
    });
    if !replaced.is_empty() {
        detail["replaced"] = json!(replaced);
    }
    deed(&event.actor, "event.accepted", event.id, detail)
}

pub(crate) fn event_skipped(event: &Event, reason: &str) -> Deed {
    let detail = json!({ "pipeline": event.pipeline, "cause": event.cause, "reason": reason });
    deed(&event.actor, "event.skipped", event.id, detail)
}

pub(crate) fn run_claimed(claim: &Claim) -> Deed {
    deed(&worker(claim), "run.claimed", claim.run, json!({ "epoch": claim.epoch }))
}

pub(crate) fn run_released(claim: &Claim) -> Deed {
    deed(&worker(claim), "run.released", claim.run, json!({ "epoch": claim.epoch }))
}

pub(crate) fn run_ended(claim: &Claim, end: &RunEnd) -> Deed {
    deed(&worker(claim), "run.ended", claim.run, json!({ "end": end.as_str() }))
}

pub(crate) fn run_cancelled(run: &RunId, by: &Actor) -> Deed {
    deed(by, "run.cancelled", run, json!({}))
}

pub(crate) fn run_superseded(claim: &Claim, run: &RunId) -> Deed {
    deed(&worker(claim), "run.superseded", run, json!({ "by": claim.run }))
}

pub(crate) fn run_replaced(event: &Event, replaced: &RunId, by: &Run) -> Deed {
    deed(&event.actor, "run.replaced", replaced, json!({ "by": by.id, "event": event.id }))
}

pub(crate) fn run_resumed(by: &Actor, request: &SignoffRequest) -> Deed {
    deed(by, "run.resumed", request.run, json!({ "request": request.id }))
}

pub(crate) fn execution_begun(claim: &Claim, execution: &Execution) -> Deed {
    let detail = json!({
        "run": execution.run, "step": execution.step, "attempt": execution.attempt, "cache_key": execution.cache_key,
    });
    deed(&worker(claim), "execution.begun", execution.id, detail)
}

pub(crate) fn execution_published(claim: &Claim, execution: &Execution) -> Deed {
    let mut detail = json!({
        "run": execution.run, "step": execution.step, "status": execution.state.status(), "cache_key": execution.cache_key,
    });
    match &execution.state {
        ExecutionState::Running => {}
        ExecutionState::Succeeded { result } => {
            detail["verdict"] = json!(result.verdict);
            detail["outputs"] = digests(result);
        }
        ExecutionState::Cached { from, result, .. } => {
            detail["from"] = json!(from);
            detail["verdict"] = json!(result.verdict);
            detail["outputs"] = digests(result);
        }
        ExecutionState::Failed { error, .. } => detail["code"] = json!(error.code),
    }
    deed(&worker(claim), "execution.published", execution.id, detail)
}

fn digests(result: &StepResult) -> Value {
    let digests: Map<String, Value> =
        result.outputs.iter().map(|(port, artifact)| (port.clone(), json!(artifact.digest))).collect();
    Value::Object(digests)
}

pub(crate) fn delivery_recorded(claim: &Claim, artifact: &Artifact) -> Deed {
    let detail =
        json!({ "run": artifact.run, "source": artifact.step, "span": artifact.span, "digest": artifact.digest });
    deed(&worker(claim), "delivery.recorded", artifact.id, detail)
}

pub(crate) fn request_opened(claim: &Claim, request: &SignoffRequest) -> Deed {
    let detail = json!({
        "run": request.run, "gate": request.gate, "evidence": request.evidence_digest, "model": request.model_digest,
    });
    deed(&worker(claim), "request.opened", request.id, detail)
}

/// The request changed its state: `request` as it was, `state` as it is.
pub(crate) fn request_closed(by: &Actor, request: &SignoffRequest, state: &RequestState) -> Deed {
    let action = match state {
        RequestState::Open => "request.opened",
        RequestState::Approved => "request.approved",
        RequestState::Rejected => "request.rejected",
        RequestState::Superseded { .. } => "request.superseded",
        RequestState::Expired => "request.expired",
        RequestState::Cancelled => "request.cancelled",
        RequestState::Void { .. } => "request.void",
    };
    let mut detail = json!({ "run": request.run, "evidence": request.evidence_digest, "model": request.model_digest });
    match state {
        RequestState::Superseded { by } => detail["by"] = json!(by),
        RequestState::Void { reason } => detail["reason"] = json!(reason),
        RequestState::Open
        | RequestState::Approved
        | RequestState::Rejected
        | RequestState::Expired
        | RequestState::Cancelled => {}
    }
    deed(by, action, request.id, detail)
}

/// As [`request_closed`], by the worker of the newer candidate.
pub(crate) fn request_superseded(claim: &Claim, request: &SignoffRequest, state: &RequestState) -> Deed {
    request_closed(&worker(claim), request, state)
}

pub(crate) fn decision_recorded(decision: &Decision, request: &SignoffRequest) -> Deed {
    let detail = json!({
        "request": decision.request, "kind": decision.kind, "roles": decision.roles, "channel": decision.channel,
        "late": decision.late, "evidence": decision.evidence_digest, "model": request.model_digest,
        "reason": Digest::of(decision.reason.as_bytes()), "person": decision.person,
        "second_factor": decision.second_factor, "conditions": decision.conditions,
        "envelope": decision.envelope.as_ref().map(|envelope| Digest::of(envelope.as_bytes())),
    });
    deed(&decision.actor, "decision.recorded", decision.id, detail)
}

/// One entry for each thing that was done: `request` as it is now, `from` as its progress was.
pub(crate) fn request_advanced(request: &SignoffRequest, from: &Progress, at: Timestamp) -> Vec<Deed> {
    let to = &request.progress;
    let done = [
        ("request.reminded", to.reminded != from.reminded),
        ("request.escalated", to.escalated != from.escalated),
        ("request.overdue", to.overdue != from.overdue),
    ];
    let by = Actor::system("signoff");
    let detail = json!({ "run": request.run, "at": at, "progress": to });
    let done = done.into_iter().filter(|(_, done)| *done);
    done.map(|(action, _)| deed(&by, action, request.id, detail.clone())).collect()
}

pub(crate) fn model_poked(poke: &Poke) -> Result<Deed, serde_json::Error> {
    let detail = json!({ "request": poke.request, "example": canonical::digest(&poke.example)? });
    Ok(deed(&poke.actor, "model.poked", poke.id, detail))
}

pub(crate) fn push_begun(claim: &Claim, push: &Push) -> Deed {
    deed(&worker(claim), "push.begun", push.id, push_detail(push))
}

pub(crate) fn push_completed(claim: &Claim, push: &Push) -> Deed {
    deed(&worker(claim), "push.completed", push.id, push_detail(push))
}

fn push_detail(push: &Push) -> Value {
    json!({
        "run": push.run, "request": push.request, "model": push.model, "target": push.target, "conditions": push.conditions,
    })
}

pub(crate) fn credential_created(credential: &Credential, by: &Actor) -> Deed {
    credential_deed(by, "credential.created", credential)
}

pub(crate) fn credential_redeemed(credential: &Credential) -> Deed {
    credential_deed(&credential.actor, "credential.redeemed", credential)
}

pub(crate) fn credential_revoked(credential: &Credential, by: &Actor) -> Deed {
    credential_deed(by, "credential.revoked", credential)
}

/// Named by the beginning of its digest; neither the secret nor the companion.
fn credential_deed(by: &Actor, action: &'static str, credential: &Credential) -> Deed {
    let detail = json!({
        "kind": credential.kind.as_str(), "label": credential.label, "for": credential.actor,
        "expires_at": credential.expires_at,
    });
    deed(by, action, credential.digest.short(), detail)
}

pub(crate) fn note(note: &AuditNote) -> Deed {
    let deed = deed(&note.actor, note.action.as_str(), &note.subject, note.detail.clone());
    Deed { at: Some(note.at), ..deed }
}

pub(crate) fn schedule_registered(trigger: &str, at: Timestamp) -> Deed {
    deed(&Actor::system("triggers"), "schedule.registered", trigger, json!({ "from": at }))
}

pub(crate) fn schedule_fired(trigger: &str, at: Timestamp) -> Deed {
    deed(&Actor::system("triggers"), "schedule.fired", trigger, json!({ "for": at }))
}

pub(crate) fn pipeline_paused(paused: &Paused) -> Deed {
    let detail = json!({ "reason": Digest::of(paused.reason.as_bytes()) });
    Deed { at: Some(paused.at), ..deed(&paused.by, "pipeline.paused", &paused.pipeline, detail) }
}

pub(crate) fn pipeline_unpaused(pipeline: &str, by: &Actor, at: Timestamp) -> Deed {
    Deed { at: Some(at), ..deed(by, "pipeline.unpaused", pipeline, json!({})) }
}

pub(crate) fn file_accepted(file: &SeenFile, digest: &Digest) -> Deed {
    let detail = json!({ "path": file.path, "bytes": file.bytes, "digest": digest });
    deed(&Actor::system("triggers"), "file.accepted", &file.trigger, detail)
}

pub(crate) fn run_collected(gone: &Collected, by: &Actor, at: Timestamp) -> Deed {
    let detail = json!({ "artifacts": gone.artifacts.len(), "logs": gone.logs });
    Deed { at: Some(at), ..deed(by, "run.collected", gone.run, detail) }
}
