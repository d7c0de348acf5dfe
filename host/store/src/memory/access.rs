//! Credentials and used keys, and what was posted where.

use super::MemoryStore;
use super::state::State;
use crate::deeds;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::run::InvalidTransition;
use countersign_model::time::Timestamp;
use countersign_ports::access_store::{Credential, CredentialKind};
use countersign_ports::{AccessStore, Post, PostStore, StoreError};
use std::cmp::Reverse;

#[async_trait]
impl AccessStore for MemoryStore {
    async fn create_credential(&self, credential: &Credential, by: &Actor) -> Result<(), StoreError> {
        self.change(|state, now| {
            state.credentials.retain(|_, known| known.expires_at > now);
            if state.credentials.contains_key(&credential.digest) {
                return Err(InvalidTransition { from: "past this credential", to: "record it again" }.into());
            }
            state.credentials.insert(credential.digest, credential.clone());
            Ok(vec![deeds::credential_created(credential, by)])
        })
    }

    async fn credential(
        &self,
        kind: CredentialKind,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Credential>, StoreError> {
        Ok(live(&self.state(), digest, now).filter(|credential| credential.kind == kind))
    }

    async fn redeem_credential(
        &self,
        kind: CredentialKind,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Credential>, StoreError> {
        self.write(|state, _| {
            let Some(credential) = live(state, digest, now).filter(|credential| credential.kind == kind) else {
                return Ok((None, Vec::new()));
            };
            state.credentials.remove(digest);
            let deeds = vec![deeds::credential_redeemed(&credential)];
            Ok((Some(credential), deeds))
        })
    }

    async fn revoke_credential(&self, digest: &Digest, by: &Actor, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|state, _| {
            let Some(credential) = live(state, digest, now) else {
                return Ok((false, Vec::new()));
            };
            state.credentials.remove(digest);
            Ok((true, vec![deeds::credential_revoked(&credential, by)]))
        })
    }

    async fn credentials(&self, kind: CredentialKind, now: Timestamp) -> Result<Vec<Credential>, StoreError> {
        let state = self.state();
        let wanted = state.credentials.values().filter(|known| known.kind == kind && known.expires_at > now);
        let mut credentials: Vec<Credential> = wanted.cloned().collect();
        credentials.sort_by_key(|credential| Reverse((credential.created_at, credential.digest)));
        Ok(credentials)
    }

    async fn first_use(&self, key: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        self.write(|state, _| {
            state.used_keys.retain(|_, until| *until > now);
            let first = !state.used_keys.contains_key(key);
            if first {
                state.used_keys.insert(key.to_string(), until);
            }
            Ok((first, Vec::new()))
        })
    }
}

fn live(state: &State, digest: &Digest, now: Timestamp) -> Option<Credential> {
    state.credentials.get(digest).filter(|credential| credential.expires_at > now).cloned()
}

#[async_trait]
impl PostStore for MemoryStore {
    async fn post(&self, subject: &str, channel: &str) -> Result<Option<Post>, StoreError> {
        Ok(self.state().posts.get(&(subject.to_string(), channel.to_string())).cloned())
    }

    async fn record_post(&self, post: &Post) -> Result<(), StoreError> {
        self.change(|state, _| {
            state.posts.insert((post.subject.clone(), post.channel.clone()), post.clone());
            Ok(Vec::new())
        })
    }
}
