//! Blind samples: which of the machine's own decisions people judge again, and what they said.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::connect::{Store, StoreError, sql};
use super::event::EventKind;
use super::query::{Transaction, query, query_scalar};
use super::record::append;
use crate::clock::Micros;
use crate::domain::{Mode, Outcome};
use crate::report::{CaseRecord, FlowPolicy};

const SEED: &str = "blind_seed";

/// A sample in somebody's hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindSample {
    pub case_id: String,
    pub taken_until: Micros,
}

/// Whether a blind judgement was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlindJudged {
    Done,
    /// It is not in this user's hands, they have seen the decision, or it was judged before.
    NotYours,
}

/// Draws the case, or not: a case decided end to end, with the flow's probability. Which ones follows
/// from a secret of the installation and the case's id, so that it can be replayed and not foreseen.
pub(super) async fn draw(
    transaction: &mut Transaction,
    case_id: &str,
    record: &CaseRecord,
    policy: &FlowPolicy,
    now: Micros,
) -> Result<bool, StoreError> {
    let share = policy.quality.sample_share;
    if record.result.mode != Some(Mode::E2e) || share <= 0.0 {
        return Ok(false);
    }
    let seed = seed(transaction).await?;
    if place(&seed, case_id) >= share {
        return Ok(false);
    }
    let doing = "draw a blind sample";
    query("insert into blind_samples (case_id, flow, drawn_at, outcome) values ($1, $2, $3, $4)")
        .bind(case_id)
        .bind(&record.result.flow)
        .bind(now)
        .bind(record.result.outcome.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(sql(doing))?;
    append(transaction, case_id, "machine", vec![(EventKind::Sampled, json!({"share": share}))], now).await?;
    Ok(true)
}

/// Where a case stands among all, from 0 to 1, evenly spread.
fn place(seed: &str, case_id: &str) -> f64 {
    let mut hasher = Sha256::new();
    hasher.update(seed.as_bytes());
    hasher.update([0]);
    hasher.update(case_id.as_bytes());
    let digest = hasher.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first) as f64 / u64::MAX as f64
}

async fn seed(transaction: &mut Transaction) -> Result<String, StoreError> {
    let doing = "read the seed of blind samples";
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| StoreError::Random)?;
    // The first one stays.
    query("insert into installation (name, value) values ($1, $2) on conflict (name) do nothing")
        .bind(SEED)
        .bind(hex::encode(random))
        .execute(&mut *transaction)
        .await
        .map_err(sql(doing))?;
    query_scalar("select value from installation where name = $1")
        .bind(SEED)
        .fetch_one(&mut *transaction)
        .await
        .map_err(sql(doing))
}

/// Whether the user has opened the case of the sample `b`, or its history: they know how it was decided.
macro_rules! has_seen {
    ($user:literal) => {
        concat!(
            "exists (select 1 from document_accesses a where a.case_id = b.case_id and a.user_id = ",
            $user,
            " and a.kind in ('case', 'result', 'history'))"
        )
    };
}

