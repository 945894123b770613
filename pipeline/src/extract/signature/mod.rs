//! Whether a party signed: handwriting in its signature area. The area is found through labels; ink is
//! given to the nearest of all signature labels, so that the company's hand or stamp is not taken for
//! the customer's. Knows ink marks and labels, not who the people are.

use crate::domain::{InkMark, Rect, Value};
use crate::extract::FieldReading;
use crate::extract::labels::evidence::Reading;
use crate::extract::labels::lexicon::Role;
use crate::extract::labels::occurrence::Occurrence;

/// A signature lies at most this far from its label, in text heights: the usual box is 15 to 30 mm
/// high, letters are about 2.5 mm.
const FARTHEST: f32 = 11.0;
/// Smallest signature, in text heights.
const LEAST_WIDTH: f32 = 2.2;
const LEAST_HEIGHT: f32 = 0.9;
/// A frame around an empty box inks less of its area than any hand.
const LEAST_INK: f32 = 0.035;

/// A place to sign.
#[derive(Debug)]
struct Area {
    bounds: Rect,
    own: bool,
    /// How surely it is a place to sign, 0 to 1.
    weight: f32,
}

pub fn read(field: usize, readings: &[Reading]) -> Option<FieldReading> {
    let mut best: Option<FieldReading> = None;
    for reading in readings {
        for found in on_page(field, reading) {
            let better = best.as_ref().is_none_or(|known| rank(&found) > rank(known));
            if better {
                best = Some(found);
            }
        }
    }
    best
}

/// A signature that is there counts before an empty area elsewhere: many forms have areas for second
/// holders and annexes.
fn rank(reading: &FieldReading) -> f32 {
    let signed = reading.value == Value::Boolean(true) && reading.score > 0.5;
    reading.score + if signed { 1.0 } else { 0.0 }
}

fn on_page(field: usize, reading: &Reading) -> Vec<FieldReading> {
    let areas = areas(field, reading);
    let marks: Vec<&InkMark> =
        reading.sheet.page.marks.iter().filter(|mark| could_sign(mark, reading.sheet.height)).collect();
    let mut found = Vec::new();
    for (index, area) in areas.iter().enumerate().filter(|(_, area)| area.own) {
        let signature = marks
            .iter()
            .filter(|mark| nearest_area(mark, &areas, reading.sheet.height) == Some(index))
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let (signed, score, bounds) = match signature {
            Some(mark) => (true, area.weight * likeness(mark), mark.bounds),
            None => (false, 0.85 * area.weight, area.bounds),
        };
        if score >= 0.3 {
            found.push(FieldReading {
                value: Value::Boolean(signed),
                raw: String::new(),
                score,
                page_index: reading.sheet.index,
                bounds,
                checks: Vec::new(),
                repaired: false,
            });
        }
    }
    found
}

/// Large enough for a signature and no frame, picture or rule.
fn could_sign(mark: &InkMark, height: f32) -> bool {
    let bounds = &mark.bounds;
    bounds.width >= LEAST_WIDTH * height
        && bounds.height >= LEAST_HEIGHT * height
        && bounds.height <= 14.0 * height
        && bounds.width <= 45.0 * height
        && (LEAST_INK..0.6).contains(&mark.ink_ratio)
}

/// How like handwriting a mark is: curved strokes, little of its area inked.
fn likeness(mark: &InkMark) -> f32 {
    let sparse = if mark.ink_ratio < 0.35 { 1.0 } else { 0.7 };
    (0.55 + 0.4 * mark.scribble.clamp(0.0, 1.0)) * sparse
}

/// All places to sign on the page, one for each label.
fn areas(field: usize, reading: &Reading) -> Vec<Area> {
    let own = |label: &&Occurrence| label.roles.contains(&Role::Label { field });
    let party = |label: &&Occurrence| label.roles.contains(&Role::PartyLabel { field });
    let other = |label: &&Occurrence| label.roles.contains(&Role::Not { field });
    let mut areas: Vec<Area> = Vec::new();
    for label in reading.occurrences.iter().filter(other).filter(|label| sets_off(reading, label)) {
        areas.push(Area { bounds: label.bounds, own: false, weight: 0.9 });
    }
    for label in
        reading.occurrences.iter().filter(own).filter(|label| !other(label) && sets_off(reading, label))
    {
        areas.push(Area { bounds: label.bounds, own: true, weight: weight(reading, label, &areas) });
    }
    let has_own = areas.iter().any(|area| area.own && area.weight >= 0.6);
    if !has_own {
        for label in
            reading.occurrences.iter().filter(party).filter(|label| !other(label) && sets_off(reading, label))
        {
            let weight = 0.75 * weight(reading, label, &areas);
            areas.push(Area { bounds: label.bounds, own: true, weight });
        }
    }
    areas
}

