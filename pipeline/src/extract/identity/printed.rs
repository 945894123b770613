//! The printed side of identity documents: bilingual labels with their values beside or below them.

use std::sync::LazyLock;

use chrono::NaiveDate;
use regex::Regex;

use crate::domain::{Page, Rect};

use super::super::mrz::Mrz;
use super::super::parse::text::fold;
use super::super::parse::{date, tax_id};
use super::labels::{label_of, words_of};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Surnames,
    GivenNames,
    Sex,
    Nationality,
    Birth,
    Issue,
    Expiry,
    Number,
    Support,
    PersonalNumber,
    /// A label of something that is not read: it ends values.
    Other,
}

/// A word of the print.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) page_index: usize,
    pub(super) row: usize,
    pub(super) bounds: Rect,
    pub(super) certainty: f32,
    labelled: bool,
}

/// A value as printed.
#[derive(Debug, Clone)]
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) raw: String,
    pub(super) page_index: usize,
    pub(super) bounds: Rect,
    pub(super) certainty: f32,
    /// The recogniser was unsure of it.
    pub(super) doubtful: bool,
    pub(super) repaired: bool,
}

#[derive(Debug, Clone)]
struct Label {
    what: What,
    page_index: usize,
    row: usize,
    first: usize,
    end: usize,
    bounds: Rect,
}

/// All that is printed, the machine-readable zone left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    pub(super) pieces: Vec<Piece>,
    labels: Vec<Label>,
    pub(super) speaks_of_passport: bool,
}

/// Below this the recogniser may well be wrong about a word.
const SURE: f32 = 0.85;

static SUPPORT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:[A-Z]{3}\d{6}|[A-Z]\d{8})$").expect("the pattern is valid"));
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[A-Z0-9]{6,12}$").expect("the pattern is valid"));

impl Sheet {
    pub(super) fn read(pages: &[&Page], zone: Option<&Mrz>) -> Self {
        let mut sheet = Self::default();
        for (page_index, page) in pages.iter().enumerate() {
            for (row, line) in page.rows.iter().enumerate() {
                for segment in &line.segments {
                    for word in page.words_of(segment) {
                        let in_zone = zone.is_some_and(|zone| {
                            zone.page_index == page_index
                                && zone.bounds.contains_point(word.bounds.center_x(), word.bounds.center_y())
                        });
                        if !in_zone {
                            sheet.pieces.push(Piece {
                                text: word.text.clone(),
                                page_index,
                                row,
                                bounds: word.bounds,
                                certainty: word.confidence,
                                labelled: false,
                            });
                        }
                    }
                }
            }
        }
        sheet.find_labels();
        sheet.speaks_of_passport =
            sheet.pieces.iter().any(|piece| matches!(fold(&piece.text).as_str(), "pasaporte" | "passport"));
        sheet
    }

    fn find_labels(&mut self) {
        let mut at = 0;
        while at < self.pieces.len() {
            if let Some((what, count)) = self.label_at(at) {
                let bounds = Rect::around(self.pieces[at..at + count].iter().map(|piece| piece.bounds))
                    .unwrap_or_default();
                let (page_index, row) = (self.pieces[at].page_index, self.pieces[at].row);
                self.pieces[at..at + count].iter_mut().for_each(|piece| piece.labelled = true);
                self.labels.push(Label { what, page_index, row, first: at, end: at + count, bounds });
                at += count;
            } else {
                at += 1;
            }
        }
    }

    /// The longest label that begins at a piece, all in one row and close together.
    fn label_at(&self, at: usize) -> Option<(What, usize)> {
        let start = &self.pieces[at];
        let mut best = None;
        let mut parts: Vec<String> = Vec::new();
        for (count, piece) in self.pieces[at..].iter().take(5).enumerate() {
            let near = count == 0
                || piece.row == start.row && piece.page_index == start.page_index && {
                    let before = &self.pieces[at + count - 1].bounds;
                    piece.bounds.left - before.right() < 1.2 * before.height.max(piece.bounds.height)
                };
            if !near {
                break;
            }
            parts.extend(words_of(&piece.text));
            if let Some(what) = label_of(&parts.join(" ")) {
                best = Some((what, count + 1));
            }
        }
        best
    }

    /// Texts that stand at labels of a kind, nearest first.
    pub(super) fn texts(&self, what: What) -> Vec<Printed> {
        let labels: Vec<&Label> = self.labels.iter().filter(|label| label.what == what).collect();
        let mut found = Vec::new();
        let names = matches!(what, What::Surnames | What::GivenNames);
        for label in &labels {
            for run in [self.right_of(label), self.below(label, names)] {
                if let Some(item) = self.settle(what, &run) {
                    found.push(item);
                }
            }
        }
        // First and second surname have labels of their own.
        if what == What::Surnames && labels.len() == 2 && found.len() == 2 {
            let joined = Printed {
                text: format!("{} {}", found[0].text, found[1].text),
                raw: format!("{} {}", found[0].raw, found[1].raw),
                bounds: found[0].bounds.union(&found[1].bounds),
                certainty: found[0].certainty.min(found[1].certainty),
                ..found[0].clone()
            };
            found.insert(0, joined);
        }
        found
    }

