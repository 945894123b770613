//! A file that is one picture: JPEG, PNG, WebP or BMP.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

use super::{camera, damaged, density, scale, too_large};
use crate::domain::Finding;
use crate::intake::Format;
use crate::render::RenderLimits;

/// A picture whose header was found sound.
pub(in crate::render) struct Picture<'b> {
    bytes: &'b [u8],
    format: Format,
    limits: RenderLimits,
    width: u32,
    height: u32,
}

impl<'b> Picture<'b> {
    /// Reads the header; decodes nothing.
    pub(in crate::render) fn open(
        bytes: &'b [u8],
        format: Format,
        limits: RenderLimits,
    ) -> Result<Self, Finding> {
        let decoder = decoder(bytes, format)?;
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(broken(format));
        }
        if !limits.allows(width, height, decoder.total_bytes()) {
            return Err(too_large(width, height, limits));
        }
        Ok(Self { bytes, format, limits, width, height })
    }

    pub(in crate::render) fn camera_hint(&self) -> bool {
        camera::is_camera_picture(self.bytes, self.width, self.height, self.format == Format::Jpeg)
    }

    /// A JPEG whose end is missing decodes to grey below the cut: worth a word to the reviewer.
    pub(in crate::render) fn cut_short(&self) -> Option<Finding> {
        let tail = self.bytes.get(self.bytes.len().saturating_sub(4096)..).unwrap_or(self.bytes);
        let has_end = tail.windows(2).any(|pair| pair == b"\xFF\xD9");
        (self.format == Format::Jpeg && !has_end)
            .then(|| damaged("The JPEG is cut short; what is left of it was read."))
    }

    /// Decodes, turns as the camera noted, and scales to what OCR wants.
    pub(in crate::render) fn decode(&self) -> Result<RgbImage, Finding> {
        let mut decoder = decoder(self.bytes, self.format)?;
        let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(self.limits.max_decoded_bytes * 2);
        decoder.set_limits(limits).map_err(|error| self.explain(&error))?;
        let image = DynamicImage::from_decoder(decoder).map_err(|error| self.explain(&error))?;
        let dots = density::dots(self.bytes, self.format);
        let flat = scale::to_reading_size(on_white(image), dots, self.limits);
        let mut turned = DynamicImage::ImageRgb8(flat);
        turned.apply_orientation(orientation);
        Ok(turned.into_rgb8())
    }

    fn explain(&self, error: &ImageError) -> Finding {
        match error {
            ImageError::Limits(_) => too_large(self.width, self.height, self.limits),
            ImageError::Unsupported(_) => damaged(format!(
                "The {} uses a variant that cannot be read; send it as an ordinary JPEG or PDF.",
                self.format.as_str()
            )),
            _ => broken(self.format),
        }
    }
}

fn decoder(bytes: &[u8], format: Format) -> Result<impl ImageDecoder + '_, Finding> {
    let image_format = match format {
        Format::Png => ImageFormat::Png,
        Format::WebP => ImageFormat::WebP,
        Format::Bmp => ImageFormat::Bmp,
        _ => ImageFormat::Jpeg,
    };
    ImageReader::with_format(Cursor::new(bytes), image_format).into_decoder().map_err(|_| broken(format))
}

fn broken(format: Format) -> Finding {
    damaged(format!("The {} is broken or cut short and cannot be read; ask for it again.", format.as_str()))
}

/// Transparent pixels show white paper.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    let blend = |channel: u8, alpha: u8| {
        let (channel, alpha) = (u32::from(channel), u32::from(alpha));
        ((channel * alpha + 255 * (255 - alpha)) / 255) as u8
    };
    let pixels = rgba
        .pixels()
        .flat_map(|pixel| {
            let [red, green, blue, alpha] = pixel.0;
            [blend(red, alpha), blend(green, alpha), blend(blue, alpha)]
        })
        .collect();
    RgbImage::from_raw(rgba.width(), rgba.height(), pixels).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_fax_that_was_exported_gets_square_pixels() {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::new(86, 55).write_to(&mut bytes, ImageFormat::Bmp).unwrap();
        let mut bytes = bytes.into_inner();
        bytes[38..42].copy_from_slice(&8032u32.to_le_bytes());
        bytes[42..46].copy_from_slice(&3858u32.to_le_bytes());
        let picture = Picture::open(&bytes, Format::Bmp, RenderLimits::default()).unwrap();
        assert_eq!(picture.decode().unwrap().dimensions(), (86, 115));
    }
}
