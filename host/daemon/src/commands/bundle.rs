//! `bundle`: everything that was signed about a model, in a directory that anybody can verify without us.

use crate::args::BundleArgs;
use crate::commands::explain;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::wiring;
use anyhow::Context as _;
use countersign_model::artifact::ArtifactKind;
use countersign_model::decision::{RequestState, SignoffRequest};
use countersign_model::evidence::Evidence;
use countersign_ports::MetadataStore;
use countersign_ports::metadata_store::ArtifactFilter;
use std::collections::BTreeMap;

/// Writes the bundle of the newest approval of a model.
///
/// # Errors
/// When nobody approved it, an artifact does not verify, or the directory is taken.
pub async fn run(context: &Context, arguments: &BundleArgs) -> anyhow::Result<Exit> {
    let store = wiring::metadata(context).await?;
    let bytes = wiring::artifacts(context)?;
    let model = explain::find(store.as_ref(), &arguments.model).await?;
    let requests = store.requests(None, Some(&model.digest)).await?;
    let Some(request) = requests.into_iter().find(|request| request.state == RequestState::Approved) else {
        let text = format!("error: nobody approved model {}: there is nothing signed to bundle", model.digest.short());
        return Err(WrongInput::new(text).into());
    };
    let decisions = store.decisions(&request.id).await?;
    let evidence: Evidence = serde_json::from_str(&request.evidence).context("read the evidence")?;
    let mut carried = BTreeMap::new();
    for (name, digest) in &evidence.artifacts {
        if arguments.with_examples || !is_examples(store.as_ref(), digest).await? {
            let directory = bytes.open(digest).await?;
            carried.insert(name.clone(), (directory, bytes.manifest(digest).await?));
        }
    }
    wiring::attest::write_bundle(context, &arguments.directory, &request, &decisions, &carried)?;
    tell(context, arguments, &request, &carried.into_keys().collect::<Vec<_>>(), &evidence)?;
    Ok(Exit::Done)
}

/// Rows of data stay here unless they are asked for: a bundle is handed around.
async fn is_examples(store: &dyn MetadataStore, digest: &countersign_model::digest::Digest) -> anyhow::Result<bool> {
    let filter = ArtifactFilter { digest: Some(*digest), limit: 1, ..ArtifactFilter::default() };
    let found = store.artifacts(&filter).await?;
    Ok(found.iter().any(|artifact| artifact.kind.as_str() == ArtifactKind::EXAMPLES))
}

fn tell(
    context: &Context,
    arguments: &BundleArgs,
    request: &SignoffRequest,
    carried: &[String],
    evidence: &Evidence,
) -> anyhow::Result<()> {
    let directory = arguments.directory.display();
    if context.json() {
        let document = serde_json::json!({
            "directory": arguments.directory, "evidence": request.evidence_digest, "model": request.model_digest,
            "carried": carried,
        });
        return context.print_json("bundle", &document);
    }
    let named = evidence.artifacts.len() - carried.len();
    println!(
        "{directory}: evidence {}, {} artifacts, {named} more by digest only",
        request.evidence_digest.short(),
        carried.len()
    );
    println!("  {} verify {directory} --key signing.pub", crate::context::program());
    println!(
        "  the key lies at {}: give it to whoever verifies by another way than the bundle",
        context.settings.state_dir.join("signing.pub").display()
    );
    Ok(())
}
