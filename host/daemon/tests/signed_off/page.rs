//! Somebody signed in at the pages, as a program that uses the JSON API.

use crate::http::{self, Answer};
use crate::stage::{Asked, Stage};
use serde_json::{Value, json};

/// A session.
pub struct Page {
    address: String,
    cookie: String,
    csrf: String,
}

impl Page {
    /// Signs a person of the settings in with a one-time link.
    pub fn sign_in(stage: &Stage, person: &str) -> Self {
        let link = stage.data(&["access", "link", "--person", person])["link"].as_str().expect("a link").to_string();
        let secret = link.rsplit('/').next().expect("a secret").to_string();
        let body = format!("secret={secret}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answer = http::send(&stage.address, "POST /sign-in/link", &form, body.as_bytes());
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookies = answer.headers("set-cookie");
        let cookie = cookies.iter().find(|cookie| cookie.starts_with("countersign=")).expect("a session's cookie");
        let mut page = Self {
            address: stage.address.clone(),
            cookie: cookie.split(';').next().expect("a value").to_string(),
            csrf: String::new(),
        };
        page.csrf = page.get("/api/v1/session").json()["data"]["csrf"].as_str().expect("a token").to_string();
        page
    }

    /// The session's secret.
    pub fn session(&self) -> &str {
        self.cookie.split_once('=').expect("a cookie").1
    }

    pub fn get(&self, path: &str) -> Answer {
        http::send(&self.address, &format!("GET {path}"), &[("cookie", &self.cookie)], b"")
    }

    pub fn decide(&self, asked: &Asked, decision: &Value) -> Answer {
        let mut body = decision.clone();
        body["evidence"] = asked.evidence.clone().into();
        let headers = [("cookie", &*self.cookie), ("x-csrf-token", &*self.csrf), ("content-type", "application/json")];
        let request = format!("POST /api/v1/requests/{}/decision", asked.request);
        http::send(&self.address, &request, &headers, body.to_string().as_bytes())
    }

    pub fn approve(&self, asked: &Asked) -> Answer {
        self.decide(asked, &json!({ "kind": "approve", "reason": "seen on the page" }))
    }
}
