//! The rules that every member of an archive passes, whichever kind of archive it is.

use super::{ArchiveLimits, Member};
use crate::domain::{Finding, FindingCode};
use crate::intake::folder::is_ignored;
use crate::intake::name::shortened;
use crate::intake::sniff::sniff;

pub(super) struct Gate<'a> {
    limits: &'a ArchiveLimits,
    on_member: &'a mut dyn FnMut(Member),
    findings: Vec<(String, Finding)>,
    members: usize,
    total_bytes: u64,
    full: bool,
}

impl<'a> Gate<'a> {
    pub(super) fn new(limits: &'a ArchiveLimits, on_member: &'a mut dyn FnMut(Member)) -> Self {
        Self { limits, on_member, findings: Vec::new(), members: 0, total_bytes: 0, full: false }
    }

    /// The name to give a member, or `None` when it is passed over or refused.
    pub(super) fn admit(&mut self, name: &str) -> Option<String> {
        if self.full {
            return None;
        }
        let name = name.replace('\\', "/");
        let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let unsafe_name = name.starts_with('/')
            || name.contains('\0')
            || parts.contains(&"..")
            || name.get(1..2) == Some(":");
        if unsafe_name {
            let message =
                "The archive names this file by an unsafe path, so it was left out; send it by itself.";
            self.refuse(&shown(&name), Finding::new(FindingCode::RefusedMember, message));
            return None;
        }
        if parts.iter().any(|part| is_ignored(part)) {
            return None;
        }
        if self.members >= self.limits.max_members {
            self.full = true;
            let message = format!(
                "The archive holds more than {} files; the first were read, send the others apart.",
                self.limits.max_members
            );
            self.refuse("", Finding::new(FindingCode::TooLarge, message));
            return None;
        }
        Some(shown(&parts.join("/")))
    }

    /// Most bytes that a member packed into so many may unpack to.
    pub(super) fn allowance(&self, packed_bytes: u64) -> u64 {
        let by_ratio = packed_bytes.saturating_mul(self.limits.max_ratio).max(self.limits.ratio_counts_from);
        let left = self.limits.max_total_bytes.saturating_sub(self.total_bytes);
        self.limits.max_member_bytes.min(left).min(by_ratio)
    }

    /// Hands a member over unless it is empty or an archive itself.
    pub(super) fn pass(&mut self, name: String, bytes: Vec<u8>) {
        self.total_bytes += bytes.len() as u64;
        if matches!(sniff(&bytes), Ok(format) if format.is_archive()) {
            let message = "An archive inside an archive is not opened; send its documents themselves.";
            self.refuse(&name, Finding::new(FindingCode::RefusedMember, message));
            return;
        }
        self.members += 1;
        (self.on_member)(Member { name, bytes });
    }

    pub(super) fn too_large(&mut self, name: &str) {
        let message = "This file unpacks to more than is read, so it was left out; send it by itself.";
        self.refuse(name, Finding::new(FindingCode::TooLarge, message));
    }

    pub(super) fn refuse(&mut self, name: &str, finding: Finding) {
        if self.findings.len() < 2 * self.limits.max_members {
            self.findings.push((name.to_owned(), finding));
        }
    }

    pub(super) fn finish(mut self) -> Vec<(String, Finding)> {
        if self.members == 0 && self.findings.is_empty() {
            let message = "The archive holds no document; send the documents again.";
            self.refuse("", Finding::new(FindingCode::EmptyFile, message));
        }
        self.findings
    }
}

fn shown(name: &str) -> String {
    let printable: String = name.chars().filter(|ch| !ch.is_control()).collect();
    shortened(&printable).into_owned()
}
