//! Amounts of money in Spanish and English notation, with the sign and currency that stand beside
//! them on either side.

use rust_decimal::Decimal;

use super::text::{fold, is_minus};
use super::{Found, number};

/// An amount as printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// Negative after a minus, in parentheses, or with a debit mark.
    pub amount: Decimal,
    /// ISO 4217, when a symbol or code stands beside it.
    pub currency: Option<&'static str>,
    pub sign: Sign,
    /// Printed decimal places.
    pub decimals: u32,
    /// Thousands or decimals cannot be told apart (`1.234`), or nothing but its place says that it
    /// is money (`1500`).
    pub ambiguous: bool,
}

/// How the direction was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Not at all.
    Unsigned,
    Plus,
    Minus,
    /// `D`, `DR`, `DEBE`: leaves the account.
    Debit,
    /// `H`, `CR`, `HABER`: enters the account.
    Credit,
}

impl Sign {
    pub fn is_negative(self) -> bool {
        matches!(self, Sign::Minus | Sign::Debit)
    }
}

/// The whole text as one amount. Accepts integers without a currency, flagged ambiguous.
pub fn parse(text: &str) -> Option<Money> {
    let trimmed = text.trim();
    let mut all = scan(trimmed);
    let found = all.pop().filter(|_| all.is_empty())?;
    let outside = |piece: Option<&str>| {
        piece.is_some_and(|piece| {
            piece.chars().all(|ch| ch.is_whitespace() || matches!(ch, '*' | '=' | ':' | '#'))
        })
    };
    let alone = outside(trimmed.get(..found.range.start)) && outside(trimmed.get(found.range.end..));
    alone.then_some(found.value)
}

/// Amounts within a text: numbers with two decimals, with a currency or with separated thousands.
/// Rates (`5,25 %`) are left out.
pub fn find_all(text: &str) -> Vec<Found<Money>> {
    scan(text).into_iter().filter(|found| convincing(&found.value, found.raw(text))).collect()
}

fn convincing(money: &Money, raw: &str) -> bool {
    money.currency.is_some() || money.decimals == 2 || raw.chars().any(|ch| matches!(ch, '.' | ',' | '\''))
}

fn scan(text: &str) -> Vec<Found<Money>> {
    let mut found: Vec<Found<Money>> = Vec::new();
    for (number, core) in number::cores(text) {
        let head = text.get(..core.start).unwrap_or_default();
        let tail = text.get(core.end..).unwrap_or_default();
        let floor = found.last().map_or(0, |last| last.range.end);
        if number.decimals > 2 || tail.trim_start().starts_with(['%', '‰']) {
            continue;
        }
        let Some(suffix) = suffix(tail) else { continue };
        let prefix = prefix(head, floor, suffix.closes);
        let sign = if prefix.sign == Sign::Unsigned { suffix.sign } else { prefix.sign };
        let currency = prefix.currency.or(suffix.currency);
        let mut amount = number.value;
        amount.set_sign_negative(sign.is_negative() && !amount.is_zero());
        let bare = number.decimals == 0 && currency.is_none();
        let ambiguous = number.ambiguous || bare;
        let value = Money { amount, currency, sign, decimals: number.decimals, ambiguous };
        found.push(Found::new(value, prefix.start..core.end + suffix.length));
    }
    found
}

struct Prefix {
    start: usize,
    sign: Sign,
    currency: Option<&'static str>,
}

/// What stands before the digits, read from the right: sign, currency, opening parenthesis.
fn prefix(head: &str, floor: usize, closes: bool) -> Prefix {
    let mut prefix = Prefix { start: head.len(), sign: Sign::Unsigned, currency: None };
    loop {
        let rest = head.get(..prefix.start).unwrap_or_default().trim_end();
        if rest.len() < floor || prefix.start - rest.len() > 2 {
            return prefix;
        }
        let Some(last) = rest.chars().next_back() else { return prefix };
        let alone = |length: usize| {
            let before = rest.get(..rest.len() - length).and_then(|head| head.chars().next_back());
            before.is_none_or(|ch| ch.is_whitespace() || "(€$£".contains(ch) || is_minus(ch))
        };
        let sign_here = prefix.sign == Sign::Unsigned;
        let range_dash = prefix.start > rest.len() && floor > 0 && {
            rest.get(floor..).is_some_and(|since| since.trim().chars().count() == 1)
        };
        if is_minus(last)
            && sign_here
            && !range_dash
            && (alone(last.len_utf8()) || ends_with_currency(rest, last))
        {
            prefix.sign = Sign::Minus;
        } else if last == '+' && sign_here && alone(1) {
            prefix.sign = Sign::Plus;
        } else if last == '(' && closes && sign_here {
            prefix.sign = Sign::Minus;
        } else if let Some((code, length)) = currency_at_end(rest).filter(|_| prefix.currency.is_none()) {
            prefix.currency = Some(code);
            prefix.start = rest.len() - length;
            continue;
        } else {
            return prefix;
        }
        prefix.start = rest.len() - last.len_utf8();
    }
}

