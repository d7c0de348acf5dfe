//! The verdict bar: what is asked, of whom, until when, and what was said so far.

use super::sources::{ReviewError, Sources};
use countersign_model::conditions::Conditions;
use countersign_model::decision::{Decision, RequestState, SignoffRequest};
use countersign_model::evidence::Evidence;
use countersign_model::finding::Verdict;
use countersign_model::policy::{ExpiryAction, RoleQuorum, SignoffPolicy, Standing};
use countersign_model::run::Run;
use countersign_model::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is asked, of whom, until when, and what was said so far.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Bar {
    /// The request.
    pub request: String,
    /// The run that waits.
    pub run: String,
    /// The last characters of its identifier.
    pub run_short: String,
    /// The pipeline.
    pub pipeline: String,
    /// The gate.
    pub gate: String,
    /// Digest of the candidate model.
    pub model: String,
    /// Its first twelve characters.
    pub model_short: String,
    /// Digest of the model that was live when the evidence was made; none for a first model.
    pub live: Option<String>,
    /// Its first twelve characters.
    pub live_short: Option<String>,
    /// `open`, `approved`, `rejected`, `superseded`, `expired`, `cancelled` or `void`.
    pub state: String,
    /// More of the state in words: by which run, why; empty when there is no more.
    pub state_detail: String,
    /// Whether the last word was hold.
    pub held: bool,
    /// The evidence's verdict: `pass`, `needs a person` or `fail`.
    pub verdict: String,
    /// Digest of the evidence.
    pub evidence: String,
    /// Its first twelve characters: the same in Slack and on the terminal.
    pub evidence_short: String,
    /// When it was posted, RFC 3339.
    pub posted_at: String,
    /// Until when, if the policy says.
    pub deadline: Option<Deadline>,
    /// Who started the run.
    pub started_by: String,
    /// Who must sign, and how many of them are missing.
    pub quorum: Vec<Quorum>,
    /// Where approving, or overriding on a failed check, is allowed.
    pub approve_on: Vec<String>,
    /// What can be said now: `approve` or `override`, `reject`, `hold`; empty when the request is closed.
    pub kinds: Vec<String>,
    /// Whether approving on the page asks for a one-time code.
    pub second_factor: bool,
    /// Whether whoever started the run may not approve.
    pub forbid_self_approval: bool,
    /// What every approval is under.
    pub conditions: ConditionsView,
    /// What was said, oldest first.
    pub decisions: Vec<DecisionLine>,
}

/// Until when.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Deadline {
    /// The instant, RFC 3339.
    pub at: String,
    /// How long from now, or since when it is over, in words.
    pub left: String,
    /// What happens then, in words. Never an approval.
    pub then: String,
    /// Whether it is over.
    pub overdue: bool,
}

/// Who must sign.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Quorum {
    /// The role.
    pub role: String,
    /// How many people.
    pub count: u32,
    /// How many are still missing.
    pub missing: u32,
}

/// Conditions of an approval.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct ConditionsView {
    /// At most so many per cent of the traffic.
    pub canary_percent: Option<u8>,
    /// Slices that stay with the live model.
    pub except_slices: Vec<String>,
    /// Both in words; empty for none.
    pub in_words: String,
}

impl From<&Conditions> for ConditionsView {
    fn from(conditions: &Conditions) -> Self {
        Self {
            canary_percent: conditions.canary_percent,
            except_slices: conditions.except_slices.iter().cloned().collect(),
            in_words: conditions.in_words(),
        }
    }
}

/// One decision.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DecisionLine {
    /// The decision.
    pub id: String,
    /// `approve`, `reject`, `hold` or `override`.
    pub kind: String,
    /// The account.
    pub actor: String,
    /// The person behind it.
    pub person: String,
    /// Whether that person is listed, or only the account is known.
    pub listed: bool,
    /// What they could sign as.
    pub roles: Vec<String>,
    /// `page`, `slack` or `terminal`.
    pub channel: String,
    /// Whether a second factor was shown.
    pub second_factor: bool,
    /// Why.
    pub reason: String,
    /// Under which conditions, in words.
    pub conditions: String,
    /// The evidence that they saw, twelve characters.
    pub evidence_short: String,
    /// When, RFC 3339.
    pub at: String,
    /// Came after the request was closed: without effect.
    pub late: bool,
    /// The signed statement: a DSSE envelope as JSON text.
    pub envelope: Option<String>,
}

