//! The installation's key, and bundles of what was signed with it.

use crate::context::Context;
use anyhow::Context as _;
pub use countersign_attest::bundle::Verified;
use countersign_attest::bundle::{self, Contents};
use countersign_attest::{AttestFailure, Keyring};
use countersign_model::artifact::Manifest;
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_ports::Attestor;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The key that signs decisions; made at the first start.
///
/// # Errors
/// When it can not be read or made, or others could read it.
pub fn keyring(context: &Context) -> anyhow::Result<Arc<dyn Attestor>> {
    Ok(Arc::new(open(context)?))
}

fn open(context: &Context) -> anyhow::Result<Keyring> {
    let directory = &context.settings.state_dir;
    std::fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    Keyring::open_or_create(directory).context("open the signing key")
}

/// Writes a bundle of a request, its decisions, and the artifacts that are to be carried.
///
/// # Errors
/// When the directory is taken, or what was signed does not hold.
pub fn write_bundle(
    context: &Context,
    directory: &Path,
    request: &SignoffRequest,
    decisions: &[Decision],
    artifacts: &BTreeMap<String, (PathBuf, Manifest)>,
) -> anyhow::Result<()> {
    let keyring = open(context)?;
    let contents = Contents {
        evidence: &request.evidence,
        policy: &request.policy,
        decisions,
        artifacts,
        public_key: keyring.public_key(),
    };
    bundle::write(directory, &contents).with_context(|| format!("write the bundle {}", directory.display()))
}

/// Verifies a bundle with nothing but a public key.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify_bundle(directory: &Path, public_key_pem: &str) -> Result<Verified, AttestFailure> {
    bundle::verify(directory, public_key_pem)
}
