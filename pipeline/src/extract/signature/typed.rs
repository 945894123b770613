//! Signatures in print: `Firmado electrónicamente por …`. They count for the party when they name it or
//! stand in its place.

use super::ink::zone;
use super::place::{PartyName, Place};
use super::surface::Surface;
use crate::domain::Rect;
use crate::extract::labels::evidence::Reading;
#[cfg(test)]
use crate::extract::labels::tokens::tokens_of;

/// Words after the phrase in which the name stands.
const NAME_WITHIN: usize = 14;
/// The evidence of a signature in print: a promise of a hand elsewhere, which nobody sees here.
const NAMED: f32 = 0.7;
const IN_PLACE: f32 = 0.6;

/// A signature in print of the party, with its evidence.
pub(super) fn signature(
    name: &PartyName,
    places: &[Place],
    reading: &Reading,
    surface: &Surface,
) -> Option<(f32, Rect)> {
    let sheet = &reading.sheet;
    let tokens: Vec<&str> = sheet.tokens.iter().map(|token| token.text.as_str()).collect();
    let mut best: Option<(f32, Rect)> = None;
    for start in 0..tokens.len() {
        let Some(said) = phrase_at(&tokens[start..]) else { continue };
        let word = sheet.tokens[start].word;
        let piece = &sheet.pieces[sheet.piece_of_word[word]];
        if word > piece.first + 1 {
            continue;
        }
        let bounds = sheet.bounds(word, sheet.tokens[start + 1].word + 1);
        let column = |at: &Rect| at.overlap_x(&piece.bounds) > 0.0 || at.center_y() < piece.bounds.bottom();
        let after = sheet.pieces.iter().filter(|other| {
            let apart = other.bounds.top - piece.bounds.top;
            (-0.3 * surface.height..6.0 * surface.height).contains(&apart) && column(&other.bounds)
        });
        let following: Vec<&str> = after
            .flat_map(|other| &sheet.tokens[other.first_token..other.end_token])
            .filter(|token| token.word >= word)
            .map(|token| token.text.as_str())
            .take(2 + NAME_WITHIN)
            .collect();
        let in_place = places.iter().any(|place| {
            place.own
                && zone(place.slot(), &place.label, surface.height)
                    .contains_point(bounds.center_x(), bounds.center_y())
        });
        let score = if name.is_in(following.iter().copied()) {
            NAMED
        } else if in_place && said == Said::Done {
            IN_PLACE
        } else {
            continue;
        };
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, bounds));
        }
    }
    best
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// `Firmado digitalmente`.
    Done,
    /// `Firma digital`: a service or a heading unless a name follows.
    OfWhom,
}

/// Whether the two tokens say that somebody has signed by machine.
fn phrase_at(tokens: &[&str]) -> Option<Said> {
    let (first, second) = (tokens.first()?, tokens.get(1)?);
    let starts = |token: &str, stems: &[&str]| stems.iter().any(|stem| token.starts_with(stem));
    let machine = ["electronica", "digital", "electronic"];
    let signed = ["firmad", "signed"];
    if starts(first, &signed) && starts(second, &machine)
        || starts(first, &machine) && starts(second, &signed)
        || starts(first, &["docusigned", "esigned"])
    {
        return Some(Said::Done);
    }
    let heading = ["firma", "signature"];
    let names_kind = starts(first, &heading) && starts(second, &machine)
        || starts(first, &machine) && starts(second, &heading);
    names_kind.then_some(Said::OfWhom)
}

/// Whether a text says that somebody has signed by machine.
#[cfg(test)]
pub(super) fn says_signed(text: &str) -> bool {
    let tokens: Vec<String> = text.split_whitespace().flat_map(tokens_of).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    (0..tokens.len()).any(|start| phrase_at(&tokens[start..]) == Some(Said::Done))
}
