//! Pages as a browser gets them. With `COUNTERSIGN_PAGES` set to a folder they are written there, for people to look at.

use super::markup::{must_be_sound, tags};
use super::{Frame, stylesheet};
use crate::access::Viewer;
use crate::forms::Draft;
use crate::review::fixture::{HOSTILE, Size, Waiting};
use crate::review::{self};
use countersign_model::actor::Identity;
use countersign_ports::access_store::CredentialKind;
use countersign_ports::metadata_store::{ArtifactFilter, RunFilter};
use countersign_store::conformance::Bench;

/// Most bytes of a page with its stylesheet.
const BUDGET: usize = 200 << 10;

fn viewer(kind: CredentialKind) -> Viewer {
    let identity = Identity {
        person: "Ada <b>Lovelace</b>".to_string(),
        roles: ["owner".to_string()].into(),
        ..Identity::unknown(&Bench::person("ada"))
    };
    Viewer { identity, kind }
}

fn look(name: &str, html: &str) {
    if let Some(folder) = std::env::var_os("COUNTERSIGN_PAGES") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), html).unwrap();
    }
}

/// Every page there is, of one run that waits.
async fn pages(waiting: &Waiting, kind: CredentialKind) -> Vec<(&'static str, String)> {
    let viewer = viewer(kind);
    let frame = Frame { viewer: Some(&viewer), csrf: "c\"s<r>f", notice: Some("It is <not> \"done\"."), base: "" };
    let (sources, id, run) = (&waiting.sources, &waiting.request.id, &waiting.request.run);
    let draft = Draft { reason: HOSTILE[0].to_string(), canary: HOSTILE[1].to_string(), ..Draft::default() };
    let review = review::load_review(sources, id).await.unwrap();
    let inbox = review::load_inbox(sources, &viewer.identity).await.unwrap();
    let runs = review::load_runs(sources, &RunFilter::default()).await.unwrap();
    let page = review::load_run(sources, run).await.unwrap();
    let log = review::load_log(sources, run, "model").await.unwrap();
    let pipelines = review::load_pipelines(sources).await.unwrap();
    let pipeline = review::load_pipeline(sources, "taxi").await.unwrap();
    let artifacts = review::load_artifacts(sources, &ArtifactFilter::default()).await.unwrap();
    let artifact = review::load_artifact(sources, &waiting.model.id).await.unwrap();
    let compared = review::load_compare(sources, &waiting.before.run, run).await.unwrap();
    let features = review::load_features(sources, id, 1).await.unwrap();
    let slices = review::load_slices(sources, id, 1, HOSTILE[1]).await.unwrap();
    let pages = [
        ("review", super::review(&frame, &review, Some(&waiting.poke), Some(&draft))),
        ("inbox", super::inbox(&frame, &inbox)),
        ("runs", super::runs(&frame, &runs)),
        ("run", super::run(&frame, &page)),
        ("log", super::log(&frame, &log)),
        ("pipelines", super::pipelines(&frame, &pipelines)),
        ("pipeline", super::pipeline(&frame, &pipeline)),
        ("artifacts", super::artifacts(&frame, &artifacts)),
        ("artifact", super::artifact(&frame, &artifact)),
        ("compare", super::compare(&frame, &compared)),
        ("features", super::features(&frame, &features)),
        ("slices", super::slices(&frame, &slices)),
        ("sign-in", super::sign_in(&frame, HOSTILE[1], true)),
        ("sign-in-link", super::sign_in_link(&frame, HOSTILE[1])),
        ("sign-in-slack", super::sign_in_slack(&frame, HOSTILE[0], HOSTILE[1])),
        ("problem", super::problem(&frame, 404, HOSTILE[0], HOSTILE[1])),
        ("report", super::report(&review)),
        ("run-report", super::run_report(&page)),
    ];
    pages.into_iter().map(|(name, html)| (name, html.unwrap())).collect()
}

