//! Notifications of S3 and of stores that speak like it: delivered at least once and in any order, so they are a hint to look, and
//! the listing is the truth.

use super::message::{Message, percent_decoded};
use countersign_model::pipeline::{PipelineVersion, Ready, Source};
use countersign_model::source::SpanPattern;
use serde_json::Value;
use std::path::Path;

/// An object that something happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) bucket: String,
    pub(super) key: String,
}

/// Reads a notification; none when the document is something else.
pub(super) fn read(document: &Value) -> Result<Option<Message>, String> {
    if document["Event"] == "s3:TestEvent" && document.get("Records").is_none() {
        return Ok(Some(Message::Trial));
    }
    let Some(records) =
        document["Records"].as_array().filter(|records| records.iter().any(|one| one.get("s3").is_some()))
    else {
        return Ok(None);
    };
    let objects = records.iter().enumerate().map(|(at, record)| {
        let bucket = record["s3"]["bucket"]["name"].as_str().filter(|name| !name.is_empty());
        let bucket = bucket.ok_or_else(|| format!("expected a bucket's name at `Records[{at}].s3.bucket.name`"))?;
        // Keys are encoded as in a form: `+` is a space.
        let key = record["s3"]["object"]["key"].as_str().and_then(|key| percent_decoded(key.as_bytes(), true));
        let key = key.ok_or_else(|| format!("expected a URL-encoded key at `Records[{at}].s3.object.key`"))?;
        Ok(Object { bucket: bucket.to_string(), key })
    });
    objects.collect::<Result<_, String>>().map(|objects| Some(Message::Objects(objects)))
}

/// The sources, as `pipeline/source`, whose arrivals start runs and for which one of the objects counts.
pub(super) fn looked_at(pipelines: &[PipelineVersion], objects: &[Object]) -> Vec<String> {
    let mut found = Vec::new();
    for version in pipelines {
        for name in &version.pipeline.trigger.arrival {
            let Some(source) = version.pipeline.sources.get(name) else { continue };
            if objects.iter().any(|object| counts_for(source, object)) {
                found.push(format!("{}/{name}", version.name));
            }
        }
    }
    found
}

/// Whether an object is a delivery of the source, or the marker that a delivery waits for.
fn counts_for(source: &Source, object: &Object) -> bool {
    if source.object().is_none_or(|(bucket, _)| bucket != object.bucket) {
        return false;
    }
    let address = format!("s3://{}/{}", object.bucket, object.key);
    let (Ok(pattern), Some((folder, name))) = (SpanPattern::parse(&source.path), address.rsplit_once('/')) else {
        return false;
    };
    let may_mark = matches!(source.ready, Ready::Marker(_));
    pattern.directory() == Path::new(folder) && (may_mark || pattern.matches(name))
}
