//! What speaks for each value of each field: labels, their relation, competing labels, the party whose
//! block it stands in, form and character certainty. One claim is one value at one place.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::captions;
use super::exclusion::is_excluded;
use super::lexicon::{Lexicon, Role};
use super::occurrence::{Occurrence, find_occurrences};
use super::party::{Belonging, Blocks};
use super::relation::{View, column_total, value_after, value_before};
use super::sheet::Sheet;
use super::unlabelled::unlabelled_strength;
use crate::config::{DocumentTypeConfig, FieldConfig, FieldKind};
use crate::domain::{Check, Page, Rect, Value};
use crate::extract::candidates::{Candidate, Class, Typed, find_candidates};
use crate::extract::parse::text::is_minus;

/// Relations weaker than this say nothing.
const LEAST_RELATION: f32 = 0.05;
/// What a document's title is worth as the label of its own number and date.
const TITLE_STRENGTH: f32 = 0.7;

/// One value at one place with all that speaks for it.
#[derive(Debug, Clone)]
pub struct Claim {
    pub value: Value,
    pub raw: String,
    pub score: f32,
    pub page: usize,
    pub bounds: Rect,
    /// Words on the page.
    pub words: (usize, usize),
    pub checks: Vec<Check>,
    pub repaired: bool,
    pub currency: Option<&'static str>,
}

/// A page with all that was found on it.
#[derive(Debug)]
pub struct Reading<'a> {
    pub sheet: Sheet<'a>,
    pub occurrences: Vec<Occurrence>,
    pub labelled: Vec<bool>,
    pub captions_below: bool,
    pub blocks: Blocks,
    pub candidates: BTreeMap<Class, Vec<Candidate>>,
}

impl<'a> Reading<'a> {
    pub fn new(config: &DocumentTypeConfig, lexicon: &Lexicon, page: &'a Page, index: usize) -> Self {
        let sheet = Sheet::new(page, index);
        let occurrences = find_occurrences(lexicon, &sheet);
        let mut labelled = vec![false; sheet.tokens.len()];
        for token in occurrences.iter().flat_map(|occurrence| &occurrence.tokens) {
            labelled[*token] = true;
        }
        let captions_below = captions::stand_below(&sheet, &occurrences);
        let blocks = Blocks::find(config, &sheet, &occurrences, captions_below);
        let mut candidates = BTreeMap::new();
        for class in (0..config.fields.len()).filter_map(|field| Class::of(config, field)) {
            candidates.entry(class).or_insert_with(|| find_candidates(config, class, &sheet, &occurrences));
        }
        Self { sheet, occurrences, labelled, captions_below, blocks, candidates }
    }

    fn view(&self, class: Class) -> View<'_> {
        let candidates = self.candidates.get(&class).map_or(&[][..], Vec::as_slice);
        View {
            sheet: &self.sheet,
            occurrences: &self.occurrences,
            candidates,
            labelled: &self.labelled,
            captions_below: self.captions_below,
        }
    }
}

/// All claims of all fields on one page, in the order of the configuration's fields.
pub fn claims_on(config: &DocumentTypeConfig, reading: &Reading) -> Vec<Vec<Claim>> {
    let mut claims: Vec<Vec<Claim>> = vec![Vec::new(); config.fields.len()];
    let classes: Vec<Class> = reading.candidates.keys().copied().collect();
    for class in classes {
        let view = reading.view(class);
        let bonds = Bonds::between(config, class, &view);
        for (field, settings) in config.fields.iter().enumerate() {
            if Class::of(config, field) == Some(class) {
                claims[field] = claims_of(field, settings, config, reading, &view, &bonds);
            }
        }
    }
    claims
}

/// The relation of every label with every value of one class.
struct Bonds {
    /// For each candidate, label occurrence, role and strength.
    by_candidate: Vec<Vec<(Role, f32)>>,
}

