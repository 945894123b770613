//! The arithmetic of a loan: its instalment and what it costs a year.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::agreement::{Fit, LABELLED, Ranked};
use super::evidence::Claim;

/// An instalment may differ from the formula's by this share: rounding, a first period of odd length.
const INSTALMENT_TOLERANCE: f64 = 0.01;
/// It is the formula's, rounded to the cent: a last digit misread by one is not.
const EXACT_INSTALMENT: f64 = 0.0055;
/// A fee at the start is at most this share of the principal.
const LARGEST_FEE: f64 = 0.08;

/// French amortisation: instalment = principal · i / (1 − (1 + i)^−n), i the rate of a month.
pub(super) fn annuity_fit(numbers: &[Decimal]) -> Option<Fit> {
    let floats: Vec<f64> = numbers.iter().map(ToPrimitive::to_f64).collect::<Option<_>>()?;
    let [principal, rate, term, instalment] = floats.as_slice() else { return None };
    let monthly = rate / 1200.0;
    if *term < 1.0 || *principal <= 0.0 {
        return None;
    }
    let expected = if monthly.abs() < 1e-9 {
        principal / term
    } else {
        principal * monthly / (1.0 - (1.0 + monthly).powf(-term))
    };
    let apart = (instalment - expected).abs();
    // Without interest the formula is a plain division, which the total to pay fulfils as well.
    if apart <= EXACT_INSTALMENT && monthly > 1e-9 {
        Some(Fit::Exact)
    } else if apart <= INSTALMENT_TOLERANCE * expected {
        Some(Fit::Near)
    } else {
        None
    }
}

/// The annual percentage rate is what the instalments cost in a year on what the borrower gets: the
/// principal, less a fee at the start (Directive 2008/48/EC, annex I). A rate that comes out at it, with
/// no fee or with an amount that stands on the paper, gains.
pub(super) fn settle_effective_rate(apr: usize, others: &[usize], ranked: &mut [Ranked]) {
    let first = |field: &usize| ranked[*field].first().and_then(|claim| claim.value.as_decimal()?.to_f64());
    let known: Option<Vec<f64>> = others.iter().map(first).collect();
    let Some([principal, rate, term, instalment]) = known.as_deref() else { return };
    let Some(fields) = others.first().map(|field| &ranked[*field]) else { return };
    let amounts = fields.iter().filter_map(|claim| claim.value.as_decimal()?.to_f64());
    let fees = amounts.filter(|fee| *fee > 0.0 && *fee <= LARGEST_FEE * principal);
    let free = effective_rate(*principal, *term, *instalment);
    let with_fee: Vec<f64> =
        fees.filter_map(|fee| effective_rate(principal - fee, *term, *instalment)).collect();
    let proves = |claim: &Claim| {
        let value = claim.value.as_decimal().and_then(|value| value.to_f64())?;
        let equals = |rate: &f64| (rate - value).abs() <= 0.0151;
        if free.as_ref().is_some_and(equals) {
            return Some(0.85_f32);
        }
        let plausible = claim.score >= LABELLED && value >= *rate;
        (plausible && with_fee.iter().any(equals)).then_some(0.6)
    };
    let found = ranked[apr].iter().enumerate().find_map(|(at, claim)| Some((at, proves(claim)?)));
    let Some((at, gain)) = found else { return };
    let mut claim = ranked[apr].remove(at);
    claim.score += (1.0 - claim.score) * gain;
    claim.checks.push(crate::domain::Check::new("effective_rate", true));
    ranked[apr].insert(0, claim);
}

/// Percent a year at which `term` monthly instalments are worth `received`; `None` when they repay less.
fn effective_rate(received: f64, term: f64, instalment: f64) -> Option<f64> {
    if received <= 0.0 || term < 1.0 || instalment * term < received {
        return None;
    }
    let worth = |monthly: f64| {
        if monthly < 1e-12 {
            instalment * term
        } else {
            instalment * (1.0 - (1.0 + monthly).powf(-term)) / monthly
        }
    };
    let (mut low, mut high) = (0.0, 0.2);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if worth(middle) > received { low = middle } else { high = middle }
    }
    Some(((1.0 + low).powi(12) - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instalment_of_a_loan() {
        let numbers =
            |instalment| vec![Decimal::new(12000, 0), Decimal::new(695, 2), Decimal::new(48, 0), instalment];
        for (cents, fit) in
            [(28708, Some(Fit::Exact)), (28709, Some(Fit::Near)), (28808, Some(Fit::Near)), (29708, None)]
        {
            assert_eq!(annuity_fit(&numbers(Decimal::new(cents, 2))), fit, "{cents}");
        }
    }

    #[test]
    fn a_loan_without_interest_proves_nothing() {
        let numbers = [935_879, 0, 3600, 25_997].map(|cents| Decimal::new(cents, 2));
        assert_eq!(annuity_fit(&numbers), Some(Fit::Near));
    }

    #[test]
    fn the_annual_percentage_rate() {
        // 12 000 at 6.95 % over 48 months: 287.08 a month, 7.18 % a year without a fee.
        let at = |received| effective_rate(received, 48.0, 287.08).unwrap();
        assert!((at(12000.0) - 7.18).abs() < 0.01, "{}", at(12000.0));
        assert!(at(11880.0) > 7.6);
        assert_eq!(effective_rate(20000.0, 48.0, 287.08), None);
    }
}
