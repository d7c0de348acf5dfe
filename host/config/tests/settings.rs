//! `countersign.toml`: where it is looked for, what it says, what the environment overrides, and what is wrong with it.

mod support;

use countersign_config::ConfigError;
use countersign_config::settings::{Database, LogFormat, Retention, S3, Settings, Web, candidates};
use countersign_model::actor::Identity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn read(text: &str) -> Result<Settings, ConfigError> {
    let home = environment(&[("HOME", "/home/ada")]);
    Settings::read(text, "countersign.toml", Path::new("/etc/countersign"), &home, Path::new("/work"))
}

const ALL: &str = r#"
state_dir = "/data/countersign"
cache_dir = "../cache"
component_dirs = ["components", "/opt/components"]
pipelines = ["../pipelines"]
concurrency = 4
drain_seconds = 0
lease_seconds = 60
poll_seconds = 1

[retention]
keep_days = 90
keep_runs = 3

[s3]
endpoint = "http://127.0.0.1:9000"
region = "eu-central-1"

[traces]
endpoint = "http://collector.example.org:4318/v1/traces"

[log]
format = "json"
filter = "debug"

[web]
listen = "0.0.0.0:80"
public_url = "https://countersign.example.org/ml"
session_hours = 8

[people.ada]
roles = ["owner", "data-scientist"]
local = "ada"
slack = "T01/U02AB"
email = "Ada@Example.org"

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
    assert_eq!((settings.concurrency, settings.drain_seconds), (4, 0));
    assert_eq!(settings.retention, Retention { keep_days: 90, keep_runs: 3 });
    let endpoint = Some("http://127.0.0.1:9000".to_string());
    assert_eq!(settings.s3, S3 { endpoint, region: "eu-central-1".to_string(), ..S3::default() });
    let traces = settings.traces.unwrap();
    assert_eq!((traces.endpoint.as_str(), traces.headers), ("http://collector.example.org:4318/v1/traces", None));
    assert_eq!(settings.database, Database::Sqlite("/data/countersign/metadata.db".into()));
    assert_eq!((settings.log.format, settings.log.filter.as_str()), (LogFormat::Json, "debug"));
    assert_eq!(settings.web.listen, Some("0.0.0.0:80".parse().unwrap()));
    assert_eq!(settings.web.public_url.as_deref(), Some("https://countersign.example.org/ml"));
    assert_eq!(settings.web.session_hours, 8);
}

#[test]
fn an_identity_is_the_person_behind_the_account_with_all_they_may_sign_as() {
    let settings = read(ALL).unwrap();
    let identity = |actor: &str| settings.identity_of(&actor.parse().unwrap());
    let roles = |actor: &str| identity(actor).roles.into_iter().collect::<Vec<_>>().join(" ");
    let ada = "data-scientist email:ada@example.org owner slack:T01/U02AB";
    assert_eq!((roles("local:ada").as_str(), identity("local:ada").person.as_str()), (ada, "ada"));
    assert_eq!((roles("slack:T01/U02AB").as_str(), identity("slack:T01/U02AB").person.as_str()), (ada, "ada"));
    assert!(identity("local:ada").is_listed());
    assert_eq!((roles("local:bob"), identity("local:bob").person), (String::new(), "bob".to_string()));
    // The same name with another authority is somebody else; only a Slack account stands for itself.
    for unknown in ["local:T01/U02AB", "local:eve", "system:ada", "email:ada@example.org", "page:ada"] {
        assert_eq!(identity(unknown), Identity::unknown(&unknown.parse().unwrap()));
    }
    let stranger = identity("slack:T02/U02AB");
    assert!(!stranger.is_listed());
    assert_eq!(stranger.roles, ["slack:T02/U02AB".to_string()].into());
}

