//! What a gate's keys become.

mod support;

use countersign_model::conditions::Conditions;
use countersign_model::decision::Channel;
use countersign_model::pipeline::Work;
use countersign_model::policy::{Escalation, Overriding, RoleQuorum, SignoffPolicy};
use std::collections::BTreeSet;
use support::read;

const PIPELINE: &str = include_str!("support/pipeline.toml");
const APPROVERS: &str = "approvers = [{ role = \"owner\", count = 1 }]";

/// The policy of the gate with these lines in place of its approvers.
fn policy(lines: &str) -> SignoffPolicy {
    assert!(PIPELINE.contains(APPROVERS));
    let pipeline = read(&PIPELINE.replace(APPROVERS, lines)).unwrap_or_else(|found| panic!("{found}"));
    match &pipeline.step("release").unwrap().work {
        Work::Signoff(policy) => policy.clone(),
        Work::Component(_) => panic!("release is a step"),
    }
}

fn quorum(role: &str, count: u32) -> RoleQuorum {
    RoleQuorum { role: role.to_string(), count }
}

#[test]
fn every_key_of_a_gate_is_read() {
    let policy = policy(
        r##"
approvers = [{ role = "owner", count = 2 }, { slack_user = "T01/U02AB" }, { slack_group = "S0123", count = 2 }, { email = "Ada@example.org" }]
approve_on = ["page"]
forbid_self_approval = true
second_factor = true
channel = "slack:#ml-releases"
remind = "4h"
escalate = { after = "24h", to = "@ml-leads" }
override = { approvers = [{ role = "owner", count = 2 }, { email = "eve@example.org" }], on = ["page", "terminal"] }
conditions = { canary_percent = 10, except_slices = ["company = Blue Ribbon"] }
"##,
    );
    let expected = SignoffPolicy {
        approvers: vec![
            quorum("owner", 2),
            quorum("slack:T01/U02AB", 1),
            quorum("slack-group:S0123", 2),
            quorum("email:ada@example.org", 1),
        ],
        approve_on: BTreeSet::from([Channel::Page]),
        forbid_self_approval: true,
        overriding: Some(Overriding {
            approvers: vec![quorum("owner", 2), quorum("email:eve@example.org", 1)],
            on: BTreeSet::from([Channel::Page, Channel::Terminal]),
        }),
        second_factor: true,
        channel: Some("slack:#ml-releases".to_string()),
        remind_seconds: Some(4 * 3600),
        escalate: Some(Escalation { after_seconds: 86_400, to: "@ml-leads".to_string() }),
        expire: policy.expire.clone(),
        conditions: Conditions {
            canary_percent: Some(10),
            except_slices: BTreeSet::from(["company = Blue Ribbon".to_string()]),
        },
    };
    assert_eq!(policy, expected);
    assert_eq!(policy.expire.unwrap().after_seconds, 7 * 86_400);
}

#[test]
fn what_a_gate_does_not_say_is_the_careful_choice() {
    let policy = policy("approvers = [{ role = \"owner\" }]\noverride = { approvers = [{ role = \"owner\" }] }");
    assert_eq!(policy.approvers, [quorum("owner", 1)]);
    assert_eq!(policy.approve_on.len(), 3);
    assert_eq!(policy.overriding.unwrap().on, BTreeSet::from([Channel::Page]));
    assert!(!policy.second_factor && policy.conditions.is_empty() && policy.remind_seconds.is_none());
}

#[test]
fn a_gate_may_escalate_after_it_is_overdue_and_before_it_rejects() {
    let hold = APPROVERS.to_string() + "\nescalate = { after = \"8d\", to = \"#ml\" }";
    assert_eq!(policy(&hold).escalate.unwrap().after_seconds, 8 * 86_400);
}
