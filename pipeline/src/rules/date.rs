//! Calendar days as scripts use them. There is no today here: the rules know only the day of receipt.

use chrono::{Datelike, Months, NaiveDate};

/// A day of the calendar, comparable in scripts by `<`, `==` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date(pub(super) NaiveDate);

impl Date {
    /// Days from `self` to `later`; negative when `later` comes before.
    pub(super) fn days_to(self, later: Self) -> i64 {
        later.0.signed_duration_since(self.0).num_days()
    }

    /// Completed years from `self` to `day`; someone born on 29 February completes a year on 1 March.
    pub(super) fn years_to(self, day: Self) -> i64 {
        let years = i64::from(day.0.year()) - i64::from(self.0.year());
        let birthday_is_to_come = (day.0.month(), day.0.day()) < (self.0.month(), self.0.day());
        if birthday_is_to_come { years - 1 } else { years }
    }

    /// The same day that many months later, or the last day of a shorter month.
    pub(super) fn plus_months(self, months: i64) -> Option<Self> {
        let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        let moved =
            if months < 0 { self.0.checked_sub_months(count) } else { self.0.checked_add_months(count) };
        moved.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date(text.parse().unwrap())
    }

    #[test]
    fn ages_turn_on_the_birthday() {
        assert_eq!(day("2008-03-14").years_to(day("2026-03-13")), 17);
        assert_eq!(day("2008-03-14").years_to(day("2026-03-14")), 18);
        assert_eq!(day("2008-02-29").years_to(day("2026-02-28")), 17);
        assert_eq!(day("2008-02-29").years_to(day("2026-03-01")), 18);
    }

    #[test]
    fn months_end_within_the_month() {
        assert_eq!(day("2026-01-31").plus_months(1), Some(day("2026-02-28")));
        assert_eq!(day("2026-03-31").plus_months(-1), Some(day("2026-02-28")));
        assert_eq!(day("2026-01-31").plus_months(i64::MAX), None);
    }

    #[test]
    fn days_are_signed() {
        assert_eq!(day("2026-01-01").days_to(day("2026-04-01")), 90);
        assert_eq!(day("2026-04-01").days_to(day("2026-01-01")), -90);
    }
}