/// The label stands by itself, not within a sentence.
fn sets_off(reading: &Reading, label: &Occurrence) -> bool {
    let piece = &reading.sheet.pieces[label.piece];
    let words = piece.end - piece.first;
    let explained = label.end.saturating_sub(label.first);
    label.first <= piece.first + 1 && (words <= explained + 5 || !piece.prose)
}

/// Labels that say "signature" are places to sign wherever they stand; a bare `El prestatario` is one in
/// the lower part of a page, beside another party's place.
fn weight(reading: &Reading, label: &Occurrence, others: &[Area]) -> f32 {
    let page = reading.sheet.page;
    let piece = &reading.sheet.pieces[label.piece];
    let says_so = label.tokens.iter().any(|token| {
        let text = &reading.sheet.tokens[*token].text;
        ["firm", "sign", "fdo", "conform", "acepto"].iter().any(|stem| text.starts_with(stem))
    });
    let height = reading.sheet.height;
    let beside = others.iter().any(|area| {
        let apart = (area.bounds.center_y() - label.bounds.center_y()).abs();
        !area.own && apart < 12.0 * height
    });
    let alone = piece.end.saturating_sub(label.end) == 0 && label.first == piece.first;
    let has_value = piece.row_has_value(reading);
    let near_ink = page.marks.iter().any(|mark| {
        could_sign(mark, height)
            && distance(&mark.bounds, &label.bounds, height).is_some_and(|apart| apart < 5.0)
    });
    let low = label.bounds.center_y() > 0.45 * page.height;
    let base: f32 = match (says_so, beside, low) {
        (true, ..) => 0.95,
        (false, true, true) => 0.9,
        (false, true, false) => 0.7,
        (false, false, true) => 0.55,
        (false, false, false) => 0.25,
    };
    let ink = if near_ink && !says_so { 0.15 } else { 0.0 };
    let clear = if alone { 1.0 } else { 0.95 };
    let valued = if has_value && !says_so { 0.5 } else { 1.0 };
    ((base + ink).min(0.97) * clear * valued * label.quality).clamp(0.0, 1.0)
}

impl crate::extract::labels::sheet::Piece {
    /// Whether text stands right of the piece in its row, so that the piece labels that text.
    fn row_has_value(&self, reading: &Reading) -> bool {
        let pieces = reading.sheet.pieces.iter();
        pieces.into_iter().any(|other| {
            let gap = other.bounds.left - self.bounds.right();
            other.row == self.row
                && gap > 0.0
                && gap < 14.0 * reading.sheet.height
                && !labelled(reading, other)
        })
    }
}

fn labelled(reading: &Reading, piece: &crate::extract::labels::sheet::Piece) -> bool {
    (piece.first_token..piece.end_token).any(|token| reading.labelled[token])
}

fn nearest_area(mark: &InkMark, areas: &[Area], height: f32) -> Option<usize> {
    let apart = areas.iter().enumerate().filter_map(|(index, area)| {
        Some((distance(&mark.bounds, &area.bounds, height)? + (1.0 - area.weight) * 3.0, index))
    });
    apart.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, index)| index)
}

/// How far a mark lies from a label, in text heights: above, below or right of it; `None` when it
/// stands elsewhere.
fn distance(mark: &Rect, label: &Rect, height: f32) -> Option<f32> {
    let apart_x = (mark.left - label.right()).max(label.left - mark.right()).max(0.0) / height;
    let apart_y = (mark.top - label.bottom()).max(label.top - mark.bottom()).max(0.0) / height;
    let beside = mark.overlap_y(label) > 0.0 || apart_y < 1.5;
    let reach_x = if beside && mark.center_x() > label.center_x() { 30.0 } else { 6.0 };
    if apart_y > FARTHEST || apart_x > reach_x {
        return None;
    }
    let off_centre = (mark.center_x() - label.center_x()).abs() / height;
    Some(apart_y + 0.6 * apart_x + 0.05 * off_centre)
}
