//! Who may sign off: people, their accounts, and what they may sign as.

use super::Settings;
use super::layers::{Layers, Origin, variable_of};
use super::secrets::{InTable, Slot};
use crate::check::approvers::{ROLE_HELP, email, is_email, is_role};
use crate::diagnostics::{Mistake, Problem, Sink};
use crate::document::Table;
use crate::nearest::article;
use crate::place::{Named, Placed};
use crate::shape::Text;
use crate::slack;
use countersign_model::actor::{Actor, Identity};
use countersign_model::secret::Secret;
use schemars::JsonSchema;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Somebody who decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// What they may sign as.
    pub roles: BTreeSet<String>,
    /// Their user name on this machine.
    pub local: Option<String>,
    /// Their Slack team and user, `T01/U02AB`.
    pub slack: Option<String>,
    /// Their address, in lower case.
    pub email: Option<String>,
    /// The key of their authenticator (TOTP), in base32.
    pub totp: Option<Secret>,
}

/// Somebody who decides.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Person", deny_unknown_fields)]
pub(crate) struct PersonTable {
    /// What they may sign as. A role has no `:`.
    #[schemars(required)]
    pub roles: Option<Vec<Text>>,
    /// Their user name on this machine.
    pub local: Option<Text>,
    /// Their Slack team and user, such as `T01/U02AB`.
    #[schemars(regex(pattern = r"^T[A-Z0-9]+/[UW][A-Z0-9]+$"))]
    pub slack: Option<Text>,
    /// Their e-mail address.
    pub email: Option<Text>,
    /// File with the key of their authenticator (TOTP), in base32. Only its owner may read it.
    pub totp_file: Option<Text>,
    /// Where somebody wrote the key itself.
    #[schemars(skip)]
    pub totp: Option<Range<usize>>,
}

/// Reads the table of one person.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> PersonTable {
    if table.entry("roles").is_none() {
        let message = format!("{} needs the key `roles`", table.what);
        sink.push(Mistake::new("file.missing-key", &table.place, message).help("add `roles = [\"owner\"]`"));
    }
    let read = PersonTable {
        roles: table.texts("roles", sink),
        local: table.text("local", sink),
        slack: table.text("slack", sink),
        email: table.text("email", sink),
        totp_file: table.text("totp_file", sink),
        totp: table.refuse("totp", sink),
    };
    table.finish(sink);
    read
}

fn totp(person: &str) -> Slot {
    Slot {
        key: format!("people.{person}.totp"),
        what: "the key of the authenticator",
        like: "base32: at least 16 characters, each a capital letter or a digit from 2 to 7",
        check: |text| text.len() >= 16 && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')),
    }
}

/// Everybody. Nobody may be two people: a quorum of two would be one.
pub(super) fn settings(named: &Named<PersonTable>, layers: &mut Layers<'_>) -> BTreeMap<String, Person> {
    let mut people = BTreeMap::new();
    let mut identities = BTreeMap::new();
    let mut variables = BTreeMap::new();
    for (name, table) in &named.0 {
        check_name(name, &mut variables, layers);
        for identity in [("local", &table.local), ("slack", &table.slack), ("email", &table.email)] {
            if let (authority, Some(text)) = identity {
                check_identity(name, authority, text, &mut identities, &mut layers.sink);
            }
        }
        if table.local.is_none() && table.slack.is_none() {
            let message = format!("person `{}` can not be recognised", name.value);
            let mistake = Mistake::new("settings.no-identity", &name.place, message);
            layers.sink.push(mistake.help("add `local = \"USER\"` or `slack = \"TEAM/USER\"`"));
        }
        for role in table.roles.iter().flatten().filter(|role| !is_role(role.text())) {
            let message = format!("person `{}` has the role `{}`, which is none", name.value, role.value);
            layers.sink.push(Mistake::new("settings.bad-role", &role.place, message).help(ROLE_HELP));
        }
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
        let key = InTable { file: table.totp_file.as_ref(), literal: table.totp.as_ref() };
        let person = Person {
            roles: table.roles.iter().flatten().map(|role| role.value.clone()).collect(),
            local: text(&table.local),
            slack: text(&table.slack),
            email: text(&table.email).map(|address| address.to_lowercase()),
            // What is wrong with it has been reported.
            totp: layers.secret(&totp(name.text()), key).unwrap_or_default(),
        };
        people.insert(name.value.clone(), person);
    }
    people
}

/// A name is what a decision is recorded under, and part of a variable.
fn check_name<'n>(
    name: &'n Placed<String>,
    variables: &mut BTreeMap<String, &'n Placed<String>>,
    layers: &mut Layers<'_>,
) {
    if !is_role(name.text()) {
        let message = format!("nobody can be called `{}`", name.value);
        let mistake = Mistake::new("settings.bad-name", &name.place, message);
        layers.sink.push(mistake.help("a name is not empty and has no `:`: that marks accounts"));
    }
    let key = totp(name.text()).key;
    let earlier = variables.insert(variable_of(&key), name);
    if let (Some(earlier), Some((variable, _))) = (earlier, layers.variable(&key)) {
        let message = format!("it could belong to `{}` and to `{}`", earlier.value, name.value);
        let problem = Problem::new("settings.bad-name", message, "use `totp_file` for these two");
        layers.refuse(&Origin::Variable(variable), problem);
    }
}

fn check_identity<'t>(
    name: &Placed<String>,
    authority: &str,
    identity: &'t Placed<String>,
    identities: &mut BTreeMap<String, &'t Placed<String>>,
    sink: &mut Sink<'_>,
) {
    let text = identity.text();
    let sound = match authority {
        "slack" => slack::is_account(text),
        "email" => is_email(text),
        _ => !text.trim().is_empty(),
    };
    if !sound {
        let message = format!("person `{}` has {} identity that names nobody", name.value, article(authority));
        let mistake = Mistake::new("settings.bad-identity", &identity.place, message);
        let help = "`local` is a user name; `slack` is team and user, such as `T01/U02AB`; `email` is an address";
        sink.push(mistake.help(help));
        return;
    }
    let key = if authority == "email" { email(text) } else { format!("{authority}:{text}") };
    if let Some(earlier) = identities.insert(key, identity) {
        let mistake = Mistake::new("settings.duplicate-identity", &identity.place, format!("`{text}` is two people"));
        sink.push(mistake.also(&earlier.place, "first here"));
    }
}

impl Settings {
    /// Who an actor is and what they may sign as. Somebody who is not listed holds no role; a Slack account can still sign where
    /// a policy names it.
    pub fn identity_of(&self, actor: &Actor) -> Identity {
        let is = |person: &Person| match actor.as_str().split_once(':') {
            Some(("local", user)) => person.local.as_deref() == Some(user),
            Some(("slack", account)) => person.slack.as_deref() == Some(account),
            _ => false,
        };
        let mut identity = Identity::unknown(actor);
        match self.people.iter().find(|(_, person)| is(person)) {
            Some((name, person)) => {
                identity.person = name.clone();
                identity.roles = person.roles.clone();
                identity.roles.extend(person.slack.iter().map(|account| format!("slack:{account}")));
                identity.roles.extend(person.email.iter().map(|address| email(address)));
            }
            None => identity.roles.extend(actor.as_slack().map(|_| actor.to_string())),
        }
        identity
    }
}
