//! Every way in which two processes may carry pushes to one target. What happens between two steps of one is what `still_ours` does.

use super::*;
use countersign_model::artifact::FileEntry;
use countersign_model::conditions::Conditions;
use countersign_model::digest::Digest;
use countersign_model::id::{PushId, RequestId, RunId};
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use ulid::Ulid;

struct Stage {
    from: TempDir,
    to: TempDir,
}

impl Stage {
    fn new() -> Self {
        Self { from: tempfile::tempdir().unwrap(), to: tempfile::tempdir().unwrap() }
    }

    fn target(&self) -> Target {
        Target::new(&self.to.path().display().to_string())
    }

    /// An attempt at the push of that number, whose model is `text`, with the target as it is now.
    fn attempt(&self, number: u128, text: &str, second: i64, epoch: i64) -> Placement {
        let from = self.from.path().join(text);
        std::fs::create_dir_all(&from).unwrap();
        std::fs::write(from.join("model.onnx"), text).unwrap();
        let digest = Digest::of(text.as_bytes());
        let entry = FileEntry { path: "model.onnx".into(), bytes: text.len() as u64, digest };
        let id = |part| Ulid::from_parts(1, part);
        let push = Push {
            id: PushId::from_ulid(id(number)),
            run: RunId::from_ulid(id(2)),
            pipeline: "p".to_string(),
            model: digest,
            target: self.to.path().display().to_string(),
            request: RequestId::from_ulid(id(3)),
            conditions: Conditions::default(),
            begun_at: Timestamp::from_micros(second * 1_000_000),
            completed_at: None,
        };
        let papers = Papers(vec![
            (PROVENANCE.to_string(), format!("push {number}").into_bytes()),
            ("decisions/dec_1.dsse.json".to_string(), b"signed".to_vec()),
        ]);
        let seen = self.target().newest().unwrap();
        Placement { from, manifest: Manifest::new(vec![entry]), push, papers, epoch, seen }
    }

    /// What a person sees there.
    fn names(&self) -> Vec<String> {
        let listed = std::fs::read_dir(self.to.path()).unwrap().flatten();
        let mut names: Vec<String> = listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name != ".lock");
        names.sort();
        names
    }

    fn live(&self) -> Option<String> {
        std::fs::read_to_string(self.to.path().join("current/model.onnx")).ok()
    }
}

async fn ours() -> Result<(), OrchestratorError> {
    Ok(())
}

fn lost() -> Result<(), OrchestratorError> {
    Err(StoreError::LostClaim { run: RunId::from_ulid(Ulid::from_parts(1, 2)) }.into())
}

async fn place(placement: Placement) -> bool {
    matches!(placement.place(ours).await.unwrap(), Placed::Live(_))
}

#[tokio::test]
async fn placing_twice_is_placing_once_and_current_follows_the_newest() {
    let stage = Stage::new();
    assert!(place(stage.attempt(1, "one", 100, 1)).await && place(stage.attempt(1, "one", 160, 2)).await);
    assert_eq!(stage.names(), ["100", "current"]);
    assert!(place(stage.attempt(2, "two", 200, 1)).await);
    assert_eq!(stage.names(), ["100", "200", "current"]);
    assert_eq!(stage.live().unwrap(), "two");
    let signed = stage.to.path().join("current/decisions/dec_1.dsse.json");
    assert_eq!(std::fs::read_to_string(signed).unwrap(), "signed");
}

#[tokio::test]
async fn versions_grow_within_a_second_and_when_the_clock_goes_back() {
    let stage = Stage::new();
    for (number, text, second) in [(1, "one", 100), (2, "two", 100), (3, "three", 50), (4, "four", -5)] {
        assert!(place(stage.attempt(number, text, second, 1)).await);
        assert_eq!(stage.live().unwrap(), text);
    }
    assert_eq!(stage.names(), ["100", "101", "102", "103", "current"]);
}

#[tokio::test]
async fn a_push_that_was_cut_off_starts_over_and_changed_bytes_are_refused() {
    let stage = Stage::new();
    let first = stage.attempt(1, "one", 100, 1);
    let half = stage.target().incoming(&first.push.id.to_string(), 1);
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(half.join("left-over"), "x").unwrap();
    assert!(place(stage.attempt(1, "one", 100, 2)).await);
    assert_eq!(stage.names(), ["100", "current"]);
    let evil = stage.attempt(2, "evil", 300, 1);
    std::fs::write(evil.from.join("model.onnx"), "worse").unwrap();
    let Err(error) = evil.place(ours).await else { panic!("placed") };
    assert!(error.to_string().contains("copy model"), "{error}");
    assert_eq!((stage.names(), stage.live()), (vec!["100".into(), "current".into()], Some("one".into())));
}

/// Stopped before the first rename; the push was finished by another process meanwhile.
#[tokio::test]
async fn who_lost_the_run_before_showing_changes_nothing() {
    let stage = Stage::new();
    let stale = stage.attempt(1, "one", 100, 1);
    assert!(place(stage.attempt(1, "one", 160, 2)).await);
    let Err(error) = stale.place(async || lost()).await else { panic!("placed") };
    assert!(error.to_string().contains("another worker took it over"), "{error}");
    assert_eq!((stage.names(), stage.live()), (vec!["160".into(), "current".into()], Some("one".into())));
}

