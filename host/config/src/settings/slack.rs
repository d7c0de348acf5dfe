//! Slack: which workspace and app, over which transport, with which secrets.

use super::address;
use super::layers::{Layers, Origin, variable_of};
use super::secrets::{InTable, Slot};
use crate::diagnostics::{Problem, Sink};
use crate::document::Table;
use crate::nearest::nearest;
use crate::place::Placed;
use crate::shape::Text;
use crate::slack::{channel, is_app, is_team};
use countersign_model::secret::Secret;
use schemars::JsonSchema;
use std::ops::Range;

const API_URL: &str = "https://slack.com/api";

/// One Slack workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slack {
    /// The workspace, `T01`: accounts of others decide nothing.
    pub team: String,
    /// Our app in it, `A01`.
    pub app: String,
    /// How clicks arrive.
    pub transport: SlackTransport,
    /// What we speak with, `xoxb-…`.
    pub bot_token: Secret,
    /// What opens the socket, `xapp-…`; always there for [`SlackTransport::Socket`].
    pub app_token: Option<Secret>,
    /// What requests to us are signed with; always there for [`SlackTransport::Http`].
    pub signing_secret: Option<Secret>,
    /// Where requests are posted that name no channel, `slack:#ml-releases`.
    pub channel: Option<String>,
    /// Where Slack's methods are, without a `/` at the end.
    pub api_url: String,
}

/// How clicks arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SlackTransport {
    /// Over a connection that we open: no public address is needed.
    #[default]
    Socket,
    /// As signed requests to our web server.
    Http,
}

/// Requests and alerts in Slack. It may also be given by variables alone.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Slack", deny_unknown_fields)]
pub(crate) struct SlackTable {
    /// The workspace's identifier.
    #[schemars(regex(pattern = r"^T[A-Z0-9]+$"))]
    pub team: Option<Text>,
    /// The app's identifier.
    #[schemars(regex(pattern = r"^A[A-Z0-9]+$"))]
    pub app: Option<Text>,
    /// How clicks arrive: over a `socket` that Countersign opens, or by `http` requests to `/slack/interactions`.
    #[schemars(extend("enum" = ["socket", "http"], "default" = "socket"))]
    pub transport: Option<Text>,
    /// File with the bot token, `xoxb-…`. Only its owner may read it.
    pub bot_token_file: Option<Text>,
    /// Where somebody wrote the secret itself.
    #[schemars(skip)]
    pub bot_token: Option<Range<usize>>,
    /// File with the app-level token, `xapp-…`; needed for `socket`. Only its owner may read it.
    pub app_token_file: Option<Text>,
    /// Where somebody wrote the secret itself.
    #[schemars(skip)]
    pub app_token: Option<Range<usize>>,
    /// File with the signing secret; needed for `http`. Only its owner may read it.
    pub signing_secret_file: Option<Text>,
    /// Where somebody wrote the secret itself.
    #[schemars(skip)]
    pub signing_secret: Option<Range<usize>>,
    /// Where requests are posted that name no channel: `slack:#ml-releases`.
    #[schemars(regex(pattern = r"^slack:(#.+|[CG][A-Z0-9]+)$"))]
    pub channel: Option<Text>,
    /// Where Slack's methods are. It must be `https`, but for this machine.
    #[schemars(extend("default" = "https://slack.com/api"))]
    pub api_url: Option<Text>,
}

fn bot_token() -> Slot {
    Slot {
        key: "slack.bot_token".to_string(),
        what: "the bot token",
        like: "one word that begins with `xoxb-`",
        check: |text| text.strip_prefix("xoxb-").is_some_and(|rest| !rest.is_empty()),
    }
}

fn app_token() -> Slot {
    Slot {
        key: "slack.app_token".to_string(),
        what: "the app-level token",
        like: "one word that begins with `xapp-`",
        check: |text| text.strip_prefix("xapp-").is_some_and(|rest| !rest.is_empty()),
    }
}

fn signing_secret() -> Slot {
    Slot {
        key: "slack.signing_secret".to_string(),
        what: "the signing secret",
        like: "one word, as the app's page shows it under Basic Information, and no token",
        check: |text| !text.starts_with("xoxb-") && !text.starts_with("xapp-"),
    }
}

/// Reads the table.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> Placed<SlackTable> {
    let read = SlackTable {
        team: table.text("team", sink),
        app: table.text("app", sink),
        transport: table.text("transport", sink),
        bot_token_file: table.text("bot_token_file", sink),
        bot_token: table.refuse("bot_token", sink),
        app_token_file: table.text("app_token_file", sink),
        app_token: table.refuse("app_token", sink),
        signing_secret_file: table.text("signing_secret_file", sink),
        signing_secret: table.refuse("signing_secret", sink),
        channel: table.text("channel", sink),
        api_url: table.text("api_url", sink),
    };
    let place = table.place.clone();
    table.finish(sink);
    Placed::new(read, place)
}

