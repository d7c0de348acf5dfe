//! Who comes in: cookies, tokens, one-time codes, and where a request came from. Decides nothing about sign-offs.

pub mod cookies;
pub mod issue;
pub mod origin;
pub mod patience;
pub mod random;
pub mod totp;

use crate::problem::Problem;
use axum::http::{HeaderMap, header};
use countersign_model::actor::{Actor, Identity};
use countersign_model::digest::Digest;
use countersign_ports::access_store::{Credential, CredentialKind};

/// Who looks at a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Who they are at this moment.
    pub identity: Identity,
    /// What they came in with.
    pub kind: CredentialKind,
}

impl Viewer {
    /// A token reads; only a session acts.
    pub fn read_only(&self) -> bool {
        self.kind != CredentialKind::Session
    }
}

/// Somebody who came in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub viewer: Viewer,
    /// What every form of theirs carries; empty for a token.
    pub csrf: String,
    /// The credential, to sign out.
    pub credential: Digest,
}

/// The credential that a request carries: a token, or a session's cookie. None when it carries none, or several.
pub fn carried(headers: &HeaderMap, https: bool) -> Option<(CredentialKind, Digest)> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    match (authorizations.next(), authorizations.next()) {
        (None, _) => {
            let secret = cookies::read(headers, cookies::Cookie::Session, https)?;
            Some((CredentialKind::Session, random::digest(&secret)))
        }
        (Some(value), None) => {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| (CredentialKind::Token, random::digest(token.trim())))
        }
        (Some(_), Some(_)) => None,
    }
}

impl crate::server::Server {
    /// Who sent this request; none when nobody whom we know did. Writes nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(&self, headers: &HeaderMap) -> Result<Option<Session>, Problem> {
        let Some((kind, digest)) = carried(headers, self.https()) else { return Ok(None) };
        let found = self.options.access.credential(kind, &digest, self.options.clock.now()).await?;
        let Some(credential) = found else { return Ok(None) };
        let identity = self.identify(&credential).await;
        let csrf = match kind {
            CredentialKind::Session => credential.companion,
            CredentialKind::Token | CredentialKind::Link | CredentialKind::SignIn => String::new(),
        };
        Ok(Some(Session { viewer: Viewer { identity, kind }, csrf, credential: digest }))
    }

    /// A token is no account: nobody is asked about it.
    async fn identify(&self, credential: &Credential) -> Identity {
        let actor: &Actor = &credential.actor;
        if actor.is_person() { self.options.directory.identify(actor).await } else { Identity::unknown(actor) }
    }
}
