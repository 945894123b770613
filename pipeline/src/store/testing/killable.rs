//! A `PostgreSQL` server of one test that may be killed: as durable as it is by default.

use std::process::{Child, Command};

use sqlx::Row as _;
use sqlx::postgres::PgPoolOptions;

use super::{Store, StoreAddress, address, run, started};

const DATABASE: &str = "killed";

/// A server with one database.
#[derive(Debug)]
pub struct KillablePostgres {
    folder: tempfile::TempDir,
    /// It serves until the pipe to it is closed.
    process: Child,
}

impl KillablePostgres {
    /// `None` where `PostgreSQL` is not installed.
    pub fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (process, _) = started(Some(folder.path()))?;
        Some(Self { folder, process })
    }

    fn at(&self, database: &str) -> StoreAddress {
        address(self.folder.path().to_str().unwrap(), database)
    }

    /// The database, with empty tables: made at the first call.
    pub async fn migrated_database(&self) -> StoreAddress {
        run(self.at("postgres"), format!("create database {DATABASE}")).await;
        let address = self.at(DATABASE);
        Store::migrate(&address).await.unwrap();
        address
    }

    /// Of its first process, the parent of all others; none when it has ended.
    pub fn id(&self) -> Option<u32> {
        let written = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).ok()?;
        let id: u32 = written.lines().next()?.trim().parse().ok()?;
        std::fs::exists(format!("/proc/{id}")).unwrap_or_default().then_some(id)
    }

    /// Ends its first process with SIGKILL, waits until the others have ended by themselves, and starts it again.
    pub fn restart(&mut self) {
        if let Some(id) = self.id() {
            let path = format!("/proc/{id}/task/{id}/children");
            let others = std::fs::read_to_string(path).unwrap_or_default();
            // Or it has ended just now.
            Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap();
            for other in others.split_whitespace() {
                // They hold its memory until then.
                let stat = format!("/proc/{other}/stat");
                while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
                    std::thread::yield_now();
                }
            }
        }
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
        (self.process, _) = started(Some(self.folder.path())).unwrap();
    }

    /// How often it has made its log durable since it was started, what that took in milliseconds, and how many
    /// bytes it wrote there.
    pub async fn log_syncs(&self) -> (i64, f64, i64) {
        let StoreAddress::Postgres(options) = self.at(DATABASE) else { unreachable!("it is one") };
        let pool = PgPoolOptions::new().max_connections(1).connect_with(*options).await.unwrap();
        let row = sqlx::query("select wal_sync, wal_sync_time, wal_bytes::bigint as bytes from pg_stat_wal")
            .fetch_one(&pool)
            .await
            .unwrap();
        pool.close().await;
        (row.get("wal_sync"), row.get("wal_sync_time"), row.get("bytes"))
    }
}

impl Drop for KillablePostgres {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}
