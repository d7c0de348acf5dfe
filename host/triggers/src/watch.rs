//! Being told of changes in directories: a hint that a look is worth while, never a fact.
//!
//! What is told is not even read: any event, error or overflow says the same, look now. So events that get lost, and places where none
//! come from, cost time only. Directories themselves are watched, not what lies below them.

use crate::service::SharedPipelines;
use countersign_model::pipeline::PipelineVersion;
use countersign_model::source::SpanPattern;
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Looks that hints ask for lie at least so far apart.
const BREATHER: Duration = Duration::from_millis(200);

/// Watches the directories of all sources whose new files start runs, and notifies `hint` when something happens in one. Directories that
/// come later are found within `every`. Never ends; drop the future to stop. Without a watcher there is one warning and nothing else:
/// whoever polls finds everything, only later.
pub async fn watch_directories(pipelines: SharedPipelines, hint: Arc<Notify>, every: Duration) {
    let changed = Arc::new(Notify::new());
    let tell = Arc::clone(&changed);
    let handler = move |event: notify::Result<Event>| {
        if event.as_ref().map_or(true, matters) {
            tell.notify_one();
        }
    };
    let mut watches = match RecommendedWatcher::new(handler, Config::default()) {
        Ok(watcher) => Watches { watcher, watched: BTreeSet::new(), refused: BTreeSet::new() },
        Err(error) => {
            tracing::warn!(%error, "directories can not be watched: new files are found by polling");
            return std::future::pending().await;
        }
    };
    let mut look = tokio::time::interval(every.max(BREATHER));
    loop {
        tokio::select! {
            _ = look.tick() => {
                let wanted = directories(&pipelines.read().unwrap_or_else(PoisonError::into_inner));
                if watches.follow(wanted) {
                    hint.notify_one();
                }
            }
            () = changed.notified() => {
                hint.notify_one();
                // What happens meanwhile is one more hint afterwards.
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

/// Whether an event may mean a new delivery. That somebody opened or read a file means none: we do so ourselves at every look.
fn matters(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => event.need_rescan(),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

/// The directories of all local sources whose new files start runs.
fn directories(versions: &[PipelineVersion]) -> BTreeSet<PathBuf> {
    let sources = versions.iter().flat_map(|version| {
        let pipeline = &version.pipeline;
        pipeline.trigger.arrival.iter().filter_map(|name| pipeline.sources.get(name))
    });
    let local = sources.filter(|source| source.object().is_none());
    local.filter_map(|source| Some(SpanPattern::parse(&source.path).ok()?.directory().to_path_buf())).collect()
}

struct Watches {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    /// Directories that can not be watched, and of which that was said.
    refused: BTreeSet<PathBuf>,
}

impl Watches {
    /// Watches exactly these. Whether one of them was not watched before.
    fn follow(&mut self, wanted: BTreeSet<PathBuf>) -> bool {
        for gone in self.watched.difference(&wanted) {
            // It may be gone from the disk too.
            let _ = self.watcher.unwatch(gone);
        }
        self.refused.retain(|directory| wanted.contains(directory));
        let before = std::mem::take(&mut self.watched);
        for directory in wanted {
            // Again for those that are watched: a directory that was made anew under its old name is another one.
            match self.watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.refused.remove(&directory);
                    self.watched.insert(directory);
                }
                // It is watched when it comes.
                Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => {}
                Err(error) => {
                    if self.refused.insert(directory.clone()) {
                        let directory = directory.display();
                        tracing::warn!(%directory, %error, "directory can not be watched: new files are found by polling");
                    }
                }
            }
        }
        self.watched.difference(&before).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, Flag};

    #[test]
    fn reading_is_no_change_and_everything_else_is() {
        let read = Event::new(EventKind::Access(AccessKind::Open(AccessMode::Any)));
        assert!(!matters(&read));
        assert!(!matters(&Event::new(EventKind::Access(AccessKind::Close(AccessMode::Read)))));
        assert!(matters(&Event::new(EventKind::Access(AccessKind::Close(AccessMode::Write)))));
        assert!(matters(&Event::new(EventKind::Create(CreateKind::File))));
        assert!(matters(&Event::new(EventKind::Other).set_flag(Flag::Rescan)), "an overflow, without a path");
        assert!(matters(&read.set_flag(Flag::Rescan)));
    }
}
