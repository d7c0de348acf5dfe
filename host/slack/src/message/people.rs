//! Who may decide, who did, and until when.

use super::Situation;
use super::blocks::Lines;
use super::figures::{counted, span, time};
use super::mrkdwn::{group, quoted, user};
use super::stage::Stage;
use countersign_model::actor::Actor;
use countersign_model::decision::{Channel, Decision, DecisionKind};
use countersign_model::finding::Verdict;
use countersign_model::policy::{ExpiryAction, SignoffPolicy, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// The section of the people: decisions so far, and while it is open who is wanted, where and until when.
pub fn section(situation: &Situation<'_>, stage: &Stage<'_>) -> Option<String> {
    let mut lines = Lines::new(2_400, &situation.more());
    if stage.is_open() {
        lines.push(&format!("*Needs* {}", needed(situation)));
        lines.push(&where_and_when(situation));
    }
    let policy = situation.request.policy.conditions.in_words();
    if !policy.is_empty() {
        lines.push(&format!("Every approval here is under: {}", quoted(&policy, 300)));
    }
    // Newest first: when not all fit, the oldest are left out.
    let newest: Vec<&Decision> = situation.decisions.iter().rev().collect();
    lines.extend(&newest, 10, |decision| line(decision));
    lines.finish()
}

/// Who is wanted, with how many signed: `data-scientist (0 of 1), owner (1 of 2)`.
pub fn needed(situation: &Situation<'_>) -> String {
    let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
    for quorum in situation.request.policy.wanted(situation.request.verdict) {
        *wanted.entry(&quorum.role).or_default() += quorum.count;
    }
    if wanted.is_empty() {
        return "nobody: the policy names no one who may. Reject it or stop the run.".to_string();
    }
    let missing = |role: &str| match situation.standing {
        Standing::Open { missing, .. } => missing.get(role).copied().unwrap_or(0),
        Standing::Approved | Standing::Rejected => 0,
    };
    let most = 8;
    let mut parts: Vec<String> = wanted
        .iter()
        .take(most)
        .map(|(name, count)| format!("{} ({} of {count})", role(name), count.saturating_sub(missing(name))))
        .collect();
    if wanted.len() > most {
        parts.push(format!("… and {} more", counted((wanted.len() - most) as u64, "role", "roles")));
    }
    parts.join(", ")
}

/// Where approving is allowed, and what happens when nobody does.
fn where_and_when(situation: &Situation<'_>) -> String {
    let policy = &situation.request.policy;
    let factor = if policy.second_factor { ", with a second factor on the page" } else { "" };
    let verb = match situation.request.verdict {
        Verdict::Pass | Verdict::NeedsPerson => "Approve",
        Verdict::Fail => "A check failed: override",
    };
    let places = places(policy, situation.request.verdict);
    let mut parts =
        vec![if places.is_empty() { "Approve nowhere".to_string() } else { format!("{verb} {places}{factor}") }];
    parts.extend(deadline(situation));
    parts.extend(policy.remind_seconds.map(|seconds| format!("reminds every {}", span(seconds))));
    parts.push("never approves by itself".to_string());
    parts.join(" · ")
}

/// Where the candidate may be approved, or a failed check overridden.
pub fn channels(policy: &SignoffPolicy, verdict: Verdict) -> BTreeSet<Channel> {
    match verdict {
        Verdict::Pass | Verdict::NeedsPerson => policy.approve_on.clone(),
        Verdict::Fail => policy.overriding.as_ref().map(|overriding| overriding.on.clone()).unwrap_or_default(),
    }
}

fn places(policy: &SignoffPolicy, verdict: Verdict) -> String {
    let place = |channel: &Channel| match channel {
        Channel::Terminal => "in the terminal",
        Channel::Page => "on the page",
        Channel::Slack => "here",
    };
    channels(policy, verdict).iter().map(place).collect::<Vec<_>>().join(" or ")
}

/// Until when: `expires and holds 2026-11-30 16:04 UTC`.
pub fn deadline(situation: &Situation<'_>) -> Option<String> {
    let expiry = situation.request.policy.expire.as_ref()?;
    let at = time(expiry.deadline(situation.request.posted_at));
    Some(match expiry.then {
        ExpiryAction::Hold => format!("overdue from {at} on"),
        ExpiryAction::Reject => format!("ends undecided at {at}"),
    })
}

/// A role as people read it: an account or a group is mentioned, so that it is told.
fn role(name: &str) -> String {
    let account = name.strip_prefix("slack:").and_then(|rest| rest.split_once('/')).and_then(|(_, id)| user(id));
    let accounts = name.strip_prefix("slack-group:").and_then(group);
    let mail = name.strip_prefix("email:").map(|mail| quoted(mail, 80));
    account.or(accounts).or(mail).unwrap_or_else(|| quoted(name, 80))
}

/// One decision: who, what, where, when, why, under which conditions.
fn line(decision: &Decision) -> String {
    let (icon, verb) = match decision.kind {
        DecisionKind::Approve => ("✔", "approved"),
        DecisionKind::Reject => ("✘", "rejected"),
        DecisionKind::Hold => ("⏸", "asked to wait"),
        DecisionKind::Override => ("❗", "overrode the failed check"),
    };
    let place = match decision.channel {
        Channel::Terminal => "terminal",
        Channel::Page if decision.second_factor => "page, second factor",
        Channel::Page => "page",
        Channel::Slack => "Slack",
    };
    let roles = decision.roles.iter().filter(|role| !role.contains(':')).map(String::as_str).collect::<Vec<_>>();
    let roles = if roles.is_empty() { String::new() } else { format!(" as {}", quoted(&roles.join(", "), 100)) };
    let late = if decision.late { " · too late, without effect" } else { "" };
    let conditions = decision.conditions.in_words();
    let under = if conditions.is_empty() { String::new() } else { format!(" · under {}", quoted(&conditions, 200)) };
    let why = if decision.reason.trim().is_empty() {
        String::new()
    } else {
        format!("\n      “{}”", quoted(&decision.reason, 400))
    };
    format!("{icon} {} {verb}{roles} · {place} · {}{under}{late}{why}", person(decision), time(decision.at))
}

/// Who decided: the person and the account. An account without a person behind it is marked.
pub fn person(decision: &Decision) -> String {
    let account = account(&decision.actor);
    match (decision.person == decision.actor.as_str(), decision.actor.as_slack()) {
        (true, Some(_)) => format!("{account} (Slack identity only)"),
        (true, None) => account,
        (false, _) => format!("{} ({account})", quoted(&decision.person, 80)),
    }
}

/// An account: Slack shows the name of one of its own.
pub fn account(actor: &Actor) -> String {
    actor.as_slack().and_then(|(_, id)| user(id)).unwrap_or_else(|| quoted(actor.as_str(), 80))
}
