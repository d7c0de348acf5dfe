//! A strict double of the Web API: knows its methods only, wants the right token in the right place, keeps messages, one message a
//! second and channel if told so, and fails on request.

use crate::socket_double::SocketDouble;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

pub const BOT: &str = "xoxb-canary-bot-0001";
pub const APP: &str = "xapp-canary-app-0002";
pub const TEAM: &str = "T0TEAM";
pub const APP_ID: &str = "A0APP";

/// How a call fails.
#[derive(Debug, Clone)]
pub enum Fault {
    Status(u16),
    RateLimit(u64),
    Refuse(&'static str),
    Hang,
    /// Nothing is done and the answer breaks off.
    Reset,
    /// It is done and the answer breaks off.
    DoneThenReset,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    pub arguments: Value,
    pub at: Instant,
    /// What was answered: `ok`, an error name, or a status.
    pub answer: String,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    pub channel: String,
    pub ts: String,
    pub thread: Option<String>,
    pub text: String,
    pub blocks: Value,
    pub metadata: Value,
    pub edits: u32,
}

/// What the double keeps.
#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) calls: Vec<Call>,
    pub(crate) messages: Vec<Message>,
    pub(crate) whispers: Vec<(String, String)>,
    pub(crate) faults: HashMap<String, VecDeque<Fault>>,
    pub(crate) views: Vec<Value>,
    pub(crate) triggers: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) last_post: HashMap<String, Instant>,
    pub(crate) users: HashMap<String, Value>,
    pub(crate) groups: Value,
    pub(crate) counter: u64,
}

/// The double. Messages to one channel must lie `gap` apart; a picture is ready after so many refusals.
#[derive(Clone)]
pub struct SlackDouble {
    inner: Arc<Mutex<Inner>>,
    pub url: String,
    pub sockets: SocketDouble,
    pub(crate) gap: Duration,
    pub(crate) unready: Arc<Mutex<u32>>,
}

impl SlackDouble {
    pub async fn start(gap: Duration) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sockets = SocketDouble::start().await;
        let double = Self { inner: Arc::default(), url, sockets, gap, unready: Arc::default() };
        let router = axum::Router::new()
            .route("/api/{method}", post(call))
            .route("/upload/{file}", post(upload))
            .with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        double
    }

    pub(crate) fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub fn fail(&self, method: &str, fault: Fault) {
        self.inner().faults.entry(method.to_string()).or_default().push_back(fault);
    }

    pub fn pictures_refused(&self, times: u32) {
        *self.unready.lock().unwrap() = times;
    }

    pub fn add_user(&self, id: &str, user: Value) {
        self.inner().users.insert(id.to_string(), user);
    }

    pub fn set_groups(&self, groups: Value) {
        self.inner().groups = groups;
    }

    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.inner().calls.iter().filter(|call| call.method == method).cloned().collect()
    }

    pub fn all_calls(&self) -> Vec<Call> {
        self.inner().calls.clone()
    }

    pub fn messages(&self) -> Vec<Message> {
        self.inner().messages.clone()
    }

    pub fn whispers(&self) -> Vec<(String, String)> {
        self.inner().whispers.clone()
    }

    pub fn views(&self) -> Vec<Value> {
        self.inner().views.clone()
    }

    /// Puts a message there as if another process of ours had posted it.
    pub fn plant(&self, channel: &str, metadata: Value) -> String {
        let mut inner = self.inner();
        let ts = next_ts(&mut inner);
        let (channel, text, blocks) = (channel.to_string(), String::new(), json!([]));
        inner.messages.push(Message { channel, ts: ts.clone(), thread: None, text, blocks, metadata, edits: 0 });
        ts
    }

    pub fn delete_all(&self) {
        self.inner().messages.clear();
    }
}

pub(crate) fn next_ts(inner: &mut Inner) -> String {
    inner.counter += 1;
    format!("1795400000.{:06}", inner.counter)
}

async fn upload(State(double): State<SlackDouble>, Path(file): Path<String>, body: Bytes) -> Response {
    let fault = double.inner().faults.get_mut("upload").and_then(VecDeque::pop_front);
    if fault.is_some() || body.is_empty() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    double.inner().files.push(file);
    StatusCode::OK.into_response()
}

async fn call(
    State(double): State<SlackDouble>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_string();
    let form = header("content-type").starts_with("application/x-www-form-urlencoded");
    let arguments: Value = if form {
        form_urlencoded::parse(&body)
            .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
            .collect()
    } else {
        serde_json::from_slice(&body).unwrap_or_default()
    };
    let fault = double.inner().faults.get_mut(&method).and_then(VecDeque::pop_front);
    let token = if method == "apps.connections.open" { APP } else { BOT };
    let answer = if header("authorization") != format!("Bearer {token}") {
        Err("invalid_auth".to_string())
    } else {
        match &fault {
            Some(Fault::Refuse(error)) => Err((*error).to_string()),
            Some(Fault::Status(_) | Fault::RateLimit(_) | Fault::Hang | Fault::Reset) => Err("not done".to_string()),
            Some(Fault::DoneThenReset) | None => double.answer(&method, &arguments),
        }
    };
    let limited = matches!(&answer, Err(error) if error == "ratelimited") || matches!(fault, Some(Fault::RateLimit(_)));
    let said = match (&answer, limited) {
        (_, true) => "429".to_string(),
        (Ok(_), _) => "ok".to_string(),
        (Err(error), _) => error.clone(),
    };
    double.inner().calls.push(Call { method, arguments, at: Instant::now(), answer: said });
    match fault {
        Some(Fault::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Fault::RateLimit(seconds)) => too_many(seconds),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Reset | Fault::DoneThenReset) => broken(),
        Some(Fault::Refuse(_)) | None if limited => too_many(double.gap.as_secs().max(1)),
        Some(Fault::Refuse(_)) | None => {
            let value = match answer {
                Ok(mut value) => {
                    value["ok"] = true.into();
                    value
                }
                Err(error) => json!({ "ok": false, "error": error }),
            };
            let scopes = [("x-oauth-scopes", "chat:write,users:read,channels:read")];
            (scopes, axum::Json(value)).into_response()
        }
    }
}

fn too_many(seconds: u64) -> Response {
    let retry = [("retry-after", seconds.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, retry, axum::Json(json!({ "ok": false, "error": "ratelimited" }))).into_response()
}

/// The head of an answer, and then the connection is gone.
fn broken() -> Response {
    let start = Ok::<_, std::io::Error>(Bytes::from_static(b"{\"ok\":"));
    let end = Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    Body::from_stream(futures::stream::iter([start, end])).into_response()
}
