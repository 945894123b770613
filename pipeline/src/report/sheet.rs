//! A report as tables, for every format that people read: pages, spreadsheets, text.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::clock::Micros;
use crate::statistics::Rate;

/// One table of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// `split`, `automation` and so on.
    pub code: &'static str,
    pub title: &'static str,
    /// What its figures mean.
    pub definition: &'static str,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// The last row sums the others up.
    pub has_total: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub code: &'static str,
    pub heading: &'static str,
}

impl Column {
    pub(super) const fn new(code: &'static str, heading: &'static str) -> Self {
        Self { code, heading }
    }
}

/// A figure, with what it takes to show it in any language.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    /// A word of the product's own: its family (`flow`, `reason`, `outcome`, `mode`, `stage`, `field`,
    /// `group`) and code.
    Word(&'static str, String),
    Count {
        count: u64,
        /// What it is a part of, where its share matters.
        of: Option<u64>,
        /// Which cases these are; none where it does not count cases, or there are none.
        cases: Option<CasesLink>,
    },
    Share(Option<f64>),
    Seconds(Option<u64>),
    Minutes(f64),
    Milliseconds(f64),
    Euros(Option<f64>),
    Interval(Option<Rate>),
    Moment(Option<Micros>),
}

/// The filter of a list of cases, as parameters of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CasesLink(pub BTreeMap<&'static str, String>);

impl CasesLink {
    /// The cases decided on these days.
    pub(super) fn decided(first: NaiveDate, last: NaiveDate) -> Self {
        Self::default().with("decided_from", first.to_string()).with("decided_to", last.to_string())
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.insert(name, value.into());
        self
    }

    /// A mark beside those that are asked for already.
    #[must_use]
    pub(super) fn mark(self, mark: impl Into<String>) -> Self {
        self.with("mark", mark)
    }
}

impl Cell {
    pub(super) fn count(count: u32) -> Self {
        Cell::Count { count: u64::from(count), of: None, cases: None }
    }

    pub(super) fn cases(count: u32, of: Option<u32>, cases: &CasesLink) -> Self {
        let cases = (count > 0).then(|| cases.clone());
        Cell::Count { count: u64::from(count), of: of.map(u64::from), cases }
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Cell::Text(_) | Cell::Word(..))
    }

    /// For people who read English.
    pub(super) fn as_text(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text) | Cell::Word(_, text) => text.clone(),
            Cell::Count { count, of: Some(of), .. } if *of > 0 => {
                format!("{count} ({:.0} %)", *count as f64 * 100.0 / *of as f64)
            }
            Cell::Count { count, .. } => count.to_string(),
            Cell::Share(share) => share.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0)),
            Cell::Seconds(seconds) => seconds.map_or_else(String::new, duration),
            Cell::Minutes(minutes) => format!("{minutes:.0}"),
            Cell::Milliseconds(milliseconds) => format!("{milliseconds:.0}"),
            Cell::Euros(euros) => euros.map_or_else(String::new, |euros| format!("{euros:.2}")),
            Cell::Interval(rate) => rate.map_or_else(String::new, |rate| {
                let percent = |share: f64| share * 100.0;
                format!(
                    "{:.1} % ({:.1} to {:.1} %)",
                    percent(rate.rate),
                    percent(rate.low),
                    percent(rate.high)
                )
            }),
            Cell::Moment(moment) => moment.map_or_else(String::new, moment_text),
        }
    }

    /// For programs: plain numbers, seconds, shares of 1.
    pub(super) fn as_value(&self) -> String {
        match self {
            Cell::Count { count, .. } => count.to_string(),
            Cell::Share(share) => share.map_or_else(String::new, |share| format!("{share:.4}")),
            Cell::Seconds(seconds) => seconds.map_or_else(String::new, |seconds| seconds.to_string()),
            Cell::Minutes(minutes) => format!("{minutes:.1}"),
            Cell::Milliseconds(milliseconds) => format!("{milliseconds:.1}"),
            _ => self.as_text(),
        }
    }

    /// The number behind it, for spreadsheets.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Cell::Count { count, .. } => Some(*count as f64),
            Cell::Share(share) => *share,
            Cell::Seconds(seconds) => seconds.map(|seconds| seconds as f64),
            Cell::Minutes(number) | Cell::Milliseconds(number) => Some(*number),
            Cell::Euros(euros) => *euros,
            Cell::Empty | Cell::Text(_) | Cell::Word(..) | Cell::Interval(_) | Cell::Moment(_) => None,
        }
    }
}

/// A length of time with its two largest units.
pub fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn moment_text(moment: Micros) -> String {
    chrono::DateTime::from_timestamp_micros(moment).unwrap_or_default().format("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_short() {
        let texts = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 200_000].map(duration);
        let expected =
            ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "23 h 59 min", "1 d 0 h", "2 d 7 h"];
        assert_eq!(texts, expected);
    }
}
