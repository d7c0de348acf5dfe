//! The signed endpoint: what is not signed by Slack is refused and leaves nothing but a count.

use crate::world::{SIGNING, World, click, options, signed};
use countersign_model::secret::Secret;
use countersign_ports::{MetadataStore, WebhookRequest};
use countersign_slack::{Slack, SlackError};
use countersign_slack_double::SlackDouble;
use std::sync::Arc;
use std::time::Duration;

fn form(payload: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", payload).finish()
}

#[tokio::test]
async fn forged_stale_and_replayed_requests_write_nothing() {
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let body = form(&click("U0ADA", "hold", &request.handle(), "1.1.a").to_string());
    let now = world.bench.now().as_micros() / 1_000_000;
    let good = signed(&body, now, SIGNING);
    let changed = |change: &dyn Fn(&mut WebhookRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let upper = |request: &mut WebhookRequest| request.headers[2].1 = request.headers[2].1.to_ascii_uppercase();
    let forged = [
        ("no signature", changed(&|request| drop(request.headers.remove(2)))),
        ("no timestamp", changed(&|request| drop(request.headers.remove(1)))),
        ("signature twice", changed(&|request| request.headers.push(request.headers[2].clone()))),
        ("timestamp twice", changed(&|request| request.headers.push(request.headers[1].clone()))),
        ("another secret", signed(&body, now, "another")),
        ("no secret", changed(&|request| request.headers[2].1 = b"v0=".to_vec())),
        ("upper case", changed(&upper)),
        ("truncated", changed(&|request| request.headers[2].1.truncate(66))),
        ("another version", changed(&|request| request.headers[2].1[1] = b'1')),
        ("timestamp with a fraction", changed(&|request| request.headers[1].1.extend(b".5"))),
        ("edited body", changed(&|request| request.body = body.replace("hold", "approve").into())),
        ("stale", signed(&body, now - 301, SIGNING)),
        ("from the future", signed(&body, now + 301, SIGNING)),
        ("an old signature with a new time", changed(&|request| request.headers[1].1 = (now + 1).to_string().into())),
        ("empty", WebhookRequest { headers: Vec::new(), body: Default::default() }),
    ];
    let before = world.store.audit_head().await.unwrap();
    let webhook = world.webhook();
    for (number, (how, request)) in forged.iter().enumerate() {
        let answer = webhook.receive(request.clone()).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, ""), "{how}");
        assert_eq!(world.slack.health().requests_refused, number as u64 + 1, "{how}");
    }
    assert_eq!(world.store.audit_head().await.unwrap(), before, "nothing was written");
    assert_eq!(webhook.receive(good.clone()).await.status, 200);
    assert_eq!(webhook.receive(good.clone()).await.status, 200, "replayed within five minutes");
    assert_eq!(world.decisions(&request).await.len(), 1, "and decided once");
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(webhook.receive(good).await.status, 401);
}

#[tokio::test]
async fn what_slack_signs_and_nobody_knows_is_taken_and_counted() {
    let world = World::new().await;
    let now = world.bench.now().as_micros() / 1_000_000;
    let webhook = world.webhook();
    let bodies = [
        "command=%2Fapprove&text=req_1&user_id=U0ADA",
        "payload=%7Bnot+json",
        "payload=%FF%FE",
        "",
        "payload=1&payload=2",
    ];
    for body in bodies {
        assert_eq!(webhook.receive(signed(body, now, SIGNING)).await.status, 200, "{body}");
    }
    assert_eq!(world.slack.health().payloads_ignored, bodies.len() as u64);
    assert_eq!(webhook.receive(signed("ssl_check=1", now, SIGNING)).await.status, 200);
}

#[tokio::test]
async fn without_a_secret_the_endpoint_does_not_start_and_names_the_key() {
    let world = World::new().await;
    let double = SlackDouble::start(Duration::ZERO).await;
    let mut without = options(&double, world.store.clone(), world.store.clone(), world.clock.clone());
    without.signing_secret = Secret::new("  ");
    let slack = Slack::new(without).unwrap();
    let error = slack.webhook(world.desk.clone()).err().expect("it does not start");
    assert!(matches!(error, SlackError::Missing { key: "slack.signing_secret", .. }), "{error}");
    assert!(error.to_string().contains("slack.signing_secret"));
    let mut plain = options(&double, world.store.clone(), world.store.clone(), world.clock.clone());
    plain.api_url = "http://slack.example.org/api".to_string();
    assert!(Slack::new(plain).is_err(), "tokens never travel in the clear");
    assert!(Arc::strong_count(&world.desk) > 0);
}
