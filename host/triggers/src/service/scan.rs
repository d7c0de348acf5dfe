//! The file half of a tick.

use super::{Candidate, Tick, TriggerService, store_error, with_causes};
use crate::arrival::{self, Delivered, Look};
use crate::error::{ArrivalError, TriggerError};
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::event::Cause;
use countersign_model::pipeline::{PipelineVersion, Source};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::SeenFile;
use std::collections::HashMap;
use std::time::Duration;

/// One source of one pipeline whose new files start runs.
struct Watched<'a> {
    version: &'a PipelineVersion,
    name: &'a str,
    source: &'a Source,
    /// `pipeline/source`.
    trigger: String,
}

impl TriggerService {
    /// Looks at the files of a pipeline's arrival sources and accepts those that are new and whole.
    pub(super) async fn scan(
        &self,
        version: &PipelineVersion,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        for name in &version.pipeline.trigger.arrival {
            if let Some(source) = version.pipeline.sources.get(name) {
                let trigger = format!("{}/{name}", version.name);
                self.scan_source(&Watched { version, name, source, trigger }, now, tick).await?;
            }
        }
        Ok(())
    }

    async fn scan_source(&self, watched: &Watched<'_>, now: Timestamp, tick: &mut Tick) -> Result<(), TriggerError> {
        let trigger = &watched.trigger;
        let source = watched.source.clone();
        let found = match blocking(trigger, move || arrival::list_with_looks(&source)).await? {
            Ok((found, problems)) => {
                tick.problems.extend(problems.into_iter().map(|problem| format!("{trigger}: {problem}")));
                found
            }
            Err(error) => {
                tick.problems.insert(format!("{trigger}: {}", with_causes(&error)));
                return Ok(());
            }
        };
        let seen =
            self.store.seen_files(trigger).await.map_err(|error| store_error(trigger)("read seen files", error))?;
        let mut seen: HashMap<String, SeenFile> = seen.into_iter().map(|file| (file.path.clone(), file)).collect();
        for (delivered, look) in found {
            let known = seen.remove(&*delivered.path.to_string_lossy());
            self.look_at(watched, &delivered, look, known, now, tick).await?;
        }
        Ok(())
    }

    /// Accepts one file once it looked the same for long enough.
    async fn look_at(
        &self,
        watched: &Watched<'_>,
        delivered: &Delivered,
        look: Look,
        known: Option<SeenFile>,
        now: Timestamp,
        tick: &mut Tick,
    ) -> Result<(), TriggerError> {
        let trigger = &watched.trigger;
        // A clock that was set back would otherwise keep the file waiting until it catches up.
        let same =
            |file: &SeenFile| (file.bytes, file.modified) == (look.bytes, look.modified) && file.stable_since <= now;
        let mut file = match known.filter(same) {
            Some(file) if file.accepted.is_some() => return Ok(()),
            Some(file) => file,
            None => {
                let file = SeenFile {
                    trigger: trigger.clone(),
                    path: delivered.path.to_string_lossy().into_owned(),
                    bytes: look.bytes,
                    modified: look.modified,
                    stable_since: now,
                    accepted: None,
                };
                self.record(&file).await?;
                file
            }
        };
        if now.since(file.stable_since) < Duration::from_secs(watched.source.settle_seconds) {
            return Ok(());
        }
        let path = delivered.path.clone();
        match blocking(trigger, move || arrival::digest(&path, look)).await? {
            Ok(Some(digest)) => {
                tick.outcomes
                    .push(self.accept(watched.version, event(watched, delivered, &file.path, digest), now).await?);
                file.accepted = Some(digest);
                self.record(&file).await
            }
            // Written to just now: the next tick sees it as changed.
            Ok(None) => Ok(()),
            Err(error) => {
                tick.problems.insert(format!("{trigger}: {}", with_causes(&error)));
                Ok(())
            }
        }
    }

    async fn record(&self, file: &SeenFile) -> Result<(), TriggerError> {
        let recorded = self.store.record_seen_file(file).await;
        recorded.map_err(|error| store_error(&file.trigger)("record seen file", error))
    }
}

/// Reads files on a thread where waiting for a disk stops nobody else.
async fn blocking<T: Send + 'static>(
    trigger: &str,
    read: impl FnOnce() -> Result<T, ArrivalError> + Send + 'static,
) -> Result<Result<T, ArrivalError>, TriggerError> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|source| TriggerError::Reader { trigger: trigger.to_string(), source })
}

fn event(watched: &Watched<'_>, delivered: &Delivered, path: &str, digest: Digest) -> Candidate {
    let span = delivered.span.clone();
    Candidate {
        key: format!("arrival:{}:{}:{digest}", watched.trigger, span.as_deref().unwrap_or_default()),
        cause: Cause::Arrival { source: watched.name.to_string(), path: path.to_string(), span: span.clone(), digest },
        actor: Actor::system("arrival"),
        span,
        skip: None,
    }
}
