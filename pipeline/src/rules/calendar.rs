//! Working days: which days count and how time runs over them. Days are UTC, as everywhere.

use chrono::{Datelike as _, NaiveDate, NaiveTime, Weekday};
use serde::Deserialize;

use crate::clock::{Micros, date_of};

const DAY: Micros = 24 * 3_600_000_000;
/// Days that a deadline is looked for over; configurations are refused before one needs more.
const FARTHEST_DAYS: usize = 20_000;

/// The days on which nobody works.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    pub weekend: Vec<Weekday>,
    pub holidays: Vec<Holiday>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { weekend: vec![Weekday::Sat, Weekday::Sun], holidays: Vec::new() }
    }
}

/// A day off: `MM-DD` every year, or `YYYY-MM-DD` once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Holiday {
    EveryYear { month: u32, day: u32 },
    Once(NaiveDate),
}

impl TryFrom<String> for Holiday {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Ok(date) = NaiveDate::parse_from_str(&text, "%Y-%m-%d") {
            return Ok(Holiday::Once(date));
        }
        // A leap year, so that 02-29 is a day.
        let date = NaiveDate::parse_from_str(&format!("2024-{text}"), "%Y-%m-%d");
        let date = date.map_err(|_| format!("{text} is no holiday: write MM-DD or YYYY-MM-DD"))?;
        Ok(Holiday::EveryYear { month: date.month(), day: date.day() })
    }
}

impl Holiday {
    fn is_on(self, date: NaiveDate) -> bool {
        match self {
            Holiday::EveryYear { month, day } => (date.month(), date.day()) == (month, day),
            Holiday::Once(day) => date == day,
        }
    }
}

impl Calendar {
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        !self.weekend.contains(&date.weekday()) && !self.holidays.iter().any(|holiday| holiday.is_on(date))
    }

    /// The moment at which so much working time has passed since `from`.
    pub fn add(&self, from: Micros, working: Micros) -> Micros {
        let mut left = working.max(0);
        let mut moment = from;
        for _ in 0..FARTHEST_DAYS {
            let date = date_of(moment);
            let end = end_of(date);
            if self.is_working_day(date) {
                let today = end - moment;
                if left <= today {
                    return moment + left;
                }
                left -= today;
            }
            moment = end;
        }
        moment
    }

    /// Working time between two moments; 0 when the second is not later.
    pub fn between(&self, from: Micros, to: Micros) -> Micros {
        let mut passed = 0;
        let mut moment = from;
        for _ in 0..FARTHEST_DAYS {
            if moment >= to {
                break;
            }
            let date = date_of(moment);
            let end = end_of(date).min(to);
            if self.is_working_day(date) {
                passed += end - moment;
            }
            moment = end;
        }
        passed
    }

    /// What is wrong with it, for whoever wrote it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let week = [0, 1, 2, 3, 4, 5, 6].map(|days| Weekday::Mon.num_days_from_monday() + days);
        let works = |day: &u32| !self.weekend.iter().any(|weekend| weekend.num_days_from_monday() == *day);
        (!week.iter().any(works)).then_some("the calendar has no working day")
    }
}

/// So many working days as working time.
#[expect(clippy::cast_possible_truncation, reason = "a configuration has at most 1000 days")]
pub(crate) fn working_days(days: f64) -> Micros {
    (days * DAY as f64).round() as Micros
}

fn end_of(date: NaiveDate) -> Micros {
    date.and_time(NaiveTime::MIN).and_utc().timestamp_micros() + DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Micros = 3_600_000_000;

    fn at(text: &str) -> Micros {
        chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap().and_utc().timestamp_micros()
    }

    fn calendar() -> Calendar {
        toml::from_str(r#"holidays = ["12-08", "2026-12-07"]"#).unwrap()
    }

    #[test]
    fn time_stands_still_over_weekends_and_holidays() {
        let calendar = calendar();
        // Friday 4 December 2026; Monday and Tuesday are holidays.
        let friday = at("2026-12-04 16:00");
        assert_eq!(calendar.add(friday, 8 * HOUR), at("2026-12-05 00:00"), "the end of the day itself");
        assert_eq!(calendar.add(friday, 9 * HOUR), at("2026-12-09 01:00"));
        assert_eq!(calendar.add(friday, DAY), at("2026-12-09 16:00"), "a working day later, same hour");
        assert_eq!(calendar.add(at("2026-12-06 10:00"), HOUR), at("2026-12-09 01:00"), "from a Sunday");
        assert_eq!(calendar.add(friday, 0), friday);
        assert!(calendar.is_working_day("2027-12-07".parse().unwrap()), "that holiday was once");
        assert!(!calendar.is_working_day("2027-12-08".parse().unwrap()), "this one is every year");
    }

    #[test]
    fn what_passes_between_two_moments_is_what_adding_takes() {
        let calendar = calendar();
        let friday = at("2026-12-04 16:00");
        for hours in [0, 1, 8, 9, 24, 200] {
            let end = calendar.add(friday, hours * HOUR);
            assert_eq!(calendar.between(friday, end), hours * HOUR, "{hours}");
        }
        assert_eq!(calendar.between(friday, friday - HOUR), 0);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(toml::from_str::<Calendar>(r#"holidays = ["13-01"]"#).is_err());
        assert!(toml::from_str::<Calendar>(r#"holidays = ["Christmas"]"#).is_err());
        let never: Calendar =
            toml::from_str(r#"weekend = ["mon","tue","wed","thu","fri","sat","sun"]"#).unwrap();
        assert!(never.problem().is_some());
        assert_eq!(calendar().problem(), None);
    }
}
