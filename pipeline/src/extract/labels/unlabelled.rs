//! What a value is worth without a label of its field: an issuer's name in the letterhead, the only account
//! of its kind, a person with a personal id, the date over the signatures. Knows places and forms, no labels.

use super::brand::is_named_again;
use super::evidence::Reading;
use super::party::Belonging;
use super::tokens::is_number_word;
use crate::config::{DocumentTypeConfig, FieldConfig, FieldKind};
use crate::extract::candidates::{Candidate, Class, Typed};
use crate::extract::parse::date_words::month;
use crate::extract::parse::name;
use crate::extract::parse::text::{fold, single_spaced};

/// A name is worth this much once a personal id stands with it.
const IDENTIFIED: f32 = 0.3;
/// To whom a paper goes stands in the upper part of its first page, over an address of few lines.
const ADDRESSED: f32 = 0.6;
const ADDRESS_SHARE: f32 = 0.4;
const ADDRESS_LINES: usize = 4;
/// What an issuer's legal name gains when the page names the firm elsewhere too.
const NAMED_AGAIN: f32 = 0.25;
/// What is left of an issuer's strength when words before the name say what it is.
const INTRODUCED: f32 = 0.5;
/// Share of the first page in which an issuer's name stands without a label.
const LETTERHEAD_SHARE: f32 = 0.25;

/// Values that need no label: an issuer's name in the letterhead, the only account or code of its
/// kind, a tax id in its party's block.
pub(super) fn unlabelled_strength(
    settings: &FieldConfig,
    config: &DocumentTypeConfig,
    reading: &Reading,
    candidate: &Candidate,
    belonging: Option<Belonging>,
) -> f32 {
    let own_block = matches!(belonging, Some(Belonging::Own | Belonging::Letterhead));
    match settings.kind {
        FieldKind::Company | FieldKind::Party => {
            if config.is_issuers(settings) {
                let introduced = if is_introduced(reading, candidate) { INTRODUCED } else { 1.0 };
                introduced * letterhead_strength(reading, candidate, own_block)
            } else if is_introduced(reading, candidate) {
                0.0
            } else if candidate.format > 0.9 && is_addressee(reading, candidate) {
                ADDRESSED
            } else if candidate.format > 0.9 && belonging != Some(Belonging::Other) {
                // A customer's name above or beside a personal id.
                let person = person_strength(reading, candidate, own_block);
                match (own_block, person >= IDENTIFIED) {
                    (true, _) => person.max(0.35),
                    (false, true) => person,
                    (false, false) => 0.0,
                }
            } else {
                0.0
            }
        }
        FieldKind::Person if belonging != Some(Belonging::Other) && candidate.format > 0.9 => {
            person_strength(reading, candidate, own_block)
        }
        FieldKind::TaxId | FieldKind::PersonTaxId | FieldKind::CompanyTaxId if own_block => 0.6,
        FieldKind::CompanyTaxId | FieldKind::PersonTaxId if belonging == Some(Belonging::Nobody) => 0.35,
        FieldKind::Iban | FieldKind::Cups | FieldKind::Naf if belonging != Some(Belonging::Other) => 0.6,
        FieldKind::Iban | FieldKind::Cups | FieldKind::Naf => 0.4,
        FieldKind::PeriodStart | FieldKind::PeriodEnd if candidate.is_explicit_period() => 0.5,
        FieldKind::PeriodStart | FieldKind::PeriodEnd if matches!(candidate.value, Typed::Period(_)) => 0.35,
        FieldKind::Date if settings.dateline && on_dateline(reading, candidate) => 0.85,
        // So that what agrees with other fields to the cent can be found without a known label.
        FieldKind::Money | FieldKind::Percent | FieldKind::Months | FieldKind::Quantity => 0.06,
        // A ticked option of a list needs no label: its words say what it is.
        FieldKind::Choice if candidate.format > 0.9 => 0.85,
        FieldKind::Choice if candidate.format > 0.65 => 0.6,
        _ => 0.0,
    }
}

/// Words with a colon stand before it in its line: they say what it is, even where they are no known label.
fn is_introduced(reading: &Reading, candidate: &Candidate) -> bool {
    let piece = &reading.sheet.pieces[candidate.piece];
    let before = candidate.first.checked_sub(1).filter(|before| *before >= piece.first);
    before.is_some_and(|before| reading.sheet.page.words[before].text.ends_with(':'))
}

