//! A component reaches its mounts and nothing else.

use crate::stage::{Stage, works};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut tree = BTreeMap::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                directories.push(path);
            } else if !path.starts_with(root.join("output")) {
                tree.insert(path.clone(), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    tree
}

async fn reaches_nothing(how: &str) {
    let stage = Stage::new(how);
    let before = tree(stage.home.path());
    let outcome = stage.run().await.unwrap_or_else(|error| panic!("{how}: {error:?}"));
    assert!(outcome.summary.starts_with("0 of "), "{how}: {}", outcome.summary);
    assert!(outcome.summary.ends_with("tries reached outside: "), "{how}: {}", outcome.summary);
    assert_eq!(tree(stage.home.path()), before, "{how} changed something");
    assert!(!Path::new("/tmp/countersign-escaped").exists() && !Path::new("/tmp/escaped").exists());
    works().await;
}

#[tokio::test]
async fn nothing_outside_is_read() {
    reaches_nothing("read-outside").await;
}

#[tokio::test]
async fn nothing_outside_is_written() {
    reaches_nothing("write-outside").await;
}

#[tokio::test]
async fn links_lead_nowhere() {
    reaches_nothing("follow-symlink").await;
}

#[tokio::test]
async fn inputs_are_read_only() {
    reaches_nothing("write-input").await;
}
