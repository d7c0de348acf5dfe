//! What version 2 wrote, before runs had places, priorities and pauses: its claim still holds, its queue and its request go on.

use super::old::{CAUSE, IN_POSTGRES, RECORDS, SIGNOFF, postgres, sqlite, ulid};
use countersign_model::decision::DecisionKind;
use countersign_model::digest::Digest;
use countersign_model::event::EventOutcome;
use countersign_model::id::{RequestId, RunId};
use countersign_model::pipeline::{Overlap, QUEUE_LIMIT, Trigger};
use countersign_model::run::{Claim, RunEnd};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::{Clock, LeaseStore, MetadataStore, StoreError, TriggerStore};
use countersign_postgres::Server;
use countersign_store::conformance::{Bench, LEASE, ManualClock};
use countersign_store::{PostgresOptions, SqlStore};
use std::sync::Arc;
use tempfile::TempDir;

/// Of the pipeline `taxi` run 1 is running, 2 is queued, 3 waits; of `mnist` 4 is queued, and 5 ended. Columns are named, so that
/// the rows are the same for both databases.
const ROWS: &str = r#"BEGIN;
INSERT INTO pipeline_versions (digest, name, pipeline, origin, created_at) VALUES
    ('{d1}', 'taxi', '{taxi}', 'taxi.toml', 1), ('{d2}', 'mnist', '{mnist}', 'mnist.toml', 1);
INSERT INTO pipelines (name, digest) VALUES ('taxi', '{d1}'), ('mnist', '{d2}');
INSERT INTO events (id, pipeline, cause, actor, dedupe_key, at, run, skipped) VALUES
    ('evt_{1}', 'taxi', '{cause}', 'local:ada', 'a', 1, 'run_{1}', NULL),
    ('evt_{2}', 'taxi', '{cause}', 'local:ada', 'b', 2, 'run_{2}', NULL),
    ('evt_{3}', 'taxi', '{cause}', 'local:ada', 'c', 3, 'run_{3}', NULL),
    ('evt_{4}', 'mnist', '{cause}', 'local:ada', 'd', 4, 'run_{4}', NULL),
    ('evt_{5}', 'mnist', '{cause}', 'local:ada', 'e', 5, 'run_{5}', NULL),
    ('evt_{6}', 'taxi', '{cause}', 'local:ada', 'f', 6, NULL, 'another is running');
INSERT INTO runs (id, pipeline, pipeline_digest, event, cause, started_by, status, state, created_at, ended_at,
        owner, epoch, lease_until, queued_at) VALUES
    ('run_{1}', 'taxi', '{d1}', 'evt_{1}', '{cause}', 'local:ada', 'running', '{"status":"running"}', 1, NULL,
        'wrk_{1}', 2, {until}, 1),
    ('run_{2}', 'taxi', '{d1}', 'evt_{2}', '{cause}', 'local:ada', 'queued', '{"status":"queued"}', 2, NULL,
        NULL, 0, NULL, 2),
    ('run_{3}', 'taxi', '{d1}', 'evt_{3}', '{cause}', 'local:ada', 'waiting', '{"status":"waiting","request":"req_{3}"}', 3,
        NULL, NULL, 1, NULL, 3),
    ('run_{4}', 'mnist', '{d2}', 'evt_{4}', '{cause}', 'local:ada', 'queued', '{"status":"queued"}', 4, NULL,
        NULL, 0, NULL, 4),
    ('run_{5}', 'mnist', '{d2}', 'evt_{5}', '{cause}', 'local:ada', 'succeeded',
        '{"status":"ended","end":{"end":"succeeded"}}', 5, 6, NULL, 1, NULL, 5);
INSERT INTO requests (id, run, pipeline, gate, policy, evidence, evidence_digest, model_digest, status, state, posted_at,
        verdict, nonce, progress) VALUES
    ('req_{3}', 'run_{3}', 'taxi', 'release', '{policy}', '{"model":"m3"}', '{d4}', '{d5}', 'open', '{"status":"open"}', 3,
        'needs-person', '0123456789abcdef0123456789abcdef', '{"reminded":0,"escalated":false,"overdue":false}');
INSERT INTO fires (trigger_name, at) VALUES ('taxi/cron', 1794999000000000);
INSERT INTO seen_files (trigger_name, path, bytes, modified, stable_since, accepted) VALUES
    ('taxi/trips', '/data/a.csv', 7, 1, 1, '{d6}');
COMMIT;"#;
const POLICY: &str =
    r#"{"approvers":[{"role":"owner","count":1}],"approve_on":["terminal"],"forbid_self_approval":true}"#;
/// As version 2 wrote a definition: it names no key that came later.
const DEFINITION: &str = r#"{"name":"NAME","description":"","trigger":{"cron":"0 6 * * *","timezone":"Europe/Berlin","arrival":["trips"],"overlap":"skip"},"sources":{"trips":{"path":"/data/{SPAN}.csv","settle_seconds":10}},"steps":[]}"#;

fn rows(until: Timestamp) -> String {
    ROWS.replace("{taxi}", &DEFINITION.replace("NAME", "taxi"))
        .replace("{mnist}", &DEFINITION.replace("NAME", "mnist"))
        .replace("{policy}", POLICY)
        .replace("{cause}", CAUSE)
        .replace("{until}", &until.as_micros().to_string())
}

/// An upgraded store with its clock, and what must live as long.
struct World {
    store: Arc<SqlStore>,
    bench: Bench,
    _directory: Option<TempDir>,
}

