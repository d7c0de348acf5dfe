//! The local artifact store: whole or not there, and never trusted.

use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::{ArtifactStore, ArtifactStoreError};
use countersign_store::LocalArtifacts;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use tempfile::TempDir;

fn open() -> (TempDir, LocalArtifacts) {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalArtifacts::open(&directory.path().join("artifacts")).unwrap();
    (directory, store)
}

async fn staged(store: &LocalArtifacts, files: &[(&str, &str)]) -> PathBuf {
    let staged = store.stage().await.unwrap();
    for (name, text) in files {
        let path = staged.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    staged
}

const FILES: [(&str, &str); 3] = [("train/part-0.parquet", "aaaa"), ("eval/part-0.parquet", "bbbb"), ("schema", "cc")];

async fn published(store: &LocalArtifacts) -> (Digest, PathBuf) {
    let staged = staged(store, &FILES).await;
    let (digest, _) = store.publish(&staged).await.unwrap();
    (digest, store.open(&digest).await.unwrap())
}

/// What somebody who owns the files can do, modes notwithstanding.
fn tamper(path: &Path, change: impl FnOnce(&Path)) {
    let directory = path.parent().unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
    if path.exists() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    change(path);
}

async fn problem(store: &LocalArtifacts, digest: &Digest) -> String {
    match store.open(digest).await {
        Err(ArtifactStoreError::Corrupt { digest: named, problem }) => {
            assert_eq!(named, *digest);
            problem
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_published_reads_back_and_is_read_only() {
    let (_directory, store) = open();
    let (digest, path) = published(&store).await;
    assert_eq!(fs::read_to_string(path.join("train/part-0.parquet")).unwrap(), "aaaa");
    let manifest = store.manifest(&digest).await.unwrap();
    let names: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["eval/part-0.parquet", "schema", "train/part-0.parquet"]);
    assert_eq!((manifest.digest(), manifest.bytes()), (digest, 10));
    for entry in [path.clone(), path.join("train"), path.join("schema"), path.parent().unwrap().to_path_buf()] {
        assert_eq!(fs::metadata(&entry).unwrap().mode() & 0o222, 0, "{}", entry.display());
    }
}

#[tokio::test]
async fn the_same_tree_twice_is_one_and_leaves_no_staging_behind() {
    let (directory, store) = open();
    let (digest, path) = published(&store).await;
    let inode = fs::metadata(path.join("schema")).unwrap().ino();
    assert_eq!(published(&store).await.0, digest);
    assert_eq!(fs::metadata(path.join("schema")).unwrap().ino(), inode);
    assert_eq!(fs::read_dir(directory.path().join("artifacts/staging")).unwrap().count(), 0);
}

#[tokio::test]
async fn many_at_once_publish_one() {
    let (_directory, store) = open();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        tasks.spawn(async move { published(&store).await.0 });
    }
    let digests = tasks.join_all().await;
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]));
    store.open(&digests[0]).await.unwrap();
}

#[tokio::test]
async fn empty_directories_do_not_count() {
    let (_directory, store) = open();
    let (digest, _) = published(&store).await;
    let staged = staged(&store, &FILES).await;
    fs::create_dir_all(staged.join("empty/deeper")).unwrap();
    assert_eq!(store.publish(&staged).await.unwrap().0, digest);
}

