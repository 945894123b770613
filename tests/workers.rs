//! `dossier web` with `dossier worker`, over a NATS server of the tests' own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dossier::dispatch::nats::testing::PrivateNats;
use dossier::domain::FileReading;
use dossier::read::{FileOutcome, ReadOptions, Sandbox, SandboxLimits};
use dossier::store::testing::KillablePostgres;
use dossier::store::{Store, StoreAddress};

use crate::flood::{FLOW, Flood, check, reconcile, sender, settle};
use crate::heard::Heard;
use crate::outside::wait_until;
use crate::support::{dossier, run, stderr, stdout};
use crate::victim::{Chance, Victim, kill_child, pause, seed};

pub(crate) fn configure(root: &Path, db: &StoreAddress, nats: &PrivateNats, more: &str) {
    fs::create_dir_all(root.join("data")).unwrap();
    let text = format!(
        "db = \"{db}\"\n{more}[nats]\nurl = \"{}\"\nworker_patience_s = 2\ncases_ahead = 16\n",
        nats.url()
    );
    fs::write(root.join("dossier.toml"), text).unwrap();
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
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
                let Some(postgres) = &mut postgres else { continue };
                let id = postgres.id();
                killed.backends += usize::from(id.is_some_and(|id| kill_child(id, &mut chance)));
                // Killed while it recovers from that, it ends.
                if id.is_none() {
                    postgres.restart();
                }
            }
            _ => killed.children += usize::from(workers[chance.below(2) as usize].kill_child(&mut chance)),
        }
    }
    eprintln!("{killed:?} in {:?}", started.elapsed());
    if let Some(postgres) = postgres.as_mut().filter(|postgres| postgres.id().is_none()) {
        postgres.restart();
    }
    let (mut server, address) = standing(server, web, &db, &runtime);
    settle(&mut flood, &address, &db, &runtime);
    eprintln!("{dropped} cases were done after {:?}", started.elapsed());
    runtime.block_on(heard.settle(&db));
    assert!(!server.has_ended(), "once everything stands, it stays");
    server.stop();
    runtime.block_on(check(&flood, &db));
    runtime.block_on(heard.check(&flood, &db));
    reconcile(&flood);
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

/// Models that differ in two letters, which they take for each other.
fn old_models(root: &Path) -> PathBuf {
    let (models, old) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("../models"), root.join("old-models"));
    fs::create_dir(&old).unwrap();
    for file in fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        fs::copy(&file, old.join(file.file_name().unwrap())).unwrap();
    }
    let alphabet = fs::read_to_string(old.join("alphabet.txt")).unwrap();
    let turned = alphabet.chars().map(|letter| match letter {
        'A' => 'E',
        'E' => 'A',
        other => other,
    });
    fs::write(old.join("alphabet.txt"), turned.collect::<String>()).unwrap();
    old
}

fn read_with(models: Option<PathBuf>, path: &Path) -> FileReading {
    let sandbox = Sandbox::new(env!("CARGO_BIN_EXE_dossier").into(), models, 1, SandboxLimits::default());
    runtime().block_on(sandbox.read(path, &ReadOptions::default())).unwrap().reading
}

/// A worker with old models runs on beside a server with new ones; what it read for the server before is still on its
/// way. The case waits, the operator is told, and a worker with the new models reads it.
#[test]
fn what_a_worker_with_old_models_reads_is_not_taken() {
    let Some(nats) = PrivateNats::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (root, runtime) = (folder.path(), runtime());
    let db = StoreAddress::Sqlite(root.join("data/cases.db"));
    configure(root, &db, &nats, "");
    let models = old_models(root);
    let scan = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/seeds/scanned/flate.pdf");
    let right = read_with(None, &scan);
    assert_ne!(right, read_with(Some(models.clone()), &scan), "the old models read other words");

    let old = |arguments: &[&str]| {
        let mut command = dossier(root);
        command.args(arguments).env("DOSSIER_MODELS", &models);
        command
    };
    let web = ["web", "--listen", "127.0.0.1:0"];
    let mut server = Victim::start_as(old(&web), &root.join("old-web.log"));
    server.address(Duration::from_mins(1)).unwrap();
    let inbox = root.join("inbox").join(FLOW);
    fs::create_dir_all(&inbox).unwrap();
    fs::copy(&scan, inbox.join("K-1.pdf")).unwrap();
    let asked = |what: &str| stdout(&run(&mut old(&["doctor"]))).contains(what);
    wait_until(|| asked(", 1 files wait for workers"));
    server.kill();
    let old_worker = Victim::start_as(old(&["worker"]), &root.join("old-worker.log"));
    wait_until(|| asked(", 0 files wait for workers") && asked(", 0 are with workers"));

    let mut server = Victim::start(root, &web, "web.log");
    server.address(Duration::from_mins(1)).unwrap();
    let told = |what: &str| fs::read_to_string(root.join("web.log")).unwrap().contains(what);
    wait_until(|| told("no worker takes files: is one of this version running?"));
    assert!(told("what was read with other models or by another version is left out"));
    let store = runtime.block_on(Store::open(&db)).unwrap();
    assert_eq!(runtime.block_on(store.count_waiting()).unwrap(), 1, "nobody may read it yet");

    let worker = Victim::start(root, &["worker"], "worker.log");
    wait_until(|| runtime.block_on(store.count_waiting()).unwrap() == 0);
    runtime.block_on(store.close());
    let kept: Vec<PathBuf> =
        fs::read_dir(root.join("data/readings")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let kept: FileOutcome = serde_json::from_slice(&fs::read(&kept[0]).unwrap()).unwrap();
    assert_eq!(kept.reading, right);
    for one in [server, worker, old_worker] {
        one.stop();
    }
}
