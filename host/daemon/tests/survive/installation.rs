//! An installation whose processes die, and whoever starts them again. Must not know what they are asked to do.

use crate::harness::{Home, Ran, Running};
use crate::pipelines::{self, CRON, HOOK, SIGNING, TOTP};
use crate::random::Moments;
use crate::record::{Place, Record};
use chrono::{DateTime, Datelike as _, TimeZone as _, Utc};
use countersign_slack_double::{BOT, SlackDouble, TEAM};
use serde_json::json;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};
use tokio::runtime::Runtime;

/// What `abort` ends a process with.
const SIGABRT: i32 = 6;
/// How long a state is waited for before a test gives up. Not a measurement: a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(20);

/// Which database the record is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// An installation, and Slack beside it.
pub struct Installation {
    // Ends before Slack does.
    daemon: Option<Running>,
    pub home: Home,
    pub slack: SlackDouble,
    pub record: Record,
    /// Where the present daemon's log begins.
    log_begins: u64,
    /// Where a process that starts now is to end, until one did.
    pub armed: Option<String>,
    /// Whether the present daemon was started to end there.
    daemon_is_armed: bool,
    /// When the daemon is to be killed.
    pub moments: Moments,
}

/// The runtime of everything that these tests stand in for.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    &RUNTIME
}

pub fn now() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().expect("a clock")
}

impl Installation {
    /// One in which nothing has happened, and three fires of a schedule are due. None: there is no such database here.
    pub fn new(kind: Kind) -> Option<Self> {
        let home = Home::new();
        let place = match kind {
            Kind::Sqlite => Place::Sqlite(home.path().join("state/metadata.db")),
            Kind::Postgres => Place::Postgres(countersign_postgres::Server::shared()?.database()),
        };
        let slack = runtime().block_on(SlackDouble::start(Duration::ZERO));
        let record = Record::new(place, runtime().handle());
        let moments = Moments::never();
        let new =
            Self { daemon: None, home, slack, record, log_begins: 0, armed: None, daemon_is_armed: false, moments };
        new.furnish();
        new.run(&["db", "migrate"]).must(0);
        let trigger = format!("cron:clock:{CRON}@UTC");
        new.record.tamper(&format!("INSERT INTO fires (trigger_name, at) VALUES ('{trigger}', {})", three_fires_ago()));
        Some(new)
    }

    fn furnish(&self) {
        let person = Command::new("id").arg("-un").output().expect("who runs the tests");
        let person = String::from_utf8_lossy(&person.stdout).trim().to_string();
        self.home.write("countersign.toml", &pipelines::settings(&self.slack.url, &person));
        for (name, secret) in [("bot", BOT), ("signing", SIGNING), ("hook", HOOK), ("totp", TOTP)] {
            let path = self.home.write(&format!("secrets/{name}"), secret);
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("permissions");
        }
        for (name, text) in pipelines::all() {
            self.home.write(&format!("pipelines/{name}.toml"), &text);
        }
        self.home.write("data/rows.csv", &pipelines::rows(99));
        let components = self.home.path().join("components");
        std::fs::create_dir_all(self.home.path().join("incoming")).expect("create directory");
        std::fs::create_dir(&components).expect("create directory");
        for (name, bytes) in [("misbehave", countersign_guests::MISBEHAVE), ("noop", countersign_guests::NOOP)] {
            std::fs::write(components.join(format!("{name}.wasm")), bytes).expect("write component");
        }
        let ada = json!({ "id": "U0ADA", "team_id": TEAM, "profile": { "email": "ada@example.org" } });
        self.slack.add_user("U0ADA", ada);
    }

    /// A delivery that appears as a whole.
    pub fn deliver(&self, number: usize) {
        let hidden = self.home.write(&format!("rows-{number}.tmp"), &pipelines::rows(number));
        let shown = self.home.path().join(format!("incoming/rows-{number}.csv"));
        std::fs::rename(hidden, shown).expect("show the delivery");
    }

    fn process(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(&[&["--config", "countersign.toml"], arguments].concat());
        if let Place::Postgres(url) = &self.record.place {
            command.env("COUNTERSIGN_DATABASE_URL", url);
        }
        command
    }

