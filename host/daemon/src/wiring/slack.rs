//! Slack, if the settings connect it.

use super::Stores;
use crate::context::Context;
use crate::system::SystemClock;
use anyhow::Context as _;
use countersign_config::settings::SlackTransport;
use countersign_slack::SlackOptions;
pub use countersign_slack::{CheckLine, CheckMark, Slack};
use std::sync::Arc;
use std::time::Duration;

/// The connection with Slack; none when the settings have no `[slack]`.
///
/// # Errors
/// When it can not be set up as the settings say.
pub fn connect(context: &Context, stores: &Stores) -> anyhow::Result<Option<Slack>> {
    let Some(settings) = &context.settings.slack else { return Ok(None) };
    let options = SlackOptions {
        team: settings.team.clone(),
        app: settings.app.clone(),
        bot_token: settings.bot_token.clone(),
        app_token: settings.app_token.clone(),
        signing_secret: settings.signing_secret.clone(),
        api_url: settings.api_url.clone(),
        page_url: context.page_url(),
        alert_group: Duration::from_secs(context.settings.alerts.group_minutes * 60),
        store: Arc::clone(&stores.metadata),
        posts: Arc::clone(&stores.posts),
        clock: Arc::new(SystemClock),
    };
    Ok(Some(Slack::new(options).context("connect with Slack")?))
}

/// Whether clicks arrive over a socket; otherwise Slack calls the web server.
pub fn uses_socket(context: &Context) -> bool {
    context.settings.slack.as_ref().is_some_and(|slack| slack.transport == SlackTransport::Socket)
}
