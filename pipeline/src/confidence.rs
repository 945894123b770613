//! Turns the extractors' evidence scores into calibrated probabilities. The curves are data, fitted by
//! `dossier eval --calibrate` and kept beside the models.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::TextSource;

/// How many observations the curve of all fields counts for beside a field's own: with as many of its
/// own, a field is believed half. Few labelled documents of one kind are soon all right by chance.
const SHARED_WEIGHT: f64 = 8.0;

/// A non-decreasing piecewise-linear function from score to probability, both 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// Curves by `source/type.field`, where source is `native`, `scan`, `photo` or, over all of them, `*`;
/// and `source/*` over all fields.
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

    /// The calibrated probability that a value with this evidence score is right: what all fields
    /// from such a source say, drawn towards what this field says by how often it was seen.
    pub fn confidence(&self, source: TextSource, document_type: &str, field: &str, score: f32) -> f64 {
        let source = match source {
            TextSource::Native => "native",
            TextSource::Scan => "scan",
            TextSource::Photo => "photo",
        };
        let score = f64::from(score).clamp(0.0, 1.0);
        let curve = |source: &str, field: &str| self.curves.get(&format!("{source}/{field}"));
        let name = format!("{document_type}.{field}");
        let own = curve(source, &name).or_else(|| curve("*", &name));
        let confidence = match (own, curve(source, "*")) {
            (Some(own), Some(shared)) => {
                let weight = f64::from(own.observations);
                (weight * own.at(score) + SHARED_WEIGHT * shared.at(score)) / (weight + SHARED_WEIGHT)
            }
            (Some(curve), None) | (None, Some(curve)) => curve.at(score),
            (None, None) => score,
        };
        confidence.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_linear_between_its_points_and_flat_beyond() {
        let curve = Curve::new(3, vec![(0.2, 0.1), (0.6, 0.5), (1.0, 0.9)]);
        for (score, probability) in [(0.0, 0.1), (0.2, 0.1), (0.4, 0.3), (0.8, 0.7), (1.0, 0.9)] {
            assert!((curve.at(score) - probability).abs() < 1e-9, "{score}");
        }
    }

    #[test]
    fn a_field_seen_seldom_stays_near_all_fields() {
        let flat = |observations, probability| Curve::new(observations, vec![(0.0, probability)]);
        let curves = |observations| {
            let own = ("native/payslip.net_pay".to_owned(), flat(observations, 1.0));
            ConfidenceCurves::new([own, ("native/*".to_owned(), flat(1000, 0.8))].into())
        };
        let at =
            |observations| curves(observations).confidence(TextSource::Native, "payslip", "net_pay", 0.5);
        assert!(at(2) < 0.85 && (at(8) - 0.9).abs() < 1e-9 && at(1000) > 0.99);
    }
}
