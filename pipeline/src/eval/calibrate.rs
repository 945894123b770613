//! Fits the confidence model on labelled documents: isotonic curves for each kind of source (pool
//! adjacent violators; Zadrozny and Elkan, 2002), then a logistic regression with a ridge (le Cessie and
//! van Houwelingen, 1992), whose terms are drawn to "like all fields" by how seldom a field was seen.

use std::collections::{BTreeMap, BTreeSet};

use super::score::Observation;
use crate::confidence::{
    ConfidenceModel, Curve, FieldLine, LEAST_CONFIDENCE, is_row, log_odds, probability, source_key,
};

/// Observations that a block of a curve must at least rest on, so that a chance run of right values is
/// not taken for certainty.
const BLOCK_FROM: usize = 20;
/// The same for the last curve, where a few wrong values in a thousand matter.
const LAST_BLOCK_FROM: usize = 100;
/// How strongly a field's offset, its slope and the weights of checks are held where they are without
/// observations: the inverse of the variance that we expect of them.
const OFFSET_RIDGE: f64 = 1.0;
const SLOPE_RIDGE: f64 = 8.0;
const PROOF_RIDGE: f64 = 0.5;
/// Wrong values that a field counts as having had beside its own, as many as were expected of them.
const DOUBT_PRIOR: f64 = 4.0;
/// Sweeps over fields and checks, more than Newton's steps need to settle.
const SWEEPS: usize = 40;
/// Parts that the layouts are cut into to see how the regression does on layouts that it was not fitted on.
const FOLDS: usize = 8;

/// Fits curves, regression and, on predictions for layouts that were left out, the last curve.
pub fn fit_model(observations: &[Observation]) -> ConfidenceModel {
    let all: Vec<&Observation> = observations.iter().collect();
    let layouts: Vec<&str> =
        all.iter().map(|one| one.layout.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let fold_of = |one: &Observation| {
        layouts.iter().position(|layout| *layout == one.layout).unwrap_or_default() % FOLDS
    };
    let mut held_out: Vec<(&str, f64, bool)> = Vec::new();
    for fold in 0..FOLDS {
        let (test, train): (Vec<&Observation>, Vec<&Observation>) =
            all.iter().partition(|one| fold_of(one) == fold);
        if test.is_empty() || train.is_empty() {
            continue;
        }
        let model = fit_regression(&train);
        let fields = test.iter().filter(|one| !is_row(&one.key));
        held_out.extend(fields.map(|one| (one.key.as_str(), predict(&model, one), one.right)));
    }
    let mut model = fit_regression(&all);
    model.last = fit_curve(held_out.iter().map(|one| (one.1, one.2)).collect(), LAST_BLOCK_FROM);
    let doubts = doubts(&held_out, &model.last);
    for (key, line) in &mut model.fields {
        line.doubt = doubts.get(key.as_str()).copied().unwrap_or(1.0);
    }
    model
}

/// For each field the wrong values on layouts left out against those that the last curve expects, drawn to
/// "as all" by a gamma prior (the Poisson-gamma rate of Clayton and Kaldor, 1987).
fn doubts<'a>(held_out: &[(&'a str, f64, bool)], last: &Curve) -> BTreeMap<&'a str, f64> {
    let mut counts: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    // What is too doubtful to be given anyway says nothing of what is given.
    let given = held_out.iter().filter(|(_, given, _)| last.at(*given) >= LEAST_CONFIDENCE);
    for (key, given, right) in given {
        let (wrong, expected) = counts.entry(key).or_default();
        *wrong += if *right { 0.0 } else { 1.0 };
        *expected += 1.0 - last.at(*given);
    }
    let rate = |(wrong, expected): (f64, f64)| (wrong + DOUBT_PRIOR) / (expected + DOUBT_PRIOR);
    counts.into_iter().map(|(key, counts)| (key, rate(counts))).collect()
}

/// The probability that a model gives an observed value.
pub fn predict(model: &ConfidenceModel, one: &Observation) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "a score between 0 and 1")]
    let score = one.score as f32;
    model.confidence(one.source(), &one.key, score, one.proof)
}

