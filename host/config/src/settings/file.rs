//! The shape of `countersign.toml`, read and applied. The comments are what editors show.

use super::alerts::{self, AlertsTable};
use super::layers::Layers;
use super::people::{self, PersonTable};
use super::slack::{self, SlackTable};
use super::web::{self, WebTable};
use super::{LogFormat, Settings};
use crate::diagnostics::{Problem, Sink};
use crate::document::Table;
use crate::nearest::nearest;
use crate::place::{Named, Placed};
use crate::shape::Text;
use schemars::JsonSchema;
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::DeTable;

/// Settings of a Countersign installation. Every key also has an environment variable: `COUNTERSIGN_STATE_DIR`, …
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Settings", deny_unknown_fields)]
pub(crate) struct SettingsFile {
    /// Where the database and the artifacts live. Default: `~/.local/share/countersign`.
    pub state_dir: Option<Text>,
    /// Where compiled components are kept; it may be emptied at any time. Default: `~/.cache/countersign`.
    pub cache_dir: Option<Text>,
    /// Folders with `.wasm` components, beside those in the binary.
    pub component_dirs: Option<Vec<Text>>,
    /// Pipeline files, and folders whose `.toml` files are pipelines, for `serve`.
    pub pipelines: Option<Vec<Text>>,
    /// Who may sign off.
    pub people: Option<Named<PersonTable>>,
    /// The reviewer's page and the JSON API.
    pub web: Option<WebTable>,
    /// Requests and alerts in Slack. It may also be given by variables alone.
    pub slack: Option<Placed<SlackTable>>,
    /// Where alerts are posted.
    pub alerts: Option<AlertsTable>,
    /// What is logged and how.
    pub log: Option<LogTable>,
    /// A worker that was not heard of for so long has lost its run.
    #[schemars(range(min = 5, max = 3600), extend("default" = 30))]
    pub lease_seconds: Option<Placed<u64>>,
    /// How often `serve` looks for what is due.
    #[schemars(range(min = 1, max = 3600), extend("default" = 5))]
    pub poll_seconds: Option<Placed<u64>>,
}

/// What is logged and how.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Log", deny_unknown_fields)]
pub(crate) struct LogTable {
    /// `text` for people, `json` for machines.
    #[schemars(extend("enum" = ["text", "json"], "default" = "text"))]
    pub format: Option<Text>,
    /// What to log: `warn`, `info`, `debug`, or by part: `info,countersign_query=debug`.
    #[schemars(extend("default" = "info"))]
    pub filter: Option<Text>,
}

const LEASE_SECONDS: RangeInclusive<u64> = 5..=3600;
const POLL_SECONDS: RangeInclusive<u64> = 1..=3600;

/// Reads the tree's shape.
pub(super) fn read(document: &Spanned<DeTable<'_>>, sink: &mut Sink<'_>) -> SettingsFile {
    let mut top = Table::new("countersign.toml", 0..0, document.get_ref());
    let file = SettingsFile {
        state_dir: top.text("state_dir", sink),
        cache_dir: top.text("cache_dir", sink),
        component_dirs: top.texts("component_dirs", sink),
        pipelines: top.texts("pipelines", sink),
        people: top.named("people", "person", sink, people::read),
        web: top.table("web", "`web`", sink).map(|table| web::read(table, sink)),
        slack: top.table("slack", "`slack`", sink).map(|table| slack::read(table, sink)),
        alerts: top.table("alerts", "`alerts`", sink).map(|table| alerts::read(table, sink)),
        log: top.table("log", "`log`", sink).map(|mut table| {
            let log = LogTable { format: table.text("format", sink), filter: table.text("filter", sink) };
            table.finish(sink);
            log
        }),
        lease_seconds: top.integer("lease_seconds", LEASE_SECONDS, sink),
        poll_seconds: top.integer("poll_seconds", POLL_SECONDS, sink),
    };
    top.finish(sink);
    file
}

/// Puts what the file and the environment say into the settings.
pub(super) fn apply(file: &SettingsFile, settings: &mut Settings, layers: &mut Layers<'_>) {
    if let Some(written) = layers.text("state_dir", file.state_dir.as_ref())
        && let Ok(path) = layers.path(&written)
    {
        settings.state_dir = path;
    }
    if let Some(written) = layers.text("cache_dir", file.cache_dir.as_ref())
        && let Ok(path) = layers.path(&written)
    {
        settings.cache_dir = path;
    }
    if let Some(paths) = layers.paths("component_dirs", file.component_dirs.as_deref()) {
        settings.component_dirs = paths;
    }
    if let Some(paths) = layers.paths("pipelines", file.pipelines.as_deref()) {
        settings.pipelines = paths;
    }
    settings.people = people::settings(file.people.as_ref(), layers);
    settings.web = web::settings(file.web.as_ref(), layers);
    settings.slack = slack::settings(file.slack.as_ref(), settings.web.listen.is_some(), layers);
    let posts = slack::is_given(file.slack.as_ref(), layers);
    settings.alerts = alerts::settings(file.alerts.as_ref(), posts, layers);
    let log = file.log.as_ref();
    let format = layers.checked("log.format", log.and_then(|log| log.format.as_ref()), log_format);
    if let Ok(Some(format)) = format {
        settings.log.format = format;
    }
    if let Some(filter) = layers.text("log.filter", log.and_then(|log| log.filter.as_ref())) {
        settings.log.filter = filter.text.to_string();
    }
    if let Some(seconds) = layers.number("lease_seconds", file.lease_seconds.as_ref(), LEASE_SECONDS) {
        settings.lease_seconds = seconds;
    }
    if let Some(seconds) = layers.number("poll_seconds", file.poll_seconds.as_ref(), POLL_SECONDS) {
        settings.poll_seconds = seconds;
    }
}

/// The form of that name.
fn log_format(text: &str) -> Result<LogFormat, Problem> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => {
            let guess = nearest(text, ["text", "json"]).map(str::to_string);
            let message = format!("the log can not be written as `{text}`");
            Err(Problem::new("settings.bad-log-format", message, "it is `text` or `json`").guess(guess))
        }
    }
}
