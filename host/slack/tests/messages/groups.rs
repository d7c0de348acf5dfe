//! Groups of alerts that nobody would think of.

use super::case::{POSTED, run_id};
use super::generated::source;
use countersign_slack::message::{Alert, AlertKind, AlertRun};
use proptest::prelude::*;

/// A group of alerts, owned.
pub struct Group {
    pub kind: AlertKind,
    pub pipeline: String,
    pub count: u64,
    pub runs: Vec<AlertRun>,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("kind", &self.kind).field("count", &self.count).finish_non_exhaustive()
    }
}

impl Group {
    pub fn alert(&self) -> Alert<'_> {
        Alert { kind: self.kind, pipeline: &self.pipeline, count: self.count, since: POSTED, runs: &self.runs }
    }
}

/// A group of alerts.
pub fn group() -> impl Strategy<Value = Group> {
    source().prop_map(|from| {
        let runs: Vec<AlertRun> = from.many(40, || AlertRun {
            run: run_id(from.whole()),
            at: POSTED,
            page: from.yes().then(|| "https://countersign.example.org/r/run_1?a=1&b=2".to_string()),
            step: from.text(),
            message: from.text(),
            findings: from.many(300, || (from.text(), from.finding())),
        });
        let kind = [AlertKind::Blocked, AlertKind::Failed, AlertKind::Warned][usize::from(from.choice(3))];
        Group { kind, pipeline: from.text(), count: runs.len() as u64 + from.whole(), runs }
    })
}
