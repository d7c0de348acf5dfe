//! Pictures come after the text, on a task of their own: a picture that is late or fails never delays a gate. What failed is logged
//! and tried again when the message is next edited.

use super::living;
use super::once::{self, Memo};
use crate::error::SlackError;
use crate::house::House;
use crate::picture::montage;
use countersign_model::decision::RequestState;
use countersign_model::evidence::Evidence;
use countersign_model::id::RequestId;
use std::sync::{Arc, PoisonError};

/// Tries in all before a message stays without its picture.
const TRIES: u32 = 3;
/// Tries to show a picture that was just uploaded, each after twice the pause of the one before.
const SHOWINGS: u32 = 6;

/// Starts making the picture of a request's message, unless that is under way or was tried often enough.
pub(crate) fn add_later(house: &Arc<House>, id: &RequestId, channel: &str, failures: u32) {
    let key = format!("{id} {channel}");
    if failures >= TRIES || !house.pictured.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
        return;
    }
    let (house, id, channel) = (house.clone(), *id, channel.to_string());
    tokio::spawn(async move {
        if let Err(error) = add(&house, &id, &channel).await {
            house.note("add picture", &error);
            if let Err(error) = count_failure(&house, &id, &channel).await {
                house.note("add picture", &error);
            }
        }
        house.pictured.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    });
}

async fn add(house: &Arc<House>, id: &RequestId, channel: &str) -> Result<(), SlackError> {
    let Some(facts) = house.facts(id, None).await? else { return Ok(()) };
    let known = house.options.posts.post(&id.to_string(), channel).await?;
    let file = match known.as_ref().map(once::memo).and_then(|memo| memo.uploaded) {
        Some(file) => file,
        None => {
            let Some((bytes, alt)) = render(facts.evidence).await else { return Ok(()) };
            let file = house.client.upload(&format!("{id}.png"), &alt, bytes).await?;
            change_memo(house, id, channel, |memo| memo.uploaded = Some(file.clone())).await?;
            file
        }
    };
    let mut pause = house.client.timing.picture;
    for left in (0..SHOWINGS).rev() {
        match show(house, id, channel, &file).await {
            Err(error) if left > 0 && once::is_about_blocks(&error) => {
                // Slack is still at work on the file.
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
    Ok(())
}

/// Drawing takes a good part of a second: on a thread where nobody waits.
async fn render(evidence: Evidence) -> Option<(Vec<u8>, String)> {
    let drawn = tokio::task::spawn_blocking(move || montage(&evidence).map(|png| (png.bytes, png.description))).await;
    drawn.unwrap_or_else(|error| {
        tracing::warn!(%error, "the picture could not be drawn");
        None
    })
}

/// Edits the message so that it shows the picture.
async fn show(house: &Arc<House>, id: &RequestId, channel: &str, file: &str) -> Result<(), SlackError> {
    let _lane = house.lane(channel).await;
    let subject = id.to_string();
    let Some(facts) = house.facts(id, None).await?.filter(|facts| facts.request.state == RequestState::Open) else {
        return Ok(());
    };
    let Some(post) = house.options.posts.post(&subject, channel).await? else { return Ok(()) };
    let Some(place) = once::place(&post) else { return Ok(()) };
    let picture = Some(file.to_string());
    let shown = Some(facts.digest(Some(file))?);
    let memo = Memo { picture, shown, uploaded: None, ..once::memo(&post) };
    let wanted = living::wanted(&subject, channel, &facts, memo);
    if let Some(rendered) = wanted.versions.first() {
        house.client.update(&place, rendered, &wanted.metadata).await?;
        once::remember(house, &wanted, Some(&place), post.posted_at, &wanted.memo).await?;
    }
    Ok(())
}

async fn count_failure(house: &House, id: &RequestId, channel: &str) -> Result<(), SlackError> {
    change_memo(house, id, channel, |memo| memo.picture_failures += 1).await
}

async fn change_memo(
    house: &House,
    id: &RequestId,
    channel: &str,
    change: impl FnOnce(&mut Memo),
) -> Result<(), SlackError> {
    let _lane = house.lane(channel).await;
    if let Some(mut post) = house.options.posts.post(&id.to_string(), channel).await? {
        let mut memo = once::memo(&post);
        change(&mut memo);
        post.memo = serde_json::to_value(&memo)?;
        house.options.posts.record_post(&post).await?;
    }
    Ok(())
}
