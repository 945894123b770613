//! Where text stands: the detector's probability map becomes one box for each word or so.

use std::borrow::Cow;

use image::GrayImage;
use rten_tensor::prelude::*;

use super::apart::lines_apart;
use super::models::Models;
use super::{OcrError, TextBox};
use crate::raster::{Component, components, resize};

/// A pixel is text above this probability. The detector is trained on word masks that are shrunk, so
/// a low threshold does not join neighbours (0.2 is what its interface was designed with).
const TEXT_PROBABILITY: f32 = 0.3;
/// How much masks are smaller than words in training, in pixels of the detector's image.
const SHRUNK_ACROSS: f32 = 1.5;
const SHRUNK_DOWN: f32 = 2.5;
/// No text that can be read is lower than this, in pixels of the detector's image.
const MIN_HEIGHT: f32 = 6.5;
/// The detector halves its image five times.
const GRANULE: usize = 32;
/// Small images are enlarged, but letters do not become clearer by it.
const MAX_ENLARGEMENT: f32 = 2.0;
/// Images longer than this many times their width are looked at piece by piece.
const MAX_ASPECT: f32 = 2.4;
/// A part of the picture with less contrast than this is blank.
const MIN_CONTRAST: u8 = 36;
/// Content on less than this part of a sheet is looked at more closely, at most by this factor.
const SMALL_CONTENT: f32 = 0.4;
const MAX_ZOOM: f32 = 1.6;
/// How much neighbouring pieces share, as a part of the short side.
const PIECE_OVERLAP: f32 = 0.15;

/// Boxes around the words of an image, in its pixels.
pub(super) fn find_boxes(models: &Models, image: &GrayImage) -> Result<Vec<TextBox>, OcrError> {
    let Some((left, top, width, height)) = content(image) else { return Ok(Vec::new()) };
    let scale = detection_scale(models, image.dimensions(), (width, height));
    let mut boxes = Vec::new();
    for piece in pieces(width, height) {
        let (left, top) = (left + piece.left, top + piece.top);
        let view = if (piece.width, piece.height) == image.dimensions() {
            Cow::Borrowed(image)
        } else {
            Cow::Owned(image::imageops::crop_imm(image, left, top, piece.width, piece.height).to_image())
        };
        let found = look(models, &view, scale)?;
        boxes.extend(found.into_iter().filter_map(|found| piece.own(found, left as f32, top as f32)));
    }
    Ok(boxes)
}

/// Left, top, width and height of the part that is not blank.
fn content(image: &GrayImage) -> Option<(u32, u32, u32, u32)> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let cell = (width.max(height) / 60).max(8);
    let columns = width.div_ceil(cell);
    let mut edges: Option<(usize, usize, usize, usize)> = None;
    for (row, lines) in image.as_raw().chunks(cell * width.max(1)).enumerate() {
        let mut ranges = vec![(u8::MAX, u8::MIN); columns];
        for line in lines.chunks_exact(width) {
            for (range, values) in ranges.iter_mut().zip(line.chunks(cell)) {
                for value in values {
                    *range = (range.0.min(*value), range.1.max(*value));
                }
            }
        }
        for (column, range) in ranges.iter().enumerate() {
            if range.1.saturating_sub(range.0) >= MIN_CONTRAST {
                let known = edges.unwrap_or((column, row, column, row));
                edges = Some((known.0.min(column), known.1.min(row), known.2.max(column), known.3.max(row)));
            }
        }
    }
    let (first_column, first_row, last_column, last_row) = edges?;
    let (left, top) = (first_column.saturating_sub(1) * cell, first_row.saturating_sub(1) * cell);
    let (right, bottom) = (((last_column + 2) * cell).min(width), ((last_row + 2) * cell).min(height));
    Some((left as u32, top as u32, (right - left) as u32, (bottom - top) as u32))
}

/// A part of the image, and the inner part of it of which the boxes count.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// Range of the long axis in which a box's centre belongs to this piece.
    from: f32,
    to: f32,
    across: bool,
}

impl Piece {
    /// The box in pixels of the image, of which the piece begins at `left` and `top`; `None` when its
    /// place belongs to a neighbour.
    fn own(&self, found: TextBox, left: f32, top: f32) -> Option<TextBox> {
        let place =
            if self.across { found.center_x + self.left as f32 } else { found.center_y + self.top as f32 };
        let moved = TextBox { center_x: found.center_x + left, center_y: found.center_y + top, ..found };
        (place >= self.from && place < self.to).then_some(moved)
    }
}

