//! The bytes of originals, content-addressed, in files under one folder. Written once and durable
//! before their hash is given back; never changed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write to the blob store at {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} is larger than {limit_bytes} bytes")]
    TooLarge { path: PathBuf, limit_bytes: u64 },
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

/// Files by the hash of their bytes.
#[derive(Debug, Clone)]
pub struct BlobStore {
    root: PathBuf,
    limit_bytes: u64,
}

impl BlobStore {
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: PathBuf, limit_bytes: u64) -> Result<Self, BlobError> {
        let failed = |source| BlobError::Write { path: root.clone(), source };
        fs::create_dir_all(root.join("incoming")).map_err(failed)?;
        Ok(Self { root, limit_bytes })
    }

    /// Where the bytes with this hash are.
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.root.join(sha256.get(..2).unwrap_or("__")).join(sha256)
    }

    /// Copies a file in, durably.
    ///
    /// # Errors
    /// When it cannot be read or written, or is larger than the limit.
    pub async fn put_file(&self, path: PathBuf) -> Result<Stored, BlobError> {
        let store = self.clone();
        let work = move || {
            let opened =
                File::open(&path).map_err(|source| BlobError::Read { path: path.clone(), source })?;
            store.put(&path, opened)
        };
        tokio::task::spawn_blocking(work).await.map_err(BlobError::Interrupted)?
    }

    /// Stores bytes, durably.
    ///
    /// # Errors
    /// When they cannot be written or are more than the limit.
    pub async fn put_bytes(&self, name: &str, bytes: Vec<u8>) -> Result<Stored, BlobError> {
        let store = self.clone();
        let name = PathBuf::from(name);
        let work = move || store.put(&name, bytes.as_slice());
        tokio::task::spawn_blocking(work).await.map_err(BlobError::Interrupted)?
    }

    pub(super) fn put(&self, path: &Path, mut from: impl Read) -> Result<Stored, BlobError> {
        let failed = |source| BlobError::Write { path: self.root.clone(), source };
        let mut draft = tempfile::NamedTempFile::new_in(self.root.join("incoming")).map_err(failed)?;
        let mut hasher = Sha256::new();
        let mut size_bytes = 0_u64;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count =
                from.read(&mut buffer).map_err(|source| BlobError::Read { path: path.to_owned(), source })?;
            let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
            size_bytes += chunk.len() as u64;
            if size_bytes > self.limit_bytes {
                return Err(BlobError::TooLarge { path: path.to_owned(), limit_bytes: self.limit_bytes });
            }
            hasher.update(chunk);
            draft.write_all(chunk).map_err(failed)?;
        }
        let sha256 = hex::encode(hasher.finalize());
        let target = self.path(&sha256);
        if fs::metadata(&target).is_ok_and(|found| found.len() == size_bytes) {
            return Ok(Stored { sha256, size_bytes });
        }
        draft.as_file().sync_all().map_err(failed)?;
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(failed)?;
        draft.persist(&target).map_err(|error| failed(error.error))?;
        // The names are durable too, not the bytes alone.
        sync_folder(folder).map_err(failed)?;
        sync_folder(&self.root).map_err(failed)?;
        Ok(Stored { sha256, size_bytes })
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn equal_bytes_are_stored_once_and_too_many_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path().join("blobs"), 10).unwrap();
        let first = store.put_bytes("a", b"0123456789".to_vec()).await.unwrap();
        let again = store.put_bytes("b", b"0123456789".to_vec()).await.unwrap();
        assert_eq!(first, again);
        assert_eq!(fs::read(store.path(&first.sha256)).unwrap(), b"0123456789");
        let refused = store.put_bytes("c", b"01234567890".to_vec()).await;
        assert!(matches!(refused, Err(BlobError::TooLarge { .. })), "{refused:?}");
        assert_eq!(fs::read_dir(folder.path().join("blobs/incoming")).unwrap().count(), 0);
    }
}
