//! What comes, once each: the audit log numbers every change of the record without a gap, so its number is the cursor.

use countersign_model::audit::AuditEntry;
use countersign_ports::{MetadataStore, StoreError};
use serde::Serialize;
use std::io::{ErrorKind, Write as _};
use std::time::Duration;

/// How often the record is looked at.
const GLANCE: Duration = Duration::from_millis(500);
/// Entries read at a time.
const PAGE: u32 = 500;

/// A place in the audit log.
pub struct Cursor {
    after: i64,
}

impl Cursor {
    /// Behind everything that is there now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn at_the_end(store: &dyn MetadataStore) -> Result<Self, StoreError> {
        Ok(Self { after: store.audit_head().await?.0 })
    }

    /// Waits for entries, and moves behind them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self, store: &dyn MetadataStore) -> Result<Vec<AuditEntry>, StoreError> {
        loop {
            let entries = store.audit_entries(self.after, PAGE).await?;
            if let Some(last) = entries.last() {
                self.after = last.sequence;
                return Ok(entries);
            }
            pause().await;
        }
    }
}

/// Waits until it is time for another look.
pub async fn pause() {
    tokio::time::sleep(GLANCE).await;
}

/// Prints lines. False: nobody reads them any more, as after `| head`.
///
/// # Errors
/// When standard output fails in another way.
pub fn print(lines: &[String]) -> std::io::Result<bool> {
    let mut out = std::io::stdout().lock();
    let written = lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// One document on one line, that names its schema.
///
/// # Errors
/// When the value can not be written as JSON.
pub fn json_line<T: Serialize>(schema: &str, value: &T) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Document<'a, T> {
        schema: String,
        data: &'a T,
    }
    serde_json::to_string(&Document { schema: format!("countersign.{schema}/1"), data: value })
}
