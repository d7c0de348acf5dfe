//! The tree of a pipeline file to its shape. Reports keys and types that do not fit; what names mean is not known here.

mod signoff;

use crate::diagnostics::{Mistake, Sink};
use crate::document::{Table, wrong_type};
use crate::place::{Named, Placed};
use crate::shape::*;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads the whole file.
pub(crate) fn pipeline(document: &Spanned<DeTable<'_>>, sink: &mut Sink<'_>) -> PipelineFile {
    let mut top = Table::new("a pipeline file", 0..0, document.get_ref());
    let mut file = PipelineFile {
        name: top.text("name", sink),
        description: top.text("description", sink),
        trigger: top.table("trigger", "`trigger`", sink).map(|table| trigger(table, sink)),
        source: top.named("source", "source", sink, source),
        step: top.named("step", "step", sink, step),
        signoff: top.named("signoff", "sign-off", sink, signoff::table),
        partial: false,
    };
    if top.entry("name").is_none() {
        let mistake = Mistake::new("file.missing-key", &(0..0), "a pipeline needs a `name`");
        sink.push(mistake.help("add `name = \"my-pipeline\"` as the first line"));
    }
    let before = sink.count();
    top.finish(sink);
    file.partial = sink.count() > before;
    file
}

fn trigger(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> TriggerTable {
    let before = sink.count();
    let mut read = TriggerTable {
        cron: table.text("cron", sink),
        timezone: table.text("timezone", sink),
        jitter_seconds: table.integer("jitter_seconds", 0..=86_400, sink),
        misfire: table.text("misfire", sink),
        misfire_most: table.integer("misfire_most", 1..=1000, sink),
        misfire_deadline_seconds: table.integer("misfire_deadline_seconds", 1..=604_800, sink),
        arrival: table.texts("arrival", sink),
        http: table.texts("http", sink),
        after: table.texts("after", sink),
        overlap: table.text("overlap", sink),
        most_running: table.integer("most_running", 1..=1000, sink),
        queue_limit: table.integer("queue_limit", 1..=1_000_000, sink),
        priority: table.signed("priority", -100..=100, sink),
        while_paused: table.text("while_paused", sink),
        broken: false,
    };
    table.finish(sink);
    read.broken = sink.count() > before;
    read
}

fn source(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> SourceTable {
    let before = sink.count();
    let mut read = SourceTable {
        path: required_text(&mut table, "path", sink),
        settle_seconds: table.integer("settle_seconds", 0..=86_400, sink),
        ready: table.text("ready", sink),
        marker: table.text("marker", sink),
        broken: false,
    };
    table.finish(sink);
    read.broken = sink.count() > before;
    read
}

fn step(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> StepTable {
    let before = sink.count();
    let what = table.what.clone();
    let mut read = StepTable {
        component: required_text(&mut table, "component", sink),
        inputs: table.table("inputs", &format!("`inputs` of {what}"), sink).map(|inner| inputs(&inner, sink)),
        params: table.table("params", &format!("`params` of {what}"), sink).map(|inner| parameters(&inner, sink)),
        grant: table.texts("grant", sink),
        limits: table.table("limits", &format!("`limits` of {what}"), sink).map(|inner| limits(inner, sink)),
        retry: table.table("retry", &format!("`retry` of {what}"), sink).map(|inner| retry(inner, sink)),
        on: table.table("on", &format!("`on` of {what}"), sink).map(|inner| on(inner, sink)),
        cache: table.boolean("cache", sink),
        after: table.texts("after", sink),
        release: table.text("release", sink),
        target: table.text("target", sink),
        broken: false,
    };
    table.finish(sink);
    read.broken = sink.count() > before;
    read
}

fn inputs(table: &Table<'_, '_>, sink: &mut Sink<'_>) -> Named<InputValue> {
    let mut read = Named::default();
    for (name, value) in table.entries() {
        let port = name.get_ref();
        let input = match value.get_ref() {
            DeValue::String(text) => InputValue::Name(Placed::new(text.to_string(), value.span())),
            DeValue::Table(entries) => {
                let mut inner = Table::new(format!("input `{port}`"), value.span(), entries);
                let resolve = required_text(&mut inner, "resolve", sink);
                inner.finish(sink);
                InputValue::History(HistoryTable { resolve })
            }
            _ => {
                let wanted = "the name of a step or source, or `{ resolve = \"…\" }`";
                sink.push(wrong_type(&format!("input `{port}`"), wanted, value));
                continue;
            }
        };
        read.0.push((Placed::new(port.to_string(), name.span()), input));
    }
    read
}

fn limits(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> LimitsTable {
    let read = LimitsTable {
        // A 32-bit component can address no more.
        memory_mib: table.integer("memory_mib", 1..=4096, sink),
        time_seconds: table.integer("time_seconds", 1..=604_800, sink),
        output_mib: table.integer("output_mib", 1..=1_048_576, sink),
        log_kib: table.integer("log_kib", 1..=65_536, sink),
        instances: table.integer("instances", 1..=10_000, sink),
        table_elements: table.integer("table_elements", 1..=10_000_000, sink),
    };
    table.finish(sink);
    read
}

fn retry(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> RetryTable {
    let read = RetryTable {
        attempts: table.integer("attempts", 1..=100, sink),
        pause_seconds: table.integer("pause_seconds", 0..=86_400, sink),
        longest_pause_seconds: table.integer("longest_pause_seconds", 0..=86_400, sink),
    };
    table.finish(sink);
    read
}

fn on(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> OnTable {
    let read = OnTable {
        block: table.texts("block", sink),
        ask: table.texts("ask", sink),
        warn: table.texts("warn", sink),
        info: table.texts("info", sink),
    };
    table.finish(sink);
    read
}

/// Reads a text that must be there.
pub(crate) fn required_text(table: &mut Table<'_, '_>, key: &'static str, sink: &mut Sink<'_>) -> Option<Text> {
    if table.entry(key).is_none() {
        let message = format!("{} needs the key `{key}`", table.what);
        sink.push(Mistake::new("file.missing-key", &table.place, message));
    }
    table.text(key, sink)
}

/// Parameters as JSON; numbers and dates that JSON does not have are reported.
fn parameters(table: &Table<'_, '_>, sink: &mut Sink<'_>) -> Parameters {
    let mut places = BTreeMap::new();
    let mut value = Map::new();
    for (name, entry) in table.entries() {
        if let Some(json) = json(entry, pointer("", name.get_ref()), &name.span(), &mut places, sink) {
            value.insert(name.get_ref().to_string(), json);
        }
    }
    places.insert(String::new(), Entry { key: table.place.clone(), value: table.place.clone() });
    Parameters { value, places }
}

fn json(
    value: &Spanned<DeValue<'_>>,
    path: String,
    key: &Range<usize>,
    places: &mut BTreeMap<String, Entry>,
    sink: &mut Sink<'_>,
) -> Option<Value> {
    let converted = match value.get_ref() {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from),
        DeValue::Float(number) => number.as_str().parse().ok().and_then(Number::from_f64).map(Value::Number),
        DeValue::Boolean(truth) => Some(Value::from(*truth)),
        DeValue::Datetime(_) => None,
        DeValue::Array(items) => {
            let item = |(index, item)| json(item, format!("{path}/{index}"), &item.span(), places, sink);
            Some(items.iter().enumerate().filter_map(item).collect())
        }
        DeValue::Table(entries) => {
            let mut map = Map::new();
            for (name, entry) in entries {
                if let Some(inner) = json(entry, pointer(&path, name.get_ref()), &name.span(), places, sink) {
                    map.insert(name.get_ref().to_string(), inner);
                }
            }
            Some(Value::Object(map))
        }
    };
    if converted.is_none() {
        let wanted = "a text, a number JSON can hold, true or false, a list or a table";
        sink.push(wrong_type(&format!("parameter `{}`", path.trim_start_matches('/')), wanted, value));
    }
    places.insert(path, Entry { key: key.clone(), value: value.span() });
    converted
}

/// The JSON pointer of a key below `path`.
pub(crate) fn pointer(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}
