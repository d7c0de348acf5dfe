//! What runs for as long as a daemon does: runs, triggers, deadlines, the outbox, the web server, the connection with Slack.

mod background;
mod duty;
mod live;
mod page;
pub mod registry;
pub mod reload;
pub mod signals;
mod supervisor;
mod triggers;
mod troubles;
mod workers;

pub use background::Background;
pub use live::LiveSettings;
pub use page::show_page;
pub use supervisor::Supervisor;
pub use troubles::{Attempts, Troubles};
pub use workers::Workers;

use tokio::sync::watch;

/// Waits until the daemon is told to stop.
pub async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the daemon.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
