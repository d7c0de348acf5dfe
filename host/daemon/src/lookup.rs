//! Finds runs and artifacts by what people type: whole identifiers, their last characters, the first ones of a digest.

use crate::failure::WrongInput;
use countersign_model::artifact::{Artifact, ArtifactKind};
use countersign_model::id::RunId;
use countersign_model::run::Run;
use countersign_ports::MetadataStore;
use countersign_ports::metadata_store::{ArtifactFilter, RunFilter};

/// How far back shortened identifiers are looked for.
const RECENT: u32 = 1000;
/// Shorter texts name too much.
const SHORTEST: usize = 4;

/// The run that `text` names.
///
/// # Errors
/// When there is none, or more than one.
pub async fn run(store: &dyn MetadataStore, text: &str) -> anyhow::Result<Run> {
    if let Ok(id) = text.parse::<RunId>() {
        return store
            .run(&id)
            .await?
            .ok_or_else(|| wrong(format!("there is no run {id}; `countersign runs` lists them")));
    }
    let ending = text.to_uppercase();
    let runs = store.runs(&RunFilter { limit: RECENT, ..RunFilter::default() }).await?;
    let found =
        runs.into_iter().filter(|run| text.len() >= SHORTEST && run.id.to_string().ends_with(&ending)).collect();
    only(found, "run", text, "`countersign runs` lists them; give the whole identifier or its last six characters")
}

/// The artifact that `text` names; of equal ones the newest.
///
/// # Errors
/// When there is none, or several different ones.
pub async fn artifact(store: &dyn MetadataStore, text: &str, kind: Option<&str>) -> anyhow::Result<Artifact> {
    if let Ok(id) = text.parse() {
        return store.artifact(&id).await?.ok_or_else(|| wrong(format!("there is no artifact {text}")));
    }
    let filter = ArtifactFilter { kind: kind.map(ArtifactKind::new), limit: RECENT, ..ArtifactFilter::default() };
    let mut found: Vec<Artifact> = Vec::new();
    for artifact in store.artifacts(&filter).await? {
        let named =
            artifact.digest.to_string().starts_with(text) || artifact.id.to_string().ends_with(&text.to_uppercase());
        if text.len() >= SHORTEST && named && found.iter().all(|known| known.digest != artifact.digest) {
            found.push(artifact);
        }
    }
    only(
        found,
        "artifact",
        text,
        "`countersign show RUN` lists a run's artifacts; give an identifier or the first characters of a digest",
    )
}

fn only<T>(mut found: Vec<T>, what: &str, text: &str, hint: &str) -> anyhow::Result<T> {
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => Err(wrong(format!("`{text}` names {} {what}s: give more characters", found.len() + 1))),
        (None, _) => Err(wrong(format!("`{text}` names no {what}: {hint}"))),
    }
}

fn wrong(text: String) -> anyhow::Error {
    WrongInput::new(format!("error: {text}")).into()
}
