//! Candidates that are told by their form: money, dates, periods, accounts, ids, numbers.

use std::ops::Range;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Candidate, Class, Scan, Typed};
use crate::domain::{CharReading, Check};
use crate::extract::labels::sheet::Sheet;
use crate::extract::labels::tokens::{is_number_word, tokens_of};
use crate::extract::parse::tax_id::TaxId;
use crate::extract::parse::{Found, bic, cups, date, iban, money, naf, number, period, rate, tax_id};

/// Of a date without separators.
const DIGITS: f32 = 0.8;
/// Runner-ups that a checksum may put in the place of what was read: two wrong characters in a code
/// are common on a bad scan, three unique ones are not.
const MOST_REPAIRS: usize = 2;

/// Two dates under each other that are this many days apart may be a period.
const STACKED_DAYS: std::ops::Range<i64> = 5..400;
const STACKED: f32 = 0.8;

/// Numbers of this many months or fewer are durations of loans.
const MOST_MONTHS: i64 = 480;

pub(super) fn find(class: Class, sheet: &Sheet) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (index, piece) in sheet.pieces.iter().enumerate() {
        let mut flow = vec![index];
        if matches!(class, Class::Date | Class::Period | Class::Iban | Class::Cups | Class::Money) {
            flow.extend(piece.below.filter(|_| piece.prose || class != Class::Money));
        }
        let scan = Scan::of_pieces(sheet, &flow);
        let crosses = piece.prose || matches!(class, Class::Iban | Class::Cups | Class::Date | Class::Period);
        let kept = values(class, sheet, &scan)
            .into_iter()
            .filter(|candidate| candidate.piece == index && (candidate.last_piece == index || crosses));
        found.extend(kept);
    }
    if matches!(class, Class::Iban | Class::Cups | Class::Naf) {
        found.extend(over_cells(class, sheet));
    }
    if class == Class::Period {
        found.extend(over_neighbours(sheet));
        found.extend(stacked(sheet));
    }
    found
}

fn values(class: Class, sheet: &Sheet, scan: &Scan) -> Vec<Candidate> {
    let text = scan.text.as_str();
    match class {
        Class::Money => amounts(scan),
        Class::Date => {
            let mut all = simple(scan, dates(sheet, text), Typed::Date);
            let digits = date::parse_digits(text.trim());
            all.extend(
                digits.and_then(|date| scan.candidate(0..text.len(), Typed::Date(date), DIGITS, Vec::new())),
            );
            all
        }
        Class::Period => {
            let mut all = simple(scan, period::find_all(text), Typed::Period);
            let single = simple(scan, dates(sheet, text), Typed::Date);
            all.extend(single);
            all
        }
        Class::Iban => codes(scan, iban::find_all(text), |readings| {
            iban::repair(readings, MOST_REPAIRS).map(|done| done.text)
        }),
        Class::Cups => codes(scan, cups::find_all(text), |readings| {
            cups::repair(readings, MOST_REPAIRS).map(|done| done.text)
        }),
        Class::Naf => codes(scan, naf::find_all(text), |_| None),
        Class::Bic => simple(scan, bic::find_all(text), Typed::Code),
        Class::TaxId => tax_ids(scan),
        Class::Percent => percents(scan),
        Class::Months => months(scan),
        Class::Integer => numbers(sheet, scan, |number| number.decimals == 0),
        Class::Quantity => numbers(sheet, scan, |_| true),
        Class::Person
        | Class::Company
        | Class::Party
        | Class::Identifier
        | Class::Text
        | Class::Choice(_) => Vec::new(),
    }
}

fn simple<T>(scan: &Scan, all: Vec<Found<T>>, typed: impl Fn(T) -> Typed) -> Vec<Candidate> {
    let candidate = |found: Found<T>| scan.candidate(found.range, typed(found.value), 1.0, found.checks);
    all.into_iter().filter_map(candidate).collect()
}

fn dates(sheet: &Sheet, text: &str) -> Vec<Found<chrono::NaiveDate>> {
    if sheet.page.source.is_ocr() { date::find_all_misread(text) } else { date::find_all(text) }
}

fn amounts(scan: &Scan) -> Vec<Candidate> {
    let mut all = Vec::new();
    let convincing = money::find_all(&scan.text);
    for found in &convincing {
        let format = match (found.value.decimals, found.value.currency) {
            (2, _) => 1.0,
            (_, Some(_)) => 0.85,
            _ => 0.6,
        };
        let value = Typed::Money { amount: found.value.amount, currency: found.value.currency };
        all.extend(scan.candidate(found.range.clone(), value, format, Vec::new()));
    }
    for found in number::find_all(&scan.text) {
        let taken = convincing.iter().any(|known| overlap(&known.range, &found.range));
        if !taken && found.value.decimals == 0 && alone(scan, &found.range) {
            let value = Typed::Money { amount: found.value.value, currency: None };
            all.extend(scan.candidate(found.range, value, 0.4, Vec::new()));
        }
    }
    all
}

