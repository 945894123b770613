//! The bucket of the configuration, over HTTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::client::Certificate;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use crate::config::{BucketSettings, SecretError};

/// To connect, and without a byte; a part of a file has longer.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const SILENT_FOR: Duration = Duration::from_secs(20);
const PART_WITHIN: Duration = Duration::from_mins(2);
/// What fails is asked for again so often; then whoever wanted it tries again later.
const RETRIES: usize = 3;
const RETRY_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    #[error("the bucket cannot be signed in to")]
    Secret(#[from] SecretError),
    #[error("cannot read the certificates in {path}")]
    Authority { path: PathBuf, source: std::io::Error },
    #[error("the certificates in {path} are not valid")]
    Certificate { path: PathBuf, source: object_store::Error },
    #[error("the bucket's settings cannot be used")]
    Settings(#[from] object_store::Error),
}

/// The bucket; nothing is asked of it yet.
///
/// # Errors
/// When a secret or certificate is not there or not valid, or an address cannot be understood.
pub fn bucket(settings: &BucketSettings) -> Result<Arc<dyn ObjectStore>, BucketError> {
    let endpoint = settings.endpoint.as_deref();
    let mut options = ClientOptions::new()
        .with_connect_timeout(CONNECT_WITHIN)
        .with_read_timeout(SILENT_FOR)
        .with_timeout(PART_WITHIN)
        // The operator wrote it.
        .with_allow_http(endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")));
    if let Some(path) = &settings.authority_file {
        let text =
            std::fs::read(path).map_err(|source| BucketError::Authority { path: path.clone(), source })?;
        let certificates = Certificate::from_pem_bundle(&text);
        for certificate in
            certificates.map_err(|source| BucketError::Certificate { path: path.clone(), source })?
        {
            options = options.with_root_certificate(certificate);
        }
    }
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_WITHIN, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&settings.name)
        .with_region(&settings.region)
        .with_access_key_id(settings.access_key_id.read()?)
        .with_secret_access_key(settings.secret_access_key.read()?)
        .with_virtual_hosted_style_request(settings.virtual_hosts)
        .with_disable_bulk_delete(true)
        .with_client_options(options)
        .with_retry(retry);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    Ok(Arc::new(builder.build()?))
}
