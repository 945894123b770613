//! The one door: whatever brings files in (watched folder, upload), they become durable bytes and a
//! durable record here, and only then may the originals go.

use std::path::PathBuf;

use chrono::NaiveDate;

use crate::clock::Clock;
use crate::domain::Finding;
use crate::intake::name::shortened;
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
        let name = shortened(&file.name).into_owned();
        files.push(ArrivedFile { name, sha256: stored.sha256, size_bytes: stored.size_bytes });
    }
    let today: NaiveDate = clock.today();
    let arrival = Arrival {
        flow: delivery.flow,
        reference: delivery.reference,
        today,
        declared: delivery.declared,
        files,
        findings: delivery
            .findings
            .into_iter()
            .map(|(name, why)| (shortened(&name).into_owned(), why))
            .collect(),
        channel: delivery.channel,
        actor: delivery.actor,
    };
    Ok(store.accept(&uuid::Uuid::now_v7().to_string(), &arrival, clock.now()).await?)
}

/// Whether a text can name a case.
pub fn is_reference(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= LONGEST_REFERENCE && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use crate::store::testing::stores;

    #[tokio::test]
    async fn no_name_is_too_long_to_be_kept() {
        for store in stores().await {
            let folder = tempfile::tempdir().unwrap();
            let blobs = BlobStore::open(folder.path().join("blobs"), 1_000).unwrap();
            // Nothing that a database could pack.
            let name =
                |start: u32| (start..).take(2_000).map(|one| format!("{:x}", one.wrapping_mul(0x9E37_79B1)));
            let name = |start| name(start).collect::<String>() + ".pdf";
            let file =
                |start: u32| Delivered { name: name(start), content: Content::Bytes(b"same".to_vec()) };
            let finding = Finding::new(crate::domain::FindingCode::RefusedMember, "A link.");
            let delivery = Delivery {
                flow: "consumer_loan".to_owned(),
                reference: "A-1".to_owned(),
                declared: None,
                files: vec![file(1), file(2)],
                findings: vec![(name(3), finding)],
                channel: "folder",
                actor: "machine".to_owned(),
            };
            let accepted = accept(&store, &blobs, &FixedClock(1), delivery).await.unwrap();
            let files = store.files(accepted.id()).await.unwrap();
            assert_eq!(files.len(), 2);
            assert!(files.iter().all(|file| file.name.len() <= 240 && file.name.ends_with(".pdf")));
        }
    }
}
