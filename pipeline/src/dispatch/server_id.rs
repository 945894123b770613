//! Who a server is, in leases and in what it sends: the same one when it is started again where it was, so that
//! it finds at once what it had begun.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[error("cannot keep this server's id in {path}")]
pub struct ServerIdError {
    path: PathBuf,
    source: io::Error,
}

/// The id, which no other server has as long as this one lives.
#[derive(Debug)]
pub struct ServerId {
    id: String,
    // The lock on it ends with the process, however that ends.
    held: Option<File>,
}

impl ServerId {
    /// The id kept in this folder; one of its own when another server lives there.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn of(folder: &Path) -> Result<Self, ServerIdError> {
        let path = folder.join("server-id");
        kept(&path).map_err(|source| ServerIdError { path, source })
    }

    pub fn as_str(&self) -> &str {
        &self.id
    }

    /// No other server works in this folder.
    pub fn is_alone(&self) -> bool {
        self.held.is_some()
    }
}

fn kept(path: &Path) -> io::Result<ServerId> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(ServerId { id: new_id(), held: None }),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut id = String::new();
    file.read_to_string(&mut id)?;
    if uuid::Uuid::parse_str(&id).is_err() {
        // New, or cut short.
        id = new_id();
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(id.as_bytes())?;
        file.sync_all()?;
    }
    Ok(ServerId { id, held: Some(file) })
}

fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_the_same_again_and_no_two_are() {
        let folder = tempfile::tempdir().unwrap();
        let first = ServerId::of(folder.path()).unwrap();
        let second = ServerId::of(folder.path()).unwrap();
        assert!(first.is_alone() && !second.is_alone());
        assert_ne!(first.as_str(), second.as_str());
        let id = first.as_str().to_owned();
        drop(first);
        assert_eq!(ServerId::of(folder.path()).unwrap().as_str(), id);
        std::fs::write(folder.path().join("server-id"), "0192").unwrap();
        let anew = ServerId::of(folder.path()).unwrap();
        assert_eq!(anew.as_str().len(), id.len());
    }
}
