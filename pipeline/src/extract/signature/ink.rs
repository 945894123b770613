//! Which ink belongs to which place to sign, and how like a hand it is. Knows shapes and spaces, not
//! who signs.

use super::place::{Place, grown};
use super::slot::{Side, Slot};
use super::surface::Surface;
use crate::domain::{InkMark, Rect};

/// Smallest signature, in text heights.
const LEAST_WIDTH: f32 = 2.2;
const LEAST_HEIGHT: f32 = 0.9;
const MOST_WIDTH: f32 = 48.0;
const MOST_HEIGHT: f32 = 16.0;
/// A frame around an empty box inks less of its area than any hand.
const LEAST_INK: f32 = 0.03;
const MOST_INK: f32 = 0.6;
/// What is less like a hand is a box, a bullet or a picture.
const LEAST_LIKENESS: f32 = 0.45;
/// A place holds a mark when so much of the mark lies in its space, weighed by how sure the space is.
const LEAST_FIT: f32 = 0.22;

/// Large enough for a signature and no frame, picture or rule.
pub(super) fn could_sign(mark: &InkMark, height: f32) -> bool {
    let bounds = &mark.bounds;
    (LEAST_WIDTH * height..MOST_WIDTH * height).contains(&bounds.width)
        && (LEAST_HEIGHT * height..MOST_HEIGHT * height).contains(&bounds.height)
        && (LEAST_INK..MOST_INK).contains(&mark.ink_ratio)
}

fn is_hand(mark: &InkMark, height: f32) -> bool {
    could_sign(mark, height) && likeness(mark, height) >= LEAST_LIKENESS
}

/// How like handwriting a mark is, 0 to 1: strokes in all directions, thin, larger than letters.
pub(super) fn likeness(mark: &InkMark, height: f32) -> f32 {
    let curved = 0.62 + 0.38 * (mark.scribble / 0.7).clamp(0.0, 1.0);
    let sparse = if mark.ink_ratio < 0.35 { 1.0 } else { 0.75 };
    let wide = ramp(mark.bounds.width / height, 2.5, 6.0);
    let high = ramp(mark.bounds.height / height, 0.9, 2.2);
    curved * sparse * (0.7 + 0.15 * wide + 0.15 * high)
}

fn ramp(value: f32, from: f32, to: f32) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// Where a hand may go that signs in a slot: over its edges and over the label.
pub(super) fn zone(slot: &Slot, label: &Rect, height: f32) -> Rect {
    let bounds = match slot.side {
        Side::Above | Side::Below => {
            let whole = slot.bounds.union(label);
            Rect::from_edges(slot.bounds.left, whole.top, slot.bounds.right(), whole.bottom())
        }
        Side::Beside | Side::Around => slot.bounds,
    };
    grown(&bounds, height, 0.8 * height)
}

/// How well a mark fits a place, 0 to 1.
pub(super) fn fit(mark: &Rect, place: &Place, height: f32) -> f32 {
    let fits = place.slots.iter().map(|slot| {
        let zone = zone(slot, &place.label, height);
        let share = mark.intersection_area(&zone) / mark.area().max(1e-3);
        let off_centre = ((mark.center_x() - zone.center_x()).abs() / (20.0 * height)).min(1.0);
        slot.weight * share * (1.0 - 0.2 * off_centre)
    });
    fits.fold(0.0, f32::max)
}

/// What a place holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand {
    pub(super) bounds: Rect,
    pub(super) likeness: f32,
    /// How well it fits the place, and how well the best place of another party.
    pub(super) fit: f32,
    pub(super) rival: f32,
}

/// The mark that signs a place, if any.
pub(super) fn hand_in(place: usize, places: &[Place], surface: &Surface) -> Option<Hand> {
    let own = &places[place];
    let h = surface.height;
    let hands = surface.marks.iter().filter(|mark| is_hand(mark, h)).filter_map(|mark| {
        let fits = fit(&mark.bounds, own, h);
        let rivals = places.iter().filter(|other| other.own != own.own);
        let rival = rivals.map(|other| fit(&mark.bounds, other, h)).fold(0.0, f32::max);
        (fits >= LEAST_FIT && fits >= rival).then(|| Hand {
            bounds: mark.bounds,
            likeness: likeness(mark, h),
            fit: fits,
            rival,
        })
    });
    hands.max_by(|a, b| (a.likeness * a.fit).total_cmp(&(b.likeness * b.fit)))
}

/// How empty a place is, 0 to 1: 1 without any ink in or near its space.
pub(super) fn emptiness(place: &Place, places: &[Place], surface: &Surface) -> f32 {
    let h = surface.height;
    let zone = zone(place.slot(), &place.label, h);
    let around = grown(&zone, 6.0 * h, 2.5 * h);
    let mut emptiness: f32 = 1.0;
    for mark in surface.marks.iter().filter(|mark| !is_rest_of_line(mark, h)) {
        let area = mark.bounds.area().max(1e-3);
        let inside = mark.bounds.intersection_area(&zone) / area;
        let near = mark.bounds.intersection_area(&around) / area;
        let others = places.iter().filter(|other| !std::ptr::eq(*other, place));
        let elsewhere = others.map(|other| fit(&mark.bounds, other, h)).fold(0.0, f32::max);
        // What lies well in the space of another place is that one's, as far as it keeps out of this.
        let explained = ramp(elsewhere - 0.5 * inside, 0.35, 0.75);
        let strange = inside.max(near) * (1.0 - explained);
        let size = (mark.bounds.width * mark.bounds.height).sqrt() / h;
        let speck = (0.12 * size).min(0.35);
        let hand = 0.65 * ramp(likeness(mark, h), LEAST_LIKENESS, 0.8);
        let doubt = if could_sign(mark, h) { speck.max(hand) } else { speck };
        emptiness *= 1.0 - doubt * strange.min(1.0);
    }
    for word in &surface.scrawls {
        if word.intersection_area(&zone) > 0.3 * word.area() {
            emptiness *= 0.6;
        }
    }
    emptiness * 1.0_f32.min(stray(places, surface))
}

/// Lower when a hand on the page belongs to no place at all.
fn stray(places: &[Place], surface: &Surface) -> f32 {
    let h = surface.height;
    let is_stray = |mark: &&InkMark| {
        let near = places.iter().any(|place| {
            place.own && grown(&place.label, 12.0 * h, 12.0 * h).intersection_area(&mark.bounds) > 0.0
        });
        could_sign(mark, h)
            && near
            && likeness(mark, h) > 0.7
            && places.iter().all(|place| fit(&mark.bounds, place, h) < LEAST_FIT)
    };
    if surface.marks.iter().any(|mark| is_stray(&mark)) { 0.6 } else { 1.0 }
}

/// What is left of a ruled line: long and no higher than a stroke.
fn is_rest_of_line(mark: &InkMark, height: f32) -> bool {
    let (width, thick) = (mark.bounds.width, mark.bounds.height);
    width.min(thick) < 0.35 * height && width.max(thick) > 1.5 * height
}