    /// Dates at labels of a kind.
    pub(super) fn dates(&self, what: What) -> Vec<(Printed, NaiveDate)> {
        let mut found = Vec::new();
        for label in self.labels.iter().filter(|label| label.what == what) {
            for run in [self.right_of(label), self.below(label, false)] {
                let dated = self.dates_in(&run).into_iter().next();
                found.extend(dated.or_else(|| self.date_of_digits(&run)));
            }
        }
        found
    }

    /// Every complete date of the print.
    pub(super) fn all_dates(&self) -> Vec<(Printed, NaiveDate)> {
        self.rows().iter().flat_map(|row| self.dates_in(row)).collect()
    }

    fn rows(&self) -> Vec<Vec<usize>> {
        let mut rows: Vec<Vec<usize>> = Vec::new();
        for (at, piece) in self.pieces.iter().enumerate() {
            let same = |row: &&mut Vec<usize>| {
                let last = &self.pieces[row[row.len() - 1]];
                last.page_index == piece.page_index && last.row == piece.row
            };
            match rows.last_mut().filter(same) {
                Some(row) => row.push(at),
                None => rows.push(vec![at]),
            }
        }
        rows
    }

    fn dates_in(&self, run: &[usize]) -> Vec<(Printed, NaiveDate)> {
        let (text, spans) = self.joined(run);
        let found = date::find_all_misread(&text);
        found
            .into_iter()
            .map(|found| {
                let pieces: Vec<usize> = spans
                    .iter()
                    .filter(|(_, from, to)| *from < found.range.end && *to > found.range.start)
                    .map(|(at, _, _)| *at)
                    .collect();
                (self.printed(&pieces, found.raw(&text).to_owned()), found.value)
            })
            .collect()
    }

    /// A date whose parts were read without the gaps between them: `1111 2015`.
    fn date_of_digits(&self, run: &[usize]) -> Option<(Printed, NaiveDate)> {
        let numbers = |at: &&usize| self.pieces[**at].text.chars().all(|ch| ch.is_ascii_digit());
        let mut digits = String::new();
        let mut pieces = Vec::new();
        for at in run.iter().take_while(numbers).take(3) {
            digits.push_str(&self.pieces[*at].text);
            pieces.push(*at);
            if digits.len() >= 8 {
                break;
            }
        }
        let whole = digits.len() == 8;
        let date = NaiveDate::parse_from_str(&digits, "%d%m%Y").ok().filter(|_| whole)?;
        let mut printed = self.printed(&pieces, digits);
        printed.doubtful = true;
        Some((printed, date))
    }

    fn joined(&self, run: &[usize]) -> (String, Vec<(usize, usize, usize)>) {
        let mut text = String::new();
        let mut spans = Vec::new();
        for at in run {
            if !text.is_empty() {
                text.push(' ');
            }
            let from = text.len();
            text.push_str(&self.pieces[*at].text);
            spans.push((*at, from, text.len()));
        }
        (text, spans)
    }

    fn printed(&self, pieces: &[usize], text: String) -> Printed {
        let chosen: Vec<&Piece> = pieces.iter().map(|at| &self.pieces[*at]).collect();
        let certainty = chosen.iter().map(|piece| piece.certainty).fold(1.0, f32::min);
        Printed {
            raw: chosen.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(" "),
            text,
            page_index: chosen.first().map_or(0, |piece| piece.page_index),
            bounds: Rect::around(chosen.iter().map(|piece| piece.bounds)).unwrap_or_default(),
            certainty,
            doubtful: certainty < SURE,
            repaired: false,
        }
    }

    /// DNI and NIE numbers anywhere in the print: those whose letter holds first.
    pub(super) fn tax_ids(&self) -> Vec<Printed> {
        let mut found = Vec::new();
        for row in self.rows() {
            let (text, spans) = self.joined(&row);
            for id in tax_id::find_all(&text).into_iter().filter(|id| id.value.is_person()) {
                let pieces: Vec<usize> = spans
                    .iter()
                    .filter(|(_, from, to)| *from < id.range.end && *to > id.range.start)
                    .map(|(at, _, _)| *at)
                    .collect();
                found.push((!id.holds(), self.printed(&pieces, id.value.number)));
            }
        }
        found.sort_by_key(|(fails, _)| *fails);
        found.into_iter().map(|(_, item)| item).collect()
    }

    pub(super) fn support_numbers(&self) -> Vec<Printed> {
        self.matching(|text| SUPPORT.is_match(text) && tax_id::kind_of(text).is_none())
    }

    pub(super) fn words_equal(&self, wanted: &str) -> Vec<Printed> {
        self.matching(|text| text == wanted)
    }

