//! The words that rules are written in: the functions and types that scripts have beside the language
//! itself. `rules/README.md` lists them for the people who write rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, INT, Map};
use rust_decimal::{Decimal, RoundingStrategy};

use super::date::Date;
use super::statement::{self, Phrases};
use super::view::{
    CaseView, DocumentView, RecordView, Rows, Scripted, parse_date, parse_decimal, script_error,
};
use super::{loan, people};
use crate::domain::{Outcome, Value};

/// A flow's numbers and word lists, as a rule's second argument.
#[derive(Debug, Clone)]
pub(super) struct Limits(pub(super) Arc<BTreeMap<String, Dynamic>>);

/// The functions that scripts may call: those that [`register`] and [`people::register`] add, and
/// those of the language that rules have a use for. The lint knows no others.
pub(super) const FUNCTIONS: [&str; 59] = [
    "has",
    "document",
    "all",
    "record",
    "text",
    "text_if_given",
    "date",
    "date_if_given",
    "amount",
    "amount_if_given",
    "integer",
    "integer_if_given",
    "yes_no",
    "yes_no_if_given",
    "rows",
    "failed_checks",
    "zone_agrees",
    "type_name",
    "declared_text",
    "declared_amount",
    "declared_integer",
    "declared_date",
    "accept",
    "request_documents",
    "review",
    "reject",
    "output",
    "days_between",
    "years_between",
    "add_months",
    "add_days",
    "decimal",
    "round_to",
    "smaller",
    "larger",
    "adds_up",
    "deposit_near",
    "count_rows_with",
    "french_instalment",
    "month_like",
    "same_identifier",
    "same_name",
    "partly_same_name",
    "one_of_holders",
    "partly_one_of_holders",
    "valid_iban",
    "valid_cups",
    "valid_tax_id",
    "is_tax_id",
    "full_name",
    "cups_code",
    "has_other_invoice",
    "len",
    "push",
    "contains",
    "to_upper",
    "to_lower",
    "abs",
    "is_empty",
];

pub(super) fn register(engine: &mut Engine) {
    register_limits(engine);
    register_case(engine);
    register_document(engine);
    register_optional(engine);
    register_records(engine);
    register_verdicts(engine);
    register_dates(engine);
    register_numbers(engine);
    register_rows(engine);
    people::register(engine);
}

fn register_limits(engine: &mut Engine) {
    engine.register_type_with_name::<Limits>("Limits");
    engine.register_indexer_get(|limits: &mut Limits, name: &str| -> Scripted<Dynamic> {
        match limits.0.get(name) {
            Some(value) => Ok(value.clone()),
            None => script_error(format!("flow.toml has no limit {name}")),
        }
    });
}

fn register_case(engine: &mut Engine) {
    engine
        .register_type_with_name::<CaseView>("Case")
        .register_get("received_on", |case: &mut CaseView| case.received_on())
        .register_indexer_get(|case: &mut CaseView, document_type: &str| case.document(document_type))
        .register_fn("document", |case: &mut CaseView, types: &str| case.document(types))
        .register_fn("has", |case: &mut CaseView, types: &str| case.has(types))
        .register_fn("all", |case: &mut CaseView, document_type: &str| -> Array {
            case.all(document_type).into_iter().map(Dynamic::from).collect()
        })
        .register_fn("declared_text", |case: &mut CaseView, path: &str| optional(case.declared(path)))
        .register_fn("declared_amount", |case: &mut CaseView, path: &str| {
            case.declared_as(path, parse_decimal).map(optional)
        })
        .register_fn("declared_integer", |case: &mut CaseView, path: &str| {
            case.declared_as(path, |text| text.parse::<INT>().ok()).map(optional)
        })
        .register_fn("declared_date", |case: &mut CaseView, path: &str| {
            case.declared_as(path, parse_date).map(optional)
        });
}

