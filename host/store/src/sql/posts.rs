//! What was posted where.

use super::SqlStore;
use super::connection::one;
use super::rows::Record;
use super::statement::Sql;
use async_trait::async_trait;
use countersign_ports::failpoint::Point;
use countersign_ports::{Post, PostStore, StoreError};

pub(super) const ONE: &str = "SELECT * FROM posts WHERE subject = $1 AND channel = $2";
const RECORD: &str = "INSERT INTO posts (subject, channel, channel_id, message_id, posted_at, memo) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (subject, channel) DO UPDATE SET channel_id = excluded.channel_id, \
     message_id = excluded.message_id, posted_at = excluded.posted_at, memo = excluded.memo";

#[async_trait]
impl PostStore for SqlStore {
    async fn post(&self, subject: &str, channel: &str) -> Result<Option<Post>, StoreError> {
        let sql = Sql::new(ONE).bind(subject).bind(channel);
        let Some(row) = one(&mut self.reader().await?.connection(), "read post", sql).await? else {
            return Ok(None);
        };
        let record = Record::new(&row, "posts", "subject");
        Ok(Some(Post {
            subject: record.text("subject")?,
            channel: record.text("channel")?,
            channel_id: record.text("channel_id")?,
            message_id: record.text("message_id")?,
            posted_at: record.instant("posted_at")?,
            memo: record.document("memo")?,
        }))
    }

    async fn record_post(&self, post: &Post) -> Result<(), StoreError> {
        let mut toucher = self.toucher().await?;
        let mut write = toucher.begin(Point::RecordPost).await?;
        let sql = Sql::new(RECORD)
            .bind(post.subject.as_str())
            .bind(post.channel.as_str())
            .bind(post.channel_id.as_str())
            .bind(post.message_id.as_str())
            .bind(post.posted_at.as_micros())
            .bind(serde_json::to_string(&post.memo)?);
        write.execute("record post", sql).await?;
        write.commit().await
    }
}
