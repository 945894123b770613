//! Business identifier codes (ISO 9362): eight or eleven characters.

use std::sync::LazyLock;

use regex::Regex;

use super::Found;
use super::text::{after, before};

static FORM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Z]{4}[ ]?[A-Z]{2}[ ]?[A-Z0-9]{2}(?:[ ]?[A-Z0-9]{3})?").expect("the pattern is valid")
});

/// Countries with banks that people here hold accounts at.
const COUNTRIES: [&str; 62] = [
    "AD", "AE", "AR", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CL", "CN", "CO", "CY", "CZ", "DE", "DK",
    "DO", "EC", "EE", "ES", "FI", "FR", "GB", "GI", "GR", "HR", "HU", "IE", "IL", "IN", "IS", "IT", "JP",
    "LI", "LT", "LU", "LV", "MA", "MC", "MT", "MX", "NL", "NO", "PA", "PE", "PH", "PK", "PL", "PT", "PY",
    "RO", "RU", "SE", "SI", "SK", "SM", "TR", "UA", "US", "UY", "VE",
];

/// The whole text as one code of a known country.
pub fn parse(text: &str) -> Option<String> {
    let compact: String = text.trim().chars().filter(|ch| *ch != ' ').collect();
    let found = FORM.find(&compact)?;
    let country = compact.get(4..6)?;
    (found.len() == compact.len() && COUNTRIES.contains(&country)).then_some(compact)
}

/// Code-shaped words of a known country. Words in capitals can look alike (`CLIENTES`): look beside
/// a label.
pub fn find_all(text: &str) -> Vec<Found<String>> {
    let mut all = Vec::new();
    for found in FORM.find_iter(text) {
        let glued = |ch: Option<char>| ch.is_some_and(char::is_alphanumeric);
        if glued(before(text, found.start())) || glued(after(text, found.end())) {
            continue;
        }
        if let Some(value) = parse(found.as_str()) {
            all.push(Found::new(value, found.range()));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        assert_eq!(parse("CAIXESBBXXX").as_deref(), Some("CAIXESBBXXX"));
        assert_eq!(parse("BSCH ES MM").as_deref(), Some("BSCHESMM"));
        assert_eq!(parse("MOVIMIENTOS"), None);
        assert_eq!(find_all("BIC: BBVAESMMXXX").len(), 1);
        assert_eq!(find_all("ES91 2100").len(), 0);
    }
}
