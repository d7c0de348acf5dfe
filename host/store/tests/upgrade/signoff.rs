//! What version 1 wrote, before sign-off had more than accounts: it reads back, and its open request can still be decided.

use super::old::{CAUSE, RECORDS, sqlite, ulid};
use countersign_model::actor::Actor;
use countersign_model::conditions::Conditions;
use countersign_model::deadline::Progress;
use countersign_model::decision::{DecisionKind, RequestState, SignoffRequest};
use countersign_model::finding::Verdict;
use countersign_model::id::{RequestId, RunId};
use countersign_model::policy::Standing;
use countersign_model::time::Timestamp;
use countersign_ports::notifier::Message;
use countersign_ports::{Clock, MetadataStore, StoreError};
use countersign_store::SqlStore;
use countersign_store::conformance::{Bench, ManualClock};
use std::sync::Arc;
use std::time::Duration;

const POSTED: i64 = 1_794_999_000_000_000;
/// Run 1 was approved and pushed, run 2 waits; the digests are made up.
const ROWS: &str = r#"BEGIN;
INSERT INTO pipeline_versions VALUES ('{d1}', 'taxi', '{}', 'taxi.toml', 1);
INSERT INTO pipelines VALUES ('taxi', '{d1}');
INSERT INTO events VALUES ('evt_{1}', 'taxi', '{}', 'local:ada', 'a', 1, 'run_{1}', NULL, 1);
INSERT INTO events VALUES ('evt_{2}', 'taxi', '{}', 'local:ada', 'b', 1, 'run_{2}', NULL, 1);
INSERT INTO runs (id, pipeline, pipeline_digest, event, cause, started_by, status, state, created_at, ended_at, epoch, queued_at)
    VALUES ('run_{1}', 'taxi', '{d1}', 'evt_{1}', '{cause}', 'local:ada', 'succeeded',
        '{"status":"ended","end":{"end":"succeeded"}}', 1, 2, 1, 1);
INSERT INTO runs (id, pipeline, pipeline_digest, event, cause, started_by, status, state, created_at, epoch, queued_at)
    VALUES ('run_{2}', 'taxi', '{d1}', 'evt_{2}', '{cause}', 'local:ada', 'waiting',
        '{"status":"waiting","request":"req_{2}"}', 1, 1, 1);
INSERT INTO requests VALUES ('req_{1}', 'run_{1}', 'taxi', 'release', '{policy}', '{"model":"m1"}', '{d2}', '{d3}',
    'approved', '{"status":"approved"}', {posted}, {posted});
INSERT INTO requests VALUES ('req_{2}', 'run_{2}', 'taxi', 'release', '{policy}', '{"model":"m2"}', '{d4}', '{d5}',
    'open', '{"status":"open"}', {posted}, NULL);
INSERT INTO decisions VALUES ('dec_{1}', 'req_{1}', 0, 'approve', 'local:grace', '["owner"]', 'terminal', 'seen', '{d2}', 0, {posted});
INSERT INTO pushes VALUES ('psh_{1}', 'run_{1}', 'taxi', '{d3}', 'models/taxi', 'req_{1}', {posted}, {posted});
INSERT INTO outbox VALUES ('ntc_{1}', 'run_{1}', 'slack:#a',
    '{"about":"decision-recorded","decision":{"id":"dec_{1}","request":"req_{1}","kind":"approve","actor":"local:grace","roles":["owner"],"channel":"terminal","reason":"seen","evidence_digest":"{d2}","late":false,"at":"{at}"}}',
    {posted}, 0, 'pending', {posted}, NULL);
INSERT INTO outbox VALUES ('ntc_{2}', 'run_{1}', 'slack:#a',
    '{"about":"pushed","push":{"id":"psh_{1}","run":"run_{1}","pipeline":"taxi","model":"{d3}","target":"models/taxi","request":"req_{1}","begun_at":"{at}","completed_at":"{at}"}}',
    {posted}, 2, 'dead', {posted}, 'no such channel');
INSERT INTO outbox VALUES ('ntc_{3}', 'run_{2}', 'slack:#a',
    '{"about":"signoff-requested","request":"req_{2}","evidence":"{d4}"}', {posted}, 0, 'pending', {posted}, NULL);
