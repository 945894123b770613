//! Line pieces cut out of the page, straightened along their middle line and brought to the
//! recogniser's height.

use image::GrayImage;

use super::lines::LinePiece;
use crate::raster::Pyramid;

/// What is cut above, below, before and after the text, in its heights: about the middle of what the
/// recogniser is trained on. More above, where accents on capitals stand outside the detector's box.
const MARGIN_ABOVE: f32 = 0.15;
const MARGIN_BELOW: f32 = 0.08;
const CUT_MARGIN: f32 = 0.26;
/// Range of line widths that the recogniser takes.
const MIN_WIDTH: usize = 12;
const MAX_WIDTH: usize = 2400;

/// A line at the recogniser's height, row by row, grey − 0.5.
#[derive(Debug, Clone)]
pub(super) struct LineImage {
    pub(super) pixels: Vec<f32>,
    pub(super) width: usize,
    /// Page coordinate of the first column's left side.
    pub(super) left: f32,
    /// Page pixels for each column.
    pub(super) step: f32,
}

impl LineImage {
    /// Page coordinate of a place across the line image.
    pub(super) fn page_x(&self, column: f32) -> f32 {
        self.left + column * self.step
    }
}

pub(super) fn cut_line(page: &mut Pyramid<'_>, line: &LinePiece, rows: usize) -> LineImage {
    let cut_height = ((1.0 + MARGIN_ABOVE + MARGIN_BELOW) * line.height).max(1.0);
    let raised = (MARGIN_ABOVE - MARGIN_BELOW) / 2.0 * line.height;
    let margin = CUT_MARGIN * line.height;
    let (left, right) = (line.left - margin, line.right + margin);
    let natural = ((right - left) * rows as f32 / cut_height).round() as usize;
    let width = natural.clamp(MIN_WIDTH, MAX_WIDTH);
    let step = (right - left) / width as f32;
    let (image, scale) = page.level(cut_height / rows as f32);
    let columns: Vec<(f32, f32)> = (0..width)
        .map(|column| {
            let x = left + (column as f32 + 0.5) * step;
            (x * scale - 0.5, (line.middle(x) - raised) * scale - 0.5)
        })
        .collect();
    let mut pixels = Vec::with_capacity(rows * width);
    for row in 0..rows {
        let offset = ((row as f32 + 0.5) / rows as f32 - 0.5) * cut_height * scale;
        pixels.extend(columns.iter().map(|(x, middle)| sample(image, *x, middle + offset) / 255.0 - 0.5));
    }
    LineImage { pixels, width, left, step }
}

/// Bilinear sample; beyond the image its edge goes on.
fn sample(image: &GrayImage, x: f32, y: f32) -> f32 {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let x = x.clamp(0.0, (width - 1) as f32);
    let y = y.clamp(0.0, (height - 1) as f32);
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (part_x, part_y) = (x - left as f32, y - top as f32);
    let raw = image.as_raw();
    let at = |x: usize, y: usize| f32::from(raw[y * width + x]);
    let upper = at(left, top) + (at(right, top) - at(left, top)) * part_x;
    let lower = at(left, bottom) + (at(right, bottom) - at(left, bottom)) * part_x;
    upper + (lower - upper) * part_y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocr::TextBox;
    use crate::ocr::lines::find_lines;

    #[test]
    fn a_slanted_bar_is_cut_straight() {
        let mut page = GrayImage::from_pixel(600, 200, image::Luma([255]));
        for x in 50..550u32 {
            for y in 0..8u32 {
                page.put_pixel(x, 80 + x / 20 + y, image::Luma([0]));
            }
        }
        let slope = 0.05;
        let found = TextBox { center_x: 300.0, center_y: 99.0, width: 500.0, height: 30.0, slope };
        let line = &find_lines(vec![found])[0];
        let cut = cut_line(&mut Pyramid::new(&page), line, 40);
        let darkest_row = |column: usize| {
            let value = |row: &usize| cut.pixels[row * cut.width + column];
            (0..40).min_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0)
        };
        assert!(darkest_row(40).abs_diff(darkest_row(cut.width - 40)) <= 3);
        assert!((cut.page_x(cut.width as f32) - (550.0 + CUT_MARGIN * 30.0)).abs() < 1.0);
    }
}
