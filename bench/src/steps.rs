//! What a no-op step costs: the long pipeline less the short one, by the number of steps between them.

use crate::home::Home;
use crate::raw;
use crate::rusage::{Whose, cpu_ms};
use crate::{REPEATS, STEPS, median};
use anyhow::Context as _;
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

/// Cost a step.
struct Cost {
    cpu_ms: f64,
    /// fsync and fdatasync calls; none without strace.
    fsyncs: Option<f64>,
}

/// Prints what a step costs, beside its rows alone.
pub async fn report(home: &Home) -> anyhow::Result<()> {
    let cost = measure(home)?;
    let raw = raw::replay(home).await?;
    println!("a no-op component step with full records");
    println!("  CPU                       {:>8.2} ms a step", cost.cpu_ms);
    println!("  raw SQLite, same rows     {:>8.2} ms a step   ratio {:.1}", raw.cpu_ms, cost.cpu_ms / raw.cpu_ms);
    match cost.fsyncs {
        Some(fsyncs) => println!(
            "  fsyncs                    {fsyncs:>8.1} a step      raw SQLite: {:.1} commits a step",
            raw.commits
        ),
        None => println!("  fsyncs                    not counted: strace is not installed"),
    }
    Ok(())
}

/// Prints the time from starting the process to the recorded beginning of its first step.
pub fn report_start(home: &Home) -> anyhow::Result<()> {
    let first = start_to_first_step(home)?;
    println!("start to first step, compiled components cached");
    println!("  time                      {first:>8.0} ms");
    Ok(())
}

fn measure(home: &Home) -> anyhow::Result<Cost> {
    let (long, short) = (home.pipeline(STEPS)?, home.pipeline(1)?);
    let mut differences = Vec::new();
    for _ in 0..REPEATS {
        differences.push(run_cpu(home, &long)? - run_cpu(home, &short)?);
    }
    let between = (STEPS - 1) as f64;
    let traced = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let fsyncs = if traced { Some((syncs(home, &long)? - syncs(home, &short)?) / between) } else { None };
    Ok(Cost { cpu_ms: median(differences) / between, fsyncs })
}

fn run_cpu(home: &Home, pipeline: &std::path::Path) -> anyhow::Result<f64> {
    let before = cpu_ms(Whose::Children);
    home.run(pipeline)?;
    Ok(cpu_ms(Whose::Children) - before)
}

fn syncs(home: &Home, pipeline: &std::path::Path) -> anyhow::Result<f64> {
    let trace = home.file("strace.txt");
    let own = ["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", trace.to_str().context("a path that is text")?];
    let arguments = home.run_arguments(pipeline)?;
    let status = home.wrapped(Some(("strace", &own)), &arguments).status()?;
    anyhow::ensure!(status.success(), "strace did not run the pipeline: {status}");
    let lines = std::fs::read_to_string(trace)?;
    Ok(lines.lines().filter(|line| line.contains("sync(") && line.contains("= 0")).count() as f64)
}

fn start_to_first_step(home: &Home) -> anyhow::Result<f64> {
    let pipeline = home.pipeline(1)?;
    let mut times = Vec::new();
    for _ in 0..REPEATS {
        let started = UNIX_EPOCH.elapsed()?;
        home.run(&pipeline)?;
        let runs = home.data(&["runs", "--limit", "1"])?;
        let run = home.data(&["show", runs[0]["id"].as_str().context("a run")?])?;
        let begun = micros(run["executions"][0]["started_at"].as_str().context("an execution")?)?;
        times.push(begun / 1e3 - started.as_micros() as f64 / 1e3);
    }
    Ok(median(times))
}

/// Microseconds since the Unix epoch of an RFC 3339 instant of today: `2026-11-23T20:01:02.345678Z`. Days are counted by the
/// civil calendar algorithm of Howard Hinnant.
fn micros(text: &str) -> anyhow::Result<f64> {
    let part = |range: std::ops::Range<usize>| -> anyhow::Result<i64> {
        text.get(range).context("an instant")?.parse().context("an instant")
    };
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted / 400;
    let of_era = shifted - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + part(11..13)? * 3_600 + part(14..16)? * 60 + part(17..19)?;
    Ok((seconds * 1_000_000 + part(20..26)?) as f64)
}
