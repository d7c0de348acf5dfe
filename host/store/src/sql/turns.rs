//! Test: of several processes on one Postgres, one that is stopped in the middle of a write does not stop the others.

use super::{PostgresOptions, SqlStore};
use countersign_ports::failpoint::Point;
use countersign_postgres::Server;

#[tokio::test]
async fn a_stopped_writer_loses_its_turn_and_its_write() {
    let Some(server) = Server::shared() else { return };
    let url = server.database();
    let stopped = SqlStore::postgres(&url, PostgresOptions::default()).await.unwrap();
    let other = SqlStore::postgres(&url, PostgresOptions::default()).await.unwrap();
    let mut writer = stopped.writer().await.unwrap();
    let write = writer.begin(Point::RecordNote).await.unwrap();
    // Waits until the server ends the session of the first.
    other.writer().await.unwrap().begin(Point::RecordNote).await.unwrap().commit(Vec::new()).await.unwrap();
    assert!(write.commit(Vec::new()).await.is_err(), "it must not believe that it wrote");
    drop(writer);
    stopped.writer().await.unwrap().begin(Point::RecordNote).await.unwrap().commit(Vec::new()).await.unwrap();
}
