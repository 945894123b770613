//! Records by SQL: one query that reads, in a transaction that can do nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, Row as _, TypeInfo as _, ValueRef as _};

use super::{ConnectorError, Failure};
use crate::config::Database;
use crate::rules::{Record, SqlConfig};
use crate::store::StoreAddress;

/// Look-ups at the same time; others wait their turn.
const CONNECTIONS: u32 = 4;
/// A connection that nobody uses is given back.
const IDLE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct SqlRecords {
    pool: Pool,
    /// Complete, with what makes rows texts.
    query: String,
}

#[derive(Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl SqlRecords {
    pub(super) fn new(
        (flow, table): (&str, &str),
        config: &SqlConfig,
        databases: &BTreeMap<String, Database>,
    ) -> Result<Self, ConnectorError> {
        let database = databases.get(&config.database).ok_or_else(|| ConnectorError::NoDatabase {
            flow: flow.to_owned(),
            table: table.to_owned(),
            name: config.database.clone(),
        })?;
        Ok(match &database.url {
            StoreAddress::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true);
                let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).idle_timeout(IDLE);
                let query = format!("select * from ({}) limit 2", config.query);
                Self { pool: Pool::Sqlite(pool.connect_lazy_with(options)), query }
            }
            StoreAddress::Postgres(options) => {
                let mut options = (**options).clone();
                if let Some(source) = &database.password {
                    let password = source.read().map_err(|source| ConnectorError::Secret {
                        flow: flow.to_owned(),
                        table: table.to_owned(),
                        source,
                    })?;
                    options = options.password(&password);
                }
                let pool = PgPoolOptions::new().max_connections(CONNECTIONS).idle_timeout(IDLE);
                // The server writes every type as text.
                let query = format!(
                    "select (select json_object_agg(cell.key, cell.value)::text
                             from json_each_text(row_to_json(found)) cell)
                     from ({}) found limit 2",
                    config.query
                );
                Self { pool: Pool::Postgres(pool.connect_lazy_with(options)), query }
            }
        })
    }

    pub(super) async fn ask(&self, key: &str) -> Result<Option<Record>, Failure> {
        let mut records = match &self.pool {
            Pool::Sqlite(pool) => self.ask_sqlite(pool, key).await,
            Pool::Postgres(pool) => self.ask_postgres(pool, key).await,
        }
        .map_err(|error| failure(&error))?;
        let first = records.pop();
        if !records.is_empty() {
            return Err(Failure::Lasting("the key stands in more than one row".to_owned()));
        }
        Ok(first)
    }

    async fn ask_sqlite(&self, pool: &SqlitePool, key: &str) -> Result<Vec<Record>, sqlx::Error> {
        let rows =
            sqlx::query(AssertSqlSafe(self.query.clone())).bind(key.to_owned()).fetch_all(pool).await?;
        rows.iter().map(record_of).collect()
    }

    async fn ask_postgres(&self, pool: &PgPool, key: &str) -> Result<Vec<Record>, sqlx::Error> {
        let mut reading = pool.begin_with("begin read only").await?;
        let rows = sqlx::query(AssertSqlSafe(self.query.clone()))
            .bind(key.to_owned())
            .fetch_all(&mut *reading)
            .await?;
        reading.rollback().await?;
        let record = |row: &sqlx::postgres::PgRow| {
            let text: Option<String> = row.try_get(0)?;
            let cells: BTreeMap<String, Option<String>> =
                serde_json::from_str(text.as_deref().unwrap_or("{}"))
                    .map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok(filled(cells.into_iter()))
        };
        rows.iter().map(record).collect()
    }
}

/// A row of `SQLite`, whatever its values are.
fn record_of(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    let mut cells = Vec::with_capacity(row.len());
    for column in row.columns() {
        let value = row.try_get_raw(column.ordinal())?;
        let text = if value.is_null() {
            None
        } else {
            match value.type_info().name() {
                "INTEGER" => Some(row.try_get_unchecked::<i64, _>(column.ordinal())?.to_string()),
                "REAL" => Some(row.try_get_unchecked::<f64, _>(column.ordinal())?.to_string()),
                "BLOB" => None,
                _ => Some(row.try_get_unchecked::<String, _>(column.ordinal())?),
            }
        };
        cells.push((column.name().to_owned(), text));
    }
    Ok(filled(cells.into_iter()))
}

/// An empty cell is absent.
fn filled(cells: impl Iterator<Item = (String, Option<String>)>) -> Record {
    let filled = cells.filter_map(|(name, cell)| {
        let cell = cell?.trim().to_owned();
        (!cell.is_empty()).then_some((name, cell))
    });
    filled.collect()
}

/// What a database said can repeat the key: only its code is told.
fn failure(error: &sqlx::Error) -> Failure {
    match error {
        // SQLite: the file cannot be opened.
        sqlx::Error::Database(told) if told.code().is_some_and(|code| code == "14") => unreachable(),
        sqlx::Error::Database(told) => {
            let code = told.code().map(|code| format!(" with code {code}")).unwrap_or_default();
            let problem = format!("the database refused the query{code}");
            // PostgreSQL: class 08 is the connection, 40 a conflict, 53 a lack of means, 57 the operator.
            let passing = ["08", "40", "53", "57"];
            let postgres = told.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
            let passes = match postgres {
                Some(told) => passing.iter().any(|class| told.code().starts_with(class)),
                // SQLite: busy and locked.
                None => told.code().is_some_and(|code| code == "5" || code == "6"),
            };
            if passes { Failure::Passing(problem) } else { Failure::Lasting(problem) }
        }
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
            Failure::Lasting("a value of the database cannot be understood".to_owned())
        }
        _ => unreachable(),
    }
}

fn unreachable() -> Failure {
    Failure::Passing("the database cannot be reached".to_owned())
}
