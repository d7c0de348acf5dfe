//! Whoever may not decide is refused, told so, and written down.

use crate::harness::eventually;
use crate::http;
use crate::prepared::{TEAM_OWNERS, people};
use crate::stage::{Stage, Transport};
use countersign_slack_double::{TEAM, submission};
use serde_json::{Value, json};

const OTHERS_ONLY: &str =
    "approvers = [{ role = \"owner\", count = 1 }]\napprove_on = [\"slack\"]\nforbid_self_approval = true";

/// A deed of somebody, and words that the refusal has.
fn strangers() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("U0EVE", TEAM, "none of the roles"),
        ("U0BOB", TEAM, "none of the roles"),
        ("U0BOT", TEAM, "a bot"),
        ("U0GST", TEAM, "a guest"),
        ("U0ONE", TEAM, "a guest"),
        ("U0OLD", TEAM, "deactivated"),
        ("U0NIL", TEAM, "unknown to Slack"),
        ("U0ADA", "T0OTHER", "of another workspace"),
        ("U0YOU", TEAM, "forbids self-approval"),
    ]
}

#[test]
fn whoever_may_not_decide_is_refused_told_and_written_down() {
    for transport in [Transport::Socket, Transport::Http] {
        let mut stage = Stage::new(transport, OTHERS_ONLY);
        // Everybody but Eve and Bob is listed as an owner; who started the run has an account in Slack, too.
        let listed = people().replace("[people.you]", "[people.you]\nslack = \"T0TEAM/U0YOU\"");
        let owners: String =
            [("bot", "U0BOT"), ("guest", "U0GST"), ("single", "U0ONE"), ("old", "U0OLD"), ("nil", "U0NIL")]
                .map(|(name, id)| format!("[people.{name}]\nroles = [\"owner\"]\nslack = \"{TEAM}/{id}\"\n"))
                .concat();
        stage.people(&(listed + &owners + TEAM_OWNERS));
        stage.account("U0BOT", json!({ "is_bot": true }));
        stage.account("U0GST", json!({ "is_restricted": true }));
        stage.account("U0ONE", json!({ "is_restricted": true, "is_ultra_restricted": true }));
        stage.account("U0OLD", json!({ "deleted": true }));
        stage.account("U0YOU", json!({}));
        stage.account("U0CAY", json!({}));
        stage.serve();
        let asked = stage.ask();
        let message = stage.headed(&asked, "is waiting for 1 person");
        let handle =
            stage.press("U0ADA", &message, "hold")["actions"][0]["value"].as_str().expect("a handle").to_string();
        let before = stage.record.size();
        for (number, (user, team, why)) in strangers().into_iter().enumerate() {
            let mut sent = submission(user, "approve", &handle, &format!("V{number}"), "let me");
            sent["user"]["team_id"] = team.into();
            let taken = stage.send(&sent);
            let words = taken.body["errors"]["reason"].as_str().unwrap_or_else(|| panic!("{user}: {taken:?}"));
            assert!(words.contains(why), "{user}: {words}");
            assert_eq!(stage.live(), None);
        }
        let wrote = stage.record.texts("SELECT actor FROM audit WHERE action = 'decision.refused' ORDER BY sequence");
        let expected: Vec<String> = strangers().iter().map(|(user, team, _)| format!("slack:{team}/{user}")).collect();
        assert_eq!(wrote, expected, "{transport:?}");
        let [decisions, requests, runs, audit] = before;
        assert_eq!(stage.record.size(), [decisions, requests, runs, audit + expected.len() as i64]);
        // Of another app or another workspace's installation: not even for us.
        for (path, value) in [("/api_app_id", "A0OTHER"), ("/team/id", "T0OTHER")] {
            let mut sent = submission("U0ADA", "approve", &handle, "V99", "let me");
            *sent.pointer_mut(path).expect("the field") = value.into();
            assert_eq!(stage.send(&sent).body, Value::Null);
        }
        assert_eq!(stage.request(&asked), ("open".to_string(), Vec::new()));
        // A new name changes nothing, and whoever may, may.
        let mut renamed = submission("U0CAY", "approve", &handle, "V100", "fine");
        renamed["user"]["name"] = "somebody.else".into();
        assert_eq!(stage.send(&renamed).body, Value::Null);
        assert_eq!(stage.decided(&asked), [("approve".to_string(), format!("slack:{TEAM}/U0CAY"), false)]);
        stage.ends(&asked, "succeeded");
    }
}

#[test]
fn a_click_of_a_stranger_is_answered_to_them_alone() {
    let stage = Stage::open(Transport::Socket, OTHERS_ONLY);
    let asked = stage.ask();
    let message = stage.headed(&asked, "is waiting for 1 person");
    assert_eq!(stage.send(&stage.press("U0EVE", &message, "hold")).status, 200);
    eventually("Eve is told", || {
        stage
            .slack
            .whispers()
            .iter()
            .any(|(user, words)| user == "U0EVE" && words.contains("none of the roles"))
            .then_some(())
    });
    assert_eq!((stage.slack.messages().len(), stage.request(&asked)), (1, ("open".to_string(), Vec::new())));
}

#[test]
fn a_token_reads_and_decides_nothing() {
    let stage = Stage::open(Transport::Http, OTHERS_ONLY);
    let asked = stage.ask();
    let token = stage.data(&["access", "token", "grafana"])["token"].as_str().expect("a token").to_string();
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let read = http::send(&stage.address, &format!("GET /api/v1/requests/{}", asked.request), &headers, b"");
    assert_eq!(read.status, 200, "{read:?}");
    let body = json!({ "kind": "approve", "evidence": asked.evidence }).to_string();
    let path = format!("POST /api/v1/requests/{}/decision", asked.request);
    let refused = http::send(&stage.address, &path, &headers, body.as_bytes());
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(stage.record.texts("SELECT action FROM audit ORDER BY sequence DESC LIMIT 1"), ["decision.refused"]);
    assert_eq!(http::send(&stage.address, &path, &[("content-type", "application/json")], body.as_bytes()).status, 401);
    assert_eq!(stage.request(&asked), ("open".to_string(), Vec::new()));
}
