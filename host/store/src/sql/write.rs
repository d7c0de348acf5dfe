//! A write: a transaction at a named place, with its entries in the audit log. Knows no table but that one.

use super::connection::{Connection, Lent, Row, Transaction, execute, failed, one};
use super::postgres;
use super::statement::{PerDatabase, Sql};
use crate::deeds::Deed;
use countersign_model::audit;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::failpoint::{Point, Side, reach};
use countersign_ports::{Clock, StoreError};
use std::ops::{Deref, DerefMut};
use tokio::sync::MutexGuard;

/// Where the audit chain ends: number and hash of its last entry.
pub(super) type Head = (i64, Digest);

pub(super) const AUDIT_HEAD: &str = "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1";
/// Inserts only behind the entry that it names: what this process remembers of the chain is checked by the database itself.
const AUDIT_INSERT: &str = "INSERT INTO audit (sequence, at, actor, action, subject, detail, previous, hash) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 \
     WHERE $7 = COALESCE((SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1), $9)";

/// IMMEDIATE: a transaction that reads first and writes later could otherwise fail for good when another process wrote in between.
const BEGIN: PerDatabase = PerDatabase { sqlite: "BEGIN IMMEDIATE", postgres: postgres::BEGIN };

/// Whose turn it is to write facts.
pub(super) struct Writer<'s> {
    pub(super) toucher: Toucher<'s>,
    /// Held across the whole write: writers of this process queue here.
    pub(super) head: MutexGuard<'s, Head>,
}

impl Writer<'_> {
    /// Begins a write of facts.
    pub(super) async fn begin(&mut self, point: Point) -> Result<Write<'_>, StoreError> {
        Ok(Write { touch: self.toucher.start(point, true).await?, head: &mut self.head })
    }
}

/// A connection for a write that leaves no entry in the audit log.
pub(super) struct Toucher<'s> {
    pub(super) connection: Lent<'s>,
    /// None: the database's own, which only Postgres has.
    pub(super) clock: Option<&'s dyn Clock>,
}

impl Toucher<'_> {
    /// Begins that write.
    pub(super) async fn begin(&mut self, point: Point) -> Result<Touch<'_>, StoreError> {
        self.start(point, false).await
    }

    async fn start(&mut self, point: Point, alone: bool) -> Result<Touch<'_>, StoreError> {
        let begun = self.connection.begin(BEGIN).await;
        let mut transaction = begun.map_err(failed("begin a write to the metadata store"))?;
        let mut connection = transaction.connection();
        let turn = match &connection {
            Connection::Postgres(_) if alone => Some(postgres::lock(&mut connection).await?),
            Connection::Postgres(_) | Connection::Sqlite(_) => None,
        };
        // Read only now: whoever waited for the lock must not judge leases by the time at which the wait began.
        let now = match (self.clock, turn) {
            (Some(clock), _) => clock.now(),
            (None, Some(now)) => now,
            (None, None) => postgres::now(&mut connection).await?,
        };
        Ok(Touch { transaction, point, now })
    }
}

/// A write that is no state of the record and leaves no entry in the audit log: a heartbeat, what became of a delivery. It may run
/// beside others, so each must be right by itself: one row, changed under a condition.
pub(super) struct Touch<'c> {
    transaction: Transaction<'c>,
    point: Point,
    now: Timestamp,
}

impl Touch<'_> {
    /// The store's time at which this write began.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn connection(&mut self) -> Connection<'_> {
        self.transaction.connection()
    }

    /// As the function of that name.
    pub(super) async fn execute(&mut self, operation: &'static str, sql: Sql) -> Result<u64, StoreError> {
        execute(&mut self.connection(), operation, sql).await
    }

    /// As the function of that name.
    pub(super) async fn one(&mut self, operation: &'static str, sql: Sql) -> Result<Option<Row>, StoreError> {
        one(&mut self.connection(), operation, sql).await
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        reach(self.point, Side::Before);
        self.transaction.commit().await.map_err(failed("commit to the metadata store"))?;
        reach(self.point, Side::After);
        Ok(())
    }
}

/// A write of facts, alone in the store; dropped without [`Write::commit`] it never happened.
pub(super) struct Write<'c> {
    touch: Touch<'c>,
    head: &'c mut Head,
}

impl Write<'_> {
    /// Commits the changes together with their audit entries: no entry, no change.
    pub(super) async fn commit(mut self, deeds: Vec<Deed>) -> Result<(), StoreError> {
        let mut head = *self.head;
        let makes_work = !deeds.is_empty() && makes_work(self.point);
        for deed in deeds {
            head = self.append(head, deed).await?;
        }
        if let (true, Connection::Postgres(_)) = (makes_work, self.connection()) {
            postgres::tell(&mut self.connection()).await?;
        }
        self.touch.commit().await?;
        // Only now: what was not committed must not be remembered.
        *self.head = head;
        Ok(())
    }

    /// Appends one entry behind `head`, or behind the real head when another process wrote since, and answers the new one.
    async fn append(&mut self, head: Head, deed: Deed) -> Result<Head, StoreError> {
        let fact = deed.at(self.now);
        if let Some(head) = self.insert(audit::append(head, fact.clone())?).await? {
            return Ok(head);
        }
        let real = super::audit::head(&mut self.connection()).await?;
        self.insert(audit::append(real, fact)?).await?.ok_or_else(|| StoreError::Database {
            operation: "append to the audit log",
            source: "its head is not what it was a moment ago, in one transaction".into(),
        })
    }

    async fn insert(&mut self, entry: audit::AuditEntry) -> Result<Option<Head>, StoreError> {
        let sql = Sql::new(AUDIT_INSERT)
            .bind(entry.sequence)
            .bind(entry.fact.at.as_micros())
            .bind(entry.fact.actor.as_str())
            .bind(entry.fact.action.as_str())
            .bind(entry.fact.subject.as_str())
            .bind(serde_json::to_string(&entry.fact.detail)?)
            .bind(entry.previous.to_string())
            .bind(entry.hash.to_string())
            .bind(audit::genesis().to_string());
        let inserted = self.execute("append to the audit log", sql).await?;
        Ok((inserted > 0).then_some((entry.sequence, entry.hash)))
    }
}

impl<'c> Deref for Write<'c> {
    type Target = Touch<'c>;

    fn deref(&self) -> &Touch<'c> {
        &self.touch
    }
}

impl<'c> DerefMut for Write<'c> {
    fn deref_mut(&mut self) -> &mut Touch<'c> {
        &mut self.touch
    }
}

/// Whether what is committed there may be work for somebody: a run, a place in which one can run, a notice.
fn makes_work(point: Point) -> bool {
    match point {
        Point::AcceptEvent
        | Point::ReleaseRun
        | Point::EndRun
        | Point::CancelRun
        | Point::OpenRequest
        | Point::RecordDecision
        | Point::CloseRequest
        | Point::AdvanceRequest
        | Point::CompletePush
        | Point::Pause => true,
        Point::RegisterPipeline
        | Point::ClaimRun
        | Point::Heartbeat
        | Point::BeginExecution
        | Point::PublishExecution
        | Point::RecordDelivery
        | Point::RecordPoke
        | Point::BeginPush
        | Point::SettleNotice
        | Point::RecordNote
        | Point::RecordFire
        | Point::RecordSeenFiles
        | Point::Hold
        | Point::RecordPost
        | Point::Credential
        | Point::UseKey
        | Point::Collect
        | Point::Import
        | Point::PublishArtifact
        | Point::RemoveArtifact
        | Point::ShowVersion
        | Point::MoveCurrent
        | Point::CallSlack => false,
    }
}
