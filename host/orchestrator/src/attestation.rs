//! Signed statements: made when somebody decides, and held against the files and the record when a model is to go live.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use countersign_model::actor::{Actor, Identity};
use countersign_model::artifact::Manifest;
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::evidence::Evidence;
use countersign_model::id::DecisionId;
use countersign_model::statement::Statement;
use std::collections::BTreeMap;

impl Engine {
    /// The signed statement of a decision, over every file behind the evidence.
    pub(crate) async fn attest(
        &self,
        decision: &Decision,
        request: &SignoffRequest,
    ) -> Result<String, OrchestratorError> {
        let evidence = evidence_of(request)?;
        let manifests = self.manifests(&evidence).await?;
        let statement = Statement::of_decision(decision, request, &evidence, &manifests).map_err(unwritable)?;
        Ok(self.parts.attestor.sign(&statement)?)
    }

    /// What the decisions' statements say, for those whose signature holds and which are, to the last file, what would be signed now.
    pub(crate) async fn statements(
        &self,
        decisions: &[Decision],
        request: &SignoffRequest,
        evidence: &Evidence,
    ) -> Result<BTreeMap<DecisionId, Statement>, OrchestratorError> {
        let manifests = self.manifests(evidence).await?;
        let mut valid = BTreeMap::new();
        for decision in decisions {
            let Some(envelope) = &decision.envelope else { continue };
            let wanted = Statement::of_decision(decision, request, evidence, &manifests).map_err(unwritable)?;
            match self.parts.attestor.open(envelope) {
                Ok(statement) if statement == wanted => {
                    valid.insert(decision.id, statement);
                }
                Ok(_) => tracing::warn!(decision.id = %decision.id, "what was signed is not what is recorded"),
                Err(error) => tracing::warn!(decision.id = %decision.id, %error, "signature does not hold"),
            }
        }
        Ok(valid)
    }

    /// Who those who decided are now: what was known when they did may have changed since.
    pub(crate) async fn deciders(&self, decisions: &[Decision]) -> BTreeMap<Actor, Identity> {
        let mut deciders = BTreeMap::new();
        for decision in decisions {
            if !deciders.contains_key(&decision.actor) {
                let identity = self.parts.directory.identify_anew(&decision.actor).await;
                deciders.insert(decision.actor.clone(), identity);
            }
        }
        deciders
    }

    async fn manifests(&self, evidence: &Evidence) -> Result<BTreeMap<String, Manifest>, OrchestratorError> {
        let mut manifests = BTreeMap::new();
        for (name, digest) in &evidence.artifacts {
            manifests.insert(name.clone(), self.parts.artifacts.manifest(digest).await?);
        }
        Ok(manifests)
    }
}

/// The evidence as it was shown.
pub(crate) fn evidence_of(request: &SignoffRequest) -> Result<Evidence, OrchestratorError> {
    serde_json::from_str(&request.evidence)
        .map_err(|source| OrchestratorError::Document { document: "read evidence", source })
}

fn unwritable(source: serde_json::Error) -> OrchestratorError {
    OrchestratorError::Document { document: "write statement", source }
}
