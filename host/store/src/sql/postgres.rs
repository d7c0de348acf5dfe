//! A Postgres database, which several daemons share: connecting, taking turns, and hearing of one another.
//!
//! Nothing is remembered in a session: time limits hold for one transaction, so that a pooler which lends a connection for one
//! transaction at a time can stand in between (with `statement-cache-capacity=0` in the URL). Its clients only hear nothing.

use super::connection::{Connection, Lent, Row, execute, failed, one};
use super::migrations;
use super::rows::Record;
use super::statement::Sql;
use countersign_model::time::Timestamp;
use countersign_ports::{Clock, StoreError};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Writers of one process take turns before they ask for a connection; the others read, or extend leases.
const CONNECTIONS: u32 = 10;
/// How long an operation waits for a connection, or for a server that is not there.
const PATIENCE: Duration = Duration::from_secs(10);
/// More statements than this store has: each is prepared once a connection.
const STATEMENTS: usize = 256;
/// Between two attempts to listen.
const PAUSE: Duration = Duration::from_secs(1);
/// What daemons tell one another: there is something to do.
const CHANNEL: &str = "countersign";

/// The lock that writers of facts take, one after another, because each fact is a link of one chain.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7165916904816009317), \
     (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT AS now";
const NOW: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT AS now";
const TELL: &str = "SELECT pg_notify('countersign', '')";

/// Begins a write. A process that is stopped in the middle of one loses it, and the lock with it, for the others.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
     SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = '60s'";
/// Begins a look at the store in which nothing changes meanwhile.
pub(super) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
     SET LOCAL idle_in_transaction_session_timeout = '30s'";

/// How to open a store in Postgres.
#[derive(Default)]
pub struct PostgresOptions {
    /// Whether the tables of an older version may be brought up to date. An empty database is always set up.
    pub migrate: bool,
    /// What leases are measured on, instead of the database's own clock: only for tests of one process.
    pub clock: Option<Arc<dyn Clock>>,
}

/// The connections to one database.
pub(super) struct Server {
    pool: PgPool,
    /// Behind a pooler each statement may go to another connection of it, unless both are in one transaction.
    pooler: bool,
    clock: Option<Arc<dyn Clock>>,
    changes: Arc<Notify>,
    listener: JoinHandle<()>,
}

impl Server {
    pub(super) async fn open(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let connect =
            PgConnectOptions::from_str(url).map_err(failed("open metadata store: read the database's URL"))?;
        let pooler = url.contains("statement-cache-capacity=0");
        let connect = if url.contains("statement-cache-capacity") {
            connect
        } else {
            connect.statement_cache_capacity(STATEMENTS)
        };
        // Numbers of that kind are not stored, and poolers refuse the setting.
        let connect = connect.application_name("countersign").extra_float_digits(None).disable_statement_logging();
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let pool = pool.connect_lazy_with(connect.clone());
        let mut connection = match pool.acquire().await {
            // Which says nothing about why.
            Err(sqlx::Error::PoolTimedOut) => Err(connect.connect().await.err().unwrap_or(sqlx::Error::PoolTimedOut)),
            other => other,
        }
        .map_err(failed("open metadata store: connect to the database"))?;
        migrations::postgres(&mut connection, options.migrate).await?;
        drop(connection);
        let changes = Arc::new(Notify::new());
        let listener = tokio::spawn(listen(connect, Arc::clone(&changes)));
        Ok(Self { pool, pooler, clock: options.clock, changes, listener })
    }

    /// A connection for writing.
    pub(super) async fn writer(&self) -> Result<Lent<'static>, StoreError> {
        let connection = self.pool.acquire().await;
        connection.map(Lent::Postgres).map_err(failed("connect to the metadata store"))
    }

    /// A connection for reading.
    pub(super) async fn reader(&self) -> Result<Lent<'static>, StoreError> {
        if !self.pooler {
            return self.writer().await;
        }
        let transaction = self.pool.begin_with(SNAPSHOT).await;
        transaction.map(Lent::PostgresSnapshot).map_err(failed("connect to the metadata store"))
    }

    pub(super) fn clock(&self) -> Option<&dyn Clock> {
        self.clock.as_deref()
    }

    pub(super) fn changes(&self) -> Arc<Notify> {
        Arc::clone(&self.changes)
    }

    pub(super) async fn close(self) {
        self.listener.abort();
        self.pool.close().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// The database's time.
pub(super) async fn now(connection: &mut Connection<'_>) -> Result<Timestamp, StoreError> {
    time(one(connection, "read the database's clock", Sql::new(NOW)).await?)
}

/// Waits for this transaction's turn and answers the database's time then.
pub(super) async fn lock(connection: &mut Connection<'_>) -> Result<Timestamp, StoreError> {
    time(one(connection, "wait for the turn to write", Sql::new(LOCK)).await?)
}

fn time(row: Option<Row>) -> Result<Timestamp, StoreError> {
    let row = row.ok_or_else(|| StoreError::NotFound { what: "clock", id: "of the database".to_string() })?;
    Record::new(&row, "clock", "now").instant("now")
}

/// Tells every daemon, once the transaction is committed, that there is something to do.
pub(super) async fn tell(connection: &mut Connection<'_>) -> Result<(), StoreError> {
    execute(connection, "tell other daemons", Sql::new(TELL)).await.map(|_| ())
}

/// Listens for ever. Whatever is lost while there is no connection is made up for by one wake-up after it is there again.
async fn listen(options: PgConnectOptions, changes: Arc<Notify>) {
    loop {
        match hear(&options, &changes).await {
            Ok(()) => tracing::debug!("the connection on which other daemons are heard ended"),
            Err(error) => tracing::debug!(%error, "other daemons can not be heard"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Until the connection is lost.
async fn hear(options: &PgConnectOptions, changes: &Notify) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).idle_timeout(None).max_lifetime(None);
    let mut listener = PgListener::connect_with(&pool.connect_lazy_with(options.clone())).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    wake(changes);
    while listener.try_recv().await?.is_some() {
        wake(changes);
    }
    Ok(())
}

/// Wakes all who wait, and the next one who comes, who may just be busy.
fn wake(changes: &Notify) {
    changes.notify_waiters();
    changes.notify_one();
}
