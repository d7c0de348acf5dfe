//! Sources: copies a delivered file into the artifact store before anything reads it, so that a run keeps the bytes it started
//! with, whatever happens to the file.

use crate::engine::Engine;
use crate::error::{OrchestratorError, StepFailure, step_error};
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::event::Cause;
use countersign_model::pipeline::Source;
use countersign_model::run::{Claim, Run};
use countersign_ports::Delivered;
use countersign_ports::metadata_store::ArtifactFilter;
use std::path::Path;

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
        let (file, expected) = match &run.cause {
            Cause::Arrival { source: arrived, path, span, digest } if arrived == name => {
                (Delivered { path: path.into(), span: span.clone() }, Some(*digest))
            }
            Cause::Arrival { .. } | Cause::Person | Cause::Cron { .. } => {
                (self.parts.deliveries.newest(source).map_err(|problem| step_error("input.missing", problem))?, None)
            }
        };
        let staged = self.parts.artifacts.stage().await.map_err(OrchestratorError::from)?;
        copy_in(&file.path, &staged)?;
        let (digest, manifest) = self.parts.artifacts.publish(&staged).await.map_err(OrchestratorError::from)?;
        if expected.is_some_and(|expected| manifest.files.iter().all(|entry| entry.digest != expected)) {
            return Err(step_error(
                "input.changed",
                format!(
                    "{} changed after its arrival was noticed: its new content starts a run of its own",
                    file.path.display()
                ),
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

/// Copies the file into `staged`, always under the name `delivery.<extension>`, so that equal bytes are equal artifacts whatever
/// day their names spell.
fn copy_in(file: &Path, staged: &Path) -> Result<(), StepFailure> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("data");
    std::fs::copy(file, staged.join(format!("delivery.{extension}"))).map(|_| ()).map_err(|error| {
        step_error(
            "input.missing",
            format!("read {}: {error}; check the source's `path` in the pipeline", file.display()),
        )
        .into()
    })
}
