//! Events over HTTP: requests to named hooks become events of the pipelines that list them.
//!
//! A request is judged by its raw bytes, read as CloudEvents, as an object store's notification or as plain JSON, and answered with
//! what became of it once every row is durable. Sent again it changes nothing, because events have keys. What an event is about beyond
//! its kind, source and identifier is not kept. Knows no server: the bytes come in through [`Hooks`].

mod auth;
mod cloud_event;
mod message;
mod objects;
mod refusals;

#[cfg(test)]
mod judged;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

pub use auth::HookAuth;

use crate::candidate::Candidate;
use crate::service::SharedPipelines;
use async_trait::async_trait;
use auth::Refused;
use countersign_model::actor::Actor;
use countersign_model::event::{Cause, EventOutcome};
use countersign_model::pipeline::PipelineVersion;
use countersign_ports::metadata_store::Proposal;
use countersign_ports::{Clock, Hooks, IdSource, MetadataStore, StoreError, WebhookAnswer, WebhookRequest};
use message::{Happening, Message, NotUnderstood};
use objects::Object;
use refusals::Refusals;
use serde::Serialize;
use serde_json::json;
use std::sync::{Arc, PoisonError};
use tokio::sync::Notify;

/// How the hook of that name knows its senders, asked at each request; none: there is no such hook.
pub type KnownHooks = Arc<dyn Fn(&str) -> Option<HookAuth> + Send + Sync>;

/// What hooks work with.
pub struct HookOptions {
    /// The record.
    pub store: Arc<dyn MetadataStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdSource>,
    /// The pipelines whose triggers count.
    pub pipelines: SharedPipelines,
    /// Which hooks there are.
    pub hooks: KnownHooks,
    /// Notified when deliveries are worth a look.
    pub look: Arc<Notify>,
    /// Notified when there may be a run to claim.
    pub work: Arc<Notify>,
}

/// Takes what is sent to hooks.
pub struct HookService {
    options: HookOptions,
    refusals: Refusals,
}

/// What became of one event for one pipeline.
#[derive(Serialize)]
struct Taken {
    pipeline: String,
    kind: String,
    source: String,
    id: String,
    #[serde(flatten)]
    outcome: EventOutcome,
}

impl HookService {
    /// A service over these parts.
    pub fn new(options: HookOptions) -> Self {
        Self { options, refusals: Refusals::default() }
    }

    async fn refuse(&self, hook: &str, why: Refused) -> WebhookAnswer {
        tracing::debug!(why = why.as_str(), "a request to a hook was refused");
        if let Some(note) = self.refusals.count(hook, why, self.options.clock.now())
            && let Err(error) = self.options.store.record_note(&note).await
        {
            tracing::warn!(%error, "refused requests could not be written down");
        }
        // One answer for all: it does not tell which hooks there are.
        problem(401, "this hook does not know you: there is none of this name, or the proof is not right")
    }

    fn pipelines(&self) -> Vec<PipelineVersion> {
        self.options.pipelines.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers which sources will be looked at, now rather than later.
    fn look_at(&self, objects: &[Object]) -> WebhookAnswer {
        let sources = objects::looked_at(&self.pipelines(), objects);
        if !sources.is_empty() {
            self.options.look.notify_one();
        }
        accepted(202, &[], &sources)
    }

    async fn take(&self, hook: &str, happenings: &[Happening]) -> WebhookAnswer {
        let mut listening = self.pipelines();
        listening.retain(|version| version.pipeline.trigger.http.iter().any(|name| name == hook));
        if listening.is_empty() {
            let words =
                format!("no pipeline listens to this hook: write `http = [\"{hook}\"]` under `[trigger]` of one");
            return problem(422, &words);
        }
        let mut taken = Vec::new();
        for happening in happenings {
            for version in &listening {
                match self.accept(hook, version, happening).await {
                    Ok(outcome) => taken.push(Taken {
                        pipeline: version.name.clone(),
                        kind: happening.kind.clone(),
                        source: happening.source.clone(),
                        id: happening.id.clone(),
                        outcome,
                    }),
                    Err(error) => {
                        tracing::error!(hook, %error, "an event could not be recorded");
                        // What was recorded before is seen again when all of it is sent again.
                        return problem(503, "the record can not be written now: send it again later");
                    }
                }
            }
        }
        self.options.work.notify_one();
        accepted(202, &taken, &[])
    }

    async fn accept(
        &self,
        hook: &str,
        version: &PipelineVersion,
        happening: &Happening,
    ) -> Result<EventOutcome, StoreError> {
        let Happening { kind, source, id, key } = happening.clone();
        let candidate = Candidate {
            cause: Cause::Http { hook: hook.to_string(), kind, source, id },
            actor: Actor::system(&format!("hook/{hook}")),
            span: None,
            key: format!("http:{}:{key}", version.name),
        };
        let (event, run) = candidate.propose(version, &*self.options.ids, self.options.clock.now());
        let admission = (&version.pipeline.trigger).into();
        self.options.store.accept_event(&event, Proposal::Admit(&run, admission)).await
    }
}

#[async_trait]
impl Hooks for HookService {
    async fn receive(&self, hook: &str, request: WebhookRequest) -> WebhookAnswer {
        let checked = match (self.options.hooks)(hook) {
            None => Err(Refused::Unknown),
            Some(auth) => auth.check(&request.headers, &request.body, self.options.clock.now()),
        };
        if let Err(why) = checked {
            return self.refuse(hook, why).await;
        }
        match message::read(hook, &request) {
            Ok(Message::Events(happenings)) => self.take(hook, &happenings).await,
            Ok(Message::Objects(objects)) => self.look_at(&objects),
            Ok(Message::Trial) => accepted(200, &[], &[]),
            Err(NotUnderstood::Type(words)) => problem(415, &words),
            Err(NotUnderstood::Shape(words)) => problem(400, &words),
        }
    }
}

fn accepted(status: u16, events: &[Taken], sources: &[String]) -> WebhookAnswer {
    let document = json!({ "schema": "countersign.accepted/1", "data": { "events": events, "sources": sources } });
    WebhookAnswer { status, body: document.to_string() }
}

fn problem(status: u16, message: &str) -> WebhookAnswer {
    let document = json!({ "schema": "countersign.error/1", "data": { "message": message } });
    WebhookAnswer { status, body: document.to_string() }
}
