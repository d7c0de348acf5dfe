//! The same messages judged by Slack's own packages: the models of `slack_sdk`, and the TypeScript types. The corpus is the same in
//! every run of the tests.

use super::properties::KINDS;
use super::{generated, groups};
use countersign_slack::message::{
    Rendered, alert, decision_dialog, escalation, notice_to_person, reminder, request_message,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Messages and views of `cases` situations.
fn corpus(cases: usize) -> (Vec<Value>, Vec<Value>) {
    let mut runner = TestRunner::deterministic();
    let (mut messages, mut views) = (Vec::new(), Vec::new());
    let message = |rendered: Rendered| json!({"channel": "C0GATES", "text": rendered.text, "blocks": rendered.blocks});
    for _ in 0..cases {
        let case = generated::case().new_tree(&mut runner).expect("a case").current();
        let group = groups::group().new_tree(&mut runner).expect("a group").current();
        let words = generated::words().new_tree(&mut runner).expect("words").current();
        let situation = case.situation();
        messages.push(message(request_message(&situation)));
        messages.push(message(reminder(&situation)));
        messages.push(message(escalation(&situation, &words)));
        messages.push(message(notice_to_person(&words)));
        messages.push(message(alert(&group.alert())));
        views.extend(KINDS.map(|kind| decision_dialog(kind, &case.request.handle(), &situation)));
    }
    (messages, views)
}

fn here() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/messages"))
}

#[test]
fn slack_sdk_reads_every_message_and_view_as_it_is_written() {
    let Some(python) = countersign_judges::python() else { return };
    let (messages, views) = corpus(120);
    let file = tempfile::NamedTempFile::new().expect("a file for the corpus");
    std::fs::write(file.path(), json!({"messages": messages, "views": views}).to_string()).expect("write the corpus");
    let said = countersign_judges::run(Command::new(python).arg(here().join("models.py")).arg(file.path()));
    assert_eq!(said.trim(), "600 messages, 480 views");
}

#[test]
fn slacks_types_take_messages_views_and_the_manifest() {
    let Some(node) = countersign_judges::node() else { return };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/slack-manifest.json");
    let manifest = std::fs::read_to_string(manifest).expect("the manifest");
    let (messages, views) = corpus(12);
    let mut source = std::fs::read_to_string(here().join("typed.ts")).expect("the imports");
    source.push_str(&format!("export const socket: Manifest = {manifest};\n"));
    // The same app over HTTP, as docs/slack.md describes it.
    let mut http: Value = serde_json::from_str(&manifest).expect("the manifest is JSON");
    http["settings"]["socket_mode_enabled"] = false.into();
    http["settings"]["interactivity"]["request_url"] = "https://countersign.example.org/slack/interactions".into();
    source.push_str(&format!("export const http: Manifest = {http};\n"));
    for (place, message) in messages.iter().enumerate() {
        source.push_str(&format!("export const post{place}: ChatPostMessageArguments = {message};\n"));
        let mut update = message.clone();
        update["ts"] = "1795400000.000100".into();
        source.push_str(&format!("export const update{place}: ChatUpdateArguments = {update};\n"));
    }
    for (place, view) in views.iter().enumerate() {
        let open = json!({"trigger_id": "1.2.abc", "view": view});
        source.push_str(&format!("export const open{place}: ViewsOpenArguments = {open};\n"));
    }
    // Beside node_modules, where the compiler looks for packages.
    let folder = tempfile::tempdir_in(&node).expect("a folder for the source");
    let file = folder.path().join("judged.ts");
    std::fs::write(&file, source).expect("write the source");
    let compiler = node.join("node_modules/.bin/tsc");
    let options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "node16"];
    countersign_judges::run(Command::new(compiler).args(options).arg(file).current_dir(folder.path()));
}