#[test]
fn an_empty_file_changes_nothing_and_the_example_says_the_defaults() {
    let defaults = Settings::defaults(&environment(&[("HOME", "/home/ada")]));
    assert_eq!(defaults.state_dir, Path::new("/home/ada/.local/share/countersign"));
    assert_eq!(defaults.cache_dir, Path::new("/home/ada/.cache/countersign"));
    assert_eq!(read("").unwrap().differences(&defaults), []);
    assert_eq!(read(include_str!("../../../config/countersign.toml")).unwrap().differences(&defaults), []);
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
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("secrets")).unwrap();
    for (name, secret) in [
        ("slack-client-secret", "c1"),
        ("slack-bot-token", "xoxb-1"),
        ("slack-app-token", "xapp-1"),
        ("slack-signing-secret", "s1"),
        ("ada-totp", "JBSWY3DPEHPK3PXP"),
        ("database-url", "postgres://ada:pw@db.example.org/countersign"),
        ("traces-headers", "authorization=Bearer%20k1,x-team=ml"),
        ("orders-secret", "0123456789abcdef"),
        ("s3-access-key-id", "AKIA1"),
        ("s3-secret-access-key", "k1"),
    ] {
        support::secret(&dir.path().join("secrets").join(name), secret);
    }
    let settings = Settings::read(&open, "countersign.toml", dir.path(), &environment(&[]), dir.path())
        .unwrap_or_else(|found| panic!("{found}"));
    assert!(settings.people["ada"].totp.is_some() && settings.web.slack_sign_in.is_some());
    assert!(matches!(settings.database, Database::Postgres(_)) && settings.s3.secret_access_key.is_some());
    assert!(settings.traces.unwrap().headers.is_some() && settings.hooks["orders"].auth.name() == "hmac");
    // What is shown as a default is the default.
    let web = Web {
        public_url: settings.web.public_url.clone(),
        slack_sign_in: settings.web.slack_sign_in,
        ..Web::default()
    };
    assert_eq!(Web { slack_sign_in: web.slack_sign_in.clone(), ..settings.web }, web);
    let schema = countersign_config::schemas().into_iter().find(|(name, _)| name.starts_with("countersign")).unwrap().1;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let shown: serde_json::Value = toml::from_str(&open).unwrap();
    let keys = |value: &serde_json::Value| {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&shown), keys(&schema["properties"]));
    for (table, definition) in [
        (&shown["people"]["ada"], "Person"),
        (&shown["log"], "Log"),
        (&shown["web"], "Web"),
        (&shown["web"]["slack_sign_in"], "SlackSignIn"),
        (&shown["slack"], "Slack"),
        (&shown["alerts"], "Alerts"),
        (&shown["database"], "Database"),
        (&shown["s3"], "S3"),
        (&shown["hooks"]["orders"], "Hook"),
        (&shown["retention"], "Retention"),
        (&shown["traces"], "Traces"),
    ] {
        assert_eq!(keys(table), keys(&schema["definitions"][definition]["properties"]), "{definition}");
    }
    assert_eq!(schema["definitions"].as_object().unwrap().len(), 11, "a table is missing here");
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
        ("COUNTERSIGN_WEB_LISTEN", "off"),
        ("COUNTERSIGN_WEB_PUBLIC_URL", "http://localhost:8484"),
        ("COUNTERSIGN_WEB_SESSION_HOURS", "1"),
        ("COUNTERSIGN_ALERTS_GROUP_MINUTES", "5"),
        ("COUNTERSIGN_CONCURRENCY", "9"),
        ("COUNTERSIGN_DRAIN_SECONDS", "8"),
        ("COUNTERSIGN_RETENTION_KEEP_DAYS", "7"),
        ("COUNTERSIGN_RETENTION_KEEP_RUNS", "6"),
        ("COUNTERSIGN_DATABASE_URL", "postgresql:///countersign?host=/run/postgresql"),
        ("COUNTERSIGN_S3_ENDPOINT", "https://storage.example.org"),
        ("COUNTERSIGN_S3_REGION", "us-west-2"),
        ("COUNTERSIGN_S3_ACCESS_KEY_ID", "AKIA2"),
        ("COUNTERSIGN_S3_SECRET_ACCESS_KEY", "k2"),
        ("COUNTERSIGN_HOOKS", "{ orders = { auth = \"hmac\" } }"),
        ("COUNTERSIGN_HOOKS_ORDERS_AUTH", "token"),
        ("COUNTERSIGN_HOOKS_ORDERS_SECRET", "0123456789abcdef"),
        ("COUNTERSIGN_TRACES_ENDPOINT", "https://traces.example.org/v1/traces"),
        ("COUNTERSIGN_TRACES_HEADERS", "x-key=k3"),
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
    assert_eq!((settings.web.listen, settings.web.session_hours), (None, 1));
    assert_eq!(settings.web.public_url.as_deref(), Some("http://localhost:8484"));
    assert_eq!((settings.alerts.group_minutes, settings.slack), (5, None));
    assert_eq!((settings.concurrency, settings.drain_seconds), (9, 8));
    assert_eq!(settings.retention, Retention { keep_days: 7, keep_runs: 6 });
    assert!(matches!(settings.database, Database::Postgres(url) if url.expose().starts_with("postgresql:///")));
    assert_eq!(
        (settings.s3.endpoint.as_deref(), settings.s3.region.as_str()),
        (Some("https://storage.example.org"), "us-west-2")
    );
    assert_eq!(settings.s3.access_key_id.unwrap().expose(), "AKIA2");
    assert_eq!((settings.hooks["orders"].auth.name(), settings.hooks.len()), ("token", 1));
    let traces = settings.traces.unwrap();
    assert_eq!(
        (traces.endpoint.as_str(), traces.headers.unwrap().expose()),
        ("https://traces.example.org/v1/traces", "x-key=k3")
    );
}

