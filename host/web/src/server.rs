//! What every request shares: the parts that were handed in, and how answers leave. Knows no route.

use crate::access::Session;
use crate::access::patience::Patience;
use crate::answer;
use crate::health::Health;
use crate::pages::{self, Frame};
use crate::problem::Problem;
use crate::review::Sources;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use countersign_model::secret::Secret;
use countersign_ports::{
    AccessStore, ArtifactStore, Clock, Desk, Directory, Hooks, MetadataStore, Timetable, TriggerStore, Webhook,
};
use serde::Serialize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// What the web server is made of.
pub struct WebOptions {
    /// The record.
    pub store: Arc<dyn MetadataStore>,
    /// Which pipelines are paused.
    pub triggers: Arc<dyn TriggerStore>,
    /// When schedules fire next.
    pub timetable: Arc<dyn Timetable>,
    /// Who may come in.
    pub access: Arc<dyn AccessStore>,
    /// The bytes.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// Where people act.
    pub desk: Arc<dyn Desk>,
    /// Who is who.
    pub directory: Arc<dyn Directory>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How people reach this server, without a slash at the end; forms from anywhere else are refused.
    pub public_url: String,
    /// How long a session lasts.
    pub session: Duration,
    /// Sign-in with Slack.
    pub slack_sign_in: Option<SignIn>,
    /// Second factors.
    pub second_factors: SecondFactors,
    /// Who takes what Slack sends.
    pub webhook: Option<Arc<dyn Webhook>>,
    /// Who takes what other systems send to hooks.
    pub hooks: Option<Arc<dyn Hooks>>,
    /// How the daemon is.
    pub health: HealthProbe,
}

/// Answers how the daemon is; soon, whatever is wrong with it.
pub type HealthProbe = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Health> + Send>> + Send + Sync>;

/// A person's TOTP secret in base32, by their name under `[people]`; asked at each use.
pub type SecondFactors = Arc<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

/// Sign-in with Slack: OpenID Connect.
pub struct SignIn {
    /// The Slack app's client identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// The only workspace whose members may come in: `T01…`.
    pub team: String,
    /// `https://slack.com`.
    pub api_url: String,
}

/// What every request shares.
pub struct Server {
    /// What was handed in.
    pub options: WebOptions,
    /// What view models are made from.
    pub sources: Sources,
    /// Wrong one-time codes.
    pub patience: Patience,
    /// How long a body may take to come.
    pub body_timeout: Duration,
    /// Requests to the Slack endpoint and to hooks that were too large or too slow to be judged at all, and those that a hook refused.
    pub webhook_refused: AtomicU64,
}

impl Server {
    /// Whether people reach us over https: cookies are bound to it then.
    pub fn https(&self) -> bool {
        self.options.public_url.starts_with("https://")
    }

    /// What every page shows around its content.
    pub fn frame<'a>(&'a self, session: Option<&'a Session>, notice: Option<&'a str>) -> Frame<'a> {
        Frame {
            viewer: session.map(|session| &session.viewer),
            csrf: session.map_or("", |session| session.csrf.as_str()),
            notice,
            base: "",
        }
    }

    /// The answer to a request that was not answered as it was meant. `address`: what was asked for with GET, to return to after signing in.
    pub fn excuse(&self, problem: &Problem, json: bool, address: Option<&str>) -> Response {
        let status = problem.status();
        if let (Problem::NotSignedIn, false, Some(address)) = (problem, json, address) {
            let next: String = form_urlencoded::byte_serialize(address.as_bytes()).collect();
            return answer::see_other(&format!("/sign-in?next={next}"));
        }
        let mut excuse = if json { error_document(status, problem) } else { self.error_page(status, problem) };
        match problem {
            Problem::NotSignedIn => {
                excuse.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Problem::Wait { wait } => {
                excuse.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
            }
            Problem::Refused { .. } | Problem::Failed { .. } => {}
        }
        excuse
    }

    fn error_page(&self, status: StatusCode, problem: &Problem) -> Response {
        let title = status.canonical_reason().unwrap_or("Not done");
        match pages::problem(&self.frame(None, None), status.as_u16(), title, &problem.words()) {
            Ok(html) => answer::page_with(status, html),
            Err(_) => answer::of(status, "text/plain; charset=utf-8", problem.words()),
        }
    }
}

/// `{"schema": "countersign.error/1", "data": {"message": …}}`.
fn error_document(status: StatusCode, problem: &Problem) -> Response {
    let document = ErrorDocument { message: problem.words() };
    answer::data_with(status, "error", &document)
        .unwrap_or_else(|_| answer::of(status, "application/json", "{\"schema\":\"countersign.error/1\",\"data\":{}}"))
}

/// What a program is told when something is not done.
#[derive(Serialize, schemars::JsonSchema)]
pub struct ErrorDocument {
    /// In words.
    pub message: String,
}
