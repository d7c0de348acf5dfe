//! As much HTTP/1.1 as it takes to measure a server of ours: one connection that is kept, one request at a time, so that nothing but the
//! server's own time is in the figures.

use anyhow::Context as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// A connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
    address: String,
}

/// What came back.
pub struct Answer {
    /// The status.
    pub status: u16,
    head: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The data of a JSON document in its envelope.
    pub fn data(&self) -> anyhow::Result<serde_json::Value> {
        let mut document: serde_json::Value = serde_json::from_slice(&self.body)?;
        Ok(document["data"].take())
    }
}

impl Connection {
    /// To `host:port`.
    pub fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), address: address.to_string() })
    }

    /// Sends a request and reads the whole answer.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        self.stream.get_mut().write_all(request.as_bytes())?;
        read_answer(&mut self.stream)
    }
}

fn read_answer(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Answer> {
    let first = line(stream)?;
    let status = first.split(' ').nth(1).context("a status line")?.parse().context("a status")?;
    let head = read_head(stream)?;
    let mut answer = Answer { status, head, body: Vec::new() };
    answer.body = vec![0; answer.header("content-length").map_or(Ok(0), str::parse)?];
    stream.read_exact(&mut answer.body)?;
    Ok(answer)
}

/// Headers up to the empty line, names in lower case.
pub fn read_head(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Vec<(String, String)>> {
    let mut head = Vec::new();
    loop {
        let line = line(stream)?;
        match line.split_once(':') {
            Some((name, value)) => head.push((name.to_ascii_lowercase(), value.trim().to_string())),
            None => return Ok(head),
        }
    }
}

/// One line without its end.
pub fn line(stream: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut line = String::new();
    anyhow::ensure!(stream.read_line(&mut line)? > 0, "the connection was closed");
    Ok(line.trim_end().to_string())
}
