//! From movements as they stand on the page to the statement's fields: dates resolved, oldest first,
//! reconciled with the balances, each row with its score.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::account::{line_text, period_of};
use super::days::{Resolved, resolve};
use super::ledger::{Entry, Ledger, Settled, settle};
use super::line::Line;
use super::order::{date_of, end_days, is_newest_first, latest_date, mend_dates};
use super::rows::{Mention, Movement, Table};
use super::vocabulary::Special;
use crate::domain::{Check, Page, Rect, Transaction, Value};
use crate::extract::FieldReading;
use crate::extract::parse::period::Period;
use crate::extract::parse::text::single_spaced;

/// Amounts whose least certain digit is surer than this are what is printed, whether they add up or not.
const SURE: f32 = 0.9;

/// Adds the movements and the balances.
pub(super) fn enter(
    fields: &mut BTreeMap<String, FieldReading>,
    lines: &[Line],
    table: &Table,
    pages: &[&Page],
) {
    let period = period_of(fields);
    let anchor = latest_date(lines);
    let mut movements: Vec<(Movement, Option<Resolved>)> = table
        .movements
        .iter()
        .map(|movement| (movement.clone(), date_of(movement, period, anchor)))
        .collect();
    let newest_first = is_newest_first(&movements);
    end_days(&mut movements, table, newest_first);
    if newest_first {
        movements.reverse();
    }
    mend_dates(&mut movements, period);
    let opening = candidates(fields, table, "opening_balance", Special::Opening, newest_first);
    let closing = candidates(fields, table, "closing_balance", Special::Closing, newest_first);
    let entries: Vec<Entry> = movements.iter().map(|(movement, _)| entry(movement)).collect();
    let ledger = settle(&opening, &entries, &closing);
    let stated: Vec<i64> = lines
        .iter()
        .zip(&table.used)
        .filter(|(line, used)| !**used && !line.compact.is_empty())
        .flat_map(|(line, _)| line.amounts().map(|(_, _, amount)| amount.signed()).collect::<Vec<_>>())
        .collect();
    let book = Book {
        omits_repeated: omits_repeated_dates(&movements),
        stated: &stated,
        table,
        period,
        ledger: &ledger,
        movements: &movements,
        opening: &opening,
        closing: &closing,
    };
    let rows = book.rows(pages);
    book.enter_balances(fields, &rows, newest_first);
    if let Some(reading) = book.transactions(rows, lines) {
        fields.insert("transactions".into(), reading);
    }
}

/// Whether a table prints each day's date once: some movements have none, and no two that follow each other
/// have the same.
fn omits_repeated_dates(movements: &[(Movement, Option<Resolved>)]) -> bool {
    let dated: Vec<_> =
        movements.iter().filter(|(movement, _)| movement.dated).filter_map(|(_, date)| *date).collect();
    let pairs = movements.windows(2).filter(|pair| pair.iter().all(|(movement, _)| movement.dated));
    let repeated = |pair: &[(Movement, Option<Resolved>)]| {
        pair[0].1.map(|date| date.date) == pair[1].1.map(|date| date.date)
    };
    dated.len() >= LEAST_DATED && dated.len() < movements.len() && !pairs.into_iter().any(repeated)
}

/// What the opening or closing balance may be: in the table, then by label.
fn candidates(
    fields: &BTreeMap<String, FieldReading>,
    table: &Table,
    name: &str,
    special: Special,
    newest_first: bool,
) -> Vec<(i64, f32)> {
    let mut all: Vec<(i64, f32)> = Vec::new();
    for mention in edge_mentions(table, special, newest_first) {
        all.extend(mention.values.iter().copied());
    }
    if let Some(cents) = fields.get(name).and_then(|field| cents_of(&field.value)) {
        all.push((cents, 0.4));
    }
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut kept: Vec<(i64, f32)> = Vec::new();
    for (value, cost) in all {
        if !kept.iter().any(|(known, _)| *known == value) {
            kept.push((value, cost));
        }
    }
    kept.truncate(12);
    kept
}

/// Mentions that stand where the statement begins, or where it ends.
fn edge_mentions(table: &Table, special: Special, newest_first: bool) -> impl Iterator<Item = &Mention> {
    let count = table.movements.len();
    let at_top = (special == Special::Opening) != newest_first;
    let in_place = move |mention: &&Mention| if at_top { mention.place == 0 } else { mention.place == count };
    table.mentions.iter().filter(move |mention| mention.special == special).filter(in_place)
}

