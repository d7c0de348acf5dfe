//! The double itself: what it keeps and what a test can do to it.

use crate::server;
use crate::sockets::SocketDouble;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How one call fails.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing is done; this status is answered.
    Status(u16),
    /// Nothing is done; 429 with so many seconds of `Retry-After`.
    RateLimit(u64),
    /// Nothing is done; `ok: false` with that error.
    Refuse(&'static str),
    /// Nothing is done and nothing is answered.
    Hang,
    /// Nothing is done and the answer breaks off.
    Reset,
    /// It is done and the answer breaks off.
    DoneThenReset,
}

/// How every call fails for as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens: connections are refused, and those that were open break.
    Down,
    /// Every call is answered with that status.
    Status(u16),
    /// No call is answered.
    Hang,
    /// Every answer breaks off.
    Reset,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Its arguments.
    pub arguments: Value,
    /// When it was answered.
    pub at: Instant,
    /// What was answered: `ok`, an error's name, or a status.
    pub answer: String,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    /// The channel's identifier.
    pub channel: String,
    /// Its identifier within the channel.
    pub ts: String,
    /// The message that it answers.
    pub thread: Option<String>,
    /// Its fallback.
    pub text: String,
    /// Its blocks as they are now.
    pub blocks: Value,
    /// Its metadata as it is now.
    pub metadata: Value,
    /// How often it was edited.
    pub edits: u32,
}

/// A dialog that was opened.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) trigger: String,
    pub(crate) view: Value,
}

/// What the double keeps.
pub(crate) struct Inner {
    pub(crate) calls: Vec<Call>,
    pub(crate) messages: Vec<Message>,
    pub(crate) whispers: Vec<(String, String)>,
    pub(crate) faults: HashMap<String, VecDeque<Fault>>,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) views: Vec<View>,
    /// Triggers that clicks on this double made, and when: they live three seconds.
    pub(crate) made_triggers: HashMap<String, Instant>,
    pub(crate) used_triggers: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) unready: u32,
    pub(crate) last_post: HashMap<String, Instant>,
    pub(crate) users: HashMap<String, Value>,
    pub(crate) groups: Value,
    pub(crate) scopes: String,
    pub(crate) counter: u64,
    serving: Option<JoinHandle<()>>,
}

/// The double. Cheap to clone: all clones are one.
#[derive(Clone)]
pub struct SlackDouble {
    inner: Arc<Mutex<Inner>>,
    /// `http://127.0.0.1:…`; the Web API lies below `/api`.
    pub url: String,
    /// Socket Mode.
    pub sockets: SocketDouble,
    pub(crate) gap: Duration,
    runtime: Handle,
}

impl SlackDouble {
    /// Starts on the runtime of whoever calls. Messages to one channel must lie `gap` apart.
    pub async fn start(gap: Duration) -> Self {
        let sockets = SocketDouble::start().await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free address");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let inner = Inner {
            calls: Vec::new(),
            messages: Vec::new(),
            whispers: Vec::new(),
            faults: HashMap::new(),
            trouble: None,
            views: Vec::new(),
            made_triggers: HashMap::new(),
            used_triggers: Vec::new(),
            files: Vec::new(),
            unready: 0,
            last_post: HashMap::new(),
            users: HashMap::new(),
            groups: json!([]),
            scopes: "chat:write,users:read,channels:read".to_string(),
            counter: 0,
            serving: None,
        };
        let double = Self { inner: Arc::new(Mutex::new(inner)), url, sockets, gap, runtime: Handle::current() };
        double.serve(listener);
        double
    }

    fn serve(&self, listener: std::net::TcpListener) {
        let double = self.clone();
        let serving = self.runtime.spawn(async move {
            listener.set_nonblocking(true).expect("a socket that does not block");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket of this runtime");
            axum::serve(listener, server::router(double)).await.expect("the double serves");
        });
        self.inner().serving = Some(serving);
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panicked while holding the double")
    }

    /// The next call of `method` fails so. A second fault waits for the call after that.
    pub fn fail(&self, method: &str, fault: Fault) {
        self.inner().faults.entry(method.to_string()).or_default().push_back(fault);
    }

    /// Every call fails from now on; with none, all is well again.
    pub fn trouble(&self, trouble: Option<Trouble>) {
        let before = std::mem::replace(&mut self.inner().trouble, trouble);
        if trouble == Some(Trouble::Down) {
            if let Some(serving) = self.inner().serving.take() {
                serving.abort();
            }
            self.sockets.refuse(true);
        } else if before == Some(Trouble::Down) {
            self.sockets.refuse(false);
            self.serve(self.rebind());
        }
    }

    /// The address that was given up; the socket of the task that was stopped may take a moment to close.
    fn rebind(&self) -> std::net::TcpListener {
        let address: SocketAddr = self.url.trim_start_matches("http://").parse().expect("our own address");
        for _ in 0..500 {
            if let Ok(listener) = std::net::TcpListener::bind(address) {
                return listener;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{address} stays taken");
    }

    /// So many messages that show a picture are refused, as if it were not ready.
    pub fn pictures_refused(&self, times: u32) {
        self.inner().unready = times;
    }

    /// Makes an account known, or changes it.
    pub fn add_user(&self, id: &str, user: Value) {
        self.inner().users.insert(id.to_string(), user);
    }

    /// The user groups.
    pub fn set_groups(&self, groups: Value) {
        self.inner().groups = groups;
    }

    /// The bot token's scopes, comma separated.
    pub fn set_scopes(&self, scopes: &str) {
        self.inner().scopes = scopes.to_string();
    }

    /// Calls of a method, oldest first.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.inner().calls.iter().filter(|call| call.method == method).cloned().collect()
    }

    /// Every call.
    pub fn all_calls(&self) -> Vec<Call> {
        self.inner().calls.clone()
    }

    /// Every message, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.inner().messages.clone()
    }

    /// Who was told something in private, and the blocks.
    pub fn whispers(&self) -> Vec<(String, String)> {
        self.inner().whispers.clone()
    }

    /// Every dialog that was opened.
    pub fn views(&self) -> Vec<Value> {
        self.inner().views.iter().map(|opened| opened.view.clone()).collect()
    }

    /// Puts a message there as if another process of the same app had posted it.
    pub fn plant(&self, channel: &str, metadata: Value) -> String {
        let mut inner = self.inner();
        let ts = next_ts(&mut inner);
        let (channel, text, blocks) = (channel.to_string(), String::new(), json!([]));
        inner.messages.push(Message { channel, ts: ts.clone(), thread: None, text, blocks, metadata, edits: 0 });
        ts
    }

    /// Somebody deletes every message.
    pub fn delete_all(&self) {
        self.inner().messages.clear();
    }
}

pub(crate) fn next_ts(inner: &mut Inner) -> String {
    inner.counter += 1;
    format!("1795400000.{:06}", inner.counter)
}
