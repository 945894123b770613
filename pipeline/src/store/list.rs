//! Lists of cases: the queue by urgency, all cases by age, and how many stand where.

use chrono::NaiveDate;

use super::cases::{CaseState, bad_case, outcome_of};
use super::connect::{Store, StoreError, sql};
use super::query::{Row, query};
use crate::clock::Micros;
use crate::domain::Outcome;

/// A case as a list shows it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CaseSummary {
    pub id: String,
    pub flow: String,
    pub reference: String,
    pub state: CaseState,
    pub outcome: Option<Outcome>,
    pub mode: Option<String>,
    pub received_on: NaiveDate,
    pub created_at: Micros,
    pub queued_at: Option<Micros>,
    pub goal_at: Option<Micros>,
    pub due_at: Option<Micros>,
    pub postponed_until: Option<Micros>,
    pub priority: i64,
    pub amount_cents: i64,
    pub escalated: bool,
    /// Codes of the reasons, in their order.
    pub reasons: Vec<String>,
    pub revision: i64,
    /// Who holds it now, by name.
    pub held_by: Option<String>,
    pub assigned_to: Option<String>,
    /// Whoever asks may be given the case as a blind sample: outcome and reasons are left out.
    pub sealed: bool,
}

/// How a case stands against its goal and deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlaState {
    /// Before the goal.
    InTime,
    /// After the goal, before the deadline.
    Late,
    /// After the deadline.
    Overdue,
}

/// Whether people who judge blind may not be told how the machine decided a case: it was drawn and nobody
/// has judged it, or it is not counted yet, when samples are drawn. `$19` says whether one of them asks.
macro_rules! sealed {
    () => {
        "($19 = 1 and c.mode = 'e2e' and c.state = 'final' and (
            exists (select 1 from blind_samples b where b.case_id = c.id and b.judged_at is null)
            or exists (select 1 from stale_facts s where s.case_id = c.id)))"
    };
}

/// The summaries of cases, with who holds each at the moment `$1` and whether it is sealed, that the rest
/// of the statement chooses.
macro_rules! summaries {
    ($sealed:expr, $rest:literal) => {
        concat!(
            "select c.id, c.flow, c.reference, c.state, c.outcome, c.mode, c.received_on, c.created_at, c.queued_at,
                    c.goal_at, c.due_at, c.postponed_until, c.priority, c.amount_cents, c.escalated, c.reason_codes,
                    c.revision, h.name as held_by, a.name as assigned_to, ",
            "case when ",
            $sealed,
            " then cast(1 as bigint) else 0 end as sealed
             from cases c
             left join leases l on l.case_id = c.id and l.expires_at > $1
             left join users h on h.id = l.user_id
             left join users a on a.id = c.assigned_to ",
            $rest
        )
    };
}

impl SlaState {
    pub fn as_str(self) -> &'static str {
        match self {
            SlaState::InTime => "in_time",
            SlaState::Late => "late",
            SlaState::Overdue => "overdue",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [SlaState::InTime, SlaState::Late, SlaState::Overdue].into_iter().find(|state| state.as_str() == name)
    }
}

impl CaseSummary {
    /// `None` when nobody has to decide it.
    pub fn sla_state(&self, now: Micros) -> Option<SlaState> {
        let due = self.due_at?;
        Some(if now > due {
            SlaState::Overdue
        } else if self.goal_at.is_some_and(|goal| now > goal) {
            SlaState::Late
        } else {
            SlaState::InTime
        })
    }
}

/// Which cases; an absent part lets all pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseFilter {
    pub state: Option<CaseState>,
    pub flow: Option<String>,
    /// Code of a reason.
    pub reason: Option<String>,
    /// Part of the reference.
    pub text: Option<String>,
    pub sla: Option<SlaState>,
    /// In the queue since before this moment.
    pub queued_before: Option<Micros>,
    pub created_from: Option<Micros>,
    pub created_before: Option<Micros>,
    pub outcome: Option<Outcome>,
    pub mode: Option<String>,
    /// In the queue since this moment or later.
    pub queued_from: Option<Micros>,
    /// Newest decision.
    pub decided_from: Option<Micros>,
    pub decided_before: Option<Micros>,
    /// What a report counted the case under, see [`crate::report::CaseFacts::marks`].
    pub mark: Option<String>,
    /// Whoever asks may be given blind samples: cases that may be drawn are listed without how they were
    /// decided, and pass no filter by it.
    pub by_blind_reviewer: bool,
}

