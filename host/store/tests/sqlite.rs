//! SQLite does what every metadata store must do, and what only a file can: it survives, it is private, it shows tampering.

use countersign_model::audit::{self, BrokenChain};
use countersign_model::run::RunEnd;
use countersign_ports::{MetadataStore, StoreError};
use countersign_store::SqlStore;
use countersign_store::conformance::{Bench, ManualClock, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

async fn make(clock: Arc<ManualClock>) -> (Arc<dyn Store>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqlStore::sqlite(&directory.path().join("record.sqlite"), clock).await.unwrap();
    (Arc::new(store), directory)
}

countersign_store::metadata_store_conformance!(make);

/// A second way in, as somebody with the file and no Countersign has.
async fn tamper(path: &Path, sql: &'static str) {
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(path).foreign_keys(false)).await.unwrap();
    assert!(sqlx::query(sql).execute(&pool).await.unwrap().rows_affected() > 0, "{sql}");
    pool.close().await;
}

#[tokio::test]
async fn an_edit_a_deletion_and_a_swap_in_the_audit_log_show() {
    let cases: [(&[&'static str], i64); 5] = [
        (&["UPDATE audit SET detail = replace(detail, 'taxi', 'maxi') WHERE sequence = 2"], 2),
        (&["UPDATE audit SET at = at + 1 WHERE sequence = 1"], 1),
        (&["UPDATE audit SET actor = 'local:eve' WHERE sequence = 3"], 3),
        (&["DELETE FROM audit WHERE sequence = 2"], 3),
        // Two entries change places.
        (
            &[
                "UPDATE audit SET sequence = sequence - 5 WHERE sequence IN (2, 3)",
                "UPDATE audit SET sequence = -sequence WHERE sequence < 0",
            ],
            2,
        ),
    ];
    for (statements, broken) in cases {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("record.sqlite");
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(SqlStore::sqlite(&path, clock.clone()).await.unwrap());
        let bench = Bench::new(store.clone(), clock);
        let claim = bench.running("taxi").await;
        bench.succeed(&claim).await;
        let whole = store.audit_entries(0, 100).await.unwrap();
        audit::verify((0, audit::genesis()), &whole).unwrap();
        for sql in statements {
            tamper(&path, sql).await;
        }
        let entries = store.audit_entries(0, 100).await.unwrap();
        let result = audit::verify((0, audit::genesis()), &entries);
        assert!(
            matches!(result, Err(BrokenChain { sequence, .. }) if sequence == broken),
            "{statements:?}: {result:?}"
        );
    }
}

#[tokio::test]
async fn everything_is_there_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.sqlite");
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(SqlStore::sqlite(&path, clock.clone()).await.unwrap());
    let bench = Bench::new(store.clone(), clock.clone());
    let claim = bench.running("taxi").await;
    let request = bench.request(claim.run, "taxi", "m", 1);
    store.open_request(&claim, &request, &[]).await.unwrap();
    // What a killed process leaves: the file and its write-ahead log, as they are now.
    let copy = directory.path().join("copy.sqlite");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(path.with_extension("sqlite-wal"), copy.with_extension("sqlite-wal")).unwrap();

    let reopened = Arc::new(SqlStore::sqlite(&copy, clock.clone()).await.unwrap());
    let after = Bench::new(reopened.clone(), clock);
    assert_eq!(reopened.request(&request.id).await.unwrap(), Some(request.clone()));
    let entries = reopened.audit_entries(0, 100).await.unwrap();
    let head = audit::verify((0, audit::genesis()), &entries).unwrap();
    // The chain goes on where it was.
    let decision = bench.decision(&request, countersign_model::decision::DecisionKind::Approve, "ada");
    reopened.record_decision(&decision, &[]).await.unwrap();
    audit::verify(head, &reopened.audit_entries(head.0, 100).await.unwrap()).unwrap();
    assert_eq!(after.status(&request.run).await, "queued");
}

#[tokio::test]
async fn two_processes_share_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.sqlite");
    let clock = Arc::new(ManualClock::default());
    let (daemon, terminal) =
        tokio::join!(SqlStore::sqlite(&path, clock.clone()), SqlStore::sqlite(&path, clock.clone()),);
    let (daemon, terminal) = (Arc::new(daemon.unwrap()), terminal.unwrap());
    let bench = Bench::new(daemon.clone(), clock);
    let claim = bench.running("taxi").await;
    terminal.cancel_run(&claim.run, &Bench::person("ada"), bench.tick(), &[]).await.unwrap();
    let end = daemon.end_run(&claim, &RunEnd::Succeeded, bench.tick(), &[]).await;
    assert!(matches!(end, Err(StoreError::LostClaim { .. })), "{end:?}");
    let entries = daemon.audit_entries(0, 100).await.unwrap();
    audit::verify((0, audit::genesis()), &entries).unwrap();
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state/countersign/record.sqlite");
    let store = SqlStore::sqlite(&path, Arc::new(ManualClock::default())).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_extension("sqlite-wal")), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.sqlite");
    let clock = Arc::new(ManualClock::default());
    SqlStore::sqlite(&path, clock.clone()).await.unwrap().close().await.unwrap();
    SqlStore::sqlite(&path, clock.clone()).await.unwrap().close().await.unwrap();
    tamper(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)",
    )
    .await;
    let refused = SqlStore::sqlite(&path, clock.clone()).await.err().unwrap().to_string();
    assert!(refused.contains("newer version"), "{refused}");
    tamper(&path, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    tamper(&path, "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let refused = SqlStore::sqlite(&path, clock).await.err().unwrap().to_string();
    assert!(refused.contains("another build"), "{refused}");
}

#[tokio::test]
async fn nonsense_in_the_database_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.sqlite");
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(SqlStore::sqlite(&path, clock.clone()).await.unwrap());
    let bench = Bench::new(store.clone(), clock);
    let run = bench.queue("taxi").await;
    tamper(&path, "UPDATE runs SET state = '{\"status\":\"napping\"}'").await;
    let error = store.run(&run).await.unwrap_err().to_string();
    assert_eq!(error, format!("read runs.state of {run}"));
    tamper(&path, "UPDATE runs SET state = '{\"status\":\"running\"}'").await;
    assert_eq!(store.run(&run).await.unwrap_err().to_string(), format!("read runs.status of {run}"));
}
