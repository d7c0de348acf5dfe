//! Objects: a stranger's S3 that checks every signature decides whether we speak its language.

use crate::world::{World, runs};
use countersign_model::event::EventOutcome;
use countersign_model::pipeline::Ready;
use countersign_model::secret::Secret;
use countersign_ports::DeliveryFinder;
use countersign_triggers::S3Options;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

struct Server {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    told: Value,
}

impl Server {
    fn start(python: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deliveries/s3_server.py");
        let mut command = Command::new(python);
        let mut process = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut server = Self { process, input, output, told: Value::Null };
        server.told = server.line();
        server
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn does(&mut self, deed: Value) {
        writeln!(self.input, "{deed}").unwrap();
        self.line();
    }

    fn put(&mut self, key: &str, text: &str) {
        self.does(json!({"put": key, "text": text}));
    }

    fn with_key(&self, id: &str, secret: &str) -> S3Options {
        S3Options {
            endpoint: Some(format!("http://127.0.0.1:{}", self.told["port"])),
            access_key_id: Secret::new(id),
            secret_access_key: Secret::new(secret),
            ..S3Options::default()
        }
    }

    fn key_of(&self, user: &str) -> S3Options {
        self.with_key(self.told[user][0].as_str().unwrap(), self.told[user][1].as_str().unwrap())
    }

    async fn world(&self, path: &str, ready: Ready) -> World {
        World::over_memory(path, ready, 3_600, self.key_of("everything")).await
    }

    async fn refusal(&self, path: &str, s3: S3Options) -> String {
        let world = World::over_memory(path, Ready::Settled, 0, s3).await;
        assert!(world.tick(0).await.is_empty(), "a server's trouble is nobody else's");
        world.deliveries.all(&world.source()).await.unwrap_err()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_strict_stranger_is_listed_read_and_outlived() {
    let Some(python) = countersign_judges::python() else { return };
    let mut server = Server::start(&python);
    pages_are_all_read(&mut server).await;
    what_is_rewritten_is_seen(&mut server).await;
    markers_are_waited_for(&mut server).await;
    refusals_say_what_is_wrong(&mut server).await;
    a_server_that_is_down_is_asked_again(&mut server).await;
}

async fn pages_are_all_read(server: &mut Server) {
    server.does(json!({"fill": "in/trips-%d.csv", "count": 1_030}));
    for key in ["in/other.csv", "in/trips-7/deep.csv", "in/trips-8.csv.tmp", "trips-9.csv"] {
        server.put(key, "not ours");
    }
    let world = server.world("s3://bucket/in/trips-{SPAN}.csv", Ready::Settled).await;
    assert_eq!(world.tick(0).await.len(), 500, "a turn");
    assert_eq!(runs(&world.drain(0).await), 530, "at once: an object appears whole");
    let spans: Vec<u32> = world.runs().await.iter().map(|run| run.span.as_ref().unwrap().parse().unwrap()).collect();
    assert_eq!(spans, (0..1_030).collect::<Vec<_>>());
    assert!(world.restarted().tick(1).await.is_empty());
    let newest = world.deliveries.newest(&world.source()).await.unwrap();
    assert_eq!(newest.path, "s3://bucket/in/trips-1029.csv");
    let copy = world.path("copy");
    world.deliveries.fetch(&newest.path, &copy).await.unwrap();
    assert_eq!(std::fs::read_to_string(copy).unwrap(), "1029");
}

async fn what_is_rewritten_is_seen(server: &mut Server) {
    let world = server.world("s3://bucket/days/{YYYY}-{MM}-{DD}/rows of the day.csv", Ready::Settled).await;
    assert!(world.tick(0).await.is_empty());
    server.put("days/2026-11-22/rows of the day.csv", "one");
    server.put("days/2026-11-22/other.csv", "not ours");
    assert_eq!(runs(&world.tick(0).await), 1);
    assert_eq!(world.runs().await[0].span.as_deref(), Some("2026-11-22"));
    server.put("days/2026-11-22/rows of the day.csv", "one");
    let again = world.tick(1).await;
    assert_eq!(runs(&again), 0, "the same bytes: {again:?}");
    server.put("days/2026-11-22/rows of the day.csv", "two");
    assert_eq!(runs(&world.tick(2).await), 1);
    server.put("days/2026-11-23/rows of the day.csv", "two");
    assert!(
        matches!(&world.tick(3).await[..], [EventOutcome::Skipped { reason }] if reason.starts_with("same content as s3://"))
    );
}

async fn markers_are_waited_for(server: &mut Server) {
    let world = server.world("s3://bucket/marked/b{SPAN}", Ready::Marker("done-{NAME}".into())).await;
    server.put("marked/b1", "one");
    server.put("marked/b2", "two");
    assert!(world.tick(0).await.is_empty());
    server.put("marked/done-b2", "");
    assert_eq!(runs(&world.tick(0).await), 1);
    assert_eq!(world.runs().await[0].span.as_deref(), Some("2"));
    let nested = server.world("s3://bucket/parts/{SPAN}/rows.csv", Ready::Marker("_SUCCESS".into())).await;
    server.put("parts/1/rows.csv", "one");
    server.put("parts/2/rows.csv", "two");
    server.put("parts/2/_SUCCESS", "");
    assert_eq!(runs(&nested.tick(0).await), 1);
    assert_eq!(nested.runs().await[0].span.as_deref(), Some("2"));
}

async fn refusals_say_what_is_wrong(server: &mut Server) {
    let path = "s3://bucket/in/trips-{SPAN}.csv";
    let key = server.key_of("everything");
    let wrong_secret = S3Options { secret_access_key: Secret::new("wrong"), ..key.clone() };
    let said = server.refusal(path, wrong_secret).await;
    assert_eq!(said, format!("list objects: {path}: the server refuses the key of `[s3]` (SignatureDoesNotMatch)"));
    let said = server.refusal(path, server.with_key("AKIAUNKNOWN", "wrong")).await;
    assert!(said.contains("(InvalidAccessKeyId)") && !said.contains("wrong"), "{said}");
    let said = server.refusal(path, S3Options { access_key_id: None, ..key.clone() }).await;
    assert!(said.contains("only one of `access_key_id` and `secret_access_key`"), "{said}");
    let said = server.refusal("s3://nowhere/{SPAN}.csv", key.clone()).await;
    assert_eq!(said, "list objects: s3://nowhere/{SPAN}.csv: there is no such bucket or object");

    // Whoever may list and not read learns so when it is to be read; nothing is taken for granted.
    let world = World::over_memory(path, Ready::Settled, 0, server.key_of("listing")).await;
    assert!(world.tick(0).await.is_empty());
    let said = world.deliveries.fetch("s3://bucket/in/trips-1.csv", &world.path("copy")).await.unwrap_err();
    assert_eq!(said, "read object: s3://bucket/in/trips-1.csv: the server refuses the key of `[s3]` (AccessDenied)");
    let world = World::over_memory(path, Ready::Settled, 0, key).await;
    let said = world.deliveries.fetch("s3://bucket/in/gone.csv", &world.path("copy")).await.unwrap_err();
    assert_eq!(said, "read object: s3://bucket/in/gone.csv: there is no such bucket or object");
}

async fn a_server_that_is_down_is_asked_again(server: &mut Server) {
    let world = server.world("s3://bucket/late/{SPAN}.csv", Ready::Settled).await;
    server.put("late/1.csv", "one");
    server.does(json!({"down": true}));
    assert!(world.tick(0).await.is_empty());
    let problem = world.deliveries.all(&world.source()).await.unwrap_err();
    assert!(problem.contains("Connection refused"), "{problem}");
    assert_eq!(world.deliveries.all(&world.source()).await.unwrap_err(), problem, "said once, so it must not vary");
    server.does(json!({"up": true}));
    assert_eq!(runs(&world.tick(1).await), 1);
}
