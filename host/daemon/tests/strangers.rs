//! Judged by strangers' code: a real run's artifacts, read by tensorflow-metadata, onnx and onnxruntime from PyPI.

mod harness;

use harness::{Home, newest_run};
use std::path::Path;
use std::process::Command;

#[test]
fn a_real_run_is_read_by_the_official_packages() {
    let Some(python) = countersign_judges::python() else { return };
    let home = Home::new();
    home.run(&["demo"]).must(4);
    let exported = home.path().join("exported");
    home.run(&["--demo", "export", &newest_run(&home, &["--demo"]), exported.to_str().unwrap()]).must(0);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python");
    countersign_judges::run(
        Command::new(python)
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .arg(tests)
            .env("COUNTERSIGN_RUN_DIR", &exported)
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    );
}