/// Cases by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    pub processing: i64,
    pub waiting_documents: i64,
    pub in_review: i64,
    pub decided: i64,
}

impl Store {
    /// A stretch of the queue, the most urgent first: priority, then deadline, then value.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue(
        &self,
        filter: &CaseFilter,
        now: Micros,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<CaseSummary>, StoreError> {
        let rows = query(summaries!(
            "1 = 0",
            "where c.state = 'in_review'
               and ($2 is null or c.flow = $2)
               and ($3 is null or exists (select 1 from case_reasons r where r.case_id = c.id and r.code = $3))
               and ($4 is null or lower(c.reference) like $4 escape '\\')
               and ($5 is null or c.queued_at < $5)
               and ($6 is null
                    or ($6 = 'overdue' and c.due_at < $1)
                    or ($6 = 'late' and c.goal_at < $1 and c.due_at >= $1)
                    or ($6 = 'in_time' and c.goal_at >= $1))
             order by c.escalated desc, c.priority desc, c.due_at nulls first, c.amount_cents desc, c.id limit $7 offset $8"
        ))
        .bind(now)
        .bind(&filter.flow)
        .bind(&filter.reason)
        .bind(filter.text.as_deref().map(containing))
        .bind(filter.queued_before)
        .bind(filter.sla.map(SlaState::as_str))
        .bind(limit)
        .bind(offset)
        .fetch_all(&self.reader)
        .await
        .map_err(sql("list the queue"))?;
        rows.iter().map(summary).collect()
    }

    /// Cases, the newest first, after the one that `after` names by its moment of creation and id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cases(
        &self,
        filter: &CaseFilter,
        now: Micros,
        after: Option<(Micros, String)>,
        limit: i64,
    ) -> Result<Vec<CaseSummary>, StoreError> {
        let (created_at, id) = after.unwrap_or((Micros::MAX, String::new()));
        // A case that passes a filter by how it was decided would tell just that.
        let tells = filter.outcome.is_some() || filter.reason.is_some() || filter.mark.is_some();
        let rows = query(concat!(
            summaries!(
                sealed!(),
            "where (c.created_at < $2 or (c.created_at = $2 and c.id < $3))
               and ($4 is null or c.flow = $4)
               and ($5 is null or exists (select 1 from case_reasons r where r.case_id = c.id and r.code = $5))
               and ($6 is null or lower(c.reference) like $6 escape '\\')
               and ($7 is null or c.state = $7)
               and ($8 is null or c.outcome = $8)
               and ($9 is null or c.mode = $9)
               and ($10 is null or c.created_at >= $10)
               and ($11 is null or c.created_at < $11)
               and ($12 is null or c.decided_at >= $12)
               and ($13 is null or c.decided_at < $13)
               and ($14 is null or c.id in (select m.case_id from case_marks m where m.mark = $14))
               and ($15 is null or c.queued_at >= $15)
               and ($16 is null or c.queued_at < $16)
               and ($17 is null
                    or ($17 = 'overdue' and c.due_at < $1)
                    or ($17 = 'late' and c.goal_at < $1 and c.due_at >= $1)
                    or ($17 = 'in_time' and c.goal_at >= $1))
               and ($20 = 0 or not "),
            sealed!(),
            ") order by c.created_at desc, c.id desc limit $18"
        ))
        .bind(now)
        .bind(created_at)
        .bind(id)
        .bind(&filter.flow)
        .bind(&filter.reason)
        .bind(filter.text.as_deref().map(containing))
        .bind(filter.state.map(CaseState::as_str))
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(&filter.mode)
        .bind(filter.created_from)
        .bind(filter.created_before)
        .bind(filter.decided_from)
        .bind(filter.decided_before)
        .bind(&filter.mark)
        .bind(filter.queued_from)
        .bind(filter.queued_before)
        .bind(filter.sla.map(SlaState::as_str))
        .bind(limit)
        .bind(i64::from(filter.by_blind_reviewer))
        .bind(i64::from(tells))
        .fetch_all(&self.reader)
        .await
        .map_err(sql("list cases"))?;
        rows.iter().map(summary).collect()
    }

    /// How many cases stand where.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let doing = "count cases";
        let rows = query("select state, count(*) as cases from cases group by state")
            .fetch_all(&self.reader)
            .await
            .map_err(sql(doing))?;
        let mut counts = Counts::default();
        for row in rows {
            let state: String = row.try_get("state").map_err(sql(doing))?;
            let cases: i64 = row.try_get("cases").map_err(sql(doing))?;
            match CaseState::parse(&state) {
                Some(CaseState::Processing) => counts.processing = cases,
                Some(CaseState::WaitingDocuments) => counts.waiting_documents = cases,
                Some(CaseState::InReview) => counts.in_review = cases,
                Some(CaseState::Final) => counts.decided = cases,
                None => return Err(bad_case("state", "a count")),
            }
        }
        Ok(counts)
    }

    /// Since when the case waits that waits the longest, in each state in which cases wait.
    ///
    /// # Errors
    /// When the database fails or holds an unknown state.
    pub async fn longest_waits(&self) -> Result<Vec<(CaseState, Micros)>, StoreError> {
        let doing = "find the longest waits";
        let rows = query(
            "select state, min(coalesce(case state when 'in_review' then queued_at
                                         when 'waiting_documents' then waiting_since end, created_at)) as since
             from cases where state <> 'final' group by state order by state",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let one = |row: &Row| {
            let state: String = row.try_get("state").map_err(sql(doing))?;
            let state = CaseState::parse(&state).ok_or_else(|| bad_case("state", "a wait"))?;
            Ok((state, row.try_get("since").map_err(sql(doing))?))
        };
        rows.iter().map(one).collect()
    }

    /// Codes of reasons in the queue with the number of cases, the most frequent first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queue_reasons(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let doing = "count the reasons in the queue";
        let rows = query(
            "select r.code, count(*) as cases from cases c join case_reasons r on r.case_id = c.id
             where c.state = 'in_review' group by r.code order by cases desc, r.code limit 100",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        rows.iter()
            .map(|row| {
                Ok((row.try_get("code").map_err(sql(doing))?, row.try_get("cases").map_err(sql(doing))?))
            })
            .collect()
    }
}

