//! What lies beside a model at its target: who let it go live, on which evidence and under which conditions, and which push it is.

use crate::error::{OrchestratorError, document};
use countersign_model::canonical;
use countersign_model::conditions::Conditions;
use countersign_model::decision::{Decision, DecisionKind, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::id::{PushId, RequestId, RunId};
use countersign_model::permit::Permit;
use countersign_model::push::Push;
use serde::Serialize;

/// The file that says where a version comes from.
pub(super) const PROVENANCE: &str = "provenance.json";

/// File names and contents.
pub(crate) struct Papers(pub(super) Vec<(String, Vec<u8>)>);

/// `conditions.json`: the conditions, and whether people let the model go although a check had failed.
#[derive(Serialize)]
struct ConditionsFile<'a> {
    #[serde(flatten)]
    conditions: &'a Conditions,
    overridden: bool,
}

/// `provenance.json`. Names nothing that another process carrying the same push would write otherwise.
#[derive(Serialize)]
struct Provenance<'a> {
    push: PushId,
    pipeline: &'a str,
    run: RunId,
    request: RequestId,
    model: Digest,
}

impl Papers {
    /// The evidence as it was signed, the conditions, every signed statement of those who let it pass, and where it comes from.
    pub(crate) fn new(
        push: &Push,
        request: &SignoffRequest,
        decisions: &[Decision],
        permit: &Permit,
    ) -> Result<Self, OrchestratorError> {
        let counted: Vec<&Decision> =
            decisions.iter().filter(|decision| !decision.late && decision.kind.approves()).collect();
        let overridden = counted.iter().any(|decision| decision.kind == DecisionKind::Override);
        let conditions = ConditionsFile { conditions: &permit.conditions, overridden };
        let Push { id, run, pipeline, model, .. } = push;
        let provenance = Provenance { push: *id, pipeline, run: *run, request: request.id, model: *model };
        let mut papers = vec![
            ("evidence.json".to_string(), request.evidence.clone().into_bytes()),
            ("conditions.json".to_string(), canonical::to_bytes(&conditions).map_err(document)?),
            (PROVENANCE.to_string(), canonical::to_bytes(&provenance).map_err(document)?),
        ];
        for decision in counted {
            let envelope = decision.envelope.clone().unwrap_or_default();
            papers.push((format!("decisions/{}.dsse.json", decision.id), envelope.into_bytes()));
        }
        Ok(Self(papers))
    }

    /// The text that says which push it is.
    pub(super) fn provenance(&self) -> Option<&Vec<u8>> {
        self.0.iter().find(|(name, _)| name == PROVENANCE).map(|(_, text)| text)
    }
}
