//! `countersign.toml`: where it is looked for, what it says, what the environment overrides, and what is wrong with it.

use countersign_config::ConfigError;
use countersign_config::settings::{LogFormat, Settings, candidates};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn read(text: &str) -> Result<Settings, countersign_config::Diagnostics> {
    let home = environment(&[("HOME", "/home/ada")]);
    Settings::read(text, "countersign.toml", Path::new("/etc/countersign"), Settings::defaults(&home))
}

const ALL: &str = r#"
state_dir = "/data/countersign"
cache_dir = "../cache"
component_dirs = ["components", "/opt/components"]
pipelines = ["../pipelines"]
lease_seconds = 60
poll_seconds = 1

[log]
format = "json"
filter = "debug"

[people.ada]
roles = ["owner", "data-scientist"]
local = "ada"
slack = "T01/U02AB"

[people.bob]
roles = []
local = "bob"
"#;

#[test]
fn every_key_is_read_and_paths_are_taken_from_the_file() {
    let settings = read(ALL).unwrap();
    assert_eq!(settings.state_dir, Path::new("/data/countersign"));
    assert_eq!(settings.cache_dir, Path::new("/etc/cache"));
    assert_eq!(settings.component_dirs, [Path::new("/etc/countersign/components"), Path::new("/opt/components")]);
    assert_eq!(settings.pipelines, [Path::new("/etc/pipelines")]);
    assert_eq!((settings.lease_seconds, settings.poll_seconds), (60, 1));
    assert_eq!((settings.log.format, settings.log.filter.as_str()), (LogFormat::Json, "debug"));
    let roles = |actor: &str| settings.roles_of(&actor.parse().unwrap()).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(roles("local:ada"), "data-scientist owner");
    assert_eq!(roles("slack:T01/U02AB"), "data-scientist owner");
    assert_eq!(roles("local:T01/U02AB"), "");
    assert_eq!(roles("local:bob"), "");
    assert_eq!(roles("local:eve"), "");
    assert_eq!(roles("system:ada"), "");
    assert_eq!(settings.person_of(&"slack:T01/U02AB".parse().unwrap()), Some("ada"));
}

#[test]
fn an_empty_file_changes_nothing_and_the_example_says_the_defaults() {
    let defaults = Settings::defaults(&environment(&[("HOME", "/home/ada")]));
    assert_eq!(defaults.state_dir, Path::new("/home/ada/.local/share/countersign"));
    assert_eq!(defaults.cache_dir, Path::new("/home/ada/.cache/countersign"));
    assert_eq!(read("").unwrap(), defaults);
    assert_eq!(read(include_str!("../../../config/countersign.toml")).unwrap(), defaults);
}

/// `key = value` or a table's header, not a sentence.
fn is_setting(text: &str) -> bool {
    let key = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    text.split_once(" = ").is_some_and(|(before, _)| key(before)) || (text.starts_with('[') && text.ends_with(']'))
}

#[test]
fn the_example_shows_every_key() {
    // With its comments opened, the example is a file that names each key of the schema.
    let open: String = include_str!("../../../config/countersign.toml")
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let settings = read(&open).unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(settings.people.len(), 1);
    let schema = countersign_config::schemas().into_iter().find(|(name, _)| name.starts_with("countersign")).unwrap().1;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let shown: serde_json::Value = toml::from_str(&open).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    assert_eq!(sorted(keys(&shown)), sorted(keys(&schema["properties"])));
    assert_eq!(sorted(keys(&shown["people"]["ada"])), sorted(keys(&schema["definitions"]["Person"]["properties"])));
    assert_eq!(sorted(keys(&shown["log"])), sorted(keys(&schema["definitions"]["Log"]["properties"])));
}

