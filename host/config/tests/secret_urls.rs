//! Secrets of the database, the object store, hooks and traces: where they come from, and that no message has one.

mod support;

use countersign_config::settings::Database;
use support::{read_at, refused};

const URL: &str = "postgres://ada:9canary7@db.example.org/countersign";

#[test]
fn a_database_is_given_by_a_file_or_a_variable_and_never_here() {
    let dir = tempfile::tempdir().unwrap();
    support::secret(&dir.path().join("url"), &format!("{URL}\n"));
    let settings = read_at(dir.path(), "[database]\nurl_file = \"url\"", &[]).unwrap();
    let Database::Postgres(url) = &settings.database else { panic!("this is Postgres") };
    assert_eq!(url.expose(), URL);
    for (text, code) in [
        (format!("[database]\nurl = \"{URL}\""), "settings.secret-in-settings"),
        ("[database]\nurl = \"postgres://db.example.org/countersign\"".to_string(), "settings.secret-in-settings"),
        (format!("[database]\nurl_file = \"{URL}\""), "settings.secret-in-settings"),
        (format!("[database]\nuri = \"{URL}\""), "file.unknown-key"),
        (format!("database = \"{URL}\""), "file.wrong-type"),
        (format!("database = {URL}"), "file.syntax"),
        (format!("state_dir = 7 # {URL}"), "file.wrong-type"),
        ("[s3]\nsecret_access_key = \"9canary7\"".to_string(), "settings.secret-in-settings"),
        ("[s3]\naccess_key = \"9canary7\"".to_string(), "file.unknown-key"),
        ("[hooks.orders]\nauth = \"token\"\nsecret = \"9canary7\"".to_string(), "settings.secret-in-settings"),
        ("[traces]\nheaders = \"x-key=9canary7\"".to_string(), "settings.secret-in-settings"),
        ("[traces]\nheaders = x-key=9canary7".to_string(), "file.syntax"),
        (format!("[s3]\nendpoint = \"{URL}\""), "settings.bad-url"),
    ] {
        let error = refused(&text, &[]);
        assert!(error.contains(code), "{text}: {error}");
    }
    for url in ["mysql://ada:9canary7@db/c", "postgres://ada:9canary7@db", "postgres://ada:9 canary7@db/c"] {
        let error = refused("", &[("COUNTERSIGN_DATABASE_URL", url)]);
        assert!(error.contains("COUNTERSIGN_DATABASE_URL") && error.contains("must be a URL of Postgres"), "{error}");
    }
}

#[test]
fn half_a_secret_and_a_short_one_are_refused() {
    let key = ("COUNTERSIGN_S3_ACCESS_KEY_ID", "9canary7");
    let error = refused("", &[key]);
    assert!(error.starts_with("environment: COUNTERSIGN_S3_SECRET_ACCESS_KEY: "), "{error}");
    let hook = "[hooks.orders]\nauth = \"token\"";
    assert!(refused(hook, &[]).contains("settings.missing-secret"));
    let error = refused(hook, &[("COUNTERSIGN_HOOKS_ORDERS_SECRET", "9canary7")]);
    assert!(error.contains("at least 16 characters"), "{error}");
    let traces = "[traces]\nendpoint = \"http://collector.example.org/v1/traces\"";
    let error = refused(traces, &[("COUNTERSIGN_TRACES_HEADERS", "x-key=9canary7")]);
    assert!(error.contains("in the clear"), "{error}");
    assert!(refused("", &[("COUNTERSIGN_TRACES_HEADERS", "9canary7")]).contains("name=value"));
}
