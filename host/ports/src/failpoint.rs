//! Named places at which a test can end the process: before and after every commit and every effect outside the store.
//!
//! The list is the only way to name one: a store can not begin a write, and a house can not act outside, without a point of this list.
//! Nothing is armed unless `COUNTERSIGN_FAILPOINT` says so when the process starts; then a place costs one load.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

macro_rules! points {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// A transition of the record, or an effect outside it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Point {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Point {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

points! {
    /// A definition is registered.
    RegisterPipeline = "store.register-pipeline",
    /// An event is accepted or skipped.
    AcceptEvent = "store.accept-event",
    /// A run is claimed.
    ClaimRun = "store.claim-run",
    /// A lease is extended.
    Heartbeat = "store.heartbeat",
    /// A run is given back.
    ReleaseRun = "store.release-run",
    /// A run ends.
    EndRun = "store.end-run",
    /// A run is cancelled.
    CancelRun = "store.cancel-run",
    /// An execution begins.
    BeginExecution = "store.begin-execution",
    /// An execution is published.
    PublishExecution = "store.publish-execution",
    /// A delivery is recorded.
    RecordDelivery = "store.record-delivery",
    /// A request is posted.
    OpenRequest = "store.open-request",
    /// A decision is recorded.
    RecordDecision = "store.record-decision",
    /// A request is closed without a person.
    CloseRequest = "store.close-request",
    /// A reminder, an escalation or an expiry is recorded.
    AdvanceRequest = "store.advance-request",
    /// A poke is recorded.
    RecordPoke = "store.record-poke",
    /// A push begins.
    BeginPush = "store.begin-push",
    /// A push is complete.
    CompletePush = "store.complete-push",
    /// A delivery of the outbox is settled.
    SettleNotice = "store.settle-notice",
    /// A note goes to the audit log.
    RecordNote = "store.record-note",
    /// A schedule is registered or fires.
    RecordFire = "store.record-fire",
    /// Files were seen, or are forgotten.
    RecordSeenFiles = "store.record-seen-files",
    /// A pipeline is paused or goes on.
    Pause = "store.pause",
    /// A duty is taken, extended or given back.
    Hold = "store.hold",
    /// A message out there is recorded.
    RecordPost = "store.record-post",
    /// A session, link, token or sign-in is written or taken.
    Credential = "store.credential",
    /// A one-time key is used.
    UseKey = "store.use-key",
    /// Retention takes something out of the record.
    Collect = "store.collect",
    /// A whole record is read in from a file.
    Import = "store.import",
    /// An artifact's directory is moved into the store.
    PublishArtifact = "artifact.publish",
    /// An artifact's bytes are removed.
    RemoveArtifact = "artifact.remove",
    /// A version of a model is shown at its target.
    ShowVersion = "push.show-version",
    /// The link `current` moves.
    MoveCurrent = "push.move-current",
    /// A message is posted to or edited in Slack.
    CallSlack = "slack.call",
}

/// Before the commit or the effect, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Nothing happened yet.
    Before,
    /// It happened; nobody knows.
    After,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Before, Self::After];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

struct Armed {
    point: Point,
    side: Side,
    /// How often the place is still passed before the process ends there.
    left: AtomicU32,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no failpoint: write NAME:before or NAME:after, and :N for the N-th time, with a name of the list in ports::failpoint"
)]
pub struct UnknownPoint(String);

/// Arms one place for the whole process: `store.accept-event:before`, `push.move-current:after:2` for the second time it is reached.
/// The first call counts.
///
/// # Errors
/// When there is no such place.
pub fn arm(text: &str) -> Result<(), UnknownPoint> {
    let unknown = || UnknownPoint(text.to_string());
    let mut parts = text.split(':');
    let name = parts.next().ok_or_else(unknown)?;
    let point = Point::ALL.iter().find(|point| point.as_str() == name).ok_or_else(unknown)?;
    let side = parts.next().and_then(|side| Side::ALL.into_iter().find(|known| known.as_str() == side));
    let side = side.ok_or_else(unknown)?;
    let nth: u32 = parts.next().map_or(Ok(1), str::parse).map_err(|_| unknown())?;
    if nth == 0 || parts.next().is_some() {
        return Err(unknown());
    }
    ARMED.get_or_init(|| Armed { point: *point, side, left: AtomicU32::new(nth) });
    Ok(())
}

/// Marks a place. Ends the process there, as `kill -9` would, when the place is armed.
pub fn reach(point: Point, side: Side) {
    if let Some(armed) = ARMED.get()
        && (armed.point, armed.side) == (point, side)
        && armed.left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        // Nothing is flushed, dropped or unwound.
        std::process::abort();
    }
}