#[test]
fn a_wrong_variable_is_named() {
    for (variable, value) in [
        ("COUNTERSIGN_LEASE_SECONDS", "soon"),
        ("COUNTERSIGN_POLL_SECONDS", "0"),
        ("COUNTERSIGN_LOG_FORMAT", "xml"),
        ("COUNTERSIGN_PEOPLE", "{ eve = { role = [\"owner\"] } }"),
        ("COUNTERSIGN_PEOPLE", "{}\nstate_dir = \"/data\""),
        ("COUNTERSIGN_WEB_LISTEN", "localhost:8484"),
        ("COUNTERSIGN_WEB_PUBLIC_URL", "countersign.example.org"),
        ("COUNTERSIGN_WEB_SESSION_HOURS", "0"),
        ("COUNTERSIGN_ALERTS_BLOCKED", "slack:#ml-alerts"),
        ("COUNTERSIGN_ALERTS_GROUP_MINUTES", "0"),
        ("COUNTERSIGN_CONCURRENCY", "0"),
        ("COUNTERSIGN_DRAIN_SECONDS", "-1"),
        ("COUNTERSIGN_RETENTION_KEEP_RUNS", "all"),
        ("COUNTERSIGN_DATABASE_URL", "mysql://db/countersign"),
        ("COUNTERSIGN_DATABASE_URL_FILE", "nowhere"),
        ("COUNTERSIGN_S3_ENDPOINT", "http://storage.example.org"),
        ("COUNTERSIGN_S3_REGION", "EU"),
        ("COUNTERSIGN_HOOKS", "{ orders = { auth = \"hmac\" } }"),
        ("COUNTERSIGN_TRACES_ENDPOINT", "collector:4318"),
    ] {
        let error = Settings::load(None, &environment(&[(variable, value)]), Path::new("/work")).unwrap_err();
        assert!(error.to_string().contains(variable), "{error}");
    }
    let both = environment(&[("COUNTERSIGN_POLL_SECONDS", "0"), ("COUNTERSIGN_LOG_FORMAT", "xml")]);
    let error = Settings::load(None, &both, Path::new("/work")).unwrap_err().to_string();
    assert!(error.contains("COUNTERSIGN_POLL_SECONDS: ") && error.contains("COUNTERSIGN_LOG_FORMAT: "), "{error}");
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
