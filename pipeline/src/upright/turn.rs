use image::RgbImage;
use image::imageops::grayscale;

use super::quarter::{quarter_turned, standing};
use super::warp;
use crate::ocr::{OcrError, Reader, TextBox};

/// Less skew than this is not worth the blur of turning; lines are followed anyway.
const MIN_SKEW_DEGREES: f32 = 0.25;
/// More is not skew: nobody feeds a page so crookedly, and boxes may lie.
const MAX_SKEW_DEGREES: f32 = 8.0;
/// Boxes of a page with less skew than this are still right when it was turned; with more, lines that
/// stand close run together in them.
const MAX_KEPT_SKEW_DEGREES: f32 = 2.0;
/// Boxes that must agree on a skew.
const MIN_SKEW_BOXES: usize = 4;

/// A page whose text runs left to right.
pub(super) struct Turned {
    pub(super) image: RgbImage,
    /// Degrees turned, clockwise.
    pub(super) rotation_degrees: f32,
    /// Where its text stands, unless turning moved it too much.
    pub(super) boxes: Option<Vec<TextBox>>,
}

/// Turns a page by quarters until its text runs left to right, then by its skew.
pub(super) fn turn_upright(image: RgbImage, reader: &dyn Reader) -> Result<Turned, OcrError> {
    let (quarters, boxes) = standing(&grayscale(&image), reader)?;
    let image = if quarters == 0 { image } else { quarter_turned(&image, quarters) };
    let quarters_degrees = 90.0 * f32::from(quarters);
    let skew = skew_degrees(&boxes);
    if !(MIN_SKEW_DEGREES..=MAX_SKEW_DEGREES).contains(&skew.abs()) {
        return Ok(Turned { image, rotation_degrees: quarters_degrees, boxes: Some(boxes) });
    }
    let middle = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
    let boxes = (skew.abs() <= MAX_KEPT_SKEW_DEGREES)
        .then(|| boxes.into_iter().map(|found| turned_box(found, middle, -skew)).collect());
    Ok(Turned { image: warp::turned(&image, -skew), rotation_degrees: quarters_degrees - skew, boxes })
}

/// The box after its picture was turned clockwise about its middle by a small angle.
fn turned_box(found: TextBox, middle: (f32, f32), degrees: f32) -> TextBox {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (across, down) = (found.center_x - middle.0, found.center_y - middle.1);
    // Short boxes lean as the others do, but have no slope of their own.
    let leans = found.slope.abs() > f32::EPSILON;
    TextBox {
        center_x: middle.0 + across * cosine - down * sine,
        center_y: middle.1 + across * sine + down * cosine,
        slope: if leans { (found.slope.atan() + degrees.to_radians()).tan() } else { 0.0 },
        ..found
    }
}

/// The skew of most of the text, in degrees, positive where it runs down to the right.
fn skew_degrees(boxes: &[TextBox]) -> f32 {
    let mut leans: Vec<(f32, f32)> = boxes
        .iter()
        .filter(|found| found.width > 3.0 * found.height)
        .map(|found| (found.slope.atan().to_degrees(), found.width * found.width))
        .collect();
    if leans.len() < MIN_SKEW_BOXES {
        return 0.0;
    }
    leans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f32 = leans.iter().map(|entry| entry.1).sum();
    let mut seen = 0.0;
    for (lean, weight) in leans {
        seen += weight;
        if seen >= total / 2.0 {
            return lean;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_box(width: f32, height: f32, slope: f32) -> TextBox {
        TextBox { center_x: 0.0, center_y: 0.0, width, height, slope }
    }

    #[test]
    fn boxes_turn_with_their_page() {
        let found = TextBox { center_x: 900.0, center_y: 540.0, width: 300.0, height: 20.0, slope: 0.1 };
        let turned = turned_box(found, (500.0, 500.0), -0.1f32.atan().to_degrees());
        assert!(turned.slope.abs() < 1e-6 && (turned.center_y - 500.0).abs() < 0.1, "{turned:?}");
        assert!((turned.center_x - 902.0).abs() < 0.1, "{turned:?}");
    }

    #[test]
    fn skew_is_the_weighted_median_of_long_boxes() {
        let mut boxes = vec![text_box(300.0, 20.0, 0.03); 5];
        boxes.push(text_box(100.0, 20.0, -0.4));
        boxes.push(text_box(20.0, 20.0, 0.9));
        assert!((skew_degrees(&boxes) - 1.718).abs() < 0.01);
        assert!(skew_degrees(&boxes[..2]).abs() < 1e-6);
    }
}
