//! Originals in a bucket: the program with storage of the tests' own, which goes out of reach and comes back.

use std::path::Path;
use std::time::Duration;

use dossier::config::Settings;
use dossier::store::{BlobError, BlobStore, Store, StoreAddress, bucket};
use sha2::{Digest as _, Sha256};

use crate::flood::{Flood, check, sender, settle};
use crate::storage::{BUCKET, Storage};
use crate::support::{dossier, run, stdout};
use crate::victim::{Victim, pause};

const LIMIT: u64 = 64 << 20;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Originals as the program keeps them with this storage; to be called in a runtime.
fn blobs(storage: &Storage, folder: &Path) -> BlobStore {
    dossier::net::use_ring();
    let path = folder.join("dossier.toml");
    std::fs::write(&path, storage.settings(folder)).unwrap();
    let settings = Settings::from_file(&path).unwrap().blobs.bucket.unwrap();
    let objects = bucket(&settings).unwrap();
    BlobStore::in_bucket(folder.join("blobs"), objects, &settings.name, &settings.prefix, LIMIT).unwrap()
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn key_of(sha256: &str) -> String {
    format!("loans/{}/{sha256}", sha256.get(..2).unwrap())
}

#[test]
fn bytes_of_any_length_come_back_and_are_believed_by_their_hash_alone() {
    let (storage, folder) = (Storage::start(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        let blobs = blobs(&storage, folder.path());
        // One request, exactly a part, several parts.
        for length in [0, 5, 8 << 20, (20 << 20) + 3] {
            let bytes: Vec<u8> = (0..length).map(|at: u32| (at % 251) as u8).collect();
            let stored = blobs.put_bytes("a.pdf", bytes.clone()).await.unwrap();
            assert_eq!(
                (stored.sha256.as_str(), stored.size_bytes),
                (hash(&bytes).as_str(), u64::from(length))
            );
            assert_eq!(storage.bytes(&key_of(&stored.sha256)), Some(bytes.clone()));
            assert!(blobs.bytes(&stored.sha256).await.unwrap() == bytes);
            let copy = blobs.local(&stored.sha256).await.unwrap();
            assert!(std::fs::read(copy.path()).unwrap() == bytes);
        }
        let refused = blobs.put_bytes("b.pdf", vec![0; LIMIT as usize + 1]).await;
        assert!(matches!(refused, Err(BlobError::TooLarge { .. })), "{refused:?}");
        let sha256 = blobs.put_bytes("c.pdf", b"what came".to_vec()).await.unwrap().sha256;
        storage.put(&key_of(&sha256), b"something else");
        assert!(matches!(blobs.bytes(&sha256).await, Err(BlobError::Changed { .. })));
        assert!(matches!(blobs.verify(&hash(b"none")).await, Err(BlobError::Missing { .. })));
        let left = std::fs::read_dir(folder.path().join("blobs/incoming")).unwrap().count();
        assert_eq!(left, 0, "nothing stays on this machine");
    });
}

#[test]
fn what_came_long_ago_is_erased_and_what_just_came_is_not() {
    let (storage, folder) = (Storage::start(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        let blobs = blobs(&storage, folder.path());
        let sha256 = blobs.put_bytes("a.pdf", b"first".to_vec()).await.unwrap().sha256;
        assert!(!blobs.erase(&sha256).await.unwrap(), "it may not be on record yet");
        storage.age();
        blobs.put_bytes("again.pdf", b"first".to_vec()).await.unwrap();
        assert!(!blobs.erase(&sha256).await.unwrap(), "the same bytes came once more");
        assert_eq!(blobs.bytes(&sha256).await.unwrap(), b"first");
        storage.age();
        assert!(blobs.erase(&sha256).await.unwrap());
        assert!(blobs.erase(&sha256).await.unwrap(), "twice is no harm");
        assert_eq!(storage.keys(), [""; 0]);
    });
}

#[test]
fn who_brings_bytes_that_somebody_erases_waits_and_writes_them_again() {
    let (storage, folder) = (Storage::start(), tempfile::tempdir().unwrap());
    let sha256 = hash(b"first");
    let note = format!("loans/erasing/{sha256}");
    runtime().block_on(async {
        let blobs = blobs(&storage, folder.path());
        // Another server has looked when the object was written, and is about to take it away.
        storage.put(&note, b"");
        let (bringing, sha256) = (blobs.clone(), sha256.clone());
        let brought = tokio::spawn(async move { bringing.put_bytes("a.pdf", b"first".to_vec()).await });
        while storage.bytes(&key_of(&sha256)).is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!brought.is_finished(), "it could go away");
        storage.remove(&key_of(&sha256));
        storage.remove(&note);
        assert_eq!(brought.await.unwrap().unwrap().sha256, sha256);
        assert_eq!(storage.bytes(&key_of(&sha256)), Some(b"first".to_vec()));
        // A server that was killed left its note.
        storage.put(&note, b"");
        storage.age();
        blobs.put_bytes("a.pdf", b"first".to_vec()).await.unwrap();
    });
}

