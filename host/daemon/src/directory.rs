//! Who is who in this installation: the settings name people, and Slack knows what became of their accounts.

use async_trait::async_trait;
use countersign_config::settings::Settings;
use countersign_model::actor::{Actor, Identity};
use countersign_ports::{Directory, Groups};
use std::sync::Arc;

/// The people under `[people]`, and what Slack says of accounts.
pub struct PeopleDirectory {
    settings: Settings,
    groups: Option<Arc<dyn Groups>>,
}

impl PeopleDirectory {
    /// A directory; without `groups` only the settings count.
    pub fn new(settings: Settings, groups: Option<Arc<dyn Groups>>) -> Self {
        Self { settings, groups }
    }
}

#[async_trait]
impl Directory for PeopleDirectory {
    async fn identify(&self, actor: &Actor) -> Identity {
        let mut identity = self.settings.identity_of(actor);
        let (Some(groups), Some(_)) = (&self.groups, actor.as_slack()) else { return identity };
        match groups.account(actor).await {
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
