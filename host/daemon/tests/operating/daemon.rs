//! A daemon over the demo's installation.

use crate::harness::{Home, Running, eventually};
use crate::http::{self, Answer};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

pub struct Daemon {
    pub process: Running,
    pub address: String,
}

impl Daemon {
    /// Starts it with these variables; its log goes to `serve.log`.
    pub fn start(home: &Home, environment: &[(&str, &str)]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free address");
        let address = free.to_string();
        let log = std::fs::File::create(home.path().join("serve.log")).expect("a log file");
        let mut command = home.command(&["--demo", "serve"]);
        command.env("COUNTERSIGN_WEB_LISTEN", &address).envs(environment.iter().copied());
        let process = Running(command.stdout(Stdio::null()).stderr(log).spawn().expect("the daemon starts"));
        Self { process, address }
    }

    pub fn get(&self, path: &str) -> Answer {
        http::send(&self.address, &format!("GET {path}"), &[], b"")
    }

    /// Waits until the address answers.
    pub fn up(self) -> Self {
        eventually("the pages are served", || std::net::TcpStream::connect(&self.address).ok());
        self
    }
}

/// Runs the demo and kills it once it printed `line`: what comes after is left to somebody else.
pub fn demo_killed_after(home: &Home, line: &str, environment: &[(&str, &str)]) {
    let mut command = home.command(&["demo"]);
    let child = command.envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut demo = Running(child.expect("the demo starts"));
    let mut lines = BufReader::new(demo.0.stdout.take().expect("standard output")).lines();
    assert!(lines.any(|printed| printed.expect("a line").contains(line)), "`{line}` was never printed");
    demo.kill();
}

/// Waits until the newest run is in that status.
pub fn until(home: &Home, status: &str) {
    eventually(status, || {
        let runs = home.data(&["--demo", "runs", "--limit", "1"]);
        (runs[0]["state"]["status"] == status).then_some(())
    });
}
