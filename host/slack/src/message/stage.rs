//! Where a request stands, as its reader understands it: the request's own state, the decisions, the run and the push together.

use super::Situation;
use super::figures::{people, time};
use super::mrkdwn::{code, quoted};
use super::people;
use countersign_model::decision::{Decision, DecisionKind, RequestState};
use countersign_model::id::RunId;
use countersign_model::policy::Standing;
use countersign_model::push::Push;
use countersign_model::run::{RunEnd, RunState};

/// Where a request stands.
#[derive(Debug, Clone, Copy)]
pub enum Stage<'a> {
    /// Nobody has signed yet, or not everybody.
    Waiting { signed: u32, missing: u32 },
    /// Somebody asked to wait.
    Held { by: Option<&'a Decision>, missing: u32 },
    /// The deadline passed; it stays open.
    Overdue { missing: u32 },
    /// Everybody signed; the run goes on.
    Approved,
    /// The model is live.
    Live(&'a Push),
    /// Everybody signed, and then the run ended without a live model.
    Lost(&'a RunEnd),
    /// Somebody said no.
    Rejected(Option<&'a Decision>),
    /// A newer candidate came.
    Superseded(RunId),
    /// Nobody decided in time.
    Expired,
    /// Somebody stopped the run.
    Cancelled,
    /// The world changed; people are asked again.
    Void(&'a str),
}

impl<'a> Stage<'a> {
    /// Of a situation.
    pub fn of(situation: &Situation<'a>) -> Self {
        match &situation.request.state {
            RequestState::Open => Self::open(situation),
            RequestState::Approved => Self::approved(situation),
            RequestState::Rejected => Self::Rejected(last(situation, DecisionKind::Reject)),
            RequestState::Superseded { by } => Self::Superseded(*by),
            RequestState::Expired => Self::Expired,
            RequestState::Cancelled => Self::Cancelled,
            RequestState::Void { reason } => Self::Void(reason),
        }
    }

    fn open(situation: &Situation<'a>) -> Self {
        let wanted: u32 =
            situation.request.policy.wanted(situation.request.verdict).iter().map(|quorum| quorum.count).sum();
        let (held, missing) = match situation.standing {
            Standing::Open { held, missing } => (*held, missing.values().sum()),
            // The last decision is counted; the request is closed in a moment.
            Standing::Approved | Standing::Rejected => (false, 0),
        };
        if held {
            Self::Held { by: last(situation, DecisionKind::Hold), missing }
        } else if situation.request.progress.overdue {
            Self::Overdue { missing }
        } else {
            Self::Waiting { signed: wanted.saturating_sub(missing), missing }
        }
    }

    fn approved(situation: &Situation<'a>) -> Self {
        match (situation.push, &situation.run.state) {
            (Some(push), _) if push.completed_at.is_some() => Self::Live(push),
            (_, RunState::Ended { end }) if *end != RunEnd::Succeeded => Self::Lost(end),
            (_, RunState::Queued | RunState::Running | RunState::Waiting { .. } | RunState::Ended { .. }) => {
                Self::Approved
            }
        }
    }

    /// The header: no mrkdwn.
    pub fn headline(&self, situation: &Situation<'_>) -> String {
        let name = super::mrkdwn::plain(&situation.request.pipeline, 80);
        let overridden =
            situation.decisions.iter().any(|decision| decision.kind == DecisionKind::Override && !decision.late);
        let nobody = situation.request.policy.wanted(situation.request.verdict).is_empty();
        match self {
            Self::Waiting { .. } | Self::Held { .. } | Self::Overdue { .. } if nobody => {
                format!("🔴 {name} waits, and nobody may approve")
            }
            Self::Waiting { signed: 0, missing } => format!("🟡 {name} is waiting for {}", people(*missing)),
            Self::Waiting { signed, missing } => format!("🟡 {name}: {signed} of {} signed", signed + missing),
            Self::Held { .. } => format!("⏸️ {name} is on hold"),
            Self::Overdue { missing } => format!("⏰ {name} is overdue: waiting for {}", people(*missing)),
            Self::Approved if overridden => format!("🟠 {name} is approved against a failed check"),
            Self::Approved => format!("🟢 {name} is approved"),
            Self::Live(_) if overridden => format!("🟠 {name} is live against a failed check"),
            Self::Live(_) => format!("✅ {name} is live"),
            Self::Lost(_) => format!("🔥 {name} was approved and did not go live"),
            Self::Rejected(_) => format!("⛔ {name} was rejected"),
            Self::Superseded(_) => format!("⚪ {name} was superseded by a newer candidate"),
            Self::Expired => format!("⌛ {name} expired: nobody decided in time"),
            Self::Cancelled => format!("⚪ {name} was stopped"),
            Self::Void(_) => format!("🔁 {name} is asked again"),
        }
    }

    /// What the headline leaves open, as mrkdwn; empty when it says all.
    pub fn explanation(&self, situation: &Situation<'_>) -> String {
        match self {
            Self::Waiting { .. } | Self::Approved | Self::Held { by: None, .. } | Self::Rejected(None) => String::new(),
            Self::Held { by: Some(decision), missing } => {
                format!("{}. Still waiting for {}.", by_whom("Held", decision), people(*missing))
            }
            Self::Overdue { .. } => "The deadline passed. It stays open: nothing approves by itself.".to_string(),
            Self::Live(push) => {
                let since = push.completed_at.map(|at| format!(" since {}", time(at))).unwrap_or_default();
                let conditions = push.conditions.in_words();
                let under =
                    if conditions.is_empty() { String::new() } else { format!(", {}", quoted(&conditions, 300)) };
                format!("Live{since} at {}{under}.", code(&push.target, 200))
            }
            Self::Lost(end) => format!("Nothing was deployed: {}.", ended(end)),
            Self::Rejected(Some(decision)) => format!("{}. Nothing was deployed.", by_whom("Rejected", decision)),
            Self::Superseded(run) => format!("Run `{run}` brought a newer candidate: decide there."),
            Self::Expired => "Nothing was deployed.".to_string(),
            Self::Cancelled => match &situation.run.state {
                RunState::Ended { end: RunEnd::Cancelled { by } } => {
                    format!("Stopped by {}. Nothing was deployed.", people::account(by))
                }
                RunState::Ended { .. } | RunState::Queued | RunState::Running | RunState::Waiting { .. } => {
                    "The run was stopped. Nothing was deployed.".to_string()
                }
            },
            Self::Void(reason) => {
                format!("These signatures no longer hold: {}. A new request took its place.", quoted(reason, 500))
            }
        }
    }

    /// Whether people can still decide.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Waiting { .. } | Self::Held { .. } | Self::Overdue { .. } => true,
            Self::Approved | Self::Live(_) | Self::Lost(_) | Self::Rejected(_) | Self::Superseded(_) => false,
            Self::Expired | Self::Cancelled | Self::Void(_) => false,
        }
    }
}

fn last<'a>(situation: &Situation<'a>, kind: DecisionKind) -> Option<&'a Decision> {
    situation.decisions.iter().rev().find(|decision| decision.kind == kind && !decision.late)
}

fn by_whom(what: &str, decision: &Decision) -> String {
    let why = if decision.reason.trim().is_empty() {
        String::new()
    } else {
        format!(": “{}”", quoted(&decision.reason, 500))
    };
    format!("{what} by {}{why}", people::person(decision))
}

/// How a run ended, as the rest of a sentence.
fn ended(end: &RunEnd) -> String {
    match end {
        RunEnd::Succeeded => "the run is done".to_string(),
        RunEnd::Failed { step, message } => format!("step {} failed: {}", code(step, 80), quoted(message, 400)),
        RunEnd::Blocked { step, reasons } => {
            format!("step {} was blocked: {}", code(step, 80), quoted(&reasons.join("; "), 400))
        }
        RunEnd::Rejected { by, reason } => format!("{} rejected it: {}", people::account(by), quoted(reason, 400)),
        RunEnd::Superseded { by } => format!("run `{by}` superseded it"),
        RunEnd::Replaced { by } => format!("a later run, `{by}`, took its place"),
        RunEnd::Expired => "nobody decided in time".to_string(),
        RunEnd::Cancelled { by } => format!("{} stopped the run", people::account(by)),
    }
}
