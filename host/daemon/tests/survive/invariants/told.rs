//! What people were told, and what nobody is told.

use super::Scene;
use crate::pipelines::{HOOK, SIGNING, TOTP};
use countersign_slack_double::{BOT, Message};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) fn broken(scene: &Scene<'_>) -> Vec<String> {
    let mut broken = messages(scene);
    broken.extend(posts(scene));
    broken.extend(secrets(scene));
    broken
}

/// How the message of a request in that state is headed.
fn heading(status: &str) -> &'static str {
    match status {
        "approved" => "is live",
        "rejected" => "was rejected",
        "superseded" => "was superseded",
        "expired" => "expired",
        _ => "",
    }
}

/// One message for each request, which says where it stands and leaves nothing to press; none is there twice.
fn messages(scene: &Scene<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut about: BTreeMap<String, Vec<&Message>> = BTreeMap::new();
    let mut same: BTreeMap<String, u32> = BTreeMap::new();
    for message in &scene.messages {
        *same.entry(message.metadata.to_string()).or_default() += 1;
        if message.metadata["event_type"] == "countersign_request" {
            let request = message.metadata["event_payload"]["request"].as_str().unwrap_or_default();
            about.entry(request.to_string()).or_default().push(message);
        }
    }
    for row in scene.record.rows("SELECT id, status FROM requests") {
        match about.remove(&row[0]).as_deref() {
            Some([message]) => {
                let pressable = message.blocks.to_string().contains("\"countersign.approve\"");
                if pressable || !message.text.contains(heading(&row[1])) {
                    broken.push(format!("a message says where its request stands: {}, not {}", message.text, row[1]));
                }
            }
            found => broken.push(format!("a request has one message: {} has {}", row[0], found.map_or(0, <[_]>::len))),
        }
    }
    broken.extend(about.into_keys().map(|request| format!("a message has its request: {request}")));
    let twice = same.into_iter().filter(|(_, count)| *count > 1);
    broken.extend(twice.map(|(metadata, count)| format!("a message is there once: {count} times {metadata}")));
    broken
}

/// What the record says of messages out there is so.
fn posts(scene: &Scene<'_>) -> Vec<String> {
    let posts = scene.record.rows("SELECT subject, channel_id, message_id FROM posts");
    let is_there = |post: &Vec<String>| scene.messages.iter().any(|one| one.channel == post[1] && one.ts == post[2]);
    let lost = posts.iter().filter(|post| !is_there(post));
    lost.map(|post| format!("a recorded message is there: {post:?}")).collect()
}

/// Every file but the secrets' own, the record as it was exported among them, and every message.
fn secrets(scene: &Scene<'_>) -> Vec<String> {
    let canaries = [BOT, SIGNING, HOOK, TOTP];
    let mut open: Vec<PathBuf> = vec![scene.home.path().to_path_buf()];
    let mut broken = Vec::new();
    let said = format!("{:?}", scene.messages);
    let mut listen = |place: &str, bytes: &[u8]| {
        for canary in canaries {
            if bytes.windows(canary.len()).any(|window| window == canary.as_bytes()) {
                broken.push(format!("no secret is told: {canary} in {place}"));
            }
        }
    };
    listen("Slack", said.as_bytes());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("list directory").flatten() {
            let (path, kind) = (entry.path(), entry.file_type().expect("a kind of file"));
            if kind.is_dir() && entry.file_name() != "secrets" && entry.file_name() != "components" {
                open.push(path);
            } else if kind.is_file() {
                listen(&path.display().to_string(), &std::fs::read(&path).expect("read file"));
            }
        }
    }
    broken
}
