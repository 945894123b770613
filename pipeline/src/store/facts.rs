//! Keeps what reports are computed from in step with the cases: facts of each case, sums of each day.
//!
//! Triggers note every case that changes; whoever wants a report counts those anew first. Facts are
//! written in the transaction that takes the note away, so that no change is missed.

use super::audit::corrections_of;
use super::cases::bad_case;
use super::connect::{Store, StoreError, sql};
use super::query::{Row, Transaction, query, query_scalar};
use super::record::events_of;
use crate::clock::{Micros, date_of};
use crate::domain::Mode;
use crate::report::{Blind, CaseFacts, CaseRecord, Policies, Rollup};

/// Cases counted in one transaction: other writers wait for it.
const BATCH: i64 = 25;
/// Cases counted while somebody waits; the sweep counts the rest, and a report says that they are missing.
const COUNTED_FIRST: i64 = 500;

impl Store {
    /// Counts cases anew that changed, at most `most` of them; says how many are left.
    ///
    /// # Errors
    /// When the database fails or holds a case that cannot be understood.
    pub async fn count_anew(&self, policies: &Policies, most: i64, now: Micros) -> Result<u64, StoreError> {
        let mut left = most;
        while left > 0 {
            let counted = self.count_batch(policies, left.min(BATCH), now).await?;
            left -= counted;
            if counted < BATCH {
                break;
            }
        }
        self.uncounted().await
    }

    /// Counts what changed before somebody is answered; says how many cases are left.
    ///
    /// # Errors
    /// When the database fails or holds a case that cannot be understood.
    pub async fn count_first(&self, policies: &Policies, now: Micros) -> Result<u64, StoreError> {
        self.count_anew(policies, COUNTED_FIRST, now).await
    }

    /// Cases that changed since they were counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn uncounted(&self) -> Result<u64, StoreError> {
        let doing = "count changed cases";
        let cases: i64 = query_scalar("select count(*) from stale_facts")
            .fetch_one(&self.reader)
            .await
            .map_err(sql(doing))?;
        Ok(u64::try_from(cases).unwrap_or(0))
    }

    async fn count_batch(&self, policies: &Policies, most: i64, now: Micros) -> Result<i64, StoreError> {
        let doing = "find changed cases";
        // A look before the writer is taken: mostly there is nothing to do.
        let some: Option<String> = query_scalar("select case_id from stale_facts limit 1")
            .fetch_optional(&self.reader)
            .await
            .map_err(sql(doing))?;
        if some.is_none() {
            return Ok(0);
        }
        let mut transaction = self.begin().await?;
        // Sums of days are outdated in any order.
        transaction.alone("counting").await.map_err(sql(doing))?;
        let ids: Vec<String> = query_scalar("select case_id from stale_facts order by case_id limit $1")
            .bind(most)
            .fetch_all(&mut transaction)
            .await
            .map_err(sql(doing))?;
        let mut counted = 0;
        for id in &ids {
            // The case before its note, as whoever changes a case takes them. One that is being changed now is
            // counted when that is done.
            let held: Option<String> =
                query_scalar("select id from cases where id = $1 for update skip locked")
                    .bind(id)
                    .fetch_optional(&mut transaction)
                    .await
                    .map_err(sql(doing))?;
            if held.is_some() {
                self.count_case(&mut transaction, id, policies, now).await?;
                counted += 1;
            }
        }
        transaction.commit().await.map_err(sql("commit the facts of cases"))?;
        Ok(counted)
    }

    async fn count_case(
        &self,
        transaction: &mut Transaction,
        id: &str,
        policies: &Policies,
        now: Micros,
    ) -> Result<(), StoreError> {
        query("delete from stale_facts where case_id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await
            .map_err(sql("note that a case is counted"))?;
        let was_decided = forget(transaction, id).await?;
        let Some((decided_at, mut record)) = read_record(transaction, id).await? else { return Ok(()) };
        let flow = record.result.flow.clone();
        let policy = policies.flow(&flow);
        // Drawn once, before lists tell how it was decided.
        let may_draw = record.blind.is_none() && !was_decided;
        if may_draw && super::blind::draw(transaction, id, &record, policy, now).await? {
            record.blind = Some(Blind { was_wrong: None });
        }
        let facts = CaseFacts::of(&record, policy);
        let day = date_of(decided_at).to_string();
        let bytes = postcard::to_stdvec(&facts).map_err(|_| bad_case("facts", id))?;
        let doing = "write the facts of a case";
        query("insert into case_facts (case_id, flow, day, facts) values ($1, $2, $3, $4)")
            .bind(id)
            .bind(&flow)
            .bind(&day)
            .bind(bytes)
            .execute(&mut *transaction)
            .await
            .map_err(sql(doing))?;
        for mark in facts.marks() {
            query("insert into case_marks (mark, case_id) values ($1, $2)")
                .bind(mark)
                .bind(id)
                .execute(&mut *transaction)
                .await
                .map_err(sql(doing))?;
        }
        outdate(transaction, &day, &flow).await
    }
}

