//! The desk: the one way in for what people do to runs and pipelines, whatever the channel.

use crate::engine::Engine;
use crate::error::OrchestratorError;
use crate::watcher::RunEvent;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::id::{RequestId, RunId};
use countersign_model::pipeline::PipelineVersion;
use countersign_model::poke::Poke;
use countersign_model::run::{RunEnd, RunState};
use countersign_ports::metadata_store::{AuditNote, NoteAction, Recorded};
use countersign_ports::trigger_store::Paused;
use countersign_ports::{DecideError, DecisionInput, Desk, DeskError, StoreError};
use std::collections::BTreeMap;

#[async_trait]
impl Desk for Engine {
    async fn decide(&self, input: DecisionInput) -> Result<Recorded, DecideError> {
        self.record(input).await
    }

    async fn poke(
        &self,
        request: &RequestId,
        actor: &Actor,
        example: BTreeMap<String, String>,
    ) -> Result<Poke, DeskError> {
        self.try_example(request, actor, example).await
    }

    async fn cancel(&self, run: &RunId, actor: &Actor) -> Result<(), DeskError> {
        self.stop(run, actor).await
    }

    async fn start(&self, pipeline: &str, by: &Actor) -> Result<RunId, DeskError> {
        let version = self.may_handle(pipeline, by, "start").await?;
        Ok(Engine::start(self, &version, by).await?)
    }

    async fn pause(&self, pipeline: &str, by: &Actor, reason: &str) -> Result<bool, DeskError> {
        let version = self.may_handle(pipeline, by, "pause").await?;
        let (reason, at) = (reason.replace('\0', "\u{FFFD}"), self.parts.clock.now());
        Ok(self.parts.triggers.pause(&Paused { pipeline: version.name, by: by.clone(), reason, at }).await?)
    }

    async fn unpause(&self, pipeline: &str, by: &Actor) -> Result<bool, DeskError> {
        let version = self.may_handle(pipeline, by, "resume").await?;
        let resumed = self.parts.triggers.unpause(&version.name, by, self.parts.clock.now()).await?;
        // Held runs may be claimed from now.
        self.hint_work();
        Ok(resumed)
    }
}

impl Engine {
    /// The definition of a pipeline that somebody wants to do something about, when they may act at all.
    async fn may_handle(&self, name: &str, actor: &Actor, deed: &str) -> Result<PipelineVersion, DeskError> {
        let found = self.parts.store.pipelines().await?.into_iter().find(|version| version.name == name);
        let version = found.ok_or_else(|| StoreError::NotFound { what: "pipeline", id: name.to_string() })?;
        if let Err(why) = self.may_act(actor).await {
            self.note_refusal(actor, name, serde_json::json!({ "kind": deed, "refusal": why })).await?;
            return Err(DeskError::Impossible(why));
        }
        Ok(version)
    }

    /// Stops a run for a person. A message that waits for an answer says so from then on.
    async fn stop(&self, id: &RunId, actor: &Actor) -> Result<(), DeskError> {
        let store = &self.parts.store;
        let run = store.run(id).await?.ok_or_else(|| StoreError::NotFound { what: "run", id: id.to_string() })?;
        if let Err(why) = self.may_act(actor).await {
            self.note_refusal(actor, &id.to_string(), serde_json::json!({ "kind": "cancel", "refusal": why })).await?;
            return Err(DeskError::Impossible(why));
        }
        let notices = match &run.state {
            RunState::Waiting { request } => store.request(request).await?.map(|request| self.changed(&request)),
            RunState::Queued | RunState::Running | RunState::Ended { .. } => None,
        };
        store.cancel_run(id, actor, self.parts.clock.now(), &notices.unwrap_or_default()).await?;
        // Another run of the pipeline may have waited for this one.
        self.hint_work();
        self.hint_outbox();
        let end = RunEnd::Cancelled { by: actor.clone() };
        self.parts.watcher.hear(RunEvent::Ended { run: *id, end });
        Ok(())
    }

    /// Whether somebody may act at all: a person, with an account that is in use.
    pub(crate) async fn may_act(&self, actor: &Actor) -> Result<(), String> {
        if !actor.is_person() {
            return Err(format!("`{actor}` is not a person: only people act here"));
        }
        match self.parts.directory.identify(actor).await.barred {
            Some(why) => Err(format!("`{actor}` may do nothing here: {why}")),
            None => Ok(()),
        }
    }

    /// Writes down that somebody was refused: when that can not be written, the failure is the answer.
    pub(crate) async fn note_refusal(
        &self,
        actor: &Actor,
        subject: &str,
        detail: serde_json::Value,
    ) -> Result<(), StoreError> {
        let note = AuditNote {
            at: self.parts.clock.now(),
            actor: actor.clone(),
            action: NoteAction::DecisionRefused,
            subject: subject.to_string(),
            detail,
        };
        self.parts.store.record_note(&note).await
    }
}

impl From<OrchestratorError> for DeskError {
    fn from(error: OrchestratorError) -> Self {
        match error {
            OrchestratorError::Store(error) => Self::Store(error),
            error => Self::Engine { operation: "act on a sign-off request", source: Box::new(error) },
        }
    }
}
