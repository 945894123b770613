//! Resampling to the size and the square pixels that OCR wants.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use crate::render::RenderLimits;

/// Resolutions along the sides that differ less are taken as equal: rounding in headers.
const SQUARE_ENOUGH: f32 = 0.02;

/// Makes pixels square by stretching the coarser side (a fax has 204 × 98 dots an inch), and
/// shrinks what is larger than the limit.
pub(super) fn to_reading_size(image: RgbImage, dots: Option<(f32, f32)>, limits: RenderLimits) -> RgbImage {
    let (mut width, mut height) = (f64::from(image.width()), f64::from(image.height()));
    if let Some((across, down)) = dots.filter(|&(across, down)| across > 0.0 && down > 0.0) {
        let ratio = f64::from(across) / f64::from(down);
        let plausible = (0.2..=5.0).contains(&ratio);
        if plausible && (ratio - 1.0).abs() > f64::from(SQUARE_ENOUGH) {
            if ratio > 1.0 { height *= ratio } else { width /= ratio }
        }
    }
    let shrink = (limits.max_raster_pixels as f64 / (width * height).max(1.0)).sqrt().min(1.0);
    let (width, height) = ((width * shrink).round() as u32, (height * shrink).round() as u32);
    if (width, height) == image.dimensions() {
        return image;
    }
    resize(&image, width.max(1), height.max(1)).unwrap_or(image)
}

fn resize(image: &RgbImage, width: u32, height: u32) -> Option<RgbImage> {
    let source = image::DynamicImage::ImageRgb8(image.clone());
    let mut target = image::DynamicImage::ImageRgb8(RgbImage::new(width, height));
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    Some(target.into_rgb8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fax_pixels_become_square() {
        let page = to_reading_size(RgbImage::new(1728, 1100), Some((204.0, 98.0)), RenderLimits::default());
        assert_eq!(page.dimensions(), (1728, 2290));
    }

    #[test]
    fn large_images_shrink_to_the_limit() {
        let limits = RenderLimits { max_raster_pixels: 10_000, ..RenderLimits::default() };
        let page = to_reading_size(RgbImage::new(400, 100), None, limits);
        assert_eq!(page.dimensions(), (200, 50));
    }
}
