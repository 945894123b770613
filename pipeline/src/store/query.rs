//! One way to ask `SQLite` and `PostgreSQL`: the same text with `$1`, values of four types, columns by name.
//!
//! Knows nothing of cases. Everything in which the two differ for the rest of the store is here: how a
//! transaction begins, and how others are kept out. `SQLite` has one writer, so whoever has begun is alone.
//! `PostgreSQL` has many: they take rows with `for update`, which stands at the end of a text and is left
//! out for `SQLite`, and names with [`Transaction::alone`].

use std::borrow::Cow;
use std::marker::PhantomData;

use sqlx::postgres::{PgPool, PgRow};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Database, Decode, Encode, Postgres, Row as _, Sqlite, Type};

/// Connections to one of the databases.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Rolled back when it is dropped before its commit.
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// Where a statement runs: by itself, or as a part of a transaction.
pub(super) enum On<'c> {
    Pool(&'c Pool),
    Transaction(&'c mut Transaction),
}

/// A statement with its values.
pub(super) struct Query {
    text: &'static str,
    values: Vec<Value>,
}

/// A statement of which the first column of a row is wanted.
pub(super) struct ScalarQuery<T> {
    query: Query,
    wanted: PhantomData<T>,
}

/// What both databases store. `PostgreSQL` wants the type of an absent value too.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Real(Option<f64>),
    Bytes(Option<Vec<u8>>),
}

pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What a column can be read as.
pub(super) trait Column:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Column for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

pub(super) fn query(text: &'static str) -> Query {
    Query { text, values: Vec::new() }
}

pub(super) fn query_scalar<T: Column>(text: &'static str) -> ScalarQuery<T> {
    ScalarQuery { query: query(text), wanted: PhantomData }
}

/// A text as it can be stored: `PostgreSQL` takes no zero bytes, and what is stored must not depend on
/// the database.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

impl Pool {
    pub(super) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        Ok(match self {
            // A read that turns into a write fails under load.
            Pool::Sqlite(pool) => Transaction::Sqlite(pool.begin_with("begin immediate").await?),
            Pool::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
        })
    }

    pub(super) async fn close(&self) {
        match self {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Transaction::Sqlite(transaction) => transaction.commit().await,
            Transaction::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Gives up what it holds at once; one that is dropped does so a moment later.
    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            Transaction::Sqlite(transaction) => transaction.rollback().await,
            Transaction::Postgres(transaction) => transaction.rollback().await,
        }
    }

    /// Waits until no other transaction has this name, and has it until the end.
    pub(super) async fn alone(&mut self, name: &str) -> Result<(), sqlx::Error> {
        let Transaction::Postgres(transaction) = self else { return Ok(()) };
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(name)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }
}

impl<'c> From<&'c Pool> for On<'c> {
    fn from(pool: &'c Pool) -> Self {
        On::Pool(pool)
    }
}

impl<'c> From<&'c mut Transaction> for On<'c> {
    fn from(transaction: &'c mut Transaction) -> Self {
        On::Transaction(transaction)
    }
}

