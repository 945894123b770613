use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::GrayImage;

/// A grey image resized with a triangle filter that covers all source pixels.
pub(crate) fn resize(image: &GrayImage, width: u32, height: u32) -> GrayImage {
    let (width, height) = (width.max(1), height.max(1));
    if image.dimensions() == (width, height) {
        return image.clone();
    }
    let mut target = Image::new(width, height, PixelType::U8);
    let source = ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let resized = source.is_ok_and(|source| Resizer::new().resize(&source, &mut target, &options).is_ok());
    if resized {
        if let Some(image) = GrayImage::from_raw(width, height, target.into_vec()) {
            return image;
        }
    }
    image::imageops::resize(image, width, height, image::imageops::FilterType::Triangle)
}

/// The scale that brings an image of this size within the box, at most `limit`.
pub(crate) fn fit_within(size: (u32, u32), bounds: (u32, u32), limit: f32) -> f32 {
    let across = bounds.0 as f32 / size.0.max(1) as f32;
    let down = bounds.1 as f32 / size.1.max(1) as f32;
    across.min(down).min(limit)
}

/// An image and its halves, to sample any reduction of it without aliasing.
#[derive(Debug)]
pub(crate) struct Pyramid<'a> {
    full: &'a GrayImage,
    halves: Vec<GrayImage>,
}

impl<'a> Pyramid<'a> {
    pub(crate) fn new(full: &'a GrayImage) -> Self {
        Self { full, halves: Vec::new() }
    }

    /// The level to sample when `step` pixels of the full image become one, and its scale. Levels are
    /// made when first asked for.
    pub(crate) fn level(&mut self, step: f32) -> (&GrayImage, f32) {
        let wanted = if step < 1.6 { 0 } else { (step / 1.6).log2().floor() as usize + 1 };
        while self.halves.len() < wanted {
            let last = self.halves.last().unwrap_or(self.full);
            if last.width().min(last.height()) < 4 {
                break;
            }
            let half = resize(last, last.width() / 2, last.height() / 2);
            self.halves.push(half);
        }
        let level = wanted.min(self.halves.len());
        match level.checked_sub(1).and_then(|index| self.halves.get(index)) {
            Some(half) => (half, half.width() as f32 / self.full.width() as f32),
            None => (self.full, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_never_much_finer_than_what_is_sampled() {
        let full = GrayImage::new(400, 300);
        let mut pyramid = Pyramid::new(&full);
        assert_eq!(pyramid.level(1.0).0.width(), 400);
        assert_eq!(pyramid.level(1.7).0.width(), 200);
        assert_eq!(pyramid.level(3.5).0.width(), 100);
        assert_eq!(pyramid.level(1.2).0.width(), 400);
    }

    #[test]
    fn scale_fits_both_sides() {
        assert!((fit_within((200, 100), (100, 100), 2.0) - 0.5).abs() < 1e-6);
        assert!((fit_within((10, 10), (100, 100), 2.0) - 2.0).abs() < 1e-6);
    }
}
