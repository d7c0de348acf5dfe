//! Judged by strangers' code: a real run's artifacts, read by tensorflow-metadata, onnx and onnxruntime from PyPI.

mod harness;

use harness::{Home, newest_run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python that runs the judges, in a virtual environment with the pinned packages. Made once and kept with the build.
fn python() -> Option<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python");
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = environment.join("bin/python");
    let found = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        return None;
    }
    let requirements = std::fs::read(tests.join("requirements.txt")).expect("requirements");
    let installed = environment.join("requirements.txt");
    if std::fs::read(&installed).ok().as_deref() != Some(requirements.as_slice()) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(tests.join("requirements.txt")));
        std::fs::write(installed, requirements).expect("note what is installed");
    }
    Some(python)
}

fn run(command: &mut Command) {
    let status = command.status().expect("the command starts");
    assert!(status.success(), "{command:?}: {status}");
}

#[test]
fn a_real_run_is_read_by_the_official_packages() {
    let Some(python) = python() else {
        assert!(std::env::var_os("CI").is_none(), "python3 is needed in CI");
        eprintln!("not judged: there is no python3 on this machine");
        return;
    };
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let exported = home.path().join("exported");
    home.run(&["--demo", "export", &newest_run(&home, &["--demo"]), exported.to_str().unwrap()]).must(0);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python");
    run(Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(tests)
        .env("COUNTERSIGN_RUN_DIR", &exported)
        .env("PYTHONDONTWRITEBYTECODE", "1"));
}
