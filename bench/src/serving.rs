//! A daemon under measurement.

use crate::stopwatch::Stopwatch;
use anyhow::Context as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A daemon that is up; it is killed when this is dropped.
pub struct Serving {
    child: Child,
    /// Where its pages are: `host:port`.
    pub address: String,
    /// Milliseconds from starting the process until it was up.
    pub ready_ms: f64,
}

/// What a daemon takes while nothing happens.
pub struct Idle {
    /// Resident memory.
    pub resident_mib: f64,
    /// Share of one core.
    pub cpu_percent: f64,
}

impl Serving {
    /// Starts `serve` and waits until it is up.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let watch = Stopwatch::start();
        command.env("COUNTERSIGN_WEB_LISTEN", "127.0.0.1:0").env("COUNTERSIGN_LOG_FORMAT", "json");
        let child = command.stderr(Stdio::piped()).spawn()?;
        let mut serving = Self { child, address: String::new(), ready_ms: 0.0 };
        let mut log = BufReader::new(serving.child.stderr.take().context("standard error")?);
        let mut line = String::new();
        let mut said = String::new();
        loop {
            line.clear();
            anyhow::ensure!(log.read_line(&mut line)? > 0, "the daemon did not come up:\n{said}");
            said.push_str(&line);
            let Ok(event) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            let fields = &event["fields"];
            match fields["message"].as_str() {
                Some("pages are served") => serving.address = fields["address"].as_str().context("an address")?.into(),
                Some("daemon is up") => break,
                Some(_) | None => {}
            }
        }
        serving.ready_ms = watch.ms();
        // A log that nobody reads would stop the daemon when the pipe is full.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Ok(serving)
    }

    /// Watches it for so long.
    pub fn idle(&self, within: Duration) -> anyhow::Result<Idle> {
        let cpu = self.cpu_seconds()?;
        std::thread::sleep(within);
        Ok(Idle {
            resident_mib: self.resident_mib()?,
            cpu_percent: (self.cpu_seconds()? - cpu) / within.as_secs_f64() * 100.0,
        })
    }

    /// Resident memory.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        self.status_mib("VmRSS:")
    }

    /// A size among what the operating system says of the process, such as `RssAnon:`.
    pub fn status_mib(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let size = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| name.to_string())?;
        Ok(size.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    /// How many it has: open files (`fd`), threads (`task`).
    pub fn count(&self, what: &str) -> anyhow::Result<f64> {
        Ok(std::fs::read_dir(format!("/proc/{}/{what}", self.child.id()))?.count() as f64)
    }

    /// CPU time of all threads that live, to the nanosecond where ticks are too coarse.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let mut nanoseconds = 0.0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread that ended meanwhile has no file any more.
            let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanoseconds += text.split(' ').next().context("schedstat")?.parse::<f64>()?;
        }
        Ok(nanoseconds / 1e9)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about either.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
