//! Pipelines that are paused, by command and on the page.

use crate::page::Page;
use crate::pipelines::NOTE;
use crate::site::{HOOKS, Site};

#[test]
fn a_paused_pipeline_begins_nothing_until_it_goes_on() {
    let mut site = Site::new(HOOKS);
    site.pipeline("held", &format!("[trigger]\nhttp = [\"a\"]\nwhile_paused = \"hold\"\n{NOTE}"));
    site.pipeline("skipping", &format!("[trigger]\nhttp = [\"b\"]\nwhile_paused = \"skip\"\n{NOTE}"));
    site.serve();
    site.run(&["pipeline", "pause", "held", "--reason", "the disk is moved"]).must(0).says("their runs wait");
    site.run(&["pipeline", "pause", "held"]).must(0).says("was paused already");
    site.run(&["pipeline", "pause", "nobody"]).must(2).says("neither a file nor a registered pipeline");
    let page = Page::sign_in(&site, "me");
    assert_eq!(page.press("/pipelines/skipping/pause", "&reason=the+disk+is+moved").status, 303);
    for name in ["held", "skipping"] {
        let shown = page.get(&format!("/pipelines/{name}")).body;
        assert!(shown.contains("Paused by") && shown.contains("the disk is moved"), "{shown}");
    }

    let waiting = site.run_by_hook("a", "1");
    let skipped = site.hook("b", "1");
    assert!(skipped["reason"].as_str().is_some_and(|reason| reason.contains("paused")), "{skipped}");
    // Another daemon knows of it, too; and what else there is to do is done.
    site.stop();
    site.pipeline("free", &format!("[trigger]\nhttp = [\"a\"]\n{NOTE}"));
    site.serve();
    site.hook("a", "2");
    site.until_count("free", "succeeded", 1);
    assert_eq!(site.status(&waiting), "queued");
    assert_eq!(site.outcomes("held"), ["run", "run"], "both events are taken");

    let page = Page::sign_in(&site, "me");
    assert_eq!(page.press("/pipelines/held/resume", "").status, 303);
    site.until_count("held", "succeeded", 2);
    site.run(&["pipeline", "resume", "skipping"]).must(0).says("goes on");
    site.run(&["pipeline", "resume", "skipping"]).must(0).says("was not paused");
    let after = site.run_by_hook("b", "2");
    site.until(&after, "succeeded");
    let outcomes = site.outcomes("skipping");
    assert_eq!(
        (outcomes[0].starts_with("paused"), outcomes[1].as_str()),
        (true, "run"),
        "what was skipped stays skipped"
    );
    let told = site.record.texts("SELECT action FROM audit WHERE action LIKE '%pause%' OR action LIKE '%resume%'");
    assert_eq!(told.len(), 4, "{told:?}");
    site.stop();
}

#[test]
fn a_button_that_somebody_else_makes_one_press_does_nothing() {
    let mut site = Site::new(HOOKS);
    site.pipeline("held", &format!("[trigger]\nhttp = [\"a\"]\n{NOTE}"));
    site.serve();
    let forged = Page::sign_in(&site, "me").without_token().press("/pipelines/held/pause", "");
    assert_eq!(forged.status, 403, "{forged:?}");
    let run = site.run_by_hook("a", "1");
    site.until(&run, "succeeded");
    let started = Page::sign_in(&site, "me").press("/pipelines/held/runs", "");
    assert_eq!(started.status, 303, "{started:?}");
    site.until_count("held", "succeeded", 2);
}
