//! How sure a rate is that was measured on few, and what the middle of many figures is.

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A rate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Rate {
    pub rate: f64,
    pub low: f64,
    pub high: f64,
}

/// `hits` of `tries` with the score interval of Wilson; `None` without tries.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
/// Journal of the American Statistical Association 22 (1927), 209–212; recommended for small numbers by
/// L. D. Brown, T. T. Cai and A. `DasGupta`, "Interval estimation for a binomial proportion",
/// Statistical Science 16 (2001), 101–133.
pub fn wilson(hits: u64, tries: u64) -> Option<Rate> {
    if tries == 0 {
        return None;
    }
    let count = tries as f64;
    let rate = hits.min(tries) as f64 / count;
    let square = Z * Z;
    let middle = rate + square / (2.0 * count);
    let spread = Z * (rate * (1.0 - rate) / count + square / (4.0 * count * count)).sqrt();
    let scale = 1.0 + square / count;
    let low = ((middle - spread) / scale).max(0.0);
    let high = ((middle + spread) / scale).min(1.0);
    // At the ends the interval touches 0 and 1, which rounding would miss.
    Some(Rate { rate, low: if hits == 0 { 0.0 } else { low }, high: if hits >= tries { 1.0 } else { high } })
}

/// The smallest value that at least `share` of all values do not exceed (the nearest rank, which is
/// always one of the values). `None` without values. Orders them in part.
pub fn quantile(values: &mut [u32], share: f64) -> Option<u32> {
    if values.is_empty() {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is no more than the length"
    )]
    let rank = ((share * values.len() as f64).ceil() as usize).clamp(1, values.len());
    Some(*values.select_nth_unstable(rank - 1).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) {
        assert!((left - right).abs() < 5e-5, "{left} is not {right}");
    }

    #[test]
    fn the_interval_is_wilsons() {
        // By hand for 0 of 10: z²/(10 + z²) = 3.8415/13.8415.
        let none = wilson(0, 10).unwrap();
        assert_eq!((none.rate, none.low), (0.0, 0.0));
        near(none.high, 0.277_53);
        // By hand for 5 of 10: the middle stays 0.5, the spread is z/2 · √(1/10 + z²/400·4) / (1 + z²/10).
        let half = wilson(5, 10).unwrap();
        near(half.low, 0.236_59);
        near(half.high, 0.763_41);
        let all = wilson(10, 10).unwrap();
        near(all.low, 1.0 - 0.277_53);
        assert_eq!((all.rate, all.high), (1.0, 1.0));
        assert_eq!(wilson(0, 0), None);
    }

    #[test]
    fn quantiles_are_values_at_the_nearest_rank() {
        assert_eq!(quantile(&mut [], 0.5), None);
        assert_eq!(quantile(&mut [7], 0.5), Some(7));
        assert_eq!(quantile(&mut [4, 1, 3, 2], 0.5), Some(2));
        assert_eq!(quantile(&mut [5, 4, 1, 3, 2], 0.5), Some(3));
        assert_eq!(quantile(&mut [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.9), Some(9));
        assert_eq!(quantile(&mut [1, 2], 0.9), Some(2));
    }
}
