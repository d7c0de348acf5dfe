//! Everything that waits for people, what waits for the reader first.

use super::request::{self, Deadline, Quorum};
use super::sources::{ReviewError, Sources};
use countersign_model::actor::Identity;
use countersign_model::decision::Decision;
use countersign_model::policy::Standing;
use countersign_ports::metadata_store::Waiting;
use schemars::JsonSchema;
use serde::Serialize;

/// Requests shown of each kind.
const SHOWN: usize = 100;
/// Requests read at once: however many wait, few are held.
const PAGE: u32 = 1_000;

/// Everything that waits for people.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Inbox {
    /// What waits for the reader, longest waiting first.
    pub mine: Vec<InboxItem>,
    /// What waits for others, or for others as well after the reader signed.
    pub others: Vec<InboxItem>,
    /// Open requests there are.
    pub total: usize,
}

/// One request that waits.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InboxItem {
    /// The request.
    pub request: String,
    /// The run.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// The gate.
    pub gate: String,
    /// Twelve characters of the candidate's digest.
    pub model_short: String,
    /// Twelve characters of the evidence digest.
    pub evidence_short: String,
    /// `pass`, `needs a person` or `fail`.
    pub verdict: String,
    /// When it was posted, RFC 3339.
    pub posted_at: String,
    /// How long it waits, in words.
    pub waiting: String,
    /// Until when.
    pub deadline: Option<Deadline>,
    /// Whether the last word was hold.
    pub held: bool,
    /// Who must sign.
    pub quorum: Vec<Quorum>,
    /// What the reader said already: the kind of their last decision.
    pub said: Option<String>,
}

/// Loads what waits for people, as `reader` sees it.
///
/// # Errors
/// When the record fails.
pub async fn load_inbox(sources: &Sources, reader: &Identity) -> Result<Inbox, ReviewError> {
    let (mut wanted, mut rest, mut total, mut after) = (Vec::new(), Vec::new(), 0, None);
    loop {
        let page = sources.store.waiting(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.posted_at, last.id));
        total += page.len();
        for request in page {
            let shown = if may_sign(reader, &request) { &mut wanted } else { &mut rest };
            if shown.len() < SHOWN {
                shown.push(request);
            }
        }
    }
    let mut inbox = Inbox { mine: Vec::new(), others: Vec::new(), total };
    for request in &wanted {
        let item = item(sources, reader, request).await?;
        let signed = matches!(item.said.as_deref(), Some("approve" | "override"));
        if signed { inbox.others.push(item) } else { inbox.mine.push(item) }
    }
    for request in &rest {
        inbox.others.push(item(sources, reader, request).await?);
    }
    Ok(inbox)
}

/// Whether the reader holds a role that counts at the request. The engine asks again when they decide.
fn may_sign(reader: &Identity, request: &Waiting) -> bool {
    let wanted = request.policy.wanted(request.verdict);
    reader.barred.is_none() && wanted.iter().any(|quorum| reader.roles.contains(&quorum.role))
}

async fn item(sources: &Sources, reader: &Identity, request: &Waiting) -> Result<InboxItem, ReviewError> {
    let decisions = sources.store.decisions(&request.id).await?;
    let standing = request.policy.tally(request.verdict, &decisions);
    let now = sources.clock.now();
    let theirs = |decision: &&Decision| decision.person == reader.person;
    Ok(InboxItem {
        request: request.id.to_string(),
        run: request.run.to_string(),
        pipeline: request.pipeline.clone(),
        gate: request.gate.clone(),
        model_short: request.model_digest.short(),
        evidence_short: request.evidence_digest.short(),
        verdict: request.verdict.as_str().to_string(),
        posted_at: request.posted_at.to_string(),
        waiting: super::words::between(request.posted_at, now),
        deadline: request::deadline(&request.policy, request.posted_at, now),
        held: matches!(standing, Standing::Open { held: true, .. }),
        quorum: request::quorum(request.policy.wanted(request.verdict), &standing),
        said: decisions.iter().rev().find(theirs).map(|decision| decision.kind.to_string()),
    })
}
