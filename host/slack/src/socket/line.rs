//! One socket: reads envelopes, takes their payloads to the clerk, and acknowledges each one only when what it means is durable.

use super::Leave;
use crate::clerk::{Answer, Clerk, NotTaken};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A connected socket.
pub(crate) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long a socket that is left may take for what it has begun.
const DRAIN: Duration = Duration::from_secs(3);

/// A socket that is served on a task of its own.
pub(crate) struct Line {
    events: mpsc::UnboundedReceiver<Event>,
    retire: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// What whoever keeps the line hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Hello,
    Leave(Leave),
}

impl Line {
    /// Serves the socket from now on.
    pub(crate) fn start(clerk: Clerk, stream: Stream, again: bool) -> Self {
        let (send, events) = mpsc::unbounded_channel();
        let (retire, retired) = oneshot::channel();
        let task = tokio::spawn(serve(clerk, stream, again, send, retired));
        Self { events, retire, task }
    }

    /// None once it said hello, or why it is over before that.
    pub(crate) async fn settled(&mut self) -> Option<Leave> {
        match self.events.recv().await {
            Some(Event::Hello) => None,
            Some(Event::Leave(leave)) => Some(leave),
            None => Some(Leave::Lost),
        }
    }

    /// Until it has to be left.
    pub(crate) async fn ended(&mut self) -> Leave {
        loop {
            match self.events.recv().await {
                Some(Event::Hello) => {}
                Some(Event::Leave(leave)) => return leave,
                None => return Leave::Lost,
            }
        }
    }

    /// Finishes what it has begun, then closes.
    pub(crate) fn retire(self) {
        let _ = self.retire.send(());
    }

    /// As [`Self::retire`], and waits for it.
    pub(crate) async fn close(self) {
        let _ = self.retire.send(());
        let _ = self.task.await;
    }
}

/// A socket's error without what it may quote.
pub(crate) fn plain(error: &Error) -> String {
    match error {
        Error::Io(error) => format!("connection: {}", error.kind()),
        Error::Tls(_) => "no TLS session".to_string(),
        Error::Http(response) => format!("status {}", response.status().as_u16()),
        Error::Capacity(_) => "a message was too long".to_string(),
        Error::Protocol(error) => format!("protocol: {error}"),
        Error::ConnectionClosed | Error::AlreadyClosed => "closed".to_string(),
        _ => "failed".to_string(),
    }
}

/// Counts itself out of the health book, however the task ends.
struct Connected<'a>(&'a Clerk);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.house.health.socket_closed();
    }
}

async fn serve(
    clerk: Clerk,
    stream: Stream,
    again: bool,
    events: mpsc::UnboundedSender<Event>,
    retired: oneshot::Receiver<()>,
) {
    let (mut sink, mut stream) = stream.split();
    let timing = &clerk.house.client.timing;
    match tokio::time::timeout(timing.hello, first_word(&mut stream)).await {
        Ok(None) => {}
        Ok(Some(leave)) => {
            let _ = events.send(Event::Leave(leave));
            return;
        }
        Err(_) => {
            let _ = events.send(Event::Leave(Leave::Lost));
            return;
        }
    }
    clerk.house.health.socket_opened(clerk.house.now(), again);
    let _connected = Connected(&clerk);
    let _ = events.send(Event::Hello);
    let mut work = JoinSet::new();
    if let Err(leave) = attend(&clerk, &mut sink, &mut stream, &mut work, &events, retired).await {
        let _ = events.send(Event::Leave(leave));
    }
    let drained = async {
        while let Some(done) = work.join_next().await {
            acknowledge(&mut sink, done.ok().flatten()).await?;
        }
        sink.close().await
    };
    // What is not acknowledged by then is delivered again, and decided once all the same.
    let _ = tokio::time::timeout(DRAIN, drained).await;
}

