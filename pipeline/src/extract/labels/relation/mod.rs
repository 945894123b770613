//! How a value stands to a label: behind it in the same cell, right of it, below it, in its column's
//! total, before it in running text. Knows geometry only: lengths are compared with text heights.

mod prose;
mod columns;
mod apart;

use std::ops::Range;

use super::occurrence::Occurrence;
use super::sheet::Sheet;
use super::tokens::{is_letters, is_number_word};
use crate::extract::candidates::Candidate;
use crate::extract::parse::text::fold;

use apart::{above, below, right};
use prose::{closes_definition, closes_sentence, follows, inline};

pub use columns::column_total;
pub(super) use prose::ends_sentence;
pub use prose::value_before;

/// Words that begin a clause about what was just said.
const RELATIVE: [&str; 2] = ["que", "which"];
/// Words of such a clause at most; longer ones lead elsewhere.
const LONGEST_CLAUSE: usize = 20;

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

impl View<'_> {
    /// Words of letters between two words that no label explains and that spell no number.
    pub fn gap(&self, from: usize, to: usize) -> usize {
        self.unexplained(from, to).count()
    }

    fn unexplained(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        let words = &self.sheet.page.words;
        let mut bracketed = false;
        let aside = self.aside(from, to);
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
                    && !aside.contains(&token.word)
                    && !self.labelled[*index]
                    && is_letters(&token.text)
                    && !is_number_word(&token.text)
                    && !matches!(token.text.as_str(), "en" | "in")
            })
            .map(|(index, _)| index)
    }

    /// Labels of something else that begin between two words of one piece.
    fn labels_between(&self, label: &Occurrence, from: usize, to: usize) -> usize {
        let aside = self.aside(from, to);
        let others = self.occurrences.iter().filter(|other| {
            other.first >= from
                && other.end <= to
                && !aside.contains(&other.first)
                && !shares_field(label, other)
                && speaks(other)
        });
        others.count()
    }

    fn candidates_between(&self, piece: usize, from: usize, to: usize) -> usize {
        let aside = self.aside(from, to);
        let others = self.candidates.iter().filter(|other| {
            other.piece == piece && other.first >= from && other.end <= to && !aside.contains(&other.first)
        });
        others.count()
    }

    /// The relative clause between two words: `TAE, que incluye la comisión de 133,00 €, es del 9,80 %`.
    /// What it says is said of something else. It may have begun on the line before, or end on the next.
    fn aside(&self, from: usize, to: usize) -> Range<usize> {
        let words = &self.sheet.page.words;
        let ends_in_comma = |word: &usize| words[*word].text.ends_with(',');
        let opens = |word: usize| {
            word.checked_sub(1).is_some_and(|before| ends_in_comma(&before))
                && RELATIVE.contains(&fold(&words[word].text).as_str())
        };
        let closed = |first: usize| (first..words.len().min(first + LONGEST_CLAUSE)).find(ends_in_comma);
        let begins_line = self.sheet.piece_of_word.get(from).map(|piece| self.sheet.pieces[*piece].first);
        let earliest = if begins_line == Some(from) { from.saturating_sub(LONGEST_CLAUSE) } else { from };
        let clauses = (earliest..to.min(words.len())).filter(|word| opens(*word));
        let mut clauses = clauses.filter_map(|first| Some(first..closed(first)? + 1));
        clauses.find(|clause| clause.end > from).unwrap_or_default()
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

fn small(count: usize) -> i32 {
    i32::try_from(count.min(20)).unwrap_or(20)
}
