//! The movements' dates and order: which year, which way, what a neighbour tells of a date that was not read.

use chrono::NaiveDate;

use super::days::{Resolved, resolve, with_period_year};
use super::line::{Line, PrintedDate};
use super::rows::{Movement, Table};
use crate::extract::parse::period::Period;

/// The balance that a day's heading tells is the one after its last movement.
pub(super) fn end_days(movements: &mut [(Movement, Option<Resolved>)], table: &Table, newest_first: bool) {
    for day in table.days.iter().filter(|day| day.to > day.from) {
        let last = if newest_first { day.from } else { day.to - 1 };
        if let Some((movement, _)) =
            movements.get_mut(last).filter(|(movement, _)| movement.balances.is_empty())
        {
            movement.balances.clone_from(&day.balances);
            movement.balance_certainty = day.certainty;
        }
    }
}

/// The latest complete date of the statement.
pub(super) fn latest_date(lines: &[Line]) -> Option<NaiveDate> {
    let dates = lines.iter().flat_map(|line| &line.tokens).filter_map(|token| match token.date() {
        Some(PrintedDate::Full(date)) => Some(date),
        _ => None,
    });
    dates.max()
}

pub(super) fn date_of(
    movement: &Movement,
    period: Option<Period>,
    anchor: Option<NaiveDate>,
) -> Option<Resolved> {
    let mut found = resolve(movement.date?, period, anchor)?;
    if !found.fits
        && movement.ocr
        && let Some(date) = period.and_then(|period| with_period_year(found.date, period))
    {
        found.date = date;
    }
    Some(found)
}

/// Rows whose date could not be read: the date that both neighbours share, or the value date where it
/// lies between them.
pub(super) fn mend_dates(movements: &mut [(Movement, Option<Resolved>)], period: Option<Period>) {
    let known = |movements: &[(Movement, Option<Resolved>)], at: Option<usize>| {
        let (movement, date) = movements.get(at?)?;
        date.filter(|date| !movement.date_missed && date.fits).map(|date| date.date)
    };
    for at in 0..movements.len() {
        let (movement, date) = &movements[at];
        let own = date.filter(|_| !movement.date_missed && movement.ocr);
        if !movement.ocr || !movement.date_missed && own.is_some_and(|own| own.fits) {
            continue;
        }
        let before = known(movements, at.checked_sub(1));
        let after = known(movements, Some(at + 1));
        let value = movement.value_date.and_then(|printed| resolve(printed, period, before));
        let value = value.map(|value| value.date).filter(|value| {
            before.is_none_or(|before| before <= *value) && after.is_none_or(|after| *value <= after)
        });
        let shared = before.filter(|_| before == after);
        if let Some(date) = shared.or(value) {
            movements[at].1 = Some(Resolved { date, fits: shared.is_some() });
        }
    }
}

/// By the dates; where they are all the same, by the running balances.
pub(super) fn is_newest_first(movements: &[(Movement, Option<Resolved>)]) -> bool {
    let dates: Vec<NaiveDate> = movements.iter().filter_map(|(_, date)| date.map(|date| date.date)).collect();
    let (mut rises, mut falls) = (0_usize, 0_usize);
    for pair in dates.windows(2) {
        rises += usize::from(pair[1] > pair[0]);
        falls += usize::from(pair[1] < pair[0]);
    }
    let (mut forward, mut backward) = (0_usize, 0_usize);
    for pair in movements.windows(2) {
        let (Some(first), Some(second)) = (pair[0].0.balances.first(), pair[1].0.balances.first()) else {
            continue;
        };
        let explains = |movement: &Movement, change: i64| {
            movement.amounts.iter().take(2).any(|(amount, cost)| *amount == change && *cost < 1.0)
        };
        forward += usize::from(explains(&pair[1].0, second.0 - first.0));
        backward += usize::from(explains(&pair[0].0, first.0 - second.0));
    }
    if rises.max(falls) > 0 && rises != falls && (rises.min(falls) * 4 <= rises.max(falls)) {
        return falls > rises;
    }
    backward > forward
}
