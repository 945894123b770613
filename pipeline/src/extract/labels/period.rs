//! The two ends of a period settled together: their order, and how long a period of this kind may be.
//! Knows dates and scores, not places.

use chrono::{Datelike, NaiveDate};

use super::agreement::Ranked;
use super::evidence::Claim;
use crate::domain::Value;
use crate::extract::candidates::names_days;

/// Claims of each end that are tried.
const MOST_CLAIMS: usize = 12;
/// Ends that fit outweigh the best claims of both down to this share of their joint strength.
const LEAST_SHARE: f32 = 0.05;
/// Ends that one phrase names together are this much likelier than ends from two places.
const SAME_PHRASE: f32 = 1.5;
/// What is left of a month alone beside a period of days.
const MONTH: f32 = 0.5;
/// What is left of one end of a period whose other end nothing tells.
const LONE: f32 = 0.3;
/// The share of doubt that fitting ends take away.
const GAIN: f32 = 0.25;

/// Puts the strongest start and end first that lie in order and at most `most_days` apart; where none do,
/// the weaker end is doubted.
pub(super) fn settle_period(start: usize, end: usize, most_days: i64, ranked: &mut [Ranked]) {
    let fits = |first: &Value, last: &Value| match (first.as_date(), last.as_date()) {
        (Some(first), Some(last)) => is_period(first, last, most_days),
        _ => false,
    };
    prefer_explicit(start, end, ranked, fits);
    let (Some(first), Some(last)) = (ranked[start].first(), ranked[end].first()) else {
        // `desde el 3 de julio` alone says since when, not for which time.
        for field in [start, end] {
            ranked[field].iter_mut().for_each(|claim| claim.score *= LONE);
        }
        return;
    };
    if fits(&first.value, &last.value) {
        return;
    }
    let top = first.score * last.score;
    let weaker = if first.score < last.score { start } else { end };
    let mut best: Option<(f32, usize, usize)> = None;
    for (at, first) in ranked[start].iter().enumerate().take(MOST_CLAIMS) {
        for (other, last) in ranked[end].iter().enumerate().take(MOST_CLAIMS) {
            let together = first.page == last.page && first.words == last.words;
            let weight = first.score * last.score * if together { SAME_PHRASE } else { 1.0 };
            if fits(&first.value, &last.value) && best.is_none_or(|(most, ..)| weight > most) {
                best = Some((weight, at, other));
            }
        }
    }
    match best.filter(|(weight, ..)| *weight > LEAST_SHARE * top) {
        Some((_, at, other)) => {
            for (field, at) in [(start, at), (end, other)] {
                let mut claim = ranked[field].remove(at);
                claim.score += (1.0 - claim.score) * GAIN;
                ranked[field].insert(0, claim);
            }
        }
        None => ranked[weaker][0].score *= 0.4,
    }
}

/// Where a first and a last day are told together, months that are spoken of are hardly the period.
fn prefer_explicit(start: usize, end: usize, ranked: &mut [Ranked], fits: impl Fn(&Value, &Value) -> bool) {
    let explicit = ranked[start].iter().filter(|first| names_days(&first.raw)).any(|first| {
        let together = |last: &&Claim| last.page == first.page && last.words == first.words;
        ranked[end].iter().find(together).is_some_and(|last| fits(&first.value, &last.value))
    });
    for field in [start, end].into_iter().filter(|_| explicit) {
        for month in ranked[field].iter_mut().filter(|claim| !names_days(&claim.raw) && is_month(claim)) {
            month.score *= MONTH;
        }
        ranked[field].sort_by(|a, b| b.score.total_cmp(&a.score));
    }
}

/// Told by its name or number, without a day.
fn is_month(claim: &Claim) -> bool {
    let day = claim.value.as_date();
    day.is_some_and(|day| day.day() == 1 || (day + chrono::Days::new(1)).day() == 1)
}

fn is_period(first: NaiveDate, last: NaiveDate, most_days: i64) -> bool {
    (0..most_days).contains(&(last - first).num_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::labels::evidence::{Claim, testing};

    fn claim(day: (i32, u32, u32), score: f32, words: (usize, usize)) -> Claim {
        let day = NaiveDate::from_ymd_opt(day.0, day.1, day.2).unwrap();
        testing::claim(Value::date(day), score, words)
    }

    #[test]
    fn a_date_years_before_the_end_is_no_start() {
        let since = claim((2012, 6, 24), 0.8, (3, 4));
        let mut ranked =
            [vec![since, claim((2025, 6, 1), 0.35, (9, 12))], vec![claim((2025, 6, 30), 0.35, (9, 12))]];
        settle_period(0, 1, 62, &mut ranked);
        let first = |field: usize| ranked[field][0].value.as_date();
        assert_eq!(first(0), NaiveDate::from_ymd_opt(2025, 6, 1));
        assert_eq!(first(1), NaiveDate::from_ymd_opt(2025, 6, 30));
    }

    #[test]
    fn ends_that_nothing_fits_are_doubted() {
        let mut ranked = [vec![claim((2025, 6, 1), 0.9, (3, 4))], vec![claim((2025, 5, 1), 0.5, (9, 12))]];
        settle_period(0, 1, 62, &mut ranked);
        assert!(ranked[0][0].score > 0.8 && ranked[1][0].score < 0.3);
    }
}
