//! People at the reviewer's pages, in a real browser against the real binary. What they do is in `tests/browser`; what came of it is
//! checked here, in the record.

mod harness;

use countersign_judges as judges;
use harness::{Home, Running, eventually, newest_run, show};
use serde_json::{Value, json};
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const DEMO: &[&str] = &["--demo"];
const PIPELINE: &str = include_str!("../../../config/pipelines/taxi-tips.toml");
/// The secret of RFC 6238's own examples.
const TOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
/// HTML and CSS of a review page.
const HEAVIEST: u64 = 200 << 10;

/// An installation with a daemon that serves its pages, and somebody else's browser.
struct Stage {
    home: Home,
    address: String,
    packages: PathBuf,
    chromium: PathBuf,
    daemon: Option<Running>,
}

/// A run and its request.
struct Asked {
    run: String,
    request: String,
}

impl Stage {
    /// None where there is no browser.
    fn new() -> Option<Self> {
        let (packages, chromium) = (judges::node()?, judges::chromium()?);
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free address");
        let stage = Self { home: Home::new(), address: free.to_string(), packages, chromium, daemon: None };
        stage.write("countersign.toml", &settings(&stage.address));
        stage.write("taxi-tips.toml", PIPELINE);
        stage.write("guarded.toml", &guarded("guarded", "second_factor = true"));
        let strict = guarded(
            "strict",
            "second_factor = true\noverride = { approvers = [{ role = \"owner\", count = 1 }], on = [\"page\"] }",
        );
        stage.write("strict.toml", &strict.replace("at_least = 0.6 }", "at_least = 0.999 }"));
        let secret = stage.home.demo().join("ada-totp");
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(secret);
        std::io::Write::write_all(&mut file.expect("the secret's file"), TOTP.as_bytes()).expect("write the secret");
        Some(stage)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        self.home.write(&format!(".local/share/countersign/demo/{name}"), text)
    }

    /// Runs the demo, with a delivery if one is named.
    fn demo(&self, delivery: &[&str], code: i32) -> String {
        let mut arguments = vec!["demo"];
        arguments.extend_from_slice(delivery);
        self.home.run(&arguments).must(code);
        newest_run(&self.home, DEMO)
    }

    fn run_file(&self, name: &str) -> String {
        let file = self.home.demo().join(name);
        self.home.run(&["--demo", "run", file.to_str().expect("a path")]).must(4);
        newest_run(&self.home, DEMO)
    }

    fn asked(&self, run: String) -> Asked {
        let request = show(&self.home, DEMO, &run)["requests"][0]["request"]["id"].as_str().expect("a request").into();
        Asked { run, request }
    }

    fn decisions(&self, asked: &Asked) -> Vec<Value> {
        show(&self.home, DEMO, &asked.run)["requests"][0]["decisions"].as_array().expect("decisions").clone()
    }

    fn serve(&mut self) {
        let log = File::create(self.home.path().join("serve.log")).expect("a log file");
        let mut serve = self.home.command(&["--demo", "serve"]);
        self.daemon = Some(Running(serve.stdout(Stdio::null()).stderr(log).spawn().expect("the daemon starts")));
        eventually("the pages are served", || TcpStream::connect(&self.address).ok());
    }

    /// A link that signs Ada in once.
    fn link(&self) -> String {
        let made = self.home.data(&["--demo", "access", "link", "--person", "ada"]);
        made["link"].as_str().expect("a link").to_string()
    }

    /// Runs a script of `tests/browser`.
    fn script(&self, name: &str, given: Value) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser").join(name);
        let mut all = json!({
            "packages": self.packages,
            "chromium": self.chromium,
            "home": format!("http://{}", self.address),
            "link": self.link(),
            "pictures": pictures(),
        });
        let (Value::Object(all), Value::Object(given)) = (&mut all, given) else { panic!("two objects") };
        all.extend(given);
        let said = judges::run(Command::new("node").arg(script).arg(Value::Object(all.clone()).to_string()));
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{name}: {error}: {said}"))
    }
}

fn settings(address: &str) -> String {
    format!(
        "state_dir = \"state\"\nlease_seconds = 10\n[web]\nlisten = \"{address}\"\n\
         [people.ada]\nlocal = \"ada\"\nroles = [\"owner\"]\ntotp_file = \"ada-totp\"\n"
    )
}

/// The demo's pipeline under another name, with other words in its gate.
fn guarded(name: &str, gate: &str) -> String {
    PIPELINE
        .replace("name = \"taxi-tips\"", &format!("name = \"{name}\""))
        .replace("target = \"models/taxi-tips\"", &format!("target = \"models/{name}\""))
        .replace("expire = { after = \"7d\", then = \"hold\" }", &format!("approve_on = [\"page\"]\n{gate}"))
}

/// Where screenshots are put, for people to look at.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    folder
}

