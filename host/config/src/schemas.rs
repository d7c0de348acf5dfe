//! JSON Schemas of the files that people write, for completion and checks in editors.

use crate::settings::SettingsFile;
use crate::shape::PipelineFile;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// File name and text of each schema, the same for the same build.
pub fn schemas() -> Vec<(&'static str, String)> {
    vec![("pipeline.schema.json", text::<PipelineFile>()), ("countersign.schema.json", text::<SettingsFile>())]
}

/// Draft 7: what editors' TOML plugins know.
fn text<T: JsonSchema>() -> String {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    let tidy = tidy(schema.to_value());
    // A map of texts and numbers always serialises.
    serde_json::to_string_pretty(&tidy).unwrap_or_default() + "\n"
}

/// Sorts keys, whatever map the build uses, and takes `null` away: TOML has none, a key is simply left out.
fn tidy(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut map: BTreeMap<String, Value> = map.into_iter().map(|(key, value)| (key, tidy(value))).collect();
            if let Some(Value::Array(mut forms)) = map.remove("anyOf") {
                forms.retain(|form| form.get("type").and_then(Value::as_str) != Some("null"));
                // Draft 7 ignores what stands beside `$ref`, so a single form stays in a list.
                let key = if forms.len() == 1 { "allOf" } else { "anyOf" };
                map.insert(key.to_string(), Value::Array(forms));
            }
            if let Some(types) = map.get_mut("type")
                && let Value::Array(several) = types
            {
                several.retain(|one| one != "null");
                if let [only] = several.as_slice() {
                    *types = only.clone();
                }
            }
            Value::Object(map.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).collect()),
        other => other,
    }
}
