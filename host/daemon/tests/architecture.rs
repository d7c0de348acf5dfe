//! The walls between crates, over `cargo metadata`: model <- ports <- siblings <- daemon.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Every workspace crate and the workspace crates it depends on in its own code (tests may reach further).
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let packages = metadata["packages"].as_array().expect("packages").clone();
    packages
        .iter()
        .map(|package| {
            let uses = package["dependencies"].as_array().expect("dependencies").iter();
            let own = uses.filter(|used| used["kind"].is_null()).map(|used| text(&used["name"])).collect();
            (text(&package["name"]), own)
        })
        .collect()
}

fn ours(uses: &BTreeSet<String>) -> BTreeSet<&str> {
    uses.iter().map(String::as_str).filter(|name| name.starts_with("countersign")).collect()
}

const SIBLINGS: [&str; 10] =
    ["attest", "config", "store", "query", "sandbox", "slack", "orchestrator", "telemetry", "triggers", "web"];

#[test]
fn the_model_knows_nobody_and_no_machinery() {
    let all = dependencies();
    let model = &all["countersign-model"];
    assert_eq!(ours(model), BTreeSet::new());
    for machinery in ["tokio", "sqlx", "wasmtime", "datafusion", "tracing", "async-trait"] {
        assert!(!model.contains(machinery), "countersign-model depends on {machinery}");
    }
}

#[test]
fn ports_know_the_model_only() {
    assert_eq!(ours(&dependencies()["countersign-ports"]), BTreeSet::from(["countersign-model"]));
}

#[test]
fn siblings_meet_in_ports_and_never_import_one_another() {
    let all = dependencies();
    let allowed =
        BTreeSet::from(["countersign-model", "countersign-ports", "countersign-formats", "countersign-plots"]);
    for sibling in SIBLINGS {
        let name = format!("countersign-{sibling}");
        let used = ours(&all[&name]);
        assert!(used.is_subset(&allowed), "{name} depends on {:?}", used.difference(&allowed).collect::<Vec<_>>());
    }
}

#[test]
fn heavy_libraries_have_one_house_each() {
    let all = dependencies();
    let houses = [
        ("wasmtime", "countersign-sandbox"),
        ("wasmtime-wasi", "countersign-sandbox"),
        ("datafusion", "countersign-query"),
        ("sqlx", "countersign-store"),
        ("jsonschema", "countersign-config"),
        ("cron", "countersign-triggers"),
        ("axum", "countersign-web"),
        ("askama", "countersign-web"),
        ("resvg", "countersign-slack"),
        ("tokio-tungstenite", "countersign-slack"),
    ];
    for (library, house) in houses {
        let users: Vec<&String> = all.iter().filter(|(_, uses)| uses.contains(library)).map(|(name, _)| name).collect();
        let tools = ["countersign-bench", "countersign-slack-double"];
        assert!(
            users.iter().all(|user| *user == house || tools.contains(&user.as_str())),
            "{library} is used by {users:?}"
        );
    }
}

#[test]
fn components_know_the_sdk_and_never_the_host() {
    let all = dependencies();
    let host: BTreeSet<String> =
        SIBLINGS.iter().copied().chain(["model", "ports"]).map(|name| format!("countersign-{name}")).collect();
    for (name, uses) in
        all.iter().filter(|(name, _)| name.starts_with("countersign-plugin-") || name.starts_with("countersign-sdk"))
    {
        let reached: Vec<&String> = uses.intersection(&host).collect();
        assert!(reached.is_empty(), "{name} depends on {reached:?}");
    }
}

#[test]
fn only_the_wiring_names_concrete_parts() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offenders = Vec::new();
    let mut open = vec![sources.clone()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("read sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("read source");
            let wiring = path.parent().is_some_and(|parent| parent.ends_with("wiring"));
            let concrete = ["sandbox", "query", "store", "slack", "telemetry", "web", "attest"];
            for concrete in concrete.map(|part| format!("countersign_{part}::")) {
                if text.contains(&concrete) && !wiring {
                    offenders.push(format!("{} names {concrete}", path.display()));
                }
            }
        }
    }
    assert!(offenders.is_empty(), "{offenders:?}");
}

/// Texts of all sources of the host's crates, by path.
fn sources() -> BTreeMap<std::path::PathBuf, String> {
    let host = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("host").to_path_buf();
    let houses = std::fs::read_dir(&host).expect("read host").flatten();
    let mut open: Vec<_> = houses.map(|house| house.path().join("src")).filter(|path| path.is_dir()).collect();
    let mut found = BTreeMap::new();
    while let Some(directory) = open.pop() {
        for path in std::fs::read_dir(directory).expect("read sources").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("read source");
                let relative = path.strip_prefix(&host).expect("below host").to_path_buf();
                found.insert(relative, text);
            }
        }
    }
    found
}

/// The store's own are reached by the write that each transition begins with; those of effects outside it are marked by hand.
#[test]
fn every_failpoint_is_reached_before_and_after() {
    let mut sources = sources();
    let list = sources.remove(std::path::Path::new("ports/src/failpoint.rs")).expect("the list");
    let named = |line: &str| {
        let (name, text) = line.trim().strip_suffix("\",")?.split_once(" = \"")?;
        Some((name.to_string(), text.to_string()))
    };
    let points: Vec<(String, String)> = list.lines().filter_map(named).collect();
    assert!(points.len() > 30, "the list is read: {points:?}");
    // Given to something; the arms of a match name all of them.
    let used = |text: &str, point: &str| [")", ","].iter().any(|end| text.contains(&format!("Point::{point}{end}")));
    let marked = |point: &str, side: &str| {
        let mark = format!("reach(Point::{point}, Side::{side})");
        sources.values().any(|text| text.contains(&mark))
    };
    let reached = |(point, text): &(String, String)| match text.split_once('.') {
        Some(("store", _)) => {
            let store = sources.iter().filter(|(path, _)| path.starts_with("store/src"));
            store.into_iter().any(|(_, text)| used(text, point))
        }
        _ => marked(point, "Before") && marked(point, "After"),
    };
    let missed: Vec<_> = points.iter().filter(|point| !reached(point)).collect();
    assert!(missed.is_empty(), "nothing reaches {missed:?}");
}