fn ends_with_currency(rest: &str, last: char) -> bool {
    rest.get(..rest.len() - last.len_utf8()).is_some_and(|head| currency_at_end(head.trim_end()).is_some())
}

struct Suffix {
    length: usize,
    sign: Sign,
    currency: Option<&'static str>,
    closes: bool,
}

/// What stands after the digits: currency, sign, debit or credit mark, closing parenthesis. `None`
/// when the digits run on into a word, so that they are no amount.
fn suffix(tail: &str) -> Option<Suffix> {
    let mut suffix = Suffix { length: 0, sign: Sign::Unsigned, currency: None, closes: false };
    loop {
        let rest = tail.get(suffix.length..).unwrap_or_default();
        let trimmed = rest.trim_start();
        let gap = rest.len() - trimmed.len();
        if gap > 3 {
            return Some(suffix);
        }
        let next = trimmed.chars().next();
        let unsigned = suffix.sign == Sign::Unsigned;
        let taken =
            if let Some((code, length)) = currency_at_start(trimmed).filter(|_| suffix.currency.is_none()) {
                suffix.currency = Some(code);
                length
            } else if let Some((sign, length)) = trailing_sign(trimmed, gap).filter(|_| unsigned) {
                suffix.sign = sign;
                length
            } else if next == Some(')') && !suffix.closes {
                suffix.closes = true;
                1
            } else {
                let glued = gap == 0 && suffix.length == 0 && next.is_some_and(char::is_alphanumeric);
                return (!glued).then_some(suffix);
            };
        suffix.length += gap + taken;
    }
}

/// A trailing minus or plus, or a mark such as `D`, `H`, `CR`.
fn trailing_sign(text: &str, gap: usize) -> Option<(Sign, usize)> {
    let first = text.chars().next()?;
    let follows = text.chars().nth(1);
    let ends = follows.is_none_or(|ch| ch.is_whitespace() || ch == ')' || "€$£".contains(ch));
    if is_minus(first) && ends {
        // `12,00 - 15,00` is a range: a minus apart from both numbers belongs to neither.
        let number_next =
            text.chars().skip(1).find(|ch| !ch.is_whitespace()).is_some_and(|ch| ch.is_ascii_digit());
        return (gap == 0 || !number_next).then_some((Sign::Minus, first.len_utf8()));
    }
    if first == '+' && ends {
        return Some((Sign::Plus, 1));
    }
    let end = text.find(|ch: char| !ch.is_alphabetic()).unwrap_or(text.len());
    let word = text.get(..end)?;
    let dotted = text.get(end..).is_some_and(|rest| rest.starts_with('.') && rest.len() > 1);
    let sign = mark(word).filter(|_| !dotted)?;
    Some((sign, end))
}

/// The direction that a debit or credit mark gives: `D`, `H`, `DR`, `CR`, `DEBE`, `HABER`…
pub fn mark(word: &str) -> Option<Sign> {
    match word {
        "D" | "DR" | "Dr" | "DB" | "DEBE" | "Debe" | "CARGO" | "DEB" | "OD" | "DEBIT" | "Debit" => {
            Some(Sign::Debit)
        }
        "H" | "CR" | "Cr" | "HABER" | "Haber" | "ABONO" | "HAB" | "CREDIT" | "Credit" => Some(Sign::Credit),
        _ => None,
    }
}

