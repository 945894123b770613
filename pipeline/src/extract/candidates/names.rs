//! Candidates without a form of their own: names of people and companies, codes, free text. They are
//! what stands between labels.

mod codes;
mod firms;
mod parts;
mod people;

use codes::identifiers;
use firms::{companies, firm_of_whole_piece};
use parts::join_parts;
use people::people;

use super::{Candidate, Class, Typed};
use crate::domain::Rect;
use crate::extract::labels::lexicon::Role;
use crate::extract::labels::occurrence::Occurrence;
use crate::extract::labels::sheet::Sheet;
use crate::extract::parse::name;
use crate::extract::parse::text::fold;

/// A name has at most this many words.
const LONGEST_NAME: usize = 10;

/// Surnames of a person, and words of given names behind them at most.
const SURNAMES: usize = 2;
const MOST_GIVEN_NAMES: usize = 3;

/// Words of lower case within names of people and companies.
const PARTICLES: [&str; 20] = [
    "de", "del", "la", "las", "los", "y", "i", "e", "da", "do", "dos", "van", "von", "di", "el", "&", "and",
    "of", "en", "der",
];

pub(super) fn find(class: Class, sheet: &Sheet, occurrences: &[Occurrence]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for index in 0..sheet.pieces.len() {
        for (first, end) in chunks(sheet, index, occurrences) {
            match class {
                Class::Person => people(sheet, occurrences, first, end, &mut found),
                Class::Company => companies(sheet, first, end, &mut found),
                Class::Party => {
                    people(sheet, occurrences, first, end, &mut found);
                    companies(sheet, first, end, &mut found);
                }
                Class::Identifier => identifiers(sheet, first, end, &mut found),
                _ => found.extend(whole(sheet, first, end)),
            }
        }
        let piece = &sheet.pieces[index];
        if matches!(class, Class::Company | Class::Party) && !piece.prose {
            firm_of_whole_piece(sheet, piece.first, piece.end, &mut found);
        }
    }
    if matches!(class, Class::Person | Class::Party) {
        join_parts(sheet, &mut found);
    }
    found
}

/// The runs of words of a piece that no label covers, cut at colons and separators.
fn chunks(sheet: &Sheet, index: usize, occurrences: &[Occurrence]) -> Vec<(usize, usize)> {
    let piece = &sheet.pieces[index];
    let mut covered = vec![false; piece.end - piece.first];
    for occurrence in
        occurrences.iter().filter(|occurrence| occurrence.piece == index && is_label(occurrence))
    {
        let end = if occurrence.last_piece == index { occurrence.end } else { piece.end };
        for word in occurrence.first..end.min(piece.end) {
            covered[word - piece.first] = !piece.prose || ends_label(sheet, occurrence, end);
        }
    }
    // The tail of a label that began in another piece.
    for occurrence in occurrences.iter().filter(|other| other.last_piece == index && other.piece != index) {
        for word in piece.first..occurrence.end.min(piece.end) {
            covered[word - piece.first] = true;
        }
    }
    let mut chunks = Vec::new();
    let mut start = piece.first;
    for word in piece.first..piece.end {
        let text = &sheet.page.words[word].text;
        let separator =
            !text.chars().any(char::is_alphanumeric) && !matches!(text.as_str(), "&" | "," | "." | "(" | ")");
        if covered[word - piece.first] || separator {
            chunks.push((start, word));
            start = word + 1;
        } else if text.ends_with([':', ';', '»']) {
            chunks.push((start, word + 1));
            start = word + 1;
        }
    }
    chunks.push((start, piece.end));
    chunks.retain(|(first, end)| first < end);
    chunks
}

fn is_label(occurrence: &Occurrence) -> bool {
    occurrence
        .roles
        .iter()
        .any(|role| !matches!(role, Role::After { .. } | Role::Column { .. } | Role::OtherSection))
}

/// In running text a label is set off by a colon, or by a comma unless it is one word of a firm's name:
/// `Vía Crédito, E.F.C.`.
fn ends_label(sheet: &Sheet, occurrence: &Occurrence, end: usize) -> bool {
    let text = |word: usize| sheet.page.words.get(word).map_or("", |word| word.text.as_str());
    let last = end.checked_sub(1).map_or("", text);
    let before = occurrence.first.checked_sub(1).map_or("", text);
    let in_name = occurrence.tokens.len() == 1
        && before.chars().next().is_some_and(char::is_uppercase)
        && before.ends_with(char::is_alphabetic)
        && text(occurrence.first).chars().next().is_some_and(char::is_uppercase);
    last.ends_with(':') || last.ends_with(',') && !in_name
}

