//! Who reads a file: children of this process, or workers on other machines.
//!
//! Reading is a pure function of bytes, so whoever asks may ask again, and an answer that comes twice changes
//! nothing. Knows nothing of cases: what a file's owner makes of the pages is `process/`.

mod local;
pub mod nats;
mod server_id;

use std::path::Path;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::config::Bundle;
use crate::domain::{FileReading, Finding, FindingCode};
use crate::read::{FileOutcome, ReadOptions, SandboxError};
use crate::store::StoreError;

pub use local::Local;
pub use server_id::{ServerId, ServerIdError};

/// A file that is to be read.
#[derive(Debug, Clone, Copy)]
pub struct FileToRead<'a> {
    pub path: &'a Path,
    /// Of its bytes, in lower-case hex.
    pub sha256: &'a str,
    pub options: &'a ReadOptions,
}

/// The machine failed, not the file: trying again may help.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a worker could not read a file")]
    Worker,
}

/// Has files read.
#[async_trait]
pub trait Dispatch: std::fmt::Debug + Send + Sync {
    /// How many cases are worth having in work at a time, so that there is always something to read.
    fn cases_ahead(&self) -> usize;

    /// Reads a file. Whatever its bytes do, the answer is pages and findings.
    ///
    /// # Errors
    /// When the machine failed.
    async fn read(&self, file: FileToRead<'_>) -> Result<FileOutcome, DispatchError>;

    /// Whether what was asked for is read although nobody waits for it any more.
    fn outlives_its_asker(&self) -> bool {
        false
    }
}

/// What a file is read with, in twelve signs: models, options and the program's version. Those who differ in it
/// may read differently.
pub fn reading_version(models: &Bundle, options: &ReadOptions) -> String {
    let models = models.only(|name| name.ends_with(".rten") || name == "alphabet.txt").version();
    let key = format!("{} {models} {options:?}", env!("CARGO_PKG_VERSION"));
    let digest = hex::encode(Sha256::digest(key.as_bytes()));
    digest.get(..12).unwrap_or_default().to_owned()
}

/// What is said of a file that nobody could read.
pub(crate) fn given_up() -> FileOutcome {
    let message = "The machine failed on this file again and again, so it was not read; look at it yourself.";
    let finding = Finding::new(FindingCode::ReaderCrashed, message);
    FileOutcome {
        reading: FileReading { pages: Vec::new(), findings: vec![finding] },
        ..FileOutcome::default()
    }
}
