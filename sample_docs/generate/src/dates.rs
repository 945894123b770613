//! Calendar helpers over `chrono`.

use chrono::{Datelike, Days, Months, NaiveDate};

pub type Date = NaiveDate;

pub fn ymd(year: i32, month: u32, day: u32) -> Date {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or(NaiveDate::MIN)
}

pub fn iso(date: Date) -> String {
    date.format("%Y-%m-%d").to_string()
}

pub fn plus_days(date: Date, days: i64) -> Date {
    let size = Days::new(days.unsigned_abs());
    if days < 0 { date - size } else { date + size }
}

pub fn plus_months(date: Date, months: i32) -> Date {
    let size = Months::new(months.unsigned_abs());
    if months < 0 { date - size } else { date + size }
}

pub fn first_of_month(date: Date) -> Date {
    ymd(date.year(), date.month(), 1)
}

pub fn last_of_month(date: Date) -> Date {
    plus_days(plus_months(first_of_month(date), 1), -1)
}

/// Years completed on `on` by who was born on `born`.
pub fn age(born: Date, on: Date) -> i32 {
    let had_birthday = (on.month(), on.day()) >= (born.month(), born.day());
    on.year() - born.year() - i32::from(!had_birthday)
}

pub const MONTHS_ES: [&str; 12] = [
    "ENERO",
    "FEBRERO",
    "MARZO",
    "ABRIL",
    "MAYO",
    "JUNIO",
    "JULIO",
    "AGOSTO",
    "SEPTIEMBRE",
    "OCTUBRE",
    "NOVIEMBRE",
    "DICIEMBRE",
];
pub const MONTHS_EN: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_counts_birthdays() {
        assert_eq!(age(ymd(1990, 5, 2), ymd(2026, 5, 1)), 35);
        assert_eq!(age(ymd(1990, 5, 2), ymd(2026, 5, 2)), 36);
    }

    #[test]
    fn months_end_where_they_end() {
        assert_eq!(last_of_month(ymd(2024, 2, 10)), ymd(2024, 2, 29));
    }
}
