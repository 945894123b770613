//! The currency of a document: what stands beside its amounts, else the only one that it names.

use std::collections::BTreeMap;

use crate::config::DocumentTypeConfig;
use crate::domain::Value;
use crate::extract::FieldReading;
use crate::extract::candidates::{Class, Typed};
use crate::extract::labels::evidence::Reading;
use crate::extract::parse::money;

/// One mention beside an amount and one in a heading weigh about the same.
const WORD_WEIGHT: f32 = 0.8;

pub(super) fn read(
    _config: &DocumentTypeConfig,
    _field: usize,
    readings: &[Reading],
) -> Option<FieldReading> {
    let mut votes: BTreeMap<&'static str, (f32, FieldReading)> = BTreeMap::new();
    for reading in readings {
        for candidate in reading.candidates.get(&Class::Money).into_iter().flatten() {
            if let Typed::Money { currency: Some(currency), .. } = candidate.value {
                let place = found(currency, &candidate.raw, reading, candidate.bounds);
                votes.entry(currency).or_insert((0.0, place)).0 += 1.0;
            }
        }
        for word in &reading.sheet.page.words {
            let bare = word.text.trim_matches(|ch: char| "().,:;/[]".contains(ch));
            if let Some(currency) = named(bare) {
                let place = found(currency, bare, reading, word.bounds);
                votes.entry(currency).or_insert((0.0, place)).0 += WORD_WEIGHT;
            }
        }
    }
    let total: f32 = votes.values().map(|(weight, _)| weight).sum();
    let (weight, mut best) = votes.into_values().max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let share = weight / total.max(0.1);
    let ocr = readings.iter().any(|reading| reading.sheet.page.source.is_ocr());
    best.score = share * if weight >= 2.0 { 0.97 } else { 0.85 } * if ocr { 0.98 } else { 1.0 };
    (best.score > 0.5).then_some(best)
}

/// A currency's code, sign or plural; `euro` within a name is none.
fn named(word: &str) -> Option<&'static str> {
    let is_name =
        matches!(word, "EUR" | "€" | "GBP" | "£" | "USD" | "$" | "CHF") || word.eq_ignore_ascii_case("euros");
    if is_name { money::currency(word) } else { None }
}

fn found(currency: &str, raw: &str, reading: &Reading, bounds: crate::domain::Rect) -> FieldReading {
    FieldReading {
        value: Value::Text(currency.to_owned()),
        raw: raw.to_owned(),
        score: 0.0,
        page_index: reading.sheet.index,
        bounds,
        checks: Vec::new(),
        repaired: false,
    }
}