#[tokio::test]
async fn every_change_is_found_and_names_the_file() {
    type Change = fn(&Path);
    let changes: [(&str, &str, Change); 7] = [
        ("flipped bit", "train/part-0.parquet", |path| fs::write(path, "aaac").unwrap()),
        ("truncated", "train/part-0.parquet", |path| fs::write(path, "aaa").unwrap()),
        ("missing", "schema", |path| fs::remove_file(path).unwrap()),
        ("added", "train/part-1.parquet", |path| fs::write(path, "x").unwrap()),
        ("symbolic link", "schema", |path| {
            fs::write(path.with_file_name("../elsewhere"), "cc").unwrap();
            fs::remove_file(path).unwrap();
            symlink("../elsewhere", path).unwrap();
        }),
        ("hard link", "schema", |path| fs::hard_link(path, path.with_file_name("../second")).unwrap()),
        ("swapped", "train/part-0.parquet", |path| {
            let other = path.parent().unwrap().parent().unwrap().join("eval/part-0.parquet");
            let aside = path.with_extension("aside");
            fs::set_permissions(other.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
            fs::rename(path, &aside).unwrap();
            fs::rename(&other, path).unwrap();
            fs::rename(&aside, &other).unwrap();
        }),
    ];
    for (what, file, change) in changes {
        let (_directory, store) = open();
        let (digest, path) = published(&store).await;
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
        tamper(&path.join(file), change);
        let problem = problem(&store, &digest).await;
        let named = if what == "swapped" { "part-0.parquet" } else { file };
        assert!(problem.contains(named), "{what}: {problem}");
    }
}

#[tokio::test]
async fn a_change_with_the_old_times_put_back_is_found_too() {
    let (_directory, store) = open();
    let (digest, path) = published(&store).await;
    let file = path.join("schema");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    tamper(&file, |path| {
        fs::write(path, "CC").unwrap();
        fs::File::options().write(true).open(path).unwrap().set_modified(before).unwrap();
    });
    assert!(problem(&store, &digest).await.contains("schema"));
}

#[tokio::test]
async fn a_manifest_that_was_edited_is_found() {
    let (_directory, store) = open();
    let (digest, path) = published(&store).await;
    let manifest = path.parent().unwrap().join("manifest.json");
    tamper(&manifest, |path| fs::write(path, r#"{"files":[]}"#).unwrap());
    assert!(problem(&store, &digest).await.contains("manifest.json"));
}

#[tokio::test]
async fn publishing_again_replaces_spoilt_bytes() {
    let (_directory, store) = open();
    let (digest, path) = published(&store).await;
    tamper(&path.join("schema"), |path| fs::write(path, "xx").unwrap());
    assert_eq!(published(&store).await.0, digest);
    store.open(&digest).await.unwrap();
}

#[tokio::test]
async fn a_digest_that_was_never_published_is_missing() {
    let (_directory, store) = open();
    let digest = Digest::of(b"nothing");
    assert!(matches!(store.open(&digest).await, Err(ArtifactStoreError::Missing(missing)) if missing == digest));
    assert!(matches!(store.manifest(&digest).await, Err(ArtifactStoreError::Missing(_))));
}

#[tokio::test]
async fn links_devices_and_strange_names_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    type Mischief = fn(&Path);
    let mischiefs: [(&str, Mischief); 5] = [
        ("symbolic link", |staged| symlink("/etc/passwd", staged.join("link")).unwrap()),
        ("symbolic link", |staged| symlink("/etc", staged.join("directory")).unwrap()),
        ("hard link", |staged| fs::hard_link(staged.join("schema"), staged.join("again")).unwrap()),
        ("UTF-8", |staged| fs::write(staged.join(std::ffi::OsStr::from_bytes(b"\xff")), "x").unwrap()),
        ("deeper", |staged| fs::create_dir_all(staged.join(["d"; 40].join("/"))).unwrap()),
    ];
    for (expected, mischief) in mischiefs {
        let (_directory, store) = open();
        let staged = staged(&store, &FILES).await;
        mischief(&staged);
        match store.publish(&staged).await {
            Err(ArtifactStoreError::Unfit { problem, .. }) => assert!(problem.contains(expected), "{problem}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let (_directory, store) = open();
    let staged = staged(&store, &FILES).await;
    let _socket = std::os::unix::net::UnixListener::bind(staged.join("socket")).unwrap();
    assert!(matches!(store.publish(&staged).await, Err(ArtifactStoreError::Unfit { .. })));
}

#[tokio::test]
async fn a_kill_before_the_rename_leaves_nothing_visible() {
    let (directory, store) = open();
    // What a process leaves that dies after it made everything durable and before it moved it into place.
    let whole = store.stage().await.unwrap();
    fs::create_dir(whole.join("files")).unwrap();
    fs::write(whole.join("files/a"), "a").unwrap();
    fs::write(whole.join("manifest.json"), "{}").unwrap();
    assert_eq!(fs::read_dir(directory.path().join("artifacts/sha256")).unwrap().count(), 0);
    let again = LocalArtifacts::open(&directory.path().join("artifacts")).unwrap();
    let (digest, _) = published(&again).await;
    again.open(&digest).await.unwrap();
}

#[tokio::test]
async fn sweeping_removes_only_what_is_old() {
    let (_directory, store) = open();
    let old = staged(&store, &FILES).await;
    let young = staged(&store, &FILES).await;
    let yesterday = fs::metadata(&young).unwrap().modified().unwrap() - Duration::from_secs(25 * 60 * 60);
    for entry in ["train/part-0.parquet", "eval/part-0.parquet", "schema", "train", "eval", ""] {
        fs::File::open(old.join(entry)).unwrap().set_modified(yesterday).unwrap();
    }
    assert_eq!(store.sweep().await.unwrap(), 1);
    assert!(!old.exists() && young.exists());
}

/// Of the file system that holds the store.
fn time_of(path: &Path) -> Timestamp {
    let since = fs::metadata(path).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap() + 1)
}

/// As if it had been published so long ago.
fn age(home: &Path, by: Duration) {
    let then = fs::metadata(home).unwrap().modified().unwrap() - by;
    fs::File::open(home).unwrap().set_modified(then).unwrap();
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn what_is_removed_is_gone_whole_and_may_come_again() {
    let (directory, store) = open();
    let (digest, path) = published(&store).await;
    let home = path.parent().unwrap();
    assert_eq!(store.digests().await.unwrap(), [digest]);
    let until = time_of(home);
    let bytes = store.removable(&digest, until).await.unwrap().expect("it may go");
    assert!(bytes > 10, "the files and their manifest: {bytes}");
    assert_eq!(store.remove(&digest, until).await.unwrap(), Some(bytes));
    assert!(!home.exists());
    assert_eq!(fs::read_dir(directory.path().join("artifacts/staging")).unwrap().count(), 0);
    assert_eq!(store.digests().await.unwrap(), []);
    assert!(matches!(store.open(&digest).await, Err(ArtifactStoreError::Missing(_))));
    // Nothing is left to remove, and that is no mistake.
    assert_eq!(
        (store.removable(&digest, until).await.unwrap(), store.remove(&digest, until).await.unwrap()),
        (None, None)
    );
    assert_eq!(published(&store).await.0, digest);
    store.open(&digest).await.unwrap();
}

#[tokio::test]
async fn what_was_published_again_lately_stays() {
    let (_directory, store) = open();
    let (digest, path) = published(&store).await;
    let home = path.parent().unwrap();
    age(home, 2 * HOUR);
    let an_hour_ago = Timestamp::from_micros(time_of(home).as_micros() + i64::try_from(HOUR.as_micros()).unwrap());
    assert!(store.removable(&digest, an_hour_ago).await.unwrap().is_some());
    // Reading is no reason to stay; publishing the same bytes is.
    store.open(&digest).await.unwrap();
    assert!(store.removable(&digest, an_hour_ago).await.unwrap().is_some());
    assert_eq!(published(&store).await.0, digest);
    assert_eq!(store.removable(&digest, an_hour_ago).await.unwrap(), None);
    assert_eq!(store.remove(&digest, an_hour_ago).await.unwrap(), None);
    store.open(&digest).await.unwrap();
    assert_eq!(fs::metadata(home).unwrap().mode() & 0o222, 0);
}

/// Whoever publishes finds the bytes there when it is done, however it meets whoever removes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn publishing_and_removing_at_once_lose_nothing() {
    let (_directory, store) = open();
    for _ in 0..150 {
        let (digest, path) = published(&store).await;
        let home = path.parent().unwrap();
        age(home, 2 * HOUR);
        let until = Timestamp::from_micros(time_of(home).as_micros() + i64::try_from(HOUR.as_micros()).unwrap());
        let (publisher, remover) = (store.clone(), store.clone());
        let (published, _) = tokio::join!(
            tokio::spawn(async move { published(&publisher).await.0 }),
            tokio::spawn(async move { remover.remove(&digest, until).await.unwrap() }),
        );
        assert_eq!(published.unwrap(), digest);
        store.open(&digest).await.unwrap();
    }
}
