//! What a person's change of a case writes, all or nothing: refused when the lease was lost or the
//! case has changed since it was looked at.

use serde_json::json;

use super::audit::{Correction, insert_note};
use super::connect::{Store, StoreError, sql};
use super::event::EventKind;
use super::outbox::{NewDelivery, insert_deliveries};
use super::query::{Transaction, query, query_scalar};
use super::queue::end_lease;
use super::record::{append, encode, write_reasons};
use crate::clock::Micros;
use crate::domain::{CaseResult, Outcome};

/// A change to record.
#[derive(Debug, Clone)]
pub struct ReviewCommit {
    pub case_id: String,
    pub user_id: String,
    /// Of the lease under which it was made.
    pub generation: i64,
    /// Of the case that it was made on.
    pub revision: i64,
    pub result: CaseResult,
    pub amount_cents: i64,
    pub corrections: Vec<Correction>,
    pub events: Vec<(EventKind, serde_json::Value)>,
    pub effect: Effect,
    /// Id and text of what the person wrote to it.
    pub note: Option<(String, String)>,
    /// What others are told of it.
    pub deliveries: Vec<NewDelivery>,
}

/// Where the case goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// It stays with the reviewer.
    Stay,
    /// It is decided.
    Close,
    /// The applicant has to send something.
    Request { wanted: Vec<String>, message: String },
    /// Another person has to agree.
    SecondOpinion { outcome: Outcome },
    /// Two people disagree: a senior decides.
    Escalate,
}

/// Whether it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// With the case's revision now.
    Done {
        revision: i64,
    },
    LostLease,
    /// The case has changed since.
    Stale,
}

impl Store {
    /// Records a change with its events in one transaction.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn commit_review(&self, commit: ReviewCommit, now: Micros) -> Result<Committed, StoreError> {
        let doing = "record a review";
        let mut transaction = self.begin_on(&commit.case_id).await?;
        let held: Option<i64> = query_scalar(
            "select generation from leases where case_id = $1 and user_id = $2 and generation = $3 and expires_at > $4",
        )
        .bind(&commit.case_id)
        .bind(&commit.user_id)
        .bind(commit.generation)
        .bind(now)
        .fetch_optional(&mut transaction)
        .await
        .map_err(sql(doing))?;
        if held.is_none() {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(Committed::LostLease);
        }
        let Some(revision) = update_case(&mut transaction, &commit, now).await? else {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(Committed::Stale);
        };
        write_reasons(&mut transaction, &commit.case_id, &commit.result).await?;
        for correction in &commit.corrections {
            insert_correction(&mut transaction, &commit, correction, revision, now).await?;
        }
        let mut events = commit.events.clone();
        if let Some((id, text)) = &commit.note {
            let note = (id.as_str(), text.as_str());
            let hash =
                insert_note(&mut transaction, note, &commit.case_id, &commit.user_id, "reason", now).await?;
            if let Some((_, serde_json::Value::Object(detail))) = events.last_mut() {
                detail.insert("note".to_owned(), json!(id));
                detail.insert("note_sha256".to_owned(), json!(hash));
            }
        }
        if let Effect::Request { wanted, message } = &commit.effect {
            insert_request(&mut transaction, &commit.case_id, &commit.user_id, wanted, message, now).await?;
            events.push((EventKind::DocumentsRequested, json!({"wanted": wanted})));
        }
        if commit.effect == Effect::Escalate {
            events.push((EventKind::Escalated, json!({"why": "disagreement"})));
        }
        insert_deliveries(&mut transaction, &commit.case_id, &commit.deliveries, now).await?;
        append(&mut transaction, &commit.case_id, &commit.user_id, events, now).await?;
        if commit.effect != Effect::Stay {
            end_lease(&mut transaction, &commit.case_id, &commit.user_id, commit.generation, now).await?;
        }
        transaction.commit().await.map_err(sql(doing))?;
        Ok(Committed::Done { revision })
    }
}

