//! Alerts: runs that were blocked, failed or found something worth a look, grouped into one message a pipeline and kind, so that
//! nobody mutes the channel.

use super::Rendered;
use super::blocks::{Blocks, Lines, Weight, context, header};
use super::figures::{counted, time};
use super::{findings, mrkdwn};
use countersign_model::finding::Finding;
use countersign_model::id::RunId;
use countersign_model::time::Timestamp;

/// Runs shown, newest first.
const RUNS: usize = 5;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// A check said no.
    Blocked,
    /// A step failed.
    Failed,
    /// Something worth a look that stopped nothing.
    Warned,
}

impl AlertKind {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Warned => "warned",
        }
    }
}

/// A group of alerts.
#[derive(Debug, Clone)]
pub struct Alert<'a> {
    /// What it is about.
    pub kind: AlertKind,
    /// The pipeline.
    pub pipeline: &'a str,
    /// Runs in the group, those not listed included.
    pub count: u64,
    /// When the group began.
    pub since: Timestamp,
    /// Its newest runs, newest first.
    pub runs: &'a [AlertRun],
}

/// One run of a group.
#[derive(Debug, Clone)]
pub struct AlertRun {
    /// The run.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// Its page's address.
    pub page: Option<String>,
    /// The step that stopped it; empty when none did.
    pub step: String,
    /// What a person should read; may be empty when findings say it.
    pub message: String,
    /// Step and finding.
    pub findings: Vec<(String, Finding)>,
}

/// The message of a group.
pub fn alert(alert: &Alert<'_>) -> Rendered {
    let (icon, singular, plural) = match alert.kind {
        AlertKind::Blocked => ("⛔", "run was blocked by a check", "runs were blocked by a check"),
        AlertKind::Failed => ("🔥", "run failed", "runs failed"),
        AlertKind::Warned => ("⚠️", "run found something worth a look", "runs found something worth a look"),
    };
    let what = counted(alert.count, singular, plural);
    let mut blocks = Blocks::default();
    blocks.push(Weight::Needed, header(&format!("{icon} {}: {what}", mrkdwn::plain(alert.pipeline, 80))));
    for (place, run) in alert.runs.iter().take(RUNS).enumerate() {
        // The newest run says all it can, the others only what happened.
        let weight = if place == 0 { Weight::Needed } else { Weight::Detail };
        blocks.section(weight, described(run, if place == 0 { 8 } else { 1 }));
    }
    let hidden = alert.count.saturating_sub(alert.runs.len().min(RUNS) as u64);
    let others = if hidden > 0 { format!(" · and {} before", counted(hidden, "run", "runs")) } else { String::new() };
    let effect = match alert.kind {
        AlertKind::Blocked | AlertKind::Failed => "Nothing was deployed.",
        AlertKind::Warned => "Nothing was stopped.",
    };
    blocks.push(Weight::Needed, context(&format!("{effect} Counted since {}{others}", time(alert.since))));
    let newest = alert.runs.first().map(reason).unwrap_or_default();
    let text = format!("{icon} {}: {what}. {newest}", mrkdwn::quoted(alert.pipeline, 80));
    Rendered { text: text.trim_end().to_string(), blocks: blocks.finish("in `countersign runs`") }
}

/// One run, its reason and its findings.
fn described(run: &AlertRun, most: usize) -> Option<String> {
    let name = format!("run …{}", run.run.short());
    let name = run.page.as_deref().map_or(name.clone(), |page| mrkdwn::link(page, &name));
    let step = if run.step.is_empty() { String::new() } else { format!(" · step {}", mrkdwn::code(&run.step, 80)) };
    let more =
        if run.page.is_some() { "on the page".to_string() } else { format!("in `countersign show {}`", run.run) };
    let mut lines = Lines::new(2_800, &more);
    lines.push(&format!("*{name}* · {}{step}", time(run.at)));
    if !run.message.trim().is_empty() {
        lines.push(&mrkdwn::quoted(&run.message, 500));
    }
    lines.extend(
        &findings::heaviest_first(run.findings.iter().map(|(step, finding)| (step.as_str(), finding))),
        most,
        findings::line,
    );
    lines.finish()
}

/// The newest run's reason in one line.
fn reason(run: &AlertRun) -> String {
    let finding = run.findings.first().map(|(_, finding)| finding.message.as_str()).unwrap_or_default();
    mrkdwn::quoted(if run.message.trim().is_empty() { finding } else { &run.message }, 200)
}
