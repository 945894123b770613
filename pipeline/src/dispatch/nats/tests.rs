//! Servers and workers over a real NATS, with readers that only pretend to read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::testing::PrivateNats;
use super::{Link, Worker, Workers};
use crate::clock::SystemClock;
use crate::dispatch::{Dispatch, DispatchError, FileToRead};
use crate::domain::{Finding, FindingCode};
use crate::intake::hash_file;
use crate::read::{FileOutcome, Progress, ReadOptions, ReadingCache, count_more, counted};
use crate::store::testing::{TestStore, keyring, stores};
use crate::store::{BlobStore, Keyring};

/// A server with what it needs, and the workers of a test.
struct Room {
    folder: tempfile::TempDir,
    nats: PrivateNats,
    blobs: BlobStore,
    server: Arc<Workers>,
    _stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    _store: TestStore,
}

/// What a reader that pretends does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Gives something that cannot be packed, of so many bytes.
    Reads(usize),
    /// Has read two of three pages and goes on when the test says so.
    Waits,
    /// Never ends; the test is told that it has begun.
    Hangs,
    Fails,
}

#[derive(Debug)]
struct Pretended {
    does: Does,
    begun: Notify,
    goes_on: Notify,
    read: Mutex<Vec<String>>,
}

impl Pretended {
    fn new(does: Does) -> Arc<Self> {
        Arc::new(Self { does, begun: Notify::new(), goes_on: Notify::new(), read: Mutex::default() })
    }
}

