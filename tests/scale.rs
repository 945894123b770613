//! More workers make it faster, and what a case costs those who are shared: the server, the database and NATS.
//! `DOSSIER_SOAK=1` runs the full form and measures how far that goes.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dossier::config::Bundle;
use dossier::dispatch::nats::testing::PrivateNats;
use dossier::dispatch::nats::{Link, Worker};
use dossier::dispatch::{Dispatch, DispatchError, FileToRead, reading_version};
use dossier::read::{FileOutcome, ReadOptions};
use dossier::store::testing::KillablePostgres;
use dossier::store::{BlobStore, Store, StoreAddress};
use tokio::runtime::Runtime;

use crate::flood::{Flood, sender};
use crate::victim::{Victim, children, pause};
use crate::workers::{configure, runtime};

/// Sleeps as long as reading takes: a core of another machine.
#[derive(Debug)]
struct Sleeper(Duration);

#[async_trait]
impl Dispatch for Sleeper {
    fn cases_ahead(&self) -> usize {
        1
    }

    async fn read(&self, _file: FileToRead<'_>) -> Result<FileOutcome, DispatchError> {
        tokio::time::sleep(self.0).await;
        Ok(FileOutcome { page_count: 1, ..FileOutcome::default() })
    }
}

/// Processor time of a process in milliseconds; with `reaped`, that of its ended children too.
fn cpu_ms(pid: u32, reaped: bool) -> f64 {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // User and system time, its own and its children's, in hundredths (proc_pid_stat(5), fields 14 to 17).
    let wanted = if reaped { 11..15 } else { 11..13 };
    fields[wanted].iter().map(|field| field.parse::<f64>().unwrap() * 10.0).sum()
}

/// What has been spent since the start: milliseconds of processors, and what the database made durable.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    web: f64,
    nats: f64,
    database: f64,
    syncs: f64,
    sync_ms: f64,
    log_kb: f64,
}

impl Spent {
    /// What a case cost since then.
    fn each(self, before: Self, cases: u32) -> Self {
        let each = |now: f64, before: f64| (now - before) / f64::from(cases);
        Self {
            web: each(self.web, before.web),
            nats: each(self.nats, before.nats),
            database: each(self.database, before.database),
            syncs: each(self.syncs, before.syncs),
            sync_ms: each(self.sync_ms, before.sync_ms),
            log_kb: each(self.log_kb, before.log_kb),
        }
    }

    fn told(&self) -> String {
        let limit = |ms: f64| if ms > 0.0 { 1_000.0 / ms } else { f64::INFINITY };
        format!(
            "a case costs {:.1} ms of the server's processor ({:.0} cases a second on a core), {:.1} ms of NATS' ({:.0}), \
             {:.1} ms of the database's ({:.0}); its log is synced {:.1} times for it, {:.2} ms in all ({:.0}), and \
             grows by {:.1} kB",
            self.web,
            limit(self.web),
            self.nats,
            limit(self.nats),
            self.database,
            limit(self.database),
            self.syncs,
            self.sync_ms,
            limit(self.sync_ms),
            self.log_kb,
        )
    }
}

struct Site {
    folder: tempfile::TempDir,
    nats: PrivateNats,
    postgres: Option<KillablePostgres>,
    store: Store,
    server: Victim,
    address: String,
    flood: Flood,
    sent: usize,
    runtime: Runtime,
}

