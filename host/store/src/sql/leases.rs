//! Duties that one daemon at a time has. They are no facts of the record: each change is one row under a condition.

use super::SqlStore;
use super::connection::{Row, all};
use super::rows::Record;
use super::statement::Sql;
use async_trait::async_trait;
use countersign_model::id::WorkerId;
use countersign_ports::failpoint::Point;
use countersign_ports::lease_store::Held;
use countersign_ports::{LeaseStore, StoreError};
use std::time::Duration;

const HOLD: &str = "INSERT INTO leases (name, owner, until) VALUES ($1, $2, $3) \
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until \
     WHERE leases.owner = excluded.owner OR leases.until <= $4";
const LET_GO: &str = "DELETE FROM leases WHERE name = $1 AND owner = $2";
/// One row a duty: reading them all is the question.
pub(super) const HELD: &str = "SELECT * FROM leases WHERE until > $1 ORDER BY name";

#[async_trait]
impl LeaseStore for SqlStore {
    async fn hold(&self, name: &str, owner: &WorkerId, lease: Duration) -> Result<bool, StoreError> {
        let mut toucher = self.toucher().await?;
        let mut write = toucher.begin(Point::Hold).await?;
        let now = write.now();
        let sql =
            Sql::new(HOLD).bind(name).bind(owner.to_string()).bind(now.plus(lease).as_micros()).bind(now.as_micros());
        let held = write.execute("hold duty", sql).await? > 0;
        write.commit().await?;
        Ok(held)
    }

    async fn let_go(&self, name: &str, owner: &WorkerId) -> Result<(), StoreError> {
        let mut toucher = self.toucher().await?;
        let mut write = toucher.begin(Point::Hold).await?;
        write.execute("let duty go", Sql::new(LET_GO).bind(name).bind(owner.to_string())).await?;
        write.commit().await
    }

    async fn held(&self) -> Result<Vec<Held>, StoreError> {
        let sql = Sql::new(HELD).bind(self.now().await?.as_micros());
        let rows = all(&mut self.reader().await?.connection(), "list duties", sql).await?;
        rows.iter().map(held).collect()
    }
}

fn held(row: &Row) -> Result<Held, StoreError> {
    let record = Record::new(row, "leases", "name");
    Ok(Held { name: record.text("name")?, owner: record.parsed("owner")?, until: record.instant("until")? })
}
