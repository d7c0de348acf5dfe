//! Runs that read a delivery without having been started by its arrival.
//!
//! A run that a person, the clock or another system asked for takes the newest delivery of each source, whether or not anybody noticed
//! its arrival. What such a run read, or is about to read, starts no second one.

use super::scan::Watched;
use super::{TriggerService, store_error};
use crate::error::TriggerError;
use crate::look::Found;
use countersign_model::artifact::{ArtifactKind, Manifest};
use countersign_model::digest::Digest;
use countersign_model::id::RunId;
use countersign_model::pipeline::{Input, Work};
use countersign_model::run::Run;
use countersign_ports::metadata_store::{ArtifactFilter, RunFilter};

impl TriggerService {
    /// The newest run that read this content from the source and did not come to nothing.
    pub(super) async fn reader(
        &self,
        watched: &Watched,
        found: &Found,
        digest: Digest,
    ) -> Result<Option<RunId>, TriggerError> {
        let failed = |error| store_error(&watched.trigger)("find who read a delivery", error);
        let content = Manifest::of_delivery(&found.delivered.path, found.look.bytes, digest).digest();
        let filter = ArtifactFilter {
            pipeline: Some(watched.version.name.clone()),
            kind: Some(ArtifactKind::DELIVERY.into()),
            digest: Some(content),
            ..ArtifactFilter::default()
        };
        for delivery in self.store.artifacts(&filter).await.map_err(failed)? {
            if delivery.step != watched.name {
                continue;
            }
            let run = self.store.run(&delivery.run).await.map_err(failed)?;
            if run.is_some_and(|run| !run.state.came_to_nothing()) {
                return Ok(Some(delivery.run));
            }
        }
        Ok(None)
    }

    /// Whether a run goes on that takes the newest delivery of the source and did not come to that yet.
    pub(super) async fn is_about_to_be_read(&self, watched: &Watched) -> Result<bool, TriggerError> {
        if !is_read(watched) {
            return Ok(false);
        }
        let failed = |error| store_error(&watched.trigger)("find who reads a delivery", error);
        let filter = RunFilter {
            pipeline: Some(watched.version.name.clone()),
            status: Some("running".to_string()),
            ..RunFilter::default()
        };
        let takes_newest =
            |run: &Run| run.cause.delivery().is_none_or(|(source, _, _, _)| source != watched.name.as_str());
        for run in self.store.runs(&filter).await.map_err(failed)?.into_iter().filter(takes_newest) {
            let filter = ArtifactFilter {
                run: Some(run.id),
                kind: Some(ArtifactKind::DELIVERY.into()),
                ..ArtifactFilter::default()
            };
            let delivered = self.store.artifacts(&filter).await.map_err(failed)?;
            if delivered.iter().all(|delivery| delivery.step != watched.name) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a step reads the source at all.
fn is_read(watched: &Watched) -> bool {
    watched.version.pipeline.steps.iter().any(|step| match &step.work {
        Work::Component(work) => work.inputs.values().any(|input| match input {
            Input::Source { source } => *source == watched.name,
            Input::Step { .. } | Input::Resolve { .. } => false,
        }),
        Work::Signoff(_) => false,
    })
}
