//! The web server with the reviewer's pages.

use super::{Installation, slack};
use crate::context::Context;
use crate::system::SystemClock;
use anyhow::Context as _;
use countersign_model::actor::Actor;
use countersign_ports::{AccessStore, Desk, Hooks, Webhook};
use countersign_web::numbers::{Family, Kind};
use countersign_web::{Health, HealthProbe, SignIn, SlackHealth, WebOptions, issue_link, issue_token};
pub use countersign_web::{Web, numbers};
use std::sync::Arc;
use std::time::Duration;

/// Where Slack's sign-in lives, below the host of its API.
const SLACK: &str = "https://slack.com";
/// How long a probe waits for the store.
const STORE_ANSWERS: Duration = Duration::from_secs(5);

/// The pages over an installation; without `hooks` other systems can start nothing here.
///
/// # Errors
/// When Slack's endpoint can not be made safely: without a signing secret it is not started at all.
pub fn pages(
    context: &Context,
    installation: &Installation,
    public_url: String,
    hooks: Option<Arc<dyn Hooks>>,
) -> anyhow::Result<Web> {
    let desk: Arc<dyn Desk> = Arc::new(installation.engine.clone());
    let settings = &context.settings;
    let webhook: Option<Arc<dyn Webhook>> = match &installation.slack {
        Some(house) if !slack::uses_socket(context) => {
            Some(house.webhook(Arc::clone(&desk)).context("start the endpoint that Slack calls")?)
        }
        Some(_) | None => None,
    };
    let slack_sign_in = settings.web.slack_sign_in.as_ref().zip(settings.slack.as_ref());
    let slack_sign_in = slack_sign_in.map(|(sign_in, slack)| SignIn {
        client_id: sign_in.client_id.clone(),
        client_secret: sign_in.client_secret.clone(),
        team: slack.team.clone(),
        // A double stands for the API and the sign-in alike.
        api_url: slack.api_url.strip_suffix("/api").unwrap_or(SLACK).to_string(),
    });
    let live = installation.live.clone();
    Ok(Web::new(WebOptions {
        store: Arc::clone(&installation.stores.metadata),
        access: Arc::clone(&installation.stores.access),
        artifacts: Arc::clone(&installation.artifacts),
        desk,
        directory: Arc::clone(&installation.directory),
        clock: Arc::clone(&installation.clock),
        public_url,
        session: Duration::from_secs(settings.web.session_hours * 3600),
        slack_sign_in,
        second_factors: Arc::new(move |person| live.now().people.get(person)?.totp.clone()),
        webhook,
        hooks,
        triggers: Arc::clone(&installation.stores.triggers),
        timetable: super::triggers::timetable(),
        health: health(context, installation),
    }))
}

/// How the daemon is, asked whenever somebody looks.
fn health(context: &Context, installation: &Installation) -> HealthProbe {
    let socket = slack::uses_socket(context);
    let installation = installation.clone();
    Arc::new(move || Box::pin(look(installation.clone(), socket)))
}

async fn look(installation: Installation, socket: bool) -> Health {
    let slack = installation.slack.as_ref().map(slack::Slack::health);
    let webhook_refused = slack.as_ref().map_or(0, |slack| slack.requests_refused);
    let slack = slack.map(|slack| SlackHealth {
        transport: if socket { "socket" } else { "http" }.to_string(),
        // Without a socket Slack calls us; that the last call of ours went through is what we know.
        connected: if socket { slack.connected_sockets > 0 } else { slack.last_success.is_some() },
    });
    let schema = tokio::time::timeout(STORE_ANSWERS, installation.stores.schema.problem()).await;
    let mut problems: Vec<String> =
        schema.unwrap_or_else(|_| Some("the store does not answer".to_string())).into_iter().collect();
    problems.extend(installation.troubles.now());
    let cut_off = socket && slack.as_ref().is_some_and(|slack| !slack.connected);
    // Where several daemons share the work, one of them holds the connection.
    if cut_off && !installation.meter.leaves_to_others("slack") {
        problems.push("Slack is not connected".to_string());
    }
    let mut numbers = installation.meter.numbers();
    numbers.extend(installation.traces.dropped().map(|dropped| {
        let (name, help) = ("countersign_trace_spans_dropped_total", "Spans of traces that were not sent.");
        Family::alone(name, Kind::Counter, help, dropped as f64)
    }));
    Health { version: env!("CARGO_PKG_VERSION").to_string(), problems, slack, webhook_refused, numbers }
}

/// A link that signs `actor` in once.
///
/// # Errors
/// When the store fails.
pub async fn link(
    access: &dyn AccessStore,
    actor: &Actor,
    by: &Actor,
    url: &str,
    lifetime: Duration,
) -> anyhow::Result<String> {
    issue_link(access, actor, by, url, &SystemClock, lifetime).await.context("make a link")
}

/// A token that reads and changes nothing.
///
/// # Errors
/// When the store fails.
pub async fn token(access: &dyn AccessStore, name: &str, by: &Actor, lifetime: Duration) -> anyhow::Result<String> {
    issue_token(access, name, by, &SystemClock, lifetime).await.context("make a token")
}
