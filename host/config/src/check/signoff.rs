//! A gate: what people see, who decides, where, and what happens when nobody does.

use super::approvers;
use super::order::Edges;
use super::scope::Scope;
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{list, nearest};
use crate::place::Placed;
use crate::shape::{ConditionsTable, EscalateTable, ExpireTable, OverrideTable, SignoffTable, Text};
use crate::slack;
use countersign_model::conditions::Conditions;
use countersign_model::decision::Channel;
use countersign_model::policy::{Escalation, Expiry, ExpiryAction, Overriding, SignoffPolicy};
use std::collections::BTreeSet;

const CHANNELS: [Channel; 3] = [Channel::Terminal, Channel::Page, Channel::Slack];

/// The policy of the gate at `index`.
pub(super) fn policy(
    scope: &Scope<'_>,
    index: usize,
    table: &SignoffTable,
    edges: &mut Edges,
    sink: &mut Sink<'_>,
) -> SignoffPolicy {
    let name = scope.nodes[index].name;
    let what = format!("sign-off `{}`", name.value);
    super::after(scope, index, "sign-off", table.after.as_deref(), edges, sink);
    if !table.broken && table.after.as_ref().is_none_or(Vec::is_empty) {
        let message = format!("{what} comes after nothing: there would be nothing to sign");
        let mistake = Mistake::new("pipeline.nothing-to-sign", &name.place, message);
        sink.push(mistake.help("add `after = [\"evaluation\"]` with the steps whose results people should see"));
    }
    if !table.broken && table.approvers.as_ref().is_none_or(Vec::is_empty) {
        let message = format!("{what} has no approvers: nobody could ever approve");
        let mistake = Mistake::new("pipeline.nobody-can-approve", &name.place, message);
        sink.push(mistake.help("add `approvers = [{ role = \"owner\" }]`; roles are given in countersign.toml"));
    }
    if !table.broken && table.approve_on.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("{what} allows approving nowhere: nobody could ever approve");
        let mistake = Mistake::new("pipeline.nobody-can-approve", &name.place, message);
        sink.push(mistake.help("take `approve_on` away to allow approving everywhere"));
    }
    let approve_on =
        table.approve_on.as_ref().map_or_else(|| CHANNELS.into(), |on| channels(&what, "approving", on, sink));
    let expire = table.expire.as_ref().and_then(|expire| expiry(&what, expire, sink));
    let escalate = table.escalate.as_ref().and_then(|escalate| escalation(&what, escalate, sink));
    in_time(&what, table, escalate.as_ref(), expire.as_ref(), sink);
    SignoffPolicy {
        approvers: approvers::quorums(&what, table.approvers.as_deref().unwrap_or_default(), sink),
        forbid_self_approval: is_set(&table.forbid_self_approval),
        overriding: table.overriding.as_ref().map(|inner| overriding(&what, name, inner, sink)),
        second_factor: second_factor(&what, table, &approve_on, sink),
        channel: table.channel.as_ref().and_then(|channel| posted(&what, channel, sink)),
        remind_seconds: table.remind.as_ref().and_then(|remind| duration(&format!("`remind` of {what}"), remind, sink)),
        escalate,
        expire,
        conditions: table.conditions.as_ref().map(|inner| conditions(&what, inner, sink)).unwrap_or_default(),
        approve_on,
    }
}

fn is_set(flag: &Option<Placed<bool>>) -> bool {
    flag.as_ref().is_some_and(|flag| flag.value)
}

fn channels(what: &str, act: &str, listed: &[Text], sink: &mut Sink<'_>) -> BTreeSet<Channel> {
    let mut channels = BTreeSet::new();
    for text in listed {
        match CHANNELS.iter().find(|channel| channel.as_str() == text.text()) {
            Some(channel) => {
                channels.insert(*channel);
            }
            None => {
                let names = CHANNELS.map(|channel| channel.as_str());
                let message = format!("{what} allows {act} on `{}`, which is no channel", text.value);
                let mistake = Mistake::new("pipeline.unknown-channel", &text.place, message);
                sink.push(mistake.guess(nearest(text.text(), names)).help(format!("the channels are {}", list(names))));
            }
        }
    }
    channels
}

/// The page alone asks for a one-time code, so that a gate without the page would ask for one and take none.
fn second_factor(what: &str, table: &SignoffTable, approve_on: &BTreeSet<Channel>, sink: &mut Sink<'_>) -> bool {
    let Some(flag) = table.second_factor.as_ref().filter(|flag| flag.value) else { return false };
    if !approve_on.is_empty() && !approve_on.contains(&Channel::Page) {
        let message = format!("{what} asks for a second factor, but allows approving only where there is none");
        let mistake = Mistake::new("pipeline.no-second-factor", &flag.place, message);
        sink.push(mistake.help("the page asks for the second factor: write `approve_on = [\"page\"]`"));
    }
    true
}

