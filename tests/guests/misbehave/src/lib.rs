//! A component that does whatever its `how` parameter names, mostly something bad. The sandbox's tests run it.

mod escapes;
mod excesses;
mod lies;
mod observations;

use countersign_sdk::{Capability, Component, Description, Error, Outcome, Port, Task};

/// What to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the names say it
pub enum How {
    #[default]
    Behave,
    // As well as `behave`, two seconds later.
    Nap,
    // What it can see of the world, written into the output.
    Observe,
    // Ends of the component itself.
    Panic,
    Unreachable,
    Exit,
    DivideByZero,
    InvalidInput,
    Refused,
    Transient,
    Bug,
    // Excesses.
    LoopForever,
    SleepForever,
    EatMemory,
    Recurse,
    PrintGigabyte,
    PrintWithoutNewlines,
    LogGigabyte,
    ManyLogs,
    ManyMetrics,
    WriteGigabyte,
    WriteWithoutEnd,
    GrowSparseFile,
    ManyFiles,
    ManyOpenFiles,
    DeepDirectories,
    // Escapes; each answers what happened, and never finds anything.
    ReadOutside,
    WriteOutside,
    FollowSymlink,
    WriteInput,
    // Lies.
    NoOutput,
    SymlinkOutput,
    NanMetric,
    HugeMetricName,
    HugeSummary,
    ManyFindings,
    HugeFinding,
    NamelessFinding,
    ControlCharacters,
    // Capabilities.
    Query,
    QueryMissingTable,
    QueryForever,
}

/// How to misbehave.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// What to do.
    pub how: How,
}

/// The component.
pub struct Misbehave;

impl Component for Misbehave {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new("misbehave", env!("CARGO_PKG_VERSION"), "Does what its `how` parameter names, mostly bad.")
            .input(Port::input("input", "Note").optional().describe("Something to read."))
            .input(Port::input("several", "Note").optional().many().describe("Several things to read."))
            .output(Port::output("output", "Note").describe("Something written."))
            .capability(Capability::Query)
            .capability(Capability::Clock)
            .capability(Capability::Random)
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        match parameters.how {
            How::Behave => behave(task),
            How::Nap => nap(task),
            How::Observe => observations::observe(task),
            How::Query => observations::query(task),
            How::QueryMissingTable => observations::query_missing_table(),
            How::QueryForever => observations::query_forever(),
            How::Panic => panic!("the sky is falling"),
            How::Unreachable => excesses::unreachable(),
            How::Exit => std::process::exit(1),
            How::DivideByZero => excesses::divide_by_zero(task),
            How::InvalidInput => Err(Error::InvalidInput("column `fare` is empty".to_string())),
            How::Refused => Err(Error::Refused("not with this model".to_string())),
            How::Transient => Err(Error::Transient("try again".to_string())),
            How::Bug => Err(Error::Bug("my fault".to_string())),
            How::LoopForever => excesses::loop_forever(),
            How::SleepForever => excesses::sleep_forever(),
            How::EatMemory => excesses::eat_memory(),
            How::Recurse => excesses::recurse(task),
            How::PrintGigabyte => excesses::print_gigabyte(),
            How::PrintWithoutNewlines => excesses::print_without_newlines(),
            How::LogGigabyte => excesses::log_gigabyte(),
            How::ManyLogs => excesses::many_logs(),
            How::ManyMetrics => excesses::many_metrics(),
            How::WriteGigabyte => excesses::write_gigabyte(task),
            How::WriteWithoutEnd => excesses::write_without_end(task),
            How::GrowSparseFile => excesses::grow_sparse_file(task),
            How::ManyFiles => excesses::many_files(task),
            How::ManyOpenFiles => excesses::many_open_files(task),
            How::DeepDirectories => excesses::deep_directories(task),
            How::ReadOutside => escapes::read_outside(task),
            How::WriteOutside => escapes::write_outside(task),
            How::FollowSymlink => escapes::follow_symlink(task),
            How::WriteInput => escapes::write_input(task),
            How::NoOutput => Ok(Outcome::new("wrote nothing")),
            How::SymlinkOutput => lies::symlink_output(task),
            How::NanMetric => lies::nan_metric(),
            How::HugeMetricName => lies::huge_metric_name(),
            How::HugeSummary => Ok(Outcome::new("long ".repeat(200_000))),
            How::ManyFindings => Ok(lies::many_findings()),
            How::HugeFinding => Ok(lies::huge_finding()),
            How::NamelessFinding => Ok(lies::nameless_finding()),
            How::ControlCharacters => Ok(lies::control_characters()),
        }
    }
}

fn behave(task: &Task) -> Result<Outcome, Error> {
    let mut read = Vec::new();
    for path in task.optional_input("input").into_iter().chain(task.inputs("several")) {
        read.push(std::fs::read_to_string(path.join("note.txt"))?);
    }
    countersign_sdk::host::info("behaving", &[("notes", &read.len().to_string())]);
    countersign_sdk::host::progress(1, 1, "notes", "");
    countersign_sdk::host::metric("notes", read.len() as f64);
    println!("printed");
    eprintln!("complained");
    std::fs::write(task.output("output")?.join("note.txt"), format!("read: {}", read.join(", ")))?;
    Ok(Outcome::new(format!("read {} notes", read.len())))
}

fn nap(task: &Task) -> Result<Outcome, Error> {
    std::thread::sleep(std::time::Duration::from_secs(2));
    behave(task)
}

countersign_sdk::export!(Misbehave);
