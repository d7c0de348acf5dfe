//! Traces: where runs are told of as OpenTelemetry spans.

use super::address;
use super::layers::{Layers, Origin, variable_of};
use super::secrets::{InTable, Slot};
use crate::diagnostics::{Problem, Sink};
use crate::document::Table;
use crate::place::Placed;
use crate::shape::Text;
use countersign_model::secret::Secret;
use schemars::JsonSchema;
use std::ops::Range;

const ENDPOINT: &str = "traces.endpoint";

/// A collector that takes OTLP over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// Where spans are sent: `http://127.0.0.1:4318/v1/traces`.
    pub endpoint: String,
    /// Headers of each request: `key=value,key=value`.
    pub headers: Option<Secret>,
}

/// OpenTelemetry traces: a run is one, each step a span. Without this table there are none.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Traces", deny_unknown_fields)]
pub(crate) struct TracesTable {
    /// Where a collector takes OTLP over HTTP: `http://127.0.0.1:4318/v1/traces`.
    #[schemars(regex(pattern = r"^https?://[^?#]*[^/?#]$"))]
    pub endpoint: Option<Text>,
    /// File with headers that each request carries, such as a key: `key=value,key=value`. Only its owner may read it.
    pub headers_file: Option<Text>,
    /// Where somebody wrote the headers themselves.
    #[schemars(skip)]
    pub headers: Option<Range<usize>>,
}

fn headers() -> Slot {
    Slot {
        key: "traces.headers".to_string(),
        what: "the headers",
        like: "`name=value`, more of them after a comma, a space written as %20",
        check: |text| {
            text.split(',')
                .all(|pair| pair.split_once('=').is_some_and(|(name, value)| is_header(name) && !value.is_empty()))
        },
    }
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Reads the table.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> Placed<TracesTable> {
    let read = TracesTable {
        endpoint: table.text("endpoint", sink),
        headers_file: table.text("headers_file", sink),
        headers: table.refuse("headers", sink),
    };
    let place = table.place.clone();
    table.finish(sink);
    Placed::new(read, place)
}

/// What both layers say, when either speaks of traces.
pub(super) fn settings(table: Option<&Placed<TracesTable>>, layers: &mut Layers<'_>) -> Option<Traces> {
    let slot = headers();
    let keys = [ENDPOINT.to_string(), slot.key.clone(), format!("{}_file", slot.key)];
    if table.is_none() && keys.iter().all(|key| layers.variable(key).is_none()) {
        return None;
    }
    let origin = table.map_or_else(|| Origin::Variable(variable_of(ENDPOINT)), |at| Origin::File(at.place.clone()));
    let empty = TracesTable::default();
    let table = table.map_or(&empty, |table| &table.value);
    let given = layers.secret(&slot, InTable { file: table.headers_file.as_ref(), literal: table.headers.as_ref() });
    let secret = !matches!(given, Ok(None));
    let endpoint = layers.checked(ENDPOINT, table.endpoint.as_ref(), |text| endpoint(text, secret));
    let endpoint = layers.needed(endpoint, &origin, || {
        let help = format!("add `endpoint = \"http://127.0.0.1:4318/v1/traces\"`, or set {}", variable_of(ENDPOINT));
        Problem::new("settings.missing-key", "`traces` needs the key `endpoint`", help)
    });
    Some(Traces { endpoint: endpoint.ok()?, headers: given.ok()? })
}

/// A collector beside us may be asked in the clear; a key may not be sent so.
fn endpoint(text: &str, secret: bool) -> Result<String, Problem> {
    if secret {
        return address::encrypted("endpoint", text, "the headers would be sent in the clear");
    }
    match address::read(text) {
        Some(_) => Ok(text.to_string()),
        None => Err(Problem::new("settings.bad-url", format!("`endpoint` can not be `{text}`"), address::HELP)),
    }
}
