use std::borrow::Cow;

use image::imageops::{rotate90, rotate180, rotate270};
use image::{GrayImage, ImageBuffer, Pixel};

use super::direction::{Lines, direction};
use crate::ocr::{Glance, Look, OcrError, Reader, TextBox};

/// A glance at least this sure, with this many characters, needs no comparison. Pages on their head read
/// with up to 0.89, those on their side with less.
const SURE: f32 = 0.93;
const ENOUGH_CHARS: u32 = 24;
/// So many characters in a few lines, surer than this, stand across, if not upright: on its side a page
/// reads as fewer or as noise.
const MANY_CHARS: u32 = 60;
const NOISE: f32 = 0.7;
/// When the best of brief glances says less than this, or another says nearly as much, all are looked at
/// thoroughly.
const DOUBT: f32 = 0.7;
const NEARLY: f32 = 0.1;
/// The share of characters in words above which a look tells all, whatever direction lines seem to have.
const WORDY: f32 = 0.4;
/// The part of the evidence that hangs on words; tables of numbers have few.
const WORDS_TELL: f32 = 0.3;
/// What speaks for an orientation counts so much when the paper between lines speaks against it: where nothing
/// reads, noise would choose.
const AGAINST_LINES: f32 = 0.8;
/// Boxes this much longer than wide tell the direction of their text.
const LONG: f32 = 1.6;

/// How many quarter turns clockwise bring a page's text to run left to right, and where it then stands.
pub(super) fn standing(page: &GrayImage, reader: &dyn Reader) -> Result<(u8, Vec<TextBox>), OcrError> {
    let lines = direction(page);
    let mut views: Vec<View> = Vec::new();
    while let Some(quarters) = next_quarter(lines, &views) {
        let turned = turned(page, quarters);
        let boxes = reader.find_text(&turned)?;
        let glance = reader.glance(&turned, &boxes, Look::Brief)?;
        let view = View { quarters, boxes, glance };
        let is_blank = views.is_empty() && view.boxes.is_empty() && lines == Lines::Unclear;
        if is_blank || view.settles(lines) {
            return Ok((quarters, view.boxes));
        }
        views.push(view);
    }
    if in_doubt(&views, lines) {
        for view in &mut views {
            view.glance = reader.glance(&turned(page, view.quarters), &view.boxes, Look::Thorough)?;
        }
    }
    let best = views.into_iter().reduce(|a, b| if b.evidence(lines) > a.evidence(lines) { b } else { a });
    Ok(best.map(|view| (view.quarters, view.boxes)).unwrap_or_default())
}

/// The page after some quarter turns, and what a glance at it told.
struct View {
    quarters: u8,
    boxes: Vec<TextBox>,
    glance: Glance,
}

impl View {
    /// Whether this is how the page stands, without a look at the rest. Notes along a margin read well when the
    /// page lies on its side, so that boxes must bear that out.
    fn settles(&self, lines: Lines) -> bool {
        let stands = stands_upright(&self.boxes).unwrap_or(self.expected() == Lines::Across);
        let tells = lines == self.expected() || self.glance.word_share() >= WORDY;
        stands && tells && self.glance.chars >= ENOUGH_CHARS && self.glance.mean_confidence() >= SURE
    }

    /// The direction that lines of the page as it came have, if this is how it stands.
    fn expected(&self) -> Lines {
        if self.quarters % 2 == 1 { Lines::UpAndDown } else { Lines::Across }
    }

    /// How much speaks for this orientation: how surely its characters read, a little more when they make
    /// words, little if there are few.
    fn evidence(&self, lines: Lines) -> f32 {
        let glance = &self.glance;
        let words = 1.0 - WORDS_TELL + WORDS_TELL * glance.word_share();
        let agrees = lines == Lines::Unclear || lines == self.expected();
        let direction = if agrees { 1.0 } else { AGAINST_LINES };
        glance.mean_confidence() * words * (glance.chars as f32 / ENOUGH_CHARS as f32).min(1.0) * direction
    }
}

