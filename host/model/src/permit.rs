//! Permits: what push re-derives from the decisions at the moment of pushing. A decision alone never deploys.

use crate::actor::{Actor, Identity};
use crate::conditions::Conditions;
use crate::decision::{Decision, RequestState, SignoffRequest};
use crate::digest::Digest;
use crate::id::DecisionId;
use crate::policy::{SignoffPolicy, Standing};
use crate::statement::Statement;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Leave to push one model to one target, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// The request it comes from.
    pub request: crate::id::RequestId,
    /// The evidence everybody signed.
    pub evidence: Digest,
    /// The model.
    pub model: Digest,
    /// The target.
    pub target: String,
    /// What the policy and those who approved ask for.
    pub conditions: Conditions,
}

/// What the world looks like at the moment of pushing.
#[derive(Clone)]
pub struct Present<'a> {
    /// The policy in the run's pinned definition.
    pub policy: &'a SignoffPolicy,
    /// Digest of the evidence re-derived from the artifacts as they are now.
    pub evidence: Digest,
    /// Digest of the model's bytes as they are now.
    pub model: Digest,
    /// The model that is live now.
    pub live: Option<Digest>,
    /// The model that was live in the evidence.
    pub baseline: Option<Digest>,
    /// Who each decider is now, looked up by the caller; somebody who is missing holds nothing.
    pub deciders: &'a BTreeMap<Actor, Identity>,
    /// What each decision's signed statement says, for those whose signature is valid.
    pub statements: &'a BTreeMap<DecisionId, Statement>,
    /// Where the model goes.
    pub target: &'a str,
}

/// Why there is no permit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPermit {
    /// The request is not approved.
    #[error("the request is {0}, not approved")]
    NotApproved(&'static str),
    /// The evidence is not what was signed.
    #[error("the evidence is now {now}, but {signed} was signed")]
    EvidenceChanged {
        /// Short digest now.
        now: String,
        /// Short digest signed.
        signed: String,
    },
    /// The model is not what was signed.
    #[error("the model's bytes are not those that were signed")]
    ModelChanged,
    /// The policy is not what it was.
    #[error("the sign-off policy changed since it was signed")]
    PolicyChanged,
    /// Something else went live meanwhile.
    #[error("another model went live since the evidence was made")]
    BaselineChanged,
    /// A decision was changed after it was signed, or never signed.
    #[error("the signature of {decision} by {actor} does not hold")]
    SignatureBroken {
        /// The decision.
        decision: DecisionId,
        /// Who is said to have made it.
        actor: Actor,
    },
    /// Without those who may no longer decide, the quorum is not reached.
    #[error("a decider no longer holds the role they signed with")]
    DeciderLostRole,
}

/// Derives a permit.
///
/// # Errors
/// The first reason against it.
pub fn derive(request: &SignoffRequest, decisions: &[Decision], now: &Present<'_>) -> Result<Permit, NoPermit> {
    if request.state != RequestState::Approved {
        return Err(NoPermit::NotApproved(request.state.status()));
    }
    if now.evidence != request.evidence_digest || Digest::of(request.evidence.as_bytes()) != request.evidence_digest {
        return Err(NoPermit::EvidenceChanged { now: now.evidence.short(), signed: request.evidence_digest.short() });
    }
    if now.model != request.model_digest {
        return Err(NoPermit::ModelChanged);
    }
    if *now.policy != request.policy {
        return Err(NoPermit::PolicyChanged);
    }
    // The candidate itself being live already is no surprise: a push that was cut off is finished, not refused.
    if now.live != now.baseline && now.live != Some(request.model_digest) {
        return Err(NoPermit::BaselineChanged);
    }
    let signed = |decision: &&Decision| !decision.late && decision.kind.approves();
    for decision in decisions.iter().filter(signed) {
        if !now.statements.get(&decision.id).is_some_and(|statement| statement.is_of(decision, request)) {
            return Err(NoPermit::SignatureBroken { decision: decision.id, actor: decision.actor.clone() });
        }
    }
    let still: Vec<Decision> = decisions
        .iter()
        .filter(|decision| decision.evidence_digest == request.evidence_digest)
        .cloned()
        .map(|mut decision| {
            let identity = now.deciders.get(&decision.actor).filter(|identity| identity.barred.is_none());
            decision.roles.retain(|role| identity.is_some_and(|identity| identity.roles.contains(role)));
            decision
        })
        .collect();
    if request.policy.tally(request.verdict, &still) != Standing::Approved {
        return Err(NoPermit::DeciderLostRole);
    }
    let conditions = decisions.iter().filter(signed).map(|decision| &decision.conditions);
    Ok(Permit {
        request: request.id,
        evidence: request.evidence_digest,
        model: request.model_digest,
        target: now.target.to_string(),
        conditions: conditions.fold(request.policy.conditions.clone(), |all, one| all.and(one)),
    })
}
