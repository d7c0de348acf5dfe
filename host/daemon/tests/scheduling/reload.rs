//! Settings and pipelines that change while the daemon runs.

use crate::page::Page;
use crate::pipelines::{NAP, NOTE, TRAINING, rows};
use crate::site::{HOOKS, SECRET, Site};
use serde_json::json;

fn definition(site: &Site, run: &str) -> String {
    site.record.texts(&format!("SELECT pipeline_digest FROM runs WHERE id = '{run}'")).remove(0)
}

#[test]
fn a_run_keeps_the_definition_with_which_it_began() {
    let mut site = Site::new(HOOKS);
    let trigger = "[trigger]\nhttp = [\"a\"]\n";
    site.pipeline(
        "changing",
        &format!("{trigger}{NAP}[step.old]\ncomponent = \"noop\"\ninputs = {{ input = \"nap\" }}\n"),
    );
    site.serve();
    let first = site.run_by_hook("a", "1");
    site.until_in(&first, "nap");
    site.pipeline("changing", &format!("{trigger}[step.new]\ncomponent = \"noop\"\ncache = false\n"));
    site.pipeline("added", &format!("[trigger]\nhttp = [\"b\"]\n{NOTE}"));
    assert!(site.reload().contains("were read again"));
    assert_eq!(site.status(&first), "running", "it goes on");
    let second = site.run_by_hook("a", "2");
    let added = site.run_by_hook("b", "1");
    for run in [&first, &second, &added] {
        site.until(run, "succeeded");
    }
    assert_ne!(definition(&site, &first), definition(&site, &second));
    assert_eq!((site.attempts(&first, "old"), site.attempts(&first, "new")), (1, 0));
    assert_eq!((site.attempts(&second, "old"), site.attempts(&second, "new")), (0, 1));
    // One that is gone starts nothing any more.
    std::fs::remove_file(site.home.path().join("pipelines/added.toml")).expect("remove the file");
    site.reload();
    assert_eq!(site.post_hook("b", SECRET, "2").status, 422);
    site.stop();
}

#[test]
fn a_mistake_leaves_everything_as_it_was_and_says_where_it_is() {
    let mut site = Site::new(HOOKS);
    let good = format!("[trigger]\nhttp = [\"a\"]\n{NOTE}");
    site.pipeline("note", &good);
    site.serve();
    let goes_on = |id: &str| {
        let run = site.run_by_hook("a", id);
        site.until(&run, "succeeded");
    };
    goes_on("1");
    site.pipeline("note", &good.replace("component = \"noop\"", "component = \"nope\""));
    site.pipeline("another", &format!("[trigger]\nhttp = [\"b\"]\n{NOTE}"));
    let said = site.reload();
    assert!(said.contains("reload refused") && said.contains("note.toml:5"), "{said}");
    goes_on("2");
    assert_eq!(site.post_hook("b", SECRET, "1").status, 422, "not even the sound half is in force");

    site.pipeline("note", &good);
    site.settings(&format!("concurrency = 0\n{HOOKS}"));
    let said = site.reload();
    let line = "countersign.toml:6";
    assert!(said.contains("reload refused") && said.contains(line), "{said}");
    goes_on("3");

    site.settings(&HOOKS.replace("secrets/hook", "secrets/gone"));
    let said = site.reload();
    assert!(said.contains("reload refused") && said.contains("secrets/gone"), "{said}");
    goes_on("4");
    site.settings(HOOKS);
    assert!(site.reload().contains("were read again"));
    let run = site.run_by_hook("b", "1");
    site.until(&run, "succeeded");
    site.stop();
}

#[test]
fn settings_take_effect_at_once_or_say_that_they_do_not() {
    let mut site = Site::new(HOOKS);
    site.pipeline("note", &format!("[trigger]\nhttp = [\"a\", \"b\"]\n{NOTE}"));
    site.serve();
    let new = "another-secret-of-that-system";
    site.secret("new", new);
    let hooks = HOOKS.replacen("secrets/hook", "secrets/new", 1);
    site.settings(&format!("lease_seconds = 7\nconcurrency = 3\n{hooks}"));
    let said = site.reload();
    let told = |key: &str| said.lines().find(|line| line.contains(&format!("\"{key}\""))).unwrap_or_default();
    assert!(told("lease_seconds").contains("takes effect at the next start"), "{said}");
    assert!(told("hooks.a.secret").contains("setting changed"), "{said}");
    assert!(["concurrency", "hooks.a.secret"].iter().all(|key| !told(key).contains("next start")), "{said}");
    assert!(!said.contains(new) && !said.contains(SECRET), "{said}");
    assert_eq!(site.post_hook("a", SECRET, "1").status, 401, "the old secret is worth nothing");
    assert_eq!(site.post_hook("a", new, "1").status, 202);
    assert_eq!(site.post_hook("b", SECRET, "1").status, 202, "another hook keeps its own");
    site.settings(&hooks.replace("[hooks.b]", "[hooks.c]"));
    site.reload();
    assert_eq!(site.post_hook("b", SECRET, "2").status, 401, "the hook is gone");
    site.stop();
}

#[test]
fn people_who_are_added_may_decide_at_once() {
    let mut site = Site::new(HOOKS);
    site.home.write("data/rows.csv", &rows(1));
    let source = "[source.rows]\npath = \"../data/rows.csv\"\n";
    site.pipeline("tips", &format!("[trigger]\nhttp = [\"a\"]\n{source}{TRAINING}"));
    let people = |role: &str| format!("{HOOKS}[people.ada]\nlocal = \"ada\"\nroles = [\"{role}\"]\n");
    site.settings(&people("data-scientist"));
    site.serve();
    let run = site.run_by_hook("a", "1");
    site.until(&run, "waiting");
    let asked = site.data(&["show", &run])["requests"][0]["request"].clone();
    let path = format!("/api/v1/requests/{}/decision", asked["id"].as_str().expect("a request"));
    let decision = json!({ "kind": "approve", "reason": "seen on the page", "evidence": asked["evidence_digest"] });
    let ada = Page::sign_in(&site, "ada");
    assert_eq!(ada.post(&path, &decision).status, 403);
    site.settings(&people("owner"));
    assert_eq!(ada.post(&path, &decision).status, 403, "nobody told the daemon");
    site.reload();
    let decided = ada.post(&path, &decision);
    assert_eq!(decided.status, 200, "{decided:?}");
    site.until(&run, "succeeded");
    site.stop();
}
