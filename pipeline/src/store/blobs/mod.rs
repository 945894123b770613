//! The bytes of originals, content-addressed, in files under one folder or as objects of a bucket; sealed where there is a
//! key. Durable before their hash is given back; never changed.

mod place;
mod folder;
mod bucket;
mod s3;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use sha2::{Digest, Sha256};

use super::seal::Keyring;
use bucket::Bucket;
use folder::{Folder, remove};
use place::{Place, is_hash};

pub use s3::{BucketError, bucket};

/// What a sealed file's name ends in.
pub(super) const SEALED: &str = ".sealed";

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("originals cannot be kept at {path}")]
    Unusable { path: PathBuf, source: io::Error },
    #[error("cannot write to the blob store at {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} is larger than {limit_bytes} bytes")]
    TooLarge { path: PathBuf, limit_bytes: u64 },
    #[error("the original {sha256} is not there")]
    Missing { sha256: String },
    #[error("the original {sha256} is not what was stored")]
    Changed { sha256: String },
    #[error("the original {sha256} is sealed, and [blobs] of the configuration has no key")]
    NoKey { sha256: String },
    #[error("storing a file was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Lower-case hex.
    pub sha256: String,
    pub size_bytes: u64,
}

/// What changing to the present key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rotated {
    pub sealed_anew: usize,
    /// The present key had sealed them already.
    pub unchanged: usize,
}

/// An original as a file with its plain bytes, while this is kept.
#[derive(Debug)]
pub struct LocalCopy {
    path: PathBuf,
    /// Where it was opened into; none where it lies open.
    _folder: Option<tempfile::TempDir>,
}

impl LocalCopy {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Files by the hash of their bytes.
#[derive(Debug, Clone)]
pub struct BlobStore {
    /// Here what is written begins.
    root: PathBuf,
    place: Arc<dyn Place>,
    limit_bytes: u64,
    keys: Option<Arc<Keyring>>,
    /// Folders with what is made from originals, in files whose names begin with their hash.
    derived: Vec<PathBuf>,
}

impl BlobStore {
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: PathBuf, limit_bytes: u64) -> Result<Self, BlobError> {
        let failed = |source| BlobError::Write { path: root.clone(), source };
        fs::create_dir_all(root.join("incoming")).map_err(failed)?;
        let place = Arc::new(Folder::new(root.clone()));
        Ok(Self { root, place, limit_bytes, keys: None, derived: Vec::new() })
    }

