//! Names of people that forms ask for in parts: surnames in one cell, given names in another.

use super::{capital_run, placed};
use crate::domain::Rect;
use crate::extract::candidates::{Candidate, Typed};
use crate::extract::identity::{NamePart, name_part, words_of};
use crate::extract::labels::sheet::Sheet;
use crate::extract::parse::name;
use crate::extract::parse::text::fold;

/// Words of a label such as `primer apellido` at most.
const LONGEST_LABEL: usize = 3;
/// Words that make `nombre` or `apellidos` a part of another label: `nombre y apellidos`, `name of employer`.
const JOINING: [&str; 14] =
    ["y", "e", "o", "and", "or", "i", "de", "del", "of", "completo", "completos", "comercial", "in", "on"];
/// How far apart the cells of one name stand, in text heights: down the page from centre to centre, and from a
/// label to its value right of it.
const MOST_DOWN: f32 = 4.5;
const MOST_RIGHT: f32 = 12.0;
/// A name put together is worth this much, and what is left of a part whose other part is not found.
const JOINED: f32 = 0.95;
const PART_ALONE: f32 = 0.4;

/// A labelled part of a name: its words, or none where they could not be made out, and the place of the label.
struct Part {
    part: NamePart,
    piece: usize,
    first: usize,
    end: usize,
    bounds: Rect,
}

impl Part {
    fn is_read(&self) -> bool {
        self.first < self.end
    }

    fn is_in(&self, candidate: &Candidate) -> bool {
        candidate.first < self.end && self.first < candidate.end
    }

    fn down_to(&self, other: &Part) -> f32 {
        (self.bounds.center_y() - other.bounds.center_y()).abs()
    }
}

/// Puts names together whose parts stand in cells of their own; a part alone is hardly a name.
pub(super) fn join_parts(sheet: &Sheet, found: &mut Vec<Candidate>) {
    let (surnames, mut given): (Vec<Part>, Vec<Part>) =
        labelled_parts(sheet).into_iter().partition(|part| part.part == NamePart::Surnames);
    let far = MOST_DOWN * sheet.height;
    for group in surnames.chunk_by(|one, next| one.down_to(next) <= far) {
        let nearest = (0..given.len())
            .filter(|at| group.iter().any(|part| part.down_to(&given[*at]) <= far))
            .min_by(|one, other| distance(group, &given[*one]).total_cmp(&distance(group, &given[*other])));
        let given = nearest.map(|nearest| given.remove(nearest));
        let parts: Vec<&Part> = given.iter().chain(group).collect();
        let is_part = |candidate: &Candidate| parts.iter().any(|part| part.is_in(candidate));
        if given.is_none() || !parts.iter().all(|part| part.is_read()) {
            for candidate in found.iter_mut().filter(|candidate| is_part(candidate)) {
                candidate.format *= PART_ALONE;
            }
            continue;
        }
        found.retain(|candidate| !is_part(candidate));
        let words = |part: &&Part| name::clean(&sheet.text(part.first, part.end));
        let name = parts.iter().map(words).collect::<Vec<_>>().join(" ");
        let format = JOINED * name::person_likeness(&name);
        let bounds = Rect::around(parts.iter().map(|part| part.bounds)).unwrap_or_default();
        found.extend(parts.iter().map(|part| {
            let value = Typed::Text(name.clone());
            placed((part.piece, part.piece), (part.first, part.end), bounds, name.clone(), value, format)
        }));
    }
}

fn distance(group: &[Part], given: &Part) -> f32 {
    let to = |part: &Part| {
        let across = (part.bounds.center_x() - given.bounds.center_x()).abs();
        4.0 * part.down_to(given) + across
    };
    group.iter().map(to).fold(f32::INFINITY, f32::min)
}

fn labelled_parts(sheet: &Sheet) -> Vec<Part> {
    let mut parts = Vec::new();
    for (index, piece) in sheet.pieces.iter().enumerate().filter(|(_, piece)| !piece.prose) {
        let mut at = piece.first;
        while at < piece.end {
            let Some((part, label_end)) = label_at(sheet, at, piece.end) else {
                at += 1;
                continue;
            };
            let next = (label_end..piece.end).find(|word| label_at(sheet, *word, piece.end).is_some());
            let stop = next.unwrap_or(piece.end);
            let value = if label_end < stop {
                part_of(sheet, part, (index, label_end, stop))
            } else if next.is_none() {
                let places = [beside(sheet, index), under(sheet, index)];
                places.into_iter().flatten().find_map(|place| part_of(sheet, part, place))
            } else {
                None
            };
            let bounds = sheet.bounds(at, label_end);
            parts.push(value.unwrap_or(Part { part, piece: index, first: at, end: at, bounds }));
            at = stop;
        }
    }
    parts
}

/// The part of a name that the words from `at` label, and where the label ends.
fn label_at(sheet: &Sheet, at: usize, end: usize) -> Option<(NamePart, usize)> {
    let word = |index: usize| sheet.page.words[index].text.as_str();
    let joins = |index: usize| JOINING.contains(&fold(word(index)).as_str()) || !has_letters(word(index));
    let first = sheet.pieces[sheet.piece_of_word[at]].first;
    if at > first && has_letters(word(at - 1)) && (joins(at - 1) || word(at - 1).ends_with([',', '/'])) {
        return None;
    }
    (1..=LONGEST_LABEL.min(end - at)).rev().find_map(|length| {
        let label_end = at + length;
        let words = words_of(&sheet.text(at, label_end));
        let part = name_part(&words.join(" ")).or_else(|| in_languages(&words))?;
        let goes_on = word(label_end - 1).ends_with([',', '/']) || label_end < end && joins(label_end);
        (!goes_on).then_some((part, label_end))
    })
}

/// `Apellidos/Surnames`: each word labels the same part.
fn in_languages(words: &[String]) -> Option<NamePart> {
    let mut parts = words.iter().map(|word| name_part(word));
    let first = parts.next()??;
    parts.all(|part| part == Some(first)).then_some(first)
}

fn has_letters(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

fn beside(sheet: &Sheet, index: usize) -> Option<(usize, usize, usize)> {
    let label = &sheet.pieces[index];
    let next = sheet.pieces.get(index + 1).filter(|next| next.row == label.row)?;
    let near = next.bounds.left - label.bounds.right() < MOST_RIGHT * sheet.height;
    (near && label_at(sheet, next.first, next.end).is_none()).then_some((index + 1, next.first, next.end))
}

fn under(sheet: &Sheet, index: usize) -> Option<(usize, usize, usize)> {
    let below = sheet.pieces[index].below?;
    let next = &sheet.pieces[below];
    label_at(sheet, next.first, next.end).is_none().then_some((below, next.first, next.end))
}

fn part_of(sheet: &Sheet, part: NamePart, (piece, first, end): (usize, usize, usize)) -> Option<Part> {
    let whole = capital_run(sheet, first, end, true) == end;
    let text = name::clean(&sheet.text(first, end));
    (whole && name::is_part(&text)).then(|| Part {
        part,
        piece,
        first,
        end,
        bounds: sheet.bounds(first, end),
    })
}
