//! Postgres does what every metadata store must do, and what only a server can: several daemons share it, and it goes away and comes
//! back under them.

use countersign_model::audit;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::id::{EventId, RunId, WorkerId};
use countersign_model::run::Run;
use countersign_ports::metadata_store::{Proposal, RunFilter};
use countersign_ports::{MetadataStore, StoreError};
use countersign_postgres::{Server, Stop};
use countersign_store::conformance::{Bench, ManualClock, Store};
use countersign_store::{MemoryStore, PostgresOptions, SqlStore};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use ulid::Ulid;

/// Two stand-ins for daemons race each other in this many rounds.
const ROUNDS: u64 = 40;
/// Nothing here takes as long: whoever waits longer waits for ever.
const FOR_EVER: Duration = Duration::from_secs(120);

async fn open(url: &str) -> SqlStore {
    SqlStore::postgres(url, PostgresOptions::default()).await.unwrap()
}

/// A store on a new database; without PostgreSQL the twin in memory, which is judged elsewhere.
async fn make_on(clock: Arc<ManualClock>, parameters: &str) -> (Arc<dyn Store>, ()) {
    let Some(server) = Server::shared() else {
        return (Arc::new(MemoryStore::new(clock)), ());
    };
    let url = format!("{}{parameters}", server.database());
    let options = PostgresOptions { migrate: false, clock: Some(clock) };
    (Arc::new(SqlStore::postgres(&url, options).await.unwrap()), ())
}

mod by_itself {
    use super::*;

    async fn make(clock: Arc<ManualClock>) -> (Arc<dyn Store>, ()) {
        make_on(clock, "").await
    }

    countersign_store::metadata_store_conformance!(make);
}

/// As behind a pooler that lends a connection for one transaction at a time.
mod behind_a_pooler {
    use super::*;

    async fn make(clock: Arc<ManualClock>) -> (Arc<dyn Store>, ()) {
        make_on(clock, "&statement-cache-capacity=0").await
    }

    countersign_store::metadata_store_conformance!(make);
}

fn worker(number: u64) -> WorkerId {
    WorkerId::from_ulid(Ulid::from_parts(number, 99))
}

/// A case's world around a store that has the database's clock.
fn bench(store: &Arc<SqlStore>) -> Bench {
    Bench::new(store.clone(), Arc::new(ManualClock::default()))
}

async fn whole_chain(store: &SqlStore) {
    let entries = store.audit_entries(0, u32::MAX).await.unwrap();
    audit::verify((0, audit::genesis()), &entries).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_daemons_share_events_and_runs_without_doubles() {
    let Some(server) = Server::shared() else { return };
    let url = server.database();
    let (one, other) = tokio::join!(open(&url), open(&url));
    let stores = [Arc::new(one), Arc::new(other)];
    let bench = bench(&stores[0]);
    let (mut events, mut started) = (Vec::new(), BTreeSet::new());
    for round in 0..ROUNDS {
        // Many pipelines, so that places never run out.
        events.push(bench.event(&format!("taxi-{round}")).await);
    }
    for (number, (event, run)) in (1..).zip(&events) {
        let other = Ulid::from_parts(u64::from(u32::MAX), number);
        let twin_event = Event { id: EventId::from_ulid(other), ..event.clone() };
        let twin_run = Run { id: RunId::from_ulid(other), event: twin_event.id, ..run.clone() };
        let (a, b) = tokio::join!(
            stores[0].accept_event(event, Proposal::Run(run)),
            stores[1].accept_event(&twin_event, Proposal::Run(&twin_run)),
        );
        let runs: Vec<RunId> = [a.unwrap(), b.unwrap()]
            .into_iter()
            .filter_map(|outcome| match outcome {
                EventOutcome::Run { run } => Some(run),
                EventOutcome::SeenAgain { .. } | EventOutcome::Skipped { .. } => None,
            })
            .collect();
        assert_eq!(runs.len(), 1, "one of the two starts a run");
        started.extend(runs);
    }
    let claims = |store: Arc<SqlStore>, number: u64| async move {
        let mut claimed = Vec::new();
        while let Some(claim) = store.claim_run(&worker(number), None, FOR_EVER).await.unwrap() {
            store.heartbeat(&claim, FOR_EVER).await.unwrap();
            claimed.push(claim.run);
        }
        claimed
    };
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..4 {
        tasks.spawn(claims(stores[number as usize % 2].clone(), number));
    }
    let claimed: Vec<RunId> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), started.len(), "no run is claimed twice");
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), started);
    whole_chain(&stores[1]).await;
}

