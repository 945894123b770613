//! All that an installation on `SQLite` keeps, in one file: the database as it is at a moment, and the originals
//! that it names. The server may go on meanwhile: originals are there before they are named, and stay.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::blobs::{BlobError, BlobStore, SEALED};
use super::connect::{Store, StoreError, sql};
use super::query::{Pool, query, query_scalar};

const DATABASE: &str = "cases.db";
const BLOBS: &str = "blobs/";

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(
        "PostgreSQL has programs of its own for this: pg_dump and pg_restore, and copy the folder or bucket of originals after it"
    )]
    Postgres,
    #[error("cannot write the backup {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read the backup {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("the original {sha256} is missing or not what was stored")]
    Original { sha256: String },
    #[error("{path} is no backup, or not a whole one: {why}")]
    NotWhole { path: PathBuf, why: String },
    #[error("there is something at {path}: a backup is restored where nothing is")]
    Occupied { path: PathBuf },
    #[error("the work was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// What was backed up or restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    pub cases: u64,
    pub originals: usize,
}

/// Writes the backup; whatever stood there is replaced when it is whole.
///
/// # Errors
/// When something cannot be read or written, an original is not what it was, or a history is broken.
pub async fn back_up(store: &Store, blobs: &BlobStore, to: &Path) -> Result<BackedUp, BackupError> {
    let Pool::Sqlite(_) = &store.pool else { return Err(BackupError::Postgres) };
    let failed = |source| BackupError::Write { path: to.to_owned(), source };
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch = tempfile::tempdir_in(folder).map_err(failed)?;
    let copy = scratch.path().join(DATABASE);
    query("vacuum into $1")
        .bind(copy.to_string_lossy().into_owned())
        .execute(&store.pool)
        .await
        .map_err(sql("copy the database"))?;
    let (cases, hashes) = contents(&copy).await?;
    let originals = hashes.len();
    let (blobs, to) = (blobs.clone(), to.to_owned());
    let work = move || write_archive(scratch.path(), &copy, &hashes, &blobs, &to);
    tokio::task::spawn_blocking(work).await.map_err(BackupError::Interrupted)??;
    Ok(BackedUp { cases, originals })
}

/// Cases of a database whose histories are whole, and the hashes of its originals.
async fn contents(database: &Path) -> Result<(u64, BTreeSet<String>), BackupError> {
    let store = Store::open_file(database).await?;
    let found = async {
        let sound: String = query_scalar("pragma integrity_check")
            .fetch_one(&store.pool)
            .await
            .map_err(sql("check the database"))?;
        let verified = store.verify_histories().await?;
        let hashes: Vec<String> = query_scalar("select distinct sha256 from case_files")
            .fetch_all(&store.pool)
            .await
            .map_err(sql("list the originals"))?;
        Ok::<_, StoreError>((sound, verified, hashes))
    };
    let found = found.await;
    store.close().await;
    let (sound, verified, hashes) = found?;
    let not_whole = |why: String| BackupError::NotWhole { path: database.to_owned(), why };
    if sound != "ok" {
        return Err(not_whole(sound));
    }
    if let Some((case_id, _)) = verified.broken {
        return Err(not_whole(format!("the history of case {case_id} is broken")));
    }
    Ok((verified.cases, hashes.into_iter().collect()))
}

