//! Where the phrases of a lexicon stand on a page: within a segment, over two lines of a cell, over
//! neighbouring cells; exact on born-digital text, tolerant to misread characters on OCR text.

use super::lexicon::{Letters, Lexicon, Role, letters_of};
use super::sheet::Sheet;
use crate::domain::Rect;

/// A label has at most this many tokens.
const MOST_TOKENS: usize = 12;

/// An abbreviated label has at most this many tokens, at least so many letters, and this quality.
const MOST_ABBREVIATED: usize = 4;
const LEAST_LETTERS: usize = 5;
const ABBREVIATED: f32 = 0.85;

/// A phrase of the lexicon on a page.
#[derive(Debug, Clone)]
pub struct Occurrence {
    /// The piece in which it begins, and the one in which it ends.
    pub piece: usize,
    pub last_piece: usize,
    /// Words of the first piece, and the word after its last word in the last piece.
    pub first: usize,
    pub end: usize,
    /// Tokens of the sheet, in order.
    pub tokens: Vec<usize>,
    pub bounds: Rect,
    /// 1 for an exact match, less for every misread character.
    pub quality: f32,
    pub roles: Vec<Role>,
}

impl Occurrence {
    /// Whether any of its roles speaks for the field.
    pub fn speaks_for(&self, field: usize) -> bool {
        self.roles.iter().any(|role| role.field() == Some(field))
    }
}

/// All occurrences on a page; shorter phrases within longer ones are left out.
pub fn find_occurrences(lexicon: &Lexicon, sheet: &Sheet) -> Vec<Occurrence> {
    let mut found = Vec::new();
    for index in 0..sheet.pieces.len() {
        let mut seen = 0; // tokens at its begin that another flow of the piece has too
        for flow in flows(sheet, index) {
            search(lexicon, sheet, index, &flow, seen, &mut found);
            seen = sheet.pieces[index].end_token - sheet.pieces[index].first_token;
        }
    }
    let found = without_stacked(sheet, found);
    without_contained(found)
}

/// The token sequences in which a label that begins in this piece may run.
fn flows(sheet: &Sheet, index: usize) -> Vec<Vec<usize>> {
    let piece = &sheet.pieces[index];
    let own: Vec<usize> = (piece.first_token..piece.end_token).collect();
    let mut flows = Vec::new();
    let next = sheet
        .pieces
        .get(index + 1)
        .filter(|next| next.row == piece.row && next.bounds.left - piece.bounds.right() < 2.5 * sheet.height);
    for follower in [piece.below.and_then(|below| sheet.pieces.get(below)), next].into_iter().flatten() {
        let mut flow = own.clone();
        flow.extend((follower.first_token..follower.end_token).take(MOST_TOKENS));
        if let Some(third) = follower.below.and_then(|below| sheet.pieces.get(below))
            && !follower.prose
            && follower.row != piece.row
        {
            flow.extend((third.first_token..third.end_token).take(MOST_TOKENS));
        }
        flows.push(flow);
    }
    if flows.is_empty() {
        flows.push(own);
    }
    flows
}

fn search(
    lexicon: &Lexicon,
    sheet: &Sheet,
    piece: usize,
    flow: &[usize],
    seen: usize,
    found: &mut Vec<Occurrence>,
) {
    let tolerant = sheet.page.source.is_ocr();
    let own = sheet.pieces[piece].end_token - sheet.pieces[piece].first_token;
    for start in 0..own.min(flow.len()) {
        let mut joined = String::new();
        for length in 1..=MOST_TOKENS.min(flow.len() - start) {
            let tokens = &flow[start..start + length];
            joined.push_str(&sheet.tokens[tokens[length - 1]].text);
            if start + length <= seen {
                continue;
            }
            if let Some(phrase) = lexicon.exact(&joined) {
                keep(found, occurrence(lexicon, sheet, piece, tokens, phrase, 1.0));
                continue;
            }
            search_abbreviated(lexicon, sheet, piece, tokens, found);
            if tolerant && joined.len() >= 5 {
                search_tolerant(lexicon, sheet, piece, tokens, &joined, found);
            }
        }
    }
}

