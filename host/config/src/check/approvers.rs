//! Who must sign at a gate: each entry names a role or one identity, and how many people of it.

use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{article, list};
use crate::place::Placed;
use crate::shape::{ApproverTable, Text};
use crate::slack;
use countersign_model::policy::RoleQuorum;
use std::collections::BTreeMap;
use std::ops::Range;

/// The ways to name who signs.
const KEYS: [&str; 4] = ["role", "slack_user", "slack_group", "email"];

/// The quorums of a list of approvers; `what` is who wants them, as messages call it.
pub(super) fn quorums(what: &str, tables: &[ApproverTable], sink: &mut Sink<'_>) -> Vec<RoleQuorum> {
    let mut quorums = Vec::new();
    let mut first: BTreeMap<String, &Range<usize>> = BTreeMap::new();
    for table in tables {
        let Some((key, name)) = named(what, table, sink) else { continue };
        let Some(role) = role(what, key, name, sink) else { continue };
        let single = matches!(key, "slack_user" | "email");
        if let Some(count) = table.count.as_ref().filter(|count| single && count.value > 1) {
            let message = format!("{what} wants {} signatures of the one person `{}`", count.value, name.value);
            let mistake = Mistake::new("pipeline.nobody-can-approve", &count.place, message);
            sink.push(mistake.help("take `count` away: a person signs once"));
        } else if let Some(earlier) = first.insert(role.clone(), &name.place).filter(|_| single) {
            let message = format!("{what} wants the one person `{}` twice", name.value);
            let mistake = Mistake::new("pipeline.nobody-can-approve", &name.place, message);
            sink.push(mistake.also(earlier, "first here").help("take one of them away: a person signs once"));
        } else {
            let count = table.count.as_ref().map_or(1, |count| count.value);
            quorums.push(RoleQuorum { role, count: count.try_into().unwrap_or(u32::MAX) });
        }
    }
    quorums
}

/// The one key that says who.
fn named<'t>(what: &str, table: &'t ApproverTable, sink: &mut Sink<'_>) -> Option<(&'static str, &'t Text)> {
    let values = [&table.role, &table.slack_user, &table.slack_group, &table.email];
    let given: Vec<_> = KEYS.into_iter().zip(values).filter_map(|(key, value)| Some((key, value.as_ref()?))).collect();
    match given.as_slice() {
        [only] => return Some(*only),
        // A key of the wrong type, or one that was misspelt, was reported as such.
        [] if table.broken => {}
        [] => {
            let message = format!("an approver of {what} is nobody");
            let mistake = Mistake::new("pipeline.bad-approver", &table.place, message);
            sink.push(mistake.help(format!("name it by one of {}", list(KEYS))));
        }
        [(one, _), (other, value), ..] => {
            let message = format!("an approver of {what} has {} and {}", article(one), article(other));
            let mistake = Mistake::new("pipeline.bad-approver", &value.place, message);
            sink.push(mistake.help("write an entry for each: `{ … }, { … }`; all of them must sign"));
        }
    }
    None
}

/// What somebody signs as: see [`RoleQuorum::role`].
fn role(what: &str, key: &str, name: &Placed<String>, sink: &mut Sink<'_>) -> Option<String> {
    let text = name.text();
    let (sound, role, help) = match key {
        "slack_user" => {
            (slack::is_account(text), format!("slack:{text}"), "write the team and the user, such as `T01/U02AB`")
        }
        "slack_group" => (
            slack::is_group(text),
            format!("slack-group:{text}"),
            "write the user group's identifier, such as `S0123`: names of groups change",
        ),
        "email" => (is_email(text), email(text), "write an address, such as `ada@example.org`"),
        _ => (is_role(text), text.to_string(), ROLE_HELP),
    };
    if !sound {
        let message = format!("{what} has an approver whose `{key}` is `{text}`");
        sink.push(Mistake::new("pipeline.bad-approver", &name.place, message).help(help));
    }
    sound.then_some(role)
}

/// What to write for a role.
pub(crate) const ROLE_HELP: &str =
    "a role is a name such as `owner`, without `:` and without spaces around it; people have roles in countersign.toml";

/// Whether a role may be called so. What has a `:` is an identity.
pub(crate) fn is_role(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(':') && !text.contains(char::is_control)
}

/// Whether that can be an address.
pub(crate) fn is_email(text: &str) -> bool {
    let fits = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "@:<>,".contains(c));
    text.split_once('@').is_some_and(|(local, domain)| fits(local) && fits(domain))
}

/// What the owner of an address signs as. No provider tells `Ada@` from `ada@`.
pub(crate) fn email(address: &str) -> String {
    format!("email:{}", address.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_no_identities_and_addresses_have_two_sides() {
        assert!(is_role("data-scientist") && is_role("data scientist"));
        assert!(!is_role("") && !is_role(" owner") && !is_role("slack:T01/U02") && !is_role("a\nb"));
        assert!(is_email("ada@example.org") && is_email("a.b+c@localhost"));
        for text in ["", "ada", "@b", "a@", "a@b@c", "a b@c", "mailto:a@b", "<a@b>"] {
            assert!(!is_email(text), "{text}");
        }
        assert_eq!(email("Ada@Example.org"), "email:ada@example.org");
    }
}
