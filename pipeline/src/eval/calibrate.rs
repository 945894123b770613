//! Fits the curves that turn evidence into probability, by isotonic regression (pool adjacent
//! violators; Zadrozny and Elkan, 2002) on labelled documents.

use std::collections::BTreeMap;

use super::score::Observation;
use crate::confidence::{ConfidenceCurves, Curve};

/// A field gets a curve for one source from this many observations; below, one over all sources.
const OWN_CURVE_FROM: usize = 60;

/// And that from this many.
const POOLED_CURVE_FROM: usize = 20;

/// Observations that a block of the curve must at least rest on, so that a chance run of right values
/// is not taken for certainty.
const BLOCK_FROM: usize = 20;

/// Fits one curve for each field with enough observations and one for all fields, apart for
/// born-digital text, scans and photos.
pub fn fit_curves(observations: &[Observation]) -> ConfidenceCurves {
    let mut groups: BTreeMap<String, Vec<(f64, bool)>> = BTreeMap::new();
    for observation in observations {
        let source = source_of(&observation.rendering);
        let field = &observation.field;
        for group in [format!("{source}/{field}"), format!("*/{field}"), format!("{source}/*")] {
            groups.entry(group).or_default().push((observation.confidence, observation.right));
        }
    }
    groups.retain(|name, points| {
        let least = if name.starts_with("*/") { POOLED_CURVE_FROM } else { OWN_CURVE_FROM };
        name.ends_with("/*") || points.len() >= least
    });
    let curves = groups.into_iter().map(|(name, points)| (name, fit(points))).collect();
    ConfidenceCurves::new(curves)
}

fn source_of(rendering: &str) -> &'static str {
    match rendering {
        "born_digital" => "native",
        "photo" => "photo",
        _ => "scan",
    }
}

struct Block {
    score_sum: f64,
    right: f64,
    count: f64,
}

impl Block {
    /// Share of right values, drawn a little to the middle (Laplace) so that it never claims 0 or 1.
    fn probability(&self) -> f64 {
        (self.right + 0.5) / (self.count + 1.0)
    }
}

fn fit(mut points: Vec<(f64, bool)>) -> Curve {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut blocks: Vec<Block> = Vec::new();
    for chunk in points.chunks(BLOCK_FROM) {
        let right = chunk.iter().filter(|(_, right)| *right).count();
        let score_sum = chunk.iter().map(|(score, _)| score).sum();
        blocks.push(Block { score_sum, right: count(right), count: count(chunk.len()) });
        while let [.., before, last] = blocks.as_mut_slice() {
            if before.probability() < last.probability() && last.count >= count(BLOCK_FROM) {
                break;
            }
            before.score_sum += last.score_sum;
            before.right += last.right;
            before.count += last.count;
            blocks.pop();
        }
    }
    let observations = u32::try_from(points.len()).unwrap_or(u32::MAX);
    Curve::new(
        observations,
        blocks.iter().map(|block| (block.score_sum / block.count, block.probability())).collect(),
    )
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