/// Phrases of which some words are cut short with a point: `F. VENCIM.` for `fecha vencimiento`.
fn search_abbreviated(
    lexicon: &Lexicon,
    sheet: &Sheet,
    piece: usize,
    tokens: &[usize],
    found: &mut Vec<Occurrence>,
) {
    if tokens.len() > MOST_ABBREVIATED || !tokens.iter().any(|token| sheet.tokens[*token].cut_short) {
        return;
    }
    let text = |token: usize| sheet.tokens[token].text.as_str();
    let letters: usize = tokens.iter().map(|token| text(*token).chars().count()).sum();
    let Some(initial) = text(tokens[0]).chars().next().filter(|_| letters >= LEAST_LETTERS) else { return };
    for phrase in lexicon.with_initial(tokens.len(), initial) {
        let whole = &lexicon.phrases[*phrase].tokens;
        let stands_for = |(token, whole): (&usize, &String)| {
            text(*token) == whole
                || sheet.tokens[*token].cut_short
                    && whole.len() > text(*token).len() + 1
                    && whole.starts_with(text(*token))
        };
        if tokens.iter().zip(whole).all(stands_for) {
            keep(found, occurrence(lexicon, sheet, piece, tokens, *phrase, ABBREVIATED));
        }
    }
}

/// Characters that may differ, by the length of the label: about one in eight, none in short ones.
fn allowed_edits(length: usize) -> usize {
    match length {
        0..=4 => 0,
        5..=12 => 1,
        13..=20 => 2,
        21..=30 => 3,
        _ => length / 8,
    }
}

fn search_tolerant(
    lexicon: &Lexicon,
    sheet: &Sheet,
    piece: usize,
    tokens: &[usize],
    joined: &str,
    found: &mut Vec<Occurrence>,
) {
    let slack = allowed_edits(joined.len() + 1);
    let letters = letters_of(joined);
    for length in joined.len().saturating_sub(slack)..=joined.len() + slack {
        for phrase in lexicon.of_length(length) {
            let whole = &lexicon.phrases[*phrase];
            let target = &whole.joined;
            let allowed = allowed_edits(target.len().min(joined.len()));
            if allowed == 0 || letters_apart(&letters, &whole.letters) > 2 * allowed {
                continue;
            }
            let edits = strsim::levenshtein(joined, target);
            if edits > 0 && edits <= allowed && !absorbs_token(lexicon, sheet, tokens, target, edits) {
                let quality = 1.0 - 1.2 * edits as f32 / target.len().max(1) as f32;
                keep(found, occurrence(lexicon, sheet, piece, tokens, *phrase, quality));
            }
        }
    }
}

/// The match would be better without one of its tokens, or as good and a label of its own: a word of
/// something else that the tolerance swallowed, as the number in `36 months | 7.80 %`.
fn absorbs_token(lexicon: &Lexicon, sheet: &Sheet, tokens: &[usize], target: &str, edits: usize) -> bool {
    let without = |left_out: usize| -> String {
        let others = tokens.iter().enumerate().filter(|(place, _)| *place != left_out);
        others.map(|(_, token)| sheet.tokens[*token].text.as_str()).collect()
    };
    let swallowed = |place: usize| {
        let others = without(place);
        let apart = strsim::levenshtein(&others, target);
        apart < edits || apart == edits && lexicon.exact(&others).is_some()
    };
    tokens.len() > 1 && (0..tokens.len()).any(swallowed)
}

fn letters_apart(one: &Letters, other: &Letters) -> usize {
    one.iter().zip(other).map(|(a, b)| usize::from(a.abs_diff(*b))).sum()
}

fn occurrence(
    lexicon: &Lexicon,
    sheet: &Sheet,
    piece: usize,
    tokens: &[usize],
    phrase: usize,
    quality: f32,
) -> Occurrence {
    let first = sheet.tokens[tokens[0]].word;
    let last = sheet.tokens[tokens[tokens.len() - 1]].word;
    let words = tokens.iter().map(|token| sheet.page.words[sheet.tokens[*token].word].bounds);
    let remark = is_remark(sheet, piece, first, last);
    Occurrence {
        piece,
        last_piece: sheet.piece_of_word[last],
        first,
        end: last + 1,
        tokens: tokens.to_vec(),
        bounds: Rect::around(words).unwrap_or_default(),
        quality: if remark { 0.3 * quality } else { quality },
        roles: lexicon.phrases[phrase].roles.clone(),
    }
}

