//! An installation with a daemon, Slack beside it, and people in both.

use crate::harness::{Home, Ran, Running, eventually};
use crate::prepared::{ROWS, SIGNING, copy, people, pipeline, prepared};
use crate::record::Record;
use countersign_slack_double::{APP, APP_ID, BOT, SlackDouble, TEAM};
use serde_json::{Value, json};
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;

/// How clicks arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Socket,
    Http,
}

/// A run and its request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub run: String,
    pub request: String,
    pub evidence: String,
}

/// An installation with a daemon, and Slack beside it.
pub struct Stage {
    // Ends before Slack does.
    daemon: Option<Running>,
    pub home: Home,
    pub slack: SlackDouble,
    pub address: String,
    pub record: Record,
    pub transport: Transport,
    runtime: Runtime,
    pub envelopes: AtomicU32,
}

impl Stage {
    /// Ada is an owner, Bob a data scientist, both with Slack; whoever runs the tests is an owner at the terminal.
    pub fn new(transport: Transport, gate: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let slack = runtime.block_on(SlackDouble::start(Duration::from_secs(1)));
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free address");
        let home = Home::new();
        copy(prepared(), &home.path().join("state"));
        let record = Record::new(&home.path().join("state/metadata.db"), runtime.handle());
        let envelopes = AtomicU32::new(0);
        let stage =
            Self { daemon: None, home, slack, address: free.to_string(), record, transport, runtime, envelopes };
        for (name, secret) in [("bot", BOT), ("app", APP), ("signing", SIGNING)] {
            stage.secret(name, secret);
        }
        stage.home.write("incoming/trips-2026-11-01.csv", ROWS);
        stage.gate(gate);
        stage.people(&people());
        for id in ["U0ADA", "U0BOB", "U0EVE"] {
            stage.account(id, json!({}));
        }
        stage
    }

    /// A stage whose daemon runs.
    pub fn open(transport: Transport, gate: &str) -> Self {
        let mut stage = Self::new(transport, gate);
        stage.serve();
        stage
    }

    pub fn secret(&self, name: &str, secret: &str) {
        let path = self.home.write(&format!("secrets/{name}"), "");
        let file = File::options().write(true).truncate(true).mode(0o600).open(&path).expect("the secret's file");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
        std::io::Write::write_all(&mut &file, secret.as_bytes()).expect("write the secret");
    }

    /// An account in Slack as it is from now on.
    pub fn account(&self, id: &str, extra: Value) {
        let mut user = json!({ "id": id, "team_id": TEAM, "profile": { "email": format!("{id}@example.org") } });
        user.as_object_mut().expect("an object").extend(extra.as_object().cloned().unwrap_or_default());
        self.slack.add_user(id, user);
    }

    /// The settings, with these people and whatever else follows them. A daemon reads them when it starts.
    pub fn people(&self, rest: &str) {
        let transport = match self.transport {
            Transport::Socket => "socket",
            Transport::Http => "http",
        };
        self.home.write(
            "countersign.toml",
            &format!(
                "state_dir = \"state\"\npipelines = [\"pipelines\"]\nlease_seconds = 5\npoll_seconds = 1\n\
                 [web]\nlisten = \"{}\"\n\
                 [slack]\nteam = \"{TEAM}\"\napp = \"{APP_ID}\"\ntransport = \"{transport}\"\n\
                 bot_token_file = \"secrets/bot\"\napp_token_file = \"secrets/app\"\n\
                 signing_secret_file = \"secrets/signing\"\nchannel = \"slack:#gates\"\napi_url = \"{}/api\"\n{rest}",
                self.address, self.slack.url
            ),
        );
    }

    /// The pipeline, with these words in its gate.
    pub fn gate(&self, gate: &str) -> PathBuf {
        self.home.write("pipelines/taxi-tips.toml", &pipeline(gate))
    }

    pub fn serve(&mut self) {
        self.start("info");
        eventually("the pages are served", || TcpStream::connect(&self.address).ok());
        if self.transport == Transport::Socket {
            eventually("a socket is open", || (!self.slack.sockets.open().is_empty()).then_some(()));
        }
    }

    /// Starts the daemon, which logs into `serve.log`.
    pub fn start(&mut self, filter: &str) {
        let path = self.home.path().join("serve.log");
        let log = File::options().create(true).append(true).open(path).expect("a log file");
        let mut serve = self.home.command(&["--config", "countersign.toml", "serve"]);
        serve.env("COUNTERSIGN_LOG_FILTER", filter).stdout(Stdio::null()).stderr(log);
        self.daemon = Some(Running(serve.spawn().expect("the daemon starts")));
    }

    pub fn runtime(&self) -> &tokio::runtime::Handle {
        self.runtime.handle()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("serve.log")).unwrap_or_default()
    }

    pub fn kill(&mut self) {
        self.daemon.take().expect("a daemon").kill();
    }

    pub fn stop(&mut self) {
        assert_eq!(self.daemon.take().expect("a daemon").terminate(), 0, "the daemon stops cleanly: {}", self.log());
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.home.run(&[&["--config", "countersign.toml"], arguments].concat())
    }

    pub fn data(&self, arguments: &[&str]) -> Value {
        self.home.data(&[&["--config", "countersign.toml"], arguments].concat())
    }

    pub fn show(&self, run: &str) -> Value {
        self.data(&["show", run])
    }

    /// Runs the pipeline up to its gate.
    pub fn ask(&self) -> Asked {
        self.run(&["run", "pipelines/taxi-tips.toml"]).must(4);
        self.asked(self.data(&["runs", "--limit", "1"])[0]["id"].as_str().expect("a run"))
    }

    /// A run's newest request.
    pub fn asked(&self, run: &str) -> Asked {
        let request = self.show(run)["requests"][0]["request"].clone();
        let text = |key: &str| request[key].as_str().unwrap_or_else(|| panic!("{key}: {request}")).to_string();
        Asked { run: run.to_string(), request: text("id"), evidence: text("evidence_digest") }
    }

    /// Where a request stands and what was said on it.
    pub fn request(&self, asked: &Asked) -> (String, Vec<Value>) {
        let shown = self.show(&asked.run);
        let found =
            shown["requests"].as_array().into_iter().flatten().find(|one| one["request"]["id"] == *asked.request);
        let found = found.expect("the request");
        let status = found["request"]["state"]["status"].as_str().expect("a status").to_string();
        (status, found["decisions"].as_array().expect("decisions").clone())
    }

    /// Decisions on a request: kind, actor, late.
    pub fn decided(&self, asked: &Asked) -> Vec<(String, String, bool)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let decisions = self.request(asked).1.into_iter();
        decisions.map(|one| (text(&one["kind"]), text(&one["actor"]), one["late"] == true)).collect()
    }

    pub fn ends(&self, asked: &Asked, end: &str) -> Value {
        eventually(&format!("the run ends: {end}"), || {
            let run = self.show(&asked.run);
            (run["run"]["state"]["end"]["end"] == end).then_some(run)
        })
    }

    pub fn live(&self) -> Option<PathBuf> {
        std::fs::read_link(self.home.path().join("pipelines/models/taxi-tips/current")).ok()
    }

    /// Number and hash of the newest audit entry, as a message shows them.
    pub fn audit_head(&self) -> String {
        let status = self.data(&["status"]);
        format!("#{} {}", status["audit_entries"], status["audit_head"].as_str().expect("a hash"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the daemon under test has the system's clock, and signatures are made for it"
)]
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock")
}