impl Store {
    /// Ids of cases in review whose last decision rests on other rules than these, in order, behind `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decided_by_other_rules(
        &self,
        version: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        query_scalar(
            "select id from cases where state = 'in_review' and rules_version <> $1 and id > $2
             order by id limit $3",
        )
        .bind(version)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .map_err(sql("find cases that other rules decided"))
    }

    /// Records what the rules in force say of a case in review; `false` when it has changed since.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn record_recheck(
        &self,
        case_id: &str,
        revision: i64,
        result: &CaseResult,
        amount_cents: i64,
        event: (EventKind, serde_json::Value),
        now: Micros,
    ) -> Result<bool, StoreError> {
        let doing = "record what the rules in force say";
        let mut transaction = self.begin_on(case_id).await?;
        let changed = query(
            "update cases set revision = revision + 1, result = $3, outcome = $4, decided_at = $5,
                    rules_version = $6, amount_cents = $7
             where id = $1 and revision = $2 and state = 'in_review'",
        )
        .bind(case_id)
        .bind(revision)
        .bind(encode("a result", result)?)
        .bind(result.outcome.as_str())
        .bind(now)
        .bind(&result.rules.version)
        .bind(amount_cents)
        .execute(&mut transaction)
        .await
        .map_err(sql(doing))?;
        if changed == 0 {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(false);
        }
        write_reasons(&mut transaction, case_id, result).await?;
        append(&mut transaction, case_id, "machine", vec![event], now).await?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(true)
    }
}

/// The new revision; `None` when the case is no longer what the change was made on.
async fn update_case(
    transaction: &mut Transaction,
    commit: &ReviewCommit,
    now: Micros,
) -> Result<Option<i64>, StoreError> {
    let doing = "record a review";
    let result = &commit.result;
    let (state, first_outcome) = match &commit.effect {
        Effect::Stay | Effect::Escalate => ("in_review", None),
        Effect::Close => ("final", None),
        Effect::Request { .. } => ("waiting_documents", None),
        Effect::SecondOpinion { outcome } => ("in_review", Some(outcome.as_str())),
    };
    let row = query(
        "update cases set revision = revision + 1, touched = 1, state = $3,
                machine_result = coalesce(machine_result, result), result = $4, outcome = $5, mode = $6,
                decided_at = $7, rules_version = $8, amount_cents = $9,
                first_response_at = case when $3 <> 'in_review' then coalesce(first_response_at, $7)
                    else first_response_at end,
                waiting_since = case when $3 = 'waiting_documents' then $7 else null end,
                final_at = case when $3 = 'final' then $7 else null end,
                goal_at = case when $3 = 'in_review' then goal_at else null end,
                due_at = case when $3 = 'in_review' then due_at else null end,
                first_reviewer = case when $10 is not null then $11 when $3 = 'in_review' then first_reviewer
                    else null end,
                first_outcome = case when $10 is not null then $10 when $3 = 'in_review' then first_outcome
                    else null end,
                escalated = case when $12 = 1 then 1 when $3 = 'in_review' then escalated else 0 end,
                assigned_to = case when $13 = 1 then assigned_to else null end,
                postponed_until = null
         where id = $1 and revision = $2 and state = 'in_review'
         returning revision",
    )
    .bind(&commit.case_id)
    .bind(commit.revision)
    .bind(state)
    .bind(encode("a result", result)?)
    .bind(result.outcome.as_str())
    .bind(result.mode.map(crate::domain::Mode::as_str))
    .bind(now)
    .bind(&result.rules.version)
    .bind(commit.amount_cents)
    .bind(first_outcome)
    .bind(&commit.user_id)
    .bind(i64::from(commit.effect == Effect::Escalate))
    .bind(i64::from(commit.effect == Effect::Stay))
    .fetch_optional(&mut *transaction)
    .await
    .map_err(sql(doing))?;
    row.map(|row| row.try_get("revision").map_err(sql(doing))).transpose()
}

async fn insert_correction(
    transaction: &mut Transaction,
    commit: &ReviewCommit,
    correction: &Correction,
    revision: i64,
    now: Micros,
) -> Result<(), StoreError> {
    query(
        "insert into corrections (id, case_id, revision, user_id, at, document_type, field, kind, before, after,
                                  machine_confidence)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(&correction.id)
    .bind(&commit.case_id)
    .bind(revision)
    .bind(&commit.user_id)
    .bind(now)
    .bind(&correction.document_type)
    .bind(&correction.field)
    .bind(&correction.kind)
    .bind(&correction.before)
    .bind(&correction.after)
    .bind(correction.machine_confidence)
    .execute(&mut *transaction)
    .await
    .map_err(sql("record a correction"))?;
    Ok(())
}

pub(super) async fn insert_request(
    transaction: &mut Transaction,
    case_id: &str,
    actor: &str,
    wanted: &[String],
    message: &str,
    now: Micros,
) -> Result<(), StoreError> {
    query(
        "insert into document_requests (id, case_id, at, actor, wanted, message) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(uuid::Uuid::now_v7().to_string())
    .bind(case_id)
    .bind(now)
    .bind(actor)
    .bind(encode("requested documents", &wanted)?)
    .bind(message)
    .execute(&mut *transaction)
    .await
    .map_err(sql("record a request for documents"))?;
    Ok(())
}
