//! What a component answers is checked: the host stores it and people read it.

use crate::stage::{Stage, fails};

#[tokio::test]
async fn metrics_have_to_be_numbers_with_names() {
    let (stage, _) = fails("nan-metric", "bug", &["metric `auc` is NaN"]).await;
    assert!(stage.listener.metrics.lock().unwrap().is_empty());
    fails("huge-metric-name", "bug", &["name has 1048576 bytes"]).await;
}

#[tokio::test]
async fn an_answer_is_short_or_refused() {
    fails("huge-summary", "bug", &["1,000,000 bytes of summary", "1,000 are allowed"]).await;
    fails("many-findings", "bug", &["20,000 findings", "10,000 are allowed"]).await;
    fails("huge-finding", "bug", &["bytes of a finding's message"]).await;
    fails("nameless-finding", "bug", &["finding without a kind"]).await;
}

#[tokio::test]
async fn control_characters_do_not_get_through() {
    let stage = Stage::new("control-characters");
    let outcome = stage.run().await.expect("text is made harmless, not refused");
    let line = stage.listener.last_line();
    let finding = &outcome.findings[0];
    let fields = line.fields.iter().flat_map(|(key, value)| [key, value]);
    for text in [&outcome.summary, &finding.subject, &finding.message, &line.message].into_iter().chain(fields) {
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
    assert_eq!(outcome.summary, "\u{fffd}[31mred second line");
}

#[tokio::test]
async fn what_lies_in_an_output_is_the_publishers_to_judge() {
    // The store refuses links and the publisher misses outputs; the sandbox only keeps them from being followed.
    let stage = Stage::new("symlink-output");
    stage.run().await.expect("an answer");
    let stage = Stage::new("no-output");
    assert_eq!(stage.run().await.expect("an answer").summary, "wrote nothing");
    assert_eq!(std::fs::read_dir(stage.output()).unwrap().count(), 0);
}
