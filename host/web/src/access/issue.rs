//! Makes credentials. The secret is handed out once; the store gets its digest.

use super::random;
use countersign_model::actor::Actor;
use countersign_model::time::Timestamp;
use countersign_ports::access_store::{AccessStore, Credential, CredentialKind};
use countersign_ports::{Clock, StoreError};
use std::time::Duration;

/// Why no credential could be made.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The operating system has no randomness.
    #[error("make secret: the operating system gave no random bytes")]
    Random,
    /// The store failed.
    #[error("record credential")]
    Store(#[from] StoreError),
}

/// A credential to make.
pub struct NewCredential<'a> {
    /// What it opens.
    pub kind: CredentialKind,
    /// For whom.
    pub actor: &'a Actor,
    /// What people call it.
    pub label: &'a str,
    /// Who makes it.
    pub by: &'a Actor,
    /// For how long it opens anything.
    pub lifetime: Duration,
}

/// A credential that was made: the secret, and what is recorded of it.
pub struct Issued {
    /// Shown or set once, kept nowhere.
    pub secret: String,
    /// What the store holds.
    pub credential: Credential,
}

/// Makes and records a credential.
///
/// # Errors
/// When there is no randomness or the store fails.
pub async fn issue(access: &dyn AccessStore, now: Timestamp, new: NewCredential<'_>) -> Result<Issued, AccessError> {
    let secret = random::secret()?;
    let credential = Credential {
        digest: random::digest(&secret),
        kind: new.kind,
        actor: new.actor.clone(),
        label: new.label.to_string(),
        companion: random::secret()?,
        created_at: now,
        expires_at: now.plus(new.lifetime),
    };
    access.create_credential(&credential, new.by).await?;
    Ok(Issued { secret, credential })
}

/// A link that signs `actor` in once, within `lifetime`. Opening it shows a button and spends nothing, so that link previews are harmless.
///
/// # Errors
/// When there is no randomness or the store fails.
pub async fn issue_link(
    access: &dyn AccessStore,
    actor: &Actor,
    by: &Actor,
    public_url: &str,
    clock: &dyn Clock,
    lifetime: Duration,
) -> Result<String, AccessError> {
    let new = NewCredential { kind: CredentialKind::Link, actor, label: "one-time link", by, lifetime };
    let issued = issue(access, clock.now(), new).await?;
    Ok(format!("{}/sign-in/link/{}", public_url.trim_end_matches('/'), issued.secret))
}

/// A token called `name` that reads everything and changes nothing, for `Authorization: Bearer`.
///
/// # Errors
/// When there is no randomness or the store fails.
pub async fn issue_token(
    access: &dyn AccessStore,
    name: &str,
    by: &Actor,
    clock: &dyn Clock,
    lifetime: Duration,
) -> Result<String, AccessError> {
    let actor = Actor::system(&format!("token/{name}"));
    let new = NewCredential { kind: CredentialKind::Token, actor: &actor, label: name, by, lifetime };
    Ok(issue(access, clock.now(), new).await?.secret)
}
