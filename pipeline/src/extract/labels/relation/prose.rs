//! A value in the line of its label and in running text: behind it, on the lines after it, before it.

use super::super::occurrence::Occurrence;
use super::super::sheet::Sheet;
use super::{View, before_label, small};
use crate::extract::candidates::{Candidate, Typed};
use crate::extract::parse::text::fold;

/// Lines over which a label of running text may reach for its value: amounts spelt out take one.
const MOST_LINES: usize = 3;

/// Verbs that say a value of their subject, and what may stand between verb and value.
const COPULAS: [&str; 21] = [
    "es",
    "era",
    "fue",
    "son",
    "sera",
    "asciende",
    "ascienden",
    "ascendia",
    "is",
    "was",
    "are",
    "reads",
    "amounts",
    "alcanza",
    "alcanzan",
    "importa",
    "importan",
    "supone",
    "suponen",
    "comes",
    "totals",
];

const PREPOSITIONS: [&str; 4] = ["de", "a", "to", "at"];

/// Words that a stated value seems away from its label at most.
const STATED_GAP: usize = 3;

/// `(the "Borrower")`, `(el «Prestatario»)`: a name given to what stands before it.
pub(super) fn closes_definition(view: &View, label: &Occurrence) -> bool {
    let words = &view.sheet.page.words;
    let (Some(first), Some(last)) = (words.get(label.first), words.get(label.end.max(1) - 1)) else {
        return false;
    };
    let quoted = first.text.trim_start_matches('(').starts_with(['"', '“', '«', '\'', '‘', '„']);
    let closed = last.text.trim_end_matches([',', ';', '.', ':']).ends_with(')');
    quoted && closed
}

/// A sentence that ends with the label's words says nothing of what follows. A short word with a
/// point is an abbreviation.
pub(super) fn closes_sentence(view: &View, label: &Occurrence) -> bool {
    let piece = &view.sheet.pieces[label.last_piece];
    let last = view.sheet.page.words.get(label.end.max(1) - 1);
    let stop = last.and_then(|word| word.text.strip_suffix('.'));
    let word = stop.is_some_and(|word| word.chars().count() > 3 && !word.contains('.'));
    piece.prose && label.first > view.sheet.pieces[label.piece].first && word
}

/// The value stands right before the label: `48 cuotas mensuales`. A name may be parted from its
/// definition by an address: `Norte, S.A., con domicilio en …, en adelante la Prestamista`.
pub fn value_before(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let pieces = &view.sheet.pieces;
    let name = matches!(candidate.value, Typed::Text(_)) && pieces[candidate.last_piece].prose;
    let (most_gap, decay, lines) = if name { (30, 0.96, MOST_LINES) } else { (3, 0.6, 1) };
    let (mut at, mut from) = (candidate.last_piece, candidate.end);
    let (mut gap, mut others) = (0, 0);
    for _ in 0..=lines {
        let to = if at == label.piece { label.first } else { pieces[at].end };
        if to < from {
            return 0.0;
        }
        gap += view.gap(from, to);
        others += view.candidates_between(at, from, to);
        if at == label.piece {
            let second: f32 = if name { 0.8 } else { 0.3 };
            let near = 0.95 * f32::powi(decay, small(gap)) * second.powi(small(others));
            return if gap > most_gap { 0.0 } else { near };
        }
        let Some(below) = pieces[at].below else { return 0.0 };
        (at, from) = (below, pieces[below].first);
    }
    0.0
}

