//! Asks a component for its description, with no capability at all, and checks it.

use crate::bindings::countersign::component::types;
use crate::interface::Wanted;
use crate::text::harmless;
use countersign_model::artifact::ArtifactKind;
use countersign_model::component::{Capability, Description, Port};
use std::collections::BTreeSet;

const NAME_BYTES: usize = 64;
const TEXT_BYTES: usize = 1_000;
const SCHEMA_BYTES: usize = 256 << 10;
const PORTS: usize = 64;

/// The description, checked.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn checked(told: types::Description, wanted: &Wanted) -> Result<Description, String> {
    let capabilities: BTreeSet<Capability> = told.capabilities.into_iter().map(capability).collect();
    if wanted.query && !capabilities.contains(&Capability::Query) {
        return Err("it imports the `query` interface but does not ask for the capability `query` in its description"
            .to_string());
    }
    Ok(Description {
        name: name("its name", told.name)?,
        version: version(told.version)?,
        interface: wanted.interface.clone(),
        summary: sentence("its summary", &told.summary)?,
        inputs: ports("input", told.inputs)?,
        outputs: ports("output", told.outputs)?,
        parameters: schema(&told.parameters)?,
        capabilities,
    })
}

fn capability(told: types::Capability) -> Capability {
    match told {
        types::Capability::Query => Capability::Query,
        types::Capability::Tensor => Capability::Tensor,
        types::Capability::Http => Capability::Http,
        types::Capability::Clock => Capability::Clock,
        types::Capability::Random => Capability::Random,
    }
}

fn ports(what: &str, told: Vec<types::Port>) -> Result<Vec<Port>, String> {
    if told.len() > PORTS {
        return Err(format!("it has {} {what}s; {PORTS} are allowed", told.len()));
    }
    let mut seen = BTreeSet::new();
    let mut ports = Vec::with_capacity(told.len());
    for port in told {
        let name = name(&format!("{what} name"), port.name)?;
        if !seen.insert(name.clone()) {
            return Err(format!("it has two {what}s of the name `{name}`"));
        }
        if !is_kind(&port.kind) {
            return Err(format!(
                "the kind of {what} `{name}` is `{}`: letters and digits are allowed, beginning with a letter, at most {NAME_BYTES}",
                harmless(crate::text::cut(&port.kind, NAME_BYTES), false)
            ));
        }
        let description = sentence(&format!("the description of {what} `{name}`"), &port.description)?;
        let kind = ArtifactKind::new(port.kind);
        ports.push(Port { name, kind, optional: port.optional, many: port.many, description });
    }
    Ok(ports)
}

/// Names become directories, SQL schemas and TOML keys.
fn name(what: &str, told: String) -> Result<String, String> {
    let fits = told.starts_with(|c: char| c.is_ascii_lowercase())
        && told.len() <= NAME_BYTES
        && told.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    if fits {
        return Ok(told);
    }
    Err(format!(
        "{what} is `{}`: lower-case letters, digits, `-` and `_` are allowed, beginning with a letter, at most {NAME_BYTES}",
        harmless(crate::text::cut(&told, NAME_BYTES), false)
    ))
}

fn is_kind(kind: &str) -> bool {
    kind.starts_with(|c: char| c.is_ascii_alphabetic())
        && kind.len() <= NAME_BYTES
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn version(told: String) -> Result<String, String> {
    let fits = !told.is_empty() && told.len() <= NAME_BYTES && told.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(told) } else { Err("its version is empty, too long, or not plain text".to_string()) }
}

fn sentence(what: &str, told: &str) -> Result<String, String> {
    if told.len() > TEXT_BYTES {
        return Err(format!("{what} has {} bytes; {TEXT_BYTES} are allowed", told.len()));
    }
    Ok(harmless(told, false))
}

fn schema(told: &str) -> Result<serde_json::Value, String> {
    if told.len() > SCHEMA_BYTES {
        return Err(format!("its parameters' schema has {} bytes; {SCHEMA_BYTES} are allowed", told.len()));
    }
    match serde_json::from_str(told) {
        Ok(schema @ serde_json::Value::Object(_)) => Ok(schema),
        Ok(_) => Err("its parameters' schema is no JSON object".to_string()),
        Err(error) => Err(format!("its parameters' schema is no JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> types::Description {
        types::Description {
            name: "honest".to_string(),
            version: "1.2.3".to_string(),
            summary: "Fits.".to_string(),
            inputs: vec![port("examples", "Examples")],
            outputs: vec![port("examples", "Examples")],
            parameters: "{}".to_string(),
            capabilities: vec![types::Capability::Query],
        }
    }

    fn port(name: &str, kind: &str) -> types::Port {
        let (name, kind) = (name.to_string(), kind.to_string());
        types::Port { name, kind, optional: false, many: false, description: String::new() }
    }

    fn wanted() -> Wanted {
        Wanted { interface: "0.1.0".to_string(), query: true }
    }

    #[test]
    fn an_honest_description_passes() {
        let description = checked(told(), &wanted()).expect("honest");
        assert_eq!((description.interface.as_str(), description.capabilities.len()), ("0.1.0", 1));
    }

    #[test]
    fn every_lie_is_named() {
        type Lie = fn(&mut types::Description);
        let lies: [(&str, Lie); 9] = [
            ("its name is", |d| d.name = String::new()),
            ("its name is", |d| d.name = "../escape".to_string()),
            ("its version", |d| d.version = " ".to_string()),
            ("two inputs of the name `examples`", |d| d.inputs.push(port("examples", "Examples"))),
            ("output name is `a/b`", |d| d.outputs.push(port("a/b", "Examples"))),
            ("the kind of output `b`", |d| d.outputs.push(port("b", ""))),
            ("no JSON:", |d| d.parameters = "{".to_string()),
            ("no JSON object", |d| d.parameters = "[]".to_string()),
            ("does not ask for the capability `query`", |d| d.capabilities.clear()),
        ];
        for (says, lie) in lies {
            let mut description = told();
            lie(&mut description);
            let problem = checked(description, &wanted()).expect_err(says);
            assert!(problem.contains(says), "{problem}");
        }
    }
}
