//! A desk that judges by the policy and records in the store, as the engine does, with models that answer by rote; who is who; and an
//! endpoint and hooks that accept one proof.

use async_trait::async_trait;
use countersign_model::actor::{Actor, Identity};
use countersign_model::decision::Decision;
use countersign_model::event::{Cause, Event};
use countersign_model::id::{DecisionId, EventId, PokeId, RequestId, RunId};
use countersign_model::pipeline::{PipelineVersion, Trigger};
use countersign_model::poke::{Answer, Poke};
use countersign_model::policy::Attempt;
use countersign_model::run::{Run, RunState};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::{AuditNote, NoteAction, Proposal, Recorded};
use countersign_ports::trigger_store::Paused;
use countersign_ports::{
    Clock, DecideError, DecisionInput, Desk, DeskError, Directory, Fire, Hooks, MetadataStore, StoreError, Timetable,
    TriggerStore, Webhook, WebhookAnswer, WebhookRequest,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use ulid::Ulid;

pub struct FakeDirectory(pub Vec<Identity>);

#[async_trait]
impl Directory for FakeDirectory {
    async fn identify(&self, actor: &Actor) -> Identity {
        let found = self.0.iter().find(|identity| identity.actor == *actor);
        found.cloned().unwrap_or_else(|| Identity::unknown(actor))
    }
}

pub struct FakeDesk {
    store: Arc<dyn MetadataStore>,
    triggers: Arc<dyn TriggerStore>,
    directory: Arc<FakeDirectory>,
    clock: Arc<dyn Clock>,
    ids: AtomicU64,
}

impl FakeDesk {
    pub fn new(
        store: Arc<dyn MetadataStore>,
        triggers: Arc<dyn TriggerStore>,
        directory: Arc<FakeDirectory>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, triggers, directory, clock, ids: AtomicU64::new(1) }
    }

    fn ulid(&self) -> Ulid {
        Ulid::from_parts(1_795_000_000_000 + self.ids.fetch_add(1, Ordering::SeqCst), 9)
    }

    async fn known(&self, pipeline: &str) -> Result<PipelineVersion, StoreError> {
        let found = self.store.pipelines().await?.into_iter().find(|version| version.name == pipeline);
        found.ok_or_else(|| StoreError::NotFound { what: "pipeline", id: pipeline.to_string() })
    }

    async fn judge(&self, input: &DecisionInput) -> Result<Identity, DecideError> {
        let missing = || StoreError::NotFound { what: "request", id: input.request.to_string() };
        let request = self.store.request(&input.request).await?.ok_or_else(missing)?;
        let run = self.store.run(&request.run).await?.expect("a request has a run");
        let identity = self.directory.identify(&input.actor).await;
        let attempt = Attempt {
            identity: &identity,
            starter: &self.directory.identify(&run.started_by).await,
            verdict: request.verdict,
            kind: input.kind,
            channel: input.channel,
            second_factor: input.second_factor,
            reason: &input.reason,
            conditions: &input.conditions,
        };
        if let Err(refusal) = request.policy.authorise(&attempt) {
            let note = AuditNote {
                at: self.clock.now(),
                actor: input.actor.clone(),
                action: NoteAction::DecisionRefused,
                subject: input.request.to_string(),
                detail: serde_json::json!({ "why": refusal.to_string() }),
            };
            self.store.record_note(&note).await?;
            return Err(refusal.into());
        }
        Ok(identity)
    }
}

#[async_trait]
impl Desk for FakeDesk {
    async fn decide(&self, input: DecisionInput) -> Result<Recorded, DecideError> {
        let identity = self.judge(&input).await?;
        let decision = Decision {
            id: DecisionId::from_ulid(self.ulid()),
            request: input.request,
            kind: input.kind,
            actor: input.actor,
            person: identity.person,
            roles: identity.roles.into_iter().collect(),
            channel: input.channel,
            second_factor: input.second_factor,
            reason: input.reason,
            conditions: input.conditions,
            evidence_digest: input.evidence,
            envelope: None,
            late: false,
            at: self.clock.now(),
        };
        Ok(self.store.record_decision(&decision, &[]).await?)
    }

