//! Notices become messages: once, in place, in order, whatever Slack does.

use crate::world::{GATES, World, evidence, timing, until};
use countersign_model::decision::{DecisionKind, RequestState, SignoffRequest};
use countersign_model::evidence::{ShownDrift, ShownSlice};
use countersign_model::id::RunId;
use countersign_model::run::RunEnd;
use countersign_ports::notifier::Message;
use countersign_ports::{MetadataStore, NotifyError, PostStore};
use countersign_slack_double::{Fault, Message as Posted};
use serde_json::json;
use std::time::Duration;
use ulid::Ulid;

fn has_button(message: &Posted, request: &SignoffRequest) -> bool {
    message.blocks.to_string().contains(&format!("\"value\":\"{}\"", request.handle()))
        && message.blocks.to_string().contains("countersign.reject")
}

/// Delivers as the outbox does: again and again until it is done.
async fn insist(world: &World, mut notice: countersign_ports::notifier::Notice) -> u32 {
    for attempt in 0..20 {
        notice.attempts = attempt;
        match world.deliver(&notice).await {
            Ok(()) => return attempt + 1,
            Err(NotifyError::Later { retry_after_seconds, .. }) => {
                tokio::time::sleep(Duration::from_secs(retry_after_seconds)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("never delivered");
}

#[tokio::test]
async fn a_request_is_one_message_through_every_state() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.posted(&request).await;
    world.posted(&request).await;
    assert_eq!(world.double.calls("chat.postMessage").len(), 1, "the same notice twice shows once");
    assert_eq!(world.double.calls("chat.update").len(), 0, "nothing changed, nothing is edited");
    let message = world.double.messages().remove(0);
    assert!(has_button(&message, &request), "{}", message.blocks);
    assert_eq!(message.metadata["event_payload"], json!({ "request": request.id.to_string(), "nonce": request.nonce }));
    let decision = world.bench.decision(&request, DecisionKind::Approve, "ada");
    let recorded = world.store.record_decision(&decision, &[]).await.unwrap();
    assert_eq!(recorded.request.state, RequestState::Approved);
    world.deliver(&world.notice(&request, Message::DecisionRecorded { decision })).await.unwrap();
    let messages = world.double.messages();
    assert_eq!((messages.len(), messages[0].edits), (1, 1));
    assert!(!has_button(&messages[0], &request), "nothing is left to press");
    let mut push = world.bench.push(&request, "production");
    push.completed_at = Some(world.bench.now());
    world.deliver(&world.notice(&request, Message::Pushed { push })).await.unwrap();
    assert!(
        world.double.messages()[0].blocks.to_string().contains("production"),
        "{}",
        world.double.messages()[0].blocks
    );
}

#[tokio::test]
async fn retry_after_is_honoured_to_the_second_and_nobody_calls_meanwhile() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.double.fail("chat.postMessage", Fault::RateLimit(2));
    let notice = world.requested(&request);
    let Err(NotifyError::Later { retry_after_seconds: 2, .. }) = world.deliver(&notice).await else {
        panic!("not told")
    };
    // What is left of them, rounded up.
    let Err(NotifyError::Later { retry_after_seconds: 1..=2, .. }) = world.deliver(&notice).await else {
        panic!("not told")
    };
    assert_eq!(world.double.calls("chat.postMessage").len(), 1, "while the lane is shut nobody calls");
    insist(&world, notice).await;
    assert_eq!(world.double.calls("chat.postMessage").len(), 2);
    assert_eq!(world.double.calls("conversations.history").len(), 0, "a refusal leaves no doubt");
    assert_eq!(world.double.messages().len(), 1);
}

#[tokio::test]
async fn three_requests_to_one_channel_take_three_calls_a_second_apart() {
    let second = Duration::from_secs(1);
    let world = World::with(second, countersign_slack::Timing { message_gap: second, ..timing() }).await;
    for pipeline in ["a", "b", "c"] {
        let request = world.request(pipeline, 1).await;
        assert_eq!(insist(&world, world.requested(&request)).await, 1);
    }
    let calls = world.double.calls("chat.postMessage");
    assert!(calls.iter().all(|call| call.answer == "ok"), "{calls:?}");
    assert_eq!((calls.len(), world.double.messages().len()), (3, 3));
    assert!(calls.windows(2).all(|pair| pair[1].at - pair[0].at >= second));
    let posted: Vec<_> = world.double.messages().iter().map(|message| message.metadata.to_string()).collect();
    assert_eq!(posted.len(), 3, "and in order: {posted:?}");
}

#[tokio::test]
async fn an_answer_that_is_lost_never_makes_two_live_requests() {
    for fault in [Fault::DoneThenReset, Fault::Reset, Fault::Status(500), Fault::Status(503), Fault::Hang] {
        let world = World::new().await;
        let request = world.request("taxi", 1).await;
        world.double.fail("chat.postMessage", fault.clone());
        let tries = insist(&world, world.requested(&request)).await;
        assert_eq!(tries, 2, "{fault:?}");
        let live = world.double.messages().into_iter().filter(|message| has_button(message, &request)).count();
        assert_eq!((world.double.messages().len(), live), (1, 1), "{fault:?}");
        assert!(world.slack.health().last_error.is_some(), "{fault:?} was visible");
        assert!(world.slack.health().last_success.is_some());
    }
}

#[tokio::test]
async fn a_process_that_died_after_the_call_finds_its_message_and_marks_the_copies() {
    let mut world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.double.fail("chat.postMessage", Fault::DoneThenReset);
    assert!(world.deliver(&world.requested(&request)).await.is_err());
    let metadata = world.double.messages()[0].metadata.clone();
    world.double.plant("C0GATES", metadata.clone());
    let mut other = metadata;
    other["event_payload"]["nonce"] = "another".into();
    world.double.plant("C0GATES", other);
    world.restart();
    world.posted(&request).await;
    let messages = world.double.messages();
    assert_eq!(messages.len(), 3, "nothing was posted again");
    assert!(has_button(&messages[0], &request));
    assert!(messages[1].text.contains("Superseded copy"), "{}", messages[1].text);
    assert_eq!(messages[2].edits, 0, "another's message is left alone");
}

#[tokio::test]
async fn without_the_scope_to_look_a_second_copy_is_better_than_none() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.double.fail("chat.postMessage", Fault::DoneThenReset);
    world.double.fail("conversations.history", Fault::Refuse("missing_scope"));
    insist(&world, world.requested(&request)).await;
    assert_eq!(world.double.messages().len(), 2);
    assert!(world.slack.health().last_error.unwrap().what.contains("missing_scope"));
}

#[tokio::test]
async fn blocks_that_slack_does_not_take_end_in_a_short_message_with_buttons() {
    for error in ["msg_blocks_too_long", "invalid_blocks"] {
        let world = World::new().await;
        let request = world.request("taxi", 1).await;
        world.double.fail("chat.postMessage", Fault::Refuse(error));
        world.posted(&request).await;
        let message = world.double.messages().remove(0);
        assert!(has_button(&message, &request), "{error}: {}", message.blocks);
        assert!(message.blocks.as_array().unwrap().len() <= 3);
    }
}

#[tokio::test]
async fn what_an_operator_can_repair_is_tried_again_and_what_nobody_can_is_not() {
    for error in ["not_in_channel", "channel_not_found", "invalid_auth", "missing_scope", "is_archived"] {
        let world = World::new().await;
        let request = world.request("taxi", 1).await;
        world.double.fail("chat.postMessage", Fault::Refuse(error));
        let outcome = world.deliver(&world.requested(&request)).await;
        let Err(NotifyError::Later { reason, retry_after_seconds: 300 }) = outcome else {
            panic!("{error}: {outcome:?}")
        };
        assert!(reason.contains(error) && world.slack.health().last_error.unwrap().what.contains(error));
        world.posted(&request).await;
    }
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.double.fail("chat.postMessage", Fault::Refuse("invalid_arguments"));
    assert!(matches!(world.deliver(&world.requested(&request)).await, Err(NotifyError::Never { .. })));
}

#[tokio::test]
async fn a_message_that_somebody_deleted_is_posted_again() {
    let world = World::new().await;
    let request = world.request("taxi", 2).await;
    world.posted(&request).await;
    world.double.delete_all();
    let decision = world.bench.decision(&request, DecisionKind::Approve, "ada");
    world.store.record_decision(&decision, &[]).await.unwrap();
    world.deliver(&world.notice(&request, Message::DecisionRecorded { decision })).await.unwrap();
    assert!(has_button(&world.double.messages()[0], &request));
}

#[tokio::test]
async fn a_picture_comes_after_the_text_and_its_failure_fails_nothing() {
    let world = World::new().await;
    let claim = world.bench.running("taxi").await;
    let mut request = world.bench.request(claim.run, "taxi", "taxi", 1);
    let mut shown = evidence("taxi");
    shown.shown.drift = vec![ShownDrift { feature: "fare".to_string(), effect: 0.4, threshold: 0.1 }];
    let slice = |slice: &str, value| ShownSlice {
        slice: slice.to_string(),
        examples: 100,
        metric: "auc".to_string(),
        candidate: Some(value),
        baseline: Some(0.8),
        margin: Some(0.02),
    };
    shown.shown.slices = vec![slice("company = A", 0.6), slice("company = B", 0.7)];
    (request.evidence, request.evidence_digest) = shown.seal().unwrap();
    world.store.open_request(&claim, &request, &[]).await.unwrap();
    world.double.fail("upload", Fault::Status(500));
    world.double.pictures_refused(2);
    world.posted(&request).await;
    let first = world.double.messages().remove(0);
    assert!(has_button(&first, &request) && !first.blocks.to_string().contains("slack_file"));
    until("the failed upload is noted", || {
        world.slack.health().last_error.is_some_and(|error| error.what.contains("add picture"))
    })
    .await;
    // The next edit tries again; Slack takes the picture at the third showing.
    let tries = || world.double.calls("files.completeUploadExternal").len();
    while tries() == 0 {
        world.posted(&request).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    until("the picture is shown", || world.double.messages()[0].blocks.to_string().contains("slack_file")).await;
    let message = world.double.messages().remove(0);
    assert!(has_button(&message, &request), "{}", message.blocks);
    assert_eq!((world.double.messages().len(), tries()), (1, 1));
}

#[tokio::test]
async fn reminders_and_escalations_go_to_the_thread_once() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    world.double.set_groups(json!([{ "id": "S0LEADS", "handle": "ml-leads", "users": ["U0ADA"], "date_delete": 0 }]));
    let reminder = world.notice(&request, Message::Reminder { request: request.id });
    world.deliver(&reminder).await.unwrap();
    world.deliver(&reminder).await.unwrap();
    let escalation = world.notice(&request, Message::Escalation { request: request.id, to: "@ml-leads".to_string() });
    world.deliver(&escalation).await.unwrap();
    let there = world.notice(&request, Message::Escalation { request: request.id, to: "#leads".to_string() });
    world.deliver(&there).await.unwrap();
    let messages = world.double.messages();
    assert_eq!(messages.len(), 4, "request, reminder, escalation, escalation elsewhere");
    assert_eq!(messages[1].thread.as_ref(), Some(&messages[0].ts));
    assert_eq!(messages[2].thread.as_ref(), Some(&messages[0].ts));
    assert!(messages[2].blocks.to_string().contains("<!subteam^S0LEADS>"), "{}", messages[2].blocks);
    assert_eq!((messages[3].channel.as_str(), messages[3].thread.as_ref()), ("C0LEADS", None));
    let decision = world.bench.decision(&request, DecisionKind::Approve, "ada");
    world.store.record_decision(&decision, &[]).await.unwrap();
    world.deliver(&world.notice(&request, Message::Reminder { request: request.id })).await.unwrap();
    assert_eq!(world.double.messages().len(), 4, "nobody is reminded of what is decided");
}

#[tokio::test]
async fn alerts_of_one_kind_are_one_message_until_the_group_is_over() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let failed = || {
        let end = RunEnd::Failed { step: "model".to_string(), message: "<!channel> ran out of memory".to_string() };
        let mut notice = world.notice(&request, Message::RunEnded { end });
        notice.channel = "slack:#alerts".to_string();
        notice
    };
    let first = failed();
    world.deliver(&first).await.unwrap();
    world.deliver(&first).await.unwrap();
    world.deliver(&failed()).await.unwrap();
    let messages = world.double.messages();
    assert_eq!((messages.len(), messages[0].edits), (1, 1), "one counted up, the one delivered twice counted once");
    assert!(
        messages[0].text.contains('2') && !messages[0].blocks.to_string().contains("<!channel>"),
        "{}",
        messages[0].text
    );
    let mut blocked = failed();
    let end = RunEnd::Blocked { step: "validation".to_string(), reasons: vec!["column fare is missing".to_string()] };
    blocked.message = Message::RunEnded { end };
    world.deliver(&blocked).await.unwrap();
    assert_eq!(world.double.messages().len(), 2, "another kind is another message");
    world.clock.advance(Duration::from_secs(3_601));
    world.deliver(&failed()).await.unwrap();
    assert_eq!(world.double.messages().len(), 3, "a new group");
}

#[tokio::test]
async fn ends_that_mean_nothing_here_are_done_and_post_nothing() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    for end in [RunEnd::Succeeded, RunEnd::Expired, RunEnd::Superseded { by: RunId::from_ulid(Ulid::from_parts(9, 9)) }]
    {
        world.deliver(&world.notice(&request, Message::RunEnded { end })).await.unwrap();
    }
    assert_eq!(world.double.all_calls().len(), 0);
    assert!(world.store.post(&request.id.to_string(), GATES).await.unwrap().is_none());
    assert!(!world.slack.notifier().serves("terminal") && !world.slack.notifier().serves("slack:"));
}
