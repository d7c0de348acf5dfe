//! `verify`: checks a bundle, offline, with nothing but the public key. Needs no installation.

use crate::args::{Output, VerifyArgs};
use crate::context::print_json;
use crate::exit::Exit;
use crate::failure::{WrongInput, chain};
use crate::terminal::text;
use crate::wiring::attest::{self, Verified};
use serde::Serialize;

#[derive(Serialize)]
struct Outcome {
    valid: bool,
    problem: Option<String>,
    evidence: Option<String>,
    model: Option<String>,
    signed_by: Vec<Signer>,
    carried: Vec<String>,
    named_only: Vec<String>,
}

#[derive(Serialize)]
struct Signer {
    kind: String,
    person: String,
    actor: String,
    roles: Vec<String>,
    at: String,
}

/// Verifies; exit code 1 when something does not hold.
///
/// # Errors
/// When the key can not be read.
pub fn run(output: Output, arguments: &VerifyArgs) -> anyhow::Result<Exit> {
    let pem = std::fs::read_to_string(&arguments.key)
        .map_err(|error| WrongInput::new(format!("error: read key {}: {error}", arguments.key.display())))?;
    let outcome = match attest::verify_bundle(&arguments.bundle, &pem) {
        Ok(verified) => valid(&verified),
        Err(failure) => Outcome {
            valid: false,
            problem: Some(chain(&failure)),
            evidence: None,
            model: None,
            signed_by: Vec::new(),
            carried: Vec::new(),
            named_only: Vec::new(),
        },
    };
    let exit = if outcome.valid { Exit::Done } else { Exit::Failed };
    if output == Output::Json {
        print_json("verification", &outcome)?;
    } else {
        print(&outcome);
    }
    Ok(exit)
}

fn valid(verified: &Verified) -> Outcome {
    let signer = |statement: &countersign_model::statement::Statement| {
        let said = &statement.predicate;
        Signer {
            kind: said.kind.to_string(),
            person: said.person.clone(),
            actor: said.actor.to_string(),
            roles: said.roles.clone(),
            at: said.decided_at.to_string(),
        }
    };
    Outcome {
        valid: true,
        problem: None,
        evidence: Some(verified.evidence_digest.to_string()),
        model: Some(verified.evidence.model.to_string()),
        signed_by: verified.statements.iter().map(signer).collect(),
        carried: verified.carried.iter().cloned().collect(),
        named_only: verified.named.iter().cloned().collect(),
    }
}

fn print(outcome: &Outcome) {
    match &outcome.problem {
        Some(problem) => println!("NOT VALID: {}", text::safe(problem)),
        None => {
            let short = |digest: &Option<String>| digest.as_deref().unwrap_or_default()[..12].to_string();
            println!("valid: model {} on evidence {}", short(&outcome.model), short(&outcome.evidence));
            println!("  every file matches: {}", text::safe(&outcome.carried.join(", ")));
            if !outcome.named_only.is_empty() {
                println!("  by digest only: {}", text::safe(&outcome.named_only.join(", ")));
            }
            for signer in &outcome.signed_by {
                let roles = signer.roles.join(", ");
                let line =
                    format!("{} by {} ({}) as {roles} at {}", signer.kind, signer.person, signer.actor, signer.at);
                println!("  {}", text::safe(&line));
            }
        }
    }
}
