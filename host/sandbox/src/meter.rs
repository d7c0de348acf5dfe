//! What a component may use: memory, tables, instances, and bytes under `/out`. Time is kept by the call itself.

use crate::failure::Stop;
use countersign_model::component::Limits;
use countersign_model::figures::count;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wasmtime::ResourceLimiter;

/// Counts what all memories and tables of one store hold together.
pub struct Meter {
    limits: Limits,
    memory: u64,
    table_elements: u64,
}

impl Meter {
    /// Nothing used yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, memory: 0, table_elements: 0 }
    }
}

// Every refusal is an error instead of `false`: a guest told "no" aborts with a message of its own that does not name our limit.
impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.memory + desired.saturating_sub(current) as u64;
        let limit = self.limits.memory_mib;
        if wanted > limit << 20 {
            let message = format!(
                "the component wanted {} MiB of memory; its limit is {} MiB: raise it with `limits = {{ memory_mib = {} }}` on the step",
                count(wanted.div_ceil(1 << 20)),
                count(limit),
                limit * 2,
            );
            return Err(Stop::new("limit.memory", message).into());
        }
        self.memory = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let wanted = self.table_elements + desired.saturating_sub(current) as u64;
        let limit = self.limits.table_elements;
        if wanted > limit {
            let message = format!(
                "the component wanted {} table elements; its limit is {}: raise it with `limits = {{ table_elements = {} }}` on the step",
                count(wanted),
                count(limit),
                limit * 2,
            );
            return Err(Stop::new("limit.tables", message).into());
        }
        self.table_elements = wanted;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances as usize
    }

    fn tables(&self) -> usize {
        self.limits.instances as usize
    }

    fn memories(&self) -> usize {
        self.limits.instances as usize
    }
}

/// What each file or directory counts at least: a million empty files is no small output.
const ENTRY_BYTES: u64 = 4096;
/// Measuring may take this share of the time: one part in it.
const MEASURING_SHARE: u32 = 5;

/// Measures what lies in the output directories, at every tick while that is cheap. So a component is over its limit by what it can
/// write in a tick (some 50 MB), or, with very many files, in a few times what a look at all of them takes.
pub struct OutputMeter {
    roots: Vec<PathBuf>,
    limit_mib: u64,
    next: Option<Instant>,
}

impl OutputMeter {
    /// A meter over these directories.
    pub fn new(roots: Vec<PathBuf>, limit_mib: u64) -> Self {
        Self { roots, limit_mib, next: None }
    }

    /// Measures, when it is time to.
    #[expect(clippy::disallowed_methods, reason = "what measuring costs is measured, and is no part of any result")]
    pub fn tick(&mut self) -> Result<(), Stop> {
        let start = Instant::now();
        if self.next.is_some_and(|next| start < next) {
            return Ok(());
        }
        self.measure()?;
        let taken: Duration = start.elapsed();
        self.next = Some(start + taken * MEASURING_SHARE);
        Ok(())
    }

    /// Measures now.
    pub fn measure(&self) -> Result<(), Stop> {
        let limit = self.limit_mib << 20;
        let mut bytes = 0u64;
        let mut directories = self.roots.clone();
        while let Some(directory) = directories.pop() {
            let unreadable = |error: std::io::Error| {
                Stop::new("output.unfit", format!("measure output: {}: {error}", directory.display()))
            };
            for entry in fs::read_dir(&directory).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                // The component may remove it meanwhile: only what is there counts.
                let Ok(metadata) = entry.metadata() else { continue };
                bytes = bytes.saturating_add(metadata.len().max(ENTRY_BYTES));
                if bytes > limit {
                    return Err(self.over());
                }
                if metadata.is_dir() {
                    directories.push(entry.path());
                }
            }
        }
        Ok(())
    }

    fn over(&self) -> Stop {
        let message = format!(
            "the component wrote more than its limit of {} MiB under /out (a file counts at least 4 KiB): raise it with \
             `limits = {{ output_mib = {} }}` on the step",
            count(self.limit_mib),
            self.limit_mib * 2,
        );
        Stop::new("limit.output", message)
    }
}
