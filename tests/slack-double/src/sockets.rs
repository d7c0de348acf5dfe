//! Socket Mode: one-use addresses, hello first, at most ten sockets, every envelope wants its acknowledgement.

use crate::TICKET;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// Sockets that an app may have.
const MOST: usize = 10;

/// What a test tells a socket.
enum Order {
    Send(String),
    /// Neither reads nor writes any more, and the connection stays.
    Freeze,
    Drop,
}

struct Socket {
    orders: mpsc::UnboundedSender<Order>,
    open: bool,
}

#[derive(Default)]
struct Inner {
    sockets: Vec<Socket>,
    acknowledged: Vec<(Instant, Value)>,
    tickets: BTreeSet<String>,
    pings: u32,
    refused: u32,
    away: bool,
}

/// The double of Socket Mode.
#[derive(Clone)]
pub struct SocketDouble {
    inner: Arc<Mutex<Inner>>,
    port: u16,
}

impl SocketDouble {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free address");
        let double = Self { inner: Arc::default(), port: listener.local_addr().expect("its address").port() };
        let accepting = double.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let double = accepting.clone();
                tokio::spawn(async move { double.serve(stream).await });
            }
        });
        double
    }

    /// An address that opens one socket.
    pub(crate) fn address(&self) -> String {
        let mut inner = self.inner();
        let ticket = format!("{TICKET}-{}-{}", inner.sockets.len(), inner.tickets.len());
        inner.tickets.insert(ticket.clone());
        format!("ws://127.0.0.1:{}/link/?ticket={ticket}", self.port)
    }

    /// Nobody is let in, and whoever is in is thrown out.
    pub(crate) fn refuse(&self, away: bool) {
        self.inner().away = away;
        if away {
            for socket in self.open() {
                self.drop_socket(socket);
            }
        }
    }

    #[expect(clippy::result_large_err, reason = "the type that tungstenite wants")]
    fn admit(&self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        let ticket = request.uri().query().and_then(|query| query.strip_prefix("ticket=")).unwrap_or_default();
        let mut inner = self.inner();
        if inner.tickets.remove(ticket) && !inner.away {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = axum::http::StatusCode::FORBIDDEN;
        Err(refusal)
    }

    async fn serve(&self, stream: TcpStream) {
        #[expect(clippy::result_large_err, reason = "the type that tungstenite wants")]
        let admit = |request: &Request, response| self.admit(request, response);
        let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, admit).await else { return };
        if self.open().len() >= MOST {
            self.inner().refused += 1;
            let _ = socket.send(disconnect("too_many_websockets")).await;
            return;
        }
        let (orders, receive) = mpsc::unbounded_channel();
        let index = {
            let mut inner = self.inner();
            inner.sockets.push(Socket { orders, open: true });
            inner.sockets.len() - 1
        };
        self.attend(&mut socket, receive).await;
        self.inner().sockets[index].open = false;
    }

    async fn attend(&self, socket: &mut WebSocketStream<TcpStream>, mut orders: mpsc::UnboundedReceiver<Order>) {
        let hello = json!({ "type": "hello", "num_connections": self.open().len(), "connection_info": { "app_id": crate::APP_ID },
            "debug_info": { "host": "applink-1", "approximate_connection_time": 18_060 } });
        let _ = socket.send(Message::text(hello.to_string())).await;
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Send(text)) => { let _ = socket.send(Message::text(text)).await; }
                    Some(Order::Freeze) => { std::future::pending::<()>().await; }
                    Some(Order::Drop) | None => return,
                },
                frame = socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        let value = serde_json::from_str(text.as_str()).expect("an acknowledgement is JSON");
                        self.inner().acknowledged.push((Instant::now(), value));
                    }
                    Some(Ok(Message::Ping(_))) => self.inner().pings += 1,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panicked while holding the double")
    }

    /// Numbers of the sockets that are open.
    pub fn open(&self) -> Vec<usize> {
        let inner = self.inner();
        inner.sockets.iter().enumerate().filter(|(_, socket)| socket.open).map(|(index, _)| index).collect()
    }

    /// Sockets that were opened so far.
    pub fn opened(&self) -> usize {
        self.inner().sockets.len()
    }

    /// Sockets that were turned away because there were too many.
    pub fn refused(&self) -> u32 {
        self.inner().refused
    }

    /// Pings that came.
    pub fn pings(&self) -> u32 {
        self.inner().pings
    }

    /// Every acknowledgement, oldest first.
    pub fn acknowledged(&self) -> Vec<Value> {
        self.inner().acknowledged.iter().map(|(_, value)| value.clone()).collect()
    }

    /// The first acknowledgement of an envelope, and when it came.
    pub fn acknowledgement(&self, envelope: &str) -> Option<(Instant, Value)> {
        self.inner().acknowledged.iter().find(|(_, value)| value["envelope_id"] == envelope).cloned()
    }

    /// Sends what somebody did.
    pub fn deliver(&self, socket: usize, envelope: &str, payload: &Value) {
        let frame = json!({ "envelope_id": envelope, "type": "interactive", "accepts_response_payload": true, "payload": payload });
        self.send(socket, &frame);
    }

    /// Sends any frame.
    pub fn send(&self, socket: usize, frame: &Value) {
        let _ = self.inner().sockets[socket].orders.send(Order::Send(frame.to_string()));
    }

    /// Says that the socket is about to close, and why.
    pub fn disconnect(&self, socket: usize, reason: &str) {
        self.send(socket, &json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-1" } }));
    }

    /// The connection stays and nothing moves on it any more.
    pub fn freeze(&self, socket: usize) {
        let _ = self.inner().sockets[socket].orders.send(Order::Freeze);
    }

    /// Breaks the connection.
    pub fn drop_socket(&self, socket: usize) {
        let _ = self.inner().sockets[socket].orders.send(Order::Drop);
    }
}

fn disconnect(reason: &str) -> Message {
    Message::text(json!({ "type": "disconnect", "reason": reason }).to_string())
}
