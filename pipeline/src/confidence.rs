//! Turns the extractors' evidence scores into calibrated probabilities. The curves are data, fitted by
//! `dossier eval --calibrate` and kept beside the models.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::TextSource;

/// A non-decreasing piecewise-linear function from score to probability, both 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Curve {
    /// Score and probability, by rising score.
    points: Vec<(f64, f64)>,
}

impl Curve {
    pub fn new(points: Vec<(f64, f64)>) -> Self {
        Self { points }
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

/// Curves by `source/type.field`, with `source/*` for fields without one of their own. Source is
/// `native`, `scan` or `photo`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfidenceCurves {
    curves: BTreeMap<String, Curve>,
}

impl ConfidenceCurves {
    pub fn new(curves: BTreeMap<String, Curve>) -> Self {
        Self { curves }
    }

    /// No curves: confidence is the score itself, as fitting needs it.
    pub fn identity() -> Self {
        Self::default()
    }

    /// The calibrated probability that a value with this evidence score is right.
    pub fn confidence(&self, source: TextSource, document_type: &str, field: &str, score: f32) -> f64 {
        let source = match source {
            TextSource::Native => "native",
            TextSource::Scan => "scan",
            TextSource::Photo => "photo",
        };
        let own = self.curves.get(&format!("{source}/{document_type}.{field}"));
        let shared = || self.curves.get(&format!("{source}/*"));
        let score = f64::from(score).clamp(0.0, 1.0);
        own.or_else(shared).map_or(score, |curve| curve.at(score)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_linear_between_its_points_and_flat_beyond() {
        let curve = Curve::new(vec![(0.2, 0.1), (0.6, 0.5), (1.0, 0.9)]);
        for (score, probability) in [(0.0, 0.1), (0.2, 0.1), (0.4, 0.3), (0.8, 0.7), (1.0, 0.9)] {
            assert!((curve.at(score) - probability).abs() < 1e-9, "{score}");
        }
    }
}
