//! What the Slack house is made from.

use crate::error::SlackError;
use countersign_model::secret::Secret;
use countersign_ports::{Clock, MetadataStore, PostStore};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What the Slack house is made from.
#[derive(Clone)]
pub struct SlackOptions {
    /// The workspace: `T0123`. Payloads of another one are ignored.
    pub team: String,
    /// The app: `A0123`. Payloads of another one are ignored.
    pub app: String,
    /// The bot's token, `xoxb-…`.
    pub bot_token: Secret,
    /// The app-level token, `xapp-…`: Socket Mode needs it.
    pub app_token: Option<Secret>,
    /// The signing secret: the signed HTTP endpoint needs it.
    pub signing_secret: Option<Secret>,
    /// `https://slack.com/api`, without a slash at the end.
    pub api_url: String,
    /// Base of the reviewer's page; a request's page is `{page_url}/requests/{req_…}`.
    pub page_url: Option<String>,
    /// Alerts of one pipeline and kind within this time are one message.
    pub alert_group: Duration,
    /// The record.
    pub store: Arc<dyn MetadataStore>,
    /// What was posted where.
    pub posts: Arc<dyn PostStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// How long to wait for what. The default is what Slack's limits ask for; tests shorten it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// For an answer of the Web API.
    pub answer: Duration,
    /// For the answer to opening a dialog: Slack's trigger lives 3 s.
    pub dialog: Duration,
    /// For all that is asked about an account while Slack waits for our answer to a click.
    pub account: Duration,
    /// Between two messages to one channel.
    pub message_gap: Duration,
    /// Before a picture that was just uploaded is tried the first time; doubles five times.
    pub picture: Duration,
    /// Between our pings on a socket.
    pub ping: Duration,
    /// Silence on a socket after which it is taken for dead.
    pub idle: Duration,
    /// For a connection to be made and to say hello.
    pub hello: Duration,
    /// First pause before a socket is opened again; doubles, with jitter.
    pub backoff: Duration,
    /// The longest such pause, and the pause when Slack says that there are too many sockets or that Socket Mode is off.
    pub backoff_limit: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            dialog: Duration::from_millis(2_500),
            // A decision may ask about two accounts, and has 3 s in all.
            account: Duration::from_secs(1),
            message_gap: Duration::from_secs(1),
            picture: Duration::from_millis(500),
            ping: Duration::from_secs(15),
            idle: Duration::from_secs(75),
            hello: Duration::from_secs(10),
            backoff: Duration::from_secs(1),
            backoff_limit: Duration::from_secs(60),
        }
    }
}

/// Whether tokens may travel to that address: encrypted, or not leaving this machine. `scheme` is `http` or `ws`.
pub(crate) fn is_safe_address(url: &str, scheme: &str) -> bool {
    if url.strip_prefix(scheme).is_some_and(|rest| rest.starts_with("s://")) {
        return true;
    }
    is_loopback(url, scheme)
}

/// Whether the address is a plain one on this machine.
pub(crate) fn is_loopback(url: &str, scheme: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    url.scheme() == scheme && (host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

impl SlackOptions {
    /// Checks what would otherwise show only when it is too late.
    pub(crate) fn check(&self) -> Result<(), SlackError> {
        for (key, value) in [("slack.team", &self.team), ("slack.app", &self.app)] {
            if value.trim().is_empty() {
                return Err(SlackError::Missing { key, remedy: "Slack shows it under the app's Basic Information" });
            }
        }
        if !is_safe_address(&self.api_url, "http") {
            return Err(SlackError::Unfit {
                key: "slack.api_url",
                problem: "must begin with https://: tokens never travel in the clear",
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_safe_address;

    #[test]
    fn tokens_travel_encrypted_or_stay_here() {
        for good in ["https://slack.com/api", "http://127.0.0.1:9/api", "http://[::1]:9", "http://localhost:1/api"] {
            assert!(is_safe_address(good, "http"), "{good}");
        }
        for bad in ["http://slack.com/api", "http://127.0.0.1.example.org", "ftp://localhost", "httpx://localhost", ""]
        {
            assert!(!is_safe_address(bad, "http"), "{bad}");
        }
        assert!(is_safe_address("wss://wss-primary.slack.com/link", "ws") && !is_safe_address("ws://slack.com", "ws"));
    }
}
