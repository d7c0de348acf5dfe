//! The methods that we use, with the arguments that we give.

use super::{Body, Client};
use crate::error::SlackError;
use crate::message::Rendered;
use countersign_model::secret::Secret;
use serde_json::{Value, json};

/// Where a message is, as Slack knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) channel: String,
    pub(crate) ts: String,
}

/// A message to post.
pub(crate) struct Draft<'a> {
    /// Channel name with `#`, or identifier.
    pub(crate) channel: &'a str,
    /// The message to reply to.
    pub(crate) thread: Option<&'a str>,
    pub(crate) rendered: &'a Rendered,
    /// What finds it again when the answer is lost.
    pub(crate) metadata: &'a Value,
}

/// Messages to look through for one of ours; an intent is at most minutes old.
const LOOK_BACK: &str = "200";

impl Client {
    pub(crate) async fn post_message(&self, draft: &Draft<'_>) -> Result<Place, SlackError> {
        let mut arguments = json!({
            "channel": draft.channel, "text": draft.rendered.text, "blocks": draft.rendered.blocks,
            "metadata": draft.metadata, "unfurl_links": false, "unfurl_media": false,
        });
        if let Some(thread) = draft.thread {
            arguments["thread_ts"] = thread.into();
        }
        let answer = self.act("chat.postMessage", Body::Json(arguments), self.timing.answer).await?;
        match (answer["channel"].as_str(), answer["ts"].as_str()) {
            (Some(channel), Some(ts)) => Ok(Place { channel: channel.to_string(), ts: ts.to_string() }),
            _ => Err(SlackError::Unreadable {
                method: "chat.postMessage",
                problem: "the answer does not say where the message is".to_string(),
            }),
        }
    }

    pub(crate) async fn update(&self, place: &Place, rendered: &Rendered, metadata: &Value) -> Result<(), SlackError> {
        let arguments = json!({
            "channel": place.channel, "ts": place.ts, "text": rendered.text, "blocks": rendered.blocks,
            "metadata": metadata,
        });
        self.act("chat.update", Body::Json(arguments), self.timing.answer).await.map(drop)
    }

    /// Tells one person something that nobody else sees.
    pub(crate) async fn whisper(&self, channel: &str, user: &str, rendered: &Rendered) -> Result<(), SlackError> {
        let arguments = json!({ "channel": channel, "user": user, "text": rendered.text, "blocks": rendered.blocks });
        self.act("chat.postEphemeral", Body::Json(arguments), self.timing.answer).await.map(drop)
    }

    pub(crate) async fn open_dialog(&self, trigger: &str, view: &Value) -> Result<(), SlackError> {
        let arguments = json!({ "trigger_id": trigger, "view": view });
        self.act("views.open", Body::Json(arguments), self.timing.dialog).await.map(drop)
    }

    /// Timestamps of our messages with that metadata, oldest first, in a channel since `oldest` (Unix seconds) or in a thread.
    pub(crate) async fn find(
        &self,
        channel: &str,
        thread: Option<&str>,
        oldest: i64,
        app: &str,
        metadata: &Value,
    ) -> Result<Vec<String>, SlackError> {
        let mut fields = vec![
            ("channel", channel.to_string()),
            ("include_all_metadata", "true".to_string()),
            ("limit", LOOK_BACK.to_string()),
            ("oldest", oldest.to_string()),
        ];
        let method = match thread {
            Some(ts) => {
                fields.push(("ts", ts.to_string()));
                "conversations.replies"
            }
            None => "conversations.history",
        };
        let answer = self.call(method, Body::Form(fields)).await?;
        let messages = answer["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = messages.iter().filter(|message| {
            message["metadata"]["event_type"] == metadata["event_type"]
                && message["metadata"]["event_payload"] == metadata["event_payload"]
                && message["app_id"].as_str().is_none_or(|other| other == app)
        });
        let mut found: Vec<String> =
            ours.filter_map(|message| message["ts"].as_str()).map(ToString::to_string).collect();
        found.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        Ok(found)
    }

    /// The identifier of a channel that is given by name or identifier.
    pub(crate) async fn channel_id(&self, channel: &str) -> Result<String, SlackError> {
        let Some(name) = channel.strip_prefix('#') else { return Ok(channel.to_string()) };
        if let Some(id) = self.pace.known(channel) {
            return Ok(id);
        }
        let fields = vec![
            ("types", "public_channel,private_channel".to_string()),
            ("exclude_archived", "true".to_string()),
            ("limit", "200".to_string()),
        ];
        let found = self.search("conversations.list", "channels", fields, |one| one["name"] == name).await?;
        let id = found.as_ref().and_then(|one| one["id"].as_str());
        let Some(id) = id else {
            let error = "channel_not_found".to_string();
            return Err(SlackError::Refused { method: "conversations.list", error, needed: None });
        };
        self.pace.learn(channel, id);
        Ok(id.to_string())
    }

    /// The first entry that fits, page by page.
    pub(crate) async fn search(
        &self,
        method: &'static str,
        list: &str,
        fields: Vec<(&'static str, String)>,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Option<Value>, SlackError> {
        let mut cursor = String::new();
        // A workspace with more pages than that is asked for by identifier.
        for _ in 0..50 {
            let mut fields = fields.clone();
            if !cursor.is_empty() {
                fields.push(("cursor", cursor.clone()));
            }
            let answer = self.call(method, Body::Form(fields)).await?;
            let entries = answer[list].as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(found) = entries.iter().find(|entry| fits(entry)) {
                return Ok(Some(found.clone()));
            }
            match answer["response_metadata"]["next_cursor"].as_str() {
                Some(next) if !next.is_empty() => cursor = next.to_string(),
                _ => break,
            }
        }
        Ok(None)
    }

    /// A fresh one-use socket address. It is a credential: never logged.
    pub(crate) async fn open_connection(&self, token: &Secret) -> Result<Secret, SlackError> {
        let method = "apps.connections.open";
        let answer = self.call_as(token, method, Body::Form(Vec::new()), self.timing.answer).await?;
        answer.value["url"]
            .as_str()
            .and_then(Secret::new)
            .ok_or_else(|| SlackError::Unreadable { method, problem: "the answer holds no address".to_string() })
    }

    /// Who the bot's token belongs to, and the scopes it has.
    pub(crate) async fn auth_test(&self) -> Result<(Value, Vec<String>), SlackError> {
        let answer = self.call_as(&self.bot, "auth.test", Body::Form(Vec::new()), self.timing.answer).await?;
        let scopes = answer.scopes.unwrap_or_default();
        let scopes = scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(ToString::to_string);
        Ok((answer.value, scopes.collect()))
    }
}