/// The most likely of the ways that were not looked at yet.
fn next_quarter(lines: Lines, seen: &[View]) -> Option<u8> {
    let order = match seen.first() {
        _ if lines == Lines::UpAndDown => [1, 3, 0, 2],
        Some(view) if view.glance.chars >= MANY_CHARS && view.glance.mean_confidence() > NOISE => {
            [0, 2, 1, 3]
        }
        _ => [0, 1, 3, 2],
    };
    order.into_iter().find(|quarters| seen.iter().all(|view| view.quarters != *quarters))
}

fn turned(page: &GrayImage, quarters: u8) -> Cow<'_, GrayImage> {
    if quarters == 0 { Cow::Borrowed(page) } else { Cow::Owned(quarter_turned(page, quarters)) }
}

/// The image after so many quarter turns clockwise.
pub(super) fn quarter_turned<P: Pixel + 'static>(
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

/// Whether no view stands out.
fn in_doubt(views: &[View], lines: Lines) -> bool {
    let mut weights: Vec<f32> = views.iter().map(|view| view.evidence(lines)).collect();
    weights.sort_by(|a, b| b.total_cmp(a));
    match weights.as_slice() {
        [best, second, ..] => *best < DOUBT || *second > best - NEARLY,
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text_box(width: f32, height: f32) -> TextBox {
        TextBox { center_x: 0.0, center_y: 0.0, width, height, slope: 0.0 }
    }

    fn view(quarters: u8, chars: u32, confidence: f32, word_share: f32) -> View {
        let boxes = vec![text_box(90.0, 20.0); 3];
        let word_chars = (chars as f32 * word_share) as u32;
        View { quarters, boxes, glance: Glance { chars, sure_chars: chars as f32 * confidence, word_chars } }
    }

    #[test]
    fn boxes_tell_the_direction_of_text() {
        assert_eq!(stands_upright(&[text_box(90.0, 20.0), text_box(60.0, 20.0)]), Some(true));
        assert_eq!(stands_upright(&[text_box(20.0, 90.0), text_box(30.0, 20.0)]), Some(false));
        assert_eq!(stands_upright(&[]), None);
    }

    #[test]
    fn a_table_of_numbers_settles_where_its_lines_run_across() {
        assert!(view(0, 145, 0.98, 0.12).settles(Lines::Across));
        assert!(!view(0, 145, 0.98, 0.12).settles(Lines::Unclear));
        assert!(!view(0, 145, 0.89, 0.59).settles(Lines::Across), "a page on its head");
        assert!(!view(0, 20, 0.99, 1.0).settles(Lines::Across), "too little to tell");
        assert!(view(1, 110, 0.99, 0.2).settles(Lines::UpAndDown));
    }

    #[test]
    fn notes_along_a_margin_do_not_turn_a_page() {
        let mut margin = view(1, 204, 0.97, 0.5);
        margin.boxes.extend([text_box(20.0, 90.0); 2]);
        assert!(!margin.settles(Lines::UpAndDown));
    }

    #[test]
    fn where_nothing_reads_the_paper_between_lines_tells() {
        let (across, on_side) = (view(0, 224, 0.466, 0.0), view(3, 18, 0.672, 0.0));
        assert!(across.evidence(Lines::Across) > on_side.evidence(Lines::Across));
        assert!(across.evidence(Lines::Unclear) < on_side.evidence(Lines::Unclear));
        assert!(
            view(1, 100, 0.95, 0.6).evidence(Lines::Across) > across.evidence(Lines::Across),
            "reading decides"
        );
    }

    #[test]
    fn the_likeliest_way_is_looked_at_first() {
        let order = |lines, first: Option<View>| {
            let mut seen: Vec<View> = first.into_iter().collect();
            while let Some(quarters) = next_quarter(lines, &seen) {
                seen.push(view(quarters, 0, 0.0, 0.0));
            }
            seen.iter().map(|view| view.quarters).collect::<Vec<_>>()
        };
        assert_eq!(order(Lines::UpAndDown, None), [1, 3, 0, 2]);
        assert_eq!(order(Lines::Across, Some(view(0, 130, 0.85, 0.3))), [0, 2, 1, 3], "on its head");
        assert_eq!(order(Lines::Unclear, Some(view(0, 23, 0.66, 0.0))), [0, 1, 3, 2], "on its side");
    }
}
