//! `audit verify`: checks the hash chain from the first entry to the last.

use crate::args::AuditCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
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
    let AuditCommand::Verify { anchor } = command;
    let anchor = anchor.as_deref().map(Anchor::parse).transpose()?;
    let store = wiring::metadata(context).await?;
    let mut verified = verify(store.as_ref()).await?;
    if let Some(anchor) = anchor.filter(|_| verified.broken.is_none()) {
        verified.broken = anchor.contradicted(store.as_ref()).await?;
    }
    let exit = if verified.broken.is_none() { Exit::Done } else { Exit::Failed };
    if context.json() {
        context.print_json("audit", &verified)?;
        return Ok(exit);
    }
    let entries = text::count(verified.entries.unsigned_abs());
    match &verified.broken {
        None => println!("audit log: {entries} entries, every one fits · head {}", verified.head.short()),
        Some(problem) => println!("{problem} · {entries} entries fit one another"),
    }
    Ok(exit)
}

/// An entry that somebody saw outside this database: in a Slack message, on a page, in a bundle.
struct Anchor {
    sequence: i64,
    hash: String,
}

impl Anchor {
    /// Reads `#1234 ab12cd34ef56`; also `1234:ab12…`.
    fn parse(text: &str) -> anyhow::Result<Self> {
        let parsed = text.trim().trim_start_matches('#').split_once([' ', ':']).and_then(|(sequence, hash)| {
            let (sequence, hash) = (sequence.parse().ok()?, hash.trim().to_lowercase());
            let sound = hash.len() >= 12 && hash.len() <= 64 && hash.chars().all(|digit| digit.is_ascii_hexdigit());
            (sequence > 0 && sound).then_some(Self { sequence, hash })
        });
        parsed.ok_or_else(|| {
            let form = "an anchor is a number and at least twelve characters of a hash, such as `#1234 ab12cd34ef56`";
            WrongInput::new(format!("error: `{text}` is no anchor: {form}")).into()
        })
    }

    /// What speaks against the anchor, if anything does.
    async fn contradicted(&self, store: &dyn MetadataStore) -> anyhow::Result<Option<String>> {
        let entry = store.audit_entries(self.sequence - 1, 1).await?.into_iter().next();
        Ok(match entry.filter(|entry| entry.sequence == self.sequence) {
            None => Some(format!(
                "audit log: entry {} was seen outside and is not here: the tail was cut off",
                self.sequence
            )),
            Some(entry) if entry.hash.to_string().starts_with(&self.hash) => None,
            Some(entry) => Some(format!(
                "audit log: entry {} was seen outside as {}, but is {} here: the log was written anew",
                self.sequence,
                self.hash,
                entry.hash.short()
            )),
        })
    }
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
