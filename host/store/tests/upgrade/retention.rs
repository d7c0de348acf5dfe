//! What version 3 wrote, before anything was ever collected: its old runs can be, and what they made is history and held until then.

use super::old::{CAUSE, IN_POSTGRES, RECORDS, SIGNOFF, TRIGGERS, TRIGGERS_IN_POSTGRES, postgres, sqlite, ulid};
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::id::{ArtifactId, RunId};
use countersign_model::resolver::Resolver;
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::HistoryQuery;
use countersign_ports::retention_store::{Collected, Collecting, Keep, Standing};
use countersign_ports::{MetadataStore, RetentionStore, StoreError};
use countersign_postgres::Server;
use countersign_store::conformance::ManualClock;
use countersign_store::{PostgresOptions, SqlStore};
use std::collections::HashSet;
use std::sync::Arc;

/// Two runs that succeeded, with a delivery each.
const ROWS: &str = r#"BEGIN;
INSERT INTO pipeline_versions (digest, name, pipeline, origin, created_at) VALUES ('{d1}', 'taxi', '{}', 'taxi.toml', 1);
INSERT INTO pipelines (name, digest, most_running, claimed_at) VALUES ('taxi', '{d1}', 1, 4);
INSERT INTO events (id, pipeline, cause, actor, dedupe_key, at, run, skipped) VALUES
    ('evt_{1}', 'taxi', '{cause}', 'local:ada', 'a', 1, 'run_{1}', NULL),
    ('evt_{2}', 'taxi', '{cause}', 'local:ada', 'b', 3, 'run_{2}', NULL);
INSERT INTO runs (id, pipeline, pipeline_digest, event, cause, started_by, status, state, created_at, ended_at, epoch, queued_at,
        priority, slot) VALUES
    ('run_{1}', 'taxi', '{d1}', 'evt_{1}', '{cause}', 'local:ada', 'succeeded',
        '{"status":"ended","end":{"end":"succeeded"}}', 1, 2, 1, 1, 5, 0),
    ('run_{2}', 'taxi', '{d1}', 'evt_{2}', '{cause}', 'local:ada', 'succeeded',
        '{"status":"ended","end":{"end":"succeeded"}}', 3, 4, 1, 3, 0, 0);
INSERT INTO artifacts (id, kind, digest, bytes, pipeline, step, output, run, execution, span, created_at) VALUES
    ('art_{1}', 'Delivery', '{d2}', 7, 'taxi', 'trips', 'delivery', 'run_{1}', NULL, 'day 1', 1),
    ('art_{2}', 'Delivery', '{d3}', 7, 'taxi', 'trips', 'delivery', 'run_{2}', NULL, 'day 2', 3);
COMMIT;"#;

/// One in SQLite and, where there is PostgreSQL, one in that.
async fn upgraded() -> Vec<(SqlStore, Option<tempfile::TempDir>)> {
    let rows = ROWS.replace("{cause}", CAUSE);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.sqlite");
    sqlite(&path, &[RECORDS, SIGNOFF, TRIGGERS], &rows).await;
    let store = SqlStore::sqlite(&path, Arc::new(ManualClock::default())).await.unwrap();
    let mut worlds = vec![(store, Some(directory))];
    if let Some(server) = Server::shared() {
        let url = server.database();
        postgres(&url, &[IN_POSTGRES, TRIGGERS_IN_POSTGRES], &rows).await;
        let options = PostgresOptions { migrate: true, clock: Some(Arc::new(ManualClock::default())) };
        worlds.push((SqlStore::postgres(&url, options).await.unwrap(), None));
    }
    worlds
}

#[tokio::test]
async fn what_an_older_version_ran_can_be_collected() -> Result<(), StoreError> {
    let run = |number| format!("run_{}", ulid(number)).parse::<RunId>().unwrap();
    let artifact = |number| format!("art_{}", ulid(number)).parse::<ArtifactId>().unwrap();
    let keep = Keep { since: Timestamp::from_micros(5), newest: 1 };
    for (store, _directory) in &upgraded().await {
        let query = HistoryQuery {
            pipeline: "taxi".to_string(),
            resolver: "previous delivery".parse::<Resolver>().unwrap(),
            step: "asking".to_string(),
            own_inputs: Digest::of(b"own"),
            own_digests: vec!["3".repeat(64).parse().unwrap()],
            run: run(9),
        };
        assert_eq!(store.resolve(&query).await?[0].id, artifact(1));
        assert_eq!(store.expired_runs("taxi", &keep).await?, [run(1)]);
        assert_eq!(store.holdings(&run(1)).await?.artifacts[0].id, artifact(1));
        let digest = "2".repeat(64).parse::<Digest>().unwrap();
        assert_eq!(store.standing(&digest, &HashSet::new()).await?, Standing::Held);
        let collecting = [Collecting { run: run(1), artifacts: vec![artifact(1)] }];
        let gone = store.collect(&collecting, &Actor::local("ada"), Timestamp::from_micros(6)).await?;
        assert_eq!(gone, [Collected { run: run(1), logs: 0, artifacts: vec![artifact(1)] }]);
        let given = Standing::Given { newest: Timestamp::from_micros(1) };
        assert_eq!(
            (store.standing(&digest, &HashSet::new()).await?, store.resolve(&query).await?),
            (given, Vec::new())
        );
    }
    Ok(())
}
