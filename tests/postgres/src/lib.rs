//! A private PostgreSQL server, for tests: in a directory of its own, on a socket of its own, gone with the test even when the test
//! is killed. Must not know what is stored.
//!
//! In CI (the environment variable `CI`) a machine without PostgreSQL is a failure; elsewhere it is said, and the test has to pass
//! it over.

mod programs;

use programs::{Programs, Unprivileged};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// The name of the superuser, who needs no password.
const USER: &str = "countersign";
/// What the server calls its socket.
const SOCKET: &str = ".s.PGSQL.5432";
/// Ends the server and takes its directory away as soon as nobody holds the other end of its input: whatever became of the test.
const WATCHDOG: &str = r#"read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
rm -rf "$1""#;
/// Machines that build at the same time take a while.
const POLLS: u32 = 3000;
const POLL: Duration = Duration::from_millis(20);

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It ends its sessions and writes down what it holds.
    Fast,
    /// As in a crash: it recovers when it starts again.
    Immediate,
}

/// A server; it ends when this is dropped.
pub struct Server {
    programs: Programs,
    /// Whom it runs as; none: as whoever runs the test.
    user: Option<Unprivileged>,
    directory: PathBuf,
    durable: bool,
    process: Mutex<Option<Child>>,
    databases: AtomicU32,
    watchdog: Child,
    /// Held open as long as the server is wanted.
    leash: Option<ChildStdin>,
}

impl Server {
    /// Starts one that is quick and may lose what it holds when the machine stops. `None`: there is no PostgreSQL on this machine.
    ///
    /// # Panics
    /// In CI without PostgreSQL, and when it does not start.
    pub fn start() -> Option<Self> {
        Self::new(false)
    }

