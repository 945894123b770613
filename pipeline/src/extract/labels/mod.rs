//! Fields by their labels: finds the configured labels and typed values on the pages of a document and
//! decides jointly which value belongs to which field. General mechanisms only: synonyms, geometry,
//! forms, checks, arithmetic. Must not know any issuer's template.

pub mod tokens;
pub mod lexicon;
pub mod sheet;
pub mod occurrence;
pub mod party;
pub mod relation;
pub mod evidence;
mod captions;
mod exclusion;
mod unlabelled;
mod brand;
mod apposition;
mod period;
mod loan;
pub mod agreement;

use std::collections::BTreeMap;

use agreement::{Ranked, settle};
use evidence::{Claim, Reading, claims_on};
use lexicon::Lexicon;

use super::FieldReading;
use crate::config::{DocumentTypeConfig, FieldConfig, FieldKind};
use crate::domain::{Page, Value};
use crate::extract::parse::text::fold;

/// Scores below this are guesses: the field is absent.
const LEAST_SCORE: f32 = 0.3;
/// Weaker claims are no rivals of a value that stands alone, and what that is worth of the doubt.
const RIVAL: f32 = 0.1;
const ALONE: f32 = 0.5;
/// A name with this share of the best one's score is as likely meant.
const EVEN: f32 = 0.97;

/// Shorter texts are no variants of each other, and in how many letters one may differ.
const LEAST_NAME: usize = 10;
const LETTERS_PER_VARIATION: usize = 10;

/// The fields of a document that labels tell, by name.
pub fn read_fields(config: &DocumentTypeConfig, pages: &[&Page]) -> BTreeMap<String, FieldReading> {
    let readings = read_pages(config, pages);
    fields_of(config, &readings)
}

/// Kinds whose form alone says much: when a paper has one such value, it is hardly something else.
fn is_telling(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::PeriodStart | FieldKind::PeriodEnd | FieldKind::Iban | FieldKind::Cups | FieldKind::Naf
    )
}

/// The pages of a document prepared for the search of fields.
pub fn read_pages<'a>(config: &DocumentTypeConfig, pages: &[&'a Page]) -> Vec<Reading<'a>> {
    let lexicon = Lexicon::compile(config);
    pages.iter().enumerate().map(|(index, page)| Reading::new(config, &lexicon, page, index)).collect()
}

/// The fields that labels tell on prepared pages.
pub fn fields_of(config: &DocumentTypeConfig, readings: &[Reading]) -> BTreeMap<String, FieldReading> {
    let mut ranked = ranked_claims(config, readings);
    let before = ranked.clone();
    settle(config, &mut ranked);
    share_out(config, &mut ranked);
    apposition::name_by_id(config, readings, &mut ranked);
    let mut fields = BTreeMap::new();
    for (settings, (ranked, before)) in config.fields.iter().zip(ranked.iter().zip(&before)) {
        if is_name(settings) && is_even(ranked) {
            continue;
        }
        if let Some(mut reading) = best_reading(ranked, before) {
            if is_telling(settings.kind) && ranked.iter().skip(1).all(|claim| claim.score < RIVAL) {
                reading.score += (1.0 - reading.score) * ALONE;
            }
            fields.insert(settings.name.clone(), reading);
        }
    }
    fields
}

/// For every field of the configuration its possible values, best first, before they are weighed
/// against other fields.
pub fn ranked_claims(config: &DocumentTypeConfig, readings: &[Reading]) -> Vec<Ranked> {
    let mut claims: Vec<Vec<Claim>> = vec![Vec::new(); config.fields.len()];
    for reading in readings {
        for (all, on_page) in claims.iter_mut().zip(claims_on(config, reading)) {
            all.extend(on_page);
        }
    }
    let is_ocr = readings.iter().any(|reading| reading.sheet.page.source.is_ocr());
    claims.into_iter().map(|claims| ranked_by_value(claims, is_ocr)).collect()
}

