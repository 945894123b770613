//! Readings kept from one run to the next, for those who work on what comes after reading: the same
//! bytes, models and options give the same pages, and OCR takes most of the time.

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{FileOutcome, ReadOptions};
use crate::store::Keyring;

/// A folder of readings. It does not know when the code that reads changes: then it is to be emptied.
#[derive(Debug, Clone)]
pub struct ReadingCache {
    folder: PathBuf,
    models_version: String,
    keys: Option<Arc<Keyring>>,
}

impl ReadingCache {
    pub fn new(folder: PathBuf, models_version: String) -> Self {
        Self { folder, models_version, keys: None }
    }

    /// Seals what is kept: all that was read stands in it.
    #[must_use]
    pub fn with_keys(self, keys: Option<Arc<Keyring>>) -> Self {
        Self { keys, ..self }
    }

    /// The keys that seal what is kept.
    pub fn keys(&self) -> Option<&Keyring> {
        self.keys.as_deref()
    }

    /// The reading of a file with this hash, if it was kept. One that cannot be understood is none.
    pub fn find(&self, sha256: &str, options: &ReadOptions) -> Option<FileOutcome> {
        let bytes = std::fs::read(self.place(sha256, options)).ok()?;
        let bytes = match &self.keys {
            Some(keys) => keys.opened(&bytes).ok()?,
            None => bytes,
        };
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps a reading.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn keep(&self, sha256: &str, options: &ReadOptions, outcome: &FileOutcome) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let bytes = serde_json::to_vec(outcome)?;
        let bytes = match &self.keys {
            Some(keys) => keys.sealed(&bytes)?,
            None => bytes,
        };
        std::fs::write(self.place(sha256, options), bytes)
    }

    fn place(&self, sha256: &str, options: &ReadOptions) -> PathBuf {
        let key = format!("{} {options:?}", self.models_version);
        let digest = hex::encode(Sha256::digest(key.as_bytes()));
        self.folder.join(format!("{sha256}-{}.reading", digest.get(..12).unwrap_or_default()))
    }
}