/// One observation in the terms of the regression.
struct Sample<'a> {
    key: &'a str,
    /// Log odds that the source's curve gives.
    odds: f64,
    terms: [f64; 3],
    right: f64,
}

fn fit_regression(observations: &[&Observation]) -> ConfidenceModel {
    let mut by_source: BTreeMap<String, Vec<(f64, bool)>> = BTreeMap::new();
    for one in observations.iter().filter(|one| !is_row(&one.key)) {
        let source = source_key(one.source()).to_owned();
        by_source.entry(source).or_default().push((one.score, one.right));
    }
    let sources: BTreeMap<String, Curve> =
        by_source.into_iter().map(|(name, points)| (name, fit_curve(points, BLOCK_FROM))).collect();
    let samples: Vec<Sample<'_>> = observations
        .iter()
        .filter_map(|one| {
            let curve = sources.get(source_key(one.source()))?;
            let right = if one.right { 1.0 } else { 0.0 };
            Some(Sample {
                key: &one.key,
                odds: log_odds(curve.at(one.score)),
                terms: one.proof.terms(),
                right,
            })
        })
        .collect();
    let mut by_field: BTreeMap<&str, Vec<&Sample<'_>>> = BTreeMap::new();
    for sample in &samples {
        by_field.entry(sample.key).or_default().push(sample);
    }
    let mut proof = [0.0; 3];
    let mut fields: BTreeMap<String, FieldLine> = by_field
        .iter()
        .map(|(key, own)| {
            ((*key).to_owned(), FieldLine { observations: number(own.len()), ..FieldLine::NEUTRAL })
        })
        .collect();
    for _ in 0..SWEEPS {
        for (key, own) in &by_field {
            if let Some(line) = fields.get_mut(*key) {
                improve_line(line, own, &proof);
            }
        }
        improve_proof(&mut proof, &samples, &fields);
    }
    ConfidenceModel { sources, fields, proof, last: Curve::default() }
}

fn checks(sample: &Sample<'_>, proof: &[f64; 3]) -> f64 {
    sample.terms.iter().zip(proof).map(|(term, weight)| term * weight).sum()
}

