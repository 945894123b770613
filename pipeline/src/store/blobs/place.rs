//! Where originals lie, by the names that they are stored under: a hash, and `.sealed` where they are sealed.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

/// Bytes that came so short a while ago may not be on record yet: they stay.
const JUST_CAME: Duration = Duration::from_mins(15);

/// A place for originals. Everything here waits for disks or networks: not on an async thread.
pub(super) trait Place: std::fmt::Debug + Send + Sync {
    /// Keeps these bytes, durably. What is there already counts as come just now.
    fn keep(&self, draft: NamedTempFile, name: &str) -> io::Result<()>;

    /// Puts these bytes in the place of those that are there under the name, durably.
    fn replace(&self, draft: NamedTempFile, name: &str) -> io::Result<()>;

    /// The bytes, to be read from their beginning.
    fn open(&self, name: &str) -> io::Result<File>;

    fn has(&self, name: &str) -> io::Result<bool>;

    /// The file itself, where bytes lie as files.
    fn file(&self, name: &str) -> Option<PathBuf>;

    /// All names that originals are stored under.
    fn names(&self) -> io::Result<Vec<String>>;

    fn remove(&self, name: &str) -> io::Result<()>;

    /// Takes bytes away unless they came just now, whoever brings the same at this moment; whether they are gone.
    fn erase(&self, name: &str) -> io::Result<bool>;

    /// Whether bytes can be written and read.
    fn examine(&self) -> io::Result<()>;

    /// Whether what is not there is gone, and not out of reach.
    fn is_there(&self) -> bool;

    /// What people call the place of these bytes; of no name, the place of all.
    fn shown(&self, name: &str) -> PathBuf;
}

pub(super) fn came_just_now(at: SystemTime) -> bool {
    // What came in the future came by another clock.
    at.elapsed().map_or(true, |ago| ago < JUST_CAME)
}

pub(super) fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
