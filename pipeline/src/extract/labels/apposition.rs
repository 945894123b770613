//! A person named in running text by what follows the name: `doña Ana Gil Ruiz, vecina de Lugo, con DNI
//! 12345678Z`. Where a party's tax id is known and its name is not, the name is the one that the id is told of.

use super::agreement::Ranked;
use super::evidence::{Claim, Reading};
use super::relation::ends_sentence;
use crate::config::{DocumentTypeConfig, FieldConfig, FieldKind};
use crate::domain::{Value, Word};
use crate::extract::candidates::{Candidate, Class, Typed};
use crate::extract::parse::text::fold;

/// The id is known from here on.
const KNOWN_ID: f32 = 0.5;
/// A name with a label of its own is left alone.
const LABELLED_NAME: f32 = 0.6;
/// Words between a name and its id at most: an address and a date of birth.
const MOST_WORDS: usize = 34;
/// What a name is worth that is found so.
const WORTH: f32 = 0.8;
/// Words before a name in a sentence; others make it a street's or a place's.
const INTRODUCING: [&str; 24] = [
    "don", "dona", "d", "da", "dna", "sr", "sra", "senor", "senora", "yo", "tu", "usted", "i", "we", "you",
    "mr", "mrs", "ms", "miss", "y", "and", "e", "datos", "between",
];
/// Words that lead from a name to its id, where no comma does.
const LEADING: [&str; 12] = [
    "con",
    "holder",
    "bearer",
    "titular",
    "provisto",
    "provista",
    "with",
    "dni",
    "nif",
    "nie",
    "portador",
    "identificado",
];

/// Names the persons whose id is known and whose name no label told.
pub(super) fn name_by_id(config: &DocumentTypeConfig, readings: &[Reading], ranked: &mut [Ranked]) {
    for (field, settings) in config.fields.iter().enumerate().filter(|(_, field)| is_name(field)) {
        let labelled = ranked[field].first().is_some_and(|claim| claim.score >= LABELLED_NAME);
        let id = config.fields.iter().position(|id| is_id(id) && id.party == settings.party);
        let known = id.and_then(|id| ranked[id].first()).filter(|claim| claim.score >= KNOWN_ID);
        let Some(id) = known.filter(|_| !labelled) else { continue };
        let Some(name) = readings.get(id.page).and_then(|reading| name_before(reading, id)) else { continue };
        ranked[field].retain(|claim| claim.value != name.value);
        ranked[field].insert(0, name);
    }
}

fn is_name(field: &FieldConfig) -> bool {
    field.party.is_some() && matches!(field.kind, FieldKind::Person | FieldKind::Party)
}

fn is_id(field: &FieldConfig) -> bool {
    matches!(field.kind, FieldKind::PersonTaxId | FieldKind::TaxId)
}

/// The name in whose sentence the id stands, with no other id between.
fn name_before(reading: &Reading, id: &Claim) -> Option<Claim> {
    let (sheet, at) = (&reading.sheet, id.words.0);
    let piece = sheet.pieces.get(*sheet.piece_of_word.get(at)?)?;
    if !piece.prose && piece.first == at {
        return None;
    }
    let ids = || reading.candidates.get(&Class::TaxId).into_iter().flatten();
    let names = reading.candidates.get(&Class::Person).into_iter().flatten();
    let told_of = names.filter(|name| {
        name.end <= at
            && at - name.end <= MOST_WORDS
            && !ends_sentence(sheet, name.end - 1, at)
            && !ids().any(|other| name.end <= other.first && other.end <= at && other.first != at)
            && is_introduced(sheet.page.words.get(..name.first).and_then(<[_]>::last), name, reading)
            && leads_on(sheet.page.words.get(name.end - 1..at).unwrap_or_default())
    });
    let nearest = told_of.max_by_key(|name| (name.end, name.end - name.first))?;
    let Typed::Text(text) = &nearest.value else { return None };
    Some(Claim {
        value: Value::Text(text.clone()),
        raw: nearest.raw.clone(),
        score: WORTH * nearest.format,
        page: id.page,
        bounds: nearest.bounds,
        words: (nearest.first, nearest.end),
        checks: Vec::new(),
        repaired: false,
        currency: None,
    })
}

/// A name opens its cell, follows a sign, or is addressed.
fn is_introduced(before: Option<&Word>, name: &Candidate, reading: &Reading) -> bool {
    let pieces = &reading.sheet.pieces;
    let continues = || pieces.iter().any(|above| above.prose && above.below == Some(name.piece));
    let opens = pieces[name.piece].first == name.first && !(pieces[name.piece].prose && continues());
    let follows = before.is_some_and(|word| {
        let bare = fold(word.text.trim_matches(|ch: char| !ch.is_alphanumeric()));
        word.text.ends_with([':', ';', ')', '—', '–']) || INTRODUCING.contains(&bare.as_str())
    });
    let titled = name.raw.split_whitespace().count() > 2
        && name
            .raw
            .split_whitespace()
            .next()
            .is_some_and(|word| INTRODUCING.contains(&fold(word.trim_end_matches('.')).as_str()));
    opens || follows || titled
}

/// Whether the words from a name's last on go on with a comma or with what introduces an id.
fn leads_on(words: &[Word]) -> bool {
    let Some((last, rest)) = words.split_first() else { return false };
    let next = rest.first().map(|word| fold(word.text.trim_matches(|ch: char| !ch.is_alphanumeric())));
    last.text.ends_with(',') || next.is_some_and(|word| LEADING.contains(&word.as_str()))
}
