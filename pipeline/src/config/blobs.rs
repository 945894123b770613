//! How originals are kept: the section `[blobs]` of `dossier.toml`.

use std::path::{Path, PathBuf};
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
    /// Originals are objects of this bucket rather than files of the data folder.
    pub bucket: Option<BucketSettings>,
}

/// The section `[blobs.bucket]`: a bucket on S3-compatible storage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketSettings {
    pub name: String,
    /// `https://HOST:PORT`; Amazon's of the region where there is none.
    pub endpoint: Option<String>,
    #[serde(default = "region")]
    pub region: String,
    /// Before the keys of all objects.
    #[serde(default)]
    pub prefix: String,
    pub access_key_id: SecretSource,
    pub secret_access_key: SecretSource,
    /// The bucket's name is a part of the host's, not of the path.
    #[serde(default)]
    pub virtual_hosts: bool,
    /// Certificates of the authority that vouches for the storage, beside the system's.
    pub authority_file: Option<PathBuf>,
}

fn region() -> String {
    "us-east-1".to_owned()
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
        if let Some(bucket) = &mut self.bucket {
            bucket.access_key_id.below(folder);
            bucket.secret_access_key.below(folder);
            if let Some(file) = &mut bucket.authority_file {
                *file = folder.join(&*file);
            }
        }
    }
}
