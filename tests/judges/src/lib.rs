//! Strangers' tools for tests: Python and npm packages at pinned versions, and a browser. Each is installed once beside the
//! build and again when its list of versions changes. Must not know what is judged.
//!
//! In CI (the environment variable `CI`) a missing tool is a failure; elsewhere it is said, and the test has to pass it over.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python with the packages of `tests/python/requirements.txt`.
///
/// # Panics
/// In CI without python3, and when the packages can not be installed.
pub fn python() -> Option<PathBuf> {
    present("python3", &["--version"])?;
    let requirements = tests().join("python/requirements.txt");
    let environment = install("python", &[&requirements], |environment| {
        run(Command::new("python3").args(["-m", "venv"]).arg(environment));
        run(Command::new(environment.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements));
    });
    Some(environment.join("bin/python"))
}

/// A folder whose `node_modules` holds the packages of `tests/node/package-lock.json`.
///
/// # Panics
/// In CI without node and npm, and when the packages can not be installed.
pub fn node() -> Option<PathBuf> {
    present("node", &["--version"])?;
    present("npm", &["--version"])?;
    let lists = ["package.json", "package-lock.json"].map(|name| tests().join("node").join(name));
    Some(install("node", &[&lists[0], &lists[1]], |folder| {
        for list in &lists {
            std::fs::copy(list, folder.join(list.file_name().expect("a file's name")))
                .expect("copy the list of packages");
        }
        // Nothing of a package runs at installation.
        run(Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .current_dir(folder));
    }))
}

/// A Chromium: the one named by `CHROMIUM`, or one on the path.
///
/// # Panics
/// In CI without one.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    // Whole paths: whoever is handed one may not look along `PATH`.
    let usual = std::env::split_paths(&folders).flat_map(|folder| usual.map(|name| folder.join(name)));
    let found = named.into_iter().chain(usual).find(|browser| starts(browser, &["--version"]));
    if found.is_none() {
        missing("chromium");
    }
    found
}

/// Whether that tool is on the path: one that systems bring, and that does its work without a network.
///
/// # Panics
/// In CI without it.
pub fn found(tool: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).any(|folder| folder.join(tool).is_file());
    if !found {
        missing(tool);
    }
    found
}

/// Runs a command and panics with what it said unless it succeeds. Answers what it wrote.
///
/// # Panics
/// When it does not start or fails.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [written, said] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {}\n{written}\n{said}", output.status);
    written
}

/// The folder `tests` of the repository.
fn tests() -> PathBuf {
    // Asked when the test runs, not when this was compiled: a build cache may be shared by clones that come and go.
    let under_test = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let mut found = Path::new(&under_test).ancestors().map(|folder| folder.join("tests"));
    found.find(|tests| tests.join("judges").is_dir()).expect("the folder tests/ of the workspace")
}

/// Where tools are kept: `tmp` in cargo's target directory, which is found from the running test.
fn kept() -> PathBuf {
    let test = std::env::current_exe().expect("where this test lies");
    let target = test.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or_else(|| panic!("no target directory above {}", test.display())).join("tmp")
}

/// Installs into a folder unless it was installed from the same lists. One process at a time; the note of what is installed
/// is written last, so that an installation that was cut off is made again.
fn install(name: &str, lists: &[&Path], make: impl FnOnce(&Path)) -> PathBuf {
    let folder = kept().join(name);
    std::fs::create_dir_all(&folder).expect("make the folder of tools");
    let lock = File::create(kept().join(format!("{name}.lock"))).expect("make the lock");
    lock.lock().expect("take the lock");
    let wanted: Vec<u8> =
        lists.iter().flat_map(|list| std::fs::read(list).expect("read the list of packages")).collect();
    let note = folder.join("installed");
    if std::fs::read(&note).ok().as_deref() != Some(wanted.as_slice()) {
        make(&folder);
        std::fs::write(note, wanted).expect("note what is installed");
    }
    folder
}

fn present(tool: &str, arguments: &[&str]) -> Option<()> {
    if starts(Path::new(tool), arguments) {
        return Some(());
    }
    missing(tool);
    None
}

fn starts(tool: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(tool);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn missing(tool: &str) {
    assert!(std::env::var_os("CI").is_none(), "{tool} is needed in CI");
    eprintln!("not judged: there is no {tool} on this machine");
}
