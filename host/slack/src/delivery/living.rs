//! A request's living message: rendered from the record as it is now, posted once, edited from then on.

use super::once::{self, Memo, Wanted};
use super::pictures;
use crate::client::Place;
use crate::error::SlackError;
use crate::house::{Facts, House};
use crate::message::{GATE, Rendered, request_message};
use countersign_model::decision::RequestState;
use countersign_model::id::{RequestId, RunId};
use countersign_model::push::Push;
use countersign_ports::{Post, StoreError};
use serde_json::{Value, json};
use std::sync::Arc;

/// Brings the message of a request in a channel up to date, posting it where there is none. The channel's lock is held.
pub(crate) async fn refresh(
    house: &Arc<House>,
    id: &RequestId,
    channel: &str,
    push: Option<&Push>,
) -> Result<Post, SlackError> {
    let Some(facts) = house.facts(id, push).await? else {
        return Err(StoreError::NotFound { what: "request", id: id.to_string() }.into());
    };
    let subject = id.to_string();
    let earlier = house.options.posts.post(&subject, channel).await?;
    let memo = earlier.as_ref().map(once::memo).unwrap_or_default();
    let shown = facts.digest(memo.picture.as_deref())?;
    let wanted = wanted(&subject, channel, &facts, Memo { shown: Some(shown), in_doubt: false, ..memo.clone() });
    let post = match earlier.as_ref().and_then(|post| once::place(post).map(|place| (post, place))) {
        Some((post, _)) if memo.shown == Some(shown) => post.clone(),
        Some((post, place)) => edit(house, &wanted, post, &place).await?,
        None => once::post(house, &wanted, earlier.as_ref()).await?,
    };
    if facts.request.state == RequestState::Open && memo.picture.is_none() {
        pictures::add_later(house, id, channel, memo.picture_failures);
    }
    Ok(post)
}

/// Brings up to date what there is about a run's requests; posts nothing.
pub(crate) async fn refresh_run(house: &Arc<House>, run: &RunId, channel: &str) -> Result<(), SlackError> {
    for request in house.options.store.requests(Some(run), None).await? {
        let post = house.options.posts.post(&request.id.to_string(), channel).await?;
        if post.as_ref().and_then(once::place).is_some() {
            refresh(house, &request.id, channel, None).await?;
        }
    }
    Ok(())
}

/// Edits a message to what its request is now, wherever it is: a stale copy that somebody clicked.
pub(crate) async fn correct(house: &House, facts: &Facts, place: &Place) -> Result<(), SlackError> {
    let subject = facts.request.id.to_string();
    once::edit(house, &wanted(&subject, "", facts, Memo::default()), place).await
}

async fn edit(house: &Arc<House>, wanted: &Wanted<'_>, post: &Post, place: &Place) -> Result<Post, SlackError> {
    match once::edit(house, wanted, place).await {
        // Somebody deleted it: people still have to see it.
        Err(error) if matches!(error.slack_name(), Some("message_not_found" | "edit_window_closed")) => {
            house.note("edit message", &error);
            once::post(house, wanted, None).await
        }
        Err(error) => Err(error),
        Ok(()) => once::remember(house, wanted, Some(place), post.posted_at, &wanted.memo).await,
    }
}

/// The message in its versions: with the picture, without it, short.
pub(crate) fn wanted<'a>(subject: &'a str, channel: &'a str, facts: &Facts, memo: Memo) -> Wanted<'a> {
    let full = request_message(&facts.situation(None));
    let short = shorten(&full);
    let pictured = memo.picture.as_deref().map(|picture| request_message(&facts.situation(Some(picture))));
    let payload = json!({ "request": subject, "nonce": facts.request.nonce });
    Wanted {
        subject,
        channel,
        thread: None,
        versions: pictured.into_iter().chain([full, short]).collect(),
        metadata: once::metadata("countersign_request", payload),
        memo,
    }
}

/// The message when Slack finds the blocks too long: its text and its buttons. It stays decidable, and the page has the rest.
fn shorten(full: &Rendered) -> Rendered {
    let blocks = full.blocks.as_array().map(Vec::as_slice).unwrap_or_default();
    let text: String = full.text.chars().take(1_000).collect();
    let said = json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    let note = "Slack did not take the whole message: everything is on the page.";
    let note = json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": note }] });
    let buttons = blocks.iter().filter(|block| block["block_id"] == GATE).cloned();
    let blocks: Vec<Value> = [said].into_iter().chain(buttons).chain([note]).collect();
    Rendered { text: full.text.clone(), blocks: blocks.into() }
}
