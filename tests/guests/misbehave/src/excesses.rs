//! Too much of everything.

use countersign_sdk::{Error, Outcome, Task, host};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write;

const MEBIBYTE: usize = 1 << 20;

pub fn unreachable() -> Result<Outcome, Error> {
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_family = "wasm"))]
    std::process::abort();
}

#[allow(unconditional_panic)]
pub fn divide_by_zero(task: &Task) -> Result<Outcome, Error> {
    let values: Vec<u64> = vec![1; black_box(3)];
    let index = task.seed() as usize | 7;
    Ok(Outcome::new(format!("{}", values[black_box(index)] / black_box(0))))
}

pub fn loop_forever() -> Result<Outcome, Error> {
    let mut count = 0u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

pub fn sleep_forever() -> Result<Outcome, Error> {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
}

pub fn eat_memory() -> Result<Outcome, Error> {
    let mut eaten = Vec::new();
    loop {
        eaten.push(black_box(vec![1u8; MEBIBYTE]));
    }
}

pub fn recurse(task: &Task) -> Result<Outcome, Error> {
    fn deeper(depth: u64) -> u64 {
        let frame = black_box([depth; 64]);
        if depth == u64::MAX { 0 } else { deeper(depth + 1) + frame[black_box(7)] }
    }
    Ok(Outcome::new(deeper(task.seed() >> 32).to_string()))
}

pub fn print_gigabyte() -> Result<Outcome, Error> {
    let line = "x".repeat(1023);
    let mut out = std::io::stdout().lock();
    for _ in 0..MEBIBYTE {
        writeln!(out, "{line}")?;
    }
    Ok(Outcome::new("printed"))
}

pub fn print_without_newlines() -> Result<Outcome, Error> {
    let piece = vec![b'y'; MEBIBYTE];
    for _ in 0..256 {
        std::io::stderr().write_all(&piece)?;
    }
    Ok(Outcome::new("printed"))
}

pub fn log_gigabyte() -> Result<Outcome, Error> {
    let message = "z".repeat(MEBIBYTE);
    for _ in 0..1024 {
        host::info(&message, &[]);
    }
    Ok(Outcome::new("logged"))
}

pub fn many_logs() -> Result<Outcome, Error> {
    for _ in 0..1_000_000 {
        host::info("again", &[]);
        host::progress(1, 2, "calls", "");
    }
    Ok(Outcome::new("logged"))
}

pub fn many_metrics() -> Result<Outcome, Error> {
    for index in 0..1_000_000 {
        host::metric(&format!("metric {index}"), 1.0);
    }
    Ok(Outcome::new("measured"))
}

pub fn write_gigabyte(task: &Task) -> Result<Outcome, Error> {
    let mut file = File::create(task.output("output")?.join("big.bin"))?;
    let piece = vec![7u8; MEBIBYTE];
    for _ in 0..1024 {
        file.write_all(&piece)?;
    }
    Ok(Outcome::new("written"))
}

pub fn write_without_end(task: &Task) -> Result<Outcome, Error> {
    let mut file = File::create(task.output("output")?.join("big.bin"))?;
    let piece = vec![7u8; 64 << 10];
    loop {
        file.write_all(&piece)?;
    }
}

pub fn grow_sparse_file(task: &Task) -> Result<Outcome, Error> {
    File::create(task.output("output")?.join("sparse.bin"))?.set_len(1 << 40)?;
    Ok(Outcome::new("grown"))
}

pub fn many_files(task: &Task) -> Result<Outcome, Error> {
    let output = task.output("output")?;
    for index in 0.. {
        fs::write(output.join(index.to_string()), "")?;
    }
    Ok(Outcome::new("written"))
}

pub fn many_open_files(task: &Task) -> Result<Outcome, Error> {
    let output = task.output("output")?;
    let mut open = Vec::new();
    for _ in 0..100_000 {
        open.push(File::create(output.join("one.txt"))?);
    }
    Ok(Outcome::new(format!("{} open", open.len())))
}

pub fn deep_directories(task: &Task) -> Result<Outcome, Error> {
    let mut path = task.output("output")?;
    for _ in 0..200 {
        path.push("d");
        fs::create_dir(&path)?;
    }
    Ok(Outcome::new("deep"))
}
