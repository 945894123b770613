//! Ink that is no text: signatures, stamps, logos and pictures, the ruled lines of tables, and boxes
//! to tick. Measures shapes; must not know what a signature means or where one belongs.

mod ink;
mod lines;
mod boxes;
mod glued;
mod shape;

use image::RgbImage;

use crate::domain::{InkMark, Rect, RuleLine, TickBox, Word};
use crate::raster::{components, resize};

/// The longer side of the raster that is looked at: about 110 dpi for A4, where a pen stroke is two
/// pixels wide.
const LONG_SIDE: u32 = 1300;

/// A word that the reader is less sure of may be a scrawl, and stays in the picture.
const SURE_WORD: f32 = 0.6;

/// What is drawn on a page, in page units.
#[derive(Debug, Default)]
pub struct Marks {
    pub ink: Vec<InkMark>,
    pub rules: Vec<RuleLine>,
    pub boxes: Vec<TickBox>,
}

/// Finds marks, ruled lines and boxes on an upright page. `words` and the results are in page units, of
/// which the image is `page_width` wide.
pub fn find_marks(image: &RgbImage, page_width: f32, words: &[Word]) -> Marks {
    let (full_width, full_height) = image.dimensions();
    let long_side = full_width.max(full_height);
    if full_width < 16 || full_height < 16 || page_width <= 0.0 {
        return Marks::default();
    }
    let scale = (LONG_SIDE as f32 / long_side as f32).min(1.0);
    let width = ((full_width as f32 * scale) as u32).max(1);
    let height = ((full_height as f32 * scale) as u32).max(1);
    let whole = image::imageops::grayscale(image);
    let grey = resize(&whole, width, height);
    let units_per_pixel = page_width / width as f32;

    let mut mask = ink::threshold(&grey);
    let lines = lines::take_lines(&mut mask, width as usize);
    let text_height = text_height(words, units_per_pixel);
    for word in words.iter().filter(|word| is_sure(word, text_height * units_per_pixel)) {
        ink::erase(&mut mask, width as usize, &in_pixels(&word.bounds, units_per_pixel));
    }
    let pieces = components(&mask, width as usize);
    let clusters = shape::cluster(pieces, text_height, width, height);
    let marks = clusters.iter().map(|cluster| shape::measure(cluster, &mask, &grey, image, units_per_pixel));
    let lines =
        lines.into_iter().map(|line| RuleLine { bounds: scaled(&line.bounds, units_per_pixel), ..line });
    let boxes = boxes::find(&whole, page_width, text_height * units_per_pixel, words);
    Marks { ink: marks.collect(), rules: lines.collect(), boxes }
}

/// The words of a picture without the letters that the recogniser took boxes for.
pub fn without_boxes(words: Vec<Word>, boxes: &[TickBox]) -> Vec<Word> {
    glued::without_boxes(words, boxes)
}

/// A scrawl is read as a short word of doubtful characters, or as strokes higher than the text; `text_height`
/// is in page units.
fn is_sure(word: &Word, text_height: f32) -> bool {
    let read = word.confidence >= SURE_WORD || word.text.chars().count() > 12;
    word.chars.is_empty() || read && !word.may_be_scrawl(text_height)
}

/// Median height of the words in pixels; without words, that of small print on A4.
fn text_height(words: &[Word], units_per_pixel: f32) -> f32 {
    let mut heights: Vec<f32> = words.iter().map(|word| word.bounds.height / units_per_pixel).collect();
    heights.sort_by(f32::total_cmp);
    heights.get(heights.len() / 2).copied().unwrap_or(12.0).clamp(6.0, 40.0)
}

fn in_pixels(bounds: &Rect, units_per_pixel: f32) -> Rect {
    scaled(bounds, 1.0 / units_per_pixel)
}

fn scaled(bounds: &Rect, factor: f32) -> Rect {
    Rect::new(bounds.left * factor, bounds.top * factor, bounds.width * factor, bounds.height * factor)
}

#[cfg(test)]
mod tests;
