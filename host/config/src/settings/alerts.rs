//! Alerts: what else than requests is posted, and where.

use super::layers::{Layers, Origin};
use crate::diagnostics::{Problem, Sink};
use crate::document::Table;
use crate::place::Placed;
use crate::shape::Text;
use crate::slack::channel;
use schemars::JsonSchema;
use std::ops::RangeInclusive;

const GROUP_MINUTES: RangeInclusive<u64> = 1..=1440;

/// Where alerts are posted, `slack:#ml-alerts` each; none: nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// A run was stopped by a check.
    pub blocked: Option<String>,
    /// A run failed.
    pub failed: Option<String>,
    /// A check warned.
    pub warned: Option<String>,
    /// Alerts of one kind and pipeline within so many minutes are one message.
    pub group_minutes: u64,
}

impl Default for Alerts {
    fn default() -> Self {
        Self { blocked: None, failed: None, warned: None, group_minutes: 60 }
    }
}

/// Where alerts are posted: `slack:#ml-alerts`. A kind that is not named is not posted.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Alerts", deny_unknown_fields)]
pub(crate) struct AlertsTable {
    /// Runs that a check stopped.
    #[schemars(regex(pattern = r"^slack:(#.+|[CG][A-Z0-9]+)$"))]
    pub blocked: Option<Text>,
    /// Runs that failed.
    #[schemars(regex(pattern = r"^slack:(#.+|[CG][A-Z0-9]+)$"))]
    pub failed: Option<Text>,
    /// Runs in which a check warned, such as of drift.
    #[schemars(regex(pattern = r"^slack:(#.+|[CG][A-Z0-9]+)$"))]
    pub warned: Option<Text>,
    /// Alerts of one kind and pipeline within so many minutes are one message.
    #[schemars(range(min = 1, max = 1440), extend("default" = 60))]
    pub group_minutes: Option<Placed<u64>>,
}

/// Reads the table.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> AlertsTable {
    let read = AlertsTable {
        blocked: table.text("blocked", sink),
        failed: table.text("failed", sink),
        warned: table.text("warned", sink),
        group_minutes: table.integer("group_minutes", GROUP_MINUTES, sink),
    };
    table.finish(sink);
    read
}

/// What both layers say; `posts`: whether either speaks of Slack.
pub(super) fn settings(table: Option<&AlertsTable>, posts: bool, layers: &mut Layers<'_>) -> Alerts {
    let empty = AlertsTable::default();
    let table = table.unwrap_or(&empty);
    let mut to = |key: &str, file: Option<&Text>| {
        let named = layers.text(key, file).map(|written| written.origin);
        if let Some(origin) = named.filter(|_| !posts) {
            silent(&origin, layers);
        }
        layers.checked(key, file, channel).unwrap_or_default()
    };
    Alerts {
        blocked: to("alerts.blocked", table.blocked.as_ref()),
        failed: to("alerts.failed", table.failed.as_ref()),
        warned: to("alerts.warned", table.warned.as_ref()),
        group_minutes: layers
            .number("alerts.group_minutes", table.group_minutes.as_ref(), GROUP_MINUTES)
            .unwrap_or(Alerts::default().group_minutes),
    }
}

fn silent(origin: &Origin, layers: &mut Layers<'_>) {
    let help = "add [slack] with `team`, `app` and the files of its secrets";
    layers.refuse(origin, Problem::new("settings.no-slack", "nothing can post alerts: Slack is not set up", help));
}
