//! Names of an identity document: the print's spelling, found by the zone's.

use unicode_normalization::UnicodeNormalization;

use crate::domain::{Rect, Value};

use super::super::FieldReading;
use super::super::mrz::Mrz;
use super::super::parse::text::fold;
use super::printed::{Printed, Sheet};
use super::{around, from_zone_only};

/// Letters that a zone must have left of surnames and of given names for the print to be known by them.
/// Given names stand last: it is mostly they that are cut.
const LEAST_SURNAMES: usize = 10;
const LEAST_GIVEN: usize = 3;
/// The share of a name's letters that the zone has to say for the two to agree.
const MOSTLY: f32 = 0.6;
/// What is left of the zone's word for a name that may be cut short, where the print does not bear it out.
const CUT_SHORT: f32 = 0.6;

/// A name as the zone gives it.
#[derive(Clone, Copy)]
pub(super) struct Zoned<'z> {
    zone: &'z Mrz,
    name: &'z str,
    /// Letters that must be left of it when it was cut short.
    least: usize,
    /// It stands last, and fills its places.
    may_be_cut: bool,
}

impl<'z> Zoned<'z> {
    pub(super) fn surnames(zone: &'z Mrz) -> Option<Self> {
        Self::of(zone, &zone.surnames, LEAST_SURNAMES, zone.given_names.is_empty())
    }

    pub(super) fn given_names(zone: &'z Mrz) -> Option<Self> {
        Self::of(zone, &zone.given_names, LEAST_GIVEN, true)
    }

    /// `None` where the zone says no name, or has too little left of it to be one.
    fn of(zone: &'z Mrz, name: &'z str, least: usize, is_last: bool) -> Option<Self> {
        let may_be_cut = zone.names_cut && is_last;
        let too_little = may_be_cut && letters(name).len() < least;
        (!name.is_empty() && !too_little).then_some(Self { zone, name, least, may_be_cut })
    }

    /// What only the zone says.
    fn alone(&self, score: f32) -> FieldReading {
        from_zone_only(self.zone, self.name, if self.may_be_cut { CUT_SHORT * score } else { score })
    }
}

/// The name as printed. With a zone, the words of the print that spell the zone's name; without, what
/// stands at the label.
pub(super) fn merge(sheet: &Sheet, zoned: Option<Zoned>, labelled: &[Printed]) -> Option<FieldReading> {
    let Some(zoned) = zoned else {
        let best = labelled.first()?;
        return Some(best.reading(Value::Text(best.text.clone()), 0.75));
    };
    let Zoned { zone, name, least, .. } = zoned;
    if let Some(label) = labelled.iter().find(|label| spells(&label.text, name)) {
        return Some(agreed(label.reading(Value::Text(label.text.clone()), 0.98)));
    }
    if let Some(label) = labelled.iter().find(|label| zone.names_cut && goes_on(&label.text, name, least)) {
        let proven = letters(name).len() as f32 / letters(&label.text).len().max(1) as f32;
        let reading = label.reading(Value::Text(label.text.clone()), 0.8 + 0.18 * proven);
        return Some(if proven >= MOSTLY { agreed(reading) } else { reading });
    }
    if let Some(found) = spelled_out(sheet, name) {
        return Some(found);
    }
    let nearest = labelled.first().map(|label| (label, likeness(&letters(&label.text), &letters(name))));
    match nearest {
        // Nearly the same: one side was misread. The surer side is taken.
        Some((label, likeness)) if likeness > 0.75 => {
            let certainty = zone.score;
            let mut reading = if label.certainty > certainty {
                label.reading(Value::Text(label.text.clone()), 0.7 * likeness)
            } else {
                zoned.alone(0.7 * likeness)
            };
            reading.score *= 0.9;
            Some(reading)
        }
        Some((label, _)) if !label.doubtful && zone.score > 0.9 => {
            let mut reading = zoned.alone(0.6);
            reading.checks.push(crate::domain::Check::new("mrz_agrees", false));
            Some(reading)
        }
        _ => Some(zoned.alone(0.8 * (0.5 + 0.5 * zone.score))),
    }
}

fn agreed(mut reading: FieldReading) -> FieldReading {
    reading.checks.push(crate::domain::Check::new("mrz_agrees", true));
    reading
}

