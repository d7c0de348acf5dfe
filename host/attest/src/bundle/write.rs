//! Writes a bundle, and hands out none that does not verify.

use super::listing::{FORM, Listing, README};
use super::{
    APPROVER_ENDING, ARTIFACTS, DECISIONS, ENVELOPE_ENDING, EVIDENCE_FILE, KEY_FILE, LISTING_FILE, POLICY_FILE,
    README_FILE,
};
use crate::failure::AttestFailure;
use crate::key::PublicKey;
use countersign_model::artifact::Manifest;
use countersign_model::canonical;
use countersign_model::decision::Decision;
use countersign_model::evidence::Evidence;
use countersign_model::policy::SignoffPolicy;
use countersign_model::statement::Approver;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What goes into a bundle.
pub struct Contents<'a> {
    /// The evidence document, exactly as it was signed.
    pub evidence: &'a str,
    /// The rules it was decided under.
    pub policy: &'a SignoffPolicy,
    /// The decisions on it; those that came late have no effect and are left out.
    pub decisions: &'a [Decision],
    /// Artifacts to carry: `step.output` to where its files lie and which they are. All others in the evidence are only named.
    pub artifacts: &'a BTreeMap<String, (PathBuf, Manifest)>,
    /// The key that signed.
    pub public_key: &'a PublicKey,
}

/// Writes a bundle into a directory that does not exist or is empty. It appears there whole and verified, or not at all.
///
/// # Errors
/// When the directory holds something, a file can not be written, or the contents do not verify.
pub fn write(directory: &Path, contents: &Contents<'_>) -> Result<(), AttestFailure> {
    let parent = match directory.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    };
    refuse_full(directory)?;
    let name = directory
        .file_name()
        .ok_or_else(|| AttestFailure::Unwritable { what: format!("{} names no directory", directory.display()) })?;
    let partial = parent.join(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
    fs::create_dir(&partial).map_err(AttestFailure::io("create directory", &partial))?;
    let written = write_files(&partial, contents)
        .and_then(|()| super::verify(&partial, &contents.public_key.to_pem()))
        .and_then(|_| fs::rename(&partial, directory).map_err(AttestFailure::io("create bundle", directory)));
    if written.is_err() {
        // The first error says what went wrong; that the remains stay would add nothing to it.
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

fn refuse_full(directory: &Path) -> Result<(), AttestFailure> {
    match fs::read_dir(directory).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(AttestFailure::Unwritable { what: format!("{} is not empty", directory.display()) }),
        Ok(false) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(AttestFailure::io("create bundle", directory)(error)),
    }
}

fn write_files(directory: &Path, contents: &Contents<'_>) -> Result<(), AttestFailure> {
    let evidence: Evidence = serde_json::from_str(contents.evidence)
        .map_err(|error| AttestFailure::Unwritable { what: format!("{EVIDENCE_FILE}: {error}") })?;
    let (carried, named) = evidence.artifacts.into_keys().partition(|name| contents.artifacts.contains_key(name));
    let listing = Listing { form: FORM, carried, named };
    put(&directory.join(EVIDENCE_FILE), contents.evidence.as_bytes())?;
    put(&directory.join(POLICY_FILE), &json(POLICY_FILE, contents.policy)?)?;
    put(&directory.join(LISTING_FILE), &json(LISTING_FILE, &listing)?)?;
    put(&directory.join(KEY_FILE), contents.public_key.to_pem().as_bytes())?;
    put(&directory.join(README_FILE), README.as_bytes())?;
    for decision in contents.decisions.iter().filter(|decision| !decision.late) {
        let Some(envelope) = &decision.envelope else {
            return Err(AttestFailure::Unwritable { what: format!("{} was never signed", decision.id) });
        };
        let file = |ending: &str| directory.join(DECISIONS).join(format!("{}{ending}", decision.id));
        put(&file(ENVELOPE_ENDING), envelope.as_bytes())?;
        put(&file(APPROVER_ENDING), &json(APPROVER_ENDING, &Approver::of(decision))?)?;
    }
    for (artifact, (folder, manifest)) in contents.artifacts {
        for file in &manifest.files {
            let (from, to) = (folder.join(&file.path), directory.join(ARTIFACTS).join(artifact).join(&file.path));
            make_room(&to)?;
            fs::copy(&from, &to).map_err(AttestFailure::io("copy into bundle", &from))?;
        }
    }
    Ok(())
}

fn json<T: Serialize>(name: &str, value: &T) -> Result<Vec<u8>, AttestFailure> {
    canonical::to_bytes(value).map_err(|error| AttestFailure::Unwritable { what: format!("{name}: {error}") })
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), AttestFailure> {
    make_room(path)?;
    fs::write(path, bytes).map_err(AttestFailure::io("write", path))
}

fn make_room(path: &Path) -> Result<(), AttestFailure> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent).map_err(AttestFailure::io("create directory", parent))
}