    async fn poke(
        &self,
        request: &RequestId,
        actor: &Actor,
        example: BTreeMap<String, String>,
    ) -> Result<Poke, DeskError> {
        if example.is_empty() {
            return Err(DeskError::Impossible("an example without a column can not be tried".to_string()));
        }
        let poke = Poke {
            id: PokeId::from_ulid(self.ulid()),
            request: *request,
            actor: actor.clone(),
            at: self.clock.now(),
            example,
            candidate: Answer::Predicted { label: "yes".to_string(), probabilities: vec![("yes".to_string(), 0.75)] },
            live: None,
        };
        self.store.record_poke(&poke).await?;
        Ok(poke)
    }

    async fn cancel(&self, run: &RunId, actor: &Actor) -> Result<(), DeskError> {
        Ok(self.store.cancel_run(run, actor, self.clock.now(), &[]).await?)
    }

    async fn start(&self, pipeline: &str, by: &Actor) -> Result<RunId, DeskError> {
        let version = self.known(pipeline).await?;
        let (at, event) = (self.clock.now(), EventId::from_ulid(self.ulid()));
        let run = Run {
            id: RunId::from_ulid(self.ulid()),
            pipeline: version.name,
            pipeline_digest: version.digest,
            event,
            cause: Cause::Person,
            started_by: by.clone(),
            span: None,
            priority: 0,
            state: RunState::Queued,
            created_at: at,
            ended_at: None,
        };
        let (pipeline, dedupe_key) = (run.pipeline.clone(), format!("person:{event}"));
        let event = Event { id: event, pipeline, cause: Cause::Person, actor: by.clone(), dedupe_key, at };
        self.store.accept_event(&event, Proposal::Run(&run)).await?;
        Ok(run.id)
    }

    async fn pause(&self, pipeline: &str, by: &Actor, reason: &str) -> Result<bool, DeskError> {
        let pipeline = self.known(pipeline).await?.name;
        let paused = Paused { pipeline, by: by.clone(), reason: reason.to_string(), at: self.clock.now() };
        Ok(self.triggers.pause(&paused).await?)
    }

    async fn unpause(&self, pipeline: &str, by: &Actor) -> Result<bool, DeskError> {
        self.known(pipeline).await?;
        Ok(self.triggers.unpause(pipeline, by, self.clock.now()).await?)
    }
}

/// A clock strikes six every day; where there is jitter, a minute late.
pub struct FakeTimetable;

impl Timetable for FakeTimetable {
    fn next(&self, _: &str, _: &Trigger, after: Timestamp, most: usize) -> Vec<Fire> {
        let starts_at = after.plus(Duration::from_secs(60));
        vec![Fire { at: after, starts_at, wall_time: "06:00 <Europe/Berlin>".to_string() }; most]
    }
}

/// Takes what carries the right secret to the hook `orders`.
pub struct FakeHooks;

#[async_trait]
impl Hooks for FakeHooks {
    async fn receive(&self, hook: &str, request: WebhookRequest) -> WebhookAnswer {
        let proofs = request.headers.iter().filter(|(name, _)| name == "authorization");
        let proofs: Vec<&[u8]> = proofs.map(|(_, value)| value.as_slice()).collect();
        if hook == "orders" && proofs == [b"Bearer right".as_slice()] {
            WebhookAnswer { status: 202, body: format!("{{\"bytes\":{}}}", request.body.len()) }
        } else {
            WebhookAnswer { status: 401, body: "{}".to_string() }
        }
    }
}

pub struct FakeWebhook;

#[async_trait]
impl Webhook for FakeWebhook {
    async fn receive(&self, request: WebhookRequest) -> WebhookAnswer {
        let signatures = request.headers.iter().filter(|(name, _)| name == "x-slack-signature");
        let signatures: Vec<&[u8]> = signatures.map(|(_, value)| value.as_slice()).collect();
        if signatures == [b"v0=right".as_slice()] {
            WebhookAnswer { status: 200, body: format!("{{\"bytes\":{}}}", request.body.len()) }
        } else {
            WebhookAnswer { status: 401, body: String::new() }
        }
    }
}
