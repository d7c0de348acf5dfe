//! Issues told three ways: one line for the run, findings for people, anomalies for other tools.

use crate::issue::Issue;
use countersign_formats::tfmd::Path;
use countersign_formats::tfmd::anomalies::{
    self as messages, Anomalies, AnomalyInfo, AnomalyNameFormat, DriftSkewInfo, Reason,
};
use countersign_formats::tfmd::schema::Schema;
use countersign_sdk::{Finding, Severity};
use std::collections::BTreeMap;

/// Heaviest first; the same issue in several splits is one.
pub fn merged(issues: &[Issue]) -> Vec<Issue> {
    let mut merged: Vec<Issue> = Vec::new();
    for issue in issues {
        match merged.iter_mut().find(|other| other.kind == issue.kind && other.feature == issue.feature) {
            Some(other) => {
                let mut splits = other.splits.clone();
                splits.extend(issue.splits.iter().filter(|split| !other.splits.contains(split)).cloned());
                if issue.severity > other.severity {
                    *other = issue.clone();
                }
                other.splits = splits;
            }
            None => merged.push(issue.clone()),
        }
    }
    merged.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
    merged
}

/// What a person reads: the splits are named where it is not all of them. Against the previous delivery one split is compared for all.
pub fn sentence(issue: &Issue, splits: usize) -> String {
    let for_all = issue.feature.is_none() || ["drift", "slight drift"].contains(&issue.kind);
    if for_all || issue.splits.len() >= splits {
        issue.message.clone()
    } else {
        format!("{} in {}", issue.message, issue.splits.join(" and "))
    }
}

/// The finding of a merged issue.
pub fn finding(issue: &Issue, splits: usize, rows: Vec<u64>) -> Finding {
    let subject = issue.feature.clone().unwrap_or_else(|| "rows".to_string());
    let mut finding = Finding::new(issue.kind, issue.severity, subject, sentence(issue, splits)).rows(rows);
    finding.expected = issue.expected.clone();
    finding.seen = issue.seen.clone();
    finding.previous = issue.previous.clone();
    finding
}

/// One line: the heaviest finding first. What the findings mean for the run is the host's to say, after the step's `on` table.
/// `checked` says what there was to check: `19 features in train and eval`.
pub fn summary(issues: &[Issue], splits: usize, checked: &str) -> String {
    let of = |severity: Severity| issues.iter().filter(|issue| issue.severity == severity).collect::<Vec<_>>();
    let (blocks, asks, warnings) = (of(Severity::Block), of(Severity::Ask), of(Severity::Warn));
    let more = |count: usize| if count > 1 { format!(" · and {} more", count - 1) } else { String::new() };
    let heaviest = if blocks.is_empty() { &asks } else { &blocks };
    if let Some(first) = heaviest.first() {
        format!("{}{}", sentence(first, splits), more(heaviest.len()))
    } else if let Some(first) = warnings.first() {
        let warning =
            if warnings.len() == 1 { "1 warning".to_string() } else { format!("{} warnings", warnings.len()) };
        format!("{warning}: {}{}", sentence(first, splits), if warnings.len() > 1 { " …" } else { "" })
    } else {
        checked.to_string()
    }
}

/// `anomalies.pb` of one split.
pub fn anomalies(schema: &Schema, split: &str, issues: &[Issue], compared: &[DriftSkewInfo]) -> Anomalies {
    let mut by_feature: BTreeMap<String, Vec<&Issue>> = BTreeMap::new();
    let mut of_all = Vec::new();
    for issue in issues.iter().filter(|issue| issue.anomaly.is_some() && issue.splits.iter().any(|name| name == split))
    {
        match &issue.feature {
            Some(feature) => by_feature.entry(feature.clone()).or_default().push(issue),
            None => of_all.push(issue),
        }
    }
    let of_feature = |(feature, issues): (String, Vec<&Issue>)| {
        let info = AnomalyInfo { path: Some(Path::column(feature.clone())), ..info(&issues) };
        (feature, info)
    };
    Anomalies {
        baseline: Some(schema.clone()),
        anomaly_info: by_feature.into_iter().map(of_feature).collect(),
        data_missing: None,
        anomaly_name_format: Some(AnomalyNameFormat::SerializedPath.into()),
        dataset_anomaly_info: (!of_all.is_empty()).then(|| info(&of_all)),
        drift_skew_info: compared.to_vec(),
    }
}

