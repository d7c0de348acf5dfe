//! `countersign slack check`: asks Slack and says in plain words which token, scope or channel is wrong and what to do.

use crate::client::Body;
use crate::delivery::target;
use crate::error::SlackError;
use crate::house::House;
use serde_json::Value;

/// How a line is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckMark {
    /// As it should be.
    Good,
    /// Works, with something less.
    Note,
    /// Has to be repaired.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// How it is.
    pub mark: CheckMark,
    /// What was looked at: `bot token`, `scope chat:write`, `channel #ml-releases`.
    pub subject: String,
    /// What was found.
    pub found: String,
    /// What to do; empty where nothing is to be done.
    pub remedy: String,
}

/// Scopes of the bot, what for, and whether nothing works without.
const SCOPES: [(&str, &str, bool); 9] = [
    ("chat:write", "to post and edit requests", true),
    ("files:write", "for the picture", false),
    ("users:read", "to refuse deactivated accounts, guests and bots", true),
    ("usergroups:read", "for approvers and escalation by user group", false),
    ("users:read.email", "for approvers by e-mail address", false),
    ("channels:read", "to find public channels by name", false),
    ("groups:read", "to find private channels by name", false),
    ("channels:history", "to find a message in a public channel whose answer was lost", false),
    ("groups:history", "the same in a private channel", false),
];

fn good(subject: impl Into<String>, found: impl Into<String>) -> CheckLine {
    CheckLine { mark: CheckMark::Good, subject: subject.into(), found: found.into(), remedy: String::new() }
}

fn line(mark: CheckMark, subject: &str, found: impl Into<String>, remedy: impl Into<String>) -> CheckLine {
    CheckLine { mark, subject: subject.to_string(), found: found.into(), remedy: remedy.into() }
}

/// Looks at everything.
pub(crate) async fn check(house: &House, channels: &[String]) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    let (who, scopes) = match house.client.auth_test().await {
        Ok(found) => found,
        Err(error) => {
            lines.push(token_trouble("bot token", "slack.bot_token", "xoxb-", &error));
            lines.extend(app_token(house).await);
            return lines;
        }
    };
    lines.push(team(house, &who));
    lines.push(app(house, &who).await);
    lines.extend(scope_lines(&scopes));
    lines.extend(app_token(house).await);
    lines.push(match &house.options.signing_secret {
        Some(_) => good("signing secret", "is set; only a click can show whether it is the right one"),
        None => good("signing secret", "is not set: right for Socket Mode, the HTTP endpoint would not start"),
    });
    for channel in channels {
        lines.push(channel_line(house, target(channel)).await);
    }
    lines
}

fn team(house: &House, who: &Value) -> CheckLine {
    let given = &house.options.team;
    match who["team_id"].as_str() {
        Some(team) if team == given => good("bot token", format!("works in workspace {team}")),
        found => line(
            CheckMark::Bad,
            "bot token",
            format!("belongs to workspace {}, but `slack.team` is {given}", found.unwrap_or("unknown")),
            "Take the token of the right workspace, or correct `slack.team`: clicks of another workspace are ignored.",
        ),
    }
}

async fn app(house: &House, who: &Value) -> CheckLine {
    let given = &house.options.app;
    let bot = who["bot_id"].as_str().unwrap_or_default().to_string();
    match house.client.call("bots.info", Body::Form(vec![("bot", bot)])).await {
        Ok(answer) => match answer["bot"]["app_id"].as_str() {
            Some(app) if app == given => good("app", format!("{app} owns the bot token")),
            found => line(
                CheckMark::Bad,
                "app",
                format!("the bot token belongs to app {}, but `slack.app` is {given}", found.unwrap_or("unknown")),
                "Correct `slack.app` (Basic Information, App ID), or take the token of that app: its clicks would be ignored.",
            ),
        },
        Err(error) => line(
            CheckMark::Note,
            "app",
            format!("could not be compared: {error}"),
            "Compare `slack.app` with the App ID under Basic Information.",
        ),
    }
}

fn scope_lines(scopes: &[String]) -> Vec<CheckLine> {
    let lines = SCOPES.iter().map(|(scope, what_for, needed)| {
        let subject = format!("scope {scope}");
        if scopes.iter().any(|other| other == scope) {
            return good(subject, what_for.to_string());
        }
        let mark = if *needed { CheckMark::Bad } else { CheckMark::Note };
        let remedy = "Add it under OAuth & Permissions, Bot Token Scopes, then install the app again.";
        line(mark, &subject, format!("is missing: it is needed {what_for}"), remedy)
    });
    lines.collect()
}

async fn app_token(house: &House) -> Option<CheckLine> {
    let Some(token) = &house.options.app_token else {
        let found = "is not set: right for the HTTP endpoint, Socket Mode would not start";
        return Some(good("app token", found));
    };
    match house.client.open_connection(token).await {
        Ok(_) => Some(good("app token", "opens sockets")),
        Err(error) => Some(token_trouble("app token", "slack.app_token", "xapp-", &error)),
    }
}

/// What is wrong with a token, and where the right one is found.
fn token_trouble(subject: &str, key: &str, prefix: &str, error: &SlackError) -> CheckLine {
    let found = error.to_string();
    let place = if prefix == "xapp-" {
        "Basic Information, App-Level Tokens (scope connections:write)"
    } else {
        "OAuth & Permissions, Bot User OAuth Token"
    };
    let remedy = match error.slack_name() {
        Some("invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired") => {
            format!("Slack does not know the token in `{key}`: copy the one under {place}; it begins with {prefix}.")
        }
        Some("not_allowed_token_type") => {
            format!("`{key}` holds a token of another kind: it has to begin with {prefix}, see {place}.")
        }
        Some("missing_scope") => format!("Give the token the scope that Slack names, under {place}."),
        Some("socket_mode_disabled" | "link_disabled") => "Switch Socket Mode on in the app's settings.".to_string(),
        Some(_) => format!("Look at the app's settings under {place}."),
        None => "Slack was not reached: check the network and `slack.api_url`, then try again.".to_string(),
    };
    line(CheckMark::Bad, subject, found, remedy)
}

async fn channel_line(house: &House, channel: &str) -> CheckLine {
    let subject = format!("channel {channel}");
    let looked = async {
        let id = house.client.channel_id(channel).await?;
        house.client.call("conversations.info", Body::Form(vec![("channel", id)])).await
    };
    match looked.await {
        Ok(answer) if answer["channel"]["is_archived"].as_bool() == Some(true) => {
            line(CheckMark::Bad, &subject, "is archived", "Unarchive it, or name another one in `channel`.")
        }
        Ok(answer) if answer["channel"]["is_member"].as_bool() == Some(false) => {
            let remedy = format!("Invite the bot: type `/invite @<its name>` in {channel}.");
            line(CheckMark::Bad, &subject, "the bot is not in it", remedy)
        }
        Ok(_) => good(subject, "the bot is in it"),
        Err(error) if error.slack_name() == Some("channel_not_found") => {
            let remedy =
                "Check the spelling; for a private channel invite the bot first: without that it can not see it.";
            line(CheckMark::Bad, &subject, "Slack knows no such channel", remedy)
        }
        Err(error) if error.slack_name() == Some("missing_scope") => {
            let remedy = "Add channels:read and groups:read, or give the channel by its identifier (C…).";
            line(CheckMark::Note, &subject, format!("could not be looked up: {error}"), remedy)
        }
        Err(error) => line(CheckMark::Bad, &subject, format!("could not be looked up: {error}"), "Try again later."),
    }
}
