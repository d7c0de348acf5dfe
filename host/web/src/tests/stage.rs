//! A server on a store in memory, with one request that waits, and everybody who may come to the door.

use crate::access::issue::{NewCredential, issue};
use crate::tests::desk::{FakeDesk, FakeDirectory, FakeHooks, FakeTimetable, FakeWebhook};
use crate::{Health, SignIn, Web, WebOptions};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use countersign_model::actor::{Actor, Identity};
use countersign_model::artifact::Artifact;
use countersign_model::decision::{Channel, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::{Evidence, Shown};
use countersign_model::secret::Secret;
use countersign_ports::access_store::CredentialKind;
use countersign_ports::metadata_store::RunFilter;
use countersign_ports::{AccessStore, MetadataStore};
use countersign_store::conformance::{Bench, Made, ManualClock, Store};
use countersign_store::{LocalArtifacts, MemoryStore};
use http_body_util::BodyExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

pub const HOME: &str = "https://sign.example.org";
/// Of RFC 6238.
pub const TOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const DAY: Duration = Duration::from_secs(86_400);

/// The stage.
pub struct Stage {
    pub bench: Bench,
    pub request: SignoffRequest,
    pub artifact: Artifact,
    pub router: Router,
    _keep: tempfile::TempDir,
}

/// What may differ from stage to stage.
#[derive(Default)]
pub struct Setting {
    pub second_factor: bool,
    pub slack: Option<String>,
    pub webhook: bool,
    pub body_timeout: Option<Duration>,
    pub problems: Vec<String>,
}

/// Somebody's credential, as they carry it.
#[derive(Clone, Default)]
pub struct Carried {
    pub headers: Vec<(&'static str, String)>,
    pub csrf: String,
}

pub fn person(name: &str) -> Actor {
    name.parse().unwrap()
}

fn identity(actor: &str, name: &str, roles: &[&str], barred: Option<&str>) -> Identity {
    Identity {
        actor: person(actor),
        person: name.to_string(),
        roles: roles.iter().map(|role| (*role).to_string()).collect(),
        barred: barred.map(str::to_string),
    }
}

fn people() -> Vec<Identity> {
    vec![
        identity("local:ada", "ada", &["owner"], None),
        identity("local:ben", "ben", &["data-scientist"], None),
        identity("local:cleo", "cleo", &["owner"], None),
        identity("slack:T01/U08", "slack:T01/U08", &[], Some("a guest")),
        identity("slack:T01/U09", "slack:T01/U09", &["slack:T01/U09"], None),
    ]
}

impl Stage {
    pub async fn new() -> Self {
        Self::set(Setting { webhook: true, ..Setting::default() }).await
    }

    pub async fn set(setting: Setting) -> Self {
        let (stage, web) = Self::with_server(setting).await;
        Self { router: web.router(), ..stage }
    }

    /// The stage, and its server to be run on a socket.
    pub async fn with_server(setting: Setting) -> (Self, Web) {
        let clock = Arc::new(ManualClock::default());
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(clock.clone()));
        let bench = Bench::new(store.clone(), clock.clone());
        let (request, artifact) = waiting(&bench, setting.second_factor).await;
        let keep = tempfile::tempdir().unwrap();
        let directory = Arc::new(FakeDirectory(people()));
        let meta: Arc<dyn MetadataStore> = store.clone();
        let slack_sign_in = setting.slack.map(|api_url| SignIn {
            client_id: "11.22".to_string(),
            client_secret: Secret::new("slack-client-secret").unwrap(),
            team: "T01".to_string(),
            api_url,
        });
        let options = WebOptions {
            store: meta.clone(),
            triggers: store.clone(),
            timetable: Arc::new(FakeTimetable),
            access: store.clone(),
            artifacts: Arc::new(LocalArtifacts::open(keep.path()).unwrap()),
            desk: Arc::new(FakeDesk::new(meta, store.clone(), directory.clone(), clock.clone())),
            directory,
            clock: clock.clone(),
            public_url: HOME.to_string(),
            session: DAY,
            slack_sign_in,
            second_factors: Arc::new(|name| Secret::new(TOTP).filter(|_| name == "cleo")),
            webhook: setting.webhook.then(|| Arc::new(FakeWebhook) as Arc<dyn countersign_ports::Webhook>),
            hooks: setting.webhook.then(|| Arc::new(FakeHooks) as Arc<dyn countersign_ports::Hooks>),
            health: Arc::new(move || {
                let health = Health { problems: setting.problems.clone(), ..Health::default() };
                Box::pin(async move { health })
            }),
        };
        let mut web = Web::new(options);
        if let Some(within) = setting.body_timeout {
            web = web.with_body_timeout(within);
        }
        (Self { bench, request, artifact, router: Router::new(), _keep: keep }, web)
    }

    /// A credential of that kind.
    pub async fn credential(&self, kind: CredentialKind, actor: &str, lifetime: Duration) -> Carried {
        let (actor, by) = (person(actor), Actor::local("operator"));
        let new = NewCredential { kind, actor: &actor, label: "test", by: &by, lifetime };
        let access: &dyn AccessStore = self.bench.store.as_ref();
        let issued = issue(access, self.bench.now(), new).await.unwrap();
        let header = match kind {
            CredentialKind::Token => ("authorization", format!("Bearer {}", issued.secret)),
            CredentialKind::Session => ("cookie", format!("__Host-countersign={}", issued.secret)),
            CredentialKind::Link => ("x-link", issued.secret),
            CredentialKind::SignIn => ("cookie", format!("__Host-countersign-sign-in={}", issued.secret)),
        };
        Carried { headers: vec![header], csrf: issued.credential.companion }
    }

    /// Somebody's session.
    pub async fn session(&self, actor: &str) -> Carried {
        self.credential(CredentialKind::Session, actor, DAY).await
    }

    pub async fn get(&self, carried: &Carried, path: &str) -> Answer {
        self.send(request(Method::GET, path, carried, None)).await
    }

    /// Posts a form with the CSRF token, as a browser does from a page of ours.
    pub async fn post(&self, carried: &Carried, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = ("csrf", carried.csrf.as_str());
        let own = (!carried.csrf.is_empty()).then_some(csrf);
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(own).extend_pairs(fields).finish();
        self.send(request(Method::POST, path, &carried.from(HOME), Some(("application/x-www-form-urlencoded", form))))
            .await
    }

    /// Posts a JSON document with the CSRF token.
    pub async fn post_json(&self, carried: &Carried, path: &str, document: &serde_json::Value) -> Answer {
        let mut carried = carried.from(HOME);
        carried.headers.push(("x-csrf-token", carried.csrf.clone()));
        self.send(request(Method::POST, path, &carried, Some(("application/json", document.to_string())))).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// Everything that a request could have changed.
    pub async fn snapshot(&self) -> String {
        let store = self.bench.store.as_ref();
        let mut credentials = Vec::new();
        for kind in [CredentialKind::Session, CredentialKind::Link, CredentialKind::Token, CredentialKind::SignIn] {
            credentials.push(store.credentials(kind, self.bench.now()).await.unwrap());
        }
        format!(
            "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{credentials:?}",
            store.audit_head().await.unwrap(),
            store.counts().await.unwrap(),
            store.paused().await.unwrap(),
            store.runs(&RunFilter::default()).await.unwrap(),
            store.requests(None, None).await.unwrap(),
            store.decisions(&self.request.id).await.unwrap(),
            store.pokes(&self.request.id).await.unwrap(),
        )
    }

    /// What was audited after entry number `after`.
    pub async fn audited_after(&self, after: i64) -> Vec<String> {
        let entries = self.bench.store.audit_entries(after, u32::MAX).await.unwrap();
        entries.into_iter().map(|entry| entry.fact.action).collect()
    }

    pub async fn audit_length(&self) -> i64 {
        self.bench.store.audit_head().await.unwrap().0
    }
}

impl Carried {
    /// As sent from a page of that site.
    pub fn from(&self, origin: &str) -> Self {
        let mut carried = self.clone();
        carried.headers.push(("origin", origin.to_string()));
        carried
    }
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The value of the cookie that it sets.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        let pairs = set.filter_map(|text| text.split(';').next()?.split_once('='));
        pairs.filter(|(found, _)| *found == name).map(|(_, value)| value.to_string()).next_back()
    }
}

pub fn request(method: Method, path: &str, carried: &Carried, body: Option<(&str, String)>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in &carried.headers {
        request = request.header(*name, value);
    }
    match body {
        None => request.body(Body::empty()),
        Some((content_type, text)) => request.header("content-type", content_type).body(Body::from(text)),
    }
    .unwrap()
}

/// A run of ada's that waits for an owner, on evidence that the page can read.
async fn waiting(bench: &Bench, second_factor: bool) -> (SignoffRequest, Artifact) {
    let claim = bench.running("taxi").await;
    let artifact = bench.step(&claim, Made::new("train", "Model", "model")).await;
    let mut request = bench.request(claim.run, "taxi", "model", 1);
    request.policy.approve_on = BTreeSet::from([Channel::Page]);
    request.policy.forbid_self_approval = true;
    request.policy.second_factor = second_factor;
    let evidence = Evidence {
        form: 1,
        pipeline: "taxi".to_string(),
        gate: "release".to_string(),
        model: Digest::of(b"model"),
        baseline: None,
        policy: request.policy.digest().unwrap(),
        artifacts: BTreeMap::new(),
        components: BTreeMap::new(),
        verdicts: BTreeMap::new(),
        findings: BTreeMap::new(),
        changes: Vec::new(),
        shown: Shown::default(),
    };
    (request.evidence, request.evidence_digest) = evidence.seal().unwrap();
    bench.store.open_request(&claim, &request, &[]).await.unwrap();
    (request, artifact)
}
