//! Parts of a filter of cases that pages, API and the links of reports share.

use chrono::{NaiveDate, NaiveTime};
use dossier::clock::Micros;
use dossier::store::CaseFilter;

const DAY: Micros = 24 * 3_600_000_000;

/// Ages of the backlog in days, as reports link to them: from the first on, before the second.
pub(crate) const AGES: [(&str, Option<i64>, Option<i64>); 4] =
    [("0-1", None, Some(1)), ("1-3", Some(1), Some(3)), ("3-7", Some(3), Some(7)), ("7-", Some(7), None)];

/// The first moment of a UTC day, written `YYYY-MM-DD`.
pub(crate) fn start_of(day: &str) -> Option<Micros> {
    let day: NaiveDate = day.trim().parse().ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
}

/// Narrows to newest decisions on days from the first to the last, both inclusive. `None` when a text
/// is no day.
pub(crate) fn decided_on(filter: &mut CaseFilter, from: Option<&str>, to: Option<&str>) -> Option<()> {
    filter.decided_from = from.map(|day| start_of(day).ok_or(())).transpose().ok()?;
    let last = to.map(|day| start_of(day).ok_or(())).transpose().ok()?;
    filter.decided_before = last.map(|last| last + DAY);
    Some(())
}

/// Narrows to an age in the queue. `None` when there is no such age.
pub(crate) fn aged(filter: &mut CaseFilter, age: &str, now: Micros) -> Option<()> {
    let (_, from_days, before_days) = AGES.iter().find(|(name, ..)| *name == age)?;
    filter.queued_before = from_days.map(|days| now - days * DAY);
    filter.queued_from = before_days.map(|days| now - days * DAY);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_inclusive_and_ages_leave_no_gap() {
        let mut filter = CaseFilter::default();
        decided_on(&mut filter, Some("1970-01-02"), Some("1970-01-02")).unwrap();
        assert_eq!((filter.decided_from, filter.decided_before), (Some(DAY), Some(2 * DAY)));
        assert!(decided_on(&mut filter, Some("yesterday"), None).is_none());
        let now = 100 * DAY;
        let ends = AGES.map(|(name, ..)| {
            let mut filter = CaseFilter::default();
            aged(&mut filter, name, now).unwrap();
            (filter.queued_from, filter.queued_before)
        });
        assert_eq!((ends[0].1, ends[3].0), (None, None));
        assert!((0..3).all(|index| ends[index].0 == ends[index + 1].1), "{ends:?}");
        assert!(aged(&mut filter, "2-4", now).is_none());
    }
}
