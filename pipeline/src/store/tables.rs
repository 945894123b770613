//! The tables' history: one for each database, with the same steps. An applied migration is never
//! edited: a change is a new one.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::connect::{StoreError, sql};
use super::query::{Pool, query_scalar};

/// A step: its number, its name, and the statements for either database.
struct Step {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const STEPS: [Step; 5] = [
    Step {
        version: 1,
        name: "cases",
        sqlite: include_str!("../../migrations/sqlite/0001_cases.sql"),
        postgres: include_str!("../../migrations/postgres/0001_cases.sql"),
    },
    Step {
        version: 2,
        name: "serve",
        sqlite: include_str!("../../migrations/sqlite/0002_serve.sql"),
        postgres: include_str!("../../migrations/postgres/0002_serve.sql"),
    },
    Step {
        version: 3,
        name: "reports",
        sqlite: include_str!("../../migrations/sqlite/0003_reports.sql"),
        postgres: include_str!("../../migrations/postgres/0003_reports.sql"),
    },
    Step {
        version: 4,
        name: "identities",
        sqlite: include_str!("../../migrations/sqlite/0004_identities.sql"),
        postgres: include_str!("../../migrations/postgres/0004_identities.sql"),
    },
    Step {
        version: 5,
        name: "jobs",
        sqlite: include_str!("../../migrations/sqlite/0005_jobs.sql"),
        postgres: include_str!("../../migrations/postgres/0005_jobs.sql"),
    },
];

/// Brings the tables up to date.
pub(super) async fn migrate(pool: &Pool) -> Result<(), StoreError> {
    match pool {
        Pool::Sqlite(pool) => migrator(|step| step.sqlite).run(pool).await?,
        Pool::Postgres(pool) => migrator(|step| step.postgres).run(pool).await?,
    }
    Ok(())
}

/// The version of the tables; 0 when there are none.
pub(super) async fn version(pool: &Pool) -> Result<i64, StoreError> {
    let doing = "read the version of the tables";
    let noted: Option<String> = match pool {
        Pool::Sqlite(_) => query_scalar("select name from sqlite_master where name = '_sqlx_migrations'"),
        Pool::Postgres(_) => query_scalar("select cast(to_regclass('_sqlx_migrations') as text)"),
    }
    .fetch_optional(pool)
    .await
    .map_err(sql(doing))?
    .flatten();
    if noted.is_none() {
        return Ok(0);
    }
    query_scalar("select coalesce(max(version), 0) from _sqlx_migrations where success")
        .fetch_one(pool)
        .await
        .map_err(sql(doing))
}

/// The version that this program works with.
pub(super) fn newest() -> i64 {
    STEPS[STEPS.len() - 1].version
}

fn migrator(statements: impl Fn(&Step) -> &'static str) -> Migrator {
    let migration = |step: &Step| {
        let text = statements(step).into_sql_str();
        Migration::new(step.version, step.name.into(), MigrationType::Simple, text, false)
    };
    Migrator::with_migrations(STEPS.iter().map(migration).collect())
}