/// Something that depends on the hash alone.
fn pretended(sha256: &str, bytes: usize) -> FileOutcome {
    let mut outcome = FileOutcome { page_count: 1, ..FileOutcome::default() };
    let seed = u64::from_str_radix(sha256.get(..15).unwrap(), 16).unwrap();
    let text = (0..bytes as u64 / 16)
        .map(|one| format!("{:016x}", (one ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    let message: String = text.collect();
    outcome.reading.findings.push(Finding::new(FindingCode::BlankPage, message));
    outcome
}

#[async_trait]
impl Dispatch for Pretended {
    fn cases_ahead(&self) -> usize {
        1
    }

    async fn read(&self, file: FileToRead<'_>) -> Result<FileOutcome, DispatchError> {
        assert_eq!(hash_file(file.path).await.unwrap(), file.sha256, "it gets the plain bytes");
        self.read.lock().unwrap().push(file.sha256.to_owned());
        self.begun.notify_one();
        match self.does {
            Does::Reads(bytes) => Ok(pretended(file.sha256, bytes)),
            Does::Waits => {
                count_more(3, 2);
                self.goes_on.notified().await;
                Ok(pretended(file.sha256, 100))
            }
            Does::Hangs => std::future::pending().await,
            Does::Fails => Err(DispatchError::Worker),
        }
    }
}

impl Room {
    async fn all() -> Vec<Self> {
        Self::all_with(None).await
    }

    /// With originals and readings sealed where there are keys.
    async fn all_with(keys: Option<&Arc<Keyring>>) -> Vec<Self> {
        Self::all_under(keys, None).await
    }

    /// With users who may do what a configuration says.
    async fn all_under(keys: Option<&Arc<Keyring>>, configuration: Option<&Path>) -> Vec<Self> {
        let mut rooms = Vec::new();
        for store in stores().await {
            let Some(nats) = PrivateNats::start_with(configuration) else { return rooms };
            let folder = tempfile::tempdir().unwrap();
            let settings = match configuration {
                Some(_) => nats.settings_of("web", folder.path()),
                None => nats.settings(),
            };
            let link = Link::connect(&settings, "server", true).await.unwrap();
            let server = Arc::new(Workers::new(
                link,
                (*store).clone(),
                Arc::new(SystemClock),
                "s1".to_owned(),
                "v1".to_owned(),
                ReadingCache::new(folder.path().join("readings"), "v1".to_owned()).with_keys(keys.cloned()),
                ReadOptions::default(),
                8,
            ));
            let (stop, stopped) = watch::channel(false);
            let own = Arc::clone(&server);
            let running = tokio::spawn(async move {
                let mut stopped = stopped;
                own.run(async { drop(stopped.wait_for(|stop| *stop).await) }).await;
            });
            let blobs = BlobStore::open(folder.path().join("blobs"), 1 << 20).unwrap();
            let blobs = blobs.with_keys(keys.cloned());
            rooms.push(Self { folder, nats, blobs, server, _stop: stop, running, _store: store });
        }
        rooms
    }

    async fn worker(&self, version: &str, reader: &Arc<Pretended>) -> JoinHandle<()> {
        self.worker_with(version, reader, self.blobs.clone()).await
    }

    async fn worker_with(&self, version: &str, reader: &Arc<Pretended>, blobs: BlobStore) -> JoinHandle<()> {
        let worker = Worker {
            link: self.worker_link().await,
            reader: Arc::clone(reader) as Arc<dyn Dispatch>,
            options: ReadOptions::default(),
            blobs,
            version: version.to_owned(),
            parallel: 2,
        };
        tokio::spawn(worker.run(std::future::pending()))
    }

    async fn worker_link(&self) -> Link {
        let settings = if self.nats.is_configured() {
            self.nats.settings_of("worker", self.folder.path())
        } else {
            self.nats.settings()
        };
        Link::connect(&settings, "worker", true).await.unwrap()
    }

    async fn file(&self, text: &str) -> String {
        self.blobs.put_bytes("a", text.as_bytes().to_vec()).await.unwrap().sha256
    }

    async fn read(&self, sha256: &str) -> Result<FileOutcome, DispatchError> {
        let options = ReadOptions::default();
        self.server.read(FileToRead { path: Path::new("nowhere"), sha256, options: &options }).await
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.running.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_read_once_short_ones_and_long_ones() {
    for room in Room::all().await {
        for (text, bytes) in [("short", 100), ("long", 3 << 20)] {
            let reader = Pretended::new(Does::Reads(bytes));
            let worker = room.worker("v1", &reader).await;
            let sha256 = room.file(text).await;
            let expected = pretended(&sha256, bytes);
            let (one, two) = tokio::join!(room.read(&sha256), room.read(&sha256));
            assert!(one.unwrap() == expected && two.unwrap() == expected, "{text}");
            assert!(room.read(&sha256).await.unwrap() == expected, "it is known by now");
            assert_eq!(reader.read.lock().unwrap().len(), 1, "{text}");
            worker.abort();
        }
        // What was kept is gone: it is read once more.
        let reader = Pretended::new(Does::Reads(100));
        let _worker = room.worker("v1", &reader).await;
        std::fs::remove_dir_all(room.folder.path().join("readings")).unwrap();
        let sha256 = room.file("short").await;
        assert!(room.read(&sha256).await.unwrap() == pretended(&sha256, 100));
        assert_eq!(reader.read.lock().unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealed_originals_are_read_with_the_key_and_not_without() {
    let keys = Arc::new(keyring(&[1]));
    for room in Room::all_with(Some(&keys)).await {
        let reader = Pretended::new(Does::Reads(100));
        let sha256 = room.file("sealed").await;
        let blobs = room.blobs.clone().with_keys(None);
        let without = room.worker_with("v1", &reader, blobs).await;
        assert!(matches!(room.read(&sha256).await, Err(DispatchError::Worker)));
        without.abort();
        let _with = room.worker("v1", &reader).await;
        assert!(room.read(&sha256).await.unwrap() == pretended(&sha256, 100));
        for kept in std::fs::read_dir(room.folder.path().join("readings")).unwrap() {
            assert!(Keyring::are_sealed(&std::fs::read(kept.unwrap().path()).unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_another_version_gets_nothing() {
    for room in Room::all().await {
        let (old, new) = (Pretended::new(Does::Reads(10)), Pretended::new(Does::Reads(100)));
        let _old = room.worker("v0", &old).await;
        let sha256 = room.file("a").await;
        let asked = room.read(&sha256);
        tokio::pin!(asked);
        let early = tokio::time::timeout(Duration::from_secs(3), &mut asked).await;
        assert!(early.is_err(), "nobody can read it yet");
        let health = room.server.link.health("v1").await.unwrap();
        assert_eq!((health.waiting, health.idle), (1, 0));
        let _new = room.worker("v1", &new).await;
        assert!(asked.await.unwrap() == pretended(&sha256, 100));
        assert_eq!((old.read.lock().unwrap().len(), new.read.lock().unwrap().len()), (0, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_ends_worker_after_worker_is_given_up_and_the_next_one_is_read() {
    for room in Room::all().await {
        let poison = room.file("poison").await;
        let asked = room.read(&poison);
        tokio::pin!(asked);
        let mut ended = 0;
        let outcome = loop {
            let reader = Pretended::new(Does::Hangs);
            let worker = room.worker("v1", &reader).await;
            tokio::select! {
                outcome = &mut asked => {
                    worker.abort();
                    break outcome.unwrap();
                }
                () = reader.begun.notified() => {
                    worker.abort();
                    ended += 1;
                }
            }
        };
        assert_eq!(ended, 6);
        assert_eq!(outcome.reading.findings[0].code, FindingCode::ReaderCrashed);
        assert_eq!(room.read(&poison).await.unwrap(), outcome, "nobody tries it again");
        let reader = Pretended::new(Does::Reads(100));
        let _worker = room.worker("v1", &reader).await;
        let other = room.file("other").await;
        assert!(room.read(&other).await.unwrap() == pretended(&other, 100));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_worker_could_not_read_is_asked_for_again() {
    for room in Room::all().await {
        let failing = room.worker("v1", &Pretended::new(Does::Fails)).await;
        let sha256 = room.file("a").await;
        assert!(matches!(room.read(&sha256).await, Err(DispatchError::Worker)));
        failing.abort();
        let missing = "0".repeat(64);
        let _worker = room.worker("v1", &Pretended::new(Does::Reads(100))).await;
        assert!(matches!(room.read(&missing).await, Err(DispatchError::Worker)), "its bytes are nowhere");
        assert!(room.read(&sha256).await.unwrap() == pretended(&sha256, 100));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_may_lose_everything() {
    for mut room in Room::all().await {
        let hashes: BTreeSet<String> = {
            let mut hashes = BTreeSet::new();
            for number in 0..6 {
                hashes.insert(room.file(&number.to_string()).await);
            }
            hashes
        };
        let server = Arc::clone(&room.server);
        let asked: Vec<_> = hashes
            .iter()
            .map(|sha256| {
                let (server, sha256) = (Arc::clone(&server), sha256.clone());
                tokio::spawn(async move {
                    let options = ReadOptions::default();
                    let file = FileToRead { path: Path::new("nowhere"), sha256: &sha256, options: &options };
                    (server.read(file).await.unwrap(), sha256)
                })
            })
            .collect();
        // All of it is with NATS when that ends.
        loop {
            let health = room.server.link.health("v1").await;
            if health.is_ok_and(|health| health.waiting == hashes.len() as u64) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::task::block_in_place(|| room.nats.restart(true));
        let _worker = room.worker("v1", &Pretended::new(Does::Reads(100))).await;
        for one in asked {
            let (outcome, sha256) = one.await.unwrap();
            assert!(outcome == pretended(&sha256, 100));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_nats_gives_again_hold_nothing_up() {
    for mut room in Room::all().await {
        let reader = Pretended::new(Does::Reads(100));
        let worker = room.worker("v1", &reader).await;
        for text in ["a", "b", "c"] {
            let sha256 = room.file(text).await;
            room.read(&sha256).await.unwrap();
        }
        worker.abort();
        // It writes down in a moment what was done with.
        tokio::time::sleep(Duration::from_secs(2)).await;
        tokio::task::block_in_place(|| room.nats.restart_without_messages("DOSSIER_READ"));
        let _worker = room.worker("v1", &reader).await;
        for text in ["d", "e"] {
            let sha256 = room.file(text).await;
            let read = tokio::time::timeout(Duration::from_mins(1), room.read(&sha256)).await;
            assert!(read.expect("somebody gets it").unwrap() == pretended(&sha256, 100));
        }
    }
}

/// `docker/nats.conf`, without the place of its store and without what the server that is installed here does not know
/// yet.
fn recommended(folder: &Path) -> PathBuf {
    let text = include_str!("../../../../docker/nats.conf");
    let said =
        Command::new("sh").args(["-c", "PATH=$PATH:/usr/sbin nats-server --version"]).output().unwrap();
    let is_old = String::from_utf8(said.stdout).unwrap().contains("v2.9.");
    let is_wanted = |line: &&str| {
        let line = line.trim_start();
        let is_unknown = is_old && line.starts_with("sync_interval:");
        !is_unknown && !line.starts_with("store_dir:")
    };
    let path = folder.join("nats.conf");
    std::fs::write(&path, text.lines().filter(is_wanted).collect::<Vec<_>>().join("\n")).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recommended_permissions_are_enough_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    for room in Room::all_under(None, Some(&recommended(folder.path()))).await {
        for (text, bytes) in [("short", 100), ("long", 3 << 20)] {
            let reader = Pretended::new(Does::Reads(bytes));
            let worker = room.worker("v1", &reader).await;
            let sha256 = room.file(text).await;
            assert!(room.read(&sha256).await.unwrap() == pretended(&sha256, bytes), "{text}");
            worker.abort();
        }
        // Each of several workers who begin with a file may put what it read aside.
        let sha256 = room.file("twice").await;
        let (first, second) = (Pretended::new(Does::Hangs), Pretended::new(Does::Reads(3 << 20)));
        let asked = room.read(&sha256);
        tokio::pin!(asked);
        let worker = room.worker("v1", &first).await;
        tokio::select! {
            _ = &mut asked => panic!("nobody has read it"),
            () = first.begun.notified() => worker.abort(),
        }
        let worker = room.worker("v1", &second).await;
        assert!(asked.await.unwrap() == pretended(&sha256, 3 << 20));
        worker.abort();
        // What a worker must not do.
        let mut link = room.worker_link().await;
        link.context.set_timeout(Duration::from_secs(1));
        let order = link.context.send_publish("dossier.read.v1", PublishMessage::build()).await.unwrap();
        assert!(order.await.is_err(), "it asks for nothing");
        assert!(link.read_stream().await.is_err() && link.result_stream().await.is_err(), "it makes nothing");
        assert!(link.result_consumer("s1").await.is_err(), "it does not see what others read");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_sees_how_far_a_worker_is() {
    let folder = tempfile::tempdir().unwrap();
    for room in Room::all_under(None, Some(&recommended(folder.path()))).await {
        let reader = Pretended::new(Does::Waits);
        let _worker = room.worker("v1", &reader).await;
        let sha256 = room.file("a").await;
        let progress = Arc::new(Progress::default());
        let asked = counted(Arc::clone(&progress), room.read(&sha256));
        tokio::pin!(asked);
        let far = async {
            while progress.counts() != (2, 3) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let far = tokio::time::timeout(Duration::from_secs(30), far);
        tokio::select! {
            _ = &mut asked => panic!("it is not read yet"),
            told = far => told.expect("it is told"),
        }
        reader.goes_on.notify_one();
        assert!(asked.await.unwrap() == pretended(&sha256, 100));
        assert_eq!(progress.counts(), (2, 3), "nothing is counted twice or taken back");
    }
}
