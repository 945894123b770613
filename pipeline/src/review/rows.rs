//! The rows of a statement's table as people edit them, and what can be checked of them.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::value::{amount, day};
use crate::domain::{Check, Document, Transaction};
use crate::extract::parse::text;
use crate::rules::{balances_run, totals_hold};

/// Rows of one statement.
const MOST_ROWS: usize = 5_000;
/// Longest description of a row.
const LONGEST_DESCRIPTION: usize = 500;

const TRANSACTIONS: &str = "transactions";

/// Why a table was not taken: the row, from 1, and what is wrong in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    #[error("this is no table of transactions")]
    Form,
    #[error("a statement has at most {MOST_ROWS} rows")]
    TooMany,
    #[error("row {row}: the {column} is no value")]
    Cell { row: usize, column: &'static str },
}

/// A row as a form sends it: dates and amounts as people write them. A row that stands nowhere on the
/// page has no box.
#[derive(Debug, Deserialize)]
struct WrittenRow {
    date: String,
    #[serde(default)]
    value_date: Option<String>,
    #[serde(default)]
    description: String,
    amount: Written,
    #[serde(default)]
    balance: Option<Written>,
    #[serde(default)]
    confidence: Option<f64>,
    #[serde(default)]
    page: Option<u32>,
    #[serde(default)]
    file: String,
    #[serde(default, rename = "box")]
    bounds: [f64; 4],
}

/// An amount as text or as a plain number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(serde_json::Number),
}

impl Written {
    fn text(&self) -> String {
        match self {
            Written::Text(text) => text.trim().to_owned(),
            Written::Number(number) => number.to_string(),
        }
    }
}

/// The rows that a JSON list holds.
///
/// # Errors
/// Tells the first row, and its column, that is no value.
pub(super) fn parse(input: &str) -> Result<Vec<Transaction>, RowsError> {
    let written: Vec<WrittenRow> = serde_json::from_str(input).map_err(|_| RowsError::Form)?;
    if written.len() > MOST_ROWS {
        return Err(RowsError::TooMany);
    }
    written.into_iter().enumerate().map(|(index, row)| row.read(index + 1)).collect()
}

impl WrittenRow {
    fn read(self, row: usize) -> Result<Transaction, RowsError> {
        let no_value = |column| RowsError::Cell { row, column };
        let value_date = self.value_date.filter(|text| !text.trim().is_empty());
        let balance = self.balance.map(|balance| balance.text()).filter(|text| !text.is_empty());
        let description = text::single_spaced(&self.description);
        if description.len() > LONGEST_DESCRIPTION {
            return Err(no_value("description"));
        }
        Ok(Transaction {
            date: day(self.date.trim()).ok_or(no_value("date"))?,
            value_date: match value_date {
                Some(text) => Some(day(text.trim()).ok_or(no_value("value_date"))?),
                None => None,
            },
            description,
            amount: amount(&self.amount.text()).ok_or(no_value("amount"))?,
            balance: match balance {
                Some(text) => Some(amount(&text).ok_or(no_value("balance"))?),
                None => None,
            },
            confidence: self.confidence.unwrap_or(1.0).clamp(0.0, 1.0),
            page: self.page.unwrap_or(1).max(1),
            file: self.file,
            bounds: self.bounds.map(|edge| edge.clamp(0.0, 1.0)),
        })
    }
}

/// Looks again at what a statement's rows and balances say of each other, as a person left them.
pub(super) fn check_again(document: &mut Document) {
    let balance = |name: &str| document.fields.get(name).and_then(|field| field.value.as_decimal());
    let (opening, closing) = (balance("opening_balance"), balance("closing_balance"));
    let Some(table) = document.fields.get_mut(TRANSACTIONS) else { return };
    let Some(rows) = table.value.as_transactions() else { return };
    let checks = checks(opening, rows, closing);
    table.checks.clone_from(&checks);
    // The balances carry the same checks: what was proven of them before may not hold any more.
    for name in ["opening_balance", "closing_balance"] {
        for known in document.fields.get_mut(name).into_iter().flat_map(|field| &mut field.checks) {
            let now = checks.iter().find(|check| check.name == known.name);
            known.passed = now.map_or(known.passed, |check| check.passed);
        }
    }
}

fn checks(opening: Option<Decimal>, rows: &[Transaction], closing: Option<Decimal>) -> Vec<Check> {
    let mut checks = Vec::new();
    let Some(opening) = opening else { return checks };
    if rows.iter().any(|row| row.balance.is_some()) {
        checks.push(Check::new("running_balance", balances_run(opening, rows)));
    }
    if let Some(closing) = closing {
        checks.push(Check::new("balances_add_up", totals_hold(opening, rows, closing)));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_people_write_them() {
        let input = r#"[{"date": "03/02/2026", "description": " Recibo  luz ", "amount": "-45,10", "balance": "1.200,00"},
                        {"date": "2026-02-04", "description": "", "amount": 5, "balance": "", "page": 2,
                         "file": "a.pdf", "box": [0.1, 0.2, 0.3, 9], "confidence": 0.5}]"#;
        let rows = parse(input).unwrap();
        assert_eq!(rows[0].date.to_string(), "2026-02-03");
        assert_eq!(
            (rows[0].description.as_str(), rows[0].amount.to_string().as_str()),
            ("Recibo luz", "-45.10")
        );
        assert_eq!(rows[0].balance, Some("1200.00".parse().unwrap()));
        assert_eq!((rows[1].page, rows[1].balance, rows[1].bounds[3].to_string().as_str()), (2, None, "1"));
    }

    #[test]
    fn a_row_that_is_no_row_is_told_with_its_column() {
        let wrong = |input: &str| parse(input).unwrap_err();
        assert_eq!(wrong("{}"), RowsError::Form);
        let first = r#"{"date": "2026-02-03", "amount": "1"}"#;
        let cell = |row, column| RowsError::Cell { row, column };
        assert_eq!(wrong(&format!(r#"[{first}, {{"date": "soon", "amount": "1"}}]"#)), cell(2, "date"));
        assert_eq!(wrong(r#"[{"date": "2026-02-03", "amount": "much"}]"#), cell(1, "amount"));
        let balance = r#"[{"date": "2026-02-03", "amount": "1", "balance": "all"}]"#;
        assert_eq!(wrong(balance), cell(1, "balance"));
    }
}
