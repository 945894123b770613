use image::RgbImage;
use image::imageops::{grayscale, rotate90, rotate180, rotate270};

use super::warp;
use crate::ocr::{Glance, OcrError, Reader, TextBox};

/// A glance at least this sure, with this many characters, needs no comparison.
const SURE: f32 = 0.9;
const ENOUGH_CHARS: u32 = 24;
/// What reads less surely than this is no text as it stands.
const NOISE: f32 = 0.7;
/// Boxes this much longer than wide tell the direction of their text.
const LONG: f32 = 1.6;
/// Less skew than this is not worth the blur of turning; lines are followed anyway.
const MIN_SKEW_DEGREES: f32 = 0.25;
/// More is not skew: nobody feeds a page so crookedly, and boxes may lie.
const MAX_SKEW_DEGREES: f32 = 8.0;
/// Boxes that must agree on a skew.
const MIN_SKEW_BOXES: usize = 4;

/// Turns a page by quarters until its text runs left to right, then by its skew. Returns the degrees
/// turned, clockwise.
pub(super) fn turn_upright(image: RgbImage, reader: &dyn Reader) -> Result<(RgbImage, f32), OcrError> {
    let (quarters, image, glance) = best_quarter(image, reader)?;
    let turned_degrees = 90.0 * f32::from(quarters);
    let skew = skew_degrees(&glance.boxes);
    if (MIN_SKEW_DEGREES..=MAX_SKEW_DEGREES).contains(&skew.abs()) {
        let image = warp::turned(&image, -skew);
        return Ok((image, turned_degrees - skew));
    }
    Ok((image, turned_degrees))
}

fn best_quarter(image: RgbImage, reader: &dyn Reader) -> Result<(u8, RgbImage, Glance), OcrError> {
    let glance = reader.glance(&grayscale(&image))?;
    let stands = stands_upright(&glance.boxes);
    if stands != Some(false) && is_sure(&glance) {
        return Ok((0, image, glance));
    }
    // Text that stands on its side is often detected across its lines, and then reads as noise: boxes
    // alone do not settle it.
    let rivals: &[u8] = match stands {
        Some(true) if glance.mean_confidence() > NOISE => &[2, 1, 3],
        _ => &[1, 3, 2],
    };
    let mut best = (0u8, glance);
    let mut best_image = None;
    for &quarters in rivals {
        let turned = match quarters {
            1 => rotate90(&image),
            2 => rotate180(&image),
            _ => rotate270(&image),
        };
        let glance = reader.glance(&grayscale(&turned))?;
        if evidence(&glance) > evidence(&best.1) {
            best = (quarters, glance);
            best_image = Some(turned);
            if is_sure(&best.1) {
                break;
            }
        }
    }
    Ok((best.0, best_image.unwrap_or(image), best.1))
}

fn is_sure(glance: &Glance) -> bool {
    glance.chars >= ENOUGH_CHARS && glance.mean_confidence() >= SURE
}

/// How much speaks for an orientation: how surely its characters read, little if there are few.
fn evidence(glance: &Glance) -> f32 {
    glance.mean_confidence() * (glance.chars as f32 / ENOUGH_CHARS as f32).min(1.0)
}

/// Whether text runs across (`true`) or up and down; `None` when the boxes do not say.
fn stands_upright(boxes: &[TextBox]) -> Option<bool> {
    let (mut across, mut upward) = (0.0f32, 0.0f32);
    for found in boxes {
        if found.width > LONG * found.height {
            across += found.width;
        } else if found.height > LONG * found.width {
            upward += found.height;
        }
    }
    if across > 3.0 * upward && across > 0.0 {
        Some(true)
    } else if upward > 1.2 * across {
        Some(false)
    } else {
        None
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
    fn boxes_tell_the_direction_of_text() {
        assert_eq!(stands_upright(&[text_box(90.0, 20.0, 0.0), text_box(60.0, 20.0, 0.0)]), Some(true));
        assert_eq!(stands_upright(&[text_box(20.0, 90.0, 0.0), text_box(30.0, 20.0, 0.0)]), Some(false));
        assert_eq!(stands_upright(&[]), None);
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
