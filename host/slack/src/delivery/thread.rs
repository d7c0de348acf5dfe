//! Reminders and escalations: replies in the thread of the request's message, so that the channel sees one message a request.

use super::living;
use super::once::{self, Memo, Wanted};
use crate::error::SlackError;
use crate::house::House;
use crate::message::{Rendered, escalation, reminder};
use countersign_model::decision::RequestState;
use countersign_model::id::RequestId;
use countersign_ports::notifier::Notice;
use serde_json::json;
use std::sync::Arc;

/// Reminds those who may decide.
pub(crate) async fn remind(house: &Arc<House>, notice: &Notice, id: &RequestId) -> Result<(), SlackError> {
    let post = living::refresh(house, id, &notice.channel, None).await?;
    let Some(facts) = house.facts(id, None).await?.filter(|facts| facts.request.state == RequestState::Open) else {
        return Ok(());
    };
    reply(house, notice, once::place(&post), &notice.channel, reminder(&facts.situation(None))).await
}

/// Tells those behind them: `@group` and `@user` are called in the thread, `#channel` gets a message of its own.
pub(crate) async fn escalate(house: &Arc<House>, notice: &Notice, id: &RequestId, to: &str) -> Result<(), SlackError> {
    let post = living::refresh(house, id, &notice.channel, None).await?;
    let Some(facts) = house.facts(id, None).await?.filter(|facts| facts.request.state == RequestState::Open) else {
        return Ok(());
    };
    let situation = facts.situation(None);
    let to = super::target(to);
    if to.starts_with('#') {
        return reply(house, notice, None, &format!("slack:{to}"), escalation(&situation, "")).await;
    }
    let mention = house.mention(to.trim_start_matches('@')).await?;
    reply(house, notice, once::place(&post), &notice.channel, escalation(&situation, &mention)).await
}

/// Posts for this notice, once.
async fn reply(
    house: &House,
    notice: &Notice,
    thread: Option<crate::client::Place>,
    channel: &str,
    rendered: Rendered,
) -> Result<(), SlackError> {
    let subject = notice.id.to_string();
    let earlier = house.options.posts.post(&subject, channel).await?;
    if earlier.as_ref().and_then(once::place).is_some() {
        return Ok(());
    }
    let wanted = Wanted {
        subject: &subject,
        channel,
        thread: thread.as_ref(),
        versions: vec![rendered],
        metadata: once::metadata("countersign_notice", json!({ "notice": subject })),
        memo: Memo::default(),
    };
    once::post(house, &wanted, earlier.as_ref()).await.map(drop)
}
