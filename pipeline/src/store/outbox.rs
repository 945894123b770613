//! Deliveries: written with the change that they tell of, taken by whoever sends them, kept when they die.

use super::connect::{Store, StoreError, sql};
use super::query::{Row, Transaction, query, query_scalar};
use crate::clock::Micros;
use crate::deliver::Occasion;

/// Something to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    pub id: String,
    /// Name of the destination in the configuration.
    pub destination: String,
    pub occasion: Occasion,
    pub body: String,
}

/// A delivery that is to be tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    pub id: String,
    pub case_id: String,
    pub flow: String,
    pub reference: String,
    pub destination: String,
    pub occasion: Occasion,
    pub body: String,
    /// This one counted.
    pub attempts: i64,
    /// The same destination was told something newer of the case, or is about to be.
    pub is_superseded: bool,
}

/// A delivery as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Delivery {
    pub id: String,
    pub case_id: String,
    pub flow: String,
    pub reference: String,
    pub destination: String,
    pub occasion: Occasion,
    pub state: DeliveryState,
    pub attempts: i64,
    pub next_attempt_at: Micros,
    pub created_at: Micros,
    pub finished_at: Option<Micros>,
    /// Why the last attempt came to nothing.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Waiting,
    Delivered,
    /// Given up, until somebody has it sent again.
    Dead,
}

impl DeliveryState {
    pub const ALL: [DeliveryState; 3] =
        [DeliveryState::Waiting, DeliveryState::Delivered, DeliveryState::Dead];

    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Dead => "dead",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl Store {
    /// Destinations for which something waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting_destinations(&self) -> Result<Vec<String>, StoreError> {
        query_scalar(
            "select distinct destination from deliveries where state = 'waiting' order by destination",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(sql("find destinations that something waits for"))
    }

    /// Has what waits for longer than until `latest` tried now: nothing waits so long unless the clock was put back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bring_deliveries_forward(&self, now: Micros, latest: Micros) -> Result<u64, StoreError> {
        query("update deliveries set next_attempt_at = $1 where state = 'waiting' and next_attempt_at > $2")
            .bind(now)
            .bind(latest)
            .execute(&self.pool)
            .await
            .map_err(sql("bring deliveries forward"))
    }

    /// Takes deliveries to a destination that are due, the oldest first: they are nobody else's until `until`, and
    /// each has had one attempt more.
    ///
    /// # Errors
    /// When the database fails or holds a delivery that cannot be understood.
    pub async fn take_due_deliveries(
        &self,
        destination: &str,
        now: Micros,
        until: Micros,
        limit: i64,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let doing = "take due deliveries";
        let due = "select id from deliveries
                   where state = 'waiting' and destination = $1 and next_attempt_at <= $2
                   order by next_attempt_at, id limit $3 for update skip locked";
        // A look before the writer is taken: mostly there is none.
        let some: Option<String> = query_scalar(
            "select id from deliveries where state = 'waiting' and destination = $1 and next_attempt_at <= $2
             limit 1",
        )
        .bind(destination)
        .bind(now)
        .fetch_optional(&self.reader)
        .await
        .map_err(sql(doing))?;
        if some.is_none() {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin().await?;
        let ids: Vec<String> = query_scalar(due)
            .bind(destination)
            .bind(now)
            .bind(limit)
            .fetch_all(&mut transaction)
            .await
            .map_err(sql(doing))?;
        let mut taken = Vec::with_capacity(ids.len());
        for id in ids {
            query("update deliveries set attempts = attempts + 1, next_attempt_at = $2 where id = $1")
                .bind(&id)
                .bind(until)
                .execute(&mut transaction)
                .await
                .map_err(sql(doing))?;
            let row = query(
                "select d.id, d.case_id, c.flow, c.reference, d.destination, d.occasion, coalesce(d.body, '') as body,
                        d.attempts,
                        (select count(*) from deliveries later
                         where later.case_id = d.case_id and later.destination = d.destination
                           and (later.created_at > d.created_at
                                or (later.created_at = d.created_at and later.id > d.id))) as later
                 from deliveries d join cases c on c.id = d.case_id where d.id = $1",
            )
            .bind(&id)
            .fetch_one(&mut transaction)
            .await
            .map_err(sql(doing))?;
            taken.push(due_delivery(&row)?);
        }
        transaction.commit().await.map_err(sql(doing))?;
        Ok(taken)
    }

    /// Notes that a delivery arrived; what it said is not kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivered(&self, id: &str, now: Micros) -> Result<(), StoreError> {
        self.after_attempt(id, DeliveryState::Delivered, None, now).await
    }