/// A capital I is read as a small l where a word cannot begin with one, or is in capitals otherwise:
/// `lbáñez`, `GARClA`.
fn with_capital_i(text: &str) -> String {
    let mut mended = Vec::new();
    for word in text.split(' ') {
        let capitals = word.chars().filter(|ch| ch.is_uppercase()).count();
        let small: Vec<char> = word.chars().filter(|ch| ch.is_lowercase()).collect();
        let mut letters = word.chars();
        let second = fold(word).chars().nth(1);
        let impossible = letters.next() == Some('l')
            && second.is_some_and(|ch| ch.is_alphabetic() && !"aeiouylh".contains(ch));
        if capitals >= 2 && !small.is_empty() && small.iter().all(|ch| *ch == 'l') {
            mended.push(word.replace('l', "I"));
        } else if impossible {
            mended.push(format!("I{}", letters.as_str()));
        } else {
            mended.push(word.to_owned());
        }
    }
    mended.join(" ")
}

/// Given names between two surnames with their comma and the next label of the line: `VALCARCE OTXOA, NEREA NIF: …`.
/// At the line's end an office or a place may follow a name: `Luis Gil, Notario`.
fn are_given_names(sheet: &Sheet, surnames: usize, first: usize, end: usize) -> bool {
    let text = |word: usize| sheet.page.words[word].text.as_str();
    let names = (surnames..first).filter(|word| !PARTICLES.contains(&fold(text(*word)).as_str())).count();
    let is_name = |word: usize| {
        text(word).chars().next().is_some_and(char::is_uppercase)
            && text(word).chars().all(|ch| ch.is_alphabetic() || ch == '-')
    };
    names == SURNAMES
        && end < sheet.pieces[sheet.piece_of_word[surnames]].end
        && (1..=MOST_GIVEN_NAMES).contains(&(end - first))
        && (first..end).all(is_name)
}

/// The end of the run of name-like words from `at`: capitals, particles, initials.
fn capital_run(sheet: &Sheet, at: usize, end: usize, person: bool) -> usize {
    let mut run = at;
    let mut commas = 0;
    while run < end && run - at < LONGEST_NAME {
        let mended = with_capital_i(&sheet.page.words[run].text);
        let text = mended.as_str();
        let bare = text.trim_matches(|ch: char| !ch.is_alphanumeric() && ch != '&');
        let folded = fold(bare);
        let particle = PARTICLES.contains(&folded.as_str());
        let digits = bare.chars().any(|ch| ch.is_ascii_digit());
        let legal = !person && name::has_legal_form(&format!("Firma {bare}"));
        let capital =
            bare.chars().next().is_some_and(|ch| ch.is_uppercase() || (!person && ch.is_ascii_digit()));
        if !(capital || (particle || legal) && run > at)
            || (person && digits)
            || text.starts_with(['(', '«', '"']) && run > at
        {
            break;
        }
        run += 1;
        if text.ends_with([';', ':', ')', '»']) || text.ends_with('.') && person && bare.chars().count() > 4
        {
            break;
        }
        if text.ends_with(',') {
            commas += 1;
            let prose = sheet.pieces[sheet.piece_of_word[at]].prose;
            if person && (commas > 1 || prose && !are_given_names(sheet, at, run, end)) {
                break;
            }
        }
    }
    while run > at {
        let last =
            fold(sheet.page.words[run - 1].text.trim_matches(|ch: char| !ch.is_alphanumeric() && ch != '&'));
        if !PARTICLES.contains(&last.as_str()) {
            break;
        }
        run -= 1;
    }
    run
}

fn whole(sheet: &Sheet, first: usize, end: usize) -> Option<Candidate> {
    let text = sheet.text(first, end);
    let value = text
        .trim_matches(|ch: char| ch.is_whitespace() || matches!(ch, ':' | ',' | ';' | '-' | '·'))
        .to_owned();
    let letters = value.chars().filter(|ch| ch.is_alphanumeric()).count();
    let piece = sheet.piece_of_word[first];
    (letters > 0).then(|| {
        placed((piece, piece), (first, end), sheet.bounds(first, end), text, Typed::Text(value), 0.8)
    })
}

fn placed(
    (piece, last_piece): (usize, usize),
    (first, end): (usize, usize),
    bounds: Rect,
    raw: String,
    value: Typed,
    format: f32,
) -> Candidate {
    Candidate {
        piece,
        last_piece,
        first,
        end,
        bounds,
        raw,
        value,
        format,
        checks: Vec::new(),
        repaired: false,
    }
}
