//! A strict double of Socket Mode: hello first, at most ten sockets, every envelope wants its acknowledgement.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

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
    acknowledged: Vec<Value>,
    pings: u32,
    refused: u32,
}

/// The double.
#[derive(Clone)]
pub struct SocketDouble {
    inner: Arc<Mutex<Inner>>,
    port: u16,
}

impl SocketDouble {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let double = Self { inner: Arc::default(), port: listener.local_addr().unwrap().port() };
        let accepting = double.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let double = accepting.clone();
                tokio::spawn(async move { double.serve(stream).await });
            }
        });
        double
    }

    pub fn address(&self) -> String {
        format!("ws://127.0.0.1:{}/link/?ticket=canary-ticket-0004", self.port)
    }

    async fn serve(&self, stream: tokio::net::TcpStream) {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        if self.open().len() >= 10 {
            self.inner().refused += 1;
            let _ = socket.send(disconnect("too_many_websockets")).await;
            return;
        }
        let (orders, mut receive) = mpsc::unbounded_channel();
        let index = {
            let mut inner = self.inner();
            inner.sockets.push(Socket { orders, open: true });
            inner.sockets.len() - 1
        };
        let hello = json!({ "type": "hello", "num_connections": self.open().len(), "connection_info": { "app_id": "A0APP" },
            "debug_info": { "host": "applink-1", "approximate_connection_time": 18_060 } });
        let _ = socket.send(Message::text(hello.to_string())).await;
        loop {
            tokio::select! {
                order = receive.recv() => match order {
                    Some(Order::Send(text)) => { let _ = socket.send(Message::text(text)).await; }
                    Some(Order::Freeze) => { std::future::pending::<()>().await; }
                    Some(Order::Drop) | None => break,
                },
                frame = socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        let value = serde_json::from_str(text.as_str()).unwrap();
                        self.inner().acknowledged.push(value);
                    }
                    Some(Ok(Message::Ping(_))) => self.inner().pings += 1,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                },
            }
        }
        self.inner().sockets[index].open = false;
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Numbers of the sockets that are open.
    pub fn open(&self) -> Vec<usize> {
        let inner = self.inner();
        inner.sockets.iter().enumerate().filter(|(_, socket)| socket.open).map(|(index, _)| index).collect()
    }

    pub fn opened(&self) -> usize {
        self.inner().sockets.len()
    }

    pub fn refused(&self) -> u32 {
        self.inner().refused
    }

    pub fn pings(&self) -> u32 {
        self.inner().pings
    }

    pub fn acknowledged(&self) -> Vec<Value> {
        self.inner().acknowledged.clone()
    }

    pub fn deliver(&self, socket: usize, envelope: &str, payload: &Value) {
        let frame = json!({ "envelope_id": envelope, "type": "interactive", "accepts_response_payload": true, "payload": payload });
        self.send(socket, &frame);
    }

    pub fn send(&self, socket: usize, frame: &Value) {
        let _ = self.inner().sockets[socket].orders.send(Order::Send(frame.to_string()));
    }

    pub fn disconnect(&self, socket: usize, reason: &str) {
        self.send(socket, &json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-1" } }));
    }

    pub fn freeze(&self, socket: usize) {
        let _ = self.inner().sockets[socket].orders.send(Order::Freeze);
    }

    pub fn drop_socket(&self, socket: usize) {
        let _ = self.inner().sockets[socket].orders.send(Order::Drop);
    }
}

fn disconnect(reason: &str) -> Message {
    Message::text(json!({ "type": "disconnect", "reason": reason }).to_string())
}