fn codes(
    scan: &Scan,
    all: Vec<Found<String>>,
    repair: impl Fn(&[CharReading]) -> Option<String>,
) -> Vec<Candidate> {
    all.into_iter().filter_map(|found| mended(scan, found, &repair, Typed::Code)).collect()
}

/// A value that fails its own tests is repaired where that can be done in one way alone.
fn mended<T>(
    scan: &Scan,
    found: Found<T>,
    repair: impl Fn(&[CharReading]) -> Option<T>,
    typed: impl Fn(T) -> Typed,
) -> Option<Candidate> {
    let holds = found.holds();
    let mended = if holds { None } else { repair(&scan.readings(&found.range)) };
    let format = if holds {
        1.0
    } else if mended.is_some() {
        0.85
    } else {
        0.35
    };
    let repaired = mended.is_some();
    let checks = if repaired { all_passed(&found.checks) } else { found.checks };
    let value = typed(mended.unwrap_or(found.value));
    let candidate = scan.candidate(found.range, value, format, checks)?;
    Some(Candidate { repaired, ..candidate })
}

fn all_passed(checks: &[Check]) -> Vec<Check> {
    checks.iter().map(|check| Check::new(check.name.clone(), true)).collect()
}

fn tax_ids(scan: &Scan) -> Vec<Candidate> {
    let repair = |readings: &[CharReading]| tax_id::repair(readings, MOST_REPAIRS).map(|(id, _)| id);
    let typed = |id: TaxId| Typed::TaxId { person: id.is_person(), number: id.number };
    tax_id::find_all(&scan.text).into_iter().filter_map(|found| mended(scan, found, repair, typed)).collect()
}

fn percents(scan: &Scan) -> Vec<Candidate> {
    let marked = rate::find_all(&scan.text);
    let mut all: Vec<Candidate> = Vec::new();
    for found in number::find_all(&scan.text) {
        let taken = marked.iter().any(|known| overlap(&known.range, &found.range));
        let plausible =
            (1..=4).contains(&found.value.decimals) && found.value.value.abs() < Decimal::ONE_HUNDRED;
        if !taken && plausible && alone(scan, &found.range) {
            all.extend(scan.candidate(found.range, Typed::Number(found.value.value), 0.55, Vec::new()));
        }
    }
    all.extend(simple(scan, marked, Typed::Number));
    all
}

fn months(scan: &Scan) -> Vec<Candidate> {
    let mut all = Vec::new();
    for found in number::find_all(&scan.text) {
        let Some(count) = found.value.value.to_i64().filter(|_| found.value.decimals == 0) else { continue };
        let tail = scan.text.get(found.range.end..).unwrap_or_default();
        let unit = behind_words(tail).split_whitespace().flat_map(tokens_of).find(|token| !token.is_empty());
        let (count, format) = match unit.as_deref() {
            Some("meses" | "mes" | "months" | "month" | "mensualidades" | "cuotas" | "monthly" | "mths") => {
                (count, 1.0)
            }
            Some("anos" | "ano" | "years" | "year" | "yrs") => (count * 12, 1.0),
            _ => (count, if alone(scan, &found.range) { 0.8 } else { 0.45 }),
        };
        if (1..=MOST_MONTHS).contains(&count) {
            all.extend(scan.candidate(found.range, Typed::Months(count), format, Vec::new()));
        }
    }
    all
}

/// What follows a number that is spelt out in brackets as well: `36 (treinta y seis) meses`.
fn behind_words(tail: &str) -> &str {
    let spelt = tail.trim_start().strip_prefix('(').and_then(|inside| inside.split_once(')'));
    match spelt {
        Some((words, rest)) if words.split_whitespace().flat_map(tokens_of).all(|word| is_spelt(&word)) => {
            rest
        }
        _ => tail,
    }
}

fn is_spelt(word: &str) -> bool {
    word == "y" || word.split('-').all(is_number_word)
}

fn numbers(sheet: &Sheet, scan: &Scan, fits: impl Fn(&number::Number) -> bool) -> Vec<Candidate> {
    let fitting = number::find_all(&scan.text).into_iter().filter(|found| fits(&found.value));
    let candidate = |found: Found<number::Number>| {
        let joined = joined_to_letters(&scan.text, &found.range);
        let other_unit = if has_other_unit(&scan.text, &found.range) { 0.2 } else { 1.0 };
        let separator = scan
            .text
            .get(found.range.clone())
            .and_then(|text| text.chars().rfind(char::is_ascii_punctuation));
        let told = sheet.decimal_separator.is_some_and(|decimal| separator.is_some_and(|own| own != decimal));
        let format =
            if found.value.ambiguous && !told { 0.8 } else { 1.0 } * if joined { 0.4 } else { other_unit };
        scan.candidate(found.range, Typed::Number(found.value.value), format, Vec::new())
    };
    fitting.filter_map(candidate).collect()
}

