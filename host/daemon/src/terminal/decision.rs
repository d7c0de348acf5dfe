//! A decision as people read it in the terminal.

use crate::terminal::text;
use countersign_model::decision::{Decision, DecisionKind};

/// Who said what, as what, where, when, why and under which conditions, on one line.
pub fn line(decision: &Decision) -> String {
    let at = decision.at.to_utc().format("%Y-%m-%d %H:%M:%S UTC");
    let kind = match decision.kind {
        DecisionKind::Override => console::style("OVERRIDE").red().bold().to_string(),
        DecisionKind::Approve | DecisionKind::Reject | DecisionKind::Hold => decision.kind.to_string(),
    };
    let mut line = format!("{kind} by {} as {}", who(decision), text::safe(&decision.roles.join(", ")));
    line.push_str(&format!(" on the {} at {at}", decision.channel));
    if decision.second_factor {
        line.push_str(" with a second factor");
    }
    if !decision.reason.is_empty() {
        line.push_str(&format!(": {}", text::safe(&decision.reason)));
    }
    if !decision.conditions.is_empty() {
        line.push_str(&format!(" · only {}", text::safe(&decision.conditions.in_words())));
    }
    if decision.late {
        line.push_str(" (late: it changed nothing)");
    }
    line
}

/// The person and the account; an account without a person behind it is said to be just that.
pub fn who(decision: &Decision) -> String {
    if decision.person == decision.actor.as_str() {
        format!("{} (account only, no person listed)", decision.actor)
    } else {
        format!("{} ({})", text::safe(&decision.person), decision.actor)
    }
}
