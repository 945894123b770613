//! Whether everything that came in is accounted for: each file is with its case, was moved aside with a
//! reason, or still lies in the inbox; each case stands in one place, and its history is as it was written.
//!
//! Changes nothing. A server may be at work meanwhile.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::causes::with_causes;
use crate::intake::folder::{is_application, is_ignored};
use crate::intake::hash_file;
use crate::store::{BlobError, BlobStore, CaseState, LedgerCase, Store, StoreError};

/// Where intake moves what it does not take, and the reason beside it.
const REJECTED: &str = ".rejected";
const REASON: &str = "error.json";
/// Cases in memory at the same time.
const BATCH: i64 = 500;

#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot look into {path}")]
    Look { path: PathBuf, source: io::Error },
    #[error("line {line} of the manifest is not of the form that sha256sum writes")]
    Manifest { line: usize },
}

/// A file that was put into the inbox, by whoever put it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// In lower-case hex.
    pub sha256: String,
    /// Relative to the inbox: `<flow>/<reference>/…`.
    pub path: PathBuf,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Reconciled {
    pub cases: u64,
    /// By where they stand.
    pub states: HashMap<CaseState, u64>,
    /// Files that came in with cases.
    pub originals: u64,
    /// Files that were moved aside.
    pub rejected: u64,
    /// Files in the inbox that were not taken yet.
    pub waiting: u64,
    /// Of the files that were dropped, those with their case, moved aside, and not taken yet.
    pub accounted: [u64; 3],
    pub events: u64,
    /// What does not hold, a sentence each.
    pub problems: Vec<String>,
}

/// What `sha256sum` wrote about the files of an inbox. Declared data, marks and what intake passes over are
/// no documents and are left out.
///
/// # Errors
/// When a line is none of its lines.
pub fn parse_manifest(text: &str) -> Result<Vec<Dropped>, ReconcileError> {
    let mut dropped = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let bad = ReconcileError::Manifest { line: index + 1 };
        // Two signs stand between: a space, and a space or an asterisk.
        let parts = line.split_at_checked(64).zip(line.get(66..));
        let Some(((sha256, _), path)) = parts else { return Err(bad) };
        if !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) || path.is_empty() {
            return Err(bad);
        }
        let path = PathBuf::from(path.trim_start_matches("./"));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !is_ignored(&name) && !is_application(&name) {
            dropped.push(Dropped { sha256: sha256.to_lowercase(), path });
        }
    }
    Ok(dropped)
}

/// Compares cases, originals, histories and the inbox, and with them what was `dropped`.
///
/// # Errors
/// When the database or the inbox cannot be read. What does not hold is no error.
pub async fn reconcile(
    store: &Store,
    blobs: &BlobStore,
    inbox: &Path,
    dropped: &[Dropped],
) -> Result<Reconciled, ReconcileError> {
    let mut found = Reconciled::default();
    // What is taken meanwhile is with its case in the end: the inbox is looked at first.
    let (waiting, rejected) = inbox_hashes(inbox, &mut found).await?;
    let verified = store.verify_histories().await?;
    found.events = verified.events;
    if let Some((case_id, sequence)) = verified.broken {
        found.problems.push(format!("the history of the case {case_id} is broken at event {sequence}"));
    }
    let mut held: HashMap<String, BTreeSet<String>> = HashMap::new();
    let mut sound: HashSet<String> = HashSet::new();
    let mut after = String::new();
    loop {
        let cases = store.ledger(&after, BATCH).await?;
        let Some(last) = cases.last() else { break };
        let before = std::mem::replace(&mut after, last.id.clone());
        for case in cases {
            let case = settled(store, &before, case).await?;
            look_at(&case, store, blobs, &mut sound, &mut found).await?;
            for file in &case.files {
                held.entry(file.sha256.clone())
                    .or_default()
                    .insert(format!("{}/{}", case.flow, case.reference));
            }
        }
    }
    for file in dropped {
        match place_of(file, &held, &rejected, &waiting) {
            Some(place) => found.accounted[place] += 1,
            None => {
                found.problems.push(format!("{} is in no case and was not moved aside", file.path.display()));
            }
        }
    }
    Ok(found)
}

/// The case again when something seems wrong with it: it may have changed while it was read.
async fn settled(store: &Store, before: &str, case: LedgerCase) -> Result<LedgerCase, StoreError> {
    if complaints(&case).is_empty() {
        return Ok(case);
    }
    let again = store.ledger(before, BATCH).await?;
    Ok(again.into_iter().find(|other| other.id == case.id).unwrap_or(case))
}

