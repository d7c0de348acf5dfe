//! The arguments that methods know. Slack passes over some that it does not know; a double that did so would hide a misspelt one.

use serde_json::Value;

const KNOWN: [(&str, &[&str]); 17] = [
    ("apps.connections.open", &[]),
    ("auth.test", &[]),
    ("bots.info", &["bot"]),
    ("chat.postEphemeral", &["channel", "user", "text", "blocks"]),
    ("chat.postMessage", &["channel", "text", "blocks", "metadata", "unfurl_links", "unfurl_media", "thread_ts"]),
    ("chat.update", &["channel", "ts", "text", "blocks", "metadata"]),
    ("conversations.history", &["channel", "include_all_metadata", "limit", "oldest", "cursor"]),
    ("conversations.info", &["channel"]),
    ("conversations.list", &["types", "exclude_archived", "limit", "cursor"]),
    ("conversations.replies", &["channel", "ts", "include_all_metadata", "limit", "oldest", "cursor"]),
    ("files.completeUploadExternal", &["files", "channel_id", "thread_ts"]),
    ("files.getUploadURLExternal", &["filename", "length", "alt_txt"]),
    ("files.info", &["file"]),
    ("usergroups.list", &["include_users", "include_disabled"]),
    ("users.info", &["user"]),
    ("users.list", &["limit", "cursor"]),
    ("views.open", &["trigger_id", "view"]),
];

/// Refuses a method or an argument that Slack does not know.
pub(crate) fn judge(method: &str, arguments: &Value) -> Result<(), String> {
    let (_, known) = KNOWN.iter().find(|(name, _)| *name == method).ok_or("unknown_method")?;
    let mut given = arguments.as_object().into_iter().flat_map(|arguments| arguments.keys());
    match given.find(|name| !known.contains(&name.as_str())) {
        Some(_) => Err("invalid_arguments".to_string()),
        None => Ok(()),
    }
}
