//! Who is who: from an account to the person behind it and what they may sign as, at this moment.

use async_trait::async_trait;
use countersign_model::actor::{Actor, Identity};

/// Looks people up. Never fails: where something can not be found out, the identity holds less.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Who that is now, or was within the last few minutes. Somebody waits for the answer: it comes within a second or so.
    async fn identify(&self, actor: &Actor) -> Identity;

    /// Who that is at this very moment, asked anew of everybody who knows, for as long as that takes.
    async fn identify_anew(&self, actor: &Actor) -> Identity {
        self.identify(actor).await
    }
}

/// What a chat service knows of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Why it may decide nothing: deactivated, a bot, a guest, of another workspace.
    pub barred: Option<String>,
    /// Its e-mail address, where the service verified one and we may read it.
    pub email: Option<String>,
    /// The user groups it is in, by identifier: `S0123`.
    pub groups: Vec<String>,
}

/// A chat service as a source of accounts.
#[async_trait]
pub trait Groups: Send + Sync {
    /// What is known of an account now, or was within the last few minutes. Answers within a second or so.
    ///
    /// # Errors
    /// Why nothing could be found out, in words.
    async fn account(&self, actor: &Actor) -> Result<Account, String>;

    /// What is known of an account at this very moment, for as long as that takes.
    ///
    /// # Errors
    /// As [`Self::account`].
    async fn account_anew(&self, actor: &Actor) -> Result<Account, String>;
}
