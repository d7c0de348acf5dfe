//! Who may come in: sessions, one-time links, read-only tokens. Only digests of secrets are stored; the secret itself is shown once.

use crate::metadata_store::StoreError;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;

/// What a credential opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A browser's session: what its actor may do.
    Session,
    /// A link that signs in once.
    Link,
    /// A token that reads, for programs.
    Token,
    /// A sign-in with Slack that is under way, bound to one browser.
    SignIn,
}

impl CredentialKind {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Link => "link",
            Self::Token => "token",
            Self::SignIn => "sign-in",
        }
    }
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// SHA-256 of the secret.
    pub digest: Digest,
    /// What it opens.
    pub kind: CredentialKind,
    /// For whom; `system:sign-in` while nobody has signed in.
    pub actor: Actor,
    /// What people call it: a token's name; for a sign-in, where to go afterwards.
    pub label: String,
    /// A second secret, random: a session's CSRF key, a sign-in's nonce.
    pub companion: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it opens nothing.
    pub expires_at: Timestamp,
}

/// Credentials.
#[async_trait]
pub trait AccessStore: Send + Sync {
    /// Records a credential, with an audit entry (`credential.created`) by whoever made it; refused when its digest is there already.
    /// Expired ones are dropped on the way.
    async fn create_credential(&self, credential: &Credential, by: &Actor) -> Result<(), StoreError>;
    /// The credential of that digest and kind that has neither expired nor been revoked.
    async fn credential(
        &self,
        kind: CredentialKind,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Credential>, StoreError>;
    /// As [`Self::credential`], and takes it away in the same transaction: of two who redeem at once, one gets it,
    /// with an audit entry (`credential.redeemed`) by its actor.
    async fn redeem_credential(
        &self,
        kind: CredentialKind,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Credential>, StoreError>;
    /// Takes it away, with an audit entry (`credential.revoked`). False when there was none.
    async fn revoke_credential(&self, digest: &Digest, by: &Actor, now: Timestamp) -> Result<bool, StoreError>;
    /// Live credentials of a kind, newest first.
    async fn credentials(&self, kind: CredentialKind, now: Timestamp) -> Result<Vec<Credential>, StoreError>;
    /// True the first time that a key is used, false from then on until `until`; expired keys are dropped on the way. Refuses replays of
    /// one-time codes.
    async fn first_use(&self, key: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError>;
}
