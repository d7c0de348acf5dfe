//! The record: which database, behind which seams.

use crate::context::Context;
use crate::meter::{Meter, MeteredLeases, MeteredStore};
use crate::system::SystemClock;
use anyhow::Context as _;
use countersign_config::settings::Database;
use countersign_ports::{AccessStore, LeaseStore, MetadataStore, PostStore, RetentionStore, TriggerStore};
pub use countersign_store::Sums;
use countersign_store::{PostgresOptions, SqlStore, TransferError};
use std::fs::{File, TryLockError};
use std::sync::Arc;
use tokio::sync::Notify;

/// The record, behind each of its seams.
#[derive(Clone)]
pub struct Stores {
    /// Metadata.
    pub metadata: Arc<dyn MetadataStore>,
    /// Who may come in.
    pub access: Arc<dyn AccessStore>,
    /// What was posted where.
    pub posts: Arc<dyn PostStore>,
    /// What triggers remember.
    pub triggers: Arc<dyn TriggerStore>,
    /// Which daemon does what.
    pub leases: Arc<dyn LeaseStore>,
    /// What is old, and what is needed all the same.
    pub retention: Arc<dyn RetentionStore>,
    /// Notified when another process wrote something that makes work. A hint.
    pub changes: Arc<Notify>,
    /// The version of the tables.
    pub schema: Schema,
}

/// The version of the tables that a process works on.
#[derive(Clone)]
pub struct Schema {
    store: Arc<SqlStore>,
    /// When the store was opened; it opens no other than the one it knows.
    pub version: i64,
}

impl Schema {
    /// Why this process should not go on with the store; none when all is as it was.
    pub async fn problem(&self) -> Option<String> {
        match self.store.schema_version().await {
            Ok(version) if version == self.version => None,
            Ok(version) => Some(format!("the store has schema {version}, this process works on {}", self.version)),
            Err(_) => Some("the store does not answer".to_string()),
        }
    }
}

impl Stores {
    /// The same, counted.
    pub fn metered(self, meter: &Arc<Meter>) -> Self {
        let metadata = Arc::new(MeteredStore::new(self.metadata, Arc::clone(meter)));
        let leases = Arc::new(MeteredLeases::new(self.leases, Arc::clone(meter)));
        Self { metadata, leases, ..self }
    }
}

/// The record. A read command on an installation that never ran finds an empty one.
///
/// # Errors
/// When the database can not be opened, or its tables are of an older version and nobody has migrated it.
pub async fn stores(context: &Context) -> anyhow::Result<Stores> {
    let store = Arc::new(open(context, false).await?);
    let version = store.schema_version().await.context("read the version of the tables")?;
    Ok(Stores {
        metadata: Arc::clone(&store) as _,
        access: Arc::clone(&store) as _,
        posts: Arc::clone(&store) as _,
        triggers: Arc::clone(&store) as _,
        leases: Arc::clone(&store) as _,
        retention: Arc::clone(&store) as _,
        changes: store.changes(),
        schema: Schema { store, version },
    })
}

/// As [`stores`], for commands that only read what happened.
///
/// # Errors
/// When the database can not be opened.
pub async fn metadata(context: &Context) -> anyhow::Result<Arc<dyn MetadataStore>> {
    Ok(stores(context).await?.metadata)
}

/// The database itself. One in PostgreSQL is brought up to this version only if `migrate` says so, for other daemons may still use it; a
/// SQLite file always is.
///
/// # Errors
/// When it can not be opened.
pub async fn open(context: &Context, migrate: bool) -> anyhow::Result<SqlStore> {
    match &context.settings.database {
        Database::Sqlite(path) => SqlStore::sqlite(path, Arc::new(SystemClock))
            .await
            .with_context(|| format!("open the metadata store {}", path.display())),
        Database::Postgres(url) => {
            let options = PostgresOptions { migrate, clock: None };
            SqlStore::postgres(url.expose(), options)
                .await
                .with_context(|| format!("open the metadata store in {}", described(context)))
        }
    }
}

/// Makes sure that an exported file is on the disk.
///
/// # Errors
/// When the disk does not take it.
pub fn synced(file: &File) -> Result<(), TransferError> {
    file.sync_all().map_err(|source| TransferError::File { operation: "write", source })
}

/// Whether several daemons may work on the record.
pub fn shared(context: &Context) -> bool {
    match &context.settings.database {
        Database::Sqlite(_) => false,
        Database::Postgres(_) => true,
    }
}

/// What the database is, for people; never its password.
pub fn described(context: &Context) -> String {
    match &context.settings.database {
        Database::Sqlite(path) => format!("SQLite {}", path.display()),
        Database::Postgres(url) => format!("PostgreSQL {}", place(url.expose())),
    }
}

/// Host, port and database of a URL: nothing before an `@`, where user and password stand, and nothing of its options.
fn place(url: &str) -> &str {
    let behind = url.rsplit_once("://").map_or("", |(_, rest)| rest);
    let behind = url.rsplit_once('@').map_or(behind, |(_, rest)| rest);
    behind.split('?').next().unwrap_or_default()
}

/// Held by the one daemon that may serve an installation on SQLite; the system takes it away when the process ends, however it ends.
pub struct SoleDaemon {
    _lock: Option<File>,
}

/// Makes sure that no other daemon serves the same SQLite file. On PostgreSQL there may be several.
///
/// # Errors
/// When another one does.
pub fn sole_daemon(context: &Context) -> anyhow::Result<SoleDaemon> {
    if shared(context) {
        return Ok(SoleDaemon { _lock: None });
    }
    let directory = &context.settings.state_dir;
    std::fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    let path = directory.join("serve.lock");
    let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(SoleDaemon { _lock: Some(file) }),
        Err(TryLockError::WouldBlock) => anyhow::bail!(
            "another daemon serves {} already: stop it, or use PostgreSQL ([database] in the settings), on which several share the work",
            directory.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_database_is_named_without_its_password() {
        assert_eq!(place("postgres://ada:pw@db.example.org:5432/c?sslmode=require"), "db.example.org:5432/c");
        assert_eq!(place("postgresql://db/c"), "db/c");
        assert_eq!(place("postgres:///c?host=/run/postgresql&password=pw"), "/c");
        assert_eq!(place("postgres://ada:p@s?w/d@db/c"), "db/c");
    }
}
