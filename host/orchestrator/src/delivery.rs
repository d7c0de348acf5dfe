//! Sources: copies a delivered file into the artifact store before anything reads it, so that a run keeps the bytes it started
//! with, whatever happens to the file.

use crate::engine::Engine;
use crate::error::{OrchestratorError, StepFailure, step_error};
use crate::workplace::Scratch;
use countersign_model::artifact::{Artifact, ArtifactKind, name_in_delivery};
use countersign_model::execution::StepError;
use countersign_model::pipeline::Source;
use countersign_model::run::{Claim, Run};
use countersign_ports::Delivered;
use countersign_ports::metadata_store::ArtifactFilter;

impl Engine {
    /// The run's delivery of `source`: the recorded one, or the file that arrived, or the newest there is.
    pub(crate) async fn delivery(
        &self,
        claim: &Claim,
        run: &Run,
        name: &str,
        source: &Source,
    ) -> Result<Artifact, StepFailure> {
        let filter = ArtifactFilter {
            run: Some(run.id),
            kind: Some(ArtifactKind::DELIVERY.into()),
            ..ArtifactFilter::default()
        };
        let recorded = self.parts.store.artifacts(&filter).await?;
        if let Some(artifact) = recorded.into_iter().find(|artifact| artifact.step == name) {
            return Ok(artifact);
        }
        // A server that does not answer may answer later; a file that is not there is not there.
        let missing =
            |problem| StepError { transient: source.object().is_some(), ..step_error("input.missing", problem) };
        let (file, expected) = match run.cause.delivery() {
            Some((arrived, path, span, digest)) if arrived == name => {
                (Delivered { path: path.into(), span: span.map(str::to_string) }, Some(digest))
            }
            Some(_) | None => (self.parts.deliveries.newest(source).await.map_err(missing)?, None),
        };
        // Goes again when it can not be filled, as on a full disk.
        let staged = Scratch(self.parts.artifacts.stage().await.map_err(OrchestratorError::from)?);
        let copy = staged.0.join(name_in_delivery(&file.path));
        // It was there a moment ago: a disk without space, or a network, may be well again in the next.
        let passing = |problem| StepError { transient: true, ..step_error("input.missing", problem) };
        self.parts.deliveries.fetch(&file.path, &copy).await.map_err(passing)?;
        let (digest, manifest) = self.parts.artifacts.publish(&staged.0).await.map_err(OrchestratorError::from)?;
        if expected.is_some_and(|expected| manifest.files.iter().all(|entry| entry.digest != expected)) {
            return Err(step_error(
                "input.changed",
                format!("{} changed after its arrival was noticed: its new content starts a run of its own", file.path),
            )
            .into());
        }
        let artifact = Artifact {
            id: self.artifact_id(),
            kind: ArtifactKind::DELIVERY.into(),
            digest,
            bytes: manifest.bytes(),
            pipeline: run.pipeline.clone(),
            step: name.to_string(),
            output: "delivery".to_string(),
            run: run.id,
            execution: None,
            span: file.span,
            created_at: self.parts.clock.now(),
        };
        self.parts.store.record_delivery(claim, &artifact).await?;
        Ok(artifact)
    }
}
