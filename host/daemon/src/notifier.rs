//! Delivers notices for people at a terminal or a log: one line each.

use async_trait::async_trait;
use countersign_ports::notifier::{Message, Notice};
use countersign_ports::{Notifier, NotifyError};

/// Writes notices to the log.
pub struct LogNotifier;

#[async_trait]
impl Notifier for LogNotifier {
    fn serves(&self, channel: &str) -> bool {
        channel == "terminal"
    }

    async fn deliver(&self, notice: &Notice) -> Result<(), NotifyError> {
        let (run, notice_id) = (notice.run, notice.id);
        match &notice.message {
            Message::SignoffRequested { evidence, .. } => {
                let evidence = evidence.short();
                tracing::info!(run.id = %run, notice.id = %notice_id, evidence, "waiting for people: `countersign show {run}`");
            }
            Message::DecisionRecorded { decision } => {
                let (kind, actor) = (decision.kind, &decision.actor);
                tracing::info!(run.id = %run, notice.id = %notice_id, actor = %actor, "decision recorded: {kind}");
            }
            Message::RequestChanged { request } => {
                tracing::info!(run.id = %run, notice.id = %notice_id, request.id = %request, "sign-off request changed: `countersign show {run}`");
            }
            Message::Reminder { request } => {
                tracing::warn!(run.id = %run, notice.id = %notice_id, request.id = %request, "still waiting for people: `countersign show {run}`");
            }
            Message::Escalation { request, to } => {
                tracing::warn!(run.id = %run, notice.id = %notice_id, request.id = %request, to, "nobody has decided: escalated");
            }
            Message::Warned { findings } => {
                for (step, finding) in findings {
                    tracing::warn!(run.id = %run, notice.id = %notice_id, step, subject = finding.subject, "{}", finding.message);
                }
            }
            Message::RunEnded { end } => tracing::info!(run.id = %run, notice.id = %notice_id, "run {}", end.as_str()),
            Message::Pushed { push } => {
                let model = push.model.short();
                tracing::info!(run.id = %run, notice.id = %notice_id, model, target = push.target, "model is live");
            }
        }
        Ok(())
    }
}
