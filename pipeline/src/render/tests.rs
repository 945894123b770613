//! Files that are broken, locked or lie, form by form. What needs limits from outside is tested with
//! the sandbox, in `tests/hostile.rs`.

use std::io::Cursor;

use ::image::{DynamicImage, ImageFormat};
use proptest::prelude::*;

use super::*;

const SENTENCE: &str = "El titular declara que los datos de este documento son ciertos.";

/// A PDF of these objects, numbered from 1; the first is the catalog.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n", index + 1).bytes().chain(object.iter().copied()));
        bytes.extend(b"\nendobj\n");
    }
    let table = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        bytes.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    bytes.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes());
    bytes
}

fn stream(entries: &str, content: &str) -> Vec<u8> {
    format!("<< {entries} /Length {} >>\nstream\n{content}\nendstream", content.len()).into_bytes()
}

/// A PDF of as many pages of one text, which claims to have `count`, with entries added to each page.
fn letter(content: &str, pages: usize, count: i64, entries: &str) -> Vec<u8> {
    let kids: Vec<String> = (0..pages).map(|index| format!("{} 0 R", index + 5)).collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Kids [{}] /Count {count} >>", kids.join(" ")).into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
        stream("", content),
    ];
    for _ in 0..pages {
        let page = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {entries} \
             /Resources << /Font << /F1 3 0 R >> >> /Contents 4 0 R >>"
        );
        objects.push(page.into_bytes());
    }
    pdf(&objects)
}

fn text_at(x: u32, y: u32, text: &str) -> String {
    format!("BT /F1 12 Tf {x} {y} Td ({text}) Tj ET ")
}

fn texts(bytes: &[u8]) -> Vec<String> {
    let opened = open(bytes, &OpenOptions::default()).unwrap();
    let page = opened.pages().page(1).unwrap();
    page.native.map(|native| native.words.into_iter().map(|word| word.text).collect()).unwrap_or_default()
}

fn code_of(bytes: &[u8], options: &OpenOptions) -> FindingCode {
    let opened = match open(bytes, options) {
        Ok(opened) => opened,
        Err(finding) => return finding.code,
    };
    let page = opened.pages().page(1).unwrap();
    page.raster().unwrap_err().code
}

#[test]
fn words_have_their_places() {
    let bytes = letter(&[text_at(50, 700, SENTENCE), text_at(400, 650, "1.234,56")].concat(), 1, 1, "");
    let opened = open(&bytes, &OpenOptions::default()).unwrap();
    let page = opened.pages().page(1).unwrap().native.unwrap();
    let amount = page.words.last().unwrap();
    assert_eq!(amount.text, "1.234,56");
    assert!((amount.bounds.left - 400.0).abs() < 1.0);
    assert!(amount.bounds.contains_point(405.0, 842.0 - 654.0), "{:?}", amount.bounds);
}

#[test]
fn turned_pages_come_upright() {
    let bytes = letter(&text_at(50, 700, SENTENCE), 1, 1, "/Rotate 90");
    let opened = open(&bytes, &OpenOptions::default()).unwrap();
    let page = opened.pages().page(1).unwrap().native.unwrap();
    assert_eq!(page.words[0].text, "El");
    assert_eq!(page.rotation_degrees, 270, "the text runs down the page as shown");
    assert!(page.words[0].bounds.left < page.words[1].bounds.left);
}

#[test]
fn hidden_text_is_not_read() {
    let visible = text_at(50, 700, SENTENCE);
    for hidden in [
        format!("3 Tr {} 0 Tr", text_at(50, 600, "oculto")),
        format!("1 g {} 0 g", text_at(50, 600, "oculto")),
        format!("{} 1 g 40 590 300 30 re f 0 g", text_at(50, 600, "oculto")),
        text_at(5000, 600, "oculto"),
    ] {
        let read = texts(&letter(&[visible.as_str(), &hidden].concat(), 1, 1, ""));
        assert!(read.contains(&"titular".to_owned()) && !read.contains(&"oculto".to_owned()), "{hidden}");
    }
    let on_dark = format!("0 0 0.4 rg 40 590 300 30 re f 1 g {}", text_at(50, 600, "oculto"));
    assert!(texts(&letter(&[visible, on_dark].concat(), 1, 1, "")).contains(&"oculto".to_owned()));
}

#[test]
fn ruled_lines_are_found_and_dark_fields_are_not_lines() {
    let lines = "0.5 w 50 690 m 300 690 l S 50 600 200 1 re f 300 500 80 40 re S";
    let bytes = letter(&[&text_at(50, 700, SENTENCE), lines].concat(), 1, 1, "");
    let opened = open(&bytes, &OpenOptions::default()).unwrap();
    let page = opened.pages().page(1).unwrap().native.unwrap();
    let horizontal = page.rules.iter().filter(|rule| rule.horizontal).count();
    assert_eq!((horizontal, page.rules.len()), (4, 6));
}

