//! Time and new identifiers, passed in so that tests own both.

use countersign_model::time::Timestamp;
use ulid::Ulid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
}

/// Makes identifiers.
pub trait IdSource: Send + Sync {
    /// A new ULID; successive ones from one source sort in the order in which they were made.
    fn ulid(&self) -> Ulid;
}
