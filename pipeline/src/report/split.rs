//! How many cases went which way, and by what they are grouped.

use chrono::{Datelike as _, Months, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::domain::{Mode, Outcome};

/// What the rows of a report stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    Flow,
    Day,
    Week,
    Month,
    Reviewer,
    Reason,
}

impl GroupBy {
    pub fn as_str(self) -> &'static str {
        match self {
            GroupBy::Flow => "flow",
            GroupBy::Day => "day",
            GroupBy::Week => "week",
            GroupBy::Month => "month",
            GroupBy::Reviewer => "reviewer",
            GroupBy::Reason => "reason",
        }
    }
}

/// Counts of cases by where they stand. `cases` is the sum of `e2e`, `hybrid`, `manual`, `waiting`
/// and `review`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Split {
    pub cases: u32,
    pub accepted: u32,
    pub rejected: u32,
    /// Finally decided and no person touched it.
    pub e2e: u32,
    /// Finally decided by or with a person, on what the machine had read.
    pub hybrid: u32,
    /// Finally decided on what people keyed.
    pub manual: u32,
    /// Documents were asked for, without a person; not final.
    pub waiting: u32,
    /// A person has to look; not final.
    pub review: u32,
}

impl Split {
    pub fn add(&mut self, outcome: Outcome, mode: Option<Mode>) {
        self.cases += 1;
        match outcome {
            Outcome::Accept => self.accepted += 1,
            Outcome::Reject => self.rejected += 1,
            Outcome::RequestDocuments => self.waiting += 1,
            Outcome::Review => self.review += 1,
        }
        match mode {
            Some(Mode::E2e) => self.e2e += 1,
            Some(Mode::Hybrid) => self.hybrid += 1,
            Some(Mode::Manual) => self.manual += 1,
            None => {}
        }
    }

    /// Adds the cases of another.
    pub fn merge(&mut self, other: &Split) {
        self.cases += other.cases;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.e2e += other.e2e;
        self.hybrid += other.hybrid;
        self.manual += other.manual;
        self.waiting += other.waiting;
        self.review += other.review;
    }

    /// End to end, hybrid, manual, not decided: what a case is exactly one of.
    pub fn parts(&self) -> [u32; 4] {
        [self.e2e, self.hybrid, self.manual, self.waiting + self.review]
    }
}

impl GroupBy {
    pub const ALL: [GroupBy; 6] =
        [GroupBy::Flow, GroupBy::Day, GroupBy::Week, GroupBy::Month, GroupBy::Reviewer, GroupBy::Reason];

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }

    /// The day, week or month that a day belongs to; `None` for groups that are no time.
    pub fn period_of(self, day: NaiveDate) -> Option<Period> {
        let (label, first, last) = match self {
            GroupBy::Day => (day.to_string(), day, day),
            GroupBy::Week => {
                let week = day.week(Weekday::Mon);
                (week_of(day), week.checked_first_day()?, week.checked_last_day()?)
            }
            GroupBy::Month => {
                let first = day.with_day(1)?;
                let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
                (format!("{:04}-{:02}", day.year(), day.month()), first, last)
            }
            GroupBy::Flow | GroupBy::Reviewer | GroupBy::Reason => return None,
        };
        Some(Period { label, first, last })
    }

    /// Into how long periods a stretch of time is parted, so that a chart can be read.
    pub fn fitting(first: NaiveDate, last: NaiveDate) -> Self {
        match (last - first).num_days() {
            ..=31 => GroupBy::Day,
            32..=186 => GroupBy::Week,
            _ => GroupBy::Month,
        }
    }
}

/// A day, an ISO 8601 week such as `2026-W12`, or a month such as `2026-03`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Period {
    pub label: String,
    pub first: NaiveDate,
    pub last: NaiveDate,
}

fn week_of(day: NaiveDate) -> String {
    let week = day.iso_week();
    format!("{:04}-W{:02}", week.year(), week.week())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn periods_hold_their_days() {
        let new_year = GroupBy::Week.period_of(day("2027-01-01")).unwrap();
        assert_eq!(new_year.label, "2026-W53");
        assert_eq!((new_year.first, new_year.last), (day("2026-12-28"), day("2027-01-03")));
        let month = GroupBy::Month.period_of(day("2028-02-10")).unwrap();
        assert_eq!((month.first, month.last), (day("2028-02-01"), day("2028-02-29")));
        assert_eq!(GroupBy::Flow.period_of(day("2026-01-01")), None);
    }

    #[test]
    fn charts_have_a_readable_number_of_periods() {
        assert_eq!(GroupBy::fitting(day("2026-03-01"), day("2026-04-01")), GroupBy::Day);
        assert_eq!(GroupBy::fitting(day("2026-03-01"), day("2026-04-02")), GroupBy::Week);
        assert_eq!(GroupBy::fitting(day("2026-01-01"), day("2026-12-31")), GroupBy::Month);
    }

    #[test]
    fn a_split_adds_up() {
        let mut split = Split::default();
        split.add(Outcome::Accept, Some(Mode::E2e));
        split.add(Outcome::Reject, Some(Mode::Hybrid));
        split.add(Outcome::Accept, Some(Mode::Manual));
        split.add(Outcome::RequestDocuments, None);
        split.add(Outcome::Review, None);
        assert_eq!(split.cases, split.e2e + split.hybrid + split.manual + split.waiting + split.review);
        let mut twice = split;
        twice.merge(&split);
        assert_eq!((twice.cases, twice.accepted, twice.rejected), (10, 4, 2));
        assert_eq!(split.parts().iter().sum::<u32>(), split.cases);
    }
}
