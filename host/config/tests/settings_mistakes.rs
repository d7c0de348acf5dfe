//! What people read for mistakes in `countersign.toml`. The snapshots are the specification.

use countersign_config::ConfigError;
use countersign_config::settings::Settings;
use std::collections::BTreeMap;
use std::path::Path;

fn snapshot(name: &str, wrong: &str) {
    let dir = Path::new("/etc/countersign");
    let read = Settings::read(wrong, "countersign.toml", dir, &BTreeMap::new(), dir);
    let Err(ConfigError::Invalid(found)) = read else { panic!("these are mistakes") };
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, found.render(false));
    });
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let wrong = r#"
state_dirs = "/data"
lease_seconds = 1

[log]
format = "jsn"

[people.ada]
role = ["owner"]
local = "ada"

[people.bob]
roles = ["owner"]
local = "ada"

[people.eve]
roles = ["owner"]
slack = "eve"

[people.nobody]
roles = ["owner"]
"#;
    snapshot("settings_mistakes", wrong);
}

#[test]
fn mistakes_about_people_are_shown() {
    let wrong = r#"
[people.ada]
roles = ["owner", "slack:T01/U02AB", " "]
local = "ada"
email = "ada"

[people.bob]
roles = []
slack = "T01/u02"
email = "bob@example.org"

[people."local:eve"]
roles = []
local = "eve"
email = "Bob@example.org"
"#;
    snapshot("settings_people", wrong);
}

#[test]
fn mistakes_about_the_page_slack_and_alerts_are_shown() {
    let wrong = r##"
[web]
listen = "localhost:8484"
public_url = "https://countersign.example.org/"
session_hours = 0

[web.slack_sign_in]
client_id = "A01ABCDEF"

[slack]
team = "acme"
transport = "sockets"
channel = "#ML-releases"
api_url = "http://slack.example.org/api"

[alerts]
blocked = "mailto:ada@example.org"
faild = "slack:#ml-alerts"
"##;
    snapshot("settings_slack", wrong);
    snapshot(
        "settings_listen_off",
        "[web]\nlisten = \"off\"\n[slack]\nteam = \"T01\"\napp = \"A01\"\ntransport = \"http\"",
    );
    snapshot("settings_alerts_to_nobody", "[alerts]\nfailed = \"slack:#ml-alerts\"");
    let sign_in = "[web.slack_sign_in]\nclient_id = \"1.2\"\nclient_secret_file = \"/nowhere/secret\"";
    snapshot("settings_sign_in", sign_in);
}

#[test]
fn mistakes_about_the_database_hooks_objects_and_traces_are_shown() {
    let wrong = r#"
concurrency = 0
drain_seconds = 4000

[database]
url = "postgres://countersign@db.example.org/countersign"

[hooks.Orders]
auth = "hmca"
secret_file = "/nowhere/secret"

[hooks.a-b]
secret = "0123456789abcdef"

[hooks.a_b]
auth = "token"

[s3]
endpoint = "http://storage.example.org"
region = "Frankfurt"

[retention]
keep_day = 30

[traces]
endpoint = "http://127.0.0.1:4318/v1/traces/"
"#;
    snapshot("settings_daemon", wrong);
    snapshot("settings_traces_to_nowhere", "[traces]");
}
