//! What a person types becomes a normalised value (contract, section 3).

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::rows;
use crate::config::{DocumentTypeConfig, FieldKind};
use crate::domain::{Check, Value};
use crate::extract::parse::{bic, cups, date, iban, money, naf, number, rate, tax_id, text};

/// Longest text of one field.
const LONGEST_TEXT: usize = 4_000;

/// What is expected in a field; forms show their inputs by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Text,
    Paragraph,
    Date,
    Money,
    Decimal,
    Integer,
    Boolean,
    Choice(Vec<String>),
    Iban,
    Bic,
    TaxId,
    Naf,
    Cups,
    Currency,
    Country,
    Transactions,
}

impl Expected {
    /// Name of the kind, for forms and the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Expected::Text => "text",
            Expected::Paragraph => "paragraph",
            Expected::Date => "date",
            Expected::Money => "money",
            Expected::Decimal => "decimal",
            Expected::Integer => "integer",
            Expected::Boolean => "boolean",
            Expected::Choice(_) => "choice",
            Expected::Iban => "iban",
            Expected::Bic => "bic",
            Expected::TaxId => "tax_id",
            Expected::Naf => "naf",
            Expected::Cups => "cups",
            Expected::Currency => "currency",
            Expected::Country => "country",
            Expected::Transactions => "transactions",
        }
    }
}

/// What a field of a document type takes; `None` when the type has no such field.
pub fn expected(config: &DocumentTypeConfig, field: &str) -> Option<Expected> {
    let field = config.field(field)?;
    Some(match field.kind {
        FieldKind::Money => Expected::Money,
        FieldKind::Currency => Expected::Currency,
        FieldKind::Date | FieldKind::PeriodStart | FieldKind::PeriodEnd => Expected::Date,
        FieldKind::Iban => Expected::Iban,
        FieldKind::Bic => Expected::Bic,
        FieldKind::TaxId | FieldKind::PersonTaxId | FieldKind::CompanyTaxId => Expected::TaxId,
        FieldKind::Naf => Expected::Naf,
        FieldKind::Cups => Expected::Cups,
        FieldKind::Integer | FieldKind::Months => Expected::Integer,
        FieldKind::Percent | FieldKind::Quantity => Expected::Decimal,
        FieldKind::Paragraph => Expected::Paragraph,
        FieldKind::Signature => Expected::Boolean,
        FieldKind::Choice => {
            Expected::Choice(field.choices.iter().map(|choice| choice.value.clone()).collect())
        }
        FieldKind::Reader => read_by_code(&field.name),
        FieldKind::Person
        | FieldKind::Company
        | FieldKind::Party
        | FieldKind::Identifier
        | FieldKind::Text => Expected::Text,
    })
}

/// Readers in code have the contract's field names, which tell the kind.
fn read_by_code(name: &str) -> Expected {
    match name {
        "transactions" => Expected::Transactions,
        "sex" => Expected::Choice(["M", "F", "X"].map(str::to_owned).to_vec()),
        "nationality" | "issuing_country" => Expected::Country,
        "mrz" => Expected::Paragraph,
        name if name.ends_with("_date") => Expected::Date,
        name if name.ends_with("_signed") => Expected::Boolean,
        _ => Expected::Text,
    }
}

/// The normalised value with its own checks; `None` when the text is no such value. A failed check
/// does not refuse it: the document may print a wrong number, and rules must see it.
pub fn normalise(expected: &Expected, input: &str) -> Option<(Value, Vec<Check>)> {
    let input = bare(expected, input.trim());
    if input.is_empty() || input.len() > LONGEST_TEXT && *expected != Expected::Transactions {
        return None;
    }
    let plain = |value: Value| Some((value, Vec::new()));
    let compact = || text::alphanumeric(input).to_uppercase();
    let checked = |value: String, check: &str, passed: bool| {
        Some((Value::Text(value), vec![Check::new(check, passed)]))
    };
    match expected {
        Expected::Text => plain(Value::Text(text::single_spaced(input))),
        Expected::Paragraph => plain(Value::Text(input.replace("\r\n", "\n"))),
        Expected::Date => plain(Value::date(day(input)?)),
        Expected::Money => plain(Value::money(amount(input)?)),
        Expected::Decimal => plain(Value::Text(decimal(input)?.to_string())),
        Expected::Integer => plain(Value::Integer(number::parse_integer(input)?)),
        Expected::Boolean => match input {
            "true" => plain(Value::Boolean(true)),
            "false" => plain(Value::Boolean(false)),
            _ => None,
        },
        Expected::Choice(values) => {
            values.iter().find(|value| *value == input).map(|value| (Value::Text(value.clone()), Vec::new()))
        }
        Expected::Iban => {
            let iban = iban::parse(input).unwrap_or_else(compact);
            let passed = iban::mod97_holds(&iban);
            checked(iban, "iban_mod97", passed)
        }
        Expected::Bic => plain(Value::Text(bic::parse(input)?)),
        Expected::TaxId => {
            let id = tax_id::parse(input).map_or_else(compact, |id| id.number);
            let passed = tax_id::is_valid(&id);
            checked(id, "tax_id_control", passed)
        }
        Expected::Naf => {
            let passed = naf::is_valid(&compact());
            checked(compact(), "naf_control", passed)
        }
        Expected::Cups => {
            let cups = cups::parse(input).unwrap_or_else(compact);
            let passed = cups::is_valid(&cups);
            checked(cups, "cups_letters", passed)
        }
        Expected::Currency => {
            let code = money::currency(input).map_or_else(compact, str::to_owned);
            (code.len() == 3).then(|| (Value::Text(code), Vec::new()))
        }
        Expected::Country => (compact().len() == 3).then(|| (Value::Text(compact()), Vec::new())),
        Expected::Transactions => plain(Value::Transactions(rows::parse(input).ok()?)),
    }
}

