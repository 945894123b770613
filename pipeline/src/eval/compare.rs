//! When two values of a field are the same.

use rust_decimal::Decimal;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

/// How a read value stands to the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
}

/// Free text is right when it is this much like the label: a reader finds the same in it.
const FREE_TEXT_SIMILARITY: f64 = 0.9;

const LEGAL_FORMS: [&str; 7] = ["sa", "sl", "slu", "sau", "plc", "ltd", "coop"];

/// Compares a value as read with its label. Names and texts compare without case, accents and
/// punctuation, names also without order; numbers by value; everything else exactly.
pub fn judge(field: &str, read: &Value, truth: &Value) -> Verdict {
    let same = match (read, truth) {
        (Value::String(read), Value::String(truth)) => same_text(field, read, truth),
        _ => plain(read) == plain(truth),
    };
    if same { Verdict::Right } else { Verdict::Wrong }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn same_text(field: &str, read: &str, truth: &str) -> bool {
    if read == truth {
        return true;
    }
    if let (Ok(read), Ok(truth)) = (read.parse::<Decimal>(), truth.parse::<Decimal>()) {
        return read == truth && !is_identifier(field);
    }
    if is_free_text(field) {
        return strsim::normalized_levenshtein(&fold(read), &fold(truth)) >= FREE_TEXT_SIMILARITY;
    }
    if is_name(field) {
        return sorted_words(read) == sorted_words(truth) || is_issuer(field) && is_brand(read, truth);
    }
    false
}

fn is_identifier(field: &str) -> bool {
    field.ends_with("number") || field.ends_with("_id") || matches!(field, "iban" | "cups" | "bic")
}

fn is_free_text(field: &str) -> bool {
    matches!(field, "description" | "place" | "tariff")
}

fn is_name(field: &str) -> bool {
    field.ends_with("_name") || matches!(field, "given_names" | "surnames" | "account_holder")
}

fn is_issuer(field: &str) -> bool {
    matches!(field, "bank_name" | "employer_name" | "lender_name" | "supplier_name")
}

/// An issuer goes by its brand as well as by its legal name, which begins with it.
fn is_brand(read: &str, legal_name: &str) -> bool {
    let (read, legal_name) = (fold(read), fold(legal_name));
    if let Some(rest) = read.strip_prefix(&legal_name) {
        // The label is the brand and the legal form was read with it.
        let is_form = |word: &str| word.chars().count() == 1 || LEGAL_FORMS.contains(&word);
        return rest.starts_with(' ') && rest.split_whitespace().all(is_form);
    }
    read.len() >= 4 && legal_name.strip_prefix(&read).is_some_and(|rest| rest.starts_with(' '))
}

/// Lower case, without accents and punctuation, single spaces.
pub(super) fn fold(text: &str) -> String {
    let folded: String = text
        .nfd()
        .filter(|ch| !unicode_normalization::char::is_combining_mark(*ch))
        .map(|ch| if ch.is_alphanumeric() { ch.to_ascii_lowercase() } else { ' ' })
        .collect();
    folded.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sorted_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = fold(text).split(' ').map(str::to_owned).collect();
    words.sort();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_as_their_kind_says() {
        let cases = [
            ("surnames", "GARCIA LOPEZ", "García López", Verdict::Right),
            ("employee_name", "LOPEZ GARCIA, MARIA", "María López García", Verdict::Right),
            ("net_pay", "1250.5", "1250.50", Verdict::Right),
            ("net_pay", "1250.51", "1250.50", Verdict::Wrong),
            ("invoice_number", "007", "7", Verdict::Wrong),
            ("supplier_name", "LUZ NORTE", "Luz Norte Comercializadora, S.L.", Verdict::Right),
            ("supplier_name", "Norte", "Luz Norte, S.L.", Verdict::Wrong),
            ("bank_name", "Banco Norte, S.A.", "Banco Norte", Verdict::Right),
            ("bank_name", "Banco Norte Sucursal", "Banco Norte", Verdict::Wrong),
            ("employee_name", "Ana", "Ana Ruiz", Verdict::Wrong),
            ("birth_date", "1987-05-02", "1987-02-05", Verdict::Wrong),
        ];
        for (field, read, truth, verdict) in cases {
            assert_eq!(judge(field, &read.into(), &truth.into()), verdict, "{field} {read} {truth}");
        }
    }
}
