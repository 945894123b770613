//! Running text under or beside its label, up to the next label or a gap.

use crate::domain::{Rect, Value};
use crate::extract::FieldReading;
use crate::extract::labels::evidence::Reading;
use crate::extract::labels::lexicon::Role;
use crate::extract::labels::occurrence::Occurrence;
use crate::extract::labels::sheet::{Piece, Sheet};

/// Lines of one text are no further apart than this, in text heights.
const LINE_GAP: f32 = 1.3;
/// Shorter texts are rather another label.
const SHORTEST: usize = 12;

pub(super) fn read(field: usize, readings: &[Reading]) -> Option<FieldReading> {
    let mut best: Option<FieldReading> = None;
    for reading in readings {
        let labels = reading.occurrences.iter().filter(|label| label.roles.contains(&Role::Label { field }));
        for label in labels.filter(|label| stands_alone(reading, label)) {
            if let Some(found) = text_of(reading, label)
                && best.as_ref().is_none_or(|known| found.score > known.score)
            {
                best = Some(found);
            }
        }
    }
    best
}

/// A label begins its cell; the same words within a sentence are none.
fn stands_alone(reading: &Reading, label: &Occurrence) -> bool {
    let piece = &reading.sheet.pieces[label.piece];
    let colon = reading.sheet.page.words.get(label.end - 1).is_some_and(|word| word.text.ends_with(':'));
    label.first <= piece.first + 1 && (colon || piece.end - label.end <= 4 || !piece.prose)
}

fn text_of(reading: &Reading, label: &Occurrence) -> Option<FieldReading> {
    let sheet = &reading.sheet;
    let own = &sheet.pieces[label.last_piece];
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let inline = label.end < own.end && !is_remark(&sheet.text(label.end, own.end));
    let mut line = if inline {
        runs.push((label.end, own.end));
        Some(label.last_piece)
    } else {
        let start = first_line(reading, label)?;
        runs.push((sheet.pieces[start].first, sheet.pieces[start].end));
        Some(start)
    };
    let beside = line.is_some_and(|line| sheet.pieces[line].row == own.row && line != label.last_piece);
    while let Some(current) = line {
        line = next_line(reading, current, if beside || inline { Some(label.bounds.left) } else { None });
        if let Some(next) = line {
            runs.push((sheet.pieces[next].first, sheet.pieces[next].end));
        }
        if runs.len() > 40 {
            break;
        }
    }
    let text = runs.iter().map(|(first, end)| sheet.text(*first, *end)).collect::<Vec<_>>().join(" ");
    let value = text.trim_matches(|ch: char| ch.is_whitespace() || ch == ':').to_owned();
    let certainty = runs.iter().map(|(first, end)| mean_certainty(sheet, *first, *end)).fold(1.0, f32::min);
    let bounds = Rect::around(runs.iter().map(|(first, end)| sheet.bounds(*first, *end)))?;
    let length = value.chars().count();
    let score = 0.9 * label.quality * if length < SHORTEST { 0.3 } else { 1.0 } * (0.4 + 0.6 * certainty);
    (length > 0).then(|| FieldReading {
        value: Value::Text(value.clone()),
        raw: value,
        score,
        page_index: sheet.index,
        bounds,
        checks: Vec::new(),
        repaired: false,
    })
}

/// `(breve)`, `(máximo 10 líneas)`: a remark of the label.
fn is_remark(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('(') && text.ends_with([')', ':']) || !text.chars().any(char::is_alphanumeric)
}

fn mean_certainty(sheet: &Sheet, first: usize, end: usize) -> f32 {
    let words = sheet.page.words.get(first..end).unwrap_or_default();
    let sum: f32 = words.iter().map(|word| word.confidence).sum();
    if words.is_empty() { 1.0 } else { sum / words.len() as f32 }
}

/// The line right of the label, or the first one below it.
fn first_line(reading: &Reading, label: &Occurrence) -> Option<usize> {
    let sheet = &reading.sheet;
    let own = &sheet.pieces[label.last_piece];
    let right = sheet.pieces.get(label.last_piece + 1).filter(|next| {
        next.row == own.row && !begins_with_label(reading, label.last_piece + 1) && next.end - next.first >= 2
    });
    if right.is_some() {
        return Some(label.last_piece + 1);
    }
    let below = sheet.pieces.iter().enumerate().filter(|(index, piece)| {
        let gap = piece.bounds.top - label.bounds.bottom();
        piece.bounds.left < label.bounds.right()
            && piece.bounds.right() > label.bounds.left
            && piece.bounds.left > label.bounds.left - 4.0 * sheet.height
            && (-0.3 * sheet.height..4.0 * sheet.height).contains(&gap)
            && *index != label.piece
            && *index != label.last_piece
    });
    let (index, _) = below.min_by(|(_, a), (_, b)| a.bounds.top.total_cmp(&b.bounds.top))?;
    (!begins_with_label(reading, index)).then_some(index)
}

fn next_line(reading: &Reading, current: usize, left_limit: Option<f32>) -> Option<usize> {
    let sheet = &reading.sheet;
    let piece = &sheet.pieces[current];
    let height = sheet.height.max(piece.bounds.height * 0.8);
    let fits = |other: &Piece| {
        let gap = other.bounds.top - piece.bounds.bottom();
        let aligned = (other.bounds.left - piece.bounds.left).abs() < 2.5 * height
            || left_limit.is_some_and(|left| (other.bounds.left - left).abs() < 1.5 * height);
        other.row > piece.row && gap < LINE_GAP * height && gap > -0.6 * height && aligned
    };
    let (index, _) = sheet.pieces.iter().enumerate().skip(current + 1).find(|(_, other)| fits(other))?;
    let heading = is_numbered_heading(&sheet.text(sheet.pieces[index].first, sheet.pieces[index].end));
    (!heading && !begins_with_label(reading, index)).then_some(index)
}

/// `4. Devolución` opens the next part of a form.
fn is_numbered_heading(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let number = words.next().and_then(|word| word.strip_suffix(['.', ')', '-']));
    let numbered =
        number.is_some_and(|number| number.len() <= 2 && number.chars().all(|ch| ch.is_ascii_alphanumeric()));
    numbered && words.next().is_some_and(|word| word.starts_with(char::is_uppercase)) && words.count() <= 4
}

/// Another field's label opens the piece and is set off from what follows.
fn begins_with_label(reading: &Reading, index: usize) -> bool {
    let sheet = &reading.sheet;
    let piece = &sheet.pieces[index];
    reading.occurrences.iter().any(|label| {
        let last = sheet.page.words.get(label.end.wrapping_sub(1));
        let colon = last.is_some_and(|word| word.text.ends_with(':'));
        let whole = piece.end.saturating_sub(label.end) <= 1;
        label.piece == index && label.first <= piece.first + 1 && (colon || whole && label.tokens.len() > 1)
    })
}
