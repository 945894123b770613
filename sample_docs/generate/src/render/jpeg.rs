//! JPEG and PNG files, with an EXIF orientation where a telephone would write one.

use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage};

pub fn encode(page: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(page)?;
    Ok(bytes)
}

pub fn png(page: &RgbImage, grey: bool) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    if grey {
        let levels: Vec<u8> = page.pixels().map(|p| p.0[1]).collect();
        encoder.write_image(&levels, page.width(), page.height(), ExtendedColorType::L8)?;
    } else {
        encoder.write_image(page.as_raw(), page.width(), page.height(), ExtendedColorType::Rgb8)?;
    }
    Ok(bytes)
}

/// Puts an APP1 segment with one tag, Orientation, behind the file's first marker (EXIF 2.32, 4.6.4).
pub fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut segment: Vec<u8> = vec![0xFF, 0xE1, 0, 34];
    segment.extend(b"Exif\0\0");
    segment.extend(b"MM\0\x2a\0\0\0\x08");
    segment.extend([0, 1]);
    segment.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    segment.extend([0, 0, 0, 0]);
    let mut out = jpeg[..2].to_vec();
    out.extend(segment);
    out.extend(&jpeg[2..]);
    out
}
