//! `dossier web` with `dossier worker`, over a NATS server of the tests' own.

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
use dossier::store::testing::{KillablePostgres, PrivatePostgres};
use dossier::store::{BlobStore, Store, StoreAddress};

use crate::heard::Heard;
use crate::kill::{Chance, Flood, Victim, check, kill_child, pause, reconcile, seed, sender, settle};
use crate::support::{dossier, run, stderr, stdout};

fn configure(root: &Path, db: &StoreAddress, nats: &PrivateNats, more: &str) {
    fs::create_dir_all(root.join("data")).unwrap();
    let text = format!(
        "db = \"{db}\"\n{more}[nats]\nurl = \"{}\"\nworker_patience_s = 2\ncases_ahead = 16\n",
        nats.url()
    );
    fs::write(root.join("dossier.toml"), text).unwrap();
}

/// An empty store on `PostgreSQL`, or on `SQLite` where that is not installed.
fn empty_store(root: &Path, runtime: &tokio::runtime::Runtime) -> StoreAddress {
    match PrivatePostgres::get() {
        Some(postgres) => runtime.block_on(postgres.migrated_database()),
        None => StoreAddress::Sqlite(root.join("data/cases.db")),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What is killed where files are read by workers.
#[derive(Debug, Default)]
struct Killed {
    servers: usize,
    workers: usize,
    nats: usize,
    /// The first process of `PostgreSQL`, and one of its others.
    postmasters: usize,
    backends: usize,
    children: usize,
    /// Servers that ended by themselves, since the database was not there when they started.
    of_themselves: usize,
}

impl Killed {
    fn all(&self) -> usize {
        self.servers + self.workers + self.nats + self.postmasters + self.backends + self.children
    }
}

#[test]
fn nothing_is_lost_with_workers_whatever_is_killed() {
    let Some(mut nats) = PrivateNats::start() else { return };
    let is_soak = std::env::var_os("DOSSIER_SOAK").is_some();
    let (cases, kills): (usize, usize) = if is_soak { (300, 240) } else { (24, 10) };
    let seed = seed();
    eprintln!("DOSSIER_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let (root, runtime) = (folder.path(), runtime());
    let mut postgres = KillablePostgres::start();
    let db = match &postgres {
        Some(postgres) => runtime.block_on(postgres.migrated_database()),
        None => StoreAddress::Sqlite(root.join("data/cases.db")),
    };
    let heard = Heard::start();
    configure(root, &db, &nats, "");
    let configured = fs::read_to_string(root.join("dossier.toml")).unwrap();
    fs::write(root.join("dossier.toml"), configured + heard.settings(root).as_str()).unwrap();
    runtime.block_on(sender(&db));
    let mut flood = Flood::new(root, seed, is_soak);
    let mut chance = Chance::new(seed + 1);
    let started = Instant::now();
    let web = || Victim::start(root, &["web", "--listen", "127.0.0.1:0"], "web.log");
    let work = || Victim::start(root, &["worker"], "worker.log");
    let (mut server, mut workers) = (web(), [work(), work()]);
    if is_soak {
        // Its picture takes so long that every other child that is killed would be this one's.
        flood.drop_loan("K-first");
        let address = server.address(Duration::from_mins(1)).unwrap();
        settle(&mut flood, &address, &db, &runtime);
    }
    let (mut dropped, mut killed) = (0, Killed::default());
    while killed.all() < kills {
        let due = (cases * (killed.all() + 1)).div_ceil(kills);
        while dropped < due {
            flood.next(dropped);
            dropped += 1;
        }
        if chance.below(3) > 0
            && let Some(address) = server.address(Duration::from_secs(20))
        {
            flood.upload(&address);
        }
        pause(Duration::from_millis(chance.below(900)));
        // As whoever supervises it would.
        if server.has_ended() {
            server = web();
            killed.of_themselves += 1;
        }
        match chance.below(10) {
            0..=2 => {
                server.kill();
                server = web();
                killed.servers += 1;
            }
            3 | 4 => {
                let one = chance.below(2) as usize;
                std::mem::replace(&mut workers[one], work()).kill();
                killed.workers += 1;
            }
            5 => {
                let loses_its_store = chance.below(2) == 0;
                nats.restart(loses_its_store);
                killed.nats += 1;
            }
            6 => {
                let Some(postgres) = &mut postgres else { continue };
                postgres.restart();
                killed.postmasters += 1;
            }
            7 => {
                let Some(postgres) = &postgres else { continue };
                killed.backends += usize::from(kill_child(postgres.id(), &mut chance));
            }
            _ => killed.children += usize::from(workers[chance.below(2) as usize].kill_child(&mut chance)),
        }
    }
    eprintln!("{killed:?} in {:?}", started.elapsed());
    let (mut server, address) = standing(server, web, &db, &runtime);
    settle(&mut flood, &address, &db, &runtime);
    eprintln!("{dropped} cases were done after {:?}", started.elapsed());
    runtime.block_on(heard.settle(&db));
    assert!(!server.has_ended(), "once everything stands, it stays");
    server.stop();
    runtime.block_on(check(&flood, &db));
    runtime.block_on(heard.check(&flood, &db));
    reconcile(&flood, &[]);
    let looked = run(dossier(root).arg("doctor"));
    assert!(stdout(&looked).contains("ok       nats"), "{}{}", stdout(&looked), stderr(&looked));
    workers.into_iter().for_each(Victim::stop);
    eprintln!("all was accounted for after {:?}", started.elapsed());
}

/// The server once the database is there again, and where it listens.
fn standing(
    mut server: Victim,
    start: impl Fn() -> Victim,
    db: &StoreAddress,
    runtime: &tokio::runtime::Runtime,
) -> (Victim, String) {
    let started = Instant::now();
    while runtime.block_on(Store::open(db)).is_err() {
        assert!(started.elapsed() < Duration::from_mins(1), "the database does not come back");
        pause(Duration::from_millis(100));
    }
    if server.has_ended() {
        server = start();
    }
    let address = server.address(Duration::from_secs(30)).or_else(|| {
        server = start();
        server.address(Duration::from_secs(30))
    });
    (server, address.expect("the server starts"))
}

#[test]
fn who_brings_more_than_can_be_done_has_to_wait() {
    let Some(nats) = PrivateNats::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (root, runtime) = (folder.path(), runtime());
    let db = StoreAddress::Sqlite(root.join("data/cases.db"));
    configure(root, &db, &nats, "most_waiting = 2\n");
    runtime.block_on(sender(&db));
    let mut server = Victim::start(root, &["web", "--listen", "127.0.0.1:0"], "web.log");
    let address = server.address(Duration::from_mins(1)).unwrap();
    let mut flood = Flood::new(root, 1, false);
    for reference in ["K-1", "K-2"] {
        assert_eq!(flood.send(&address, reference), Some(201));
    }
    pause(Duration::from_millis(1_100));
    assert_eq!(flood.send(&address, "K-3"), Some(429), "nobody reads: two wait, and no more are taken");
    flood.drop_file("K-4");
    pause(Duration::from_secs(5));
    assert!(root.join("inbox/consumer_loan/K-4.pdf").exists(), "the inbox waits too");
    let worker = Victim::start(root, &["worker"], "worker.log");
    flood.again("K-3");
    settle(&mut flood, &address, &db, &runtime);
    server.stop();
    worker.stop();
    runtime.block_on(check(&flood, &db));
}

/// Sleeps as long as reading takes.
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

/// Processor time of a process in seconds.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // User and system time, in hundredths (proc_pid_stat(5), fields 14 and 15).
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// Throughput grows with the workers; what the server and NATS cost a case is printed.
#[test]
fn more_workers_make_it_faster() {
    let Some(nats) = PrivateNats::start() else { return };
    let is_soak = std::env::var_os("DOSSIER_SOAK").is_some();
    let (each, takes) = if is_soak { (60, Duration::from_secs(1)) } else { (12, Duration::from_millis(700)) };
    let folder = tempfile::tempdir().unwrap();
    let (root, runtime) = (folder.path(), runtime());
    let db = empty_store(root, &runtime);
    configure(root, &db, &nats, "");
    runtime.block_on(sender(&db));
    let mut server = Victim::start(root, &["web", "--listen", "127.0.0.1:0"], "web.log");
    let address = server.address(Duration::from_mins(1)).unwrap();
    let store = runtime.block_on(Store::open(&db)).unwrap();
    let mut flood = Flood::new(root, 1, false);
    let mut single = 0.0;
    let mut number = 0;
    for workers in [1, 2, 4] {
        let cases = each * workers;
        for _ in 0..cases {
            assert_eq!(flood.send(&address, &format!("K-{number}")), Some(201));
            number += 1;
        }
        let costs = || [cpu_seconds(server.id()), cpu_seconds(nats.id())];
        let before = costs();
        let started = Instant::now();
        let running: Vec<_> = (0..workers)
            .map(|_| {
                let worker = Worker {
                    link: runtime.block_on(Link::connect(&nats.settings(), "worker", true)).unwrap(),
                    reader: Arc::new(Sleeper(takes)),
                    options: ReadOptions::default(),
                    blobs: BlobStore::open(root.join("data/blobs"), 1 << 20).unwrap(),
                    version: reading_version(&Bundle::embedded_models(), &ReadOptions::default()),
                    parallel: 1,
                };
                runtime.spawn(worker.run(std::future::pending()))
            })
            .collect();
        while runtime.block_on(store.count_waiting()).unwrap() > 0 {
            assert!(started.elapsed() < Duration::from_mins(5), "it never ends");
            pause(Duration::from_millis(20));
        }
        let rate = f64::from(cases) / started.elapsed().as_secs_f64();
        for worker in running {
            worker.abort();
        }
        if workers == 1 {
            single = rate;
        }
        let share = rate / (single * f64::from(workers));
        let [web, nats] = [0, 1].map(|index| (costs()[index] - before[index]) / f64::from(cases) * 1_000.0);
        eprintln!(
            "{workers} workers: {rate:.2} cases/s, {share:.2} of linear; a case costs {web:.1} ms of the server's \
             processor and {nats:.1} ms of NATS'"
        );
        // A short run ends with a part of a round.
        assert!(share >= if is_soak { 0.9 } else { 0.7 }, "{share}");
    }
    runtime.block_on(store.close());
    server.stop();
}
