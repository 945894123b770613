//! Dates in the Spanish and English forms, and in their neighbours' languages.
//!
//! Day comes before month; the other order is read only where the numbers prove it (`03/25/2026`).

use chrono::{Datelike, NaiveDate};

use super::Found;
use super::date_scan::{Form, Match, scan};
use super::text::digits_put_right;

/// A day of a year that is printed elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayMonth {
    pub day: u32,
    pub month: u32,
}

impl DayMonth {
    /// That day in a year; `None` for the 29th of February of a common year.
    pub fn in_year(self, year: i32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(year, self.month, self.day)
    }

    /// That day in the period, or in the year that brings it nearest to the period's end.
    pub fn within(self, start: NaiveDate, end: NaiveDate) -> Option<NaiveDate> {
        let years = start.year() - 1..=end.year() + 1;
        let days: Vec<NaiveDate> = years.filter_map(|year| self.in_year(year)).collect();
        let inside = days.iter().find(|day| (start..=end).contains(day));
        inside.or_else(|| days.iter().min_by_key(|day| (**day - end).num_days().abs())).copied()
    }
}

/// The whole text as one complete date.
pub fn parse(text: &str) -> Option<NaiveDate> {
    whole(text, full).or_else(|| whole(&digits_put_right(text), full))
}

/// Complete dates within a text.
pub fn find_all(text: &str) -> Vec<Found<NaiveDate>> {
    pick(text, full)
}

/// The whole text as a day without its year (`12/03`, `12 MAR`).
pub fn parse_day_month(text: &str) -> Option<DayMonth> {
    whole(text, day_month).or_else(|| whole(&digits_put_right(text), day_month))
}

/// Days without a year within a text, such as `12/03` and `12 MAR`.
pub fn find_day_months(text: &str) -> Vec<Found<DayMonth>> {
    pick(text, day_month)
}

/// Complete dates within a text read by OCR: where there is none, once more with letters in
/// numbers put right (`O1/O3/2O26`).
pub fn find_all_misread(text: &str) -> Vec<Found<NaiveDate>> {
    let found = find_all(text);
    if !found.is_empty() {
        return found;
    }
    let repaired = digits_put_right(text);
    // Positions hold only while every character kept its length.
    if repaired.len() == text.len() { find_all(&repaired) } else { Vec::new() }
}

/// The whole text as day, month and year without separators, as the cells of a form take them
/// (`28092025`). Any number of eight digits may look so.
pub fn parse_digits(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let year = i32::try_from(part(4..8)?).ok().filter(|year| (1900..2100).contains(year))?;
    NaiveDate::from_ymd_opt(year, part(2..4)?, part(0..2)?)
}

fn full(form: Form) -> Option<NaiveDate> {
    match form {
        Form::Full(date) => Some(date),
        _ => None,
    }
}

fn day_month(form: Form) -> Option<DayMonth> {
    match form {
        Form::DayMonth(day, month) => Some(DayMonth { day, month }),
        _ => None,
    }
}

fn pick<T>(text: &str, form: impl Fn(Form) -> Option<T>) -> Vec<Found<T>> {
    let found = |found: Match| form(found.form).map(|value| Found::new(value, found.range));
    scan(text).into_iter().filter_map(found).collect()
}

fn whole<T>(text: &str, form: impl Fn(Form) -> Option<T>) -> Option<T> {
    let mut all = scan(text);
    let only = all.pop().filter(|_| all.is_empty())?;
    let letters = |piece: Option<&str>| piece.is_none_or(|piece| piece.chars().any(char::is_alphanumeric));
    if letters(text.get(..only.range.start)) || letters(text.get(only.range.end..)) {
        return None;
    }
    form(only.form)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn dates_in_all_their_forms() {
        let cases = [
            "02/05/1987",
            "2-5-87",
            "02.05.1987",
            "2 de mayo de 1987",
            "2 MAY 1987",
            "02 05 1987",
            "May 2, 1987",
            "2nd May 1987",
            "2nd of May, 1987",
            "2nd day of May 1987",
            "02-MAY-1987",
            "02MAY1987",
            "1987-05-02",
            "1987/05/02",
            "2 de Mayo del 1987",
            "02 MAY / MAI 1987",
            "2 de maig de 1987",
            "May 2nd 1987",
            "02 / 05 / 1987",
            "19870502",
            "02051987",
            "O2/O5/1987",
            "2 mayo, 1987",
            "05/02/87",
        ];
        for text in cases.iter().filter(|text| **text != "05/02/87") {
            assert_eq!(parse(text), Some(date(1987, 5, 2)), "{text}");
        }
        assert_eq!(parse("05/02/87"), Some(date(1987, 2, 5)));
        assert_eq!(parse("03/25/2026"), Some(date(2026, 3, 25)));
        assert_eq!(parse("01/01/9999"), Some(date(9999, 1, 1)));
        assert_eq!(parse("12 MAR 26"), Some(date(2026, 3, 12)));
        for text in
            ["", "31/02/2026", "12/03", "1.234,56", "12345678", "mayo", "2026", "1/2/3/4", "99/99/9999"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates_within_lines() {
        let dates =
            |text: &str| -> Vec<NaiveDate> { find_all(text).iter().map(|found| found.value).collect() };
        assert_eq!(dates("Madrid, a 3 de mayo de 2026."), [date(2026, 5, 3)]);
        assert_eq!(dates("02/03/2026 03/03/2026 RECIBO 12,50"), [date(2026, 3, 2), date(2026, 3, 3)]);
        assert_eq!(dates("NIF 12345678Z tel. 91 123 45 67"), Vec::<NaiveDate>::new());
        assert_eq!(dates("fecha:05/03/2026"), [date(2026, 3, 5)]);
        assert_eq!(dates("IP 10.12.2026.1"), Vec::<NaiveDate>::new());
    }

    #[test]
    fn days_without_a_year() {
        assert_eq!(parse_day_month("12 MAR"), Some(DayMonth { day: 12, month: 3 }));
        assert_eq!(parse_day_month("12/03"), Some(DayMonth { day: 12, month: 3 }));
        assert_eq!(parse_day_month("3 N0V"), Some(DayMonth { day: 3, month: 11 }));
        let day = DayMonth { day: 28, month: 12 };
        assert_eq!(day.within(date(2025, 12, 15), date(2026, 1, 14)), Some(date(2025, 12, 28)));
        let day = DayMonth { day: 30, month: 12 };
        assert_eq!(day.within(date(2026, 1, 1), date(2026, 1, 31)), Some(date(2025, 12, 30)));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = (parse(&text), find_all(&text), find_day_months(&text), find_all_misread(&text));
        }

        #[test]
        fn printed_dates_round_trip(days in 0i64..50_000) {
            let day = date(1951, 1, 1) + chrono::Duration::days(days);
            prop_assert_eq!(parse(&day.format("%d/%m/%Y").to_string()), Some(day));
            prop_assert_eq!(parse(&day.format("%Y-%m-%d").to_string()), Some(day));
            prop_assert_eq!(parse(&day.format("%-d %B %Y").to_string()), Some(day));
        }
    }

    #[test]
    fn eight_digits_may_be_a_date() {
        assert_eq!(parse_digits("28092025"), NaiveDate::from_ymd_opt(2025, 9, 28));
        for other in ["28132025", "2809202", "28091825", "2809 025", "12345678"] {
            assert_eq!(parse_digits(other), None, "{other}");
        }
    }
}
