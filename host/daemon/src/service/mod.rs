//! What runs for as long as a daemon does: runs, triggers, deadlines, the outbox, the web server, the connection with Slack.

mod background;
mod page;
pub mod registry;
mod workers;

pub use background::Background;
pub use page::show_page;
pub use workers::Workers;

use tokio::sync::watch;

/// Waits until the daemon is told to stop.
pub async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the daemon.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
