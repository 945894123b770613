//! Changes to a file such as accidents and attackers make: bits, lengths, numbers, pieces that move, words of the form.
//! The same number gives the same file.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// Most changes of one file.
const MOST_CHANGES: usize = 6;
/// No file grows beyond this, whatever is repeated in it.
const MOST_BYTES: usize = 1 << 20;

/// Numbers at which sizes and offsets go wrong.
const EDGES: [i64; 15] = [
    0,
    1,
    -1,
    2,
    7,
    127,
    255,
    256,
    32_768,
    65_535,
    65_536,
    2_147_483_647,
    -2_147_483_648,
    4_294_967_295,
    i64::MAX,
];

/// Words that parsers of a form act upon.
const PDF_WORDS: [&[u8]; 34] = [
    b"1 0 R",
    b"3 0 R",
    b"4 0 R",
    b"<<",
    b">>",
    b"[",
    b"]",
    b"null",
    b"endobj",
    b"stream\n",
    b"endstream",
    b"/Length 99999999",
    b"/Filter /FlateDecode",
    b"/Filter [/ASCIIHexDecode /LZWDecode /RunLengthDecode]",
    b"/Filter /JBIG2Decode",
    b"/Filter /JPXDecode",
    b"/Filter /DCTDecode",
    b"/Filter /CCITTFaxDecode",
    b"/DecodeParms << /Predictor 15 /Columns 2147483647 >>",
    b"/Kids [2 0 R]",
    b"/Parent 3 0 R",
    b"/Count -1",
    b"/MediaBox [0 0 1e38 1e38]",
    b"/MediaBox [5 5 5 5]",
    b"/Rotate 45",
    b"/Prev 0",
    b"/XRefStm 9",
    b"/Type /ObjStm /N 100000 /First 0",
    b"/Encrypt << /Filter /Standard /V 5 /R 6 >>",
    b" 1e400 0 0 -1e-400 0 0 cm ",
    b" q q q q BT /F1 1e9 Tf ",
    b" Q Q Q ET ",
    b" 0 0 0 0 re W n ",
    b"startxref\n0\n",
];
const JPEG_WORDS: [&[u8]; 9] = [
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xc4\x00\x02",
    b"\xff\xdb\x00\x43",
    b"\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01",
    b"\xff\xc2\x00\x11\x08",
    b"\xff\xda\x00\x0c\x03",
    b"\xff\xdd\x00\x04\x00\x01",
    b"\xff\xe1\xff\xffExif\0\0MM\0*",
];
const PNG_WORDS: [&[u8]; 9] =
    [b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"zTXt", b"iCCP", b"acTL", b"\0\0\0\0"];
const TIFF_WORDS: [&[u8]; 8] = [
    b"II*\0",
    b"MM\0*",
    b"\x03\x01\x03\0\x01\0\0\0\x04\0",
    b"\x11\x01\x04\0\xff\xff\xff\xff",
    b"\x17\x01\x04\0\x01\0\0\0\xff\xff\xff\xff",
    b"\x00\x01\x04\0\x01\0\0\0\xff\xff\0\0",
    b"\x42\x01\x04\0\x01\0\0\0\0\0\0\0",
    b"\x02\x01\x03\0\x04\0\0\0\x40\0\x40\0",
];
const WEBP_WORDS: [&[u8]; 8] =
    [b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANMF", b"\x9d\x01\x2a\xff\x3f\xff\x3f"];
const BMP_WORDS: [&[u8]; 5] =
    [b"BM", b"\x28\0\0\0", b"\x7c\0\0\0", b"\0\x02\xff\xff", b"\x01\0\x20\0\x03\0\0\0"];
const ZIP_WORDS: [&[u8]; 8] = [
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x07\x08",
    b"../../",
    b"\x01\0\x20\0",
];
const MAIL_WORDS: [&[u8]; 12] = [
    b"\r\n--cut-mixed\r\n",
    b"--cut-mixed--",
    b"Content-Type: multipart/mixed; boundary=\"\"\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"=?utf-8?b?////?=",
    b"=?x?q?=FF=00?=",
    b"; filename*0*=utf-8''%00%ff",
    b"charset=utf-7",
    b"\r\n\r\n",
    b"From \0\r\n",
];

fn words_of(form: &str) -> &'static [&'static [u8]] {
    match form {
        "jpeg" => &JPEG_WORDS,
        "png" => &PNG_WORDS,
        "tiff" => &TIFF_WORDS,
        "webp" => &WEBP_WORDS,
        "bmp" => &BMP_WORDS,
        "zip" => &ZIP_WORDS,
        "eml" => &MAIL_WORDS,
        _ => &PDF_WORDS,
    }
}

/// The changed file of this number, made from one or two of the seeds.
pub(crate) fn mutated(form: &str, seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(number));
    let mut bytes = dice.one_of(seeds).clone();
    // Mostly few: what is changed everywhere is refused at the door.
    let most = 1 + dice.below(MOST_CHANGES);
    for _ in 0..=dice.below(most) {
        change(&mut bytes, form, seeds, &mut dice);
        bytes.truncate(MOST_BYTES);
    }
    if form == "png" && dice.below(2) == 0 {
        let seed = dice.one_of(seeds);
        bytes = with_changed_pixels(seed, seeds, &mut dice);
    } else if form == "png" && dice.below(4) > 0 {
        mend_checksums(&mut bytes);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, form: &str, seeds: &[Vec<u8>], dice: &mut Dice) {
    match dice.below(13) {
        0 | 1 => flip_bits(bytes, dice),
        2 => overwrite(bytes, dice),
        3 => bytes.truncate(dice.below(bytes.len() + 1)),
        4 | 5 => move_piece(bytes, dice),
        6 => {
            let other = dice.one_of(seeds);
            splice(bytes, other, dice);
        }
        7 | 8 => change_written_number(bytes, dice),
        9 | 10 => change_binary_number(bytes, dice),
        11 => {
            let word = dice.one_of(words_of(form));
            insert_word(bytes, word, dice);
        }
        _ => repeat_byte(bytes, dice),
    }
}

