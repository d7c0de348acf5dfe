//! What starts a run.

use super::CronCheck;
use super::scope::{Scope, is_name};
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{list, nearest};
use crate::place::Placed;
use crate::shape::{PipelineFile, Text, TriggerTable};
use countersign_model::pipeline::{Misfire, Overlap, Trigger, WhilePaused};

/// Missed instants that run when `misfire_most` is not given.
const MISFIRE_MOST: u64 = 10;
/// How late is on time when `misfire_deadline_seconds` is not given.
const MISFIRE_DEADLINE: u64 = 60;

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
    clock_only(table, sink);
    read.jitter_seconds = table.jitter_seconds.as_ref().map_or(0, |seconds| seconds.value);
    read.misfire = misfire(table, sink);
    read.arrival = arrival(table, scope, sink);
    read.http = hooks(table, sink);
    read.after = after(table, file, sink);
    read.overlap = overlap(table, sink);
    read.queue_limit = table.queue_limit.as_ref().map_or(0, |limit| small(limit.value));
    read.priority = table.priority.as_ref().map_or(0, |priority| priority.value);
    let choices = [("hold", WhilePaused::Hold), ("skip", WhilePaused::Skip)];
    let help = "`hold` keeps what is due until the pipeline goes on, `skip` records that it was skipped";
    read.while_paused =
        choice("while_paused", table.while_paused.as_ref(), &choices, ("pipeline.bad-while-paused", help), sink)
            .unwrap_or_default();
    read
}

/// The meaning of a word; nothing when there is none, or when it is none of these, which is reported.
pub(super) fn choice<T: Copy>(
    key: &str,
    given: Option<&Text>,
    choices: &[(&str, T)],
    (code, help): (&'static str, &str),
    sink: &mut Sink<'_>,
) -> Option<T> {
    let text = given?;
    let found = choices.iter().find(|(word, _)| *word == text.text());
    if found.is_none() {
        let mistake = Mistake::new(code, &text.place, format!("`{key}` can not be `{}`", text.value));
        sink.push(mistake.guess(nearest(text.text(), choices.iter().map(|(word, _)| *word))).help(help));
    }
    found.map(|(_, meaning)| *meaning)
}

/// A key that means nothing beside the others, so that somebody believes in what does not happen.
pub(super) fn without_effect<T>(key: &str, given: Option<&Placed<T>>, needs: &str, sink: &mut Sink<'_>) {
    if let Some(value) = given {
        let message = format!("`{key}` has no effect without {needs}");
        let help = format!("add {needs}, or take `{key}` away");
        sink.push(Mistake::new("pipeline.key-without-effect", &value.place, message).help(help));
    }
}

/// Ranges were checked when the table was read.
fn small(number: u64) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

/// Keys about instants of `cron`, where there is none.
fn clock_only(table: &TriggerTable, sink: &mut Sink<'_>) {
    if table.cron.is_none() && !table.broken {
        without_effect("jitter_seconds", table.jitter_seconds.as_ref(), "`cron`", sink);
        without_effect("misfire", table.misfire.as_ref(), "`cron`", sink);
    }
}

fn misfire(table: &TriggerTable, sink: &mut Sink<'_>) -> Misfire {
    let number = |given: &Option<Placed<u64>>, default| given.as_ref().map_or(default, |number| number.value);
    let all = Misfire::RunAll { most: small(number(&table.misfire_most, MISFIRE_MOST)) };
    let skip = Misfire::Skip { deadline_seconds: number(&table.misfire_deadline_seconds, MISFIRE_DEADLINE) };
    let choices = [("run-latest", Misfire::RunLatest), ("run-all", all), ("skip", skip)];
    let help =
        "after an outage `run-latest` starts one run for all that was missed, `run-all` one for each, `skip` none";
    let told = ("pipeline.bad-misfire", help);
    let chosen = choice("misfire", table.misfire.as_ref(), &choices, told, sink);
    if chosen.is_some() || table.misfire.is_none() {
        if chosen != Some(all) {
            without_effect("misfire_most", table.misfire_most.as_ref(), "`misfire = \"run-all\"`", sink);
        }
        if chosen != Some(skip) {
            let key = "misfire_deadline_seconds";
            without_effect(key, table.misfire_deadline_seconds.as_ref(), "`misfire = \"skip\"`", sink);
        }
    }
    chosen.unwrap_or_default()
}

fn arrival(table: &TriggerTable, scope: &Scope<'_>, sink: &mut Sink<'_>) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    for name in table.arrival.iter().flatten() {
        if !scope.sources.contains(&name.text()) {
            let message = format!("`arrival` names `{}`, which is no source", name.value);
            let mistake = Mistake::new("pipeline.unknown-source", &name.place, message);
            let help = match scope.sources.as_slice() {
                [] => "add a source: `[source.NAME]` with a `path`".to_string(),
                sources => format!("the sources are {}", list(sources)),
            };
            sink.push(mistake.guess(nearest(name.text(), scope.sources.iter().copied())).help(help));
        } else if !sources.contains(&name.value) {
            sources.push(name.value.clone());
        }
    }
    sources
}

