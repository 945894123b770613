//! How a value stands to a label: behind it in the same cell, right of it, below it, in its column's
//! total, before it in running text. Knows geometry only: lengths are compared with text heights.

use super::occurrence::Occurrence;
use super::sheet::{Piece, Sheet, alignment_gap};
use super::tokens::{is_letters, is_number_word};
use crate::domain::Rect;
use crate::extract::candidates::{Candidate, Typed};
use crate::extract::parse::text::fold;

/// The rows that close a column of amounts.
const TOTAL_WORDS: [&str; 7] = ["total", "totales", "totals", "suma", "sumas", "sum", "importes"];

/// A column of this many values under its heading is a list.
const LIST_ROWS: usize = 4;
/// Two or three values under one of so many headings are a short list, which leaves so much of a bond.
const TABLE_COLUMNS: usize = 3;
const SHORT_LIST: f32 = 0.5;
/// What is left of a bond that goes against the way of the page's captions.
const AGAINST_THE_WAY: f32 = 0.3;
/// Lines over which a label of running text may reach for its value: amounts spelt out take one.
const MOST_LINES: usize = 3;

/// A page with all its labels, and the values that one field could take.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub sheet: &'a Sheet<'a>,
    pub occurrences: &'a [Occurrence],
    pub candidates: &'a [Candidate],
    /// For each token of the sheet, whether any label covers it.
    pub labelled: &'a [bool],
    /// Labels stand under their values on this page.
    pub captions_below: bool,
}

/// Verbs that say a value of their subject, and what may stand between verb and value.
const COPULAS: [&str; 13] = [
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
];
const PREPOSITIONS: [&str; 4] = ["de", "a", "to", "at"];
/// Words that a stated value seems away from its label at most.
const STATED_GAP: usize = 3;

/// How well `candidate` stands to `label`, 0 to 1. 0 when it does not stand to it at all.
pub fn value_after(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    if closes_definition(view, label) || closes_sentence(view, label) {
        return 0.0;
    }
    let inline = inline(view, label, candidate);
    if inline > 0.0 {
        return inline;
    }
    let residue = residue(view, label);
    let apart =
        right(view, label, candidate).max(below(view, label, candidate)).max(above(view, label, candidate));
    (apart * residue).max(follows(view, label, candidate))
}

/// `(the "Borrower")`, `(el «Prestatario»)`: a name given to what stands before it.
fn closes_definition(view: &View, label: &Occurrence) -> bool {
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
fn closes_sentence(view: &View, label: &Occurrence) -> bool {
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

impl View<'_> {
    /// Words of letters between two words that no label explains and that spell no number.
    pub fn gap(&self, from: usize, to: usize) -> usize {
        self.unexplained(from, to).count()
    }

    fn unexplained(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        let words = &self.sheet.page.words;
        let mut bracketed = false;
        let start = self.sheet.tokens.partition_point(|token| token.word < from);
        let end = self.sheet.tokens.partition_point(|token| token.word < to.max(from));
        let tokens = self.sheet.tokens.iter().enumerate().skip(start).take(end.saturating_sub(start));
        tokens
            .filter(move |(index, token)| {
                let text = &words[token.word].text;
                bracketed |= text.starts_with('(');
                let inside = bracketed;
                if text.trim_end_matches([':', '.', ',']).ends_with(')') {
                    bracketed = false;
                }
                !inside
                    && !self.labelled[*index]
                    && is_letters(&token.text)
                    && !is_number_word(&token.text)
                    && !matches!(token.text.as_str(), "en" | "in")
            })
            .map(|(index, _)| index)
    }

    /// Labels of something else that begin between two words of one piece.
    fn labels_between(&self, label: &Occurrence, from: usize, to: usize) -> usize {
        let others = self.occurrences.iter().filter(|other| {
            other.first >= from && other.end <= to && !shares_field(label, other) && speaks(other)
        });
        others.count()
    }

    fn candidates_between(&self, piece: usize, from: usize, to: usize) -> usize {
        let others = self.candidates.iter();
        others.filter(|other| other.piece == piece && other.first >= from && other.end <= to).count()
    }
}

/// Whether both speak for a common field, as `Fecha / Date` do.
fn shares_field(one: &Occurrence, other: &Occurrence) -> bool {
    one.roles.iter().filter_map(|role| role.field()).any(|field| other.speaks_for(field))
}

/// Whether it is a label and not merely the heading of a party.
pub(super) fn speaks(occurrence: &Occurrence) -> bool {
    use super::lexicon::Role;
    occurrence.roles.iter().any(|role| {
        !matches!(role, Role::Heading { .. } | Role::Title | Role::After { .. } | Role::Column { .. })
    })
}

fn inline(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
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
pub(super) fn ends_sentence(sheet: &Sheet, from: usize, to: usize) -> bool {
    let words = sheet.page.words.get(from..to).unwrap_or_default();
    let letters = |text: &str| text.chars().filter(|ch| ch.is_alphabetic()).count();
    words.iter().any(|word| word.text.ends_with('.') && letters(&word.text) > 3)
}

/// How much of its cell the label is: words around it that nothing explains make it another label.
fn residue(view: &View, label: &Occurrence) -> f32 {
    let piece = &view.sheet.pieces[label.last_piece];
    let after_words = piece.end.saturating_sub(label.end).min(40);
    let after = view.gap(label.end, label.end + after_words);
    let own_value = view.candidates_between(label.last_piece, label.end, piece.end);
    let taken = if own_value > 0 { 0.35 } else { 1.0 };
    before_label(view, label) * 0.75_f32.powi(small(after)) * taken
}

fn before_label(view: &View, label: &Occurrence) -> f32 {
    let piece = &view.sheet.pieces[label.piece];
    let words = &view.sheet.page.words;
    let start = (piece.first..label.first)
        .rev()
        .find(|word| ends_clause(&words[*word].text) || is_value(view, *word))
        .map_or(piece.first, |word| word + 1);
    0.8_f32.powi(small(view.gap(start, label.first)))
}

fn is_value(view: &View, word: usize) -> bool {
    view.candidates.iter().any(|candidate| candidate.first <= word && word < candidate.end)
}

fn ends_clause(text: &str) -> bool {
    text.ends_with([':', ';', '.', ',', '·', '|', '•', '/', '-', '–']) && text.chars().count() != 2
}

fn right(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
    let sheet = view.sheet;
    let last = &sheet.pieces[label.last_piece];
    let label_line =
        if label.piece == label.last_piece { label.bounds } else { label.bounds.union(&last.bounds) };
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

fn below(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
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

/// What is left of a bond to a label that heads a column of several such values: the rows of a table are no
/// fields.
fn heads_list(view: &View, label: &Occurrence) -> f32 {
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

/// The value stands over its caption, as on cards of key figures.
fn above(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
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

/// The value comes on one of the next lines of the running text.
fn follows(view: &View, label: &Occurrence, candidate: &Candidate) -> f32 {
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

/// Another text in the label's line stands closer over the value than the label.
fn has_closer_header(view: &View, label: &Occurrence, candidate: &Candidate) -> bool {
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

fn small(count: usize) -> i32 {
    i32::try_from(count.min(20)).unwrap_or(20)
}
