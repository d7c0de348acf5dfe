//! Runs the real binary in an installation of its own.

#![allow(dead_code, reason = "each test file uses its part")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// How long a state is waited for before a test gives up. Not a measurement: a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(180);

/// A home directory with nothing in it. Compiled components are shared, so that no test compiles them again.
pub struct Home(tempfile::TempDir);

/// What a command left.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    #[track_caller]
    pub fn must(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "`{text}` is missing in\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the state lies when there are no settings.
    pub fn state(&self) -> PathBuf {
        self.path().join(".local/share/countersign")
    }

    pub fn demo(&self) -> PathBuf {
        self.state().join("demo")
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("create directory");
        std::fs::write(&path, text).expect("write file");
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        command(self.path(), arguments)
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().expect("the binary runs"))
    }

    pub fn data(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--output", "json"];
        all.extend_from_slice(arguments);
        let ran = self.run(&all);
        assert!(!ran.stdout.is_empty(), "no output: {}", ran.stderr);
        ran.json()["data"].clone()
    }

    pub fn spawn(&self, arguments: &[&str]) -> Running {
        start(&mut self.command(arguments))
    }

    /// A daemon whose pages are on any free address: tests run side by side.
    pub fn serve(&self, options: &[&str]) -> Running {
        let mut command = self.command(options);
        start(command.arg("serve").env("COUNTERSIGN_WEB_LISTEN", "127.0.0.1:0"))
    }
}

fn start(command: &mut Command) -> Running {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    Running(child.expect("the binary starts"))
}

/// A process that does not outlive its test.
pub struct Running(pub Child);

impl Running {
    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs");
    }

    pub fn terminate(&mut self) -> i32 {
        self.signal("TERM");
        self.0.wait().expect("the process ends").code().unwrap_or(-1)
    }

    pub fn kill(&mut self) {
        self.0.kill().expect("SIGKILL");
        self.0.wait().expect("the process ends");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(arguments).current_dir(home).env_clear().stdin(Stdio::null());
    command
        .env("HOME", home)
        .env("COUNTERSIGN_CACHE_DIR", cache())
        .env("COUNTERSIGN_LEASE_SECONDS", "5")
        .env("COUNTERSIGN_POLL_SECONDS", "1");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Where the components are compiled, once for all tests of a build.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// Waits until `state` answers something; fails with `what` when it never does.
#[track_caller]
pub fn eventually<T>(what: &str, mut state: impl FnMut() -> Option<T>) -> T {
    let begun = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a clock");
    loop {
        if let Some(found) = state() {
            return found;
        }
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a clock");
        assert!(now - begun < PATIENCE, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The identifier of the newest run.
pub fn newest_run(home: &Home, config: &[&str]) -> String {
    let mut arguments = config.to_vec();
    arguments.extend_from_slice(&["runs", "--limit", "1"]);
    home.data(&arguments)[0]["id"].as_str().expect("a run").to_string()
}

/// A run's document.
pub fn show(home: &Home, config: &[&str], run: &str) -> Value {
    let mut arguments = config.to_vec();
    arguments.extend_from_slice(&["show", run]);
    home.data(&arguments)
}
