//! The web server with the reviewer's pages.

use super::{Installation, slack};
use crate::context::Context;
use crate::system::SystemClock;
use anyhow::Context as _;
use countersign_model::actor::Actor;
use countersign_ports::{AccessStore, Desk, Webhook};
pub use countersign_web::Web;
use countersign_web::{Health, SignIn, SlackHealth, WebOptions, issue_link, issue_token};
use std::sync::Arc;
use std::time::Duration;

/// Where Slack's sign-in lives, below the host of its API.
const SLACK: &str = "https://slack.com";

/// The pages over an installation.
///
/// # Errors
/// When Slack's endpoint can not be made safely: without a signing secret it is not started at all.
pub fn pages(context: &Context, installation: &Installation, public_url: String) -> anyhow::Result<Web> {
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
    let totp = settings.people.iter().filter_map(|(name, person)| Some((name.clone(), person.totp.clone()?)));
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
        second_factors: totp.collect(),
        webhook,
        health: health(context, installation),
    }))
}

/// How the daemon is, asked whenever somebody looks.
fn health(context: &Context, installation: &Installation) -> Arc<dyn Fn() -> Health + Send + Sync> {
    let socket = slack::uses_socket(context);
    let house = installation.slack.clone();
    Arc::new(move || {
        let slack = house.as_ref().map(slack::Slack::health);
        let webhook_refused = slack.as_ref().map_or(0, |slack| slack.requests_refused);
        let slack = slack.map(|slack| SlackHealth {
            transport: if socket { "socket" } else { "http" }.to_string(),
            // Without a socket Slack calls us; that the last call of ours went through is what we know.
            connected: if socket { slack.connected_sockets > 0 } else { slack.last_success.is_some() },
        });
        Health { version: env!("CARGO_PKG_VERSION").to_string(), problems: Vec::new(), slack, webhook_refused }
    })
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