fn register_document(engine: &mut Engine) {
    engine
        .register_type_with_name::<DocumentView>("Document")
        .register_fn("type_name", |document: &mut DocumentView| document.document_type().to_owned())
        .register_fn("has", |document: &mut DocumentView, field: &str| document.has(field))
        .register_fn("text", |document: &mut DocumentView, field: &str| document.need(field, as_text))
        .register_fn("date", |document: &mut DocumentView, field: &str| document.need(field, as_date))
        .register_fn("amount", |document: &mut DocumentView, field: &str| {
            document.need(field, Value::as_decimal)
        })
        .register_fn("integer", |document: &mut DocumentView, field: &str| {
            document.need(field, Value::as_integer)
        })
        .register_fn("yes_no", |document: &mut DocumentView, field: &str| {
            document.need(field, Value::as_boolean)
        })
        .register_fn("rows", |document: &mut DocumentView, field: &str| document.rows(field))
        .register_fn("zone_agrees", |document: &mut DocumentView| document.zone_agrees())
        .register_fn("failed_checks", |document: &mut DocumentView, except: Array| -> Scripted<Array> {
            let failed = document.failed_checks(&texts(except)?);
            Ok(failed.into_iter().map(Dynamic::from).collect())
        });
}

fn register_optional(engine: &mut Engine) {
    engine
        .register_fn("text_if_given", |document: &mut DocumentView, field: &str| {
            optional(document.if_given(field, as_text))
        })
        .register_fn("date_if_given", |document: &mut DocumentView, field: &str| {
            optional(document.if_given(field, as_date))
        })
        .register_fn("amount_if_given", |document: &mut DocumentView, field: &str| {
            optional(document.if_given(field, Value::as_decimal))
        })
        .register_fn("integer_if_given", |document: &mut DocumentView, field: &str| {
            optional(document.if_given(field, Value::as_integer))
        })
        .register_fn("yes_no_if_given", |document: &mut DocumentView, field: &str| {
            optional(document.if_given(field, Value::as_boolean))
        });
}

fn register_records(engine: &mut Engine) {
    engine
        .register_type_with_name::<RecordView>("Record")
        .register_fn("record", |case: &mut CaseView, table: &str, key: &str| {
            case.record(table, key).map(optional)
        })
        .register_fn("text", |record: &mut RecordView, column: &str| {
            record.need(column, |cell| Some(cell.to_owned()))
        })
        .register_fn("text_if_given", |record: &mut RecordView, column: &str| {
            optional(record.if_given(column))
        })
        .register_fn("amount", |record: &mut RecordView, column: &str| record.need(column, parse_decimal))
        .register_fn("date", |record: &mut RecordView, column: &str| record.need(column, parse_date))
        .register_fn("has_other_invoice", |record: &mut RecordView, number: &str, start: Date, end: Date| {
            record.has_other_invoice(number, start, end)
        })
        .register_fn("==", |_: RecordView, (): ()| false)
        .register_fn("!=", |_: RecordView, (): ()| true);
}

fn register_verdicts(engine: &mut Engine) {
    let verbs = [
        ("accept", Outcome::Accept),
        ("request_documents", Outcome::RequestDocuments),
        ("review", Outcome::Review),
        ("reject", Outcome::Reject),
    ];
    for (verb, outcome) in verbs {
        engine
            .register_fn(verb, move |case: &mut CaseView, code: &str| {
                case.trace().give(outcome, code, BTreeMap::new(), None);
            })
            .register_fn(verb, move |case: &mut CaseView, code: &str, details: Map| {
                case.trace().give(outcome, code, detail_map(details), None);
            });
    }
    engine.register_fn("output", |case: &mut CaseView, name: &str, value: Dynamic| -> Scripted<()> {
        match output_value(&value) {
            Some(value) => {
                case.trace().outputs.insert(name.to_owned(), value);
                Ok(())
            }
            None => script_error(format!("output {name} is of no known type")),
        }
    });
}

