//! Statements of accounts: the table of transactions by its headings and alignment, with running
//! balances as constraints, and the fields of the statement that the table knows best.
//!
//! Knows words of headings and arithmetic; no bank's name and no template.

mod line;
mod header;
mod columns;
mod balance_line;
mod table;
mod ledger;
mod issuer;

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use crate::domain::{CharReading, Check, Page, Rect, Transaction, Value, Word};

use super::FieldReading;
use super::parse::period::{self, Period};
use balance_line::BalanceLine;
use ledger::{Ledger, Order, Posting};
use line::{MoneyItem, PrintedDate};
use table::{Entry, Stated, Table};

/// Adds to what labels told: the transactions, and balances and period where the table knows better.
pub fn read(pages: &[&Page], fields: &mut BTreeMap<String, FieldReading>) {
    let lines = line::lines(pages);
    let table = table::read(&lines);
    let period = period_of(pages, fields);
    let printed_opening = stated(&table, BalanceLine::Opening);
    let opening = printed_opening
        .map(|stated| stated.money.money.amount)
        .or_else(|| amount_of(fields.get("opening_balance")));
    let ledger = ledger::settle(&table.entries, opening, pages);
    let dates = dates_of(&table.entries, period, ledger.order);
    balances(&table, &ledger, pages, fields);
    period_fields(period, &dates, &table, fields);
    let labelled = fields.get("bank_name").map_or(0.0, |reading| reading.score);
    if let Some(reading) = issuer::bank_name(pages).filter(|reading| reading.score > labelled - 0.3) {
        fields.insert("bank_name".to_owned(), reading);
    }
    holders(pages, fields);
    if let Some(reading) = transactions(&table.entries, &ledger, &dates, pages, fields) {
        fields.insert("transactions".to_owned(), reading);
    }
}

/// The label's holder, joined by the others named with it; else the addressee.
fn holders(pages: &[&Page], fields: &mut BTreeMap<String, FieldReading>) {
    let addressed = issuer::addressee(pages);
    let reading = match fields.get("account_holder") {
        Some(labelled) => issuer::joint(pages, labelled, addressed.as_ref()),
        None => addressed,
    };
    if let Some(reading) = reading {
        fields.insert("account_holder".to_owned(), reading);
    }
}

fn amount_of(reading: Option<&FieldReading>) -> Option<Decimal> {
    reading.and_then(|reading| reading.value.as_decimal())
}

fn stated(table: &Table, kind: BalanceLine) -> Option<&Stated> {
    let mut all = table.stated.iter().filter(|stated| stated.kind == kind);
    if kind == BalanceLine::Closing { all.next_back() } else { all.next() }
}

/// The statement's period: from its labels, else the longest one printed on the first page.
fn period_of(pages: &[&Page], fields: &BTreeMap<String, FieldReading>) -> Option<Period> {
    let date = |name: &str| fields.get(name).and_then(|reading| reading.value.as_date());
    if let (Some(start), Some(end)) = (date("period_start"), date("period_end"))
        && start <= end
    {
        return Some(Period { start, end });
    }
    let text = pages.first().map(|page| page.text()).unwrap_or_default();
    let found = text.lines().flat_map(period::find_all).map(|found| found.value);
    found.filter(|period| period.days() >= 5).max_by_key(|period| period.days())
}

/// Years for dates without one: from the period, else from the nearest complete date of the table.
fn dates_of(entries: &[Entry], period: Option<Period>, order: Order) -> Vec<Option<NaiveDate>> {
    let complete = entries.iter().find_map(|entry| match entry.date {
        PrintedDate::Full(date) => Some(date),
        PrintedDate::DayMonth(_) => entry.value_date.and_then(|value| match value {
            PrintedDate::Full(date) => Some(date),
            PrintedDate::DayMonth(_) => None,
        }),
    });
    let mut dates: Vec<Option<NaiveDate>> =
        entries.iter().map(|entry| resolve(entry.date, period, complete)).collect();
    if period.is_none() {
        mend_years(&mut dates, order);
    }
    dates
}

fn resolve(printed: PrintedDate, period: Option<Period>, near: Option<NaiveDate>) -> Option<NaiveDate> {
    match (printed, period, near) {
        (PrintedDate::Full(date), _, _) => Some(date),
        (PrintedDate::DayMonth(day), Some(period), _) => day.within(period.start, period.end),
        (PrintedDate::DayMonth(day), None, Some(near)) => day.within(near, near),
        (PrintedDate::DayMonth(_), None, None) => None,
    }
}

