//! Alerts: of one pipeline and kind within some time, one message that counts, so that nobody mutes the channel.

use super::once::{self, Memo, Wanted};
use crate::error::SlackError;
use crate::house::House;
use crate::message::{Alert, AlertKind, AlertRun, alert};
use countersign_model::finding::{Finding, Severity};
use countersign_model::id::{NoticeId, RunId};
use countersign_model::run::RunEnd;
use countersign_model::time::Timestamp;
use countersign_ports::StoreError;
use countersign_ports::notifier::Notice;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Runs that a group remembers in words.
const RUNS: usize = 5;
/// Notices that a group remembers, so that one that is delivered twice counts once.
const NOTICES: usize = 200;
/// Findings kept of a run: the message shows fewer.
const FINDINGS: usize = 20;

/// What a group tells of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    count: u64,
    notices: Vec<NoticeId>,
    runs: Vec<Told>,
}

/// One run of a group, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    run: RunId,
    at: Timestamp,
    step: String,
    message: String,
    findings: Vec<(String, Finding)>,
}

/// A run that failed or was blocked.
pub(crate) async fn ended(house: &House, notice: &Notice, end: &RunEnd) -> Result<(), SlackError> {
    match end {
        RunEnd::Failed { step, message } => {
            let told = told(notice, step, message.clone(), Vec::new());
            tell(house, notice, AlertKind::Failed, told).await
        }
        RunEnd::Blocked { step, reasons } => {
            let executions = house.options.store.executions(&notice.run).await?;
            let newest = executions.iter().rev().find(|execution| execution.step == *step);
            let findings = newest.and_then(|execution| execution.state.result()).map(|result| &result.findings);
            let blocking = findings.into_iter().flatten().filter(|finding| finding.severity == Severity::Block);
            let findings: Vec<_> = blocking.map(|finding| (step.clone(), finding.clone())).collect();
            let message = if findings.is_empty() { reasons.join("; ") } else { String::new() };
            tell(house, notice, AlertKind::Blocked, told(notice, step, message, findings)).await
        }
        RunEnd::Succeeded
        | RunEnd::Rejected { .. }
        | RunEnd::Superseded { .. }
        | RunEnd::Replaced { .. }
        | RunEnd::Expired
        | RunEnd::Cancelled { .. } => Ok(()),
    }
}

/// A run that found something worth a look.
pub(crate) async fn warned(house: &House, notice: &Notice, findings: &[(String, Finding)]) -> Result<(), SlackError> {
    tell(house, notice, AlertKind::Warned, told(notice, "", String::new(), findings.to_vec())).await
}

fn told(notice: &Notice, step: &str, message: String, mut findings: Vec<(String, Finding)>) -> Told {
    findings.truncate(FINDINGS);
    let message = message.chars().take(1_000).collect();
    Told { run: notice.run, at: notice.created_at, step: step.to_string(), message, findings }
}

async fn tell(house: &House, notice: &Notice, kind: AlertKind, told: Told) -> Result<(), SlackError> {
    let missing = || StoreError::NotFound { what: "run", id: notice.run.to_string() };
    let pipeline = house.options.store.run(&notice.run).await?.ok_or_else(missing)?.pipeline;
    let subject = format!("alert:{pipeline}:{}", kind.as_str());
    let earlier = house.options.posts.post(&subject, &notice.channel).await?;
    let current = earlier.as_ref().filter(|post| house.now().since(post.posted_at) < house.options.alert_group);
    let place = current.and_then(once::place);
    let memo = current.map(once::memo).unwrap_or_default();
    let mut group = memo.alerts.unwrap_or_default();
    if group.notices.contains(&notice.id) {
        return Ok(());
    }
    // A group whose first message is not out yet starts with this one.
    let since = current.filter(|_| place.is_some()).map_or(told.at, |post| post.posted_at);
    group.add(notice.id, told);
    let runs = group.shown(house);
    let rendered = alert(&Alert { kind, pipeline: &pipeline, count: group.count, since, runs: &runs });
    let first = group.notices.first().copied().unwrap_or(notice.id);
    let wanted = Wanted {
        subject: &subject,
        channel: &notice.channel,
        thread: None,
        versions: vec![rendered],
        metadata: once::metadata("countersign_alert", json!({ "subject": subject, "first": first })),
        memo: Memo { alerts: Some(group), ..Memo::default() },
    };
    match (place, current) {
        (Some(place), Some(post)) => match once::edit(house, &wanted, &place).await {
            Err(error) if error.slack_name() == Some("message_not_found") => {
                once::post(house, &wanted, None).await.map(drop)
            }
            outcome => {
                outcome?;
                once::remember(house, &wanted, Some(&place), post.posted_at, &wanted.memo).await.map(drop)
            }
        },
        _ => once::post(house, &wanted, current).await.map(drop),
    }
}

impl Group {
    fn add(&mut self, notice: NoticeId, told: Told) {
        self.count += 1;
        self.notices.push(notice);
        if self.notices.len() > NOTICES {
            // The first one names the group and stays.
            self.notices.remove(1);
        }
        self.runs.insert(0, told);
        self.runs.truncate(RUNS);
    }

    fn shown(&self, house: &House) -> Vec<AlertRun> {
        let shown = self.runs.iter().map(|told| AlertRun {
            run: told.run,
            at: told.at,
            page: house.run_page(&told.run),
            step: told.step.clone(),
            message: told.message.clone(),
            findings: told.findings.clone(),
        });
        shown.collect()
    }
}
