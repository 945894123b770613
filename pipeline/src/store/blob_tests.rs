//! Originals on the disk: open and sealed, changed keys, erased.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::blobs::*;
use super::seal::tests::keyring;

fn came_long_ago(path: &Path) {
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

#[tokio::test]
async fn equal_bytes_are_stored_once_and_too_many_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for keys in [None, Some(Arc::new(keyring(&[1])))] {
        let store = BlobStore::open(folder.path().join("blobs"), 10).unwrap().with_keys(keys);
        let first = store.put_bytes("a", b"0123456789".to_vec()).await.unwrap();
        let again = store.put_bytes("b", b"0123456789".to_vec()).await.unwrap();
        assert_eq!(first, again);
        assert_eq!(store.bytes(&first.sha256).await.unwrap(), b"0123456789");
        let refused = store.put_bytes("c", b"01234567890".to_vec()).await;
        assert!(matches!(refused, Err(BlobError::TooLarge { .. })), "{refused:?}");
        assert_eq!(fs::read_dir(folder.path().join("blobs/incoming")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn what_is_sealed_lies_nowhere_open_and_opens_with_its_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let open = |keys: &[u8]| {
        let keys = (!keys.is_empty()).then(|| Arc::new(keyring(keys)));
        BlobStore::open(folder.path().join("blobs"), 1 << 20).unwrap().with_keys(keys)
    };
    let plain = open(&[]).put_bytes("a", b"came before there was a key".to_vec()).await.unwrap();
    let sealed = open(&[1]).put_bytes("b", b"a secret of somebody".to_vec()).await.unwrap();
    let on_disk = |part: &[u8]| {
        let mut found = 0;
        for entry in fs::read_dir(folder.path().join("blobs")).unwrap() {
            for file in fs::read_dir(entry.unwrap().path()).unwrap() {
                let bytes = fs::read(file.unwrap().path()).unwrap();
                found += usize::from(bytes.windows(part.len()).any(|window| window == part));
            }
        }
        found
    };
    assert_eq!((on_disk(b"secret"), on_disk(b"came before")), (0, 1));
    let copy = open(&[1]).local(&sealed.sha256).await.unwrap();
    assert_eq!(fs::read(copy.path()).unwrap(), b"a secret of somebody");
    let place = copy.path().to_owned();
    drop(copy);
    assert!(!place.exists(), "the open copy goes away");
    assert!(matches!(open(&[]).bytes(&sealed.sha256).await, Err(BlobError::NoKey { .. })));
    assert!(matches!(open(&[2]).bytes(&sealed.sha256).await, Err(BlobError::Read { .. })));

    let done = open(&[2, 1]).rotate().await.unwrap();
    assert_eq!(done, Rotated { sealed_anew: 2, unchanged: 0 });
    let done = open(&[2]).rotate().await.unwrap();
    assert_eq!(done, Rotated { sealed_anew: 0, unchanged: 2 });
    assert_eq!(open(&[2]).bytes(&sealed.sha256).await.unwrap(), b"a secret of somebody");
    assert_eq!(open(&[2]).bytes(&plain.sha256).await.unwrap(), b"came before there was a key");
    assert_eq!(on_disk(b"came before"), 0);
    assert!(open(&[]).rotate().await.is_err());
}

#[tokio::test]
async fn bytes_under_another_hash_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Some(Arc::new(keyring(&[1])));
    let store = BlobStore::open(folder.path().join("blobs"), 1 << 20).unwrap().with_keys(keys);
    let first = store.put_bytes("a", b"first".to_vec()).await.unwrap();
    let second = store.put_bytes("b", b"second".to_vec()).await.unwrap();
    fs::copy(store.sealed_path(&first.sha256), store.sealed_path(&second.sha256)).unwrap();
    assert!(matches!(store.bytes(&second.sha256).await, Err(BlobError::Changed { .. })));
    let missing = store.bytes(&"0".repeat(64)).await;
    assert!(matches!(missing, Err(BlobError::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn an_original_is_erased_with_what_was_made_from_it_but_not_what_just_came() {
    let folder = tempfile::tempdir().unwrap();
    let derived = folder.path().join("readings");
    fs::create_dir(&derived).unwrap();
    let store = BlobStore::open(folder.path().join("blobs"), 1 << 20).unwrap();
    let store = store.with_derived(vec![derived.clone(), folder.path().join("none")]);
    let first = store.put_bytes("a", b"first".to_vec()).await.unwrap();
    fs::write(derived.join(format!("{}-x.reading", first.sha256)), "first").unwrap();
    fs::write(derived.join("other.reading"), "other").unwrap();
    assert!(!store.erase(&first.sha256).await.unwrap(), "it may not be on record yet");
    assert_eq!(store.bytes(&first.sha256).await.unwrap(), b"first");
    came_long_ago(&store.path(&first.sha256));
    store.put_bytes("again", b"first".to_vec()).await.unwrap();
    assert!(!store.erase(&first.sha256).await.unwrap(), "the same bytes came once more");
    came_long_ago(&store.path(&first.sha256));
    assert!(store.erase(&first.sha256).await.unwrap());
    assert!(store.erase(&first.sha256).await.unwrap(), "twice is no harm");
    assert!(matches!(store.bytes(&first.sha256).await, Err(BlobError::Missing { .. })));
    assert_eq!(fs::read_dir(&derived).unwrap().count(), 1);
    assert_eq!(fs::read_dir(folder.path().join("blobs/incoming")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_made_from_originals_that_another_server_erased_goes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("readings")).unwrap();
    let open = || BlobStore::open(at("blobs"), 1 << 20).unwrap().with_derived(vec![at("readings")]);
    let plain = open().put_bytes("a", b"plain".to_vec()).await.unwrap().sha256;
    let sealed = open().with_keys(Some(Arc::new(keyring(&[1]))));
    let sealed = sealed.put_bytes("b", b"sealed".to_vec()).await.unwrap().sha256;
    let gone = "0".repeat(64);
    for sha256 in [&plain, &sealed, &gone] {
        fs::write(at("readings").join(format!("{sha256}-v1.reading")), "read").unwrap();
    }
    for other in ["other".to_owned(), "z".repeat(70)] {
        fs::write(at("readings").join(other), "something else").unwrap();
    }
    assert_eq!(open().forget_derived().await.unwrap(), 1);
    assert!(!at("readings").join(format!("{gone}-v1.reading")).exists());
    assert_eq!(fs::read_dir(at("readings")).unwrap().count(), 4);
    let store = open();
    fs::rename(at("blobs"), at("out-of-reach")).unwrap();
    assert_eq!(store.forget_derived().await.unwrap(), 0, "they may come back");
}

#[tokio::test]
async fn a_bucket_keeps_what_is_sealed_and_gives_it_back_under_changed_keys() {
    let (folder, objects) = (tempfile::tempdir().unwrap(), Arc::new(object_store::memory::InMemory::new()));
    let open = |keys: &[u8]| {
        let keys = (!keys.is_empty()).then(|| Arc::new(keyring(keys)));
        let objects = Arc::clone(&objects) as Arc<dyn object_store::ObjectStore>;
        let root = folder.path().join("blobs");
        BlobStore::in_bucket(root, objects, "originals", "a/b", 1 << 20).unwrap().with_keys(keys)
    };
    let plain = open(&[]).put_bytes("a", b"came before there was a key".to_vec()).await.unwrap();
    let sealed = open(&[1]).put_bytes("b", b"a secret of somebody".to_vec()).await.unwrap();
    assert!(open(&[1]).examine().await.is_ok());
    assert_eq!(
        fs::read(open(&[1]).local(&sealed.sha256).await.unwrap().path()).unwrap(),
        b"a secret of somebody"
    );
    assert!(matches!(open(&[]).bytes(&sealed.sha256).await, Err(BlobError::NoKey { .. })));
    let done = open(&[2, 1]).rotate().await.unwrap();
    assert_eq!(done, Rotated { sealed_anew: 2, unchanged: 0 });
    let done = open(&[2]).rotate().await.unwrap();
    assert_eq!(done, Rotated { sealed_anew: 0, unchanged: 2 });
    for (stored, bytes) in [(&plain, "came before there was a key"), (&sealed, "a secret of somebody")] {
        assert_eq!(open(&[2]).bytes(&stored.sha256).await.unwrap(), bytes.as_bytes());
    }
    assert!(!open(&[2]).erase(&plain.sha256).await.unwrap(), "it just came");
    assert!(matches!(open(&[2]).verify(&"0".repeat(64)).await, Err(BlobError::Missing { .. })));
    assert_eq!(fs::read_dir(folder.path().join("blobs/incoming")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_made_from_originals_of_a_bucket_stays_while_they_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let readings = folder.path().join("readings");
    fs::create_dir(&readings).unwrap();
    let objects = Arc::new(object_store::memory::InMemory::new());
    let store = BlobStore::in_bucket(folder.path().join("blobs"), objects, "originals", "", 1 << 20).unwrap();
    let store = store.with_derived(vec![readings.clone()]);
    let there = store.put_bytes("a", b"there".to_vec()).await.unwrap().sha256;
    for sha256 in [&there, &"0".repeat(64)] {
        fs::write(readings.join(format!("{sha256}-v1.reading")), "read").unwrap();
    }
    assert_eq!(store.forget_derived().await.unwrap(), 1);
    assert!(readings.join(format!("{there}-v1.reading")).exists());
}
