//! The shape of `countersign.toml`, read and applied. The comments are what editors show.

use super::alerts::{self, AlertsTable};
use super::database::{self, DatabaseTable};
use super::hooks::{self, HookTable};
use super::layers::Layers;
use super::people::{self, PersonTable};
use super::retention::{self, RetentionTable};
use super::s3::{self, S3Table};
use super::slack::{self, SlackTable};
use super::traces::{self, TracesTable};
use super::web::{self, WebTable};
use super::{LogFormat, Settings, named};
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
    /// Where the record, if it is in SQLite, and the artifacts live. Default: `~/.local/share/countersign`.
    pub state_dir: Option<Text>,
    /// Where compiled components are kept; it may be emptied at any time. Default: `~/.cache/countersign`.
    pub cache_dir: Option<Text>,
    /// Folders with `.wasm` components, beside those in the binary.
    pub component_dirs: Option<Vec<Text>>,
    /// Pipeline files, and folders whose `.toml` files are pipelines, for `serve`.
    pub pipelines: Option<Vec<Text>>,
    /// Where the record is kept. Default: in SQLite, in `state_dir`.
    pub database: Option<DatabaseTable>,
    /// The object store that sources with `s3://` paths are read from.
    pub s3: Option<S3Table>,
    /// Names under which other systems start runs, at `/hooks/NAME`.
    pub hooks: Option<Named<HookTable>>,
    /// What `countersign gc` may remove.
    pub retention: Option<RetentionTable>,
    /// OpenTelemetry traces.
    pub traces: Option<Placed<TracesTable>>,
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
    /// How many runs a daemon carries at the same time.
    #[schemars(range(min = 1, max = 1024), extend("default" = 2))]
    pub concurrency: Option<Placed<u64>>,
    /// How long a daemon that is told to stop lets the steps of its runs go on before it gives the runs back.
    #[schemars(range(min = 0, max = 3600), extend("default" = 20))]
    pub drain_seconds: Option<Placed<u64>>,
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

const CONCURRENCY: RangeInclusive<u64> = 1..=1024;
const DRAIN_SECONDS: RangeInclusive<u64> = 0..=3600;
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
        database: top.table("database", "`database`", sink).map(|table| database::read(table, sink)),
        s3: top.table("s3", "`s3`", sink).map(|table| s3::read(table, sink)),
        hooks: top.named("hooks", "hook", sink, hooks::read),
        retention: top.table("retention", "`retention`", sink).map(|table| retention::read(table, sink)),
        traces: top.table("traces", "`traces`", sink).map(|table| traces::read(table, sink)),
        people: top.named("people", "person", sink, people::read),
        web: top.table("web", "`web`", sink).map(|table| web::read(table, sink)),
        slack: top.table("slack", "`slack`", sink).map(|table| slack::read(table, sink)),
        alerts: top.table("alerts", "`alerts`", sink).map(|table| alerts::read(table, sink)),
        log: top.table("log", "`log`", sink).map(|mut table| {
            let log = LogTable { format: table.text("format", sink), filter: table.text("filter", sink) };
            table.finish(sink);
            log
        }),
        concurrency: top.integer("concurrency", CONCURRENCY, sink),
        drain_seconds: top.integer("drain_seconds", DRAIN_SECONDS, sink),
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
    settings.database = database::settings(file.database.as_ref(), &settings.state_dir, layers);
    settings.s3 = s3::settings(file.s3.as_ref(), layers);
    settings.hooks = named::settings(("hooks", "hook"), file.hooks.as_ref(), layers, hooks::read, hooks::settings);
    settings.retention = retention::settings(file.retention.as_ref(), layers);
    settings.traces = traces::settings(file.traces.as_ref(), layers);
    settings.people =
        named::settings(("people", "person"), file.people.as_ref(), layers, people::read, people::settings);
    settings.web = web::settings(file.web.as_ref(), layers);
    settings.slack = slack::settings(file.slack.as_ref(), settings.web.listen.is_some(), layers);
    let posts = slack::is_given(file.slack.as_ref(), layers);
    settings.alerts = alerts::settings(file.alerts.as_ref(), posts, layers);
    apply_log(file.log.as_ref(), settings, layers);
    apply_numbers(file, settings, layers);
}

fn apply_log(log: Option<&LogTable>, settings: &mut Settings, layers: &mut Layers<'_>) {
    let format = layers.checked("log.format", log.and_then(|log| log.format.as_ref()), log_format);
    if let Ok(Some(format)) = format {
        settings.log.format = format;
    }
    if let Some(filter) = layers.text("log.filter", log.and_then(|log| log.filter.as_ref())) {
        settings.log.filter = filter.text.to_string();
    }
}

fn apply_numbers(file: &SettingsFile, settings: &mut Settings, layers: &mut Layers<'_>) {
    let most = layers.number("concurrency", file.concurrency.as_ref(), CONCURRENCY);
    settings.concurrency = most.and_then(|most| most.try_into().ok()).unwrap_or(settings.concurrency);
    let mut seconds = |key: &str, file: &Option<Placed<u64>>, range, setting: &mut u64| {
        *setting = layers.number(key, file.as_ref(), range).unwrap_or(*setting);
    };
    seconds("drain_seconds", &file.drain_seconds, DRAIN_SECONDS, &mut settings.drain_seconds);
    seconds("lease_seconds", &file.lease_seconds, LEASE_SECONDS, &mut settings.lease_seconds);
    seconds("poll_seconds", &file.poll_seconds, POLL_SECONDS, &mut settings.poll_seconds);
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
