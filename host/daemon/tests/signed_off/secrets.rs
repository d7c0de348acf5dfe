//! A canary in every place that holds a secret: none sings in a log, an error, a page, the API, the numbers, the database, an artifact,
//! a bundle, a message, or what a command prints.

use crate::http;
use crate::page::Page;
use crate::prepared::{GATE, SIGNING, people};
use crate::stage::{Asked, Stage, Transport, now};
use countersign_slack_double::{APP, BOT, Fault, TICKET};
use serde_json::{Value, json};
use std::path::Path;

const TOTP: &str = "CANARYTOTPSECRETCANARYTOTPSECRET";
const CLIENT: &str = "canary-client-secret-0005";

/// Where something was said, and what.
type Said = Vec<(String, Vec<u8>)>;

fn installed(transport: Transport) -> Stage {
    let mut stage = Stage::new(transport, &format!("{GATE}\nsecond_factor = true"));
    stage.secret("totp", TOTP);
    stage.secret("client", CLIENT);
    let ada = "slack = \"T0TEAM/U0ADA\"\nlocal = \"ada\"\ntotp_file = \"secrets/totp\"";
    let sign_in = "[web.slack_sign_in]\nclient_id = \"1.2\"\nclient_secret_file = \"secrets/client\"\n";
    stage.people(&(people().replace("slack = \"T0TEAM/U0ADA\"", ada) + sign_in));
    let settings = stage.home.path().join("countersign.toml");
    let text = std::fs::read_to_string(&settings).expect("the settings");
    let url = format!("[web]\npublic_url = \"http://{}\"\n", stage.address);
    std::fs::write(settings, text.replace("[web]\n", &url)).expect("write the settings");
    stage.start("trace");
    crate::harness::eventually("the pages are served", || std::net::TcpStream::connect(&stage.address).ok());
    stage
}

/// Good days and bad ones, on every way in.
fn live_through(stage: &Stage) -> (Asked, Page) {
    for fault in [Fault::Status(500), Fault::Reset, Fault::Refuse("internal_error")] {
        stage.slack.fail("chat.postMessage", fault);
    }
    stage.slack.fail("users.info", Fault::Refuse("xoxb-canary-bot-0001"));
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    stage.send(&stage.press("U0EVE", &message, "hold"));
    if stage.transport == Transport::Http {
        assert_eq!(stage.signed("payload=x", now().as_secs() as i64, "wrong").status, 401);
    }
    let page = Page::sign_in(stage, "ada");
    let wrong = page.decide(&asked, &json!({ "kind": "approve", "code": "000000" }));
    assert_eq!(wrong.status, 422, "{wrong:?}");
    sign_in_with_slack(stage);
    stage.decide("U0ADA", &message, "approve", "seen");
    stage.ends(&asked, "succeeded");
    stage.headed(&asked, "is live");
    (asked, page)
}

/// Slack's side of it fails: what was sent to it is in nobody's error.
fn sign_in_with_slack(stage: &Stage) {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let begun = http::send(&stage.address, "POST /sign-in/slack", &form, b"next=%2F");
    assert_eq!(begun.status, 303, "{begun:?}");
    let cookie = begun.headers("set-cookie")[0].split(';').next().expect("a value").to_string();
    let location = begun.headers("location").remove(0);
    let state = location.split("state=").nth(1).and_then(|rest| rest.split('&').next()).expect("a state");
    let headers = [form[0], ("cookie", cookie.as_str())];
    let ended = http::send(
        &stage.address,
        "POST /sign-in/slack/callback",
        &headers,
        format!("code=canary-code-0006&state={state}").as_bytes(),
    );
    assert!(ended.status >= 400, "{ended:?}");
}

/// A path with every name in every place that varies.
fn filled(path: &str, names: &[&str]) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_string()] };
    let (_, after) = rest.split_once('}').expect("a name in brackets");
    let ends = filled(after, names);
    names.iter().flat_map(|name| ends.iter().map(move |end| format!("{before}{name}{end}"))).collect()
}

/// Every route that answers GET, with every name that could stand in its path.
fn pages(stage: &Stage, asked: &Asked, page: &Page) -> Said {
    let artifact = stage.record.texts("SELECT id FROM artifacts LIMIT 1").remove(0);
    let names = [asked.run.as_str(), &asked.request, &artifact, "taxi-tips", "model"];
    let document = page.get("/api/openapi.json").json();
    let size = stage.record.size();
    let mut said = Said::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        if methods["get"].is_null() || path.contains("sign-in") {
            continue;
        }
        for path in filled(path, &names) {
            let answer = page.get(&path);
            said.push((
                format!("GET {path} {}", answer.status),
                format!("{}\n{}", answer.head, answer.body).into_bytes(),
            ));
        }
    }
    assert_eq!(stage.record.size(), size, "looking changes nothing");
    assert!(
        said.iter().filter(|(place, _)| place.ends_with(" 200")).count() > 15,
        "{:?}",
        said.iter().map(|(place, _)| place).collect::<Vec<_>>()
    );
    said
}

