//! A collector for tests: takes requests one after another on one thread a connection, keeps their bodies, answers as it is told.

#![allow(dead_code, reason = "each test crate uses its part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a request is waited for before a test gives up. Not a measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// Statuses and bodies, in order.
type Answers = Vec<(u16, Vec<u8>)>;

/// A request as it came.
pub struct Came {
    pub head: String,
    pub body: Vec<u8>,
}

pub struct Collector {
    pub endpoint: String,
    came: Receiver<Came>,
}

impl Collector {
    /// Answers the first requests with these statuses and bodies, all others with 200. None: never answers.
    pub fn start(answers: Option<Answers>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let (comes, came) = channel();
        let answers = answers.map(|mut answers| {
            answers.reverse();
            Arc::new(Mutex::new(answers))
        });
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (comes, answers) = (comes.clone(), answers.clone());
                std::thread::spawn(move || serve(connection, &comes, answers.as_deref()));
            }
        });
        Self { endpoint, came }
    }

    pub fn next(&self) -> Came {
        self.came.recv_timeout(PATIENCE).expect("a request comes")
    }

    /// Everything that came and was not looked at.
    pub fn rest(&self) -> Vec<Came> {
        self.came.try_iter().collect()
    }
}

fn serve(connection: TcpStream, comes: &Sender<Came>, answers: Option<&Mutex<Answers>>) {
    let mut reader = BufReader::new(&connection);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.expect("a length")];
        reader.read_exact(&mut body).expect("the body");
        let Some(answers) = answers else {
            let _ = comes.send(Came { head, body });
            std::thread::sleep(PATIENCE);
            return;
        };
        let (status, answer) = answers.lock().unwrap().pop().unwrap_or((200, Vec::new()));
        // Whoever hears of the request may end the test before the answer is out.
        let _ = comes.send(Came { head, body });
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", answer.len());
        if (&connection).write_all(&[head.as_bytes(), &answer].concat()).is_err() {
            return;
        }
    }
}
