//! Rules: who gets through to a handler. A handler is reachable through a rule only, and its rule decides what it is given: without a
//! session there is no [`Visit`], without a session's CSRF token there is no [`Deed`], and nothing that answers GET is ever given one.

use crate::access::{Session, origin, random};
use crate::call::{Call, Sent};
use crate::forms::Fields;
use crate::problem::Problem;
use crate::server::Server;
use axum::response::Response;
use countersign_ports::access_store::CredentialKind;
use countersign_ports::metadata_store::{AuditNote, NoteAction};
use std::pin::Pin;
use std::sync::Arc;

/// Most bytes of a form or of a JSON body: an example with a few thousand columns fits.
const LARGEST_FORM: usize = 256 << 10;

/// What a handler answers.
pub type Work = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;
/// A handler, given what its rule let through.
pub type Run<Given> = Box<dyn Fn(Arc<Server>, Given) -> Work + Send + Sync>;

/// Somebody who may read.
pub struct Visit {
    /// Who.
    pub session: Session,
    /// What they ask for.
    pub call: Call,
}

/// Somebody who may act, as far as the door is concerned.
pub struct Deed {
    /// Who.
    pub session: Session,
    /// What came with it.
    pub sent: Sent,
    /// What they ask for.
    pub call: Call,
}

/// Somebody at the door, who filled in a form of ours.
pub struct Entry {
    /// The form.
    pub fields: Fields,
    /// What they ask for.
    pub call: Call,
}

/// Rules of routes that answer GET and HEAD, or OPTIONS: whatever is behind them changes nothing.
pub enum Reading {
    /// Anybody.
    Public(Run<Call>),
    /// A session or a token, of an account that is not barred.
    Viewers(Run<Visit>),
}

/// Rules of routes that answer POST.
pub enum Writing {
    /// Anybody who fills in a form on a page of ours: the ways in.
    Entering(Run<Entry>),
    /// A person's session, of an account that is not barred, from a page of ours, with the session's CSRF token. What the person may do
    /// beyond that is judged behind the door.
    People(Run<Deed>),
    /// A service that proves who it is, in one of these ways of the OpenAPI document; the proof is judged over the raw bytes behind
    /// the door.
    Signed(&'static [&'static str], Run<Call>),
}

/// Boxes a handler.
pub fn run<Given, Answer>(handler: fn(Arc<Server>, Given) -> Answer) -> Run<Given>
where
    Given: 'static,
    Answer: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    Box::new(move |server, given| Box::pin(handler(server, given)))
}

impl Reading {
    /// The name in the OpenAPI document and in tests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Public(_) => "public",
            Self::Viewers(_) => "viewers",
        }
    }

    /// Judges a request and, when it may, hands it to the handler.
    ///
    /// # Errors
    /// When it may not, or the handler's.
    pub async fn admit(&self, server: &Arc<Server>, call: Call) -> Result<Response, Problem> {
        match self {
            Self::Public(run) => run(server.clone(), call).await,
            Self::Viewers(run) => {
                let session = server.session(&call.headers).await?.ok_or(Problem::NotSignedIn)?;
                not_barred(&session)?;
                run(server.clone(), Visit { session, call }).await
            }
        }
    }
}

impl Writing {
    /// The name in the OpenAPI document and in tests.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Entering(_) => "entering",
            Self::People(_) => "people",
            Self::Signed(..) => "signed",
        }
    }

    /// Judges a request and, when it may, hands it to the handler. `json`: its body has to be a JSON document.
    ///
    /// # Errors
    /// When it may not, or the handler's.
    pub async fn admit(&self, server: &Arc<Server>, mut call: Call, json: bool) -> Result<Response, Problem> {
        match self {
            Self::Signed(_, run) => run(server.clone(), call).await,
            Self::Entering(run) => {
                from_our_pages(server, &call)?;
                let fields = form(server, &mut call).await?;
                run(server.clone(), Entry { fields, call }).await
            }
            Self::People(run) => {
                let session = server.session(&call.headers).await?.ok_or(Problem::NotSignedIn)?;
                if session.viewer.kind != CredentialKind::Session {
                    return Err(refuse(server, &session, call.subject(), "a token reads and changes nothing").await);
                }
                from_our_pages(server, &call)?;
                let sent = if json {
                    with_header(server, &mut call, &session).await
                } else {
                    with_field(server, &mut call, &session).await
                }?;
                if let Err(problem) = not_barred(&session) {
                    return Err(refuse(server, &session, call.subject(), &problem.to_string()).await);
                }
                run(server.clone(), Deed { session, sent, call }).await
            }
        }
    }
}

/// Refuses somebody whom we know, and writes it down. When that fails, the failure is the answer.
pub async fn refuse(server: &Server, session: &Session, subject: &str, why: &str) -> Problem {
    match write_down(server, session, subject, why).await {
        Ok(()) => Problem::forbidden(why),
        Err(problem) => problem,
    }
}

/// Writes down in the audit log that somebody whom we know was not allowed to act.
///
/// # Errors
/// When the store fails.
pub async fn write_down(server: &Server, session: &Session, subject: &str, why: &str) -> Result<(), Problem> {
    let note = AuditNote {
        at: server.options.clock.now(),
        actor: session.viewer.identity.actor.clone(),
        action: NoteAction::DecisionRefused,
        subject: subject.chars().take(80).collect(),
        detail: serde_json::json!({ "channel": "page", "why": why }),
    };
    Ok(server.options.store.record_note(&note).await?)
}

fn not_barred(session: &Session) -> Result<(), Problem> {
    match &session.viewer.identity.barred {
        None => Ok(()),
        Some(why) => Err(Problem::forbidden(format!("`{}` may do nothing here: {why}", session.viewer.identity.actor))),
    }
}

fn from_our_pages(server: &Server, call: &Call) -> Result<(), Problem> {
    if origin::is_ours(&call.headers, &server.options.public_url) {
        return Ok(());
    }
    Err(Problem::forbidden(format!(
        "this was sent from another site: open {} and try again",
        server.options.public_url
    )))
}

async fn form(server: &Server, call: &mut Call) -> Result<Fields, Problem> {
    call.must_be("application/x-www-form-urlencoded")?;
    Ok(Fields::parse(&call.body(LARGEST_FORM, server.body_timeout).await?))
}

/// A form carries the CSRF token in a field.
async fn with_field(server: &Server, call: &mut Call, session: &Session) -> Result<Sent, Problem> {
    let mut fields = form(server, call).await?;
    let given = fields.take("csrf")?.unwrap_or_default();
    csrf_holds(session, &given)?;
    Ok(Sent::Form(fields))
}

/// A JSON document has it in a header.
async fn with_header(server: &Server, call: &mut Call, session: &Session) -> Result<Sent, Problem> {
    call.must_be("application/json")?;
    let given = call.headers.get("x-csrf-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    csrf_holds(session, given)?;
    Ok(Sent::Json(call.body(LARGEST_FORM, server.body_timeout).await?))
}

fn csrf_holds(session: &Session, given: &str) -> Result<(), Problem> {
    if !session.csrf.is_empty() && random::same(&session.csrf, given) {
        return Ok(());
    }
    Err(Problem::forbidden("the form does not belong to your session: open the page again"))
}