    fn matching(&self, fits: impl Fn(&str) -> bool) -> Vec<Printed> {
        let compact = |piece: &Piece| super::super::parse::text::alphanumeric(&piece.text);
        let hits = self.pieces.iter().enumerate().filter(|(_, piece)| fits(&compact(piece)));
        hits.map(|(at, piece)| self.printed(&[at], compact(piece))).collect()
    }

    /// The words right of a label up to the next label or a wide gap.
    fn right_of(&self, label: &Label) -> Vec<usize> {
        let mut run = Vec::new();
        let mut edge = label.bounds.right();
        for (at, piece) in self.pieces.iter().enumerate().skip(label.end) {
            let same_row = piece.page_index == label.page_index && piece.row == label.row;
            let slash = piece.text.chars().all(|ch| !ch.is_alphanumeric());
            if same_row && slash && run.is_empty() {
                edge = piece.bounds.right();
                continue;
            }
            let gap = if run.is_empty() { 8.0 } else { 2.5 };
            if !same_row || piece.labelled || piece.bounds.left - edge > gap * piece.bounds.height {
                break;
            }
            edge = piece.bounds.right();
            run.push(at);
        }
        run
    }

    /// The words under a label: the nearest row that has any, names perhaps over two rows.
    fn below(&self, label: &Label, several: bool) -> Vec<usize> {
        let height = label.bounds.height;
        let next_left = self.labels.iter().filter(|other| {
            other.page_index == label.page_index
                && other.row == label.row
                && other.first >= label.end
                && other.what != label.what
        });
        let limit = next_left.map(|other| other.bounds.left).reduce(f32::min).unwrap_or(f32::MAX);
        let mut run: Vec<usize> = Vec::new();
        let mut bottom = label.bounds.bottom();
        let mut row = None;
        for (at, piece) in self.pieces.iter().enumerate().skip(label.end) {
            if piece.page_index != label.page_index || piece.row == label.row {
                continue;
            }
            let tall = piece.bounds.height.max(height);
            let beneath = piece.bounds.center_y() > label.bounds.bottom();
            let within =
                piece.bounds.left > label.bounds.left - 2.0 * tall && piece.bounds.left < limit - 0.5 * tall;
            if !beneath || !within {
                continue;
            }
            if piece.bounds.top - bottom > 2.0 * tall || piece.labelled && row != Some(piece.row) {
                break;
            }
            let new_row = row.is_some_and(|row| row != piece.row);
            if new_row && !several {
                break;
            }
            let apart = run.last().is_some_and(|last| {
                !new_row && piece.bounds.left - self.pieces[*last].bounds.right() > 2.5 * tall
            });
            let aside = run.is_empty() && piece.bounds.left > label.bounds.right() + 6.0 * tall;
            if apart || aside || piece.labelled {
                continue;
            }
            bottom = piece.bounds.bottom();
            row = Some(piece.row);
            run.push(at);
        }
        run
    }

    fn settle(&self, what: What, run: &[usize]) -> Option<Printed> {
        if run.is_empty() {
            return None;
        }
        let (text, _) = self.joined(run);
        let first = run.first().map(|at| self.pieces[*at].text.clone()).unwrap_or_default();
        let value = match what {
            What::Surnames | What::GivenNames => person_part(&text)?,
            What::Sex => sex(&first)?,
            What::Nationality => nationality(&first)?,
            What::Number | What::PersonalNumber => {
                let compact = super::super::parse::text::alphanumeric(&first);
                let digits = compact.chars().filter(char::is_ascii_digit).count();
                Some(compact).filter(|compact| NUMBER.is_match(compact) && digits >= 4)?
            }
            What::Support => {
                Some(super::super::parse::text::alphanumeric(&first)).filter(|text| SUPPORT.is_match(text))?
            }
            What::Birth | What::Issue | What::Expiry | What::Other => return None,
        };
        let single = !matches!(what, What::Surnames | What::GivenNames);
        Some(self.printed(if single { &run[..1] } else { run }, value))
    }
}

fn person_part(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(|ch: char| !ch.is_alphabetic() && ch != '-' || matches!(ch, 'º' | 'ª')))
        .filter(|word| word.chars().any(char::is_alphabetic))
        .collect();
    let lettered = !text.chars().any(|ch| ch.is_ascii_digit());
    let capital = words.first().is_some_and(|word| word.chars().next().is_some_and(char::is_uppercase));
    (lettered && capital && words.len() <= 7).then(|| words.join(" "))
}

fn sex(text: &str) -> Option<String> {
    match fold(text).trim_matches(|ch: char| !ch.is_alphabetic()) {
        "m" | "h" | "v" | "male" | "hombre" | "varon" => Some("M".to_owned()),
        "f" | "female" | "mujer" => Some("F".to_owned()),
        "x" => Some("X".to_owned()),
        _ => None,
    }
}

fn nationality(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    if bare.len() == 3 && bare.chars().all(|ch| ch.is_ascii_uppercase()) {
        return Some(bare);
    }
    let folded = fold(text);
    (folded.starts_with("espanol") || folded == "spanish").then(|| "ESP".to_owned())
}
