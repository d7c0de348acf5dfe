//! The outbox: what is due, in which order, and what went wrong.

use super::bench::{Bench, LEASE};
use countersign_model::run::{Claim, RunEnd};
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{Delivery, Undelivered};
use countersign_ports::notifier::{Message, Notice};
use std::time::Duration;

fn told(bench: &Bench, claim: &Claim, channel: &str) -> Notice {
    let message = Message::RunEnded { end: RunEnd::Succeeded };
    Notice { channel: channel.to_string(), ..bench.notice(claim.run, message) }
}

fn later(bench: &Bench, seconds: u64) -> Delivery {
    Delivery::RetryAt(bench.now().plus(Duration::from_secs(seconds)), "rate limited".to_string())
}

async fn due(bench: &Bench) -> Vec<countersign_model::id::NoticeId> {
    bench.store.due_notices(10).await.unwrap().iter().map(|notice| notice.id).collect()
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

pub async fn a_retry_lets_nothing_of_its_channel_overtake(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let [first, second, other] = ["slack:#a", "slack:#a", "slack:#b"].map(|channel| {
        bench.tick();
        told(bench, &claim, channel)
    });
    let notices = [first.clone(), second.clone(), other.clone()];
    bench.store.end_run(&claim, &RunEnd::Succeeded, bench.now(), &notices).await.unwrap();
    assert_eq!(due(bench).await, [first.id, second.id, other.id]);
    bench.store.settle_notice(&first.id, &later(bench, 60)).await.unwrap();
    assert_eq!(due(bench).await, [other.id], "the second waits for the first; another channel flows");
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(due(bench).await, [first.id, second.id, other.id]);
    bench.store.settle_notice(&first.id, &later(bench, 60)).await.unwrap();
    bench.store.settle_notice(&other.id, &later(bench, 10)).await.unwrap();
    assert_eq!(due(bench).await, []);
    // Given up: nothing waits for it any more.
    bench.store.settle_notice(&first.id, &Delivery::Dead("no such channel".to_string())).await.unwrap();
    assert_eq!(due(bench).await, [second.id]);
    // A later one that is to be tried again holds back nothing that was written before it.
    let again = bench.running("penguins").await;
    let third = told(bench, &again, "slack:#a");
    bench.store.end_run(&again, &RunEnd::Succeeded, bench.now(), std::slice::from_ref(&third)).await.unwrap();
    bench.store.settle_notice(&third.id, &later(bench, 60)).await.unwrap();
    assert_eq!(due(bench).await, [second.id]);
}

pub async fn notices_are_due_in_the_order_in_which_they_were_written(bench: &Bench) {
    let claim = bench.running("taxi").await;
    let notices: Vec<Notice> = ["slack:#a", "slack:#b", "slack:#a"]
        .into_iter()
        .map(|channel| {
            bench.tick();
            told(bench, &claim, channel)
        })
        .collect();
    bench.store.end_run(&claim, &RunEnd::Succeeded, bench.now(), &notices).await.unwrap();
    // The first is tried again at a moment after which all are due.
    bench.store.settle_notice(&notices[0].id, &later(bench, 60)).await.unwrap();
    bench.clock.advance(LEASE * 2);
    assert_eq!(due(bench).await, [notices[0].id, notices[1].id, notices[2].id]);
    let page = bench.store.due_notices(2).await.unwrap();
    assert_eq!((page.len(), page[0].id, page[0].attempts), (2, notices[0].id, 1));
}

pub async fn what_failed_is_undelivered_until_it_is_delivered(bench: &Bench) {
    let claims = [bench.running("taxi").await, bench.running("penguins").await];
    let mut notices = Vec::new();
    for claim in &claims {
        bench.tick();
        let of_run = [told(bench, claim, "slack:#a"), told(bench, claim, "slack:#b")];
        bench.store.end_run(claim, &RunEnd::Succeeded, bench.now(), &of_run).await.unwrap();
        notices.extend(of_run);
    }
    let list = async |run| bench.store.undelivered(run, 10).await.unwrap();
    assert_eq!(list(None).await, [], "what was never tried did not fail");
    let at = bench.now().plus(LEASE);
    bench.store.settle_notice(&notices[0].id, &Delivery::RetryAt(at, "busy".to_string())).await.unwrap();
    bench.store.settle_notice(&notices[1].id, &Delivery::Done).await.unwrap();
    bench.store.settle_notice(&notices[3].id, &Delivery::Dead("archived".to_string())).await.unwrap();
    let failed = |notice: &Notice, next_at, problem: &str| Undelivered {
        notice: Notice { attempts: 1, ..notice.clone() },
        next_at,
        problem: Some(problem.to_string()),
    };
    let (retried, dead) = (failed(&notices[0], Some(at), "busy"), failed(&notices[3], None, "archived"));
    assert_eq!(list(None).await, [dead.clone(), retried.clone()]);
    assert_eq!(bench.store.undelivered(None, 1).await.unwrap(), [dead.clone()]);
    assert_eq!(list(Some(&claims[0].run)).await, [retried]);
    bench.store.settle_notice(&notices[0].id, &Delivery::Done).await.unwrap();
    assert_eq!(list(None).await, [dead]);
    assert_eq!(list(Some(&claims[0].run)).await, []);
}
