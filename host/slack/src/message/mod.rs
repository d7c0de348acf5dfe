//! Messages and dialogs as Block Kit JSON: state in, JSON out. Pure; knows nothing of the network, the store or the clock.
//!
//! Whatever the data, what comes out keeps Slack's limits (see `blocks`) and forms no mention, link or format that is not ours
//! (see `mrkdwn`).

pub mod alert;
mod blocks;
mod buttons;
mod dialog;
mod figures;
mod findings;
mod mrkdwn;
mod people;
mod request;
mod stage;
mod summary;
mod thread;

pub use alert::{Alert, AlertKind, AlertRun, alert};
pub use dialog::{CANARY, REASON, decision_dialog};
pub(crate) use figures::{number, percent};
pub(crate) use mrkdwn::plain;
pub use request::request_message;
pub use thread::{escalation, notice_to_person, reminder};

use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use countersign_model::policy::Standing;
use countersign_model::push::Push;
use countersign_model::run::Run;
use countersign_model::time::Timestamp;
use serde_json::Value;

/// The block that holds the buttons of a request.
pub const GATE: &str = "gate";
/// Before the kind of decision in a button's action id: `countersign.approve`. Also `countersign.open`, a link.
pub const ACTION: &str = "countersign.";
/// Before the kind of decision in a dialog's callback id: `countersign.decide.approve`.
pub const CALLBACK: &str = "countersign.decide.";

/// Everything that a request's message shows.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The request.
    pub request: &'a SignoffRequest,
    /// Its evidence.
    pub evidence: &'a Evidence,
    /// Every decision on it, oldest first, late ones too.
    pub decisions: &'a [Decision],
    /// What they add up to.
    pub standing: &'a Standing,
    /// The run that asks.
    pub run: &'a Run,
    /// The placement that came of it.
    pub push: Option<&'a Push>,
    /// Number and hash of the newest audit entry.
    pub audit_head: (i64, Digest),
    /// The review page's address.
    pub page: Option<String>,
    /// Now.
    pub now: Timestamp,
    /// The picture, as Slack's file id.
    pub picture: Option<&'a str>,
}

/// A message: its blocks, and what a notification shows in their place.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The fallback. Escaped like mrkdwn: Slack reads it as such.
    pub text: String,
    /// The blocks, an array.
    pub blocks: Value,
}
