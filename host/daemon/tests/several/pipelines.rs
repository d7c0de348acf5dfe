//! What the installations of these tests are made of: settings, pipelines, data.

use countersign_slack_double::{APP_ID, SlackDouble, TEAM};
use std::fmt::Write as _;
use std::process::Command;

pub fn settings(slack: Option<&SlackDouble>) -> String {
    let person = Command::new("id").arg("-un").output().expect("who runs the tests");
    let person = String::from_utf8_lossy(&person.stdout).trim().to_string();
    let slack = slack.map_or_else(String::new, |slack| {
        format!(
            "[slack]\nteam = \"{TEAM}\"\napp = \"{APP_ID}\"\ntransport = \"socket\"\nchannel = \"slack:#gates\"\n\
             bot_token_file = \"secrets/bot\"\napp_token_file = \"secrets/app\"\napi_url = \"{}/api\"\n",
            slack.url
        )
    });
    format!(
        "state_dir = \"state\"\npipelines = [\"pipelines\"]\ncomponent_dirs = [\"components\"]\n\
         lease_seconds = 5\npoll_seconds = 1\n[log]\nformat = \"json\"\n[web]\nlisten = \"127.0.0.1:0\"\n{slack}\
         [people.ada]\nroles = [\"owner\"]\nlocal = \"ada\"\n[people.you]\nroles = [\"owner\"]\nlocal = \"{person}\"\n"
    )
}

fn arriving(name: &str) -> String {
    format!(
        "name = \"{name}\"\n[trigger]\narrival = [\"rows\"]\noverlap = \"allow\"\nmost_running = 4\n\
         [source.rows]\npath = \"../incoming/{name}-{{SPAN}}.csv\"\nready = \"renamed\"\n\
         [step.examples]\ncomponent = \"ingest\"\ninputs = {{ delivery = \"rows\" }}\n\
         params = {{ split = {{ train = 3, eval = 1 }} }}\ngrant = [\"query\"]\n\
         [step.examples.retry]\nattempts = 10\n"
    )
}

/// Reads what arrives, then is busy for two seconds.
pub fn work(name: &str) -> String {
    arriving(name)
        + "[step.nap]\ncomponent = \"misbehave\"\nparams = { how = \"nap\" }\ngrant = [\"query\", \"clock\", \"random\"]\n\
           after = [\"examples\"]\ncache = false\n"
}

/// From rows to a live model, as small as it can be; one owner signs.
pub fn tips() -> String {
    arriving("tips") + TRAINING
}

/// Once a year, so that no fire of today comes between.
pub const CLOCK: &str = "name = \"clock\"\n[trigger]\ncron = \"0 0 1 1 *\"\nmisfire = \"run-all\"\n\
    [step.note]\ncomponent = \"noop\"\ncache = false\n";

const TRAINING: &str = r#"
[step.statistics]
component = "statistics"
inputs = { examples = "examples" }
grant = ["query"]
[step.schema]
component = "schema"
inputs = { statistics = "statistics" }
[step.transform]
component = "transform"
inputs = { statistics = "statistics", schema = "schema", examples = "examples" }
params = { label = "tipped" }
grant = ["query"]
[step.model]
component = "train"
inputs = { examples = "examples", transform = "transform" }
params = { model = "mlp", hidden = [4], epochs = 1 }
grant = ["query"]
[signoff.release]
after = ["model"]
approvers = [{ role = "owner", count = 1 }]
[step.push]
component = "push"
inputs = { model = "model" }
release = "release"
target = "models/tips"
"#;

/// A delivery like no other, of so many rows.
pub fn rows(number: usize, count: usize) -> String {
    let mut text = "fare,miles,tipped\n".to_string();
    for row in 0..count {
        let tipped = (row * (number + 1)) % 7 < 3;
        let _ = writeln!(text, "{},{},{tipped}", row % 17 + number, (row * 7919) % 100_003);
    }
    text
}
