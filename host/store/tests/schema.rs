//! The same statements run on both databases, so both have the same tables, columns and indexes.

use countersign_postgres::Server;
use countersign_store::conformance::ManualClock;
use countersign_store::{PostgresOptions, SqlStore};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Table, column, type, whether it may be missing.
const SQLITE_COLUMNS: &str = "SELECT m.name || '.' || c.name || ' ' || replace(c.type, 'INTEGER', 'BIGINT') || \
     CASE c.\"notnull\" WHEN 1 THEN '' ELSE ' optional' END \
     FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\'";
const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || ' ' || upper(data_type) || \
     CASE is_nullable WHEN 'NO' THEN '' ELSE ' optional' END FROM information_schema.columns \
     WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_%'";
/// Table, index, its columns in order, with `desc` where it is, whether it is unique or holds part of the table.
const SQLITE_INDEXES: &str = "SELECT m.name || '.' || i.name || ' ' || \
     (SELECT group_concat(k.name || CASE k.desc WHEN 1 THEN ' desc' ELSE '' END, ', ') FROM \
         (SELECT * FROM pragma_index_xinfo(i.name) x WHERE x.key = 1 ORDER BY x.seqno) k) || \
     CASE i.\"unique\" WHEN 1 THEN ' unique' ELSE '' END || CASE i.partial WHEN 1 THEN ' partial' ELSE '' END \
     FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin = 'c'";
const POSTGRES_INDEXES: &str = "SELECT t.relname || '.' || c.relname || ' ' || \
     (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, TRUE) || CASE i.indoption[k - 1] WHEN 3 THEN ' desc' ELSE '' END, ', ' \
         ORDER BY k) FROM generate_series(1, i.indnkeyatts) k) || \
     CASE WHEN i.indisunique THEN ' unique' ELSE '' END || CASE WHEN i.indpred IS NOT NULL THEN ' partial' ELSE '' END \
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid \
     WHERE t.relnamespace = current_schema()::regnamespace AND t.relname NOT LIKE '\\_%' \
     AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))";
/// Primary keys and unique columns of a table.
const SQLITE_KEYS: &str = "SELECT m.name || ' ' || (SELECT group_concat(k.name, ', ') FROM \
         (SELECT * FROM pragma_index_info(i.name) x ORDER BY x.seqno) k) \
     FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin <> 'c' AND m.name NOT LIKE '\\_%' ESCAPE '\\' \
     UNION ALL SELECT 'audit sequence'";
const POSTGRES_KEYS: &str = "SELECT k.conrelid::regclass || ' ' || (SELECT string_agg(a.attname, ', ' ORDER BY n.place) \
         FROM unnest(k.conkey) WITH ORDINALITY n (number, place) \
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.number) \
     FROM pg_constraint k WHERE k.connamespace = current_schema()::regnamespace AND k.contype IN ('p', 'u') \
     AND k.conrelid::regclass::TEXT NOT LIKE '\\_%'";
/// Text that would be sorted as in a dictionary.
const LOCALIZED: &str = "SELECT table_name || '.' || column_name FROM information_schema.columns \
     WHERE table_schema = current_schema() AND data_type = 'text' AND table_name NOT LIKE '\\_%' \
     AND collation_name IS DISTINCT FROM 'C'";

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let Some(server) = Server::shared() else { return };
    let url = server.database();
    SqlStore::postgres(&url, PostgresOptions::default()).await.unwrap().close().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.sqlite");
    SqlStore::sqlite(&path, Arc::new(ManualClock::default())).await.unwrap().close().await.unwrap();
    let mut sqlite = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let mut postgres = PgConnection::connect(&url).await.unwrap();
    for (in_sqlite, in_postgres) in
        [(SQLITE_COLUMNS, POSTGRES_COLUMNS), (SQLITE_INDEXES, POSTGRES_INDEXES), (SQLITE_KEYS, POSTGRES_KEYS)]
    {
        let here: Vec<String> = sqlx::query_scalar(in_sqlite).fetch_all(&mut sqlite).await.unwrap();
        let there: Vec<String> = sqlx::query_scalar(in_postgres).fetch_all(&mut postgres).await.unwrap();
        let (here, there): (BTreeSet<String>, BTreeSet<String>) =
            (here.into_iter().collect(), there.into_iter().collect());
        assert!(here.len() > 20, "{here:?}");
        let different: Vec<&String> = here.symmetric_difference(&there).collect();
        assert!(different.is_empty(), "{different:#?}");
    }
    let localized: Vec<String> = sqlx::query_scalar(LOCALIZED).fetch_all(&mut postgres).await.unwrap();
    assert_eq!(localized, Vec::<String>::new());
}