fn write_archive(
    scratch: &Path,
    database: &Path,
    hashes: &BTreeSet<String>,
    blobs: &BlobStore,
    to: &Path,
) -> Result<(), BackupError> {
    let failed = |source| BackupError::Write { path: to.to_owned(), source };
    let draft = scratch.join("backup");
    let mut archive = ZipWriter::new(private_file(&draft).map_err(failed)?);
    // Documents are compressed already.
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    archive.start_file(DATABASE, stored).map_err(|error| failed(error.into()))?;
    io::copy(&mut File::open(database).map_err(failed)?, &mut archive).map_err(failed)?;
    for sha256 in hashes {
        // What is sealed stays so, with the present key, in the backup too.
        let ending = if blobs.keys().is_some() { SEALED } else { "" };
        archive
            .start_file(format!("{BLOBS}{sha256}{ending}"), stored)
            .map_err(|error| failed(error.into()))?;
        match blobs.keys() {
            None => blobs.copy_out(sha256, &mut archive)?,
            Some(keys) => {
                let mut plain = Vec::new();
                blobs.copy_out(sha256, &mut plain)?;
                keys.seal(plain.as_slice(), &mut archive).map_err(failed)?;
            }
        }
    }
    archive.finish().map_err(|error| failed(error.into()))?.sync_all().map_err(failed)?;
    fs::rename(&draft, to).map_err(failed)
}

/// Documents of people are in it.
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

/// Puts a backup back: the database at this path, where there is none, and the originals into the blobs.
///
/// # Errors
/// When there is a database already, or the backup is not whole; the database is put there last.
pub async fn restore(from: &Path, database: &Path, blobs: &BlobStore) -> Result<BackedUp, BackupError> {
    if fs::symlink_metadata(database).is_ok() {
        return Err(BackupError::Occupied { path: database.to_owned() });
    }
    let failed = |source| BackupError::Write { path: database.to_owned(), source };
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch = tempfile::tempdir_in(folder).map_err(failed)?;
    let draft = scratch.path().join(DATABASE);
    let (archive, target, store) = (from.to_owned(), draft.clone(), blobs.clone());
    let work = move || unpack(&archive, &target, &store);
    let unpacked = tokio::task::spawn_blocking(work).await.map_err(BackupError::Interrupted)??;
    let (cases, hashes) = contents(&draft).await?;
    if let Some(sha256) = hashes.difference(&unpacked).next() {
        return Err(BackupError::Original { sha256: sha256.clone() });
    }
    File::open(&draft).and_then(|file| file.sync_all()).map_err(failed)?;
    fs::rename(&draft, database).map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(BackedUp { cases, originals: hashes.len() })
}

/// Writes the database there and the originals into the blobs; their hashes.
fn unpack(from: &Path, database: &Path, blobs: &BlobStore) -> Result<BTreeSet<String>, BackupError> {
    let failed = |source| BackupError::Read { path: from.to_owned(), source };
    let not_whole = |why: &str| BackupError::NotWhole { path: from.to_owned(), why: why.to_owned() };
    let mut archive = open_archive(from, File::open(from).map_err(failed)?)?;
    let mut hashes = BTreeSet::new();
    let mut has_database = false;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| not_whole(&error.to_string()))?;
        let name = entry.name().map_err(|error| not_whole(&error.to_string()))?.into_owned();
        if name == DATABASE {
            let mut file = private_file(database).map_err(failed)?;
            io::copy(&mut entry, &mut file).map_err(failed)?;
            has_database = true;
        } else if let Some(sha256) = name.strip_prefix(BLOBS) {
            let (sha256, stored) = match sha256.strip_suffix(SEALED) {
                None => (sha256, blobs.put(from, &mut entry)?),
                Some(sha256) => {
                    let keys = blobs.keys().ok_or_else(|| BlobError::NoKey { sha256: sha256.to_owned() })?;
                    let mut plain = Vec::new();
                    keys.open(&mut entry, &mut plain).map_err(failed)?;
                    (sha256, blobs.put(from, plain.as_slice())?)
                }
            };
            if stored.sha256 != sha256 {
                return Err(BackupError::Original { sha256: sha256.to_owned() });
            }
            hashes.insert(stored.sha256);
        } else {
            return Err(not_whole("it holds something else"));
        }
    }
    if has_database { Ok(hashes) } else { Err(not_whole("it holds no database")) }
}