fn overriding(what: &str, name: &Text, table: &OverrideTable, sink: &mut Sink<'_>) -> Overriding {
    if !table.broken && table.approvers.as_ref().is_none_or(Vec::is_empty) {
        let message = format!("`override` of {what} names nobody who may override");
        let mistake = Mistake::new("pipeline.nobody-can-approve", &table.place, message);
        sink.push(mistake.help("add `approvers = [{ role = \"owner\", count = 2 }]`, or take `override` away"));
    }
    if !table.broken && table.on.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("`override` of {what} allows overriding nowhere");
        let mistake = Mistake::new("pipeline.nobody-can-approve", &table.place, message);
        sink.push(mistake.help("take `on` away to allow overriding on the page"));
    }
    let whose = format!("`override` of sign-off `{}`", name.value);
    Overriding {
        approvers: approvers::quorums(&whose, table.approvers.as_deref().unwrap_or_default(), sink),
        on: table.on.as_ref().map_or_else(|| [Channel::Page].into(), |on| channels(what, "overriding", on, sink)),
    }
}

fn posted(what: &str, channel: &Text, sink: &mut Sink<'_>) -> Option<String> {
    slack::channel(channel.text())
        .map_err(|problem| {
            let message = format!("{what} is posted in `{}`, which is no channel", channel.value);
            let mistake = Mistake::new("pipeline.bad-channel", &channel.place, message);
            sink.push(mistake.guess(problem.guess.as_deref()).help(problem.help));
        })
        .ok()
}

fn conditions(what: &str, table: &ConditionsTable, sink: &mut Sink<'_>) -> Conditions {
    let mut except_slices = BTreeSet::new();
    for slice in table.except_slices.iter().flatten() {
        if slice.text().trim().is_empty() {
            let message = format!("`conditions` of {what} except a slice without a name");
            let mistake = Mistake::new("pipeline.bad-condition", &slice.place, message);
            sink.push(mistake.help("write a slice as the evaluation shows it, such as `company = Blue Ribbon`"));
        } else {
            except_slices.insert(slice.text().trim().to_string());
        }
    }
    let canary = table.canary_percent.as_ref().and_then(|percent| percent.value.try_into().ok());
    Conditions { canary_percent: canary, except_slices }
}

fn escalation(what: &str, table: &EscalateTable, sink: &mut Sink<'_>) -> Option<Escalation> {
    let whose = format!("`escalate` of {what}");
    let after_seconds = table.after.as_ref().and_then(|after| duration(&whose, after, sink));
    let to = table.to.as_ref().and_then(|to| {
        let sound = slack::is_audience(to.text());
        if !sound {
            let message = format!("{whose} tells `{}`, which is nobody", to.value);
            let mistake = Mistake::new("pipeline.bad-escalation", &to.place, message);
            sink.push(mistake.help("`@ml-leads` is a user group or a person, `#ml-leads` is a channel"));
        }
        sound.then(|| to.value.clone())
    });
    Some(Escalation { after_seconds: after_seconds?, to: to? })
}

/// Whoever is told after the run has ended is told for nothing.
fn in_time(
    what: &str,
    table: &SignoffTable,
    escalate: Option<&Escalation>,
    expire: Option<&Expiry>,
    sink: &mut Sink<'_>,
) {
    let (Some(escalate), Some(expire)) = (escalate, expire) else { return };
    let after = |after: Option<&Text>| after.map(|after| after.place.clone()).unwrap_or_default();
    if expire.then == ExpiryAction::Reject && escalate.after_seconds >= expire.after_seconds {
        let place = after(table.escalate.as_ref().and_then(|table| table.after.as_ref()));
        let message = format!("`escalate` of {what} would never happen: the request has expired by then");
        let mistake = Mistake::new("pipeline.escalation-too-late", &place, message);
        let expires = after(table.expire.as_ref().and_then(|table| table.after.as_ref()));
        sink.push(mistake.also(&expires, "rejected here").help("escalate before the request expires"));
    }
}

fn expiry(what: &str, table: &ExpireTable, sink: &mut Sink<'_>) -> Option<Expiry> {
    let whose = format!("`expire` of {what}");
    let after_seconds = table.after.as_ref().and_then(|after| duration(&whose, after, sink));
    let then = table.then.as_ref().and_then(|then| match then.text() {
        "hold" => Some(ExpiryAction::Hold),
        "reject" => Some(ExpiryAction::Reject),
        other => {
            let mistake = Mistake::new("pipeline.bad-expiry", &then.place, format!("{whose} can not `{other}`"));
            let help = "`hold` keeps the request open, `reject` ends the run; nothing ever approves by itself";
            sink.push(mistake.guess(nearest(other, ["hold", "reject"])).help(help));
            None
        }
    });
    Some(Expiry { after_seconds: after_seconds?, then: then? })
}

fn duration(whose: &str, text: &Text, sink: &mut Sink<'_>) -> Option<u64> {
    let seconds = duration_seconds(text.text());
    if seconds.is_none() {
        let message = format!("{whose} waits for `{}`", text.value);
        let mistake = Mistake::new("pipeline.bad-duration", &text.place, message);
        sink.push(mistake.help("write a whole number and a unit, such as `30m`, `4h` or `7d`, up to 365 days"));
    }
    seconds
}

/// `30m`, `4h`, `7d` in seconds.
fn duration_seconds(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<u64>().ok()?.checked_mul(factor)?;
    (1..=365 * 86_400).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_have_a_whole_number_and_a_unit() {
        let seconds = super::duration_seconds;
        assert_eq!(seconds("45s"), Some(45));
        assert_eq!(seconds("30m"), Some(1800));
        assert_eq!(seconds("4h"), Some(14_400));
        assert_eq!(seconds("7d"), Some(604_800));
        for text in ["", "7", "d", "7 d", "-7d", "+7d", "7D", "0d", "1.5h", "366d", "99999999999999999999d", "7é"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
