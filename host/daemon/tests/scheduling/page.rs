//! Somebody who is signed in at the pages.

use crate::http::{self, Answer};
use crate::site::Site;
use serde_json::Value;

/// A session.
pub struct Page {
    address: String,
    cookie: String,
    csrf: String,
}

impl Page {
    /// With a one-time link.
    pub fn sign_in(site: &Site, person: &str) -> Self {
        let link = site.data(&["access", "link", "--person", person])["link"].as_str().expect("a link").to_string();
        let address = site.address();
        let body = format!("secret={}", link.rsplit('/').next().expect("a secret"));
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answer = http::send(&address, "POST /sign-in/link", &form, body.as_bytes());
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookies = answer.headers("set-cookie");
        let cookie = cookies.iter().find(|cookie| cookie.starts_with("countersign=")).expect("a session's cookie");
        let cookie = cookie.split(';').next().expect("a value").to_string();
        let mut page = Self { address, cookie, csrf: String::new() };
        page.csrf = page.get("/api/v1/session").json()["data"]["csrf"].as_str().expect("a token").to_string();
        page
    }

    /// As another site would use the session: it can not know the token.
    pub fn without_token(self) -> Self {
        Self { csrf: "guessed".to_string(), ..self }
    }

    pub fn get(&self, path: &str) -> Answer {
        http::send(&self.address, &format!("GET {path}"), &[("cookie", &self.cookie)], b"")
    }

    /// Presses a button of a page.
    pub fn press(&self, path: &str, fields: &str) -> Answer {
        let headers = [("cookie", &*self.cookie), ("content-type", "application/x-www-form-urlencoded")];
        let body = format!("csrf={}{fields}", self.csrf);
        http::send(&self.address, &format!("POST {path}"), &headers, body.as_bytes())
    }

    /// As a program does.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("cookie", &*self.cookie), ("x-csrf-token", &*self.csrf), ("content-type", "application/json")];
        http::send(&self.address, &format!("POST {path}"), &headers, body.to_string().as_bytes())
    }
}
