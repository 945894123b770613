use image::{Rgb, RgbImage};
use imageproc::geometric_transformations::Projection;

use super::Corners;
use crate::raster::sample_colour;

/// Long by short side of the papers and cards that are photographed: A4, US Letter, ID-1 (ISO 7810),
/// an open passport page (ID-3).
const KNOWN_RATIOS: [f32; 4] = [std::f32::consts::SQRT_2, 1.2941, 1.5858, 1.4205];
/// A measured ratio this near a known one is that one: perspective shortens one side.
const RATIO_TOLERANCE: f32 = 0.07;

/// The picture, made smaller if a side is longer than `max_side`.
pub(super) fn shrunk_to(image: RgbImage, max_side: u32) -> RgbImage {
    let longest = image.width().max(image.height());
    if longest <= max_side {
        return image;
    }
    let scale = f64::from(max_side) / f64::from(longest);
    let size = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    let (width, height) = (size(image.width()), size(image.height()));
    image::imageops::resize(&image, width, height, image::imageops::FilterType::Triangle)
}

/// What lies within the corners, as an upright rectangle at about the picture's own resolution.
pub(super) fn squared(image: &RgbImage, corners: &Corners, max_side: u32) -> RgbImage {
    let corners = corners.0;
    let side = |a: usize, b: usize| (corners[a].0 - corners[b].0).hypot(corners[a].1 - corners[b].1);
    let (width, height) =
        with_known_ratio(side(0, 1).max(side(3, 2)), side(0, 3).max(side(1, 2)), max_side as f32);
    let target = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
    let Some(back) = Projection::from_control_points(target, corners) else { return image.clone() };
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let (from_x, from_y) = back * (x as f32 + 0.5, y as f32 + 0.5);
        Rgb(sample_colour(image, from_x - 0.5, from_y - 0.5))
    })
}

fn with_known_ratio(width: f32, height: f32, max_side: f32) -> (f32, f32) {
    let (long, short) = (width.max(height), width.min(height).max(1.0));
    let measured = long / short;
    let nearest = KNOWN_RATIOS
        .into_iter()
        .min_by(|a, b| (a - measured).abs().total_cmp(&(b - measured).abs()))
        .unwrap_or(measured);
    let ratio = if (nearest - measured).abs() < RATIO_TOLERANCE * nearest { nearest } else { measured };
    let long = long.max(short * ratio).min(max_side).round();
    let short = (long / ratio).round().max(1.0);
    if width >= height { (long, short) } else { (short, long) }
}

/// Turned clockwise about the centre by a small angle, the size kept; the edge goes on outwards.
pub(super) fn turned(image: &RgbImage, degrees: f32) -> RgbImage {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (middle_x, middle_y) = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let (across, down) = (x as f32 + 0.5 - middle_x, y as f32 + 0.5 - middle_y);
        let from_x = middle_x + across * cosine + down * sine;
        let from_y = middle_y - across * sine + down * cosine;
        Rgb(sample_colour(image, from_x - 0.5, from_y - 0.5))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_become_a_rectangle() {
        let corners = [(100.0f32, 80.0f32), (500.0, 120.0), (480.0, 700.0), (60.0, 640.0)];
        let image = RgbImage::from_fn(600, 800, |x, y| {
            let near = corners.iter().any(|corner| (corner.0 - x as f32).hypot(corner.1 - y as f32) < 14.0);
            Rgb(if near { [0; 3] } else { [255; 3] })
        });
        let flat = squared(&image, &Corners(corners), 3000);
        let (right, bottom) = (flat.width() - 2, flat.height() - 2);
        for (x, y) in [(1, 1), (right, 1), (right, bottom), (1, bottom)] {
            assert!(flat.get_pixel(x, y).0[0] < 60, "corner at {x} {y}");
        }
        assert_eq!(flat.get_pixel(right / 2, bottom / 2).0, [255; 3]);
        let ratio = flat.height() as f32 / flat.width() as f32;
        assert!((ratio - std::f32::consts::SQRT_2).abs() < 0.01, "{ratio}");
    }

    #[test]
    fn turning_clockwise_lowers_the_right_end() {
        let image =
            RgbImage::from_fn(400, 200, |_, y| Rgb(if (98..102).contains(&y) { [0; 3] } else { [255; 3] }));
        let turned = turned(&image, 3.0);
        let darkest = |x: u32| (0..200).min_by_key(|y| turned.get_pixel(x, *y).0[0]).unwrap();
        assert!(darkest(380) > 105 && darkest(20) < 95);
    }
}
