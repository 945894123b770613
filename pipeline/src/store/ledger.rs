//! What is on record of each case's files, to be compared with what is really there.

use super::cases::CaseState;
use super::connect::{Store, StoreError, sql};
use super::query::{Row, query};
use crate::clock::Micros;

/// A case with what its history says came in and what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCase {
    pub id: String,
    pub flow: String,
    pub reference: String,
    /// `None` for a state that there is not.
    pub state: Option<CaseState>,
    pub final_at: Option<Micros>,
    /// Its documents are gone, with what was personal.
    pub is_erased: bool,
    /// The server that processes it.
    pub server: Option<String>,
    pub files: Vec<LedgerFile>,
    /// SHA-256 of the files that its history says came in. Empty for a case that was processed where it lay.
    pub received: Vec<String>,
}

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFile {
    pub number: i64,
    pub sha256: String,
    pub size_bytes: i64,
    /// It came in as it is; others are members of archives that did.
    pub is_original: bool,
}

impl Store {
    /// Cases with ids behind `after`, in order of their ids.
    ///
    /// # Errors
    /// When the database fails or holds an event that cannot be understood.
    pub async fn ledger(&self, after: &str, limit: i64) -> Result<Vec<LedgerCase>, StoreError> {
        let doing = "read what is on record of cases";
        let rows = query(
            "select c.id, c.flow, c.reference, c.state, c.final_at, c.erased_at, j.server from cases c
             left join jobs j on j.case_id = c.id where c.id > $1 order by c.id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let mut cases = rows.iter().map(case_of).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = cases.last().map(|case| case.id.clone()) else { return Ok(cases) };
        let files = query(
            "select case_id, number, sha256, size_bytes, archive from case_files
             where case_id > $1 and case_id <= $2 order by case_id, number",
        )
        .bind(after)
        .bind(&last)
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let events = query(
            "select case_id, sequence, detail from case_events
             where case_id > $1 and case_id <= $2 and kind = 'received' order by case_id, sequence",
        )
        .bind(after)
        .bind(&last)
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        for row in &files {
            if let Some(case) = owner(&mut cases, row)? {
                case.files.push(file_of(row)?);
            }
        }
        for row in &events {
            if let Some(case) = owner(&mut cases, row)? {
                let hashes = hashes_of(&case.id, row)?;
                case.received.extend(hashes);
            }
        }
        Ok(cases)
    }
}

fn owner<'c>(cases: &'c mut [LedgerCase], row: &Row) -> Result<Option<&'c mut LedgerCase>, StoreError> {
    let id: String = row.try_get("case_id").map_err(sql("read what is on record of cases"))?;
    let found = cases.binary_search_by(|case| case.id.cmp(&id)).ok();
    Ok(found.and_then(|index| cases.get_mut(index)))
}

fn case_of(row: &Row) -> Result<LedgerCase, StoreError> {
    let doing = "read what is on record of cases";
    let state: String = row.try_get("state").map_err(sql(doing))?;
    Ok(LedgerCase {
        id: row.try_get("id").map_err(sql(doing))?,
        flow: row.try_get("flow").map_err(sql(doing))?,
        reference: row.try_get("reference").map_err(sql(doing))?,
        state: CaseState::parse(&state),
        final_at: row.try_get("final_at").map_err(sql(doing))?,
        is_erased: row.try_get::<Option<i64>>("erased_at").map_err(sql(doing))?.is_some(),
        server: row.try_get("server").map_err(sql(doing))?,
        files: Vec::new(),
        received: Vec::new(),
    })
}

fn file_of(row: &Row) -> Result<LedgerFile, StoreError> {
    let doing = "read what is on record of cases";
    Ok(LedgerFile {
        number: row.try_get("number").map_err(sql(doing))?,
        sha256: row.try_get("sha256").map_err(sql(doing))?,
        size_bytes: row.try_get("size_bytes").map_err(sql(doing))?,
        is_original: row.try_get::<Option<i64>>("archive").map_err(sql(doing))?.is_none(),
    })
}

/// Hashes of the files that an event tells of. One without a channel tells of files that were left where they
/// lay.
fn hashes_of(case_id: &str, row: &Row) -> Result<Vec<String>, StoreError> {
    let doing = "read what is on record of cases";
    let sequence: i64 = row.try_get("sequence").map_err(sql(doing))?;
    let bad = || StoreError::BadData {
        table: "case_events",
        column: "detail",
        row: format!("{case_id}/{sequence}"),
    };
    let detail: String = row.try_get("detail").map_err(sql(doing))?;
    let detail: serde_json::Value = serde_json::from_str(&detail).map_err(|_| bad())?;
    if detail["channel"].is_null() {
        return Ok(Vec::new());
    }
    let files = detail["files"].as_array().ok_or_else(bad)?;
    files.iter().map(|file| file["sha256"].as_str().map(str::to_owned).ok_or_else(bad)).collect()
}
