//! Printed days become dates: a missing year is taken from the statement's period, and a year or an
//! order of day and month that the period contradicts is put right. Knows nothing of pages.

use chrono::{Datelike, Days, NaiveDate};

use super::line::PrintedDate;
use crate::extract::parse::date::DayMonth;
use crate::extract::parse::period::Period;

/// Movements are dated at most this many days outside the period that the statement names.
const SLACK_DAYS: u64 = 12;

/// A date and whether it lies in the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) date: NaiveDate,
    pub(super) fits: bool,
}

/// The date that is meant. `anchor` is any date of the statement for when no period is known.
pub(super) fn resolve(
    printed: PrintedDate,
    period: Option<Period>,
    anchor: Option<NaiveDate>,
) -> Option<Resolved> {
    let period = period.or_else(|| {
        let end = anchor?;
        Some(Period { start: end.checked_sub_days(Days::new(350))?, end })
    });
    let Some(period) = period else {
        return match printed {
            PrintedDate::Full(date) => Some(Resolved { date, fits: true }),
            PrintedDate::DayMonth(_) => None,
        };
    };
    let wide = |date: &NaiveDate| within(*date, period);
    let options: Vec<NaiveDate> = match printed {
        PrintedDate::Full(date) => {
            let mut options = vec![date];
            options.extend(swapped(date));
            options
        }
        PrintedDate::DayMonth(day) => {
            let other = DayMonth { day: day.month, month: day.day };
            [day, other].iter().filter_map(|day| day.within(period.start, period.end)).collect()
        }
    };
    let fitting = options.iter().find(|date| wide(date)).copied();
    let date = fitting.or_else(|| options.first().copied())?;
    Some(Resolved { date, fits: fitting.is_some() })
}

/// The same day and month in the period's year, for a year that was misread.
pub(super) fn with_period_year(date: NaiveDate, period: Period) -> Option<NaiveDate> {
    let years = period.start.year()..=period.end.year();
    years.filter_map(|year| date.with_year(year)).find(|date| within(*date, period))
}

pub(super) fn within(date: NaiveDate, period: Period) -> bool {
    let slack = Days::new(SLACK_DAYS);
    let start = period.start.checked_sub_days(slack).unwrap_or(period.start);
    let end = period.end.checked_add_days(slack).unwrap_or(period.end);
    (start..=end).contains(&date)
}

fn swapped(date: NaiveDate) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(date.year(), date.day(), date.month())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn a_missing_year_comes_from_the_period() {
        let period = Some(Period { start: day(2025, 12, 1), end: day(2026, 1, 31) });
        let resolved = |day, month| resolve(PrintedDate::DayMonth(DayMonth { day, month }), period, None);
        assert_eq!(resolved(30, 12).map(|found| found.date), Some(day(2025, 12, 30)));
        assert_eq!(resolved(2, 1).map(|found| found.date), Some(day(2026, 1, 2)));
    }

    #[test]
    fn month_before_day_where_the_period_tells() {
        let period = Some(Period { start: day(2026, 3, 1), end: day(2026, 3, 31) });
        let found = resolve(PrintedDate::Full(day(2026, 5, 3)), period, None);
        assert_eq!(found, Some(Resolved { date: day(2026, 3, 5), fits: true }));
    }
}
