//! Sign-off policies: who may decide, how many, and what the decisions so far add up to.

use crate::actor::{Actor, Identity};
use crate::canonical;
use crate::conditions::Conditions;
use crate::decision::{Channel, Decision, DecisionKind};
use crate::digest::Digest;
use crate::finding::Verdict;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A sign-off gate's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignoffPolicy {
    /// Who must sign, and how many of each. Empty: nobody may approve.
    pub approvers: Vec<RoleQuorum>,
    /// Where approving is allowed. Rejecting and holding are allowed everywhere.
    pub approve_on: BTreeSet<Channel>,
    /// Whether the person who started the run may not approve.
    pub forbid_self_approval: bool,
    /// Who may override a failed check; none: a failed check ends the run.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub overriding: Option<Overriding>,
    /// Whether approving on the page asks for a one-time code (TOTP).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_factor: bool,
    /// Where the request is posted, such as `slack:#ml-releases`; none: where the installation posts requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Seconds between reminders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_seconds: Option<u64>,
    /// Whom to tell when nobody decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<Escalation>,
    /// What happens when nobody decides in time. **Nothing ever approves by itself.**
    pub expire: Option<Expiry>,
    /// What every approval is under, whatever the approver adds.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
}

/// So many people of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleQuorum {
    /// A role under `[people]`, or a single identity: `slack:T01/U02AB`, `slack-group:S0123`, `email:ada@example.org`.
    pub role: String,
    /// How many different people of it.
    pub count: u32,
}

/// Who may override a failed check, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overriding {
    /// Who must sign.
    pub approvers: Vec<RoleQuorum>,
    /// Where overriding is allowed.
    pub on: BTreeSet<Channel>,
}

/// Whom to tell when nobody decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Seconds after the request was posted.
    pub after_seconds: u64,
    /// A Slack user group (`@ml-leads`), a user or a channel (`#ml-leads`).
    pub to: String,
}

/// When a request expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// Seconds after the request was posted.
    pub after_seconds: u64,
    /// What happens then.
    pub then: ExpiryAction,
}

impl Expiry {
    /// When the time is over for a request that was posted at `posted_at`: downtime neither extends nor shortens it.
    pub fn deadline(&self, posted_at: Timestamp) -> Timestamp {
        posted_at.plus(Duration::from_secs(self.after_seconds))
    }
}

/// What expiry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpiryAction {
    /// The request stays open and is shown as overdue.
    Hold,
    /// The run ends as expired.
    Reject,
}

/// Why somebody may not do what they asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a person.
    #[error("`{0}` is not a person: only people decide")]
    NotAPerson(Actor),
    /// The account may decide nothing.
    #[error("`{actor}` may not decide: {why}")]
    Barred {
        /// Who asked.
        actor: Actor,
        /// Deactivated, a bot, a guest.
        why: String,
    },
    /// Holds no wanted role.
    #[error(
        "`{actor}` holds none of the roles that may decide here ({wanted}): add the role under `[people]` in countersign.toml"
    )]
    NoRole {
        /// Who asked.
        actor: Actor,
        /// The roles that may, comma separated.
        wanted: String,
    },
    /// Started the run.
    #[error("`{0}` started this run and the policy forbids self-approval: ask somebody else")]
    SelfApproval(Actor),
    /// Approving is not allowed there.
    #[error("{kind} is not allowed in the {channel}: use {allowed}")]
    WrongChannel {
        /// What they tried.
        kind: DecisionKind,
        /// Where they tried.
        channel: Channel,
        /// Where it is allowed.
        allowed: String,
    },
    /// Approving although a check failed.
    #[error("a check failed: this can only be overridden, by {0}")]
    CheckFailed(String),
    /// Overriding although nothing failed.
    #[error("nothing failed here that could be overridden: approve or reject")]
    NothingToOverride,
    /// Approving on the page without the one-time code.
    #[error("approving asks for a second factor here: give the six digits that your authenticator shows")]
    NoSecondFactor,
    /// Override needs a reason; so does a rejection.
    #[error("{0} needs a reason: add --reason \"…\"")]
    NoReason(DecisionKind),
    /// A condition that means nothing.
    #[error("a canary takes 1 to 100 per cent, not {0}")]
    BadCanary(u8),
}

/// What somebody tries to do at a request.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// Who, as the channel established it.
    pub identity: &'a Identity,
    /// The person who started the run.
    pub starter: &'a Identity,
    /// The evidence's heaviest verdict.
    pub verdict: Verdict,
    /// What they say.
    pub kind: DecisionKind,
    /// Where.
    pub channel: Channel,
    /// Whether a second factor was shown and is right.
    pub second_factor: bool,
    /// Why.
    pub reason: &'a str,
    /// What they add.
    pub conditions: &'a Conditions,
}

/// What the decisions so far add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "lowercase")]
pub enum Standing {
    /// Still waiting; `held` when the last word was hold.
    Open {
        /// Somebody asked to wait.
        held: bool,
        /// People still wanted, by role.
        missing: BTreeMap<String, u32>,
    },
    /// Every role has signed.
    Approved,
    /// Somebody rejected.
    Rejected,
}

