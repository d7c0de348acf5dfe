//! A double of Slack's OpenID Connect, strict: it answers a code once, to the right client, with the right redirect, and the nonce with which
//! the sign-in was begun.

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What it says; each test bends one thing.
#[derive(Clone)]
pub struct Account {
    pub team: String,
    pub user: String,
    pub claims: BTreeMap<&'static str, Value>,
    pub info: BTreeMap<&'static str, Value>,
}

#[derive(Default)]
struct Known {
    /// Code to nonce and account.
    codes: BTreeMap<String, (String, Account)>,
    /// Access token to account.
    tokens: BTreeMap<String, Account>,
}

/// The double.
#[derive(Clone)]
pub struct SlackDouble {
    pub url: String,
    known: Arc<Mutex<Known>>,
}

impl SlackDouble {
    pub async fn start() -> Self {
        let known: Arc<Mutex<Known>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/api/openid.connect.token", post(token))
            .route("/api/openid.connect.userInfo", post(info))
            .with_state(known.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, known }
    }

    /// Somebody says yes at Slack: the code that the browser is sent back with.
    pub fn allow(&self, nonce: &str, account: Account) -> String {
        let mut known = self.known.lock().unwrap();
        let code = format!("code-{}", known.codes.len());
        known.codes.insert(code.clone(), (nonce.to_string(), account));
        code
    }
}

pub fn account(team: &str, user: &str) -> Account {
    Account { team: team.to_string(), user: user.to_string(), claims: BTreeMap::new(), info: BTreeMap::new() }
}

fn answer(document: &Value) -> String {
    document.to_string()
}

fn refused(error: &str) -> String {
    answer(&json!({ "ok": false, "error": error }))
}

async fn token(State(known): State<Arc<Mutex<Known>>>, request: Request) -> String {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let right = [
        ("grant_type", "authorization_code"),
        ("client_id", "11.22"),
        ("client_secret", "slack-client-secret"),
        ("redirect_uri", "https://sign.example.org/sign-in/slack/callback"),
    ];
    if form.len() != 5 || right.iter().any(|(name, value)| form.get(*name).map(String::as_str) != Some(*value)) {
        return refused("invalid_arguments");
    }
    let mut known = known.lock().unwrap();
    let Some((nonce, account)) = form.get("code").and_then(|code| known.codes.remove(code)) else {
        return refused("invalid_code");
    };
    let mut claims = json!({
        "iss": "https://slack.com", "aud": "11.22", "sub": account.user, "exp": 4_000_000_000_i64, "nonce": nonce,
        "https://slack.com/team_id": account.team,
    });
    for (name, value) in &account.claims {
        claims[*name] = value.clone();
    }
    let part = |document: &Value| URL_SAFE_NO_PAD.encode(document.to_string());
    let id_token = format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "RS256" })), part(&claims));
    let access = format!("xoxp-{}", known.tokens.len());
    known.tokens.insert(access.clone(), account);
    answer(&json!({ "ok": true, "access_token": access, "token_type": "Bearer", "id_token": id_token }))
}

async fn info(State(known): State<Arc<Mutex<Known>>>, request: Request) -> String {
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let known = known.lock().unwrap();
    let Some(account) = bearer.and_then(|token| known.tokens.get(token)) else { return refused("invalid_auth") };
    let mut info = json!({
        "ok": true, "sub": account.user, "https://slack.com/team_id": account.team, "https://slack.com/user_id": account.user,
        "email": "ada@example.org", "email_verified": true,
    });
    for (name, value) in &account.info {
        info[*name] = value.clone();
    }
    answer(&info)
}
