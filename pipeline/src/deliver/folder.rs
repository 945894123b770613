//! Results as files: whole or not at all, whoever looks and whenever the power fails.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::store::DueDelivery;

#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether files can be written there.
    pub(super) fn examine(&self) -> Result<(), String> {
        let tried = fs::create_dir_all(&self.root).and_then(|()| tempfile::tempfile_in(&self.root));
        tried.map(|_| ()).map_err(|error| format!("files cannot be written there: {error}"))
    }

    pub(super) async fn write(&self, due: &DueDelivery) -> Result<(), Failure> {
        let folder = self.root.join(file_name(&due.flow));
        let path = folder.join(format!("{}.json", file_name(&due.reference)));
        let (body, root) = (due.body.clone(), self.root.clone());
        let work = move || write_whole(&root, &folder, &path, &body);
        let written = tokio::task::spawn_blocking(work).await;
        let problem = |error: &dyn std::fmt::Display| format!("the file cannot be written: {error}");
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::Passing(problem(&error), 0)),
            Err(error) => Err(Failure::Passing(problem(&error), 0)),
        }
    }
}

fn write_whole(root: &Path, folder: &Path, path: &Path, body: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut draft = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
    draft.write_all(body.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    // The names are durable too.
    File::open(folder)?.sync_all()?;
    File::open(root)?.sync_all()
}

/// A reference as one name: it came from outside and must not lead out of the folder.
fn file_name(text: &str) -> String {
    let name: String =
        text.chars().map(|c| if c == '/' || c == '\\' || c.is_control() { '_' } else { c }).collect();
    if name.starts_with('.') { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_in_the_folder() {
        assert_eq!(file_name("A-1042"), "A-1042");
        assert_eq!(file_name("../../etc/passwd"), "_.._.._etc_passwd");
        assert_eq!(file_name(".."), "_..");
        assert_eq!(file_name("a\\b\n"), "a_b_");
    }
}
