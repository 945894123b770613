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

macro_rules! step {
    ($version:literal, $name:literal, $file:literal) => {
        Step {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $file)),
            postgres: include_str!(concat!("../../migrations/postgres/", $file)),
        }
    };
}

const STEPS: [Step; 7] = [
    step!(1, "cases", "0001_cases.sql"),
    step!(2, "serve", "0002_serve.sql"),
    step!(3, "reports", "0003_reports.sql"),
    step!(4, "identities", "0004_identities.sql"),
    step!(5, "jobs", "0005_jobs.sql"),
    step!(6, "deliveries", "0006_deliveries.sql"),
    step!(7, "erasure", "0007_erasure.sql"),
];

/// Brings the tables up to date.
pub(super) async fn migrate(pool: &Pool) -> Result<(), StoreError> {
    match pool {
        Pool::Sqlite(pool) => migrator(|step| step.sqlite).run(pool).await?,
        Pool::Postgres(pool) => migrator(|step| step.postgres).run(pool).await?,
    }
    Ok(())
}

/// The version of the tables: up to which every step was made. 0 when there are none.
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
    let made: Vec<i64> = query_scalar("select version from _sqlx_migrations where success order by version")
        .fetch_all(pool)
        .await
        .map_err(sql(doing))?;
    Ok(complete_up_to(&made))
}

/// Steps that were worked on side by side may come in any order: a gap counts, not the last one alone.
fn complete_up_to(made: &[i64]) -> i64 {
    if let Some(newer) = made.last().filter(|last| **last > newest()) {
        return *newer;
    }
    let known = STEPS.iter().map(|step| step.version);
    let first_missing = known.clone().find(|version| !made.contains(version));
    match first_missing {
        None => made.last().copied().unwrap_or(0),
        Some(missing) => known.take_while(|version| *version < missing).last().unwrap_or(0),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_that_comes_late_is_made() {
        for store in crate::store::testing::stores().await {
            let text = "create table came_late (number integer)";
            let late = Migration::new(0, "late".into(), MigrationType::Simple, text.into_sql_str(), false);
            let with_late = |statements: fn(&Step) -> &'static str| {
                let mut all: Vec<Migration> = migrator(statements).iter().cloned().collect();
                all.insert(0, late.clone());
                Migrator::with_migrations(all)
            };
            match &store.pool {
                Pool::Sqlite(pool) => with_late(|step| step.sqlite).run(pool).await.unwrap(),
                Pool::Postgres(pool) => with_late(|step| step.postgres).run(pool).await.unwrap(),
            }
            let none: Option<i64> =
                query_scalar("select number from came_late").fetch_optional(&store.pool).await.unwrap();
            assert_eq!(none, None);
        }
    }

    #[test]
    fn a_step_that_was_left_out_counts() {
        assert_eq!(complete_up_to(&[]), 0);
        assert_eq!(complete_up_to(&[1, 2]), 2);
        let all: Vec<i64> = STEPS.iter().map(|step| step.version).collect();
        assert_eq!(complete_up_to(&all), newest());
        let without_the_second: Vec<i64> = all.iter().copied().filter(|version| *version != 2).collect();
        assert_eq!(complete_up_to(&without_the_second), 1);
        let newer: Vec<i64> = all.iter().copied().chain([newest() + 1]).collect();
        assert_eq!(complete_up_to(&newer), newest() + 1);
    }
}