    /// Keeps originals in a bucket, which people call by this name; before all keys comes `prefix`. What is on its way
    /// lies in the folder. To be called within a runtime of several threads: requests run there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn in_bucket(
        root: PathBuf,
        objects: Arc<dyn ObjectStore>,
        name: &str,
        prefix: &str,
        limit_bytes: u64,
    ) -> Result<Self, BlobError> {
        let store = Self::open(root, limit_bytes)?;
        let bucket = Bucket::new(objects, name.to_owned(), prefix, store.incoming());
        Ok(Self { place: Arc::new(bucket), ..store })
    }

    /// Seals what comes from now on. What lies open is still found.
    #[must_use]
    pub fn with_keys(self, keys: Option<Arc<Keyring>>) -> Self {
        Self { keys, ..self }
    }

    /// What is made from an original goes with it.
    #[must_use]
    pub fn with_derived(self, derived: Vec<PathBuf>) -> Self {
        Self { derived, ..self }
    }

    /// The keys, for what is made from originals.
    pub fn keys(&self) -> Option<&Arc<Keyring>> {
        self.keys.as_ref()
    }

    /// Where the bytes with this hash lie open, on a disk.
    pub(crate) fn path(&self, sha256: &str) -> PathBuf {
        Folder::new(self.root.clone()).path(sha256)
    }

    #[cfg(test)]
    pub(super) fn sealed_path(&self, sha256: &str) -> PathBuf {
        self.path(&sealed(sha256))
    }

    fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// Copies a file in, durably.
    ///
    /// # Errors
    /// When it cannot be read or written, or is larger than the limit.
    pub async fn put_file(&self, path: PathBuf) -> Result<Stored, BlobError> {
        let work = move |store: &Self| {
            let opened =
                File::open(&path).map_err(|source| BlobError::Read { path: path.clone(), source })?;
            store.put(&path, opened)
        };
        self.blocking(work).await
    }

    /// Stores bytes, durably.
    ///
    /// # Errors
    /// When they cannot be written or are more than the limit.
    pub async fn put_bytes(&self, name: &str, bytes: Vec<u8>) -> Result<Stored, BlobError> {
        let name = PathBuf::from(name);
        self.blocking(move |store| store.put(&name, bytes.as_slice())).await
    }

    /// The original as a file of its own bytes. One that is sealed is opened into a folder that nobody else
    /// looks into and that goes away with what is given back.
    ///
    /// # Errors
    /// When it is not there, cannot be opened, or is not what was stored.
    pub async fn local(&self, sha256: &str) -> Result<LocalCopy, BlobError> {
        let sha256 = sha256.to_owned();
        self.blocking(move |store| {
            if let Some(path) = store.place.file(&sha256) {
                return Ok(LocalCopy { path, _folder: None });
            }
            let failed = |source| BlobError::Write { path: std::env::temp_dir(), source };
            let folder = tempfile::tempdir().map_err(failed)?;
            let path = folder.path().join(&sha256);
            store.copy_out(&sha256, File::create_new(&path).map_err(failed)?)?;
            Ok(LocalCopy { path, _folder: Some(folder) })
        })
        .await
    }

    /// As [`BlobStore::local`], into a folder of the caller.
    ///
    /// # Errors
    /// When it is not there, cannot be opened, or is not what was stored.
    pub async fn local_in(&self, sha256: &str, folder: &Path) -> Result<PathBuf, BlobError> {
        let (sha256, folder) = (sha256.to_owned(), folder.join("originals"));
        self.blocking(move |store| {
            if let Some(path) = store.place.file(&sha256) {
                return Ok(path);
            }
            let failed = |source| BlobError::Write { path: folder.clone(), source };
            fs::create_dir_all(&folder).map_err(failed)?;
            let path = folder.join(&sha256);
            store.copy_out(&sha256, File::create(&path).map_err(failed)?)?;
            Ok(path)
        })
        .await
    }

    /// All bytes of an original.
    ///
    /// # Errors
    /// When it is not there, cannot be opened, or is not what was stored.
    pub async fn bytes(&self, sha256: &str) -> Result<Vec<u8>, BlobError> {
        let sha256 = sha256.to_owned();
        self.blocking(move |store| {
            let mut bytes = Vec::new();
            store.copy_out(&sha256, &mut bytes)?;
            Ok(bytes)
        })
        .await
    }

    /// Reads an original through, whether it lies open or sealed.
    ///
    /// # Errors
    /// When it is not there, cannot be opened, or is not what was stored.
    pub async fn verify(&self, sha256: &str) -> Result<(), BlobError> {
        let sha256 = sha256.to_owned();
        self.blocking(move |store| store.copy_out(&sha256, io::sink())).await
    }

    /// Seals every original with the present key that is not yet, and what lies open.
    ///
    /// # Errors
    /// When there is no key, or one cannot be opened or written; those before it are done.
    pub async fn rotate(&self) -> Result<Rotated, BlobError> {
        self.blocking(Self::rotate_all).await
    }

    /// Takes an original away with all that was made from it; `false` when it came too short a while ago.
    ///
    /// # Errors
    /// When it cannot be taken away.
    pub async fn erase(&self, sha256: &str) -> Result<bool, BlobError> {
        let sha256 = sha256.to_owned();
        self.blocking(move |store| store.erase_now(&sha256)).await
    }

    /// Takes away what was made from originals that are no longer there: another server erased them, or what was
    /// made came after they went. How many files.
    ///
    /// # Errors
    /// When a file cannot be taken away.
    pub async fn forget_derived(&self) -> Result<usize, BlobError> {
        self.blocking(Self::forget_derived_now).await
    }

    /// Whether originals can be written and read: of a folder, whether it is there.
    ///
    /// # Errors
    /// When they cannot.
    pub async fn examine(&self) -> Result<(), BlobError> {
        self.blocking(|store| {
            store
                .place
                .examine()
                .map_err(|source| BlobError::Unusable { path: store.place.shown(""), source })
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || work(&store)).await.map_err(BlobError::Interrupted)?
    }

    pub(super) fn put(&self, path: &Path, from: impl Read) -> Result<Stored, BlobError> {
        let failed = |source| BlobError::Write { path: self.root.clone(), source };
        let mut draft = tempfile::NamedTempFile::new_in(self.incoming()).map_err(failed)?;
        let mut from = Measured { from, hasher: Sha256::new(), size_bytes: 0, limit_bytes: self.limit_bytes };
        let written = match &self.keys {
            Some(keys) => keys.seal(&mut from, &mut draft),
            None => io::copy(&mut from, &mut draft).map(|_| ()),
        };
        if from.size_bytes > self.limit_bytes {
            return Err(BlobError::TooLarge { path: path.to_owned(), limit_bytes: self.limit_bytes });
        }
        written.map_err(failed)?;
        let (sha256, size_bytes) = (hex::encode(from.hasher.finalize()), from.size_bytes);
        let stored = Stored { sha256, size_bytes };
        let name = if self.keys.is_some() { sealed(&stored.sha256) } else { stored.sha256.clone() };
        self.place.keep(draft, &name).map_err(|source| self.not_written(&name, source))?;
        Ok(stored)
    }

    /// Writes the plain bytes there, and believes them once they have their hash.
    pub(super) fn copy_out(&self, sha256: &str, to: impl Write) -> Result<(), BlobError> {
        let mut to = Hashed { to, hasher: Sha256::new() };
        let (name, mut file) = self.find(sha256)?;
        let copied = match &self.keys {
            _ if name == sha256 => io::copy(&mut file, &mut to).map(|_| ()),
            Some(keys) => keys.open(file, &mut to),
            None => return Err(BlobError::NoKey { sha256: sha256.to_owned() }),
        };
        copied.map_err(|source| BlobError::Read { path: self.place.shown(&name), source })?;
        if hex::encode(to.hasher.finalize()) != sha256 {
            return Err(BlobError::Changed { sha256: sha256.to_owned() });
        }
        Ok(())
    }

    /// The bytes as they are stored, and their name: sealed or not, first as this store would store them.
    fn find(&self, sha256: &str) -> Result<(String, File), BlobError> {
        let mut names = [sha256.to_owned(), sealed(sha256)];
        if self.keys.is_some() {
            names.reverse();
        }
        for name in names {
            match self.place.open(&name) {
                Ok(file) => return Ok((name, file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(BlobError::Read { path: self.place.shown(&name), source }),
            }
        }
        Err(BlobError::Missing { sha256: sha256.to_owned() })
    }

    fn rotate_all(&self) -> Result<Rotated, BlobError> {
        let keys = self.keys.as_ref().ok_or_else(|| BlobError::NoKey { sha256: "of any file".to_owned() })?;
        let mut done = Rotated::default();
        let names: BTreeSet<String> =
            self.place.names().map_err(|source| self.not_read(source))?.into_iter().collect();
        let hashes: BTreeSet<&str> =
            names.iter().map(|name| name.strip_suffix(SEALED).unwrap_or(name)).collect();
        for sha256 in hashes {
            let name = sealed(sha256);
            let is_present = self.place.open(&name).is_ok_and(|file| {
                let mut header = Vec::new();
                file.take(64).read_to_end(&mut header).is_ok() && keys.is_present(&header)
            });
            if is_present && !names.contains(sha256) {
                done.unchanged += 1;
                continue;
            }
            // Never open on the disk: from the old seal straight into the new one.
            let failed = |source| self.not_written(&name, source);
            let mut draft = tempfile::NamedTempFile::new_in(self.incoming()).map_err(failed)?;
            let mut plain = Vec::new();
            self.copy_out(sha256, &mut plain)?;
            keys.seal(plain.as_slice(), &mut draft).map_err(failed)?;
            self.place.replace(draft, &name).map_err(failed)?;
            self.place.remove(sha256).map_err(failed)?;
            done.sealed_anew += 1;
        }
        Ok(done)
    }

    fn erase_now(&self, sha256: &str) -> Result<bool, BlobError> {
        for name in [sha256.to_owned(), sealed(sha256)] {
            if !self.place.erase(&name).map_err(|source| self.not_written(&name, source))? {
                return Ok(false);
            }
        }
        let failed = |source| BlobError::Write { path: self.root.clone(), source };
        for folder in &self.derived {
            let Ok(files) = fs::read_dir(folder) else { continue };
            for file in files {
                let file = file.map_err(failed)?;
                if file.file_name().to_string_lossy().starts_with(sha256) {
                    remove(&file.path()).map_err(failed)?;
                }
            }
        }
        Ok(true)
    }

    fn forget_derived_now(&self) -> Result<usize, BlobError> {
        let failed = |source| BlobError::Write { path: self.root.clone(), source };
        let mut forgotten = 0;
        for folder in &self.derived {
            let Ok(files) = fs::read_dir(folder) else { continue };
            for file in files {
                let file = file.map_err(failed)?;
                let name = file.file_name().to_string_lossy().into_owned();
                let Some(sha256) = name.get(..64).filter(|name| is_hash(name)) else { continue };
                if self.has(sha256)? {
                    continue;
                }
                // Originals that are out of reach for a while are not gone.
                if !self.place.is_there() {
                    return Ok(forgotten);
                }
                remove(&file.path()).map_err(failed)?;
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }

    fn has(&self, sha256: &str) -> Result<bool, BlobError> {
        let has = |name: &str| self.place.has(name).map_err(|source| self.not_read(source));
        Ok(has(sha256)? || has(&sealed(sha256))?)
    }

    fn not_written(&self, name: &str, source: io::Error) -> BlobError {
        BlobError::Write { path: self.place.shown(name), source }
    }

    fn not_read(&self, source: io::Error) -> BlobError {
        BlobError::Read { path: self.place.shown(""), source }
    }
}

fn sealed(sha256: &str) -> String {
    format!("{sha256}{SEALED}")
}

/// Hashes and counts what is read, and ends it past the limit.
struct Measured<R> {
    from: R,
    hasher: Sha256,
    size_bytes: u64,
    limit_bytes: u64,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.size_bytes += count as u64;
        if self.size_bytes > self.limit_bytes {
            return Err(io::Error::other("it is too large"));
        }
        Ok(count)
    }
}

/// Hashes what is written.
struct Hashed<W> {
    to: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
