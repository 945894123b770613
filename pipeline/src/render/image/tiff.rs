//! TIFF files: every page, fax compression of all kinds, resolutions that differ by direction.

use std::io::Cursor;

use ::tiff::ColorType;
use ::tiff::decoder::ifd::Value;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use ::tiff::tags::Tag;
use hayro_ccitt::EncodingMode;
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use super::ccitt::{Coding, decode_strip};
use super::{damaged, scale, too_large};
use crate::domain::{Finding, FindingCode};
use crate::render::RenderLimits;

const CCITT_RLE: u32 = 2;
const CCITT_GROUP_3: u32 = 3;
const CCITT_GROUP_4: u32 = 4;
/// Rows of a strip when the file does not say, and strips of a page: no scanner comes near.
const MAX_STRIPS: usize = 100_000;

/// A TIFF whose directories were found.
pub(in crate::render) struct TiffFile<'b> {
    bytes: &'b [u8],
    limits: RenderLimits,
    /// Positions of the pages among the directories; previews are passed over.
    pages: Vec<usize>,
    chain_broken: bool,
}

type TiffReader<'b> = Decoder<Cursor<&'b [u8]>>;

impl<'b> TiffFile<'b> {
    /// Walks the directories; decodes nothing.
    pub(in crate::render) fn open(bytes: &'b [u8], limits: RenderLimits) -> Result<Self, Finding> {
        let mut decoder = reader(bytes, limits)?;
        let mut file = Self { bytes, limits, pages: Vec::new(), chain_broken: false };
        for index in 0..limits.max_counted_pages as usize {
            let subfile: u32 = decoder.find_tag_unsigned(Tag::NewSubfileType).ok().flatten().unwrap_or(0);
            let is_preview = subfile & 1 == 1;
            if !is_preview {
                file.pages.push(index);
            }
            if !decoder.more_images() {
                break;
            }
            if decoder.next_image().is_err() {
                file.chain_broken = true;
                break;
            }
        }
        if file.pages.is_empty() {
            return Err(broken());
        }
        Ok(file)
    }

