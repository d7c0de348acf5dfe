//! Credentials and used keys.

use super::SqlStore;
use super::connection::{Row, all, one};
use super::rows::Record;
use super::statement::Sql;
use super::write::Write;
use crate::deeds;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::access_store::{Credential, CredentialKind};
use countersign_ports::failpoint::Point;
use countersign_ports::{AccessStore, StoreError};

pub(super) const LIVE: &str = "SELECT * FROM credentials WHERE digest = $1 AND expires_at > $2 AND kind = $3";
pub(super) const LIVE_OF_KIND: &str =
    "SELECT * FROM credentials WHERE kind = $1 AND expires_at > $2 ORDER BY created_at DESC, digest DESC";
const INSERT: &str = "INSERT INTO credentials (digest, kind, actor, label, companion, created_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const REDEEM: &str = "DELETE FROM credentials WHERE digest = $1 AND expires_at > $2 AND kind = $3 RETURNING *";
const REVOKE: &str = "DELETE FROM credentials WHERE digest = $1 AND expires_at > $2 RETURNING *";
pub(super) const PRUNE: &str = "DELETE FROM credentials WHERE expires_at <= $1";
const USE_KEY: &str = "INSERT INTO used_keys (key, until) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
pub(super) const PRUNE_KEYS: &str = "DELETE FROM used_keys WHERE until <= $1";

#[async_trait]
impl AccessStore for SqlStore {
    async fn create_credential(&self, credential: &Credential, by: &Actor) -> Result<(), StoreError> {
        create(self.writer().await?.begin(Point::Credential).await?, credential, by).await
    }

    async fn credential(
        &self,
        kind: CredentialKind,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Credential>, StoreError> {
        let sql = which(LIVE, digest, now).bind(kind.as_str());
        let row = one(&mut self.reader().await?.connection(), "read credential", sql).await?;
        row.as_ref().map(read).transpose()
    }

    async fn redeem_credential(
        &self,
        kind: CredentialKind,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<Credential>, StoreError> {
        // A look first, so that whoever guesses never takes the write lock.
        if self.credential(kind, digest, now).await?.is_none() {
            return Ok(None);
        }
        redeem(self.writer().await?.begin(Point::Credential).await?, kind, digest, now).await
    }

    async fn revoke_credential(&self, digest: &Digest, by: &Actor, now: Timestamp) -> Result<bool, StoreError> {
        revoke(self.writer().await?.begin(Point::Credential).await?, digest, by, now).await
    }

    async fn credentials(&self, kind: CredentialKind, now: Timestamp) -> Result<Vec<Credential>, StoreError> {
        let sql = Sql::new(LIVE_OF_KIND).bind(kind.as_str()).bind(now.as_micros());
        let rows = all(&mut self.reader().await?.connection(), "list credentials", sql).await?;
        rows.iter().map(read).collect()
    }

    async fn first_use(&self, key: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        first_use(self.writer().await?.begin(Point::UseKey).await?, key, now, until).await
    }
}

fn which(sql: &'static str, digest: &Digest, now: Timestamp) -> Sql {
    Sql::new(sql).bind(digest.to_string()).bind(now.as_micros())
}

fn read(row: &Row) -> Result<Credential, StoreError> {
    let record = Record::new(row, "credentials", "digest");
    Ok(Credential {
        digest: record.parsed("digest")?,
        kind: kind(&record)?,
        actor: record.parsed("actor")?,
        label: record.text("label")?,
        companion: record.text("companion")?,
        created_at: record.instant("created_at")?,
        expires_at: record.instant("expires_at")?,
    })
}

fn kind(record: &Record<'_>) -> Result<CredentialKind, StoreError> {
    use CredentialKind::{Link, Session, SignIn, Token};
    let name = record.text("kind")?;
    let known = [Session, Link, Token, SignIn].into_iter().find(|kind| kind.as_str() == name);
    known.ok_or_else(|| record.nonsense("kind", "it is no kind of credential"))
}

/// Drops the expired ones on the way: nothing else ever looks at them again.
async fn create(mut write: Write<'_>, credential: &Credential, by: &Actor) -> Result<(), StoreError> {
    let now = write.now();
    write.execute("drop expired credentials", Sql::new(PRUNE).bind(now.as_micros())).await?;
    let sql = Sql::new(INSERT)
        .bind(credential.digest.to_string())
        .bind(credential.kind.as_str())
        .bind(credential.actor.as_str())
        .bind(credential.label.as_str())
        .bind(credential.companion.as_str())
        .bind(credential.created_at.as_micros())
        .bind(credential.expires_at.as_micros());
    write.execute("record credential", sql).await?;
    write.commit(vec![deeds::credential_created(credential, by)]).await
}

async fn redeem(
    mut write: Write<'_>,
    kind: CredentialKind,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Credential>, StoreError> {
    let Some(row) = write.one("redeem credential", which(REDEEM, digest, now).bind(kind.as_str())).await? else {
        return Ok(None);
    };
    let credential = read(&row)?;
    write.commit(vec![deeds::credential_redeemed(&credential)]).await?;
    Ok(Some(credential))
}

async fn revoke(mut write: Write<'_>, digest: &Digest, by: &Actor, now: Timestamp) -> Result<bool, StoreError> {
    let Some(row) = write.one("revoke credential", which(REVOKE, digest, now)).await? else {
        return Ok(false);
    };
    write.commit(vec![deeds::credential_revoked(&read(&row)?, by)]).await?;
    Ok(true)
}

async fn first_use(mut write: Write<'_>, key: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
    write.execute("drop expired keys", Sql::new(PRUNE_KEYS).bind(now.as_micros())).await?;
    let sql = Sql::new(USE_KEY).bind(key).bind(until.as_micros());
    let first = write.execute("use key", sql).await? > 0;
    write.commit(Vec::new()).await?;
    Ok(first)
}