/// Claims of the same value become one; that it stands in several places raises its score.
fn ranked_by_value(claims: Vec<Claim>, is_ocr: bool) -> Ranked {
    let mut claims = claims;
    claims.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.page.cmp(&b.page)).then(a.words.cmp(&b.words)));
    let mut groups: Vec<Supported> = Vec::new();
    for claim in claims {
        match groups.iter_mut().find(|known| same_value(&known.claim.value, &claim.value)) {
            Some(known) if is_same_place(&known.claim, &claim) => {}
            Some(known) => {
                known.places += 1;
                if claim.score > 0.2 {
                    known.claim.score += (1.0 - known.claim.score) * 0.35 * claim.score;
                }
            }
            None => groups.push(Supported { claim, places: 1 }),
        }
    }
    groups.sort_by(|a, b| b.claim.score.total_cmp(&a.claim.score));
    let groups = if is_ocr { with_variants_joined(groups) } else { groups };
    let ranked = groups.into_iter().map(|group| group.claim).collect();
    without_parts(ranked)
}

/// A name put together from parts is claimed at each of them.
fn is_same_place(one: &Claim, other: &Claim) -> bool {
    one.page == other.page && one.bounds == other.bounds && one.words != other.words
}

/// A value with the number of places that it stands in.
struct Supported {
    claim: Claim,
    places: usize,
}

/// A name that was read differently in one place is no second name: the reading of more places stands for
/// both, with the better label's score.
fn with_variants_joined(groups: Vec<Supported>) -> Vec<Supported> {
    let mut joined: Vec<Supported> = Vec::new();
    for group in groups {
        match joined.iter_mut().find(|known| is_variant(&known.claim.value, &group.claim.value)) {
            Some(known) => {
                let score = known.claim.score;
                if group.places > known.places {
                    known.claim = Claim { score, ..group.claim };
                }
                known.places += group.places;
            }
            None => joined.push(group),
        }
    }
    joined
}

/// Two texts without digits, long enough to be names, that a misread letter in ten parts.
fn is_variant(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_text(), other.as_text()) else { return false };
    let length = one.chars().count().min(other.chars().count());
    if length < LEAST_NAME || one.chars().chain(other.chars()).any(|ch| ch.is_ascii_digit()) {
        return false;
    }
    strsim::levenshtein(&fold(one), &fold(other)) <= length / LETTERS_PER_VARIATION
}

/// Equal but for case, as a name that stands in capitals above and as usual over its signature.
fn same_value(one: &Value, other: &Value) -> bool {
    match (one.as_text(), other.as_text()) {
        (Some(one), Some(other)) => one == other || fold(one) == fold(other),
        _ => one == other,
    }
}

/// A name cut short by a word that is also a label gives way to the whole name about as strong.
fn without_parts(ranked: Ranked) -> Ranked {
    let is_part = |claim: &Claim| {
        ranked.iter().any(|other| {
            let within =
                other.page == claim.page && other.words.0 <= claim.words.0 && claim.words.1 <= other.words.1;
            let longer = other.words.1 - other.words.0 > claim.words.1 - claim.words.0;
            within && longer && other.score > 0.85 * claim.score
        })
    };
    ranked.iter().filter(|claim| !is_part(claim)).cloned().collect()
}

/// Two fields cannot rest on the same words, nor two parties have one name: the weaker takes its next value.
fn share_out(config: &DocumentTypeConfig, ranked: &mut [Ranked]) {
    for _ in 0..config.fields.len() {
        let Some((field, _)) = conflict(config, ranked) else { return };
        ranked[field].remove(0);
    }
}

fn conflict(config: &DocumentTypeConfig, ranked: &[Ranked]) -> Option<(usize, usize)> {
    for one in 0..ranked.len() {
        for other in one + 1..ranked.len() {
            let (Some(first), Some(second)) = (ranked[one].first(), ranked[other].first()) else { continue };
            let period = |field: usize| {
                matches!(config.fields[field].kind, FieldKind::PeriodStart | FieldKind::PeriodEnd)
            };
            let same_words =
                first.page == second.page && first.words.0 < second.words.1 && second.words.0 < first.words.1;
            let same_value = first.value == second.value || first.raw == second.raw;
            let one_name = same_value && are_names_of_two(&config.fields[one], &config.fields[other]);
            if one_name || same_words && same_value && !(period(one) && period(other)) {
                return Some(if first.score < second.score { (one, other) } else { (other, one) });
            }
        }
    }
    None
}

