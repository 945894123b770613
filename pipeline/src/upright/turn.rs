use image::imageops::{grayscale, rotate90, rotate180, rotate270};
use image::{ImageBuffer, Pixel, RgbImage};

use super::warp;
use crate::ocr::{Glance, Look, OcrError, Reader, TextBox};

/// A glance at least this sure, with this many characters, needs no comparison.
const SURE: f32 = 0.9;
const ENOUGH_CHARS: u32 = 24;
/// What reads less surely than this is no text as it stands.
const NOISE: f32 = 0.7;
/// When the best of brief glances says less than this, or another says nearly as much, all are looked at
/// thoroughly.
const DOUBT: f32 = 0.7;
const NEARLY: f32 = 0.1;
/// The share of characters in words above which a first look tells all.
const WORDY: f32 = 0.4;
/// The part of the evidence that hangs on words; tables of numbers have few.
const WORDS_TELL: f32 = 0.3;
/// Boxes this much longer than wide tell the direction of their text.
const LONG: f32 = 1.6;
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
    /// Where its text stands, when the look at it found all.
    pub(super) boxes: Option<Vec<TextBox>>,
}

/// Turns a page by quarters until its text runs left to right, then by its skew.
pub(super) fn turn_upright(image: RgbImage, reader: &dyn Reader) -> Result<Turned, OcrError> {
    let (quarters, image, glance) = best_quarter(image, reader)?;
    let quarters_degrees = 90.0 * f32::from(quarters);
    let skew = skew_degrees(&glance.boxes);
    let mut boxes = glance.is_complete.then_some(glance.boxes);
    if !(MIN_SKEW_DEGREES..=MAX_SKEW_DEGREES).contains(&skew.abs()) {
        return Ok(Turned { image, rotation_degrees: quarters_degrees, boxes });
    }
    let middle = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
    boxes = boxes
        .filter(|_| skew.abs() <= MAX_KEPT_SKEW_DEGREES)
        .map(|boxes| boxes.into_iter().map(|found| turned_box(found, middle, -skew)).collect());
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

fn best_quarter(image: RgbImage, reader: &dyn Reader) -> Result<(u8, RgbImage, Glance), OcrError> {
    let grey = grayscale(&image);
    let first = reader.glance(&grey, Look::First)?;
    // Seen this closely, letters that stand on their side are boxes of their own, and read surely as others:
    // only words tell.
    if stands_upright(&first.boxes) != Some(false) && is_sure(&first) && first.word_share() >= WORDY {
        return Ok((0, image, first));
    }
    let glance = reader.glance(&grey, Look::Brief)?;
    let stands = stands_upright(&glance.boxes);
    if stands != Some(false) && is_sure(&glance) {
        return Ok((0, image, Glance { boxes: first.boxes, is_complete: first.is_complete, ..glance }));
    }
    // Text that stands on its side is often detected across its lines, and then reads as noise: boxes
    // alone do not settle it.
    let rivals: &[u8] = match stands {
        Some(true) if glance.mean_confidence() > NOISE => &[2, 1, 3],
        _ => &[1, 3, 2],
    };
    let mut glances = vec![(0, glance)];
    for &quarters in rivals {
        let glance = reader.glance(&quarter_turned(&grey, quarters), Look::Brief)?;
        let settles = is_sure(&glance);
        glances.push((quarters, glance));
        if settles {
            break;
        }
    }
    if in_doubt(&glances) {
        for (quarters, glance) in &mut glances {
            *glance = reader.glance(&quarter_turned(&grey, *quarters), Look::Thorough)?;
        }
    }
    let best = glances.into_iter().reduce(|a, b| if evidence(&b.1) > evidence(&a.1) { b } else { a });
    let (quarters, glance) = best.unwrap_or_default();
    let image = if quarters == 0 { image } else { quarter_turned(&image, quarters) };
    Ok((quarters, image, glance))
}

fn quarter_turned<P: Pixel + 'static>(
    image: &ImageBuffer<P, Vec<P::Subpixel>>,
    quarters: u8,
) -> ImageBuffer<P, Vec<P::Subpixel>> {
    match quarters {
        0 => image.clone(),
        1 => rotate90(image),
        2 => rotate180(image),
        _ => rotate270(image),
    }
}

/// Whether no glance stands out.
fn in_doubt(glances: &[(u8, Glance)]) -> bool {
    let mut weights: Vec<f32> = glances.iter().map(|(_, glance)| evidence(glance)).collect();
    weights.sort_by(|a, b| b.total_cmp(a));
    match weights.as_slice() {
        [best, second, ..] => *best < DOUBT || *second > best - NEARLY,
        _ => false,
    }
}

fn is_sure(glance: &Glance) -> bool {
    glance.chars >= ENOUGH_CHARS && glance.mean_confidence() >= SURE
}

/// How much speaks for an orientation: how surely its characters read, a little more when they make words,
/// little if there are few.
fn evidence(glance: &Glance) -> f32 {
    let words = 1.0 - WORDS_TELL + WORDS_TELL * glance.word_share();
    glance.mean_confidence() * words * (glance.chars as f32 / ENOUGH_CHARS as f32).min(1.0)
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
