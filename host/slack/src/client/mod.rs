//! The Web API: one call at a time, told apart into done, refused, wait and who knows. Tokens are in the Authorization header and
//! nowhere else. Knows nothing of requests and decisions.

mod files;
mod methods;
mod pace;

pub(crate) use methods::{Draft, Place};

use crate::error::SlackError;
use crate::health::HealthBook;
use crate::options::{SlackOptions, Timing, is_loopback};
use countersign_model::secret::Secret;
use countersign_ports::Clock;
use countersign_ports::failpoint::{Point, Side, reach};
use pace::Pace;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// More than any answer that we ask for; a page of users is below 1 MiB.
const ANSWER_BYTES: usize = 8 << 20;

/// The body of a call. Methods with nested arguments take JSON, the others a form.
pub(crate) enum Body {
    Json(Value),
    Form(Vec<(&'static str, String)>),
}

/// An answer and the scopes that came with it.
pub(crate) struct Answer {
    pub(crate) value: Value,
    pub(crate) scopes: Option<String>,
}

/// Calls Slack.
pub(crate) struct Client {
    http: reqwest::Client,
    api_url: String,
    bot: Secret,
    pace: Pace,
    pub(crate) timing: Timing,
    health: Arc<HealthBook>,
    clock: Arc<dyn Clock>,
}

impl Client {
    pub(crate) fn new(options: &SlackOptions, timing: Timing, health: Arc<HealthBook>) -> Result<Self, SlackError> {
        // Fails when somebody in this process installed one before: then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .timeout(timing.answer)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&options.api_url, "http") {
            // A double on this machine: no proxy, and no certificate is needed or trusted.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        Ok(Self {
            http: builder.build().map_err(|error| SlackError::HttpClient(error.without_url()))?,
            api_url: options.api_url.trim_end_matches('/').to_string(),
            bot: options.bot_token.clone(),
            pace: Pace::new(timing.message_gap),
            timing,
            health,
            clock: options.clock.clone(),
        })
    }

    /// Calls a method as the bot.
    pub(crate) async fn call(&self, method: &'static str, body: Body) -> Result<Value, SlackError> {
        Ok(self.call_as(&self.bot, method, body, self.timing.answer).await?.value)
    }

    /// Calls a method that people see something of.
    pub(crate) async fn act(&self, method: &'static str, body: Body, within: Duration) -> Result<Value, SlackError> {
        reach(Point::CallSlack, Side::Before);
        let answer = self.call_as(&self.bot, method, body, within).await?;
        reach(Point::CallSlack, Side::After);
        Ok(answer.value)
    }

    /// Calls a method with that token, within that time.
    pub(crate) async fn call_as(
        &self,
        token: &Secret,
        method: &'static str,
        body: Body,
        within: Duration,
    ) -> Result<Answer, SlackError> {
        let (lane, spaced) = lane(method, &body);
        let wait = self
            .pace
            .enter(&lane, spaced, Instant::now())
            .map_err(|retry_after_seconds| SlackError::RateLimited { method, retry_after_seconds })?;
        tokio::time::sleep(wait).await;
        let outcome = self.send(token, method, body, within).await;
        if spaced {
            self.pace.leave(&lane, Instant::now());
        }
        let now = self.clock.now();
        match &outcome {
            Ok(answer) => {
                self.health.succeeded(now);
                if let Some(id) = answer.value["channel"].as_str().filter(|_| spaced) {
                    self.pace.learn(&lane, id);
                }
            }
            Err(SlackError::RateLimited { retry_after_seconds, .. }) => {
                self.health.rate_limited();
                self.pace.shut(&lane, *retry_after_seconds, Instant::now());
            }
            Err(error) => self.health.failed(now, error.in_full()),
        }
        outcome
    }

    async fn send(
        &self,
        token: &Secret,
        method: &'static str,
        body: Body,
        within: Duration,
    ) -> Result<Answer, SlackError> {
        let request = self.http.post(format!("{}/{method}", self.api_url)).bearer_auth(token.expose()).timeout(within);
        let request = match body {
            // Slack warns about JSON without a charset, and reqwest names none.
            Body::Json(value) => request
                .header(reqwest::header::CONTENT_TYPE, "application/json; charset=utf-8")
                .body(serde_json::to_vec(&value)?),
            Body::Form(fields) => request.form(&fields),
        };
        let lost = |error: reqwest::Error| SlackError::Transport { method, source: error.without_url() };
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let scopes = header("x-oauth-scopes").map(ToString::to_string);
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            let seconds = header("retry-after").and_then(|value| value.trim().parse().ok()).unwrap_or(1);
            return Err(SlackError::RateLimited { method, retry_after_seconds: seconds });
        }
        if !status.is_success() {
            return Err(SlackError::Unreadable { method, problem: format!("status {}", status.as_u16()) });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if bytes.len() + chunk.len() > ANSWER_BYTES {
                return Err(SlackError::Unreadable { method, problem: format!("answer over {ANSWER_BYTES} bytes") });
            }
            bytes.extend_from_slice(&chunk);
        }
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|_| SlackError::Unreadable { method, problem: "the answer is no JSON".to_string() })?;
        match value["ok"].as_bool() {
            Some(true) => Ok(Answer { value, scopes }),
            Some(false) => Err(refusal(method, &value)),
            None => Err(SlackError::Unreadable { method, problem: "the answer does not say ok or not".to_string() }),
        }
    }
}

/// Slack's limits are per method; those on messages per channel.
fn lane(method: &'static str, body: &Body) -> (String, bool) {
    match body {
        Body::Json(arguments) if method == "chat.postMessage" => {
            (arguments["channel"].as_str().unwrap_or(method).to_string(), true)
        }
        Body::Json(_) | Body::Form(_) => (method.to_string(), false),
    }
}

fn refusal(method: &'static str, value: &Value) -> SlackError {
    let error = value["error"].as_str().and_then(|text| word(text, b"_"));
    let error = error.unwrap_or_else(|| "an error without a name".to_string());
    if error == "ratelimited" {
        return SlackError::RateLimited { method, retry_after_seconds: 1 };
    }
    SlackError::Refused { method, error, needed: value["needed"].as_str().and_then(|text| word(text, b"_:.,")) }
}

/// A name as Slack makes them. Anything else is not repeated: who knows what is in it.
fn word(text: &str, marks: &[u8]) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= 200;
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || marks.contains(&byte));
    (fits && plain).then(|| text.to_string())
}
