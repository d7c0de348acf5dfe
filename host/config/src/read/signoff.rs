//! A gate's table to its shape.

use super::required_text;
use crate::diagnostics::Sink;
use crate::document::Table;
use crate::shape::{ApproverTable, ConditionsTable, EscalateTable, ExpireTable, OverrideTable, SignoffTable};

/// Reads a gate.
pub(super) fn table(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> SignoffTable {
    let before = sink.count();
    let what = table.what.clone();
    let whose = |key: &str| format!("`{key}` of {what}");
    let mut read = SignoffTable {
        after: table.texts("after", sink),
        approvers: approvers(&mut table, sink),
        approve_on: table.texts("approve_on", sink),
        forbid_self_approval: table.boolean("forbid_self_approval", sink),
        second_factor: table.boolean("second_factor", sink),
        channel: table.text("channel", sink),
        remind: table.text("remind", sink),
        escalate: table.table("escalate", &whose("escalate"), sink).map(|inner| escalate(inner, sink)),
        expire: table.table("expire", &whose("expire"), sink).map(|inner| expire(inner, sink)),
        overriding: table.table("override", &whose("override"), sink).map(|inner| overriding(inner, sink)),
        conditions: table.table("conditions", &whose("conditions"), sink).map(|inner| conditions(inner, sink)),
        broken: false,
    };
    table.finish(sink);
    read.broken = sink.count() > before;
    read
}

fn approvers(table: &mut Table<'_, '_>, sink: &mut Sink<'_>) -> Option<Vec<ApproverTable>> {
    let what = format!("an approver of {}", table.what);
    let list = table.tables("approvers", &what, sink)?;
    Some(list.into_iter().map(|inner| approver(inner, sink)).collect())
}

fn approver(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> ApproverTable {
    let before = sink.count();
    let mut read = ApproverTable {
        role: table.text("role", sink),
        slack_user: table.text("slack_user", sink),
        slack_group: table.text("slack_group", sink),
        email: table.text("email", sink),
        count: table.integer("count", 1..=100, sink),
        place: table.place.clone(),
        broken: false,
    };
    table.finish(sink);
    read.broken = sink.count() > before;
    read
}

fn escalate(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> EscalateTable {
    let read =
        EscalateTable { after: required_text(&mut table, "after", sink), to: required_text(&mut table, "to", sink) };
    table.finish(sink);
    read
}

fn expire(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> ExpireTable {
    let read =
        ExpireTable { after: required_text(&mut table, "after", sink), then: required_text(&mut table, "then", sink) };
    table.finish(sink);
    read
}

fn overriding(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> OverrideTable {
    let before = sink.count();
    let mut read = OverrideTable {
        approvers: approvers(&mut table, sink),
        on: table.texts("on", sink),
        place: table.place.clone(),
        broken: false,
    };
    table.finish(sink);
    read.broken = sink.count() > before;
    read
}

fn conditions(mut table: Table<'_, '_>, sink: &mut Sink<'_>) -> ConditionsTable {
    let read = ConditionsTable {
        canary_percent: table.integer("canary_percent", 1..=100, sink),
        except_slices: table.texts("except_slices", sink),
    };
    table.finish(sink);
    read
}
