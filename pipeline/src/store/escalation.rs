//! Cases that come near their deadline with nobody on them.

use serde_json::json;

use super::connect::{Store, StoreError, sql};
use super::event::EventKind;
use super::query::{query, query_scalar};
use super::record::append;
use crate::clock::Micros;

impl Store {
    /// Sends the cases of a flow that are due by `horizon`, and that nobody holds, to the seniors. Their
    /// ids come back.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn escalate_near(
        &self,
        flow: &str,
        horizon: Micros,
        now: Micros,
    ) -> Result<Vec<String>, StoreError> {
        let doing = "escalate cases near their deadline";
        let near = "select c.id from cases c left join leases l on l.case_id = c.id and l.expires_at > $3
                    where c.state = 'in_review' and c.flow = $1 and c.escalated = 0 and c.due_at <= $2
                      and l.case_id is null
                    order by c.id limit 200 for update of c skip locked";
        // A look before the writer is taken: mostly there is none.
        let found: Vec<String> = query_scalar(near)
            .bind(flow)
            .bind(horizon)
            .bind(now)
            .fetch_all(&self.reader)
            .await
            .map_err(sql(doing))?;
        if found.is_empty() {
            return Ok(found);
        }
        let mut transaction = self.begin().await?;
        let ids: Vec<String> = query_scalar(near)
            .bind(flow)
            .bind(horizon)
            .bind(now)
            .fetch_all(&mut transaction)
            .await
            .map_err(sql(doing))?;
        let mut escalated = Vec::new();
        for id in ids {
            // Somebody may have taken it between our look and our lock.
            let changed = query(
                "update cases set escalated = 1 where id = $1 and escalated = 0 and not exists
                    (select l.case_id from leases l where l.case_id = $1 and l.expires_at > $2)",
            )
            .bind(&id)
            .bind(now)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
            if changed == 1 {
                let event = (EventKind::Escalated, json!({"why": "deadline"}));
                append(&mut transaction, &id, "machine", vec![event], now).await?;
                escalated.push(id);
            }
        }
        transaction.commit().await.map_err(sql(doing))?;
        Ok(escalated)
    }
}
