//! Zip archives.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::gate::Gate;
use crate::domain::{Finding, FindingCode};

pub(super) fn unpack(bytes: &[u8], gate: &mut Gate<'_>) {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else {
        return gate.refuse("", broken("The zip archive is broken or cut short; ask for it again."));
    };
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(index) else {
            gate.refuse("", broken("A part of the zip archive is broken; ask for it again."));
            continue;
        };
        if entry.is_dir() {
            continue;
        }
        let raw_name = entry.name().map_or_else(
            |_| String::from_utf8_lossy(entry.name_raw()).into_owned(),
            std::borrow::Cow::into_owned,
        );
        let (encrypted, is_link, packed) = (entry.encrypted(), entry.is_symlink(), entry.compressed_size());
        drop(entry);
        let Some(name) = gate.admit(&raw_name) else { continue };
        if is_link {
            let message = "A link inside an archive is not followed; send the file itself.";
            gate.refuse(&name, Finding::new(FindingCode::RefusedMember, message));
        } else if encrypted {
            let message = "This file in the zip archive is locked with a password; ask for an unlocked copy.";
            gate.refuse(&name, Finding::new(FindingCode::PasswordNeeded, message));
        } else {
            read_member(&mut archive, index, name, packed.min(bytes.len() as u64), gate);
        }
    }
}

/// Never trusts a size in a header: reads up to the allowance and one byte more.
fn read_member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    name: String,
    packed_bytes: u64,
    gate: &mut Gate<'_>,
) {
    let message = "This file in the zip archive is broken or packed in an unknown way; ask for it again.";
    let Ok(mut entry) = archive.by_index(index) else {
        return gate.refuse(&name, broken(message));
    };
    let allowance = gate.allowance(packed_bytes);
    let mut content = Vec::new();
    match entry.by_ref().take(allowance.saturating_add(1)).read_to_end(&mut content) {
        Ok(_) if content.len() as u64 > allowance => gate.too_large(&name),
        Ok(_) => gate.pass(name, content),
        Err(_) => gate.refuse(&name, broken(message)),
    }
}

fn broken(message: &str) -> Finding {
    Finding::new(FindingCode::Damaged, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::{ArchiveLimits, Member, unpack};
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn open(bytes: &[u8], limits: ArchiveLimits) -> (Vec<Member>, Vec<(String, Finding)>) {
        let mut members = Vec::new();
        let findings = unpack(bytes, &limits, &mut |member| members.push(member));
        (members, findings)
    }

    #[test]
    fn documents_come_out_and_the_rest_is_named() {
        let inner = archive(&[("a.pdf", b"%PDF-1.4")]);
        let bytes = archive(&[
            ("A-1/dni.jpg", b"\xFF\xD8\xFF\xE0"),
            ("A-1/.hidden", b"x"),
            ("A-1/late.pdf.part", b"x"),
            ("__MACOSX/._dni.jpg", b"x"),
            ("../../etc/passwd", b"x"),
            ("/etc/passwd", b"x"),
            ("C:\\windows\\x.pdf", b"x"),
            ("more.zip", &inner),
        ]);
        let (members, findings) = open(&bytes, ArchiveLimits::default());
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["A-1/dni.jpg"]);
        let refused: Vec<&str> = findings.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(refused, ["../../etc/passwd", "/etc/passwd", "C:/windows/x.pdf", "more.zip"]);
        assert!(findings.iter().all(|(_, finding)| finding.code == FindingCode::RefusedMember));
    }

    #[test]
    fn bombs_stop_at_the_allowance() {
        let bytes = archive(&[("zeros.bmp", &vec![0; 2 << 20]), ("form.pdf", b"%PDF-1.4")]);
        let limits = ArchiveLimits { ratio_counts_from: 1 << 20, ..ArchiveLimits::default() };
        let (members, findings) = open(&bytes, limits);
        assert_eq!(members.len(), 1, "the bomb is left out, the document is not");
        assert_eq!(findings[0].1.code, FindingCode::TooLarge);

        let limits = ArchiveLimits { max_total_bytes: 1 << 20, ..ArchiveLimits::default() };
        assert_eq!(open(&bytes, limits).1[0].1.code, FindingCode::TooLarge);
    }

    #[test]
    fn too_many_members_and_none_at_all_are_findings() {
        let names: Vec<String> = (0..5).map(|index| format!("{index}.pdf")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"%PDF-1.4"[..])).collect();
        let limits = ArchiveLimits { max_members: 3, ..ArchiveLimits::default() };
        let (members, findings) = open(&archive(&files), limits);
        assert_eq!((members.len(), findings.len()), (3, 1));
        assert_eq!(open(&archive(&[]), limits).1[0].1.code, FindingCode::EmptyFile);
    }

    #[test]
    fn a_locked_member_is_named() {
        let mut bytes = archive(&[("dni.pdf", b"%PDF-1.4")]);
        // Bit 0 of the general flags, in the local and in the central header (APPNOTE 4.4.4).
        let central = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        bytes[6] |= 1;
        bytes[central + 8] |= 1;
        let (members, findings) = open(&bytes, ArchiveLimits::default());
        assert!(members.is_empty());
        assert_eq!(findings[0].1.code, FindingCode::PasswordNeeded);
    }

    #[test]
    fn a_truncated_archive_is_damaged() {
        let bytes = archive(&[("dni.pdf", b"%PDF-1.4 and some more of it")]);
        let (members, findings) = open(&bytes[..bytes.len() - 30], ArchiveLimits::default());
        assert!(members.is_empty());
        assert_eq!(findings[0].1.code, FindingCode::Damaged);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn changed_bytes_never_panic(changes in proptest::collection::vec((0usize..200, any::<u8>()), 1..8)) {
            let mut bytes = archive(&[("a/b.pdf", b"%PDF-1.4 content"), ("c.jpg", b"\xFF\xD8\xFF\xE0")]);
            for (at, byte) in changes {
                let length = bytes.len();
                bytes[at % length] = byte;
            }
            open(&bytes, ArchiveLimits::default());
        }
    }
}
