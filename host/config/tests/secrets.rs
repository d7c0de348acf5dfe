//! Secrets: where they come from, what is refused, and that nothing that is printed ever holds one.

mod support;

use countersign_config::ConfigError;
use countersign_config::settings::SlackTransport;
use std::os::unix::fs::PermissionsExt as _;
use support::{printed, read_at, refused};

const SLACK: &str = "[slack]\nteam = \"T01\"\napp = \"A01\"\n";
const BOT: (&str, &str) = ("COUNTERSIGN_SLACK_BOT_TOKEN", "xoxb-1-9canary7");
const APP: (&str, &str) = ("COUNTERSIGN_SLACK_APP_TOKEN", "xapp-1-9canary7");
const SIGNING: (&str, &str) = ("COUNTERSIGN_SLACK_SIGNING_SECRET", "9canary7");

#[test]
fn files_give_secrets_and_variables_go_first() {
    let dir = tempfile::tempdir().unwrap();
    support::secret(&dir.path().join("bot"), "xoxb-file-9canary7\n");
    support::secret(&dir.path().join("app"), "  xapp-file-9canary7\r\n");
    support::secret(&dir.path().join("other"), "xoxb-other-9canary7");
    support::secret(&dir.path().join("key"), "JBSWY3DPEHPK3PXP\n");
    let text = format!(
        "{SLACK}bot_token_file = \"bot\"\napp_token_file = \"./app\"\n\
         [people.ada]\nroles = []\nlocal = \"ada\"\ntotp_file = \"key\"\n\
         [people.bob-2]\nroles = []\nlocal = \"bob\"\n"
    );
    let settings = read_at(dir.path(), &text, &[("COUNTERSIGN_PEOPLE_BOB_2_TOTP", "BBBBBBBBBBBBBBBB")]).unwrap();
    let slack = settings.slack.unwrap();
    assert_eq!(slack.bot_token.expose(), "xoxb-file-9canary7");
    assert_eq!(slack.app_token.unwrap().expose(), "xapp-file-9canary7");
    assert_eq!((slack.transport, slack.signing_secret), (SlackTransport::Socket, None));
    assert_eq!(slack.api_url, "https://slack.com/api");
    assert_eq!(settings.people["ada"].totp.as_ref().unwrap().expose(), "JBSWY3DPEHPK3PXP");
    assert_eq!(settings.people["bob-2"].totp.as_ref().unwrap().expose(), "BBBBBBBBBBBBBBBB");

    let token = |pairs: &[(&str, &str)]| {
        read_at(dir.path(), &text, pairs).unwrap().slack.unwrap().bot_token.expose().to_string()
    };
    assert_eq!(token(&[BOT]), BOT.1);
    assert_eq!(token(&[("COUNTERSIGN_SLACK_BOT_TOKEN_FILE", "other")]), "xoxb-other-9canary7");
    assert_eq!(token(&[("COUNTERSIGN_SLACK_BOT_TOKEN", "")]), "xoxb-file-9canary7");
}

#[test]
fn variables_alone_set_slack_up() {
    let dir = tempfile::tempdir().unwrap();
    let pairs = [
        ("COUNTERSIGN_SLACK_TEAM", "T01"),
        ("COUNTERSIGN_SLACK_APP", "A01"),
        ("COUNTERSIGN_SLACK_TRANSPORT", "http"),
        ("COUNTERSIGN_SLACK_CHANNEL", "slack:C0123"),
        ("COUNTERSIGN_SLACK_API_URL", "http://127.0.0.1:9000/api"),
        ("COUNTERSIGN_ALERTS_FAILED", "slack:#ml-alerts"),
        ("COUNTERSIGN_WEB_PUBLIC_URL", "https://countersign.example.org"),
        ("COUNTERSIGN_WEB_SLACK_SIGN_IN_CLIENT_ID", "12.34"),
        ("COUNTERSIGN_WEB_SLACK_SIGN_IN_CLIENT_SECRET", "9canary7"),
        BOT,
        SIGNING,
    ];
    let settings = read_at(dir.path(), "", &pairs).unwrap();
    let slack = settings.slack.unwrap();
    assert_eq!((slack.team.as_str(), slack.app.as_str(), slack.transport), ("T01", "A01", SlackTransport::Http));
    assert_eq!((slack.channel.as_deref(), slack.api_url.as_str()), (Some("slack:C0123"), "http://127.0.0.1:9000/api"));
    assert_eq!((slack.signing_secret.unwrap().expose(), slack.app_token), ("9canary7", None));
    assert_eq!(settings.alerts.failed.as_deref(), Some("slack:#ml-alerts"));
    assert_eq!(settings.web.slack_sign_in.unwrap().client_secret.expose(), "9canary7");

    for left_out in ["TEAM", "APP", "BOT_TOKEN", "SIGNING_SECRET"].map(|key| format!("COUNTERSIGN_SLACK_{key}")) {
        let rest: Vec<_> = pairs.iter().copied().filter(|(name, _)| *name != left_out).collect();
        let error = refused("", &rest);
        assert!(error.starts_with(&format!("environment: {left_out}: ")), "{error}");
    }
}

