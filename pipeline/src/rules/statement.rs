//! What rules ask of a bank statement's rows: whether they add up, whether a deposit is among them,
//! and how many of them are of a kind. Works on values alone; certainty is the caller's.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::domain::Transaction;
use crate::link::{fold_lookalikes, fold_text};

/// Whether opening + amounts = closing and every printed running balance follows from the one before,
/// with the rows in the given order or, for statements that print the newest first, in reverse.
pub(super) fn adds_up(opening: Decimal, rows: &[Transaction], closing: Decimal) -> bool {
    totals_hold(opening, rows, closing) && balances_run(opening, rows)
}

/// Whether opening + amounts = closing.
pub(crate) fn totals_hold(opening: Decimal, rows: &[Transaction], closing: Decimal) -> bool {
    opening + rows.iter().map(|row| row.amount).sum::<Decimal>() == closing
}

/// Whether every printed running balance follows from the one before, in either order.
pub(crate) fn balances_run(opening: Decimal, rows: &[Transaction]) -> bool {
    running_balances_hold(opening, rows.iter()) || running_balances_hold(opening, rows.iter().rev())
}

fn running_balances_hold<'a>(opening: Decimal, rows: impl Iterator<Item = &'a Transaction>) -> bool {
    let mut balance = opening;
    for row in rows {
        balance += row.amount;
        if row.balance.is_some_and(|printed| printed != balance) {
            return false;
        }
    }
    true
}

/// The deposits that differ from `amount` by at most `share` of it.
pub(super) fn deposits_near(
    rows: &[Transaction],
    amount: Decimal,
    share: Decimal,
) -> impl Iterator<Item = &Transaction> {
    let tolerance = (amount * share).abs();
    rows.iter().filter(move |row| row.amount > Decimal::ZERO && (row.amount - amount).abs() <= tolerance)
}

/// Phrases that are looked for in a row's description. A phrase is words in their order, other words
/// may stand between; `*` at the end of a word stands for any ending (`devol* recibo`). Case, accents
/// and easily misread characters do not matter.
#[derive(Debug, Clone)]
pub(super) struct Phrases(Arc<Vec<Vec<Pattern>>>);

#[derive(Debug, Clone)]
struct Pattern {
    stem: String,
    any_ending: bool,
}

/// Words of a description that may stand between two words of a phrase.
const MOST_WORDS_BETWEEN: usize = 4;

/// Stems from this length on are found within a word too, because readers lose spaces.
const STEM_FOUND_INSIDE: usize = 5;

impl Phrases {
    pub(super) fn new<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Self {
        let phrases = phrases.into_iter().map(parse_phrase).filter(|phrase| !phrase.is_empty());
        Self(Arc::new(phrases.collect()))
    }

    /// Whether one of the phrases stands in the words of a text, see [`fold_words`].
    fn stand_in(&self, words: &[String]) -> bool {
        self.0.iter().any(|phrase| (0..words.len()).any(|start| stands_at(phrase, words, start)))
    }
}

fn parse_phrase(phrase: &str) -> Vec<Pattern> {
    let words = phrase.split_whitespace().map(|word| {
        let any_ending = word.ends_with('*');
        Pattern { stem: fold_words(word).concat(), any_ending }
    });
    words.filter(|pattern| !pattern.stem.is_empty()).collect()
}

fn fold_words(text: &str) -> Vec<String> {
    let folded = fold_text(text);
    let words = folded.split(|c: char| !c.is_alphanumeric() && c != '|' && c != '!');
    words.filter(|word| !word.is_empty()).map(fold_lookalikes).collect()
}

/// The first word stands at `start` and each next one within reach of the one before.
fn stands_at(phrase: &[Pattern], words: &[String], start: usize) -> bool {
    let mut first = start;
    let mut last = start;
    for pattern in phrase {
        let reach = words.get(first..=last.min(words.len().saturating_sub(1))).unwrap_or_default();
        let Some(place) = reach.iter().position(|word| pattern.fits(word)) else { return false };
        let place = first + place;
        // A run-together word such as `devolucionrecibo` may hold the next word too.
        let has_rest =
            words.get(place).is_some_and(|word| word.len() > pattern.stem.len() + STEM_FOUND_INSIDE);
        first = if has_rest { place } else { place + 1 };
        last = place + 1 + MOST_WORDS_BETWEEN;
    }
    true
}