/// A pattern for texts in lower case that contain this one, by letters of ASCII: what both databases can.
fn containing(part: &str) -> String {
    let part = part.to_ascii_lowercase();
    let part = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{part}%")
}

fn summary(row: &Row) -> Result<CaseSummary, StoreError> {
    let failed = || sql("list cases");
    let id: String = row.try_get("id").map_err(failed())?;
    let text = |column: &'static str| row.try_get::<String>(column).map_err(failed());
    let optional_text = |column: &'static str| row.try_get::<Option<String>>(column).map_err(failed());
    let number = |column: &'static str| row.try_get::<i64>(column).map_err(failed());
    let moment = |column: &'static str| row.try_get::<Option<i64>>(column).map_err(failed());
    let sealed = number("sealed")? != 0;
    let outcome = optional_text("outcome")?.filter(|_| !sealed);
    let reasons = text("reason_codes")?;
    let outcome =
        outcome.map(|name| outcome_of(&name).ok_or_else(|| bad_case("outcome", &id))).transpose()?;
    Ok(CaseSummary {
        flow: text("flow")?,
        reference: text("reference")?,
        state: CaseState::parse(&text("state")?).ok_or_else(|| bad_case("state", &id))?,
        outcome,
        mode: optional_text("mode")?,
        received_on: text("received_on")?.parse().map_err(|_| bad_case("received_on", &id))?,
        created_at: number("created_at")?,
        queued_at: moment("queued_at")?,
        goal_at: moment("goal_at")?,
        due_at: moment("due_at")?,
        postponed_until: moment("postponed_until")?,
        priority: number("priority")?,
        amount_cents: number("amount_cents")?,
        escalated: number("escalated")? != 0,
        reasons: if sealed {
            Vec::new()
        } else {
            serde_json::from_str(&reasons).map_err(|_| bad_case("reason_codes", &id))?
        },
        revision: number("revision")?,
        held_by: optional_text("held_by")?,
        assigned_to: optional_text("assigned_to")?,
        sealed,
        id,
    })
}
