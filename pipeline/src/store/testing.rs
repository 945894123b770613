//! Stores for tests: on each database, new and empty. `PostgreSQL` is Debian's, started by the tests
//! themselves and ended with them; where it is not installed the tests say so and go on, but not in CI.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests alone call it, those of other crates too"
)]

mod killable;

use std::io::{BufRead as _, BufReader};
use std::ops::Deref;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPoolOptions;

use chrono::NaiveDate;

pub use killable::KillablePostgres;

#[cfg(test)]
pub(crate) use super::seal::tests::keyring;
use super::{Store, StoreAddress};
use crate::domain::{CaseResult, Outcome, Reason, Timings, Version};

const SCRIPT: &str = concat!(
    include_str!("../../../tests/until-it-serves.sh"),
    include_str!("../../../tests/private-postgres.sh")
);
const TEMPLATE: &str = "dossier_template";

/// A store of its own for one test.
#[derive(Debug)]
pub struct TestStore {
    store: Store,
    pub address: StoreAddress,
    _folder: Option<tempfile::TempDir>,
}

/// An empty store on each database that there is, or on that which `DOSSIER_TEST_ON` names (`sqlite`,
/// `postgres`), for long runs by hand.
pub async fn stores() -> Vec<TestStore> {
    let only = std::env::var("DOSSIER_TEST_ON").ok();
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let mut addresses = Vec::new();
    if is_wanted("sqlite") {
        let folder = tempfile::tempdir().unwrap();
        addresses.push((StoreAddress::Sqlite(folder.path().join("cases.db")), Some(folder)));
    }
    if is_wanted("postgres")
        && let Some(server) = PrivatePostgres::get()
    {
        addresses.push((server.migrated_database().await, None));
    }
    let mut stores = Vec::new();
    for (address, folder) in addresses {
        stores.push(TestStore { store: Store::open(&address).await.unwrap(), address, _folder: folder });
    }
    stores
}

impl TestStore {
    /// As if the work on a case had failed so often.
    #[cfg(test)]
    pub async fn strike(&self, case_id: &str, strikes: i64) {
        super::query::query(
            "insert into jobs (case_id, generation, expires_at, strikes) values ($1, 0, 0, $2)",
        )
        .bind(case_id)
        .bind(strikes)
        .execute(&self.store.pool)
        .await
        .unwrap();
    }

    /// Puts a case where there is no place, and gives it a file that never came in.
    #[cfg(test)]
    pub async fn damage(&self, case_id: &str) {
        for text in [
            "update cases set state = 'nowhere' where id = $1",
            "insert into case_files (case_id, number, name, sha256, size_bytes, received_at)
             values ($1, 90, 'x', 'ffff', 1, 1)",
        ] {
            super::query::query(text).bind(case_id).execute(&self.store.pool).await.unwrap();
        }
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was on {}", self.address);
        }
    }
}

/// A result with one reason and no documents.
pub fn plain_result(reference: &str, outcome: Outcome) -> CaseResult {
    let version = || Version { version: "sha256:0".to_owned() };
    let reason = Reason {
        code: "NAME_MISMATCH".to_owned(),
        message: "…".to_owned(),
        rule: "same_person".to_owned(),
        fields: Vec::new(),
    };
    CaseResult {
        reference: reference.to_owned(),
        flow: "consumer_loan".to_owned(),
        outcome,
        mode: None,
        received_on: NaiveDate::from_ymd_opt(2026, 3, 14).unwrap(),
        reasons: vec![reason],
        outputs: [].into(),
        documents: vec![],
        findings: vec![],
        rules: version(),
        models: version(),
        pages: 1,
        timings_ms: Timings::default(),
    }
}

/// The server of this process's tests.
#[derive(Debug)]
pub struct PrivatePostgres {
    /// Of its socket.
    folder: String,
    made: Mutex<usize>,
    /// It serves until the pipe to it is closed, which the end of this process does, however it ends.
    _process: Child,
}

impl PrivatePostgres {
    /// Started at the first call; `None` where `PostgreSQL` is not installed.
    pub fn get() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<PrivatePostgres>> = OnceLock::new();
        SERVER.get_or_init(Self::start).as_ref()
    }

    fn start() -> Option<Self> {
        let (process, folder) = started(None)?;
        Some(Self { folder, made: Mutex::new(0), _process: process })
    }

    fn address(&self, database: &str) -> StoreAddress {
        address(&self.folder, database)
    }

    /// A database without tables.
    pub async fn empty_database(&self) -> StoreAddress {
        self.create_from("template1").await
    }

    /// A database with empty tables.
    pub async fn migrated_database(&self) -> StoreAddress {
        static READY: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
        READY
            .get_or_init(async || {
                self.run(format!("create database {TEMPLATE}")).await;
                Store::migrate(&self.address(TEMPLATE)).await.unwrap();
            })
            .await;
        self.create_from(TEMPLATE).await
    }

    async fn create_from(&self, template: &str) -> StoreAddress {
        let number = {
            let mut made = self.made.lock().unwrap();
            *made += 1;
            *made
        };
        let name = format!("test_{number}");
        self.run(format!("create database {name} template {template}")).await;
        self.address(&name)
    }

    async fn run(&self, statement: String) {
        run(self.address("postgres"), statement).await;
    }
}

/// Starts a server, in this folder or a new one; `None` where it is not installed.
fn started(folder: Option<&std::path::Path>) -> Option<(Child, String)> {
    let mut process = Command::new("sh")
        .args(["-c", SCRIPT, "private-postgres"])
        .args(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut folder = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut folder).unwrap();
    if folder.is_empty() {
        let status = process.wait().unwrap();
        assert_eq!(status.code(), Some(3), "PostgreSQL does not start");
        assert!(std::env::var_os("CI").is_none(), "CI has PostgreSQL: tests/install-packages.sh installs it");
        eprintln!("skipped on PostgreSQL: it is not installed (tests/install-packages.sh installs it)");
        return None;
    }
    Some((process, folder.trim().to_owned()))
}

fn address(folder: &str, database: &str) -> StoreAddress {
    format!("postgres://dossier@localhost/{database}?host={folder}").parse().unwrap()
}

async fn run(address: StoreAddress, statement: String) {
    let StoreAddress::Postgres(options) = address else { unreachable!("it is one") };
    let pool = PgPoolOptions::new().max_connections(1).connect_with(*options).await.unwrap();
    // Names of databases cannot be bound; these are made here.
    sqlx::query(AssertSqlSafe(statement)).execute(&pool).await.unwrap();
    pool.close().await;
}
