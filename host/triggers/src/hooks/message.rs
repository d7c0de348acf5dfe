//! What a request says, told by its content type: CloudEvents in three modes, an object store's notification, or plain JSON.

use super::auth::all;
use super::cloud_event;
use super::objects::{self, Object};
use countersign_model::digest::Digest;
use countersign_ports::WebhookRequest;
use serde_json::Value;

/// Most bytes of a source, an identifier or a kind: together they are a key of the record, and its index holds no longer ones.
pub(super) const LONGEST: usize = 1024;

/// Something that happened, as its sender names it. What they say about it beyond that is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Happening {
    /// What.
    pub(super) kind: String,
    /// Where it comes from; empty for plain JSON.
    pub(super) source: String,
    /// Which one.
    pub(super) id: String,
    /// The same text for the same happening, whatever hook or mode it comes in by. For plain JSON it belongs to its hook.
    pub(super) key: String,
}

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// These things happened.
    Events(Vec<Happening>),
    /// Something changed at these objects: worth a look.
    Objects(Vec<Object>),
    /// An object store tries whether anybody is here.
    Trial,
}

/// Why a request is not understood, for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotUnderstood {
    /// Its content type is not read here.
    Type(String),
    /// It is not what its content type promises: says what was expected, and where.
    Shape(String),
}

impl From<String> for NotUnderstood {
    fn from(problem: String) -> Self {
        Self::Shape(problem)
    }
}

/// Reads a request to a hook.
pub(super) fn read(hook: &str, request: &WebhookRequest) -> Result<Message, NotUnderstood> {
    let content_type = content_type(request)?;
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let binary = request.headers.iter().any(|(name, _)| cloud_event::attribute_of(name).is_some());
    match essence.as_str() {
        "application/cloudevents+json" => Ok(Message::Events(vec![cloud_event::structured(&json(request)?)?])),
        "application/cloudevents-batch+json" => Ok(Message::Events(cloud_event::batch(&json(request)?)?)),
        other if other.starts_with("application/cloudevents") => Err(NotUnderstood::Type(format!(
            "CloudEvents are read as JSON: `application/cloudevents+json`, not `{other}`"
        ))),
        _ if binary => Ok(Message::Events(vec![cloud_event::binary(&request.headers, &content_type)?])),
        "application/json" => plain(hook, request),
        other => Err(NotUnderstood::Type(format!(
            "send `application/json`, `application/cloudevents+json`, `application/cloudevents-batch+json`, or a CloudEvent in \
             `ce-` headers; this is `{}`",
            other.chars().take(80).collect::<String>()
        ))),
    }
}

fn content_type(request: &WebhookRequest) -> Result<String, NotUnderstood> {
    match all(&request.headers, "content-type").as_slice() {
        [] => Ok(String::new()),
        [value] => Ok(String::from_utf8_lossy(value).into_owned()),
        _ => Err(NotUnderstood::Shape("the header `content-type` was given twice".to_string())),
    }
}

fn json(request: &WebhookRequest) -> Result<Value, NotUnderstood> {
    serde_json::from_slice(&request.body)
        .map_err(|error| NotUnderstood::Shape(format!("the body is no JSON document: {error}")))
}

fn plain(hook: &str, request: &WebhookRequest) -> Result<Message, NotUnderstood> {
    let document = json(request)?;
    if let Some(message) = objects::read(&document)? {
        return Ok(message);
    }
    if !document.is_object() {
        return Err(NotUnderstood::Shape("expected a JSON object as the body".to_string()));
    }
    let (id, key) = match all(&request.headers, "idempotency-key").as_slice() {
        [] => {
            let digest = Digest::of(&request.body);
            (format!("sha256:{digest}"), format!("request:{hook}:body:{digest}"))
        }
        [value] => {
            let key = idempotency_key(value)?;
            (key.clone(), format!("request:{hook}:key:{key}"))
        }
        _ => return Err(NotUnderstood::Shape("the header `idempotency-key` was given twice".to_string())),
    };
    Ok(Message::Events(vec![Happening { kind: "request".to_string(), source: String::new(), id, key }]))
}

/// Visible ASCII; some senders put it in quotes.
fn idempotency_key(value: &[u8]) -> Result<String, NotUnderstood> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NotUnderstood::Shape("`idempotency-key` takes 1 to 255 visible ASCII characters".to_string()));
    }
    Ok(text.to_string())
}

/// Undoes percent-encoding. None when a `%` is not followed by two hexadecimal digits, or the result is no text.
pub(super) fn percent_decoded(text: &[u8], plus_is_space: bool) -> Option<String> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                decoded.push(u8::try_from(high << 4 | low).ok()?);
            }
            b'+' if plus_is_space => decoded.push(b' '),
            byte => decoded.push(*byte),
        }
    }
    String::from_utf8(decoded).ok()
}
