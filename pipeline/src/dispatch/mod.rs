//! Who reads a file: children of this process, or workers on other machines.
//!
//! Reading is a pure function of bytes, so whoever asks may ask again, and an answer that comes twice changes
//! nothing. Knows nothing of cases: what a file's owner makes of the pages is `process.rs`.

mod local;
mod server_id;

use std::path::Path;

use async_trait::async_trait;

use crate::read::{FileOutcome, ReadOptions, SandboxError};

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
}
