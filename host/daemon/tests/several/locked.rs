//! Somebody holds SQLite's lock for longer than anybody waits for it.

use crate::harness::eventually;
use crate::pipelines;
use crate::site::Site;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::runtime::Runtime;

#[test]
fn a_database_locked_for_longer_than_anybody_waits_is_said_and_survived() {
    let site = Site::new(None, &[("north", pipelines::work("north"))]);
    let daemon = site.serve(&[]);
    site.deliver("north", 1);
    eventually("the run is carried", || daemon.said("run claimed").pop());
    let runtime = Runtime::new().expect("a runtime");
    let options = SqliteConnectOptions::new().filename(site.home.path().join("state/metadata.db"));
    let mut connection = runtime.block_on(SqliteConnection::connect_with(&options)).expect("open the database");
    let hold = runtime.block_on(connection.begin_with("BEGIN IMMEDIATE")).expect("lock the database");
    site.deliver("north", 2);
    eventually("a write has failed", || daemon.text().contains("database is locked").then_some(()));
    assert_eq!(daemon.get("/healthz").status, 200);
    site.run(&["pipeline", "pause", "north"]).must(1).says("database is locked");
    runtime.block_on(hold.rollback()).expect("let the database go");
    site.succeeded(2);
    site.is_sound();
    assert!(daemon.complaints() < 20, "{}", daemon.text());
}
