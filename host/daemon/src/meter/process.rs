//! The process as the system sees it, under the names that Prometheus' own libraries use. Only Linux tells.

use crate::wiring::web::numbers::{Family, Kind};
use std::fs::read_to_string;

/// Ticks a second in `/proc`: the same on every Linux.
const TICKS: f64 = 100.0;

/// Memory, files, time. What can not be read is left out.
pub fn numbers() -> Vec<Family> {
    let gauge = |name, help, value: Option<f64>| Some(Family::alone(name, Kind::Gauge, help, value?));
    let stat = read_to_string("/proc/self/stat").ok();
    // The second field is the program's name in parentheses, and may hold anything.
    let fields: Vec<f64> = stat
        .as_deref()
        .and_then(|stat| stat.rsplit_once(')'))
        .map_or_else(Vec::new, |(_, rest)| rest.split_whitespace().map(|field| field.parse().unwrap_or(0.0)).collect());
    // Numbered from the third: user and system time are 14 and 15, threads 20, start 22.
    let field = |number: usize| fields.get(number - 3).copied();
    let cpu = field(14).zip(field(15)).map(|(user, system)| (user + system) / TICKS);
    let booted = line("/proc/stat", "btime ");
    let started = booted.zip(field(22)).map(|(booted, after)| booted + after / TICKS);
    let families = [
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.", kilobytes("VmRSS:")),
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", kilobytes("VmSize:")),
        gauge("process_open_fds", "Number of open file descriptors.", open_files()),
        gauge(
            "process_max_fds",
            "Maximum number of open file descriptors.",
            line("/proc/self/limits", "Max open files"),
        ),
        gauge("process_threads", "Number of threads.", field(20)),
        gauge("process_start_time_seconds", "Start time of the process since the Unix epoch in seconds.", started),
        cpu.map(|cpu| {
            let help = "Total user and system CPU time spent in seconds.";
            Family::alone("process_cpu_seconds_total", Kind::Counter, help, cpu)
        }),
    ];
    families.into_iter().flatten().collect()
}

/// The first number behind the line's beginning.
fn line(file: &str, beginning: &str) -> Option<f64> {
    let text = read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    line.split_whitespace().next()?.parse().ok()
}

fn kilobytes(name: &str) -> Option<f64> {
    line("/proc/self/status", name).map(|kilobytes| kilobytes * 1024.0)
}

fn open_files() -> Option<f64> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
    // Reading the folder opens one.
    Some(open.saturating_sub(1) as f64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn a_linux_process_tells_all_of_it() {
        let found = super::numbers();
        assert_eq!(found.len(), 7);
        // A process this young may not have used a tick of time yet.
        let (cpu, others): (Vec<_>, Vec<_>) =
            found.iter().partition(|family| family.name == "process_cpu_seconds_total");
        assert!(cpu[0].samples[0].value >= 0.0);
        assert!(others.iter().all(|family| family.samples[0].value > 0.0), "{others:?}");
    }
}
