//! What must hold between fields: sums, orders, the arithmetic of a loan. Among the best claims of the
//! fields concerned it finds the combination that holds. Knows values, not places.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::evidence::Claim;
use super::period::settle_period;
use crate::config::{Agreement, DocumentTypeConfig};
use crate::domain::Value;

/// Claims of one field that are tried in a combination.
const MOST_CLAIMS: usize = 32;
/// The same where four fields are combined.
const MOST_CLAIMS_OF_FOUR: usize = 14;
/// An instalment may differ from the formula's by this share: rounding, a first period of odd length.
const INSTALMENT_TOLERANCE: f64 = 0.01;
/// It is the formula's, rounded to the cent: a last digit misread by one is not.
const EXACT_INSTALMENT: f64 = 0.0055;
/// A claim from here on rests on a label.
const LABELLED: f32 = 0.25;
/// Claims without a label count where the numbers agree to the cent and this many others have one.
const LEAST_LABELLED: usize = 2;
/// An exact combination counts before a near one whose claims are this many times as strong: the last
/// instalment stands beside the others and differs by little.
const EXACT_LEAD: f32 = 12.0;
/// Loans have at most this many instalments.
const MOST_INSTALMENTS: i64 = 480;
/// A fee at the start is at most this share of the principal.
const LARGEST_FEE: f64 = 0.08;

/// The claims of one field, distinct values, best first.
pub type Ranked = Vec<Claim>;

/// Puts the agreeing claims of each agreement first and raises their scores; lowers them where the best
/// claims contradict each other.
pub fn settle(config: &DocumentTypeConfig, ranked: &mut [Ranked]) {
    for agreement in &config.agreements {
        let fields: Vec<usize> = agreement
            .fields()
            .into_iter()
            .filter_map(|name| config.fields.iter().position(|field| field.name == *name))
            .collect();
        settle_one(agreement, &fields, ranked);
    }
}

fn settle_one(agreement: &Agreement, fields: &[usize], ranked: &mut [Ranked]) {
    match (agreement, fields) {
        (Agreement::Order { .. }, _) => return settle_order(fields, ranked),
        (Agreement::EffectiveRate { .. }, [apr, rest @ ..]) => {
            return settle_effective_rate(*apr, rest, ranked);
        }
        _ => {}
    }
    if let (Agreement::Period { most_days, .. }, [start, end]) = (agreement, fields) {
        settle_period(*start, *end, *most_days, ranked);
        return;
    }
    if fields.iter().any(|field| ranked[*field].is_empty()) {
        return;
    }
    let most = if fields.len() > 3 { MOST_CLAIMS_OF_FOUR } else { MOST_CLAIMS };
    let counts: Vec<usize> = fields.iter().map(|field| ranked[*field].len().min(most)).collect();
    let mut best: Option<(f32, Fit, Vec<usize>)> = None;
    let mut choice = vec![0; fields.len()];
    loop {
        let claims: Vec<&Claim> =
            fields.iter().zip(&choice).map(|(field, at)| &ranked[*field][*at]).collect();
        let weight: f32 = claims.iter().map(|claim| claim.score.max(0.01)).product();
        if best.as_ref().is_none_or(|(most, fit, _)| EXACT_LEAD * weight > rank(*most, *fit))
            && distinct(&claims)
            && let Some(fit) = fit(agreement, &claims)
            && well_labelled(agreement, fit, &claims)
            && best.as_ref().is_none_or(|(most, known, _)| rank(weight, fit) > rank(*most, *known))
        {
            best = Some((weight, fit, choice.clone()));
        }
        if !advance(&mut choice, &counts) {
            break;
        }
    }
    let top: f32 = fields.iter().map(|field| ranked[*field][0].score.max(0.01)).product();
    match best {
        // A combination that holds outweighs labels by far, but not any coincidence of weak claims.
        Some((weight, fit, choice)) if weight > 0.004 * top => {
            let gain = match (agreement, fit) {
                (Agreement::Annuity { .. } | Agreement::Instalments { .. }, Fit::Exact) => 0.8,
                (Agreement::Annuity { .. }, Fit::Near) => 0.3,
                _ => 0.6,
            };
            for (field, at) in fields.iter().zip(choice) {
                let mut claim = ranked[*field].remove(at);
                claim.score += (1.0 - claim.score) * gain;
                // What agrees within a tolerance only proves nothing.
                if fit == Fit::Exact {
                    claim.checks.push(crate::domain::Check::new(name_of(agreement), true));
                }
                ranked[*field].insert(0, claim);
            }
        }
        _ => {
            for field in fields {
                if let Some(claim) = ranked[*field].first_mut() {
                    claim.score *= 0.8;
                }
            }
        }
    }
}

/// How well numbers agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// To the cent, where chance seldom gets.
    Exact,
    /// Within a tolerance.
    Near,
}

/// An exact fit counts before a near one of claims that are somewhat stronger.
fn rank(weight: f32, fit: Fit) -> f32 {
    if fit == Fit::Exact { EXACT_LEAD * weight } else { weight }
}

/// Whether enough of the claims rest on labels for what the agreement proves.
fn well_labelled(agreement: &Agreement, fit: Fit, claims: &[&Claim]) -> bool {
    let least = match (agreement, fit) {
        (Agreement::Annuity { .. } | Agreement::Instalments { .. }, Fit::Exact) => LEAST_LABELLED,
        (Agreement::Annuity { .. } | Agreement::Instalments { .. }, Fit::Near) => claims.len(),
        _ => 1,
    };
    labelled(claims) >= least
}

