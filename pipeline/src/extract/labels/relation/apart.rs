//! A value in a cell of its own: right of its label, below it, above it, with what stands in the way.

use super::super::occurrence::Occurrence;
use super::super::sheet::{Piece, alignment_gap};
use super::columns::{has_closer_header, heads_list};
use super::{View, shares_field, small, speaks};
use crate::domain::Rect;
use crate::extract::candidates::Candidate;

/// What is left of a bond that goes against the way of the page's captions.
const AGAINST_THE_WAY: f32 = 0.3;

pub(super) fn right(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let sheet = view.sheet;
    let last = &sheet.pieces[label.last_piece];
    let label_line =
        if label.piece == label.last_piece { label.bounds } else { label.bounds.union(&last.bounds) };
    let label_line = in_two_languages(view, label).map_or(label_line, |other| label_line.union(&other));
    let value = &candidate.bounds;
    let shared = label_line.overlap_y(value);
    if candidate.piece == label.piece
        || shared < 0.45 * label_line.height.min(value.height)
        || value.left < label_line.right() - 0.3 * sheet.height
    {
        return 0.0;
    }
    let distance = (value.left - label_line.right()) / sheet.height;
    let near = 1.0 - 0.4 * distance.clamp(0.0, 80.0) / 80.0;
    let corridor = Rect::from_edges(
        label_line.right(),
        value.top.max(label_line.top),
        value.left,
        value.bottom().min(label_line.bottom()),
    );
    0.97 * near
        * obstacles(view, label, candidate, &corridor, [0.35, 0.55, 0.75])
        * before_value(view, label, candidate)
}

/// The same label in another language right over or under it, in one cell with it; the value may stand
/// between their lines.
fn in_two_languages(view: &View, label: &Occurrence) -> Option<Rect> {
    let height = view.sheet.height;
    let in_one_cell = |other: &&Occurrence| {
        let (upper, lower) =
            if other.bounds.top > label.bounds.top { (label, *other) } else { (*other, label) };
        let gap = lower.bounds.top - upper.bounds.bottom();
        other.piece != label.piece
            && (-0.4 * height..0.6 * height).contains(&gap)
            && (other.bounds.left - label.bounds.left).abs() < 0.8 * height
            && shares_field(label, other)
    };
    view.occurrences.iter().find(in_one_cell).map(|other| other.bounds)
}

pub(super) fn below(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let sheet = view.sheet;
    let value = &candidate.bounds;
    let gap = (value.top - label.bounds.bottom()) / sheet.height;
    let overlap = label.bounds.overlap_x(value);
    if !(-0.4..=14.0).contains(&gap)
        || candidate.piece == label.piece
        || overlap <= 0.0
        || sheet.pieces[label.piece].prose
    {
        return 0.0;
    }
    let aligned = match alignment_gap(&label.bounds, value) / sheet.height {
        apart if apart < 0.6 => 1.0,
        apart if apart < 1.5 => 0.93,
        _ if overlap > 0.5 * label.bounds.width.min(value.width) => 0.8,
        _ => 0.5,
    };
    let near = match gap {
        gap if gap < 1.2 => 1.0,
        gap if gap < 2.2 => 0.95,
        gap if gap < 4.0 => 0.8,
        gap if gap < 8.0 => 0.6,
        _ => 0.45,
    };
    let left = label.bounds.left.max(value.left);
    let right = label.bounds.right().min(value.right()).max(left + 0.1);
    let corridor = Rect::from_edges(left, label.bounds.bottom(), right, value.top);
    let crossed = obstacles(view, label, candidate, &corridor, [0.35, 0.6, 0.75]);
    let contested = if has_closer_header(view, label, candidate) { 0.3 } else { 1.0 };
    let list = heads_list(view, label);
    let way = if view.captions_below { AGAINST_THE_WAY } else { 1.0 };
    0.95 * way * aligned * near * crossed * contested * list * before_value(view, label, candidate)
}

/// The value stands over its caption, as on cards of key figures.
pub(super) fn above(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let sheet = view.sheet;
    let gap = (label.bounds.top - candidate.bounds.bottom()) / sheet.height;
    let alone = sheet.pieces[candidate.piece].first == candidate.first;
    if !(-0.2..1.2).contains(&gap) || !alone || sheet.pieces[label.piece].prose {
        return 0.0;
    }
    if alignment_gap(&label.bounds, &candidate.bounds) > 0.8 * sheet.height {
        return 0.0;
    }
    if view.captions_below { 0.95 } else { 0.45 }
}

/// Text before the value in its own cell: words of another label weigh more than others.
fn before_value(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let piece = &view.sheet.pieces[candidate.piece];
    let gap = view.gap(piece.first, candidate.first);
    let labels = view.labels_between(label, piece.first, candidate.first);
    let seconds = view.candidates_between(candidate.piece, piece.first, candidate.first);
    0.85_f32.powi(small(gap)).max(0.3) * 0.3_f32.powi(small(labels)) * 0.55_f32.powi(small(seconds))
}

/// What stands in the way from the label to the value: other labels, other values, other text.
fn obstacles(
    view: &View,
    label: &Occurrence,
    candidate: &Candidate,
    corridor: &Rect,
    weights: [f32; 3],
) -> f32 {
    let mut free = 1.0;
    for (index, piece) in view.sheet.pieces.iter().enumerate() {
        let own = index == label.piece || index == label.last_piece || index == candidate.piece;
        if own || !crosses(&piece.bounds, corridor) {
            continue;
        }
        free *= obstacle(view, label, index, piece, weights);
    }
    free
}

fn obstacle(view: &View, label: &Occurrence, index: usize, piece: &Piece, weights: [f32; 3]) -> f32 {
    let [other_label, other_value, other_text] = weights;
    let labels = view.occurrences.iter().filter(|other| other.piece == index && speaks(other));
    let mut same = false;
    for other in labels {
        if !shares_field(label, other) {
            return other_label;
        }
        same = true;
    }
    if same || label.tokens.iter().any(|token| (piece.first_token..piece.end_token).contains(token)) {
        return 1.0;
    }
    if view.candidates.iter().any(|other| other.piece == index) {
        return other_value;
    }
    if view.gap(piece.first, piece.end) > 0 { other_text } else { 1.0 }
}

fn crosses(bounds: &Rect, corridor: &Rect) -> bool {
    let across = bounds.overlap_x(corridor);
    let along = bounds.overlap_y(corridor);
    across > 0.2 * bounds.width.min(corridor.width.max(0.1))
        && along > 0.4 * bounds.height.min(corridor.height.max(0.1))
}