/// What the records say against themselves.
fn complaints(case: &LedgerCase) -> Vec<String> {
    let name = format!("{}/{}", case.flow, case.reference);
    let mut complaints = Vec::new();
    match case.state {
        None => complaints.push(format!("the case {name} stands nowhere")),
        Some(state) if (state == CaseState::Final) != case.final_at.is_some() => {
            complaints.push(format!("the case {name} is decided and is not"));
        }
        Some(state) if state != CaseState::Processing && case.server.is_some() => {
            complaints.push(format!("the case {name} is still processed by a server although it is done"));
        }
        Some(_) => {}
    }
    let originals: BTreeSet<&str> =
        case.files.iter().filter(|file| file.is_original).map(|file| file.sha256.as_str()).collect();
    let received: BTreeSet<&str> = case.received.iter().map(String::as_str).collect();
    for sha256 in received.difference(&originals) {
        complaints.push(format!("the case {name} received the file {sha256} and does not have it"));
    }
    // Histories of earlier versions lose what came in when a case is erased.
    for sha256 in originals.difference(&received).filter(|_| !case.is_erased) {
        complaints.push(format!("the case {name} has the file {sha256}, of which its history knows nothing"));
    }
    complaints
}

async fn look_at(
    case: &LedgerCase,
    store: &Store,
    blobs: &BlobStore,
    sound: &mut HashSet<String>,
    found: &mut Reconciled,
) -> Result<(), StoreError> {
    found.cases += 1;
    if let Some(state) = case.state {
        *found.states.entry(state).or_default() += 1;
    }
    found.problems.extend(complaints(case));
    for file in &case.files {
        found.originals += u64::from(file.is_original && !case.is_erased);
        if sound.contains(&file.sha256) {
            continue;
        }
        let Err(error) = blobs.verify(&file.sha256).await else {
            sound.insert(file.sha256.clone());
            continue;
        };
        // The bytes of an erased case go, unless another case has the same.
        if !store.is_needed(&file.sha256).await? {
            continue;
        }
        let name = format!("file {} of the case {}/{}", file.number, case.flow, case.reference);
        found.problems.push(match error {
            BlobError::Changed { .. } => format!("{name} is not what came in"),
            error => format!("{name} cannot be read: {}", with_causes(&error)),
        });
    }
    Ok(())
}

/// 0 with its case, 1 moved aside, 2 not taken yet.
fn place_of(
    file: &Dropped,
    held: &HashMap<String, BTreeSet<String>>,
    rejected: &HashSet<String>,
    waiting: &HashSet<String>,
) -> Option<usize> {
    let is_held = held.get(&file.sha256).is_some_and(|cases| match case_of(&file.path) {
        Some(case) => cases.contains(&case),
        None => true,
    });
    if is_held {
        Some(0)
    } else if rejected.contains(&file.sha256) {
        Some(1)
    } else {
        waiting.contains(&file.sha256).then_some(2)
    }
}

/// `<flow>/<reference>` of a path in an inbox; none for a name alone.
fn case_of(path: &Path) -> Option<String> {
    let mut parts = path.iter();
    let (flow, name) = (parts.next()?, parts.next()?);
    let reference = if parts.next().is_some() { name } else { Path::new(name).file_stem()? };
    Some(format!("{}/{}", flow.to_string_lossy(), reference.to_string_lossy()))
}

/// Hashes of what waits in the inbox and of what was moved aside. What was moved aside without a reason is a
/// problem.
async fn inbox_hashes(
    inbox: &Path,
    found: &mut Reconciled,
) -> Result<(HashSet<String>, HashSet<String>), ReconcileError> {
    let mut waiting = HashSet::new();
    let mut rejected = HashSet::new();
    let aside = inbox.join(REJECTED);
    for path in files_below(inbox)? {
        let is_aside = path.starts_with(&aside);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_aside && name == REASON || !is_aside && (is_ignored(&name) || is_application(&name)) {
            continue;
        }
        // What is taken between the two looks is no longer here.
        let Ok(hash) = hash_file(&path).await else { continue };
        if is_aside {
            found.rejected += 1;
            if !has_reason(&aside, &path) {
                let shown = path.strip_prefix(inbox).unwrap_or(&path).display();
                found.problems.push(format!("{shown} was moved aside without a reason"));
            }
            rejected.insert(hash);
        } else {
            found.waiting += 1;
            waiting.insert(hash);
        }
    }
    Ok((waiting, rejected))
}

/// It stands in the folder `<flow>/<reference>` of what was moved aside.
fn has_reason(aside: &Path, path: &Path) -> bool {
    let mut parts = path.strip_prefix(aside).into_iter().flat_map(Path::iter);
    let (Some(flow), Some(reference)) = (parts.next(), parts.next()) else { return false };
    aside.join(flow).join(reference).join(REASON).is_file()
}

/// All files below a folder; none when there is no such folder.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, ReconcileError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(ReconcileError::Look { path, source }),
        };
        for entry in entries {
            let looked = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
            match looked {
                Ok((inner, kind)) if kind.is_dir() => folders.push(inner),
                Ok((inner, kind)) if kind.is_file() => files.push(inner),
                Ok(_) => {}
                Err(source) => return Err(ReconcileError::Look { path, source }),
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
