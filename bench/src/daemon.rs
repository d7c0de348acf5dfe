//! What a daemon holds while nothing happens.

use crate::home::Home;
use anyhow::Context as _;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

/// How long it idles.
const IDLE: Duration = Duration::from_secs(10);

/// An idle daemon.
pub struct Idle {
    /// Resident memory.
    pub resident_mib: f64,
    /// Share of one core.
    pub cpu_percent: f64,
}

/// Starts one, waits until it is up, and watches it idle.
pub fn measure(home: &Home) -> anyhow::Result<Idle> {
    let mut child = home.command(&["serve"]).stderr(Stdio::piped()).spawn()?;
    let idle = watch(&mut child);
    child.kill()?;
    child.wait()?;
    idle
}

fn watch(child: &mut Child) -> anyhow::Result<Idle> {
    let mut lines = BufReader::new(child.stderr.take().context("standard error")?).lines();
    anyhow::ensure!(
        lines.any(|line| line.is_ok_and(|line| line.contains("daemon is up"))),
        "the daemon did not come up"
    );
    let before = ticks(child.id())?;
    std::thread::sleep(IDLE);
    let used = (ticks(child.id())? - before) / 100.0;
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = resident.trim().trim_end_matches(" kB").parse()?;
    Ok(Idle { resident_mib: kib / 1024.0, cpu_percent: used / IDLE.as_secs_f64() * 100.0 })
}

/// User and system time in clock ticks, of which Linux shows 100 a second.
fn ticks(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(") ").context("stat")?.1;
    let fields: Vec<&str> = after_name.split(' ').collect();
    Ok(fields.get(11).context("utime")?.parse::<f64>()? + fields.get(12).context("stime")?.parse::<f64>()?)
}
