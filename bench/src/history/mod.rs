//! What questions cost as the history grows: the same ones asked of a short and of a long history in turn, so that both meet the same
//! machine. An answer has the same size in both, and so the cost has to be the same.

mod fill;
mod questions;
mod template;

use crate::database::{Place, Value};
use crate::facts::{Facts, STEPS};
use crate::home::Home;
use crate::site::Site;
use crate::stopwatch::{Stopwatch, Times};
use anyhow::Context as _;
use countersign_postgres::Server;
use fill::History;
use std::path::Path;

/// Executions of the short history, and of the long one when no number was given.
const SHORT: u64 = 10_000;
const LONG: u64 = 100_000;
/// Times that each question is asked.
const ASKED: i64 = 200;
/// Times that each command is run.
const COMMANDS: usize = 9;

/// Prints it, for a long history of so many executions.
pub async fn report(home: &Home, executions: Option<u64>) -> anyhow::Result<()> {
    let long = executions.unwrap_or(LONG);
    println!("questions to a history of {long} executions, beside one of {SHORT}; {ASKED} times each, in turn");
    let (short_site, long_site) = (Site::new(home, "short-history")?, Site::new(home, "long-history")?);
    let file = |site: &Site| site.root.join("state/metadata.db");
    let files = (file(&short_site), file(&long_site));
    let model = home.file("model-of-history.db");
    let subject = on("SQLite", &model, (Place::Sqlite(files.0), SHORT), (Place::Sqlite(files.1), long)).await?;
    commands(&short_site, &long_site, &subject)?;
    match Server::start_durable() {
        Some(server) => {
            let place = |executions| (Place::Postgres(server.database()), executions);
            on("PostgreSQL", &model, place(SHORT), place(long)).await?;
        }
        None => println!("  PostgreSQL is not installed, and was passed over"),
    }
    Ok(())
}

/// Answers the names of a run and of an artifact that are in both.
async fn on(
    database: &str,
    model: &Path,
    short: (Place, u64),
    long: (Place, u64),
) -> anyhow::Result<[(String, String); 2]> {
    let short = filled(database, model, short).await?;
    let long = filled(database, model, long).await?;
    let facts = Facts::new();
    println!("  {:<22} answer   short p50      p99     long p50      p99   ratio of p50", format!("{database}:"));
    for question in questions::QUESTIONS {
        let (mut few, mut many) = (Times::default(), Times::default());
        let mut sizes = (0, 0);
        for at in 0..ASKED {
            sizes.0 = questions::ask(question, &short, &facts, (at, ASKED), &mut few).await.context(question)?;
            sizes.1 = questions::ask(question, &long, &facts, (at, ASKED), &mut many).await.context(question)?;
        }
        let answer = if sizes.0 == sizes.1 { sizes.0.to_string() } else { format!("{} and {}", sizes.0, sizes.1) };
        println!(
            "    {question:<20} {answer:>6} {:>8.3} {:>8.3} ms {:>9.3} {:>8.3} ms   {:>6.2}",
            few.within(50),
            few.within(99),
            many.within(50),
            many.within(99),
            many.within(50) / few.within(50)
        );
    }
    let subjects = [&short, &long].map(questions::subject);
    short.store.close().await?;
    long.store.close().await?;
    Ok(subjects)
}

async fn filled(database: &str, model: &Path, (place, executions): (Place, u64)) -> anyhow::Result<History> {
    let watch = Stopwatch::start();
    if let Place::Sqlite(file) = &place {
        std::fs::create_dir_all(file.parent().context("a folder")?)?;
    }
    for suffix in ["", "-wal", "-shm"] {
        let old = model.with_file_name(format!("{}{suffix}", model.file_name().unwrap_or_default().to_string_lossy()));
        if old.exists() {
            std::fs::remove_file(old)?;
        }
    }
    let runs = i64::try_from(executions / STEPS.len() as u64)?;
    let history = fill::fill(place, Place::Sqlite(model.to_path_buf()), runs).await?;
    let bytes = history.place.bytes().await?;
    println!(
        "  {database}, {executions} executions in {runs} runs: {:.1} MiB, {:.1} KiB a run; written in {:.0} s",
        bytes as f64 / 1_048_576.0,
        bytes as f64 / 1024.0 / runs as f64,
        watch.ms() / 1e3
    );
    largest(&history.place).await?;
    Ok(history)
}

/// What the bytes are, where the database says that quickly.
async fn largest(place: &Place) -> anyhow::Result<()> {
    let sql = match place {
        Place::Sqlite(_) => return Ok(()),
        Place::Postgres(_) => {
            "SELECT relname::TEXT AS name, pg_table_size(oid) AS rows, pg_indexes_size(oid) AS indexes FROM pg_class \
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY pg_total_relation_size(oid) DESC LIMIT 6"
        }
    };
    for row in place.raw().await?.rows(sql, &[]).await? {
        let mut parts = Vec::new();
        for (name, value) in &row {
            match value {
                Value::Text(text) => parts.push(format!("    {:<20}", text.as_deref().unwrap_or_default())),
                Value::Number(bytes) => {
                    parts.push(format!("{name} {:>8.1} MiB", bytes.unwrap_or(0) as f64 / 1_048_576.0))
                }
            }
        }
        println!("{}", parts.join("  "));
    }
    Ok(())
}

/// The commands that read a history, each a process of its own.
fn commands(short: &Site, long: &Site, subjects: &[(String, String); 2]) -> anyhow::Result<()> {
    for command in ["runs", "status", "events", "show", "lineage", "--version"] {
        let (mut few, mut many) = (Times::default(), Times::default());
        for _ in 0..COMMANDS {
            let of_site = |(run, artifact): &(String, String)| match command {
                "show" => Some(run.clone()),
                "lineage" => Some(artifact.clone()),
                _ => None,
            };
            for (site, subject, times) in [(short, &subjects[0], &mut few), (long, &subjects[1], &mut many)] {
                let mut process = site.command(&[command]);
                process.args(of_site(subject));
                let status = times.take(|| Ok(process.status()?))?;
                anyhow::ensure!(status.success(), "`{command}` ended with {status}");
            }
        }
        let (few, many) = (few.within(50), many.within(50));
        println!("    countersign {command:<16} {few:>8.0} ms {many:>22.0} ms {:>18.2}", many / few);
    }
    Ok(())
}
