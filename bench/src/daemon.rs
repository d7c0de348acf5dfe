//! What a daemon holds while nothing happens.

use crate::home::Home;
use crate::serving::Serving;
use std::time::Duration;

/// How long it idles.
const IDLE: Duration = Duration::from_secs(10);

/// Prints it.
pub fn report(home: &Home) -> anyhow::Result<()> {
    let idle = Serving::start(home.command(&["serve"]))?.idle(IDLE)?;
    println!("idle daemon");
    println!("  resident memory           {:>8.1} MiB", idle.resident_mib);
    println!("  CPU                       {:>8.2} %", idle.cpu_percent);
    Ok(())
}
