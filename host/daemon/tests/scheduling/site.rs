//! An installation on SQLite with components that do little, and its daemon. Must not know what is tested.

use crate::harness::{Home, Ran, Running, eventually};
use crate::http::{self, Answer};
use crate::record::Record;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tokio::runtime::Runtime;

/// What hooks share with other systems.
pub const SECRET: &str = "secret-of-the-other-system";

/// Hooks for tests that are not about hooks: they start runs by them.
pub const HOOKS: &str = "[hooks.a]\nauth = \"token\"\nsecret_file = \"secrets/hook\"\n\
     [hooks.b]\nauth = \"token\"\nsecret_file = \"secrets/hook\"\n";

/// An installation.
pub struct Site {
    daemon: Option<Running>,
    pub home: Home,
    pub record: Record,
    /// Where the present daemon's log begins.
    log_begins: u64,
    _runtime: Runtime,
}

impl Site {
    /// With these settings: keys first, then tables. Whoever runs the tests is an owner.
    pub fn new(settings: &str) -> Self {
        let (home, runtime) = (Home::new(), Runtime::new().expect("a runtime"));
        let record = Record::new(&home.path().join("state/metadata.db"), runtime.handle());
        let site = Self { daemon: None, home, record, log_begins: 0, _runtime: runtime };
        site.settings(settings);
        site.secret("hook", SECRET);
        for folder in ["components", "pipelines"] {
            std::fs::create_dir(site.home.path().join(folder)).expect("create directory");
        }
        for (name, bytes) in [("misbehave", countersign_guests::MISBEHAVE), ("noop", countersign_guests::NOOP)] {
            std::fs::write(site.home.path().join(format!("components/{name}.wasm")), bytes).expect("write component");
        }
        site
    }

