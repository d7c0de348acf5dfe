//! What triggers and the outbox remember.

use super::bench::{Bench, LEASE};
use countersign_model::digest::Digest;
use countersign_model::run::RunEnd;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{Delivery, SeenFile};
use countersign_ports::notifier::Message;

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

pub async fn notices_wait_until_they_are_due_and_settle_once(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let message = Message::RunEnded { end: RunEnd::Succeeded };
    let notices = [
        bench.notice(claim.run, message.clone()),
        bench.notice(claim.run, message.clone()),
        bench.notice(claim.run, message),
    ];
    bench.store.end_run(&claim, &RunEnd::Succeeded, bench.now(), &notices).await.unwrap();
    assert_eq!(bench.store.due_notices(2).await.unwrap(), notices[..2]);
    let later = bench.now().plus(LEASE);
    let retry = Delivery::RetryAt(later, "rate limited".to_string());
    bench.store.settle_notice(&notices[0].id, &retry).await.unwrap();
    bench.store.settle_notice(&notices[1].id, &Delivery::Done).await.unwrap();
    bench.store.settle_notice(&notices[2].id, &Delivery::Dead("no such channel".to_string())).await.unwrap();
    assert_eq!(bench.store.due_notices(10).await.unwrap(), []);
    bench.clock.advance(LEASE);
    let mut again = notices[0].clone();
    again.attempts = 1;
    assert_eq!(bench.store.due_notices(10).await.unwrap(), [again]);
    // A second answer to a notice that is settled changes nothing.
    bench.store.settle_notice(&notices[1].id, &Delivery::RetryAt(later, "late".to_string())).await.unwrap();
    assert_eq!(bench.store.due_notices(10).await.unwrap().len(), 1);
    let unknown = bench.notice(claim.run, Message::RunEnded { end: RunEnd::Expired }).id;
    let refused = bench.store.settle_notice(&unknown, &Delivery::Done).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "notice", .. })), "{refused:?}");
}