impl Query {
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// How many rows it changed.
    pub(super) async fn execute<'c>(self, on: impl Into<On<'c>>) -> Result<u64, sqlx::Error> {
        Ok(match on.into() {
            On::Pool(Pool::Sqlite(pool)) => self.on_sqlite().execute(pool).await?.rows_affected(),
            On::Pool(Pool::Postgres(pool)) => self.on_postgres().execute(pool).await?.rows_affected(),
            On::Transaction(Transaction::Sqlite(own)) => {
                self.on_sqlite().execute(&mut **own).await?.rows_affected()
            }
            On::Transaction(Transaction::Postgres(own)) => {
                self.on_postgres().execute(&mut **own).await?.rows_affected()
            }
        })
    }

    pub(super) async fn fetch_optional<'c>(self, on: impl Into<On<'c>>) -> Result<Option<Row>, sqlx::Error> {
        Ok(match on.into() {
            On::Pool(Pool::Sqlite(pool)) => self.on_sqlite().fetch_optional(pool).await?.map(Row::Sqlite),
            On::Pool(Pool::Postgres(pool)) => {
                self.on_postgres().fetch_optional(pool).await?.map(Row::Postgres)
            }
            On::Transaction(Transaction::Sqlite(own)) => {
                self.on_sqlite().fetch_optional(&mut **own).await?.map(Row::Sqlite)
            }
            On::Transaction(Transaction::Postgres(own)) => {
                self.on_postgres().fetch_optional(&mut **own).await?.map(Row::Postgres)
            }
        })
    }

    pub(super) async fn fetch_one<'c>(self, on: impl Into<On<'c>>) -> Result<Row, sqlx::Error> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }

    pub(super) async fn fetch_all<'c>(self, on: impl Into<On<'c>>) -> Result<Vec<Row>, sqlx::Error> {
        let of_sqlite = |rows: Vec<SqliteRow>| rows.into_iter().map(Row::Sqlite).collect();
        let of_postgres = |rows: Vec<PgRow>| rows.into_iter().map(Row::Postgres).collect();
        Ok(match on.into() {
            On::Pool(Pool::Sqlite(pool)) => of_sqlite(self.on_sqlite().fetch_all(pool).await?),
            On::Pool(Pool::Postgres(pool)) => of_postgres(self.on_postgres().fetch_all(pool).await?),
            On::Transaction(Transaction::Sqlite(own)) => {
                of_sqlite(self.on_sqlite().fetch_all(&mut **own).await?)
            }
            On::Transaction(Transaction::Postgres(own)) => {
                of_postgres(self.on_postgres().fetch_all(&mut **own).await?)
            }
        })
    }

    fn on_sqlite(self) -> sqlx::query::Query<'static, Sqlite, <Sqlite as Database>::Arguments> {
        bound(without_locks(self.text), self.values)
    }

    fn on_postgres(self) -> sqlx::query::Query<'static, Postgres, <Postgres as Database>::Arguments> {
        bound(self.text, self.values)
    }
}

impl<T: Column> ScalarQuery<T> {
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.query = self.query.bind(value);
        self
    }

    pub(super) async fn fetch_optional<'c>(self, on: impl Into<On<'c>>) -> Result<Option<T>, sqlx::Error> {
        self.query.fetch_optional(on).await?.map(|row| row.first()).transpose()
    }

    pub(super) async fn fetch_one<'c>(self, on: impl Into<On<'c>>) -> Result<T, sqlx::Error> {
        self.query.fetch_one(on).await?.first()
    }

    pub(super) async fn fetch_all<'c>(self, on: impl Into<On<'c>>) -> Result<Vec<T>, sqlx::Error> {
        self.query.fetch_all(on).await?.iter().map(Row::first).collect()
    }
}

impl Row {
    pub(super) fn try_get<T: Column>(&self, column: &str) -> Result<T, sqlx::Error> {
        match self {
            Row::Sqlite(row) => row.try_get(column),
            Row::Postgres(row) => row.try_get(column),
        }
    }

    fn first<T: Column>(&self) -> Result<T, sqlx::Error> {
        match self {
            Row::Sqlite(row) => row.try_get(0),
            Row::Postgres(row) => row.try_get(0),
        }
    }
}

fn bound<DB: Database>(
    text: &'static str,
    values: Vec<Value>,
) -> sqlx::query::Query<'static, DB, DB::Arguments>
where
    for<'t> Option<String>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<i64>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<f64>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<Vec<u8>>: Encode<'t, DB> + Type<DB>,
{
    values.into_iter().fold(sqlx::query(text), |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
        Value::Real(real) => query.bind(real),
        Value::Bytes(bytes) => query.bind(bytes),
    })
}

/// Locks on rows are the end of a text.
fn without_locks(text: &'static str) -> &'static str {
    text.split_once("for update").map_or(text, |(before, _)| before)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(Some(storable(text).into_owned()))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        if text.contains('\0') { text.as_str().into() } else { Value::Text(Some(text)) }
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Value::Text(None), Value::from)
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        text.map_or(Value::Text(None), Value::from)
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        text.as_deref().into()
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Number(Some(truth.into()))
    }
}

impl From<Option<f64>> for Value {
    fn from(real: Option<f64>) -> Self {
        Value::Real(real)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Value::Bytes(Some(bytes))
    }
}
