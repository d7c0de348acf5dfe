//! What a decision says, as an in-toto Statement v1: which files, by digest, and who decided what about them. Signing is done
//! elsewhere; this is only what is signed.

use crate::actor::{Actor, Identity};
use crate::artifact::Manifest;
use crate::canonical;
use crate::conditions::Conditions;
use crate::decision::{Channel, Decision, DecisionKind, SignoffRequest};
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::id::{DecisionId, RequestId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The in-toto statement type.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What our predicate means; its fields are those of [`Predicate`].
pub const PREDICATE_TYPE: &str = "urn:countersign:decision:v1";
/// The evidence document among the subjects.
pub const EVIDENCE: &str = "evidence.json";
/// The policy among the subjects.
pub const POLICY: &str = "policy.json";
/// The decider among the subjects.
pub const APPROVER: &str = "approver.json";

/// An in-toto Statement v1 with our predicate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// Every file that the decision is about.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// Who decided what.
    pub predicate: Predicate,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// [`EVIDENCE`], [`POLICY`], [`APPROVER`], or `<step>.<output>/<path>` of an artifact's file.
    pub name: String,
    /// `sha256` to 64 hexadecimal digits.
    pub digest: BTreeMap<String, String>,
}

/// Who decided what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate {
    /// The decision.
    pub decision: DecisionId,
    /// The request it answers.
    pub request: RequestId,
    /// The pipeline.
    pub pipeline: String,
    /// The gate.
    pub gate: String,
    /// What was said.
    pub kind: DecisionKind,
    /// The account.
    pub actor: Actor,
    /// The person behind it; equal to the account's text when none is listed.
    pub person: String,
    /// What they could sign as.
    pub roles: Vec<String>,
    /// Where.
    pub channel: Channel,
    /// Whether a second factor was shown.
    pub second_factor: bool,
    /// Why.
    pub reason: String,
    /// Under which conditions.
    pub conditions: Conditions,
    /// Digest of the evidence document.
    pub evidence: Digest,
    /// Digest of the policy.
    pub policy: Digest,
    /// Tree digest of the candidate model.
    pub model: Digest,
    /// Tree digest of the model that was live.
    pub baseline: Option<Digest>,
    /// Tree digest of every artifact behind the candidate: `step.output` to digest.
    pub artifacts: BTreeMap<String, Digest>,
    /// When.
    pub decided_at: Timestamp,
}

/// Who decided, as a document of its own whose digest is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// The account.
    pub actor: Actor,
    /// The person behind it.
    pub person: String,
    /// What they could sign as, sorted.
    pub roles: Vec<String>,
}

impl Approver {
    /// Of a decision.
    pub fn of(decision: &Decision) -> Self {
        Self { actor: decision.actor.clone(), person: decision.person.clone(), roles: decision.roles.clone() }
    }
}

impl From<&Identity> for Approver {
    fn from(identity: &Identity) -> Self {
        let roles = identity.roles.iter().cloned().collect();
        Self { actor: identity.actor.clone(), person: identity.person.clone(), roles }
    }
}

impl Statement {
    /// The statement of a decision, over the files of every artifact in the evidence.
    ///
    /// # Errors
    /// When the policy or the approver can not be written as canonical JSON.
    pub fn of_decision(
        decision: &Decision,
        request: &SignoffRequest,
        evidence: &Evidence,
        manifests: &BTreeMap<String, Manifest>,
    ) -> Result<Self, serde_json::Error> {
        let policy = request.policy.digest()?;
        let approver = canonical::digest(&Approver::of(decision))?;
        let documents = [(EVIDENCE, request.evidence_digest), (POLICY, policy), (APPROVER, approver)];
        let documents = documents.into_iter().map(|(name, digest)| Subject::new(name.to_string(), digest));
        let files = manifests.iter().flat_map(|(artifact, manifest)| {
            manifest.files.iter().map(move |file| Subject::new(format!("{artifact}/{}", file.path), file.digest))
        });
        Ok(Self {
            statement_type: STATEMENT_TYPE.to_string(),
            subject: documents.chain(files).collect(),
            predicate_type: PREDICATE_TYPE.to_string(),
            predicate: Predicate {
                decision: decision.id,
                request: request.id,
                pipeline: request.pipeline.clone(),
                gate: request.gate.clone(),
                kind: decision.kind,
                actor: decision.actor.clone(),
                person: decision.person.clone(),
                roles: decision.roles.clone(),
                channel: decision.channel,
                second_factor: decision.second_factor,
                reason: decision.reason.clone(),
                conditions: decision.conditions.clone(),
                evidence: decision.evidence_digest,
                policy,
                model: request.model_digest,
                baseline: evidence.baseline,
                artifacts: evidence.artifacts.clone(),
                decided_at: decision.at,
            },
        })
    }

    /// Whether this statement says what the recorded decision says.
    pub fn is_of(&self, decision: &Decision, request: &SignoffRequest) -> bool {
        let said = &self.predicate;
        self.statement_type == STATEMENT_TYPE
            && self.predicate_type == PREDICATE_TYPE
            && said.decision == decision.id
            && said.request == request.id
            && said.kind == decision.kind
            && said.actor == decision.actor
            && said.person == decision.person
            && said.roles == decision.roles
            && said.channel == decision.channel
            && said.second_factor == decision.second_factor
            && said.reason == decision.reason
            && said.conditions == decision.conditions
            && said.evidence == decision.evidence_digest
            && said.model == request.model_digest
            && said.decided_at == decision.at
            && request.policy.digest().is_ok_and(|policy| policy == said.policy)
    }
}

impl Subject {
    fn new(name: String, digest: Digest) -> Self {
        Self { name, digest: BTreeMap::from([("sha256".to_string(), digest.to_string())]) }
    }

    /// The SHA-256, if it is one.
    pub fn sha256(&self) -> Option<Digest> {
        self.digest.get("sha256")?.parse().ok()
    }
}
