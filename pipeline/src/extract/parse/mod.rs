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
