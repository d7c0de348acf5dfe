//! The list of tables against a real database, and files that are not whole.

use super::TransferError;
use super::tables::{Kind, TABLES};
use crate::SqlStore;
use crate::conformance::{Bench, ManualClock};
use crate::sql::connection::all;
use crate::sql::statement::Sql;
use countersign_ports::trigger_store::SeenFile;
use sqlx::Row as _;
use std::sync::Arc;

async fn empty(directory: &std::path::Path, name: &str) -> SqlStore {
    SqlStore::sqlite(&directory.join(name), Arc::new(ManualClock::default())).await.unwrap()
}

fn texts(rows: Vec<crate::sql::connection::Row>) -> Vec<(String, String)> {
    let text = |row: crate::sql::connection::Row| match row {
        crate::sql::connection::Row::Sqlite(row) => (row.get(0), row.get(1)),
        crate::sql::connection::Row::Postgres(_) => unreachable!("the store is a SQLite file"),
    };
    rows.into_iter().map(text).collect()
}

#[tokio::test]
async fn every_table_and_column_of_the_database_is_in_the_list() {
    const COLUMNS: &str = "SELECT m.name, c.name || ' ' || c.type FROM sqlite_schema m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'leases'";
    let directory = tempfile::tempdir().unwrap();
    let store = empty(directory.path(), "a.db").await;
    let mut lent = store.reader().await.unwrap();
    let mut there = texts(all(&mut lent.connection(), "list columns", Sql::new(COLUMNS)).await.unwrap());
    for (_, column) in &mut there {
        *column = column.replace("BIGINT", "INTEGER");
    }
    let kind = |kind: &Kind| match kind {
        Kind::Text => "TEXT",
        Kind::Integer => "INTEGER",
    };
    let column =
        |table: &'static str| move |(name, of): &(&str, Kind)| (table.to_string(), format!("{name} {}", kind(of)));
    let mut listed: Vec<_> = TABLES.iter().flat_map(|table| table.columns.iter().map(column(table.name))).collect();
    there.sort();
    listed.sort();
    assert_eq!(listed, there);
}

/// A store in which something happened, as a file.
async fn filled(directory: &std::path::Path) -> (SqlStore, String) {
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(SqlStore::sqlite(&directory.join("full.db"), clock.clone()).await.unwrap());
    let bench = Bench::new(store.clone(), clock);
    let run = bench.running("taxi").await;
    bench.queue("penguins").await;
    bench.succeed(&run).await;
    let seen = SeenFile {
        trigger: "taxi/trips".to_string(),
        path: "Übung \"1\".csv".to_string(),
        bytes: 17,
        modified: -1,
        stable_since: bench.now(),
        accepted: None,
        missing_since: None,
    };
    bench.store.record_seen_files(&[seen]).await.unwrap();
    drop(bench);
    let mut file = Vec::new();
    let store = Arc::into_inner(store).expect("nobody else has it");
    store.export(&mut file, &mut |_, _| {}).await.unwrap();
    (store, String::from_utf8(file).unwrap())
}

#[tokio::test]
async fn what_goes_in_is_what_came_out() {
    let directory = tempfile::tempdir().unwrap();
    let (_full, file) = filled(directory.path()).await;
    let other = empty(directory.path(), "other.db").await;
    let sums = other.import(&mut file.as_bytes(), &mut |_, _| {}).await.unwrap();
    assert_eq!((sums["runs"].rows, sums["seen_files"].rows, sums["posts"].rows), (2, 1, 0));
    let mut again = Vec::new();
    other.export(&mut again, &mut |_, _| {}).await.unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), file);
    let refused = other.import(&mut file.as_bytes(), &mut |_, _| {}).await.unwrap_err();
    assert!(matches!(refused, TransferError::NotEmpty { table: "pipeline_versions" }), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_not_whole_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (_full, file) = filled(directory.path()).await;
    let other = empty(directory.path(), "other.db").await;
    let lines: Vec<&str> = file.lines().collect();
    let without = |gone: usize| {
        let left: Vec<&str> = (0..lines.len()).filter(|at| *at != gone).map(|at| lines[at]).collect();
        left.join("\n")
    };
    let last = lines.len() - 1;
    let moved = format!("{}\n{}\n{}", lines[0], lines[last - 1], lines[1..last - 1].join("\n"));
    for (broken, why) in [
        (without(last), "cut off"),
        (without(last - 1), "nothing was imported"),
        (without(0), "line 1"),
        (String::new(), "the file is empty"),
        (file.replace("penguins", "Penguins"), "nothing was imported"),
        (file.replace("countersign-record", "another-record"), "another-record"),
        (file.replacen("\"version\":5", "\"version\":6", 1), "export with the same version"),
        (moved, "after the last of its table"),
        (file.replace(",17,", ",\"17\","), "wants Integer"),
    ] {
        let error = other.import(&mut broken.as_bytes(), &mut |_, _| {}).await.unwrap_err();
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
    assert_eq!(other.import(&mut file.as_bytes(), &mut |_, _| {}).await.unwrap()["runs"].rows, 2);
}