fn cents_of(value: &Value) -> Option<i64> {
    let mut amount = value.as_decimal()?;
    amount.rescale(2);
    i64::try_from(amount.mantissa()).ok()
}

fn entry(movement: &Movement) -> Entry {
    Entry {
        amounts: movement.amounts.clone(),
        balances: movement.balances.clone(),
        doubtful: movement.ocr && movement.certainty.min(movement.balance_certainty) < SURE,
    }
}

/// A row whose score is lower has neither a sign of its own nor a balance that tells it.
const UNPROVEN: f64 = 0.45;

/// Dated movements that must follow each other before it is known how the table treats repeated dates.
const LEAST_DATED: usize = 10;
/// What is left of a row's score where the table leaves out repeated dates, and this row has none.
const OMITTED: f32 = 0.97;

struct Book<'a> {
    /// A day's further movements stand without its date.
    omits_repeated: bool,
    /// Amounts beside the table.
    stated: &'a [i64],
    table: &'a Table,
    period: Option<Period>,
    ledger: &'a Ledger,
    movements: &'a [(Movement, Option<Resolved>)],
    opening: &'a [(i64, f32)],
    closing: &'a [(i64, f32)],
}

/// A row that is given, with its score.
struct Row {
    transaction: Transaction,
    valid: bool,
    contradicted: bool,
    repaired: bool,
}