/// One step of Newton's method on a field's offset and slope.
fn improve_line(line: &mut FieldLine, samples: &[&Sample<'_>], proof: &[f64; 3]) {
    let mut gradient = [-OFFSET_RIDGE * line.offset, -SLOPE_RIDGE * (line.slope - 1.0)];
    let (mut one_one, mut one_two, mut two_two) = (OFFSET_RIDGE, 0.0, SLOPE_RIDGE);
    for sample in samples {
        let given = probability(line.offset + line.slope * sample.odds + checks(sample, proof));
        let (miss, weight) = (sample.right - given, given * (1.0 - given));
        gradient[0] += miss;
        gradient[1] += miss * sample.odds;
        one_one += weight;
        one_two += weight * sample.odds;
        two_two += weight * sample.odds * sample.odds;
    }
    let determinant = one_one * two_two - one_two * one_two;
    let step = [
        (two_two * gradient[0] - one_two * gradient[1]) / determinant,
        (one_one * gradient[1] - one_two * gradient[0]) / determinant,
    ];
    line.offset += step[0].clamp(-1.0, 1.0);
    // More evidence never speaks against a value.
    line.slope = (line.slope + step[1].clamp(-0.5, 0.5)).max(0.0);
}

/// One step on the weight of each kind of check, the others fixed.
fn improve_proof(proof: &mut [f64; 3], samples: &[Sample<'_>], fields: &BTreeMap<String, FieldLine>) {
    for term in 0..proof.len() {
        let (mut gradient, mut curvature) = (-PROOF_RIDGE * proof[term], PROOF_RIDGE);
        for sample in samples.iter().filter(|sample| sample.terms[term] > 0.0 && !is_row(sample.key)) {
            let line = fields.get(sample.key).unwrap_or(&FieldLine::NEUTRAL);
            let given = probability(line.offset + line.slope * sample.odds + checks(sample, proof));
            gradient += sample.right - given;
            curvature += given * (1.0 - given);
        }
        proof[term] += (gradient / curvature).clamp(-1.0, 1.0);
    }
}

struct Block {
    score_sum: f64,
    right: f64,
    count: f64,
}

impl Block {
    /// Share of right values, drawn a little to the middle (Krichevsky and Trofimov) so that it never
    /// claims 0 or 1.
    fn probability(&self) -> f64 {
        (self.right + 0.5) / (self.count + 1.0)
    }
}

fn fit_curve(mut points: Vec<(f64, bool)>, block_from: usize) -> Curve {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut blocks: Vec<Block> = Vec::new();
    for chunk in points.chunks(block_from) {
        let right = chunk.iter().filter(|(_, right)| *right).count();
        let score_sum = chunk.iter().map(|(score, _)| score).sum();
        blocks.push(Block { score_sum, right: count(right), count: count(chunk.len()) });
        while let [.., before, last] = blocks.as_mut_slice() {
            if before.probability() < last.probability() && last.count >= count(block_from) {
                break;
            }
            before.score_sum += last.score_sum;
            before.right += last.right;
            before.count += last.count;
            blocks.pop();
        }
    }
    let points_of = blocks.iter().map(|block| (block.score_sum / block.count, block.probability()));
    Curve::new(number(points.len()), points_of.collect())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn count(count: usize) -> f64 {
    f64::from(number(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confidence::Proof;

    fn observation(field: &str, layout: usize, score: f64, right: bool, passed: bool) -> Observation {
        Observation {
            key: format!("payslip.{field}"),
            rendering: "scan".to_owned(),
            layout: layout.to_string(),
            seen: false,
            score,
            proof: Proof { passed, ..Proof::default() },
            right,
        }
    }

    /// Values of one field whose share of right ones is `share` of a hundred, evenly over scores.
    fn sample(field: &str, count: usize, share: usize, passed: bool) -> Vec<Observation> {
        let score = |at: usize| 0.5 + 0.4 * (at * 7 % count) as f64 / count as f64;
        (0..count).map(|at| observation(field, at % 11, score(at), at * 37 % 100 < share, passed)).collect()
    }

    fn mean(model: &ConfidenceModel, observations: &[Observation]) -> f64 {
        observations.iter().map(|one| predict(model, one)).sum::<f64>() / observations.len() as f64
    }

    #[test]
    fn each_field_is_given_its_own_share_of_right_values() {
        let (good, bad) = (sample("net_pay", 400, 97, false), sample("gross_pay", 400, 70, false));
        let model = fit_model(&[good.clone(), bad.clone()].concat());
        assert!((mean(&model, &good) - 0.97).abs() < 0.02, "{}", mean(&model, &good));
        assert!((mean(&model, &bad) - 0.70).abs() < 0.03, "{}", mean(&model, &bad));
    }

    #[test]
    fn a_field_seen_seldom_is_not_taken_for_certain() {
        let all = [sample("net_pay", 1000, 90, false), sample("iban", 6, 100, false)].concat();
        let confidence = predict(&fit_model(&all), &observation("iban", 0, 0.7, true, false));
        assert!((0.88..0.97).contains(&confidence), "{confidence}");
    }

    #[test]
    fn a_field_that_is_never_wrong_is_doubted_less_than_those_that_are() {
        let all = [sample("net_pay", 400, 100, false), sample("gross_pay", 400, 90, false)].concat();
        let model = fit_model(&all);
        let doubt = |field: &str| model.fields[&format!("payslip.{field}")].doubt;
        assert!(doubt("net_pay") < 1.0 && doubt("gross_pay") > doubt("net_pay"));
        let lone = doubts(&[("payslip.iban", 0.9, true)], &Curve::default())["payslip.iban"];
        assert!((0.95..1.0).contains(&lone), "one value says little: {lone}");
    }

    #[test]
    fn passed_checks_count() {
        let all = [sample("net_pay", 500, 99, true), sample("net_pay", 500, 80, false)].concat();
        let model = fit_model(&all);
        let at = |passed| predict(&model, &observation("net_pay", 0, 0.7, true, passed));
        assert!(at(true) > 0.97 && at(false) < 0.87, "{} {}", at(true), at(false));
    }
}
