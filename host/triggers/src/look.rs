//! Cheap looks at files: one that looks the same was not written to. Whether the bytes are the same only a digest says.

use countersign_model::digest::Digesting;
use countersign_model::source::span_order;
use countersign_ports::Delivered;
use std::cmp::Ordering;
use std::fs::Metadata;

/// What a listing tells of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) bytes: u64,
    /// When it last changed, in microseconds, or for an object a number that stands for its version.
    pub(crate) modified: i64,
}

impl Look {
    /// The time of change of the inode where there is one: tools that copy modification times can not turn it back.
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let modified = metadata.ctime().saturating_mul(1_000_000).saturating_add(metadata.ctime_nsec() / 1_000);
        Self { bytes: metadata.len(), modified }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let since_epoch = metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let modified = since_epoch.and_then(|age| i64::try_from(age.as_micros()).ok()).unwrap_or(0);
        Self { bytes: metadata.len(), modified }
    }

    /// An object: its tag is the server's word for its content, its time tells two puts of the same tag apart.
    pub(crate) fn of_object(bytes: u64, last_modified_micros: i64, tag: Option<&str>) -> Self {
        let mut version = Digesting::default();
        version.update(&last_modified_micros.to_be_bytes());
        version.update(tag.unwrap_or_default().as_bytes());
        let digest = version.finish();
        let mut number = [0; 8];
        number.copy_from_slice(&digest.as_bytes()[..8]);
        Self { bytes, modified: i64::from_be_bytes(number) }
    }
}

/// A delivery as a listing found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) delivered: Delivered,
    pub(crate) look: Look,
    /// The server's tag, for an object.
    pub(crate) tag: Option<String>,
}

/// Where a delivery stands among others: by its span, then by its path.
#[derive(PartialEq, Eq)]
struct Place(String, String);

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        span_order(&self.0, &other.0).then_with(|| self.1.cmp(&other.1))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What lies in a source's place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Deliveries, from the oldest span to the newest.
    pub(crate) found: Vec<Found>,
    /// Files that can not be taken, each with its reason.
    pub(crate) problems: Vec<String>,
}

impl Listing {
    pub(crate) fn new(mut found: Vec<Found>, problems: Vec<String>) -> Self {
        let span = |found: &Found| found.delivered.span.as_deref().unwrap_or_default().to_string();
        found.sort_by_cached_key(|found| Place(span(found), found.delivered.path.clone()));
        Self { found, problems }
    }

    /// The same for equal listings, in 32 bytes.
    pub(crate) fn digest(&self) -> countersign_model::digest::Digest {
        let mut all = Digesting::default();
        for Found { delivered, look, tag: _ } in &self.found {
            all.update(&(delivered.path.len() as u64).to_be_bytes());
            all.update(delivered.path.as_bytes());
            all.update(&look.bytes.to_be_bytes());
            all.update(&look.modified.to_be_bytes());
        }
        all.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_looks_different_when_any_of_the_three_does() {
        let look = Look::of_object(1, 2, Some("a"));
        assert_eq!(look, Look::of_object(1, 2, Some("a")));
        for other in [Look::of_object(2, 2, Some("a")), Look::of_object(1, 3, Some("a")), Look::of_object(1, 2, None)] {
            assert_ne!(look, other);
        }
    }
}
