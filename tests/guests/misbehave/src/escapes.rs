//! Attempts to reach what was not mounted. Every success is counted; there must be none.

use countersign_sdk::{Error, Outcome, Task};
use std::fs;
use std::path::Path;

const OUTSIDE: [&str; 12] = [
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/mem",
    "/in/../../etc/passwd",
    "/out/../etc/passwd",
    "/out/output/../../../../../../../../etc/passwd",
    "/out/output/../output/../../../etc/passwd",
    "/in/input/../other",
    "../../../../etc/passwd",
    "/out/output/./.././../etc/passwd",
    "/dev/zero",
    "/",
];

fn answer(tries: usize, successes: &[String]) -> Result<Outcome, Error> {
    Ok(Outcome::new(format!("{} of {tries} tries reached outside: {}", successes.len(), successes.join(", "))))
}

pub fn read_outside(task: &Task) -> Result<Outcome, Error> {
    fs::write(task.output("output")?.join("note.txt"), "tried")?;
    let mut successes = Vec::new();
    for path in OUTSIDE {
        if fs::read(path).is_ok() || fs::read_dir(path).is_ok() || fs::metadata(path).is_ok() {
            successes.push(path.to_string());
        }
    }
    if fs::read("/out/output/note.txt\0/etc/passwd").is_ok() {
        successes.push("NUL".to_string());
    }
    answer(OUTSIDE.len() + 1, &successes)
}

pub fn write_outside(_: &Task) -> Result<Outcome, Error> {
    const TARGETS: [&str; 5] = [
        "/tmp/countersign-escaped",
        "/out/escaped",
        "/out/output/../escaped",
        "/out/output/../../../../tmp/escaped",
        "escaped",
    ];
    let mut successes = Vec::new();
    for path in TARGETS {
        if fs::write(path, "escaped").is_ok() || fs::create_dir(path).is_ok() {
            successes.push(path.to_string());
        }
    }
    if fs::rename("/out/output", "/out/other").is_ok() || fs::remove_dir("/out/output").is_ok() {
        successes.push("moved its own mount".to_string());
    }
    answer(TARGETS.len() + 1, &successes)
}

pub fn follow_symlink(task: &Task) -> Result<Outcome, Error> {
    let output = task.output("output")?;
    let mut successes = Vec::new();
    let mut tries = 0;
    for (index, target) in
        ["/etc/passwd", "../../../../../../etc/passwd", "/proc/self/root/etc/passwd"].iter().enumerate()
    {
        tries += 1;
        let link = output.join(format!("link{index}"));
        if link_to(target, &link) && fs::read(&link).is_ok() {
            successes.push((*target).to_string());
        }
    }
    tries += 1;
    let parent = output.join("parent");
    if link_to("../..", &parent) && (fs::read_dir(&parent).is_ok() || fs::write(parent.join("escaped"), "x").is_ok()) {
        successes.push("../..".to_string());
    }
    answer(tries, &successes)
}

pub fn write_input(task: &Task) -> Result<Outcome, Error> {
    let input = task.input("input")?;
    let note = input.join("note.txt");
    let mut successes = Vec::new();
    let mut tried = |what: &str, worked: bool| {
        if worked {
            successes.push(what.to_string());
        }
    };
    tried("overwrite", fs::write(&note, "changed").is_ok());
    tried("append", fs::OpenOptions::new().append(true).open(&note).is_ok());
    tried("create", fs::write(input.join("new.txt"), "new").is_ok());
    tried("remove", fs::remove_file(&note).is_ok());
    tried("rename", fs::rename(&note, input.join("other.txt")).is_ok());
    tried("hard link", fs::hard_link(&note, task.output("output")?.join("hard.txt")).is_ok());
    tried("directory", fs::create_dir(input.join("new")).is_ok());
    tried("times", fs::File::open(&note).and_then(|file| file.set_modified(std::time::SystemTime::UNIX_EPOCH)).is_ok());
    tried("length", fs::File::open(&note).and_then(|file| file.set_len(0)).is_ok());
    answer(9, &successes)
}

#[cfg(target_family = "wasm")]
pub fn link_to(target: &str, link: &Path) -> bool {
    use std::ffi::{CString, c_char};
    // std offers symlinks for this target only behind an unstable feature.
    unsafe extern "C" {
        fn symlink(target: *const c_char, link: *const c_char) -> i32;
    }
    let (Ok(target), Ok(link)) = (CString::new(target), CString::new(link.to_string_lossy().as_bytes())) else {
        return false;
    };
    // SAFETY: both are NUL-terminated and live until the call returns.
    unsafe { symlink(target.as_ptr(), link.as_ptr()) == 0 }
}

#[cfg(not(target_family = "wasm"))]
pub fn link_to(_: &str, _: &Path) -> bool {
    false
}