#[test]
fn no_endpoint_starts_without_the_secret_of_its_transport() {
    for (transport, pairs, key) in [
        ("http", &[BOT, APP][..], "signing_secret"),
        ("http", &[BOT, ("COUNTERSIGN_SLACK_SIGNING_SECRET", "")], "signing_secret"),
        ("http", &[BOT, ("COUNTERSIGN_SLACK_SIGNING_SECRET", " \t\n")], "signing_secret"),
        ("socket", &[BOT, SIGNING], "app_token"),
        ("socket", &[BOT, ("COUNTERSIGN_SLACK_APP_TOKEN", "  ")], "app_token"),
        ("socket", &[APP, SIGNING], "bot_token"),
    ] {
        let error = refused(&format!("{SLACK}transport = \"{transport}\""), pairs);
        let variable = format!("COUNTERSIGN_SLACK_{}", key.to_uppercase());
        assert!(error.contains(&format!("{key}_file")) && error.contains(&variable), "{transport}: {error}");
    }
    let dir = tempfile::tempdir().unwrap();
    support::secret(&dir.path().join("signing"), "\n \n");
    let text = format!("{SLACK}transport = \"http\"\nsigning_secret_file = \"signing\"");
    let error = read_at(dir.path(), &text, &[BOT]).unwrap_err().to_string();
    assert!(error.contains("settings.empty-secret") && error.contains("COUNTERSIGN_SLACK_SIGNING_SECRET"), "{error}");
}

#[test]
fn files_that_others_can_read_or_that_are_no_secret_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let bot = dir.path().join("bot");
    let at = |text: &str| read_at(dir.path(), &format!("{SLACK}{text}"), &[APP]).unwrap_err().to_string();
    let named = "bot_token_file = \"bot\"";
    assert!(at(named).contains("can not be read") && at(named).contains(bot.to_str().unwrap()));
    support::secret(&bot, "xoxb-1-9canary7");
    for mode in [0o604, 0o640, 0o620, 0o644] {
        std::fs::set_permissions(&bot, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = at(named);
        assert!(
            error.contains("settings.open-secret") && error.contains(&format!("chmod 600 '{}'", bot.display())),
            "{error}"
        );
    }
    for (text, code) in [
        ("xapp-1-9canary7", "bad-secret"),
        ("xoxb-", "bad-secret"),
        ("xoxb-1 9canary7", "bad-secret"),
        ("xoxb-1-9canary7\nxapp-1-9canary7", "bad-secret"),
        ("", "empty-secret"),
        (&"9canary7".repeat(600), "unreadable-secret"),
    ] {
        support::secret(&bot, text);
        let error = at(named);
        assert!(error.contains(&format!("settings.{code}")), "{error}");
    }
    std::fs::write(&bot, b"xoxb-9canary7\xff").unwrap();
    assert!(at(named).contains("settings.unreadable-secret"));
    assert!(at("bot_token_file = \".\"").contains("is a folder"));
    assert!(at("bot_token_file = \"\"").contains("settings.empty-path"));
}

#[test]
fn authenticator_keys_are_base32_and_belong_to_one_person() {
    let person = "[people.ada-l]\nroles = []\nlocal = \"ada\"\n";
    for key in ["JBSWY3DPEHPK3PX", "jbswy3dpehpk3pxp", "JBSWY3DPEHPK3PX1", "JBSW Y3DP EHPK 3PXP", "JBSWY3DPEHPK3PXP="] {
        let error = refused(person, &[("COUNTERSIGN_PEOPLE_ADA_L_TOTP", key)]);
        assert!(error.contains("base32") && !error.contains(key), "{error}");
    }
    let two = format!("{person}[people.ada_l]\nroles = []\nlocal = \"eve\"\n");
    let error = refused(&two, &[("COUNTERSIGN_PEOPLE_ADA_L_TOTP", "JBSWY3DPEHPK3PXP")]);
    assert!(error.contains("`ada-l`") && error.contains("`ada_l`"), "{error}");
    let both = [("COUNTERSIGN_PEOPLE_ADA_L_TOTP", "JBSWY3DPEHPK3PXP"), ("COUNTERSIGN_PEOPLE_ADA_L_TOTP_FILE", "x")];
    assert!(refused(person, &both).contains("set one of the two"));
}

