//! An installation, and the daemons that share it.

use crate::harness::{Home, Ran, Running, eventually};
use crate::{http, pipelines};
use countersign_slack_double::{APP, BOT, SlackDouble};
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// An installation on SQLite, or on the PostgreSQL database of that URL.
pub struct Site {
    pub home: Home,
    pub url: Option<String>,
    started: AtomicU32,
}

impl Site {
    pub fn new(url: Option<String>, files: &[(&str, String)]) -> Self {
        let site = Self { home: Home::new(), url, started: AtomicU32::new(0) };
        site.home.write("countersign.toml", &pipelines::settings(None));
        for (name, text) in files {
            site.home.write(&format!("pipelines/{name}.toml"), text);
        }
        for directory in ["components", "incoming", "pipelines/models/tips"] {
            std::fs::create_dir_all(site.home.path().join(directory)).expect("create directory");
        }
        for (name, bytes) in [("misbehave", countersign_guests::MISBEHAVE), ("noop", countersign_guests::NOOP)] {
            std::fs::write(site.home.path().join(format!("components/{name}.wasm")), bytes).expect("write component");
        }
        site
    }

    /// Connects it with Slack.
    pub fn with_slack(self, slack: &SlackDouble) -> Self {
        self.home.write("countersign.toml", &pipelines::settings(Some(slack)));
        for (name, secret) in [("bot", BOT), ("app", APP)] {
            let path = self.home.write(&format!("secrets/{name}"), secret);
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("permissions");
        }
        self
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(&[&["--config", "countersign.toml"], arguments].concat());
        command.envs(self.url.iter().map(|url| ("COUNTERSIGN_DATABASE_URL", url)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().expect("the binary runs"))
    }

    pub fn data(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[&["--output", "json"], arguments].concat());
        assert!(!ran.stdout.is_empty(), "no output: {}", ran.stderr);
        ran.json()["data"].clone()
    }

    pub fn serve(&self, options: &[&str]) -> Daemon {
        self.start(self.command(&[&["serve"], options].concat())).up()
    }

    /// A daemon that somebody has prepared; it may not be up yet.
    pub fn start(&self, mut command: Command) -> Daemon {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let log = self.home.path().join(format!("serve-{number}.log"));
        let written = File::create(&log).expect("a log file");
        let child = command.stdout(Stdio::null()).stderr(written).spawn().expect("the daemon starts");
        Daemon { process: Running(child), log, address: String::new() }
    }

    /// Something arrives, whole.
    pub fn deliver(&self, pipeline: &str, number: usize) {
        self.deliver_rows(pipeline, number, 120);
    }

    pub fn deliver_rows(&self, pipeline: &str, number: usize, count: usize) {
        let landed = self.home.write(&format!("landing/{pipeline}-{number}.csv"), &pipelines::rows(number, count));
        let arrived = self.home.path().join(format!("incoming/{pipeline}-{number}.csv"));
        std::fs::rename(landed, arrived).expect("move the delivery");
    }

    /// Every run, newest first.
    pub fn runs(&self) -> Vec<Value> {
        self.data(&["runs", "--limit", "100"]).as_array().expect("runs").clone()
    }

    /// Waits until so many runs have succeeded and no other is there.
    pub fn succeeded(&self, count: usize) -> Vec<Value> {
        eventually(&format!("{count} runs have succeeded"), || {
            let runs = self.runs();
            let ended = |run: &&Value| run["state"]["end"]["end"] == "succeeded";
            (runs.len() == count && runs.iter().filter(ended).count() == count).then_some(runs)
        })
    }

    /// The run of `pipeline` that waits for people, with its request.
    pub fn waiting(&self) -> (String, Value) {
        eventually("a run waits for people", || {
            let runs = self.runs();
            let waiting = runs.iter().find(|run| run["state"]["status"] == "waiting")?;
            let run = waiting["id"].as_str()?.to_string();
            let request = self.data(&["show", &run])["requests"][0]["request"].clone();
            Some((run, request))
        })
    }

    /// Database and audit log are what they have to be.
    pub fn is_sound(&self) {
        self.run(&["db", "check"]).must(0).says("sound");
        self.run(&["audit", "verify"]).must(0);
    }

    pub fn models(&self) -> PathBuf {
        self.home.path().join("pipelines/models/tips")
    }

    /// The versions at the target, and the one that is live.
    pub fn live(&self) -> (Vec<String>, Option<PathBuf>) {
        let names = std::fs::read_dir(self.models()).expect("the target").flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut versions: Vec<String> = names.filter(|name| name != "current" && name != ".lock").collect();
        versions.sort();
        (versions, std::fs::read_link(self.models().join("current")).ok())
    }
}

/// One daemon.
pub struct Daemon {
    pub process: Running,
    log: PathBuf,
    pub address: String,
}

impl Daemon {
    /// Waits until it is up, wherever its pages are.
    pub fn up(mut self) -> Self {
        self.address = eventually("the daemon is up", || {
            if let Some(status) = self.process.0.try_wait().expect("ask for the daemon") {
                panic!("the daemon ended: {status}\n{}", self.text());
            }
            self.said("daemon is up").first()?;
            let fields = self.said("pages are served").pop()?["fields"].clone();
            fields["address"].as_str().map(ToString::to_string)
        });
        self
    }

    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Lines of its log with that message.
    pub fn said(&self, message: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["fields"]["message"] == message).collect()
    }

    /// Lines of its log that somebody should read.
    pub fn complaints(&self) -> usize {
        let text = self.text();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["level"] == "WARN" || line["level"] == "ERROR").count()
    }

    /// Whether it took up that duty, and did not leave it since.
    pub fn has(&self, duty: &str) -> bool {
        let of = |lines: Vec<Value>| lines.iter().filter(|line| line["fields"]["duty"] == duty).count();
        of(self.said("this daemon has the duty")) > of(self.said("another daemon may have the duty now"))
    }

    /// Sends it a signal that it can not refuse.
    pub fn signal(&self, name: &str) {
        let pid = self.process.0.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill runs").success());
    }

    pub fn get(&self, path: &str) -> http::Answer {
        http::send(&self.address, &format!("GET {path}"), &[], b"")
    }
}
