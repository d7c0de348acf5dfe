//! What the Web API answers when nothing was ordered to fail.

use crate::double::{Inner, Message, SlackDouble, View, next_ts};
use crate::{APP_ID, TEAM, arguments, limits};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Channel names by identifier. The bot is in all but the last.
const CHANNELS: [(&str, &str); 3] = [("#gates", "C0GATES"), ("#alerts", "C0ALERTS"), ("#leads", "C0LEADS")];
/// How long a trigger can be exchanged.
const TRIGGER: Duration = Duration::from_secs(3);

impl SlackDouble {
    pub(crate) fn answer(&self, method: &str, arguments: &Value) -> Result<Value, String> {
        arguments::judge(method, arguments)?;
        let mut inner = self.inner();
        match method {
            "apps.connections.open" => Ok(json!({ "url": self.sockets.address() })),
            "chat.postMessage" => self.post(&mut inner, arguments),
            "chat.update" => update(&mut inner, arguments),
            "chat.postEphemeral" => {
                limits::judge_message(blocks(arguments)?)?;
                inner.whispers.push((text(arguments, "user"), arguments["blocks"].to_string()));
                Ok(json!({}))
            }
            "views.open" => open(&mut inner, arguments),
            "files.getUploadURLExternal" => {
                inner.counter += 1;
                let file = format!("F{:04}", inner.counter);
                Ok(json!({ "upload_url": format!("{}/upload/{file}", self.url), "file_id": file }))
            }
            "files.completeUploadExternal" => complete(&inner, arguments),
            _ => tell(&inner, method, arguments),
        }
    }

    fn post(&self, inner: &mut Inner, arguments: &Value) -> Result<Value, String> {
        let channel = channel(&text(arguments, "channel"))?;
        judge(inner, arguments)?;
        let now = Instant::now();
        let last = inner.last_post.get(&channel).copied();
        if last.is_some_and(|last| now - last < self.gap) {
            return Err("ratelimited".to_string());
        }
        inner.last_post.insert(channel.clone(), now);
        let ts = next_ts(inner);
        inner.messages.push(Message {
            channel: channel.clone(),
            ts: ts.clone(),
            thread: arguments["thread_ts"].as_str().map(ToString::to_string),
            text: text(arguments, "text"),
            blocks: arguments["blocks"].clone(),
            metadata: arguments["metadata"].clone(),
            edits: 0,
        });
        Ok(json!({ "channel": channel, "ts": ts }))
    }
}

fn text(arguments: &Value, name: &str) -> String {
    arguments[name].as_str().unwrap_or_default().to_string()
}

fn blocks(arguments: &Value) -> Result<&[Value], String> {
    arguments["blocks"].as_array().map(Vec::as_slice).ok_or_else(|| "invalid_blocks".to_string())
}

fn update(inner: &mut Inner, arguments: &Value) -> Result<Value, String> {
    judge(inner, arguments)?;
    let (channel, ts) = (text(arguments, "channel"), text(arguments, "ts"));
    let found = inner.messages.iter_mut().find(|message| message.channel == channel && message.ts == ts);
    let message = found.ok_or("message_not_found")?;
    message.blocks = arguments["blocks"].clone();
    message.text = text(arguments, "text");
    message.metadata = arguments["metadata"].clone();
    message.edits += 1;
    Ok(json!({ "channel": channel, "ts": ts }))
}

/// A trigger opens one dialog, within three seconds.
fn open(inner: &mut Inner, arguments: &Value) -> Result<Value, String> {
    let trigger = text(arguments, "trigger_id");
    if inner.used_triggers.contains(&trigger) {
        return Err("exchanged_trigger_id".to_string());
    }
    if inner.made_triggers.get(&trigger).is_some_and(|made| made.elapsed() > TRIGGER) {
        return Err("expired_trigger_id".to_string());
    }
    limits::judge_view(&arguments["view"])?;
    inner.used_triggers.push(trigger.clone());
    let mut view = arguments["view"].clone();
    view["id"] = format!("V{:04}", inner.views.len() + 1).into();
    view["hash"] = "1795400000.hash".into();
    inner.views.push(View { trigger, view: view.clone() });
    Ok(json!({ "view": { "id": view["id"] } }))
}

fn complete(inner: &Inner, arguments: &Value) -> Result<Value, String> {
    let files: Value = serde_json::from_str(&text(arguments, "files")).map_err(|_| "invalid_arguments")?;
    let id = files[0]["id"].as_str().unwrap_or_default();
    if inner.files.iter().any(|file| file == id) { Ok(json!({})) } else { Err("file_not_found".to_string()) }
}

/// What Slack checks of blocks; a picture that is not ready is refused with them.
fn judge(inner: &mut Inner, arguments: &Value) -> Result<(), String> {
    let blocks = blocks(arguments)?;
    limits::judge_message(blocks)?;
    if inner.unready > 0 && blocks.iter().any(|block| block["type"] == "image") {
        inner.unready -= 1;
        return Err("invalid_blocks".to_string());
    }
    Ok(())
}

fn channel(given: &str) -> Result<String, String> {
    let known = CHANNELS.iter().find(|(name, id)| *name == given || *id == given);
    known.map(|(_, id)| (*id).to_string()).ok_or_else(|| "channel_not_found".to_string())
}

/// Methods that only read.
fn tell(inner: &Inner, method: &str, arguments: &Value) -> Result<Value, String> {
    match method {
        "conversations.history" | "conversations.replies" => {
            if arguments["include_all_metadata"] != "true" {
                return Err("invalid_arguments".to_string());
            }
            let thread = arguments["ts"].as_str();
            let of_channel =
                inner.messages.iter().rev().filter(|message| message.channel == text(arguments, "channel"));
            let wanted = of_channel.filter(|message| message.thread.as_deref() == thread);
            let told = wanted.map(|one| json!({ "ts": one.ts, "metadata": one.metadata, "app_id": APP_ID }));
            Ok(json!({ "messages": told.collect::<Vec<_>>() }))
        }
        "conversations.list" => {
            let all = CHANNELS.iter().map(|(name, id)| json!({ "name": &name[1..], "id": id }));
            Ok(json!({ "channels": all.collect::<Vec<_>>() }))
        }
        "conversations.info" => {
            channel(&text(arguments, "channel"))?;
            Ok(json!({ "channel": { "is_member": text(arguments, "channel") != "C0LEADS" } }))
        }
        "users.info" => {
            let user = inner.users.get(&text(arguments, "user")).cloned().ok_or("user_not_found")?;
            Ok(json!({ "user": user }))
        }
        "usergroups.list" => Ok(json!({ "usergroups": inner.groups })),
        "users.list" => Ok(json!({ "members": inner.users.values().collect::<Vec<_>>() })),
        "auth.test" => Ok(json!({ "team_id": TEAM, "user_id": "U0BOT", "bot_id": "B0BOT" })),
        "bots.info" => Ok(json!({ "bot": { "app_id": APP_ID } })),
        _ => Err("unknown_method".to_string()),
    }
}
