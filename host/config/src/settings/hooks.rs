//! Hooks: names under which other systems start runs over HTTP, and how they prove who they are.

use super::layers::{Layers, Origin, variable_of};
use super::secrets::{InTable, Slot};
use crate::check::is_name;
use crate::diagnostics::{Mistake, Problem, Sink};
use crate::document::Table;
use crate::nearest::nearest;
use crate::place::{Named, Placed};
use crate::shape::Text;
use countersign_model::secret::Secret;
use schemars::JsonSchema;
use std::collections::BTreeMap;
use std::ops::Range;

/// A way in for another system, at `/hooks/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// How it proves who it is.
    pub auth: HookAuth,
}

/// How another system proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookAuth {
    /// It shows the secret.
    Token(Secret),
    /// It signs each request with the secret (HMAC-SHA-256).
    Hmac(Secret),
}

impl HookAuth {
    /// As the settings spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Hmac(_) => "hmac",
        }
    }

    /// What both sides know.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Token(secret) | Self::Hmac(secret) => secret,
        }
    }
}

/// A way in for another system, at `/hooks/NAME`; pipelines name it in `http` of `[trigger]`.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Hook", deny_unknown_fields)]
pub(crate) struct HookTable {
    /// How the other system proves who it is: it shows the secret (`token`), or signs each request with it (`hmac`).
    #[schemars(required, extend("enum" = ["token", "hmac"]))]
    pub auth: Option<Text>,
    /// File with the secret, at least 16 characters. Only its owner may read it.
    pub secret_file: Option<Text>,
    /// Where somebody wrote the secret itself.
    #[schemars(skip)]
    pub secret: Option<Range<usize>>,
}

fn slot(hook: &str) -> Slot {
    Slot {
        key: format!("hooks.{hook}.secret"),
        what: "the hook's secret",
        like: "one word of at least 16 characters",
        check: |text| text.len() >= 16,
    }
}

/// Reads the table of one hook.
pub(super) fn read(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> HookTable {
    let read = HookTable {
        auth: table.text("auth", sink),
        secret_file: table.text("secret_file", sink),
        secret: table.refuse("secret", sink),
    };
    table.finish(sink);
    read
}

/// Every hook; what is wrong with one has been reported.
pub(super) fn settings(named: &Named<HookTable>, layers: &mut Layers<'_>) -> BTreeMap<String, Hook> {
    let mut hooks = BTreeMap::new();
    let mut variables = BTreeMap::new();
    for (name, table) in &named.0 {
        check_name(name, &mut variables, layers);
        let here = Origin::File(name.place.clone());
        let auth = layers.checked(&format!("hooks.{}.auth", name.value), table.auth.as_ref(), auth);
        let auth = layers.needed(auth, &here, || {
            let help = "add `auth = \"token\"` or `auth = \"hmac\"`";
            Problem::new("settings.missing-key", format!("hook `{}` needs the key `auth`", name.value), help)
        });
        let slot = slot(name.text());
        let in_table = InTable { file: table.secret_file.as_ref(), literal: table.secret.as_ref() };
        let secret = layers.secret(&slot, in_table);
        let secret = layers.needed(secret, &here, || {
            let message = format!("hook `{}` needs the key `secret_file`: anybody could start runs", name.value);
            Problem::new("settings.missing-secret", message, slot.how())
        });
        if let (Ok(auth), Ok(secret)) = (auth, secret) {
            hooks.insert(name.value.clone(), Hook { auth: auth(secret) });
        }
    }
    hooks
}

fn auth(text: &str) -> Result<fn(Secret) -> HookAuth, Problem> {
    match text {
        "token" => Ok(HookAuth::Token),
        "hmac" => Ok(HookAuth::Hmac),
        _ => {
            let guess = nearest(text, ["token", "hmac"]).map(str::to_string);
            let message = format!("there is no `auth` called `{text}`");
            let help = "`token`: requests show the secret; `hmac`: requests are signed with it";
            Err(Problem::new("settings.bad-hook-auth", message, help).guess(guess))
        }
    }
}

/// A name is part of an address and of variables.
fn check_name<'n>(
    name: &'n Placed<String>,
    variables: &mut BTreeMap<String, &'n Placed<String>>,
    layers: &mut Layers<'_>,
) {
    if !is_name(name.text(), true) {
        let mistake = Mistake::new("settings.bad-name", &name.place, format!("no hook can be called `{}`", name.value));
        layers
            .sink
            .push(mistake.help("use lower-case letters, digits, `-` and `_`, a letter first, at most 64 characters"));
    }
    if let Some(earlier) = variables.insert(variable_of(&slot(name.text()).key), name) {
        let message = format!("hooks `{}` and `{}` have the same variables", earlier.value, name.value);
        let mistake = Mistake::new("settings.bad-name", &name.place, message);
        layers
            .sink
            .push(mistake.also(&earlier.place, "the other").help("use names that differ in more than `-` and `_`"));
    }
}