impl Book<'_> {
    fn rows(&self, pages: &[&Page]) -> Vec<Row> {
        let mut rows = Vec::new();
        let adds_up = self.adds_up();
        for (index, ((movement, date), settled)) in self.movements.iter().zip(&self.ledger.rows).enumerate() {
            let Some(amount) = settled.amount.filter(|amount| *amount != 0) else { continue };
            let invented = movement.amounts.is_empty() || movement.date_missed && movement.ocr;
            let dropped = settled.contradicted && invented;
            let (Some(date), false) = (date, dropped) else { continue };
            let score = self.score(index, movement, *date, settled, adds_up);
            let page = pages.get(movement.page);
            let bounds = page.map_or([0.0; 4], |page| movement.bounds.as_fractions(page.width, page.height));
            let value_date = movement
                .value_date
                .and_then(|printed| resolve(printed, self.period, Some(date.date)))
                .map(|found| found.date);
            rows.push(Row {
                transaction: Transaction {
                    date: date.date,
                    value_date,
                    description: single_spaced(&movement.description.join(" ")),
                    amount: Decimal::new(amount, 2),
                    balance: printed_balance(movement, settled),
                    confidence: f64::from(score),
                    page: u32::try_from(movement.page + 1).unwrap_or(u32::MAX),
                    file: String::new(),
                    bounds,
                },
                valid: settled.valid,
                contradicted: settled.contradicted,
                repaired: settled.repaired,
            });
        }
        rows
    }

    /// Opening plus movements is the closing balance, both printed.
    fn adds_up(&self) -> Option<bool> {
        if self.opening.is_empty() || self.closing.is_empty() {
            return None;
        }
        let opening = self.ledger.opening?;
        let known = self.opening.iter().any(|(value, _)| *value == opening);
        let sum: i64 = self.ledger.rows.iter().filter_map(|row| row.amount).sum();
        Some(known && self.closing.iter().any(|(value, _)| *value == opening + sum))
    }

    fn score(
        &self,
        index: usize,
        movement: &Movement,
        date: Resolved,
        settled: &Settled,
        adds_up: Option<bool>,
    ) -> f32 {
        let next = self.ledger.rows.get(index + 1);
        let borne_out = next.map_or(self.ledger.closes, |next| next.valid);
        let mut score = match (settled.valid, settled.contradicted) {
            (true, _) if borne_out => 0.985,
            (true, _) => 0.95,
            (false, true) => 0.4,
            (false, false) if adds_up == Some(true) => 0.96,
            (false, false) if borne_out && movement.signed => 0.93,
            (false, false) if movement.signed => 0.55 + 0.3 * movement.certainty,
            (false, false) => 0.4,
        };
        if settled.inferred {
            score *= 0.85;
        } else if settled.repaired {
            score *= 0.95;
        }
        if movement.ocr {
            score *= 0.75 + 0.25 * movement.date_certainty;
        }
        if !date.fits {
            score *= 0.6;
        }
        if movement.ocr && !movement.dated {
            score *= match movement.date_missed {
                _ if self.omits_repeated => OMITTED,
                true => 0.7,
                false => 0.88,
            };
        }
        if self.out_of_order(index) {
            score *= 0.6;
        }
        score
    }

    /// Its date lies before the one before it or after the one after it.
    fn out_of_order(&self, index: usize) -> bool {
        let date = |at: usize| self.movements.get(at).and_then(|(_, date)| date.map(|date| date.date));
        let Some(own) = date(index) else { return false };
        let before = index.checked_sub(1).and_then(date);
        let after = date(index + 1);
        match (before, after) {
            (Some(before), Some(after)) => before <= after && (own < before || own > after),
            (Some(before), None) => own < before,
            (None, Some(after)) => own > after,
            (None, None) => false,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a mean of scores between 0 and 1")]
    fn transactions(&self, rows: Vec<Row>, lines: &[Line]) -> Option<FieldReading> {
        let page = rows.first()?.transaction.page;
        let count = rows.len();
        let mean = rows.iter().map(|row| row.transaction.confidence).sum::<f64>() / count.max(1) as f64;
        let valid = rows.iter().filter(|row| row.valid).count();
        let contradicted = rows.iter().filter(|row| row.contradicted).count();
        let mut checks = Vec::new();
        if self.table.has_balances {
            // Where a day has one balance, its last row proves the day.
            let days = self.table.days.iter().filter(|day| day.to > day.from).count();
            let provable = if days > 0 { days } else { count };
            // The first row may follow from none, but then its sign must be printed.
            let told = rows.iter().all(|row| row.transaction.confidence >= UNPROVEN);
            checks.push(Check::new("running_balance", contradicted == 0 && valid + 1 >= provable && told));
        }
        checks.extend(self.adds_up().map(|passed| Check::new("balances_add_up", passed)));
        let page_index = usize::try_from(page).unwrap_or(1).saturating_sub(1);
        let own = self.movements.iter().filter(|(movement, _)| movement.page == page_index);
        let bounds = Rect::around(own.map(|(movement, _)| movement.bounds)).unwrap_or_default();
        let raw = lines.iter().find(|line| line.page == page_index && line.bounds.top >= bounds.top - 0.1);
        let passed = checks.iter().all(|check| check.passed);
        let score = mean as f32 * if passed { 1.0 } else { 0.8 };
        let repaired = rows.iter().any(|row| row.repaired);
        let transactions: Vec<Transaction> = rows.into_iter().map(|row| row.transaction).collect();
        Some(FieldReading {
            value: Value::Transactions(transactions),
            raw: raw.map(line_text).unwrap_or_default(),
            score,
            page_index,
            bounds,
            checks,
            repaired,
        })
    }

    fn enter_balances(&self, fields: &mut BTreeMap<String, FieldReading>, rows: &[Row], newest_first: bool) {
        let adds_up = self.adds_up();
        let contradicted = rows.iter().any(|row| row.contradicted);
        let first_valid = self.ledger.rows.first().is_some_and(|row| row.valid);
        let second_valid = self.ledger.rows.get(1).is_some_and(|row| row.valid);
        let opening = Side {
            name: "opening_balance",
            special: Special::Opening,
            printed: self.opening,
            reckoned: self.reckoned_opening(),
            borne_out: first_valid,
            chained: first_valid || second_valid,
        };
        let last_valid = self.ledger.rows.last().is_some_and(|row| row.valid);
        let closing = Side {
            name: "closing_balance",
            special: Special::Closing,
            printed: self.closing,
            reckoned: self.ledger.closing,
            borne_out: self.ledger.closes && (last_valid || adds_up == Some(true)),
            chained: last_valid,
        };
        for side in [opening, closing] {
            if let Some(mut reading) = self.balance(&side, fields, newest_first) {
                if let Some(passed) = adds_up {
                    reading.checks.push(Check::new("balances_add_up", passed));
                }
                if self.table.has_balances {
                    reading.checks.push(Check::new("running_balance", !contradicted && side.chained));
                }
                fields.insert(side.name.into(), reading);
            } else {
                fields.remove(side.name);
            }
        }
    }

    /// From the opening to the closing balance, both printed, every movement follows from the balances
    /// around it.
    fn is_proven(&self) -> bool {
        let rows = &self.ledger.rows;
        self.adds_up() == Some(true) && self.ledger.closes && rows.iter().all(|row| row.valid)
    }

    /// Every movement but the first follows from the balances around it.
    fn is_chained(&self) -> bool {
        let rows = &self.ledger.rows;
        rows.len() > 2 && rows.iter().skip(1).all(|row| row.valid)
    }

    /// The balance before the first movement, from the chain.
    fn reckoned_opening(&self) -> Option<i64> {
        if self.ledger.opening.is_some() {
            return self.ledger.opening;
        }
        let first = self.ledger.rows.first()?;
        let next_valid = self.ledger.rows.get(1).is_some_and(|row| row.valid);
        let signed = self.movements.first().is_some_and(|(movement, _)| movement.signed);
        if next_valid && signed { Some(first.balance? - first.amount?) } else { None }
    }

    fn balance(
        &self,
        side: &Side,
        fields: &BTreeMap<String, FieldReading>,
        newest_first: bool,
    ) -> Option<FieldReading> {
        // A balance within the chain is carried from one page to the next, whatever its label says.
        let carried = |value: i64| {
            let rows = &self.ledger.rows;
            side.chained && side.reckoned != Some(value) && rows.iter().any(|row| row.balance == Some(value))
        };
        let best = side.printed.iter().map(|(value, _)| *value).find(|value| !carried(*value));
        let listed = |value: &i64| side.printed.iter().any(|(printed, _)| printed == value);
        let stated = |value: &i64| side.chained && self.stated.contains(value);
        let chosen =
            side.reckoned.filter(|value| listed(value) || stated(value)).or(best).or(side.reckoned)?;
        let printed = listed(&chosen) || stated(&chosen);
        let mentioned = edge_mentions(self.table, side.special, newest_first)
            .find(|mention| mention.values.first().is_some_and(|(value, _)| *value == chosen))
            .or_else(|| edge_mentions(self.table, side.special, newest_first).next());
        let labelled = fields.get(side.name).filter(|field| cents_of(&field.value) == Some(chosen));
        let agreed = side.reckoned == Some(chosen);
        let score = match (printed, agreed && side.borne_out) {
            (true, true) if self.is_proven() => 0.99,
            (true, true) => 0.9,
            (true, false) if agreed && self.movements.is_empty() => 0.85,
            (true, false) if side.reckoned.is_none() => labelled
                .map_or(0.0, |field| field.score)
                .max(mentioned.map_or(0.0, |mention| 0.85 * mention.certainty)),
            (true, false) => 0.6,
            (false, _) if self.is_chained() => 0.9,
            (false, _) => 0.72,
        };
        let place = labelled
            .map(|field| (field.raw.clone(), field.page_index, field.bounds))
            .or_else(|| mentioned.map(|mention| (mention.raw.clone(), mention.page, mention.bounds)));
        let edge = || {
            let movement =
                if side.special == Special::Opening { self.movements.first() } else { self.movements.last() };
            movement.map(|(movement, _)| (String::new(), movement.page, movement.bounds))
        };
        let (raw, page_index, bounds) = place.or_else(edge)?;
        Some(FieldReading {
            value: Value::money(Decimal::new(chosen, 2)),
            raw,
            score,
            page_index,
            bounds,
            checks: Vec::new(),
            repaired: best.is_some_and(|best| best != chosen),
        })
    }
}

/// The opening or the closing balance.
struct Side<'a> {
    name: &'static str,
    special: Special,
    printed: &'a [(i64, f32)],
    /// As the movements tell it.
    reckoned: Option<i64>,
    /// The movement beside it agrees.
    borne_out: bool,
    /// Running balances lead to it.
    chained: bool,
}

/// The balance on the row, unless it is in doubt.
fn printed_balance(movement: &Movement, settled: &Settled) -> Option<Decimal> {
    let read = movement.balances.first().map(|(value, _)| *value)?;
    let value = if settled.valid { settled.balance.unwrap_or(read) } else { read };
    (settled.valid || !movement.ocr || movement.certainty > 0.9).then(|| Decimal::new(value, 2))
}