pub(super) fn inline(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    if candidate.piece != label.last_piece || candidate.first + 1 < label.end || candidate.end <= label.first
    {
        return 0.0;
    }
    if candidate.first < label.end && candidate.first <= label.first {
        return 0.0;
    }
    let piece = &view.sheet.pieces[label.last_piece];
    let (from, to) = (label.end, candidate.first.max(label.end));
    let gap = view.gap(from, to);
    // `La lectura que marca hoy mi contador es de 15.624 kWh`: what comes between belongs to the subject.
    let stated = piece.prose && is_stated(view.sheet, from, to);
    let subject = stated && opens_sentence(view, label);
    let gap = small(if subject { gap.min(STATED_GAP) } else { gap });
    let near = if piece.prose { 0.97 * 0.88_f32.powi(gap) } else { 0.8_f32.powi(gap) };
    let blocked = match view.labels_between(label, from, to) {
        _ if subject => 1.0,
        _ if stated && gap > 1 => 0.35,
        others => 0.35_f32.powi(small(others)),
    };
    let second = 0.5_f32.powi(small(view.candidates_between(candidate.piece, from, to)));
    let sentence = if ends_sentence(view.sheet, from, to) { 0.3 } else { 1.0 };
    let before = if piece.prose { mention(view, label, candidate) } else { before_label(view, label) };
    near * blocked * second * sentence * before
}

/// In running text a word such as `cliente` is often no label: a name after it must be set off by a
/// comma, a colon or a title.
fn mention(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let words = &view.sheet.page.words;
    let set_off = |word: usize| words.get(word).is_some_and(|word| word.text.ends_with([':', '.']));
    let is_name = matches!(candidate.value, Typed::Text(_));
    if is_name && label.tokens.len() == 1 && !set_off(label.end - 1) && !set_off(candidate.first.max(1) - 1) {
        return 0.6;
    }
    1.0
}

/// Whether the words end with `is` or `es de`, so that what follows is said of what stands before.
fn is_stated(sheet: &Sheet, from: usize, to: usize) -> bool {
    let words = sheet.page.words.get(from..to).unwrap_or_default();
    let mut last = words.iter().rev().map(|word| fold(&word.text));
    let verb = last.next().filter(|word| !PREPOSITIONS.contains(&word.as_str())).or_else(|| last.next());
    verb.is_some_and(|word| COPULAS.contains(&word.as_str()))
}

/// Whether no other label stands before it in its sentence.
fn opens_sentence(view: &View, label: &Occurrence) -> bool {
    let earlier = |other: &&Occurrence| {
        other.last_piece == label.piece
            && other.first < label.first
            && !ends_sentence(view.sheet, other.first, label.first)
    };
    view.occurrences.iter().find(earlier).is_none()
}

/// A full stop followed by a capital between two words.
pub(in super::super) fn ends_sentence(sheet: &Sheet, from: usize, to: usize) -> bool {
    let words = sheet.page.words.get(from..to).unwrap_or_default();
    let letters = |text: &str| text.chars().filter(|ch| ch.is_alphabetic()).count();
    words.iter().any(|word| word.text.ends_with('.') && letters(&word.text) > 3)
}

/// The value comes on one of the next lines of the running text.
pub(super) fn follows(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let pieces = &view.sheet.pieces;
    let mut at = label.last_piece;
    let mut from = label.end;
    let mut strength = 0.95;
    if !pieces[at].prose {
        return 0.0;
    }
    for _ in 0..MOST_LINES {
        let Some(below) = pieces[at].below else { return 0.0 };
        strength *= way_through(view, label, at, from, pieces[at].end);
        if below == candidate.piece {
            return strength * way_through(view, label, below, pieces[below].first, candidate.first);
        }
        (at, from) = (below, pieces[below].first);
    }
    0.0
}

/// What a stretch of running text between label and value leaves of their bond.
fn way_through(view: &View, label: &Occurrence, piece: usize, from: usize, to: usize) -> f32 {
    let gap = small(view.gap(from, to));
    let blocked = small(view.labels_between(label, from, to));
    let second = small(view.candidates_between(piece, from, to));
    let sentence = if ends_sentence(view.sheet, from, to) { 0.3 } else { 1.0 };
    0.88_f32.powi(gap) * 0.35_f32.powi(blocked) * 0.5_f32.powi(second) * sentence
}
