//! What the keys about starting, arriving and trying again become.

mod support;

use countersign_config::{disagreements, settings::Settings};
use countersign_model::pipeline::{Misfire, Overlap, Pipeline, Ready, Retry, Source, Trigger, WhilePaused, Work};
use support::read;

const PIPELINE: &str = include_str!("support/pipeline.toml");
const OVERLAP: &str = "overlap = \"wait\"";
const SOURCE: &str = "path = \"incoming/trips-{SPAN}.csv\"\nsettle_seconds = 10";

fn with(from: &str, to: &str) -> Pipeline {
    assert!(PIPELINE.contains(from));
    read(&PIPELINE.replace(from, to)).unwrap_or_else(|found| panic!("{found}"))
}

fn trigger_of(lines: &str) -> Pipeline {
    with(OVERLAP, lines)
}

fn trigger(lines: &str) -> Trigger {
    trigger_of(lines).trigger
}

fn source(lines: &str) -> Source {
    with(SOURCE, lines).sources["trips"].clone()
}

#[test]
fn every_key_of_a_trigger_is_read() {
    let lines = "jitter_seconds = 60\nmisfire = \"run-all\"\nmisfire_most = 5\nhttp = [\"orders\", \"orders\"]\n\
                 after = [\"other-pipeline\"]\noverlap = \"allow\"\nmost_running = 3\nqueue_limit = 100\npriority = -5\n\
                 while_paused = \"skip\"";
    let expected = Trigger {
        cron: Some("0 6 * * *".to_string()),
        timezone: "America/Chicago".to_string(),
        jitter_seconds: 60,
        misfire: Misfire::RunAll { most: 5 },
        arrival: vec!["trips".to_string()],
        http: vec!["orders".to_string()],
        after: vec!["other-pipeline".to_string()],
        overlap: Overlap::Allow(3),
        queue_limit: 100,
        priority: -5,
        while_paused: WhilePaused::Skip,
    };
    assert_eq!(trigger(lines), expected);
}

#[test]
fn what_a_trigger_does_not_say_has_its_default() {
    let usual = trigger("");
    assert_eq!((usual.overlap, usual.misfire, usual.most_queued()), (Overlap::Wait, Misfire::RunLatest, 10_000));
    assert_eq!(trigger("misfire = \"run-all\"").misfire, Misfire::RunAll { most: 10 });
    assert_eq!(trigger("misfire = \"skip\"").misfire, Misfire::Skip { deadline_seconds: 60 });
    assert_eq!(
        trigger("misfire = \"skip\"\nmisfire_deadline_seconds = 9").misfire,
        Misfire::Skip { deadline_seconds: 9 }
    );
    assert_eq!(trigger("overlap = \"replace\"").overlap, Overlap::Replace);
    // Keys at their defaults are not in the record, so that a definition keeps its digest.
    let record = serde_json::to_value(&usual).unwrap();
    let mut keys: Vec<&String> = record.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["arrival", "cron", "overlap", "timezone"]);
}

#[test]
fn short_forms_are_for_whoever_reads_cron_expressions() {
    for cron in ["@daily", "@yearly"] {
        let read = with("\"0 6 * * *\"", &format!("\"{cron}\""));
        assert_eq!(read.trigger.cron.as_deref(), Some(cron));
    }
}

