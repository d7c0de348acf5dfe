//! Duties that one daemon at a time has.

use super::bench::{Bench, LEASE};
use countersign_ports::lease_store::Held;
use std::time::Duration;

pub async fn a_duty_has_one_holder(bench: &Bench) {
    let (one, other) = (bench.worker(), bench.worker());
    assert!(bench.store.hold("slack", &one, LEASE).await.unwrap());
    assert!(!bench.store.hold("slack", &other, LEASE).await.unwrap());
    assert!(bench.store.hold("outbox", &other, LEASE).await.unwrap(), "another duty is another's");
    let held = |name: &str, owner| Held { name: name.to_string(), owner, until: bench.now().plus(LEASE) };
    assert_eq!(bench.store.held().await.unwrap(), [held("outbox", other), held("slack", one)]);
    assert_eq!(bench.actions().await, [""; 0], "who holds a duty is no fact of the record");
}

pub async fn of_many_who_take_a_duty_one_gets_it(bench: &Bench) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (store, owner) = (bench.store.clone(), bench.worker());
        tasks.spawn(async move { store.hold("slack", &owner, LEASE).await.unwrap().then_some(owner) });
    }
    let holders: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let held: Vec<_> = bench.store.held().await.unwrap().into_iter().map(|held| held.owner).collect();
    assert_eq!((holders.len(), held), (1, holders));
}

pub async fn a_holder_that_extends_keeps_its_duty(bench: &Bench) {
    let (one, other) = (bench.worker(), bench.worker());
    for _ in 0..4 {
        assert!(bench.store.hold("slack", &one, LEASE).await.unwrap());
        bench.clock.advance(LEASE - Duration::from_micros(1));
        assert!(!bench.store.hold("slack", &other, LEASE).await.unwrap());
    }
    // Late, but nobody took it meanwhile.
    bench.clock.advance(LEASE);
    assert_eq!(bench.store.held().await.unwrap(), []);
    assert!(bench.store.hold("slack", &one, LEASE).await.unwrap());
}

pub async fn a_duty_is_taken_over_when_its_lease_ran_out(bench: &Bench) {
    let (one, other) = (bench.worker(), bench.worker());
    assert!(bench.store.hold("slack", &one, LEASE).await.unwrap());
    bench.clock.advance(LEASE);
    assert!(bench.store.hold("slack", &other, LEASE).await.unwrap());
    assert!(!bench.store.hold("slack", &one, LEASE).await.unwrap());
    assert_eq!(bench.store.held().await.unwrap()[0].owner, other);
}

pub async fn a_duty_that_was_let_go_is_free(bench: &Bench) {
    let (one, other) = (bench.worker(), bench.worker());
    assert!(bench.store.hold("slack", &one, LEASE).await.unwrap());
    bench.store.let_go("slack", &one).await.unwrap();
    bench.store.let_go("slack", &one).await.unwrap();
    assert_eq!(bench.store.held().await.unwrap(), []);
    assert!(bench.store.hold("slack", &other, LEASE).await.unwrap());
}

pub async fn a_stale_holder_can_not_let_go_of_what_another_has(bench: &Bench) {
    let (one, other) = (bench.worker(), bench.worker());
    assert!(bench.store.hold("slack", &one, LEASE).await.unwrap());
    bench.clock.advance(LEASE);
    assert!(bench.store.hold("slack", &other, LEASE).await.unwrap());
    bench.store.let_go("slack", &one).await.unwrap();
    bench.store.let_go("outbox", &other).await.unwrap();
    assert_eq!(bench.store.held().await.unwrap()[0].owner, other);
    assert!(!bench.store.hold("slack", &one, LEASE).await.unwrap());
}
