//! Answers that no honest component gives.

use countersign_sdk::{Error, Finding, Outcome, Severity, Task, host};

pub fn symlink_output(task: &Task) -> Result<Outcome, Error> {
    let linked = crate::escapes::link_to("/etc/passwd", &task.output("output")?.join("passwd"));
    Ok(Outcome::new(format!("linked: {linked}")))
}

pub fn nan_metric() -> Result<Outcome, Error> {
    host::metric("auc", f64::NAN);
    Ok(Outcome::new("measured"))
}

pub fn huge_metric_name() -> Result<Outcome, Error> {
    host::metric(&"m".repeat(1 << 20), 1.0);
    Ok(Outcome::new("measured"))
}

pub fn many_findings() -> Outcome {
    let finding = Finding::new("drift", Severity::Warn, "fare", "again");
    Outcome::new("found").with(vec![finding; 20_000])
}

pub fn huge_finding() -> Outcome {
    Outcome::new("found").with(vec![Finding::new("drift", Severity::Warn, "fare", "m".repeat(1 << 20))])
}

pub fn nameless_finding() -> Outcome {
    Outcome::new("found").with(vec![Finding::new("", Severity::Warn, "fare", "what kind?")])
}

pub fn control_characters() -> Outcome {
    host::info("\u{1b}[2Jcleared\u{7}", &[("\u{202e}key", "va\u{0}lue")]);
    Outcome::new("\u{1b}[31mred\nsecond line").with(vec![Finding::new(
        "drift",
        Severity::Warn,
        "fa\u{1b}re",
        "bell \u{7} and <script>alert(1)</script>",
    )])
}
