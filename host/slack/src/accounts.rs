//! What Slack knows of an account: whether it may decide at all, its mail address, its user groups. Names are never used to tell
//! people apart: they are mutable.

use crate::client::Body;
use crate::error::SlackError;
use crate::house::House;
use async_trait::async_trait;
use countersign_model::actor::Actor;
use countersign_model::time::Timestamp;
use countersign_ports::directory::{Account, Groups};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long what Slack said is used again.
const FRESH: Duration = Duration::from_secs(300);

const UNKNOWN: &str = "unknown to Slack";

/// A user group.
#[derive(Debug, Clone)]
struct UserGroup {
    id: String,
    handle: String,
    users: Vec<String>,
}

/// What was asked within the last minutes. Only answers are kept, never failures.
#[derive(Default)]
pub(crate) struct Accounts {
    users: Mutex<HashMap<String, (Timestamp, Account)>>,
    groups: Mutex<Option<(Timestamp, Arc<[UserGroup]>)>>,
}

/// Looks accounts up in Slack.
pub(crate) struct SlackGroups(pub(crate) Arc<House>);

#[async_trait]
impl Groups for SlackGroups {
    async fn account(&self, actor: &Actor) -> Result<Account, String> {
        let within = self.0.client.timing.account;
        let asked = tokio::time::timeout(within, self.ask(actor, FRESH)).await;
        asked.unwrap_or_else(|_| Err(format!("Slack did not answer within {} ms", within.as_millis())))
    }

    async fn account_anew(&self, actor: &Actor) -> Result<Account, String> {
        match self.ask(actor, Duration::ZERO).await {
            Ok(account) => Ok(account),
            // Slack's trouble takes nobody's signature back: what it said a moment ago stands.
            Err(problem) => self.ask(actor, FRESH).await.map_err(|_| problem),
        }
    }
}

impl SlackGroups {
    /// Answers younger than `age` are used again.
    async fn ask(&self, actor: &Actor, age: Duration) -> Result<Account, String> {
        let Some((team, user)) = actor.as_slack() else {
            return Err(format!("`{actor}` is no Slack account"));
        };
        let barred = |why: &str| Ok(Account { barred: Some(why.to_string()), ..Account::default() });
        if team != self.0.options.team {
            return barred("of another workspace");
        }
        if !is_identifier(user) {
            return Err(format!("`{user}` is no Slack user identifier"));
        }
        match self.0.account(user, age).await {
            // Slack answered, and nobody has this account any more: that is no trouble to look past.
            Err(error) if matches!(error.slack_name(), Some("user_not_found" | "user_not_visible")) => barred(UNKNOWN),
            asked => asked.map_err(|error| error.in_full()),
        }
    }
}

impl House {
    async fn account(&self, user: &str, age: Duration) -> Result<Account, SlackError> {
        let now = self.now();
        if let Some((at, account)) = lock(&self.accounts.users).get(user)
            && is_younger(*at, now, age)
        {
            return Ok(account.clone());
        }
        let answer = self.client.call("users.info", Body::Form(vec![("user", user.to_string())])).await?;
        let known = &answer["user"];
        let mut account = Account {
            barred: barred(known, &self.options.team),
            email: known["profile"]["email"].as_str().map(ToString::to_string),
            groups: Vec::new(),
        };
        if account.barred.is_none() {
            match self.user_groups(age).await {
                Ok(groups) => {
                    let mine = groups.iter().filter(|group| group.users.iter().any(|member| member == user));
                    account.groups = mine.map(|group| group.id.clone()).collect();
                }
                // Holds less; and the next question asks again.
                Err(error) => {
                    self.note("read user groups", &error);
                    return Ok(account);
                }
            }
        }
        let mut users = lock(&self.accounts.users);
        users.retain(|_, (at, _)| is_younger(*at, now, FRESH));
        users.insert(user.to_string(), (now, account.clone()));
        Ok(account)
    }