fn pieces(width: u32, height: u32) -> Vec<Piece> {
    let across = width > height;
    let (long, short) = (width.max(height), width.min(height).max(1));
    let whole = Piece { left: 0, top: 0, width, height, from: f32::MIN, to: f32::MAX, across };
    if long as f32 <= MAX_ASPECT * short as f32 {
        return vec![whole];
    }
    let overlap = (PIECE_OVERLAP * short as f32) as u32;
    let count = (long as f32 / (1.6 * short as f32)).ceil() as u32;
    let step = long.div_ceil(count);
    let count = long.div_ceil(step);
    (0..count)
        .map(|index| {
            let start = (index * step).saturating_sub(overlap);
            let end = ((index + 1) * step + overlap).min(long);
            let from = if index == 0 { f32::MIN } else { (index * step) as f32 };
            let to = if index + 1 == count { f32::MAX } else { ((index + 1) * step) as f32 };
            if across {
                Piece { left: start, width: end - start, from, to, ..whole }
            } else {
                Piece { top: start, height: end - start, from, to, ..whole }
            }
        })
        .collect()
}

/// The scale at which the detector sees an image: at most as many pixels, and as long, as the pages it
/// was made for. A small content on a large sheet, as cards that were scanned, is seen larger.
fn detection_scale(models: &Models, image: (u32, u32), content: (u32, u32)) -> f32 {
    let (rows, columns) = models.page_size;
    let fit = |(width, height): (u32, u32)| {
        let longest = rows.max(columns) as f32 / width.max(height) as f32;
        longest.min(((rows * columns) as f32 / (width as f32 * height as f32)).sqrt())
    };
    if models.fixed_size {
        let across = columns as f32 / content.0 as f32;
        return across.min(rows as f32 / content.1 as f32).min(MAX_ENLARGEMENT);
    }
    let share = content.0 as f32 * content.1 as f32 / (image.0 as f32 * image.1 as f32);
    let long_strip = image.0.max(image.1) as f32 > MAX_ASPECT * image.0.min(image.1) as f32;
    let scale = if long_strip {
        columns as f32 / image.0.min(image.1) as f32
    } else if share < SMALL_CONTENT {
        fit(content).min(MAX_ZOOM * fit(image))
    } else {
        fit(image)
    };
    scale.min(MAX_ENLARGEMENT)
}

fn look(models: &Models, image: &GrayImage, scale: f32) -> Result<Vec<TextBox>, OcrError> {
    let (width, height) = image.dimensions();
    let fixed = if models.fixed_size { models.page_size } else { (usize::MAX, usize::MAX) };
    let small = resize(
        image,
        ((width as f32 * scale) as u32).min(u32::try_from(fixed.1).unwrap_or(u32::MAX)),
        ((height as f32 * scale) as u32).min(u32::try_from(fixed.0).unwrap_or(u32::MAX)),
    );
    let (columns, rows) = (small.width() as usize, small.height() as usize);
    let (full_rows, full_columns) = if models.fixed_size {
        models.page_size
    } else {
        (rows.next_multiple_of(GRANULE), columns.next_multiple_of(GRANULE))
    };
    let map = models.text_map(padded(&small, full_columns, full_rows), full_rows, full_columns)?;
    let Some(data) = map.data() else { return Ok(Vec::new()) };
    let mask: Vec<bool> = data
        .chunks_exact(full_columns)
        .take(rows)
        .flat_map(|row| row.iter().take(columns).map(|probability| *probability > TEXT_PROBABILITY))
        .collect();
    let back_x = width as f32 / columns as f32;
    let back_y = height as f32 / rows as f32;
    let found = lines_apart(components(&mask, columns), data, full_columns);
    let boxes = found.iter().filter_map(|found| box_of(&found.component, found.lost)).map(|found| TextBox {
        center_x: found.center_x * back_x,
        center_y: found.center_y * back_y,
        width: found.width * back_x,
        height: found.height * back_y,
        slope: found.slope,
    });
    Ok(boxes.collect())
}

/// Grey − 0.5, the last column and row repeated up to the full size.
fn padded(image: &GrayImage, full_columns: usize, full_rows: usize) -> Vec<f32> {
    let mut pixels = Vec::with_capacity(full_columns * full_rows);
    for row in image.as_raw().chunks_exact(image.width() as usize) {
        pixels.extend(row.iter().map(|grey| f32::from(*grey) / 255.0 - 0.5));
        let edge = pixels.last().copied().unwrap_or(0.5);
        pixels.resize(pixels.len() + full_columns - row.len(), edge);
    }
    while pixels.len() < full_columns * full_rows {
        let last = pixels.len() - full_columns;
        pixels.extend_from_within(last..last + full_columns);
    }
    pixels
}