    /// Notes that an attempt came to nothing: the next one is at `next`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_failed(&self, id: &str, problem: &str, next: Micros) -> Result<(), StoreError> {
        self.after_attempt(id, DeliveryState::Waiting, Some(problem), next).await
    }

    /// Gives a delivery up, until somebody has it sent again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_died(&self, id: &str, problem: &str, now: Micros) -> Result<(), StoreError> {
        self.after_attempt(id, DeliveryState::Dead, Some(problem), now).await
    }

    /// Where a delivery that waited stands now. `at` is the next attempt while it waits, else its end.
    async fn after_attempt(
        &self,
        id: &str,
        state: DeliveryState,
        problem: Option<&str>,
        at: Micros,
    ) -> Result<(), StoreError> {
        query(
            "update deliveries set state = $2, problem = $3,
                    body = case when $2 = 'delivered' then null else body end,
                    next_attempt_at = case when $2 = 'waiting' then $4 else next_attempt_at end,
                    finished_at = case when $2 = 'waiting' then null else $4 end
             where id = $1 and state = 'waiting'",
        )
        .bind(id)
        .bind(state.as_str())
        .bind(problem)
        .bind(at)
        .execute(&self.pool)
        .await
        .map_err(sql("note what an attempt to deliver came to"))?;
        Ok(())
    }

    /// Deliveries, the newest first, behind `after` (moment and id of the last one seen).
    ///
    /// # Errors
    /// When the database fails or holds a delivery that cannot be understood.
    pub async fn deliveries(
        &self,
        state: Option<DeliveryState>,
        case_id: Option<&str>,
        after: Option<(Micros, String)>,
        limit: i64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (moment, id) = after.map_or((None, None), |(moment, id)| (Some(moment), Some(id)));
        let rows = query(
            "select d.id, d.case_id, c.flow, c.reference, d.destination, d.occasion, d.state, d.attempts,
                    d.next_attempt_at, d.created_at, d.finished_at, d.problem
             from deliveries d join cases c on c.id = d.case_id
             where ($1 is null or d.state = $1) and ($2 is null or d.case_id = $2)
               and ($3 is null or d.created_at < $3 or (d.created_at = $3 and d.id < $4))
             order by d.created_at desc, d.id desc limit $5",
        )
        .bind(state.map(DeliveryState::as_str))
        .bind(case_id)
        .bind(moment)
        .bind(id)
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .map_err(sql("list deliveries"))?;
        rows.iter().map(delivery).collect()
    }

    /// Has a dead letter sent again, or all of them, with all attempts before it; how many they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resend(&self, id: Option<&str>, now: Micros) -> Result<u64, StoreError> {
        query(
            "update deliveries set state = 'waiting', attempts = 0, next_attempt_at = $2, finished_at = null
             where state = 'dead' and body is not null and ($1 is null or id = $1)",
        )
        .bind(id)
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(sql("have dead letters sent again"))
    }

    /// What a delivery says, while it is kept.
    #[cfg(test)]
    pub(crate) async fn delivery_body(&self, id: &str) -> Result<Option<String>, StoreError> {
        query_scalar("select body from deliveries where id = $1")
            .bind(id)
            .fetch_one(&self.reader)
            .await
            .map_err(sql("read a delivery"))
    }

    /// How many deliveries are in each state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery_counts(&self) -> Result<Vec<(DeliveryState, i64)>, StoreError> {
        let doing = "count deliveries";
        let rows = query("select state, count(*) as number from deliveries group by state")
            .fetch_all(&self.reader)
            .await
            .map_err(sql(doing))?;
        let mut counts: Vec<(DeliveryState, i64)> = DeliveryState::ALL.map(|state| (state, 0)).into();
        for row in rows {
            let name: String = row.try_get("state").map_err(sql(doing))?;
            let number: i64 = row.try_get("number").map_err(sql(doing))?;
            counts.iter_mut().filter(|(state, _)| state.as_str() == name).for_each(|count| count.1 = number);
        }
        Ok(counts)
    }
}

/// Writes what a change of the case is to tell others.
pub(super) async fn insert_deliveries(
    transaction: &mut Transaction,
    case_id: &str,
    deliveries: &[NewDelivery],
    at: Micros,
) -> Result<(), StoreError> {
    for delivery in deliveries {
        query(
            "insert into deliveries (id, case_id, destination, occasion, body, state, next_attempt_at, created_at)
             values ($1, $2, $3, $4, $5, 'waiting', $6, $6)",
        )
        .bind(&delivery.id)
        .bind(case_id)
        .bind(&delivery.destination)
        .bind(delivery.occasion.as_str())
        .bind(&delivery.body)
        .bind(at)
        .execute(&mut *transaction)
        .await
        .map_err(sql("write a delivery"))?;
    }
    Ok(())
}

fn occasion_of(row: &Row, id: &str) -> Result<Occasion, StoreError> {
    let name: String = row.try_get("occasion").map_err(sql("read a delivery"))?;
    Occasion::parse(&name).ok_or_else(|| StoreError::BadData {
        table: "deliveries",
        column: "occasion",
        row: id.to_owned(),
    })
}

fn due_delivery(row: &Row) -> Result<DueDelivery, StoreError> {
    let doing = "read a delivery";
    let id: String = row.try_get("id").map_err(sql(doing))?;
    Ok(DueDelivery {
        case_id: row.try_get("case_id").map_err(sql(doing))?,
        flow: row.try_get("flow").map_err(sql(doing))?,
        reference: row.try_get("reference").map_err(sql(doing))?,
        destination: row.try_get("destination").map_err(sql(doing))?,
        occasion: occasion_of(row, &id)?,
        body: row.try_get("body").map_err(sql(doing))?,
        attempts: row.try_get("attempts").map_err(sql(doing))?,
        is_superseded: row.try_get::<i64>("later").map_err(sql(doing))? > 0,
        id,
    })
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    let doing = "read a delivery";
    let id: String = row.try_get("id").map_err(sql(doing))?;
    let state: String = row.try_get("state").map_err(sql(doing))?;
    Ok(Delivery {
        case_id: row.try_get("case_id").map_err(sql(doing))?,
        flow: row.try_get("flow").map_err(sql(doing))?,
        reference: row.try_get("reference").map_err(sql(doing))?,
        destination: row.try_get("destination").map_err(sql(doing))?,
        occasion: occasion_of(row, &id)?,
        state: DeliveryState::parse(&state).ok_or_else(|| StoreError::BadData {
            table: "deliveries",
            column: "state",
            row: id.clone(),
        })?,
        attempts: row.try_get("attempts").map_err(sql(doing))?,
        next_attempt_at: row.try_get("next_attempt_at").map_err(sql(doing))?,
        created_at: row.try_get("created_at").map_err(sql(doing))?,
        finished_at: row.try_get("finished_at").map_err(sql(doing))?,
        problem: row.try_get("problem").map_err(sql(doing))?,
        id,
    })
}
