//! Which channels hear of what. The terminal and its log hear everything; a request's own channel hears all that happens to the
//! request, because its message there is edited through every state.

use crate::driver::Finished;
use crate::engine::Engine;
use countersign_model::decision::SignoffRequest;
use countersign_model::execution::ExecutionState;
use countersign_model::finding::{Finding, Severity};
use countersign_model::id::{NoticeId, RunId};
use countersign_model::policy::SignoffPolicy;
use countersign_model::run::RunEnd;
use countersign_ports::notifier::{Message, Notice};

/// The channel of people at a terminal, and of the log.
const TERMINAL: &str = "terminal";

impl Engine {
    /// The same message to the terminal and, if there is one, to `channel`.
    pub(crate) fn notices(&self, run: RunId, channel: Option<&str>, message: &Message) -> Vec<Notice> {
        let channels = std::iter::once(TERMINAL).chain(channel.filter(|channel| *channel != TERMINAL));
        channels.map(|channel| self.notice(run, channel, message.clone())).collect()
    }

    /// What happens to a request goes to wherever it was posted.
    pub(crate) fn request_notices(&self, run: RunId, policy: &SignoffPolicy, message: &Message) -> Vec<Notice> {
        let channel = policy.channel.as_deref().or(self.parts.routes.requests.as_deref());
        self.notices(run, channel, message)
    }

    /// A request stands differently without a decision.
    pub(crate) fn changed(&self, request: &SignoffRequest) -> Vec<Notice> {
        self.request_notices(request.run, &request.policy, &Message::RequestChanged { request: request.id })
    }

    /// A run's end, for those who asked to hear of such ends.
    pub(crate) fn end_notices(&self, run: RunId, end: &RunEnd) -> Vec<Notice> {
        let routes = &self.parts.routes;
        let route = match end {
            RunEnd::Blocked { .. } => routes.blocked.as_deref(),
            RunEnd::Failed { .. } => routes.failed.as_deref(),
            RunEnd::Succeeded
            | RunEnd::Rejected { .. }
            | RunEnd::Superseded { .. }
            | RunEnd::Replaced { .. }
            | RunEnd::Expired
            | RunEnd::Cancelled { .. } => None,
        };
        self.notices(run, route, &Message::RunEnded { end: end.clone() })
    }

    /// One notice about everything worth a look in steps that this run executed itself: what came from the cache was told before.
    pub(crate) fn warning(&self, run: RunId, finished: &Finished) -> Option<Notice> {
        let channel = self.parts.routes.warned.as_deref()?;
        let mut findings: Vec<(String, Finding)> = Vec::new();
        for (step, execution) in finished {
            let ExecutionState::Succeeded { result } = &execution.state else { continue };
            let warned = result.findings.iter().filter(|finding| finding.severity == Severity::Warn);
            findings.extend(warned.map(|finding| (step.clone(), finding.clone())));
        }
        (!findings.is_empty()).then(|| self.notice(run, channel, Message::Warned { findings }))
    }

    fn notice(&self, run: RunId, channel: &str, message: Message) -> Notice {
        Notice {
            id: NoticeId::from_ulid(self.parts.ids.ulid()),
            run,
            channel: channel.to_string(),
            message,
            created_at: self.parts.clock.now(),
            attempts: 0,
        }
    }
}