#[tokio::test]
async fn whatever_the_data_every_page_is_sound() {
    for hostile in [false, true] {
        let waiting = Waiting::new(Size { hostile, ..Size::USUAL }).await;
        for (name, html) in pages(&waiting, CredentialKind::Session).await {
            must_be_sound(name, &html);
            look(if hostile { "hostile" } else { name }, &html);
            assert!(!html.contains("NaN"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_page_stays_within_its_budget_whatever_the_width() {
    let waiting = Waiting::new(Size { features: 1000, slices: 500, hostile: false }).await;
    let viewer = viewer(CredentialKind::Session);
    let frame = Frame { viewer: Some(&viewer), csrf: &"c".repeat(43), notice: None, base: "" };
    let review = review::load_review(&waiting.sources, &waiting.request.id).await.unwrap();
    let features = review::load_features(&waiting.sources, &waiting.request.id, 1).await.unwrap();
    let slices = review::load_slices(&waiting.sources, &waiting.request.id, 1, "").await.unwrap();
    let pages = [
        ("wide-review", super::review(&frame, &review, None, None).unwrap()),
        ("wide-features", super::features(&frame, &features).unwrap()),
        ("wide-slices", super::slices(&frame, &slices).unwrap()),
    ];
    for (name, html) in pages {
        look(name, &html);
        let bytes = html.len() + stylesheet().len();
        assert!(bytes <= BUDGET, "{name}: {bytes} bytes");
        must_be_sound(name, &html);
    }
}

#[tokio::test]
async fn a_report_stands_alone() {
    let waiting = Waiting::new(Size::USUAL).await;
    let review = review::load_review(&waiting.sources, &waiting.request.id).await.unwrap();
    let run = review::load_run(&waiting.sources, &waiting.before.run).await.unwrap();
    for html in [super::report(&review).unwrap(), super::run_report(&run).unwrap()] {
        for tag in tags(&html) {
            assert!(!["form", "button", "input", "link", "script"].contains(&tag.name.as_str()), "{}", tag.name);
            let leads = tag.attribute("href").is_none_or(|href| href.starts_with('#'));
            assert!(leads && tag.attribute("src").is_none(), "{:?}", tag.attributes);
        }
        assert!(html.contains("Content-Security-Policy") && html.contains(stylesheet()));
        assert!(html.matches("url(").count() == html.matches("url(#").count(), "only patterns of its own");
    }
}

#[tokio::test]
async fn a_token_and_a_stranger_are_given_no_form() {
    let waiting = Waiting::new(Size::USUAL).await;
    for (name, html) in pages(&waiting, CredentialKind::Token).await {
        let acts = tags(&html).iter().any(|tag| tag.attribute("method") == Some("post"));
        assert!(!acts || name.starts_with("sign-in"), "{name}");
    }
    let mut stranger = viewer(CredentialKind::Session);
    stranger.identity.roles.clear();
    let frame = Frame { viewer: Some(&stranger), csrf: "c", notice: None, base: "/countersign" };
    let review = review::load_review(&waiting.sources, &waiting.request.id).await.unwrap();
    let html = super::review(&frame, &review, None, None).unwrap();
    assert!(
        !html.contains("/decision\"") && html.contains("You hold none of the roles"),
        "no button that would be refused"
    );
    let links = tags(&html).into_iter().filter_map(|tag| tag.attribute("href").map(str::to_string));
    assert!(
        links.filter(|href| href.starts_with('/')).all(|href| href.starts_with("/countersign/")),
        "the prefix is kept"
    );
}

#[tokio::test]
async fn the_decision_is_two_tab_stops_from_the_bar_and_enter_alone_sends_nothing() {
    let waiting = Waiting::new(Size::USUAL).await;
    let viewer = viewer(CredentialKind::Session);
    let frame = Frame { viewer: Some(&viewer), csrf: "c", notice: None, base: "" };
    let mut review = review::load_review(&waiting.sources, &waiting.request.id).await.unwrap();
    review.bar.second_factor = false;
    let html = super::review(&frame, &review, None, None).unwrap();
    let tags = tags(&html);
    let decide = tags.iter().position(|tag| tag.attribute("href") == Some("#decide")).unwrap();
    let focusable = |tag: &&super::markup::Tag| {
        let kind = matches!(tag.name.as_str(), "a" | "button" | "input" | "textarea" | "select" | "summary");
        kind && tag.attribute("type") != Some("hidden") && tag.attribute("disabled").is_none()
    };
    let stops: Vec<_> = tags[decide + 1..].iter().filter(focusable).take(2).collect();
    assert_eq!((stops[0].name.as_str(), stops[1].attribute("value")), ("textarea", Some("approve")));
    let form = tags.iter().position(|tag| tag.attribute("action").is_some_and(|to| to.ends_with("/decision"))).unwrap();
    let first = tags[form..].iter().find(|tag| tag.name == "button").unwrap();
    assert!(first.attribute("disabled").is_some(), "a form's first button is what Enter presses");
}
