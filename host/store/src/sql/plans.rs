//! Test: the cost of every question follows its answer, not the store. No statement reads a whole table of the record.

use super::sqlite::File;
use super::statement::PerDatabase;
use super::write::AUDIT_HEAD;
use super::{
    access, artifacts, audit, claims, counts, deadlines, events, executions, history, leases, lineage, outbox,
    pipelines, pokes, posts, pushes, retention, runs, signoff, triggers,
};
use sqlx::{AssertSqlSafe, Connection, Row};

fn questions() -> Vec<PerDatabase> {
    vec![
        pipelines::VERSION.into(),
        events::LOAD.into(),
        events::GOING_ON.into(),
        events::NEWEST.into(),
        // What SQLite asks by itself of every new run, because its event names it already.
        "SELECT 1 FROM events WHERE run = $1".into(),
        events::NEWEST_OF_PIPELINE.into(),
        runs::ONE.into(),
        runs::NEWEST.into(),
        runs::NEWEST_OF_STATUS.into(),
        runs::NEWEST_OF_PIPELINE.into(),
        runs::NEWEST_OF_BOTH.into(),
        claims::ABANDONED.into(),
        claims::QUEUED,
        claims::THIS_ONE.into(),
        claims::STILL.into(),
        claims::TAKE.into(),
        claims::GUARD.into(),
        executions::OF_RUN.into(),
        executions::ONE.into(),
        executions::LOG.into(),
        executions::CACHED.into(),
        executions::PREVIOUS.into(),
        artifacts::ONE.into(),
        artifacts::OF_DIGEST.into(),
        artifacts::OF_RUN.into(),
        artifacts::OF_BOTH.into(),
        artifacts::OF_PIPELINE.into(),
        artifacts::OF_KIND.into(),
        artifacts::NEWEST.into(),
        history::PREVIOUS.into(),
        history::APPROVED.into(),
        history::PUSHED.into(),
        history::SPANS.into(),
        lineage::UPSTREAM_ARTIFACTS,
        lineage::UPSTREAM_LINKS,
        lineage::DOWNSTREAM_ARTIFACTS,
        lineage::DOWNSTREAM_LINKS,
        signoff::ONE.into(),
        signoff::OF_RUN.into(),
        signoff::OF_MODEL.into(),
        signoff::WAITING.into(),
        signoff::EVERY.into(),
        signoff::OPEN_OF_GATE.into(),
        signoff::OLDER_OF_GATE.into(),
        deadlines::DUE.into(),
        pokes::OF_REQUEST.into(),
        signoff::DECISIONS.into(),
        signoff::DECISION.into(),
        pushes::OF_PAIR.into(),
        pushes::ONE.into(),
        pushes::COMPLETED.into(),
        pushes::COMPLETED_OF_PIPELINE.into(),
        pushes::LIVE_AT.into(),
        outbox::DUE.into(),
        outbox::UNDELIVERED.into(),
        outbox::UNDELIVERED_OF_RUN.into(),
        outbox::ONE.into(),
        triggers::LAST_FIRE.into(),
        triggers::SEEN_FILES.into(),
        triggers::ACCEPTED.into(),
        triggers::FORGET.into(),
        triggers::PAUSED.into(),
        leases::HELD.into(),
        retention::NEWEST.into(),
        retention::NEWEST_SOUND.into(),
        retention::EXPIRED.into(),
        retention::LOGS.into(),
        retention::HOLDINGS.into(),
        retention::USERS[0].into(),
        retention::USERS[1].into(),
        retention::USERS[2].into(),
        retention::HELD.into(),
        retention::NEWEST_OF_DIGEST.into(),
        retention::PUSHED.into(),
        retention::ASKED.into(),
        retention::UNDER_WAY.into(),
        audit::AFTER.into(),
        counts::COUNTS.into(),
        posts::ONE.into(),
        access::LIVE.into(),
        access::LIVE_OF_KIND.into(),
        access::PRUNE.into(),
        access::PRUNE_KEYS.into(),
    ]
}

