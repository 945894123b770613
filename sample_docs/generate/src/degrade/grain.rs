//! Sensor noise, blur, specks of dust, worn toner.

use image::{Rgb, RgbImage};

use crate::degrade::Field;
use crate::dice::Dice;

fn shade(value: u8, change: f32) -> u8 {
    (f32::from(value) + change).clamp(0.0, 255.0) as u8
}

/// Adds noise of deviation `sigma` grey levels, the same on the three channels but for a little colour.
pub fn noise(page: &mut RgbImage, sigma: f32, colour: f32, dice: &mut Dice) {
    let scale = 1.0 / 85.0;
    for pixel in page.pixels_mut() {
        let bits = dice.next_u64().to_le_bytes().map(f32::from);
        let common = (bits[0] + bits[1] + bits[2] + bits[3] - 510.0) * 0.5 * scale * sigma;
        for (channel, bit) in pixel.0.iter_mut().zip(&bits[4..7]) {
            *channel = shade(*channel, common + (bit - 127.5) * scale * colour);
        }
    }
}

/// A Gaussian blur of `sigma` pixels, in two passes.
pub fn blur(page: &RgbImage, sigma: f32) -> RgbImage {
    let reach = (sigma * 2.5).ceil().max(1.0) as i32;
    let mut kernel: Vec<f32> =
        (-reach..=reach).map(|d| (-(d * d) as f32 / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= sum);
    let across = pass(page, &kernel, reach, true);
    pass(&across, &kernel, reach, false)
}

fn pass(page: &RgbImage, kernel: &[f32], reach: i32, across: bool) -> RgbImage {
    let (width, height) = (page.width() as i32, page.height() as i32);
    let raw = page.as_raw();
    let mut out = vec![0u8; raw.len()];
    for y in 0..height {
        for x in 0..width {
            let mut sums = [0f32; 3];
            for (k, weight) in kernel.iter().enumerate() {
                let step = k as i32 - reach;
                let (sx, sy) = if across {
                    ((x + step).clamp(0, width - 1), y)
                } else {
                    (x, (y + step).clamp(0, height - 1))
                };
                let at = ((sy * width + sx) * 3) as usize;
                for (sum, value) in sums.iter_mut().zip(&raw[at..at + 3]) {
                    *sum += weight * f32::from(*value);
                }
            }
            let at = ((y * width + x) * 3) as usize;
            for (slot, sum) in out[at..at + 3].iter_mut().zip(sums) {
                *slot = (sum + 0.5) as u8;
            }
        }
    }
    RgbImage::from_raw(page.width(), page.height(), out).unwrap_or_else(|| page.clone())
}

/// Dust and toner dots, `count` of them, up to about `size` pixels.
pub fn specks(page: &mut RgbImage, count: i64, size: f64, dice: &mut Dice) {
    let (width, height) = (i64::from(page.width()), i64::from(page.height()));
    for _ in 0..count {
        let (cx, cy, r) = (dice.int(0, width - 1), dice.int(0, height - 1), dice.float(0.5, size));
        let dark = dice.int(40, 170) as u8;
        let reach = r.ceil() as i64;
        for y in (cy - reach).max(0)..=(cy + reach).min(height - 1) {
            for x in (cx - reach).max(0)..=(cx + reach).min(width - 1) {
                if ((x - cx).pow(2) + (y - cy).pow(2)) as f64 <= r * r {
                    page.put_pixel(x as u32, y as u32, Rgb([dark, dark, dark]));
                }
            }
        }
    }
}

/// Ink that is paler here and there: at most `strength` (0..1) of it is gone.
pub fn uneven_toner(page: &mut RgbImage, strength: f32, dice: &mut Dice) {
    let field = Field::new(dice, 6, 8);
    let (width, height) = (page.width() as f32, page.height() as f32);
    for (x, y, pixel) in page.enumerate_pixels_mut() {
        let kept = 1.0 - strength * field.at(x as f32 / width, y as f32 / height);
        pixel.0 = pixel.0.map(|v| (255.0 - (255.0 - f32::from(v)) * kept) as u8);
    }
}

pub fn grey(page: &mut RgbImage) {
    for pixel in page.pixels_mut() {
        let [r, g, b] = pixel.0.map(u32::from);
        let level = ((r * 299 + g * 587 + b * 114) / 1000) as u8;
        pixel.0 = [level; 3];
    }
}
