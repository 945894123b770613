//! Mails with attachments (RFC 5322, MIME).

use mail_parser::{MessageParser, MimeHeaders, PartType};

use super::gate::Gate;
use crate::domain::{Finding, FindingCode};

/// Parts that mails carry beside documents: signatures, calendars, contacts.
const NO_DOCUMENTS: [&str; 5] =
    ["pkcs7-signature", "x-pkcs7-signature", "pgp-signature", "calendar", "vcard"];

pub(super) fn unpack(bytes: &[u8], gate: &mut Gate<'_>) {
    let Some(message) = MessageParser::default().parse(bytes) else {
        let text = "The e-mail is broken and cannot be opened; ask for its attachments again.";
        return gate.refuse("", Finding::new(FindingCode::Damaged, text));
    };
    for (index, part) in message.attachments().enumerate() {
        let kind = part.content_type();
        let subtype = kind.and_then(|kind| kind.subtype()).unwrap_or_default().to_lowercase();
        if NO_DOCUMENTS.contains(&subtype.as_str()) {
            continue;
        }
        let unnamed = part.attachment_name().is_none();
        // By what it says of itself: a document whose coding is broken comes as a text.
        let is_text = kind.is_none_or(|kind| kind.ctype().eq_ignore_ascii_case("text"));
        if unnamed && is_text && matches!(part.body, PartType::Text(_) | PartType::Html(_)) {
            continue;
        }
        let name = part
            .attachment_name()
            .map_or_else(|| format!("attachment-{}", index + 1), |name| name.replace(['/', '\\'], "_"));
        let Some(name) = gate.admit(&name) else { continue };
        if matches!(part.body, PartType::Message(_)) {
            let text = "A mail inside a mail is not opened; send its documents themselves.";
            gate.refuse(&name, Finding::new(FindingCode::RefusedMember, text));
            continue;
        }
        if part.is_encoding_problem && part.content_transfer_encoding().is_some_and(is_coded) {
            let text = "This attachment is broken and cannot be read; ask for it again.";
            gate.refuse(&name, Finding::new(FindingCode::Damaged, text));
            continue;
        }
        let content = part.contents();
        // Base64 grows a file by a third, so the size of the mail bounds that of its parts.
        if content.len() as u64 > gate.allowance(content.len() as u64) {
            gate.too_large(&name);
        } else {
            gate.pass(name, content.to_vec());
        }
    }
}

/// Its bytes stand in other letters (RFC 2045, 6.1).
fn is_coded(encoding: &str) -> bool {
    ["base64", "quoted-printable"].iter().any(|coding| encoding.eq_ignore_ascii_case(coding))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{ArchiveLimits, Member, unpack};
    use super::*;

    const MAIL: &str = concat!(
        "From: applicant@example.com\r\n",
        "To: loans@example.com\r\n",
        "Subject: papers\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n",
        "--cut\r\nContent-Type: text/plain\r\n\r\nHere they are.\r\n",
        "--cut\r\nContent-Type: application/pdf; name=\"n\u{f3}mina.pdf\"\r\n",
        "Content-Disposition: attachment; filename=\"nomina.pdf\"\r\n",
        "Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQ=\r\n",
        "--cut\r\nContent-Type: application/zip\r\n",
        "Content-Disposition: attachment; filename=\"more.zip\"\r\n",
        "Content-Transfer-Encoding: base64\r\n\r\nUEsDBBQAAAAAAA==\r\n",
        "--cut\r\nContent-Type: application/json\r\n",
        "Content-Disposition: attachment; filename=\"application.json\"\r\n\r\n{}\r\n",
        "--cut--\r\n"
    );

    fn open(bytes: &[u8]) -> (Vec<Member>, Vec<(String, Finding)>) {
        let mut members = Vec::new();
        let findings = unpack(bytes, &ArchiveLimits::default(), &mut |member| members.push(member));
        (members, findings)
    }

    #[test]
    fn attachments_are_the_documents() {
        let (members, findings) = open(MAIL.as_bytes());
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["nomina.pdf", "application.json"]);
        assert_eq!(members[0].bytes, b"%PDF-1.4");
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].1.code, FindingCode::RefusedMember);
    }

    #[test]
    fn a_mail_without_attachments_is_a_finding() {
        let (members, findings) = open(b"From: a@b.example\r\nTo: c@d.example\r\n\r\nHello\r\n");
        assert!(members.is_empty());
        assert_eq!(findings[0].1.code, FindingCode::EmptyFile);
    }

    #[test]
    fn a_document_whose_coding_is_broken_is_told_of_whether_it_has_a_name_or_not() {
        let broken = MAIL.replace("JVBERi0xLjQ=", "JVBE{i0xLjQ=");
        let unnamed = broken.replace("; name=\"n\u{f3}mina.pdf\"", "");
        let unnamed = unnamed.replace("Content-Disposition: attachment; filename=\"nomina.pdf\"\r\n", "");
        for (mail, name) in [(&broken, "nomina.pdf"), (&unnamed, "attachment-1")] {
            let (members, findings) = open(mail.as_bytes());
            assert_eq!(members.len(), 1, "application.json");
            assert_eq!((findings[0].0.as_str(), findings[0].1.code), (name, FindingCode::Damaged));
        }
    }

    #[test]
    fn a_truncated_mail_gives_what_it_has() {
        let (members, _) = open(&MAIL.as_bytes()[..MAIL.len() - 200]);
        assert_eq!(members.len(), 1);
    }

    proptest! {
        #[test]
        fn changed_bytes_never_panic(changes in proptest::collection::vec((0usize..1000, any::<u8>()), 1..12)) {
            let mut bytes = MAIL.as_bytes().to_vec();
            for (at, byte) in changes {
                let length = bytes.len();
                bytes[at % length] = byte;
            }
            open(&bytes);
        }
    }
}
