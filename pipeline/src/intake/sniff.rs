//! The form of a file, from its content alone.

use crate::domain::{Finding, FindingCode};

/// The forms that are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Pdf,
    Jpeg,
    Png,
    Tiff,
    WebP,
    Bmp,
    Zip,
    Eml,
}

impl Format {
    /// Holds documents rather than being one.
    pub fn is_archive(self) -> bool {
        matches!(self, Format::Zip | Format::Eml)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Format::Pdf => "PDF",
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::Tiff => "TIFF",
            Format::WebP => "WebP",
            Format::Bmp => "BMP",
            Format::Zip => "zip archive",
            Format::Eml => "e-mail",
        }
    }
}

/// A PDF reader accepts its header anywhere in the first kilobyte (ISO 32000-1, annex H, note 13).
const PDF_HEADER_WITHIN: usize = 1024;

/// How much of a file [`sniff`] looks at: give it at least this much, or the whole file.
pub const SNIFF_BYTES: usize = 64 << 10;

/// Forms that people do send and that are not taken: what they begin with and what they are called.
const REFUSED_SIGNATURES: [(&[u8], &str); 19] = [
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Office document"),
    (b"{\\rtf", "a rich-text document"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"Rar!\x1A\x07", "a RAR archive"),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive"),
    (b"\x1F\x8B", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xFD7zXZ\x00", "an xz archive"),
    (b"%!PS", "a PostScript file"),
    (b"\xFF\x0A", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0CJXL ", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0CjP  ", "a JPEG 2000 picture"),
    (b"\xFF\x4F\xFF\x51", "a JPEG 2000 picture"),
    (b"MZ", "a Windows program"),
    (b"\x7FELF", "a program"),
    (b"ID3", "a sound file"),
    (b"OggS", "a sound file"),
    (b"\x1A\x45\xDF\xA3", "a video"),
];

/// Tells the form of a file from its first [`SNIFF_BYTES`] bytes.
///
/// # Errors
/// A finding for an empty file and for a form that is not taken, with what to send instead.
pub fn sniff(bytes: &[u8]) -> Result<Format, Finding> {
    let head = bytes.get(..SNIFF_BYTES).unwrap_or(bytes);
    if head.is_empty() {
        return Err(Finding::new(FindingCode::EmptyFile, "The file is empty; send it again."));
    }
    if let Some(format) = picture(head) {
        return Ok(format);
    }
    let start = head.get(..PDF_HEADER_WITHIN + 5).unwrap_or(head);
    if find(start, b"%PDF-").is_some() {
        return Ok(Format::Pdf);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return match office_archive(head) {
            Some(name) => Err(unsupported(name)),
            None => Ok(Format::Zip),
        };
    }
    if let Some(name) = refused(head) {
        return Err(unsupported(name));
    }
    if looks_like_mail(head) {
        return Ok(Format::Eml);
    }
    let name = if is_text(head) { "a text file" } else { "a file of unknown form" };
    Err(unsupported(name))
}

fn unsupported(name: &str) -> Finding {
    let message = format!("This is {name}, which cannot be read; send it as PDF, JPEG, PNG or TIFF.");
    Finding::new(FindingCode::UnsupportedFormat, message)
}

fn picture(head: &[u8]) -> Option<Format> {
    let tiff_signatures: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
    if head.starts_with(b"\xFF\xD8\xFF") {
        Some(Format::Jpeg)
    } else if head.starts_with(b"\x89PNG\r\n\x1A\n") {
        Some(Format::Png)
    } else if tiff_signatures.iter().any(|signature| head.starts_with(signature)) {
        Some(Format::Tiff)
    } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Some(Format::WebP)
    } else if is_bmp(head) {
        Some(Format::Bmp)
    } else {
        None
    }
}

/// `BM` alone begins many a text: the size of the information header must be a known one too.
fn is_bmp(head: &[u8]) -> bool {
    let header_size = head.get(14..18).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    head.starts_with(b"BM") && matches!(header_size, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

fn office_archive(head: &[u8]) -> Option<&'static str> {
    let markers: [(&[u8], &str); 7] = [
        (b"word/", "a Word document"),
        (b"xl/", "an Excel workbook"),
        (b"ppt/", "a PowerPoint presentation"),
        (b"mimetypeapplication/vnd.oasis", "an OpenDocument file"),
        (b"mimetypeapplication/epub", "an e-book"),
        (b"[Content_Types].xml", "an Office document"),
        (b"META-INF/MANIFEST.MF", "a Java archive"),
    ];
    let is_package = [&b"[Content_Types].xml"[..], b"mimetypeapplication/", b"META-INF/MANIFEST.MF"]
        .iter()
        .any(|marker| find(head, marker).is_some());
    if !is_package {
        return None;
    }
    markers.iter().find(|(marker, _)| find(head, marker).is_some()).map(|&(_, name)| name)
}

fn refused(head: &[u8]) -> Option<&'static str> {
    if head.get(4..8) == Some(b"ftyp") {
        let brand = head.get(8..12).unwrap_or_default();
        let is_heif =
            [b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"].iter().any(|b| *b == brand);
        return Some(match brand {
            b"avif" | b"avis" => "an AVIF picture",
            _ if is_heif => "a HEIC picture",
            _ => "a video",
        });
    }
    if let Some((_, name)) = REFUSED_SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)) {
        return Some(name);
    }
    let start: Vec<u8> = trimmed(head).iter().take(512).map(u8::to_ascii_lowercase).collect();
    if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") || find(&start, b"<html").is_some()
    {
        return Some("a web page");
    }
    if find(&start, b"<svg").is_some() {
        return Some("an SVG drawing");
    }
    start.starts_with(b"<?xml").then_some("an XML file")
}

