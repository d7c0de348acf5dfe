//! HTTP by hand: a test sends what no client library would.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer. Status 0: the connection broke before there was one.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Every value of a header.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(':'));
        let wanted = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        wanted.map(|(_, value)| value.trim().to_string()).collect()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One request on a connection of its own.
pub fn send(address: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = begin(address, request, headers, body.len());
    // Whoever refuses a body does not read it: the answer counts all the same.
    let _ = stream.write_all(body);
    answer(stream)
}

/// As [`send`]; none when nobody listens.
pub fn try_send(address: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    let mut stream = try_begin(address, request, headers, body.len()).ok()?;
    let _ = stream.write_all(body);
    Some(answer(stream))
}

/// The head of a request; its body is up to the caller.
pub fn begin(address: &str, request: &str, headers: &[(&str, &str)], length: usize) -> TcpStream {
    try_begin(address, request, headers, length).expect("the daemon listens")
}

fn try_begin(address: &str, request: &str, headers: &[(&str, &str)], length: usize) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut head =
        format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    Ok(stream)
}

/// What is answered.
pub fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A connection that is reset after the answer has still answered.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_string(), body: body.to_string() }
}