/// Takes away what was counted of a case. Whether the machine had decided it alone by then.
async fn forget(transaction: &mut Transaction, id: &str) -> Result<bool, StoreError> {
    let doing = "forget the facts of a case";
    let before = query("delete from case_facts where case_id = $1 returning day, flow, facts")
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(sql(doing))?;
    let Some(before) = before else { return Ok(false) };
    query("delete from case_marks where case_id = $1")
        .bind(id)
        .execute(&mut *transaction)
        .await
        .map_err(sql(doing))?;
    let day: String = before.try_get("day").map_err(sql(doing))?;
    let flow: String = before.try_get("flow").map_err(sql(doing))?;
    let facts: Vec<u8> = before.try_get("facts").map_err(sql(doing))?;
    outdate(transaction, &day, &flow).await?;
    // Facts that another version wrote may not be understood: that it was counted is known.
    let facts: Result<CaseFacts, _> = postcard::from_bytes(&facts);
    Ok(facts.map_or(true, |facts| facts.mode == Some(Mode::E2e)))
}

/// The sum of a day no longer holds.
async fn outdate(transaction: &mut Transaction, day: &str, flow: &str) -> Result<(), StoreError> {
    query(
        "insert into report_days (day, flow) values ($1, $2)
         on conflict (day, flow) do update set rollup = null, generation = report_days.generation + 1",
    )
    .bind(day)
    .bind(flow)
    .execute(&mut *transaction)
    .await
    .map_err(sql("outdate the sum of a day"))?;
    Ok(())
}

/// The case with everything that is counted; `None` while nothing was decided.
async fn read_record(
    transaction: &mut Transaction,
    id: &str,
) -> Result<Option<(Micros, CaseRecord)>, StoreError> {
    let doing = "read a case to count it";
    let row = query(
        "select c.created_at, c.decided_at, c.first_response_at, c.final_at, c.result,
                c.machine_result, b.case_id as sample, b.was_wrong
         from cases c left join blind_samples b on b.case_id = c.id
         where c.id = $1 and c.decided_at is not null and c.result is not null",
    )
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(sql(doing))?;
    let Some(row) = row else { return Ok(None) };
    let moment = |column: &'static str| row.try_get::<Option<i64>>(column).map_err(sql(doing));
    let text = |column: &'static str| row.try_get::<Option<String>>(column).map_err(sql(doing));
    let result = |text: String, column| serde_json::from_str(&text).map_err(|_| bad_case(column, id));
    let sample = text("sample")?;
    let was_wrong = moment("was_wrong")?.map(|was_wrong| was_wrong != 0);
    let record = CaseRecord {
        created_at: row.try_get("created_at").map_err(sql(doing))?,
        first_response_at: moment("first_response_at")?,
        final_at: moment("final_at")?,
        result: result(text("result")?.unwrap_or_default(), "result")?,
        machine_result: text("machine_result")?.map(|text| result(text, "machine_result")).transpose()?,
        events: events_of(&mut *transaction, id).await?,
        corrections: corrections_of(&mut *transaction, id).await?,
        blind: sample.map(|_| Blind { was_wrong }),
    };
    let decided_at = row.try_get("decided_at").map_err(sql(doing))?;
    Ok(Some((decided_at, record)))
}

/// A day's sum as it stands in the store.
pub(super) struct StoredDay {
    pub(super) day: String,
    pub(super) flow: String,
    generation: i64,
    rollup: Option<Vec<u8>>,
}

impl StoredDay {
    pub(super) fn of(row: &Row) -> Result<Self, StoreError> {
        let doing = "read the sum of a day";
        Ok(Self {
            day: row.try_get("day").map_err(sql(doing))?,
            flow: row.try_get("flow").map_err(sql(doing))?,
            generation: row.try_get("generation").map_err(sql(doing))?,
            rollup: row.try_get("rollup").map_err(sql(doing))?,
        })
    }
}

impl Store {
    /// The sum of a day; summed up and kept when it was outdated.
    pub(super) async fn sum_of(&self, stored: &StoredDay) -> Result<Rollup, StoreError> {
        let bad = || StoreError::BadData {
            table: "report_days",
            column: "rollup",
            row: format!("{} {}", stored.day, stored.flow),
        };
        if let Some(rollup) = &stored.rollup {
            return postcard::from_bytes(rollup).map_err(|_| bad());
        }
        let doing = "sum a day up";
        let facts: Vec<Vec<u8>> = query_scalar("select facts from case_facts where day = $1 and flow = $2")
            .bind(&stored.day)
            .bind(&stored.flow)
            .fetch_all(&self.reader)
            .await
            .map_err(sql(doing))?;
        let mut rollup = Rollup::default();
        for bytes in facts {
            rollup.add(&postcard::from_bytes(&bytes).map_err(|_| bad())?);
        }
        let bytes = postcard::to_stdvec(&rollup).map_err(|_| bad())?;
        query("update report_days set rollup = $4 where day = $1 and flow = $2 and generation = $3")
            .bind(&stored.day)
            .bind(&stored.flow)
            .bind(stored.generation)
            .bind(bytes)
            .execute(&self.pool)
            .await
            .map_err(sql(doing))?;
        Ok(rollup)
    }
}
