//! What intake records: a new case, further files of a case, or nothing new.

use chrono::NaiveDate;
use serde_json::json;

use super::cases::{CaseState, bad_case};
use super::connect::{Store, StoreError, sql};
use super::event::EventKind;
use super::jobs::forgive;
use super::query::{Transaction, query, query_scalar};
use super::record::{append, encode};
use crate::clock::Micros;
use crate::domain::Finding;

/// Files that came in together, with their bytes already in the blob store.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub flow: String,
    pub reference: String,
    /// The date that stands for a missing `received_on`.
    pub today: NaiveDate,
    /// `None` when no `application.json` came.
    pub declared: Option<serde_json::Value>,
    pub files: Vec<ArrivedFile>,
    pub findings: Vec<(String, Finding)>,
    /// `folder`, `upload`…
    pub channel: &'static str,
    /// `machine`, or the id of the user who sent it.
    pub actor: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedFile {
    pub name: String,
    pub sha256: String,
    pub size_bytes: u64,
}

/// What an arrival did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    New {
        id: String,
    },
    /// A known case got something new and is processed again.
    Resumed {
        id: String,
    },
    /// All of it was there already.
    Unchanged {
        id: String,
    },
    /// The case is decided; what is new was not taken.
    Closed {
        id: String,
    },
}

impl Accepted {
    pub fn id(&self) -> &str {
        match self {
            Accepted::New { id }
            | Accepted::Resumed { id }
            | Accepted::Unchanged { id }
            | Accepted::Closed { id } => id,
        }
    }
}

struct Known {
    id: String,
    state: CaseState,
    declared: serde_json::Value,
    findings: Vec<(String, Finding)>,
}

impl Store {
    /// Records an arrival, with its event, in one transaction.
    ///
    /// # Errors
    /// When the database fails; nothing is recorded then.
    pub async fn accept(&self, new_id: &str, arrival: &Arrival, at: Micros) -> Result<Accepted, StoreError> {
        let mut transaction = self.begin().await?;
        // What comes in twice at once is one case.
        transaction
            .alone(&format!("{}/{}", arrival.flow, arrival.reference))
            .await
            .map_err(sql("find the case of an arrival"))?;
        let accepted = match known(&mut transaction, arrival).await? {
            None => {
                insert(&mut transaction, new_id, arrival, at).await?;
                Accepted::New { id: new_id.to_owned() }
            }
            Some(known) => extend(&mut transaction, known, arrival, at).await?,
        };
        transaction.commit().await.map_err(sql("commit an arrival"))?;
        Ok(accepted)
    }
}

async fn known(transaction: &mut Transaction, arrival: &Arrival) -> Result<Option<Known>, StoreError> {
    let doing = "find the case of an arrival";
    let row =
        query("select id, state, declared, intake_findings from cases where flow = $1 and reference = $2")
            .bind(&arrival.flow)
            .bind(&arrival.reference)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(sql(doing))?;
    let Some(row) = row else { return Ok(None) };
    let id: String = row.try_get("id").map_err(sql(doing))?;
    let text = |column: &'static str| row.try_get::<String>(column).map_err(sql(doing));
    Ok(Some(Known {
        state: CaseState::parse(&text("state")?).ok_or_else(|| bad_case("state", &id))?,
        declared: serde_json::from_str(&text("declared")?).map_err(|_| bad_case("declared", &id))?,
        findings: serde_json::from_str(&text("intake_findings")?)
            .map_err(|_| bad_case("intake_findings", &id))?,
        id,
    }))
}

async fn insert(
    transaction: &mut Transaction,
    id: &str,
    arrival: &Arrival,
    at: Micros,
) -> Result<(), StoreError> {
    let declared = arrival.declared.clone().unwrap_or_else(|| json!({}));
    query(
        "insert into cases (id, flow, reference, received_on, created_at, state, revision, declared, intake_findings)
         values ($1, $2, $3, $4, $5, 'processing', 1, $6, $7)",
    )
    .bind(id)
    .bind(&arrival.flow)
    .bind(&arrival.reference)
    .bind(received_on(&declared, arrival.today).to_string())
    .bind(at)
    .bind(declared.to_string())
    .bind(encode("findings", &arrival.findings)?)
    .execute(&mut *transaction)
    .await
    .map_err(sql("record a case"))?;
    insert_files(transaction, id, &arrival.files, at).await?;
    append(transaction, id, &arrival.actor, vec![received(arrival, &arrival.files)], at).await
}