/// What may be read whole: a query's own small results, the names of the pipelines, those that are paused, and the duties.
const SMALL: [&str; 8] =
    ["SCAN walk", "SCAN n", "SCAN m", "SCAN l", "SCAN p", "SCAN CONSTANT ROW", "SCAN paused", "SCAN leases"];

async fn plan(file: &File, sql: &'static str) -> Vec<String> {
    let mut connection = file.reader().await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(&mut *connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

#[tokio::test]
async fn no_question_reads_a_whole_table() {
    let directory = tempfile::tempdir().unwrap();
    let file = File::open(&directory.path().join("record.sqlite")).await.unwrap();
    for sql in questions() {
        let sql = sql.sqlite;
        let plan = plan(&file, sql).await;
        for line in &plan {
            let small = SMALL.iter().any(|small| line == small || line.starts_with(&format!("{small} ")));
            assert!(!line.contains("SCAN") || small, "{sql}\n{plan:#?}");
        }
    }
}

#[tokio::test]
async fn what_asks_for_the_newest_does_not_sort_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let file = File::open(&directory.path().join("record.sqlite")).await.unwrap();
    let sorted =
        |line: &String| line.contains("TEMP B-TREE") && !line.contains("LAST TERM") && !line.contains("RIGHT PART");
    // These sort what they found: one row a pipeline, the spans that were asked for, the artifacts of one digest, the links of the lineage,
    // what a run holds, what is needed.
    let small = [
        claims::QUEUED.sqlite,
        claims::ABANDONED,
        history::SPANS,
        history::APPROVED,
        history::PUSHED,
        lineage::DOWNSTREAM_LINKS.sqlite,
        retention::HOLDINGS,
        retention::PUSHED,
        retention::ASKED,
        retention::UNDER_WAY,
    ];
    for sql in questions().into_iter().map(|sql| sql.sqlite).filter(|sql| !small.contains(sql)) {
        let plan = plan(&file, sql).await;
        assert!(!plan.iter().any(sorted), "{sql}\n{plan:#?}");
    }
    let head = plan(&file, AUDIT_HEAD).await;
    assert!(!head.iter().any(sorted), "{head:#?}");
}

/// A claim goes from queue to queue by the index of queues; any other would read them whole.
#[tokio::test]
async fn a_claim_reads_the_first_of_each_queue() {
    let directory = tempfile::tempdir().unwrap();
    let file = File::open(&directory.path().join("record.sqlite")).await.unwrap();
    let plan = plan(&file, claims::QUEUED.sqlite).await;
    let searches = |index: &str| plan.iter().filter(|line| line.contains(index)).count();
    assert_eq!(
        (searches("runs_queued"), searches("runs_given_back"), searches("runs_of_status")),
        (3, 1, 0),
        "{plan:#?}"
    );
}

/// However many runs there are, young ones and collected ones are not looked at; and whoever needs an artifact is most likely new.
#[tokio::test]
async fn retention_reads_what_is_old_only() {
    let directory = tempfile::tempdir().unwrap();
    let file = File::open(&directory.path().join("record.sqlite")).await.unwrap();
    for (sql, first) in [
        (retention::EXPIRED, "SEARCH r USING INDEX runs_not_collected (pipeline=? AND ended_at<?)"),
        (retention::HELD, "SEARCH artifacts USING INDEX artifacts_not_collected (digest=?)"),
    ] {
        let plan = plan(&file, sql).await;
        assert_eq!(plan.first().map(String::as_str), Some(first), "{plan:#?}");
    }
    for (users, index) in retention::USERS.iter().zip(["execution_outputs_of_artifact", "execution_inputs_of_artifact"])
    {
        let plan = plan(&file, users).await;
        assert!(plan[0].contains(index) && !plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
    }
}

/// The newest approval or push names a digest; the other models of its pipeline are not looked at.
#[tokio::test]
async fn a_released_model_is_found_by_its_digest() {
    let directory = tempfile::tempdir().unwrap();
    let file = File::open(&directory.path().join("record.sqlite")).await.unwrap();
    for sql in [history::APPROVED, history::PUSHED] {
        let plan = plan(&file, sql).await;
        assert!(plan.iter().any(|line| line.contains("SEARCH x ") && line.contains("(digest=?)")), "{plan:#?}");
    }
}

/// Small on purpose: names of pipelines, what is paused, duties.
const SMALL_TABLES: [&str; 4] = ["pipelines", "pipeline_versions", "paused", "leases"];

/// Postgres decides by what it knows of the data; here it is asked whether there is a way at all that reads no whole table.
#[tokio::test]
async fn postgres_has_an_index_for_every_question() {
    let Some(server) = countersign_postgres::Server::shared() else { return };
    let url = server.database();
    super::SqlStore::postgres(&url, super::PostgresOptions::default()).await.unwrap().close().await.unwrap();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let settings = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; SET jit = off";
    sqlx::raw_sql(settings).execute(&mut connection).await.unwrap();
    let mut reads_all = Vec::new();
    for sql in questions() {
        // Only a driver says of which type a value is that is compared with nothing.
        let sql = sql.postgres.replace(" IS NULL OR", "::TEXT IS NULL OR");
        let has = |number: &u32| sql.contains(&format!("${number}"));
        let last = (1..=9).rev().find(has).unwrap_or(0);
        // Whatever is not asked for needs a type all the same.
        let types: Vec<_> = (1..=last).map(|number| if has(&number) { "unknown" } else { "text" }).collect();
        let brackets = |list: Vec<&str>| if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) };
        let call = brackets(vec!["NULL"; types.len()]);
        let prepare = AssertSqlSafe(format!("DEALLOCATE ALL; PREPARE question {} AS {sql}", brackets(types)));
        sqlx::raw_sql(prepare).execute(&mut connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) EXECUTE question{call}"));
        let rows = sqlx::raw_sql(explain).fetch_all(&mut connection).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let small = |line: &String| SMALL_TABLES.iter().any(|table| line.contains(&format!("on {table}")));
        if plan.iter().any(|line| line.contains("Seq Scan on") && !small(line)) {
            reads_all.push(format!("{sql}\n{}", plan.join("\n")));
        }
    }
    assert!(reads_all.is_empty(), "{}", reads_all.join("\n\n"));
}

