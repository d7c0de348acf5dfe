//! Each rule of the invariants can be broken, and then it is named: in a copy of what a quiet life on SQLite left.

use crate::harness::Home;
use crate::installation::{Installation, Kind, runtime};
use crate::invariants::{Scene, broken_in};
use crate::pipelines::HOOK;
use crate::points::in_parallel;
use crate::record::{Place, Record};
use crate::workload;
use countersign_slack_double::Message;
use std::path::Path;
use std::process::Command;

/// The rule, and how it is broken. The checks and unique keys of the tables are switched off first.
const IN_THE_RECORD: &[(&str, &str)] = &[
    ("an event has one run, which names it, or a reason", "UPDATE events SET skipped = 'why' WHERE run IS NOT NULL"),
    ("a run is that of its event", "UPDATE runs SET event = (SELECT max(id) FROM events)"),
    ("an event is accepted once", "UPDATE events SET dedupe_key = 'same'"),
    ("a decision is signed by a person, on what was shown", "UPDATE decisions SET actor = 'system:signoff'"),
    ("a decision is signed by a person, on what was shown", "UPDATE decisions SET person = ''"),
    ("a decision is signed by a person, on what was shown", "UPDATE decisions SET evidence_digest = 'another'"),
    (
        "one decision closes a request",
        "INSERT INTO decisions SELECT id || 'x', request, position + 9, kind, actor, roles, channel, reason, evidence_digest, \
         late, at, person, second_factor, conditions, envelope FROM decisions LIMIT 1",
    ),
    ("nothing is approved or rejected without a decision", "DELETE FROM decisions WHERE kind = 'approve'"),
    ("a decision that counts is what became of its request", "UPDATE requests SET status = 'expired'"),
    ("a push is allowed by an approved request about its model", "UPDATE requests SET status = 'rejected'"),
    ("a push is allowed by an approved request about its model", "UPDATE pushes SET model = 'another'"),
    ("a model is pushed once", "UPDATE pushes SET model = 'same', target = 'same'"),
    ("a push that was begun is complete", "UPDATE pushes SET completed_at = NULL"),
    ("a run is running while a worker holds it, and only then", "UPDATE runs SET status = 'running', slot = rowid"),
    ("a run is running while a worker holds it, and only then", "UPDATE runs SET owner = 'wrk_x'"),
    ("one run has a place", "UPDATE runs SET status = 'running', slot = 1"),
    ("every run is over", "UPDATE runs SET ended_at = NULL WHERE pipeline = 'clock'"),
    ("an open request has a run that waits for it", "UPDATE requests SET status = 'open', gate = id"),
    ("every notice is delivered", "UPDATE outbox SET status = 'dead'"),
    ("a step ends well once in a run", "UPDATE executions SET step = 'same' WHERE pipeline = 'tips'"),
    ("a run that came to its own end left no execution behind", "UPDATE executions SET status = 'running'"),
    ("what an execution made is an artifact of its run", "DELETE FROM artifacts"),
    ("an event that started a run has its entry", "DELETE FROM audit WHERE action = 'event.accepted'"),
    ("an event that started none has its entry", "DELETE FROM events WHERE run IS NULL"),
    ("a run that its worker ended has its entry", "UPDATE runs SET status = 'cancelled'"),
    ("a run that was superseded has its entry", "DELETE FROM audit WHERE action = 'run.superseded'"),
    ("a run that was replaced has its entry", "DELETE FROM audit WHERE action = 'run.replaced'"),
    ("an execution that ended has its entry", "DELETE FROM executions WHERE step = 'note'"),
    ("a delivery has its entry", "DELETE FROM audit WHERE action = 'delivery.recorded'"),
    ("an approved request has its entry", "DELETE FROM audit WHERE action = 'request.approved'"),
    ("a decision has its entry", "DELETE FROM audit WHERE action = 'decision.recorded'"),
    ("a push that is complete has its entry", "DELETE FROM audit WHERE action = 'push.completed'"),
    ("what a pushed model came from is kept", "UPDATE artifacts SET collected_at = 1"),
    ("a run that was collected has its entry", "UPDATE runs SET collected_at = NULL"),
    ("a poke has its entry", "DELETE FROM pokes"),
    ("a run was claimed as often as its epoch says", "UPDATE runs SET epoch = epoch + 1"),
    ("a pipeline is paused when its last entry says so", "INSERT INTO paused VALUES ('slow', 'local:eve', '', 1)"),
    ("a file that was accepted has its entry", "UPDATE seen_files SET accepted = 'another'"),
    ("a schedule that fired has its entry", "INSERT INTO fires VALUES ('cron:another', 1)"),
    ("a credential has its entry", "UPDATE credentials SET digest = 'another'"),
    ("the audit log is one chain", "UPDATE audit SET detail = '{}' WHERE sequence = 7"),
    (
        "a request has one message",
        "INSERT INTO requests SELECT 'req_x', run, pipeline, id, policy, evidence, evidence_digest, \
      model_digest, status, state, posted_at, closed_at, verdict, nonce, progress, next_at FROM requests LIMIT 1",
    ),
    ("a message says where its request stands", "UPDATE requests SET status = 'approved'"),
    ("a recorded message is there", "UPDATE posts SET message_id = '1.1'"),
];

