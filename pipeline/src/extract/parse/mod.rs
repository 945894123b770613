//! Typed values out of text: money, dates, accounts, tax ids and the like.
//!
//! Every submodule offers `parse` (the whole text is one value) and `find_all` (values within a line
//! of text). They know the written forms and the check digits, and nothing of pages, labels or
//! documents. None of them ever fails: text that is no value gives nothing.

pub mod bic;
pub mod cups;
pub mod date;
mod date_scan;
pub mod date_words;
pub mod iban;
pub mod money;
pub mod naf;
pub mod name;
pub mod number;
pub mod period;
pub mod phone;
pub mod rate;
pub mod repair;
pub mod tax_id;
pub mod text;

use std::ops::Range;

use crate::domain::Check;

/// The value of the only one that was found in a text, if it passed its tests.
fn the_only<T>(mut found: Vec<Found<T>>) -> Option<T> {
    let only = found.pop().filter(|only| found.is_empty() && only.holds())?;
    Some(only.value)
}

/// Codes within a text, each with the check of this name. `candidate_at` gives the code that begins at a
/// character and the index of its last one.
fn codes_in(
    text: &str,
    candidate_at: impl Fn(&[(usize, char)], usize) -> Option<(String, usize)>,
    check: &str,
    is_valid: impl Fn(&str) -> bool,
) -> Vec<Found<String>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let Some((value, end)) = candidate_at(&chars, at) else {
            at += 1;
            continue;
        };
        let passed = is_valid(&value);
        found.push(Found::new(value, bytes_of(&chars, at, end)).with_check(check, passed));
        at = end + 1;
    }
    found
}

/// The bytes from one character to another, both within.
fn bytes_of(chars: &[(usize, char)], first: usize, last: usize) -> Range<usize> {
    let (start, last) = (chars[first].0, chars[last]);
    start..last.0 + last.1.len_utf8()
}

/// A value found within a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    pub value: T,
    /// Bytes of the text that the value was read from.
    pub range: Range<usize>,
    /// Tests of the value's own, such as a check letter.
    pub checks: Vec<Check>,
}

impl<T> Found<T> {
    pub fn new(value: T, range: Range<usize>) -> Self {
        Self { value, range, checks: Vec::new() }
    }

    #[must_use]
    pub fn with_check(mut self, name: &str, passed: bool) -> Self {
        self.checks.push(Check::new(name, passed));
        self
    }

    /// Whether it failed none of its tests.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }

    /// The text it was read from.
    pub fn raw<'text>(&self, text: &'text str) -> &'text str {
        text.get(self.range.clone()).unwrap_or_default()
    }
}
