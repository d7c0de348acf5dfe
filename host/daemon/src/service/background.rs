//! Everything of a daemon that no run waits for. Each part fails alone: it is logged and tried again.

use super::duty::Duty;
use super::{Attempts, told, triggers};
use crate::context::Context;
use crate::wiring::{self, Installation};
use anyhow::Context as _;
use countersign_model::id::WorkerId;
use countersign_orchestrator::Engine;
use countersign_ports::{Desk, Hooks};
use countersign_triggers::SharedPipelines;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often the outbox is looked at without a hint: deliveries that are tried again, and notices of other processes.
const OUTBOX_POLL: Duration = Duration::from_secs(1);

/// The tasks of a daemon.
pub struct Background {
    tasks: JoinSet<()>,
}

impl Background {
    /// Starts the web server, the triggers, the deadlines, the outbox and the connection with Slack.
    ///
    /// # Errors
    /// When the address is taken, or Slack's endpoint can not be made safely.
    pub async fn start(
        context: &Context,
        installation: &Installation,
        pipelines: &SharedPipelines,
        stopping: &watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let mut tasks = JoinSet::new();
        let duties = Duties { context, installation, daemon: WorkerId::from_ulid(installation.ids.ulid()) };
        let engine = installation.engine.clone();
        let troubles = installation.troubles.clone();
        let deliver = move |stopping| deliver(engine.clone(), troubles.with("delivering notices"), stopping);
        let outbox = duties.named("outbox").perform(stopping.clone(), deliver);
        tasks.spawn(outbox);
        let service = Arc::new(wiring::triggers::service(installation, pipelines));
        if let Some(listen) = context.settings.web.listen {
            let hooks = wiring::triggers::hooks(installation, pipelines, &service);
            let address = serve_pages(context, installation, hooks, listen, stopping, &mut tasks).await?;
            tracing::info!(%address, "pages are served");
        }
        if let Some(slack) = installation.slack.clone().filter(|_| wiring::slack::uses_socket(context)) {
            let desk: Arc<dyn Desk> = Arc::new(installation.engine.clone());
            let listen = move |stopping| {
                let (slack, desk) = (slack.clone(), Arc::clone(&desk));
                async move { slack.listen(desk, stopping).await }
            };
            tasks.spawn(duties.named("slack").perform(stopping.clone(), listen));
        }
        triggers::start(installation, service, pipelines, stopping, &mut tasks);
        tasks.spawn(meet_deadlines(installation.clone(), stopping.clone()));
        Ok(Self { tasks })
    }

    /// Waits until every part has stopped; whoever calls has said that the daemon stops.
    pub async fn stopped(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What this daemon may be the only one to do.
struct Duties<'a> {
    context: &'a Context,
    installation: &'a Installation,
    daemon: WorkerId,
}

impl Duties<'_> {
    fn named(&self, name: &'static str) -> Duty {
        Duty {
            name,
            daemon: self.daemon,
            leases: wiring::store::shared(self.context).then(|| Arc::clone(&self.installation.stores.leases)),
            lease: Duration::from_secs(self.context.settings.lease_seconds),
            extending: self.installation.troubles.with(format!("extending the lease of duty `{name}`")),
        }
    }
}

/// Reminds, escalates and lets requests expire.
async fn meet_deadlines(installation: Installation, mut stopping: watch::Receiver<bool>) {
    let mut attempts = installation.troubles.with("reminding and expiry");
    loop {
        let met = installation.engine.meet_deadlines().await;
        attempts.end(met.err().map(|error| crate::failure::chain(&error)));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(installation.live.now().poll_seconds)) => {}
            () = told(&mut stopping) => return,
        }
    }
}

async fn serve_pages(
    context: &Context,
    installation: &Installation,
    hooks: Arc<dyn Hooks>,
    listen: SocketAddr,
    stopping: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!(
            "listen on {listen}: set `listen` under [web], or COUNTERSIGN_WEB_LISTEN, to a free address or to \"off\""
        )
    })?;
    let address = listener.local_addr().context("find the address that pages are served on")?;
    let url = context.settings.web.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let web = wiring::web::pages(context, installation, url, Some(hooks))?;
    let stopping = stopping.clone();
    tasks.spawn(async move {
        if let Err(error) = web.serve(listener, stopping).await {
            tracing::error!(error = crate::failure::chain(&error), "the web server ended");
        }
    });
    Ok(address)
}

/// Delivers what is due, at once when there is a hint. A slow receiver keeps only its own channel waiting.
async fn deliver(engine: Engine, mut attempts: Attempts, mut stopping: watch::Receiver<bool>) {
    let hint = engine.outbox_hint();
    loop {
        tokio::select! {
            delivered = engine.deliver_notices() => {
                attempts.end(delivered.err().map(|error| crate::failure::chain(&error)));
            }
            () = told(&mut stopping) => return,
        }
        tokio::select! {
            () = hint.notified() => {}
            () = tokio::time::sleep(OUTBOX_POLL) => {}
            () = told(&mut stopping) => return,
        }
    }
}
