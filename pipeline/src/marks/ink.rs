//! Which pixels are ink.

use image::GrayImage;

use crate::domain::Rect;

/// Ink is darker than this share of the mean around it: pencil and pale blue pens on white give 0.8.
const DARKER: f32 = 0.85;
/// And by at least this many grey levels, so that the noise of paper is none.
const LEAST_CONTRAST: f32 = 22.0;
/// Half the side of the window, as a share of the width: wider than any stroke, narrower than a shadow.
const WINDOW: u32 = 40;

/// A pixel is ink when it is clearly darker than its surroundings (Bradley and Roth, 2007).
pub(super) fn threshold(grey: &GrayImage) -> Vec<bool> {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let sums = integral(grey);
    let half = (width / WINDOW as usize).max(8);
    let stride = width + 1;
    let mut mask = vec![false; width * height];
    for y in 0..height {
        let (top, bottom) = (y.saturating_sub(half), (y + half + 1).min(height));
        for x in 0..width {
            let (left, right) = (x.saturating_sub(half), (x + half + 1).min(width));
            let sum = sums[bottom * stride + right] + sums[top * stride + left]
                - sums[top * stride + right]
                - sums[bottom * stride + left];
            let mean = sum as f32 / ((right - left) * (bottom - top)) as f32;
            let value = f32::from(grey.as_raw()[y * width + x]);
            mask[y * width + x] = value < mean * DARKER && mean - value > LEAST_CONTRAST;
        }
    }
    mask
}

/// Sums of all pixels above and left of each corner.
fn integral(grey: &GrayImage) -> Vec<u64> {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let stride = width + 1;
    let mut sums = vec![0u64; stride * (height + 1)];
    for (y, row) in grey.as_raw().chunks_exact(width).enumerate() {
        let mut line = 0u64;
        for (x, value) in row.iter().enumerate() {
            line += u64::from(*value);
            sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + line;
        }
    }
    sums
}

/// Takes everything within the rectangle, and a little around it, out of the mask.
pub(super) fn erase(mask: &mut [bool], width: usize, bounds: &Rect) {
    let height = mask.len() / width.max(1);
    let margin = (bounds.height * 0.15).max(1.0);
    let left = (bounds.left - margin).max(0.0) as usize;
    let right = ((bounds.right() + margin).ceil().max(0.0) as usize).min(width);
    let top = (bounds.top - margin).max(0.0) as usize;
    let bottom = ((bounds.bottom() + margin).ceil().max(0.0) as usize).min(height);
    for y in top..bottom {
        if let Some(row) = mask.get_mut(y * width + left.min(right)..y * width + right) {
            row.fill(false);
        }
    }
}
