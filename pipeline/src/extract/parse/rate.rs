//! Percent rates.

use rust_decimal::Decimal;

use super::{Found, number};

/// Words that stand for the percent sign.
const SIGN_WORDS: [&str; 4] = ["por ciento", "por cien", "per cent", "percent"];

/// The whole text as a percentage, with or without its sign.
pub fn parse(text: &str) -> Option<Decimal> {
    let core = text.trim().trim_end_matches(['%', ' ', '\u{a0}']);
    let number = number::parse(core)?;
    (!number.grouped && number.value.abs() <= Decimal::ONE_THOUSAND).then_some(number.value)
}

/// Numbers followed by a percent sign.
pub fn find_all(text: &str) -> Vec<Found<Decimal>> {
    let mut all = Vec::new();
    for (number, range) in number::cores(text) {
        let tail = text.get(range.end..).unwrap_or_default();
        let trimmed = tail.trim_start();
        let gap = tail.len() - trimmed.len();
        let worded = SIGN_WORDS
            .iter()
            .find(|sign| trimmed.get(..sign.len()).is_some_and(|word| word.eq_ignore_ascii_case(sign)));
        if trimmed.starts_with('%') && !number.grouped {
            all.push(Found::new(number.value, range.start..range.end + gap + 1));
        } else if let Some(sign) = worded.filter(|_| !number.grouped) {
            all.push(Found::new(number.value, range.start..range.end + gap + sign.len()));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates() {
        let rate = |text: &str| parse(text).map(|rate| rate.to_string());
        assert_eq!(rate("5,25 %").as_deref(), Some("5.25"));
        assert_eq!(rate("7.99%").as_deref(), Some("7.99"));
        assert_eq!(rate("21").as_deref(), Some("21"));
        assert_eq!(rate("hola"), None);
        assert_eq!(find_all("a rate of 6.9 per cent per annum, APR 7.1 percent").len(), 2);
        assert_eq!(find_all("TIN 5,25 % TAE 5,38%, cuota 120,00").len(), 2);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,30}") {
            let _ = (parse(&text), find_all(&text));
        }
    }
}
