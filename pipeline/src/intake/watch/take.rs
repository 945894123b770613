//! Taking one case out of the inbox: its bytes and record become durable, then the originals go.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::look::{Candidate, READY_FILE};
use crate::clock::Clock;
use crate::intake::accept::{AcceptError, Content, Delivered, Delivery, accept, is_reference};
use crate::intake::folder::{APPLICATION_FILE, MAX_DEPTH, discover};
use crate::intake::{CaseSource, IntakeError};
use crate::store::{Accepted, BlobError, BlobStore, Store};

/// Where what cannot be taken is moved.
const REJECTED_FOLDER: &str = ".rejected";

#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    #[error(transparent)]
    Accept(#[from] AcceptError),
    #[error("cannot look into {path}")]
    Look { path: PathBuf, source: io::Error },
    #[error("cannot remove {path} from the inbox")]
    Remove { path: PathBuf, source: io::Error },
    #[error("cannot move {path} aside")]
    Aside { path: PathBuf, source: io::Error },
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Took {
    /// A new case, or new files of a known one: its id.
    Case(String),
    /// The same bytes again, for the case with this id.
    Known(String),
    /// There is nothing to take yet.
    Nothing,
    /// Moved aside, with the reason.
    Rejected(String),
}

pub(super) async fn take(
    inbox: &Path,
    store: &Store,
    blobs: &BlobStore,
    clock: &dyn Clock,
    candidate: &Candidate,
) -> Result<Took, TakeError> {
    if !is_reference(&candidate.reference) {
        return reject(inbox, candidate, "The name of this case is too long or holds unprintable signs.");
    }
    if candidate.path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
        return reject(inbox, candidate, "Links are not followed; put the file itself into the inbox.");
    }
    let source = match find(candidate)? {
        Some(source) => source,
        None if candidate.marked_ready => {
            return reject(inbox, candidate, "There is no document in this case.");
        }
        // An empty folder waits for its files.
        None => return Ok(Took::Nothing),
    };
    let before = stamps(candidate, &source)?;
    let delivery = Delivery {
        flow: candidate.flow.clone(),
        reference: candidate.reference.clone(),
        declared: source.application.clone(),
        files: source
            .files
            .iter()
            .map(|file| Delivered { name: file.name.clone(), content: Content::File(file.path.clone()) })
            .collect(),
        findings: source.findings.clone(),
        channel: "folder",
        actor: "machine".to_owned(),
    };
    let accepted = match accept(store, blobs, clock, delivery).await {
        Ok(accepted) => accepted,
        Err(AcceptError::Blob(BlobError::TooLarge { limit_bytes, .. })) => {
            let why = format!("A file is larger than {} MB; send it in parts.", limit_bytes >> 20);
            return reject(inbox, candidate, &why);
        }
        Err(error) => return Err(error.into()),
    };
    if let Accepted::Closed { .. } = accepted {
        let why = "This case is decided already: send new documents under a new reference.";
        return reject(inbox, candidate, why);
    }
    clear(inbox, candidate, &before)?;
    let id = accepted.id().to_owned();
    Ok(if matches!(accepted, Accepted::Unchanged { .. }) { Took::Known(id) } else { Took::Case(id) })
}

/// The files of the case as intake sees them; `None` when there are none.
fn find(candidate: &Candidate) -> Result<Option<CaseSource>, TakeError> {
    let flow = candidate.flow.as_str();
    match discover(&candidate.path, Some(flow), &[flow]) {
        Ok(cases) => Ok(cases.into_iter().next()),
        Err(IntakeError::NoCase { .. } | IntakeError::NotFound { .. }) => Ok(None),
        Err(IntakeError::Read { path, source }) => Err(TakeError::Look { path, source }),
    }
}

type Stamp = (PathBuf, u64, Option<SystemTime>);

/// Sizes and times of the originals before they are copied.
fn stamps(candidate: &Candidate, source: &CaseSource) -> Result<Vec<Stamp>, TakeError> {
    let stamp = |path: &PathBuf| {
        let failed = |source| TakeError::Look { path: path.clone(), source };
        let metadata = std::fs::symlink_metadata(path).map_err(failed)?;
        Ok((path.clone(), metadata.len(), metadata.modified().ok()))
    };
    let application = source.application.as_ref().map(|_| candidate.path.join(APPLICATION_FILE));
    let paths = source.files.iter().map(|file| &file.path).chain(application.as_ref());
    // Declared data under another case of letters is left to go aside.
    paths.filter(|path| path.symlink_metadata().is_ok()).map(stamp).collect()
}