    /// Other settings; a daemon that runs has to be told.
    pub fn settings(&self, said: &str) {
        let usual = ["lease_seconds = 5", "poll_seconds = 1", "concurrency = 4"];
        let usual = usual.iter().filter(|line| !said.contains(line.split_once(' ').expect("a key").0));
        let usual = usual.map(|line| format!("{line}\n")).collect::<String>();
        let me = Command::new("id").arg("-un").output().expect("who runs the tests");
        let me = String::from_utf8_lossy(&me.stdout).trim().to_string();
        let text = format!(
            "state_dir = \"state\"\npipelines = [\"pipelines\"]\ncomponent_dirs = [\"components\"]\n{usual}{said}\n\
             [log]\nformat = \"json\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
             [people.me]\nroles = [\"owner\"]\nlocal = \"{me}\"\n"
        );
        self.home.write("countersign.toml", &text);
    }

    pub fn secret(&self, name: &str, text: &str) {
        let path = self.home.write(&format!("secrets/{name}"), text);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("permissions");
    }

    pub fn pipeline(&self, name: &str, text: &str) -> PathBuf {
        self.home.write(&format!("pipelines/{name}.toml"), &format!("name = \"{name}\"\n{text}"))
    }

    /// A delivery that appears as a whole, in the folder `incoming`.
    pub fn deliver(&self, name: &str, text: &str) {
        let hidden = self.home.write("incoming/.hidden", text);
        std::fs::rename(hidden, self.home.path().join("incoming").join(name)).expect("show the delivery");
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(&[&["--config", "countersign.toml"], arguments].concat());
        // The file says it.
        command.env_remove("COUNTERSIGN_LEASE_SECONDS").env_remove("COUNTERSIGN_POLL_SECONDS");
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

    /// A daemon that is up.
    pub fn serve(&mut self) {
        let command = self.command(&["serve"]);
        self.serve_as(command);
    }

    pub fn serve_as(&mut self, mut command: Command) {
        let path = self.home.path().join("serve.log");
        let log = File::options().create(true).append(true).open(path).expect("a log file");
        self.log_begins = log.metadata().expect("the log's size").len();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("the daemon starts");
        let daemon = self.daemon.insert(Running(child));
        let process = &mut daemon.0;
        // One that can not start has said why.
        let path = self.home.path().join("serve.log");
        eventually("the daemon is up", || {
            let log = std::fs::read(&path).expect("the log");
            let log = String::from_utf8_lossy(log.get(self.log_begins as usize..).unwrap_or_default()).into_owned();
            assert!(process.try_wait().expect("ask for the daemon").is_none(), "{log}");
            log.contains("daemon is up").then_some(())
        });
    }

    pub fn signal(&self, name: &str) {
        self.daemon.as_ref().expect("a daemon").signal(name);
    }

    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("a daemon").0.id()
    }

    /// Waits until the daemon has ended by itself, well.
    #[track_caller]
    pub fn ends(&mut self) {
        let mut daemon = self.daemon.take().expect("a daemon");
        let status = eventually("the daemon ends", || daemon.0.try_wait().expect("ask for the daemon"));
        assert!(status.success(), "{status} {:?}: {}", status.signal(), self.log());
    }

    #[track_caller]
    pub fn stop(&mut self) {
        self.signal("TERM");
        self.ends();
    }

    /// What the present daemon has logged.
    pub fn log(&self) -> String {
        let mut file = File::open(self.home.path().join("serve.log")).expect("the log");
        file.seek(SeekFrom::Start(self.log_begins)).expect("the log's end");
        let mut text = Vec::new();
        file.read_to_end(&mut text).expect("read the log");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Waits for a line, and answers it.
    #[track_caller]
    pub fn logged(&self, words: &str) -> String {
        eventually(words, || self.log().lines().find(|line| line.contains(words)).map(str::to_string))
    }

    /// Tells the daemon to read settings and pipelines again, and waits until it says what came of it.
    #[track_caller]
    pub fn reload(&self) -> String {
        let lines = || self.log().lines().count();
        let before = lines();
        self.signal("HUP");
        eventually("the daemon has read again", || {
            let log = self.log();
            let new: Vec<&str> = log.lines().skip(before).collect();
            let told = |line: &&str| line.contains("were read again") || line.contains("reload refused");
            new.iter().any(told).then(|| new.join("\n"))
        })
    }

    pub fn address(&self) -> String {
        let line = self.logged("pages are served");
        let (_, rest) = line.split_once("127.0.0.1:").expect("an address");
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        format!("127.0.0.1:{port}")
    }

    /// Another system says that something happened; the same identifier is the same event. Answers what became of it.
    #[track_caller]
    pub fn hook(&self, name: &str, id: &str) -> Value {
        let answer = self.post_hook(name, SECRET, id);
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.json()["data"]["events"][0].clone()
    }

    pub fn post_hook(&self, name: &str, secret: &str, id: &str) -> Answer {
        let bearer = format!("Bearer {secret}");
        let headers = [("authorization", &*bearer), ("content-type", "application/json"), ("idempotency-key", id)];
        let body = json!({ "id": id }).to_string();
        http::send(&self.address(), &format!("POST /hooks/{name}"), &headers, body.as_bytes())
    }

    /// The run that an event of hook `name` started.
    #[track_caller]
    pub fn run_by_hook(&self, name: &str, id: &str) -> String {
        let event = self.hook(name, id);
        event["run"].as_str().unwrap_or_else(|| panic!("a run: {event}")).to_string()
    }

    /// What became of each event of a pipeline, oldest first: `run`, or why there is none.
    pub fn outcomes(&self, pipeline: &str) -> Vec<String> {
        let events = self.data(&["events", "--pipeline", pipeline, "--limit", "100000"]);
        let mut outcomes: Vec<String> = events
            .as_array()
            .expect("events")
            .iter()
            .map(|listed| listed["outcome"]["reason"].as_str().unwrap_or("run").to_string())
            .collect();
        outcomes.reverse();
        outcomes
    }

    pub fn status(&self, run: &str) -> String {
        self.record.texts(&format!("SELECT status FROM runs WHERE id = '{run}'")).pop().unwrap_or_default()
    }

    #[track_caller]
    pub fn until(&self, run: &str, status: &str) {
        eventually(&format!("{run} is {status}\n"), || (self.status(run) == status).then_some(()));
    }

    /// How many runs of a pipeline are in that status.
    pub fn count(&self, pipeline: &str, status: &str) -> i64 {
        self.record.number(&format!("SELECT count(*) FROM runs WHERE pipeline = '{pipeline}' AND status = '{status}'"))
    }

    #[track_caller]
    pub fn until_count(&self, pipeline: &str, status: &str, count: i64) {
        eventually(&format!("{count} runs of {pipeline} are {status}"), || {
            (self.count(pipeline, status) == count).then_some(())
        });
    }

    /// How often a step of a run was begun.
    pub fn attempts(&self, run: &str, step: &str) -> i64 {
        self.record.number(&format!("SELECT count(*) FROM executions WHERE run = '{run}' AND step = '{step}'"))
    }

    /// A run whose step goes on: its component is asleep, or soon will be.
    #[track_caller]
    pub fn until_in(&self, run: &str, step: &str) {
        let query =
            format!("SELECT count(*) FROM executions WHERE run = '{run}' AND step = '{step}' AND status = 'running'");
        eventually(&format!("{run} is in {step}"), || (self.record.number(&query) == 1).then_some(()));
    }
}