/// A mail begins with header lines, of which at least two have names that mails have (RFC 5322).
fn looks_like_mail(head: &[u8]) -> bool {
    const KNOWN: [&str; 16] = [
        "from",
        "to",
        "subject",
        "date",
        "received",
        "return-path",
        "delivered-to",
        "message-id",
        "mime-version",
        "content-type",
        "reply-to",
        "x-mailer",
        "dkim-signature",
        "sender",
        "cc",
        "x-original-to",
    ];
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let mut known = 0;
    for (index, line) in head.split(|&byte| byte == b'\n').take(200).enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let continues = line.starts_with(b" ") || line.starts_with(b"\t");
        if (continues && index > 0) || (index == 0 && line.starts_with(b"From ")) {
            continue;
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { return false };
        let name = line.get(..colon).unwrap_or_default();
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            return false;
        }
        known += usize::from(KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())));
    }
    known >= 2
}

fn is_text(head: &[u8]) -> bool {
    head.iter().take(4096).all(|&byte| byte >= 0x20 || matches!(byte, b'\n' | b'\r' | b'\t' | 0x0C))
}

fn trimmed(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start()
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn content_decides() {
        let mut late_pdf = vec![b'\n'; 1000];
        late_pdf.extend_from_slice(b"%PDF-1.4\n");
        let mut bitmap = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0".to_vec();
        bitmap.extend_from_slice(&40u32.to_le_bytes());
        let cases: [(&[u8], Format); 12] = [
            (b"%PDF-1.7\n", Format::Pdf),
            (&late_pdf, Format::Pdf),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF", Format::Jpeg),
            (b"\x89PNG\r\n\x1A\n", Format::Png),
            (b"II*\0\x08\0\0\0", Format::Tiff),
            (b"MM\0*\0\0\0\x08", Format::Tiff),
            (b"RIFF\0\0\0\0WEBPVP8 ", Format::WebP),
            (&bitmap, Format::Bmp),
            (b"PK\x03\x04\x14\0\0\0", Format::Zip),
            (b"PK\x05\x06\0\0", Format::Zip),
            (b"From: a@b.example\r\nSubject: papers\r\n\r\nHello", Format::Eml),
            (b"Received: from x\r\n\tby y\r\nMIME-Version: 1.0\r\n\r\n", Format::Eml),
        ];
        for (bytes, format) in cases {
            assert_eq!(sniff(bytes), Ok(format));
        }
    }

    #[test]
    fn what_is_not_taken_is_named() {
        let cases: [(&[u8], FindingCode, &str); 9] = [
            (b"", FindingCode::EmptyFile, "empty"),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0", FindingCode::UnsupportedFormat, "Office"),
            (b"PK\x03\x04..[Content_Types].xml..word/document.xml", FindingCode::UnsupportedFormat, "Word"),
            (b"<!DOCTYPE html><html>", FindingCode::UnsupportedFormat, "web page"),
            (b"\0\0\0\x18ftypheic", FindingCode::UnsupportedFormat, "HEIC"),
            (b"GIF89a", FindingCode::UnsupportedFormat, "GIF"),
            (b"Rar!\x1A\x07\0", FindingCode::UnsupportedFormat, "RAR"),
            (b"Dear all: see below\nregards\n", FindingCode::UnsupportedFormat, "text file"),
            (b"\x01\x02\x03\x04", FindingCode::UnsupportedFormat, "unknown"),
        ];
        for (bytes, code, word) in cases {
            let finding = sniff(bytes).unwrap_err();
            assert_eq!(finding.code, code);
            assert!(finding.message.contains(word), "{}", finding.message);
        }
    }

    #[test]
    fn a_header_after_the_first_kilobyte_is_no_pdf() {
        let mut bytes = vec![b' '; 2000];
        bytes.extend_from_slice(b"%PDF-1.4\n");
        assert!(sniff(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            drop(sniff(&bytes));
        }

        #[test]
        fn never_panics_on_changed_beginnings(index in 0usize..8, at in 0usize..20, byte: u8) {
            let starts: [&[u8]; 8] = [
                b"%PDF-1.7\n%%EOF..............", b"\xFF\xD8\xFF\xE0....................",
                b"\x89PNG\r\n\x1A\n...............", b"II*\0.........................",
                b"RIFF....WEBP.................", b"PK\x03\x04....................",
                b"From: a\r\nTo: b\r\n\r\n.......", b"....ftypheic.................",
            ];
            let mut bytes = starts[index].to_vec();
            bytes[at] = byte;
            drop(sniff(&bytes));
        }
    }
}