impl Bonds {
    fn between(config: &DocumentTypeConfig, class: Class, view: &View) -> Self {
        let same_class = |field: usize| Class::of(config, field) == Some(class);
        let is_price = |field: usize| config.fields[field].labels_after.iter().any(|unit| unit.contains('/'));
        let titled: Vec<usize> = (0..config.fields.len())
            .filter(|field| config.fields[*field].title && same_class(*field))
            .collect();
        let mut by_candidate = Vec::with_capacity(view.candidates.len());
        for candidate in view.candidates {
            let mut bonds = Vec::new();
            for label in view.occurrences {
                bind(label, candidate, view, (&same_class, &is_price), &mut bonds);
                if label.roles.contains(&Role::Title) && !titled.is_empty() {
                    let strength = TITLE_STRENGTH * value_after(view, label, candidate) * label.quality;
                    let own = titled.iter().map(|field| (Role::Label { field: *field }, strength));
                    bonds.extend(own.filter(|(_, strength)| *strength > LEAST_RELATION));
                }
            }
            by_candidate.push(bonds);
        }
        Self { by_candidate }
    }
}

fn bind(
    label: &Occurrence,
    candidate: &Candidate,
    view: &View,
    (same_class, is_price): (&impl Fn(usize) -> bool, &impl Fn(usize) -> bool),
    bonds: &mut Vec<(Role, f32)>,
) {
    let matters = |role: &&Role| match role {
        Role::Label { field } | Role::PartyLabel { field } | Role::EdgeLabel { field } => same_class(*field),
        Role::Column { field } | Role::After { field } | Role::Not { field } => same_class(*field),
        Role::Other => true,
        Role::Heading { .. } | Role::Title | Role::OtherSection => false,
    };
    let mut after_value: Option<f32> = None;
    // A unit right behind a number belongs to it: `688 kWh a 0,18` says nothing of 0,18.
    let is_unit =
        view.candidates.iter().any(|other| other.end == label.first && other.last_piece == label.piece);
    let per_unit = view.sheet.is_denominator(label.first, label.tokens[0]);
    let unit_of = |field: usize| is_unit && label.roles.contains(&Role::After { field });
    for role in label.roles.iter().filter(matters) {
        let strength = match role {
            Role::Label { field } if unit_of(*field) => 0.0,
            // `€/kWh` is another unit than `kWh`.
            Role::After { field } if per_unit && !is_price(*field) => 0.0,
            Role::After { .. } => value_before(view, label, candidate),
            Role::Column { .. } => column_total(view, label, candidate),
            Role::Label { .. } => {
                let strength = *after_value.get_or_insert_with(|| value_after(view, label, candidate));
                strength.max(column_total(view, label, candidate))
            }
            _ => *after_value.get_or_insert_with(|| value_after(view, label, candidate)),
        };
        if strength > LEAST_RELATION {
            bonds.push((*role, strength * label.quality));
        }
    }
}

fn claims_of(
    field: usize,
    settings: &FieldConfig,
    config: &DocumentTypeConfig,
    reading: &Reading,
    view: &View,
    bonds: &Bonds,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (candidate, bonds) in view.candidates.iter().zip(&bonds.by_candidate) {
        if is_excluded(field, settings, config, view, candidate) {
            continue;
        }
        let Some(value) = normalised(settings, candidate, bonds, field) else { continue };
        let belonging = belonging(settings, config, reading, candidate);
        let own = own_strength(field, settings, config, reading, candidate, bonds, belonging);
        if own < LEAST_RELATION {
            continue;
        }
        let rival = rival_strength(field, settings, candidate, bonds);
        let contest = if rival > own { 0.25 * own / rival } else { 1.0 - 0.4 * (rival / own).powi(4) };
        let certainty = certainty_factor(reading, candidate);
        let score = own * contest * candidate.format * kind_factor(config, settings, candidate) * certainty;
        let currency = match candidate.value {
            Typed::Money { currency, .. } => currency,
            _ => None,
        };
        claims.push(Claim {
            value,
            raw: candidate.raw.clone(),
            score: score.clamp(0.0, 1.0),
            page: reading.sheet.index,
            bounds: candidate.bounds,
            words: (candidate.first, candidate.end),
            checks: candidate.checks.clone(),
            repaired: candidate.repaired,
            currency,
        });
    }
    claims
}

