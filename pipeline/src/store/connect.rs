//! Opening a store, and what can go wrong with one.

use std::path::Path;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::address::StoreAddress;
use super::query::{Pool, Transaction, query_scalar};
use super::tables;

/// Connections to a `SQLite` file that read at the same time.
const READERS: u32 = 4;
/// Connections to `PostgreSQL`: it takes a hundred by default, and several machines share it.
const CONNECTIONS: u32 = 16;
/// Somebody waits for an answer: a database that is not there must not hold them for long.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot {doing}")]
    Sql { doing: &'static str, source: sqlx::Error },
    #[error("cannot bring the store's tables up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error(
        "the tables of {address} are of version {found} and this program needs {needed}: run `dossier migrate` first"
    )]
    OutOfDate { address: StoreAddress, found: i64, needed: i64 },
    #[error(
        "the tables of {address} are of version {found} and this program knows {known}: a newer dossier wrote them"
    )]
    TooNew { address: StoreAddress, found: i64, known: i64 },
    #[error("{table}.{column} of {row} cannot be understood")]
    BadData { table: &'static str, column: &'static str, row: String },
    #[error("cannot get random numbers")]
    Random,
    #[error("cannot write {what} as JSON")]
    Encode { what: &'static str, source: serde_json::Error },
}

pub(super) fn sql(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Sql { doing, source }
}

/// Cases, their history and everything beside them, in `SQLite` or `PostgreSQL`.
#[derive(Debug, Clone)]
pub struct Store {
    /// `SQLite` has one writer, so that this is one connection there.
    pub(super) pool: Pool,
    /// Reads beside the writer; the same connections where there are many writers.
    pub(super) reader: Pool,
}

/// What bringing tables up to date did: their version before (0: there were none) and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    pub before: i64,
    pub now: i64,
}

impl Store {
    /// Opens a store. A `SQLite` file is made where it is missing and its tables are brought up to date:
    /// it belongs to this program alone. Those of `PostgreSQL` must be: other machines work with them.
    ///
    /// # Errors
    /// When it cannot be reached, or its tables are of another version.
    pub async fn open(address: &StoreAddress) -> Result<Self, StoreError> {
        match address {
            StoreAddress::Sqlite(path) => Self::open_file(path).await,
            StoreAddress::Postgres(options) => {
                let pool = postgres(options).await?;
                let found = tables::version(&pool).await?;
                let known = tables::newest();
                match found.cmp(&known) {
                    std::cmp::Ordering::Equal => Ok(Self { reader: pool.clone(), pool }),
                    std::cmp::Ordering::Less => {
                        Err(StoreError::OutOfDate { address: address.clone(), found, needed: known })
                    }
                    std::cmp::Ordering::Greater => {
                        Err(StoreError::TooNew { address: address.clone(), found, known })
                    }
                }
            }
        }
    }

    /// Opens a `SQLite` file, making it and its tables where they are missing.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database, or is of a newer version.
    pub async fn open_file(path: &Path) -> Result<Self, StoreError> {
        let pool = writer(path).await?;
        tables::migrate(&pool).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(sqlite(path).read_only(true))
            .await
            .map_err(sql("open the store to read"))?;
        Ok(Self { pool, reader: Pool::Sqlite(reader) })
    }

    /// Brings the tables up to date, making them where there are none.
    ///
    /// # Errors
    /// When the store cannot be reached, or its tables are of a newer version.
    pub async fn migrate(address: &StoreAddress) -> Result<Migrated, StoreError> {
        let pool = match address {
            StoreAddress::Sqlite(path) => writer(path).await?,
            StoreAddress::Postgres(options) => postgres(options).await?,
        };
        let before = tables::version(&pool).await?;
        tables::migrate(&pool).await?;
        pool.close().await;
        Ok(Migrated { before, now: tables::newest() })
    }

    /// The version of the tables there, 0 without any, and the one that this program works with. Changes nothing.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn versions(address: &StoreAddress) -> Result<(i64, i64), StoreError> {
        let pool = match address {
            StoreAddress::Sqlite(path) => {
                let options = sqlite(path).create_if_missing(false).read_only(true);
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
                Pool::Sqlite(pool.map_err(sql("open the store to read"))?)
            }
            StoreAddress::Postgres(options) => postgres(options).await?,
        };
        let found = tables::version(&pool).await?;
        pool.close().await;
        Ok((found, tables::newest()))
    }

    /// What the database says of itself, such as its version.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn engine(&self) -> Result<String, StoreError> {
        let version = match &self.reader {
            Pool::Sqlite(_) => query_scalar("select 'SQLite ' || sqlite_version()"),
            Pool::Postgres(_) => query_scalar("select 'PostgreSQL ' || current_setting('server_version')"),
        };
        version.fetch_one(&self.reader).await.map_err(sql("ask the database for its version"))
    }

    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        self.pool.begin().await.map_err(sql("begin a transaction"))
    }

    /// Begins a change of one case: nobody else changes it until the end, so that what is read of it
    /// holds and its history has one writer.
    pub(super) async fn begin_on(&self, case_id: &str) -> Result<Transaction, StoreError> {
        let mut transaction = self.begin().await?;
        if let Transaction::Postgres(_) = transaction {
            hold(&mut transaction, case_id).await?;
        }
        Ok(transaction)
    }

    /// Closes the connections after the last write.
    pub async fn close(&self) {
        self.reader.close().await;
        self.pool.close().await;
    }
}

/// Takes the case for this transaction.
async fn hold(transaction: &mut Transaction, case_id: &str) -> Result<(), StoreError> {
    query_scalar::<String>("select id from cases where id = $1 for update")
        .bind(case_id)
        .fetch_optional(transaction)
        .await
        .map_err(sql("take a case to change it"))?;
    Ok(())
}

fn sqlite(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(true)
}

async fn writer(path: &Path) -> Result<Pool, StoreError> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        // A full disk ends a transaction behind sqlx's back: it counts it as open for ever, and begins no other.
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .connect_with(sqlite(path))
        .await
        .map_err(sql("open the store"))?;
    Ok(Pool::Sqlite(pool))
}

async fn postgres(options: &PgConnectOptions) -> Result<Pool, StoreError> {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options.clone())
        .await
        .map_err(sql("reach the database"))?;
    Ok(Pool::Postgres(pool))
}