#[test]
fn people_decide_in_a_browser() {
    let Some(mut stage) = Stage::new() else { return };
    let first = stage.asked(stage.demo(&[], 4));
    let guarded = stage.asked(stage.run_file("guarded.toml"));
    let strict = stage.asked(stage.run_file("strict.toml"));
    stage.serve();

    from_message_to_live_model(&stage, &first);
    let second = stage.asked(stage.demo(&["--with", "new-rows"], 4));
    both_models_answer(&stage, &second);
    stage.home.run(&["--demo", "pipeline", "pause", "guarded", "--reason", "the disk is moved"]).must(0);
    stage.script("refuse.mjs", json!({ "request": second.request }));
    let blocked = stage.demo(&["--with", "drift"], 3);
    everything_can_be_read(&stage, [&first, &second, &strict], &blocked);

    let totp = json!({ "guarded": guarded.request, "strict": strict.request, "totp": TOTP });
    stage.script("second-factor.mjs", totp);
    for (asked, kind) in [(&guarded, "approve"), (&strict, "override")] {
        let decisions = stage.decisions(asked);
        assert_eq!(decisions.len(), 1, "{decisions:#?}");
        assert_eq!((&decisions[0]["kind"], &decisions[0]["second_factor"]), (&json!(kind), &json!(true)));
    }
    stage.home.run(&["--demo", "reject", &second.run, "--reason", "not this week"]);
    what_is_over_can_be_read(&stage, [&second, &guarded, &strict]);
    reports_stand_alone(&stage, [&strict.run, &blocked]);
    assert_eq!(stage.daemon.as_mut().expect("a daemon").terminate(), 0);
    stage.home.run(&["--demo", "audit", "verify"]).must(0);
}

/// The keyboard alone, no JavaScript; the daemon pushes what was approved.
fn from_message_to_live_model(stage: &Stage, asked: &Asked) {
    let reason = "looked at the slices";
    let pressed = stage.script("sign.mjs", json!({ "request": asked.request, "reason": reason }));
    println!("from a message to a decision: {pressed}");
    assert_eq!(pressed["toDecide"], 2, "more than opening the page and pressing a button: {pressed}");
    assert_eq!(pressed["toSignIn"], 2, "{pressed}");
    assert!(pressed["stopsFromBar"].as_u64().expect("stops") <= 2, "{pressed}");

    let decisions = stage.decisions(asked);
    assert_eq!(decisions.len(), 1, "{decisions:#?}");
    let said = ["kind", "channel", "person", "actor", "reason"].map(|key| decisions[0][key].as_str().unwrap_or("none"));
    assert_eq!(said, ["approve", "page", "ada", "local:ada", reason]);
    eventually("the approved model is live", || {
        let live = std::fs::read_link(stage.home.demo().join("models/taxi-tips/current")).ok()?;
        let run = show(&stage.home, DEMO, &asked.run);
        (run["run"]["state"]["end"]["end"] == "succeeded").then_some(live)
    });
}

/// A try on an example of the reviewer's own is computed by both models and logged.
fn both_models_answer(stage: &Stage, asked: &Asked) {
    let tried = stage.script("poke.mjs", json!({ "request": asked.request, "column": "fare", "value": "55.5" }));
    assert_eq!((&tried["actor"], &tried["example"]["fare"]), (&json!("local:ada"), &json!("55.5")));
    for who in ["candidate", "live"] {
        let odds = tried[who]["probabilities"].as_array().unwrap_or_else(|| panic!("{who} is silent: {tried}"));
        let sum: f64 = odds.iter().filter_map(|line| line["probability"].as_f64()).sum();
        assert!(tried[who]["label"].is_string() && (sum - 1.0).abs() < 1e-4, "{tried}");
    }
}

fn everything_can_be_read(stage: &Stage, [approved, open, strict]: [&Asked; 3], blocked: &str) {
    let model =
        stage.home.data(&["--demo", "explain", "taxi-tips"])["model"]["id"].as_str().expect("a model").to_string();
    let link = stage.link();
    let link = link.split_once("/sign-in/").expect("a link").1;
    let pages = json!({
        "inbox": "/",
        "review": format!("/requests/{}", open.request),
        "review-approved": format!("/requests/{}", approved.request),
        "review-failed": format!("/requests/{}", strict.request),
        "features": format!("/requests/{}/features", open.request),
        "slices": format!("/requests/{}/slices?q=company", open.request),
        "runs": "/runs",
        "run": format!("/runs/{}", approved.run),
        "run-blocked": format!("/runs/{blocked}"),
        "log": format!("/runs/{}/steps/model/log", approved.run),
        "pipelines": "/pipelines",
        "pipeline": "/pipelines/taxi-tips",
        "pipeline-paused": "/pipelines/guarded",
        "artifacts": "/artifacts",
        "artifact": format!("/artifacts/{model}"),
        "compare": format!("/compare?a={}&b={}", approved.run, open.run),
        "sign-in": "/sign-in?next=%2Fruns",
        "sign-in-link": format!("/sign-in/{link}"),
        "not-found": "/nothing/here",
    });
    let bytes =
        stage.script("look.mjs", json!({ "pages": pages, "weighed": ["review", "review-approved", "review-failed"] }));
    println!("HTML and CSS in bytes: {bytes}");
    for (page, bytes) in bytes.as_object().expect("sizes") {
        assert!(bytes.as_u64().is_some_and(|bytes| bytes <= HEAVIEST), "{page}: {bytes} bytes");
    }
}

fn what_is_over_can_be_read(stage: &Stage, [rejected, approved, overridden]: [&Asked; 3]) {
    let pages = json!({
        "inbox-empty": "/",
        "review-rejected": format!("/requests/{}", rejected.request),
        "review-second-factor": format!("/requests/{}", approved.request),
        "review-overridden": format!("/requests/{}", overridden.request),
    });
    stage.script("look.mjs", json!({ "pages": pages, "weighed": [] }));
}

fn reports_stand_alone(stage: &Stage, runs: [&String; 2]) {
    for (name, run) in ["report", "report-blocked"].into_iter().zip(runs) {
        let file = stage.home.path().join(format!("{name}.html"));
        let html = format!("--html={}", file.display());
        stage.home.run(&["--demo", "report", run, &html]).must(0);
        println!("{name}: {} bytes", file.metadata().expect("the report").len());
        stage.script("report.mjs", json!({ "file": file, "name": name }));
    }
}
