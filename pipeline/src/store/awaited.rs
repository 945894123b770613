//! Cases whose applicants were asked for documents and have not sent them: reminders, and the end of
//! waiting.

use serde_json::json;

use super::connect::{Store, StoreError, sql};
use super::event::EventKind;
use super::outbox::{NewDelivery, insert_deliveries};
use super::processing::Finished;
use super::query::{query, query_scalar};
use super::record::append;
use crate::clock::Micros;

/// Cases looked at in one round.
const AT_ONCE: i64 = 100;

impl Store {
    /// Cases of a flow that wait for documents since `before` or longer and whose applicants were not
    /// reminded meanwhile, the longest waiting first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn to_remind(&self, flow: &str, before: Micros) -> Result<Vec<String>, StoreError> {
        self.waiting_for_documents(flow, before, true).await.map_err(sql("find applicants to remind"))
    }

    /// Cases of a flow that wait for documents since `before` or longer, the longest waiting first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue(&self, flow: &str, before: Micros) -> Result<Vec<String>, StoreError> {
        let found = self.waiting_for_documents(flow, before, false).await;
        found.map_err(sql("find cases whose documents did not come"))
    }

    async fn waiting_for_documents(
        &self,
        flow: &str,
        before: Micros,
        unreminded_alone: bool,
    ) -> Result<Vec<String>, sqlx::Error> {
        query_scalar(
            "select id from cases where state = 'waiting_documents' and flow = $1 and waiting_since <= $2
               and ($3 = 0 or reminded_at is null or reminded_at < waiting_since)
             order by waiting_since, id limit $4",
        )
        .bind(flow)
        .bind(before)
        .bind(unreminded_alone)
        .bind(AT_ONCE)
        .fetch_all(&self.reader)
        .await
    }

    /// Notes that an applicant is reminded; `false` when the case has changed since.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn remind(
        &self,
        case_id: &str,
        revision: i64,
        deliveries: &[NewDelivery],
        now: Micros,
    ) -> Result<bool, StoreError> {
        let doing = "record a reminder";
        let mut transaction = self.begin_on(case_id).await?;
        let changed = query(
            "update cases set reminded_at = $3 where id = $1 and revision = $2 and state = 'waiting_documents'
               and (reminded_at is null or reminded_at < waiting_since)",
        )
        .bind(case_id)
        .bind(revision)
        .bind(now)
        .execute(&mut transaction)
        .await
        .map_err(sql(doing))?;
        if changed == 0 {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(false);
        }
        insert_deliveries(&mut transaction, case_id, deliveries, now).await?;
        append(&mut transaction, case_id, "machine", vec![(EventKind::Reminded, json!({}))], now).await?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(true)
    }

    /// Records what becomes of a case whose documents did not come; `false` when it has changed since.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn expire(&self, finished: Finished, now: Micros) -> Result<bool, StoreError> {
        self.finish_from("waiting_documents", finished, now).await
    }
}
