//! Verifies a bundle with nothing but a public key. Every file is either compared with bytes that can be made anew or named
//! by a signed digest; a file that is neither is refused.

use super::files::Files;
use super::listing::{FORM, Listing, README};
use super::{
    APPROVER_ENDING, ARTIFACTS, DECISIONS, ENVELOPE_ENDING, EVIDENCE_FILE, KEY_FILE, LISTING_FILE, POLICY_FILE,
    README_FILE,
};
use crate::dsse;
use crate::failure::AttestFailure;
use crate::key::PublicKey;
use countersign_model::actor::{Actor, Identity};
use countersign_model::artifact::{FileEntry, Manifest};
use countersign_model::canonical;
use countersign_model::decision::Decision;
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use countersign_model::finding::Verdict;
use countersign_model::policy::{Attempt, SignoffPolicy, Standing};
use countersign_model::statement::{APPROVER, Approver, EVIDENCE, POLICY, Predicate, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::Path;

/// What a bundle that holds shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// What was decided on.
    pub evidence: Evidence,
    /// Its digest.
    pub evidence_digest: Digest,
    /// The rules it was decided under.
    pub policy: SignoffPolicy,
    /// Who decided what, oldest first.
    pub statements: Vec<Statement>,
    /// Artifacts whose files are in the bundle and were checked.
    pub carried: BTreeSet<String>,
    /// Artifacts of which the bundle only knows the digests.
    pub named: BTreeSet<String>,
}

/// Verifies a bundle with a public key that the verifier has from elsewhere.
///
/// # Errors
/// The first file or field that does not hold, with what was expected.
pub fn verify(directory: &Path, public_key_pem: &str) -> Result<Verified, AttestFailure> {
    let key = PublicKey::from_pem(public_key_pem)?;
    let mut files = Files::of(directory)?;
    same(KEY_FILE, key.to_pem().as_bytes(), &files.take(KEY_FILE)?, "the key to verify with")?;
    same(README_FILE, README.as_bytes(), &files.take(README_FILE)?, "the text that every bundle has")?;
    let evidence_text = files.take(EVIDENCE_FILE)?;
    let evidence: Evidence = document(EVIDENCE_FILE, &evidence_text)?;
    let policy_text = files.take(POLICY_FILE)?;
    let policy: SignoffPolicy = document(POLICY_FILE, &policy_text)?;
    field(POLICY_FILE, "digest", &evidence.policy, &Digest::of(&policy_text))?;
    let listing: Listing = document(LISTING_FILE, &files.take(LISTING_FILE)?)?;
    field(LISTING_FILE, "form", &FORM, &listing.form)?;
    let all: BTreeSet<String> = evidence.artifacts.keys().cloned().collect();
    field(LISTING_FILE, "carried and named", &all, &listing.carried.union(&listing.named).cloned().collect())?;
    field(
        LISTING_FILE,
        "carried as well as named",
        &BTreeSet::new(),
        &listing.carried.intersection(&listing.named).collect(),
    )?;
    let carried = carried_files(&mut files, &evidence, &listing)?;
    let known = Known {
        evidence_digest: Digest::of(&evidence_text),
        evidence: &evidence,
        policy: &policy,
        carried,
        listing: &listing,
    };
    let statements = statements(&mut files, &key, &known)?;
    files.nothing_left()?;
    add_up(&policy, evidence.verdict(), &statements)?;
    Ok(Verified {
        evidence_digest: known.evidence_digest,
        evidence,
        policy,
        statements,
        carried: listing.carried,
        named: listing.named,
    })
}

/// What the statements are held against.
struct Known<'a> {
    evidence_digest: Digest,
    evidence: &'a Evidence,
    policy: &'a SignoffPolicy,
    /// Subject name to digest of every file under `artifacts/`.
    carried: BTreeMap<String, Digest>,
    listing: &'a Listing,
}

