//! Our own check of what a component wants from its host, so that the answer says what is missing and what to do. The linker's
//! check comes after it and is stricter, but speaks of types.

use wasmtime::Engine;
use wasmtime::component::Component;

/// The version of the interface package that this host serves; a test compares it with `sdk/wit`.
pub const INTERFACE: &str = "0.1.0";

const PACKAGE: &str = "countersign:component";
const INTERFACES: [&str; 3] = ["types", "host", "query"];
const WASI: [&str; 5] = ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random"];

/// What the check found out.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The version of the interface package that the component was built against.
    pub interface: String,
    /// Whether it imports the `query` interface.
    pub query: bool,
}

/// Checks imports and exports.
///
/// # Errors
/// A sentence that names what does not fit and what to do.
pub fn check(engine: &Engine, component: &Component) -> Result<Wanted, String> {
    let ty = component.component_type();
    let wanted = check_imports(ty.imports(engine).map(|(name, _)| name))?;
    let exports: Vec<&str> = ty.exports(engine).map(|(name, _)| name).collect();
    for export in ["describe", "execute"] {
        if !exports.contains(&export) {
            return Err(format!(
                "it exports no function `{export}`: build it against {PACKAGE}@{INTERFACE} (in Rust: `countersign_sdk::export!(MyComponent);`)"
            ));
        }
    }
    match wanted {
        Some(wanted) => Ok(wanted),
        None => Err(format!("it does not use {PACKAGE}: build it against {PACKAGE}@{INTERFACE}")),
    }
}

fn check_imports<'a>(names: impl Iterator<Item = &'a str>) -> Result<Option<Wanted>, String> {
    let mut wanted: Option<Wanted> = None;
    for name in names {
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        let (package, interface) = path.split_once('/').unwrap_or((path, ""));
        if package == PACKAGE && INTERFACES.contains(&interface) {
            check_version(version)?;
            let query = interface == "query" || wanted.as_ref().is_some_and(|wanted| wanted.query);
            wanted = Some(Wanted { interface: version.to_string(), query });
        } else if WASI.contains(&package) {
            check_wasi(name, version)?;
        } else {
            return Err(refusal(name, package));
        }
    }
    Ok(wanted)
}

fn refusal(name: &str, package: &str) -> String {
    match package {
        PACKAGE => format!(
            "it imports `{name}`, which {PACKAGE}@{INTERFACE} does not have: build it against {INTERFACE}, or update Countersign"
        ),
        "wasi:http" | "wasi:sockets" => format!(
            "it imports `{name}`, which needs the capability `http`, and this version of Countersign does not offer that: \
             build it without network access"
        ),
        "wasi:nn" | "wasi:webgpu" => format!(
            "it imports `{name}`, which needs the capability `tensor`, and this version of Countersign does not offer that: \
             compute inside the component"
        ),
        _ => format!("it imports `{name}`, and no capability opens that: remove what uses it"),
    }
}

fn check_wasi(name: &str, version: &str) -> Result<(), String> {
    if version.starts_with("0.2.") {
        return Ok(());
    }
    Err(format!("it imports `{name}`, but this host serves WASI 0.2: build it for wasm32-wasip2"))
}

/// Versions fit as in Cargo: the same major version, or below 1.0 the same minor. A newer one may fit too: the linker sees whether
/// the component uses anything that is not there.
fn check_version(found: &str) -> Result<(), String> {
    let track = |version: &str| {
        let mut parts = version.split(['.', '-', '+']).map(str::parse::<u64>);
        match (parts.next(), parts.next()) {
            (Some(Ok(0)), Some(Ok(minor))) => Some((0, minor)),
            (Some(Ok(major)), Some(Ok(_))) => Some((major, 0)),
            _ => None,
        }
    };
    if track(found).is_some() && track(found) == track(INTERFACE) {
        return Ok(());
    }
    Err(format!(
        "it was built against {PACKAGE}@{found}, but this host serves {PACKAGE}@{INTERFACE}: \
         build it again with an SDK of version {INTERFACE}, or update Countersign"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(names: &[&str]) -> Result<Option<Wanted>, String> {
        check_imports(names.iter().copied())
    }

    #[test]
    fn the_served_version_is_the_interface_files() {
        let wit = include_str!("../../../sdk/wit/component.wit");
        assert!(wit.starts_with(&format!("package {PACKAGE}@{INTERFACE};")), "change INTERFACE with sdk/wit");
    }

    #[test]
    fn a_component_may_import_the_interface_and_plain_wasi() {
        let names = ["countersign:component/types@0.1.0", "countersign:component/query@0.1.7", "wasi:io/streams@0.2.6"];
        let wanted = imports(&names).expect("fits").expect("uses the interface");
        assert_eq!(wanted, Wanted { interface: "0.1.7".to_string(), query: true });
        assert_eq!(imports(&["wasi:cli/exit@0.2.0"]), Ok(None));
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for (name, says) in [
            ("wasi:http/outgoing-handler@0.2.0", "capability `http`"),
            ("wasi:sockets/tcp@0.2.0", "capability `http`"),
            ("wasi:nn/tensor@0.2.0-rc", "capability `tensor`"),
            ("wasi:cli/environment@0.3.0", "WASI 0.2"),
            ("evil:corp/backdoor@1.0.0", "no capability opens"),
            ("countersign:component/admin@0.1.0", "does not have"),
            ("env", "no capability opens"),
        ] {
            let problem = imports(&[name]).expect_err(name);
            assert!(problem.contains(name) && problem.contains(says), "{name}: {problem}");
        }
    }

    #[test]
    fn another_interface_version_is_named_with_the_wanted_one() {
        for found in ["0.2.0", "1.0.0", "0.0.1", "", "x"] {
            let problem = check_version(found).expect_err(found);
            assert!(problem.contains(&format!("@{found},")) && problem.contains("@0.1.0"), "{problem}");
        }
        assert_eq!(check_version("0.1.99"), Ok(()));
    }
}
