//! Decisions: looks up the request, checks who may, signs, records.

use crate::engine::Engine;
use countersign_model::actor::Identity;
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::id::DecisionId;
use countersign_model::policy::{Attempt, Refusal};
use countersign_ports::metadata_store::Recorded;
use countersign_ports::notifier::Message;
use countersign_ports::{DecideError, DecisionInput, DeskError, StoreError};
use ulid::Ulid;

impl Engine {
    /// Records a decision. On a closed request it is recorded as late and changes nothing.
    pub(crate) async fn record(&self, input: DecisionInput) -> Result<Recorded, DecideError> {
        let store = &self.parts.store;
        let request = store
            .request(&input.request)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "sign-off request", id: input.request.to_string() })?;
        let id = self.decision_id(input.once.as_deref());
        if input.once.is_some()
            && let Some(recorded) = self.recorded_before(&request, id).await?
        {
            return Ok(recorded);
        }
        let identity = self.parts.directory.identify(&input.actor).await;
        // Also where it is too late: what is recorded, even without effect, comes from somebody who may decide here.
        self.authorise(&request, &identity, &input).await?;
        if input.evidence != request.evidence_digest {
            let (given, shown) = (input.evidence.short(), request.evidence_digest.short());
            return Err(StoreError::OtherEvidence { given, shown }.into());
        }
        let mut decision = Decision {
            id,
            request: request.id,
            kind: input.kind,
            actor: input.actor,
            person: identity.person,
            roles: identity.roles.into_iter().collect(),
            channel: input.channel,
            second_factor: input.second_factor,
            // PostgreSQL keeps no NUL in a text; nobody means one.
            reason: input.reason.replace('\0', "\u{FFFD}"),
            conditions: input.conditions,
            evidence_digest: input.evidence,
            envelope: None,
            late: false,
            at: self.parts.clock.now(),
        };
        decision.envelope = Some(self.attest(&decision, &request).await.map_err(DeskError::from)?);
        let message = Message::DecisionRecorded { decision: decision.clone() };
        let notices = self.request_notices(request.run, &request.policy, &message);
        let recorded = store.record_decision(&decision, &notices).await?;
        self.hint_outbox();
        self.hint_work();
        Ok(recorded)
    }

    /// The same text is the same decision.
    fn decision_id(&self, once: Option<&str>) -> DecisionId {
        DecisionId::from_ulid(match once {
            None => self.parts.ids.ulid(),
            Some(once) => Ulid::from_bytes(first_half(Digest::of(once.as_bytes()))),
        })
    }

    /// What was recorded when the same deed arrived first.
    async fn recorded_before(&self, request: &SignoffRequest, id: DecisionId) -> Result<Option<Recorded>, StoreError> {
        let decisions = self.parts.store.decisions(&request.id).await?;
        let standing = request.policy.tally(request.verdict, &decisions);
        let known = decisions.into_iter().find(|decision| decision.id == id);
        Ok(known.map(|decision| Recorded { decision, standing, request: request.clone() }))
    }

    /// Lets through who may, and writes down who may not.
    async fn authorise(
        &self,
        request: &SignoffRequest,
        identity: &Identity,
        input: &DecisionInput,
    ) -> Result<(), DecideError> {
        let run = self
            .parts
            .store
            .run(&request.run)
            .await?
            .ok_or_else(|| StoreError::NotFound { what: "run", id: request.run.to_string() })?;
        let starter = self.parts.directory.identify(&run.started_by).await;
        let attempt = Attempt {
            identity,
            starter: &starter,
            verdict: request.verdict,
            kind: input.kind,
            channel: input.channel,
            second_factor: input.second_factor,
            reason: &input.reason,
            conditions: &input.conditions,
        };
        let Err(refusal) = request.policy.authorise(&attempt) else { return Ok(()) };
        self.note(request, input, &refusal).await?;
        Err(refusal.into())
    }

    async fn note(&self, request: &SignoffRequest, input: &DecisionInput, why: &Refusal) -> Result<(), StoreError> {
        let detail = serde_json::json!({
            "kind": input.kind,
            "channel": input.channel,
            "refusal": why.to_string(),
            "evidence": input.evidence,
        });
        self.note_refusal(&input.actor, &request.id.to_string(), detail).await
    }
}

/// The first sixteen bytes.
pub(crate) fn first_half(digest: Digest) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest.as_bytes()[..16]);
    half
}
