//! A set of configuration files with a version, from a directory or from inside the binary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "../rules/"]
#[include = "*.toml"]
#[include = "*.rhai"]
#[include = "*.csv"]
struct EmbeddedRules;

#[derive(RustEmbed)]
#[folder = "../models/"]
#[include = "*.rten"]
#[include = "alphabet.txt"]
#[include = "*.json"]
#[include = "manifest.toml"]
#[exclude = "train/*"]
struct EmbeddedModels;

/// Most bytes that one bundle may hold; the shipped ones have less than 20 MB.
const MAX_BUNDLE_BYTES: u64 = 256 << 20;

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} holds more than {MAX_BUNDLE_BYTES} bytes")]
    TooLarge { path: PathBuf },
    #[error("{file} is missing from {origin}")]
    Missing { file: String, origin: String },
    #[error("{file} is not UTF-8 text")]
    NotText { file: String },
}

/// Files by their path relative to the bundle's root, with `/` between folders.
#[derive(Clone, Default)]
pub struct Bundle {
    origin: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Bundle")
            .field("origin", &self.origin)
            .field("files", &self.files.len())
            .finish()
    }
}

impl Bundle {
    /// The rules that the binary carries.
    pub fn embedded_rules() -> Self {
        Self::from_embedded::<EmbeddedRules>("the embedded rules")
    }

    /// The OCR models that the binary carries.
    pub fn embedded_models() -> Self {
        Self::from_embedded::<EmbeddedModels>("the embedded models")
    }

    /// Every file under `root`.
    ///
    /// # Errors
    /// When a file cannot be read or the folder holds more than the cap.
    pub fn from_directory(root: &Path) -> Result<Self, BundleError> {
        let mut bundle = Self { origin: root.display().to_string(), files: BTreeMap::new() };
        let mut left = MAX_BUNDLE_BYTES;
        bundle.add_directory(root, "", &mut left)?;
        Ok(bundle)
    }

    /// Files given directly, for tests.
    pub fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self { origin: "memory".to_owned(), files: files.into_iter().collect() }
    }

    /// Where the files come from, for people.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// `sha256:…` over all names and contents: the version that decisions carry.
    pub fn version(&self) -> String {
        let mut hasher = Sha256::new();
        for (name, content) in &self.files {
            hasher.update((name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update((content.len() as u64).to_le_bytes());
            hasher.update(content);
        }
        format!("sha256:{}", hex::encode(hasher.finalize()))
    }

    /// The files whose names pass.
    #[must_use]
    pub fn only(&self, passes: impl Fn(&str) -> bool) -> Self {
        let files = self.files.iter().filter(|(name, _)| passes(name));
        Self {
            origin: self.origin.clone(),
            files: files.map(|(name, content)| (name.clone(), content.clone())).collect(),
        }
    }

    /// The content of one file, `None` when the bundle has none of that name.
    pub fn find(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The content of a file that must be there.
    pub fn bytes(&self, name: &str) -> Result<&[u8], BundleError> {
        self.find(name)
            .ok_or_else(|| BundleError::Missing { file: name.to_owned(), origin: self.origin.clone() })
    }

    /// The text of a file that must be there.
    pub fn text(&self, name: &str) -> Result<&str, BundleError> {
        std::str::from_utf8(self.bytes(name)?).map_err(|_| BundleError::NotText { file: name.to_owned() })
    }

    /// Names of the files directly in `folder` (empty for the root), sorted.
    pub fn names_in<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.files.keys().filter_map(move |name| {
            let rest = if folder.is_empty() { name } else { name.strip_prefix(folder)?.strip_prefix('/')? };
            (!rest.contains('/')).then_some(name.as_str())
        })
    }

    /// Names of the folders in the root, sorted.
    pub fn folders(&self) -> Vec<&str> {
        let mut folders: Vec<&str> =
            self.files.keys().filter_map(|name| name.split_once('/').map(|(folder, _)| folder)).collect();
        folders.dedup();
        folders
    }

    fn from_embedded<E: RustEmbed>(origin: &str) -> Self {
        let files = E::iter().filter_map(|name| {
            let file = E::get(&name)?;
            Some((name.replace('\\', "/"), file.data.into_owned()))
        });
        Self { origin: origin.to_owned(), files: files.collect() }
    }

    fn add_directory(&mut self, folder: &Path, prefix: &str, left: &mut u64) -> Result<(), BundleError> {
        let read_error = |path: &Path| {
            let path = path.to_owned();
            move |source| BundleError::Read { path, source }
        };
        for entry in std::fs::read_dir(folder).map_err(read_error(folder))? {
            let entry = entry.map_err(read_error(folder))?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let metadata = entry.metadata().map_err(read_error(&path))?;
            if metadata.is_dir() {
                self.add_directory(&path, &name, left)?;
            } else if metadata.is_file() {
                *left = left
                    .checked_sub(metadata.len())
                    .ok_or_else(|| BundleError::TooLarge { path: folder.to_owned() })?;
                self.files.insert(name, std::fs::read(&path).map_err(read_error(&path))?);
            }
        }
        Ok(())
    }
}
