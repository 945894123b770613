//! Candidates without a form of their own: names of people and companies, codes, free text. They are
//! what stands between labels.

use super::{Candidate, Class, Typed};
use crate::domain::Rect;
use crate::extract::labels::lexicon::Role;
use crate::extract::labels::occurrence::Occurrence;
use crate::extract::labels::sheet::Sheet;
use crate::extract::parse::text::fold;
use crate::extract::parse::{cups, date, iban, name, tax_id};

/// Two letters and so many digits begin an account number; those of contracts and invoices are shorter.
const SHORTEST_ACCOUNT: usize = 16;
/// A name has at most this many words.
const LONGEST_NAME: usize = 10;

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

fn people(sheet: &Sheet, occurrences: &[Occurrence], first: usize, end: usize, found: &mut Vec<Candidate>) {
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
        found.push(candidate(sheet, (piece, last_piece), (first, last), bounds, text, value, format));
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
            if person && (commas > 1 || prose) {
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

fn companies(sheet: &Sheet, first: usize, end: usize, found: &mut Vec<Candidate>) {
    let mut at = first;
    while at < end {
        let run = capital_run(sheet, at, end, false);
        if run > at {
            push_company(sheet, first, at, run, found);
            at = run;
        } else {
            at += 1;
        }
    }
}

fn push_company(sheet: &Sheet, chunk: usize, first: usize, end: usize, found: &mut Vec<Candidate>) {
    let piece = sheet.piece_of_word[first];
    let with_form = (first + 2..=end).rev().find(|cut| {
        let text = sheet.text(first, *cut);
        name::has_legal_form(&text) && ends_in_legal_form(sheet, first, *cut)
    });
    if let Some(cut) = with_form {
        let text = sheet.text(first, cut);
        let value = Typed::Text(firm_name(sheet, &text));
        found.push(candidate(
            sheet,
            (piece, piece),
            (first, cut),
            sheet.bounds(first, cut),
            text,
            value,
            1.0,
        ));
        return;
    }
    let text = sheet.text(first, end);
    let value = firm_name(sheet, &text);
    let letters = value.chars().filter(|ch| ch.is_alphabetic()).count();
    let prose = sheet.pieces[piece].prose;
    let crossing = continued_firm(sheet, piece, first, end);
    if let Some((last_piece, last, text, bounds)) = crossing {
        let value = Typed::Text(firm_name(sheet, &text));
        found.push(candidate(sheet, (piece, last_piece), (first, last), bounds, text, value, 0.95));
    } else if letters >= 4 && first == chunk && !prose && end - first <= 7 && !value.contains(',') {
        found.push(candidate(
            sheet,
            (piece, piece),
            (first, end),
            sheet.bounds(first, end),
            text,
            Typed::Text(value),
            0.55,
        ));
    }
}

/// A firm whose legal form stands on the next line.
fn continued_firm(
    sheet: &Sheet,
    piece: usize,
    first: usize,
    end: usize,
) -> Option<(usize, usize, String, Rect)> {
    if end != sheet.pieces[piece].end {
        return None;
    }
    let below = sheet.pieces[piece].below?;
    let next = &sheet.pieces[below];
    for cut in (next.first + 1..=next.end.min(next.first + 6)).rev() {
        let text = format!("{} {}", sheet.text(first, end), sheet.text(next.first, cut));
        let capital = capital_run(sheet, next.first, cut, false) == cut;
        if capital && name::has_legal_form(&text) && ends_in_legal_form(sheet, next.first, cut) {
            return Some((below, cut, text, sheet.bounds(first, end).union(&sheet.bounds(next.first, cut))));
        }
    }
    None
}

/// The legal form ends exactly at the cut, not a word before it.
fn ends_in_legal_form(sheet: &Sheet, first: usize, cut: usize) -> bool {
    let last = &sheet.page.words[cut - 1].text;
    let shorter = cut > first + 2 && name::has_legal_form(&sheet.text(first, cut - 1));
    let alone = name::has_legal_form(&format!("Firma {last}"));
    alone || !shorter
}

fn firm_name(sheet: &Sheet, text: &str) -> String {
    let name = name::clean(text.trim_end_matches([',', ';', ':']));
    if sheet.page.source.is_ocr() { name::mend_legal_form(&name) } else { name }
}

fn firm_of_whole_piece(sheet: &Sheet, first: usize, end: usize, found: &mut Vec<Candidate>) {
    let text = sheet.text(first, end);
    if name::has_legal_form(&text)
        && capital_run(sheet, first, end, false) == end
        && ends_in_legal_form(sheet, first, end)
    {
        let piece = sheet.piece_of_word[first];
        let value = Typed::Text(firm_name(sheet, &text));
        found.push(candidate(
            sheet,
            (piece, piece),
            (first, end),
            sheet.bounds(first, end),
            text,
            value,
            0.97,
        ));
    }
}

/// Codes: words of capitals, digits and separators with a digit among them.
fn identifiers(sheet: &Sheet, first: usize, end: usize, found: &mut Vec<Candidate>) {
    let words = &sheet.page.words;
    let is_code = |word: usize| {
        let text =
            words[word].text.trim_matches(|ch: char| matches!(ch, '.' | ',' | ';' | ':' | '(' | ')' | '#'));
        let mark = |ch: char| {
            ch.is_ascii_uppercase() || ch.is_ascii_digit() || matches!(ch, '-' | '/' | '.' | '_' | '–')
        };
        !text.is_empty() && text.chars().all(mark)
    };
    let has_digit = |word: usize| words[word].text.chars().any(|ch| ch.is_ascii_digit());
    let mut at = first;
    while at < end {
        if !is_code(at) {
            at += 1;
            continue;
        }
        let run = (at..end.min(at + 5)).take_while(|word| is_code(*word)).last().map_or(at, |word| word + 1);
        let piece = sheet.piece_of_word[at];
        let stop = if sheet.pieces[piece].prose {
            (at..run).find(|word| has_digit(*word)).map_or(run, |word| word + 1)
        } else {
            run
        };
        if (at..stop).any(has_digit) {
            let text = sheet.text(at, stop);
            let code = text.trim_matches(|ch: char| !ch.is_alphanumeric()).replace([' ', '–'], "");
            let digits = code.chars().filter(char::is_ascii_digit).count();
            let format = match () {
                () if code.len() < 3 || digits == 0 => 0.3,
                () if is_another_kind(&code, &text) => 0.25,
                () => 0.95,
            };
            found.push(candidate(
                sheet,
                (piece, piece),
                (at, stop),
                sheet.bounds(at, stop),
                text,
                Typed::Text(code),
                format,
            ));
        }
        at = run.max(at + 1);
    }
}

/// An account, a supply point, a tax id or a date is no number of a contract or an invoice.
fn is_another_kind(code: &str, text: &str) -> bool {
    let begins_account = code.len() >= SHORTEST_ACCOUNT
        && code.chars().take(2).all(|ch| ch.is_ascii_uppercase())
        && code.chars().skip(2).all(|ch| ch.is_ascii_digit());
    if begins_account {
        return true;
    }
    let is_whole = |range: &std::ops::Range<usize>| range.len() + 2 >= code.len();
    iban::find_all(code).iter().any(|found| found.holds() && is_whole(&found.range))
        || cups::find_all(code).iter().any(|found| found.holds() && is_whole(&found.range))
        || tax_id::find_all(code).iter().any(|found| found.holds() && is_whole(&found.range))
        || date::find_all(text).iter().any(|found| found.range.len() + 2 >= text.len())
}

fn whole(sheet: &Sheet, first: usize, end: usize) -> Option<Candidate> {
    let text = sheet.text(first, end);
    let value = text
        .trim_matches(|ch: char| ch.is_whitespace() || matches!(ch, ':' | ',' | ';' | '-' | '·'))
        .to_owned();
    let letters = value.chars().filter(|ch| ch.is_alphanumeric()).count();
    let piece = sheet.piece_of_word[first];
    (letters > 0).then(|| {
        candidate(
            sheet,
            (piece, piece),
            (first, end),
            sheet.bounds(first, end),
            text,
            Typed::Text(value),
            0.8,
        )
    })
}

fn candidate(
    _sheet: &Sheet,
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
