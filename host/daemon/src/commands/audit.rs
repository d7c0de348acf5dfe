//! `audit verify`: checks the hash chain from the first entry to the last.

use crate::args::AuditCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::text;
use crate::wiring;
use countersign_model::audit;
use countersign_model::digest::Digest;
use countersign_ports::MetadataStore;
use serde::Serialize;

/// Entries read at once.
const PAGE: u32 = 1000;

/// What a verification found.
#[derive(Serialize)]
pub struct Verified {
    /// Entries that fit.
    pub entries: i64,
    /// Hash of the last one that fits.
    pub head: Digest,
    /// The first that does not.
    pub broken: Option<String>,
}

/// Checks the chain.
///
/// # Errors
/// When the store fails.
pub async fn run(context: &Context, command: &AuditCommand) -> anyhow::Result<Exit> {
    let AuditCommand::Verify = command;
    let verified = verify(wiring::store(context).await?.as_ref()).await?;
    let exit = if verified.broken.is_none() { Exit::Done } else { Exit::Failed };
    if context.json() {
        context.print_json("audit", &verified)?;
        return Ok(exit);
    }
    let entries = text::count(verified.entries.unsigned_abs());
    match &verified.broken {
        None => println!("audit log: {entries} entries, every one fits · head {}", verified.head.short()),
        Some(problem) => println!("{problem}; the {entries} entries before it fit"),
    }
    Ok(exit)
}

/// Walks the chain.
///
/// # Errors
/// When the store fails.
pub async fn verify(store: &dyn MetadataStore) -> anyhow::Result<Verified> {
    let mut head = (0, audit::genesis());
    loop {
        let page = store.audit_entries(head.0, PAGE).await?;
        if page.is_empty() {
            return Ok(Verified { entries: head.0, head: head.1, broken: None });
        }
        match audit::verify(head, &page) {
            Ok(next) => head = next,
            Err(broken) => {
                return Ok(Verified { entries: broken.sequence - 1, head: head.1, broken: Some(broken.to_string()) });
            }
        }
    }
}