    /// A command that nothing happens to.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.process(arguments).output().expect("the binary runs"))
    }

    /// A command that may end at the armed place, while the daemon may die as well. None: it did.
    pub fn try_run(&mut self, arguments: &[&str]) -> Option<Ran> {
        self.try_process(self.process(arguments))
    }

    /// As [`Self::try_run`], with other settings.
    pub fn try_run_with(&mut self, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Ran> {
        let mut command = self.process(arguments);
        command.envs(variables.iter().copied());
        self.try_process(command)
    }

    fn try_process(&mut self, mut command: Command) -> Option<Ran> {
        let is_armed = self.armed.is_some();
        if let Some(place) = &self.armed {
            command.env("COUNTERSIGN_FAILPOINT", place);
        }
        let [written, said] = [(); 2].map(|()| tempfile::tempfile().expect("a temporary file"));
        let [out, err] = [&written, &said].map(|file| file.try_clone().expect("the same file"));
        let mut child = command.stdout(out).stderr(err).spawn().expect("the binary starts");
        let status = loop {
            if let Some(status) = child.try_wait().expect("ask for the process") {
                break status;
            }
            self.tend();
            std::thread::sleep(LOOK / 4);
        };
        if is_armed && self.ended_where_armed(status) {
            return None;
        }
        let [stdout, stderr] = [written, said].map(read);
        Some(Ran { code: status.code().unwrap_or(-1), stdout, stderr })
    }

    /// Whether a process that was started to end there did; whoever starts now is not.
    fn ended_where_armed(&mut self, status: ExitStatus) -> bool {
        let ended = status.signal() == Some(SIGABRT);
        if ended {
            self.armed = None;
        }
        ended
    }

    pub fn start(&mut self) {
        let path = self.home.path().join("serve.log");
        let log = File::options().create(true).append(true).open(path).expect("a log file");
        self.log_begins = log.metadata().expect("the log's size").len();
        let mut serve = self.process(&["serve"]);
        if let Some(place) = &self.armed {
            serve.env("COUNTERSIGN_FAILPOINT", place);
        }
        self.daemon_is_armed = self.armed.is_some();
        let child: Child = serve.stdout(Stdio::null()).stderr(log).spawn().expect("the daemon starts");
        self.daemon = Some(Running(child));
        self.moments.begin(now());
    }

    /// Ends the daemon as an operator does. False: it ended at the armed place instead.
    pub fn stop(&mut self) -> bool {
        self.tend();
        let mut daemon = self.daemon.take().expect("a daemon");
        daemon.signal("TERM");
        let status = daemon.0.wait().expect("the daemon ends");
        if self.daemon_is_armed && self.ended_where_armed(status) {
            return false;
        }
        // Told to stop before it listened for that.
        let early = status.signal() == Some(15);
        assert!(status.success() || early, "the daemon does not stop cleanly: {status}: {}", self.log());
        true
    }

    /// Kills the daemon when that is due, and starts one that died.
    pub fn tend(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        if self.moments.is_due(now()) {
            daemon.kill();
            self.start();
            return;
        }
        if let Some(status) = daemon.0.try_wait().expect("ask for the daemon") {
            let there = self.daemon_is_armed && self.ended_where_armed(status);
            assert!(there, "the daemon ended by itself: {status}: {}", self.log());
            self.start();
        }
    }

    /// Waits for a state and keeps the daemon going meanwhile.
    #[track_caller]
    pub fn until<T>(&mut self, what: &str, mut state: impl FnMut(&mut Self) -> Option<T>) -> T {
        let begun = now();
        loop {
            self.tend();
            if let Some(found) = state(self) {
                return found;
            }
            assert!(now() < begun + PATIENCE, "never happened: {what}\n{}\n{}", self.stand(), self.log());
            std::thread::sleep(LOOK);
        }
    }

    /// Does something, again while it has not happened: whoever was asked may have died before, during or after it.
    #[track_caller]
    pub fn bring_about(&mut self, what: &str, done: impl Fn(&Record) -> bool, mut deed: impl FnMut(&mut Self)) {
        self.until(what, |this| {
            if !done(&this.record) {
                deed(this);
            }
            done(&this.record).then_some(())
        });
    }

    /// Where the pages of the present daemon are; none before they are served.
    pub fn address(&self) -> Option<String> {
        let log = self.log_since_start();
        let line = log.lines().find(|line| line.contains("pages are served"))?;
        let (_, rest) = line.split_once("127.0.0.1:")?;
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("127.0.0.1:{port}"))
    }

    fn log_since_start(&self) -> String {
        let mut file = File::open(self.home.path().join("serve.log")).expect("the log");
        file.seek(SeekFrom::Start(self.log_begins)).expect("the log's end");
        let mut text = Vec::new();
        file.read_to_end(&mut text).expect("read the log");
        String::from_utf8_lossy(&text).into_owned()
    }

    fn log(&self) -> String {
        let log = self.log_since_start();
        let tail: Vec<&str> = log.lines().rev().take(30).collect();
        tail.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Where everything stands, for whoever reads a failure.
    fn stand(&self) -> String {
        let [runs, requests, outbox] = [
            "SELECT pipeline, span, status, epoch, lease_until FROM runs ORDER BY id",
            "SELECT pipeline, run, status FROM requests ORDER BY id",
            "SELECT channel, message, attempts, problem FROM outbox WHERE status <> 'done' ORDER BY id",
        ]
        .map(|query| self.record.rows(query));
        format!("armed: {:?}\n{runs:#?}\n{requests:?}\n{outbox:?}", self.armed)
    }
}

fn read(mut file: File) -> String {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes)).expect("read what was written");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Just before the third last new year.
fn three_fires_ago() -> i64 {
    let today: DateTime<Utc> = DateTime::from_timestamp_micros(now().as_micros() as i64).expect("a date");
    let new_year = Utc.with_ymd_and_hms(today.year() - 2, 1, 1, 0, 0, 0).single().expect("new year");
    new_year.timestamp_micros() - 3_600_000_000
}
