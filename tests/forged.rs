//! Forged files: what an attacker, a broken scanner or a bad export sends.

use std::io::{Cursor, Write};

use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, FlushCompress};

/// A content stream with a sentence that is long enough to be a page's text.
pub(crate) const TEXT: &str =
    "BT /F1 12 Tf 50 700 Td (El titular declara que los datos de este documento son ciertos.) Tj ET";

const FONT: &[u8] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";

/// A PDF of these objects, numbered from 1; the first is the catalog.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n", index + 1).bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let (size, table) = (objects.len() + 1, bytes.len());
    bytes.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
    for offset in offsets {
        bytes.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    bytes.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes());
    bytes
}

fn stream(entries: &str, content: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {entries} /Length {} >>\nstream\n", content.len()).into_bytes();
    object.extend(content);
    object.extend(b"\nendstream");
    object
}

fn page(content: usize, resources: &str) -> Vec<u8> {
    format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << {resources} >> /Contents {content} 0 R >>"
    )
    .into_bytes()
}

fn catalog() -> Vec<u8> {
    b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()
}

/// So many pages of one text, which claim to be `count`.
pub(crate) fn letter(content: &str, pages: usize, count: i64) -> Vec<u8> {
    let kids: Vec<String> = (0..pages).map(|index| format!("{} 0 R", index + 5)).collect();
    let mut objects = vec![
        catalog(),
        format!("<< /Type /Pages /Kids [{}] /Count {count} >>", kids.join(" ")).into_bytes(),
        FONT.to_vec(),
        stream("", content.as_bytes()),
    ];
    objects.extend(std::iter::repeat_n(page(4, "/Font << /F1 3 0 R >>"), pages));
    pdf(&objects)
}

/// A page whose content stream inflates, in two steps, to so many zeros.
pub(crate) fn inflating_page(bytes: u64) -> Vec<u8> {
    let content = deflate(&deflated_zeros(bytes));
    let objects = [
        catalog(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page(4, ""),
        stream("/Filter [/FlateDecode /FlateDecode]", &content),
    ];
    pdf(&objects)
}

/// One megabyte of zeros is deflated once; a full flush lets copies of it follow each other.
fn deflated_zeros(bytes: u64) -> Vec<u8> {
    let megabyte = vec![0; 1 << 20];
    let mut part = Vec::with_capacity(1 << 16);
    let mut encoder = Compress::new(Compression::best(), false);
    encoder.compress_vec(&megabyte, &mut part, FlushCompress::Full).unwrap();
    let mut all = vec![0x78, 0xDA];
    for _ in 0..bytes >> 20 {
        all.extend(&part);
    }
    all
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A first page of forms that draw the next form ten times, thirty deep, and a second of text.
pub(crate) fn nested_forms_then_text() -> Vec<u8> {
    let depth = 30;
    let mut objects = vec![
        catalog(),
        b"<< /Type /Pages /Kids [4 0 R 5 0 R] /Count 2 >>".to_vec(),
        FONT.to_vec(),
        page(6, "/XObject << /X 8 0 R >>"),
        page(7, "/Font << /F1 3 0 R >>"),
        stream("", b"/X Do"),
        stream("", TEXT.as_bytes()),
    ];
    for level in 0..depth {
        let entries = format!(
            "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /X {} 0 R >> >>",
            level + 9
        );
        objects.push(stream(&entries, &b"/X Do ".repeat(10)));
    }
    pdf(&objects)
}

/// The header of a PNG of 40 000 × 40 000 pixels.
pub(crate) fn huge_png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x9C\x40\0\0\x9C\x40\x08\x02\0\0\0".to_vec();
    let checksum = crc32(&bytes[12..]);
    bytes.extend(checksum.to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT\x35\xAF\x06\x1E");
    bytes
}

/// A zip with a document, declared data, a bomb, another zip and a name that climbs out.
pub(crate) fn archive() -> Vec<u8> {
    let inner = zip(&[("a.pdf", b"%PDF-1.7")]);
    zip(&[
        ("papers/letter.pdf", &letter(TEXT, 1, 1)),
        ("application.json", br#"{"channel": "branch"}"#),
        ("zeros.bmp", &vec![0; 64 << 20]),
        ("inner.zip", &inner),
        ("../../escape.pdf", b"%PDF-1.7"),
    ])
}

/// A zip by hand (APPNOTE 6.3.9): deflated members, then the central directory.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut central = Vec::new();
    for (name, content) in files {
        let packed = raw_deflate(content);
        let mut fields = Vec::new();
        for field in [20u16, 0, 8, 0, 0] {
            fields.extend(field.to_le_bytes());
        }
        for field in [crc32(content), packed.len() as u32, content.len() as u32] {
            fields.extend(field.to_le_bytes());
        }
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        let offset = bytes.position() as u32;
        let local = [b"PK\x03\x04", fields.as_slice(), name.as_bytes(), &packed].concat();
        bytes.write_all(&local).unwrap();
        central.extend([b"PK\x01\x02\x14\0", fields.as_slice(), &[0; 10], &offset.to_le_bytes()].concat());
        central.extend(name.as_bytes());
    }
    let start = bytes.position() as u32;
    let count = (files.len() as u16).to_le_bytes();
    bytes.write_all(&central).unwrap();
    let sizes = [(central.len() as u32).to_le_bytes(), start.to_le_bytes()].concat();
    bytes.write_all(&[b"PK\x05\x06\0\0\0\0", &count[..], &count, &sizes, &[0, 0]].concat()).unwrap();
    bytes.into_inner()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() / 900 + 1024);
    let mut encoder = Compress::new(Compression::best(), false);
    encoder.compress_vec(bytes, &mut packed, FlushCompress::Finish).unwrap();
    packed
}

/// CRC-32 of zip members and PNG chunks (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let mut hasher = flate2::Crc::new();
    hasher.update(bytes);
    hasher.sum()
}
