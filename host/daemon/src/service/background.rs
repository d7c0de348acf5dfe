//! Everything of a daemon that no run waits for. Each part fails alone: it is logged and tried again.

use super::told;
use crate::context::Context;
use crate::wiring::{self, Installation};
use anyhow::Context as _;
use countersign_orchestrator::Engine;
use countersign_ports::Desk;
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
    /// Starts the web server, the outbox and the connection with Slack.
    ///
    /// # Errors
    /// When the address is taken, or Slack's endpoint can not be made safely.
    pub async fn start(
        context: &Context,
        installation: &Installation,
        stopping: &watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let mut tasks = JoinSet::new();
        tasks.spawn(deliver(installation.engine.clone(), stopping.clone()));
        if let Some(listen) = context.settings.web.listen {
            let address = serve_pages(context, installation, listen, stopping, &mut tasks).await?;
            tracing::info!(%address, "pages are served");
        }
        if let Some(slack) = installation.slack.clone().filter(|_| wiring::slack::uses_socket(context)) {
            let desk: Arc<dyn Desk> = Arc::new(installation.engine.clone());
            let stopping = stopping.clone();
            tasks.spawn(async move { slack.listen(desk, stopping).await });
        }
        Ok(Self { tasks })
    }

    /// Waits until every part has stopped; whoever calls has said that the daemon stops.
    pub async fn stopped(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn serve_pages(
    context: &Context,
    installation: &Installation,
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
    let web = wiring::web::pages(context, installation, url)?;
    let stopping = stopping.clone();
    tasks.spawn(async move {
        if let Err(error) = web.serve(listener, stopping).await {
            tracing::error!(error = crate::failure::chain(&error), "the web server ended");
        }
    });
    Ok(address)
}

/// Delivers what is due, at once when there is a hint. A slow receiver keeps only its own channel waiting.
async fn deliver(engine: Engine, mut stopping: watch::Receiver<bool>) {
    let hint = engine.outbox_hint();
    loop {
        tokio::select! {
            delivered = engine.deliver_notices() => {
                if let Err(error) = delivered {
                    tracing::error!(error = crate::failure::chain(&error), "delivery failed");
                }
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
