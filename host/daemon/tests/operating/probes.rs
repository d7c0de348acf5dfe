//! `/healthz`, `/readyz`, `/metrics`.

use crate::daemon::{Daemon, demo_killed_after, until};
use crate::harness::Home;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// The value of a sample, by its name and labels.
#[track_caller]
fn value(text: &str, sample: &str) -> f64 {
    let found = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("{sample} in\n{text}")).parse().expect("a number")
}

#[test]
fn a_daemon_at_work_counts_what_it_does_and_promtool_accepts_it() {
    let home = Home::new();
    demo_killed_after(&home, "✔ statistics", &[]);
    let daemon = Daemon::start(&home, &[]).up();
    until(&home, "waiting");
    assert_eq!(daemon.get("/healthz").body, "alive\n");
    let ready = daemon.get("/readyz");
    assert_eq!((ready.status, &ready.json()["data"]["problems"]), (200, &serde_json::json!([])));
    let metrics = daemon.get("/metrics").body;
    for (sample, least) in [
        ("countersign_store_up", 1.0),
        ("countersign_ready", 1.0),
        ("countersign_runs{state=\"waiting\"}", 1.0),
        ("countersign_claims_total", 1.0),
        ("countersign_step_duration_seconds_count{status=\"succeeded\"}", 1.0),
        ("process_resident_memory_bytes", 1e6),
        ("process_open_fds", 3.0),
    ] {
        assert!(value(&metrics, sample) >= least, "{sample} in\n{metrics}");
    }
    for sample in ["countersign_events_total{outcome=\"skipped\"}", "countersign_heartbeat_failures_total"] {
        assert_eq!(value(&metrics, sample), 0.0, "{sample}");
    }
    assert!(value(&metrics, "countersign_trigger_lag_seconds") < 60.0);
    assert!(!metrics.contains("taxi"), "names are for those who signed in\n{metrics}");
    if countersign_judges::found("promtool") {
        let promtool =
            Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut promtool = promtool.expect("promtool starts");
        promtool.stdin.take().expect("its input").write_all(metrics.as_bytes()).expect("write");
        let said = promtool.wait_with_output().expect("it ends");
        assert!(said.status.success() && said.stderr.is_empty(), "{}", String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn a_daemon_whose_store_is_of_another_version_is_alive_and_says_that_it_is_not_ready() {
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let daemon = Daemon::start(&home, &[]).up();
    assert_eq!(daemon.get("/readyz").status, 200);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        use sqlx::Connection as _;
        let database = home.demo().join("state/metadata.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("the database");
        let newer = "INSERT INTO _sqlx_migrations SELECT version + 1, description, installed_on, success, checksum, execution_time \
                     FROM _sqlx_migrations ORDER BY version DESC LIMIT 1";
        sqlx::query(newer).execute(&mut connection).await.expect("a newer version");
    });
    let ready = daemon.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("the store has schema"), "{}", ready.body);
    assert_eq!(daemon.get("/healthz").status, 200);
    assert_eq!(value(&daemon.get("/metrics").body, "countersign_ready"), 0.0);
}