/// Every key, as variables have them.
fn keys() -> Vec<String> {
    let plain = ["team", "app", "transport", "channel", "api_url"].map(|key| format!("slack.{key}"));
    let secrets = [bot_token(), app_token(), signing_secret()].map(|slot| [format!("{}_file", slot.key), slot.key]);
    plain.into_iter().chain(secrets.into_iter().flatten()).collect()
}

/// Whether either layer speaks of Slack.
pub(super) fn is_given(table: Option<&Placed<SlackTable>>, layers: &Layers<'_>) -> bool {
    table.is_some() || keys().iter().any(|key| layers.variable(key).is_some())
}

/// What both layers say, when either speaks of Slack; `listens`: whether the web server is on.
pub(super) fn settings(table: Option<&Placed<SlackTable>>, listens: bool, layers: &mut Layers<'_>) -> Option<Slack> {
    if !is_given(table, layers) {
        return None;
    }
    // What is missing is missing in the file if there is a table, otherwise among the variables.
    let origin =
        |key: &str| table.map_or_else(|| Origin::Variable(variable_of(key)), |at| Origin::File(at.place.clone()));
    let empty = SlackTable::default();
    let table = table.map_or(&empty, |table| &table.value);

    let team = layers.checked("slack.team", table.team.as_ref(), |text| identifier("team", 'T', is_team, text));
    let team = layers.needed(team, &origin("slack.team"), || missing("team", "T01ABCDEF"));
    let app = layers.checked("slack.app", table.app.as_ref(), |text| identifier("app", 'A', is_app, text));
    let app = layers.needed(app, &origin("slack.app"), || missing("app", "A01ABCDEF"));
    let posts = layers.checked("slack.channel", table.channel.as_ref(), channel);
    let api_url = layers.checked("slack.api_url", table.api_url.as_ref(), api_url);
    let transport = layers.checked("slack.transport", table.transport.as_ref(), transport);

    let mut secret = |slot: Slot, file: &Option<Text>, literal: &Option<Range<usize>>, why: Option<&str>| {
        let given = layers.secret(&slot, InTable { file: file.as_ref(), literal: literal.as_ref() });
        let Some(why) = why else { return given };
        layers.needed(given, &origin(&slot.key), || missing_secret(&slot, why)).map(Some)
    };
    let chosen = transport.as_ref().ok().map(|transport| transport.unwrap_or_default());
    let why = Some("nothing can be posted without the bot token");
    let bot_token = secret(bot_token(), &table.bot_token_file, &table.bot_token, why);
    // A transport without its secret must not start: an empty signing secret would let anybody decide.
    let why = "the transport `socket` opens its connection with the app-level token";
    let why = (chosen == Some(SlackTransport::Socket)).then_some(why);
    let app_token = secret(app_token(), &table.app_token_file, &table.app_token, why);
    let why = "the transport `http` knows Slack's requests by the signing secret";
    let why = (chosen == Some(SlackTransport::Http)).then_some(why);
    let signing_secret = secret(signing_secret(), &table.signing_secret_file, &table.signing_secret, why);
    if chosen == Some(SlackTransport::Http) && !listens {
        let message = "the transport `http` needs the web server, which is off";
        let help = "give `listen` of [web] an address, or use the transport `socket`";
        layers.refuse(&origin("slack.transport"), Problem::new("settings.web-off", message, help));
    }
    Some(Slack {
        team: team.ok()?,
        app: app.ok()?,
        transport: chosen?,
        bot_token: bot_token.ok()??,
        app_token: app_token.ok()?,
        signing_secret: signing_secret.ok()?,
        channel: posts.ok()?,
        api_url: api_url.ok()?.unwrap_or_else(|| API_URL.to_string()),
    })
}

fn missing(key: &str, example: &str) -> Problem {
    let help = format!("add `{key} = \"{example}\"`, or set {}", variable_of(&format!("slack.{key}")));
    Problem::new("settings.missing-key", format!("`slack` needs the key `{key}`"), help)
}

fn missing_secret(slot: &Slot, why: &str) -> Problem {
    let key = slot.file_key();
    Problem::new("settings.missing-secret", format!("`slack` needs the key `{key}`: {why}"), slot.how())
}

fn identifier(key: &str, letter: char, check: fn(&str) -> bool, text: &str) -> Result<String, Problem> {
    let help =
        format!("an identifier begins with `{letter}` and has capital letters and digits, such as `{letter}01ABCDEF`");
    let problem = || Problem::new("settings.bad-slack-id", format!("`{text}` is no `{key}` of Slack"), help);
    check(text).then(|| text.to_string()).ok_or_else(problem)
}

fn transport(text: &str) -> Result<SlackTransport, Problem> {
    match text {
        "socket" => Ok(SlackTransport::Socket),
        "http" => Ok(SlackTransport::Http),
        _ => {
            let guess = nearest(text, ["socket", "http"]).map(str::to_string);
            let message = format!("there is no transport `{text}`");
            Err(Problem::new("settings.bad-transport", message, "it is `socket` or `http`").guess(guess))
        }
    }
}

/// The bot token is sent there, so it must be encrypted on its way.
fn api_url(text: &str) -> Result<String, Problem> {
    address::encrypted("api_url", text, "the bot token would be sent in the clear")
}
