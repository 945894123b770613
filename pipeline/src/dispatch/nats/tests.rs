//! Servers and workers over a real NATS, with readers that only pretend to read.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::testing::PrivateNats;
use super::{Link, Worker, Workers};
use crate::clock::SystemClock;
use crate::dispatch::{Dispatch, DispatchError, FileToRead};
use crate::domain::{Finding, FindingCode};
use crate::intake::hash_file;
use crate::read::{FileOutcome, ReadOptions, ReadingCache};
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
    /// Never ends; the test is told that it has begun.
    Hangs,
    Fails,
}

#[derive(Debug)]
struct Pretended {
    does: Does,
    begun: Notify,
    read: Mutex<Vec<String>>,
}

impl Pretended {
    fn new(does: Does) -> Arc<Self> {
        Arc::new(Self { does, begun: Notify::new(), read: Mutex::default() })
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
        let mut rooms = Vec::new();
        for store in stores().await {
            let Some(nats) = PrivateNats::start() else { return rooms };
            let folder = tempfile::tempdir().unwrap();
            let link = Link::connect(&nats.settings(), "server", true).await.unwrap();
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
            link: Link::connect(&self.nats.settings(), "worker", true).await.unwrap(),
            reader: Arc::clone(reader) as Arc<dyn Dispatch>,
            options: ReadOptions::default(),
            blobs,
            version: version.to_owned(),
            parallel: 2,
        };
        tokio::spawn(worker.run(std::future::pending()))
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
        let early = tokio::time::timeout(std::time::Duration::from_secs(3), &mut asked).await;
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
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        tokio::task::block_in_place(|| room.nats.restart(true));
        let _worker = room.worker("v1", &Pretended::new(Does::Reads(100))).await;
        for one in asked {
            let (outcome, sha256) = one.await.unwrap();
            assert!(outcome == pretended(&sha256, 100));
        }
    }
}