/// Whether the value is all that its piece holds, but for signs, currencies and brackets.
fn alone(scan: &Scan, range: &Range<usize>) -> bool {
    let rest = |text: Option<&str>| {
        text.unwrap_or_default()
            .rsplit(':')
            .next()
            .is_some_and(|text| !text.chars().any(char::is_alphanumeric))
    };
    let tail = scan.text.get(range.end..scan.own.max(range.end)).unwrap_or_default();
    rest(scan.text.get(..range.start)) && !tail.chars().any(char::is_alphanumeric)
}

/// `30 days`, `4,6 kW`, `21 %` are no counts and no readings.
fn has_other_unit(text: &str, range: &Range<usize>) -> bool {
    const UNITS: [&str; 18] = [
        "dias", "days", "day", "dia", "meses", "months", "anos", "years", "horas", "hours", "kw", "km",
        "kva", "min", "m2", "am", "pm", "cuotas",
    ];
    let tail = text.get(range.end..).unwrap_or_default();
    let next = tail.split_whitespace().next().unwrap_or_default();
    let percent = tail.trim_start().starts_with('%');
    percent || tokens_of(next).first().is_some_and(|token| UNITS.contains(&token.as_str()))
}

fn joined_to_letters(text: &str, range: &Range<usize>) -> bool {
    let code_mark = |ch: char| ch.is_alphanumeric() || matches!(ch, '/' | '-' | '_');
    let before = text.get(..range.start).and_then(|head| head.chars().next_back());
    let after = text.get(range.end..).and_then(|tail| tail.chars().next());
    before.is_some_and(code_mark) || after.is_some_and(code_mark)
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Codes that are printed in several cells of one row, four characters each.
fn over_cells(class: Class, sheet: &Sheet) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (index, piece) in sheet.pieces.iter().enumerate() {
        let row: Vec<usize> = (index..sheet.pieces.len())
            .take_while(|other| sheet.pieces[*other].row == piece.row)
            .take(30)
            .collect();
        if row.len() > 1 {
            let scan = Scan::of_pieces(sheet, &row);
            let spanning = values(class, sheet, &scan);
            found.extend(spanning.into_iter().filter(|candidate| {
                candidate.piece == index && candidate.last_piece != index && candidate.format > 0.8
            }));
        }
    }
    found
}

/// Periods whose two dates stand alone under each other. Without a label they are no more than dates.
fn stacked(sheet: &Sheet) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (index, piece) in sheet.pieces.iter().enumerate() {
        let Some(below) = piece.below else { continue };
        let (Some(start), Some(end)) = (date_alone(sheet, index), date_alone(sheet, below)) else { continue };
        let days = (end - start).num_days();
        if STACKED_DAYS.contains(&days) {
            let scan = Scan::of_pieces(sheet, &[index, below]);
            let period = Typed::Period(period::Period { start, end });
            found.extend(scan.candidate(0..scan.text.len(), period, STACKED, Vec::new()));
        }
    }
    found
}

/// The date that is all a piece holds.
fn date_alone(sheet: &Sheet, index: usize) -> Option<chrono::NaiveDate> {
    let scan = Scan::of_pieces(sheet, &[index]);
    let found = dates(sheet, &scan.text);
    let [only] = found.as_slice() else { return None };
    let text = scan.text.trim_matches(|ch: char| !ch.is_alphanumeric());
    (only.raw(&scan.text).trim() == text).then_some(only.value)
}

/// Periods whose two dates stand in neighbouring cells: `01/03/2026 | 31/03/2026`.
fn over_neighbours(sheet: &Sheet) -> Vec<Candidate> {
    let mut found = Vec::new();
    for index in 0..sheet.pieces.len().saturating_sub(1) {
        let (piece, next) = (&sheet.pieces[index], &sheet.pieces[index + 1]);
        if piece.row == next.row && next.bounds.left - piece.bounds.right() < 6.0 * sheet.height {
            let scan = Scan::of_pieces(sheet, &[index, index + 1]);
            let spanning = simple(&scan, period::find_all(&scan.text), Typed::Period);
            found.extend(spanning.into_iter().filter(|candidate| candidate.piece != candidate.last_piece));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::behind_words;

    #[test]
    fn a_unit_may_stand_behind_the_number_in_words() {
        for (tail, rest) in [
            (" (treinta y seis) meses", " meses"),
            (" (thirty-six) months", " months"),
            (" (máximo) meses", " (máximo) meses"),
            (" meses (dos)", " meses (dos)"),
        ] {
            assert_eq!(behind_words(tail), rest);
        }
    }
}