/// Removes what was taken. What has changed meanwhile, or came later, stays for the next look; what
/// intake does not take is moved aside.
fn clear(inbox: &Path, candidate: &Candidate, taken: &[Stamp]) -> Result<(), TakeError> {
    for (path, size, modified) in taken {
        let unchanged = std::fs::symlink_metadata(path)
            .is_ok_and(|now| now.len() == *size && now.modified().ok() == *modified);
        if unchanged {
            std::fs::remove_file(path).map_err(|source| TakeError::Remove { path: path.clone(), source })?;
        }
    }
    if candidate.is_folder {
        clear_folder(inbox, candidate, &candidate.path, 0)?;
    }
    Ok(())
}

/// Removes marks and folders that are empty now; links and what lies too deep go aside.
fn clear_folder(inbox: &Path, candidate: &Candidate, folder: &Path, depth: usize) -> Result<(), TakeError> {
    let look = |source| TakeError::Look { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(look)? {
        let entry = entry.map_err(look)?;
        let kind = entry.file_type().map_err(look)?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let path = entry.path();
        // Declared data that could be used is gone by now.
        let declared = depth == 0 && crate::intake::folder::is_application(&name);
        let mark = matches!(name.as_str(), READY_FILE | ".ds_store" | "thumbs.db" | "desktop.ini");
        if kind.is_dir() && depth + 1 >= MAX_DEPTH {
            aside(inbox, candidate, &path, "Folders are nested too deep; put the files higher up.")?;
        } else if kind.is_dir() {
            clear_folder(inbox, candidate, &path, depth + 1)?;
        } else if declared {
            aside(
                inbox,
                candidate,
                &path,
                "The declared data could not be used: it is no valid JSON object.",
            )?;
        } else if mark && kind.is_file() {
            std::fs::remove_file(&path).map_err(|source| TakeError::Remove { path, source })?;
        } else if kind.is_symlink() {
            let why = "Links are not followed; put the file itself into the inbox.";
            aside(inbox, candidate, &path, why)?;
        }
    }
    // Not empty means that something came meanwhile or is being written.
    std::fs::remove_dir(folder).ok();
    Ok(())
}

fn reject(inbox: &Path, candidate: &Candidate, why: &str) -> Result<Took, TakeError> {
    aside(inbox, candidate, &candidate.path, why)?;
    Ok(Took::Rejected(why.to_owned()))
}

/// Moves a path to `.rejected/<flow>/<reference>/` beside an `error.json`; what lies there already is
/// kept under another number.
fn aside(inbox: &Path, candidate: &Candidate, path: &Path, why: &str) -> Result<(), TakeError> {
    let failed = |source| TakeError::Aside { path: path.to_owned(), source };
    let reference = candidate.path.file_name().unwrap_or_default();
    let reference = if candidate.is_folder { reference } else { std::ffi::OsStr::new(&candidate.reference) };
    let place = inbox.join(REJECTED_FOLDER).join(&candidate.flow).join(reference);
    std::fs::create_dir_all(&place).map_err(failed)?;
    // The reason is there first: whatever happens next, nothing lies there without one.
    let error = serde_json::json!({"flow": candidate.flow, "reference": candidate.reference, "error": why});
    std::fs::write(place.join("error.json"), format!("{error:#}\n")).map_err(failed)?;
    if path == candidate.path && candidate.is_folder {
        // At once, so that no part of it is ever taken for the whole.
        let whole = place.join(format!(".moving-{}", uuid::Uuid::now_v7()));
        std::fs::rename(path, &whole).map_err(failed)?;
        return spread(&whole, &place).map_err(failed);
    }
    let name = path.file_name().unwrap_or_default();
    std::fs::rename(path, free_place(&place, name)).map_err(failed)
}

/// Moves what is in a folder to another one. Interrupted, the rest stays below it under its own name.
fn spread(from: &Path, to: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::rename(entry.path(), free_place(to, &entry.file_name()))?;
    }
    std::fs::remove_dir(from)
}

fn free_place(folder: &Path, name: &std::ffi::OsStr) -> PathBuf {
    let mut place = folder.join(name);
    let mut number = 1;
    while place.symlink_metadata().is_ok() {
        number += 1;
        let mut numbered = std::ffi::OsString::from(format!("{number}-"));
        numbered.push(name);
        place = folder.join(numbered);
    }
    place
}
