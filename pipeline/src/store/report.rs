//! What a report is made of: the sums of its days, the backlog, and who people are.

use std::collections::BTreeMap;

use super::connect::{Store, StoreError, sql};
use super::facts::StoredDay;
use super::query::{Row, query};
use crate::clock::Micros;
use crate::report::{Backlog, FlowDay, Material, Policies, Report, ReportQuery};

const DAY: Micros = 24 * 3_600_000_000;

impl Store {
    /// The report on the cases as they are now. The same for pages, API and command line.
    ///
    /// # Errors
    /// When the database fails or holds something that cannot be understood.
    pub async fn report(
        &self,
        query: &ReportQuery,
        policies: &Policies,
        now: Micros,
    ) -> Result<Report, StoreError> {
        let uncounted = self.count_first(policies, now).await?;
        let material = Material {
            days: self.days(query).await?,
            backlog: self.backlog(query.flow.as_deref(), now).await?,
            logins: self.users().await?.into_iter().map(|user| (user.id, user.login)).collect(),
            uncounted,
        };
        Ok(Report::of(&material, query, policies))
    }

    async fn days(&self, asked: &ReportQuery) -> Result<Vec<FlowDay>, StoreError> {
        let doing = "read the sums of days";
        let rows = query(
            "select day, flow, generation, rollup from report_days
             where ($1 is null or day >= $1) and ($2 is null or day <= $2) and ($3 is null or flow = $3)
             order by day, flow",
        )
        .bind(asked.from.map(|day| day.to_string()))
        .bind(asked.to.map(|day| day.to_string()))
        .bind(&asked.flow)
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let mut days = Vec::new();
        for row in &rows {
            let stored = StoredDay::of(row)?;
            let rollup = self.sum_of(&stored).await?;
            // A day whose cases all moved on has nothing to tell.
            if rollup.split.cases > 0 {
                let day = stored.day.parse().map_err(|_| StoreError::BadData {
                    table: "report_days",
                    column: "day",
                    row: stored.day.clone(),
                })?;
                days.push(FlowDay { day, flow: stored.flow, rollup });
            }
        }
        Ok(days)
    }

    async fn backlog(
        &self,
        flow: Option<&str>,
        now: Micros,
    ) -> Result<BTreeMap<String, Backlog>, StoreError> {
        let doing = "read the backlog";
        let rows = query(
            "select flow,
                    count(*) filter (where state = 'processing') as processing, count(*) filter (where state = 'in_review') as in_review,
                    count(*) filter (where state = 'waiting_documents') as waiting_documents,
                    count(*) filter (where state = 'in_review' and due_at < $1) as overdue,
                    count(*) filter (where state = 'in_review' and queued_at >= $2) as under_1,
                    count(*) filter (where state = 'in_review' and queued_at < $2 and queued_at >= $3) as under_3,
                    count(*) filter (where state = 'in_review' and queued_at < $3 and queued_at >= $4) as under_7,
                    count(*) filter (where state = 'in_review' and queued_at < $4) as more,
                    min(case when state = 'in_review' then queued_at end) as oldest
             from cases where state <> 'final' and ($5 is null or flow = $5) group by flow",
        )
        .bind(now)
        .bind(now - DAY)
        .bind(now - 3 * DAY)
        .bind(now - 7 * DAY)
        .bind(flow)
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let one = |row: &Row| {
            let count = |column: &'static str| {
                let count: i64 = row.try_get(column).map_err(sql(doing))?;
                Ok::<u32, StoreError>(u32::try_from(count).unwrap_or(u32::MAX))
            };
            let backlog = Backlog {
                processing: count("processing")?,
                in_review: count("in_review")?,
                waiting_documents: count("waiting_documents")?,
                overdue: count("overdue")?,
                age_days: [count("under_1")?, count("under_3")?, count("under_7")?, count("more")?],
                oldest_queued_at: row.try_get("oldest").map_err(sql(doing))?,
            };
            Ok((row.try_get("flow").map_err(sql(doing))?, backlog))
        };
        rows.iter().map(one).collect()
    }
}
