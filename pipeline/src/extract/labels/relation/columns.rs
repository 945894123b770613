//! Labels that head a column: its total, a list of values, another heading that stands closer.

use super::super::occurrence::Occurrence;
use super::super::sheet::{Sheet, alignment_gap};
use super::{View, speaks};
use crate::domain::Rect;
use crate::extract::candidates::{Candidate, Typed};

/// The rows that close a column of amounts.
const TOTAL_WORDS: [&str; 7] = ["total", "totales", "totals", "suma", "sumas", "sum", "importes"];

/// A column of this many values under its heading is a list.
const LIST_ROWS: usize = 4;

/// Two or three values under one of so many headings are a short list, which leaves so much of a bond.
const TABLE_COLUMNS: usize = 3;

const SHORT_LIST: f32 = 0.5;

/// The value closes the column under the label: in a row that begins with `Total`.
pub fn column_total(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let sheet = view.sheet;
    if candidate.bounds.top < label.bounds.bottom() || sheet.pieces[label.piece].prose {
        return 0.0;
    }
    let in_column = alignment_gap(&label.bounds, &candidate.bounds) < 1.5 * sheet.height
        && !has_closer_header(view, label, candidate);
    if !in_column || !begins_with_total(sheet, candidate) {
        return 0.0;
    }
    let totals_between = view.candidates.iter().filter(|other| {
        other.bounds.top > label.bounds.bottom()
            && other.bounds.bottom() < candidate.bounds.top
            && begins_with_total(sheet, other)
    });
    if totals_between.count() > 0 { 0.3 } else { 0.85 }
}

fn begins_with_total(sheet: &Sheet, candidate: &Candidate) -> bool {
    let row = sheet.pieces[candidate.piece].row;
    let first = sheet.pieces.iter().find(|piece| {
        piece.row == row && piece.first_token < piece.end_token && piece.bounds.left < candidate.bounds.left
    });
    first.is_some_and(|piece| {
        let tokens = &sheet.tokens[piece.first_token..piece.end_token];
        tokens.len() <= 3 && tokens.first().is_some_and(|token| TOTAL_WORDS.contains(&token.text.as_str()))
    })
}

/// What is left of a bond to a label that heads a column of several such values: the rows of a table are no
/// fields.
pub(super) fn heads_list(view: &View, label: &Occurrence) -> f32 {
    let height = view.sheet.height;
    let mut bottom = label.bounds.bottom();
    let (mut rows, mut dates) = (0, 0);
    for candidate in view.candidates {
        let bounds = &candidate.bounds;
        let next = bounds.top >= bottom - 0.3 * height && bounds.top < bottom + 2.5 * height;
        if next && alignment_gap(&label.bounds, bounds) < 1.5 * height {
            if has_heading_between(view, label, bounds) {
                break;
            }
            rows += 1;
            dates += usize::from(matches!(candidate.value, Typed::Date(_)));
            bottom = bounds.bottom();
        }
    }
    match rows {
        rows if rows >= LIST_ROWS => 0.25,
        // Words of the next heading may look like a code or a name, not like a date.
        _ if dates > 1 && is_table_heading(view, label) => SHORT_LIST,
        _ => 1.0,
    }
}

/// Whether another label stands under this one, over the value: a form's next line of captions.
fn has_heading_between(view: &View, label: &Occurrence, value: &Rect) -> bool {
    let slack = 0.3 * view.sheet.height;
    view.occurrences.iter().any(|other| {
        speaks(other)
            && other.bounds.top > label.bounds.bottom() - slack
            && other.bounds.bottom() < value.top + slack
            && alignment_gap(&other.bounds, value) < 1.5 * view.sheet.height
    })
}

/// One of several headings in a row, over rows of as many cells.
fn is_table_heading(view: &View, label: &Occurrence) -> bool {
    let pieces = &view.sheet.pieces;
    let row = pieces[label.piece].row;
    let cells = |row: usize| pieces.iter().filter(|piece| piece.row == row).count();
    let heads = cells(row);
    heads >= TABLE_COLUMNS && (1..=2).all(|further| cells(row + further) + 1 >= heads)
}

/// Another text in the label's line stands closer over the value than the label.
pub(super) fn has_closer_header(view: &View, label: &Occurrence, candidate: &Candidate) -> bool {
    let own = alignment_gap(&label.bounds, &candidate.bounds);
    view.sheet.pieces.iter().enumerate().any(|(index, piece)| {
        index != label.piece
            && index != label.last_piece
            && index != candidate.piece
            && piece.bounds.overlap_y(&label.bounds) > 0.4 * piece.bounds.height.min(label.bounds.height)
            && piece.bounds.overlap_x(&candidate.bounds) > label.bounds.overlap_x(&candidate.bounds) * 0.9
            && alignment_gap(&piece.bounds, &candidate.bounds) < own
    })
}
