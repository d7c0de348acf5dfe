//! The table of edge cases.

use super::*;
use std::collections::BTreeMap;

fn slice(label: Option<(&str, &str)>, candidate: Option<f64>, baseline: Option<Option<f64>>, small: bool) -> Slice {
    let metrics = |value: Option<f64>| BTreeMap::from([("auc".to_string(), value), ("log_loss".to_string(), value)]);
    Slice {
        column: label.map(|(column, _)| column.to_string()),
        value: label.map(|(_, value)| value.to_string()),
        examples: if small { 10 } else { 100 },
        small,
        candidate: metrics(candidate),
        baseline: baseline.map(metrics).unwrap_or_default(),
        headline_margin: None,
        change_margin: None,
    }
}

fn rule(text: &str) -> Rule {
    serde_json::from_str(text).unwrap()
}

fn judge_one(
    text: &str,
    candidate: Option<f64>,
    baseline: Option<Option<f64>>,
) -> (Option<bool>, Vec<Severity>, String) {
    let (results, findings) = judge(&[rule(text)], &slice(None, candidate, baseline, false), &[]);
    assert_eq!(results.len(), 1);
    (results[0].holds, findings.iter().map(|finding| finding.severity).collect(), results[0].seen.clone())
}

#[test]
fn every_edge_has_one_answer() {
    use Severity::{Ask, Block, Info};
    let up = r#"{"metric": "auc", "min_increase_absolute": 0.002}"#;
    let down = r#"{"metric": "auc", "max_decrease_absolute": 0.003}"#;
    let up_percent = r#"{"metric": "auc", "min_increase_percent": 1}"#;
    let down_percent = r#"{"metric": "auc", "max_decrease_percent": 1}"#;
    let floor = r#"{"metric": "auc", "at_least": 0.8}"#;
    let ceiling = r#"{"metric": "log_loss", "at_most": 0.4}"#;
    let worse = r#"{"metric": "log_loss", "max_increase_percent": 10}"#;
    type Case<'a> = (&'a str, Option<f64>, Option<Option<f64>>, Option<bool>, &'a [Severity]);
    let cases: &[Case] = &[
        // Inclusive limits, in spite of binary fractions.
        (floor, Some(0.8), None, Some(true), &[]),
        (floor, Some(0.7999), None, Some(false), &[Block]),
        (ceiling, Some(0.4), None, Some(true), &[]),
        (ceiling, Some(0.41), None, Some(false), &[Block]),
        (up, Some(0.866), Some(Some(0.864)), Some(true), &[]),
        (up, Some(0.865), Some(Some(0.864)), Some(false), &[Block]),
        (down, Some(0.861), Some(Some(0.864)), Some(true), &[]),
        (down, Some(0.860), Some(Some(0.864)), Some(false), &[Block]),
        // One percent is one percent, not a ratio of 1.01 and not 101 %.
        (up_percent, Some(0.808), Some(Some(0.8)), Some(true), &[]),
        (up_percent, Some(0.807), Some(Some(0.8)), Some(false), &[Block]),
        (down_percent, Some(0.792), Some(Some(0.8)), Some(true), &[]),
        (down_percent, Some(0.791), Some(Some(0.8)), Some(false), &[Block]),
        (worse, Some(0.44), Some(Some(0.4)), Some(true), &[]),
        (worse, Some(0.45), Some(Some(0.4)), Some(false), &[Block]),
        // Baseline 0: no percentage, unless nothing changed; the absolute change is fine.
        (up_percent, Some(0.5), Some(Some(0.0)), None, &[Ask]),
        (down_percent, Some(0.0), Some(Some(0.0)), Some(true), &[]),
        (up, Some(0.5), Some(Some(0.0)), Some(true), &[]),
        // Negative baseline: -0.5 after -1.0 is a rise of 50 %.
        (up_percent, Some(-0.5), Some(Some(-1.0)), Some(true), &[]),
        (down_percent, Some(-1.5), Some(Some(-1.0)), Some(false), &[Block]),
        // Not defined, on either side.
        (floor, None, None, None, &[Ask]),
        (up, None, Some(Some(0.8)), None, &[Ask]),
        (up, Some(0.8), Some(None), None, &[Ask]),
        // First run.
        (up, Some(0.8), None, None, &[Info]),
        (down_percent, Some(0.8), None, None, &[Info]),
    ];
    for (rule, candidate, baseline, holds, severities) in cases {
        let (seen_holds, seen_severities, seen) = judge_one(rule, *candidate, *baseline);
        assert_eq!(
            (seen_holds, seen_severities.as_slice()),
            (*holds, *severities),
            "{rule} {candidate:?} {baseline:?}: {seen}"
        );
        assert!(!seen.is_empty());
    }
}

