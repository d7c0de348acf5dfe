//! Socket Mode: keeps one socket open, opens the next before it leaves the last, and backs off with jitter. Slack sends each
//! payload to any one of an app's sockets, so that several daemons may listen.

mod line;

use crate::clerk::Clerk;
use crate::error::SlackError;
use crate::options::is_safe_address;
use countersign_model::secret::Secret;
use line::{Line, Stream};
use ring::rand::{SecureRandom, SystemRandom};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Why a socket is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Slack is about to close it: it serves on until the next one is there.
    Refresh,
    /// It ended or went silent.
    Lost,
    /// The app has its ten sockets already.
    TooMany,
    /// Socket Mode is switched off for the app.
    Off,
}

/// What the next pause depends on.
struct Pauses {
    first: Duration,
    limit: Duration,
    failures: u32,
}

/// Keeps the app's socket.
struct Keeper {
    clerk: Clerk,
    token: Secret,
    pauses: Pauses,
    /// The socket that is served.
    current: Option<Line>,
    /// The one before, while Slack lets it and the next one is not there yet.
    last: Option<Line>,
    again: bool,
}

/// Listens until told to stop.
pub(crate) async fn listen(clerk: Clerk, token: Secret, mut stop: watch::Receiver<bool>) {
    let timing = &clerk.house.client.timing;
    let pauses = Pauses { first: timing.backoff, limit: timing.backoff_limit, failures: 0 };
    let mut keeper = Keeper { clerk, token, pauses, current: None, last: None, again: false };
    tokio::select! {
        biased;
        // Somebody who drops the sender wants it to end, too.
        _ = stop.wait_for(|stop| *stop) => {}
        () = keeper.keep() => {}
    }
    for line in [keeper.current, keeper.last].into_iter().flatten() {
        line.close().await;
    }
}

impl Keeper {
    async fn keep(&mut self) {
        loop {
            let since = Instant::now();
            let pause = match self.serve().await {
                // Sockets that live shorter than this would make a tight loop.
                Ok(Leave::Refresh) => self.pauses.first.saturating_sub(since.elapsed()),
                Ok(leave) => {
                    tell(&self.clerk, leave);
                    self.pauses.next(leave)
                }
                Err(error) => {
                    self.clerk.house.note("open socket", &error);
                    match error {
                        SlackError::RateLimited { retry_after_seconds, .. } => Duration::from_secs(retry_after_seconds),
                        _ => self.pauses.next(Leave::Lost),
                    }
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Opens a socket and serves it until it has to be left.
    async fn serve(&mut self) -> Result<Leave, SlackError> {
        let stream = open(&self.clerk, &self.token).await?;
        let line = self.current.insert(Line::start(self.clerk.clone(), stream, self.again));
        self.again = true;
        if let Some(leave) = line.settled().await {
            self.current = None;
            return Ok(leave);
        }
        self.pauses.failures = 0;
        // The new one said hello: only now the old one may go.
        if let Some(old) = self.last.take() {
            old.retire();
        }
        let leave = line.ended().await;
        let line = self.current.take();
        if leave == Leave::Refresh {
            self.last = line;
        }
        Ok(leave)
    }
}

impl Pauses {
    /// The pause before the next try: doubled at each failure in a row, with jitter, so that many daemons do not come back at once.
    fn next(&mut self, leave: Leave) -> Duration {
        let whole = match leave {
            Leave::TooMany | Leave::Off => self.limit,
            Leave::Refresh | Leave::Lost => {
                let doubled = self.first.saturating_mul(1 << self.failures.min(16));
                self.failures = self.failures.saturating_add(1);
                doubled.min(self.limit)
            }
        };
        whole / 2 + whole.mul_f64(fraction() / 2.0)
    }
}

/// 0 to 1.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

/// A connected socket. Its address is used once and never shown.
async fn open(clerk: &Clerk, token: &Secret) -> Result<Stream, SlackError> {
    let client = &clerk.house.client;
    let url = client.open_connection(token).await?;
    if !is_safe_address(url.expose(), "ws") {
        let problem = "the address does not begin with wss://".to_string();
        return Err(SlackError::Unreadable { method: "apps.connections.open", problem });
    }
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| SlackError::Socket { operation: "connect", source };
    let connecting = tokio_tungstenite::connect_async(url.expose());
    match tokio::time::timeout(client.timing.hello, connecting).await {
        Ok(Ok((stream, _))) => Ok(stream),
        // The error may quote the address.
        Ok(Err(error)) => Err(failed(line::plain(&error).into())),
        Err(_) => Err(failed("no answer in time".into())),
    }
}

fn tell(clerk: &Clerk, leave: Leave) {
    let what = match leave {
        Leave::Refresh => return,
        Leave::Lost => "the socket to Slack was lost",
        Leave::TooMany => "Slack says that the app has too many sockets: at most ten daemons may listen",
        Leave::Off => "Socket Mode is switched off for the app: switch it on under Socket Mode in the app's settings",
    };
    tracing::warn!(reason = what, "slack socket");
    clerk.house.health.troubled(clerk.house.now(), what.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_with_jitter_up_to_the_limit() {
        let mut pauses = Pauses { first: Duration::from_secs(1), limit: Duration::from_secs(60), failures: 0 };
        for expected in [1.0_f64, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let pause = pauses.next(Leave::Lost).as_secs_f64();
            assert!((expected / 2.0..=expected).contains(&pause), "{pause} of {expected}");
        }
        assert!(pauses.next(Leave::TooMany) >= Duration::from_secs(30));
    }
}
