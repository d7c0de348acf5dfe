//! A component that does next to nothing: what a step costs without work.

use countersign_sdk::{Component, Description, Error, Outcome, Port, Task};

/// No parameter.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Written into the output: makes two otherwise equal steps differ.
    pub note: String,
}

/// The component.
pub struct Noop;

impl Component for Noop {
    type Parameters = Parameters;

    fn describe() -> Description {
        Description::new("noop", env!("CARGO_PKG_VERSION"), "Writes one tiny file.")
            .input(Port::input("input", "Note").optional().describe("Not read; orders the step after another."))
            .output(Port::output("output", "Note").describe("`note.txt`."))
    }

    fn execute(task: &Task, parameters: Parameters) -> Result<Outcome, Error> {
        std::fs::write(task.output("output")?.join("note.txt"), parameters.note)?;
        Ok(Outcome::new("done"))
    }
}

countersign_sdk::export!(Noop);
