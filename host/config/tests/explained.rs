//! Where each value came from, what is shown of secrets, and what a change needs.

mod support;

use countersign_config::settings::{Applies, Settings, ValueOrigin};
use std::collections::BTreeMap;
use std::path::Path;

const FILE: &str = "\
poll_seconds = 7
pipelines = []

[database]
url_file = \"url\"

[hooks.orders]
auth = \"token\"

[people.ada]
roles = [\"owner\", \"reviewer\"]
local = \"ada\"
totp_file = \"key\"
";

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

const VARIABLES: [(&str, &str); 3] = [
    ("COUNTERSIGN_LEASE_SECONDS", "90"),
    ("COUNTERSIGN_HOOKS_ORDERS_SECRET", "canary-0123456789"),
    ("COUNTERSIGN_LOG_FILTER", ""),
];

fn settings(dir: &Path, text: &str, pairs: &[(&str, &str)]) -> Settings {
    support::secret(&dir.join("url"), "postgres://ada:canary@db/countersign");
    support::secret(&dir.join("key"), "JBSWY3DPEHPK3PXP");
    support::secret(&dir.join("other"), "0123456789abcdefcanary");
    Settings::read(text, "countersign.toml", dir, &environment(pairs), dir).unwrap_or_else(|found| panic!("{found}"))
}

/// `key = value (origin)` for each setting.
fn told(settings: &Settings) -> BTreeMap<String, String> {
    let rows = settings.explain();
    let told = rows.iter().map(|row| (row.key.clone(), format!("{} ({})", row.text(), row.origin)));
    let shown = format!("{:?}{}", rows, serde_json::to_string(&rows).unwrap());
    assert!(!shown.contains("canary") && !shown.contains("JBSWY3"), "a secret is shown: {shown}");
    told.collect()
}

#[test]
fn every_value_has_its_layer_and_no_secret_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), FILE, &VARIABLES).with_concurrency("--concurrency", 8);
    let told = told(&settings);
    let at = |name: &str| format!("(secret, from file {}) ", dir.path().join(name).display());
    for (key, expected) in [
        ("poll_seconds", "7 (countersign.toml:1)".to_string()),
        ("pipelines", "(none) (countersign.toml:2)".to_string()),
        ("lease_seconds", "90 (COUNTERSIGN_LEASE_SECONDS)".to_string()),
        ("drain_seconds", "20 (default)".to_string()),
        ("log.filter", "info (default)".to_string()),
        ("concurrency", "8 (flag --concurrency)".to_string()),
        ("web.listen", "127.0.0.1:8484 (default)".to_string()),
        ("slack.bot_token", "(none) (default)".to_string()),
        ("database.url", at("url") + "(countersign.toml:5)"),
        ("hooks.orders.auth", "token (countersign.toml:8)".to_string()),
        ("hooks.orders.secret", "(secret) (COUNTERSIGN_HOOKS_ORDERS_SECRET)".to_string()),
        ("people.ada.roles", "owner, reviewer (countersign.toml:11)".to_string()),
        ("people.ada.totp", at("key") + "(countersign.toml:13)"),
    ] {
        assert_eq!(told[key], expected, "{key}");
    }
}

#[test]
fn a_variable_that_names_a_file_or_holds_a_whole_table_is_the_origin() {
    let dir = tempfile::tempdir().unwrap();
    let pairs = [
        ("COUNTERSIGN_HOOKS_ORDERS_SECRET_FILE", "other"),
        ("COUNTERSIGN_HOOKS", "{ orders = { auth = \"hmac\" } }"),
        ("COUNTERSIGN_PEOPLE", "{ ada = { roles = [], local = \"ada\" } }"),
        // Nobody reads it, so it is no origin.
        ("COUNTERSIGN_PEOPLE_ADA_LOCAL", "eve"),
    ];
    let settings = settings(dir.path(), FILE, &pairs);
    let told = told(&settings);
    let other = dir.path().join("other");
    let expected = format!("(secret, from file {}) (COUNTERSIGN_HOOKS_ORDERS_SECRET_FILE)", other.display());
    assert_eq!(told["hooks.orders.secret"], expected);
    assert_eq!(told["hooks.orders.auth"], "hmac (COUNTERSIGN_HOOKS)");
    assert_eq!(told["people.ada.local"], "ada (COUNTERSIGN_PEOPLE)");
}