/// Stopped between the two renames: what it showed is the successor's version too.
#[tokio::test]
async fn who_lost_the_run_between_showing_and_moving_leaves_a_whole_version_to_the_next() {
    let stage = Stage::new();
    let asked = AtomicU32::new(0);
    let second = async || if asked.fetch_add(1, Ordering::SeqCst) == 0 { ours().await } else { lost() };
    assert!(stage.attempt(1, "one", 100, 1).place(second).await.is_err());
    assert_eq!((stage.names(), stage.live()), (vec!["100".into()], None));
    assert!(place(stage.attempt(1, "one", 160, 2)).await);
    assert_eq!((stage.names(), stage.live()), (vec!["100".into(), "current".into()], Some("one".into())));
}

/// The worst case: the store's answer came in time, and then the process slept through a newer push.
#[tokio::test]
async fn an_older_push_never_takes_the_place_of_a_newer_one() {
    let stage = Stage::new();
    let before_gathering = stage.attempt(1, "one", 100, 1);
    assert!(place(stage.attempt(1, "one", 160, 2)).await && place(stage.attempt(2, "two", 200, 1)).await);
    assert!(matches!(before_gathering.place(ours).await.unwrap(), Placed::Overtaken));
    assert_eq!(stage.names(), ["160", "200", "current"]);
    assert_eq!(stage.live().unwrap(), "two");

    // It had shown its version already when it fell asleep, and the lock was lost with the machine that kept it.
    let lock = stage.target().lock().await.unwrap();
    assert!(!stage.target().move_current(&lock, 160).unwrap());
    assert_eq!(stage.live().unwrap(), "two");
}

/// Permits that were derived from the same target: the second one has to be derived anew.
#[tokio::test]
async fn of_two_pushes_at_once_the_second_is_told_that_the_target_changed() {
    let stage = Stage::new();
    let (one, two) = (stage.attempt(1, "one", 100, 1), stage.attempt(2, "two", 100, 1));
    let (one, two) = tokio::join!(place(one), place(two));
    assert!(one != two, "one of them is live");
    assert_eq!(stage.names(), ["100", "current"]);
    assert_eq!(stage.live().unwrap(), if one { "one" } else { "two" });
}

#[tokio::test]
async fn the_same_push_carried_by_two_at_once_is_one_version() {
    for _ in 0..20 {
        let stage = Stage::new();
        let (one, two) = (stage.attempt(1, "one", 100, 1), stage.attempt(1, "one", 101, 2));
        let (one, two) = tokio::join!(place(one), place(two));
        assert!(one && two);
        let names = stage.names();
        assert!(names == ["100", "current"] || names == ["101", "current"], "{names:?}");
        assert_eq!(stage.live().unwrap(), "one");
    }
}

/// While one process is between its two renames, nobody else gets to the target; a copy that goes on is left alone.
#[tokio::test]
async fn others_wait_for_the_lock_and_keep_what_they_gather() {
    let stage = Stage::new();
    let successor = tokio::sync::Mutex::new(None);
    let between = async || {
        let mut successor = successor.lock().await;
        if successor.is_none() {
            let attempt = stage.attempt(1, "one", 160, 2);
            let gathered = stage.target().incoming(&attempt.push.id.to_string(), 2);
            *successor = Some(tokio::spawn(place(attempt)));
            while !gathered.join("decisions").exists() {
                tokio::task::yield_now().await;
            }
        }
        assert!(!successor.as_ref().unwrap().is_finished());
        Ok(())
    };
    let placed = stage.attempt(1, "one", 100, 1).place(between).await.unwrap();
    assert!(!successor.lock().await.as_ref().unwrap().is_finished(), "the lock is held until the record says so");
    drop(placed);
    assert!(successor.into_inner().unwrap().await.unwrap());
    assert_eq!((stage.names(), stage.live()), (vec!["100".into(), "current".into()], Some("one".into())));
}

/// Whoever waits for a placement may go away while a thread is at work for it: the lock stays with the thread.
#[tokio::test]
async fn an_attempt_that_is_dropped_leaves_nothing_behind() {
    let stage = Stage::new();
    let reached = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&reached);
    let attempt = stage.attempt(1, "one", 100, 1);
    let dropped = tokio::spawn(attempt.place(move || {
        told.notify_one();
        std::future::pending()
    }));
    reached.notified().await;
    dropped.abort();
    assert!(dropped.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(stage.names(), Vec::<String>::new());
    assert!(place(stage.attempt(2, "two", 100, 1)).await, "the lock is free again");
}

#[test]
fn what_is_no_version_is_no_version() {
    let stage = Stage::new();
    for name in ["notes", "12a", "-5", ".incoming-push_1-1", "current"] {
        std::fs::create_dir(stage.to.path().join(name)).unwrap();
    }
    assert_eq!(stage.target().newest().unwrap(), None);
    std::fs::create_dir(stage.to.path().join("7")).unwrap();
    assert_eq!(stage.target().newest().unwrap(), Some(7));
    assert!(Target::new("/nowhere/at/all").newest().unwrap().is_none());
    assert!(Path::new(&stage.to.path().join("7")).exists());
}