const SYMBOLS: [(&str, &str); 14] = [
    ("€", "EUR"),
    ("euros", "EUR"),
    ("euro", "EUR"),
    ("eur", "EUR"),
    ("£", "GBP"),
    ("gbp", "GBP"),
    ("us$", "USD"),
    ("$", "USD"),
    ("usd", "USD"),
    ("chf", "CHF"),
    ("sek", "SEK"),
    ("pln", "PLN"),
    ("mxn", "MXN"),
    ("ron", "RON"),
];

/// ISO 4217 code of a symbol, code or name of a currency, if the text is one.
pub fn currency(text: &str) -> Option<&'static str> {
    let folded = fold(text.trim().trim_end_matches('.'));
    SYMBOLS.iter().find(|(name, _)| *name == folded).map(|(_, code)| *code)
}

fn currency_at_start(text: &str) -> Option<(&'static str, usize)> {
    let first = text.chars().next()?;
    if "€£$".contains(first) {
        return currency(&first.to_string()).map(|code| (code, first.len_utf8()));
    }
    let end = text.find(|ch: char| !ch.is_alphabetic()).unwrap_or(text.len());
    let code = currency(text.get(..end)?)?;
    Some((code, end))
}

fn currency_at_end(text: &str) -> Option<(&'static str, usize)> {
    let last = text.chars().next_back()?;
    if "€£$".contains(last) {
        let us = last == '$' && text.ends_with("US$");
        return currency(&last.to_string()).map(|code| (code, if us { 3 } else { last.len_utf8() }));
    }
    let start = text.char_indices().rev().take_while(|(_, ch)| ch.is_alphabetic()).last()?.0;
    let word = text.get(start..)?;
    currency(word).map(|code| (code, word.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_in_all_their_forms() {
        let cases = [
            ("1.234,56", "1234.56", None),
            ("1.234,56 €", "1234.56", Some("EUR")),
            ("€1,234.56", "1234.56", Some("EUR")),
            ("-12,30", "-12.30", None),
            ("12,30-", "-12.30", None),
            ("12,30 -", "-12.30", None),
            ("− 12,30 EUR", "-12.30", Some("EUR")),
            ("(12.30)", "-12.30", None),
            ("+1 500,00", "1500.00", None),
            ("45,00 D", "-45.00", None),
            ("45,00 H", "45.00", None),
            ("£45.00 DR", "-45.00", Some("GBP")),
            ("45.00CR", "45.00", None),
            ("-£45.00", "-45.00", Some("GBP")),
            ("£-45.00", "-45.00", Some("GBP")),
            ("45,00€-", "-45.00", Some("EUR")),
            ("12.000 €", "12000", Some("EUR")),
            ("EUR 12.000,00", "12000.00", Some("EUR")),
            ("0,00", "0.00", None),
            ("1.234 ,56", "1234.56", None),
            ("***1.234,56", "1234.56", None),
        ];
        for (text, amount, currency) in cases {
            let money = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((money.amount.to_string().as_str(), money.currency), (amount, currency), "{text}");
        }
        for text in ["", "abc", "12/03/2026", "5,25 %", "B1234", "12,34 56,78", "ES12 3456"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_within_lines() {
        let amounts = |text: &str| -> Vec<String> {
            find_all(text).iter().map(|found| found.value.amount.to_string()).collect()
        };
        assert_eq!(amounts("02/05 RECIBO 123 LUZ -45,10 1.234,56"), ["-45.10", "1234.56"]);
        assert_eq!(amounts("Total devengado: 2.150,00 € (TIN 5,25 %)"), ["2150.00"]);
        assert_eq!(amounts("desde 12,00 - 15,00"), ["12.00", "15.00"]);
        assert_eq!(amounts("28080 Madrid, 3 de mayo de 2026"), Vec::<String>::new());
        assert_eq!(amounts("cuota de 310,45 euros al mes"), ["310.45"]);
    }

    #[test]
    fn ambiguity_is_flagged() {
        assert!(parse("1.234").is_some_and(|money| money.ambiguous));
        assert!(parse("1500").is_some_and(|money| money.ambiguous));
        assert!(parse("1500 €").is_some_and(|money| !money.ambiguous));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = (parse(&text), find_all(&text));
        }

        #[test]
        fn never_panics_on_near_money(text in "[-+ ()0-9.,€DHCR'£]{0,24}") {
            let _ = (parse(&text), find_all(&text));
        }
    }
}