/// Without a period a statement over New Year steps back half a year or more at once: the year turns.
fn mend_years(dates: &mut [Option<NaiveDate>], order: Order) {
    let mut indices: Vec<usize> = (0..dates.len()).collect();
    if order == Order::NewestFirst {
        indices.reverse();
    }
    let mut before: Option<NaiveDate> = None;
    for at in indices {
        if let (Some(last), Some(date)) = (before, dates[at])
            && (last - date).num_days() > 200
        {
            dates[at] = date.with_year(date.year() + 1);
        }
        before = dates[at].or(before);
    }
}

fn certainty_of(item: &MoneyItem) -> f32 {
    if item.weak { item.place.certainty * 0.5 } else { item.place.certainty }
}

/// Opening and closing balance from rows of their own, else from the first and last running balance.
fn balances(table: &Table, ledger: &Ledger, pages: &[&Page], fields: &mut BTreeMap<String, FieldReading>) {
    let in_time: Vec<usize> = match ledger.order {
        Order::OldestFirst => (0..ledger.postings.len()).collect(),
        Order::NewestFirst => (0..ledger.postings.len()).rev().collect(),
    };
    let posting = |at: usize| &ledger.postings[at];
    let first =
        in_time.first().and_then(|at| posting(*at).balance.map(|balance| balance - posting(*at).amount));
    let last = in_time.iter().rev().find_map(|at| posting(*at).balance);
    let opening_row = stated(table, BalanceLine::Opening).map(|stated| (&stated.money, stated.page_index));
    let closing_row = stated(table, BalanceLine::Closing)
        .or_else(|| {
            table
                .stated
                .iter()
                .rfind(|stated| stated.kind == BalanceLine::Carried && stated.after == table.entries.len())
        })
        .map(|stated| (&stated.money, stated.page_index));
    let sum: Decimal = ledger.postings.iter().map(|posting| posting.amount).sum();
    settle_balance("opening_balance", opening_row, first, pages, fields);
    settle_balance("closing_balance", closing_row, last, pages, fields);
    let (opening, closing) =
        (amount_of(fields.get("opening_balance")), amount_of(fields.get("closing_balance")));
    if let (Some(opening), Some(closing)) = (opening, closing)
        && !ledger.postings.is_empty()
    {
        let holds = opening + sum == closing;
        for name in ["opening_balance", "closing_balance"] {
            if let Some(reading) = fields.get_mut(name) {
                reading.checks.push(Check::new("statement_adds_up", holds));
                reading.score = if holds { reading.score.max(0.6).sqrt() } else { reading.score * 0.8 };
            }
        }
    }
}

/// Candidates for one balance: the label's, the row's, the one that running balances imply. Two that
/// agree win; else what is printed in a row, then at a label.
fn settle_balance(
    name: &str,
    row: Option<(&MoneyItem, usize)>,
    implied: Option<Decimal>,
    pages: &[&Page],
    fields: &mut BTreeMap<String, FieldReading>,
) {
    let labelled = fields.get(name).cloned();
    let from_row = row.map(|(item, page_index)| FieldReading {
        value: Value::money(item.money.amount),
        raw: raw_of(pages, page_index, item),
        score: 0.8 * certainty_of(item),
        page_index,
        bounds: item.place.bounds,
        checks: Vec::new(),
        repaired: false,
    });
    let agrees = |reading: &FieldReading| implied.is_some() && reading.value.as_decimal() == implied;
    let candidates: Vec<FieldReading> = from_row.into_iter().chain(labelled).collect();
    let chosen = candidates.iter().find(|reading| agrees(reading)).or_else(|| candidates.first()).cloned();
    let Some(mut chosen) = chosen else { return };
    if let Some(implied) = implied.filter(|implied| !agrees(&chosen) && misread(pages, &chosen, *implied)) {
        chosen.value = Value::money(implied);
        chosen.repaired = true;
        chosen.score = 0.85;
    } else if agrees(&chosen) {
        chosen.score = chosen.score.max(0.95);
    } else if implied.is_some() {
        chosen.score *= 0.7;
    }
    fields.insert(name.to_owned(), chosen);
}

/// Whether the recogniser's runner-ups at a reading's place spell the wanted amount.
fn misread(pages: &[&Page], reading: &FieldReading, wanted: Decimal) -> bool {
    let Some(page) = pages.get(reading.page_index) else { return false };
    let within = |word: &&Word| reading.bounds.contains_point(word.bounds.center_x(), word.bounds.center_y());
    let chars: Vec<CharReading> =
        page.words.iter().filter(within).flat_map(|word| word.chars.iter().cloned()).collect();
    !chars.is_empty() && ledger::digits_could_read(&chars, wanted.abs())
}

