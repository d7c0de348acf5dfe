//! As much of Slack's Web API as a daemon under measurement asks: everybody is an ordinary member, every call succeeds.

use crate::http::{line, read_head};
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// Starts it; answers the API's address. It lives as long as this process.
pub fn start(team: &str) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/api", listener.local_addr()?);
    let member = serde_json::json!({ "ok": true, "usergroups": [], "user": { "team_id": team, "deleted": false,
        "is_bot": false, "is_restricted": false, "is_ultra_restricted": false, "profile": {} } })
    .to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let member = member.clone();
            // A connection that breaks off ends its thread, which is all there is to do.
            std::thread::spawn(move || serve(stream, &member));
        }
    });
    Ok(url)
}

fn serve(stream: TcpStream, answer: &str) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        line(&mut stream)?;
        let head = read_head(&mut stream)?;
        let length =
            head.iter().find(|(name, _)| name == "content-length").map_or(Ok(0), |(_, value)| value.parse())?;
        stream.read_exact(&mut vec![0; length])?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        write!(stream.get_mut(), "{head}content-length: {}\r\n\r\n{answer}", answer.len())?;
    }
}
