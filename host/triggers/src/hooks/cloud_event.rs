//! CloudEvents 1.0: the attributes of an event, from headers or from JSON. Its data is not looked at.

use super::message::{Happening, LONGEST, percent_decoded};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most events of a batch: each is a transaction, and whoever sends waits for all.
const LARGEST_BATCH: usize = 1000;

/// Attributes by name.
type Attributes = BTreeMap<String, String>;

/// The attribute that a header carries.
pub(super) fn attribute_of(header: &str) -> Option<String> {
    header.to_ascii_lowercase().strip_prefix("ce-").map(str::to_string)
}

/// Binary mode: attributes are headers, percent-encoded; the data's type is the body's.
pub(super) fn binary(headers: &[(String, Vec<u8>)], content_type: &str) -> Result<Happening, String> {
    let mut attributes = Attributes::new();
    for (header, value) in headers {
        let Some(name) = attribute_of(header) else { continue };
        let value = unquoted(value).and_then(|value| percent_decoded(&value, false));
        let value = value.ok_or_else(|| format!("the header `{header}` is not percent-encoded UTF-8"))?;
        if attributes.insert(name, value).is_some() {
            return Err(format!("the header `{header}` was given twice"));
        }
    }
    if attributes.contains_key("datacontenttype") {
        return Err("the data's type is said by `content-type`, not by `ce-datacontenttype`".to_string());
    }
    if !content_type.is_empty() {
        attributes.insert("datacontenttype".to_string(), content_type.to_string());
    }
    happening(attributes, "the header `ce-", "`")
}

/// Structured mode: the whole event is one JSON object.
pub(super) fn structured(document: &Value) -> Result<Happening, String> {
    let members = document.as_object().ok_or("expected one event, a JSON object, as the body")?;
    if members.contains_key("data") && members.contains_key("data_base64") {
        return Err("`data` and `data_base64` are both there: one of them is the event's data".to_string());
    }
    let mut attributes = Attributes::new();
    for (name, value) in members {
        let text = match value {
            _ if name == "data" => continue,
            Value::String(_) if name == "data_base64" => continue,
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Bool(value) if !is_defined(name) => value.to_string(),
            Value::Number(number) if !is_defined(name) && number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
                number.to_string()
            }
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                return Err(format!("`{}` has a value that an attribute can not have", shown(name)));
            }
        };
        attributes.insert(name.clone(), text);
    }
    happening(attributes, "`", "`")
}

/// Batch mode: an array of events. One that is not understood spoils all, so that a sender can repeat the batch as a whole.
pub(super) fn batch(document: &Value) -> Result<Vec<Happening>, String> {
    let events = document.as_array().ok_or("expected a JSON array of events as the body")?;
    if events.len() > LARGEST_BATCH {
        return Err(format!("the batch has {} events: send at most {LARGEST_BATCH} at once", events.len()));
    }
    let numbered = events.iter().enumerate();
    numbered.map(|(at, event)| structured(event).map_err(|problem| format!("event {}: {problem}", at + 1))).collect()
}

/// Checks all attributes and takes the three that name the event. `before` and `after` stand around a name where it was looked for.
fn happening(mut attributes: Attributes, before: &str, after: &str) -> Result<Happening, String> {
    let place = |name: &str| format!("{before}{name}{after}");
    match attributes.get("specversion").map(String::as_str) {
        Some("1.0") => {}
        Some(other) => {
            return Err(format!("{} is `{}`: CloudEvents 1.0 is read here", place("specversion"), shown(other)));
        }
        None => return Err(format!("{} is missing: expected `1.0`", place("specversion"))),
    }
    for (name, value) in &attributes {
        check(name, value).map_err(|problem| format!("{} {problem}", place(&shown(name))))?;
    }
    let mut take = |name: &str| attributes.remove(name).ok_or_else(|| format!("{} is missing", place(name)));
    let (id, source, kind) = (take("id")?, take("source")?, take("type")?);
    // The length tells where the source ends, whatever characters are in the two.
    let key = format!("event:{}:{source}:{id}", source.len());
    Ok(Happening { kind, source, id, key })
}

/// Attributes that the specification defines: all of them are texts.
fn is_defined(name: &str) -> bool {
    ["id", "source", "type", "specversion", "datacontenttype", "dataschema", "subject", "time"].contains(&name)
}

fn check(name: &str, value: &str) -> Result<(), String> {
    if name.is_empty() || name == "data" || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    {
        return Err("is no attribute's name: lower-case letters and digits".to_string());
    }
    if is_defined(name) && value.is_empty() {
        return Err("is empty".to_string());
    }
    if value.chars().any(char::is_control) {
        return Err("has control characters".to_string());
    }
    match name {
        "id" | "source" | "type" if value.len() > LONGEST => Err(format!("has more than {LONGEST} bytes")),
        "source" | "dataschema" if !is_uri_reference(value) => Err("is no URI reference".to_string()),
        "time" if chrono::DateTime::parse_from_rfc3339(value).is_err() => {
            Err("is no time as RFC 3339 writes it: 2026-11-22T06:00:00Z".to_string())
        }
        _ => Ok(()),
    }
}

/// Whether only those characters are there that RFC 3986 allows.
fn is_uri_reference(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    text.bytes().all(allowed) && percent_decodes(text)
}

/// Whether every `%` begins an escape; the bytes that it stands for need not be text.
fn percent_decodes(text: &str) -> bool {
    let escaped = text.split('%').skip(1);
    escaped.into_iter().all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

/// A header's value without the quotes that HTTP allows around it.
fn unquoted(value: &[u8]) -> Option<Vec<u8>> {
    let Some(inside) = value.strip_prefix(b"\"") else { return Some(value.to_vec()) };
    let inside = inside.strip_suffix(b"\"")?;
    let mut plain = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => plain.push(*bytes.next()?),
            b'"' => return None,
            byte => plain.push(*byte),
        }
    }
    Some(plain)
}

/// A text of somebody else's making, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}
