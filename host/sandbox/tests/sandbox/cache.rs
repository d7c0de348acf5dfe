//! Precompiled code: compiled once, and never loaded when it may not be ours.

use crate::stage::{Stage, component, fresh};
use countersign_ports::component_runner::ComponentRunner;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

async fn runs(directory: &Path) -> u64 {
    let sandbox = fresh(directory);
    let mut stage = Stage::new("behave");
    stage.invocation.component = component(countersign_guests::NOOP);
    stage.invocation.parameters = serde_json::json!({ "note": "hello" });
    assert_eq!(stage.run_in(&sandbox).await.expect("runs").summary, "done");
    assert_eq!(fs::read_to_string(stage.output().join("note.txt")).unwrap(), "hello");
    stage.run_in(&sandbox).await.expect("runs again");
    sandbox.compilations()
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

#[tokio::test]
async fn a_warm_start_compiles_nothing() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("code");
    assert_eq!(runs(&directory).await, 1);
    assert_eq!(runs(&directory).await, 0);
    assert_eq!((files(&directory, "cwasm").len(), files(&directory, "json").len()), (1, 1));
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2, "no temporary file is left");
}

#[tokio::test]
async fn many_askers_compile_once() {
    let home = tempfile::tempdir().unwrap();
    let sandbox = fresh(&home.path().join("code"));
    let guest = component(countersign_guests::NOOP);
    let (a, b, c) = tokio::join!(sandbox.describe(&guest), sandbox.describe(&guest), sandbox.describe(&guest));
    assert_eq!(a.unwrap(), b.unwrap());
    assert_eq!(c.unwrap().name, "noop");
    assert_eq!(sandbox.compilations(), 1);
}

#[tokio::test]
async fn a_tampered_file_is_compiled_again_and_mended() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("code");
    runs(&directory).await;
    let code = files(&directory, "cwasm").remove(0);
    let whole = fs::read(&code).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for tampered in [&flipped[..], &whole[..whole.len() / 2], b"", b"\x7fELF"] {
        fs::write(&code, tampered).unwrap();
        assert_eq!(runs(&directory).await, 1);
        assert_eq!(runs(&directory).await, 0);
    }
    fs::write(files(&directory, "json").remove(0), "{").unwrap();
    assert_eq!(runs(&directory).await, 1);
}

#[tokio::test]
async fn a_directory_that_others_can_write_to_is_not_used() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("code");
    runs(&directory).await;
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(runs(&directory).await, 1);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(runs(&directory).await, 0);
}
