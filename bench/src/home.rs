//! An installation of its own, and the binary under test.

use anyhow::Context as _;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A temporary home with the no-op component and pipelines of it.
pub struct Home {
    directory: tempfile::TempDir,
    /// The binary under test.
    pub binary: PathBuf,
    component: PathBuf,
}

impl Home {
    /// Finds the binary beside this one, and compiles the component once.
    pub fn new() -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("countersign");
        anyhow::ensure!(binary.exists(), "{} is missing: run `cargo build --release` first", binary.display());
        let directory = tempfile::tempdir()?;
        let component = directory.path().join("noop.wasm");
        std::fs::write(&component, countersign_guests::NOOP)?;
        let home = Self { directory, binary, component };
        home.run(&home.pipeline(1)?)?;
        Ok(home)
    }

    /// A pipeline of so many no-op steps, none of them cached.
    pub fn pipeline(&self, steps: usize) -> anyhow::Result<PathBuf> {
        let mut text = format!("name = \"noop-{steps}\"\n");
        for step in 0..steps {
            write!(text, "[step.s{step}]\ncomponent = \"noop\"\ncache = false\n")?;
            if step > 0 {
                writeln!(text, "inputs = {{ input = \"s{}\" }}", step - 1)?;
            }
        }
        let path = self.directory.path().join(format!("noop-{steps}.toml"));
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// The binary with arguments, in this home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.wrapped(None, arguments)
    }

    /// The same, started by another program.
    pub fn wrapped(&self, by: Option<(&str, &[&str])>, arguments: &[&str]) -> Command {
        let mut command = match by {
            Some((program, own)) => {
                let mut command = Command::new(program);
                command.args(own).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.directory.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Arguments that run a pipeline.
    pub fn run_arguments<'a>(&'a self, pipeline: &'a std::path::Path) -> anyhow::Result<Vec<&'a str>> {
        let component = self.component.to_str().context("a path that is text")?;
        Ok(vec!["--output", "json", "run", "--with", component, pipeline.to_str().context("a path that is text")?])
    }

    /// Runs a pipeline to its end.
    pub fn run(&self, pipeline: &std::path::Path) -> anyhow::Result<()> {
        let status = self.command(&self.run_arguments(pipeline)?).status()?;
        anyhow::ensure!(status.success(), "the pipeline did not succeed: {status}");
        Ok(())
    }

    /// A read command's data.
    pub fn data(&self, arguments: &[&str]) -> anyhow::Result<serde_json::Value> {
        let mut all = vec!["--output", "json"];
        all.extend_from_slice(arguments);
        let output = self.command(&all).stdout(Stdio::piped()).output()?;
        let document: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        Ok(document["data"].clone())
    }

    /// Where the metadata lies.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join(".local/share/countersign/metadata.db")
    }

    /// A file name of this home.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}