#[test]
fn an_object_keeps_its_address_and_a_file_becomes_absolute() {
    let object = source("path = \"s3://my-bucket.eu/trips/{YYYY}-{MM}-{DD}.csv\"\nready = \"renamed\"");
    assert_eq!(object.path, "s3://my-bucket.eu/trips/{YYYY}-{MM}-{DD}.csv");
    assert_eq!(object.object(), Some(("my-bucket.eu", "trips/{YYYY}-{MM}-{DD}.csv")));
    assert_eq!((object.ready, object.settle_seconds), (Ready::Renamed, 10));
    let file = source("path = \"in/{SPAN}.csv\"\nready = \"marker\"\nmarker = \"{NAME}.done\"");
    assert_eq!((file.path.as_str(), file.object()), ("/srv/taxi/in/{SPAN}.csv", None));
    assert_eq!(file.ready, Ready::Marker("{NAME}.done".to_string()));
    assert_eq!(
        source("path = \"in/{SPAN}.csv\"\nready = \"marker\"\nmarker = \"_SUCCESS\"").ready,
        Ready::Marker("_SUCCESS".to_string())
    );
    assert_eq!(source("path = \"a\"\nready = \"settled\"\nsettle_seconds = 0").ready, Ready::Settled);
}

#[test]
fn a_step_says_how_often_it_is_tried() {
    let retry =
        |lines: &str| match &with("[step.difficulty]", &format!("[step.model.retry]\n{lines}\n\n[step.difficulty]"))
            .step("model")
            .unwrap()
            .work
        {
            Work::Component(work) => work.retry,
            Work::Signoff(_) => panic!("model is a step"),
        };
    assert_eq!(retry(""), Retry::default());
    let given = Retry { attempts: 5, pause_seconds: 2, longest_pause_seconds: 60 };
    assert_eq!(retry("attempts = 5\npause_seconds = 2\nlongest_pause_seconds = 60"), given);
    assert_eq!(retry("pause_seconds = 600").longest_pause_seconds, 600);
}

#[test]
fn names_that_nobody_answers_to_are_told() {
    let pipeline = trigger_of("http = [\"order\", \"orders\"]\nafter = [\"other\", \"taxi\"]");
    let mut other = trigger_of("http = [\"orders\"]");
    other.name = "other".to_string();
    let secret = ("COUNTERSIGN_HOOKS_ORDERS_SECRET".to_string(), "0123456789abcdef".to_string());
    let dir = std::path::Path::new("/etc/countersign");
    let text = "[hooks.orders]\nauth = \"token\"";
    let settings = Settings::read(text, "countersign.toml", dir, &[secret].into(), dir).unwrap();
    assert_eq!(disagreements(&settings, [&other]), Vec::<String>::new());
    let found = disagreements(&settings, [&pipeline, &other, &other]);
    let expected = [
        "2 pipelines are named `other`",
        "pipeline `taxi-tips` starts by the hook `order`, which the settings do not have (did you mean `orders`?)",
        "pipeline `taxi-tips` starts after a push of `taxi`, which is no pipeline here: the others are `other`",
    ];
    assert_eq!(found, expected);
    let none = Settings::defaults(&[].into());
    assert_eq!(
        disagreements(&none, [&other]),
        [
            "pipeline `other` starts by the hook `orders`, which the settings do not have: add `[hooks.…]` to countersign.toml"
        ]
    );
}

#[test]
fn pipelines_that_start_one_another_in_a_circle_are_told_once() {
    let named = |name: &str, trigger: &str| {
        let mut pipeline = trigger_of(trigger);
        pipeline.name = name.to_string();
        pipeline
    };
    let settings = Settings::defaults(&[].into());
    let [one, two, three, aside] = [
        named("one", "after = [\"three\"]"),
        named("two", "after = [\"one\"]"),
        named("three", "after = [\"two\", \"aside\"]"),
        named("aside", ""),
    ];
    let expected = "pipelines start one another in a circle: a push of `one` starts `two` starts `three` starts `one`";
    assert_eq!(disagreements(&settings, [&three, &aside, &one, &two]), [expected]);
    let without = named("one", "after = [\"aside\"]");
    assert_eq!(disagreements(&settings, [&three, &aside, &without, &two]), Vec::<String>::new());
    let [there, back] = [named("there", "after = [\"back\"]"), named("back", "after = [\"there\"]")];
    let expected = "pipelines start one another in a circle: a push of `back` starts `there` starts `back`";
    assert_eq!(disagreements(&settings, [&there, &back]), [expected]);
}
