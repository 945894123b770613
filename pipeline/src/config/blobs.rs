//! How originals are kept: the section `[blobs]` of `dossier.toml`.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::SecretSource;
use crate::store::{KeyError, Keyring};

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlobSettings {
    /// 32 bytes in base64: originals, and what is made from them, are sealed with it. They lie open without one.
    pub key: Option<SecretSource>,
    /// Keys that were in use before: they still open.
    pub earlier_keys: Vec<SecretSource>,
}

impl BlobSettings {
    /// The keys, where there are any.
    ///
    /// # Errors
    /// When a key is not there or not of its form.
    pub fn keyring(&self) -> Result<Option<Arc<Keyring>>, KeyError> {
        let ring = self.key.as_ref().map(|key| Keyring::of(key, &self.earlier_keys));
        Ok(ring.transpose()?.map(Arc::new))
    }

    /// Takes relative paths as ones below this folder.
    pub(super) fn below(&mut self, folder: &Path) {
        for source in self.key.iter_mut().chain(&mut self.earlier_keys) {
            source.below(folder);
        }
    }
}