/// As upstream: several reasons have their texts joined and are called multiple errors.
fn info(issues: &[&Issue]) -> AnomalyInfo {
    let reason = |issue: &&Issue| Reason {
        r#type: issue.anomaly.map(Into::into),
        short_description: Some(issue.kind.to_string()),
        description: Some(issue.message.clone()),
    };
    let heavy = issues.iter().any(|issue| issue.severity >= Severity::Ask);
    let severity = if heavy { messages::Severity::Error } else { messages::Severity::Warning };
    let short = match issues {
        [one] => one.kind.to_string(),
        _ => "Multiple errors".to_string(),
    };
    AnomalyInfo {
        description: Some(issues.iter().map(|issue| issue.message.as_str()).collect::<Vec<_>>().join(" ")),
        severity: Some(severity.into()),
        short_description: Some(short),
        reason: issues.iter().map(reason).collect(),
        path: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_formats::tfmd::anomalies::AnomalyType;

    fn issue(feature: &str, split: &str, kind: &'static str, severity: Severity) -> Issue {
        Issue::of(feature, split, kind, severity, format!("{feature} is {kind}")).anomaly(AnomalyType::SchemaNewColumn)
    }

    #[test]
    fn the_same_issue_in_all_splits_is_told_once_and_the_heaviest_first() {
        let issues = [
            issue("tract", "eval", "empty", Severity::Warn),
            issue("fare", "train", "drift", Severity::Warn),
            issue("fare", "eval", "drift", Severity::Block),
        ];
        let merged = merged(&issues);
        assert_eq!(merged.len(), 2);
        assert_eq!(
            (merged[0].severity, &merged[0].splits[..]),
            (Severity::Block, &["train".into(), "eval".into()][..])
        );
        assert_eq!(sentence(&merged[0], 2), "fare is drift");
        assert_eq!(sentence(&merged[1], 2), "tract is empty in eval");
        assert_eq!(sentence(&issues[1], 2), "fare is drift", "one split is compared for all");
    }

    #[test]
    fn the_summary_says_the_worst() {
        let warn = [issue("a", "eval", "empty", Severity::Warn), issue("b", "eval", "new", Severity::Warn)];
        assert_eq!(summary(&warn, 2, ""), "2 warnings: a is empty in eval …");
        assert_eq!(summary(&warn[..1], 2, ""), "1 warning: a is empty in eval");
        let block = [issue("a", "eval", "gone", Severity::Block)];
        assert_eq!(summary(&block, 1, ""), "a is gone");
        assert_eq!(summary(&[issue("a", "eval", "new", Severity::Ask)], 1, ""), "a is new");
        assert_eq!(summary(&[], 2, "19 features in train and eval"), "19 features in train and eval");
    }

    #[test]
    fn anomalies_name_the_splits_own_issues_and_only_those_that_have_a_type() {
        let mut silent = issue("b", "train", "not comparable", Severity::Info);
        silent.anomaly = None;
        let issues = [issue("a", "train", "new", Severity::Warn), issue("c", "eval", "gone", Severity::Block), silent];
        let train = anomalies(&Schema::default(), "train", &issues, &[]);
        assert_eq!(train.anomaly_info.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(train.anomaly_info["a"].severity(), messages::Severity::Warning);
        let eval = anomalies(&Schema::default(), "eval", &issues, &[]);
        assert_eq!(eval.anomaly_info["c"].reason[0].r#type(), AnomalyType::SchemaNewColumn);
        assert_eq!(eval.anomaly_info["c"].severity(), messages::Severity::Error);
    }
}
