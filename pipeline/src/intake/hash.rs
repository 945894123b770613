//! The fingerprint of a file.

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

const CHUNK_BYTES: usize = 64 << 10;

/// SHA-256 of a file's bytes, lower-case hex. Reads in pieces: the file may be large.
///
/// # Errors
/// When the file cannot be read.
pub async fn hash_file(path: &Path) -> std::io::Result<String> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut chunk).await?;
        if count == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(chunk.get(..count).unwrap_or_default());
    }
}