#[test]
fn nan_never_passes_for_a_number() {
    // Metrics are None where not defined; should a NaN slip in, it must not hold.
    let (holds, severities, _) = judge_one(r#"{"metric": "auc", "at_least": 0.8}"#, Some(f64::NAN), None);
    assert_eq!((holds, severities), (Some(false), vec![Severity::Block]));
}

#[test]
fn a_finding_says_expected_seen_and_previous() {
    let rules = [rule(r#"{"metric": "auc", "min_increase_absolute": 0.002}"#)];
    let (results, findings) = judge(&rules, &slice(None, Some(0.8645), Some(Some(0.864)), false), &[]);
    assert_eq!(results[0].rule, "auc increases by at least 0.002");
    assert_eq!(results[0].seen, "0.8645 (live 0.8640, +0.0005)");
    assert_eq!(findings[0].subject, "auc");
    assert_eq!(findings[0].expected.as_deref(), Some("increases by at least 0.002"));
    assert_eq!(findings[0].previous.as_deref(), Some("0.8640"));
}

#[test]
fn every_slice_leaves_small_ones_out_and_names_those_that_fail() {
    let rules = [rule(r#"{"metric": "auc", "slice": "every slice", "at_least": 0.7}"#)];
    let overall = slice(None, Some(0.8), None, false);
    let mut slices =
        vec![slice(Some(("c", "small")), Some(0.1), None, true), slice(Some(("c", "a")), Some(0.75), None, false)];
    let (results, findings) = judge(&rules, &overall, &slices);
    assert_eq!((results[0].holds, findings.len()), (Some(true), 0));
    for value in ["b", "d", "e", "f", "g", "h", "i"] {
        slices.push(slice(Some(("c", value)), Some(0.6), None, false));
    }
    let (results, findings) = judge(&rules, &overall, &slices);
    assert_eq!(results[0].holds, Some(false));
    assert!(results[0].seen.starts_with("7 of 8 slices fail: c = b 0.6"), "{}", results[0].seen);
    assert_eq!(findings.len(), 6);
    assert_eq!(findings[0].subject, "auc of c = b");
    assert!(findings[5].message.contains("2 more slices"));
}

#[test]
fn a_named_slice_that_is_missing_or_small_asks() {
    let overall = slice(None, Some(0.8), None, false);
    let slices =
        [slice(Some(("c", "small")), Some(0.9), None, true), slice(Some(("c", "a = b")), Some(0.9), None, false)];
    for (value, holds, part) in [
        ("absent", None, "there is no example with c = absent"),
        ("small", None, "only 10 examples"),
        ("a = b", Some(true), "0.9"),
    ] {
        let text = format!(r#"{{"metric": "auc", "slice": "c = {value}", "at_least": 0.7}}"#);
        let (results, findings) = judge(&[rule(&text)], &overall, &slices);
        assert_eq!(results[0].holds, holds, "{value}");
        assert!(results[0].seen.contains(part), "{}", results[0].seen);
        assert_eq!(findings.iter().any(|finding| finding.severity == Severity::Ask), holds.is_none());
    }
}

#[test]
fn without_a_rule_it_says_so() {
    let (results, findings) = judge(&[], &slice(None, Some(0.8), None, false), &[]);
    assert!(results.is_empty());
    assert_eq!(
        (findings[0].severity, findings[0].message.as_str()),
        (Severity::Info, "no rule: the verdict is a person's")
    );
}