fn commands(stage: &Stage, asked: &Asked) -> Said {
    let artifact = stage.record.texts("SELECT id FROM artifacts LIMIT 1").remove(0);
    let reads: Vec<Vec<&str>> = vec![
        vec!["runs"],
        vec!["show", &asked.run, "--hard", "--log", "model"],
        vec!["inbox"],
        vec!["status"],
        vec!["events"],
        vec!["explain", "taxi-tips"],
        vec!["lineage", &artifact],
        vec!["deployed", "taxi-tips"],
        vec!["access", "list"],
        vec!["slack", "check"],
        vec!["plugin", "list"],
        vec!["audit", "verify"],
        vec!["doctor"],
        vec!["pipeline", "check", "pipelines/taxi-tips.toml"],
    ];
    let mut said = Said::new();
    for read in reads {
        for form in ["text", "json"] {
            let ran = stage.run(&[&["--output", form], read.as_slice()].concat());
            assert!(!ran.stdout.is_empty(), "{read:?}: {}", ran.stderr);
            said.push((format!("{read:?} as {form}"), format!("{}{}", ran.stdout, ran.stderr).into_bytes()));
        }
    }
    for write in [
        vec!["bundle", "taxi-tips", "bundle"],
        vec!["report", &asked.run, "--html=report.html"],
        vec!["export", &asked.run, "exported"],
    ] {
        let ran = stage.run(&write).must(0);
        said.push((format!("{write:?}"), format!("{}{}", ran.stdout, ran.stderr).into_bytes()));
    }
    said
}

/// Everything that lies in the home but the secrets' own files.
fn lying_around(directory: &Path, said: &mut Said) {
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("secrets") {
            lying_around(&path, said);
        } else if path.is_file() {
            said.push((path.display().to_string(), std::fs::read(&path).expect("a file")));
        }
    }
}

fn slack_heard(stage: &Stage) -> Said {
    let calls = stage.slack.all_calls().into_iter();
    // What signs people in needs the client's secret; nothing else does.
    let calls = calls
        .filter(|call| !call.method.starts_with("openid."))
        .map(|call| (format!("call of {}", call.method), call.arguments.to_string().into_bytes()));
    let shown = format!("{:?}{:?}{:?}", stage.slack.messages(), stage.slack.whispers(), stage.slack.views());
    calls.chain([("what Slack shows".to_string(), shown.into_bytes())]).collect()
}

fn wrong_settings(stage: &Stage) -> Said {
    let settings = std::fs::read_to_string(stage.home.path().join("countersign.toml")).expect("the settings");
    let mut said = Said::new();
    for (line, literal) in [
        ("bot_token_file = \"secrets/bot\"", format!("bot_token = \"{BOT}\"")),
        ("app_token_file = \"secrets/app\"", format!("app_token_file = \"{APP}\"")),
        ("signing_secret_file = \"secrets/signing\"", format!("signing_secret = \"{SIGNING}\"")),
        ("client_secret_file = \"secrets/client\"", format!("client_secret = \"{CLIENT}\"")),
        ("totp_file = \"secrets/totp\"", format!("totp = \"{TOTP}\"")),
    ] {
        stage.home.write("wrong/countersign.toml", &settings.replace(line, &literal));
        for form in ["text", "json"] {
            let ran = stage.home.run(&["--config", "wrong/countersign.toml", "--output", form, "status"]).must(2);
            said.push((format!("{line} as {form}"), format!("{}{}", ran.stdout, ran.stderr).into_bytes()));
        }
    }
    std::fs::remove_dir_all(stage.home.path().join("wrong")).expect("tidy up");
    for (variable, value) in [("BOT_TOKEN", SIGNING), ("APP_TOKEN", BOT), ("SIGNING_SECRET", APP)] {
        let mut status = stage.home.command(&["--config", "countersign.toml", "status"]);
        let output = status.env(format!("COUNTERSIGN_SLACK_{variable}"), value).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(2));
        said.push((variable.to_string(), [output.stdout, output.stderr].concat()));
    }
    said
}

fn contains(text: &[u8], secret: &str) -> bool {
    text.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn no_secret_is_in_a_log_an_error_a_page_a_number_the_database_an_artifact_a_message_or_an_output() {
    for transport in [Transport::Socket, Transport::Http] {
        let mut stage = installed(transport);
        let (asked, page) = live_through(&stage);
        let mut said = pages(&stage, &asked, &page);
        said.extend(commands(&stage, &asked));
        said.extend(wrong_settings(&stage));
        said.extend(slack_heard(&stage));
        stage.stop();
        assert!(stage.log().contains("TRACE"), "the log says all it can");
        lying_around(stage.home.path(), &mut said);
        let session = page.session().to_string();
        for secret in [BOT, APP, SIGNING, TICKET, TOTP, CLIENT, "canary-code-0006", &session] {
            let places: Vec<&String> =
                said.iter().filter(|(_, text)| contains(text, secret)).map(|(place, _)| place).collect();
            assert!(places.is_empty(), "{secret} in {places:?}");
        }
        assert!(said.iter().any(|(place, text)| place.contains("metadata.db") && contains(text, "U0ADA")));
    }
}

#[test]
fn a_secret_can_not_be_told_by_how_an_error_reads() {
    let stage = Stage::new(Transport::Http, GATE);
    stage.secret("bot", "not-a-token-but-canary-0007");
    let ran = stage.run(&["status"]).must(2).says("bot token");
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary-0007"));
    let json: Value = stage.run(&["--output", "json", "status"]).must(2).json();
    assert!(!json.to_string().contains("canary-0007"), "{json}");
}
