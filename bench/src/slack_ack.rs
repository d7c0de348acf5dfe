//! How fast a click in Slack is answered, which is only when the decision is durable, while another process writes to the same database.

use crate::clones;
use crate::home::Home;
use crate::http::Connection;
use crate::serving::Serving;
use crate::site::Site;
use crate::slack_double;
use crate::stopwatch::Times;
use ring::hmac;
use sqlx::Connection as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

const TEAM: &str = "T0BENCH";
const APP: &str = "A0BENCH";
const USER: &str = "U0BENCH";
const SIGNING_SECRET: &str = "a-signing-secret-of-this-bench";
/// Clicks, each on a request of its own.
const CLICKS: usize = 1_000;
/// What the other process does: rows a transaction, and the pause before the next.
const WRITER: (usize, Duration) = (20, Duration::from_millis(2));

/// Prints it.
pub async fn report(home: &Home) -> anyhow::Result<()> {
    let site = Site::demo(home, "slack")?;
    clones::write(&site, 0..CLICKS).await?;
    connect(&site)?;
    let mut database = site.database().await?;
    let handles: Vec<(String,)> =
        sqlx::query_as("SELECT id || '.' || nonce FROM requests WHERE status = 'open' ORDER BY id")
            .fetch_all(&mut database)
            .await?;
    database.close().await?;
    let (quiet, busy) = handles.split_at(handles.len() / 2);
    let serving = Serving::start(site.command(&["serve"]))?;
    let mut connection = Connection::open(&serving.address)?;
    let alone = clicks(&mut connection, quiet)?;
    let writer = Writer::start(&site).await?;
    let beside = clicks(&mut connection, busy)?;
    let written = writer.stop()?;
    println!("answer to a signed click on Hold");
    println!("  alone                     {alone}");
    println!("  beside another writer     {beside}   ({written} transactions of it meanwhile)");
    Ok(())
}

/// Adds Slack, over signed requests, to the settings.
fn connect(site: &Site) -> anyhow::Result<()> {
    let api_url = slack_double::start(TEAM)?;
    for (file, secret) in [("bot-token", "xoxb-bench"), ("signing-secret", SIGNING_SECRET)] {
        let path = site.root.join(file);
        std::fs::write(&path, secret)?;
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    let settings = std::fs::read_to_string(site.settings())?;
    let file = |name: &str| site.root.join(name).display().to_string();
    let slack = format!(
        "slack = \"{TEAM}/{USER}\"\n\n[slack]\nteam = \"{TEAM}\"\napp = \"{APP}\"\ntransport = \"http\"\napi_url = \"{api_url}\"\n\
         bot_token_file = {:?}\nsigning_secret_file = {:?}\n",
        file("bot-token"),
        file("signing-secret")
    );
    // The people's table is the last one of the demo's settings.
    Ok(std::fs::write(site.settings(), settings + &slack)?)
}

fn clicks(connection: &mut Connection, handles: &[(String,)]) -> anyhow::Result<Times> {
    let mut times = Times::default();
    for (number, (handle,)) in handles.iter().enumerate() {
        let payload = serde_json::json!({ "type": "block_actions", "user": { "id": USER, "team_id": TEAM },
            "team": { "id": TEAM }, "api_app_id": APP, "channel": { "id": "C0BENCH" },
            "container": { "type": "message", "message_ts": "1.1", "channel_id": "C0BENCH" },
            "trigger_id": format!("{number}.{handle}"), "actions": [{ "type": "button", "action_id": "countersign.hold",
                "block_id": "gate", "value": handle, "action_ts": "1.2" }] });
        let body: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
        let seconds = UNIX_EPOCH.elapsed()?.as_secs().to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, SIGNING_SECRET.as_bytes());
        let signature = format!("v0={}", hex::encode(hmac::sign(&key, format!("v0:{seconds}:{body}").as_bytes())));
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-slack-request-timestamp", &seconds),
            ("x-slack-signature", &signature),
        ];
        let answer = times.take(|| connection.send("POST", "/slack/interactions", &headers, &body))?;
        anyhow::ensure!(answer.status == 200, "the click was answered with {}", answer.status);
    }
    Ok(times)
}

/// Somebody else who writes, in a thread of their own.
struct Writer {
    thread: std::thread::JoinHandle<anyhow::Result<()>>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
}

impl Writer {
    async fn start(site: &Site<'_>) -> anyhow::Result<Self> {
        let mut database = site.database().await?;
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (stop.clone(), done.clone());
        let work = async move {
            while !stopped.load(Ordering::Relaxed) {
                let mut transaction = database.begin_with("BEGIN IMMEDIATE").await?;
                for _ in 0..WRITER.0 {
                    let key = format!("bench:{}", counted.fetch_add(1, Ordering::Relaxed));
                    let insert = sqlx::query("INSERT INTO used_keys (key, until) VALUES (?1, 0)").bind(key);
                    insert.execute(&mut *transaction).await?;
                }
                transaction.commit().await?;
                tokio::time::sleep(WRITER.1).await;
            }
            anyhow::Ok(database.close().await?)
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        Ok(Self { thread: std::thread::spawn(move || runtime.block_on(work)), stop, done })
    }

    /// Answers how many transactions it made.
    fn stop(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the other writer panicked"))??;
        Ok(self.done.load(Ordering::Relaxed) / WRITER.0 as u64)
    }
}