#[test]
fn the_first_candidate_is_the_nearest_to_the_person() {
    let paths = |explicit: Option<&str>, pairs: &[(&str, &str)]| {
        let found = candidates(explicit.map(Path::new), &environment(pairs));
        found.into_iter().map(|one| (one.path, one.required)).collect::<Vec<(PathBuf, bool)>>()
    };
    let all = [("COUNTERSIGN_CONFIG", "/c.toml"), ("XDG_CONFIG_HOME", "/xdg"), ("HOME", "/home/ada")];
    assert_eq!(paths(Some("x.toml"), &all), [("x.toml".into(), true)]);
    assert_eq!(paths(None, &all), [("/c.toml".into(), true)]);
    let system = || (PathBuf::from("/etc/countersign/countersign.toml"), false);
    assert_eq!(paths(None, &all[1..]), [("/xdg/countersign/countersign.toml".into(), false), system()]);
    assert_eq!(paths(None, &all[2..]), [("/home/ada/.config/countersign/countersign.toml".into(), false), system()]);
    assert_eq!(paths(None, &[("XDG_CONFIG_HOME", "relative")]), [system()]);
}

#[test]
fn the_environment_overrides_every_key_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    std::fs::write(&file, ALL).unwrap();
    let pairs = environment(&[
        ("COUNTERSIGN_CONFIG", file.to_str().unwrap()),
        ("COUNTERSIGN_STATE_DIR", "state"),
        ("COUNTERSIGN_COMPONENT_DIRS", "/a:b"),
        ("COUNTERSIGN_PIPELINES", "p.toml"),
        ("COUNTERSIGN_PEOPLE", "{ eve = { roles = [\"owner\"], local = \"eve\" } }"),
        ("COUNTERSIGN_LOG_FORMAT", "text"),
        ("COUNTERSIGN_LOG_FILTER", "warn"),
        ("COUNTERSIGN_LEASE_SECONDS", "90"),
        ("COUNTERSIGN_POLL_SECONDS", "7"),
        // What Kubernetes sets for a service of our name.
        ("COUNTERSIGN_PORT", "tcp://10.0.0.1:80"),
    ]);
    let settings = Settings::load(None, &pairs, Path::new("/work")).unwrap();
    assert_eq!(settings.origin.as_deref(), Some(file.as_path()));
    assert_eq!(settings.state_dir, Path::new("/work/state"));
    assert_eq!(settings.component_dirs, [Path::new("/a"), Path::new("/work/b")]);
    assert_eq!(settings.pipelines, [Path::new("/work/p.toml")]);
    assert_eq!(settings.people.keys().collect::<Vec<_>>(), ["eve"]);
    assert_eq!((settings.log.format, settings.log.filter.as_str()), (LogFormat::Text, "warn"));
    assert_eq!((settings.lease_seconds, settings.poll_seconds), (90, 7));
}

#[test]
fn a_wrong_variable_is_named() {
    for (variable, value) in [
        ("COUNTERSIGN_LEASE_SECONDS", "soon"),
        ("COUNTERSIGN_POLL_SECONDS", "0"),
        ("COUNTERSIGN_LOG_FORMAT", "xml"),
        ("COUNTERSIGN_PEOPLE", "{ eve = { role = [\"owner\"] } }"),
        ("COUNTERSIGN_PEOPLE", "{}\nstate_dir = 1"),
    ] {
        let error = Settings::load(None, &environment(&[(variable, value)]), Path::new("/work")).unwrap_err();
        assert!(error.to_string().contains(variable), "{error}");
    }
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let nothing = Settings::load(None, &environment(&[("HOME", "/nowhere")]), Path::new("/work"));
    if !Path::new("/etc/countersign/countersign.toml").exists() {
        assert_eq!(nothing.unwrap().origin, None);
    }
    let error = Settings::load(Some(Path::new("no.toml")), &environment(&[]), Path::new("/work")).unwrap_err();
    assert!(matches!(&error, ConfigError::Read { path, .. } if path == Path::new("/work/no.toml")), "{error}");
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let wrong = r#"
state_dirs = "/data"
lease_seconds = 1

[log]
format = "jsn"

[people.ada]
role = ["owner"]
local = "ada"

[people.bob]
roles = ["owner"]
local = "ada"

[people.eve]
roles = ["owner"]
slack = "eve"

[people.nobody]
roles = ["owner"]
"#;
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("settings_mistakes", read(wrong).unwrap_err().render(false));
    });
}