fn register_dates(engine: &mut Engine) {
    engine
        .register_type_with_name::<Date>("Date")
        .register_fn("==", |left: Date, right: Date| left == right)
        .register_fn("!=", |left: Date, right: Date| left != right)
        .register_fn("<", |left: Date, right: Date| left < right)
        .register_fn("<=", |left: Date, right: Date| left <= right)
        .register_fn(">", |left: Date, right: Date| left > right)
        .register_fn(">=", |left: Date, right: Date| left >= right)
        .register_fn("to_string", |date: &mut Date| date.0.to_string())
        .register_fn("days_between", |from: Date, to: Date| from.days_to(to))
        .register_fn("years_between", |from: Date, to: Date| from.years_to(to))
        .register_fn("add_months", |date: Date, months: INT| -> Scripted<Date> {
            date.plus_months(months).map_or_else(|| script_error("the date is out of range"), Ok)
        })
        .register_fn("add_days", |date: Date, days: INT| -> Scripted<Date> {
            let moved = chrono::Duration::try_days(days).and_then(|days| date.0.checked_add_signed(days));
            moved.map_or_else(|| script_error("the date is out of range"), |day| Ok(Date(day)))
        });
}

fn register_numbers(engine: &mut Engine) {
    engine
        .register_fn("decimal", |number: INT| Decimal::from(number))
        .register_fn("decimal", |text: &str| -> Scripted<Decimal> {
            parse_decimal(text).map_or_else(|| script_error("the text is no number"), Ok)
        })
        .register_fn("round_to", |number: Decimal, places: INT| round_to(number, places))
        .register_fn("smaller", |left: Decimal, right: Decimal| left.min(right))
        .register_fn("larger", |left: Decimal, right: Decimal| left.max(right))
        .register_fn("french_instalment", |principal: Decimal, rate: Decimal, months: INT| {
            optional(loan::french_instalment(principal, rate, months))
        });
}

fn register_rows(engine: &mut Engine) {
    engine
        .register_type_with_name::<Rows>("Rows")
        .register_fn("len", |rows: &mut Rows| -> INT {
            INT::try_from(rows.as_slice().len()).unwrap_or(INT::MAX)
        })
        .register_fn("adds_up", |rows: Rows, opening: Decimal, closing: Decimal| {
            rows.rest_on_all(rows.as_slice());
            statement::adds_up(opening, rows.as_slice(), closing)
        })
        .register_fn("deposit_near", |rows: Rows, amount: Decimal, share: Decimal| {
            rows.rest_on_any(statement::deposits_near(rows.as_slice(), amount, share));
            statement::deposits_near(rows.as_slice(), amount, share).next().is_some()
        })
        .register_fn("count_rows_with", |all: Array, wanted: Phrases, except: Phrases| {
            let all: Vec<Rows> = all.into_iter().filter_map(Dynamic::try_cast).collect();
            let statements: Vec<_> = all.iter().map(Rows::as_slice).collect();
            let found = statement::rows_with(&statements, &wanted, &except);
            for rows in &all {
                rows.rest_on_all(rows.as_slice().iter().filter(|row| found.iter().any(|other| other == row)));
            }
            INT::try_from(found.len()).unwrap_or(INT::MAX)
        });
}

fn texts(list: Array) -> Scripted<Vec<String>> {
    let texts: Result<Vec<String>, _> = list.into_iter().map(Dynamic::into_string).collect();
    texts.or_else(|kind| script_error(format!("a list of texts holds a {kind}")))
}

fn as_text(value: &Value) -> Option<String> {
    value.as_text().map(str::to_owned)
}

fn as_date(value: &Value) -> Option<Date> {
    value.as_date().map(Date)
}

/// `()` stands for what is not given.
pub(super) fn optional<T: Clone + Send + Sync + 'static>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Dynamic::from)
}

/// Half away from zero, with exactly that many places.
pub(super) fn round_to(number: Decimal, places: INT) -> Decimal {
    let places = u32::try_from(places).unwrap_or(0).min(20);
    let mut rounded = number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(places);
    if rounded.is_zero() {
        rounded.set_sign_positive(true);
    }
    rounded
}

fn detail_map(details: Map) -> BTreeMap<String, Dynamic> {
    details.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

/// Decimals and dates become strings.
fn output_value(value: &Dynamic) -> Option<serde_json::Value> {
    if let Some(date) = value.clone().try_cast::<Date>() {
        return Some(date.0.to_string().into());
    }
    if let Ok(number) = value.as_decimal() {
        return Some(number.to_string().into());
    }
    if let Ok(number) = value.as_int() {
        return Some(number.into());
    }
    if let Ok(truth) = value.as_bool() {
        return Some(truth.into());
    }
    value.clone().into_string().ok().map(serde_json::Value::from)
}