#[test]
fn a_lying_count_changes_nothing() {
    for count in [2_000_000_000, -1, 0] {
        let bytes = letter(&text_at(50, 700, SENTENCE), 2, count, "");
        assert_eq!(open(&bytes, &OpenOptions::default()).unwrap().page_count, 2);
    }
}

#[test]
fn pages_that_name_each_other_end() {
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>".to_vec(),
        b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R] /Count 1 >>".to_vec(),
    ];
    assert_eq!(code_of(&pdf(&objects), &OpenOptions::default()), FindingCode::Damaged);
}

#[test]
fn junk_before_a_pdf_is_passed_over() {
    let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    bytes.extend(letter(&text_at(50, 700, SENTENCE), 1, 1, ""));
    assert_eq!(texts(&bytes).len(), 11);
}

#[test]
fn a_pdf_that_is_cut_short_gives_what_it_has_and_says_so() {
    let whole = letter(&text_at(50, 700, SENTENCE), 1, 1, "");
    let opened = open(&whole[..whole.len() - 120], &OpenOptions::default()).unwrap();
    assert_eq!(opened.page_count, 1);
    assert_eq!(opened.findings[0].code, FindingCode::Damaged);
    assert_eq!(code_of(&whole[..60], &OpenOptions::default()), FindingCode::Damaged);
}

#[test]
fn locked_pdfs_open_with_the_empty_or_a_configured_password() {
    let whole = letter(&text_at(50, 700, SENTENCE), 1, 1, "");
    let with_password = |password: &str| OpenOptions {
        passwords: vec!["other".to_owned(), password.to_owned()],
        ..OpenOptions::default()
    };
    assert!(open(&locked(&whole, ""), &OpenOptions::default()).is_ok());
    let bytes = locked(&whole, "geheim");
    assert_eq!(code_of(&bytes, &OpenOptions::default()), FindingCode::PasswordNeeded);
    assert_eq!(code_of(&bytes, &with_password("wrong")), FindingCode::PasswordNeeded);
    let opened = open(&bytes, &with_password("geheim")).unwrap();
    assert_eq!(opened.pages().page(1).unwrap().native.unwrap().words.len(), 11);
}

fn locked(bytes: &[u8], user_password: &str) -> Vec<u8> {
    let mut document = lopdf::Document::load_mem(bytes).unwrap();
    let id = || lopdf::Object::String(b"0123456789abcdef".to_vec(), lopdf::StringFormat::Literal);
    document.trailer.set("ID", vec![id(), id()]);
    let version = lopdf::EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password,
        key_length: 128,
        permissions: lopdf::Permissions::all(),
    };
    let state = lopdf::EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    let mut locked = Vec::new();
    document.save_to(&mut locked).unwrap();
    locked
}

/// A small picture in a form that the encoder knows.
fn picture(format: ImageFormat) -> Vec<u8> {
    let noise = |x, y| ::image::Rgb([(x * 7 + y * 13) as u8, (x * y) as u8, (x + 3 * y) as u8]);
    let mut bytes = Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgb8(RgbImage::from_fn(64, 48, noise));
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

const FORMS: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff];

#[test]
fn every_form_is_read_whatever_its_size() {
    for form in FORMS {
        let bytes = picture(form);
        let opened = open(&bytes, &OpenOptions::default()).unwrap();
        assert_eq!(opened.pages().page(1).unwrap().raster().unwrap().dimensions(), (64, 48), "{form:?}");
        assert_eq!(opened.findings, [], "{form:?}");
    }
}

#[test]
fn a_cut_picture_is_damaged() {
    for form in FORMS {
        let bytes = picture(form);
        for length in [30, bytes.len() / 2] {
            let cut = &bytes[..length];
            let says_so = match open(cut, &OpenOptions::default()) {
                Err(finding) => finding.code == FindingCode::Damaged,
                Ok(opened) if !opened.findings.is_empty() => opened.findings[0].code == FindingCode::Damaged,
                Ok(opened) => {
                    let raster = opened.pages().page(1).unwrap().raster();
                    raster.is_err_and(|finding| finding.code == FindingCode::Damaged)
                }
            };
            assert!(says_so, "{form:?} cut to {length}");
        }
    }
}