/// Enough of a history that Postgres would rather answer for all of it than about one artifact, were it free to.
const MANY_ARTIFACTS: &str = "SET session_replication_role = replica; \
    INSERT INTO runs (id, pipeline, pipeline_digest, event, cause, started_by, status, state, created_at, queued_at) \
        SELECT 'run' || n, 'taxi', '', '', '', '', 'succeeded', '', n, n FROM generate_series(1, 3000) n; \
    INSERT INTO artifacts (id, kind, digest, bytes, pipeline, step, output, run, execution, span, created_at) \
        SELECT 'art' || n, 'Schema', n, 1, 'taxi', 'schema', 'out', 'run' || n, 'exe' || n, n, n FROM generate_series(1, 3000) n; \
    INSERT INTO execution_outputs (execution, port, artifact, run) \
        SELECT 'exe' || n, 'out', 'art' || n, 'run' || n FROM generate_series(1, 3000) n";

#[tokio::test]
async fn postgres_asks_about_the_newest_artifacts_only() {
    let Some(server) = countersign_postgres::Server::shared() else { return };
    let url = server.database();
    super::SqlStore::postgres(&url, super::PostgresOptions::default()).await.unwrap().close().await.unwrap();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(MANY_ARTIFACTS).execute(&mut connection).await.unwrap();
    sqlx::raw_sql("ANALYZE").execute(&mut connection).await.unwrap();
    let questions =
        [(history::PREVIOUS, "'taxi', 'Schema', 'run', 'schema', '', ''"), (history::SPANS, "'taxi', 'Schema', 7")];
    for (question, values) in questions {
        let prepare = AssertSqlSafe(format!("DEALLOCATE ALL; PREPARE question AS {question}"));
        sqlx::raw_sql(prepare).execute(&mut connection).await.unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) EXECUTE question({values})"));
        let rows = sqlx::raw_sql(explain).fetch_all(&mut connection).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let of_all = |line: &String| line.contains("hashed") || line.contains("Seq Scan on execution_outputs");
        assert!(!plan.iter().any(of_all), "{plan:#?}");
    }
}
