//! Decisions, from the form and from programs. Who may decide what is judged by the desk, which is also the only thing that records one.

use super::{Answers, Route, Takes, review, schema_of};
use crate::access::{Session, totp};
use crate::answer;
use crate::forms::{DecisionBody, Draft};
use crate::problem::Problem;
use crate::rule::{Deed, Writing, run, write_down};
use crate::server::Server;
use axum::response::Response;
use countersign_model::decision::{Channel, DecisionKind};
use countersign_model::id::RequestId;
use countersign_model::policy::{Refusal, Standing};
use countersign_model::time::Timestamp;
use countersign_ports::metadata_store::Recorded;
use countersign_ports::{DecideError, DecisionInput};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Most characters of a reason: it is signed, shown in messages and kept for ever.
const LONGEST_REASON: usize = 4000;

pub(super) fn routes() -> Vec<Route> {
    let fields = &["csrf", "kind", "evidence", "reason", "canary", "except", "code"];
    vec![
        Route::post(
            "/requests/{id}/decision",
            Writing::People(run(from_page)),
            Takes::Form(fields),
            Answers::Elsewhere,
            "Decide",
        ),
        Route::post(
            "/api/v1/requests/{id}/decision",
            Writing::People(run(from_program)),
            Takes::Json(schema_of::<DecisionBody>),
            Answers::Document("decision", schema_of::<DecisionAnswer>),
            "Decide",
        ),
    ]
}

/// A decision as it was recorded.
#[derive(Debug, Serialize, JsonSchema)]
struct DecisionAnswer {
    /// Its identifier.
    decision: String,
    /// What was said.
    kind: String,
    /// Whether the request had been closed before: recorded, without effect.
    late: bool,
    /// Where the request stands now.
    status: String,
    /// People still wanted, by role.
    missing: BTreeMap<String, u32>,
}

async fn from_page(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let Deed { session, sent, call } = deed;
    let request: RequestId = call.id("id")?;
    let draft = Draft::read(sent.form()?)?;
    let decided = match draft.understand() {
        Ok(body) => decide(&server, &session, request, body).await,
        Err(problem) => Err(problem),
    };
    match decided {
        Ok(recorded) => {
            let said = if recorded.decision.late { "late" } else { "recorded" };
            Ok(answer::see_other(&format!("/requests/{request}?said={said}")))
        }
        Err(problem) => {
            problem.log("/requests/{id}/decision");
            review::again(&server, &session, &request, &problem, Some(&draft)).await
        }
    }
}

async fn from_program(server: Arc<Server>, deed: Deed) -> Result<Response, Problem> {
    let recorded = decide(&server, &deed.session, deed.call.id("id")?, deed.sent.json()?).await?;
    let missing = match recorded.standing {
        Standing::Open { missing, .. } => missing,
        Standing::Approved | Standing::Rejected => BTreeMap::new(),
    };
    answer::data(
        "decision",
        &DecisionAnswer {
            decision: recorded.decision.id.to_string(),
            kind: recorded.decision.kind.to_string(),
            late: recorded.decision.late,
            status: recorded.request.state.status().to_string(),
            missing,
        },
    )
}

async fn decide(
    server: &Server,
    session: &Session,
    request: RequestId,
    body: DecisionBody,
) -> Result<Recorded, Problem> {
    let kind = DecisionKind::from(body.kind);
    let (evidence, conditions) = (body.digest()?, body.conditions());
    if body.reason.chars().count() > LONGEST_REASON {
        return Err(Problem::unprocessable(format!("a reason takes at most {LONGEST_REASON} characters")));
    }
    let second_factor = match &body.code {
        Some(code) if kind.approves() => {
            check_code(server, session, &request, code).await?;
            true
        }
        Some(_) | None => false,
    };
    let actor = session.viewer.identity.actor.clone();
    let (channel, reason, once) = (Channel::Page, body.reason.trim().to_string(), None);
    let input = DecisionInput { request, evidence, kind, actor, channel, second_factor, reason, conditions, once };
    server.options.desk.decide(input).await.map_err(|error| match error {
        DecideError::Refused(refusal) => refused(&refusal),
        DecideError::Desk(error) => error.into(),
    })
}

/// What can be put right by typing differently is 422, what can not is 403.
fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::NoReason(kind) => Problem::unprocessable(format!("{kind} needs a reason: write one")),
        Refusal::NoSecondFactor | Refusal::BadCanary(_) => Problem::unprocessable(refusal.to_string()),
        Refusal::NotAPerson(_)
        | Refusal::Barred { .. }
        | Refusal::NoRole { .. }
        | Refusal::SelfApproval(_)
        | Refusal::WrongChannel { .. }
        | Refusal::CheckFailed(_)
        | Refusal::NothingToOverride => Problem::forbidden(refusal.to_string()),
    }
}

/// Checks a one-time code. It is spent whatever becomes of the decision; a wrong one is written down.
async fn check_code(server: &Server, session: &Session, request: &RequestId, code: &str) -> Result<(), Problem> {
    let person = &session.viewer.identity.person;
    let secret = (server.options.second_factors)(person).ok_or_else(|| {
        Problem::unprocessable(format!(
            "no second factor is set up for {person}: an operator adds `totp` under `[people]`"
        ))
    })?;
    let now = server.options.clock.now();
    server.patience.attempt(person, now).map_err(|wait| Problem::Wait { wait })?;
    let digits: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let wrong = match totp::matching_step(&secret, &digits, now) {
        None => "that code is not right: take the one that your authenticator shows now",
        Some(step) if !is_first_use(server, person, step, now).await? => {
            "that code was used already: wait for the next one"
        }
        Some(_) => {
            server.patience.forgive(person);
            return Ok(());
        }
    };
    write_down(server, session, &request.to_string(), wrong).await?;
    Err(Problem::unprocessable(wrong))
}

/// Codes of three steps are taken, so one is remembered for longer than it could come again.
async fn is_first_use(server: &Server, person: &str, step: i64, now: Timestamp) -> Result<bool, Problem> {
    let until = now.plus(Duration::from_secs(300));
    Ok(server.options.access.first_use(&format!("totp:{person}:{step}"), now, until).await?)
}
