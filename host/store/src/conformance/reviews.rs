//! What reviewers try, what is worth a note, and the look at the whole.

use super::bench::Bench;
use countersign_model::audit;
use countersign_model::canonical;
use countersign_model::decision::DecisionKind;
use countersign_model::id::PokeId;
use countersign_model::poke::{Answer, Poke};
use countersign_model::run::RunEnd;
use countersign_ports::StoreError;
use countersign_ports::metadata_store::{AuditNote, Counts, Delivery, NoteAction};
use countersign_ports::notifier::Message;
use std::collections::BTreeMap;

pub async fn pokes_are_kept_and_audited_without_their_example(bench: &Bench) {
    let request = bench.waiting("taxi", "m").await;
    let poke = |fare: &str, live| Poke {
        id: PokeId::from_ulid(bench.ulid()),
        request: request.id,
        actor: Bench::person("ada"),
        at: bench.tick(),
        example: BTreeMap::from([
            ("fare".to_string(), fare.to_string()),
            ("company".to_string(), "é \u{202e}".to_string()),
        ]),
        candidate: Answer::Predicted {
            label: "1".to_string(),
            probabilities: vec![("0".to_string(), 0.25), ("1".to_string(), 0.75)],
        },
        live,
    };
    let first = poke("12.5", None);
    let second = poke("-1", Some(Answer::Refused { why: "it reads no negative fare".to_string() }));
    for poke in [&first, &second, &first] {
        bench.store.record_poke(poke).await.unwrap();
    }
    assert_eq!(bench.store.pokes(&request.id).await.unwrap(), [second.clone(), first.clone()]);
    let mut entries = bench.store.audit_entries(0, 100).await.unwrap();
    let entry = entries.pop().expect("there are entries").fact;
    assert_eq!(
        (entry.action.as_str(), entry.subject, entry.actor),
        ("model.poked", second.id.to_string(), second.actor.clone())
    );
    let digest = canonical::digest(&second.example).unwrap();
    assert_eq!(entry.detail, serde_json::json!({ "request": request.id, "example": digest }));
    assert_eq!(entries.iter().filter(|entry| entry.fact.action == "model.poked").count(), 1);
    for _ in 0..100 {
        bench.store.record_poke(&poke("1", None)).await.unwrap();
    }
    let newest = bench.store.pokes(&request.id).await.unwrap();
    assert!(newest.len() == 100 && !newest.contains(&second));
    let nowhere = Poke { request: bench.request(request.run, "taxi", "m", 1).id, ..poke("1", None) };
    let refused = bench.store.record_poke(&nowhere).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "request", .. })), "{refused:?}");
    assert_eq!(bench.store.pokes(&nowhere.request).await.unwrap(), []);
}

pub async fn notes_go_to_the_audit_log(bench: &Bench) {
    let at = bench.now();
    bench.tick();
    let note = AuditNote {
        at,
        actor: Bench::person("eve"),
        action: NoteAction::DecisionRefused,
        subject: "req_1".to_string(),
        detail: serde_json::json!({ "why": "no role" }),
    };
    bench.store.record_note(&note).await.unwrap();
    let entries = bench.store.audit_entries(0, 10).await.unwrap();
    audit::verify((0, audit::genesis()), &entries).unwrap();
    let fact = &entries[0].fact;
    assert_eq!((fact.at, &fact.actor, fact.action.as_str()), (at, &note.actor, "decision.refused"));
    assert_eq!((&fact.subject, &fact.detail), (&note.subject, &note.detail));
}

pub async fn the_audit_head_follows_the_log(bench: &Bench) {
    assert_eq!(bench.store.audit_head().await.unwrap(), (0, audit::genesis()));
    bench.running("taxi").await;
    let entries = bench.store.audit_entries(0, 100).await.unwrap();
    let head = audit::verify((0, audit::genesis()), &entries).unwrap();
    assert_eq!(bench.store.audit_head().await.unwrap(), head);
}

pub async fn counts_follow_what_there_is_to_do(bench: &Bench) {
    assert_eq!(bench.store.counts().await.unwrap(), Counts::default());
    let oldest = bench.waiting("taxi", "m").await;
    let newer = bench.waiting("penguins", "m").await;
    let claim = bench.running("mnist").await;
    bench.queue("mnist").await;
    bench.queue("mnist").await;
    let message = Message::RunEnded { end: RunEnd::Succeeded };
    let notices = [0; 3].map(|_| {
        bench.tick();
        bench.notice(claim.run, message.clone())
    });
    bench.store.end_run(&claim, &RunEnd::Succeeded, bench.now(), &notices).await.unwrap();
    bench.claim().await.unwrap();
    bench.pause("mnist").await;
    let counts = Counts {
        queued: 1,
        running: 1,
        waiting: 2,
        paused: 1,
        oldest_request: Some(oldest.posted_at),
        outbox_pending: 3,
        outbox_oldest: Some(notices[0].created_at),
        outbox_dead: 0,
    };
    assert_eq!(bench.store.counts().await.unwrap(), counts);
    bench.store.settle_notice(&notices[0].id, &Delivery::Dead("no such channel".to_string())).await.unwrap();
    bench.store.settle_notice(&notices[1].id, &Delivery::Done).await.unwrap();
    let later = bench.now().plus(super::bench::LEASE);
    bench.store.settle_notice(&notices[2].id, &Delivery::RetryAt(later, "busy".to_string())).await.unwrap();
    bench.store.record_decision(&bench.decision(&oldest, DecisionKind::Reject, "ada"), &[]).await.unwrap();
    bench.unpause("mnist").await;
    let counts = Counts {
        queued: 2,
        waiting: 1,
        paused: 0,
        oldest_request: Some(newer.posted_at),
        outbox_pending: 1,
        outbox_oldest: Some(notices[2].created_at),
        outbox_dead: 1,
        ..counts
    };
    assert_eq!(bench.store.counts().await.unwrap(), counts);
}
