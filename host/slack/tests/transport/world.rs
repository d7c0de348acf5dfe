//! One test's world: a store in memory, a desk, the double, and our Slack between them.

use crate::desk::TestDesk;
use countersign_model::decision::{Channel, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::{Evidence, Shown, ShownMetric};
use countersign_model::finding::Verdict;
use countersign_model::id::NoticeId;
use countersign_model::secret::Secret;
use countersign_ports::notifier::{Message, Notice};
use countersign_ports::{Clock, MetadataStore, NotifyError, PostStore, Webhook, WebhookRequest};
use countersign_slack::{Slack, SlackOptions, Timing};
use countersign_slack_double::{APP, APP_ID, BOT, SlackDouble, TEAM, form, signature};
pub use countersign_slack_double::{click, submission};
use countersign_store::MemoryStore;
use countersign_store::conformance::{Bench, ManualClock};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use ulid::Ulid;

pub const SIGNING: &str = "canary-signing-secret-0003";
pub const GATES: &str = "slack:#gates";

pub struct World {
    pub double: SlackDouble,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub bench: Bench,
    pub desk: Arc<TestDesk>,
    pub slack: Slack,
    ids: AtomicU64,
}

/// Waiting times that no test waits for.
pub fn timing() -> Timing {
    Timing {
        answer: Duration::from_secs(2),
        dialog: Duration::from_secs(2),
        account: Duration::from_secs(2),
        message_gap: Duration::ZERO,
        picture: Duration::from_millis(10),
        ping: Duration::from_millis(100),
        idle: Duration::from_secs(20),
        hello: Duration::from_secs(5),
        backoff: Duration::from_millis(20),
        backoff_limit: Duration::from_millis(200),
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Duration::ZERO, timing()).await
    }

    pub async fn with(gap: Duration, timing: Timing) -> Self {
        let double = SlackDouble::start(gap).await;
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let desk = Arc::new(TestDesk {
            store: store.clone(),
            clock: clock.clone(),
            roles: [("slack:T0TEAM/U0ADA", "owner"), ("slack:T0TEAM/U0BOB", "owner")]
                .map(|(account, role)| (account.to_string(), vec![role.to_string()]))
                .into_iter()
                .collect::<BTreeMap<_, _>>()
                .into(),
            broken: AtomicBool::new(false),
            asked: AtomicU32::new(0),
        });
        let options = options(&double, store.clone(), store.clone(), clock.clone());
        let slack = Slack::with_timing(options, timing).unwrap();
        let bench = Bench::new(store.clone(), clock.clone());
        Self { double, store, clock, bench, desk, slack, ids: AtomicU64::new(1) }
    }

    /// A process that starts anew on the same record.
    pub fn restart(&mut self) {
        let options = options(&self.double, self.store.clone(), self.store.clone(), self.clock.clone());
        self.slack = Slack::with_timing(options, timing()).unwrap();
    }

    /// A run that waits at its gate for so many owners.
    pub async fn request(&self, pipeline: &str, owners: u32) -> SignoffRequest {
        let claim = self.bench.running(pipeline).await;
        let mut request = self.bench.request(claim.run, pipeline, pipeline, owners);
        let (evidence, digest) = evidence(pipeline).seal().unwrap();
        request.evidence = evidence;
        request.evidence_digest = digest;
        request.policy.approve_on = [Channel::Slack, Channel::Page].into();
        request.policy.channel = Some(GATES.to_string());
        self.store.open_request(&claim, &request, &[]).await.unwrap();
        request
    }

    pub fn notice(&self, request: &SignoffRequest, message: Message) -> Notice {
        let id = NoticeId::from_ulid(Ulid::from_parts(self.ids.fetch_add(1, Ordering::SeqCst), 99));
        let created_at = self.clock.now();
        Notice { id, run: request.run, channel: GATES.to_string(), message, created_at, attempts: 0 }
    }

    pub fn requested(&self, request: &SignoffRequest) -> Notice {
        self.notice(request, Message::SignoffRequested { request: request.id, evidence: request.evidence_digest })
    }

    pub async fn deliver(&self, notice: &Notice) -> Result<(), NotifyError> {
        self.slack.notifier().deliver(notice).await
    }

    /// Posts a request's message; its picture is there too.
    pub async fn posted(&self, request: &SignoffRequest) {
        self.deliver(&self.requested(request)).await.unwrap();
    }

    pub fn webhook(&self) -> Arc<dyn Webhook> {
        self.slack.webhook(self.desk.clone()).unwrap()
    }

    /// A payload over the signed endpoint; status and body.
    pub async fn send(&self, payload: &Value) -> (u16, Value) {
        let answer =
            self.webhook().receive(signed(&form(payload), self.clock.now().as_micros() / 1_000_000, SIGNING)).await;
        (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    /// Decisions on a request: kind, actor and whether it was late.
    pub async fn decisions(&self, request: &SignoffRequest) -> Vec<(String, String, bool)> {
        let decisions = self.store.decisions(&request.id).await.unwrap();
        let told = decisions.iter().map(|one| (one.kind.to_string(), one.actor.to_string(), one.late));
        told.collect()
    }

    pub async fn state(&self, request: &SignoffRequest) -> &'static str {
        self.store.request(&request.id).await.unwrap().unwrap().state.status()
    }
}

pub fn options(
    double: &SlackDouble,
    store: Arc<dyn MetadataStore>,
    posts: Arc<dyn PostStore>,
    clock: Arc<dyn Clock>,
) -> SlackOptions {
    SlackOptions {
        team: TEAM.to_string(),
        app: APP_ID.to_string(),
        bot_token: Secret::new(BOT).unwrap(),
        app_token: Secret::new(APP),
        signing_secret: Secret::new(SIGNING),
        api_url: format!("{}/api", double.url),
        page_url: Some("https://countersign.example.org".to_string()),
        alert_group: Duration::from_secs(3_600),
        store,
        posts,
        clock,
    }
}

pub fn evidence(model: &str) -> Evidence {
    Evidence {
        form: 1,
        pipeline: model.to_string(),
        gate: "release".to_string(),
        model: Digest::of(model.as_bytes()),
        baseline: None,
        policy: Digest::of(b"policy"),
        artifacts: BTreeMap::new(),
        components: BTreeMap::new(),
        verdicts: [("validation".to_string(), Verdict::NeedsPerson)].into(),
        findings: BTreeMap::new(),
        changes: Vec::new(),
        shown: Shown {
            metrics: vec![ShownMetric { name: "auc".to_string(), candidate: Some(0.87), baseline: Some(0.86) }],
            ..Shown::default()
        },
    }
}

/// A request as Slack signs it.
pub fn signed(body: &str, seconds: i64, secret: &str) -> WebhookRequest {
    let header = |name: &str, value: String| (name.to_string(), value.into_bytes());
    WebhookRequest {
        headers: vec![
            header("content-type", "application/x-www-form-urlencoded".to_string()),
            header("x-slack-request-timestamp", seconds.to_string()),
            header("x-slack-signature", signature(secret, seconds, body)),
        ],
        body: body.to_string().into(),
    }
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
