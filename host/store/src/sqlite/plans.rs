//! Test: the cost of every question follows its answer, not the store. No statement reads a whole table of the record.

use super::connection::Connections;
use super::{
    access, artifacts, audit, claims, connection, counts, deadlines, events, executions, history, lineage, open,
    outbox, pipelines, pokes, posts, pushes, runs, signoff, triggers,
};
use sqlx::{AssertSqlSafe, Row};

const QUESTIONS: &[&str] = &[
    pipelines::VERSION,
    events::NEWEST,
    events::NEWEST_OF_PIPELINE,
    runs::ONE,
    runs::NEWEST,
    runs::NEWEST_OF_STATUS,
    runs::NEWEST_OF_PIPELINE,
    runs::NEWEST_OF_BOTH,
    claims::ABANDONED,
    claims::QUEUED,
    claims::THIS_ONE,
    claims::GUARD,
    executions::OF_RUN,
    executions::ONE,
    executions::LOG,
    executions::CACHED,
    executions::PREVIOUS,
    artifacts::ONE,
    artifacts::OF_DIGEST,
    artifacts::OF_RUN,
    artifacts::OF_BOTH,
    artifacts::OF_PIPELINE,
    artifacts::OF_KIND,
    artifacts::NEWEST,
    history::PREVIOUS,
    history::APPROVED,
    history::PUSHED,
    history::SPANS,
    lineage::UPSTREAM_ARTIFACTS,
    lineage::UPSTREAM_LINKS,
    lineage::DOWNSTREAM_ARTIFACTS,
    lineage::DOWNSTREAM_LINKS,
    signoff::ONE,
    signoff::OF_RUN,
    signoff::OF_MODEL,
    signoff::OPEN,
    signoff::WAITING,
    signoff::EVERY,
    signoff::OPEN_OF_GATE,
    signoff::OLDER_OF_GATE,
    deadlines::DUE,
    pokes::OF_REQUEST,
    signoff::DECISIONS,
    signoff::DECISION,
    pushes::OF_PAIR,
    pushes::ONE,
    pushes::COMPLETED,
    pushes::COMPLETED_OF_PIPELINE,
    pushes::LIVE_AT,
    outbox::DUE,
    outbox::UNDELIVERED,
    outbox::UNDELIVERED_OF_RUN,
    outbox::ONE,
    triggers::LAST_FIRE,
    triggers::SEEN_FILES,
    triggers::ACCEPTED,
    audit::AFTER,
    counts::COUNTS,
    posts::ONE,
    access::LIVE,
    access::LIVE_OF_KIND,
    access::PRUNE,
    access::PRUNE_KEYS,
];

/// What may be read whole: a query's own small results, and the names of the pipelines.
const SMALL: [&str; 5] = ["SCAN reached", "SCAN n", "SCAN l", "SCAN p", "SCAN CONSTANT ROW"];

async fn plan(connections: &Connections, sql: &'static str) -> Vec<String> {
    let mut connection = connections.reader().await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(&mut *connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

#[tokio::test]
async fn no_question_reads_a_whole_table() {
    let directory = tempfile::tempdir().unwrap();
    let connections = open::open(&directory.path().join("record.sqlite")).await.unwrap();
    for sql in QUESTIONS {
        let plan = plan(&connections, sql).await;
        for line in &plan {
            let small = SMALL.iter().any(|small| line == small || line.starts_with(&format!("{small} ")));
            assert!(!line.contains("SCAN") || small, "{sql}\n{plan:#?}");
        }
    }
}

#[tokio::test]
async fn what_asks_for_the_newest_does_not_sort_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let connections = open::open(&directory.path().join("record.sqlite")).await.unwrap();
    let sorted =
        |line: &String| line.contains("TEMP B-TREE") && !line.contains("LAST TERM") && !line.contains("RIGHT PART");
    // These sort what they found: one row a pipeline, the spans that were asked for, the links of the lineage.
    let small = [claims::QUEUED, claims::ABANDONED, history::SPANS, lineage::DOWNSTREAM_LINKS];
    for sql in QUESTIONS.iter().filter(|sql| !small.contains(sql)) {
        let plan = plan(&connections, sql).await;
        assert!(!plan.iter().any(sorted), "{sql}\n{plan:#?}");
    }
    let head = plan(&connections, connection::AUDIT_HEAD).await;
    assert!(!head.iter().any(sorted), "{head:#?}");
}