    pub(in crate::render) fn page_count(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    pub(in crate::render) fn cut_short(&self) -> Option<Finding> {
        let message = "The TIFF is cut short or broken; the pages that could be found were read.";
        self.chain_broken.then(|| damaged(message))
    }

    /// Decodes one page, turns it as its header says and makes its pixels square.
    pub(in crate::render) fn decode(&self, number: u32) -> Result<RgbImage, Finding> {
        let index = self.pages.get((number as usize).wrapping_sub(1)).ok_or_else(broken)?;
        let mut decoder = reader(self.bytes, self.limits)?;
        decoder.seek_to_image(*index).map_err(|_| broken())?;
        let (width, height) = decoder.dimensions().map_err(|_| broken())?;
        // Three bytes a pixel is what is made of it in the end, whatever its own depth.
        let bytes = u64::from(width) * u64::from(height) * 3;
        if !self.limits.allows(width, height, bytes) {
            return Err(too_large(width, height, self.limits));
        }
        if width == 0 || height == 0 {
            return Err(broken());
        }
        let compression: u32 = tag(&mut decoder, Tag::Compression).unwrap_or(1);
        let image = match compression {
            CCITT_RLE | CCITT_GROUP_3 | CCITT_GROUP_4 => {
                self.decode_fax(&mut decoder, compression, width, height)?
            }
            _ => decode_samples(&mut decoder, width, height, self.limits)?,
        };
        let dots = resolution(&mut decoder);
        let orientation: u32 = tag(&mut decoder, Tag::Orientation).unwrap_or(1);
        let mut turned = DynamicImage::ImageRgb8(scale::to_reading_size(image, dots, self.limits));
        let orientation = u8::try_from(orientation).ok().and_then(Orientation::from_exif);
        turned.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
        Ok(turned.into_rgb8())
    }

    fn decode_fax(
        &self,
        decoder: &mut TiffReader<'b>,
        compression: u32,
        width: u32,
        height: u32,
    ) -> Result<RgbImage, Finding> {
        let offsets: Vec<u64> = tags(decoder, Tag::StripOffsets).ok_or_else(unsupported)?;
        let sizes: Vec<u64> = tags(decoder, Tag::StripByteCounts).unwrap_or_default();
        let rows_per_strip: u32 = tag(decoder, Tag::RowsPerStrip).unwrap_or(height).clamp(1, height);
        let options: u32 = tag(decoder, Tag::Unknown(292)).unwrap_or(0);
        let mode = match compression {
            CCITT_GROUP_4 => EncodingMode::Group4,
            CCITT_GROUP_3 if options & 1 == 1 => EncodingMode::Group3_2D,
            _ => EncodingMode::Group3_1D,
        };
        let coding = Coding {
            mode,
            byte_aligned: compression == CCITT_RLE,
            reversed_bits: tag(decoder, Tag::FillOrder) == Some(2),
        };
        // 0 is white where the file says WhiteIsZero, which faxes do; the decoder takes it so.
        let inverted = tag(decoder, Tag::PhotometricInterpretation) == Some(1);
        let mut grey: Vec<u8> = Vec::new();
        for (index, offset) in offsets.iter().take(MAX_STRIPS).enumerate() {
            let done = (grey.len() / width as usize) as u32;
            if done >= height {
                break;
            }
            let rows = rows_per_strip.min(height - done);
            let start = usize::try_from(*offset).unwrap_or(usize::MAX);
            let size =
                sizes.get(index).map_or(usize::MAX, |size| usize::try_from(*size).unwrap_or(usize::MAX));
            let end = start.saturating_add(size).min(self.bytes.len());
            let data = self.bytes.get(start..end).ok_or_else(broken)?;
            grey.extend(decode_strip(data, width, rows, coding).0);
        }
        grey.resize(width as usize * height as usize, 255);
        if inverted {
            for value in &mut grey {
                *value = 255 - *value;
            }
        }
        if grey.iter().all(|&value| value == 255) && !grey.is_empty() && self.is_past_end(&offsets) {
            return Err(broken());
        }
        Ok(from_grey(width, height, grey))
    }

    fn is_past_end(&self, offsets: &[u64]) -> bool {
        offsets.iter().any(|&offset| offset >= self.bytes.len() as u64)
    }
}

fn reader(bytes: &[u8], limits: RenderLimits) -> Result<TiffReader<'_>, Finding> {
    let mut allowed = Limits::default();
    allowed.decoding_buffer_size = usize::try_from(limits.max_decoded_bytes).unwrap_or(usize::MAX);
    allowed.intermediate_buffer_size = allowed.decoding_buffer_size;
    Decoder::new(Cursor::new(bytes)).map(|decoder| decoder.with_limits(allowed)).map_err(
        |error| match error {
            ::tiff::TiffError::UnsupportedError(_) => unsupported(),
            _ => broken(),
        },
    )
}

fn tag(decoder: &mut TiffReader<'_>, tag: Tag) -> Option<u32> {
    decoder.find_tag_unsigned(tag).ok().flatten()
}

fn tags(decoder: &mut TiffReader<'_>, tag: Tag) -> Option<Vec<u64>> {
    decoder.find_tag_unsigned_vec(tag).ok().flatten()
}

fn resolution(decoder: &mut TiffReader<'_>) -> Option<(f32, f32)> {
    let mut dots = |tag| dots(decoder.find_tag(tag).ok()??);
    Some((dots(Tag::XResolution)?, dots(Tag::YResolution)?))
}

/// Dots in whatever unit: a fraction (TIFF 6.0), or a number as some programs write.
fn dots(value: Value) -> Option<f32> {
    let dots = match value {
        Value::Rational(dots, per) => dots as f32 / per as f32,
        Value::Float(dots) => dots,
        Value::Double(dots) => dots as f32,
        other => other.into_u32().ok()? as f32,
    };
    (dots.is_finite() && dots > 0.0).then_some(dots)
}

fn decode_samples(
    decoder: &mut TiffReader<'_>,
    width: u32,
    height: u32,
    limits: RenderLimits,
) -> Result<RgbImage, Finding> {
    if tag(decoder, Tag::PlanarConfiguration) == Some(2) {
        return Err(unsupported());
    }
    let color = decoder.colortype().map_err(|_| unsupported())?;
    let samples = decoder.read_image().map_err(|error| match error {
        ::tiff::TiffError::UnsupportedError(_) => unsupported(),
        ::tiff::TiffError::LimitsExceeded => too_large(width, height, limits),
        _ => broken(),
    })?;
    let rgb = match (color, samples) {
        (ColorType::Gray(bits @ (1 | 2 | 4)), DecodingResult::U8(packed)) => {
            return Ok(from_grey(width, height, unpack(&packed, width as usize, bits)));
        }
        (color, DecodingResult::U8(samples)) => to_rgb(color, &samples),
        (color, DecodingResult::U16(samples)) => {
            let high_bytes: Vec<u8> = samples.into_iter().map(|value| (value >> 8) as u8).collect();
            to_rgb(color, &high_bytes)
        }
        _ => None,
    };
    rgb.and_then(|rgb| RgbImage::from_raw(width, height, rgb)).ok_or_else(unsupported)
}