/// A word without what stands beside it; marks of ordinals are no letters.
pub(super) fn bare(word: &str) -> &str {
    word.trim_matches(|ch: char| !ch.is_alphabetic() || matches!(ch, 'º' | 'ª'))
}

/// Letters as the zone writes them: no accents, no marks.
pub(super) fn letters(text: &str) -> String {
    fold(text).chars().filter(char::is_ascii_alphabetic).collect()
}

/// What a zone may write for letters with marks (ICAO Doc 9303-3, section 6 A): `ü` is `UE` or `U`.
fn transliterated(text: &str) -> String {
    let mut written = String::new();
    for ch in text.nfc().flat_map(char::to_lowercase) {
        match ch {
            'ä' | 'æ' => written.push_str("ae"),
            'ö' | 'ø' | 'œ' => written.push_str("oe"),
            'ü' => written.push_str("ue"),
            'å' => written.push_str("aa"),
            'ß' => written.push_str("ss"),
            'þ' => written.push_str("th"),
            other => written.push(other),
        }
    }
    letters(&written)
}

/// Whether the print is the zone's name.
fn spells(print: &str, zoned: &str) -> bool {
    let zoned = letters(zoned);
    letters(print) == zoned || transliterated(print) == zoned
}

/// Whether the zone's name is the beginning of the print's: where all its places are taken, it was cut short.
fn goes_on(print: &str, zoned: &str, least: usize) -> bool {
    let zoned = letters(zoned);
    let begins = |print: &str| zoned.len() >= least && print.starts_with(&zoned);
    begins(&letters(print)) || begins(&transliterated(print))
}

/// Each word of the zone's name as a word of the print, wherever it stands.
fn spelled_out(sheet: &Sheet, zoned: &str) -> Option<FieldReading> {
    let mut words: Vec<&str> = Vec::new();
    let mut bounds: Vec<Rect> = Vec::new();
    let mut certainty: f32 = 1.0;
    let mut page_index = None;
    let mut after = 0;
    for wanted in zoned.split(' ') {
        let same = |text: &str| spells(text, wanted);
        let here = |(_, word): &(usize, &super::printed::Piece)| {
            page_index.is_none_or(|page| page == word.page_index) && same(&word.text)
        };
        let mut found = sheet.pieces.iter().enumerate().filter(here);
        let next = found.clone().find(|(at, _)| *at >= after).or_else(|| found.next())?;
        after = next.0 + 1;
        page_index = Some(next.1.page_index);
        words.push(bare(&next.1.text));
        bounds.push(next.1.bounds);
        certainty = certainty.min(next.1.certainty);
    }
    let text = words.join(" ");
    Some(agreed(FieldReading {
        value: Value::Text(text.clone()),
        raw: text,
        score: 0.96 * (0.6 + 0.4 * certainty),
        page_index: page_index?,
        bounds: around(&bounds),
        checks: Vec::new(),
        repaired: false,
    }))
}

/// 0 for texts with nothing in common, 1 for the same.
#[expect(clippy::cast_possible_truncation, reason = "a share")]
fn likeness(a: &str, b: &str) -> f32 {
    strsim::normalized_levenshtein(a, b) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn print_spells_what_the_zone_writes() {
        for (print, zoned) in
            [("Jürgen", "JUERGEN"), ("SCHÄFER", "SCHAEFER"), ("Müller", "MULLER"), ("Ibáñez", "IBANEZ")]
        {
            assert!(spells(print, zoned), "{print} {zoned}");
        }
        assert!(!spells("Saz", "SAEZ"));
    }

    #[test]
    fn a_name_cut_short_is_known_by_its_beginning() {
        let print = "SANTOS CARVALHO CARVALHO";
        assert!(!spells(print, "SANTOS CARVALHO") && goes_on(print, "SANTOS CARVALHO", LEAST_SURNAMES));
        for (print, zoned, begins) in [
            ("ROSA MARÍA", "ROSA MARI", true),
            ("Miguel", "MIG", true),
            ("MIGUEL", "MI", false),
            ("NONEZ", "NUN", false),
        ] {
            assert_eq!(goes_on(print, zoned, LEAST_GIVEN), begins, "{print} {zoned}");
        }
        assert!(!goes_on("ROSA MARÍA", "ROSA MARI", LEAST_SURNAMES));
        assert_eq!(bare("RAMÍREZº"), "RAMÍREZ");
    }
}
