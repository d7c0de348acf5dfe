//! The Slack house as the daemon sees it: made once, cheap to clone, handing out what the ports ask for.

use crate::accounts::SlackGroups;
use crate::check::{CheckLine, check};
use crate::clerk::Clerk;
use crate::client::Client;
use crate::delivery::SlackNotifier;
use crate::error::SlackError;
use crate::health::{HealthBook, SlackHealth};
use crate::house::House;
use crate::options::{SlackOptions, Timing};
use crate::socket;
use crate::webhook::SlackWebhook;
use countersign_ports::{Desk, Groups, Notifier, Webhook};
use std::sync::Arc;
use tokio::sync::watch;

/// The Slack house.
#[derive(Clone)]
pub struct Slack {
    house: Arc<House>,
}

impl Slack {
    /// Makes the house; nothing is called yet.
    ///
    /// # Errors
    /// When team or app is empty, the API's address would carry tokens in the clear, or there is no HTTP client to be had.
    pub fn new(options: SlackOptions) -> Result<Self, SlackError> {
        Self::with_timing(options, Timing::default())
    }

    /// As [`Self::new`], with other waiting times.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_timing(options: SlackOptions, timing: Timing) -> Result<Self, SlackError> {
        options.check()?;
        let health = Arc::new(HealthBook::default());
        let client = Client::new(&options, timing, health.clone())?;
        Ok(Self { house: Arc::new(House::new(options, client, health)) })
    }

    /// Delivers notices to channels `slack:…`.
    pub fn notifier(&self) -> Arc<dyn Notifier> {
        Arc::new(SlackNotifier(self.house.clone()))
    }

    /// Looks up accounts and their groups.
    pub fn groups(&self) -> Arc<dyn Groups> {
        Arc::new(SlackGroups(self.house.clone()))
    }

    /// The signed HTTP endpoint.
    ///
    /// # Errors
    /// Without a signing secret: nothing could be checked, so it does not start.
    pub fn webhook(&self, desk: Arc<dyn Desk>) -> Result<Arc<dyn Webhook>, SlackError> {
        let secret = self.house.options.signing_secret.clone().ok_or(SlackError::Missing {
            key: "slack.signing_secret",
            remedy: "copy it from the app's Basic Information; without it nobody could tell Slack's requests from forged ones",
        })?;
        Ok(Arc::new(SlackWebhook { clerk: Clerk { house: self.house.clone(), desk }, secret }))
    }

    /// Listens on Socket Mode until `stop` says so or its sender is gone. Without an app token it says so in the health and ends.
    pub async fn listen(&self, desk: Arc<dyn Desk>, stop: watch::Receiver<bool>) {
        let Some(token) = self.house.options.app_token.clone() else {
            let remedy =
                "make one under the app's Basic Information, App-Level Tokens, with the scope connections:write";
            let error = SlackError::Missing { key: "slack.app_token", remedy };
            return self.house.note("listen", &error);
        };
        socket::listen(Clerk { house: self.house.clone(), desk }, token, stop).await;
    }

    /// How the connection fares.
    pub fn health(&self) -> SlackHealth {
        self.house.health.read()
    }

    /// Asks Slack whether everything is set up; `channels` as in pipelines: `slack:#ml-releases`.
    pub async fn check(&self, channels: &[String]) -> Vec<CheckLine> {
        check(&self.house, channels).await
    }
}
