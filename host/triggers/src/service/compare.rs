//! A listing beside what the table says was seen. Pure: what arrived, what still settles, what is gone.

use super::scan::Watched;
use crate::look::{Found, Listing};
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::trigger_store::SeenFile;
use std::collections::HashMap;
use std::time::Duration;

/// So long is a file remembered that is not listed any more. When it comes back later than that, the dedupe key of its event still tells
/// that it was there.
pub(super) const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a listing says beside the table.
#[derive(Default)]
pub(super) struct Compared {
    /// Whole, and not accepted yet.
    pub(super) whole: Vec<Arrived>,
    /// To be recorded: what is new or changed, so that it may settle, and what is gone or back.
    pub(super) changed: Vec<SeenFile>,
    /// When the first file that still settles will have.
    pub(super) settles: Option<Timestamp>,
    /// Which file was accepted with these bytes.
    pub(super) contents: HashMap<Digest, String>,
    /// Something is missing for so long that it can be forgotten.
    pub(super) forgets: bool,
}

/// A file that is whole.
pub(super) struct Arrived {
    pub(super) found: Found,
    pub(super) file: SeenFile,
    /// It is the one that a run takes which was asked for without a delivery.
    pub(super) is_newest: bool,
}

pub(super) fn compare(watched: &Watched, listing: Listing, seen: Vec<SeenFile>, now: Timestamp) -> Compared {
    let mut compared = Compared::default();
    let mut known = HashMap::with_capacity(seen.len());
    for file in seen {
        if let Some(digest) = file.accepted {
            compared.contents.entry(digest).or_insert_with(|| file.path.clone());
        }
        known.insert(file.path.clone(), file);
    }
    let count = listing.found.len();
    for (at, found) in listing.found.into_iter().enumerate() {
        let before = known.remove(&found.delivered.path);
        compared.look_at(watched, found, before, at + 1 == count, now);
    }
    // An empty place may be one that is not there, or not mounted: it says nothing about files.
    if count > 0 {
        known.into_values().for_each(|file| compared.miss(file, now));
    }
    compared
}

impl Compared {
    /// Sorts in a listed file, by what the table says of its path.
    fn look_at(&mut self, watched: &Watched, found: Found, before: Option<SeenFile>, is_newest: bool, now: Timestamp) {
        let look = found.look;
        // A clock that was set back would otherwise keep the file waiting until it catches up.
        let same =
            |file: &SeenFile| (file.bytes, file.modified) == (look.bytes, look.modified) && file.stable_since <= now;
        let before = before.filter(same);
        let is_recorded = before.as_ref().is_some_and(|file| file.missing_since.is_none());
        let mut file = before.unwrap_or_else(|| new_file(watched, &found, now));
        file.missing_since = None;
        let settles = file.stable_since.plus(watched.settle());
        if file.accepted.is_none() && settles <= now {
            self.whole.push(Arrived { found, file, is_newest });
            return;
        }
        if file.accepted.is_none() {
            self.settles = Some(self.settles.map_or(settles, |first| first.min(settles)));
        }
        if !is_recorded {
            self.changed.push(file);
        }
    }

    /// Takes note of a file that is not listed.
    fn miss(&mut self, mut file: SeenFile, now: Timestamp) {
        match file.missing_since.filter(|since| *since <= now) {
            Some(since) => self.forgets |= since < now.minus(REMEMBERED),
            None => {
                file.missing_since = Some(now);
                self.changed.push(file);
            }
        }
    }
}

fn new_file(watched: &Watched, found: &Found, now: Timestamp) -> SeenFile {
    SeenFile {
        trigger: watched.trigger.clone(),
        path: found.delivered.path.clone(),
        bytes: found.look.bytes,
        modified: found.look.modified,
        stable_since: now,
        accepted: None,
        missing_since: None,
    }
}
