//! The shape of a gate.

use super::Text;
use crate::place::Placed;
use schemars::JsonSchema;
use serde_json::json;
use std::ops::Range;

/// A gate at which a run waits for people.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Signoff", deny_unknown_fields)]
pub(crate) struct SignoffTable {
    /// Steps whose results the reviewers see.
    #[schemars(required)]
    pub after: Option<Vec<Text>>,
    /// Who must sign, and how many people of each. All of them must.
    #[schemars(required, length(min = 1))]
    pub approvers: Option<Vec<ApproverTable>>,
    /// Where approving is allowed: `terminal`, `page`, `slack`. Default: everywhere. Rejecting and holding always are.
    #[schemars(length(min = 1), inner(regex(pattern = r"^(terminal|page|slack)$")))]
    pub approve_on: Option<Vec<Text>>,
    /// Whether the person who started the run may not approve it.
    #[schemars(extend("default" = false))]
    pub forbid_self_approval: Option<Placed<bool>>,
    /// Whether approving on the page asks for a one-time code (TOTP).
    #[schemars(extend("default" = false))]
    pub second_factor: Option<Placed<bool>>,
    /// Where the request is posted: `slack:#ml-releases`. Default: `slack.channel` in countersign.toml.
    #[schemars(regex(pattern = r"^slack:(#.+|[CG][A-Z0-9]+)$"))]
    pub channel: Option<Text>,
    /// How often people are reminded: `4h`.
    #[schemars(regex(pattern = r"^[1-9][0-9]*[smhd]$"))]
    pub remind: Option<Text>,
    /// Whom to tell when nobody decides.
    pub escalate: Option<EscalateTable>,
    /// What happens when nobody decides in time. Nothing ever approves by itself.
    pub expire: Option<ExpireTable>,
    /// Who may override a failed check. Without it a failed check ends the run.
    #[schemars(rename = "override")]
    pub overriding: Option<OverrideTable>,
    /// What every approval is under.
    pub conditions: Option<ConditionsTable>,
    /// Whether something in this table could not be read.
    #[schemars(skip)]
    pub broken: bool,
}

/// So many people of a role or a group, or one person.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Approver", deny_unknown_fields)]
#[schemars(extend("oneOf" = json!([
    { "required": ["role"] },
    { "required": ["slack_user"] },
    { "required": ["slack_group"] },
    { "required": ["email"] },
])))]
pub(crate) struct ApproverTable {
    /// A role that people have in countersign.toml.
    #[schemars(regex(pattern = r"^[^:]+$"))]
    pub role: Option<Text>,
    /// One Slack account, by team and user: `T01/U02AB`.
    #[schemars(regex(pattern = r"^T[A-Z0-9]+/[UW][A-Z0-9]+$"))]
    pub slack_user: Option<Text>,
    /// A Slack user group, by its identifier: `S0123`.
    #[schemars(regex(pattern = r"^S[A-Z0-9]+$"))]
    pub slack_group: Option<Text>,
    /// One person, by the address that Slack or countersign.toml has for them.
    pub email: Option<Text>,
    /// How many different people of it. A `slack_user` or an `email` is one.
    #[schemars(range(min = 1, max = 100), extend("default" = 1))]
    pub count: Option<Placed<u64>>,
    /// Where the entry stands.
    #[schemars(skip)]
    pub place: Range<usize>,
    /// Whether something in this table could not be read.
    #[schemars(skip)]
    pub broken: bool,
}

/// Whom to tell when nobody decides.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Escalate", deny_unknown_fields)]
pub(crate) struct EscalateTable {
    /// How long to wait: `30m`, `4h`, `7d`.
    #[schemars(required, regex(pattern = r"^[1-9][0-9]*[smhd]$"))]
    pub after: Option<Text>,
    /// A Slack user group or person (`@ml-leads`) or a channel (`#ml-leads`).
    #[schemars(required, regex(pattern = r"^[@#].+$"))]
    pub to: Option<Text>,
}

/// What happens when nobody decides in time.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Expire", deny_unknown_fields)]
pub(crate) struct ExpireTable {
    /// How long to wait: `30m`, `4h`, `7d`.
    #[schemars(required, regex(pattern = r"^[1-9][0-9]*[smhd]$"))]
    pub after: Option<Text>,
    /// `hold` keeps the request open and shows it as overdue; `reject` ends the run.
    #[schemars(required, extend("enum" = ["hold", "reject"]))]
    pub then: Option<Text>,
}

/// Who may override a failed check.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Override", deny_unknown_fields)]
pub(crate) struct OverrideTable {
    /// Who must sign, and how many people of each.
    #[schemars(required, length(min = 1))]
    pub approvers: Option<Vec<ApproverTable>>,
    /// Where overriding is allowed: `terminal`, `page`, `slack`. Default: on the page.
    #[schemars(length(min = 1), inner(regex(pattern = r"^(terminal|page|slack)$")))]
    pub on: Option<Vec<Text>>,
    /// Where the table stands.
    #[schemars(skip)]
    pub place: Range<usize>,
    /// Whether something in this table could not be read.
    #[schemars(skip)]
    pub broken: bool,
}

/// What every approval is under, whatever the approver adds.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename = "Conditions", deny_unknown_fields)]
pub(crate) struct ConditionsTable {
    /// At most so many per cent of the traffic.
    #[schemars(range(min = 1, max = 100))]
    pub canary_percent: Option<Placed<u64>>,
    /// Slices that the live model goes on serving, as the evaluation shows them: `company = Blue Ribbon`.
    pub except_slices: Option<Vec<Text>>,
}
