//! How densely a picture's dots lie across and down, by its header: where they differ, as on a coarse fax
//! that was exported, dots are not square.

use crate::intake::Format;

/// Segments or chunks looked at before giving up; headers have a few.
const MOST_PARTS: usize = 64;
/// Bytes of the oldest BMP header that tells pixels a metre.
const BMP_WITH_DENSITY: u32 = 40;

/// Dots across and down in one unit, whichever it is; `None` when the file does not say.
pub(super) fn dots(bytes: &[u8], format: Format) -> Option<(f32, f32)> {
    let (across, down) = match format {
        Format::Jpeg => jfif(bytes)?,
        Format::Png => phys(bytes)?,
        Format::Bmp if little(bytes, 14)? >= BMP_WITH_DENSITY => (little(bytes, 38)?, little(bytes, 42)?),
        _ => return None,
    };
    (across > 0 && down > 0).then_some((across as f32, down as f32))
}

/// The density in the JFIF segment (ITU-T T.871, 10.1), which stands before the picture.
fn jfif(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    for _ in 0..MOST_PARTS {
        let head = bytes.get(at..at + 4)?;
        let (marker, length) = (u16::from_be_bytes([head[0], head[1]]), usize::from(short(bytes, at + 2)?));
        match marker {
            0xFFE0 if bytes.get(at + 4..at + 9)? == b"JFIF\0" => {
                return Some((short(bytes, at + 12)?.into(), short(bytes, at + 14)?.into()));
            }
            0xFFDA => return None,
            _ => at += 2 + length.max(2),
        }
    }
    None
}

/// The chunk of physical pixel dimensions (PNG, 11.3.4.3), which stands before the picture.
fn phys(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 8;
    for _ in 0..MOST_PARTS {
        match bytes.get(at + 4..at + 8)? {
            b"pHYs" => return Some((big(bytes, at + 8)?, big(bytes, at + 12)?)),
            b"IDAT" => return None,
            _ => at = at.checked_add(12)?.checked_add(big(bytes, at)? as usize)?,
        }
    }
    None
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn little(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = b"\xFF\xD8\xFF\xE1\x00\x06Exif\xFF\xE0\x00\x10JFIF\0\x01\x02\x01\x00\xCC\x00\x62\0\0";
    const PNG: &[u8] =
        b"\x89PNG\r\n\x1A\n\0\0\0\x02IHDR\0\0crc.\0\0\0\x09pHYs\0\0\x1F\x60\0\0\x0F\x12\x01crc.\0\0\0\0IDAT";

    fn bmp(across: u32, down: u32) -> Vec<u8> {
        let mut bytes = vec![0; 38];
        bytes[14] = 40;
        bytes.extend([across.to_le_bytes(), down.to_le_bytes()].concat());
        bytes
    }

    #[test]
    fn headers_tell_how_densely_dots_lie() {
        assert_eq!(dots(JPEG, Format::Jpeg), Some((204.0, 98.0)));
        assert_eq!(dots(PNG, Format::Png), Some((8032.0, 3858.0)));
        assert_eq!(dots(&bmp(8032, 3858), Format::Bmp), Some((8032.0, 3858.0)));
        assert_eq!(dots(&bmp(0, 0), Format::Bmp), None, "nothing said");
        let oldest = [&[0; 14][..], &[12, 0, 0, 0], &[7; 40]].concat();
        assert_eq!(dots(&oldest, Format::Bmp), None, "its header ends before");
        assert_eq!(dots(&PNG[..20], Format::WebP), None);
    }

    #[test]
    fn what_is_broken_or_endless_says_nothing() {
        for bytes in [JPEG, PNG, &bmp(1, 2)] {
            for end in 0..bytes.len() {
                for format in [Format::Jpeg, Format::Png, Format::Bmp] {
                    dots(&bytes[..end], format);
                }
            }
        }
        let endless: Vec<u8> = [&b"\xFF\xD8"[..], &b"\xFF\xE1\x00\x00".repeat(1_000)].concat();
        assert_eq!(dots(&endless, Format::Jpeg), None);
        let far: Vec<u8> = [&PNG[..8], b"\xFF\xFF\xFF\xFFtEXt"].concat();
        assert_eq!(dots(&far, Format::Png), None);
    }
}
