//! Sign-off policies: who may decide, how many, and what the decisions so far add up to.

use crate::actor::Actor;
use crate::canonical;
use crate::decision::{Channel, Decision, DecisionKind};
use crate::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A sign-off gate's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignoffPolicy {
    /// Which roles must sign, and how many of each. Empty: nobody may approve.
    pub approvers: Vec<RoleQuorum>,
    /// Where approving is allowed. Rejecting and holding are allowed everywhere.
    pub approve_on: BTreeSet<Channel>,
    /// Whether the person who started the run may approve.
    pub forbid_self_approval: bool,
    /// What happens when nobody decides in time. **Nothing ever approves by itself.**
    pub expire: Option<Expiry>,
}

/// So many people of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleQuorum {
    /// The role.
    pub role: String,
    /// How many different people of it.
    pub count: u32,
}

/// When a request expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// Seconds after the request was posted.
    pub after_seconds: u64,
    /// What happens then.
    pub then: ExpiryAction,
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

/// Why an actor may not do what they asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a person.
    #[error("`{0}` is not a person: only people decide")]
    NotAPerson(Actor),
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
    #[error("approving is not allowed in the {channel}: use {allowed}")]
    WrongChannel {
        /// Where they tried.
        channel: Channel,
        /// Where it is allowed.
        allowed: String,
    },
    /// Override needs a reason; so does a rejection.
    #[error("{0} needs a reason: add --reason \"…\"")]
    NoReason(DecisionKind),
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

    /// Whether `actor`, who holds `roles` and whose run was started by `starter`, may make this decision on `channel`.
    ///
    /// # Errors
    /// The refusal that applies first.
    pub fn authorise(
        &self,
        actor: &Actor,
        roles: &BTreeSet<String>,
        starter: &Actor,
        kind: DecisionKind,
        channel: Channel,
        reason: &str,
    ) -> Result<(), Refusal> {
        if !actor.is_person() {
            return Err(Refusal::NotAPerson(actor.clone()));
        }
        if !self.approvers.iter().any(|quorum| roles.contains(&quorum.role)) {
            let wanted: Vec<&str> = self.approvers.iter().map(|quorum| quorum.role.as_str()).collect();
            return Err(Refusal::NoRole { actor: actor.clone(), wanted: wanted.join(", ") });
        }
        if matches!(kind, DecisionKind::Reject | DecisionKind::Override) && reason.trim().is_empty() {
            return Err(Refusal::NoReason(kind));
        }
        if kind.approves() {
            if self.forbid_self_approval && actor == starter {
                return Err(Refusal::SelfApproval(actor.clone()));
            }
            if !self.approve_on.contains(&channel) {
                let allowed: Vec<&str> = self.approve_on.iter().map(|channel| channel.as_str()).collect();
                return Err(Refusal::WrongChannel { channel, allowed: allowed.join(" or ") });
            }
        }
        Ok(())
    }

    /// What `decisions`, oldest first, add up to. One person signs for one role only: the first wanted one they hold.
    pub fn tally(&self, decisions: &[Decision]) -> Standing {
        let mut missing: BTreeMap<String, u32> = BTreeMap::new();
        for quorum in &self.approvers {
            *missing.entry(quorum.role.clone()).or_default() += quorum.count;
        }
        let mut signed = BTreeSet::new();
        let mut held = false;
        for decision in decisions.iter().filter(|decision| !decision.late) {
            match decision.kind {
                DecisionKind::Reject => return Standing::Rejected,
                DecisionKind::Hold => held = true,
                DecisionKind::Approve | DecisionKind::Override => {
                    held = false;
                    if !signed.insert(decision.actor.clone()) {
                        continue;
                    }
                    let role = decision.roles.iter().find(|role| missing.get(*role).is_some_and(|count| *count > 0));
                    if let Some(count) = role.and_then(|role| missing.get_mut(role)) {
                        *count -= 1;
                    }
                }
            }
        }
        missing.retain(|_, count| *count > 0);
        if missing.is_empty() && !self.approvers.is_empty() {
            Standing::Approved
        } else {
            Standing::Open { held, missing }
        }
    }
}
