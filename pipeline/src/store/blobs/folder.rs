//! Originals as files under one folder, each in one of 256 folders below it. Written once and durable before anybody
//! hears of them; never changed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::SEALED;
use super::place::{Place, came_just_now, is_hash};

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name.get(..2).unwrap_or("__")).join(name)
    }
}

impl Place for Folder {
    fn keep(&self, draft: NamedTempFile, name: &str) -> io::Result<()> {
        let target = self.path(name);
        if is_there_still(&target, draft.as_file().metadata()?.len())? {
            return Ok(());
        }
        self.replace(draft, name)
    }

    fn replace(&self, draft: NamedTempFile, name: &str) -> io::Result<()> {
        let target = self.path(name);
        draft.as_file().sync_all()?;
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        draft.persist(&target)?;
        // The names are durable too, not the bytes alone.
        sync_folder(folder)?;
        sync_folder(&self.root)
    }

    fn open(&self, name: &str) -> io::Result<File> {
        File::open(self.path(name))
    }

    fn has(&self, name: &str) -> io::Result<bool> {
        self.path(name).try_exists()
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.path(name)).filter(|path| path.is_file())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?.path();
            if folder.file_name().is_none_or(|name| name.len() != 2) || !folder.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder)? {
                let name = file?.file_name().to_string_lossy().into_owned();
                if is_hash(name.strip_suffix(SEALED).unwrap_or(&name)) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        remove(&self.path(name))
    }

    /// Who brings the same bytes touches the file and looks whether it is still there ([`is_there_still`]). So it is
    /// first put aside, and only then looked at when it was touched.
    fn erase(&self, name: &str) -> io::Result<bool> {
        let path = self.path(name);
        let aside = self.root.join("incoming").join(format!("{name}.erased"));
        match fs::rename(&path, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        }
        if came_just_now(fs::metadata(&aside)?.modified()?) {
            if path.exists() {
                remove(&aside)?;
            } else {
                fs::rename(&aside, &path)?;
            }
            return Ok(false);
        }
        remove(&aside)?;
        sync_folder(path.parent().unwrap_or(&self.root)).or_else(gone)?;
        Ok(true)
    }

    fn examine(&self) -> io::Result<()> {
        tempfile::tempfile_in(self.root.join("incoming")).map(drop)
    }

    fn is_there(&self) -> bool {
        self.root.join("incoming").is_dir()
    }

    fn shown(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.root.clone() } else { self.path(name) }
    }
}

/// Whether the file is there and so long; then it counts as come just now.
fn is_there_still(target: &Path, length: u64) -> io::Result<bool> {
    let Ok(file) = File::options().append(true).open(target) else { return Ok(false) };
    if file.metadata()?.len() != length {
        return Ok(false);
    }
    #[expect(clippy::disallowed_methods, reason = "compared with what the file system says of files")]
    file.set_modified(SystemTime::now())?;
    Ok(target.exists())
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(gone)
}

fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
