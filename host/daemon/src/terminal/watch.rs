//! Follows a run in the terminal: one line a step, with progress, rate and time left while it runs.

use crate::terminal::text;
use console::style;
use countersign_model::execution::{Execution, ExecutionState, StepResult};
use countersign_model::finding::{Finding, Severity, Verdict};
use countersign_model::run::RunEnd;
use countersign_orchestrator::{RunEvent, Watcher};
use countersign_ports::component_runner::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Prints to standard output. The bar is drawn on standard error, and only where that is a terminal.
pub struct TerminalWatcher {
    /// The running step's bar. Written by the run's task and the sandbox's thread.
    bar: Mutex<Option<ProgressBar>>,
}

impl TerminalWatcher {
    /// A watcher with no step running.
    pub fn new() -> Self {
        Self { bar: Mutex::new(None) }
    }

    fn bar(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, line: &str) {
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
        println!("{line}");
    }
}

impl Watcher for TerminalWatcher {
    fn hear(&self, event: RunEvent) {
        match event {
            RunEvent::Claimed { run, resumed, .. } => {
                let how = if resumed { "goes on" } else { "started" };
                self.line(&format!("\n{}  {}  {how} by {}", style(&run.pipeline).bold(), run.id, run.started_by));
            }
            RunEvent::StepStarted { step, why, .. } => *self.bar() = Some(spinner(&step, &why)),
            RunEvent::StepProgress { progress, elapsed, .. } => {
                if let Some(bar) = self.bar().as_ref() {
                    advance(bar, &progress, elapsed);
                }
            }
            RunEvent::StepEnded { execution, elapsed } => self.line(&step_line(&execution, elapsed)),
            RunEvent::StepSkipped { step, why, .. } => {
                self.line(&format!("  {} {step:<12} skipped: {}", style("·").yellow(), text::safe(&why)));
            }
            RunEvent::AlreadyApproved { gate, request, .. } => {
                self.line(&format!(
                    "  {} {gate:<12} already approved on the same evidence ({request})",
                    style("✔").green()
                ));
            }
            RunEvent::Waiting { .. } | RunEvent::Ended { end: RunEnd::Succeeded, .. } => {}
            RunEvent::Pushed { push, already } => {
                let how = if already { "was live already at" } else { "is live at" };
                self.line(&format!("  {} {} {how} {}", style("✔").green(), push.model.short(), push.target));
            }
            RunEvent::Ended { run, end } => self.line(&ending(&run.to_string(), &end)),
        }
    }
}

fn spinner(step: &str, why: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    // The template is a constant; indicatif reports a mistake in it at the first use, which every test run is.
    let style =
        ProgressStyle::with_template("  ▸ {prefix:12} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    bar.set_style(style);
    bar.set_prefix(step.to_string());
    bar.set_message(text::safe(why));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn advance(bar: &ProgressBar, progress: &Progress, elapsed: Duration) {
    let seconds = elapsed.as_secs_f64();
    let mut message = text::count(progress.done);
    if progress.total > 0 {
        message.push_str(&format!("/{}", text::count(progress.total)));
    }
    message.push_str(&format!(" {}", progress.unit));
    if !progress.note.is_empty() {
        message.push_str(&format!(" · {}", progress.note));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let (done, total) = (progress.done as f64, progress.total as f64);
    if seconds > 0.2 && done > 0.0 {
        message.push_str(&format!(" · {:.1} {}/s", done / seconds, progress.unit));
        if total > done {
            let left = Duration::from_secs_f64((total - done) * seconds / done);
            message.push_str(&format!(" · {} left  {}", text::duration(left), meter(done / total)));
        }
    }
    bar.set_message(text::safe(&message));
}

fn meter(share: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share between 0 and 1 of 20 cells")]
    let full = (share.clamp(0.0, 1.0) * 20.0).round() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(20 - full))
}

/// `  ✔ statistics   18 features   0.1 s`, then its findings.
pub fn step_line(execution: &Execution, elapsed: Duration) -> String {
    let (mark, words, time) = match &execution.state {
        ExecutionState::Succeeded { result } => (mark(result.verdict), judged(result), text::duration(elapsed)),
        ExecutionState::Cached { result, from_run, .. } => {
            (mark(result.verdict), judged(result), format!("cached from …{}", from_run.short()))
        }
        ExecutionState::Failed { error, .. } => {
            (style("✘").red().to_string(), format!("failed [{}]", error.code), text::duration(elapsed))
        }
        ExecutionState::Running => ("▸".to_string(), execution.why.clone(), String::new()),
    };
    let ran = matches!(execution.state, ExecutionState::Succeeded { .. }) && execution.why != "first run";
    let why = if ran { format!(" ({})", execution.why) } else { String::new() };
    let mut line = format!("  {mark} {:<12} {}", execution.step, text::safe(&words));
    line.push_str(&style(format!("  · {time}{}", text::safe(&why))).dim().to_string());
    if let Some(result) = execution.state.result() {
        for finding in told(result) {
            line.push_str(&format!("\n      {}", crate::terminal::run::finding_line(finding)));
        }
    }
    line
}

/// The component's line after what its findings mean under the step's `on` table.
fn judged(result: &StepResult) -> String {
    let verdict = match result.verdict {
        Verdict::Fail => "blocked: ",
        Verdict::NeedsPerson => "asks: ",
        Verdict::Pass if result.findings.iter().any(|finding| finding.severity == Severity::Warn) => "pass · ",
        Verdict::Pass => "",
    };
    format!("{verdict}{}", result.summary)
}

/// The findings that people are told at once: what decided the verdict; warnings of a check that passed come with the evidence.
fn told(result: &StepResult) -> impl Iterator<Item = &Finding> {
    let least = if result.verdict == Verdict::Pass { Severity::Block } else { Severity::Ask };
    result.findings.iter().filter(move |finding| finding.severity >= least)
}

fn mark(verdict: Verdict) -> String {
    match verdict {
        Verdict::Pass => style("✔").green().to_string(),
        Verdict::NeedsPerson => style("?").yellow().to_string(),
        Verdict::Fail => style("✘").red().to_string(),
    }
}

/// How a run ended, in a sentence or two.
pub fn ending(run: &str, end: &RunEnd) -> String {
    match end {
        RunEnd::Succeeded => format!("  {run} is done."),
        RunEnd::Failed { step, message } => {
            format!("  {run} failed at `{step}`: {}\n  Nothing was deployed. (exit code 1)", text::safe(message))
        }
        RunEnd::Blocked { step, .. } => {
            format!("  {run} was blocked by `{step}`. Nothing after it ran, nothing was deployed. (exit code 3)")
        }
        RunEnd::Rejected { by, reason } => {
            format!("  {run} was rejected by {by}: {}. Nothing was deployed. (exit code 5)", text::safe(reason))
        }
        RunEnd::Superseded { by } => format!("  {run} was superseded by {by}."),
        RunEnd::Replaced { by } => format!("  {run} is over: a later run, {by}, took its place."),
        RunEnd::Expired => format!("  {run} expired: nobody decided in time. Nothing was deployed. (exit code 5)"),
        RunEnd::Cancelled { by } => format!("  {run} was cancelled by {by}."),
    }
}
