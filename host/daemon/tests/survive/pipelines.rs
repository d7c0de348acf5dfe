//! What the installation of these tests is made of: settings, people, pipelines, data. The same bytes every time.

use countersign_slack_double::{APP_ID, TEAM};
use std::fmt::Write as _;

/// Secrets, none of which may turn up anywhere.
pub const SIGNING: &str = "canary-signing-secret-0003";
pub const HOOK: &str = "canary-hook-secret-0007";
pub const TOTP: &str = "CANARYTOTPSECRETCANARYTOTPSECRET";

pub fn settings(slack: &str, person: &str) -> String {
    format!(
        r##"state_dir = "state"
pipelines = ["pipelines"]
component_dirs = ["components"]
lease_seconds = 5
poll_seconds = 1
concurrency = 4
[log]
format = "json"
[web]
listen = "127.0.0.1:0"
[hooks.orders]
auth = "token"
secret_file = "secrets/hook"
[hooks.requests]
auth = "token"
secret_file = "secrets/hook"
[slack]
team = "{TEAM}"
app = "{APP_ID}"
transport = "http"
bot_token_file = "secrets/bot"
signing_secret_file = "secrets/signing"
channel = "slack:#gates"
api_url = "{slack}/api"
[people.ada]
roles = ["owner"]
slack = "{TEAM}/U0ADA"
local = "ada"
totp_file = "secrets/totp"
[people.bob]
roles = ["data-scientist"]
local = "bob"
[people.you]
roles = ["owner"]
local = "{person}"
"##
    )
}

/// From rows to a model, as small as it can be.
const TRAINING: &str = r#"
[step.examples]
component = "ingest"
inputs = { delivery = "rows" }
params = { split = { train = 3, eval = 1 } }
grant = ["query"]
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
approve_on = ["slack", "page", "terminal"]
"#;

/// Names and texts.
pub fn all() -> Vec<(&'static str, String)> {
    let tips = format!(
        "name = \"tips\"\n[trigger]\narrival = [\"rows\"]\n\
         [source.rows]\npath = \"../incoming/rows-{{SPAN}}.csv\"\nready = \"renamed\"\n{TRAINING}\
         second_factor = true\nexpire = {{ after = \"1s\", then = \"hold\" }}\n\
         [step.push]\ncomponent = \"push\"\ninputs = {{ model = \"model\" }}\nrelease = \"release\"\ntarget = \"models/tips\"\n"
    );
    let brief = format!(
        "name = \"brief\"\n[trigger]\nhttp = [\"requests\"]\nwhile_paused = \"skip\"\n\
         [source.rows]\npath = \"../data/rows.csv\"\n{TRAINING}expire = {{ after = \"1s\", then = \"reject\" }}\n"
    );
    let note = "[step.note]\ncomponent = \"noop\"\ncache = false\n";
    let clock = format!(
        "name = \"clock\"\n[trigger]\ncron = \"{CRON}\"\nmisfire = \"run-all\"\noverlap = \"allow\"\nmost_running = 2\n{note}"
    );
    let follower = format!("name = \"follower\"\n[trigger]\nafter = [\"tips\"]\n{note}");
    let slow = "name = \"slow\"\n[trigger]\nhttp = [\"orders\"]\noverlap = \"replace\"\n\
         [step.wait]\ncomponent = \"misbehave\"\nparams = { how = \"transient\" }\ngrant = [\"query\", \"clock\", \"random\"]\n\
         [step.wait.retry]\nattempts = 100\npause_seconds = 60\nlongest_pause_seconds = 60\n";
    vec![("tips", tips), ("brief", brief), ("clock", clock), ("follower", follower), ("slow", slow.to_string())]
}

/// Once a year, so that no fire of today comes between.
pub const CRON: &str = "0 0 1 1 *";

/// A delivery like no other.
pub fn rows(number: usize) -> String {
    let mut text = "fare,miles,tipped\n".to_string();
    for row in 0..120 {
        let tipped = (row * (number + 1)) % 13 < 5;
        let _ = writeln!(text, "{},{},{tipped}", row % 17 + number, (row * 7) % 23);
    }
    text
}