fn belonging(
    settings: &FieldConfig,
    config: &DocumentTypeConfig,
    reading: &Reading,
    candidate: &Candidate,
) -> Option<Belonging> {
    let party = settings.party.as_ref()?;
    let party = config.parties.iter().position(|known| known.name == *party)?;
    let prose = reading.sheet.pieces[candidate.piece].prose;
    Some(reading.blocks.belonging(party, &candidate.bounds, candidate.first, prose))
}

fn own_strength(
    field: usize,
    settings: &FieldConfig,
    config: &DocumentTypeConfig,
    reading: &Reading,
    candidate: &Candidate,
    bonds: &[(Role, f32)],
    belonging: Option<Belonging>,
) -> f32 {
    let mut own: f32 = 0.0;
    for (role, strength) in bonds.iter().filter(|(role, _)| role.field() == Some(field)) {
        let weight = match (role, belonging) {
            (Role::PartyLabel { .. }, Some(Belonging::Own)) => 0.95,
            (Role::PartyLabel { .. }, Some(Belonging::Letterhead)) => 0.9,
            (Role::PartyLabel { .. }, Some(Belonging::Nobody)) => 0.7,
            (Role::PartyLabel { .. }, Some(Belonging::OthersLetterhead)) => 0.6,
            (Role::PartyLabel { .. }, Some(Belonging::Other)) => 0.2,
            (Role::PartyLabel { .. }, None) => 0.75,
            (Role::After { .. }, _) if settings.kind == FieldKind::Quantity => 0.75,
            (_, Some(Belonging::Other)) => 0.65,
            (_, Some(Belonging::Nobody | Belonging::OthersLetterhead)) => 0.95,
            _ => 1.0,
        };
        own = own.max(strength * weight);
    }
    own.max(unlabelled_strength(settings, config, reading, candidate, belonging))
}

/// The strongest label of something else that points at the value.
fn rival_strength(field: usize, settings: &FieldConfig, candidate: &Candidate, bonds: &[(Role, f32)]) -> f32 {
    let mut rival: f32 = 0.0;
    for (role, strength) in bonds {
        let other = match role {
            Role::Not { field: own } => *own == field,
            // What has a check of its own is not mistaken for an amount or a date, nor is a period.
            Role::Other => {
                !matches!(settings.kind, FieldKind::Iban | FieldKind::Cups | FieldKind::Naf)
                    && !candidate.is_explicit_period()
            }
            Role::Column { .. } | Role::After { .. } => false,
            _ => {
                role.field() != Some(field)
                    && !bonds
                        .iter()
                        .any(|(same, at)| same.field() == Some(field) && (at - strength).abs() < 0.001)
            }
        };
        if other {
            rival = rival.max(*strength);
        }
    }
    rival
}

fn certainty_factor(reading: &Reading, candidate: &Candidate) -> f32 {
    if !reading.sheet.page.source.is_ocr() {
        return 1.0;
    }
    let certainty = reading.sheet.certainty(candidate.first, candidate.end);
    let proven = candidate.checks.iter().any(|check| check.passed) && !candidate.repaired;
    if proven { 0.9 + 0.1 * certainty } else { 0.35 + 0.65 * certainty }
}

