//! Uploads: ask where, send the bytes, complete. The upload address is a credential of its own and is never shown.

use super::{Body, Client};
use crate::error::SlackError;
use serde_json::json;

/// Slack cuts descriptions of files here.
const ALT_CHARACTERS: usize = 1_000;

impl Client {
    /// Uploads a picture; its file identifier. Slack may need a moment before the picture can be shown.
    pub(crate) async fn upload(&self, name: &str, alt: &str, bytes: Vec<u8>) -> Result<String, SlackError> {
        const WHERE: &str = "files.getUploadURLExternal";
        const UPLOAD: &str = "upload file";
        let answer = self
            .call(
                WHERE,
                Body::Form(vec![
                    ("filename", name.to_string()),
                    ("length", bytes.len().to_string()),
                    ("alt_txt", alt.chars().take(ALT_CHARACTERS).collect()),
                ]),
            )
            .await?;
        let (Some(url), Some(file)) = (answer["upload_url"].as_str(), answer["file_id"].as_str()) else {
            return Err(SlackError::Unreadable { method: WHERE, problem: "no upload address".to_string() });
        };
        if !crate::options::is_safe_address(url, "http") {
            return Err(SlackError::Unreadable { method: WHERE, problem: "an address without https".to_string() });
        }
        let lost = |error: reqwest::Error| SlackError::Transport { method: UPLOAD, source: error.without_url() };
        let response = self.http.post(url).body(bytes).send().await.map_err(lost)?;
        if !response.status().is_success() {
            let problem = format!("status {}", response.status().as_u16());
            return Err(SlackError::Unreadable { method: UPLOAD, problem });
        }
        let files = json!([{ "id": file, "title": name }]).to_string();
        self.act("files.completeUploadExternal", Body::Form(vec![("files", files)]), self.timing.answer).await?;
        Ok(file.to_string())
    }
}
