//! Everything that is kept, from a `SQLite` file into an empty `PostgreSQL` database: in one transaction, with
//! the rows counted and the histories verified before it is committed.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteRow;
use sqlx::{Postgres, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use super::connect::{Store, StoreError, sql};
use super::query::{Pool, Transaction, query, query_scalar, storable};
use super::verify::{Source, verify_all};

/// What is sent at a time.
const PIECE_BYTES: usize = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a store is copied from SQLite to PostgreSQL")]
    Direction,
    #[error("the target has rows in {table}: it must be a new database")]
    NotEmpty { table: &'static str },
    #[error("{table} has {read} rows, and {written} of them arrived")]
    Incomplete { table: &'static str, read: u64, written: u64 },
    #[error("the history of the case {case_id} is broken at event {sequence}")]
    Broken { case_id: String, sequence: i64 },
}

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    pub tables: usize,
    pub rows: u64,
    /// Cases whose histories were verified.
    pub histories: u64,
}

pub(super) struct Table {
    pub(super) name: &'static str,
    /// To compare them with those that there are.
    #[cfg(test)]
    pub(super) columns: &'static str,
    count: &'static str,
    read: &'static str,
    write: &'static str,
}

macro_rules! table {
    ($name:literal, $columns:literal) => {
        Table {
            name: $name,
            #[cfg(test)]
            columns: $columns,
            count: concat!("select count(*) from ", $name),
            read: concat!("select ", $columns, " from ", $name),
            write: concat!("copy ", $name, " (", $columns, ") from stdin"),
        }
    };
}

/// All tables, those that others refer to first. That none and no column is missing is tested.
pub(super) const TABLES: [Table; 24] = [
    table!(
        "cases",
        "id, flow, reference, received_on, created_at, decided_at, outcome, mode, pages, rules_version, \
         models_version, result, state, reason_codes, revision, declared, intake_findings, machine_result, touched, \
         priority, amount_cents, queued_at, goal_at, due_at, waiting_since, first_response_at, final_at, \
         postponed_until, assigned_to, first_reviewer, first_outcome, escalated, attempts, next_attempt_at, \
         reminded_at, erased_at"
    ),
    table!("case_events", "case_id, sequence, kind, at, actor, detail, previous_hash, hash"),
    table!("case_reasons", "case_id, code"),
    table!(
        "case_files",
        "case_id, number, name, sha256, size_bytes, archive, unpacked, page_count, received_at"
    ),
    table!(
        "users",
        "id, login, name, role, password_hash, must_change_password, language, created_at, disabled_at"
    ),
    table!("identities", "issuer, subject, user_id, created_at, seen_at"),
    table!("sessions", "token_hash, user_id, created_at, seen_at, expires_at"),
    table!("api_tokens", "id, token_hash, user_id, name, created_at, last_used_at, revoked_at"),
    table!("leases", "case_id, user_id, generation, acquired_at, expires_at"),
    table!("notes", "id, case_id, user_id, at, kind, text"),
    table!(
        "corrections",
        "id, case_id, revision, user_id, at, document_type, field, kind, before, after, machine_confidence"
    ),
    table!("document_requests", "id, case_id, at, actor, wanted, message"),
    table!(
        "deliveries",
        "id, case_id, destination, occasion, body, state, attempts, next_attempt_at, created_at, finished_at, problem"
    ),
    table!("document_accesses", "at, user_id, case_id, file, page, kind"),
    table!("idempotency_keys", "user_id, key, request_hash, case_id, at"),
    table!("case_facts", "case_id, flow, day, facts"),
    table!("case_marks", "mark, case_id"),
    table!("stale_facts", "case_id"),
    table!("report_days", "day, flow, generation, rollup"),
    table!(
        "blind_samples",
        "case_id, flow, drawn_at, outcome, taken_by, taken_until, judged_at, judged_by, judged_outcome, was_wrong"
    ),
    table!("erased_originals", "sha256, at"),
    table!("installation", "name, value"),
    table!("jobs", "case_id, server, generation, expires_at, strikes, failed_at, finished_at"),
    table!("read_jobs", "server, job, sha256, state, generation, sequence, expires_at, changed_at"),
];

/// Copies everything. `on_table` hears of each table with its rows.
///
/// # Errors
/// When the target is not empty, something did not arrive, or a history is broken; nothing is copied then.
pub async fn copy_store(
    source: &Store,
    target: &Store,
    on_table: impl Fn(&str, u64),
) -> Result<Copied, CopyError> {
    let (Pool::Sqlite(reader), Pool::Postgres(_)) = (&source.reader, &target.pool) else {
        return Err(CopyError::Direction);
    };
    let mut written = target.begin().await?;
    written.alone("copying").await.map_err(sql("copy a store"))?;
    for table in &TABLES {
        if count(&mut written, table).await? > 0 {
            return Err(CopyError::NotEmpty { table: table.name });
        }
    }
    // All that is read is of one moment.
    let mut read = reader.begin().await.map_err(sql("read the store to copy"))?;
    let mut rows = 0;
    for table in &TABLES {
        if table.name == "stale_facts" {
            // Triggers noted every case that was copied.
            let forgotten = query("delete from stale_facts").execute(&mut written).await;
            forgotten.map_err(sql("copy a store"))?;
        }
        let copied = copy_table(&mut read, &mut written, table).await?;
        let arrived = count(&mut written, table).await?;
        if arrived != copied {
            return Err(CopyError::Incomplete { table: table.name, read: copied, written: arrived });
        }
        on_table(table.name, copied);
        rows += copied;
    }
    let verified = verify_all(&mut Source::Transaction(&mut written)).await?;
    if let Some((case_id, sequence)) = verified.broken {
        return Err(CopyError::Broken { case_id, sequence });
    }
    written.commit().await.map_err(sql("commit the copy"))?;
    // By itself the database would learn only minutes later how much it now has.
    let learnt = query("vacuum (analyze)").execute(&target.pool).await;
    learnt.map_err(sql("measure the copied tables"))?;
    Ok(Copied { tables: TABLES.len(), rows, histories: verified.cases })
}

async fn count(transaction: &mut Transaction, table: &Table) -> Result<u64, StoreError> {
    let rows: i64 =
        query_scalar(table.count).fetch_one(transaction).await.map_err(sql("count the rows of a table"))?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

async fn copy_table(
    read: &mut sqlx::Transaction<'static, Sqlite>,
    written: &mut Transaction,
    table: &Table,
) -> Result<u64, CopyError> {
    let Transaction::Postgres(written) = written else { return Err(CopyError::Direction) };
    copy_rows(read, written, table).await.map_err(sql("copy the rows of a table")).map_err(CopyError::from)
}

async fn copy_rows(
    read: &mut sqlx::Transaction<'static, Sqlite>,
    written: &mut sqlx::Transaction<'static, Postgres>,
    table: &Table,
) -> Result<u64, sqlx::Error> {
    let mut target = written.copy_in_raw(table.write).await?;
    let mut source = sqlx::query(table.read).fetch(&mut **read);
    let mut piece = String::new();
    let mut rows = 0;
    while let Some(row) = source.try_next().await? {
        write_row(&mut piece, &row)?;
        rows += 1;
        if piece.len() >= PIECE_BYTES {
            target.send(piece.as_bytes()).await?;
            piece.clear();
        }
    }
    target.send(piece.as_bytes()).await?;
    target.finish().await?;
    Ok(rows)
}

/// A row in the text format of `copy` (`PostgreSQL` documentation, COPY, File Formats).
fn write_row(piece: &mut String, row: &SqliteRow) -> Result<(), sqlx::Error> {
    for index in 0..row.len() {
        if index > 0 {
            piece.push('\t');
        }
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            piece.push_str("\\N");
            continue;
        }
        let kind = value.type_info().name().to_owned();
        match kind.as_str() {
            "INTEGER" => write!(piece, "{}", row.try_get_unchecked::<i64, _>(index)?),
            "REAL" => write!(piece, "{}", row.try_get_unchecked::<f64, _>(index)?),
            "BLOB" => write!(piece, "\\\\x{}", hex::encode(row.try_get_unchecked::<&[u8], _>(index)?)),
            _ => {
                push_escaped(piece, row.try_get_unchecked::<&str, _>(index)?);
                Ok(())
            }
        }
        .map_err(|error| sqlx::Error::Encode(error.into()))?;
    }
    piece.push('\n');
    Ok(())
}

fn push_escaped(piece: &mut String, text: &str) {
    for character in storable(text).chars() {
        match character {
            '\\' => piece.push_str("\\\\"),
            '\t' => piece.push_str("\\t"),
            '\n' => piece.push_str("\\n"),
            '\r' => piece.push_str("\\r"),
            other => piece.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::fill;
    use super::super::testing::{PrivatePostgres, stores};
    use super::super::tests::in_review;
    use super::super::*;
    use super::*;
    use crate::report::{GroupBy, Policies, ReportQuery};

    #[test]
    fn texts_are_escaped() {
        let mut piece = String::new();
        push_escaped(&mut piece, "a\\b\tc\nd\re\0ñ");
        assert_eq!(piece, "a\\\\b\\tc\\nd\\re\u{fffd}ñ");
    }

    async fn empty(server: &PrivatePostgres) -> Store {
        Store::open(&server.migrated_database().await).await.unwrap()
    }

    #[tokio::test]
    async fn a_copied_store_is_the_same_store() {
        let Some(server) = PrivatePostgres::get() else { return };
        let source = stores().await.swap_remove(0);
        let now = fill(&source, 300, 86_400_000_000 * 20).await;
        source.count_anew(&Policies::default(), 200, now).await.unwrap();
        in_review(&source, "c1").await;
        source.claim_next("ana", false, None, now, now + 10).await.unwrap().unwrap();
        let access = Access {
            at: 5,
            user_id: "u\t1\\".to_owned(),
            case_id: "c1".to_owned(),
            file: 1,
            page: 2,
            kind: "page".to_owned(),
        };
        source.record_access(&access).await.unwrap();
        let target = empty(server).await;
        let copied = copy_store(&source, &target, |_, _| {}).await.unwrap();
        assert_eq!((copied.tables, copied.histories), (TABLES.len(), 301));
        assert_eq!(source.uncounted().await.unwrap(), target.uncounted().await.unwrap());
        assert_eq!(source.accesses("c1").await.unwrap(), target.accesses("c1").await.unwrap());
        assert_eq!(source.users().await.unwrap(), target.users().await.unwrap());
        let every = CaseFilter::default();
        let cases = source.cases(&every, now, None, 1_000).await.unwrap();
        assert_eq!(cases, target.cases(&every, now, None, 1_000).await.unwrap());
        for case in &cases {
            assert_eq!(source.case(&case.id).await.unwrap(), target.case(&case.id).await.unwrap());
            assert_eq!(source.events(&case.id).await.unwrap(), target.events(&case.id).await.unwrap());
            assert_eq!(
                source.corrections(&case.id).await.unwrap(),
                target.corrections(&case.id).await.unwrap()
            );
        }
        let asked = ReportQuery { from: None, to: None, flow: None, by: GroupBy::Reviewer };
        let policies = Policies::default();
        assert_eq!(
            source.report(&asked, &policies, now).await.unwrap(),
            target.report(&asked, &policies, now).await.unwrap()
        );
        assert_eq!(target.verify_histories().await.unwrap(), source.verify_histories().await.unwrap());
        let again = copy_store(&source, &target, |_, _| {}).await.unwrap_err();
        assert!(matches!(again, CopyError::NotEmpty { table: "cases" }), "{again}");
    }

    #[tokio::test]
    async fn a_broken_history_is_found_and_not_copied() {
        let Some(server) = PrivatePostgres::get() else { return };
        let source = stores().await.swap_remove(0);
        in_review(&source, "c1").await;
        in_review(&source, "c2").await;
        assert_eq!(source.verify_histories().await.unwrap().broken, None);
        for statement in [
            "drop trigger case_events_are_never_changed",
            "update case_events set actor = 'nobody' where case_id = 'c2' and sequence = 2",
        ] {
            query(statement).execute(&source.pool).await.unwrap();
        }
        assert_eq!(source.verify_histories().await.unwrap().broken, Some(("c2".to_owned(), 2)));
        let target = empty(server).await;
        let refused = copy_store(&source, &target, |_, _| {}).await.unwrap_err();
        assert!(matches!(refused, CopyError::Broken { sequence: 2, .. }), "{refused}");
        assert_eq!(target.counts().await.unwrap(), Counts::default());
    }
}
