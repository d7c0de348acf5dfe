//! What triggers remember.

use super::bench::Bench;
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::trigger_store::SeenFile;

pub async fn triggers_remember_fires_and_files(bench: &Bench) {
    let (early, late) = (bench.tick(), bench.tick());
    assert_eq!(bench.store.last_fire("taxi/cron").await.unwrap(), None);
    for at in [early, late, early, late] {
        bench.store.record_fire("taxi/cron", at).await.unwrap();
    }
    assert_eq!(bench.store.last_fire("taxi/cron").await.unwrap(), Some(late));
    assert_eq!(bench.store.last_fire("other/cron").await.unwrap(), None);

    let grown = SeenFile { accepted: Some(Digest::of(b"b")), ..file("b.csv", 2) };
    for file in [&file("b.csv", 1), &file("a.csv", 1), &grown, &grown] {
        bench.store.record_seen_files(std::slice::from_ref(file)).await.unwrap();
    }
    assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap(), [file("a.csv", 1), grown]);
    assert_eq!(bench.store.seen_files("taxi/other").await.unwrap(), []);
    assert_eq!(bench.actions().await, ["schedule.fired", "schedule.fired", "file.accepted"]);
}

fn file(path: &str, bytes: u64) -> SeenFile {
    SeenFile {
        trigger: "taxi/trips".to_string(),
        path: path.to_string(),
        bytes,
        modified: 17,
        stable_since: Timestamp::from_micros(23),
        accepted: None,
        missing_since: None,
    }
}

pub async fn a_trigger_that_is_registered_twice_keeps_its_instant(bench: &Bench) {
    let (first, second, third) = (bench.tick(), bench.tick(), bench.tick());
    for at in [second, third, first] {
        bench.store.register_trigger("taxi/cron", at).await.unwrap();
        assert_eq!(bench.store.last_fire("taxi/cron").await.unwrap(), Some(second));
    }
    bench.store.record_fire("taxi/cron", third).await.unwrap();
    bench.store.register_trigger("taxi/cron", second).await.unwrap();
    assert_eq!(bench.store.last_fire("taxi/cron").await.unwrap(), Some(third));
    assert_eq!(bench.actions().await, ["schedule.registered", "schedule.fired"]);
}

pub async fn many_files_are_recorded_at_once(bench: &Bench) {
    bench.store.record_seen_files(&[]).await.unwrap();
    let mut files: Vec<SeenFile> = (0..2500).map(|number| file(&format!("{number:04}.csv"), number)).collect();
    bench.store.record_seen_files(&files).await.unwrap();
    assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap(), files);
    for file in &mut files[100..1100] {
        file.accepted = Some(Digest::of(file.path.as_bytes()));
    }
    // The same again changes nothing, and tells of nothing.
    for _ in 0..2 {
        bench.store.record_seen_files(&files).await.unwrap();
        assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap(), files);
        assert_eq!(bench.actions().await.len(), 1000);
    }
    // A path twice: the last word counts.
    let twice = [file("twice.csv", 1), file("twice.csv", 2)];
    bench.store.record_seen_files(&twice).await.unwrap();
    assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap().last(), Some(&twice[1]));
}

pub async fn files_that_are_missing_for_long_are_forgotten(bench: &Bench) {
    let (long_ago, lately) = (bench.tick(), bench.tick());
    let missing = |path: &str, since| SeenFile { missing_since: Some(since), ..file(path, 1) };
    let of_another = SeenFile { trigger: "taxi/other".to_string(), ..missing("gone.csv", long_ago) };
    let accepted = SeenFile { accepted: Some(Digest::of(b"b")), ..missing("b.csv", long_ago) };
    let kept = [file("a.csv", 1), missing("lately.csv", lately)];
    bench.store.record_seen_files(&kept).await.unwrap();
    bench.store.record_seen_files(&[accepted, missing("gone.csv", long_ago), of_another.clone()]).await.unwrap();
    assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap().len(), 4);
    bench.store.forget_seen_files("taxi/trips", long_ago).await.unwrap();
    assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap().len(), 4, "not since before that instant");
    bench.store.forget_seen_files("taxi/trips", lately).await.unwrap();
    assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap(), kept);
    assert_eq!(bench.store.seen_files("taxi/other").await.unwrap(), [of_another]);
    assert_eq!(bench.actions().await, ["file.accepted"], "forgetting changes nothing that happened");
    // Back again before it is forgotten.
    let back = SeenFile { missing_since: None, ..kept[1].clone() };
    bench.store.record_seen_files(&[back.clone()]).await.unwrap();
    bench.store.forget_seen_files("taxi/trips", bench.tick()).await.unwrap();
    assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap(), [kept[0].clone(), back]);
}
