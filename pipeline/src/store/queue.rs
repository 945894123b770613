//! Who works on which case: leases, handing over, setting aside.
//!
//! A lease ends by itself when nobody keeps it alive. Its generation grows each time that the case
//! changes hands, so that a change made under a lost lease is refused.

use serde_json::json;

use super::connect::{Store, StoreError, sql};
use super::event::EventKind;
use super::query::{Transaction, query, query_scalar};
use super::record::append;
use crate::clock::Micros;

/// A case in somebody's hands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Lease {
    pub case_id: String,
    pub user_id: String,
    pub generation: i64,
    pub acquired_at: Micros,
    pub expires_at: Micros,
}

/// Whether a case could be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    Yes(Lease),
    /// Somebody else has it, until then.
    Held {
        by: String,
        until: Micros,
    },
    /// It is not in review, or this user may not decide it.
    NotForYou,
}

/// What setting a case aside did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postponed {
    Done,
    /// The lease is somebody else's, or has ended.
    LostLease,
}

impl Store {
    /// Gives the most urgent case that this user may do, or the one that they hold already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_next(
        &self,
        user_id: &str,
        is_senior: bool,
        flow: Option<&str>,
        now: Micros,
        expires_at: Micros,
    ) -> Result<Option<Lease>, StoreError> {
        let doing = "find the next case";
        let mut transaction = self.begin().await?;
        // Who asks twice at once gets the same case twice.
        transaction.alone(user_id).await.map_err(sql(doing))?;
        let held: Option<String> = query_scalar(
            "select l.case_id from leases l join cases c on c.id = l.case_id
             where l.user_id = $1 and l.expires_at > $2 and c.state = 'in_review'
               and ($3 is null or c.flow = $3)
             order by l.acquired_at desc limit 1",
        )
        .bind(user_id)
        .bind(now)
        .bind(flow)
        .fetch_optional(&mut transaction)
        .await
        .map_err(sql(doing))?;
        let mut found = match held {
            Some(id) => Some(id),
            None => most_urgent(&mut transaction, user_id, is_senior, flow, now).await?,
        };
        while let Some(id) = found {
            if let Some(lease) = take(&mut transaction, &id, user_id, now, expires_at).await? {
                transaction.commit().await.map_err(sql(doing))?;
                return Ok(Some(lease));
            }
            // Somebody took it between our look and our lock; the next look sees that.
            found = most_urgent(&mut transaction, user_id, is_senior, flow, now).await?;
        }
        transaction.rollback().await.map_err(sql(doing))?;
        Ok(None)
    }

    /// Takes this case for the user; one that they hold is kept for longer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(
        &self,
        case_id: &str,
        user_id: &str,
        is_senior: bool,
        now: Micros,
        expires_at: Micros,
    ) -> Result<Taken, StoreError> {
        let doing = "take a case";
        let mut transaction = self.begin_on(case_id).await?;
        let row = query(
            "select l.user_id, l.expires_at, u.name from cases c
             left join leases l on l.case_id = c.id and l.expires_at > $2
             left join users u on u.id = l.user_id
             where c.id = $1 and c.state = 'in_review' and (c.escalated = 0 or $4 = 1)
               and (c.first_reviewer is null or c.first_reviewer <> $3)",
        )
        .bind(case_id)
        .bind(now)
        .bind(user_id)
        .bind(i64::from(is_senior))
        .fetch_optional(&mut transaction)
        .await
        .map_err(sql(doing))?;
        let Some(row) = row else {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(Taken::NotForYou);
        };
        let holder: Option<String> = row.try_get("user_id").map_err(sql(doing))?;
        if holder.is_some_and(|holder| holder != user_id) {
            let name: Option<String> = row.try_get("name").map_err(sql(doing))?;
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(Taken::Held {
                by: name.unwrap_or_default(),
                until: row.try_get("expires_at").map_err(sql(doing))?,
            });
        }
        let Some(lease) = take(&mut transaction, case_id, user_id, now, expires_at).await? else {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(Taken::NotForYou);
        };
        transaction.commit().await.map_err(sql(doing))?;
        Ok(Taken::Yes(lease))
    }

    /// Keeps a lease alive; `false` when it was lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn heartbeat(
        &self,
        case_id: &str,
        user_id: &str,
        generation: i64,
        now: Micros,
        expires_at: Micros,
    ) -> Result<bool, StoreError> {
        let kept = query(
            "update leases set expires_at = $5
             where case_id = $1 and user_id = $2 and generation = $3 and expires_at > $4",
        )
        .bind(case_id)
        .bind(user_id)
        .bind(generation)
        .bind(now)
        .bind(expires_at)
        .execute(&self.pool)
        .await
        .map_err(sql("keep a lease"))?;
        Ok(kept == 1)
    }

    /// The lease on a case, while it lasts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease(&self, case_id: &str, now: Micros) -> Result<Option<Lease>, StoreError> {
        let doing = "read a lease";
        let row = query(
            "select case_id, user_id, generation, acquired_at, expires_at from leases
             where case_id = $1 and expires_at > $2",
        )
        .bind(case_id)
        .bind(now)
        .fetch_optional(&self.reader)
        .await
        .map_err(sql(doing))?;
        row.map(|row| {
            Ok(Lease {
                case_id: row.try_get("case_id").map_err(sql(doing))?,
                user_id: row.try_get("user_id").map_err(sql(doing))?,
                generation: row.try_get("generation").map_err(sql(doing))?,
                acquired_at: row.try_get("acquired_at").map_err(sql(doing))?,
                expires_at: row.try_get("expires_at").map_err(sql(doing))?,
            })
        })
        .transpose()
    }

    /// Gives a case back. Without a generation it is taken from whoever holds it, which seniors may.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(
        &self,
        case_id: &str,
        user_id: &str,
        generation: Option<i64>,
        now: Micros,
    ) -> Result<bool, StoreError> {
        let doing = "give a case back";
        let mut transaction = self.begin_on(case_id).await?;
        let ended = query(
            "update leases set expires_at = 0, generation = generation + 1
             where case_id = $1 and expires_at > $4 and ($3 is null or (generation = $3 and user_id = $2))",
        )
        .bind(case_id)
        .bind(user_id)
        .bind(generation)
        .bind(now)
        .execute(&mut transaction)
        .await
        .map_err(sql(doing))?;
        if ended == 0 {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(false);
        }
        let detail = json!({"taken_away": generation.is_none()});
        append(&mut transaction, case_id, user_id, vec![(EventKind::Released, detail)], now).await?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(true)
    }

    /// Sets a case aside until a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone(
        &self,
        case_id: &str,
        user_id: &str,
        generation: i64,
        until: Micros,
        now: Micros,
    ) -> Result<Postponed, StoreError> {
        let doing = "set a case aside";
        let mut transaction = self.begin_on(case_id).await?;
        if !end_lease(&mut transaction, case_id, user_id, generation, now).await? {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(Postponed::LostLease);
        }
        query("update cases set postponed_until = $2, revision = revision + 1 where id = $1")
            .bind(case_id)
            .bind(until)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        append(
            &mut transaction,
            case_id,
            user_id,
            vec![(EventKind::Postponed, json!({"until": until}))],
            now,
        )
        .await?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(Postponed::Done)
    }

    /// Hands a case over, to a user or (without one) to the seniors.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hand_over(
        &self,
        case_id: &str,
        user_id: &str,
        generation: i64,
        to: Option<&str>,
        note: (&str, &str),
        now: Micros,
    ) -> Result<Postponed, StoreError> {
        let doing = "hand a case over";
        let mut transaction = self.begin_on(case_id).await?;
        if !end_lease(&mut transaction, case_id, user_id, generation, now).await? {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(Postponed::LostLease);
        }
        let hash =
            super::audit::insert_note(&mut transaction, note, case_id, user_id, "handover", now).await?;
        query(
            "update cases set assigned_to = $2, escalated = case when $2 is null then 1 else escalated end,
                    postponed_until = null, revision = revision + 1 where id = $1",
        )
        .bind(case_id)
        .bind(to)
        .execute(&mut transaction)
        .await
        .map_err(sql(doing))?;
        let kind = if to.is_some() { EventKind::HandedOver } else { EventKind::Escalated };
        let detail = json!({"to": to, "note": note.0, "note_sha256": hash});
        append(&mut transaction, case_id, user_id, vec![(kind, detail)], now).await?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(Postponed::Done)
    }

    /// Changes a case's place in the queue.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prioritise(
        &self,
        case_id: &str,
        user_id: &str,
        priority: i64,
        now: Micros,
    ) -> Result<(), StoreError> {
        let doing = "change the priority of a case";
        let mut transaction = self.begin_on(case_id).await?;
        query("update cases set priority = $2 where id = $1")
            .bind(case_id)
            .bind(priority)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        let event = (EventKind::Prioritised, json!({"priority": priority}));
        append(&mut transaction, case_id, user_id, vec![event], now).await?;
        transaction.commit().await.map_err(sql(doing))
    }
}