#[test]
fn every_key_of_the_schema_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let explained = told(&settings(dir.path(), FILE, &VARIABLES));
    let schema = countersign_config::schemas().into_iter().find(|(name, _)| name.starts_with("countersign")).unwrap().1;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let keys = |at: &serde_json::Value| at["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut tables = BTreeMap::from([
        ("hooks".to_string(), ("hooks.orders", "Hook")),
        ("people".to_string(), ("people.ada", "Person")),
    ]);
    for (key, table) in [
        ("database", "Database"),
        ("s3", "S3"),
        ("retention", "Retention"),
        ("traces", "Traces"),
        ("web", "Web"),
        ("slack", "Slack"),
        ("alerts", "Alerts"),
        ("log", "Log"),
    ] {
        tables.insert(key.to_string(), (key, table));
    }
    let mut missing = Vec::new();
    for key in keys(&schema) {
        let Some((prefix, table)) = tables.get(&key) else {
            missing.extend((!explained.contains_key(&key)).then_some(key));
            continue;
        };
        for inner in keys(&schema["definitions"][table]) {
            let whole = format!("{prefix}.{}", inner.trim_end_matches("_file"));
            missing.extend((!explained.contains_key(&whole) && inner != "slack_sign_in").then_some(whole));
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn a_change_says_whether_it_needs_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let before = settings(dir.path(), FILE, &VARIABLES);
    assert_eq!(before.differences(&before.clone()), []);
    // Another layer that says the same is no change.
    let same = settings(dir.path(), FILE, &[VARIABLES[0], VARIABLES[1], ("COUNTERSIGN_POLL_SECONDS", "7")]);
    assert_eq!(before.differences(&same), []);
    assert!(
        same.explain()
            .iter()
            .any(|row| row.origin == ValueOrigin::Variable { name: "COUNTERSIGN_POLL_SECONDS".into() })
    );

    let text = FILE
        .replace("poll_seconds = 7", "poll_seconds = 9\nstate_dir = \"/elsewhere\"")
        .replace("people.ada", "people.eve");
    let after = settings(
        dir.path(),
        &text,
        &[VARIABLES[0], ("COUNTERSIGN_HOOKS_ORDERS_SECRET", "another-canary-7"), ("COUNTERSIGN_WEB_LISTEN", "off")],
    );
    let changes: Vec<(String, Applies)> =
        before.differences(&after).into_iter().map(|one| (one.key, one.applies)).collect();
    let of = |key: &str| changes.iter().find(|(name, _)| name == key).map(|(_, applies)| *applies);
    assert_eq!(of("state_dir"), Some(Applies::AtRestart));
    assert_eq!(of("web.listen"), Some(Applies::AtRestart));
    assert_eq!(of("poll_seconds"), Some(Applies::Now));
    assert_eq!(of("hooks.orders.secret"), Some(Applies::Now));
    assert_eq!((of("people.ada.roles"), of("people.eve.roles")), (Some(Applies::Now), Some(Applies::Now)));
    assert_eq!((of("lease_seconds"), of("database.url"), of("hooks.orders.auth")), (None, None, None));
    let file = FILE.replace("[database]\nurl_file = \"url\"\n", "");
    let moved = before.differences(&settings(dir.path(), &file, &VARIABLES));
    assert_eq!((moved.len(), moved[0].key.as_str(), moved[0].applies), (1, "database.url", Applies::AtRestart));
}
