//! The append-only audit log: each entry carries the hash of the one before, so that an edit, a deletion or a swap shows.

use crate::actor::Actor;
use crate::digest::Digest;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What is written beside every state change, in the same transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditFact {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, such as `run.started`, `execution.published`, `decision.recorded`.
    pub action: String,
    /// The identifier of what it was done to.
    pub subject: String,
    /// The rest: digests and numbers, never secrets.
    pub detail: serde_json::Value,
}

/// One entry of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// 1, 2, 3, ... without a gap.
    pub sequence: i64,
    /// What happened.
    pub fact: AuditFact,
    /// Hash of the entry before; all zeros for the first.
    pub previous: Digest,
    /// Hash of this one.
    pub hash: Digest,
}

/// The first entry that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("audit log: entry {sequence} {problem}")]
pub struct BrokenChain {
    /// Its number.
    pub sequence: i64,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The hash before the first entry.
pub fn genesis() -> Digest {
    Digest::from_bytes([0; 32])
}

/// SHA-256 over the canonical JSON of `[sequence, previous, fact]`.
///
/// # Errors
/// When the fact can not be written as canonical JSON.
pub fn hash(sequence: i64, previous: &Digest, fact: &AuditFact) -> Result<Digest, serde_json::Error> {
    crate::canonical::digest(&(sequence, previous, fact))
}

/// The entry that follows (`sequence`, `hash`) of the chain's head; `(0, genesis())` for an empty one.
///
/// # Errors
/// As [`hash`].
pub fn append(head: (i64, Digest), fact: AuditFact) -> Result<AuditEntry, serde_json::Error> {
    let sequence = head.0 + 1;
    let hash = hash(sequence, &head.1, &fact)?;
    Ok(AuditEntry { sequence, fact, previous: head.1, hash })
}

/// Checks that `entries` continue `head`, and answers the new head.
///
/// # Errors
/// The first entry that does not fit.
pub fn verify(mut head: (i64, Digest), entries: &[AuditEntry]) -> Result<(i64, Digest), BrokenChain> {
    for entry in entries {
        let broken = |problem| BrokenChain { sequence: entry.sequence, problem };
        if entry.sequence != head.0 + 1 {
            return Err(broken("is not the next one: an entry is missing or out of order"));
        }
        if entry.previous != head.1 {
            return Err(broken("does not follow the one before it"));
        }
        if hash(entry.sequence, &entry.previous, &entry.fact).ok() != Some(entry.hash) {
            return Err(broken("was changed after it was written"));
        }
        head = (entry.sequence, entry.hash);
    }
    Ok(head)
}
