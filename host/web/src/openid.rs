//! Slack's OpenID Connect, as far as signing in needs it: where to send people, and who came back.
//!
//! The ID token comes straight from the token endpoint over TLS, so its signature need not be checked (OpenID Connect Core 3.1.3.7, 6);
//! its issuer, audience, expiry and nonce are, and the user info has to be about the same account.

use crate::problem::Problem;
use crate::server::SignIn;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::actor::Actor;
use countersign_model::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

const ISSUER: &str = "https://slack.com";
const LARGEST_ANSWER: usize = 64 << 10;

/// Slack's OpenID Connect for one app.
pub struct OpenId<'a> {
    sign_in: &'a SignIn,
    base: &'a str,
    redirect: String,
}

/// A sign-in under way.
pub struct Started<'a> {
    /// Comes back in the address.
    pub state: &'a str,
    /// Comes back in the ID token.
    pub nonce: &'a str,
}

#[derive(Deserialize)]
struct TokenAnswer {
    ok: bool,
    error: Option<String>,
    access_token: Option<String>,
    id_token: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    nonce: Option<String>,
    #[serde(rename = "https://slack.com/team_id")]
    team: String,
}

#[derive(Deserialize)]
struct UserInfo {
    ok: bool,
    error: Option<String>,
    sub: Option<String>,
    #[serde(rename = "https://slack.com/team_id")]
    team: Option<String>,
    #[serde(rename = "https://slack.com/user_id")]
    user: Option<String>,
}

impl<'a> OpenId<'a> {
    /// For the app in `sign_in`, with people coming back to `public_url`.
    pub fn new(sign_in: &'a SignIn, public_url: &str) -> Self {
        // The Web API's address, `https://slack.com/api`, serves as well.
        let base = sign_in.api_url.trim_end_matches('/').trim_end_matches("/api");
        Self { sign_in, base, redirect: format!("{}/sign-in/slack/callback", public_url.trim_end_matches('/')) }
    }

    /// Where to send somebody.
    pub fn authorize_url(&self, started: &Started<'_>) -> String {
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("scope", "openid email profile"),
                ("client_id", &self.sign_in.client_id),
                ("team", &self.sign_in.team),
                ("state", started.state),
                ("nonce", started.nonce),
                ("redirect_uri", &self.redirect),
            ])
            .finish();
        format!("{}/openid/connect/authorize?{query}", self.base)
    }

    /// The account that came back with `code`, a member of our team.
    ///
    /// # Errors
    /// When Slack does not answer, or answers anything but a member of our team for this very sign-in.
    pub async fn account(&self, code: &str, nonce: &str, now: Timestamp) -> Result<Actor, Problem> {
        let http = client()?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.sign_in.client_id),
            ("client_secret", self.sign_in.client_secret.expose()),
            ("redirect_uri", &self.redirect),
        ];
        let token: TokenAnswer = read(http.post(format!("{}/api/openid.connect.token", self.base)).form(&form)).await?;
        let (Some(access), Some(id_token), true) = (token.access_token, token.id_token, token.ok) else {
            return Err(slack_says(token.error.as_deref()));
        };
        let claims = self.claims(&id_token, nonce, now)?;
        let address = format!("{}/api/openid.connect.userInfo", self.base);
        let info: UserInfo = read(http.post(address).bearer_auth(access)).await?;
        let (Some(sub), Some(team), Some(user), true) = (info.sub, info.team, info.user, info.ok) else {
            return Err(slack_says(info.error.as_deref()));
        };
        let plain = |id: &str| !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if sub != claims.sub || team != claims.team || !plain(&user) || !plain(&team) {
            return Err(Problem::upstream("Slack spoke of two different accounts: begin again"));
        }
        if team != self.sign_in.team {
            return Err(Problem::forbidden("that account belongs to another Slack workspace"));
        }
        Ok(Actor::slack(&team, &user))
    }

    pub(crate) fn claims(&self, id_token: &str, nonce: &str, now: Timestamp) -> Result<Claims, Problem> {
        let wrong =
            |what: &str| Problem::upstream(format!("what Slack sent does not fit this sign-in ({what}): begin again"));
        let payload =
            id_token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
        let claims: Option<Claims> = payload.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let claims = claims.ok_or_else(|| wrong("ID token"))?;
        if claims.iss != ISSUER {
            return Err(wrong("issuer"));
        }
        if claims.aud != self.sign_in.client_id {
            return Err(wrong("audience"));
        }
        if claims.exp.saturating_mul(1_000_000) <= now.as_micros() {
            return Err(wrong("expiry"));
        }
        if !claims.nonce.as_deref().is_some_and(|given| crate::access::random::same(given, nonce)) {
            return Err(wrong("nonce"));
        }
        Ok(claims)
    }
}

fn slack_says(error: Option<&str>) -> Problem {
    let error: String = error.unwrap_or("no reason given").chars().take(60).collect();
    Problem::upstream(format!("Slack refused the sign-in ({error}): begin again"))
}

fn client() -> Result<reqwest::Client, Problem> {
    // Another house may have chosen the very same provider before; both are ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Problem::failed("set up a connection to Slack", error.without_url()))
}

/// Sends, and reads a bounded JSON answer. Errors never carry the request: it holds secrets.
async fn read<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, Problem> {
    let silent = |error: reqwest::Error| {
        tracing::warn!(error = %error.without_url(), "Slack did not answer a sign-in");
        Problem::upstream("Slack does not answer: try again, or ask for a one-time link")
    };
    let mut answer = request.send().await.map_err(silent)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(silent)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LARGEST_ANSWER {
            return Err(Problem::upstream("Slack answered more than belongs to a sign-in"));
        }
    }
    serde_json::from_slice(&bytes).map_err(|_| Problem::upstream("Slack answered something that is not read here"))
}