/// A name that is all of its line at the head of the first page, with an address under it that ends with a
/// postcode: to whom a paper goes.
fn is_addressee(reading: &Reading, candidate: &Candidate) -> bool {
    let sheet = &reading.sheet;
    let piece = &sheet.pieces[candidate.piece];
    let alone = piece.first == candidate.first && piece.end == candidate.end;
    let head = sheet.index == 0 && candidate.bounds.top < ADDRESS_SHARE * sheet.page.height;
    let postcode = |word: usize| {
        let text = sheet.page.words[word].text.trim_matches(|ch: char| !ch.is_alphanumeric());
        text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut line = piece.below;
    alone
        && head
        && (0..ADDRESS_LINES).any(|_| {
            let Some(piece) = line.map(|line| &sheet.pieces[line]) else { return false };
            line = piece.below;
            !piece.prose && (piece.first..piece.end).any(postcode)
        })
}

/// Names at the top of the first page: the larger the print and the higher, the more.
fn letterhead_strength(reading: &Reading, candidate: &Candidate, own_block: bool) -> f32 {
    let page = reading.sheet.page;
    let (top, bottom) = (candidate.bounds.top / page.height, candidate.bounds.bottom() / page.height);
    let large = (candidate.bounds.height / reading.sheet.height - 1.0).clamp(0.0, 1.0);
    let legal = candidate.format > 0.9;
    let place = if reading.sheet.index == 0 && top < LETTERHEAD_SHARE {
        0.55
    } else if bottom > 0.9 {
        0.45
    } else {
        0.2
    };
    let again = is_named_again(reading, candidate);
    let form = if legal {
        1.0
    } else if again && top < LETTERHEAD_SHARE || large > 0.3 && top < 0.15 {
        0.7
    } else {
        0.35
    };
    let block = if own_block { 0.1 } else { 0.0 };
    let registered = if legal && has_company_id_beside(reading, candidate) { 0.25 } else { 0.0 };
    let repeated = if legal && again { NAMED_AGAIN } else { 0.0 };
    (place * form + 0.15 * large * form + block * form + registered + repeated).min(0.9)
}

/// A person without a label: in the own block, with a title, beside a personal id.
fn person_strength(reading: &Reading, candidate: &Candidate, own_block: bool) -> f32 {
    let sheet = &reading.sheet;
    let titled =
        name::clean(&candidate.raw) != single_spaced(candidate.raw.trim_end_matches([',', ';', '.']));
    let ids = reading.candidates.get(&Class::TaxId).into_iter().flatten();
    let identified = ids.filter(|id| matches!(id.value, Typed::TaxId { person: true, .. })).any(|id| {
        let apart = (id.bounds.center_y() - candidate.bounds.center_y()) / sheet.height;
        let beside = apart.abs() < 0.8 && id.bounds.left > candidate.bounds.right();
        let under = (0.5..4.5).contains(&apart)
            && (id.bounds.left - candidate.bounds.left).abs() < 12.0 * sheet.height;
        beside || under
    });
    let block = if own_block { 0.3 } else { 0.05 };
    block + if titled { 0.15 } else { 0.0 } + if identified { 0.25 } else { 0.0 }
}

/// A company's tax id follows the name within a few words, as issuers print their legal identity.
fn has_company_id_beside(reading: &Reading, candidate: &Candidate) -> bool {
    let ids = reading.candidates.get(&Class::TaxId).into_iter().flatten();
    ids.filter(|id| matches!(id.value, Typed::TaxId { person: false, .. })).any(|id| {
        let follows = id.first >= candidate.end && id.first - candidate.end <= 5;
        let under = Some(id.piece) == reading.sheet.pieces[candidate.last_piece].below;
        follows || under
    })
}

/// The line of place and date over the signatures: `En Madrid, a 5 de marzo de 2026`.
fn on_dateline(reading: &Reading, candidate: &Candidate) -> bool {
    let sheet = &reading.sheet;
    let piece = &sheet.pieces[candidate.piece];
    let first = match candidate.piece.checked_sub(1).map(|before| &sheet.pieces[before]) {
        // A wide gap before the date parts it from its line.
        Some(before) if before.row == piece.row && candidate.first == piece.first => before.first,
        _ => piece.first,
    };
    let words = &sheet.page.words[first..candidate.first.max(first)];
    let start = words.iter().rposition(|word| word.text.ends_with('.')).map_or(0, |at| at + 1);
    let lead = &words[start..];
    let text =
        |word: &crate::domain::Word| word.text.trim_matches(|ch: char| !ch.is_alphanumeric()).to_lowercase();
    // In a sentence the place is introduced; on a line of its own it may open the line.
    // A date in figures may follow the same one in words: `a seis de enero de dos mil veintiséis (06.01.2026)`.
    let spelt =
        |word: &crate::domain::Word| is_number_word(&fold(&text(word))) || month(&text(word)).is_some();
    let bracketed = sheet.page.words.get(candidate.first).is_some_and(|word| word.text.starts_with('('));
    let lead = match lead.iter().position(spelt).filter(|_| bracketed) {
        Some(at) => &lead[..at],
        None => lead,
    };
    let town = match lead.iter().rposition(|word| text(word) == "en") {
        Some(at) => &lead[at + 1..],
        None if start == 0 && lead.len() <= 5 => lead,
        None => return false,
    };
    let joints = [
        "a",
        "de",
        "del",
        "la",
        "el",
        "las",
        "los",
        "día",
        "dia",
        "on",
        "ciudad",
        "villa",
        "localidad",
        "municipio",
        "",
    ];
    let capital = |word: &crate::domain::Word| {
        word.text.trim_start_matches('(').chars().next().is_some_and(char::is_uppercase)
    };
    let named = town.iter().any(&capital);
    let only_names = town.iter().all(|word| capital(word) || joints.contains(&text(word).as_str()));
    let comma = town.iter().any(|word| word.text.ends_with(',') || text(word) == "a");
    named && only_names && comma && town.len() <= 7
}