#[test]
fn a_secret_in_the_settings_is_refused_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"[slack]
team = "T01"
app = "A01"
bot_token = "xoxb-1-9canary7"
app_token_file = "xapp-1-9canary7"
signing_secret = "9canary7"

[web]
public_url = "https://countersign.example.org"

[web.slack_sign_in]
client_id = "1.2"
client_secret = """
9canary7
"""

[people.ada]
roles = ["owner"]
local = "ada"
totp = "9canary7"
"#;
    let error = read_at(dir.path(), text, &[]).unwrap_err();
    let ConfigError::Invalid(found) = error else { panic!("{error}") };
    assert_eq!(found.diagnostics.iter().filter(|one| one.code == "settings.secret-in-settings").count(), 5);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("settings_secrets", found.render(false));
    });
}

#[test]
fn no_mistake_around_a_secret_prints_it() {
    for text in [
        // No TOML at all, and the secret on the line that is shown.
        "[slack]\nbot_token = xoxb-1-9canary7\n",
        "[slack]\nbot_token = xoxb-1-9canary7 oops = 'x'\n",
        "[slack]\nsigning_secret = 9canary7\n",
        "[slack]\nsigning_secret = \"\"\"\n9canary7\n",
        "[people.ada]\ntotp = \"9canary7\ntotp = \"9canary7\"\n",
        "people = { ada = { roles = [], local = \"ada\", totp = \"9canary7\" }",
        // The wrong key, the wrong type, the wrong place.
        "[slack]\nsigning_secrt = \"9canary7\"",
        "[slack]\nsigningsecret = \"9canary7\"",
        "[slack]\nsigning_key = [\"9canary7\"]",
        "signing = { key = \"9canary7\" }",
        "[slack]\nteam = \"xoxb-1-9canary7\"",
        "[slack]\nchannel = \"xoxb-1-9canary7\"",
        "[slack]\nsigning_secret_file = \"xoxb-9canary7\"",
        "[slack]\nsigning_secret_file = \"8f742231b10e88889canary7\"",
        "[web]\nlisten = \"xapp-1-9canary7\"",
        "[log]\nformat = \"8f742231b10e88889canary7\"",
        "# bot_token = \"xoxb-1-9canary7\"\n# signing_secret = \"9canary7\"\nlease_seconds = 0",
    ] {
        refused(text, &[]);
    }
    let people = "{ ada = { roles = [\"owner\"], local = \"ada\", totp = \"9canary7\" } }";
    assert!(refused("", &[("COUNTERSIGN_PEOPLE", people)]).contains("secret-in-settings"));
    for key in ["SLACK_TEAM", "SLACK_TRANSPORT", "SLACK_BOT_TOKEN_FILE", "LEASE_SECONDS", "LOG_FORMAT", "WEB_LISTEN"] {
        let variable = format!("COUNTERSIGN_{key}");
        let error = refused(SLACK, &[(&variable, "xoxb-1-9canary7"), APP]);
        assert!(error.contains(&variable) || error.contains("bot_token_file"), "{error}");
    }
}

/// Every secret at once, all of them sound: settings are printed when something else goes wrong.
#[test]
fn settings_with_secrets_print_stars() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "{SLACK}[people.ada]\nroles = []\nlocal = \"ada\"\n[web]\npublic_url = \"https://a\"\n[web.slack_sign_in]\nclient_id = \"1\"\n"
    );
    let client = ("COUNTERSIGN_WEB_SLACK_SIGN_IN_CLIENT_SECRET", "9canary7");
    let key = ("COUNTERSIGN_PEOPLE_ADA_TOTP", "AAAABBBBCCCCDDDD");
    let result = read_at(dir.path(), &text, &[BOT, APP, SIGNING, client, key]);
    let shown = printed(&result);
    assert!(shown.contains("bot_token: ***") && shown.contains("totp: Some(***)") && !shown.contains(key.1), "{shown}");
}
