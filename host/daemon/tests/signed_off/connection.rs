//! `slack check` says in plain words what is wrong with the connection.

use crate::harness::Ran;
use crate::prepared::GATE;
use crate::stage::{Stage, Transport};
use countersign_slack_double::{APP, BOT, Trouble};

const ALL: &str = "channels:history,channels:read,chat:write,files:write,groups:history,groups:read,usergroups:read,\
                   users:read,users:read.email";

fn check(stage: &Stage, channel: &str) -> Ran {
    let mut check = stage.home.command(&["--config", "countersign.toml", "slack", "check"]);
    Ran::of(&check.env("COUNTERSIGN_SLACK_CHANNEL", channel).output().expect("the binary runs"))
}

#[test]
fn the_check_says_which_token_scope_or_channel_is_wrong_and_what_to_do() {
    let stage = Stage::new(Transport::Socket, GATE);
    stage.slack.set_scopes(ALL);
    let good =
        check(&stage, "slack:#gates").must(0).says("channel #gates").says("the bot is in it").says("opens sockets");
    assert!(!good.stdout.contains('✘'), "{}", good.stdout);
    let lines = stage.data(&["slack", "check"]);
    assert!(lines.as_array().expect("lines").iter().all(|line| line["mark"] == "good"), "{lines:#}");

    check(&stage, "slack:#leads").must(1).says("the bot is not in it").says("/invite");
    check(&stage, "slack:#nowhere").must(1).says("Slack knows no such channel").says("Check the spelling");
    stage.slack.set_scopes("channels:read,users:read");
    check(&stage, "slack:#gates").must(1).says("scope chat:write").says("is missing").says("install the app again");
    stage.slack.set_scopes(ALL);
    stage.secret("bot", "xoxb-canary-of-yesterday");
    check(&stage, "slack:#gates").must(1).says("Slack does not know the token in `slack.bot_token`").says("xoxb-");
    stage.secret("bot", BOT);
    stage.secret("app", "xapp-canary-of-yesterday");
    let wrong = check(&stage, "slack:#gates").must(1).says("Slack does not know the token in `slack.app_token`");
    assert!(!wrong.stdout.contains("of-yesterday") && !wrong.stderr.contains("of-yesterday"));
    stage.secret("app", APP);
    stage.slack.trouble(Some(Trouble::Down));
    check(&stage, "slack:#gates").must(1).says("Slack was not reached");
    stage.slack.trouble(None);
    check(&stage, "slack:#gates").must(0);
    let settings = std::fs::read_to_string(stage.home.path().join("countersign.toml")).expect("the settings");
    let (without, _) = settings.split_once("[slack]").expect("the table");
    stage.home.write("countersign.toml", without);
    stage.run(&["slack", "check"]).must(2).says("no [slack]");
}
