//! A person who signs in at one daemon's pages and decides there.

use crate::http;
use crate::site::{Daemon, Site};
use serde_json::{Value, json};

/// Approves a request as Ada.
pub fn approve(site: &Site, daemon: &Daemon, request: &Value) {
    let link = site.data(&["access", "link", "--person", "ada"])["link"].as_str().expect("a link").to_string();
    let body = format!("secret={}", link.rsplit('/').next().expect("a secret"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = http::send(&daemon.address, "POST /sign-in/link", &form, body.as_bytes());
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookies = answer.headers("set-cookie");
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("countersign=")).expect("a session's cookie");
    let cookie = cookie.split(';').next().expect("a value");
    let session = http::send(&daemon.address, "GET /api/v1/session", &[("cookie", cookie)], b"").json();
    let csrf = session["data"]["csrf"].as_str().expect("a token");
    let headers = [("cookie", cookie), ("x-csrf-token", csrf), ("content-type", "application/json")];
    let decision = json!({ "kind": "approve", "reason": "seen", "evidence": request["evidence_digest"] }).to_string();
    let path = format!("POST /api/v1/requests/{}/decision", request["id"].as_str().expect("an identifier"));
    let answer = http::send(&daemon.address, &path, &headers, decision.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
}