fn is_name(field: &FieldConfig) -> bool {
    matches!(field.kind, FieldKind::Person | FieldKind::Party | FieldKind::Company)
}

/// Two names of which either may be meant: nothing is added up or ordered that would decide between them. What
/// is cut from a name is no other name.
fn is_even(ranked: &Ranked) -> bool {
    let folded = |claim: &Claim| fold(claim.value.as_text().unwrap_or_default());
    let is_other = |one: &str, other: &str| !one.contains(other) && !other.contains(one);
    matches!(ranked.as_slice(), [best, rival, ..]
        if rival.score >= EVEN * best.score && is_other(&folded(best), &folded(rival)))
}

/// Both are names, of different parties.
fn are_names_of_two(one: &FieldConfig, other: &FieldConfig) -> bool {
    is_name(one) && is_name(other) && one.party.is_some() && other.party.is_some() && one.party != other.party
}

/// The best claim, its score lowered by how near another value comes to it.
fn best_reading(ranked: &Ranked, before: &Ranked) -> Option<FieldReading> {
    let best = ranked.first()?;
    let agreed = before.first().is_none_or(|first| first.value != best.value)
        || before.first().is_some_and(|first| first.score < best.score);
    let rival = ranked.get(1).map_or(0.0, |claim| claim.score);
    let nearness = ((rival / best.score.max(0.01) - 0.5) / 0.5).clamp(0.0, 1.0);
    let doubt = if agreed { 0.1 } else { 0.5 };
    let score = best.score * (1.0 - doubt * nearness);
    (score >= LEAST_SCORE).then(|| FieldReading {
        value: best.value.clone(),
        raw: best.raw.clone(),
        score,
        page_index: best.page,
        bounds: best.bounds,
        checks: best.checks.clone(),
        repaired: best.repaired,
    })
}

#[cfg(test)]
mod tests {
    use super::evidence::testing;
    use super::*;

    fn claim(name: &str, score: f32, at: usize) -> Claim {
        testing::claim(Value::Text(name.to_owned()), score, (at, at + 3))
    }

    #[test]
    fn a_name_misread_in_one_place_is_as_the_others_read_it() {
        let claims = vec![
            claim("Noelia Goikoetxea Paira", 0.8, 0),
            claim("Noelia Goikoetxea Parra", 0.3, 10),
            claim("NOELIA GOIKOETXEA PARRA", 0.3, 20),
            claim("Marta Leal Osuna", 0.1, 30),
        ];
        let ranked = ranked_by_value(claims, true);
        let names: Vec<&str> = ranked.iter().map(|claim| claim.raw.as_str()).collect();
        assert_eq!(names, ["Noelia Goikoetxea Parra", "Marta Leal Osuna"]);
        assert!(ranked[0].score >= 0.8);
    }

    #[test]
    fn of_two_names_as_strong_either_may_be_meant() {
        let with_rival =
            |score: f32| vec![claim("Nerea Valcarce Otxoa", 0.8, 0), claim("Marta Leal Osuna", score, 10)];
        assert!(is_even(&with_rival(0.8)));
        assert!(is_even(&with_rival(0.79)));
        assert!(!is_even(&with_rival(0.7)));
        assert!(!is_even(&vec![claim("Nerea Valcarce Otxoa", 0.8, 0)]));
    }

    #[test]
    fn one_reading_against_one_keeps_the_better_label() {
        let claims =
            vec![claim("Noelia Goikoetxea Parra", 0.8, 0), claim("Noelia Goikoetxea Paira", 0.3, 10)];
        let ranked = ranked_by_value(claims.clone(), true);
        assert_eq!(ranked.len(), 1);
        assert_eq!(ranked[0].raw, "Noelia Goikoetxea Parra");
        // What was typeset is not misread.
        assert_eq!(ranked_by_value(claims, false).len(), 2);
    }
}