async fn most_urgent(
    transaction: &mut Transaction,
    user_id: &str,
    is_senior: bool,
    flow: Option<&str>,
    now: Micros,
) -> Result<Option<String>, StoreError> {
    query_scalar(
        "select c.id from cases c
         left join leases l on l.case_id = c.id and l.expires_at > $1
         where c.state = 'in_review' and l.case_id is null
           and (c.postponed_until is null or c.postponed_until <= $1)
           and (c.escalated = 0 or $3 = 1)
           and (c.first_reviewer is null or c.first_reviewer <> $2)
           and (c.assigned_to is null or c.assigned_to = $2)
           and ($4 is null or c.flow = $4)
         order by c.escalated desc, c.priority desc, c.due_at nulls first, c.amount_cents desc, c.id limit 1
         for update of c skip locked",
    )
    .bind(now)
    .bind(user_id)
    .bind(i64::from(is_senior))
    .bind(flow)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(sql("find the next case"))
}

/// Writes the lease of a case that is free or held by this user; `None` when somebody else has it.
async fn take(
    transaction: &mut Transaction,
    case_id: &str,
    user_id: &str,
    now: Micros,
    expires_at: Micros,
) -> Result<Option<Lease>, StoreError> {
    let doing = "take a case";
    let before: Option<i64> =
        query_scalar("select generation from leases where case_id = $1 and user_id = $2 and expires_at > $3")
            .bind(case_id)
            .bind(user_id)
            .bind(now)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql(doing))?;
    let row = query(
        "insert into leases (case_id, user_id, generation, acquired_at, expires_at) values ($1, $2, 1, $3, $4)
         on conflict (case_id) do update set
            generation = case when leases.user_id = $2 and leases.expires_at > $3
                then leases.generation else leases.generation + 1 end,
            acquired_at = case when leases.user_id = $2 and leases.expires_at > $3
                then leases.acquired_at else $3 end,
            user_id = $2, expires_at = $4
         where leases.user_id = $2 or leases.expires_at <= $3
         returning generation, acquired_at",
    )
    .bind(case_id)
    .bind(user_id)
    .bind(now)
    .bind(expires_at)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(sql(doing))?;
    let Some(row) = row else { return Ok(None) };
    if before.is_none() {
        append(transaction, case_id, user_id, vec![(EventKind::Claimed, json!({}))], now).await?;
    }
    Ok(Some(Lease {
        case_id: case_id.to_owned(),
        user_id: user_id.to_owned(),
        generation: row.try_get("generation").map_err(sql(doing))?,
        acquired_at: row.try_get("acquired_at").map_err(sql(doing))?,
        expires_at,
    }))
}

/// Ends the lease if it is this user's and alive.
pub(super) async fn end_lease(
    transaction: &mut Transaction,
    case_id: &str,
    user_id: &str,
    generation: i64,
    now: Micros,
) -> Result<bool, StoreError> {
    let ended = query(
        "update leases set expires_at = 0, generation = generation + 1
         where case_id = $1 and user_id = $2 and generation = $3 and expires_at > $4",
    )
    .bind(case_id)
    .bind(user_id)
    .bind(generation)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .map_err(sql("end a lease"))?;
    Ok(ended == 1)
}
