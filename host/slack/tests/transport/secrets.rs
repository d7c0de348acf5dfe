//! Secrets stay secret, accounts are looked up, and the check says in plain words what is wrong.

use crate::world::{SIGNING, World, click, options, until};
use countersign_model::actor::Actor;
use countersign_model::secret::Secret;
use countersign_slack::{CheckMark, Slack};
use countersign_slack_double::{APP, BOT, Fault, SlackDouble};
use serde_json::json;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// Everything that is logged in this process, by any test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_in_a_log_an_error_or_a_message() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    let world = World::new().await;
    let request = world.request("taxi", 1).await;
    let mut said = Vec::new();
    for fault in [
        Fault::Status(500),
        Fault::Reset,
        Fault::Refuse("invalid_auth"),
        Fault::Refuse("xoxb-canary-bot-0001"),
        Fault::RateLimit(0),
    ] {
        world.double.fail("chat.postMessage", fault);
        let error = world.deliver(&world.requested(&request)).await.unwrap_err();
        said.push(format!("{error} {error:?}"));
    }
    world.posted(&request).await;
    let (stop, stopped) = watch::channel(false);
    let (slack, desk) = (world.slack.clone(), world.desk.clone());
    let task = tokio::spawn(async move { slack.listen(desk, stopped).await });
    until("connected", || world.slack.health().connected_sockets == 1).await;
    world.double.sockets.drop_socket(0);
    until("again", || world.slack.health().reconnects == 1).await;
    let forged = click("U0ADA", "hold", &request.handle(), "1.1.a");
    world.send(&forged).await;
    stop.send_replace(true);
    task.await.unwrap();
    said.push(format!("{:?}", world.slack.health()));
    said.push(format!("{:?}", world.double.messages()));
    said.push(format!("{:?}", world.slack.check(&["slack:#gates".to_string()]).await));
    let mut nobody = options(&world.double, world.store.clone(), world.store.clone(), world.clock.clone());
    nobody.api_url = "http://127.0.0.1:1/api".to_string();
    said.push(format!("{:?}", Slack::new(nobody).unwrap().check(&[]).await));
    said.push(String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned());
    assert!(said.last().unwrap().contains("slack"), "the log was captured");
    for secret in [BOT, APP, SIGNING, "canary-ticket-0004"] {
        for text in &said {
            assert!(!text.contains(secret), "{secret} in {}", &text[..text.len().min(400)]);
        }
    }
    for call in world.double.all_calls() {
        assert!(!call.arguments.to_string().contains("canary-"), "{call:?}");
    }
}

#[tokio::test]
async fn accounts_are_looked_up_once_in_five_minutes_and_strangers_are_barred() {
    let world = World::new().await;
    let user = |id: &str, extra: serde_json::Value| {
        let mut user = json!({ "id": id, "team_id": "T0TEAM", "profile": { "email": format!("{id}@example.org") } });
        user.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        world.double.add_user(id, user);
    };
    user("U0ADA", json!({}));
    user("U0BOT", json!({ "is_bot": true }));
    user("U0GONE", json!({ "deleted": true }));
    user("U0GUEST", json!({ "is_ultra_restricted": true }));
    world.double.set_groups(json!([
        { "id": "S0LEADS", "handle": "ml-leads", "users": ["U0ADA", "U0BOT"], "date_delete": 0 },
        { "id": "S0OLD", "handle": "old", "users": ["U0ADA"], "date_delete": 1_700_000_000 },
    ]));
    let groups = world.slack.groups();
    let ada = Actor::slack("T0TEAM", "U0ADA");
    for _ in 0..3 {
        let account = groups.account(&ada).await.unwrap();
        assert_eq!((account.barred, account.groups), (None, vec!["S0LEADS".to_string()]));
        assert_eq!(account.email.as_deref(), Some("U0ADA@example.org"));
    }
    assert_eq!((world.double.calls("users.info").len(), world.double.calls("usergroups.list").len()), (1, 1));
    for (id, why) in [("U0BOT", "bot"), ("U0GONE", "deactivated"), ("U0GUEST", "guest")] {
        let account = groups.account(&Actor::slack("T0TEAM", id)).await.unwrap();
        assert!(account.barred.unwrap().contains(why) && account.groups.is_empty(), "{id}");
    }
    let stranger = groups.account(&Actor::slack("T0OTHER", "U0ADA")).await.unwrap();
    assert_eq!(stranger.barred.as_deref(), Some("of another workspace"));
    assert!(groups.account(&Actor::local("ada")).await.is_err());
    user("U0ADA", json!({ "deleted": true }));
    assert!(groups.account(&ada).await.unwrap().barred.is_none(), "not asked again within five minutes");
    world.double.fail("users.info", Fault::Status(500));
    assert!(
        groups.account_anew(&ada).await.unwrap().barred.is_none(),
        "in trouble what Slack said a moment ago stands"
    );
    assert!(groups.account_anew(&ada).await.unwrap().barred.is_some(), "at the moment that counts it is asked anew");
    let nobody = Actor::slack("T0TEAM", "U0NOBODY");
    assert_eq!(groups.account(&nobody).await.unwrap().barred.as_deref(), Some("unknown to Slack"));
    world.clock.advance(Duration::from_secs(301));
    assert!(groups.account(&ada).await.unwrap().barred.is_some(), "asked again after five minutes");
    world.clock.advance(Duration::from_secs(301));
    world.double.fail("users.info", Fault::Hang);
    assert!(groups.account(&ada).await.unwrap_err().contains("did not answer"), "nobody who clicks waits for long");
    world.clock.advance(Duration::from_secs(301));
    world.double.fail("users.info", Fault::Status(500));
    assert!(groups.account(&ada).await.is_err(), "nothing old is used when Slack is down");
}

#[tokio::test]
async fn the_check_names_the_scope_the_channel_and_the_token() {
    let world = World::new().await;
    let channels = ["slack:#gates", "slack:#leads", "slack:#nowhere"].map(ToString::to_string);
    let lines = world.slack.check(&channels).await;
    let line = |subject: &str| {
        lines.iter().find(|line| line.subject == subject).unwrap_or_else(|| panic!("{subject}: {lines:?}"))
    };
    assert_eq!(line("bot token").mark, CheckMark::Good);
    assert_eq!(line("app").mark, CheckMark::Good);
    assert_eq!(line("app token").mark, CheckMark::Good);
    assert_eq!(line("scope chat:write").mark, CheckMark::Good);
    assert_eq!(line("scope files:write").mark, CheckMark::Note);
    assert_eq!(line("channel #gates").mark, CheckMark::Good);
    assert!(line("channel #leads").remedy.contains("/invite"));
    assert_eq!(line("channel #nowhere").mark, CheckMark::Bad);
    let double = SlackDouble::start(Duration::ZERO).await;
    let mut wrong = options(&double, world.store.clone(), world.store.clone(), world.clock.clone());
    wrong.bot_token = Secret::new("xoxb-wrong").unwrap();
    wrong.app_token = Secret::new("xoxb-no-app-token");
    let lines = Slack::new(wrong).unwrap().check(&[]).await;
    let bad: Vec<&str> =
        lines.iter().filter(|line| line.mark == CheckMark::Bad).map(|line| line.remedy.as_str()).collect();
    assert!(bad.iter().any(|remedy| remedy.contains("`slack.bot_token`") && remedy.contains("xoxb-")), "{bad:?}");
    assert!(bad.iter().any(|remedy| remedy.contains("`slack.app_token`") && remedy.contains("xapp-")), "{bad:?}");
}