/// As above, over the files.
const IN_THE_FILES: &[(&str, &str)] = &[
    ("an artifact is whole", "f=$(find state/artifacts/sha256 -name model.onnx | head -1); echo x >> $f"),
    ("an artifact is whole", "f=$(find state/artifacts/sha256 -name stats.pb | head -1); rm -f $f"),
    ("an artifact is whole", "f=$(find state/artifacts/sha256 -name manifest.json | head -1); rm -f $f"),
    ("an artifact is whole", "rm -rf state/artifacts/sha256/*"),
    ("a target has a push", "mkdir pipelines/models/another"),
    ("nothing half done is left in a target", "mkdir pipelines/models/tips/.incoming-psh_x-1"),
    ("a push is one version", "cd pipelines/models/tips; cp -r $(readlink current) 9999999999"),
    ("a push is one version", "cd pipelines/models/tips; rm -rf $(readlink current)"),
    ("a version is one push", "mkdir pipelines/models/tips/1"),
    ("what is live is the newest push", "cd pipelines/models/tips; ln -sfn $(ls | head -1) current"),
    ("a version is whole", "echo x >> pipelines/models/tips/current/model.onnx"),
    ("a version is whole", "echo x >> pipelines/models/tips/current/evidence.json"),
    ("a version is whole", "rm pipelines/models/tips/current/decisions/*"),
    ("no secret is told", "cp secrets/hook serve.log"),
];

/// As above, over Slack's transcript.
type Retelling = fn(&mut Vec<Message>);
const IN_SLACK: &[(&str, Retelling)] = &[
    ("a request has one message", |all| all.retain(|one| !one.text.contains("is live"))),
    ("a message is there once", |all| all.push(all[0].clone())),
    ("a message has its request", |all| all[0].metadata["event_payload"]["request"] = "req_x".into()),
    ("no secret is told", |all| all[0].text.push_str(HOOK)),
];

/// Somebody with the owner's rights, and the tables' own guards down.
const GUARDS_DOWN: &str = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; DROP INDEX runs_running; \
    DROP INDEX requests_open_of_gate;";
/// Tables whose unique keys can not be dropped.
const REBUILT: [&str; 3] = ["events", "pushes", "credentials"];

fn rebuilt() -> String {
    let one = |table: &str| {
        format!("ALTER TABLE {table} RENAME TO old_{table}; CREATE TABLE {table} AS SELECT * FROM old_{table};")
    };
    format!("PRAGMA legacy_alter_table = ON; {GUARDS_DOWN} {}", REBUILT.map(one).concat())
}

/// A copy of what is left, for somebody to change.
struct Copy {
    home: Home,
    record: Record,
    messages: Vec<Message>,
}

impl Copy {
    fn of(original: &Path, messages: &[Message]) -> Self {
        let home = Home::new();
        let done = Command::new("cp").arg("-a").arg(original.join(".")).arg(home.path()).status().expect("cp runs");
        assert!(done.success(), "copy {}", original.display());
        let record = Record::new(Place::Sqlite(home.path().join("state/metadata.db")), runtime().handle());
        Self { home, record, messages: messages.to_vec() }
    }

    fn breaks(self, rule: &str) {
        let Self { home, record, messages } = self;
        let broken = broken_in(&Scene { home: &home, record: &record, messages });
        assert!(broken.iter().any(|found| found.starts_with(rule)), "`{rule}` is not seen: {broken:#?}");
    }
}

/// Where something is changed.
#[derive(Debug, Clone, Copy)]
enum Change {
    Record(&'static str),
    Files(&'static str),
    Slack(Retelling),
}

impl Copy {
    fn change(&mut self, change: Change) {
        match change {
            Change::Record(statement) => self.record.tamper(&format!("{} {statement};", rebuilt())),
            Change::Files(command) => {
                let script = format!("set -e; chmod -R u+w state/artifacts pipelines; {command}");
                let done = Command::new("sh").args(["-c", &script]).current_dir(self.home.path()).status();
                assert!(done.expect("sh runs").success(), "{command}");
            }
            Change::Slack(retell) => retell(&mut self.messages),
        }
    }
}

#[test]
fn every_rule_can_be_broken_and_is_named_then() {
    let mut this = Installation::new(Kind::Sqlite).expect("SQLite is everywhere");
    workload::live(&mut this);
    let (home, messages) = (this.home.path(), this.slack.messages());
    let mut changes: Vec<(&str, Change)> = Vec::new();
    changes.extend(IN_THE_RECORD.iter().map(|(rule, statement)| (*rule, Change::Record(statement))));
    changes.extend(IN_THE_FILES.iter().map(|(rule, command)| (*rule, Change::Files(command))));
    changes.extend(IN_SLACK.iter().map(|(rule, retell)| (*rule, Change::Slack(*retell))));
    let untouched = Copy::of(home, &messages);
    let scene = Scene { home: &untouched.home, record: &untouched.record, messages: messages.clone() };
    assert_eq!(broken_in(&scene), Vec::<String>::new());
    let failures = in_parallel(&changes, |(rule, change)| {
        let mut copy = Copy::of(home, &messages);
        copy.change(*change);
        copy.breaks(rule);
    });
    assert!(failures.is_empty(), "{failures:#?}");
}
