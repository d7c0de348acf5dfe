//! What the parts of this house share: settings, record, client, health, and one lock a channel so that its messages keep their order.

use crate::accounts::Accounts;
use crate::client::Client;
use crate::error::SlackError;
use crate::health::HealthBook;
use crate::message::Situation;
use crate::options::SlackOptions;
use countersign_model::decision::{Decision, SignoffRequest};
use countersign_model::digest::Digest;
use countersign_model::evidence::Evidence;
use countersign_model::id::{RequestId, RunId};
use countersign_model::policy::Standing;
use countersign_model::push::Push;
use countersign_model::run::Run;
use countersign_model::time::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Completed pushes to look through for a request's own.
const PUSHES: u32 = 100;

/// Shared by notifier, clerk, sockets and check.
pub(crate) struct House {
    pub(crate) options: SlackOptions,
    pub(crate) client: Client,
    pub(crate) health: Arc<HealthBook>,
    pub(crate) accounts: Accounts,
    /// One lock a channel, as it was asked for. Held over a whole delivery.
    lanes: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Requests whose picture is being made.
    pub(crate) pictured: Mutex<BTreeSet<String>>,
}

/// A request and all that its message shows, read from the record.
pub(crate) struct Facts {
    pub(crate) request: SignoffRequest,
    pub(crate) evidence: Evidence,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) standing: Standing,
    pub(crate) run: Run,
    pub(crate) push: Option<Push>,
    pub(crate) audit_head: (i64, Digest),
    pub(crate) page: Option<String>,
    pub(crate) now: Timestamp,
}

impl House {
    pub(crate) fn new(options: SlackOptions, client: Client, health: Arc<HealthBook>) -> Self {
        let lanes = Mutex::default();
        Self { options, client, health, accounts: Accounts::default(), lanes, pictured: Mutex::default() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Writes down what went wrong where nobody hears an error.
    pub(crate) fn note(&self, what: &'static str, error: &SlackError) {
        let problem = error.in_full();
        tracing::warn!(slack.operation = what, problem, "slack trouble");
        self.health.troubled(self.now(), format!("{what}: {problem}"));
    }

    /// The channel's lock.
    pub(crate) async fn lane(&self, channel: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let lane = {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            lanes.entry(channel.to_string()).or_default().clone()
        };
        lane.lock_owned().await
    }

    /// The page of a request.
    pub(crate) fn page(&self, request: &RequestId) -> Option<String> {
        self.options.page_url.as_ref().map(|base| format!("{}/requests/{request}", base.trim_end_matches('/')))
    }

    /// The page of a run.
    pub(crate) fn run_page(&self, run: &RunId) -> Option<String> {
        self.options.page_url.as_ref().map(|base| format!("{}/runs/{run}", base.trim_end_matches('/')))
    }

    /// The request as it stands now; none when there is no such request.
    pub(crate) async fn facts(&self, id: &RequestId, push: Option<&Push>) -> Result<Option<Facts>, SlackError> {
        match self.options.store.request(id).await? {
            Some(request) => Ok(Some(self.facts_of(request, push).await?)),
            None => Ok(None),
        }
    }

    /// What belongs to a request that was just read.
    pub(crate) async fn facts_of(&self, request: SignoffRequest, push: Option<&Push>) -> Result<Facts, SlackError> {
        let store = &self.options.store;
        let missing = || countersign_ports::StoreError::NotFound { what: "run", id: request.run.to_string() };
        let run = store.run(&request.run).await?.ok_or_else(missing)?;
        let decisions = store.decisions(&request.id).await?;
        let pushed = match push {
            Some(push) => Some(push.clone()),
            None => {
                let pushes = store.pushes(Some(&request.pipeline), PUSHES).await?;
                pushes.into_iter().find(|push| push.request == request.id)
            }
        };
        Ok(Facts {
            evidence: serde_json::from_str(&request.evidence)?,
            standing: request.policy.tally(request.verdict, &decisions),
            audit_head: store.audit_head().await?,
            page: self.page(&request.id),
            now: self.now(),
            push: pushed,
            decisions,
            run,
            request,
        })
    }
}

impl Facts {
    /// As the messages take it.
    pub(crate) fn situation<'a>(&'a self, picture: Option<&'a str>) -> Situation<'a> {
        Situation {
            request: &self.request,
            evidence: &self.evidence,
            decisions: &self.decisions,
            standing: &self.standing,
            run: &self.run,
            push: self.push.as_ref(),
            audit_head: self.audit_head,
            page: self.page.clone(),
            now: self.now,
            picture,
        }
    }

    /// The digest of what is told. Not of the rendered text: that carries the audit log's head and the time, and would change with
    /// every word written anywhere.
    pub(crate) fn digest(&self, picture: Option<&str>) -> Result<Digest, SlackError> {
        let request = &self.request;
        let told = (
            env!("CARGO_PKG_VERSION"),
            (&request.state, &request.progress, &request.evidence_digest, &request.nonce),
            (&self.decisions, &self.standing, &self.run.state, &self.push),
            (&self.page, picture),
        );
        Ok(countersign_model::canonical::digest(&told)?)
    }
}