impl Site {
    /// With the database that is recommended for several machines, or with a file where that is not installed.
    fn new() -> Option<Self> {
        let nats = PrivateNats::start()?;
        let folder = tempfile::tempdir().unwrap();
        let (root, runtime) = (folder.path(), runtime());
        let postgres = KillablePostgres::start();
        let db = match &postgres {
            Some(postgres) => runtime.block_on(postgres.migrated_database()),
            None => StoreAddress::Sqlite(root.join("data/cases.db")),
        };
        configure(root, &db, &nats, "");
        runtime.block_on(sender(&db));
        let mut server = Victim::start(root, &["web", "--listen", "127.0.0.1:0"], "web.log");
        let address = server.address(Duration::from_mins(1)).unwrap();
        let store = runtime.block_on(Store::open(&db)).unwrap();
        let flood = Flood::new(root, 1, false);
        Some(Self { folder, nats, postgres, store, server, address, flood, sent: 0, runtime })
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn spent(&self) -> Spent {
        let mut spent = Spent {
            web: cpu_ms(self.server.id(), false),
            nats: cpu_ms(self.nats.id(), false),
            ..Spent::default()
        };
        if let Some(postgres) = &self.postgres {
            let first = postgres.id().unwrap();
            let others = children(first).iter().map(|id| cpu_ms(id.parse().unwrap(), false)).sum::<f64>();
            spent.database = cpu_ms(first, true) + others;
            let (syncs, sync_ms, bytes) = self.runtime.block_on(postgres.log_syncs());
            #[expect(clippy::cast_precision_loss, reason = "counts of a test")]
            let (syncs, kilobytes) = (syncs as f64, bytes as f64 / 1_000.0);
            (spent.syncs, spent.sync_ms, spent.log_kb) = (syncs, sync_ms, kilobytes);
        }
        spent
    }

    /// Sends so many cases in, then has them read by so many workers; how many a second.
    fn read(&mut self, cases: u32, workers: u32, lanes: usize, takes: Duration) -> f64 {
        for _ in 0..cases {
            assert_eq!(self.flood.send(&self.address, &format!("K-{}", self.sent)), Some(201));
            self.sent += 1;
        }
        let started = Instant::now();
        let running: Vec<_> = (0..workers)
            .map(|_| {
                let settings = self.nats.settings();
                let worker = Worker {
                    link: self.runtime.block_on(Link::connect(&settings, "worker", true)).unwrap(),
                    reader: Arc::new(Sleeper(takes)),
                    options: ReadOptions::default(),
                    blobs: BlobStore::open(self.root().join("data/blobs"), 1 << 20).unwrap(),
                    version: reading_version(&Bundle::embedded_models(), &ReadOptions::default()),
                    parallel: lanes,
                };
                self.runtime.spawn(worker.run(std::future::pending()))
            })
            .collect();
        while self.runtime.block_on(self.store.count_waiting()).unwrap() > 0 {
            assert!(started.elapsed() < Duration::from_mins(5), "it never ends");
            pause(Duration::from_millis(20));
        }
        let rate = f64::from(cases) / started.elapsed().as_secs_f64();
        for worker in running {
            worker.abort();
        }
        rate
    }
}

/// Throughput grows with the workers; what a case costs those who are shared is printed, with how many cases a second
/// each of them could carry.
#[test]
fn more_workers_make_it_faster() {
    let is_soak = std::env::var_os("DOSSIER_SOAK").is_some();
    let (each, takes) = if is_soak { (60, Duration::from_secs(1)) } else { (12, Duration::from_millis(700)) };
    let Some(mut site) = Site::new() else { return };
    let mut single = 0.0;
    for workers in [1, 2, 4] {
        let cases = each * workers;
        let before = site.spent();
        let rate = site.read(cases, workers, 1, takes);
        if workers == 1 {
            single = rate;
        }
        let share = rate / (single * f64::from(workers));
        // What the database says of itself comes a second late.
        pause(Duration::from_millis(1_500));
        let told = site.spent().each(before, cases).told();
        eprintln!("{workers} workers: {rate:.2} cases a second, {share:.2} of linear; {told}");
        // A short run ends with a part of a round.
        assert!(share >= if is_soak { 0.9 } else { 0.7 }, "{share}");
    }
    if is_soak {
        // Workers that need no time for reading: what is shared is all that there is.
        let before = site.spent();
        let rate = site.read(600, 2, 16, Duration::ZERO);
        pause(Duration::from_millis(1_500));
        let told = site.spent().each(before, 600).told();
        eprintln!("without reading: {rate:.2} cases a second; {told}");
    }
    site.runtime.block_on(site.store.close());
    site.server.stop();
}
