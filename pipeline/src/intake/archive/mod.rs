//! Archives of documents: zip files and mails with attachments, opened under caps.
//!
//! Runs in the sandboxed child. Must not write anything: it hands members over one by one, and no
//! name in an archive is ever used as a path.

mod gate;
mod zip;
mod eml;

use serde::{Deserialize, Serialize};

use super::sniff::{Format, sniff};
use crate::domain::{Finding, FindingCode};

/// A document taken out of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// As the archive names it, with `/` between folders.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveLimits {
    /// A case has a dozen documents; photographed page by page, a hundred.
    pub max_members: usize,
    /// The same as for a file that comes alone.
    pub max_member_bytes: u64,
    /// All members together, unpacked.
    pub max_total_bytes: u64,
    /// Unpacked to packed size, looked at beyond [`ArchiveLimits::ratio_counts_from`]: blank scans
    /// pack 100:1, bombs 1000:1.
    pub max_ratio: u64,
    /// Small members may pack to nothing.
    pub ratio_counts_from: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            max_members: 200,
            max_member_bytes: 200 << 20,
            max_total_bytes: 400 << 20,
            max_ratio: 200,
            ratio_counts_from: 32 << 20,
        }
    }
}

/// Unpacks a zip or a mail: each document goes to `on_member`, in the archive's order; what was left
/// out comes back as findings by member name (an empty name for the archive itself).
pub fn unpack(
    bytes: &[u8],
    limits: &ArchiveLimits,
    on_member: &mut dyn FnMut(Member),
) -> Vec<(String, Finding)> {
    let mut gate = gate::Gate::new(limits, on_member);
    match sniff(bytes) {
        Ok(Format::Zip) => zip::unpack(bytes, &mut gate),
        Ok(Format::Eml) => eml::unpack(bytes, &mut gate),
        Ok(_) => {
            let message = "This is no archive, so nothing could be unpacked; send it as a document.";
            gate.refuse("", Finding::new(FindingCode::UnsupportedFormat, message));
        }
        Err(finding) => gate.refuse("", finding),
    }
    gate.finish()
}
