//! Every setting as a row: the one table from which settings are shown and compared.

use super::origins::Kind;
use super::{Applies, Database, LogFormat, Settings, SlackTransport};
use countersign_model::secret::Secret;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A value as it may be compared; only [`Value::Plain`] may be shown.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'s> {
    Plain(Json),
    Secret(&'s Secret),
}

/// One setting.
#[derive(Debug)]
pub(super) struct Row<'s> {
    pub key: String,
    pub value: Value<'s>,
    pub kind: Kind,
    pub applies: Applies,
}

#[derive(Debug, Default)]
struct Rows<'s>(Vec<Row<'s>>);

impl<'s> Rows<'s> {
    fn add(&mut self, applies: Applies, key: &str, value: Json) {
        self.0.push(Row { key: key.to_string(), value: Value::Plain(value), kind: Kind::Plain, applies });
    }

    fn secret(&mut self, applies: Applies, key: &str, secret: Option<&'s Secret>) {
        let value = secret.map_or(Value::Plain(Json::Null), Value::Secret);
        self.0.push(Row { key: key.to_string(), value, kind: Kind::Secret, applies });
    }

    fn member(&mut self, applies: Applies, key: &str, value: Json) {
        self.0.push(Row { key: key.to_string(), value: Value::Plain(value), kind: Kind::Member, applies });
    }
}

fn paths(paths: &[PathBuf]) -> Json {
    paths.iter().map(|path| json!(path.display().to_string())).collect()
}

impl Settings {
    /// Every setting, in the order of the sample file.
    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        use Applies::{AtRestart, Now};
        let mut rows = Rows::default();
        // No `..` here and below: a new setting must become a row.
        let Self {
            origin: _,
            origins: _,
            state_dir,
            cache_dir,
            component_dirs,
            pipelines,
            database,
            s3: _,
            hooks: _,
            retention,
            traces,
            people: _,
            web: _,
            slack: _,
            alerts,
            log,
            concurrency,
            drain_seconds,
            lease_seconds,
            poll_seconds,
        } = self;
        rows.add(AtRestart, "state_dir", json!(state_dir.display().to_string()));
        rows.add(AtRestart, "cache_dir", json!(cache_dir.display().to_string()));
        rows.add(AtRestart, "component_dirs", paths(component_dirs));
        rows.add(Now, "pipelines", paths(pipelines));
        rows.add(Now, "concurrency", json!(concurrency));
        rows.add(Now, "drain_seconds", json!(drain_seconds));
        rows.add(AtRestart, "lease_seconds", json!(lease_seconds));
        rows.add(Now, "poll_seconds", json!(poll_seconds));
        match database {
            Database::Sqlite(path) => {
                rows.add(AtRestart, "database.url", json!(format!("sqlite:{}", path.display())));
            }
            Database::Postgres(url) => rows.secret(AtRestart, "database.url", Some(url)),
        }
        let super::Retention { keep_days, keep_runs } = retention;
        rows.add(Now, "retention.keep_days", json!(keep_days));
        rows.add(Now, "retention.keep_runs", json!(keep_runs));
        let super::Log { format, filter } = log;
        rows.add(AtRestart, "log.format", json!(log_format(*format)));
        rows.add(AtRestart, "log.filter", json!(filter));
        let traces = traces.as_ref().map(|super::Traces { endpoint, headers }| (endpoint, headers.as_ref()));
        rows.add(AtRestart, "traces.endpoint", json!(traces.map(|(endpoint, _)| endpoint)));
        rows.secret(AtRestart, "traces.headers", traces.and_then(|(_, headers)| headers));
        self.outside_rows(&mut rows);
        self.slack_rows(&mut rows);
        let super::Alerts { blocked, failed, warned, group_minutes } = alerts;
        rows.add(AtRestart, "alerts.blocked", json!(blocked));
        rows.add(AtRestart, "alerts.failed", json!(failed));
        rows.add(AtRestart, "alerts.warned", json!(warned));
        rows.add(AtRestart, "alerts.group_minutes", json!(group_minutes));
        self.people_rows(&mut rows);
        rows.0
    }

    /// What others reach us by, and what we read from.
    fn outside_rows<'s>(&'s self, rows: &mut Rows<'s>) {
        use Applies::AtRestart;
        let super::Web { listen, public_url, session_hours, slack_sign_in } = &self.web;
        let listen = listen.map_or_else(|| "off".to_string(), |address| address.to_string());
        rows.add(AtRestart, "web.listen", json!(listen));
        rows.add(AtRestart, "web.public_url", json!(public_url));
        rows.add(AtRestart, "web.session_hours", json!(session_hours));
        let sign_in = slack_sign_in.as_ref();
        let sign_in = sign_in.map(|super::SlackSignIn { client_id, client_secret }| (client_id, client_secret));
        rows.add(AtRestart, "web.slack_sign_in.client_id", json!(sign_in.map(|(id, _)| id)));
        rows.secret(AtRestart, "web.slack_sign_in.client_secret", sign_in.map(|(_, secret)| secret));
        for (name, super::Hook { auth }) in &self.hooks {
            rows.add(Applies::Now, &format!("hooks.{name}.auth"), json!(auth.name()));
            rows.secret(Applies::Now, &format!("hooks.{name}.secret"), Some(auth.secret()));
        }
        let super::S3 { endpoint, region, access_key_id, secret_access_key } = &self.s3;
        rows.add(AtRestart, "s3.endpoint", json!(endpoint));
        rows.add(AtRestart, "s3.region", json!(region));
        rows.secret(AtRestart, "s3.access_key_id", access_key_id.as_ref());
        rows.secret(AtRestart, "s3.secret_access_key", secret_access_key.as_ref());
    }

    fn slack_rows<'s>(&'s self, rows: &mut Rows<'s>) {
        let at = Applies::AtRestart;
        let mut secrets = [None, None, None];
        let mut plain: BTreeMap<&str, Json> = BTreeMap::new();
        if let Some(slack) = &self.slack {
            let super::Slack { team, app, transport, bot_token, app_token, signing_secret, channel, api_url } = slack;
            let transport = match transport {
                SlackTransport::Socket => "socket",
                SlackTransport::Http => "http",
            };
            plain.insert("team", json!(team));
            plain.insert("app", json!(app));
            plain.insert("transport", json!(transport));
            plain.insert("channel", json!(channel));
            plain.insert("api_url", json!(api_url));
            secrets = [Some(bot_token), app_token.as_ref(), signing_secret.as_ref()];
        }
        for key in ["team", "app", "transport", "channel", "api_url"] {
            rows.add(at, &format!("slack.{key}"), plain.remove(key).unwrap_or_default());
        }
        for (key, secret) in ["bot_token", "app_token", "signing_secret"].iter().zip(secrets) {
            rows.secret(at, &format!("slack.{key}"), secret);
        }
    }

    fn people_rows<'s>(&'s self, rows: &mut Rows<'s>) {
        for (name, person) in &self.people {
            let super::Person { roles, local, slack, email, totp } = person;
            let values =
                [("roles", json!(roles)), ("local", json!(local)), ("slack", json!(slack)), ("email", json!(email))];
            for (key, value) in values {
                rows.member(Applies::Now, &format!("people.{name}.{key}"), value);
            }
            rows.secret(Applies::Now, &format!("people.{name}.totp"), totp.as_ref());
        }
    }
}

fn log_format(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
}
