//! What a fact costs: runs' worth of metadata written through the store, beside the very rows that this left, written again by plain SQL in
//! the same transactions, and beside the disk's own pace. By one client and by four at once: four workers of one daemon on SQLite, four
//! daemons on PostgreSQL.

mod replay;

use crate::database::Place;
use crate::facts::{Facts, STEPS, WRITES};
use crate::home::Home;
use crate::median;
use crate::rusage::{Whose, cpu_ms};
use crate::stopwatch::Stopwatch;
use countersign_postgres::Server;
use countersign_store::SqlStore;
use replay::Transaction;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Clients, and the runs that each of them writes.
const CLIENTS: [(usize, usize); 2] = [(1, 40), (4, 20)];
/// The median of so many is printed.
const REPEATS: usize = 3;
/// Times that the disk is asked to keep a page.
const SYNCS: usize = 200;

/// What it took to write something.
struct Cost {
    writes_a_second: f64,
    cpu_ms_a_write: f64,
    syncs_a_write: Option<f64>,
}

/// Prints it.
pub async fn report(home: &Home) -> anyhow::Result<()> {
    println!(
        "metadata writes: a run of {} steps is {WRITES} transactions, each with its audit entry, fsync on",
        STEPS.len()
    );
    println!("  the disk alone            {:>8.0} fsyncs a second of one appended page", disk(home)?);
    on(home, None).await?;
    match Server::start_durable() {
        Some(server) => on(home, Some(&server)).await?,
        None => println!("  PostgreSQL is not installed, and was passed over"),
    }
    Ok(())
}

async fn on(home: &Home, server: Option<&Server>) -> anyhow::Result<()> {
    let database = server.map_or("SQLite", |_| "PostgreSQL");
    for (clients, runs) in CLIENTS {
        let (mut ours, mut raw) = (Vec::new(), Vec::new());
        for repeat in 0..REPEATS {
            let file = |whose: &str| home.file(&format!("store-{clients}-{repeat}-{whose}.db"));
            let place = Place::new(server, file("ours"));
            ours.push(through_the_store(&place, clients, runs).await?);
            let lists = replay::read(&place, clients).await?;
            raw.push(by_plain_sql(&place, server, file("raw"), lists).await?);
        }
        let middle = |costs: &[Cost], value: fn(&Cost) -> f64| median(costs.iter().map(value).collect());
        let (pace, raw_pace) = (middle(&ours, |cost| cost.writes_a_second), middle(&raw, |cost| cost.writes_a_second));
        let (cpu, raw_cpu) = (middle(&ours, |cost| cost.cpu_ms_a_write), middle(&raw, |cost| cost.cpu_ms_a_write));
        println!(
            "  {:<24}  {pace:>8.0} writes a second   raw SQL {raw_pace:>6.0}   raw is faster by {:.2}",
            format!("{database}, {clients} client{}", if clients == 1 { "" } else { "s" }),
            raw_pace / pace
        );
        println!(
            "  {:<24}  {cpu:>8.2} ms a write         raw SQL {raw_cpu:>6.2}   ratio {:.2}",
            "  own CPU",
            cpu / raw_cpu
        );
        let syncs = |costs: &[Cost]| median(costs.iter().filter_map(|cost| cost.syncs_a_write).collect());
        if server.is_some() {
            println!(
                "  {:<24}  {:>8.2} a write            raw SQL {:>6.2}",
                "  fsyncs of its log",
                syncs(&ours),
                syncs(&raw)
            );
        }
    }
    Ok(())
}

/// Writes runs through the store.
async fn through_the_store(place: &Place, clients: usize, runs: usize) -> anyhow::Result<Cost> {
    let facts = Arc::new(Facts::new());
    let mut stores: Vec<Arc<SqlStore>> = Vec::new();
    let mut versions = Vec::new();
    for client in 0..clients {
        let store = match (place, stores.first()) {
            (Place::Sqlite(_), Some(first)) => Arc::clone(first),
            (Place::Sqlite(_) | Place::Postgres(_), _) => Arc::new(place.store().await?),
        };
        versions.push(facts.pipeline(&store, &replay::pipeline(client)).await?);
        stores.push(store);
    }
    let meter = Meter::start(place).await?;
    let mut working = JoinSet::new();
    for (store, version) in stores.into_iter().zip(versions) {
        let facts = Arc::clone(&facts);
        working.spawn(async move {
            let mut previous = None;
            for _ in 0..runs {
                let done = facts.run(&store, &version, "2026-11-23", previous.as_ref()).await?;
                facts.end(&store, &done).await?;
                previous = Some(done);
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = working.join_next().await {
        ended??;
    }
    meter.stop(place, clients * runs * WRITES).await
}

/// Writes transactions, a list a client.
async fn by_plain_sql(
    from: &Place,
    server: Option<&Server>,
    file: PathBuf,
    lists: Vec<Vec<Transaction>>,
) -> anyhow::Result<Cost> {
    let place = Place::new(server, file);
    place.store().await?.close().await?;
    replay::prepare(from, &place).await?;
    let writes = lists.iter().map(Vec::len).sum();
    let mut connections = Vec::new();
    for _ in &lists {
        connections.push(place.raw().await?);
    }
    let meter = Meter::start(&place).await?;
    let mut working = JoinSet::new();
    for (list, mut connection) in lists.into_iter().zip(connections) {
        working.spawn(async move {
            for transaction in list {
                transaction.write(&mut connection).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = working.join_next().await {
        ended??;
    }
    meter.stop(&place, writes).await
}

/// Time, CPU and fsyncs from its start to its stop.
struct Meter {
    watch: Stopwatch,
    cpu: f64,
    syncs: Option<i64>,
}

impl Meter {
    async fn start(place: &Place) -> anyhow::Result<Self> {
        let syncs = syncs(place).await?;
        Ok(Self { watch: Stopwatch::start(), cpu: cpu_ms(Whose::Own), syncs })
    }

    async fn stop(self, place: &Place, writes: usize) -> anyhow::Result<Cost> {
        let (seconds, cpu, writes) = (self.watch.ms() / 1e3, cpu_ms(Whose::Own) - self.cpu, writes as f64);
        let syncs_a_write = match (self.syncs, syncs(place).await?) {
            (Some(before), Some(after)) => Some((after - before) as f64 / writes),
            (None, _) | (_, None) => None,
        };
        Ok(Cost { writes_a_second: writes / seconds, cpu_ms_a_write: cpu / writes, syncs_a_write })
    }
}

/// How often the server's log was made durable until now. Only servers up to version 17 tell.
async fn syncs(place: &Place) -> anyhow::Result<Option<i64>> {
    let Place::Postgres(_) = place else { return Ok(None) };
    Ok(place.raw().await?.number("SELECT wal_sync FROM pg_stat_wal").await.ok())
}

/// How many appended pages a second the disk makes durable, one after the other.
fn disk(home: &Home) -> anyhow::Result<f64> {
    let mut file = std::fs::File::create(home.file("pages"))?;
    let watch = Stopwatch::start();
    for _ in 0..SYNCS {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
    }
    Ok(SYNCS as f64 / (watch.ms() / 1e3))
}
