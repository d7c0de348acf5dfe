//! Somebody who signed in.

use crate::http::{Answer, Connection};
use crate::serving::Serving;
use crate::site::Site;
use anyhow::Context as _;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Somebody who signed in, with a connection of their own.
pub struct Visitor {
    connection: Connection,
    cookie: String,
    csrf: String,
}

impl Visitor {
    /// Signs in with a one-time link.
    pub fn sign_in(site: &Site, serving: &Serving) -> anyhow::Result<Self> {
        let link = site.data(&["access", "link"])?;
        let secret = link["link"].as_str().and_then(|link| link.rsplit('/').next()).context("a link")?.to_string();
        let mut connection = Connection::open(&serving.address)?;
        let entered = connection.send("POST", "/sign-in/link", &[FORM], &format!("secret={secret}"))?;
        let cookie = entered.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.with_context(|| format!("no session: status {}", entered.status))?.to_string();
        let mut visitor = Self { connection, cookie, csrf: String::new() };
        let session = visitor.get("/api/v1/session")?.data()?;
        visitor.csrf = session["csrf"].as_str().context("a CSRF token")?.to_string();
        Ok(visitor)
    }

    /// Goes on with a new connection, as a browser does after a while.
    pub fn connect_again(&mut self, serving: &Serving) -> anyhow::Result<()> {
        self.connection = Connection::open(&serving.address)?;
        Ok(())
    }

    /// Reads something that has to be there.
    pub fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let answer = self.connection.send("GET", path, &[("cookie", &self.cookie)], "")?;
        anyhow::ensure!(answer.status == 200, "GET {path}: status {}", answer.status);
        Ok(answer)
    }

    /// Decides with the form of the page.
    pub fn decide(&mut self, request: &str, evidence: &str, kind: &str) -> anyhow::Result<()> {
        let body = format!("csrf={}&kind={kind}&evidence={evidence}&reason=measured", self.csrf);
        let path = format!("/requests/{request}/decision");
        let answer = self.connection.send("POST", &path, &[FORM, ("cookie", &self.cookie)], &body)?;
        let said = answer.header("location").unwrap_or_default();
        anyhow::ensure!(said.ends_with("said=recorded"), "{kind} {request}: status {}, {said}", answer.status);
        Ok(())
    }
}
