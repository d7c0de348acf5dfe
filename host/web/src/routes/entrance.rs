//! Ways in and out that need no other service: the sign-in page, one-time links, signing out, and who one is.

use super::{Answers, Route, Takes, schema_of};
use crate::access::cookies::{self, Cookie};
use crate::access::issue::{self, NewCredential};
use crate::access::{carried, origin, random};
use crate::answer;
use crate::call::Call;
use crate::pages;
use crate::problem::Problem;
use crate::rule::{Deed, Entry, Reading, Visit, Writing, run};
use crate::server::Server;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_model::actor::Actor;
use countersign_ports::access_store::CredentialKind;
use countersign_ports::metadata_store::{AuditNote, NoteAction};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long a browser remembers where it wanted to go: until somebody has been asked for a link, and it was used.
const NEXT_KEPT: Duration = Duration::from_secs(3600);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/sign-in", Reading::Public(run(sign_in)), Answers::Page, "How to come in")
            .asking(&[("next", "a path of this site to go to afterwards")]),
        Route::get(
            "/sign-in/link/{secret}",
            Reading::Public(run(link)),
            Answers::Page,
            "A one-time link: shows a button and spends nothing",
        ),
        Route::post(
            "/sign-in/link",
            Writing::Entering(run(redeem)),
            Takes::Form(&["secret"]),
            Answers::Elsewhere,
            "Sign in with a one-time link",
        ),
        Route::post(
            "/sign-out",
            Writing::People(run(sign_out)),
            Takes::Form(&["csrf"]),
            Answers::Elsewhere,
            "Sign out",
        ),
        Route::get(
            "/api/v1/session",
            Reading::Viewers(run(session)),
            Answers::Document("session", schema_of::<SessionDocument>),
            "Who you are, what you may sign as, and the CSRF token that your requests carry",
        ),
    ]
}

async fn sign_in(server: Arc<Server>, mut call: Call) -> Result<Response, Problem> {
    let next = origin::local_path(&call.query("next")?.unwrap_or_default());
    let slack = server.options.slack_sign_in.as_ref();
    let html = pages::sign_in(&server.frame(None, None), &next, slack.is_some())?;
    let kept = cookies::set(Cookie::Next, &URL_SAFE_NO_PAD.encode(&next), NEXT_KEPT, server.https());
    let page = answer::with_cookie(answer::page(html), &kept);
    Ok(match slack {
        Some(slack) => answer::with_forms_to(page, &places(&origin::origin_of(&slack.api_url))),
        None => page,
    })
}

/// Slack sends people on to their workspace's own host.
fn places(origin: &str) -> String {
    match origin.strip_prefix("https://") {
        Some(host) => format!("{origin} https://*.{host}"),
        None => origin.to_string(),
    }
}

async fn link(server: Arc<Server>, call: Call) -> Result<Response, Problem> {
    let secret = call.parameter("secret")?;
    Ok(answer::page(pages::sign_in_link(&server.frame(None, None), secret)?))
}

async fn redeem(server: Arc<Server>, entry: Entry) -> Result<Response, Problem> {
    let Entry { mut fields, call } = entry;
    let secret = fields.want("secret")?;
    fields.finish()?;
    let now = server.options.clock.now();
    // Nobody guesses 256 bits: wrong links are refused, not counted.
    let found = server.options.access.redeem_credential(CredentialKind::Link, &random::digest(&secret), now).await?;
    let link = found.ok_or_else(|| Problem::forbidden("this link was used before or is too old: ask for a new one"))?;
    let answer = open_session(&server, &call.headers, &link.actor, &next(&call.headers, server.https())).await?;
    Ok(answer::with_cookie(answer, &cookies::set(Cookie::Next, "", Duration::ZERO, server.https())))
}

/// Where this browser wanted to go when it was asked to sign in; the inbox when it was not.
fn next(headers: &HeaderMap, https: bool) -> String {
    let kept = cookies::read(headers, Cookie::Next, https).and_then(|kept| URL_SAFE_NO_PAD.decode(kept).ok());
    let path = kept.and_then(|bytes| String::from_utf8(bytes).ok());
    origin::local_path(&path.unwrap_or_default())
}

/// Opens a session for somebody whose identity was established just now, in place of the one that the browser had, and sends them on.
pub(super) async fn open_session(
    server: &Server,
    headers: &HeaderMap,
    actor: &Actor,
    next: &str,
) -> Result<Response, Problem> {
    let (access, now) = (server.options.access.as_ref(), server.options.clock.now());
    let identity = server.options.directory.identify(actor).await;
    if let Some(why) = identity.barred {
        return Err(Problem::forbidden(format!("`{actor}` may do nothing here: {why}")));
    }
    if let Some((CredentialKind::Session, before)) = carried(headers, server.https()) {
        access.revoke_credential(&before, actor, now).await?;
    }
    let lifetime = server.options.session;
    let new = NewCredential { kind: CredentialKind::Session, actor, label: "browser", by: actor, lifetime };
    let issued = issue::issue(access, now, new).await?;
    let note = AuditNote {
        at: now,
        actor: actor.clone(),
        action: NoteAction::SignedIn,
        subject: actor.to_string(),
        detail: serde_json::json!({ "person": identity.person, "until": issued.credential.expires_at }),
    };
    server.options.store.record_note(&note).await?;
    let cookie = cookies::set(Cookie::Session, &issued.secret, lifetime, server.https());
    Ok(answer::with_cookie(answer::see_other(next), &cookie))
}

async fn sign_out(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let Deed { session, sent, .. } = deed;
    sent.form()?.finish()?;
    let (actor, now) = (&session.viewer.identity.actor, server.options.clock.now());
    server.options.access.revoke_credential(&session.credential, actor, now).await?;
    let gone = cookies::set(Cookie::Session, "", Duration::ZERO, server.https());
    Ok(answer::with_cookie(answer::see_other("/sign-in"), &gone))
}

/// Who somebody is.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionDocument {
    /// The account: `slack:T01/U02AB`.
    actor: String,
    /// The person behind it; the account's text when none is listed.
    person: String,
    /// What they may sign as.
    roles: BTreeSet<String>,
    /// Whether they only read.
    read_only: bool,
    /// For the header `x-csrf-token` of requests that act; empty for those who only read.
    csrf: String,
}

async fn session(_server: Arc<Server>, visit: Visit) -> Result<Response, Problem> {
    let (viewer, csrf) = (visit.session.viewer, visit.session.csrf);
    let read_only = viewer.read_only();
    let identity = viewer.identity;
    let document = SessionDocument {
        actor: identity.actor.to_string(),
        person: identity.person,
        roles: identity.roles,
        read_only,
        csrf,
    };
    answer::data("session", &document)
}
