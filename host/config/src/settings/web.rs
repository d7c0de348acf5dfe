//! The reviewer's page: where it listens, what it is called from outside, how people sign in.

use super::address;
use super::layers::{Layers, Origin, Refused, variable_of};
use super::secrets::{InTable, Slot};
use crate::diagnostics::{Problem, Sink};
use crate::document::Table;
use crate::place::Placed;
use crate::shape::Text;
use countersign_model::secret::Secret;
use schemars::JsonSchema;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::{Range, RangeInclusive};

const SESSION_HOURS: RangeInclusive<u64> = 1..=720;

/// The web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Where it listens; none: it is off.
    pub listen: Option<SocketAddr>,
    /// How people reach it, without a `/` at the end.
    pub public_url: Option<String>,
    /// How long a session lasts.
    pub session_hours: u64,
    /// Signing in with Slack, if it is set up.
    pub slack_sign_in: Option<SlackSignIn>,
}

impl Default for Web {
    fn default() -> Self {
        let listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8484)));
        Self { listen, public_url: None, session_hours: 12, slack_sign_in: None }
    }
}

/// Signing in with Slack (OpenID Connect).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackSignIn {
    /// The Slack app's client identifier.
    pub client_id: String,
    /// The Slack app's client secret.
    pub client_secret: Secret,
}

/// The reviewer's page and the JSON API.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Web", deny_unknown_fields)]
pub(crate) struct WebTable {
    /// Address and port to listen on, or `off`.
    #[schemars(extend("default" = "127.0.0.1:8484"))]
    pub listen: Option<Text>,
    /// How people reach the page, for links: `https://countersign.example.org`.
    #[schemars(regex(pattern = r"^https?://[^?#]*[^/?#]$"))]
    pub public_url: Option<Text>,
    /// How long somebody stays signed in.
    #[schemars(range(min = 1, max = 720), extend("default" = 12))]
    pub session_hours: Option<Placed<u64>>,
    /// Signing in with Slack. It needs `public_url`.
    pub slack_sign_in: Option<Placed<SignInTable>>,
}

/// Signing in with Slack (OpenID Connect).
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "SlackSignIn", deny_unknown_fields)]
pub(crate) struct SignInTable {
    /// The Slack app's client identifier.
    pub client_id: Option<Text>,
    /// File with the Slack app's client secret. Only its owner may read it.
    pub client_secret_file: Option<Text>,
    /// Where somebody wrote the secret itself.
    #[schemars(skip)]
    pub client_secret: Option<Range<usize>>,
}

fn client_secret() -> Slot {
    Slot {
        key: "web.slack_sign_in.client_secret".to_string(),
        what: "the client secret",
        like: "one word, as the app's page shows it under Basic Information",
        check: |_| true,
    }
}

/// Reads the table.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> WebTable {
    let inner = table.table("slack_sign_in", "`slack_sign_in` of `web`", sink);
    let slack_sign_in = inner.map(|mut inner| {
        let read = SignInTable {
            client_id: inner.text("client_id", sink),
            client_secret_file: inner.text("client_secret_file", sink),
            client_secret: inner.refuse("client_secret", sink),
        };
        let place = inner.place.clone();
        inner.finish(sink);
        Placed::new(read, place)
    });
    let read = WebTable {
        listen: table.text("listen", sink),
        public_url: table.text("public_url", sink),
        session_hours: table.integer("session_hours", SESSION_HOURS, sink),
        slack_sign_in,
    };
    table.finish(sink);
    read
}