fn raw_of(pages: &[&Page], page_index: usize, item: &MoneyItem) -> String {
    let words = pages.get(page_index).and_then(|page| page.words.get(item.place.first..item.place.end));
    words.unwrap_or_default().iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// A period that labels did not tell, where the page prints one.
fn period_fields(
    period: Option<Period>,
    dates: &[Option<NaiveDate>],
    table: &Table,
    fields: &mut BTreeMap<String, FieldReading>,
) {
    let Some(period) = period else { return };
    let inside = dates.iter().flatten().filter(|date| (period.start..=period.end).contains(date)).count();
    let share = inside as f32 / dates.iter().flatten().count().max(1) as f32;
    let place = table.entries.first().map(|entry| (entry.page_index, entry.bounds));
    for (name, date) in [("period_start", period.start), ("period_end", period.end)] {
        match fields.get_mut(name) {
            Some(reading) if share > 0.9 && !dates.is_empty() => {
                reading.score = reading.score.max(0.6).sqrt();
            }
            Some(reading) => reading.score *= 0.5 + 0.5 * share,
            None => {
                let (page_index, bounds) = place.unwrap_or((0, Rect::default()));
                fields.insert(
                    name.to_owned(),
                    FieldReading {
                        value: Value::date(date),
                        raw: date.to_string(),
                        score: 0.7 * share,
                        page_index,
                        bounds,
                        checks: Vec::new(),
                        repaired: false,
                    },
                );
            }
        }
    }
}

fn transactions(
    entries: &[Entry],
    ledger: &Ledger,
    dates: &[Option<NaiveDate>],
    pages: &[&Page],
    fields: &BTreeMap<String, FieldReading>,
) -> Option<FieldReading> {
    let mut rows = Vec::new();
    let mut bounds: Option<Rect> = None;
    let first_page = entries.first()?.page_index;
    for ((entry, posting), date) in entries.iter().zip(&ledger.postings).zip(dates) {
        let Some(date) = *date else { continue };
        let Some(page) = pages.get(entry.page_index) else { continue };
        let value_date = entry
            .value_date
            .and_then(|printed| resolve(printed, Some(Period { start: date, end: date }), Some(date)));
        if entry.page_index == first_page {
            bounds = Some(bounds.map_or(entry.bounds, |all| all.union(&entry.bounds)));
        }
        rows.push(Transaction {
            date,
            value_date,
            description: entry.description.join(" "),
            amount: posting.amount,
            balance: posting.balance,
            confidence: f64::from(row_score(entry, posting)),
            page: u32::try_from(entry.page_index).unwrap_or(0) + 1,
            file: String::new(),
            bounds: entry.bounds.as_fractions(page.width, page.height),
        });
    }
    let bounds = bounds?;
    if rows.is_empty() {
        return None;
    }
    let closes = fields.get("closing_balance").and_then(|reading| {
        reading.checks.iter().find(|check| check.name == "statement_adds_up").map(|check| check.passed)
    });
    let judged: Vec<bool> = ledger.postings.iter().filter_map(|posting| posting.confirmed).collect();
    let mut checks = Vec::new();
    if !judged.is_empty() {
        checks.push(Check::new("running_balances", judged.iter().all(|holds| *holds)));
    }
    if let Some(passed) = closes {
        checks.push(Check::new("statement_adds_up", passed));
    }
    let lowest = rows.iter().map(|row| row.confidence).fold(1.0, f64::min);
    let mean = rows.iter().map(|row| row.confidence).sum::<f64>() / rows.len() as f64;
    let score = (lowest * 0.5 + mean * 0.5) * if closes == Some(false) { 0.6 } else { 1.0 };
    Some(FieldReading {
        raw: format!("{} rows", rows.len()),
        value: Value::Transactions(rows),
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        score: score as f32,
        page_index: first_page,
        bounds,
        checks,
        repaired: ledger.postings.iter().any(|posting| posting.repaired),
    })
}

/// How sure one row is: what the recogniser says, and what the balances say.
fn row_score(entry: &Entry, posting: &Posting) -> f32 {
    let read = certainty_of(&entry.amount);
    let dated = entry.date_certainty;
    let amount = match posting.confirmed {
        Some(true) => 0.97 + 0.03 * read,
        Some(false) => 0.45 * read,
        None => 0.85 * read,
    };
    let directed = if posting.directed || posting.confirmed == Some(true) { 1.0 } else { 0.5 };
    amount * directed * (0.85 + 0.15 * dated)
}

#[cfg(test)]
mod tests;
