//! What a statement says of its account beside the table: holder, bank, numbers, period and currency.
//! Labels do most; what they leave open is looked for by form.

use std::collections::BTreeMap;

use super::issuer;
use super::line::{Line, compact};
use crate::domain::{Check, Page, Rect, Value};
use crate::extract::FieldReading;
use crate::extract::parse::period::{self, Period};
use crate::extract::parse::{Found, bic, iban, money, name, text};

/// Ends of the period whose labels say so this surely are left alone.
const TOLD: f32 = 0.5;

/// Adds what the labels left open.
pub(super) fn complete(
    fields: &mut BTreeMap<String, FieldReading>,
    pages: &[&Page],
    lines: &[Line],
    used: &[bool],
) {
    let outside: Vec<&Line> =
        lines.iter().zip(used).filter(|(_, used)| !**used).map(|(line, _)| line).collect();
    settle_iban(fields, &outside);
    if !fields.contains_key("bic")
        && let Some(found) = find_bic(&outside)
    {
        fields.insert("bic".into(), found);
    }
    let told = |name: &str| fields.get(name).is_some_and(|field| field.score >= TOLD);
    if !(told("period_start") && told("period_end"))
        && let Some((period, found)) = find_period(&outside)
    {
        insert_period(fields, period, &found);
    }
    let labelled = fields.get("bank_name").map_or(0.0, |reading| reading.score);
    if let Some(reading) = issuer::bank_name(pages).filter(|reading| reading.score > labelled - 0.3) {
        fields.insert("bank_name".into(), reading);
    }
    settle_holder(fields, pages, &outside);
    if let Some(found) = find_currency(lines) {
        fields.insert("currency".into(), found);
    }
}

/// The label's holder, joined by the others named with it; else the addressee. Never the bank.
fn settle_holder(fields: &mut BTreeMap<String, FieldReading>, pages: &[&Page], outside: &[&Line]) {
    let bank = fields.get("bank_name").and_then(|field| field.value.as_text()).map(compact);
    let is_bank = |reading: &FieldReading| reading.value.as_text().map(compact) == bank;
    if fields.get("account_holder").is_some_and(is_bank) {
        fields.remove("account_holder");
    }
    let addressed = issuer::addressee(pages).filter(|reading| !is_bank(reading));
    let reading = match fields.get("account_holder") {
        Some(labelled) => issuer::joint(pages, labelled, addressed.as_ref()),
        None => named_with_account(outside)
            .filter(|reading| !is_bank(reading))
            .or(addressed)
            .or_else(|| find_addressee(outside, bank.as_deref())),
    };
    if let Some(reading) = reading {
        fields.insert("account_holder".into(), reading);
    }
}

/// A person named in the words behind an account number: `cuenta ES91… de Ana Gil`.
fn named_with_account(outside: &[&Line]) -> Option<FieldReading> {
    const LEADS: [&str; 9] = [
        "a nombre de ",
        "cuyo titular es ",
        "titular ",
        "de ",
        "in the name of ",
        "held by ",
        "belonging to ",
        "of ",
        "for ",
    ];
    for line in outside {
        for (text, bounds) in cells_of(line) {
            let number = iban::find_all(&text).into_iter().rfind(Found::holds);
            let Some(tail) = number.and_then(|number| text.get(number.range.end..)) else { continue };
            let tail = tail.trim_start_matches(|ch: char| !ch.is_alphanumeric());
            let behind = LEADS.iter().find_map(|lead| tail.strip_prefix(lead));
            let named = behind.and_then(|name| name.split([',', '.', ';', '(']).next()).unwrap_or_default();
            let cleaned = name::clean(named);
            if cleaned.contains(' ') && name::is_person(&cleaned) && !name::has_legal_form(&cleaned) {
                return Some(reading(Value::Text(cleaned), line, bounds, 0.8));
            }
        }
    }
    None
}

/// The period of the fields, if it is one.
pub(super) fn period_of(fields: &BTreeMap<String, FieldReading>) -> Option<Period> {
    let date = |name: &str| fields.get(name).and_then(|field| field.value.as_date());
    let (start, end) = (date("period_start")?, date("period_end")?);
    (start <= end && (end - start).num_days() < 800).then_some(Period { start, end })
}

/// An account number that holds and stands outside the table.
fn settle_iban(fields: &mut BTreeMap<String, FieldReading>, outside: &[&Line]) {
    let labelled = fields.get("iban").is_some_and(|field| field.score > 0.4);
    if labelled {
        return;
    }
    fields.remove("iban");
    let mut found: Vec<FieldReading> = Vec::new();
    for line in outside {
        for number in iban::find_all(&line_text(line)).into_iter().filter(Found::holds) {
            if !found.iter().any(|known| known.value.as_text() == Some(number.value.as_str())) {
                let mut reading = reading(Value::Text(number.value.clone()), line, line.bounds, 0.75);
                reading.checks.clone_from(&number.checks);
                found.push(reading);
            }
        }
    }
    let several = found.len() > 1;
    if let Some(mut first) = found.into_iter().next() {
        first.score *= if several { 0.6 } else { 1.0 };
        fields.insert("iban".into(), first);
    }
}