#[test]
fn many_who_bring_and_erase_the_same_bytes_lose_none() {
    let (storage, folder) = (Storage::start(), tempfile::tempdir().unwrap());
    runtime().block_on(async {
        let blobs = blobs(&storage, folder.path());
        for round in 0..12 {
            let bytes = format!("round {round}").into_bytes();
            blobs.put_bytes("a.pdf", bytes.clone()).await.unwrap();
            storage.age();
            let (erasing, bringing) = (blobs.clone(), blobs.clone());
            let (erased, brought) = tokio::join!(
                tokio::spawn(async move { erasing.erase(&hash(format!("round {round}").as_bytes())).await }),
                tokio::spawn(async move { bringing.put_bytes("a.pdf", bytes).await })
            );
            erased.unwrap().unwrap();
            let sha256 = brought.unwrap().unwrap().sha256;
            assert_eq!(blobs.bytes(&sha256).await.unwrap(), format!("round {round}").into_bytes());
        }
    });
}

/// The fault table's row: the storage of originals goes out of reach and comes back.
#[test]
fn while_the_bucket_is_out_of_reach_cases_wait_and_none_is_lost() {
    let (storage, folder) = (Storage::start(), tempfile::tempdir().unwrap());
    let (root, runtime) = (folder.path(), runtime());
    let db = StoreAddress::Sqlite(root.join("data/cases.db"));
    std::fs::create_dir(root.join("data")).unwrap();
    let key = "key = { env = \"DOSSIER_TEST_KEY\" }";
    let settings = format!("db = \"{db}\"\n[blobs]\n{key}\n{}", storage.settings(root));
    std::fs::write(root.join("dossier.toml"), settings).unwrap();
    runtime.block_on(sender(&db));
    let looked = run(dossier(root).arg("doctor").env("DOSSIER_TEST_KEY", KEY));
    assert!(
        stdout(&looked).contains(&format!("in the bucket {BUCKET}, sealed with the key")),
        "{}",
        stdout(&looked)
    );
    let mut command = dossier(root);
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("DOSSIER_TEST_KEY", KEY);
    let mut server = Victim::start_as(command, &root.join("serve.log"));
    let address = server.address(Duration::from_mins(1)).expect("the server starts");
    let mut flood = Flood::new(root, 1, false);
    flood.drop_file("K-1");
    assert_eq!(flood.send(&address, "K-2"), Some(201));
    settle(&mut flood, &address, &db, &runtime);
    assert!(storage.keys().iter().all(|key| key.ends_with(".sealed")), "{:?}", storage.keys());

    storage.is_down(true);
    flood.drop_file("K-3");
    assert!(flood.send(&address, "K-4").is_none_or(|status| status >= 500), "nothing was kept");
    flood.again("K-4");
    pause(Duration::from_secs(4));
    assert!(root.join("inbox/consumer_loan/K-3.pdf").exists(), "what cannot be kept stays in the inbox");
    let looked = run(dossier(root).arg("doctor").env("DOSSIER_TEST_KEY", KEY));
    assert!(
        stdout(&looked)
            .contains("MISSING  originals      originals cannot be kept at s3://originals/loans: "),
        "{}",
        stdout(&looked)
    );
    storage.is_down(false);
    settle(&mut flood, &address, &db, &runtime);
    server.stop();
    runtime.block_on(check(&flood, &db));
    let reconciled = run(dossier(root).arg("reconcile").env("DOSSIER_TEST_KEY", KEY));
    assert!(stdout(&reconciled).contains("everything is accounted for"), "{}", stdout(&reconciled));
    let log = std::fs::read_to_string(root.join("serve.log")).unwrap();
    assert!(log.contains("cannot write to the blob store at s3://originals/loans/"), "{log}");
    assert!(!log.contains("a secret of the tests"), "{log}");
    runtime.block_on(async {
        let store = Store::open(&db).await.unwrap();
        assert_eq!(store.counts().await.unwrap().processing, 0);
        store.close().await;
    });
}

/// 32 bytes in base64.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