impl Pattern {
    fn fits(&self, word: &str) -> bool {
        if self.any_ending {
            word.starts_with(&self.stem)
                || (self.stem.len() >= STEM_FOUND_INSIDE
                    && word.len() >= self.stem.len() + STEM_FOUND_INSIDE
                    && word.contains(&self.stem))
        } else {
            word == self.stem
        }
    }
}

/// The rows of all statements whose description has one of `wanted` and none of `except`, the rows
/// that two statements share counted once.
pub(super) fn rows_with<'a>(
    statements: &[&'a [Transaction]],
    wanted: &Phrases,
    except: &Phrases,
) -> Vec<&'a Transaction> {
    let mut found: Vec<&Transaction> = Vec::new();
    for rows in statements {
        let earlier = found.len();
        let fits = |row: &&Transaction| {
            let words = fold_words(&row.description);
            wanted.stand_in(&words) && !except.stand_in(&words)
        };
        for row in rows.iter().filter(fits) {
            let is_known = found.iter().take(earlier).any(|known| is_same_row(known, row));
            if !is_known {
                found.push(row);
            }
        }
    }
    found
}

fn is_same_row(left: &Transaction, right: &Transaction) -> bool {
    left.date == right.date && left.amount == right.amount && left.balance == right.balance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(description: &str, amount: &str, balance: Option<&str>) -> Transaction {
        Transaction {
            date: "2026-02-01".parse().unwrap(),
            value_date: None,
            description: description.to_owned(),
            amount: amount.parse().unwrap(),
            balance: balance.map(|text| text.parse().unwrap()),
            confidence: 1.0,
            page: 1,
            file: String::new(),
            bounds: [0.0; 4],
        }
    }

    #[test]
    fn rows_add_up_in_either_order_and_without_some_balances() {
        let rows = [row("a", "10.00", Some("110.00")), row("b", "-30.00", None), row("c", "5", Some("85"))];
        let (opening, closing) = (Decimal::from(100), Decimal::from(85));
        assert!(adds_up(opening, &rows, closing));
        let newest_first: Vec<Transaction> = rows.iter().rev().cloned().collect();
        assert!(adds_up(opening, &newest_first, closing));
        assert!(!adds_up(opening, &rows, Decimal::from(86)));
        let wrong = [row("a", "10.00", Some("111.00")), row("b", "-25.00", None)];
        assert!(!adds_up(opening, &wrong, closing));
        assert!(adds_up(opening, &[], opening));
    }

    #[test]
    fn a_deposit_counts_up_to_the_very_tolerance() {
        let rows = [row("nomina", "1900.00", None), row("nomina", "-2000.00", None)];
        let near =
            |amount: &str| deposits_near(&rows, amount.parse().unwrap(), "0.05".parse().unwrap()).count();
        assert_eq!(near("2000.00"), 1);
        assert_eq!(near("2000.01"), 0);
        assert_eq!(near("1809.53"), 1);
        assert_eq!(near("1809.52"), 0);
    }

    #[test]
    fn phrases_stand_in_order_whatever_accents_and_misreadings() {
        let phrases = Phrases::new(["devol* recibo*", "dev recibo*", "return* direct debit"]);
        for text in [
            "DEVOLUCIÓN RECIBO LUZ",
            "Devolución de recibo 123",
            "DEV. RECIBO GAS",
            "DEVOLUCI0N REClBO",
            "DEVOLUCIONRECIBO AGUA",
            "Returned direct debit Vodafone",
        ] {
            assert!(phrases.stand_in(&fold_words(text)), "{text}");
        }
        for text in
            ["DEVOLUCION COMPRA", "RECIBO LUZ", "recibo devolucion", "AEAT DEVOLUCION IRPF", "debit return"]
        {
            assert!(!phrases.stand_in(&fold_words(text)), "{text}");
        }
    }

    #[test]
    fn rows_shared_by_two_statements_count_once() {
        let first = [row("DEVOL. RECIBO", "10", Some("5")), row("DEVOL. RECIBO", "10", Some("15"))];
        let second = [row("DEVOL. RECIBO", "10", Some("15")), row("compra", "-1", None)];
        let wanted = Phrases::new(["devol* recibo"]);
        assert_eq!(rows_with(&[&first, &second], &wanted, &Phrases::new([])).len(), 2);
    }
}
