//! From whatever stopped a component to the error that a person reads.

use crate::bindings::countersign::component::types;
use crate::log::Log;
use crate::text::{cut, harmless};
use countersign_model::component::Limits;
use countersign_model::execution::StepError;
use countersign_ports::component_runner::RunnerError;
use std::error::Error;
use wasmtime::component::ResourceTableError;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

const MESSAGE_BYTES: usize = 4 << 10;
const DETAIL_BYTES: usize = 16 << 10;

/// Why the host stopped a component; travels through the engine as an error and comes out again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Stop {
    /// Code of the [`StepError`].
    pub code: &'static str,
    /// Its message.
    pub message: String,
}

impl Stop {
    /// A reason to stop.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Out of time.
    pub fn time(limits: &Limits) -> Self {
        let seconds = limits.time_seconds;
        let message = format!(
            "the component ran longer than its limit of {seconds} s: raise it with `limits = {{ time_seconds = {} }}` on the step",
            (seconds * 2).max(1)
        );
        Self::new("limit.time", message)
    }

    /// Nobody waits for the answer any more.
    pub fn cancelled() -> Self {
        Self::new("cancelled", "the step was stopped")
    }
}

impl From<Stop> for StepError {
    fn from(stop: Stop) -> Self {
        step_error(stop.code, stop.message)
    }
}

/// An error without detail.
pub fn step_error(code: &str, message: impl Into<String>) -> StepError {
    StepError { code: code.to_string(), message: message.into(), detail: String::new(), transient: code == "transient" }
}

/// The component can not be loaded.
pub fn unfit(error: &RunnerError) -> StepError {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    step_error("component", message)
}

/// The component's own error.
pub fn told(error: types::Error, log: &Log) -> StepError {
    let (code, message) = match error {
        types::Error::InvalidInput(message) => ("invalid-input", message),
        types::Error::Refused(message) => ("refused", message),
        types::Error::Transient(message) => ("transient", message),
        types::Error::Bug(message) => ("bug", message),
    };
    StepError { detail: detail(None, log), ..step_error(code, harmless(cut(&message, MESSAGE_BYTES), true)) }
}

/// The engine's error: a reason of ours to stop, a trap, or an answer that the engine could not read.
pub fn stopped(error: &wasmtime::Error, limits: &Limits, log: &Log) -> StepError {
    let (code, message) = reason(error, limits, log);
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string);
    let message = harmless(cut(&message, MESSAGE_BYTES), true);
    StepError { detail: detail(backtrace, log), ..step_error(code, message) }
}

fn reason(error: &wasmtime::Error, limits: &Limits, log: &Log) -> (&'static str, String) {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return (stop.code, stop.message.clone());
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return ("trap", format!("the component ended itself with exit code {code} instead of answering"));
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return (
            "limit.handles",
            "the component holds too many files and streams open at once: close them".to_string(),
        );
    }
    let root = error.root_cause().to_string();
    // The engine has no type for this one.
    if root.starts_with("resource limit exceeded") {
        let message = format!(
            "{root}; the limit is {}: raise it with `limits = {{ instances = {} }}` on the step",
            limits.instances,
            limits.instances * 2
        );
        return ("limit.instances", message);
    }
    let tail = log.error_tail();
    // Compilers keep the larger values on a stack inside the memory, below which there is nothing.
    let stack = matches!(error.downcast_ref(), Some(Trap::StackOverflow | Trap::MemoryOutOfBounds));
    if stack && panic(&tail).is_none() {
        return (
            "trap",
            format!("the component trapped: {root}: does it call itself without end, and use up its stack?"),
        );
    }
    match panic(&tail) {
        Some(panic) => ("trap", format!("the component panicked at {panic}")),
        None => match tail.lines().rfind(|line| !line.trim().is_empty()) {
            Some(last) => ("trap", format!("the component trapped: {root}; its last words: {last}")),
            None => ("trap", format!("the component trapped: {root}")),
        },
    }
}

/// `src/lib.rs:12:5: the message`, from what Rust's panic handler writes to standard error.
fn panic(tail: &str) -> Option<String> {
    let (_, panic) = tail.rsplit_once("panicked at ")?;
    let (place, rest) = panic.split_once('\n')?;
    let message: Vec<&str> = rest.lines().take_while(|line| !line.starts_with("note: run with")).take(8).collect();
    Some(format!("{} {}", place.trim_end(), message.join(" ").trim()))
}

fn detail(backtrace: Option<String>, log: &Log) -> String {
    let tail = log.error_tail();
    let mut parts = Vec::new();
    if let Some(backtrace) = backtrace.filter(|text| !text.trim().is_empty()) {
        parts.push(harmless(cut(backtrace.trim_end(), DETAIL_BYTES / 2), true));
    }
    if !tail.trim().is_empty() {
        let start = tail.ceil_char_boundary(tail.len().saturating_sub(DETAIL_BYTES / 2));
        parts.push(format!("standard error ends with:\n{}", tail[start..].trim()));
    }
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panics_place_and_words_are_found_in_standard_error() {
        let tail = "loading\n\nthread 'main' (1) panicked at src/lib.rs:12:5:\nfirst line\nsecond line\nnote: run with `RUST_BACKTRACE=1`\n";
        assert_eq!(panic(tail).as_deref(), Some("src/lib.rs:12:5: first line second line"));
        assert_eq!(panic("nothing of the kind"), None);
    }
}