    /// Starts one that waits for the disk at each commit, as a real one does.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_durable() -> Option<Self> {
        Self::new(true)
    }

    /// The one that the tests of this process share.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn shared() -> Option<&'static Self> {
        static SHARED: LazyLock<Option<Server>> = LazyLock::new(Server::start);
        SHARED.as_ref()
    }

    fn new(durable: bool) -> Option<Self> {
        let Some(programs) = Programs::find() else {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL is needed in CI");
            eprintln!("not judged: there is no PostgreSQL on this machine");
            return None;
        };
        let server = Self::placed(programs, durable);
        let mut initdb = server.command("initdb");
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username", USER, "--pgdata"]);
        run(initdb.arg(server.data()));
        server.start_again();
        Some(server)
    }

    /// Starts one that follows this one; from then on each commit here is answered once the other has it, too.
    ///
    /// # Panics
    /// When it does not start.
    pub fn standby(&self) -> Self {
        let standby = Self::placed(self.programs.clone(), self.durable);
        let mut copy = standby.command("pg_basebackup");
        copy.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]);
        run(copy.args(["--username", USER, "--host"]).arg(&self.directory).arg("--pgdata").arg(standby.data()));
        standby.start_again();
        let here = self.url("postgres");
        self.execute(&here, "ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.execute(&here, "SELECT pg_reload_conf()");
        for _ in 0..POLLS {
            if self.execute(&here, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1" {
                return standby;
            }
            std::thread::sleep(POLL);
        }
        panic!("the standby does not follow");
    }

    /// Crashes the one that this one follows and takes its place: whoever connects there now comes here.
    ///
    /// # Panics
    /// When the other does not run, or this one is no standby.
    pub fn take_over(&self, primary: &Self) {
        primary.stop(Stop::Immediate);
        assert_eq!(self.execute(&self.url("postgres"), "SELECT pg_promote()"), "t", "it is a standby");
        let place = primary.directory.join(SOCKET);
        if let Err(error) = std::fs::remove_file(&place) {
            assert_eq!(error.kind(), ErrorKind::NotFound, "take the old socket away: {error}");
        }
        std::os::unix::fs::symlink(self.directory.join(SOCKET), place).expect("put the new socket in its place");
    }

    /// One that has its directory, and nothing in it yet.
    fn placed(programs: Programs, durable: bool) -> Self {
        // A short path: that of the socket in it may not be long.
        let directory =
            tempfile::Builder::new().prefix("cspg").tempdir_in("/tmp").expect("make the server's directory");
        let directory = directory.keep();
        let user = Unprivileged::instead_of_root(&directory);
        let mut watchdog = Command::new("sh");
        // Not in the test's process group, which may be killed as a whole.
        watchdog
            .args(["-c", WATCHDOG, "sh"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let mut watchdog = watchdog.spawn().expect("start the watchdog");
        let leash = watchdog.stdin.take();
        Self {
            programs,
            user,
            directory,
            durable,
            process: Mutex::new(None),
            databases: AtomicU32::new(0),
            watchdog,
            leash,
        }
    }

    /// The URL of a new and empty database. It sorts text as a dictionary does, where the server can, so that nobody relies on another order.
    ///
    /// # Panics
    /// When it can not be made.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = |options: &[&str]| {
            let mut createdb = self.client("createdb");
            createdb.args(options).arg(&name);
            createdb
        };
        let dictionary = ["--template=template0", "--locale-provider=icu", "--icu-locale=en"];
        let made = create(&dictionary).stderr(Stdio::null()).status();
        if !made.is_ok_and(|status| status.success()) {
            run(&mut create(&[]));
        }
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@localhost/{database}?host={}", self.directory.display())
    }

    /// Runs a statement in a database, as somebody beside Countersign would, and answers what it says.
    ///
    /// # Panics
    /// When the statement fails.
    pub fn execute(&self, url: &str, statement: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--command"]);
        run(psql.arg(statement).arg(url)).trim().to_string()
    }

    /// Ends every session, as a restart of the server or somebody with rights can at any time.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn terminate_backends(&self) {
        let statement = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        self.execute(&self.url("postgres"), statement);
    }

    /// Ends the server.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&self, how: Stop) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = process.take().expect("the server runs");
        let signal = match how {
            Stop::Fast => "-INT",
            Stop::Immediate => "-QUIT",
        };
        run(Command::new("kill").arg(signal).arg(child.id().to_string()));
        child.wait().expect("wait for the server's end");
    }

    /// Starts it after [`Server::stop`], at the same place.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&self) {
        let log = self.directory.join("log");
        let open = || File::options().create(true).append(true).open(&log).expect("open the server's log");
        let mut postgres = self.command("postgres");
        let sockets = format!("unix_socket_directories={}", self.directory.display());
        postgres.arg("-D").arg(self.data()).args([
            "-c",
            "listen_addresses=",
            "-c",
            &sockets,
            "-c",
            "max_connections=200",
        ]);
        if !self.durable {
            postgres.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        postgres.stdin(Stdio::null()).stdout(open()).stderr(open()).process_group(0);
        let mut child = postgres.spawn().expect("start PostgreSQL");
        for _ in 0..POLLS {
            if self.ready(child.id()) {
                *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
                return;
            }
            if child.try_wait().expect("ask for the server").is_some() {
                break;
            }
            std::thread::sleep(POLL);
        }
        panic!("PostgreSQL does not start:\n{}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// Ends it and starts it again.
    ///
    /// # Panics
    /// As [`Server::stop`] and [`Server::start_again`].
    pub fn restart(&self, how: Stop) {
        self.stop(how);
        self.start_again();
    }

    /// The server notes down its process, and in the last line that it takes connections.
    fn ready(&self, process: u32) -> bool {
        let note = match std::fs::read_to_string(self.data().join("postmaster.pid")) {
            Ok(note) => note,
            Err(error) if error.kind() == ErrorKind::NotFound => return false,
            Err(error) => panic!("read the server's note: {error}"),
        };
        note.lines().next() == Some(process.to_string().as_str()) && note.lines().last().map(str::trim) == Some("ready")
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.programs.command(program, &self.directory);
        if let Some(user) = self.user {
            user.runs(&mut command);
        }
        command
    }

    fn client(&self, program: &str) -> Command {
        let mut command = self.command(program);
        command.args(["--username", USER, "--no-password", "--host"]).arg(&self.directory);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let killed = Command::new("kill").arg("-QUIT").arg(child.id().to_string()).status();
            if killed.is_ok_and(|status| status.success()) {
                let _ = child.wait();
            }
        }
        drop(self.leash.take());
        let _ = self.watchdog.wait();
    }
}

/// Runs a command and answers what it wrote.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [written, said] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {}\n{written}\n{said}", output.status);
    written
}
