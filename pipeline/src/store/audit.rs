//! What people wrote, changed, asked for and looked at.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::connect::{Store, StoreError, sql};
use super::query::{On, Row, Transaction, query, storable};
use crate::clock::Micros;

/// A person's change of one field. Values are JSON text; they are kept apart from the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Correction {
    pub id: String,
    pub document_type: String,
    pub field: String,
    /// `corrected`, `added`, `removed` or `confirmed`.
    pub kind: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// What the machine had given the value before.
    pub machine_confidence: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    pub id: String,
    pub at: Micros,
    /// Name of who wrote it.
    pub author: String,
    /// `reason`, `handover` or `note`.
    pub kind: String,
    pub text: String,
}

/// What was asked of the applicant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentRequest {
    pub at: Micros,
    pub actor: String,
    pub wanted: Vec<String>,
    pub message: String,
}

/// Somebody's look at a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    pub at: Micros,
    pub user_id: String,
    pub case_id: String,
    /// Number of the file; 0 for the case as a whole.
    pub file: i64,
    /// 0 for the file as a whole.
    pub page: i64,
    /// `case`, `page`, `original`, `result`, `blind` or `history`.
    pub kind: String,
}

impl Store {
    /// Records a look at a document.
    ///
    /// # Errors
    /// When the database fails; then the document must not be shown.
    pub async fn record_access(&self, access: &Access) -> Result<(), StoreError> {
        query(
            "insert into document_accesses (at, user_id, case_id, file, page, kind) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(access.at)
        .bind(&access.user_id)
        .bind(&access.case_id)
        .bind(access.file)
        .bind(access.page)
        .bind(&access.kind)
        .execute(&self.pool)
        .await
        .map_err(sql("record an access"))?;
        Ok(())
    }

    /// Who looked at the documents of a case, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accesses(&self, case_id: &str) -> Result<Vec<Access>, StoreError> {
        let doing = "read the accesses to a case";
        let rows = query(
            "select at, user_id, case_id, file, page, kind from document_accesses where case_id = $1
             order by at, user_id, file, page, kind",
        )
        .bind(case_id)
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let one = |row: &Row| {
            Ok(Access {
                at: row.try_get("at").map_err(sql(doing))?,
                user_id: row.try_get("user_id").map_err(sql(doing))?,
                case_id: row.try_get("case_id").map_err(sql(doing))?,
                file: row.try_get("file").map_err(sql(doing))?,
                page: row.try_get("page").map_err(sql(doing))?,
                kind: row.try_get("kind").map_err(sql(doing))?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// What people wrote to a case, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notes(&self, case_id: &str) -> Result<Vec<Note>, StoreError> {
        let doing = "read the notes of a case";
        let rows = query(
            "select n.id, n.at, coalesce(u.name, n.user_id) as author, n.kind, n.text from notes n
             left join users u on u.id = n.user_id where n.case_id = $1 order by n.at, n.id",
        )
        .bind(case_id)
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let one = |row: &Row| {
            Ok(Note {
                id: row.try_get("id").map_err(sql(doing))?,
                at: row.try_get("at").map_err(sql(doing))?,
                author: row.try_get("author").map_err(sql(doing))?,
                kind: row.try_get("kind").map_err(sql(doing))?,
                text: row.try_get("text").map_err(sql(doing))?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// What was asked of the applicant, the oldest first.
    ///
    /// # Errors
    /// When the database fails or holds something that cannot be understood.
    pub async fn document_requests(&self, case_id: &str) -> Result<Vec<DocumentRequest>, StoreError> {
        let doing = "read the requests of a case";
        let rows = query(
            "select id, at, actor, wanted, message from document_requests where case_id = $1 order by at, id",
        )
        .bind(case_id)
        .fetch_all(&self.reader)
        .await
        .map_err(sql(doing))?;
        let one = |row: &Row| {
            let wanted: String = row.try_get("wanted").map_err(sql(doing))?;
            let id: String = row.try_get("id").map_err(sql(doing))?;
            Ok(DocumentRequest {
                at: row.try_get("at").map_err(sql(doing))?,
                actor: row.try_get("actor").map_err(sql(doing))?,
                wanted: serde_json::from_str(&wanted).map_err(|_| StoreError::BadData {
                    table: "document_requests",
                    column: "wanted",
                    row: id,
                })?,
                message: row.try_get("message").map_err(sql(doing))?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// What people changed in a case, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn corrections(&self, case_id: &str) -> Result<Vec<Correction>, StoreError> {
        corrections_of(&self.reader, case_id).await
    }

    /// The case that an upload with this key made, with the hash of the request that made it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn idempotent(&self, user_id: &str, key: &str) -> Result<Option<(String, String)>, StoreError> {
        let doing = "look up an idempotency key";
        let row = query("select request_hash, case_id from idempotency_keys where user_id = $1 and key = $2")
            .bind(user_id)
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .map_err(sql(doing))?;
        row.map(|row| {
            Ok((
                row.try_get("request_hash").map_err(sql(doing))?,
                row.try_get("case_id").map_err(sql(doing))?,
            ))
        })
        .transpose()
    }

    /// Remembers which case an upload made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remember_upload(
        &self,
        user_id: &str,
        key: &str,
        request_hash: &str,
        case_id: &str,
        at: Micros,
    ) -> Result<(), StoreError> {
        query(
            "insert into idempotency_keys (user_id, key, request_hash, case_id, at) values ($1, $2, $3, $4, $5)
             on conflict (user_id, key) do nothing",
        )
        .bind(user_id)
        .bind(key)
        .bind(request_hash)
        .bind(case_id)
        .bind(at)
        .execute(&self.pool)
        .await
        .map_err(sql("remember an upload"))?;
        Ok(())
    }
}

/// Writes a note (its id and text); gives the hash of the text, which goes into the history.
pub(super) async fn insert_note(
    transaction: &mut Transaction,
    (id, text): (&str, &str),
    case_id: &str,
    user_id: &str,
    kind: &str,
    now: Micros,
) -> Result<String, StoreError> {
    query("insert into notes (id, case_id, user_id, at, kind, text) values ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(case_id)
        .bind(user_id)
        .bind(now)
        .bind(kind)
        .bind(text)
        .execute(&mut *transaction)
        .await
        .map_err(sql("write a note"))?;
    Ok(hex::encode(Sha256::digest(storable(text).as_bytes())))
}

/// What people changed in a case, the oldest first, as whoever asks sees it.
pub(super) async fn corrections_of(
    executor: impl Into<On<'_>>,
    case_id: &str,
) -> Result<Vec<Correction>, StoreError> {
    let doing = "read the corrections of a case";
    let rows = query(
        "select id, document_type, field, kind, before, after, machine_confidence from corrections
         where case_id = $1 order by at, id",
    )
    .bind(case_id)
    .fetch_all(executor)
    .await
    .map_err(sql(doing))?;
    let one = |row: &Row| {
        Ok(Correction {
            id: row.try_get("id").map_err(sql(doing))?,
            document_type: row.try_get("document_type").map_err(sql(doing))?,
            field: row.try_get("field").map_err(sql(doing))?,
            kind: row.try_get("kind").map_err(sql(doing))?,
            before: row.try_get("before").map_err(sql(doing))?,
            after: row.try_get("after").map_err(sql(doing))?,
            machine_confidence: row.try_get("machine_confidence").map_err(sql(doing))?,
        })
    };
    rows.iter().map(one).collect()
}
