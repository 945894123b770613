//! Periods: two dates joined by a word or a dash, or a month alone.

use chrono::{Datelike, Months, NaiveDate};

use super::Found;
use super::date_scan::{Form, Match, scan};
use super::text::{digits_put_right, fold, is_minus};

/// First and last day, both within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub start: NaiveDate,
    pub end: NaiveDate,
}

impl Period {
    /// A month from its first to its last day.
    pub fn month(year: i32, month: u32) -> Option<Self> {
        let start = NaiveDate::from_ymd_opt(year, month, 1)?;
        let end = start.checked_add_months(Months::new(1))?.pred_opt()?;
        Some(Self { start, end })
    }

    pub fn days(self) -> i64 {
        (self.end - self.start).num_days() + 1
    }
}

/// Longer than this, two dates beside each other are no accounting period.
const LONGEST_DAYS: i64 = 800;

/// The whole text as one period.
pub fn parse(text: &str) -> Option<Period> {
    let mut all = find_all(text);
    if all.is_empty() {
        all = find_all(&digits_put_right(text));
    }
    let only = all.pop().filter(|_| all.is_empty())?;
    Some(only.value)
}

/// Periods within a text: `del 01/03/2026 al 31/03/2026`, `1 - 31 marzo 2026`, `MARZO 2026`,
/// `enero-marzo 2026`, `03/2026`.
pub fn find_all(text: &str) -> Vec<Found<Period>> {
    let forms = scan(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < forms.len() {
        let pair = forms.get(at + 1).filter(|next| joined(text, &forms[at], next));
        let span = pair.and_then(|next| {
            let value = between(forms[at].form, next.form)?;
            Some(Found::new(value, forms[at].range.start..next.range.end))
        });
        if let Some(span) = span {
            found.push(span);
            at += 2;
            continue;
        }
        if let Form::MonthOf(year, month) = forms[at].form
            && let Some(value) = Period::month(year, month)
        {
            found.push(Found::new(value, forms[at].range.clone()));
        }
        at += 1;
    }
    found
}

/// Words that lead from a period's first day to its last.
const TO: [&str; 19] = [
    "al", "a", "hasta", "to", "until", "till", "through", "y", "and", "el", "fins", "ate", "au", "the",
    "dia", "fin", "fecha", "thru", "e",
];

fn joined(text: &str, first: &Match, second: &Match) -> bool {
    let Some(between) = text.get(first.range.end..second.range.start) else { return false };
    let folded = fold(between);
    let mut parts = folded.split(|ch: char| !ch.is_alphanumeric()).filter(|part| !part.is_empty());
    let marked = between.chars().any(|ch| is_minus(ch) || matches!(ch, '/' | '>' | '→' | '~'));
    let words = parts.clone().count();
    (marked || words > 0) && words <= 3 && parts.all(|word| TO.contains(&word))
}

fn between(first: Form, second: Form) -> Option<Period> {
    let (start, end) = match (first, second) {
        (Form::Full(start), Form::Full(end)) => (start, end),
        (Form::DayMonth(day, month), Form::Full(end)) => {
            let this_year = NaiveDate::from_ymd_opt(end.year(), month, day)?;
            let start = if this_year > end { this_year.with_year(end.year() - 1)? } else { this_year };
            (start, end)
        }
        (Form::Day(day), Form::Full(end)) => (NaiveDate::from_ymd_opt(end.year(), end.month(), day)?, end),
        (Form::MonthName(month), Form::MonthOf(year, last)) => {
            let start_year = if month > last { year - 1 } else { year };
            (Period::month(start_year, month)?.start, Period::month(year, last)?.end)
        }
        (Form::MonthOf(year, month), Form::MonthOf(last_year, last)) => {
            (Period::month(year, month)?.start, Period::month(last_year, last)?.end)
        }
        _ => return None,
    };
    let period = Period { start, end };
    (start <= end && period.days() <= LONGEST_DAYS).then_some(period)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn periods_in_all_their_forms() {
        let march = [
            "del 01/03/2026 al 31/03/2026",
            "01/03/2026 - 31/03/2026",
            "01-03-2026 a 31-03-2026",
            "1 March 2026 to 31 March 2026",
            "1 - 31 marzo 2026",
            "del 1 al 31 de marzo de 2026",
            "Periodo de liquidación: del 01 MAR 26 al 31 MAR 26",
            "MARZO 2026",
            "marzo de 2026",
            "Mar-26",
            "03/2026",
            "desde el 01.03.2026 hasta el 31.03.2026",
            "1 March – 31 March 2026",
            "01/03 - 31/03/2026",
            "March 1, 2026 through March 31, 2026",
            "2026-03-01 / 2026-03-31",
        ];
        for text in march {
            assert_eq!(parse(text), Period::month(2026, 3), "{text}");
        }
        let quarter = parse("enero - marzo 2026").unwrap();
        assert_eq!((quarter.start.month(), quarter.end.month(), quarter.days()), (1, 3, 90));
        for text in ["", "01/03/2026", "31/03/2026 - 01/03/2026", "01/03/1987 - 31/03/2026", "marzo"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let _ = (parse(&text), find_all(&text));
        }
    }
}
