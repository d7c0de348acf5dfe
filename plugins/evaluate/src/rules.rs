//! Judges rules on measured slices. A table of cases, no files: what holds, what blocks, what a person has to look at.
//!
//! Three-valued on purpose. A metric that is not defined, a slice that is not there or a baseline of 0 under a percentage neither
//! holds nor blocks: a person is asked, with the reason. A change rule without a live model is not applicable and only noted.

use crate::metric::Metric;
use crate::parameters::{Condition, Direction, Rule};
use crate::wording::{change, name, number};
use countersign_formats::evaluation::{RuleResult, Slice};
use countersign_sdk::{Finding, Severity};

/// Findings a rule makes at most for single slices; the others are counted in one more.
const NAMED_SLICES: usize = 5;
/// Limits are inclusive; this is for what binary fractions make of 0.866 - 0.864.
const ROUNDING: f64 = 1e-9;

/// How one condition came out on one slice.
#[derive(Debug, Clone, PartialEq)]
enum Judgement {
    Holds(String),
    Fails(String),
    /// No live model to compare with.
    NotApplicable,
    Undefined(String),
}

/// Judges every condition of every rule.
pub fn judge(rules: &[Rule], overall: &Slice, slices: &[Slice]) -> (Vec<RuleResult>, Vec<Finding>) {
    let mut results = Vec::new();
    let mut findings = Vec::new();
    for rule in rules {
        for condition in rule.conditions() {
            let words = in_words(rule, condition);
            let (result, found) = match targets(rule, overall, slices) {
                Ok(targets) => conclude(rule, condition, &words, &targets),
                Err(reason) => ask(&words, rule.metric.as_str(), &reason),
            };
            results.push(result);
            findings.extend(found);
        }
    }
    if rules.is_empty() {
        let message = "no rule: the verdict is a person's";
        findings.push(Finding::new("rule", Severity::Info, "rules", message));
    }
    (results, findings)
}

/// The slices a rule is about, or why there is none.
fn targets<'a>(rule: &Rule, overall: &'a Slice, slices: &'a [Slice]) -> Result<Vec<&'a Slice>, String> {
    if let Some((column, value)) = rule.one_slice() {
        let is_it = |slice: &&Slice| slice.column.as_deref() == Some(column) && slice.value.as_deref() == Some(value);
        let slice = slices.iter().find(is_it).ok_or(format!("there is no example with {}", rule.slice))?;
        if slice.small {
            return Err(format!("only {} examples have {}", slice.examples, rule.slice));
        }
        return Ok(vec![slice]);
    }
    if rule.slice == "overall" {
        return Ok(vec![overall]);
    }
    let large: Vec<&Slice> = slices.iter().filter(|slice| !slice.small).collect();
    if large.is_empty() { Err("no slice has enough examples".to_string()) } else { Ok(large) }
}

fn conclude(rule: &Rule, condition: Condition, words: &str, targets: &[&Slice]) -> (RuleResult, Vec<Finding>) {
    let judged: Vec<(&Slice, Judgement)> =
        targets.iter().map(|slice| (*slice, on_slice(rule.metric, condition, slice))).collect();
    let mut findings = Vec::new();
    let failing: Vec<(&Slice, &str)> = judged
        .iter()
        .filter_map(|(slice, judgement)| match judgement {
            Judgement::Fails(seen) => Some((*slice, seen.as_str())),
            Judgement::Holds(_) | Judgement::NotApplicable | Judgement::Undefined(_) => None,
        })
        .collect();
    for (slice, seen) in failing.iter().take(NAMED_SLICES) {
        findings.push(blocked(rule.metric, condition, words, slice, seen));
    }
    if let Some(more) = failing.len().checked_sub(NAMED_SLICES).filter(|more| *more > 0) {
        let message = format!("rule does not hold in {more} more slices: {words}");
        findings.push(Finding::new("rule", Severity::Block, rule.metric.as_str(), message));
    }
    let undefined: Vec<String> = judged
        .iter()
        .filter_map(|(slice, judgement)| match judgement {
            Judgement::Undefined(reason) => Some(format!("{}: {reason}", name(slice))),
            Judgement::Holds(_) | Judgement::Fails(_) | Judgement::NotApplicable => None,
        })
        .collect();
    if !undefined.is_empty() {
        let reason = shortened(&undefined);
        findings.extend(ask(words, rule.metric.as_str(), &reason).1);
    }
    if judged.iter().any(|(_, judgement)| *judgement == Judgement::NotApplicable) {
        let message = format!("not applicable, there is no live model to compare with: {words}");
        findings.push(Finding::new("rule", Severity::Info, rule.metric.as_str(), message));
    }
    let all_hold = judged.iter().all(|(_, judgement)| matches!(judgement, Judgement::Holds(_)));
    let holds = if failing.is_empty() { all_hold.then_some(true) } else { Some(false) };
    (RuleResult { rule: words.to_string(), holds, seen: seen_in_words(&judged, &failing, &undefined) }, findings)
}

