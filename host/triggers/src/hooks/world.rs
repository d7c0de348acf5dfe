//! Hooks over a store in memory, and what is sent to them.

use super::{HookAuth, HookOptions, HookService};
use countersign_model::actor::Actor;
use countersign_model::digest::Digest;
use countersign_model::event::{Event, EventOutcome};
use countersign_model::pipeline::{Overlap, Pipeline, PipelineVersion, Ready, Source, Trigger};
use countersign_model::secret::Secret;
use countersign_model::time::Timestamp;
use countersign_ports::{Clock as _, Hooks as _, IdSource, MetadataStore, WebhookRequest};
use countersign_store::MemoryStore;
use countersign_store::conformance::ManualClock;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::Notify;
use ulid::Ulid;

pub const SECRET: &str = "a secret of some length";

#[derive(Default)]
struct Counter(AtomicU64);

impl IdSource for Counter {
    fn ulid(&self) -> Ulid {
        Ulid::from_parts(1, u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Hooks `orders` (a token), `signed` (HMAC), `idle` (nobody listens), and pipelines that listen to the first two.
pub struct World {
    pub store: Arc<dyn MetadataStore>,
    pub clock: Arc<ManualClock>,
    pub look: Arc<Notify>,
    pub work: Arc<Notify>,
    pub service: HookService,
}

impl World {
    pub async fn new() -> Self {
        let http = vec!["orders".to_string(), "signed".to_string()];
        let skip = Trigger { http: http.clone(), overlap: Overlap::Skip, ..Trigger::default() };
        let arrival = Trigger { arrival: vec!["trips".to_string(), "taxis".to_string()], ..Trigger::default() };
        let source = |path: &str, ready| Source { path: path.to_string(), settle_seconds: 0, ready };
        let sources = [
            ("trips".to_string(), source("s3://data/trips/{YYYY}-{MM}-{DD}.csv", Ready::Settled)),
            ("taxis".to_string(), source("s3://data/taxis/{SPAN}.csv", Ready::Marker("_SUCCESS".to_string()))),
        ];
        let listening = Trigger { http, priority: 7, ..Trigger::default() };
        let versions = vec![
            version("a", listening, BTreeMap::new()),
            version("b", skip, BTreeMap::new()),
            version("files", arrival, sources.into()),
        ];
        Self::with(versions.clone(), &versions).await
    }

    pub async fn with(versions: Vec<PipelineVersion>, registered: &[PipelineVersion]) -> Self {
        let clock = Arc::new(ManualClock::default());
        let store: Arc<dyn MetadataStore> = Arc::new(MemoryStore::new(clock.clone()));
        for version in registered {
            store.register_pipeline(version, &Actor::local("ada")).await.unwrap();
        }
        let secret = || Secret::new(SECRET).unwrap();
        let hooks = move |name: &str| match name {
            "orders" | "idle" => Some(HookAuth::Token(secret())),
            "signed" => Some(HookAuth::Hmac(secret())),
            _ => None,
        };
        let (look, work) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let service = HookService::new(HookOptions {
            store: store.clone(),
            clock: clock.clone(),
            ids: Arc::new(Counter::default()),
            pipelines: Arc::new(RwLock::new(versions)),
            hooks: Arc::new(hooks),
            look: look.clone(),
            work: work.clone(),
        });
        Self { store, clock, look, work, service }
    }

    pub fn now(&self) -> i64 {
        self.clock.now().as_micros().div_euclid(1_000_000)
    }

    pub async fn send(&self, hook: &str, request: &WebhookRequest) -> (u16, Value) {
        let answer = self.service.receive(hook, request.clone()).await;
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    /// Sends to `orders` and answers the outcomes, in words.
    pub async fn outcomes(&self, request: &WebhookRequest) -> Vec<String> {
        let (status, body) = self.send("orders", request).await;
        assert_eq!(status, 202, "{body}");
        let events = body["data"]["events"].as_array().unwrap();
        let told =
            |event: &Value| format!("{} {}", event["pipeline"].as_str().unwrap(), event["outcome"].as_str().unwrap());
        events.iter().map(told).collect()
    }

    pub async fn events(&self) -> Vec<(Event, EventOutcome)> {
        self.store.events(None, 10_000).await.unwrap()
    }

    pub async fn audited(&self, action: &str) -> Vec<Value> {
        let entries = self.store.audit_entries(0, u32::MAX).await.unwrap();
        let named = entries.into_iter().filter(|entry| entry.fact.action == action);
        named.map(|entry| serde_json::to_value(&entry.fact).unwrap()).collect()
    }

    /// Whether somebody was notified since the last time.
    pub async fn notified(notify: &Notify) -> bool {
        tokio::time::timeout(Duration::ZERO, notify.notified()).await.is_ok()
    }
}

pub fn version(name: &str, trigger: Trigger, sources: BTreeMap<String, Source>) -> PipelineVersion {
    let pipeline = Pipeline { name: name.into(), description: String::new(), trigger, sources, steps: Vec::new() };
    PipelineVersion {
        name: name.into(),
        digest: Digest::of(name.as_bytes()),
        pipeline,
        origin: format!("{name}.toml"),
        created_at: Timestamp::from_micros(0),
    }
}

pub fn request(headers: &[(&str, &str)], body: &str) -> WebhookRequest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_string(), value.as_bytes().to_vec())).collect();
    WebhookRequest { headers, body: body.to_string().into() }
}

/// With the right token.
pub fn known(headers: &[(&str, &str)], body: &str) -> WebhookRequest {
    let bearer = format!("Bearer {SECRET}");
    request(&[headers, &[("authorization", bearer.as_str())]].concat(), body)
}
