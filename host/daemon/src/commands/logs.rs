//! `logs`: what runs and their components said, from the record; with `--follow` as it comes.

use super::follow::{self, Cursor};
use crate::args::LogsArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::record::{Line, Told};
use crate::{lookup, wiring};
use countersign_model::audit::AuditEntry;
use countersign_model::id::RunId;
use countersign_model::run::Run;
use countersign_ports::MetadataStore;
use countersign_ports::metadata_store::RunFilter;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// Runs that are over and of which everything was printed: remembered, so that a late decision does not print them again.
const OVER: usize = 1000;

/// Prints the log of a run, or of the last ones.
///
/// # Errors
/// When there is no such run or the store fails.
pub async fn run(context: &Context, arguments: &LogsArgs) -> anyhow::Result<Exit> {
    let store = wiring::metadata(context).await?;
    let reader = Reader { context, arguments, store: store.as_ref() };
    match &arguments.run {
        Some(run) => reader.one(lookup::run(store.as_ref(), run).await?.id).await,
        None => reader.all().await,
    }
}

struct Reader<'a> {
    context: &'a Context,
    arguments: &'a LogsArgs,
    store: &'a dyn MetadataStore,
}

impl Reader<'_> {
    async fn one(&self, id: RunId) -> anyhow::Result<Exit> {
        let mut told = Told::default();
        // The run is read before what it did: once it is over, nothing follows.
        while let Some(run) = self.store.run(&id).await? {
            let read = self.print(&told.new_lines(self.store, &run).await?)?;
            if !read || run.state.is_ended() || !self.arguments.follow {
                break;
            }
            follow::pause().await;
        }
        Ok(Exit::Done)
    }

    async fn all(&self) -> anyhow::Result<Exit> {
        let mut cursor = Cursor::at_the_end(self.store).await?;
        let mut told = HashMap::new();
        let mut over = VecDeque::new();
        let filter = RunFilter { limit: self.arguments.last, ..RunFilter::default() };
        let mut runs = if self.arguments.last == 0 { Vec::new() } else { self.store.runs(&filter).await? };
        runs.reverse();
        if runs.is_empty() && !self.arguments.follow && !self.context.json() {
            println!("no runs yet");
        }
        loop {
            for run in runs {
                let told_of_it: &mut Told = told.entry(run.id).or_default();
                if !self.print(&told_of_it.new_lines(self.store, &run).await?)? {
                    return Ok(Exit::Done);
                }
                if run.state.is_ended() {
                    told.remove(&run.id);
                    over.push_back(run.id);
                }
            }
            if !self.arguments.follow {
                return Ok(Exit::Done);
            }
            over.drain(..over.len().saturating_sub(OVER));
            let entries = cursor.next(self.store).await?;
            runs = self.touched(&entries, &over).await?;
        }
    }

    /// The runs that these entries are about, without those of which everything was told.
    async fn touched(&self, entries: &[AuditEntry], over: &VecDeque<RunId>) -> anyhow::Result<Vec<Run>> {
        let named = |text: &serde_json::Value| text.as_str()?.parse::<RunId>().ok();
        let mut touched = BTreeSet::new();
        for AuditEntry { fact, .. } in entries {
            let run = fact.subject.parse().ok().or_else(|| named(&fact.detail["run"]));
            touched.extend(match (run, fact.detail["request"].as_str().and_then(|request| request.parse().ok())) {
                (None, Some(request)) => self.store.request(&request).await?.map(|request| request.run),
                (run, _) => run,
            });
        }
        let mut runs = Vec::new();
        for id in touched.iter().filter(|run| !over.contains(run)) {
            runs.extend(self.store.run(id).await?);
        }
        Ok(runs)
    }

    /// False: nobody reads any more.
    fn print(&self, lines: &[Line]) -> anyhow::Result<bool> {
        let wanted = |line: &&Line| self.arguments.step.is_none() || self.arguments.step == line.step;
        let text = |line: &Line| -> anyhow::Result<String> {
            if self.context.json() { Ok(follow::json_line("log", line)?) } else { Ok(line.text()) }
        };
        let lines: Vec<String> = lines.iter().filter(wanted).map(text).collect::<anyhow::Result<_>>()?;
        Ok(follow::print(&lines)?)
    }
}