fn seen_in_words(judged: &[(&Slice, Judgement)], failing: &[(&Slice, &str)], undefined: &[String]) -> String {
    match judged {
        [(_, Judgement::Holds(seen) | Judgement::Fails(seen) | Judgement::Undefined(seen))] => seen.clone(),
        _ if !failing.is_empty() => {
            let named: Vec<String> = failing.iter().map(|(slice, seen)| format!("{} {seen}", name(slice))).collect();
            format!("{} of {} slices fail: {}", failing.len(), judged.len(), shortened(&named))
        }
        _ if !undefined.is_empty() => shortened(undefined),
        _ if judged.iter().any(|(_, judgement)| *judgement == Judgement::NotApplicable) => {
            "not applicable: no live model to compare with".to_string()
        }
        _ => format!("holds in all {} slices", judged.len()),
    }
}

fn shortened(named: &[String]) -> String {
    let mut text = named.iter().take(NAMED_SLICES).cloned().collect::<Vec<_>>().join("; ");
    if named.len() > NAMED_SLICES {
        text.push_str(&format!("; and {} more", named.len() - NAMED_SLICES));
    }
    text
}

fn blocked(metric: Metric, condition: Condition, words: &str, slice: &Slice, seen: &str) -> Finding {
    let subject = if slice.column.is_none() { metric.to_string() } else { format!("{metric} of {}", name(slice)) };
    let finding = Finding::new("rule", Severity::Block, subject, format!("rule does not hold: {words}"))
        .expected(expectation(condition))
        .seen(seen);
    match slice.baseline.get(metric.as_str()) {
        Some(Some(previous)) => finding.previous(number(*previous)),
        Some(None) | None => finding,
    }
}

fn ask(words: &str, subject: &str, reason: &str) -> (RuleResult, Vec<Finding>) {
    let message = format!("rule can not be judged, {reason}: {words}");
    let finding = Finding::new("rule", Severity::Ask, subject, message).expected(words).seen(reason);
    (RuleResult { rule: words.to_string(), holds: None, seen: reason.to_string() }, vec![finding])
}

fn on_slice(metric: Metric, condition: Condition, slice: &Slice) -> Judgement {
    let Some(candidate) = slice.candidate.get(metric.as_str()).copied().flatten() else {
        return Judgement::Undefined(format!("{metric} is not defined on its {} examples", slice.examples));
    };
    let baseline = slice.baseline.get(metric.as_str()).copied();
    let judged = |holds: bool| {
        let seen = match baseline.flatten() {
            Some(baseline) => {
                format!("{} (live {}, {})", number(candidate), number(baseline), change(candidate - baseline))
            }
            None => number(candidate),
        };
        if holds { Judgement::Holds(seen) } else { Judgement::Fails(seen) }
    };
    let (direction, minimum, amount, percent) = match condition {
        Condition::AtLeast(limit) => return judged(candidate >= limit - ROUNDING),
        Condition::AtMost(limit) => return judged(candidate <= limit + ROUNDING),
        Condition::Change { direction, minimum, amount, percent } => (direction, minimum, amount, percent),
    };
    let baseline = match baseline {
        None => return Judgement::NotApplicable,
        Some(None) => return Judgement::Undefined(format!("the live model's {metric} is not defined")),
        Some(Some(baseline)) => baseline,
    };
    let increase = match percent {
        false => candidate - baseline,
        true if candidate == baseline => 0.0,
        true if baseline == 0.0 => {
            return Judgement::Undefined(format!("the live model's {metric} is 0, so there is no percentage"));
        }
        // Over the absolute value, so that an increase is positive below zero too.
        true => 100.0 * (candidate - baseline) / baseline.abs(),
    };
    let moved = if direction == Direction::Increase { increase } else { -increase };
    judged(if minimum { moved >= amount - ROUNDING } else { moved <= amount + ROUNDING })
}

fn expectation(condition: Condition) -> String {
    match condition {
        Condition::AtLeast(limit) => format!("at least {limit}"),
        Condition::AtMost(limit) => format!("at most {limit}"),
        Condition::Change { direction, minimum, amount, percent } => format!(
            "{} by at {} {amount}{}",
            if direction == Direction::Increase { "increases" } else { "decreases" },
            if minimum { "least" } else { "most" },
            if percent { " % of the live model's" } else { "" }
        ),
    }
}

fn in_words(rule: &Rule, condition: Condition) -> String {
    let verb = if matches!(condition, Condition::Change { .. }) { "" } else { "is " };
    let place = match rule.slice.as_str() {
        "overall" => String::new(),
        slice => format!(" in {slice}"),
    };
    format!("{} {verb}{}{place}", rule.metric, expectation(condition))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
