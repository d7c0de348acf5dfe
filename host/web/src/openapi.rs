//! The OpenAPI 3.1 document, made from the table of routes.

use crate::routes::{Answers, Route, Takes, Way, schema_of, table};
use crate::rule::{Reading, Writing};
use crate::server::ErrorDocument;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The document as text, written once: everybody gets the same, and anybody may ask.
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    &TEXT
}

/// The document.
pub fn document() -> Value {
    let mut generator = generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in table() {
        let method = route.way.method();
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        entry[method] = operation(&route, method, &mut generator);
    }
    let error = envelope("error", &schema_of::<ErrorDocument>(&mut generator).to_value());
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_string(), error);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Candidate models, the evidence for them, and the decisions of people",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-countersign",
                    "description": "A browser's session. Over plain http its name is `countersign`." },
                "token": { "type": "http", "scheme": "bearer", "description": "A token that reads." },
                "csrf": { "type": "apiKey", "in": "header", "name": "x-csrf-token",
                    "description": "The session's CSRF token, from /api/v1/session; forms carry it in the field `csrf`." },
                "signature": { "type": "apiKey", "in": "header", "name": "x-slack-signature",
                    "description": "Slack's signature over time stamp and body." },
                "hook_bearer": { "type": "http", "scheme": "bearer", "description": "A hook's shared secret." },
                "hook_token": { "type": "apiKey", "in": "header", "name": "x-countersign-token",
                    "description": "The same, for senders that can not set `Authorization`." },
                "hook_signature": { "type": "apiKey", "in": "header", "name": "x-countersign-signature",
                    "description": "`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 with the hook's secret over `<unix seconds>.<body>`." },
            },
        },
    })
}

fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

fn operation(route: &Route, method: &str, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route.path, method),
        "summary": route.summary,
        "x-rule": route.way.rule(),
        "security": security(route),
        "parameters": parameters(route),
        "responses": responses(route, generator),
    });
    if let Some((content_type, schema)) = body(route.takes, generator) {
        operation["requestBody"] = json!({ "required": true, "content": { content_type: { "schema": schema } } });
    }
    operation
}

/// `get_runs_id`.
fn operation_id(path: &str, method: &str) -> String {
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    [method].into_iter().chain(words).collect::<Vec<_>>().join("_")
}

fn security(route: &Route) -> Value {
    match &route.way {
        Way::Get(Reading::Public(_)) | Way::Options(Reading::Public(_)) | Way::Post(Writing::Entering(_)) => json!([]),
        Way::Get(Reading::Viewers(_)) | Way::Options(Reading::Viewers(_)) => {
            json!([{ "session": [] }, { "token": [] }])
        }
        Way::Post(Writing::People(_)) if route.is_json() => json!([{ "session": [], "csrf": [] }]),
        Way::Post(Writing::People(_)) => json!([{ "session": [] }]),
        Way::Post(Writing::Signed(proofs, _)) => proofs.iter().map(|proof| json!({ *proof: [] })).collect(),
    }
}

fn parameters(route: &Route) -> Value {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path =
        in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let in_query = route.query.iter().map(|(name, meaning)| {
        json!({ "name": name, "in": "query", "description": meaning, "schema": { "type": "string" } })
    });
    in_path.chain(in_query).collect()
}

fn body(takes: Takes, generator: &mut SchemaGenerator) -> Option<(&'static str, Value)> {
    match takes {
        Takes::Nothing => None,
        Takes::Json(schema) => Some(("application/json", schema(generator).to_value())),
        Takes::Raw(content_type) => Some((content_type, json!({ "type": "string" }))),
        Takes::Form(fields) => {
            let text = json!({ "type": "string" });
            let (families, names): (Vec<&str>, Vec<&str>) = fields.iter().partition(|name| name.ends_with('*'));
            let properties: Map<String, Value> = names.iter().map(|name| (name.to_string(), text.clone())).collect();
            let patterns: Map<String, Value> = families
                .iter()
                .map(|name| (format!("^{}", name.trim_end_matches('*').replace('.', "\\.")), text.clone()))
                .collect();
            let form = json!({
                "type": "object", "properties": properties, "patternProperties": patterns, "additionalProperties": false,
            });
            Some(("application/x-www-form-urlencoded", form))
        }
    }
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let (status, description, content) = match route.answers {
        Answers::Page => ("200", "A page", json!({ "text/html": {} })),
        Answers::Plain(content_type) => ("200", "As it is", json!({ content_type: {} })),
        Answers::Accepted(content_type) => ("202", "Recorded: what became of it", json!({ content_type: {} })),
        Answers::Headers => ("200", "Headers only", json!({})),
        Answers::Elsewhere => ("303", "Done: look at `Location`", json!({})),
        Answers::Document(name, schema) => {
            let schema = envelope(name, &schema(generator).to_value());
            ("200", "The document", json!({ "application/json": { "schema": schema } }))
        }
    };
    let excuse = if route.is_json() {
        json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
    } else {
        json!({ "text/html": {} })
    };
    json!({
        status: { "description": description, "content": content },
        "default": { "description": "Not done, and why", "content": excuse },
    })
}

/// `{"schema": "countersign.<name>/1", "data": …}`.
fn envelope(name: &str, data: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["schema", "data"],
        "properties": { "schema": { "const": format!("countersign.{name}/1") }, "data": data },
    })
}
