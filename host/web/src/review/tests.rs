//! View models of real artifacts.

use super::fixture::{Size, Waiting};
use super::{load_artifact, load_compare, load_features, load_inbox, load_log, load_review, load_run, load_slices};
use countersign_model::actor::Identity;
use countersign_model::artifact::ArtifactKind;
use countersign_store::conformance::Bench;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_review_shows_what_the_artifacts_hold() {
    let waiting = Waiting::new(Size::USUAL).await;
    let review = load_review(&waiting.sources, &waiting.request.id).await.unwrap();
    assert_eq!(review.unreadable, Vec::<String>::new());
    assert_eq!(review.bar.kinds, ["approve", "reject", "hold"]);
    assert_eq!(review.bar.quorum.iter().map(|quorum| quorum.missing).collect::<Vec<_>>(), [1, 2]);
    assert!(review.bar.held, "the last word was hold");
    assert_eq!((review.checks.block, review.checks.ask, review.checks.warn), (0, 1, 2));
    assert_eq!(review.metrics.worst[0].slice, "company = Blue Ribbon-0");
    assert!(review.metrics.regressions.iter().all(|slice| slice.change.unwrap() < 0.0));
    let top = &review.data.top[0];
    assert_eq!((top.name.as_str(), top.moved), ("feature-0", true));
    let names: Vec<&str> = top.series.iter().map(|series| series.name.as_str()).collect();
    assert_eq!(names, ["train", "eval", "previous"]);
    assert!(!top.findings.is_empty());
    let difficulty = review.difficulty.unwrap();
    assert_eq!(difficulty.classes.len(), 2);
    assert!((difficulty.agreement.spearman.unwrap() - 1.0).abs() < 1e-9, "the same order, on another scale");
    assert_eq!(review.poke.fields.len(), 18);
    assert!(review.poke.begins_at(&2), "the hardest");
    let mut poke = review.poke.clone();
    poke.begin_with(7);
    poke.begin_with(999_999);
    assert!(poke.begins_at(&7), "there is no such row");
    assert_eq!(review.poke.earlier.len(), 1);
    assert!(review.lineage.edges.len() >= 5, "{:?}", review.lineage.edges);
}

#[tokio::test]
async fn an_artifact_that_is_not_what_was_published_is_told_of_and_the_evidence_is_shown() {
    let waiting = Waiting::new(Size::USUAL).await;
    let made = waiting.sources.store.executions(&waiting.request.run).await.unwrap();
    let mut outputs = made.iter().filter_map(|execution| execution.state.result()?.outputs.values().next());
    let evaluation = outputs.rfind(|made| made.kind.as_str() == ArtifactKind::EVALUATION).unwrap().digest.to_string();
    let file =
        waiting.keep.path().join("sha256").join(&evaluation[..2]).join(&evaluation).join("files/evaluation.json");
    std::fs::remove_file(file).unwrap();
    let review = load_review(&waiting.sources, &waiting.request.id).await.unwrap();
    assert_eq!(review.unreadable.len(), 1, "{:?}", review.unreadable);
    assert_eq!(review.metrics.model_bytes, Some(1_900_000));
    assert!(review.difficulty.is_some());
}

#[tokio::test]
async fn the_rest_is_paged_and_searched() {
    let waiting = Waiting::new(Size { features: 45, slices: 250, hostile: false }).await;
    let features = |page| load_features(&waiting.sources, &waiting.request.id, page);
    let first = features(1).await.unwrap();
    assert_eq!((first.paging.pages, first.paging.total, first.features.len()), (3, 45, 15));
    assert_eq!(features(99).await.unwrap().paging.page, 3, "there is no page 99: the last");
    assert_eq!(features(0).await.unwrap().paging.page, 1);
    let slices = |query| load_slices(&waiting.sources, &waiting.request.id, 1, query);
    assert_eq!(slices("BLUE ribbon-249").await.unwrap().slices.len(), 1);
    assert_eq!(slices("").await.unwrap().paging.pages, 3);
    assert_eq!(slices("nowhere").await.unwrap().paging.total, 0);
}

#[tokio::test]
async fn an_inbox_puts_what_waits_for_the_reader_first() {
    let waiting = Waiting::new(Size::USUAL).await;
    let reader = |roles: &[&str]| Identity {
        roles: roles.iter().map(|role| (*role).to_string()).collect::<BTreeSet<_>>(),
        ..Identity::unknown(&Bench::person("cleo"))
    };
    let mine = load_inbox(&waiting.sources, &reader(&["owner"])).await.unwrap();
    assert_eq!((mine.mine.len(), mine.others.len(), mine.total), (1, 0, 1));
    let others = load_inbox(&waiting.sources, &reader(&["intern"])).await.unwrap();
    assert_eq!((others.mine.len(), others.others.len()), (0, 1));
    let barred = Identity { barred: Some("a guest".to_string()), ..reader(&["owner"]) };
    assert_eq!(load_inbox(&waiting.sources, &barred).await.unwrap().mine.len(), 0);
}

#[tokio::test]
async fn a_run_its_logs_its_artifacts_and_another_run() {
    let waiting = Waiting::new(Size::USUAL).await;
    let run = load_run(&waiting.sources, &waiting.request.run).await.unwrap();
    assert_eq!(run.steps.len(), 5);
    assert_eq!((run.requests.len(), run.ended), (1, false));
    let log = load_log(&waiting.sources, &waiting.request.run, "model").await.unwrap();
    assert_eq!(log.lines[0].fields, "field-2=value-1");
    assert!(load_log(&waiting.sources, &waiting.request.run, "nowhere").await.is_err());
    let model = load_artifact(&waiting.sources, &waiting.model.id).await.unwrap();
    assert_eq!((model.files.len(), model.requests.len()), (1, 1));
    assert!(model.upstream.artifacts.len() >= 4 && model.downstream.artifacts.len() == 2);
    let compared = load_compare(&waiting.sources, &waiting.before.run, &waiting.request.run).await.unwrap();
    assert_eq!(compared.only_b.len(), 3);
    assert!(compared.changes.iter().any(|change| change.what == "model" && change.a == "did not run"));
}