/// Digests every artifact's files and holds the tree against the evidence.
fn carried_files(
    files: &mut Files,
    evidence: &Evidence,
    listing: &Listing,
) -> Result<BTreeMap<String, Digest>, AttestFailure> {
    let mut carried = BTreeMap::new();
    for name in &listing.carried {
        let folder = format!("{ARTIFACTS}/{name}");
        let mut entries: Vec<FileEntry> = Vec::new();
        for path in files.names_under(&folder) {
            let (bytes, digest) = files.take_digest(&format!("{folder}/{path}"))?;
            carried.insert(format!("{name}/{path}"), digest);
            entries.push(FileEntry { path, bytes, digest });
        }
        if let Some(wanted) = evidence.artifacts.get(name) {
            field(&folder, "tree digest", wanted, &Manifest::new(entries).digest())?;
        }
    }
    Ok(carried)
}

/// Opens every envelope and holds what it says against the rest of the bundle.
fn statements(files: &mut Files, key: &PublicKey, known: &Known<'_>) -> Result<Vec<Statement>, AttestFailure> {
    let mut statements: Vec<Statement> = Vec::new();
    for name in files.names_under(DECISIONS) {
        let Some(decision) = name.strip_suffix(ENVELOPE_ENDING) else { continue };
        let place = format!("{DECISIONS}/{name}");
        let envelope = String::from_utf8(files.take(&place)?)
            .map_err(|_| AttestFailure::differs(&place, "a DSSE envelope", "no text"))?;
        let statement = dsse::open(&envelope, key)
            .map_err(|failure| AttestFailure::differs(&place, "an envelope signed with the key", failure))?;
        field(&place, "decision", &decision.to_string(), &statement.predicate.decision.to_string())?;
        let approver = format!("{DECISIONS}/{decision}{APPROVER_ENDING}");
        let approver_text = files.take(&approver)?;
        let said = &statement.predicate;
        let wanted = Approver { actor: said.actor.clone(), person: said.person.clone(), roles: said.roles.clone() };
        same(&approver, &written(&approver, &wanted)?, &approver_text, "who decided by the signed statement")?;
        predicate_fits(&place, said, known)?;
        subjects_fit(&place, &statement, Digest::of(&approver_text), known)?;
        if let Some(first) = statements.first() {
            field(&place, "request", &first.predicate.request, &statement.predicate.request)?;
            field(&place, "files of artifacts", &artifact_files(first), &artifact_files(&statement))?;
        }
        statements.push(statement);
    }
    statements.sort_by_key(|statement| (statement.predicate.decided_at, statement.predicate.decision));
    Ok(statements)
}

fn predicate_fits(place: &str, said: &Predicate, known: &Known<'_>) -> Result<(), AttestFailure> {
    let evidence = known.evidence;
    field(place, "evidence", &known.evidence_digest, &said.evidence)?;
    field(place, "policy", &evidence.policy, &said.policy)?;
    field(place, "model", &evidence.model, &said.model)?;
    field(place, "baseline", &evidence.baseline, &said.baseline)?;
    field(place, "artifacts", &evidence.artifacts, &said.artifacts)?;
    field(place, "pipeline", &evidence.pipeline, &said.pipeline)?;
    field(place, "gate", &evidence.gate, &said.gate)?;
    let roles = said.roles.iter().cloned().collect();
    let identity = Identity { actor: said.actor.clone(), person: said.person.clone(), roles, barred: None };
    // Who started the run is no part of what was signed, so self-approval was only checked when it was decided.
    let nobody = Identity::unknown(&Actor::system("bundle"));
    let attempt = Attempt {
        identity: &identity,
        starter: &nobody,
        verdict: evidence.verdict(),
        kind: said.kind,
        channel: said.channel,
        second_factor: said.second_factor,
        reason: &said.reason,
        conditions: &said.conditions,
    };
    let allowed = known.policy.authorise(&attempt);
    allowed.map_err(|refusal| AttestFailure::differs(place, "a decision that policy.json allows", refusal))
}