impl From<&Decision> for DecisionLine {
    fn from(decision: &Decision) -> Self {
        Self {
            id: decision.id.to_string(),
            kind: decision.kind.to_string(),
            actor: decision.actor.to_string(),
            person: decision.person.clone(),
            listed: decision.person != decision.actor.as_str(),
            roles: decision.roles.clone(),
            channel: decision.channel.to_string(),
            second_factor: decision.second_factor,
            reason: decision.reason.clone(),
            conditions: decision.conditions.in_words(),
            evidence_short: decision.evidence_digest.short(),
            at: decision.at.to_string(),
            late: decision.late,
            envelope: decision.envelope.clone(),
        }
    }
}

/// The evidence of a request, as a document.
pub(super) fn evidence(request: &SignoffRequest) -> Result<Evidence, ReviewError> {
    serde_json::from_str(&request.evidence).map_err(|error| ReviewError::Unreadable {
        what: format!("evidence of {}", request.id),
        problem: error.to_string(),
    })
}

/// The bar of a request.
pub(super) async fn bar(
    sources: &Sources,
    request: &SignoffRequest,
    evidence: &Evidence,
    run: &Run,
) -> Result<Bar, ReviewError> {
    let decisions = sources.store.decisions(&request.id).await?;
    let standing = request.policy.tally(request.verdict, &decisions);
    let (state, state_detail) = state(&request.state);
    let on = match request.verdict {
        Verdict::Fail => request.policy.overriding.as_ref().map(|overriding| &overriding.on),
        Verdict::Pass | Verdict::NeedsPerson => Some(&request.policy.approve_on),
    };
    Ok(Bar {
        request: request.id.to_string(),
        run: request.run.to_string(),
        run_short: request.run.short(),
        pipeline: request.pipeline.clone(),
        gate: request.gate.clone(),
        model: request.model_digest.to_string(),
        model_short: request.model_digest.short(),
        live: evidence.baseline.map(|digest| digest.to_string()),
        live_short: evidence.baseline.map(|digest| digest.short()),
        state,
        state_detail,
        held: matches!(standing, Standing::Open { held: true, .. }),
        verdict: request.verdict.as_str().to_string(),
        evidence: request.evidence_digest.to_string(),
        evidence_short: request.evidence_digest.short(),
        posted_at: request.posted_at.to_string(),
        deadline: deadline(&request.policy, request.posted_at, sources.clock.now()),
        started_by: run.started_by.to_string(),
        quorum: quorum(request.policy.wanted(request.verdict), &standing),
        approve_on: on.into_iter().flatten().map(|channel| channel.to_string()).collect(),
        kinds: kinds(request),
        second_factor: request.policy.second_factor,
        forbid_self_approval: request.policy.forbid_self_approval,
        conditions: ConditionsView::from(&request.policy.conditions),
        decisions: decisions.iter().map(DecisionLine::from).collect(),
    })
}

/// The stored name of a state, and what it says beyond it.
pub(super) fn state(state: &RequestState) -> (String, String) {
    let detail = match state {
        RequestState::Superseded { by } => format!("by {by}"),
        RequestState::Void { reason } => reason.clone(),
        RequestState::Open
        | RequestState::Approved
        | RequestState::Rejected
        | RequestState::Expired
        | RequestState::Cancelled => String::new(),
    };
    (state.status().to_string(), detail)
}

/// The deadline of a request, seen from `now`.
pub(super) fn deadline(policy: &SignoffPolicy, posted_at: Timestamp, now: Timestamp) -> Option<Deadline> {
    let expiry = policy.expire.as_ref()?;
    let at = expiry.deadline(posted_at);
    let overdue = now >= at;
    let left = if overdue {
        format!("over since {}", super::words::between(at, now))
    } else {
        format!("in {}", super::words::between(now, at))
    };
    let then = match expiry.then {
        ExpiryAction::Hold => "then it stays open, marked overdue",
        ExpiryAction::Reject => "then it ends as expired",
    };
    Some(Deadline { at: at.to_string(), left, then: then.to_string(), overdue })
}

/// Who must sign and who is missing.
pub(super) fn quorum(wanted: &[RoleQuorum], standing: &Standing) -> Vec<Quorum> {
    let nobody = BTreeMap::new();
    let missing = match standing {
        Standing::Open { missing, .. } => missing,
        Standing::Approved | Standing::Rejected => &nobody,
    };
    let line = |quorum: &RoleQuorum| Quorum {
        role: quorum.role.clone(),
        count: quorum.count,
        missing: missing.get(&quorum.role).copied().unwrap_or(0).min(quorum.count),
    };
    wanted.iter().map(line).collect()
}

fn kinds(request: &SignoffRequest) -> Vec<String> {
    if request.state != RequestState::Open {
        return Vec::new();
    }
    let first = match request.verdict {
        Verdict::Pass | Verdict::NeedsPerson => Some("approve"),
        Verdict::Fail => request.policy.overriding.as_ref().map(|_| "override"),
    };
    first.into_iter().chain(["reject", "hold"]).map(str::to_string).collect()
}
