//! `access`: who comes in. Whoever may run this command on the machine is the operator.

use crate::args::AccessCommand;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::WrongInput;
use crate::terminal::text;
use crate::{system, wiring};
use anyhow::Context as _;
use countersign_model::actor::Actor;
use countersign_model::time::Timestamp;
use countersign_ports::access_store::{Credential, CredentialKind};
use countersign_ports::{AccessStore, Clock as _};
use serde::Serialize;
use std::time::Duration;

/// Characters of a digest that name a credential.
const SHOWN: usize = 12;

/// Makes, lists and revokes credentials.
///
/// # Errors
/// When a person or credential is not known, or the store fails.
pub async fn run(context: &Context, command: &AccessCommand) -> anyhow::Result<Exit> {
    let stores = wiring::stores(context).await?;
    let access = stores.access.as_ref();
    match command {
        AccessCommand::Link { person, minutes } => link(context, access, person.as_deref(), *minutes).await,
        AccessCommand::Token { name, days } => token(context, access, name, *days).await,
        AccessCommand::List => list(context, access).await,
        AccessCommand::Revoke { digest } => revoke(context, access, digest).await,
    }
}

async fn link(context: &Context, access: &dyn AccessStore, person: Option<&str>, minutes: u64) -> anyhow::Result<Exit> {
    let by = system::person()?;
    let actor = person.map_or_else(|| Ok(by.clone()), |name| account_of(context, name))?;
    let url = context.page_url().with_context(|| "the pages are off: set `listen` under [web]")?;
    let lifetime = Duration::from_secs(minutes * 60);
    let link = wiring::web::link(access, &actor, &by, &url, lifetime).await?;
    if context.json() {
        context.print_json("link", &serde_json::json!({ "link": link, "actor": actor, "minutes": minutes }))?;
    } else {
        println!("{link}");
        eprintln!("signs {actor} in once, within {minutes} minutes; send it to nobody else");
    }
    Ok(Exit::Done)
}

/// The account with which a listed person signs in by link.
fn account_of(context: &Context, name: &str) -> anyhow::Result<Actor> {
    let Some(person) = context.settings.people.get(name) else {
        let known: Vec<&str> = context.settings.people.keys().map(String::as_str).collect();
        let text = format!("error: `{name}` is not under [people]; there are: {}", known.join(", "));
        return Err(WrongInput::new(text).into());
    };
    let slack = person.slack.as_ref().and_then(|slack| slack.split_once('/'));
    match (&person.local, slack) {
        (Some(local), _) => Ok(Actor::local(local)),
        (None, Some((team, user))) => Ok(Actor::slack(team, user)),
        (None, None) => {
            let text = format!("error: `{name}` has no account: give them `local` or `slack` under [people]");
            Err(WrongInput::new(text).into())
        }
    }
}

async fn token(context: &Context, access: &dyn AccessStore, name: &str, days: u64) -> anyhow::Result<Exit> {
    let by = system::person()?;
    let token = wiring::web::token(access, name, &by, Duration::from_secs(days * 86_400)).await?;
    if context.json() {
        context.print_json("token", &serde_json::json!({ "token": token, "name": name, "days": days }))?;
    } else {
        println!("{token}");
        eprintln!("reads everything and changes nothing, for {days} days; it is shown this once");
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Listed {
    digest: String,
    kind: &'static str,
    actor: Actor,
    label: String,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<&Credential> for Listed {
    fn from(credential: &Credential) -> Self {
        Self {
            digest: credential.digest.to_string()[..SHOWN].to_string(),
            kind: credential.kind.as_str(),
            actor: credential.actor.clone(),
            label: credential.label.clone(),
            created_at: credential.created_at,
            expires_at: credential.expires_at,
        }
    }
}

async fn all(access: &dyn AccessStore) -> anyhow::Result<Vec<Credential>> {
    let now = system::SystemClock.now();
    let mut credentials = Vec::new();
    for kind in [CredentialKind::Session, CredentialKind::Link, CredentialKind::Token] {
        credentials.extend(access.credentials(kind, now).await?);
    }
    Ok(credentials)
}

async fn list(context: &Context, access: &dyn AccessStore) -> anyhow::Result<Exit> {
    let listed: Vec<Listed> = all(access).await?.iter().map(Listed::from).collect();
    if context.json() {
        context.print_json("access", &listed)?;
    } else if listed.is_empty() {
        println!("nobody is signed in; {} access link signs you in", context.prefix);
    } else {
        let minute = |at: Timestamp| at.to_utc().format("%Y-%m-%d %H:%M UTC").to_string();
        let row = |one: &Listed| {
            let (made, ends) = (minute(one.created_at), minute(one.expires_at));
            vec![one.digest.clone(), one.kind.to_string(), one.actor.to_string(), text::safe(&one.label), made, ends]
        };
        let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
        print!("{}", text::table(&["DIGEST", "KIND", "FOR", "NAME", "MADE", "UNTIL"], &rows));
    }
    Ok(Exit::Done)
}

async fn revoke(context: &Context, access: &dyn AccessStore, digest: &str) -> anyhow::Result<Exit> {
    let named = all(access).await?;
    let named: Vec<&Credential> =
        named.iter().filter(|one| digest.len() >= SHOWN && one.digest.to_string().starts_with(digest)).collect();
    let [credential] = named.as_slice() else {
        let text = format!("error: `{digest}` names no credential: `access list` shows them, twelve characters each");
        return Err(WrongInput::new(text).into());
    };
    access.revoke_credential(&credential.digest, &system::person()?, system::SystemClock.now()).await?;
    if context.json() {
        context.print_json("revoked", &Listed::from(*credential))?;
    } else {
        println!("the {} of {} is revoked", credential.kind.as_str(), credential.actor);
    }
    Ok(Exit::Done)
}
