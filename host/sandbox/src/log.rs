//! What a component says: log records and its standard streams, cut to a limit. What is over it is dropped and counted.

use crate::text;
use bytes::Bytes;
use countersign_model::execution::LogLine;
use countersign_model::figures::count;
use countersign_ports::component_runner::StepObserver;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The longest line kept whole.
const LINE_BYTES: usize = 8 << 10;
/// How much of standard error's end is kept for an error's detail, whatever the limit.
const TAIL_BYTES: usize = 8 << 10;
/// What a record costs beyond its text, so that empty ones are not free.
const RECORD_BYTES: usize = 16;

/// Which standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One call's log.
pub struct Log {
    observer: Option<Arc<dyn StepObserver>>,
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: usize,
    dropped: u64,
    partial: [Vec<u8>; 2],
    tail: Vec<u8>,
}

impl Log {
    /// A log that passes at most `limit` bytes on; without an observer, none.
    pub fn new(observer: Option<Arc<dyn StepObserver>>, limit: usize) -> Arc<Self> {
        Arc::new(Self { observer, limit, kept: Mutex::default() })
    }

    /// One record.
    pub fn record(&self, level: &str, message: &str, fields: Vec<(String, String)>) {
        self.pass_on(&mut self.lock(), level, message, fields);
    }

    /// The end of standard error.
    pub fn error_tail(&self) -> String {
        text::harmless(&String::from_utf8_lossy(&self.lock().tail), true)
    }

    /// Passes on unfinished lines, and says how much was dropped.
    pub fn finish(&self) {
        let mut kept = self.lock();
        for stream in [Stream::Out, Stream::Err] {
            let rest = std::mem::take(&mut kept.partial[stream as usize]);
            if !rest.is_empty() {
                self.line(&mut kept, stream, &rest);
            }
        }
        if kept.dropped > 0
            && let Some(observer) = &self.observer
        {
            let kib = self.limit >> 10;
            let message = format!(
                "{} bytes of log were dropped: over the limit of {} KiB; raise it with `limits = {{ log_kib = {} }}` on the step",
                count(kept.dropped),
                count(kib as u64),
                (kib * 4).max(1),
            );
            observer.log(LogLine { level: "warn".to_string(), message, fields: BTreeMap::new() });
        }
    }

    fn print(&self, stream: Stream, mut bytes: &[u8]) {
        let mut kept = self.lock();
        if stream == Stream::Err {
            keep_tail(&mut kept.tail, bytes);
        }
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let mut line = std::mem::take(&mut kept.partial[stream as usize]);
            line.extend_from_slice(&bytes[..end]);
            self.line(&mut kept, stream, &line);
            bytes = &bytes[end + 1..];
        }
        if kept.bytes >= self.limit {
            kept.dropped += bytes.len() as u64;
            return;
        }
        for piece in bytes.chunks(LINE_BYTES) {
            kept.partial[stream as usize].extend_from_slice(piece);
            if kept.partial[stream as usize].len() >= LINE_BYTES {
                let line = std::mem::take(&mut kept.partial[stream as usize]);
                self.line(&mut kept, stream, &line);
            }
        }
    }

    fn line(&self, kept: &mut Kept, stream: Stream, line: &[u8]) {
        let level = if stream == Stream::Out { "stdout" } else { "stderr" };
        self.pass_on(kept, level, &String::from_utf8_lossy(line), Vec::new());
    }

    fn pass_on(&self, kept: &mut Kept, level: &str, message: &str, fields: Vec<(String, String)>) {
        let Some(observer) = &self.observer else { return };
        let size = message.len() + fields.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        let short = text::cut(message, LINE_BYTES);
        let fields: BTreeMap<String, String> = fields
            .iter()
            .take(32)
            .map(|(key, value)| {
                (text::harmless(text::cut(key, 128), false), text::harmless(text::cut(value, 1024), false))
            })
            .collect();
        let cost = RECORD_BYTES + short.len() + fields.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>();
        if kept.bytes + cost > self.limit {
            // Full for good: a shorter record that still fits would hide that others are missing before it.
            kept.bytes = self.limit;
            kept.dropped += size as u64;
            return;
        }
        kept.bytes += cost;
        kept.dropped += (message.len() - short.len()) as u64;
        observer.log(LogLine { level: level.to_string(), message: text::harmless(short, true), fields });
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep_tail(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
    if tail.len() > 2 * TAIL_BYTES {
        tail.drain(..tail.len() - TAIL_BYTES);
    }
}

/// A standard stream that ends in the log.
#[derive(Clone)]
pub struct Standard {
    /// Where to.
    pub log: Arc<Log>,
    /// Which.
    pub stream: Stream,
}

impl IsTerminal for Standard {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Standard {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    // Not the default one: that writes in a task of its own, where a trap could overtake the panic message.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Standard {
    async fn ready(&mut self) {}
}

impl OutputStream for Standard {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.print(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

impl AsyncWrite for Standard {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.log.print(self.stream, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
