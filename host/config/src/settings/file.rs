//! The shape of `countersign.toml`, read and applied. The comments are what editors show.

use super::{LogFormat, Person, Settings};
use crate::check::absolute;
use crate::diagnostics::{Mistake, Sink};
use crate::document::Table;
use crate::nearest::nearest;
use crate::place::{Named, Placed};
use crate::shape::Text;
use schemars::JsonSchema;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
    /// What is logged and how.
    pub log: Option<LogTable>,
    /// A worker that was not heard of for so long has lost its run.
    #[schemars(range(min = 5, max = 3600), extend("default" = 30))]
    pub lease_seconds: Option<Placed<u64>>,
    /// How often `serve` looks for what is due.
    #[schemars(range(min = 1, max = 3600), extend("default" = 5))]
    pub poll_seconds: Option<Placed<u64>>,
}

/// Somebody who decides.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Person", deny_unknown_fields)]
pub(crate) struct PersonTable {
    /// What they may sign as.
    #[schemars(required)]
    pub roles: Option<Vec<Text>>,
    /// Their user name on this machine.
    pub local: Option<Text>,
    /// Their Slack team and user, such as `T01/U02AB`.
    #[schemars(regex(pattern = r"^T[A-Z0-9]+/[UW][A-Z0-9]+$"))]
    pub slack: Option<Text>,
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

/// Ranges of the numbers, for the file and the environment.
pub(super) const LEASE_SECONDS: std::ops::RangeInclusive<u64> = 5..=3600;
pub(super) const POLL_SECONDS: std::ops::RangeInclusive<u64> = 1..=3600;

/// Reads the tree's shape.
pub(super) fn read(document: &Spanned<DeTable<'_>>, sink: &mut Sink<'_>) -> SettingsFile {
    let mut top = Table::new("countersign.toml", 0..0, document.get_ref());
    let file = SettingsFile {
        state_dir: top.text("state_dir", sink),
        cache_dir: top.text("cache_dir", sink),
        component_dirs: top.texts("component_dirs", sink),
        pipelines: top.texts("pipelines", sink),
        people: top.named("people", "person", sink, person),
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

fn person(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> PersonTable {
    if table.entry("roles").is_none() {
        let message = format!("{} needs the key `roles`", table.what);
        sink.push(Mistake::new("file.missing-key", &table.place, message).help("add `roles = [\"owner\"]`"));
    }
    let read = PersonTable {
        roles: table.texts("roles", sink),
        local: table.text("local", sink),
        slack: table.text("slack", sink),
    };
    table.finish(sink);
    read
}

/// Puts what the file names into the settings.
pub(super) fn apply(file: &SettingsFile, settings: &mut Settings, base_dir: &Path, sink: &mut Sink<'_>) {
    let path = |text: &Text, sink: &mut Sink<'_>| {
        if text.text().trim().is_empty() {
            sink.push(Mistake::new("settings.empty-path", &text.place, "a path is empty"));
        }
        PathBuf::from(absolute(base_dir, text.text()))
    };
    if let Some(text) = &file.state_dir {
        settings.state_dir = path(text, sink);
    }
    if let Some(text) = &file.cache_dir {
        settings.cache_dir = path(text, sink);
    }
    if let Some(texts) = &file.component_dirs {
        settings.component_dirs = texts.iter().map(|text| path(text, sink)).collect();
    }
    if let Some(texts) = &file.pipelines {
        settings.pipelines = texts.iter().map(|text| path(text, sink)).collect();
    }
    if let Some(people) = &file.people {
        settings.people = self::people(people, sink);
    }
    if let Some(format) = file.log.as_ref().and_then(|log| log.format.as_ref()) {
        match log_format(format.text()) {
            Some(known) => settings.log.format = known,
            None => {
                let message = format!("the log can not be written as `{}`", format.value);
                let mistake = Mistake::new("settings.bad-log-format", &format.place, message);
                sink.push(mistake.guess(nearest(format.text(), ["text", "json"])).help("it is `text` or `json`"));
            }
        }
    }
    if let Some(filter) = file.log.as_ref().and_then(|log| log.filter.as_ref()) {
        settings.log.filter = filter.value.clone();
    }
    settings.lease_seconds = file.lease_seconds.as_ref().map_or(settings.lease_seconds, |seconds| seconds.value);
    settings.poll_seconds = file.poll_seconds.as_ref().map_or(settings.poll_seconds, |seconds| seconds.value);
}

/// The form of that name.
pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// Nobody may be two people: a quorum of two would be one.
fn people(named: &Named<PersonTable>, sink: &mut Sink<'_>) -> BTreeMap<String, Person> {
    let mut people = BTreeMap::new();
    let mut identities: BTreeMap<String, &Placed<String>> = BTreeMap::new();
    for (name, table) in &named.0 {
        for (authority, identity) in [("local", &table.local), ("slack", &table.slack)] {
            let Some(identity) = identity else { continue };
            let sound = match authority {
                "slack" => identity.text().split_once('/').is_some_and(|(team, user)| {
                    team.starts_with('T') && user.starts_with(['U', 'W']) && !user.contains('/')
                }),
                _ => !identity.text().trim().is_empty(),
            };
            if !sound {
                let message = format!("person `{}` has a `{authority}` identity that names nobody", name.value);
                let mistake = Mistake::new("settings.bad-identity", &identity.place, message);
                sink.push(mistake.help("`local` is a user name; `slack` is team and user, such as `T01/U02AB`"));
            } else if let Some(earlier) = identities.insert(format!("{authority}:{}", identity.value), identity) {
                let message = format!("`{}` is two people", identity.value);
                let mistake = Mistake::new("settings.duplicate-identity", &identity.place, message);
                sink.push(mistake.also(&earlier.place, "first here"));
            }
        }
        if table.local.is_none() && table.slack.is_none() {
            let message = format!("person `{}` can not be recognised", name.value);
            let mistake = Mistake::new("settings.no-identity", &name.place, message);
            sink.push(mistake.help("add `local = \"USER\"` or `slack = \"TEAM/USER\"`"));
        }
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
        let roles = table.roles.iter().flatten().map(|role| role.value.clone()).collect();
        people.insert(name.value.clone(), Person { roles, local: text(&table.local), slack: text(&table.slack) });
    }
    people
}
