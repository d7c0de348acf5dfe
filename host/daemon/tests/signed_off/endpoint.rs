//! The signed endpoint against whoever is not Slack, and a daemon that does not start without its secrets.

use crate::http::{self, Answer};
use crate::prepared::{GATE, SIGNING};
use crate::stage::{Stage, Transport, now};
use countersign_slack_double::{form, signature};
use std::io::Write;

const SENT: &str = "POST /slack/interactions";

/// Another timestamp, another signature, another body.
struct Forged {
    what: &'static str,
    timestamps: Vec<String>,
    signatures: Vec<String>,
    body: String,
}

fn forgeries(body: &str, at: i64) -> Vec<Forged> {
    let good = signature(SIGNING, at, body);
    let one = |what, timestamp: String, signature: String| Forged {
        what,
        timestamps: vec![timestamp],
        signatures: vec![signature],
        body: body.to_string(),
    };
    let signed = |at: i64| (at.to_string(), signature(SIGNING, at, body));
    let (old, new) = (signed(at - 400), signed(at + 400));
    vec![
        one("another secret", at.to_string(), signature("canary-signing-secret-0004", at, body)),
        one("an empty secret", at.to_string(), signature("\0", at, body)),
        one("too old", old.0.clone(), old.1.clone()),
        one("from the future", new.0, new.1),
        one("an old signature with a new time", at.to_string(), old.1),
        one("no number", "now".to_string(), good.clone()),
        one("a number with a sign", format!("+{at}"), good.clone()),
        one("another version", at.to_string(), good.replace("v0=", "v1=")),
        one("upper case", at.to_string(), format!("v0={}", good[3..].to_uppercase())),
        one("cut short", at.to_string(), good[..60].to_string()),
        one("empty", at.to_string(), String::new()),
        Forged { body: body.replace("hold", "HOLD"), ..one("an edited body", at.to_string(), good.clone()) },
        Forged { timestamps: Vec::new(), ..one("no timestamp", at.to_string(), good.clone()) },
        Forged { signatures: Vec::new(), ..one("no signature", at.to_string(), good.clone()) },
        Forged { signatures: vec![good.clone(), good.clone()], ..one("two signatures", at.to_string(), good.clone()) },
        Forged { timestamps: vec![at.to_string(), at.to_string()], ..one("two timestamps", at.to_string(), good) },
    ]
}

fn send(stage: &Stage, forged: &Forged) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(forged.timestamps.iter().map(|value| ("x-slack-request-timestamp", value.as_str())));
    headers.extend(forged.signatures.iter().map(|value| ("x-slack-signature", value.as_str())));
    http::send(&stage.address, SENT, &headers, forged.body.as_bytes())
}

#[test]
fn what_slack_did_not_sign_is_refused_and_writes_nothing_but_a_counter() {
    let stage = Stage::open(Transport::Http, GATE);
    let asked = stage.ask();
    let hold = stage.press("U0ADA", &stage.headed(&asked, "is waiting for 1 person"), "hold");
    let (body, at) = (form(&hold), now().as_secs() as i64);
    let (size, head) = (stage.record.size(), stage.audit_head());
    let forgeries = forgeries(&body, at);
    for forged in &forgeries {
        let answer = send(&stage, forged);
        assert_eq!((answer.status, answer.body.as_str()), (401, ""), "{}: {answer:?}", forged.what);
    }
    let huge = http::send(&stage.address, SENT, &[], &vec![b'x'; 3 << 20]);
    assert_eq!(huge.status, 413, "{huge:?}");
    let mut slow = http::begin(&stage.address, SENT, &[], 1_000);
    slow.write_all(b"payload=").expect("send a part");
    assert_eq!(http::answer(slow).status, 408);
    assert_eq!((stage.record.size(), stage.audit_head()), (size, head), "nothing was written");
    let metrics = http::send(&stage.address, "GET /metrics", &[], b"").body;
    let counted = format!("countersign_webhook_refused_total {}", forgeries.len() + 2);
    assert!(metrics.contains(&counted), "{counted} in {metrics}");
    // The genuine one counts, and its replay within the five minutes counts no second time.
    for _ in 0..3 {
        let answer = stage.signed(&body, at, SIGNING);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(stage.decided(&asked).len(), 1);
}

#[test]
fn without_the_secret_of_its_transport_the_daemon_does_not_start_and_names_the_key() {
    for (transport, file, key) in
        [(Transport::Http, "signing", "signing_secret_file"), (Transport::Socket, "app", "app_token_file")]
    {
        let stage = Stage::new(transport, GATE);
        stage.secret(file, "  \n");
        let empty = stage.run(&["serve"]).must(2);
        assert!(empty.stderr.contains(key) && empty.stderr.contains("is empty"), "{}", empty.stderr);
        let settings = std::fs::read_to_string(stage.home.path().join("countersign.toml")).expect("the settings");
        let without: Vec<&str> = settings.lines().filter(|line| !line.starts_with(key)).collect();
        stage.home.write("countersign.toml", &without.join("\n"));
        let missing = stage.run(&["serve"]).must(2);
        assert!(missing.stderr.contains(&format!("needs the key `{key}`")), "{}", missing.stderr);
        // A variable that is empty is none.
        let mut blank = stage.home.command(&["--config", "countersign.toml", "serve"]);
        let output = blank.env("COUNTERSIGN_SLACK_SIGNING_SECRET", "").env("COUNTERSIGN_SLACK_APP_TOKEN", "").output();
        assert_eq!(output.expect("the binary runs").status.code(), Some(2));
        assert!(stage.slack.all_calls().is_empty());
    }
}