/// Words taken from a page bring the punctuation behind them along; texts keep theirs.
fn bare<'a>(expected: &Expected, input: &'a str) -> &'a str {
    match expected {
        Expected::Text | Expected::Paragraph | Expected::Transactions => input,
        _ => input.trim_end_matches([',', ';', ':', '.', ' ']),
    }
}

/// A day as forms send it (`2026-03-14`) or as people write it.
pub(super) fn day(input: &str) -> Option<NaiveDate> {
    input.parse().ok().or_else(|| date::parse(input))
}

/// A plain decimal with a point is taken as it is; else as people write amounts.
pub(super) fn amount(input: &str) -> Option<Decimal> {
    if is_plain(input, 2) {
        return input.parse().ok();
    }
    money::parse(input).map(|money| money.amount)
}

fn decimal(input: &str) -> Option<Decimal> {
    if is_plain(input, 10) {
        return input.parse().ok();
    }
    rate::parse(input).or_else(|| number::parse(input).map(|number| number.value))
}

/// Digits, at most one point with at most `places` after it, perhaps a minus.
fn is_plain(input: &str, places: usize) -> bool {
    let digits = input.strip_prefix('-').unwrap_or(input);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.chars().all(|ch| ch.is_ascii_digit());
    // Three places after a point may be thousands.
    let clear = fraction.len() <= places && (places != 2 || fraction.len() != 3);
    !whole.is_empty() && all_digits(whole) && all_digits(fraction) && clear
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(expected: &Expected, input: &str) -> Option<String> {
        normalise(expected, input).map(|(value, _)| match value {
            Value::Text(text) => text,
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn what_people_type_is_normalised() {
        for (expected, input, value) in [
            (Expected::Date, "14/03/2026", "2026-03-14"),
            (Expected::Date, "2026-03-14", "2026-03-14"),
            (Expected::Money, "1.234,56", "1234.56"),
            (Expected::Money, "1234.5", "1234.50"),
            (Expected::Money, "€456.48,", "456.48"),
            (Expected::Date, "3 de junio de 2026.", "2026-06-03"),
            (Expected::Decimal, "7.95", "7.95"),
            (Expected::Decimal, "0,1534", "0.1534"),
            (Expected::Iban, "es91 2100 0418 4502 0005 1332", "ES9121000418450200051332"),
            (Expected::TaxId, "12.345.678-z", "12345678Z"),
            (Expected::Text, "  María   José ", "María José"),
            (Expected::Integer, "48", "Integer(48)"),
            (Expected::Boolean, "true", "Boolean(true)"),
        ] {
            assert_eq!(text(&expected, input).as_deref(), Some(value), "{input} as {}", expected.as_str());
        }
    }

    #[test]
    fn what_is_no_value_is_refused_and_a_failed_check_is_told() {
        assert_eq!(text(&Expected::Date, "soon"), None);
        assert_eq!(text(&Expected::Money, "much"), None);
        assert_eq!(text(&Expected::Choice(vec!["theft".to_owned()]), "fire"), None);
        assert_eq!(text(&Expected::Text, "   "), None);
        let (_, checks) = normalise(&Expected::TaxId, "12345678A").unwrap();
        assert_eq!(checks, [Check::new("tax_id_control", false)]);
    }
}