/// How well the value's own kind fits the field: people's ids against companies', sign and size.
fn kind_factor(config: &DocumentTypeConfig, settings: &FieldConfig, candidate: &Candidate) -> f32 {
    match (&candidate.value, settings.kind) {
        (Typed::TaxId { person, .. }, FieldKind::PersonTaxId) if !person => 0.1,
        (Typed::TaxId { person, .. }, FieldKind::CompanyTaxId) if *person => 0.3,
        // Claimants, holders and customers are mostly people; the other party of their papers is a company.
        (Typed::TaxId { person, .. }, FieldKind::TaxId) if !person && !config.is_issuers(settings) => 0.5,
        (Typed::Money { amount, .. }, _) if amount.is_sign_negative() && candidate.raw.contains(is_minus) => {
            0.7
        }
        _ => 1.0,
    }
}

/// What a candidate would be as the value of a field, whatever speaks for it.
pub fn possible_value(config: &DocumentTypeConfig, field: usize, candidate: &Candidate) -> Option<Value> {
    let settings = config.fields.get(field)?;
    normalised(settings, candidate, &[(Role::EdgeLabel { field }, 1.0)], field)
}

/// The value as the field gives it; `None` when it cannot be the field's.
fn normalised(
    settings: &FieldConfig,
    candidate: &Candidate,
    bonds: &[(Role, f32)],
    field: usize,
) -> Option<Value> {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    match (&candidate.value, settings.kind) {
        (Typed::Money { amount, .. }, _) => in_range(settings, amount.abs()).map(Value::money),
        (Typed::Period(period), FieldKind::PeriodStart) => Some(Value::date(period.start)),
        (Typed::Period(period), FieldKind::PeriodEnd) => Some(Value::date(period.end)),
        (Typed::Date(date), FieldKind::PeriodStart | FieldKind::PeriodEnd) => {
            let edge = bonds.iter().any(|(role, _)| *role == Role::EdgeLabel { field });
            edge.then(|| Value::date(*date))
        }
        (Typed::Date(date), _) => Some(Value::date(*date)),
        (Typed::Number(number), FieldKind::Percent | FieldKind::Quantity) => {
            in_range(settings, *number).map(|number| Value::Text(plain(number, settings.kind)))
        }
        (Typed::Number(number), _) => {
            in_range(settings, *number)?.to_string().parse().ok().map(Value::Integer)
        }
        (Typed::Months(months), _) => Some(Value::Integer(*months)),
        (Typed::TaxId { number, .. }, _) => text(number),
        (Typed::Code(code), FieldKind::Cups) => text(code.get(..20).unwrap_or(code)),
        (Typed::Code(code), _) => text(code),
        (Typed::Text(value), _) => fits_pattern(settings, value).then(|| Value::Text(value.clone())),
        (Typed::Period(_), _) => None,
    }
}

fn fits_pattern(settings: &FieldConfig, value: &str) -> bool {
    let pattern = settings.pattern.as_deref().and_then(|pattern| regex::Regex::new(pattern).ok());
    pattern.is_none_or(|pattern| pattern.is_match(value))
}

fn in_range(settings: &FieldConfig, number: Decimal) -> Option<Decimal> {
    let limit = |bound: Option<f64>| bound.and_then(|bound| Decimal::try_from(bound).ok());
    let high_enough = limit(settings.minimum).is_none_or(|least| number >= least);
    let low_enough = limit(settings.maximum).is_none_or(|most| number <= most);
    (high_enough && low_enough).then_some(number)
}

/// Rates come with two places, quantities as printed.
fn plain(number: Decimal, kind: FieldKind) -> String {
    if kind == FieldKind::Percent && number.scale() <= 2 {
        let mut rate = number;
        rate.rescale(2);
        return rate.to_string();
    }
    number.to_string()
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A claim of words on the first page, each a hundredth wide, without checks.
    pub(in super::super) fn claim(value: Value, score: f32, words: (usize, usize)) -> Claim {
        Claim {
            raw: value.as_text().unwrap_or_default().to_owned(),
            value,
            score,
            page: 0,
            bounds: Rect::new(0.01 * words.0 as f32, 0.0, 0.01 * (words.1 - words.0) as f32, 0.01),
            words,
            checks: vec![],
            repaired: false,
            currency: None,
        }
    }
}