/// One in SQLite and, where there is PostgreSQL, one in that.
async fn upgraded() -> Vec<World> {
    let mut worlds = vec![in_sqlite().await];
    if let Some(server) = Server::shared() {
        worlds.push(in_postgres(server).await);
    }
    worlds
}

async fn in_sqlite() -> World {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.sqlite");
    let clock = Arc::new(ManualClock::default());
    sqlite(&path, &[RECORDS, SIGNOFF], &rows(clock.now().plus(LEASE))).await;
    // Twice: what is up to date is left alone.
    SqlStore::sqlite(&path, clock.clone()).await.unwrap().close().await.unwrap();
    let store = Arc::new(SqlStore::sqlite(&path, clock.clone()).await.unwrap());
    World { store: store.clone(), bench: Bench::new(store, clock), _directory: Some(directory) }
}

async fn in_postgres(server: &Server) -> World {
    let url = server.database();
    let clock = Arc::new(ManualClock::default());
    postgres(&url, &[IN_POSTGRES], &rows(clock.now().plus(LEASE))).await;
    let open = async |migrate| SqlStore::postgres(&url, PostgresOptions { migrate, clock: Some(clock.clone()) }).await;
    let refused = open(false).await.err().expect("daemons of that version may be at work").to_string();
    assert!(refused.contains("older version"), "{refused}");
    open(true).await.unwrap().close().await.unwrap();
    let store = Arc::new(open(false).await.unwrap());
    World { store: store.clone(), bench: Bench::new(store, clock), _directory: None }
}

fn run(number: u32) -> RunId {
    format!("run_{}", ulid(number)).parse().unwrap()
}

fn old_claim() -> Claim {
    Claim { run: run(1), worker: format!("wrk_{}", ulid(1)).parse().unwrap(), epoch: 2 }
}

#[tokio::test]
async fn everything_reads_back() -> Result<(), StoreError> {
    for World { store, .. } in &upgraded().await {
        for version in store.pipelines().await? {
            let written = serde_json::to_string(&version.pipeline)?;
            assert_eq!(
                written,
                DEFINITION.replace("NAME", &version.name),
                "its digest is still that of the definition"
            );
            assert_eq!(version.pipeline.trigger.most_queued(), QUEUE_LIMIT);
        }
        let runs = store.runs(&RunFilter::default()).await?;
        let status: Vec<_> = runs.iter().map(|run| (run.priority, run.state.status())).collect();
        assert_eq!(status, [(0, "succeeded"), (0, "queued"), (0, "waiting"), (0, "queued"), (0, "running")]);
        let outcomes: Vec<_> = store.events(None, 10).await?.into_iter().map(|(_, outcome)| outcome).collect();
        assert_eq!(outcomes[0], EventOutcome::Skipped { reason: "another is running".to_string() });
        assert_eq!(outcomes.len(), 6);
        let counts = store.counts().await?;
        assert_eq!((counts.queued, counts.running, counts.waiting, counts.paused), (2, 1, 1, 0));
        assert_eq!(store.last_fire("taxi/cron").await?, Some(Timestamp::from_micros(1_794_999_000_000_000)));
        let files = store.seen_files("taxi/trips").await?;
        assert_eq!(files[0].accepted, Some("6".repeat(64).parse::<Digest>().unwrap()), "it starts no second run");
        assert_eq!((store.paused().await?, store.held().await?), (Vec::new(), Vec::new()));
    }
    Ok(())
}

#[tokio::test]
async fn the_running_run_keeps_its_worker_and_the_queue_waits_for_it() -> Result<(), StoreError> {
    for World { store, bench, .. } in &upgraded().await {
        assert_eq!(bench.claim().await.unwrap().run, run(4));
        assert_eq!(bench.claim().await, None, "the one place of `taxi` is taken");
        store.heartbeat(&old_claim(), LEASE).await?;
        store.end_run(&old_claim(), &RunEnd::Succeeded, bench.now(), &[]).await?;
        let next = bench.claim().await.unwrap();
        assert_eq!((next.run, next.epoch), (run(2), 1));
        bench.succeed(&next).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_is_gone_is_replaced() {
    for World { bench, .. } in &upgraded().await {
        bench.clock.advance(LEASE);
        let claim = bench.claim().await.unwrap();
        assert_eq!((claim.run, claim.epoch), (run(1), 3));
        bench.succeed(&claim).await;
    }
}

#[tokio::test]
async fn the_open_request_is_decided_and_its_run_goes_on_in_a_paused_pipeline() -> Result<(), StoreError> {
    for World { store, bench, .. } in &upgraded().await {
        store.end_run(&old_claim(), &RunEnd::Succeeded, bench.now(), &[]).await?;
        bench.pause("taxi").await;
        bench.pause("mnist").await;
        assert_eq!(bench.claim().await, None);
        let id: RequestId = format!("req_{}", ulid(3)).parse().unwrap();
        let request = store.request(&id).await?.expect("the request is there");
        store.record_decision(&bench.decision(&request, DecisionKind::Approve, "grace"), &[]).await?;
        let claim = bench.claim().await.unwrap();
        assert_eq!((claim.run, claim.epoch), (run(3), 2));
    }
    Ok(())
}

/// Registered again with a new key, the definition gives the pipeline its places.
#[tokio::test]
async fn a_newer_definition_allows_more() {
    for World { bench, .. } in &upgraded().await {
        bench.define("taxi", Trigger { overlap: Overlap::Allow(2), ..Trigger::default() }).await;
        let claims = [bench.claim().await.unwrap().run, bench.claim().await.unwrap().run];
        assert_eq!(claims, [run(2), run(4)]);
        assert_eq!(bench.claim().await, None);
    }
}