/// Whether a hook of that name exists is known where the settings are.
fn hooks(table: &TriggerTable, sink: &mut Sink<'_>) -> Vec<String> {
    let mut hooks: Vec<String> = Vec::new();
    for name in table.http.iter().flatten() {
        if !is_name(name.text(), true) {
            let message = format!("no hook can be called `{}`", name.value);
            let help = "write the name of a hook in countersign.toml: `[hooks.orders]` is `\"orders\"`, and is asked at /hooks/orders";
            sink.push(Mistake::new("pipeline.bad-hook", &name.place, message).help(help));
        } else if !hooks.contains(&name.value) {
            hooks.push(name.value.clone());
        }
    }
    hooks
}

fn after(table: &TriggerTable, file: &PipelineFile, sink: &mut Sink<'_>) -> Vec<String> {
    let mut pipelines: Vec<String> = Vec::new();
    for name in table.after.iter().flatten() {
        let mistake = |message: String| Mistake::new("pipeline.bad-after", &name.place, message);
        if file.name.as_ref().is_some_and(|own| own.value == name.value) {
            let help = "a push would start the run that makes the next push, for ever: name another pipeline";
            sink.push(mistake(format!("pipeline `{}` can not come after itself", name.value)).help(help));
        } else if !is_name(name.text(), false) {
            let help = "write another pipeline's `name`; steps and gates of this one stand in `after` of a step";
            sink.push(mistake(format!("no pipeline can be called `{}`", name.value)).help(help));
        } else if !pipelines.contains(&name.value) {
            pipelines.push(name.value.clone());
        }
    }
    pipelines
}

fn overlap(table: &TriggerTable, sink: &mut Sink<'_>) -> Overlap {
    let most = table.most_running.as_ref();
    let allow = Overlap::Allow(most.map_or(1, |most| small(most.value)));
    let choices = [("wait", Overlap::Wait), ("skip", Overlap::Skip), ("replace", Overlap::Replace), ("allow", allow)];
    let help = "`wait` lets the run wait its turn, `skip` records that it was skipped, `replace` ends the others, `allow` \
                lets `most_running` run at the same time";
    let told = ("pipeline.bad-overlap", help);
    let chosen = choice("overlap", table.overlap.as_ref(), &choices, told, sink);
    match (chosen, &table.overlap) {
        (Some(Overlap::Allow(_)), Some(text)) if most.is_none() && !table.broken => {
            let message = "`overlap = \"allow\"` needs `most_running`";
            let mistake = Mistake::new("pipeline.missing-most-running", &text.place, message);
            sink.push(mistake.help("say how many may run at the same time: `most_running = 3`"));
        }
        (Some(Overlap::Allow(_)), _) | (None, Some(_)) => {}
        (Some(Overlap::Wait | Overlap::Skip | Overlap::Replace), _) | (None, None) => {
            without_effect("most_running", most, "`overlap = \"allow\"`", sink);
        }
    }
    chosen.unwrap_or_default()
}

fn cron(text: &Text, check_cron: &CronCheck<'_>, sink: &mut Sink<'_>) {
    let fields: Vec<&str> = text.text().split_whitespace().collect();
    let short = fields.first().is_some_and(|first| first.starts_with('@'));
    let mistake = |message: String| Mistake::new("pipeline.bad-cron", &text.place, message);
    let five = "write five fields: minute, hour, day of month, month, day of week; `0 6 * * *` is every day at 6:00";
    if fields.len() == 6 && !short {
        let without = fields[1..].join(" ");
        let message = "`cron` has six fields: there are no seconds here".to_string();
        sink.push(mistake(message).label(format!("did you mean `{without}`?")).help(five));
    } else if fields.len() != 5 && !short {
        sink.push(mistake(format!("`cron` has {} fields instead of five", fields.len())).help(five));
    } else if let Err(problem) = check_cron(text.text()) {
        let guess = short.then(|| nearest(text.text(), SHORT_FORMS)).flatten();
        sink.push(mistake(format!("`cron` can not be read: {problem}")).guess(guess).help(five));
    }
}

/// For guesses; whoever reads them decides which there are.
const SHORT_FORMS: [&str; 7] = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

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
