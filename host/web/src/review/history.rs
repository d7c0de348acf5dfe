//! What came before: requests about this run and this model, models that were live, messages that did not arrive.

use super::request;
use super::sources::{ReviewError, Sources};
use countersign_model::decision::SignoffRequest;
use countersign_model::push::Push;
use countersign_model::run::Run;
use countersign_ports::metadata_store::Undelivered;
use schemars::JsonSchema;
use serde::Serialize;

/// Entries shown of each kind.
const SHOWN: u32 = 10;

/// What came before.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct History {
    /// Requests about this run or this very model, newest first.
    pub requests: Vec<RequestLine>,
    /// Models of this pipeline that went live, newest first.
    pub pushes: Vec<PushLine>,
    /// Messages about this run that did not arrive.
    pub undelivered: Vec<NoticeLine>,
}

/// One request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RequestLine {
    /// Its identifier.
    pub id: String,
    /// Its run.
    pub run: String,
    /// Its gate.
    pub gate: String,
    /// Where it stands.
    pub state: String,
    /// More of that in words.
    pub state_detail: String,
    /// The evidence's verdict.
    pub verdict: String,
    /// Twelve characters of the evidence digest.
    pub evidence_short: String,
    /// Twelve characters of the candidate's digest.
    pub model_short: String,
    /// When it was posted, RFC 3339.
    pub posted_at: String,
}

impl From<&SignoffRequest> for RequestLine {
    fn from(request: &SignoffRequest) -> Self {
        let (state, state_detail) = request::state(&request.state);
        Self {
            id: request.id.to_string(),
            run: request.run.to_string(),
            gate: request.gate.clone(),
            state,
            state_detail,
            verdict: request.verdict.as_str().to_string(),
            evidence_short: request.evidence_digest.short(),
            model_short: request.model_digest.short(),
            posted_at: request.posted_at.to_string(),
        }
    }
}

/// One model that went live.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PushLine {
    /// Digest of the model.
    pub model: String,
    /// Its first twelve characters.
    pub model_short: String,
    /// Where it lies.
    pub target: String,
    /// The run.
    pub run: String,
    /// The request that allowed it.
    pub request: String,
    /// Under which conditions, in words.
    pub conditions: String,
    /// When it was in place, RFC 3339.
    pub at: String,
}

impl From<&Push> for PushLine {
    fn from(push: &Push) -> Self {
        Self {
            model: push.model.to_string(),
            model_short: push.model.short(),
            target: push.target.clone(),
            run: push.run.to_string(),
            request: push.request.to_string(),
            conditions: push.conditions.in_words(),
            at: push.completed_at.unwrap_or(push.begun_at).to_string(),
        }
    }
}

/// One message that did not arrive.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NoticeLine {
    /// Where it should have gone.
    pub channel: String,
    /// What went wrong the last time.
    pub problem: String,
    /// When it is tried again, RFC 3339; none when it was given up.
    pub next_at: Option<String>,
    /// Deliveries tried.
    pub attempts: u32,
}

impl From<&Undelivered> for NoticeLine {
    fn from(undelivered: &Undelivered) -> Self {
        Self {
            channel: undelivered.notice.channel.clone(),
            problem: undelivered.problem.clone().unwrap_or_else(|| "not delivered".to_string()),
            next_at: undelivered.next_at.map(|at| at.to_string()),
            attempts: undelivered.notice.attempts,
        }
    }
}

/// Messages about a run that did not arrive.
pub(super) async fn undelivered(sources: &Sources, run: &Run) -> Result<Vec<NoticeLine>, ReviewError> {
    Ok(sources.store.undelivered(Some(&run.id), SHOWN).await?.iter().map(NoticeLine::from).collect())
}

/// The history of a request.
pub(super) async fn history(sources: &Sources, request: &SignoffRequest, run: &Run) -> Result<History, ReviewError> {
    let mut requests = sources.store.requests(None, Some(&request.model_digest)).await?;
    requests.extend(sources.store.requests(Some(&request.run), None).await?);
    requests.sort_by_key(|request| std::cmp::Reverse((request.posted_at, request.id)));
    requests.dedup_by_key(|request| request.id);
    requests.truncate(SHOWN as usize);
    let pushes = sources.store.pushes(Some(&request.pipeline), SHOWN).await?;
    Ok(History {
        requests: requests.iter().map(RequestLine::from).collect(),
        pushes: pushes.iter().map(PushLine::from).collect(),
        undelivered: undelivered(sources, run).await?,
    })
}
