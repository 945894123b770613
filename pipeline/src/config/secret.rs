//! Secrets: named in the configuration, kept in a file or in the environment, never written out.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Where a secret is: in a file, or in a variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    File(PathBuf),
    Env(String),
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("cannot read the secret in {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the variable {name} of the environment, which holds a secret, is not set")]
    Unset { name: String },
    #[error("the secret in {place} is empty")]
    Empty { place: String },
}

impl SecretSource {
    /// The secret, without space around it.
    ///
    /// # Errors
    /// When it is not there, empty, or no text.
    pub fn read(&self) -> Result<String, SecretError> {
        let (text, place) = match self {
            SecretSource::File(path) => {
                let read = std::fs::read_to_string(path);
                let text = read.map_err(|source| SecretError::File { path: path.clone(), source })?;
                (text, path.display().to_string())
            }
            SecretSource::Env(name) => {
                let text = std::env::var(name).map_err(|_| SecretError::Unset { name: name.clone() })?;
                (text, name.clone())
            }
        };
        let text = text.trim();
        if text.is_empty() { Err(SecretError::Empty { place }) } else { Ok(text.to_owned()) }
    }

    /// Takes a relative path as one below this folder.
    pub(super) fn below(&mut self, folder: &Path) {
        if let SecretSource::File(path) = self {
            *path = folder.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_a_file_without_space_around_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), " abc \n").unwrap();
        std::fs::write(folder.path().join("nothing"), "\n").unwrap();
        let at = |name: &str| {
            let mut source = SecretSource::File(name.into());
            source.below(folder.path());
            source.read()
        };
        assert_eq!(at("token").unwrap(), "abc");
        assert!(matches!(at("nothing"), Err(SecretError::Empty { .. })));
        assert!(matches!(at("missing"), Err(SecretError::File { .. })));
        let unset = SecretSource::Env("DOSSIER_NO_SUCH_VARIABLE".to_owned()).read();
        assert!(matches!(unset, Err(SecretError::Unset { .. })));
    }
}
