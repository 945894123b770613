//! Rotation and perspective, sampled between pixels.

use image::{Rgb, RgbImage, imageops};

/// A point in pixels.
pub type Point = (f64, f64);

fn sample(page: &RgbImage, x: f64, y: f64) -> Option<[f32; 3]> {
    let (width, height) = (page.width() as i64, page.height() as i64);
    let (x0, y0) = (x.floor() as i64, y.floor() as i64);
    if x0 < -1 || y0 < -1 || x0 >= width || y0 >= height {
        return None;
    }
    let (tx, ty) = ((x - x0 as f64) as f32, (y - y0 as f64) as f32);
    let raw = page.as_raw();
    let at = |cx: i64, cy: i64| {
        let index = ((cy.clamp(0, height - 1) * width + cx.clamp(0, width - 1)) * 3) as usize;
        [f32::from(raw[index]), f32::from(raw[index + 1]), f32::from(raw[index + 2])]
    };
    let (a, b, c, d) = (at(x0, y0), at(x0 + 1, y0), at(x0, y0 + 1), at(x0 + 1, y0 + 1));
    Some(std::array::from_fn(|k| {
        (a[k] * (1.0 - tx) + b[k] * tx) * (1.0 - ty) + (c[k] * (1.0 - tx) + d[k] * tx) * ty
    }))
}

/// Turns the page by `degrees` about its middle on a sheet of the same size.
pub fn skew(page: &RgbImage, degrees: f64, behind: [u8; 3]) -> RgbImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (width, height) = (page.width(), page.height());
    let (cx, cy) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    RgbImage::from_fn(width, height, |x, y| {
        let (dx, dy) = (f64::from(x) - cx, f64::from(y) - cy);
        sample(page, cx + dx * cos + dy * sin, cy - dx * sin + dy * cos)
            .map_or(Rgb(behind), |v| Rgb(v.map(|c| (c + 0.5) as u8)))
    })
}

/// Lays `page` on `desk` so that its corners (top left, top right, bottom right, bottom left) come to lie
/// on `corners`, with the thin shadow that a sheet throws.
pub fn lay(page: &RgbImage, desk: &mut RgbImage, corners: [Point; 4]) {
    let (width, height) = (f64::from(page.width()), f64::from(page.height()));
    let from = homography([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)], corners);
    let back = inverse(from);
    let shadow_px = f64::from(desk.width()) * 0.004;
    for (x, y, pixel) in desk.enumerate_pixels_mut() {
        let (u, v) = apply(&back, (f64::from(x), f64::from(y)));
        if let Some(colour) = sample(page, u - 0.5, v - 0.5) {
            *pixel = Rgb(colour.map(|c| (c + 0.5) as u8));
        } else {
            let (su, sv) = apply(&back, (f64::from(x) - shadow_px, f64::from(y) - shadow_px));
            if su >= 0.0 && sv >= 0.0 && su < width && sv < height {
                pixel.0 = pixel.0.map(|c| (f32::from(c) * 0.62) as u8);
            }
        }
    }
}

type Matrix = [f64; 9];

/// The projective map that takes four points to four others: Gaussian elimination of eight equations.
fn homography(from: [Point; 4], to: [Point; 4]) -> Matrix {
    let mut rows = [[0.0f64; 9]; 8];
    for (k, (&(x, y), &(u, v))) in from.iter().zip(&to).enumerate() {
        rows[2 * k] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
        rows[2 * k + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
    }
    for column in 0..8 {
        let pivot = (column..8)
            .max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))
            .unwrap_or(column);
        rows.swap(column, pivot);
        let lead = rows[column][column];
        rows[column].iter_mut().for_each(|v| *v /= lead);
        let pivot_row = rows[column];
        for (r, row) in rows.iter_mut().enumerate() {
            if r != column {
                let factor = row[column];
                row.iter_mut().zip(pivot_row).for_each(|(v, p)| *v -= factor * p);
            }
        }
    }
    let mut out = [1.0; 9];
    for (slot, row) in out.iter_mut().zip(rows) {
        *slot = row[8];
    }
    out
}

fn inverse(m: Matrix) -> Matrix {
    let [a, b, c, d, e, f, g, h, i] = m;
    [
        e * i - f * h,
        c * h - b * i,
        b * f - c * e,
        f * g - d * i,
        a * i - c * g,
        c * d - a * f,
        d * h - e * g,
        b * g - a * h,
        a * e - b * d,
    ]
}

fn apply(m: &Matrix, (x, y): Point) -> Point {
    let w = m[6] * x + m[7] * y + m[8];
    ((m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w)
}

/// Clockwise quarter turns.
pub fn quarter_turns(page: &RgbImage, turns: u8) -> RgbImage {
    match turns % 4 {
        1 => imageops::rotate90(page),
        2 => imageops::rotate180(page),
        3 => imageops::rotate270(page),
        _ => page.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perspective_and_its_inverse_meet() {
        let from = [(0.0, 0.0), (100.0, 0.0), (100.0, 140.0), (0.0, 140.0)];
        let to = [(12.0, 9.0), (131.0, 20.0), (120.0, 190.0), (5.0, 170.0)];
        let there = homography(from, to);
        for (a, b) in from.iter().zip(to) {
            let (x, y) = apply(&there, *a);
            assert!((x - b.0).abs() < 1e-6 && (y - b.1).abs() < 1e-6);
            let (x, y) = apply(&inverse(there), b);
            assert!((x - a.0).abs() < 1e-6 && (y - a.1).abs() < 1e-6);
        }
    }
}
