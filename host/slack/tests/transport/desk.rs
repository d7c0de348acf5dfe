//! A desk over the store in memory: the policy, the tally and the idempotence of the real one, without runs to carry.

use async_trait::async_trait;
use countersign_model::actor::{Actor, Identity};
use countersign_model::decision::{Decision, RequestState};
use countersign_model::digest::Digest;
use countersign_model::id::{DecisionId, RequestId, RunId};
use countersign_model::poke::Poke;
use countersign_model::policy::Attempt;
use countersign_ports::metadata_store::Recorded;
use countersign_ports::{Clock, DecideError, DecisionInput, Desk, DeskError, MetadataStore, StoreError};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use ulid::Ulid;

pub struct TestDesk {
    pub store: Arc<dyn MetadataStore>,
    pub clock: Arc<dyn Clock>,
    /// Account to roles.
    pub roles: Mutex<BTreeMap<String, Vec<String>>>,
    /// The record can not be written.
    pub broken: AtomicBool,
    pub asked: AtomicU32,
}

#[async_trait]
impl Desk for TestDesk {
    async fn decide(&self, input: DecisionInput) -> Result<Recorded, DecideError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            let source = std::io::Error::other("disk full").into();
            return Err(StoreError::Database { operation: "record decision", source }.into());
        }
        let request = self.store.request(&input.request).await?.unwrap();
        let once = input.once.as_ref().expect("every click is one deed");
        let id =
            DecisionId::from_ulid(Ulid::from_bytes(Digest::of(once.as_bytes()).as_bytes()[..16].try_into().unwrap()));
        let decisions = self.store.decisions(&request.id).await?;
        if let Some(decision) = decisions.iter().find(|decision| decision.id == id) {
            let standing = request.policy.tally(request.verdict, &decisions);
            return Ok(Recorded { decision: decision.clone(), standing, request });
        }
        let roles = self.roles.lock().unwrap().get(input.actor.as_str()).cloned().unwrap_or_default();
        let actor = input.actor.clone();
        let person = actor.to_string();
        let identity = Identity { actor, person, roles: roles.iter().cloned().collect(), barred: None };
        let attempt = Attempt {
            identity: &identity,
            starter: &Identity::unknown(&Actor::local("ada")),
            verdict: request.verdict,
            kind: input.kind,
            channel: input.channel,
            second_factor: false,
            reason: &input.reason,
            conditions: &input.conditions,
        };
        if request.state == RequestState::Open {
            request.policy.authorise(&attempt)?;
        }
        let decision = Decision {
            id,
            request: request.id,
            kind: input.kind,
            actor: input.actor,
            person: identity.person,
            roles,
            channel: input.channel,
            second_factor: false,
            reason: input.reason,
            conditions: input.conditions,
            evidence_digest: input.evidence,
            envelope: None,
            late: false,
            at: self.clock.now(),
        };
        Ok(self.store.record_decision(&decision, &[]).await?)
    }

    async fn poke(&self, _: &RequestId, _: &Actor, _: BTreeMap<String, String>) -> Result<Poke, DeskError> {
        Err(DeskError::Impossible("nobody pokes from Slack".to_string()))
    }

    async fn cancel(&self, _: &RunId, _: &Actor) -> Result<(), DeskError> {
        Err(DeskError::Impossible("nobody stops runs from Slack".to_string()))
    }

    async fn start(&self, _: &str, _: &Actor) -> Result<RunId, DeskError> {
        Err(DeskError::Impossible("nobody starts runs from Slack".to_string()))
    }

    async fn pause(&self, _: &str, _: &Actor, _: &str) -> Result<bool, DeskError> {
        Err(DeskError::Impossible("nobody pauses from Slack".to_string()))
    }

    async fn unpause(&self, _: &str, _: &Actor) -> Result<bool, DeskError> {
        Err(DeskError::Impossible("nobody resumes from Slack".to_string()))
    }
}