impl SignoffPolicy {
    /// The digest that evidence and decisions carry.
    ///
    /// # Errors
    /// When the policy can not be written as canonical JSON, which its types rule out.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        canonical::digest(self)
    }

    /// Who must sign evidence with that verdict: the approvers, or on a failed check those who may override.
    pub fn wanted(&self, verdict: Verdict) -> &[RoleQuorum] {
        match verdict {
            Verdict::Pass | Verdict::NeedsPerson => &self.approvers,
            Verdict::Fail => self.overriding.as_ref().map_or(&[], |overriding| overriding.approvers.as_slice()),
        }
    }

    /// Whether somebody may do what they try.
    ///
    /// # Errors
    /// The refusal that applies first.
    pub fn authorise(&self, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        let actor = &attempt.identity.actor;
        if !actor.is_person() {
            return Err(Refusal::NotAPerson(actor.clone()));
        }
        if let Some(why) = &attempt.identity.barred {
            return Err(Refusal::Barred { actor: actor.clone(), why: why.clone() });
        }
        let wanted = self.wanted(attempt.verdict);
        if !wanted.iter().any(|quorum| attempt.identity.roles.contains(&quorum.role)) {
            return Err(Refusal::NoRole { actor: actor.clone(), wanted: roles(wanted) });
        }
        let needs_reason = matches!(attempt.kind, DecisionKind::Reject | DecisionKind::Override);
        if needs_reason && attempt.reason.trim().is_empty() {
            return Err(Refusal::NoReason(attempt.kind));
        }
        match attempt.kind {
            DecisionKind::Reject | DecisionKind::Hold => return Ok(()),
            DecisionKind::Approve if attempt.verdict == Verdict::Fail => {
                return Err(Refusal::CheckFailed(roles(wanted)));
            }
            DecisionKind::Override if attempt.verdict != Verdict::Fail => return Err(Refusal::NothingToOverride),
            DecisionKind::Approve | DecisionKind::Override => {}
        }
        self.authorise_approval(attempt)
    }

    /// What holds for approvals and overrides beyond the right role.
    fn authorise_approval(&self, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        if self.forbid_self_approval && attempt.identity.person == attempt.starter.person {
            return Err(Refusal::SelfApproval(attempt.identity.actor.clone()));
        }
        let nowhere = BTreeSet::new();
        let allowed = match attempt.kind {
            DecisionKind::Override => self.overriding.as_ref().map_or(&nowhere, |overriding| &overriding.on),
            DecisionKind::Approve | DecisionKind::Reject | DecisionKind::Hold => &self.approve_on,
        };
        if !allowed.contains(&attempt.channel) {
            let allowed = allowed.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(" or ");
            return Err(Refusal::WrongChannel { kind: attempt.kind, channel: attempt.channel, allowed });
        }
        if self.second_factor && attempt.channel == Channel::Page && !attempt.second_factor {
            return Err(Refusal::NoSecondFactor);
        }
        match attempt.conditions.canary_percent {
            Some(percent) if !(1..=100).contains(&percent) => Err(Refusal::BadCanary(percent)),
            Some(_) | None => Ok(()),
        }
    }

    /// What `decisions`, oldest first, add up to on evidence with that verdict. One person signs for one role only; who signs for
    /// which is chosen so that as few people as possible are missing.
    pub fn tally(&self, verdict: Verdict, decisions: &[Decision]) -> Standing {
        let mut seats: Vec<Seat<'_>> = Vec::new();
        for quorum in self.wanted(verdict) {
            seats.extend((0..quorum.count).map(|_| Seat { role: &quorum.role, taken_by: None }));
        }
        let mut signers: Vec<&Decision> = Vec::new();
        let mut held = false;
        for decision in decisions.iter().filter(|decision| !decision.late) {
            match decision.kind {
                DecisionKind::Reject => return Standing::Rejected,
                DecisionKind::Hold => held = true,
                DecisionKind::Approve | DecisionKind::Override => {
                    held = false;
                    let counts = (decision.kind == DecisionKind::Override) == (verdict == Verdict::Fail);
                    if counts && !signers.iter().any(|signer| signer.person == decision.person) {
                        signers.push(decision);
                    }
                }
            }
        }
        for signer in 0..signers.len() {
            seat(&mut seats, &signers, signer, &mut BTreeSet::new());
        }
        let mut missing: BTreeMap<String, u32> = BTreeMap::new();
        for seat in seats.iter().filter(|seat| seat.taken_by.is_none()) {
            *missing.entry(seat.role.to_string()).or_default() += 1;
        }
        if missing.is_empty() && !seats.is_empty() { Standing::Approved } else { Standing::Open { held, missing } }
    }
}

/// One signature that is wanted.
struct Seat<'a> {
    role: &'a str,
    taken_by: Option<usize>,
}

/// Seats a signer, moving others where that makes room: augmenting paths of bipartite matching (Kuhn 1955).
fn seat(seats: &mut [Seat<'_>], signers: &[&Decision], signer: usize, tried: &mut BTreeSet<usize>) -> bool {
    for place in 0..seats.len() {
        let fits = signers[signer].roles.iter().any(|role| role == seats[place].role);
        if !fits || !tried.insert(place) {
            continue;
        }
        let free = match seats[place].taken_by {
            None => true,
            Some(other) => seat(seats, signers, other, tried),
        };
        if free {
            seats[place].taken_by = Some(signer);
            return true;
        }
    }
    false
}

fn roles(quorums: &[RoleQuorum]) -> String {
    quorums.iter().map(|quorum| quorum.role.as_str()).collect::<Vec<_>>().join(", ")
}