/// Bytes of a TIFF with one strip: tag, type (3 short, 4 long), value.
fn tiff(tags: &[(u16, u16, u32)], strip: &[u8]) -> Vec<u8> {
    let mut bytes = b"II*\0".to_vec();
    bytes.extend((8 + strip.len() as u32).to_le_bytes());
    bytes.extend(strip);
    bytes.extend((tags.len() as u16).to_le_bytes());
    for (tag, kind, value) in tags {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    bytes
}

fn tiff_of(width: u32, height: u32, compression: u32, bits: u32, strip: &[u8]) -> Vec<u8> {
    let size = strip.len() as u32;
    let tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, bits),
        (259, 3, compression),
        (262, 3, 0),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, size),
    ];
    tiff(&tags, strip)
}

#[test]
fn fax_pages_are_read_in_every_coding() {
    // Two white rows of eight pixels. T.6: each row "V0"; T.4 one-dimensional: white run 8 = 10011.
    let rows = |bytes: &[u8]| {
        let opened = open(bytes, &OpenOptions::default()).unwrap();
        opened.pages().page(1).unwrap().raster().unwrap().into_raw()
    };
    let white = vec![255; 8 * 2 * 3];
    assert_eq!(rows(&tiff_of(8, 2, 4, 1, &[0b1100_0000, 0, 0])), white, "group 4");
    assert_eq!(rows(&tiff_of(8, 2, 2, 1, &[0b1001_1000, 0b1001_1000])), white, "run lengths");
    assert_eq!(rows(&tiff_of(8, 2, 3, 1, &[0b1001_1100, 0b1100_0000])), white, "group 3");
}

#[test]
fn coarse_fax_pages_become_square() {
    let dots = |across: [u32; 2], down: [u32; 2]| {
        let mut strip = vec![0b1100_0000, 0, 0, 0];
        strip.extend(across.iter().chain(&down).flat_map(|part| part.to_le_bytes()));
        let tags = [
            (256, 4, 8),
            (257, 4, 2),
            (258, 3, 1),
            (259, 3, 4),
            (262, 3, 0),
            (273, 4, 8),
            (277, 3, 1),
            (278, 4, 2),
            (279, 4, 4),
            (282, 5, 12),
            (283, 5, 20),
        ];
        let bytes = tiff(&tags, &strip);
        open(&bytes, &OpenOptions::default()).unwrap().pages().page(1).unwrap().raster().unwrap().dimensions()
    };
    assert_eq!(dots([204, 1], [98, 1]), (8, 4));
    assert_eq!(dots([2000, 10], [200, 1]), (8, 2));
    assert_eq!(dots([204, 0], [98, 1]), (8, 2), "no resolution at all");
}

#[test]
fn what_the_decoder_lacks_is_refused_clearly() {
    let zstd = tiff_of(8, 2, 50_000, 8, &[0; 16]);
    assert_eq!(code_of(&zstd, &OpenOptions::default()), FindingCode::UnsupportedFormat);
}

#[test]
fn impossible_sizes_are_refused_by_their_header() {
    for compression in [1, 4, 5] {
        let bytes = tiff_of(40_000, 40_000, compression, 8, &[0; 64]);
        assert_eq!(code_of(&bytes, &OpenOptions::default()), FindingCode::TooLarge);
    }
    let mut png = picture(ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0x9C, 0x40, 0, 0, 0x9C, 0x40]);
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    assert_eq!(code_of(&png, &OpenOptions::default()), FindingCode::TooLarge);

    let mut jpeg = picture(ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x9C, 0x40, 0x9C, 0x40]);
    assert_eq!(code_of(&jpeg, &OpenOptions::default()), FindingCode::TooLarge);
}

/// CRC-32 of PNG chunks (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[test]
fn directories_in_a_circle_end() {
    let mut bytes = tiff_of(8, 2, 1, 8, &[0; 16]);
    let length = bytes.len();
    bytes[length - 4..].copy_from_slice(&24u32.to_le_bytes());
    match open(&bytes, &OpenOptions::default()) {
        Ok(opened) => assert_eq!(opened.page_count, 1),
        Err(finding) => assert_eq!(finding.code, FindingCode::Damaged),
    }
}

#[test]
fn files_over_the_limit_are_not_looked_at() {
    let options = OpenOptions {
        limits: RenderLimits { max_file_bytes: 100, ..RenderLimits::default() },
        ..OpenOptions::default()
    };
    assert_eq!(open(&[0; 101], &options).unwrap_err().code, FindingCode::TooLarge);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn changed_headers_never_panic(
        form in 0usize..5,
        changes in proptest::collection::vec((0usize..160, any::<u8>()), 1..6),
    ) {
        let mut bytes = picture(FORMS[form]);
        for (at, byte) in changes {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        // A small limit keeps sizes that the changes blow up from being decoded at length.
        let limits = RenderLimits { max_source_pixels: 1_000_000, ..RenderLimits::default() };
        if let Ok(opened) = open(&bytes, &OpenOptions { limits, ..OpenOptions::default() }) {
            let page = opened.pages().page(1).unwrap();
            drop(page.raster());
        }
    }
}