impl Store {
    /// Gives the user the oldest sample that nobody else has and that they have not seen the outcome of,
    /// or the one that they hold already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_blind(
        &self,
        user_id: &str,
        now: Micros,
        until: Micros,
    ) -> Result<Option<BlindSample>, StoreError> {
        let doing = "take a blind sample";
        let mut transaction = self.begin().await?;
        // Who asks twice at once gets the same one twice.
        transaction.alone(user_id).await.map_err(sql(doing))?;
        let id: Option<String> = query_scalar(concat!(
            "select b.case_id from blind_samples b
             where b.judged_at is null and (b.taken_by = $1 or b.taken_until <= $2) and not ",
            has_seen!("$1"),
            " order by (b.taken_by is not null and b.taken_by = $1 and b.taken_until > $2) desc,
                      b.drawn_at, b.case_id
             limit 1 for update of b skip locked",
        ))
        .bind(user_id)
        .bind(now)
        .fetch_optional(&mut transaction)
        .await
        .map_err(sql(doing))?;
        let Some(case_id) = id else {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(None);
        };
        query("update blind_samples set taken_by = $2, taken_until = $3 where case_id = $1")
            .bind(&case_id)
            .bind(user_id)
            .bind(until)
            .execute(&mut transaction)
            .await
            .map_err(sql(doing))?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(Some(BlindSample { case_id, taken_until: until }))
    }

    /// The sample of a case while this user holds it and has not seen how the case was decided.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blind_sample(
        &self,
        case_id: &str,
        user_id: &str,
        now: Micros,
    ) -> Result<Option<BlindSample>, StoreError> {
        let doing = "read a blind sample";
        let until: Option<Micros> = query_scalar(concat!(
            "select b.taken_until from blind_samples b
             where b.case_id = $1 and b.taken_by = $2 and b.taken_until > $3 and b.judged_at is null and not ",
            has_seen!("$2"),
        ))
        .bind(case_id)
        .bind(user_id)
        .bind(now)
        .fetch_optional(&self.reader)
        .await
        .map_err(sql(doing))?;
        Ok(until.map(|taken_until| BlindSample { case_id: case_id.to_owned(), taken_until }))
    }

    /// Samples that wait for a judgement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blind_waiting(&self) -> Result<i64, StoreError> {
        query_scalar("select count(*) from blind_samples where judged_at is null")
            .fetch_one(&self.reader)
            .await
            .map_err(sql("count the blind samples"))
    }

    /// Records what a person decided without seeing what the machine had. The case stays as it is.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn judge_blind(
        &self,
        case_id: &str,
        user_id: &str,
        outcome: Outcome,
        note: (&str, &str),
        now: Micros,
    ) -> Result<BlindJudged, StoreError> {
        let doing = "record a blind judgement";
        let mut transaction = self.begin_on(case_id).await?;
        let row = query(concat!(
            "update blind_samples as b set judged_at = $3, judged_by = $2, judged_outcome = $4,
                    was_wrong = case when outcome <> $4 then 1 else 0 end, taken_until = 0
             where b.case_id = $1 and b.taken_by = $2 and b.taken_until > $3 and b.judged_at is null and not ",
            has_seen!("$2"),
            " returning outcome, was_wrong",
        ))
        .bind(case_id)
        .bind(user_id)
        .bind(now)
        .bind(outcome.as_str())
        .fetch_optional(&mut transaction)
        .await
        .map_err(sql(doing))?;
        let Some(row) = row else {
            transaction.rollback().await.map_err(sql(doing))?;
            return Ok(BlindJudged::NotYours);
        };
        let machine: String = row.try_get("outcome").map_err(sql(doing))?;
        let was_wrong: i64 = row.try_get("was_wrong").map_err(sql(doing))?;
        let hash = super::audit::insert_note(&mut transaction, note, case_id, user_id, "blind", now).await?;
        let detail = json!({"outcome": outcome, "machine": machine, "was_wrong": was_wrong != 0,
                            "note": note.0, "note_sha256": hash});
        append(&mut transaction, case_id, user_id, vec![(EventKind::BlindJudged, detail)], now).await?;
        transaction.commit().await.map_err(sql(doing))?;
        Ok(BlindJudged::Done)
    }

    /// Samples of a flow judged since a moment, and how many of these decisions were wrong.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blind_record(&self, flow: &str, since: Micros) -> Result<(u64, u64), StoreError> {
        let doing = "read the record of blind reviews";
        let row = query(
            "select count(*) as judged, count(*) filter (where was_wrong = 1) as wrong from blind_samples
             where flow = $1 and judged_at is not null and judged_at >= $2",
        )
        .bind(flow)
        .bind(since)
        .fetch_one(&self.reader)
        .await
        .map_err(sql(doing))?;
        let count = |column: &'static str| {
            let count: i64 = row.try_get(column).map_err(sql(doing))?;
            Ok::<u64, StoreError>(u64::try_from(count).unwrap_or(0))
        };
        Ok((count("judged")?, count("wrong")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_spread_evenly_and_by_the_seed() {
        let ids: Vec<String> = (0..20_000).map(|number| format!("case-{number}")).collect();
        let drawn = |seed: &str| ids.iter().filter(|id| place(seed, id) < 0.05).cloned().collect::<Vec<_>>();
        let (one, other) = (drawn("a"), drawn("b"));
        // 1000 are expected; five standard deviations are 154.
        assert!((846..1154).contains(&one.len()), "{}", one.len());
        assert_eq!(one, drawn("a"), "the same ones again");
        assert_ne!(one, other, "another seed draws others");
    }
}