fn labelled(claims: &[&Claim]) -> usize {
    claims.iter().filter(|claim| claim.score >= LABELLED).count()
}

fn name_of(agreement: &Agreement) -> &'static str {
    match agreement {
        Agreement::Sum { .. } => "sum",
        Agreement::Order { .. } => "order",
        Agreement::EffectiveRate { .. } => "effective_rate",
        Agreement::Period { .. } => "period",
        Agreement::Annuity { .. } => "annuity",
        Agreement::Instalments { .. } => "instalments",
        Agreement::Share { .. } => "share",
    }
}

/// Counts through all combinations like an odometer; false after the last.
fn advance(choice: &mut [usize], counts: &[usize]) -> bool {
    for (digit, count) in choice.iter_mut().zip(counts) {
        *digit += 1;
        if *digit < *count {
            return true;
        }
        *digit = 0;
    }
    false
}

/// No two fields rest on the same words.
fn distinct(claims: &[&Claim]) -> bool {
    claims.iter().enumerate().all(|(index, claim)| {
        claims[..index].iter().all(|other| other.page != claim.page || other.words != claim.words)
    })
}

fn fit(agreement: &Agreement, claims: &[&Claim]) -> Option<Fit> {
    let numbers: Vec<Decimal> = claims.iter().map(|claim| claim.value.as_decimal()).collect::<Option<_>>()?;
    match agreement {
        Agreement::Sum { .. } => {
            let parts: Decimal = numbers[1..].iter().sum();
            let holds = (numbers[0] - parts).abs() <= Decimal::new(1, 2) && !numbers[0].is_zero();
            holds.then_some(Fit::Exact)
        }
        Agreement::Annuity { .. } => annuity_fit(&numbers),
        Agreement::Instalments { most, .. } => {
            let product = numbers[1] * numbers[2];
            // The last instalment takes up what rounding left: a cent each at most.
            let rounding = Decimal::new(1, 2) * numbers[1].min(Decimal::from(MOST_INSTALMENTS));
            if (numbers[0] - product).abs() <= rounding && product > Decimal::ONE_HUNDRED {
                return Some(Fit::Exact);
            }
            let ratio = ratio(numbers[0], product)?;
            (ratio >= 0.995 && ratio <= *most).then_some(Fit::Near)
        }
        Agreement::EffectiveRate { .. } => None,
        Agreement::Share { rates, .. } => {
            let share = ratio(numbers[1] * Decimal::ONE_HUNDRED, numbers[0])?;
            rates.iter().any(|rate| (rate - share).abs() < 0.06).then_some(Fit::Exact)
        }
        Agreement::Order { .. } | Agreement::Period { .. } => Some(Fit::Near),
    }
}

fn ratio(one: Decimal, other: Decimal) -> Option<f64> {
    one.checked_div(other)?.to_f64()
}

/// French amortisation: instalment = principal · i / (1 − (1 + i)^−n), i the rate of a month.
fn annuity_fit(numbers: &[Decimal]) -> Option<Fit> {
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
    if apart <= EXACT_INSTALMENT {
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
fn settle_effective_rate(apr: usize, others: &[usize], ranked: &mut [Ranked]) {
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

/// Values that must not fall: where the best ones do, a later claim that fits is preferred, else the
/// weaker of the two loses.
fn settle_order(fields: &[usize], ranked: &mut [Ranked]) {
    for pair in fields.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        let (Some(first), Some(second)) = (ranked[low].first(), ranked[high].first()) else { continue };
        if in_order(&first.value, &second.value) {
            continue;
        }
        let weaker = if first.score < second.score { low } else { high };
        let fixed = if weaker == low { second.value.clone() } else { first.value.clone() };
        let fitting = ranked[weaker].iter().position(|claim| {
            if weaker == low { in_order(&claim.value, &fixed) } else { in_order(&fixed, &claim.value) }
        });
        if let Some(at) = fitting.filter(|at| ranked[weaker][*at].score > 0.15) {
            let claim = ranked[weaker].remove(at);
            ranked[weaker].insert(0, claim);
        } else {
            ranked[weaker][0].score *= 0.4;
        }
    }
}

fn in_order(low: &Value, high: &Value) -> bool {
    match (low.as_date(), high.as_date()) {
        (Some(low), Some(high)) => low <= high,
        _ => match (low.as_decimal(), high.as_decimal()) {
            (Some(low), Some(high)) => low <= high,
            _ => true,
        },
    }
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
    fn the_annual_percentage_rate() {
        // 12 000 at 6.95 % over 48 months: 287.08 a month, 7.18 % a year without a fee.
        let at = |received| effective_rate(received, 48.0, 287.08).unwrap();
        assert!((at(12000.0) - 7.18).abs() < 0.01, "{}", at(12000.0));
        assert!(at(11880.0) > 7.6);
        assert_eq!(effective_rate(20000.0, 48.0, 287.08), None);
    }

    #[test]
    fn the_odometer_tries_all() {
        let mut choice = vec![0, 0];
        let mut seen = 1;
        while advance(&mut choice, &[2, 3]) {
            seen += 1;
        }
        assert_eq!(seen, 6);
    }
}