/// What both layers say.
pub(super) fn settings(table: Option<&WebTable>, layers: &mut Layers<'_>) -> Web {
    let defaults = Web::default();
    let listen = layers.checked("web.listen", table.and_then(|table| table.listen.as_ref()), listen);
    let url = layers.checked("web.public_url", table.and_then(|table| table.public_url.as_ref()), public_url);
    let hours = table.and_then(|table| table.session_hours.as_ref());
    let hours = layers.number("web.session_hours", hours, SESSION_HOURS);
    let slack_sign_in = sign_in(table.and_then(|table| table.slack_sign_in.as_ref()), layers);
    if let (Ok(None), Some((_, origin))) = (&url, &slack_sign_in) {
        let message = "signing in with Slack needs `public_url` of `web`: Slack sends people back to it";
        let help = format!("add `public_url = \"https://…\"` under [web], or set {}", variable_of("web.public_url"));
        layers.refuse(origin, Problem::new("settings.missing-key", message, help));
    }
    Web {
        listen: listen.unwrap_or_default().unwrap_or(defaults.listen),
        public_url: url.unwrap_or_default(),
        session_hours: hours.unwrap_or(defaults.session_hours),
        slack_sign_in: slack_sign_in.map(|(settings, _)| settings),
    }
}

/// `127.0.0.1:8484`, or nowhere.
fn listen(text: &str) -> Result<Option<SocketAddr>, Problem> {
    if text == "off" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let help = "write an address and a port, such as `127.0.0.1:8484` or `[::1]:8484`, or `off`";
        let port = ["localhost:", ":", ""].iter().find_map(|host| text.strip_prefix(host)?.parse::<u16>().ok());
        Problem::new("settings.bad-listen", format!("nothing can listen on `{text}`"), help)
            .guess(port.map(|port| format!("127.0.0.1:{port}")))
    })
}

fn public_url(text: &str) -> Result<String, Problem> {
    match address::read(text) {
        Some(_) => Ok(text.to_string()),
        None => {
            let trimmed = text.trim_end_matches('/');
            let guess = address::read(trimmed).map(|_| trimmed.to_string());
            let message = format!("`public_url` can not be `{text}`");
            Err(Problem::new("settings.bad-url", message, address::HELP).guess(guess))
        }
    }
}

/// Signing in with Slack, when either layer speaks of it, and where.
fn sign_in(table: Option<&Placed<SignInTable>>, layers: &mut Layers<'_>) -> Option<(SlackSignIn, Origin)> {
    const CLIENT_ID: &str = "web.slack_sign_in.client_id";
    let slot = client_secret();
    let variables = [CLIENT_ID.to_string(), slot.key.clone(), format!("{}_file", slot.key)];
    if table.is_none() && variables.iter().all(|key| layers.variable(key).is_none()) {
        return None;
    }
    let origin =
        |key: &str| table.map_or_else(|| Origin::Variable(variable_of(key)), |at| Origin::File(at.place.clone()));
    let empty = SignInTable::default();
    let table = table.map_or(&empty, |table| &table.value);
    let id = layers.checked(CLIENT_ID, table.client_id.as_ref(), client_id);
    let id = layers.needed(id, &origin(CLIENT_ID), || {
        let help = format!("add `client_id = \"…\"`, or set {}", variable_of(CLIENT_ID));
        Problem::new("settings.missing-key", "signing in with Slack needs the key `client_id`", help)
    });
    let secret = layers
        .secret(&slot, InTable { file: table.client_secret_file.as_ref(), literal: table.client_secret.as_ref() });
    let secret = layers.needed(secret, &origin(&slot.key), || {
        let message = "signing in with Slack needs the key `client_secret_file`";
        Problem::new("settings.missing-secret", message, slot.how())
    });
    let (Ok(client_id), Ok(client_secret)): (Result<_, Refused>, Result<_, Refused>) = (id, secret) else {
        return None;
    };
    Some((SlackSignIn { client_id, client_secret }, origin(CLIENT_ID)))
}

fn client_id(text: &str) -> Result<String, Problem> {
    let sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let help = "copy the Client ID from the app's page under Basic Information: digits and a point";
    sound
        .then(|| text.to_string())
        .ok_or_else(|| Problem::new("settings.bad-client-id", "`client_id` is none of Slack's", help))
}
