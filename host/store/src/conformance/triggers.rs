//! What triggers remember.

use super::bench::Bench;
use countersign_model::digest::Digest;
use countersign_ports::metadata_store::SeenFile;

pub async fn triggers_remember_fires_and_files(bench: &Bench) {
    let (early, late) = (bench.tick(), bench.tick());
    assert_eq!(bench.store.last_fire("taxi/cron").await.unwrap(), None);
    for at in [early, late, early, late] {
        bench.store.record_fire("taxi/cron", at).await.unwrap();
    }
    assert_eq!(bench.store.last_fire("taxi/cron").await.unwrap(), Some(late));
    assert_eq!(bench.store.last_fire("other/cron").await.unwrap(), None);

    let file = |path: &str, bytes| SeenFile {
        trigger: "taxi/trips".to_string(),
        path: path.to_string(),
        bytes,
        modified: 17,
        stable_since: early,
        accepted: None,
    };
    bench.store.record_seen_file(&file("b.csv", 1)).await.unwrap();
    bench.store.record_seen_file(&file("a.csv", 1)).await.unwrap();
    let grown = SeenFile { accepted: Some(Digest::of(b"b")), ..file("b.csv", 2) };
    bench.store.record_seen_file(&grown).await.unwrap();
    bench.store.record_seen_file(&grown).await.unwrap();
    assert_eq!(bench.store.seen_files("taxi/trips").await.unwrap(), [file("a.csv", 1), grown]);
    assert_eq!(bench.store.seen_files("taxi/other").await.unwrap(), []);
    assert_eq!(bench.actions().await, ["schedule.fired", "schedule.fired", "file.accepted"]);
}
