//! Names of people: runs of capitalised words that read like one person, or like joint holders.

use super::{capital_run, is_label, placed, with_capital_i};
use crate::extract::candidates::{Candidate, Typed};
use crate::extract::labels::occurrence::Occurrence;
use crate::extract::labels::sheet::Sheet;
use crate::extract::parse::name;
use crate::extract::parse::text::fold;

pub(super) fn people(
    sheet: &Sheet,
    occurrences: &[Occurrence],
    first: usize,
    end: usize,
    found: &mut Vec<Candidate>,
) {
    let mut at = first;
    while at < end {
        // `CLIENTE Y SUMINISTRO`: the rest of a heading is no name; a line of running text may begin so.
        let heading = !sheet.pieces[sheet.piece_of_word[at]].prose;
        if at == first && heading && is_joint(&sheet.page.words[at].text) {
            return;
        }
        let run = capital_run(sheet, at, end, true);
        if run > at {
            push_person(sheet, occurrences, (first, at, run), found);
            at = run;
        } else {
            at += 1;
        }
    }
}

fn is_joint(word: &str) -> bool {
    matches!(fold(word).as_str(), "y" | "e" | "o" | "u" | "and" | "or" | "&" | "/")
}

fn push_person(
    sheet: &Sheet,
    occurrences: &[Occurrence],
    (chunk, first, end): (usize, usize, usize),
    found: &mut Vec<Candidate>,
) {
    let piece = sheet.piece_of_word[first];
    let mut text = with_capital_i(&sheet.text(first, end));
    let mut bounds = sheet.bounds(first, end);
    let (mut last_piece, mut last) = (piece, end);
    let at_end_of_line = end == sheet.pieces[piece].end && !text.ends_with(['.', ',', ';']);
    if let Some(below) = sheet.pieces[piece].below.filter(|_| at_end_of_line && sheet.pieces[piece].prose) {
        let next = &sheet.pieces[below];
        let tail = capital_run(sheet, next.first, next.end.min(next.first + 5), true);
        let label =
            occurrences.iter().any(|label| label.piece == below && label.first < tail && is_label(label));
        if tail > next.first && !label {
            text = format!("{text} {}", sheet.text(next.first, tail));
            bounds = bounds.union(&sheet.bounds(next.first, tail));
            (last_piece, last) = (below, tail);
        }
    }
    let people = joint_holders(&text);
    let likeness = people.iter().map(|person| name::person_likeness(person)).fold(1.0_f32, f32::min);
    let firm = if name::has_legal_form(&text) { 0.2 } else { 1.0 };
    // Two capitalised words within a sentence are often a street or an office; a title says person.
    let titled = name::clean(&text) != text.trim_end_matches([',', ';', '.']);
    let behind_number = first > sheet.pieces[piece].first
        && sheet.page.words[first - 1].text.chars().all(|ch| ch.is_ascii_digit());
    let inside = match (sheet.pieces[piece].prose, titled) {
        (true, false) if behind_number => 0.3,
        (false, _) if first > chunk => 0.8,
        (true, false) => 0.85,
        _ => 1.0,
    };
    let institution = if is_institution(&text) { 0.1 } else { 1.0 };
    let cut_short = if !sheet.pieces[piece].prose && runs_on(sheet, occurrences, last) { 0.5 } else { 1.0 };
    let format = likeness * firm * inside * institution * cut_short;
    if format >= 0.3 {
        let value = Typed::Text(people.join("; "));
        found.push(placed((piece, last_piece), (first, last), bounds, text, value, format));
    }
}

/// A word of small letters that no label explains follows directly: perhaps a misread surname.
fn runs_on(sheet: &Sheet, occurrences: &[Occurrence], end: usize) -> bool {
    let Some(next) = sheet.page.words.get(end) else { return false };
    let last = &sheet.page.words[end - 1].text;
    let same = sheet.piece_of_word[end] == sheet.piece_of_word[end - 1];
    let letters = next.text.chars().filter(|ch| ch.is_alphabetic()).count();
    let labelled = occurrences.iter().any(|label| label.first <= end && end < label.end);
    let parted = last.ends_with([',', ';', '.', ':', ')']) || next.text.starts_with(['(', '-', '·']);
    same && !parted && !labelled && letters >= 4 && next.text.chars().all(|ch| !ch.is_ascii_digit())
}

/// First words of addresses, offices and registers; given names come first in a person's name.
fn is_institution(text: &str) -> bool {
    const FIRST_WORDS: &[&str] = &[
        "avda",
        "avenida",
        "av",
        "calle",
        "plaza",
        "plz",
        "paseo",
        "camino",
        "travesia",
        "ronda",
        "carretera",
        "ctra",
        "glorieta",
        "urbanizacion",
        "poligono",
        "servicio",
        "servicios",
        "atencion",
        "registro",
        "banco",
        "caja",
        "departamento",
        "oficina",
        "juzgado",
        "comisaria",
        "ministerio",
        "ley",
        "real",
        "reglamento",
        "codigo",
        "agencia",
        "sociedad",
        "grupo",
        "seguros",
        "direccion",
        "defensor",
        "comision",
        "central",
        "instituto",
        "agente",
        "customer",
        "consumer",
        "bank",
        "registry",
        "department",
        "office",
        "service",
        "central",
        "financial",
        "data",
        "credit",
        "en",
        "in",
        "contrato",
        "condiciones",
        "informacion",
        "unidad",
        "autoridad",
        "the",
        "la",
        "el",
        "los",
        "las",
        "this",
        "este",
        "esta",
        "un",
        "una",
        "su",
        "por",
        "para",
        "con",
    ];
    let first = text.split_whitespace().next().unwrap_or_default();
    let folded = fold(first.trim_matches(|ch: char| !ch.is_alphabetic()));
    FIRST_WORDS.contains(&folded.as_str()) || text.starts_with("C/")
}

/// `Ana Ruiz y Luis Gil` are two people, `Ana Ortega y Gasset` is one.
fn joint_holders(text: &str) -> Vec<String> {
    for separator in [
        " / ",
        " & ",
        "; ",
        " y D. ",
        " y D.ª ",
        " y Dª ",
        " y Dña. ",
        " y Don ",
        " y Doña ",
        " and Mrs ",
        " and Mr ",
    ] {
        let parts: Vec<String> = text.split(separator).map(name::clean).collect();
        if parts.len() > 1 && parts.iter().all(|part| name::is_person(part)) {
            return parts;
        }
    }
    for separator in [" y ", " Y ", " and "] {
        let parts: Vec<String> = text.split(separator).map(name::clean).collect();
        if parts.len() == 2 && parts.iter().all(|part| part.split(' ').count() >= 3 && name::is_person(part))
        {
            return parts;
        }
    }
    vec![name::clean(text)]
}
