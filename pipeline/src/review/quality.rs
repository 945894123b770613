//! Whether a flow may go on deciding by itself, and what becomes of a decision when it may not.

use chrono::NaiveTime;
use serde_json::json;

use crate::clock::Micros;
use crate::domain::{CaseResult, Mode, Outcome, Reason};
use crate::rules::{Flow, Language, Quality};
use crate::statistics::wilson;
use crate::store::EventKind;

pub(crate) const QUALITY_FALLBACK: &str = "QUALITY_FALLBACK";
const DAY: Micros = 24 * 3_600_000_000;

/// From which moment on blind judgements count for a flow.
pub fn quality_since(quality: &Quality, now: Micros) -> Micros {
    let window = now - i64::from(quality.window_days) * DAY;
    let mended = quality.measured_from.map(|day| day.and_time(NaiveTime::MIN).and_utc().timestamp_micros());
    mended.map_or(window, |mended| window.max(mended))
}

/// Whether so many wrong decisions among those judged blind send all cases of the flow to people: the
/// upper bound of the rate passes the limit, and enough were judged for it to mean something.
pub fn falls_back(quality: &Quality, judged: u64, wrong: u64) -> bool {
    let Some(limit) = quality.largest_wrong_rate else { return false };
    judged >= u64::from(quality.least_samples) && wilson(wrong, judged).is_some_and(|rate| rate.high > limit)
}

/// Sends a case that the rules decided to a person. The history says what they had decided.
pub fn hold_back(flow: &Flow, result: &mut CaseResult, events: &mut [(EventKind, serde_json::Value)]) {
    if result.mode != Some(Mode::E2e) {
        return;
    }
    let decided = result.outcome;
    let message = match flow.config.language {
        Language::Es => "Una revisión a ciegas encontró demasiadas decisiones erróneas: decide una persona.",
        Language::En => "A blind review found too many wrong decisions: a person decides.",
    };
    let reason = Reason {
        code: QUALITY_FALLBACK.to_owned(),
        message: message.to_owned(),
        rule: "quality".to_owned(),
        fields: Vec::new(),
    };
    let decision = events.iter_mut().rev().find(|(kind, _)| *kind == EventKind::Decided);
    if let Some((_, detail)) = decision {
        detail["outcome"] = json!(Outcome::Review);
        detail["held_back"] = json!(decided);
        if let Some(reasons) = detail["reasons"].as_array_mut() {
            reasons.push(json!({"code": reason.code, "rule": reason.rule, "fields": reason.fields}));
        }
    }
    result.reasons.push(reason);
    result.outcome = Outcome::Review;
    result.mode = None;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality() -> Quality {
        Quality {
            sample_share: 0.1,
            largest_wrong_rate: Some(0.10),
            least_samples: 60,
            window_days: 90,
            measured_from: None,
        }
    }

    #[test]
    fn a_flow_falls_back_when_enough_samples_say_that_it_may_be_wrong_too_often() {
        // Wilson's upper bounds: 1 of 60 is 8.9 %, 2 of 60 is 11.4 %, 2 of 59 is 11.5 %.
        assert!(!falls_back(&quality(), 60, 1));
        assert!(falls_back(&quality(), 60, 2));
        assert!(!falls_back(&quality(), 59, 2), "too few samples");
        assert!(!falls_back(&quality(), 59, 59), "too few, however bad");
        assert!(!falls_back(&Quality { largest_wrong_rate: None, ..quality() }, 60, 60));
        assert!(!falls_back(&quality(), 0, 0));
    }

    #[test]
    fn what_was_judged_before_a_fault_was_mended_does_not_count() {
        let now = 200 * DAY;
        assert_eq!(quality_since(&quality(), now), 110 * DAY);
        let mended =
            |day| Quality { measured_from: chrono::NaiveDate::from_ymd_opt(1970, 1, day), ..quality() };
        assert_eq!(quality_since(&mended(31), now), 110 * DAY, "longer ago than the window");
        assert_eq!(quality_since(&mended(31), 40 * DAY), 30 * DAY);
    }
}