/// Every subject is what it names, every carried file is a subject, and no subject is of an unknown artifact.
fn subjects_fit(place: &str, statement: &Statement, approver: Digest, known: &Known<'_>) -> Result<(), AttestFailure> {
    let mut subjects: BTreeMap<&str, Digest> = BTreeMap::new();
    for subject in &statement.subject {
        let digest = subject.sha256().filter(|_| subject.digest.len() == 1);
        let digest =
            digest.ok_or_else(|| AttestFailure::differs(place, "one SHA-256 for each subject", &subject.name))?;
        if subjects.insert(&subject.name, digest).is_some() {
            return Err(AttestFailure::differs(place, "each subject once", &subject.name));
        }
    }
    let documents = [(EVIDENCE, known.evidence_digest), (POLICY, known.evidence.policy), (APPROVER, approver)];
    let files = known.carried.iter().map(|(name, digest)| (name.as_str(), *digest));
    for (name, digest) in documents.into_iter().chain(files) {
        field(place, &format!("subject {name}"), &subjects.remove(name), &Some(digest))?;
    }
    for name in subjects.keys() {
        let of = name.split_once('/').map_or("", |(artifact, _)| artifact);
        if !known.listing.named.contains(of) {
            return Err(AttestFailure::differs(format!("{ARTIFACTS}/{name}"), "a file that was signed", "nothing"));
        }
    }
    Ok(())
}

fn artifact_files(statement: &Statement) -> BTreeMap<&str, Option<Digest>> {
    let files = statement.subject.iter().filter(|subject| subject.name.contains('/'));
    files.map(|subject| (subject.name.as_str(), subject.sha256())).collect()
}

/// Whether the decisions are enough by the policy.
fn add_up(policy: &SignoffPolicy, verdict: Verdict, statements: &[Statement]) -> Result<(), AttestFailure> {
    let decisions: Vec<Decision> = statements.iter().map(|statement| decision(&statement.predicate)).collect();
    match policy.tally(verdict, &decisions) {
        Standing::Approved => Ok(()),
        standing @ (Standing::Open { .. } | Standing::Rejected) => {
            Err(AttestFailure::differs(DECISIONS, "decisions that approve under policy.json", format!("{standing:?}")))
        }
    }
}

fn decision(said: &Predicate) -> Decision {
    Decision {
        id: said.decision,
        request: said.request,
        kind: said.kind,
        actor: said.actor.clone(),
        person: said.person.clone(),
        roles: said.roles.clone(),
        channel: said.channel,
        second_factor: said.second_factor,
        reason: said.reason.clone(),
        conditions: said.conditions.clone(),
        evidence_digest: said.evidence,
        envelope: None,
        late: false,
        at: said.decided_at,
    }
}

/// Reads a document and makes sure that it has no other text than the one that was read from it.
fn document<T: DeserializeOwned + Serialize>(name: &str, text: &[u8]) -> Result<T, AttestFailure> {
    let value =
        serde_json::from_slice(text).map_err(|error| AttestFailure::differs(name, "its JSON document", error))?;
    same(name, &written(name, &value)?, text, "canonical JSON of fields that this version knows")?;
    Ok(value)
}

fn written<T: Serialize>(name: &str, value: &T) -> Result<Vec<u8>, AttestFailure> {
    canonical::to_bytes(value).map_err(|error| AttestFailure::differs(name, "a document with a canonical form", error))
}

fn same(name: &str, wanted: &[u8], found: &[u8], what: &str) -> Result<(), AttestFailure> {
    if wanted == found {
        return Ok(());
    }
    let differs = wanted.iter().zip(found).take_while(|(a, b)| a == b).count();
    Err(AttestFailure::differs(name, what, format!("other text from byte {differs} on")))
}

fn field<T: PartialEq + Debug>(place: &str, name: &str, wanted: &T, found: &T) -> Result<(), AttestFailure> {
    if wanted == found {
        return Ok(());
    }
    Err(AttestFailure::differs(format!("{place}: {name}"), format!("{wanted:?}"), format!("{found:?}")))
}