/// What was answered as done is there; what was answered as failed may be tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_sessions_and_a_crashed_server_cost_nothing_that_was_answered() {
    let Some(server) = Server::start() else { return };
    let url = server.database();
    let store = Arc::new(open(&url).await);
    let bench = bench(&store);
    let mut events = Vec::new();
    for _ in 0..ROUNDS {
        events.push(bench.event("taxi").await);
    }
    for (round, (event, run)) in events.iter().enumerate() {
        match round % 8 {
            2 => server.terminate_backends(),
            5 => server.restart(Stop::Immediate),
            _ => {}
        }
        let mut tries = 0;
        while let Err(error) = store.accept_event(event, Proposal::Run(run)).await {
            assert!(matches!(error, StoreError::Database { .. }), "{error:?}");
            tries += 1;
            assert!(tries < 20, "{error:?}");
        }
    }
    let accepted: BTreeSet<RunId> = events.iter().map(|(_, run)| run.id).collect();
    let runs = store.runs(&RunFilter { limit: 1000, ..RunFilter::default() }).await.unwrap();
    assert_eq!(runs.into_iter().map(|run| run.id).collect::<BTreeSet<_>>(), accepted);
    whole_chain(&store).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_until_it_is_back() {
    let Some(server) = Server::start() else { return };
    let store = Arc::new(open(&server.database()).await);
    let run = bench(&store).queue("taxi").await;
    server.stop(Stop::Fast);
    assert!(matches!(store.run(&run).await, Err(StoreError::Database { .. })));
    server.start_again();
    assert!(store.run(&run).await.unwrap().is_some());
}

#[tokio::test]
async fn what_one_daemon_commits_wakes_another() {
    let Some(server) = Server::shared() else { return };
    let url = server.database();
    let (teller, hearer) = (Arc::new(open(&url).await), open(&url).await);
    let bench = bench(&teller);
    let changes = hearer.changes();
    let (send, mut claimed) = tokio::sync::mpsc::unbounded_channel();
    let hears = tokio::spawn(async move {
        loop {
            while let Some(claim) = hearer.claim_run(&worker(1), None, FOR_EVER).await.unwrap() {
                send.send(claim.run).unwrap();
            }
            changes.notified().await;
        }
    });
    // More rounds than there are wake-ups for other reasons.
    for round in 0..ROUNDS {
        let (event, run) = bench.event(&format!("taxi-{round}")).await;
        teller.accept_event(&event, Proposal::Run(&run)).await.unwrap();
        let heard = tokio::time::timeout(FOR_EVER, claimed.recv()).await.expect("the other daemon is told").unwrap();
        assert_eq!(heard, run.id, "of {event:?}");
    }
    hears.abort();
}

#[tokio::test]
async fn tables_of_another_version_are_left_alone() {
    let Some(server) = Server::shared() else { return };
    let url = server.database();
    open(&url).await.close().await.unwrap();
    open(&url).await.close().await.unwrap();
    let refused = async |migrate: bool| {
        let options = PostgresOptions { migrate, clock: None };
        match SqlStore::postgres(&url, options).await.err() {
            Some(StoreError::Database { operation, source }) => format!("{operation}: {source}"),
            other => panic!("{other:?}"),
        }
    };
    server.execute(
        &url,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, '', 0)",
    );
    for migrate in [false, true] {
        assert!(refused(migrate).await.contains("newer version"));
    }
    server.execute(&url, "DELETE FROM _sqlx_migrations WHERE version = 9999");
    server.execute(&url, "UPDATE _sqlx_migrations SET checksum = '' WHERE version = 1");
    assert!(refused(false).await.contains("another build"));

    // As an older version left it.
    let older = server.database();
    server.execute(&older, include_str!("../migrations/postgres/0001_records.sql"));
    let url = older;
    let options = |migrate| PostgresOptions { migrate, clock: None };
    let Some(StoreError::Database { source, .. }) = SqlStore::postgres(&url, options(false)).await.err() else {
        panic!("tables that are not empty are not changed unasked");
    };
    assert!(source.to_string().contains("countersign db migrate"), "{source}");
}