/// Eight-bit samples of a pixel after another as RGB; `None` for colours that are not known.
fn to_rgb(color: ColorType, samples: &[u8]) -> Option<Vec<u8>> {
    let per_pixel = match color {
        ColorType::Gray(8 | 16) => 1,
        ColorType::GrayA(8 | 16) => 2,
        ColorType::RGB(8 | 16) | ColorType::YCbCr(8) => 3,
        ColorType::RGBA(8 | 16) | ColorType::CMYK(8 | 16) => 4,
        _ => return None,
    };
    let convert = |pixel: &[u8]| -> [u8; 3] {
        match (color, pixel) {
            (ColorType::YCbCr(_), &[luma, blue, red]) => from_ycbcr(luma, blue, red),
            (ColorType::CMYK(_), &[cyan, magenta, yellow, black]) => {
                let ink = |part: u8| {
                    let (part, black) = (u16::from(255 - part), u16::from(255 - black));
                    (part * black / 255) as u8
                };
                [ink(cyan), ink(magenta), ink(yellow)]
            }
            (_, &[red, green, blue] | &[red, green, blue, _]) => [red, green, blue],
            (_, &[grey] | &[grey, _]) => [grey; 3],
            _ => [255; 3],
        }
    };
    Some(samples.chunks_exact(per_pixel).flat_map(convert).collect())
}

/// ITU-R BT.601 in full range, as in JPEG files (JFIF 1.02).
fn from_ycbcr(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    let channel = |value: f32| value.round().clamp(0.0, 255.0) as u8;
    [
        channel(luma + 1.402 * red),
        channel(luma - 0.344_136 * blue - 0.714_136 * red),
        channel(luma + 1.772 * blue),
    ]
}

/// Rows of 1, 2 or 4 bits a pixel, each row padded to a whole byte.
fn unpack(packed: &[u8], width: usize, bits: u8) -> Vec<u8> {
    let per_byte = 8 / usize::from(bits);
    let full = (1u16 << bits) - 1;
    let row_bytes = width.div_ceil(per_byte).max(1);
    let value = |byte: u8, index: usize| {
        let shift = 8 - usize::from(bits) * (index + 1);
        ((u16::from(byte >> shift) & full) * 255 / full) as u8
    };
    packed
        .chunks_exact(row_bytes)
        .flat_map(|row| {
            row.iter().flat_map(|&byte| (0..per_byte).map(move |index| value(byte, index))).take(width)
        })
        .collect()
}

/// Missing rows are white.
fn from_grey(width: u32, height: u32, mut grey: Vec<u8>) -> RgbImage {
    grey.resize(width as usize * height as usize, 255);
    let rgb = grey.into_iter().flat_map(|value| [value; 3]).collect();
    RgbImage::from_raw(width, height, rgb).unwrap_or_default()
}

fn broken() -> Finding {
    damaged("The TIFF is broken or cut short and cannot be read; ask for it again.")
}

fn unsupported() -> Finding {
    let message = "The TIFF uses a compression or colours that cannot be read; send it as PDF, PNG or JPEG.";
    Finding::new(FindingCode::UnsupportedFormat, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_rows_are_padded_to_bytes() {
        assert_eq!(unpack(&[0b1010_0000, 0b0100_0000], 3, 1), [255, 0, 255, 0, 255, 0]);
        assert_eq!(unpack(&[0xF0], 2, 4), [255, 0]);
    }

    #[test]
    fn colours_become_rgb() {
        assert_eq!(to_rgb(ColorType::CMYK(8), &[0, 0, 0, 255]), Some(vec![0, 0, 0]));
        assert_eq!(to_rgb(ColorType::YCbCr(8), &[255, 128, 128]), Some(vec![255, 255, 255]));
        assert_eq!(to_rgb(ColorType::Palette(8), &[1]), None);
    }
}
