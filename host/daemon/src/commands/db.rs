//! `db`: bring the database up to date, check it, carry it into another one.

use crate::args::DbCommand;
use crate::commands::audit;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::terminal::text;
use crate::wiring::store;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// Does what the command says.
///
/// # Errors
/// When the database or the file fails; an import that fails leaves nothing behind.
pub async fn run(context: &Context, command: &DbCommand) -> anyhow::Result<Exit> {
    match command {
        DbCommand::Migrate => migrate(context).await,
        DbCommand::Check => check(context).await,
        DbCommand::Export { file } => export(context, file).await,
        DbCommand::Import { file } => import(context, file).await,
    }
}

#[derive(Serialize)]
struct Migrated {
    database: String,
    schema: i64,
}

async fn migrate(context: &Context) -> anyhow::Result<Exit> {
    let opened = store::open(context, true).await?;
    let migrated = Migrated { database: store::described(context), schema: opened.schema_version().await? };
    if context.json() {
        context.print_json("db-migrate", &migrated)?;
    } else {
        println!("{}: tables of version {}, as this program wants them", migrated.database, migrated.schema);
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Checked {
    database: String,
    schema: i64,
    audit: audit::Verified,
    problems: Vec<String>,
}

async fn check(context: &Context) -> anyhow::Result<Exit> {
    let opened = store::open(context, false).await?;
    let mut problems = opened.integrity_problems().await?;
    let verified = audit::verify(&opened).await?;
    problems.extend(verified.broken.clone());
    let schema = opened.schema_version().await?;
    let checked = Checked { database: store::described(context), schema, audit: verified, problems };
    if context.json() {
        context.print_json("db-check", &checked)?;
    } else {
        println!("{} · tables of version {}", checked.database, checked.schema);
        println!("audit log: {} entries fit one another", text::count(checked.audit.entries.unsigned_abs()));
        for problem in &checked.problems {
            println!("  ✘ {}", text::safe(problem));
        }
        println!(
            "{}",
            if checked.problems.is_empty() { "sound" } else { "not sound: restore a backup, and find out why" }
        );
    }
    Ok(if checked.problems.is_empty() { Exit::Done } else { Exit::Failed })
}

#[derive(Serialize)]
struct Moved {
    file: String,
    database: String,
    tables: store::Sums,
}

async fn export(context: &Context, path: &Path) -> anyhow::Result<Exit> {
    let opened = store::open(context, false).await?;
    // It says who decided what and why, so it is nobody else's.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| WrongInput::new(format!("error: create {}: {error}; name a new file", path.display())))?;
    let bar = bar(context, "rows written");
    let exported = opened.export(&mut BufWriter::new(&file), &mut |table, rows| tell(&bar, table, rows)).await;
    bar.finish_and_clear();
    let tables = match exported.and_then(|tables| Ok((tables, store::synced(&file)?))) {
        Ok((tables, ())) => tables,
        Err(error) => {
            // Half a file would look like a whole one to whoever finds it.
            std::fs::remove_file(path).with_context(|| format!("remove {}", path.display()))?;
            return Err(error).context("export the record");
        }
    };
    finish(context, "db-export", path, tables, "written to")
}

async fn import(context: &Context, path: &Path) -> anyhow::Result<Exit> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let opened = store::open(context, true).await?;
    let bar = bar(context, "rows read");
    let imported = opened.import(&mut BufReader::new(file), &mut |table, rows| tell(&bar, table, rows)).await;
    bar.finish_and_clear();
    let tables = imported.with_context(|| format!("import {}", path.display()))?;
    let verified = audit::verify(&opened).await?;
    if let Some(broken) = verified.broken {
        anyhow::bail!("the imported audit log does not hold: {broken}");
    }
    finish(context, "db-import", path, tables, "read back as it is in")
}

fn finish(context: &Context, schema: &str, path: &Path, tables: store::Sums, words: &str) -> anyhow::Result<Exit> {
    let moved = Moved { file: path.display().to_string(), database: store::described(context), tables };
    if context.json() {
        context.print_json(schema, &moved)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = moved
        .tables
        .iter()
        .map(|(table, sum)| vec![table.clone(), text::count(sum.rows), sum.sha256.short()])
        .collect();
    print!("{}", text::table(&["TABLE", "ROWS", "SHA-256"], &rows));
    println!("every row of {} {words} {}", moved.database, moved.file);
    println!("artifacts are files: copy {} too", context.artifacts().display());
    Ok(Exit::Done)
}

fn bar(context: &Context, what: &str) -> ProgressBar {
    if context.json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length().with_style(
        ProgressStyle::with_template(&format!("  {{msg:<18}} {{human_pos}} {what} · {{per_sec}} · {{elapsed}}"))
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn tell(bar: &ProgressBar, table: &'static str, rows: u64) {
    bar.set_message(table);
    bar.set_position(rows);
}
