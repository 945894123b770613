//! Whether a party signed: handwriting in its place to sign. Places are found through labels and the
//! space that lines, boxes and print leave them; ink belongs to the place whose space holds it, so that
//! the company's hand or stamp is not taken for the customer's. That nothing is there counts as much as
//! the place is certain and empty.

mod surface;
mod slot;
mod place;
mod ink;
mod typed;
#[cfg(test)]
mod tests;

use crate::domain::{Rect, Value};
use crate::extract::FieldReading;
use crate::extract::labels::evidence::Reading;
use ink::{Hand, emptiness, hand_in};
use place::{PartyName, Place, places};
use slot::Side;
use surface::Surface;

/// Weaker evidence says nothing: a place that is hardly empty may hold a hand that was not seen well.
const LEAST_SIGNED: f32 = 0.3;
const LEAST_UNSIGNED: f32 = 0.45;
/// A hand counts before empty places elsewhere from here: forms have places for annexes and copies.
const A_HAND: f32 = 0.42;

/// What one place says.
#[derive(Debug, Clone, Copy)]
struct Finding {
    signed: bool,
    score: f32,
    page: usize,
    bounds: Rect,
}

/// Whether the field's party signed. `name` is what the document calls it, if that was read.
pub fn read(field: usize, name: Option<&str>, readings: &[Reading]) -> Option<FieldReading> {
    let name = PartyName::new(name);
    let found: Vec<Finding> = readings.iter().flat_map(|reading| on_page(field, &name, reading)).collect();
    let best = |signed: bool| {
        let side = found.iter().filter(|finding| finding.signed == signed);
        side.max_by(|a, b| a.score.total_cmp(&b.score)).copied()
    };
    let (hand, empty) = (best(true), best(false));
    let chosen = match (hand, empty) {
        (Some(hand), empty) if hand.score >= A_HAND || empty.is_none_or(|empty| empty.score < hand.score) => {
            let hands = found.iter().filter(|finding| finding.signed && finding.score >= A_HAND).count();
            Finding { score: weighed(hand.score, hands, empty.map_or(0.0, |empty| empty.score)), ..hand }
        }
        (_, Some(empty)) => {
            let hand = hand.map_or(0.0, |hand| hand.score);
            Finding { score: empty.score * (1.0 - 0.7 * (hand - 0.1).max(0.0)), ..empty }
        }
        (Some(_) | None, None) => return None,
    };
    let least = if chosen.signed { LEAST_SIGNED } else { LEAST_UNSIGNED };
    (chosen.score >= least).then(|| FieldReading {
        value: Value::Boolean(chosen.signed),
        raw: String::new(),
        score: chosen.score,
        page_index: chosen.page,
        bounds: chosen.bounds,
        checks: Vec::new(),
        repaired: false,
    })
}

/// Hands in several places of the party bear each other out; a place as sure that stays empty is at odds.
fn weighed(score: f32, hands: usize, empty: f32) -> f32 {
    let agreed = if hands > 1 { score + (1.0 - score) * 0.3 } else { score };
    agreed * (1.0 - 0.3 * ((empty - 0.6) / 0.4).clamp(0.0, 1.0))
}

fn on_page(field: usize, name: &PartyName, reading: &Reading) -> Vec<Finding> {
    let surface = Surface::new(reading);
    let places = places(field, name, reading, &surface);
    let mut found = Vec::new();
    for (index, place) in places.iter().enumerate().filter(|(_, place)| place.own) {
        let finding = match hand_in(index, &places, &surface) {
            Some(hand) => signed(place, &hand, surface.index),
            None => unsigned(place, &places, &surface),
        };
        found.push(finding);
    }
    if let Some((score, bounds)) = typed::signature(name, &places, reading, &surface) {
        // A place signed in print is not empty.
        found.retain(|finding| finding.signed || finding.bounds.intersection_area(&bounds) <= 0.0);
        found.push(Finding { signed: true, score, page: surface.index, bounds });
    }
    found
}

fn signed(place: &Place, hand: &Hand, page: usize) -> Finding {
    let space = match (place.slot().side, place.slot().ruled) {
        (Side::Around, _) => 0.75,
        (_, true) => 1.0,
        (_, false) => 0.93,
    };
    // Near 1 when the place is the only one that the mark can belong to.
    let alone = 1.0 - 0.45 * (hand.rival / hand.fit.max(0.01)).clamp(0.0, 1.0).powi(2);
    let inside = 0.8 + 0.2 * ((hand.fit - 0.3) / 0.4).clamp(0.0, 1.0);
    let score = place.naming * space * alone * inside * hand.likeness;
    Finding { signed: true, score, page, bounds: hand.bounds }
}

fn unsigned(place: &Place, places: &[Place], surface: &Surface) -> Finding {
    let space = match (place.slot().side, place.slot().ruled) {
        (Side::Around, _) => 0.6,
        (_, true) => 1.0,
        (_, false) => 0.88,
    };
    let others = places.iter().enumerate().filter(|(_, other)| !other.own);
    let (mut seen, mut signed) = (false, false);
    for (index, _) in others {
        seen = true;
        signed |= hand_in(index, places, surface).is_some();
    }
    // Another party's ink shows that ink is seen on this page; without a place of another party the
    // customer's hand may have been put elsewhere.
    let context = match (seen, signed) {
        (_, true) => 1.0,
        (true, false) => 0.92,
        (false, false) => 0.88,
    };
    let score = place.naming * space * context * emptiness(place, places, surface);
    Finding { signed: false, score, page: surface.index, bounds: place.label.union(&place.slot().bounds) }
}