/// The leaning rectangle of a component: a line through the middles of its columns. `lost` pixels were cut
/// off on each side.
fn box_of(component: &Component, lost: f32) -> Option<TextBox> {
    let (left, top, right, bottom) = component.edges();
    let (width, height) = ((right - left) as f32, (bottom - top) as f32);
    let (mut slope, mut text_height) = (0.0, height);
    let mut center_y = (top + bottom) as f32 / 2.0;
    if width > 2.0 * height.min(component.area() as f32 / width) {
        let mut middles = Moments::default();
        for run in &component.runs {
            let mass = (run.end - run.start) as f32;
            middles.add((run.start + run.end) as f32 / 2.0 - left as f32, run.y as f32 + 0.5, mass);
        }
        // Runs carry no spread of their own: add each run's own variance along x.
        let own: f32 = component.runs.iter().map(|run| ((run.end - run.start) as f32).powi(3) / 12.0).sum();
        middles.xx += own;
        slope = middles.slope().clamp(-1.0, 1.0);
        center_y = middles.mean_y() + slope * (width / 2.0 - middles.mean_x());
        // A mask rounds off at its ends; the mean column is a little lower than the middle ones.
        text_height = (1.06 * component.area() as f32 / width).min(height);
    }
    let found = TextBox {
        center_x: (left + right) as f32 / 2.0,
        center_y,
        width: width + 2.0 * (SHRUNK_ACROSS + lost),
        height: text_height + 2.0 * (SHRUNK_DOWN + lost),
        slope,
    };
    let too_small = found.height < MIN_HEIGHT || width < 2.0 || component.area() < 6;
    (!too_small).then_some(found)
}

#[derive(Default)]
struct Moments {
    mass: f32,
    x: f32,
    y: f32,
    xx: f32,
    xy: f32,
}

impl Moments {
    fn add(&mut self, x: f32, y: f32, mass: f32) {
        self.mass += mass;
        self.x += mass * x;
        self.y += mass * y;
        self.xx += mass * x * x;
        self.xy += mass * x * y;
    }

    fn mean_x(&self) -> f32 {
        self.x / self.mass.max(1.0)
    }

    fn mean_y(&self) -> f32 {
        self.y / self.mass.max(1.0)
    }

    fn slope(&self) -> f32 {
        let variance = self.xx - self.mass * self.mean_x() * self.mean_x();
        let covariance = self.xy - self.mass * self.mean_x() * self.mean_y();
        if variance > 1e-3 { covariance / variance } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn box_of_picture(width: usize, is_set: impl Fn(usize, usize) -> bool, height: usize) -> TextBox {
        let mask: Vec<bool> =
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| is_set(x, y)).collect();
        let all = components(&mask, width);
        box_of(&all[0], 0.0).unwrap()
    }

    #[test]
    fn a_leaning_mask_gives_its_slope_and_true_height() {
        let found = box_of_picture(
            220,
            |x, y| (10..210).contains(&x) && (y as f32 - 20.0 - 0.05 * x as f32).abs() < 5.0,
            50,
        );
        assert!((found.slope - 0.05).abs() < 0.005, "{found:?}");
        assert!((found.height - 15.0).abs() < 2.0, "{found:?}");
        assert!((found.center_y - 25.5).abs() < 1.0, "{found:?}");
    }

    #[test]
    fn blank_margins_are_left_out() {
        let mut image = GrayImage::from_pixel(1200, 1800, image::Luma([250]));
        assert_eq!(content(&image), None);
        for x in 300..700 {
            image.put_pixel(x, 400, image::Luma([20]));
        }
        let (left, top, width, height) = content(&image).unwrap();
        assert!(left <= 300 && left + width >= 700 && top <= 400 && top + height > 400);
        assert!(width < 600 && height < 200);
    }

    #[test]
    fn a_block_does_not_lean() {
        let found = box_of_picture(40, |x, y| (10..20).contains(&x) && (5..17).contains(&y), 30);
        assert!(found.slope.abs() < 1e-6 && (found.height - 17.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn long_images_come_in_pieces_that_share_every_place_once() {
        let pieces = pieces(300, 3000);
        assert!(pieces.len() > 3);
        for y in [0.0, 499.0, 1500.0, 2999.0] {
            let owners = pieces.iter().filter(|piece| y >= piece.from && y < piece.to).count();
            assert_eq!(owners, 1, "at {y}");
        }
        assert_eq!(super::pieces(1000, 1414).len(), 1);
    }

    #[test]
    fn no_piece_of_a_strip_is_empty() {
        for (width, height) in [(3600, 26), (26, 3600), (3600, 1), (1, 9), (16_000, 117)] {
            let pieces = pieces(width, height);
            assert!(pieces.iter().all(|piece| (1..=width).contains(&piece.width)), "{width} × {height}");
            assert!(pieces.iter().all(|piece| (1..=height).contains(&piece.height)), "{width} × {height}");
            let end =
                pieces.iter().map(|piece| (piece.left + piece.width) * (piece.top + piece.height)).max();
            assert_eq!(end, Some(width * height), "{width} × {height}");
        }
    }
}
