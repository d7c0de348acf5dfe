//! What the double of the Web API answers when nothing was ordered to fail.

use crate::slack_double::{APP_ID, Inner, Message, SlackDouble, TEAM, next_ts};
use serde_json::{Value, json};
use tokio::time::Instant;

/// Channel names by identifier.
const CHANNELS: [(&str, &str); 3] = [("#gates", "C0GATES"), ("#alerts", "C0ALERTS"), ("#leads", "C0LEADS")];

impl SlackDouble {
    pub(crate) fn answer(&self, method: &str, arguments: &Value) -> Result<Value, String> {
        let mut inner = self.inner();
        match method.split_once('.') {
            Some(("chat" | "views", _)) => self.show(&mut inner, method, arguments),
            Some(("files", _)) => self.file(&mut inner, method, arguments),
            Some(("apps", "connections.open")) => Ok(json!({ "url": self.sockets.address() })),
            _ => tell(&inner, method, arguments),
        }
    }

    fn show(&self, inner: &mut Inner, method: &str, arguments: &Value) -> Result<Value, String> {
        let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_string();
        match method {
            "chat.postMessage" => self.post(inner, arguments),
            "chat.update" => {
                self.judge(arguments)?;
                let (channel, ts) = (text("channel"), text("ts"));
                let found = inner.messages.iter_mut().find(|message| message.channel == channel && message.ts == ts);
                let message = found.ok_or("message_not_found")?;
                message.blocks = arguments["blocks"].clone();
                message.text = text("text");
                message.metadata = arguments["metadata"].clone();
                message.edits += 1;
                Ok(json!({ "channel": channel, "ts": ts }))
            }
            "chat.postEphemeral" => {
                inner.whispers.push((text("user"), arguments["blocks"].to_string()));
                Ok(json!({}))
            }
            "views.open" => {
                let trigger = text("trigger_id");
                if inner.triggers.contains(&trigger) {
                    return Err("exchanged_trigger_id".to_string());
                }
                inner.triggers.push(trigger);
                inner.views.push(arguments["view"].clone());
                Ok(json!({}))
            }
            _ => Err("unknown_method".to_string()),
        }
    }

    fn post(&self, inner: &mut Inner, arguments: &Value) -> Result<Value, String> {
        let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_string();
        let channel = channel(&text("channel"))?;
        self.judge(arguments)?;
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
            text: text("text"),
            blocks: arguments["blocks"].clone(),
            metadata: arguments["metadata"].clone(),
            edits: 0,
        });
        Ok(json!({ "channel": channel, "ts": ts }))
    }

    fn file(&self, inner: &mut Inner, method: &str, arguments: &Value) -> Result<Value, String> {
        match method {
            "files.getUploadURLExternal" => {
                inner.counter += 1;
                let file = format!("F{:04}", inner.counter);
                Ok(json!({ "upload_url": format!("{}/upload/{file}", self.url), "file_id": file }))
            }
            "files.completeUploadExternal" => {
                let files = arguments["files"].as_str().unwrap_or_default();
                let files: Value = serde_json::from_str(files).map_err(|_| "invalid_arguments")?;
                let id = files[0]["id"].as_str().unwrap_or_default();
                if inner.files.iter().any(|file| file == id) {
                    Ok(json!({}))
                } else {
                    Err("file_not_found".to_string())
                }
            }
            _ => Err("unknown_method".to_string()),
        }
    }

    /// What Slack checks of blocks, and the limit that it does not document.
    fn judge(&self, arguments: &Value) -> Result<(), String> {
        let blocks = arguments["blocks"].as_array().ok_or("invalid_blocks")?;
        if blocks.len() > 50 || arguments["blocks"].to_string().chars().count() > 30_000 {
            return Err("msg_blocks_too_long".to_string());
        }
        if blocks.iter().any(|block| block["type"] == "image") {
            let mut unready = self.unready.lock().unwrap();
            if *unready > 0 {
                *unready -= 1;
                return Err("invalid_blocks".to_string());
            }
        }
        Ok(())
    }
}

fn channel(given: &str) -> Result<String, String> {
    let known = CHANNELS.iter().find(|(name, id)| *name == given || *id == given);
    known.map(|(_, id)| (*id).to_string()).ok_or_else(|| "channel_not_found".to_string())
}

/// Methods that only read.
fn tell(inner: &Inner, method: &str, arguments: &Value) -> Result<Value, String> {
    let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_string();
    match method {
        "conversations.history" | "conversations.replies" => {
            if arguments["include_all_metadata"] != "true" {
                return Err("invalid_arguments".to_string());
            }
            let thread = arguments["ts"].as_str();
            let of_channel = inner.messages.iter().rev().filter(|message| message.channel == text("channel"));
            let wanted = of_channel.filter(|message| message.thread.as_deref() == thread);
            let told = wanted.map(|one| json!({ "ts": one.ts, "metadata": one.metadata, "app_id": APP_ID }));
            Ok(json!({ "messages": told.collect::<Vec<_>>() }))
        }
        "conversations.list" => {
            let all = CHANNELS.iter().map(|(name, id)| json!({ "name": &name[1..], "id": id }));
            Ok(json!({ "channels": all.collect::<Vec<_>>() }))
        }
        "conversations.info" => {
            channel(&text("channel"))?;
            Ok(json!({ "channel": { "is_member": text("channel") != "C0LEADS" } }))
        }
        "users.info" => {
            let user = inner.users.get(&text("user")).cloned().ok_or("user_not_found")?;
            Ok(json!({ "user": user }))
        }
        "usergroups.list" => Ok(json!({ "usergroups": inner.groups })),
        "users.list" => Ok(json!({ "members": inner.users.values().collect::<Vec<_>>() })),
        "auth.test" => Ok(json!({ "team_id": TEAM, "user_id": "U0BOT", "bot_id": "B0BOT" })),
        "bots.info" => Ok(json!({ "bot": { "app_id": APP_ID } })),
        _ => Err("unknown_method".to_string()),
    }
}