fn open_archive<R: Read + Seek>(from: &Path, reader: R) -> Result<ZipArchive<R>, BackupError> {
    ZipArchive::new(reader)
        .map_err(|error| BackupError::NotWhole { path: from.to_owned(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::stores;
    use super::super::tests::arrival;
    use super::*;

    #[tokio::test]
    async fn what_was_backed_up_comes_back_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let store = stores().await.swap_remove(0);
        let blobs = BlobStore::open(at("blobs"), 1 << 20).unwrap();
        let first = blobs.put_bytes("a", b"first".to_vec()).await.unwrap();
        let second = blobs.put_bytes("b", b"second".to_vec()).await.unwrap();
        store.accept("c1", &arrival("A-1", &[&first.sha256, &second.sha256]), 1).await.unwrap();
        let backup = at("backup.zip");
        let done = back_up(&store, &blobs, &backup).await.unwrap();
        assert_eq!(done, BackedUp { cases: 1, originals: 2 });
        // What comes later is not in it.
        store.accept("c2", &arrival("A-2", &[&first.sha256]), 2).await.unwrap();

        let back = BlobStore::open(at("back"), 1 << 20).unwrap();
        assert_eq!(restore(&backup, &at("back.db"), &back).await.unwrap(), done);
        let restored = Store::open_file(&at("back.db")).await.unwrap();
        assert_eq!(restored.case("c1").await.unwrap(), store.case("c1").await.unwrap());
        assert_eq!(restored.events("c1").await.unwrap(), store.events("c1").await.unwrap());
        assert_eq!(restored.case("c2").await.unwrap(), None);
        assert_eq!(fs::read(back.path(&second.sha256)).unwrap(), b"second");
        let twice = restore(&backup, &at("back.db"), &back).await;
        assert!(matches!(twice, Err(BackupError::Occupied { .. })), "{twice:?}");

        let bytes = fs::read(&backup).unwrap();
        fs::write(at("cut.zip"), &bytes[..bytes.len() / 2]).unwrap();
        let cut = restore(&at("cut.zip"), &at("other.db"), &back).await;
        assert!(matches!(cut, Err(BackupError::NotWhole { .. })), "{cut:?}");
        let changed: Vec<u8> = replaced(&bytes, b"second", b"sec0nd");
        fs::write(at("changed.zip"), changed).unwrap();
        let changed = restore(&at("changed.zip"), &at("other.db"), &back).await;
        assert!(changed.is_err(), "{changed:?}");
        assert!(!at("other.db").exists(), "nothing is restored in part");

        fs::write(blobs.path(&second.sha256), b"sec0nd").unwrap();
        let lost = back_up(&store, &blobs, &backup).await;
        let is_second = |sha256: &str| sha256 == second.sha256;
        assert!(matches!(&lost, Err(BackupError::Blob(BlobError::Changed { sha256 })) if is_second(sha256)));
        assert_eq!(fs::read(&backup).unwrap(), bytes, "the one before stays");
    }

    #[tokio::test]
    async fn a_backup_of_sealed_originals_is_sealed() {
        use super::super::seal::tests::keyring;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let store = stores().await.swap_remove(0);
        let with_key = |name: &str, byte: u8| {
            let keys = Some(std::sync::Arc::new(keyring(&[byte])));
            BlobStore::open(at(name), 1 << 20).unwrap().with_keys(keys)
        };
        let blobs = with_key("blobs", 1);
        let one = blobs.put_bytes("a", b"somebody's secret".to_vec()).await.unwrap();
        store.accept("c1", &arrival("A-1", &[&one.sha256]), 1).await.unwrap();
        back_up(&store, &blobs, &at("b.zip")).await.unwrap();
        let bytes = fs::read(at("b.zip")).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"secret"));
        let wrong = restore(&at("b.zip"), &at("wrong.db"), &with_key("wrong", 2)).await;
        assert!(wrong.is_err() && !at("wrong.db").exists());
        restore(&at("b.zip"), &at("back.db"), &with_key("back", 1)).await.unwrap();
        assert_eq!(with_key("back", 1).bytes(&one.sha256).await.unwrap(), b"somebody's secret");
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = bytes.windows(from.len()).rposition(|part| part == from).unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    }
}
