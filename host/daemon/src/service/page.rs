//! The reviewer's page for somebody who sits at the terminal: served by this very process until the request is decided.

use crate::context::Context;
use crate::wiring::{self, Installation};
use anyhow::Context as _;
use countersign_model::actor::Actor;
use countersign_model::decision::{RequestState, SignoffRequest};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How often the request is looked at.
const GLANCE: Duration = Duration::from_millis(300);
/// How long the link may be used.
const LINK: Duration = Duration::from_secs(15 * 60);

/// Serves the page, prints a link that signs `actor` in, and waits until the request is decided or Ctrl-C.
///
/// # Errors
/// When no address is free or the stores fail.
pub async fn show_page(
    context: &Context,
    installation: &Installation,
    request: &SignoffRequest,
    actor: &Actor,
) -> anyhow::Result<()> {
    let (listener, url) = listener(context).await?;
    let web = wiring::web::pages(context, installation, url.clone(), None)?;
    let stopping = watch::Sender::new(false);
    let serving = tokio::spawn(web.serve(listener, stopping.subscribe()));
    let link = wiring::web::link(installation.stores.access.as_ref(), actor, actor, &url, LINK).await?;
    println!("\n  {link}");
    println!("  signs you in once; then {url}/requests/{}", request.id);
    println!("  this waits until the request is decided there; Ctrl-C comes back here");
    tokio::select! {
        decided = decided(installation, request) => decided?,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("listen for interrupts")?,
    }
    stopping.send_replace(true);
    serving.await.context("stop the pages")?.context("serve the pages")
}

/// The configured address; any free one of this machine when a daemon has it already, or when pages are off.
async fn listener(context: &Context) -> anyhow::Result<(TcpListener, String)> {
    if let Some(listen) = context.settings.web.listen
        && let Ok(listener) = TcpListener::bind(listen).await
    {
        let address = listener.local_addr().context("find the address that pages are served on")?;
        let url = context.settings.web.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        return Ok((listener, url));
    }
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(any).await.context("listen on this machine")?;
    let address = listener.local_addr().context("find the address that pages are served on")?;
    Ok((listener, format!("http://{address}")))
}

async fn decided(installation: &Installation, request: &SignoffRequest) -> anyhow::Result<()> {
    loop {
        let now = installation.stores.metadata.request(&request.id).await?;
        if now.is_none_or(|now| now.state != RequestState::Open) {
            return Ok(());
        }
        tokio::time::sleep(GLANCE).await;
    }
}
