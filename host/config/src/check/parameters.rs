//! A step's parameters against its component's JSON Schema, with mistakes at the key they are about.

use super::scope::Node;
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{list, nearest};
use crate::read::pointer;
use crate::shape::{Entry, Parameters, StepTable};
use countersign_model::component::Description;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Map, Value};

/// The parameters object; an empty one when the file names none.
pub(super) fn check(node: &Node<'_>, table: &StepTable, description: &Description, sink: &mut Sink<'_>) -> Value {
    let value = Value::Object(table.params.as_ref().map_or_else(Map::new, |params| params.value.clone()));
    if table.broken {
        return value;
    }
    let whole = Entry { key: node.name.place.clone(), value: node.name.place.clone() };
    let look = Look { step: node.name.text(), description, params: table.params.as_ref(), whole };
    match jsonschema::validator_for(&description.parameters) {
        Ok(validator) => validator.iter_errors(&value).for_each(|error| look.report(&error, sink)),
        Err(error) => {
            let message = format!("the parameter schema of component `{}` is broken: {error}", description.name);
            let place = table.component.as_ref().map_or(&look.whole.key, |component| &component.place);
            let mistake = Mistake::new("pipeline.broken-component", place, message);
            sink.push(mistake.help("this is a mistake in the component, not in this file"));
        }
    }
    value
}

struct Look<'a> {
    step: &'a str,
    description: &'a Description,
    params: Option<&'a Parameters>,
    whole: Entry,
}

impl Look<'_> {
    fn place(&self, path: &str) -> &Entry {
        self.params.and_then(|params| params.places.get(path)).unwrap_or(&self.whole)
    }

    /// The schema node that holds the keyword at `path`.
    fn schema(&self, path: &str) -> Option<&Value> {
        self.description.parameters.pointer(path.rsplit_once('/')?.0)
    }

    fn report(&self, error: &ValidationError<'_>, sink: &mut Sink<'_>) {
        let path = error.instance_path().as_str();
        let schema = self.schema(error.schema_path().as_str());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    sink.push(self.unknown(path, name, schema));
                }
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let message = format!("step `{}` needs the parameter `{}`", self.step, dotted(&pointer(path, name)));
                sink.push(Mistake::new("pipeline.missing-parameter", &self.place(path).key, message));
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                let options = schema.map(options).unwrap_or_default();
                // `null` is how a schema says "may be left out"; it is no form that a person could mean.
                let null = |errors: &Vec<ValidationError<'_>>| errors.iter().all(|one| wants(one.kind()) == "null");
                let forms: Vec<_> = context.iter().filter(|errors| !null(errors)).collect();
                match forms.as_slice() {
                    [only] => only.iter().for_each(|inner| self.report(inner, sink)),
                    _ if options.is_empty() => {
                        sink.push(self.bad(path, error, "fits none of the forms it may have", &options));
                    }
                    _ => sink.push(self.bad(path, error, "is not one of its values", &options)),
                }
            }
            ValidationErrorKind::Enum { options } => {
                let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
                sink.push(self.bad(path, error, "is not one of its values", &options));
            }
            ValidationErrorKind::Constant { expected_value } => {
                sink.push(self.bad(path, error, "has another value than it must", &[plain(expected_value)]));
            }
            ValidationErrorKind::Type { .. } => {
                let problem = format!("must be {}, not {}", wants(error.kind()), is(error.instance()));
                sink.push(self.bad(path, error, &problem, &[]));
            }
            _ => sink.push(self.bad(path, error, &format!("does not fit: {error}"), &[])),
        }
    }

    fn unknown(&self, path: &str, name: &str, schema: Option<&Value>) -> Mistake {
        let full = pointer(path, name);
        let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
        let known: Vec<&str> = properties.into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
        let message =
            format!("`{}` in step `{}` has no parameter `{}`", self.description.name, self.step, dotted(&full));
        let mistake = Mistake::new("pipeline.unknown-parameter", &self.place(&full).key, message);
        let mistake = mistake.guess(nearest(name, known.iter().copied()));
        match known.is_empty() {
            true => mistake.help("it has no parameters here"),
            false => mistake.help(format!("its parameters here are {}", list(known))),
        }
    }

    fn bad(&self, path: &str, error: &ValidationError<'_>, problem: &str, options: &[String]) -> Mistake {
        let name = dotted(path);
        let message = match name.is_empty() {
            true => format!("the parameters of step `{}`: {problem}", self.step),
            false => format!("parameter `{name}` of step `{}` {problem}", self.step),
        };
        let mistake = Mistake::new("pipeline.bad-parameter", &self.place(path).value, message);
        let written = plain(error.instance());
        let mistake = mistake.guess(nearest(&written, options.iter().map(String::as_str)));
        if options.is_empty() { mistake } else { mistake.help(format!("it may be {}", list(options))) }
    }
}

/// The values among which a schema node lets people choose.
fn options(schema: &Value) -> Vec<String> {
    let forms = ["oneOf", "anyOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    forms
        .flat_map(|form| {
            let listed = form.get("enum").and_then(Value::as_array).into_iter().flatten();
            listed.chain(form.get("const")).map(plain).collect::<Vec<_>>()
        })
        .collect()
}

/// `/rules/0/metric` as people write it: `rules[0].metric`.
fn dotted(path: &str) -> String {
    let mut out = String::new();
    for part in path.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            out += &format!("[{part}]");
        } else {
            out += if out.is_empty() { "" } else { "." };
            out += &part;
        }
    }
    out
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// The JSON type that a value should have.
fn wants(kind: &ValidationErrorKind) -> String {
    match kind {
        ValidationErrorKind::Type { kind: TypeKind::Single(one) } => named(&one.to_string()),
        ValidationErrorKind::Type { kind: TypeKind::Multiple(several) } => {
            let names: Vec<String> =
                several.iter().map(|one| named(&one.to_string())).filter(|name| name != "null").collect();
            names.join(" or ")
        }
        _ => String::new(),
    }
}

fn is(value: &Value) -> String {
    named(match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}

/// JSON's words in TOML's.
fn named(json: &str) -> String {
    match json {
        "boolean" => "true or false",
        "number" => "a number",
        "integer" => "a whole number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
    .to_string()
}
