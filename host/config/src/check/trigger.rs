//! What starts a run, and where raw data comes from.

use super::CronCheck;
use super::scope::Scope;
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{list, nearest};
use crate::place::Placed;
use crate::shape::PipelineFile;
use countersign_model::pipeline::{Overlap, Source, Trigger};
use countersign_model::source::SpanPattern;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The `trigger` table.
pub(super) fn trigger(
    file: &PipelineFile,
    scope: &Scope<'_>,
    check_cron: &CronCheck<'_>,
    sink: &mut Sink<'_>,
) -> Trigger {
    let mut read = Trigger { timezone: "UTC".to_string(), ..Trigger::default() };
    let Some(table) = &file.trigger else { return read };
    if let Some(text) = &table.cron {
        cron(text, check_cron, sink);
        read.cron = Some(text.value.clone());
    }
    if let Some(text) = &table.timezone {
        timezone(text, sink);
        read.timezone = text.value.clone();
    }
    for name in table.arrival.iter().flatten() {
        if !scope.sources.contains(&name.text()) {
            let message = format!("`arrival` names `{}`, which is no source", name.value);
            let mistake = Mistake::new("pipeline.unknown-source", &name.place, message);
            let help = match scope.sources.as_slice() {
                [] => "add a source: `[source.NAME]` with a `path`".to_string(),
                sources => format!("the sources are {}", list(sources)),
            };
            sink.push(mistake.guess(nearest(name.text(), scope.sources.iter().copied())).help(help));
        } else if !read.arrival.contains(&name.value) {
            read.arrival.push(name.value.clone());
        }
    }
    match table.overlap.as_ref().map(|text| (text, text.text())) {
        None | Some((_, "wait")) => {}
        Some((_, "skip")) => read.overlap = Overlap::Skip,
        Some((text, other)) => {
            let mistake = Mistake::new("pipeline.bad-overlap", &text.place, format!("`overlap` can not be `{other}`"));
            let help = "`wait` lets the run wait its turn, `skip` records that it was skipped";
            sink.push(mistake.guess(nearest(other, ["wait", "skip"])).help(help));
        }
    }
    read
}

fn cron(text: &Placed<String>, check_cron: &CronCheck<'_>, sink: &mut Sink<'_>) {
    let fields: Vec<&str> = text.text().split_whitespace().collect();
    let mistake = |message: String| Mistake::new("pipeline.bad-cron", &text.place, message);
    let five = "write five fields: minute, hour, day of month, month, day of week; `0 6 * * *` is every day at 6:00";
    if text.text().starts_with('@') {
        sink.push(mistake(format!("`cron` does not know the short form `{}`", text.value)).help(five));
    } else if fields.len() == 6 {
        let without = fields[1..].join(" ");
        let message = "`cron` has six fields: there are no seconds here".to_string();
        sink.push(mistake(message).label(format!("did you mean `{without}`?")).help(five));
    } else if fields.len() != 5 {
        sink.push(mistake(format!("`cron` has {} fields instead of five", fields.len())).help(five));
    } else if let Err(problem) = check_cron(text.text()) {
        sink.push(mistake(format!("`cron` can not be read: {problem}")).help(five));
    }
}

fn timezone(text: &Placed<String>, sink: &mut Sink<'_>) {
    if text.text().parse::<chrono_tz::Tz>().is_ok() {
        return;
    }
    let message = format!("`{}` is no time zone", text.value);
    let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    // People know the city; the zone's own name starts with the continent.
    let city = |name: &&str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text.text()));
    let guess = names.clone().find(city).or_else(|| nearest(text.text(), names));
    let help = "use a name of the IANA time zone database, such as `Europe/Berlin` or `UTC`";
    sink.push(Mistake::new("pipeline.unknown-timezone", &text.place, message).guess(guess).help(help));
}

/// The `source` tables.
pub(super) fn sources(file: &PipelineFile, base_dir: &Path, sink: &mut Sink<'_>) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    for (name, table) in file.source.iter().flat_map(|named| &named.0) {
        let Some(path) = &table.path else { continue };
        source_path(name, path, base_dir, sink);
        let settle_seconds = table.settle_seconds.as_ref().map_or(10, |settle| settle.value);
        sources.insert(name.value.clone(), Source { path: absolute(base_dir, path.text()), settle_seconds });
    }
    sources
}

fn source_path(name: &Placed<String>, path: &Placed<String>, base_dir: &Path, sink: &mut Sink<'_>) {
    const KNOWN: [&str; 4] = ["{SPAN}", "{YYYY}", "{MM}", "{DD}"];
    let text = path.text();
    let mistake = |problem: &str| {
        let message = format!("the path of source `{}` {problem}", name.value);
        Mistake::new("pipeline.bad-source-path", &path.place, message)
    };
    // A path that ends in a folder loses its end when it is made absolute.
    if text.is_empty() || text.ends_with(['/', '\\']) || Path::new(text).file_name().is_none() {
        let help = "write a path that ends in a file name, such as `incoming/trips-{SPAN}.csv`";
        sink.push(mistake("names no file").help(help));
    } else if text.contains('*') {
        let help = "write `{SPAN}` for the part that changes from delivery to delivery";
        sink.push(mistake("has a `*`, which matches nothing here").help(help));
    } else if let Err(error) = SpanPattern::parse(&absolute(base_dir, text)) {
        let unknown = placeholders(text).into_iter().find(|found| !KNOWN.contains(found));
        sink.push(mistake(&error.problem).guess(unknown.and_then(|found| nearest(found, KNOWN))));
    }
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
