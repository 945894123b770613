//! Turns the extractors' evidence into calibrated probabilities. The model is data, fitted by
//! `dossier eval --calibrate` and kept beside the OCR models: a monotone curve from score to probability
//! for each kind of source, then a logistic regression whose terms are that probability, the field, and
//! what checks said. All fields share what there are few observations of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{Check, TextSource, Value};

/// A value that is wrong once in four is absent: finding out costs a reviewer more than keying it.
pub const LEAST_CONFIDENCE: f64 = 0.75;

/// Probabilities are kept from 0 and 1 by this much before their logarithm is taken.
const EDGE: f64 = 0.002;

/// A non-decreasing piecewise-linear function from score to probability, both 0 to 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// How many labelled values it was fitted on.
    observations: u32,
    /// Score and probability, by rising score.
    points: Vec<(f64, f64)>,
}

impl Curve {
    pub fn new(observations: u32, points: Vec<(f64, f64)>) -> Self {
        Self { observations, points }
    }

    /// The probability at `score`; flat beyond the ends, `score` itself without points.
    pub fn at(&self, score: f64) -> f64 {
        let Some(&(_, mut below)) = self.points.first() else { return score };
        let mut from = f64::NEG_INFINITY;
        for &(at, probability) in &self.points {
            if score < at {
                let share = if from.is_finite() { (score - from) / (at - from) } else { 1.0 };
                return below + share * (probability - below);
            }
            (from, below) = (at, probability);
        }
        below
    }
}

/// What a field's values are worth beside those of all fields with the same score: a line over the
/// logarithm of the odds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldLine {
    pub observations: u32,
    pub offset: f64,
    pub slope: f64,
    /// How often the field was wrong on layouts that the regression had not seen, against how often all
    /// fields with the same probability were: a factor on the odds against it.
    #[serde(default = "as_all")]
    pub doubt: f64,
}

fn as_all() -> f64 {
    1.0
}

impl FieldLine {
    /// Says what all fields say.
    pub const NEUTRAL: Self = Self { observations: 0, offset: 0.0, slope: 1.0, doubt: 1.0 };
}

/// What was found out about one value beside its score, for the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Proof {
    /// At least one check, and all passed.
    pub passed: bool,
    /// A check failed.
    pub failed: bool,
    /// A check chose among the recogniser's runner-ups.
    pub repaired: bool,
}

impl Proof {
    pub fn of(checks: &[Check], repaired: bool) -> Self {
        let failed = checks.iter().any(|check| !check.passed);
        Self { passed: !checks.is_empty() && !failed, failed, repaired }
    }

    /// The terms of the regression, 0 or 1.
    pub fn terms(self) -> [f64; 3] {
        [self.passed, self.failed, self.repaired].map(|holds| if holds { 1.0 } else { 0.0 })
    }
}

/// The whole model. Without curves, confidence is the score itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceModel {
    /// By kind of source: `native`, `scan`, `photo`.
    pub sources: BTreeMap<String, Curve>,
    /// By `type.field`; of booleans apart for each value, see [`field_key`].
    pub fields: BTreeMap<String, FieldLine>,
    /// Weights of [`Proof::terms`].
    pub proof: [f64; 3],
    /// From the regression's probability to the one that is given: what share was right.
    pub last: Curve,
}

/// The name a value goes by in the model. That a paper is signed and that it is not are told by
/// different evidence.
pub fn field_key(document_type: &str, field: &str, value: &Value) -> String {
    match value.as_boolean() {
        Some(truth) => format!("{document_type}.{field}={truth}"),
        None => format!("{document_type}.{field}"),
    }
}

/// The name that single rows of a table go by.
pub fn row_key(document_type: &str) -> String {
    format!("{document_type}.transactions{ROW}")
}

/// Whether a key stands for a row: a table has many, which must not drown the fields.
pub(crate) fn is_row(key: &str) -> bool {
    key.ends_with(ROW)
}

const ROW: &str = "[]";

pub fn source_key(source: TextSource) -> &'static str {
    match source {
        TextSource::Native => "native",
        TextSource::Scan => "scan",
        TextSource::Photo => "photo",
    }
}

impl ConfidenceModel {
    /// Confidence is the score itself, as fitting needs it.
    pub fn identity() -> Self {
        Self::default()
    }

    /// The calibrated probability that a value with this evidence is right. `key` as of [`field_key`].
    pub fn confidence(&self, source: TextSource, key: &str, score: f32, proof: Proof) -> f64 {
        let score = f64::from(score).clamp(0.0, 1.0);
        let Some(curve) = self.sources.get(source_key(source)) else { return score };
        let line = self.fields.get(key).unwrap_or(&FieldLine::NEUTRAL);
        let odds = line.offset + line.slope * log_odds(curve.at(score)) + self.weigh(proof);
        let given = self.last.at(probability(odds)).clamp(0.0, 1.0);
        let doubt = (1.0 - given) * line.doubt;
        given / (given + doubt).max(f64::MIN_POSITIVE)
    }

    fn weigh(&self, proof: Proof) -> f64 {
        self.proof.iter().zip(proof.terms()).map(|(weight, term)| weight * term).sum()
    }
}

pub(crate) fn log_odds(probability: f64) -> f64 {
    let probability = probability.clamp(EDGE, 1.0 - EDGE);
    (probability / (1.0 - probability)).ln()
}

pub(crate) fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> ConfidenceModel {
        let curve = Curve::new(1000, vec![(0.0, 0.5), (1.0, 0.9)]);
        let line = FieldLine { observations: 50, offset: 1.0, ..FieldLine::NEUTRAL };
        ConfidenceModel {
            sources: [("native".to_owned(), curve)].into(),
            fields: [("payslip.net_pay".to_owned(), line)].into(),
            proof: [2.0, -2.0, -0.5],
            last: Curve::default(),
        }
    }

    #[test]
    fn a_curve_is_linear_between_its_points_and_flat_beyond() {
        let curve = Curve::new(3, vec![(0.2, 0.1), (0.6, 0.5), (1.0, 0.9)]);
        for (score, probability) in [(0.0, 0.1), (0.2, 0.1), (0.4, 0.3), (0.8, 0.7), (1.0, 0.9)] {
            assert!((curve.at(score) - probability).abs() < 1e-9, "{score}");
        }
    }

    #[test]
    fn an_unknown_field_is_worth_what_all_are() {
        let confidence = model().confidence(TextSource::Native, "payslip.iban", 1.0, Proof::default());
        assert!((confidence - 0.9).abs() < 1e-9);
    }

    #[test]
    fn a_field_and_its_checks_move_the_probability() {
        let at = |proof| model().confidence(TextSource::Native, "payslip.net_pay", 0.5, proof);
        let (bare, passed) = (at(Proof::default()), at(Proof { passed: true, ..Proof::default() }));
        let failed = at(Proof { failed: true, ..Proof::default() });
        assert!(failed < bare && bare < passed, "{failed} {bare} {passed}");
        let other = model().confidence(TextSource::Native, "payslip.iban", 0.5, Proof::default());
        assert!(other < bare);
    }

    #[test]
    fn without_a_model_confidence_is_the_score() {
        let confidence =
            ConfidenceModel::identity().confidence(TextSource::Photo, "x.y", 0.25, Proof::default());
        assert!((confidence - 0.25).abs() < 1e-9);
    }
}