fn flip_bits(bytes: &mut [u8], dice: &mut Dice) {
    for _ in 0..=dice.below(16) {
        if let Some(byte) = dice.place_in(bytes) {
            *byte ^= 1 << dice.below(8);
        }
    }
}

fn overwrite(bytes: &mut [u8], dice: &mut Dice) {
    let (from, to) = dice.range(bytes.len(), 32);
    dice.0.fill_bytes(&mut bytes[from..to]);
}

/// A piece is doubled, moved or left out.
fn move_piece(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let (from, to) = dice.range(bytes.len(), 512);
    let piece = if dice.below(3) == 0 { bytes[from..to].to_vec() } else { bytes.drain(from..to).collect() };
    let at = dice.below(bytes.len() + 1);
    match dice.below(3) {
        0 => {}
        1 => drop(bytes.splice(at..at, piece)),
        _ => {
            let many = piece.repeat(1 + dice.below(40));
            drop(bytes.splice(at..at, many));
        }
    }
}

fn splice(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let (from, to) = dice.range(other.len(), other.len());
    let at = dice.below(bytes.len() + 1);
    let until = (at + dice.below(to - from + 1)).min(bytes.len());
    bytes.splice(at..until, other[from..to].iter().copied());
}

/// A number written in digits.
fn change_written_number(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        return;
    }
    let start = dice.below(bytes.len());
    let Some(first) = bytes[start..].iter().position(u8::is_ascii_digit).map(|at| start + at) else { return };
    let length = bytes[first..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.splice(first..first + length, dice.one_of(&EDGES).to_string().into_bytes());
}

fn change_binary_number(bytes: &mut [u8], dice: &mut Dice) {
    let size = *dice.one_of(&[1, 2, 2, 4, 4, 8]);
    let number = dice.one_of(&EDGES).wrapping_add(*dice.one_of(&[-1, 0, 1])).to_le_bytes();
    let Some(last) = bytes.len().checked_sub(size) else { return };
    let at = dice.below(last + 1);
    let place = &mut bytes[at..at + size];
    place.copy_from_slice(&number[..size]);
    if dice.below(2) == 0 {
        place.reverse();
    }
}

fn insert_word(bytes: &mut Vec<u8>, word: &[u8], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let until = if dice.below(2) == 0 { at } else { (at + word.len()).min(bytes.len()) };
    bytes.splice(at..until, word.iter().copied());
}

fn repeat_byte(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let byte = *dice.one_of(&[0, 0xFF, b' ', b'[', b'(', b'<', b'9', b'A']);
    let run = vec![byte; 1 + dice.below(4096)];
    bytes.splice(at..at, run);
}

/// A PNG whose header or rows are changed below their packing: what is changed above it hardly passes its checksum.
fn with_changed_pixels(png: &[u8], seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut changed = png[..8].to_vec();
    let mut at = 8;
    while let Some(length) = length_at(png, at) {
        let (chunk, end) = (at + 8, at + 12 + length);
        match &png[at + 4..chunk] {
            b"IDAT" => packed.extend(&png[chunk..chunk + length]),
            b"IEND" => {}
            _ => changed.extend(&png[at..end]),
        }
        at = end;
    }
    let mut rows = Vec::new();
    ZlibDecoder::new(packed.as_slice()).read_to_end(&mut rows).unwrap();
    change(&mut rows, "png", seeds, dice);
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&rows).unwrap();
    let packed = packer.finish().unwrap();
    for (kind, content) in [(b"IDAT", packed.as_slice()), (b"IEND", &[])] {
        changed.extend((content.len() as u32).to_be_bytes());
        changed.extend(kind);
        changed.extend(content);
        changed.extend([0; 4]);
    }
    if dice.below(3) == 0 {
        // Size, depth, colours, packing, filters, interlacing.
        changed[16 + dice.below(13)] = *dice.one_of(&[0, 1, 2, 3, 4, 6, 8, 16, 255]);
    }
    mend_checksums(&mut changed);
    changed
}

fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(field) as usize)
}

/// The checksums of a PNG's chunks: a decoder looks no further where one is wrong.
fn mend_checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = length_at(bytes, at) {
        let end = at + 8 + length;
        if bytes.len() < end + 4 {
            return;
        }
        let mut checksum = flate2::Crc::new();
        checksum.update(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&checksum.sum().to_be_bytes());
        at = end + 4;
    }
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        (self.0.next_u64() % end.max(1) as u64) as usize
    }

    fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    fn place_in<'b>(&mut self, bytes: &'b mut [u8]) -> Option<&'b mut u8> {
        let at = self.below(bytes.len());
        bytes.get_mut(at)
    }

    /// A stretch of at most so many of so many.
    fn range(&mut self, length: usize, most: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        (from, (from + self.below(most + 1)).min(length))
    }
}
