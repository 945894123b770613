//! Whether the labels of a page stand under their values, as the captions of many printed forms do. A page
//! keeps to one way; which, the labels tell that have a value on one side only.

use super::occurrence::Occurrence;
use super::relation::speaks;
use super::sheet::{Piece, Sheet, alignment_gap};

/// So many labels must have a value above them and none below.
const LEAST_CAPTIONS: usize = 3;
/// And so many times as many as the other way round.
const CLEARLY: usize = 2;
/// Heights of text between a value and its caption at most.
const CLOSE: f32 = 0.9;

/// What stands further away is another line of the form.
const FAR: f32 = 3.0;
/// A value is nearer to its label than to the next by this, in heights of text.
const NEARER: f32 = 0.25;

/// Whether values stand above their labels.
pub(super) fn stand_below(sheet: &Sheet, occurrences: &[Occurrence]) -> bool {
    let labels = occurrences.iter().filter(|label| {
        let piece = &sheet.pieces[label.piece];
        speaks(label) && !piece.prose && label.first == piece.first && label.piece == label.last_piece
    });
    let (mut under, mut over) = (0, 0);
    for label in labels {
        let piece = &sheet.pieces[label.piece];
        let values =
            || sheet.pieces.iter().enumerate().filter(|(index, other)| is_value(*index, other, occurrences));
        let nearest = |gaps: &mut dyn Iterator<Item = Option<f32>>| gaps.flatten().reduce(f32::min);
        // The first line of a label over two may look like a name; a figure is none.
        let figures = values()
            .filter(|(_, other)| sheet.text(other.first, other.end).contains(|ch: char| ch.is_ascii_digit()));
        let above = nearest(&mut figures.map(|(_, other)| gap(sheet, other, piece)));
        let below = nearest(&mut values().map(|(_, other)| gap(sheet, piece, other)));
        let (above, below) = (above.unwrap_or(f32::INFINITY), below.unwrap_or(f32::INFINITY));
        under += usize::from(above < CLOSE && above + NEARER < below);
        over += usize::from(below < CLOSE && below + NEARER < above);
    }
    under >= LEAST_CAPTIONS && under > CLEARLY * over
}

fn is_value(index: usize, piece: &Piece, occurrences: &[Occurrence]) -> bool {
    !piece.prose && occurrences.iter().all(|label| label.piece != index && label.last_piece != index)
}

/// Heights of text between two segments that stand over each other.
fn gap(sheet: &Sheet, upper: &Piece, lower: &Piece) -> Option<f32> {
    let gap = (lower.bounds.top - upper.bounds.bottom()) / sheet.height;
    let aligned = alignment_gap(&upper.bounds, &lower.bounds) < 0.8 * sheet.height;
    (aligned && (-0.4..FAR).contains(&gap)).then_some(gap.max(0.0))
}
