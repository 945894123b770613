//! One look at the inbox: what lies there and whether it looks finished. Opens no file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::intake::folder::{is_application, is_ignored};

/// The mark of a writer that is done.
pub(super) const READY_FILE: &str = ".ready";

/// Folders in a case are looked into this deep.
const MAX_DEPTH: usize = 5;
/// More entries than any case has.
const MAX_ENTRIES: usize = 2_000;

/// A case in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub flow: String,
    /// The folder's name, or the file's stem.
    pub reference: String,
    pub path: PathBuf,
    pub is_folder: bool,
    pub fingerprint: Fingerprint,
    /// It holds an empty file `.ready`.
    pub marked_ready: bool,
    /// Something in it is being written, to go by its name.
    pub unfinished: bool,
}

/// Names, sizes and times of everything in a case: equal as long as nobody writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fingerprint(Vec<(PathBuf, u64, Option<SystemTime>)>);

/// Everything in the inbox that may be a case, sorted by path.
///
/// # Errors
/// When the inbox itself cannot be read.
pub fn look(inbox: &Path, flows: &[String], patience: Duration) -> io::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    for flow in flows {
        let folder = inbox.join(flow);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            // Somebody took the flow's folder away; the others go on.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let Some(candidate) = entry.and_then(|entry| candidate(flow, &entry, patience)).ok().flatten()
            else {
                continue;
            };
            candidates.push(candidate);
        }
    }
    candidates.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(candidates)
}

fn candidate(flow: &str, entry: &std::fs::DirEntry, patience: Duration) -> io::Result<Option<Candidate>> {
    let name = entry.file_name().to_string_lossy().into_owned();
    let path = entry.path();
    let kind = entry.file_type()?;
    if is_ignored(&name) || is_application(&name) {
        return Ok(None);
    }
    let mut seen = Seen { fingerprint: Fingerprint::default(), unfinished: false, patience };
    if kind.is_dir() {
        seen.walk(&path, 0)?;
    } else {
        seen.note(&path, &entry.metadata()?, &name);
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Some(Candidate {
        flow: flow.to_owned(),
        reference: if kind.is_dir() { name } else { stem },
        marked_ready: kind.is_dir() && path.join(READY_FILE).is_file(),
        is_folder: kind.is_dir(),
        path,
        fingerprint: seen.fingerprint,
        unfinished: seen.unfinished,
    }))
}

struct Seen {
    fingerprint: Fingerprint,
    unfinished: bool,
    patience: Duration,
}

impl Seen {
    fn walk(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let metadata = entry.metadata()?;
            self.note(&entry.path(), &metadata, &name);
            if metadata.is_dir() && depth < MAX_DEPTH && self.fingerprint.0.len() < MAX_ENTRIES {
                self.walk(&entry.path(), depth + 1)?;
            }
        }
        self.fingerprint.0.sort();
        Ok(())
    }

    fn note(&mut self, path: &Path, metadata: &std::fs::Metadata, name: &str) {
        let modified = metadata.modified().ok();
        self.fingerprint.0.push((path.to_owned(), metadata.len(), modified));
        let age = modified.and_then(|moment| moment.elapsed().ok()).unwrap_or_default();
        self.unfinished |= is_unfinished(name) && age < self.patience;
    }
}

/// A name under which programs write what they have not finished.
fn is_unfinished(name: &str) -> bool {
    let lower = name.to_lowercase();
    [".part", ".tmp", ".crdownload"].iter().any(|ending| lower.ends_with(ending))
}