    async fn user_groups(&self, age: Duration) -> Result<Arc<[UserGroup]>, SlackError> {
        let now = self.now();
        if let Some((at, groups)) = lock(&self.accounts.groups).as_ref()
            && is_younger(*at, now, age)
        {
            return Ok(groups.clone());
        }
        let fields = vec![("include_users", "true".to_string()), ("include_disabled", "false".to_string())];
        let answer = self.client.call("usergroups.list", Body::Form(fields)).await?;
        let listed = answer["usergroups"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let groups = listed.iter().filter(|group| group["date_delete"].as_i64().unwrap_or(0) == 0).map(|group| {
            let users = group["users"].as_array().map(Vec::as_slice).unwrap_or_default();
            UserGroup {
                id: text(&group["id"]),
                handle: text(&group["handle"]),
                users: users.iter().map(text).collect(),
            }
        });
        let groups: Arc<[UserGroup]> = groups.filter(|group| !group.id.is_empty()).collect();
        *lock(&self.accounts.groups) = Some((now, groups.clone()));
        Ok(groups)
    }

    /// How Slack calls a group or a user: a mention, or the plain name when there is none of it.
    pub(crate) async fn mention(&self, name: &str) -> Result<String, SlackError> {
        if is_identifier(name) && name.starts_with('S') {
            return Ok(format!("<!subteam^{name}>"));
        }
        if is_identifier(name) {
            return Ok(format!("<@{name}>"));
        }
        match self.user_groups(FRESH).await {
            Ok(groups) => {
                if let Some(group) = groups.iter().find(|group| group.handle == name) {
                    return Ok(format!("<!subteam^{}>", group.id));
                }
            }
            Err(error) => return self.plain(name, error),
        }
        let fields = vec![("limit", "200".to_string())];
        match self.client.search("users.list", "members", fields, |user| user["name"] == name).await {
            Ok(Some(user)) => Ok(user["id"].as_str().map_or_else(|| format!("@{name}"), |id| format!("<@{id}>"))),
            Ok(None) => {
                let what = format!("escalate: there is no user group and no user `@{name}` in Slack");
                self.health.troubled(self.now(), what);
                Ok(format!("@{name}"))
            }
            Err(error) => self.plain(name, error),
        }
    }

    /// An escalation that calls nobody is better than none; but Slack's own trouble is waited for.
    fn plain(&self, name: &str, error: SlackError) -> Result<String, SlackError> {
        match error {
            SlackError::Refused { .. } if !error.leaves_doubt() => {
                self.note("look up whom to escalate to", &error);
                Ok(format!("@{name}"))
            }
            error => Err(error),
        }
    }
}

/// Why an account may decide nothing.
fn barred(user: &Value, team: &str) -> Option<String> {
    let is = |flag: &str| user[flag].as_bool().unwrap_or(false);
    let why = if user["id"].as_str().is_none() {
        UNKNOWN
    } else if is("deleted") {
        "deactivated"
    } else if is("is_bot") || user["id"] == "USLACKBOT" {
        "a bot"
    } else if is("is_restricted") || is("is_ultra_restricted") {
        "a guest"
    } else if is("is_stranger") || user["team_id"].as_str() != Some(team) {
        "of another workspace"
    } else {
        return None;
    };
    Some(why.to_string())
}

/// `U0123`, `W0123`, `S0123`.
fn is_identifier(text: &str) -> bool {
    text.len() > 2
        && text.starts_with(['U', 'W', 'S'])
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_younger(at: Timestamp, now: Timestamp, age: Duration) -> bool {
    now >= at && now.since(at) < age
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::barred;
    use serde_json::json;

    #[test]
    fn only_full_members_of_the_workspace_decide() {
        let user = |flag: &str, value: bool| {
            let mut user = json!({ "id": "U1", "team_id": "T1" });
            user[flag] = value.into();
            barred(&user, "T1")
        };
        assert_eq!(user("deleted", false), None);
        for flag in ["deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger"] {
            assert!(user(flag, true).is_some(), "{flag}");
        }
        assert_eq!(barred(&json!({ "id": "U1", "team_id": "T2" }), "T1").as_deref(), Some("of another workspace"));
        assert!(barred(&json!({ "id": "U1" }), "T1").is_some() && barred(&json!({}), "T1").is_some());
    }
}
