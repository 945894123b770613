//! One case as it stands, with its files.

use chrono::NaiveDate;

use super::connect::{Store, StoreError, sql};
use super::query::{Row, query, query_scalar};
use crate::clock::Micros;
use crate::domain::{CaseResult, Finding, Outcome};

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// The machine has to read and decide.
    Processing,
    /// The applicant has to send something.
    WaitingDocuments,
    /// A person has to look.
    InReview,
    /// Decided.
    Final,
}

impl CaseState {
    const ALL: [CaseState; 4] =
        [CaseState::Processing, CaseState::WaitingDocuments, CaseState::InReview, CaseState::Final];

    pub fn as_str(self) -> &'static str {
        match self {
            CaseState::Processing => "processing",
            CaseState::WaitingDocuments => "waiting_documents",
            CaseState::InReview => "in_review",
            CaseState::Final => "final",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Where a case goes with what was decided.
    pub fn after(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accept | Outcome::Reject => CaseState::Final,
            Outcome::RequestDocuments => CaseState::WaitingDocuments,
            Outcome::Review => CaseState::InReview,
        }
    }
}

/// A case with everything that is decided on.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCase {
    pub id: String,
    pub flow: String,
    pub reference: String,
    pub state: CaseState,
    /// Counts every change; a change names the one that it was made on.
    pub revision: i64,
    /// `None` until the machine has decided once.
    pub result: Option<CaseResult>,
    /// What the machine decided, from the first change by a person on.
    pub machine_result: Option<CaseResult>,
    /// `application.json`; an empty object without one.
    pub declared: serde_json::Value,
    pub received_on: NaiveDate,
    /// A person corrected, confirmed or decided something.
    pub touched: bool,
    pub priority: i64,
    pub amount_cents: i64,
    pub created_at: Micros,
    pub queued_at: Option<Micros>,
    pub goal_at: Option<Micros>,
    pub due_at: Option<Micros>,
    pub waiting_since: Option<Micros>,
    pub final_at: Option<Micros>,
    pub postponed_until: Option<Micros>,
    pub assigned_to: Option<String>,
    /// Who decided first, where four eyes are asked for, and what.
    pub first_opinion: Option<(String, Outcome)>,
    pub escalated: bool,
    /// When its documents and personal data were erased.
    pub erased_at: Option<Micros>,
}

/// An original, or a member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// From 1; part of the page images' addresses.
    pub number: i64,
    /// As the sender named it.
    pub name: String,
    pub sha256: String,
    pub size_bytes: i64,
    /// Number of the archive that it was unpacked from.
    pub archive: Option<i64>,
    /// An archive whose members are files of their own.
    pub unpacked: bool,
    pub page_count: Option<i64>,
    pub received_at: Micros,
}

impl Store {
    /// The case with this id.
    ///
    /// # Errors
    /// When the database fails or holds something that cannot be understood.
    pub async fn case(&self, id: &str) -> Result<Option<StoredCase>, StoreError> {
        let row = query(
            "select id, flow, reference, state, revision, result, machine_result, declared, received_on, touched,
                    priority, amount_cents, created_at, queued_at, goal_at, due_at, waiting_since, final_at,
                    postponed_until, assigned_to, first_reviewer, first_outcome, escalated, erased_at
             from cases where id = $1",
        )
        .bind(id)
        .fetch_optional(&self.reader)
        .await
        .map_err(sql("read a case"))?;
        row.as_ref().map(stored_case).transpose()
    }

