//! Where raw data comes from, and when a file of it counts as whole.

use super::trigger::{choice, without_effect};
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::nearest;
use crate::place::Placed;
use crate::shape::{PipelineFile, SourceTable};
use countersign_model::pipeline::{Ready, Source};
use countersign_model::source::SpanPattern;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The `source` tables.
pub(super) fn sources(file: &PipelineFile, base_dir: &Path, sink: &mut Sink<'_>) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    for (name, table) in file.source.iter().flat_map(|named| &named.0) {
        let ready = ready(name, table, sink);
        let Some(path) = &table.path else { continue };
        let path = source_path(name, path, base_dir, sink);
        let settle_seconds = table.settle_seconds.as_ref().map_or(10, |settle| settle.value);
        sources.insert(name.value.clone(), Source { path, settle_seconds, ready });
    }
    sources
}

fn source_path(name: &Placed<String>, path: &Placed<String>, base_dir: &Path, sink: &mut Sink<'_>) -> String {
    const KNOWN: [&str; 4] = ["{SPAN}", "{YYYY}", "{MM}", "{DD}"];
    let text = path.text();
    let mistake = |problem: &str| {
        let message = format!("the path of source `{}` {problem}", name.value);
        Mistake::new("pipeline.bad-source-path", &path.place, message)
    };
    let (object, scheme) = (text.strip_prefix("s3://"), text.split_once("://").map(|(scheme, _)| scheme));
    let whole = if object.is_some() { text.to_string() } else { absolute(base_dir, text) };
    // A path that ends in a folder loses its end when it is made absolute.
    if text.is_empty() || text.ends_with(['/', '\\']) || Path::new(text).file_name().is_none() {
        let help = "write a path that ends in a file name, such as `incoming/trips-{SPAN}.csv`";
        sink.push(mistake("names no file").help(help));
    } else if text.contains('*') {
        let help = "write `{SPAN}` for the part that changes from delivery to delivery";
        sink.push(mistake("has a `*`, which matches nothing here").help(help));
    } else if let (None, Some(scheme)) = (object, scheme) {
        let help = "write the path of a file, or `s3://bucket/key` for an object store that speaks S3";
        let guess = scheme.eq_ignore_ascii_case("s3").then(|| format!("s3{}", &text[scheme.len()..]));
        sink.push(mistake(&format!("begins with `{scheme}://`")).guess(guess.as_deref()).help(help));
    } else if let Some(problem) = object.and_then(|object| object_problem(object).err()) {
        let help = "write `s3://bucket/key`, such as `s3://deliveries/trips/{YYYY}-{MM}-{DD}.csv`";
        sink.push(mistake(problem).help(help));
    } else if let Err(error) = SpanPattern::parse(&whole) {
        let unknown = placeholders(text).into_iter().find(|found| !KNOWN.contains(found));
        sink.push(mistake(&error.problem).guess(unknown.and_then(|found| nearest(found, KNOWN))));
    }
    whole
}

/// What is wrong with `bucket/key`.
fn object_problem(object: &str) -> Result<(), &'static str> {
    let (bucket, key) = object.split_once('/').ok_or("names a bucket and no object in it")?;
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let (first, last) = (bucket.as_bytes().first(), bucket.as_bytes().last());
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(sign) || !edge(first) || !edge(last) {
        return Err("names no bucket: it has 3 to 63 lower-case letters, digits, `-` and `.`");
    }
    // An object store takes such keys by their letters, everybody else as a way through folders.
    if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("has `//`, `.` or `..` in its key");
    }
    if key.chars().any(char::is_control) { Err("has a control character in its key") } else { Ok(()) }
}

/// When a file counts as whole.
fn ready(name: &Placed<String>, table: &SourceTable, sink: &mut Sink<'_>) -> Ready {
    let marker = Ready::Marker(table.marker.as_ref().map(|marker| marker.value.clone()).unwrap_or_default());
    let choices = [("settled", &Ready::Settled), ("renamed", &Ready::Renamed), ("marker", &marker)];
    let help = "a file has arrived when it `settled`, at once because it is `renamed` into place, or when its `marker` is there";
    let chosen = choice("ready", table.ready.as_ref(), &choices, ("pipeline.bad-ready", help), sink);
    let marks = matches!(chosen, Some(Ready::Marker(_)));
    match &table.marker {
        Some(text) if marks => marker_name(text, sink),
        None if marks && !table.broken => {
            let place = table.ready.as_ref().map_or(&name.place, |text| &text.place);
            let message = format!("source `{}` needs `marker`: the file that says that another is whole", name.value);
            let mistake = Mistake::new("pipeline.missing-marker", place, message);
            sink.push(
                mistake.help("add `marker = \"_SUCCESS\"`, or `marker = \"{NAME}.done\"` for one beside each file"),
            );
        }
        Some(_) if table.ready.is_none() || chosen.is_some() => {
            without_effect("marker", table.marker.as_ref(), "`ready = \"marker\"`", sink);
        }
        Some(_) | None => {}
    }
    chosen.cloned().unwrap_or_default()
}

fn marker_name(marker: &Placed<String>, sink: &mut Sink<'_>) {
    let rest = marker.text().replacen("{NAME}", "", 1);
    let problem = match rest.as_str() {
        "" if marker.text().is_empty() => "is empty",
        "" => "is the delivered file itself",
        "." | ".." => "names no file",
        rest if rest.contains('/') => "is in another folder",
        rest if rest.contains(['{', '}', '*']) => "has a placeholder other than one `{NAME}`",
        _ => return,
    };
    let help = "write the name of a file beside the delivered one: `_SUCCESS`, or `{NAME}.done`";
    let mistake = Mistake::new("pipeline.bad-marker", &marker.place, format!("`marker` {problem}"));
    sink.push(mistake.help(help));
}

/// Every `{…}`.
fn placeholders(text: &str) -> Vec<&str> {
    text.match_indices('{').filter_map(|(at, _)| text[at..].find('}').map(|end| &text[at..=at + end])).collect()
}

/// `path` seen from `base_dir`, without `.` and `..`: a target spelled in two ways must stay one target.
pub(crate) fn absolute(base_dir: &Path, path: &str) -> String {
    let mut clean = PathBuf::new();
    for part in base_dir.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean.to_string_lossy().into_owned()
}
