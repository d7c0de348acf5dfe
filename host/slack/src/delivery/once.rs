//! Posts a message once, although Slack has no idempotency key: the intent is written before the call, and whoever finds an intent
//! without a message looks in the channel before posting again.

use super::target;
use crate::client::{Draft, Place};
use crate::error::SlackError;
use crate::house::House;
use crate::message::{Rendered, notice_to_person};
use countersign_model::digest::Digest;
use countersign_model::time::Timestamp;
use countersign_ports::Post;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is remembered of a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memo {
    /// A call was made and its answer never came: the message may be out there.
    pub(crate) in_doubt: bool,
    /// Digest of what it tells.
    pub(crate) shown: Option<Digest>,
    /// The picture's file, once Slack takes it in the message.
    pub(crate) picture: Option<String>,
    /// The picture's file while Slack does not take it yet.
    pub(crate) uploaded: Option<String>,
    /// Times that the picture did not get into the message.
    pub(crate) picture_failures: u32,
    /// What a group of alerts tells of.
    pub(crate) alerts: Option<super::alerts::Group>,
}

/// A message that there shall be once.
pub(crate) struct Wanted<'a> {
    /// What it is about: the key of its [`Post`].
    pub(crate) subject: &'a str,
    /// The channel as it was asked for.
    pub(crate) channel: &'a str,
    /// The message to reply to.
    pub(crate) thread: Option<&'a Place>,
    /// What it tells, fullest first: when Slack does not take one, the next is tried.
    pub(crate) versions: Vec<Rendered>,
    /// What finds it again.
    pub(crate) metadata: Value,
    /// What to remember.
    pub(crate) memo: Memo,
}

/// Metadata by which a message is found again.
pub(crate) fn metadata(kind: &'static str, payload: Value) -> Value {
    json!({ "event_type": kind, "event_payload": payload })
}

/// The place of a message that is known to be there.
pub(crate) fn place(post: &Post) -> Option<Place> {
    (!post.message_id.is_empty()).then(|| Place { channel: post.channel_id.clone(), ts: post.message_id.clone() })
}

/// The memo of a post; an unreadable one is an empty one, and the message is told anew.
pub(crate) fn memo(post: &Post) -> Memo {
    serde_json::from_value(post.memo.clone()).unwrap_or_default()
}

/// Records where a message is and what it tells.
pub(crate) async fn remember(
    house: &House,
    wanted: &Wanted<'_>,
    place: Option<&Place>,
    posted_at: Timestamp,
    memo: &Memo,
) -> Result<Post, SlackError> {
    let post = Post {
        subject: wanted.subject.to_string(),
        channel: wanted.channel.to_string(),
        channel_id: place.map(|place| place.channel.clone()).unwrap_or_default(),
        message_id: place.map(|place| place.ts.clone()).unwrap_or_default(),
        posted_at,
        memo: serde_json::to_value(memo)?,
    };
    house.options.posts.record_post(&post).await?;
    Ok(post)
}

/// Posts what is wanted, or finds it where an earlier try may have left it. `earlier` is what was recorded, without a message.
pub(crate) async fn post(house: &House, wanted: &Wanted<'_>, earlier: Option<&Post>) -> Result<Post, SlackError> {
    if let Some(earlier) = earlier.filter(|post| post.message_id.is_empty() && memo(post).in_doubt)
        && let Some(found) = find(house, wanted, earlier.posted_at).await?
    {
        edit(house, wanted, &found).await?;
        return remember(house, wanted, Some(&found), earlier.posted_at, &wanted.memo).await;
    }
    let now = house.now();
    remember(house, wanted, None, now, &Memo { in_doubt: true, ..Memo::default() }).await?;
    match send(house, wanted).await {
        Ok(place) => remember(house, wanted, Some(&place), now, &wanted.memo).await,
        Err(error) => {
            if !error.leaves_doubt() {
                remember(house, wanted, None, now, &Memo::default()).await?;
            }
            Err(error)
        }
    }
}

async fn send(house: &House, wanted: &Wanted<'_>) -> Result<Place, SlackError> {
    let mut versions = wanted.versions.iter().peekable();
    loop {
        let Some(rendered) = versions.next() else {
            return Err(SlackError::Unreadable { method: "chat.postMessage", problem: "nothing to post".to_string() });
        };
        let thread = wanted.thread.map(|place| place.ts.as_str());
        let channel = wanted.thread.map_or_else(|| target(wanted.channel), |place| place.channel.as_str());
        match house.client.post_message(&Draft { channel, thread, rendered, metadata: &wanted.metadata }).await {
            Err(error) if is_about_blocks(&error) && versions.peek().is_some() => house.note("post message", &error),
            outcome => return outcome,
        }
    }
}

/// Edits a message to what is wanted.
pub(crate) async fn edit(house: &House, wanted: &Wanted<'_>, place: &Place) -> Result<(), SlackError> {
    let mut versions = wanted.versions.iter().peekable();
    while let Some(rendered) = versions.next() {
        match house.client.update(place, rendered, &wanted.metadata).await {
            Err(error) if is_about_blocks(&error) && versions.peek().is_some() => house.note("edit message", &error),
            outcome => return outcome,
        }
    }
    Ok(())
}

/// Whether Slack refused the blocks: documented limits are not all of them.
pub(crate) fn is_about_blocks(error: &SlackError) -> bool {
    let name = error.slack_name();
    name.is_some_and(|name| {
        matches!(
            name,
            "msg_blocks_too_long"
                | "msg_too_long"
                | "invalid_blocks"
                | "invalid_blocks_format"
                | "slack_file_not_found"
        )
    })
}

/// Looks for the message; of several the oldest lives on, and the others are edited to say so.
async fn find(house: &House, wanted: &Wanted<'_>, since: Timestamp) -> Result<Option<Place>, SlackError> {
    // A minute, for clocks that differ.
    let oldest = since.as_micros() / 1_000_000 - 60;
    let looked = async {
        let channel = match wanted.thread {
            Some(place) => place.channel.clone(),
            None => house.client.channel_id(target(wanted.channel)).await?,
        };
        let thread = wanted.thread.map(|place| place.ts.as_str());
        let found = house.client.find(&channel, thread, oldest, &house.options.app, &wanted.metadata).await?;
        Ok((channel, found))
    };
    let (channel, found) = match looked.await {
        Ok(looked) => looked,
        // Without the scope to read the channel a second copy is possible, and harmless: it carries the same handle.
        Err(error @ SlackError::Refused { .. }) if !error.leaves_doubt() => {
            house.note("look for a message whose answer was lost", &error);
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut found = found.into_iter().map(|ts| Place { channel: channel.clone(), ts });
    let first = found.next();
    for copy in found {
        let told = notice_to_person("Superseded copy: the request's message is the one above.");
        if let Err(error) = house.client.update(&copy, &told, &metadata("countersign_copy", json!({}))).await {
            house.note("edit a second copy", &error);
        }
    }
    Ok(first)
}
