//! Sign-in with Slack. A sign-in under way is a credential that lives in one browser's cookie for ten minutes; what Slack sends back counts
//! only there, only once, and only after a press on our own page: Slack's way back is a GET, and a GET changes nothing here.

use super::entrance::open_session;
use super::{Answers, Route, Takes};
use crate::access::cookies::{self, Cookie};
use crate::access::issue::{self, NewCredential};
use crate::access::{origin, random};
use crate::answer;
use crate::call::Call;
use crate::openid::{OpenId, Started};
use crate::pages;
use crate::problem::Problem;
use crate::rule::{Entry, Reading, Writing, run};
use crate::server::Server;
use axum::response::Response;
use countersign_model::actor::Actor;
use countersign_ports::access_store::CredentialKind;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(600);

pub(super) fn routes() -> Vec<Route> {
    let query = &[("code", "from Slack"), ("state", "from Slack"), ("error", "from Slack")];
    vec![
        Route::post(
            "/sign-in/slack",
            Writing::Entering(run(begin)),
            Takes::Form(&["next"]),
            Answers::Elsewhere,
            "Begin to sign in with Slack",
        ),
        Route::get(
            "/sign-in/slack/callback",
            Reading::Public(run(back)),
            Answers::Page,
            "Back from Slack: shows a button and spends nothing",
        )
        .asking(query),
        Route::post(
            "/sign-in/slack/callback",
            Writing::Entering(run(finish)),
            Takes::Form(&["code", "state"]),
            Answers::Elsewhere,
            "Sign in with what Slack sent back",
        ),
    ]
}

fn open_id(server: &Server) -> Result<OpenId<'_>, Problem> {
    let sign_in = server.options.slack_sign_in.as_ref();
    let sign_in = sign_in.ok_or_else(|| Problem::not_found("sign-in with Slack is not set up here"))?;
    Ok(OpenId::new(sign_in, &server.options.public_url))
}

/// What goes round through Slack: only the browser that holds the secret can make it.
fn state_of(secret: &str) -> String {
    random::digest(&format!("state of {secret}")).to_string()
}

async fn begin(server: Arc<Server>, entry: Entry) -> Result<Response, Problem> {
    let open_id = open_id(&server)?;
    let mut fields = entry.fields;
    let next = origin::local_path(&fields.take("next")?.unwrap_or_default());
    fields.finish()?;
    let nobody = Actor::system("sign-in");
    let new =
        NewCredential { kind: CredentialKind::SignIn, actor: &nobody, label: &next, by: &nobody, lifetime: PATIENCE };
    let issued = issue::issue(server.options.access.as_ref(), server.options.clock.now(), new).await?;
    let started = Started { state: &state_of(&issued.secret), nonce: &issued.credential.companion };
    let cookie = cookies::set(Cookie::SignIn, &issued.secret, PATIENCE, server.https());
    Ok(answer::with_cookie(answer::see_other(&open_id.authorize_url(&started)), &cookie))
}

async fn back(server: Arc<Server>, mut call: Call) -> Result<Response, Problem> {
    open_id(&server)?;
    if call.query("error")?.is_some() {
        return Err(Problem::forbidden("Slack was not allowed to tell who you are: try again"));
    }
    let missing = || Problem::bad_request("this is not how Slack sends people back");
    let (code, state) = (call.query("code")?.ok_or_else(missing)?, call.query("state")?.ok_or_else(missing)?);
    Ok(answer::page(pages::sign_in_slack(&server.frame(None, None), &code, &state)?))
}

async fn finish(server: Arc<Server>, entry: Entry) -> Result<Response, Problem> {
    let open_id = open_id(&server)?;
    let Entry { mut fields, call } = entry;
    let (code, state) = (fields.want("code")?, fields.want("state")?);
    fields.finish()?;
    let elsewhere = || Problem::forbidden("this sign-in was not begun in this browser, or too long ago: begin again");
    let secret = cookies::read(&call.headers, Cookie::SignIn, server.https()).ok_or_else(elsewhere)?;
    if !random::same(&state_of(&secret), &state) {
        return Err(elsewhere());
    }
    let now = server.options.clock.now();
    let digest = random::digest(&secret);
    let begun = server.options.access.redeem_credential(CredentialKind::SignIn, &digest, now).await?;
    let begun = begun.ok_or_else(elsewhere)?;
    let actor = open_id.account(&code, &begun.companion, now).await?;
    let answer = open_session(&server, &call.headers, &actor, &origin::local_path(&begun.label)).await?;
    Ok(answer::with_cookie(answer, &cookies::set(Cookie::SignIn, "", Duration::ZERO, server.https())))
}