async fn extend(
    transaction: &mut Transaction,
    known: Known,
    arrival: &Arrival,
    at: Micros,
) -> Result<Accepted, StoreError> {
    let mut new_files: Vec<ArrivedFile> = Vec::new();
    for file in &arrival.files {
        let found: Option<i64> =
            query_scalar("select number from case_files where case_id = $1 and sha256 = $2 limit 1")
                .bind(&known.id)
                .bind(&file.sha256)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(sql("look for a file of a case"))?;
        if found.is_none() && !new_files.iter().any(|other| other.sha256 == file.sha256) {
            new_files.push(file.clone());
        }
    }
    let declared = arrival.declared.as_ref().filter(|declared| **declared != known.declared);
    let news: Vec<_> =
        arrival.findings.iter().filter(|finding| !known.findings.contains(finding)).cloned().collect();
    if new_files.is_empty() && declared.is_none() && news.is_empty() {
        return Ok(Accepted::Unchanged { id: known.id });
    }
    if known.state == CaseState::Final {
        return Ok(Accepted::Closed { id: known.id });
    }
    insert_files(transaction, &known.id, &new_files, at).await?;
    let findings = known.findings.into_iter().chain(news).collect::<Vec<_>>();
    query(
        "update cases set state = 'processing', revision = revision + 1, intake_findings = $2,
                declared = coalesce($3, declared), received_on = coalesce($4, received_on),
                attempts = 0, next_attempt_at = 0
         where id = $1",
    )
    .bind(&known.id)
    .bind(encode("findings", &findings)?)
    .bind(declared.map(ToString::to_string))
    .bind(declared.map(|declared| received_on(declared, arrival.today).to_string()))
    .execute(&mut *transaction)
    .await
    .map_err(sql("resume a case"))?;
    forgive(transaction, &known.id).await?;
    // Whoever holds it looks at what is no longer the case.
    query("update leases set expires_at = 0, generation = generation + 1 where case_id = $1")
        .bind(&known.id)
        .execute(&mut *transaction)
        .await
        .map_err(sql("end a lease"))?;
    append(transaction, &known.id, &arrival.actor, vec![received(arrival, &new_files)], at).await?;
    Ok(Accepted::Resumed { id: known.id })
}

pub(super) async fn insert_files(
    transaction: &mut Transaction,
    case_id: &str,
    files: &[ArrivedFile],
    at: Micros,
) -> Result<(), StoreError> {
    for file in files {
        query(
            "insert into case_files (case_id, number, name, sha256, size_bytes, received_at)
             values ($1, (select coalesce(max(number), 0) + 1 from case_files where case_id = $1), $2, $3, $4, $5)
             on conflict (case_id, sha256, name) do nothing",
        )
        .bind(case_id)
        .bind(&file.name)
        .bind(&file.sha256)
        .bind(i64::try_from(file.size_bytes).unwrap_or(i64::MAX))
        .bind(at)
        .execute(&mut *transaction)
        .await
        .map_err(sql("record a file"))?;
    }
    Ok(())
}

fn received(arrival: &Arrival, files: &[ArrivedFile]) -> (EventKind, serde_json::Value) {
    let files: Vec<_> = files
        .iter()
        .map(|file| json!({"name": file.name, "sha256": file.sha256, "size_bytes": file.size_bytes}))
        .collect();
    let findings: Vec<_> =
        arrival.findings.iter().map(|(file, finding)| json!({"file": file, "code": finding.code})).collect();
    let detail = json!({"channel": arrival.channel, "files": files, "findings": findings,
                        "declared": arrival.declared.is_some()});
    (EventKind::Received, detail)
}

fn received_on(declared: &serde_json::Value, today: NaiveDate) -> NaiveDate {
    declared["received_on"].as_str().and_then(|date| date.parse().ok()).unwrap_or(today)
}
