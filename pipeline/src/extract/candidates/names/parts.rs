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
/// A step down the page parts two cells as much as so many along it.
const DOWN_TO_ACROSS: f32 = 10.0;
/// Another person's given names stand farther from the surnames by this factor at least.
const FARTHER: f32 = 1.5;
/// A name put together is worth this much, and what is left of a part whose other part is not found.
const JOINED: f32 = 0.95;
const PART_ALONE: f32 = 0.4;

/// The label of a part of a name: words `first..end`.
struct Label {
    part: NamePart,
    text: String,
    first: usize,
    end: usize,
}

/// A labelled part of a name: its words, or none where they could not be made out, and the place of the label.
struct Part {
    label: String,
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

    fn distance_to(&self, other: &Part) -> f32 {
        DOWN_TO_ACROSS * self.down_to(other) + (self.bounds.center_x() - other.bounds.center_x()).abs()
    }
}

/// Puts names together whose parts stand in cells of their own; a part alone is hardly a name.
pub(super) fn join_parts(sheet: &Sheet, found: &mut Vec<Candidate>) {
    let (surnames, given) = labelled_parts(sheet);
    let far = MOST_DOWN * sheet.height;
    // `Primer apellido` and `Segundo apellido` are one person's; the same label again is another person's.
    let groups: Vec<&[Part]> =
        surnames.chunk_by(|one, next| one.down_to(next) <= far && one.label != next.label).collect();
    for (group, given) in groups.iter().zip(given_names_of(&groups, &given, far)) {
        let parts: Vec<&Part> = given.into_iter().chain(group.iter()).collect();
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
        // At each part, since each has a label of its own.
        found.extend(parts.iter().map(|part| {
            let value = Typed::Text(name.clone());
            placed((part.piece, part.piece), (part.first, part.end), bounds, name.clone(), value, format)
        }));
    }
}

/// For each group of surnames the given names of the same person. As many of both are told in the same order;
/// otherwise the nearest count, and none where others are about as near.
fn given_names_of<'a>(groups: &[&[Part]], given: &'a [Part], far: f32) -> Vec<Option<&'a Part>> {
    let near = |group: &[Part], given: &Part| group.iter().any(|part| part.down_to(given) <= far);
    if groups.len() == given.len() && groups.iter().zip(given).all(|(group, given)| near(group, given)) {
        return given.iter().map(Some).collect();
    }
    let nearest = |group: &&[Part]| {
        let distance =
            |given: &Part| group.iter().map(|part| part.distance_to(given)).fold(f32::INFINITY, f32::min);
        let mut near: Vec<&Part> = given.iter().filter(|given| near(group, given)).collect();
        near.sort_by(|one, other| distance(one).total_cmp(&distance(other)));
        let (first, others) = near.split_first()?;
        let alone = others.first().is_none_or(|other| distance(other) > FARTHER * distance(first));
        alone.then_some(*first)
    };
    groups.iter().map(nearest).collect()
}

/// Surnames and given names in the order of the page.
fn labelled_parts(sheet: &Sheet) -> (Vec<Part>, Vec<Part>) {
    let labels: Vec<Vec<Label>> = (0..sheet.pieces.len()).map(|index| labels_in(sheet, index)).collect();
    let (mut surnames, mut given) = (Vec::new(), Vec::new());
    for (index, own) in labels.iter().enumerate() {
        for (place, label) in own.iter().enumerate() {
            let stop = own.get(place + 1).map_or(sheet.pieces[index].end, |next| next.first);
            let places = if label.end < stop {
                [Some((index, label.end, stop)), None]
            } else {
                [beside(sheet, index, &labels), under(sheet, index, &labels)]
            };
            let value = places.into_iter().flatten().find(|place| is_part(sheet, *place));
            let (piece, first, end) = value.unwrap_or((index, label.first, label.first));
            let bounds =
                if first < end { sheet.bounds(first, end) } else { sheet.bounds(label.first, label.end) };
            let part = Part { label: label.text.clone(), piece, first, end, bounds };
            match label.part {
                NamePart::Surnames => surnames.push(part),
                NamePart::GivenNames => given.push(part),
            }
        }
    }
    (surnames, given)
}

fn labels_in(sheet: &Sheet, index: usize) -> Vec<Label> {
    let piece = &sheet.pieces[index];
    let mut labels = Vec::new();
    let mut at = if piece.prose { piece.end } else { piece.first };
    while at < piece.end {
        let label = label_at(sheet, at, piece.end);
        at = label.as_ref().map_or(at + 1, |label| label.end);
        labels.extend(label);
    }
    labels
}

/// What the words from `at` label, if they do.
fn label_at(sheet: &Sheet, at: usize, end: usize) -> Option<Label> {
    let word = |index: usize| sheet.page.words[index].text.as_str();
    let joins = |index: usize| JOINING.contains(&fold(word(index)).as_str()) || !has_letters(word(index));
    let first = sheet.pieces[sheet.piece_of_word[at]].first;
    if at > first && has_letters(word(at - 1)) && (joins(at - 1) || word(at - 1).ends_with([',', '/'])) {
        return None;
    }
    (1..=LONGEST_LABEL.min(end - at)).rev().find_map(|length| {
        let label_end = at + length;
        let words = words_of(&sheet.text(at, label_end));
        let text = words.join(" ");
        let part = name_part(&text).or_else(|| in_languages(&words))?;
        let goes_on = word(label_end - 1).ends_with([',', '/']) || label_end < end && joins(label_end);
        (!goes_on).then_some(Label { part, text, first: at, end: label_end })
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

/// The next cell of the row, unless it has a label itself.
fn beside(sheet: &Sheet, index: usize, labels: &[Vec<Label>]) -> Option<(usize, usize, usize)> {
    let label = &sheet.pieces[index];
    let next = sheet.pieces.get(index + 1).filter(|next| next.row == label.row)?;
    let near = next.bounds.left - label.bounds.right() < MOST_RIGHT * sheet.height;
    (near && labels[index + 1].is_empty()).then_some((index + 1, next.first, next.end))
}

/// The cell below, unless it has a label itself.
fn under(sheet: &Sheet, index: usize, labels: &[Vec<Label>]) -> Option<(usize, usize, usize)> {
    let below = sheet.pieces[index].below?;
    let next = &sheet.pieces[below];
    labels[below].is_empty().then_some((below, next.first, next.end))
}

fn is_part(sheet: &Sheet, (_, first, end): (usize, usize, usize)) -> bool {
    capital_run(sheet, first, end, true) == end && name::is_part(&name::clean(&sheet.text(first, end)))
}
