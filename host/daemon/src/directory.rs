//! Who is who in this installation: the settings name people, and Slack knows what became of their accounts.

use crate::service::LiveSettings;
use async_trait::async_trait;
use countersign_model::actor::{Actor, Identity};
use countersign_ports::directory::Account;
use countersign_ports::{Directory, Groups};
use std::sync::Arc;

/// The people under `[people]`, and what Slack says of accounts.
pub struct PeopleDirectory {
    settings: LiveSettings,
    groups: Option<Arc<dyn Groups>>,
}

impl PeopleDirectory {
    /// A directory; without `groups` only the settings count.
    pub fn new(settings: LiveSettings, groups: Option<Arc<dyn Groups>>) -> Self {
        Self { settings, groups }
    }
}

#[async_trait]
impl Directory for PeopleDirectory {
    async fn identify(&self, actor: &Actor) -> Identity {
        match &self.groups {
            Some(groups) if actor.as_slack().is_some() => self.with(actor, groups.account(actor).await),
            Some(_) | None => self.settings.now().identity_of(actor),
        }
    }

    async fn identify_anew(&self, actor: &Actor) -> Identity {
        match &self.groups {
            Some(groups) if actor.as_slack().is_some() => self.with(actor, groups.account_anew(actor).await),
            Some(_) | None => self.settings.now().identity_of(actor),
        }
    }
}

impl PeopleDirectory {
    /// What the settings say of somebody, and what Slack says of their account.
    fn with(&self, actor: &Actor, account: Result<Account, String>) -> Identity {
        let mut identity = self.settings.now().identity_of(actor);
        match account {
            Ok(account) => {
                identity.barred = account.barred;
                identity.roles.extend(account.groups.iter().map(|group| format!("slack-group:{group}")));
                identity.roles.extend(account.email.iter().map(|email| format!("email:{}", email.to_lowercase())));
            }
            // Whoever the settings name keeps what the settings give: Slack being down stops no decision on the page.
            Err(problem) => {
                tracing::warn!(%actor, problem, "Slack could not be asked about an account: its groups count for nothing now");
            }
        }
        identity
    }
}
