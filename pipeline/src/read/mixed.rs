//! Pages with text of their own and pictures that hold more of it, such as a copy of a card pasted
//! into a letter.

use image::{GrayImage, Luma, imageops};

use crate::domain::{Rect, Word};
use crate::ocr::{OcrError, Reader};
use crate::render::{NativePage, RenderedPage};

/// 250 dots an inch: pictures in letters are rarely finer.
const PIXELS_PER_POINT: f32 = 250.0 / 72.0;

/// The words in the page's large pictures, in points; what lies on or under the page's own words is
/// left out.
pub(super) fn words_in_pictures(
    rendered: &RenderedPage<'_>,
    native: &NativePage,
    reader: &dyn Reader,
) -> Result<Vec<Word>, OcrError> {
    if native.pictures.is_empty() {
        return Ok(Vec::new());
    }
    let Some(raster) = rendered.raster_at(PIXELS_PER_POINT) else { return Ok(Vec::new()) };
    let scale = raster.width() as f32 / native.width.max(1.0);
    let pictures = only_pictures(&imageops::grayscale(&raster), native, scale);
    let words = reader.read_words(&pictures)?;
    let to_points = |word: Word| {
        let bounds = word.bounds;
        let bounds =
            Rect::new(bounds.left / scale, bounds.top / scale, bounds.width / scale, bounds.height / scale);
        Word { bounds, ..word }
    };
    Ok(words.into_iter().map(to_points).collect())
}

/// The page with white wherever there is no picture or a word of the page's own.
fn only_pictures(page: &GrayImage, native: &NativePage, scale: f32) -> GrayImage {
    let mut kept = GrayImage::from_pixel(page.width(), page.height(), Luma([255]));
    for area in &native.pictures {
        let (left, top, width, height) = pixels(area, scale, page);
        let part = imageops::crop_imm(page, left, top, width, height).to_image();
        imageops::replace(&mut kept, &part, i64::from(left), i64::from(top));
    }
    for word in &native.words {
        let (left, top, width, height) = pixels(&word.bounds, scale, page);
        let white = GrayImage::from_pixel(width, height, Luma([255]));
        imageops::replace(&mut kept, &white, i64::from(left), i64::from(top));
    }
    kept
}

fn pixels(area: &Rect, scale: f32, page: &GrayImage) -> (u32, u32, u32, u32) {
    let within = |value: f32, full: u32| (value * scale).round().clamp(0.0, full as f32) as u32;
    let (left, right) = (within(area.left, page.width()), within(area.right(), page.width()));
    let (top, bottom) = (within(area.top, page.height()), within(area.bottom(), page.height()));
    (left, top, right.saturating_sub(left), bottom.saturating_sub(top))
}
