//! The one door: whatever brings files in (watched folder, upload), they become durable bytes and a
//! durable record here, and only then may the originals go.

use std::path::PathBuf;

use chrono::NaiveDate;

use crate::clock::Clock;
use crate::domain::Finding;
use crate::store::{Accepted, Arrival, ArrivedFile, BlobError, BlobStore, Store, StoreError};

/// Longest reference, in bytes: a file name.
const LONGEST_REFERENCE: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the reference must be 1 to {LONGEST_REFERENCE} bytes of printable text")]
    Reference,
}

/// What somebody brings.
#[derive(Debug)]
pub struct Delivery {
    pub flow: String,
    pub reference: String,
    pub declared: Option<serde_json::Value>,
    pub files: Vec<Delivered>,
    pub findings: Vec<(String, Finding)>,
    /// `folder` or `upload`.
    pub channel: &'static str,
    pub actor: String,
}

/// A file that is brought.
#[derive(Debug)]
pub struct Delivered {
    /// As the sender named it.
    pub name: String,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    File(PathBuf),
    Bytes(Vec<u8>),
}

/// Stores the bytes and records the case. When this returns, a crash loses nothing.
///
/// # Errors
/// When the disk or the database fails, a file is too large, or the reference cannot be one.
pub async fn accept(
    store: &Store,
    blobs: &BlobStore,
    clock: &dyn Clock,
    delivery: Delivery,
) -> Result<Accepted, AcceptError> {
    if !is_reference(&delivery.reference) {
        return Err(AcceptError::Reference);
    }
    let mut files = Vec::with_capacity(delivery.files.len());
    for file in delivery.files {
        let stored = match file.content {
            Content::File(path) => blobs.put_file(path).await?,
            Content::Bytes(bytes) => blobs.put_bytes(&file.name, bytes).await?,
        };
        files.push(ArrivedFile { name: file.name, sha256: stored.sha256, size_bytes: stored.size_bytes });
    }
    let today: NaiveDate = clock.today();
    let arrival = Arrival {
        flow: delivery.flow,
        reference: delivery.reference,
        today,
        declared: delivery.declared,
        files,
        findings: delivery.findings,
        channel: delivery.channel,
        actor: delivery.actor,
    };
    Ok(store.accept(&uuid::Uuid::now_v7().to_string(), &arrival, clock.now()).await?)
}

/// Whether a text can name a case.
pub fn is_reference(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= LONGEST_REFERENCE && !text.chars().any(char::is_control)
}
