//! Translates between this crate's types and the generated ones. Public only for [`crate::export!`].

use crate::bindings as wit;
use crate::bindings::countersign::component::types;
use crate::{Capability, Component, Description, Error, Finding, Outcome, Port, Severity, Task};
use std::path::PathBuf;

/// `describe` of the world.
pub fn describe<C: Component>() -> wit::Description {
    let Description { name, version, summary, inputs, outputs, capabilities } = C::describe();
    wit::Description {
        name: name.to_string(),
        version: version.to_string(),
        summary: summary.to_string(),
        inputs: inputs.into_iter().map(port).collect(),
        outputs: outputs.into_iter().map(port).collect(),
        parameters: schemars::schema_for!(C::Parameters).as_value().to_string(),
        capabilities: capabilities.into_iter().map(capability).collect(),
    }
}

/// `execute` of the world.
///
/// # Errors
/// The component's own, and `invalid-input` for parameters that are not what it expects.
pub fn execute<C: Component>(task: wit::Task) -> Result<wit::Outcome, wit::Error> {
    let parameters = serde_json::from_str(&task.parameters)
        .map_err(|error| types::Error::InvalidInput(format!("parameters: {error}")))?;
    let mut given = Task::new(task.seed);
    for input in task.inputs {
        given = given.with_input(input.name, input.paths.into_iter().map(PathBuf::from));
    }
    for output in task.outputs {
        given = given.with_output(output.name, output.path);
    }
    C::execute(&given, parameters).map(outcome).map_err(types::Error::from)
}

fn port(port: Port) -> types::Port {
    types::Port {
        name: port.name.to_string(),
        kind: port.kind.to_string(),
        optional: port.optional,
        many: port.many,
        description: port.description.to_string(),
    }
}

fn capability(capability: Capability) -> types::Capability {
    match capability {
        Capability::Query => types::Capability::Query,
        Capability::Tensor => types::Capability::Tensor,
        Capability::Http => types::Capability::Http,
        Capability::Clock => types::Capability::Clock,
        Capability::Random => types::Capability::Random,
    }
}

fn outcome(outcome: Outcome) -> wit::Outcome {
    wit::Outcome { summary: outcome.summary, findings: outcome.findings.into_iter().map(finding).collect() }
}

fn finding(finding: Finding) -> types::Finding {
    types::Finding {
        kind: finding.kind,
        severity: match finding.severity {
            Severity::Info => types::Severity::Info,
            Severity::Warn => types::Severity::Warn,
            Severity::Ask => types::Severity::Ask,
            Severity::Block => types::Severity::Block,
        },
        subject: finding.subject,
        message: finding.message,
        expected: finding.expected,
        seen: finding.seen,
        previous: finding.previous,
        rows: finding.rows,
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidInput(message) => Self::InvalidInput(message),
            Error::Refused(message) => Self::Refused(message),
            Error::Transient(message) => Self::Transient(message),
            Error::Bug(message) => Self::Bug(message),
        }
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::InvalidInput(message) => Self::InvalidInput(message),
            types::Error::Refused(message) => Self::Refused(message),
            types::Error::Transient(message) => Self::Transient(message),
            types::Error::Bug(message) => Self::Bug(message),
        }
    }
}