COMMIT;"#;
const POLICY: &str = r#"{"approvers":[{"role":"owner","count":1}],"approve_on":["terminal"],"forbid_self_approval":true,"expire":{"after_seconds":3600,"then":"reject"}}"#;

async fn upgraded() -> (Arc<SqlStore>, Bench, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("record.sqlite");
    let at = Timestamp::from_micros(POSTED).to_string();
    let rows = ROWS.replace("{policy}", POLICY).replace("{cause}", CAUSE);
    let rows = rows.replace("{posted}", &POSTED.to_string()).replace("{at}", &at);
    sqlite(&path, &[RECORDS], &rows).await;
    let clock = Arc::new(ManualClock::default());
    // Twice: what is up to date is left alone.
    SqlStore::sqlite(&path, clock.clone()).await.unwrap().close().await.unwrap();
    let store = Arc::new(SqlStore::sqlite(&path, clock.clone()).await.unwrap());
    (store.clone(), Bench::new(store, clock), directory)
}

async fn request(store: &SqlStore, number: u32) -> SignoffRequest {
    let id: RequestId = format!("req_{}", ulid(number)).parse().unwrap();
    store.request(&id).await.unwrap().expect("the request is there")
}

#[tokio::test]
async fn what_an_older_version_wrote_reads_back() {
    let (store, _, _directory) = upgraded().await;
    let (approved, open) = (request(&store, 1).await, request(&store, 2).await);
    assert_eq!((&approved.state, &open.state), (&RequestState::Approved, &RequestState::Open));
    for request in [&approved, &open] {
        assert_eq!((request.verdict, request.progress), (Verdict::NeedsPerson, Progress::default()));
        assert!(request.nonce.len() == 32 && request.nonce.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(serde_json::to_string(&request.policy).unwrap(), POLICY, "its digest is the one that was approved");
    }
    assert_ne!(approved.nonce, open.nonce);
    let decisions = store.decisions(&approved.id).await.unwrap();
    let grace = Actor::local("grace");
    assert_eq!((&decisions[0].actor, decisions[0].person.as_str()), (&grace, grace.as_str()));
    assert_eq!((&decisions[0].envelope, decisions[0].second_factor), (&None, false));
    assert!(decisions[0].conditions.is_empty());
    let live = store.live_at("taxi", Timestamp::from_micros(POSTED)).await.unwrap().expect("it was pushed");
    assert_eq!((live.model, live.conditions), (approved.model_digest, Conditions::default()));
    // Notices that quote an older decision and an older push.
    let notices = store.due_notices(10).await.unwrap();
    assert_eq!(notices.len(), 2);
    assert_eq!(notices[0].message, Message::DecisionRecorded { decision: decisions[0].clone() });
    let undelivered = store.undelivered(None, 10).await.unwrap();
    assert!(matches!(&undelivered[0].notice.message, Message::Pushed { push } if push.id == live.id));
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.waiting, counts.outbox_pending, counts.outbox_dead), (1, 2, 1));
    assert_eq!(counts.oldest_request, Some(open.posted_at));
}

#[tokio::test]
async fn an_older_open_request_falls_due() {
    let (store, _, _directory) = upgraded().await;
    let open = request(&store, 2).await;
    let deadline = open.posted_at.plus(Duration::from_secs(3600));
    let before = Timestamp::from_micros(deadline.as_micros() - 1);
    assert_eq!(store.due_requests(before, 10).await.unwrap(), []);
    assert_eq!(store.due_requests(deadline, 10).await.unwrap(), [open]);
}

#[tokio::test]
async fn an_older_open_request_can_be_decided() -> Result<(), StoreError> {
    let (store, bench, _directory) = upgraded().await;
    let open = request(&store, 2).await;
    let decision = bench.decision(&open, DecisionKind::Approve, "grace");
    let recorded = store.record_decision(&decision, &[]).await?;
    assert_eq!((recorded.standing, recorded.request.state), (Standing::Approved, RequestState::Approved));
    assert_eq!(store.decisions(&open.id).await?, [decision]);
    let run: RunId = format!("run_{}", ulid(2)).parse().unwrap();
    assert_eq!(bench.status(&run).await, "queued");
    assert_eq!(store.due_requests(bench.clock.now().plus(Duration::from_secs(1_000_000)), 10).await?, []);
    Ok(())
}
