//! An installation with settings of its own, below the home that all measurements share: components are compiled once.

use crate::home::Home;
use anyhow::Context as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How a command ends that leaves a run waiting for people.
const WAITING: i32 = 4;

/// An installation.
pub struct Site<'h> {
    home: &'h Home,
    /// Where everything of it lies.
    pub root: PathBuf,
}

impl<'h> Site<'h> {
    /// One whose settings and pipelines the measurement writes itself: whoever runs it is the owner.
    pub fn new(home: &'h Home, name: &str) -> anyhow::Result<Self> {
        let site = Self { home, root: home.file(name) };
        std::fs::create_dir_all(site.root.join("incoming"))?;
        let user = Command::new("id").arg("-un").output().context("find the user's name")?.stdout;
        let user = String::from_utf8(user)?;
        let settings = format!(
            "state_dir = {:?}\n\n[people.me]\nlocal = {:?}\nroles = [\"owner\"]\n",
            site.root.join("state"),
            user.trim(),
        );
        std::fs::write(site.settings(), settings)?;
        Ok(site)
    }

    /// The demo, its first model waiting for people.
    pub fn demo(home: &'h Home, name: &str) -> anyhow::Result<Self> {
        let site = Self { home, root: home.file(name) };
        let directory = site.root.to_str().context("a path that is text")?;
        let status = home.command(&["demo", "--dir", directory]).status()?;
        anyhow::ensure!(status.code() == Some(WAITING), "the demo did not end waiting: {status}");
        // Nothing starts by itself while something is measured.
        let settings = std::fs::read_to_string(site.settings())?;
        let own = |line: &&str| !line.starts_with("pipelines");
        let settings: Vec<&str> = settings.lines().filter(own).collect();
        std::fs::write(site.settings(), settings.join("\n") + "\n")?;
        Ok(site)
    }

    /// The settings file.
    pub fn settings(&self) -> PathBuf {
        self.root.join("countersign.toml")
    }

    /// The binary with arguments, in this installation.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(&["--config"]);
        command.arg(self.settings()).args(arguments);
        command
    }

    /// Runs a pipeline until it waits for people.
    pub fn run(&self, pipeline: &Path) -> anyhow::Result<()> {
        let output = self.command(&["run"]).arg(pipeline).stdout(Stdio::piped()).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        anyhow::ensure!(output.status.code() == Some(WAITING), "the run does not wait: {}\n{said}", output.status);
        Ok(())
    }

    /// A command's data.
    pub fn data(&self, arguments: &[&str]) -> anyhow::Result<serde_json::Value> {
        let output = self.command(&["--output", "json"]).args(arguments).stdout(Stdio::piped()).output()?;
        let mut document: serde_json::Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("`{}` ended with {}", arguments.join(" "), output.status))?;
        Ok(document["data"].take())
    }

    /// The record itself.
    pub async fn database(&self) -> anyhow::Result<SqliteConnection> {
        let options = SqliteConnectOptions::new()
            .filename(self.root.join("state/metadata.db"))
            .foreign_keys(false)
            .busy_timeout(Duration::from_secs(10));
        Ok(SqliteConnection::connect_with(&options).await?)
    }

    /// Open requests with their evidence digests, oldest first.
    pub async fn open_requests(&self, most: i64) -> anyhow::Result<Vec<(String, String)>> {
        let mut database = self.database().await?;
        let open = "SELECT id, evidence_digest FROM requests WHERE status = 'open' AND id < '~' ORDER BY id LIMIT ?1";
        let rows = sqlx::query_as(open).bind(most).fetch_all(&mut database).await?;
        database.close().await?;
        Ok(rows)
    }
}