/// Nothing once hello came, or why it never will.
async fn first_word(stream: &mut SplitStream<Stream>) -> Option<Leave> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => {
                let frame: Value = serde_json::from_str(text.as_str()).unwrap_or_default();
                match frame["type"].as_str() {
                    Some("hello") => return None,
                    Some("disconnect") => {
                        let leave = reason(&frame);
                        // One that never said hello serves nobody.
                        return Some(if leave == Leave::Refresh { Leave::Lost } else { leave });
                    }
                    _ => {}
                }
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Some(Leave::Lost),
            Some(Ok(_)) => {}
        }
    }
}

fn reason(frame: &Value) -> Leave {
    match frame["reason"].as_str() {
        Some("link_disabled") => Leave::Off,
        Some("too_many_websockets") => Leave::TooMany,
        // `warning`, `refresh_requested`, and whatever comes later: the next socket, then this one goes.
        _ => Leave::Refresh,
    }
}

type Sink = SplitSink<Stream, Message>;

/// Serves until retired (`Ok`) or over.
async fn attend(
    clerk: &Clerk,
    sink: &mut Sink,
    stream: &mut SplitStream<Stream>,
    work: &mut JoinSet<Option<Message>>,
    events: &mpsc::UnboundedSender<Event>,
    mut retired: oneshot::Receiver<()>,
) -> Result<(), Leave> {
    let timing = clerk.house.client.timing.clone();
    let mut ping = tokio::time::interval_at(Instant::now() + timing.ping, timing.ping);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            frame = stream.next() => {
                heard = Instant::now();
                match frame {
                    Some(Ok(Message::Text(text))) => {
                        if let Some(leave) = take(clerk, text.as_str(), work) {
                            if leave != Leave::Refresh {
                                return Err(leave);
                            }
                            let _ = events.send(Event::Leave(leave));
                        }
                    }
                    // tungstenite answers pings by itself; answering here too would double the pongs.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Leave::Lost),
                }
            }
            Some(done) = work.join_next(), if !work.is_empty() => {
                acknowledge(sink, done.ok().flatten()).await.map_err(|_| Leave::Lost)?;
            }
            _ = ping.tick() => {
                let sent = tokio::time::timeout(timing.ping, sink.send(Message::Ping(Vec::new().into()))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return Err(Leave::Lost);
                }
            }
            () = tokio::time::sleep_until(heard + timing.idle) => return Err(Leave::Lost),
            _ = &mut retired => return Ok(()),
        }
    }
}

/// Starts on a frame; says why to leave when it says so.
fn take(clerk: &Clerk, text: &str, work: &mut JoinSet<Option<Message>>) -> Option<Leave> {
    let Ok(frame) = serde_json::from_str::<Value>(text) else {
        clerk.house.health.payload_ignored();
        return None;
    };
    if frame["type"] == "disconnect" {
        return Some(reason(&frame));
    }
    let id = frame["envelope_id"].as_str()?.to_string();
    let clerk = clerk.clone();
    work.spawn(async move { envelope(&clerk, &frame, &id).await });
    None
}

/// Handles an envelope; its acknowledgement, or none when Slack had better deliver it again.
async fn envelope(clerk: &Clerk, frame: &Value, id: &str) -> Option<Message> {
    let answer = if frame["type"] == "interactive" {
        clerk.handle(&frame["payload"]).await
    } else {
        // Typed words and commands never decide anything.
        clerk.house.health.payload_ignored();
        Ok(Answer::Taken)
    };
    let mut acknowledgement = json!({ "envelope_id": id });
    match answer {
        Ok(Answer::Taken) => {}
        Ok(Answer::Dialog(dialog)) => acknowledgement["payload"] = dialog,
        Err(NotTaken) => return None,
    }
    Some(Message::text(acknowledgement.to_string()))
}

async fn acknowledge(sink: &mut Sink, message: Option<Message>) -> Result<(), Error> {
    match message {
        Some(message) => sink.send(message).await,
        None => Ok(()),
    }
}