/// Words in brackets behind others: `39.467 (actual)` is a remark, no label.
fn is_remark(sheet: &Sheet, piece: usize, first: usize, last: usize) -> bool {
    let words = &sheet.page.words;
    let bracketed = words[first].text.starts_with('(')
        && words[last].text.trim_end_matches([':', '.', ',']).ends_with(')');
    bracketed
        && first > sheet.pieces[piece].first
        && words[first - 1].text.chars().any(|ch| ch.is_ascii_digit())
}

/// Adds an occurrence; the same tokens matched by two phrases are one occurrence with both's roles,
/// the better match first.
fn keep(found: &mut Vec<Occurrence>, new: Occurrence) {
    let Some(known) = found.iter_mut().rev().take(400).find(|known| known.tokens == new.tokens) else {
        found.push(new);
        return;
    };
    if new.quality > known.quality + 0.05 {
        *known = new;
    } else if new.quality > known.quality - 0.05 {
        for role in new.roles {
            if !known.roles.contains(&role) {
                known.roles.push(role);
            }
        }
    }
}

/// Two labels under each other, each with a value to its right, are two: `Employee` over `Tax ID number` is
/// not the employee's tax id. Leaves out what joins them.
fn without_stacked(sheet: &Sheet, found: Vec<Occurrence>) -> Vec<Occurrence> {
    let is_whole_piece = |label: &Occurrence| {
        let piece = &sheet.pieces[label.piece];
        let tokens = piece.first_token..piece.end_token;
        label.tokens.len() == tokens.len() && label.tokens.first() == Some(&tokens.start)
    };
    let begins = |token: usize| found.iter().any(|label| label.tokens.first() == Some(&token));
    let has_value = |piece: usize| {
        let next = sheet.pieces.get(piece + 1).filter(|next| next.row == sheet.pieces[piece].row);
        next.is_some_and(|next| next.first_token < next.end_token && !begins(next.first_token))
    };
    let stands_alone = |piece: usize| {
        has_value(piece)
            && found.iter().any(|label| {
                label.piece == piece
                    && label.last_piece == piece
                    && label.quality >= 1.0
                    && is_whole_piece(label)
            })
    };
    let joins_two = |label: &Occurrence| {
        let (first, last) = (label.piece, label.last_piece);
        sheet.pieces[first].row != sheet.pieces[last].row && stands_alone(first) && stands_alone(last)
    };
    let joining: Vec<bool> = found.iter().map(joins_two).collect();
    found.into_iter().zip(joining).filter(|(_, joins)| !joins).map(|(label, _)| label).collect()
}

fn without_contained(mut found: Vec<Occurrence>) -> Vec<Occurrence> {
    found.sort_by(|a, b| b.tokens.len().cmp(&a.tokens.len()).then(b.quality.total_cmp(&a.quality)));
    let mut kept: Vec<Occurrence> = Vec::new();
    for occurrence in found {
        let rival = kept.iter().any(|longer| {
            let shared = occurrence.tokens.iter().filter(|token| longer.tokens.contains(token)).count();
            shared == occurrence.tokens.len() && longer.tokens.len() > occurrence.tokens.len()
                || shared > 0
                    && longer.quality >= occurrence.quality
                    && longer.tokens.len() > occurrence.tokens.len()
        });
        if !rival {
            kept.push(occurrence);
        }
    }
    kept.sort_by_key(|occurrence| (occurrence.tokens[0], occurrence.tokens.len()));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Bundle, load_document_types};
    use crate::domain::TextSource;
    use crate::drawn;

    #[test]
    fn a_label_does_not_take_a_number_for_its_last_letter() {
        let types = load_document_types(&Bundle::embedded_rules()).unwrap();
        let contract = types.iter().find(|config| config.document_type.as_str() == "contract").unwrap();
        let words = [("Monthly", 20.0), ("repayment", 80.0), ("6", 150.0)];
        let words =
            words.map(|(text, left)| drawn::word(text, Rect::new(left, 30.0, 6.5 * text.len() as f32, 12.0)));
        let page = drawn::page(TextSource::Scan, 600.0, 800.0, words.to_vec());
        let sheet = Sheet::new(&page, 0);
        let found = find_occurrences(&Lexicon::compile(contract), &sheet);
        let numbered =
            |occurrence: &Occurrence| occurrence.tokens.iter().any(|token| sheet.tokens[*token].text == "6");
        assert!(!found.is_empty() && !found.iter().any(numbered), "{found:?}");
    }
}