    /// The id of a case by what people call it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn case_id(&self, flow: &str, reference: &str) -> Result<Option<String>, StoreError> {
        query_scalar("select id from cases where flow = $1 and reference = $2")
            .bind(flow)
            .bind(reference)
            .fetch_optional(&self.reader)
            .await
            .map_err(sql("find a case"))
    }

    /// The files of a case in order of their numbers.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files(&self, case_id: &str) -> Result<Vec<CaseFile>, StoreError> {
        let rows = query(
            "select number, name, sha256, size_bytes, archive, unpacked, page_count, received_at from case_files
             where case_id = $1 order by number",
        )
        .bind(case_id)
        .fetch_all(&self.reader)
        .await
        .map_err(sql("read the files of a case"))?;
        rows.iter().map(case_file).collect()
    }

    /// One file of a case.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file(&self, case_id: &str, number: i64) -> Result<Option<CaseFile>, StoreError> {
        let row = query(
            "select number, name, sha256, size_bytes, archive, unpacked, page_count, received_at from case_files
             where case_id = $1 and number = $2",
        )
        .bind(case_id)
        .bind(number)
        .fetch_optional(&self.reader)
        .await
        .map_err(sql("read a file of a case"))?;
        row.as_ref().map(case_file).transpose()
    }

    /// What was wrong with what came in, by file name.
    ///
    /// # Errors
    /// When the database fails or holds something that cannot be understood.
    pub async fn intake_findings(&self, case_id: &str) -> Result<Vec<(String, Finding)>, StoreError> {
        let text: Option<String> = query_scalar("select intake_findings from cases where id = $1")
            .bind(case_id)
            .fetch_optional(&self.reader)
            .await
            .map_err(sql("read the findings of a case"))?;
        let text = text.unwrap_or_else(|| "[]".to_owned());
        serde_json::from_str(&text).map_err(|_| bad_case("intake_findings", case_id))
    }
}

pub(super) fn bad_case(column: &'static str, id: &str) -> StoreError {
    StoreError::BadData { table: "cases", column, row: id.to_owned() }
}

pub(super) fn outcome_of(name: &str) -> Option<Outcome> {
    [Outcome::Accept, Outcome::RequestDocuments, Outcome::Review, Outcome::Reject]
        .into_iter()
        .find(|outcome| outcome.as_str() == name)
}

fn stored_case(row: &Row) -> Result<StoredCase, StoreError> {
    let failed = || sql("read a case");
    let id: String = row.try_get("id").map_err(failed())?;
    let text = |column: &'static str| row.try_get::<String>(column).map_err(failed());
    let optional_text = |column: &'static str| row.try_get::<Option<String>>(column).map_err(failed());
    let number = |column: &'static str| row.try_get::<i64>(column).map_err(failed());
    let moment = |column: &'static str| row.try_get::<Option<i64>>(column).map_err(failed());
    let result = |column: &'static str| -> Result<Option<CaseResult>, StoreError> {
        let parsed = optional_text(column)?.map(|text| serde_json::from_str(&text)).transpose();
        parsed.map_err(|_| bad_case(column, &id))
    };
    let first_outcome = optional_text("first_outcome")?;
    let first_outcome =
        first_outcome.map(|name| outcome_of(&name).ok_or_else(|| bad_case("first_outcome", &id)));
    Ok(StoredCase {
        flow: text("flow")?,
        reference: text("reference")?,
        state: CaseState::parse(&text("state")?).ok_or_else(|| bad_case("state", &id))?,
        revision: number("revision")?,
        result: result("result")?,
        machine_result: result("machine_result")?,
        declared: serde_json::from_str(&text("declared")?).map_err(|_| bad_case("declared", &id))?,
        received_on: text("received_on")?.parse().map_err(|_| bad_case("received_on", &id))?,
        touched: number("touched")? != 0,
        priority: number("priority")?,
        amount_cents: number("amount_cents")?,
        created_at: number("created_at")?,
        queued_at: moment("queued_at")?,
        goal_at: moment("goal_at")?,
        due_at: moment("due_at")?,
        waiting_since: moment("waiting_since")?,
        final_at: moment("final_at")?,
        postponed_until: moment("postponed_until")?,
        assigned_to: optional_text("assigned_to")?,
        first_opinion: optional_text("first_reviewer")?.zip(first_outcome.transpose()?),
        escalated: number("escalated")? != 0,
        erased_at: moment("erased_at")?,
        id,
    })
}

fn case_file(row: &Row) -> Result<CaseFile, StoreError> {
    let doing = "read the files of a case";
    Ok(CaseFile {
        number: row.try_get("number").map_err(sql(doing))?,
        name: row.try_get("name").map_err(sql(doing))?,
        sha256: row.try_get("sha256").map_err(sql(doing))?,
        size_bytes: row.try_get("size_bytes").map_err(sql(doing))?,
        archive: row.try_get("archive").map_err(sql(doing))?,
        unpacked: row.try_get::<i64>("unpacked").map_err(sql(doing))? != 0,
        page_count: row.try_get("page_count").map_err(sql(doing))?,
        received_at: row.try_get("received_at").map_err(sql(doing))?,
    })
}
