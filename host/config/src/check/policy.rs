//! What findings mean at a step, and who decides at a gate.

use super::order::Edges;
use super::scope::{Node, Scope};
use crate::diagnostics::{Mistake, Sink};
use crate::nearest::{list, nearest};
use crate::place::Placed;
use crate::shape::{ExpireTable, SignoffTable, StepTable};
use countersign_model::decision::Channel;
use countersign_model::finding::{FindingPolicy, Severity};
use countersign_model::policy::{Expiry, ExpiryAction, RoleQuorum, SignoffPolicy};
use std::collections::{BTreeMap, BTreeSet};

const CHANNELS: [Channel; 3] = [Channel::Terminal, Channel::Page, Channel::Slack];

/// The `on` table.
pub(super) fn findings(node: &Node<'_>, table: &StepTable, sink: &mut Sink<'_>) -> FindingPolicy {
    let mut policy = FindingPolicy::default();
    let Some(on) = &table.on else { return policy };
    let lists = [
        (&on.block, Severity::Block),
        (&on.ask, Severity::Ask),
        (&on.warn, Severity::Warn),
        (&on.info, Severity::Info),
    ];
    let mut first: BTreeMap<&str, &Placed<String>> = BTreeMap::new();
    for (kinds, severity) in lists {
        for kind in kinds.iter().flatten() {
            if kind.text().trim() != kind.text() || kind.text().is_empty() {
                let message = format!("`on` of step `{}` has an empty kind, or spaces around one", node.name.value);
                sink.push(Mistake::new("pipeline.bad-finding-kind", &kind.place, message));
            } else if let Some(earlier) = first.insert(kind.text(), kind) {
                let message = format!("`on` of step `{}` names `{}` twice", node.name.value, kind.value);
                let mistake = Mistake::new("pipeline.duplicate-finding-kind", &kind.place, message);
                sink.push(mistake.also(&earlier.place, "first here").help("a kind of finding means one thing"));
            } else {
                policy.0.insert(kind.value.clone(), severity);
            }
        }
    }
    policy
}

/// A gate.
pub(super) fn signoff(
    scope: &Scope<'_>,
    index: usize,
    table: &SignoffTable,
    edges: &mut Edges,
    sink: &mut Sink<'_>,
) -> SignoffPolicy {
    let name = scope.nodes[index].name;
    super::after(scope, index, "sign-off", table.after.as_deref(), edges, sink);
    if !table.broken && table.after.as_ref().is_none_or(Vec::is_empty) {
        let message = format!("sign-off `{}` comes after nothing: there would be nothing to sign", name.value);
        let mistake = Mistake::new("pipeline.nothing-to-sign", &name.place, message);
        sink.push(mistake.help("add `after = [\"evaluation\"]` with the steps whose results people should see"));
    }
    if !table.broken && table.approvers.as_ref().is_none_or(Vec::is_empty) {
        let message = format!("sign-off `{}` has no approvers: nobody could ever approve", name.value);
        let mistake = Mistake::new("pipeline.nobody-can-approve", &name.place, message);
        sink.push(mistake.help("add `approvers = [{ role = \"owner\" }]`; roles are given in countersign.toml"));
    }
    let mut approvers = Vec::new();
    for approver in table.approvers.iter().flatten() {
        let Some(role) = &approver.role else { continue };
        if role.text().trim().is_empty() {
            let message = format!("sign-off `{}` wants a role without a name", name.value);
            sink.push(Mistake::new("pipeline.nobody-can-approve", &role.place, message));
        }
        let count = approver.count.as_ref().map_or(1, |count| count.value);
        approvers.push(RoleQuorum { role: role.value.clone(), count: count.try_into().unwrap_or(u32::MAX) });
    }
    SignoffPolicy {
        approvers,
        approve_on: channels(name, table, sink),
        forbid_self_approval: table.forbid_self_approval.as_ref().is_some_and(|forbid| forbid.value),
        expire: table.expire.as_ref().and_then(|expire| expiry(name, expire, sink)),
    }
}

fn channels(name: &Placed<String>, table: &SignoffTable, sink: &mut Sink<'_>) -> BTreeSet<Channel> {
    let Some(listed) = &table.approve_on else { return CHANNELS.into() };
    if listed.is_empty() && !table.broken {
        let message = format!("sign-off `{}` allows approving nowhere: nobody could ever approve", name.value);
        let mistake = Mistake::new("pipeline.nobody-can-approve", &name.place, message);
        sink.push(mistake.help("take `approve_on` away to allow approving everywhere"));
    }
    let mut channels = BTreeSet::new();
    for text in listed {
        match CHANNELS.iter().find(|channel| channel.as_str() == text.text()) {
            Some(channel) => {
                channels.insert(*channel);
            }
            None => {
                let names = CHANNELS.map(|channel| channel.as_str());
                let message =
                    format!("sign-off `{}` allows approving on `{}`, which is no channel", name.value, text.value);
                let mistake = Mistake::new("pipeline.unknown-channel", &text.place, message);
                sink.push(mistake.guess(nearest(text.text(), names)).help(format!("the channels are {}", list(names))));
            }
        }
    }
    channels
}

fn expiry(name: &Placed<String>, table: &ExpireTable, sink: &mut Sink<'_>) -> Option<Expiry> {
    let after_seconds = table.after.as_ref().and_then(|after| {
        let seconds = duration_seconds(after.text());
        if seconds.is_none() {
            let message = format!("`expire` of sign-off `{}` waits for `{}`", name.value, after.value);
            let mistake = Mistake::new("pipeline.bad-duration", &after.place, message);
            sink.push(mistake.help("write a whole number and a unit, such as `30m`, `4h` or `7d`, up to 365 days"));
        }
        seconds
    });
    let then = table.then.as_ref().and_then(|then| match then.text() {
        "hold" => Some(ExpiryAction::Hold),
        "reject" => Some(ExpiryAction::Reject),
        other => {
            let message = format!("`expire` of sign-off `{}` can not `{other}`", name.value);
            let mistake = Mistake::new("pipeline.bad-expiry", &then.place, message);
            let help = "`hold` keeps the request open, `reject` ends the run; nothing ever approves by itself";
            sink.push(mistake.guess(nearest(other, ["hold", "reject"])).help(help));
            None
        }
    });
    Some(Expiry { after_seconds: after_seconds?, then: then? })
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