fn find_bic(outside: &[&Line]) -> Option<FieldReading> {
    outside.iter().find_map(|line| {
        let named = line.compact.contains("bic") || line.compact.contains("swift");
        let code = bic::find_all(&line_text(line)).into_iter().find(|_| named)?;
        Some(reading(Value::Text(code.value), line, line.bounds, 0.7))
    })
}

fn find_period(outside: &[&Line]) -> Option<(Period, FieldReading)> {
    outside.iter().find_map(|line| {
        let text = line_text(line);
        let found =
            period::find_all(&text).into_iter().find(|found| (5..=400).contains(&found.value.days()))?;
        Some((found.value, reading(Value::Boolean(true), line, line.bounds, 0.6)))
    })
}

fn insert_period(fields: &mut BTreeMap<String, FieldReading>, period: Period, found: &FieldReading) {
    for (name, date) in [("period_start", period.start), ("period_end", period.end)] {
        let reading = FieldReading { value: Value::date(date), ..found.clone() };
        let known = fields.get(name).filter(|known| known.score >= found.score);
        if known.is_none() {
            fields.insert(name.into(), reading);
        }
    }
}

/// The person to whom the letter goes: a name with a postcode on one of the lines below it.
fn find_addressee(outside: &[&Line], bank: Option<&str>) -> Option<FieldReading> {
    for (index, line) in outside.iter().enumerate().take(40) {
        for (text, bounds) in cells_of(line) {
            let cleaned = name::clean(&text);
            let person = name::is_person(&cleaned) && !name::has_legal_form(&cleaned);
            if !person || cleaned.split(' ').count() < 2 || Some(compact(&cleaned).as_str()) == bank {
                continue;
            }
            let addressed = outside.iter().skip(index + 1).take(8).any(|below| {
                below.page == line.page
                    && below.bounds.top - bounds.bottom() < 9.0 * line.height
                    && cells_of(below).iter().any(|(text, place)| {
                        (place.left - bounds.left).abs() < 2.0 * line.height && has_postcode(text)
                    })
            });
            if addressed {
                return Some(reading(Value::Text(cleaned), line, bounds, 0.62));
            }
        }
    }
    None
}

fn has_postcode(text: &str) -> bool {
    let words = text.split(|ch: char| !ch.is_alphanumeric());
    words.clone().any(|word| word.len() == 5 && word.chars().all(|ch| ch.is_ascii_digit()))
        && text.chars().any(char::is_alphabetic)
}

/// Runs of tokens without a wide gap.
fn cells_of(line: &Line) -> Vec<(String, Rect)> {
    let mut cells: Vec<(String, Rect)> = Vec::new();
    for token in &line.tokens {
        match cells.last_mut() {
            Some((text, bounds)) if token.bounds.left - bounds.right() < 1.3 * line.height => {
                text.push(' ');
                text.push_str(&token.text);
                *bounds = bounds.union(&token.bounds);
            }
            _ => cells.push((token.text.clone(), token.bounds)),
        }
    }
    cells
}

/// The currency that stands beside most amounts and in headings.
fn find_currency(lines: &[Line]) -> Option<FieldReading> {
    let mut votes: BTreeMap<&'static str, (usize, FieldReading)> = BTreeMap::new();
    for line in lines {
        for token in &line.tokens {
            let code = match token.amount() {
                Some(amount) => amount.currency,
                None => named_currency(&token.text),
            };
            if let Some(code) = code {
                let found = || reading(Value::Text(code.to_owned()), line, token.bounds, 0.0);
                votes.entry(code).or_insert_with(|| (0, found())).0 += 1;
            }
        }
    }
    let total: usize = votes.values().map(|(count, _)| count).sum();
    let (count, mut best) = votes.into_values().max_by_key(|(count, _)| *count)?;
    best.score = count as f32 / total.max(1) as f32 * if count > 1 { 0.97 } else { 0.88 };
    (best.score > 0.5).then_some(best)
}

fn named_currency(word: &str) -> Option<&'static str> {
    let bare = word.trim_matches(|ch: char| !ch.is_alphanumeric() && !"€£$".contains(ch));
    let tail = ["(€)", "(£)", "(EUR)", "(GBP)"].iter().find(|tail| word.ends_with(**tail));
    let bare = tail.map_or(bare, |tail| tail.trim_matches(['(', ')']));
    let is_name =
        matches!(bare, "EUR" | "€" | "GBP" | "£" | "USD" | "$" | "CHF") || text::fold(bare) == "euros";
    if is_name { money::currency(bare) } else { None }
}

pub(super) fn line_text(line: &Line) -> String {
    line.tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn reading(value: Value, line: &Line, bounds: Rect, score: f32) -> FieldReading {
    let certainty = line.tokens.iter().map(|token| token.certainty).fold(1.0_f32, f32::min);
    FieldReading {
        value,
        raw: line_text(line),
        score: score * if line.ocr { 0.6 + 0.4 * certainty } else { 1.0 },
        page_index: line.page,
        bounds,
        checks: Vec::<Check>::new(),
        repaired: false,
    }
}
