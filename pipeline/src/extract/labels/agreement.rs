//! What must hold between fields: sums, orders, the arithmetic of a loan. Among the best claims of the
//! fields concerned it finds the combination that holds. Knows values, not places.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::evidence::Claim;
use super::loan::{annuity_fit, settle_effective_rate};
use super::period::settle_period;
use crate::config::{Agreement, DocumentTypeConfig};
use crate::domain::Value;

/// Claims of one field that are tried in a combination.
const MOST_CLAIMS: usize = 32;
/// The same where four fields are combined.
const MOST_CLAIMS_OF_FOUR: usize = 14;
/// A claim from here on rests on a label.
pub(super) const LABELLED: f32 = 0.25;
/// Claims without a label count where the numbers agree to the cent and this many others have one.
const LEAST_LABELLED: usize = 2;
/// Words between two numbers that are told together, and between two whose difference is told beside them.
const WORDS_BETWEEN: usize = 4;
const WORDS_BETWEEN_PAIR: usize = 12;
/// An exact combination counts before a near one whose claims are this many times as strong: the last
/// instalment stands beside the others and differs by little.
const EXACT_LEAD: f32 = 12.0;
/// Loans have at most this many instalments.
const MOST_INSTALMENTS: i64 = 480;

/// A price with fewer decimal places has products that amounts meet by chance.
const LEAST_PRICE_PLACES: u32 = 4;
/// The share of doubt that a product on the paper takes away.
const PRODUCT_GAIN: f32 = 0.7;

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
        (Agreement::Product { .. }, [price, quantity, amount]) => {
            return settle_product(*price, *quantity, *amount, ranked);
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
    if let (Agreement::Sum { .. }, [total, part, told]) = (agreement, fields) {
        raise_pair(*total, *part, *told, ranked);
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

/// A total and a part near each other, with just the difference that a label tells, count as if labels told
/// them as well.
fn raise_pair(total: usize, part: usize, told: usize, ranked: &mut [Ranked]) {
    let number = |claim: &Claim| claim.value.as_decimal();
    let told_of = |field: usize| -> Vec<Decimal> {
        ranked[field].iter().filter(|claim| claim.score >= LABELLED).filter_map(number).collect()
    };
    let (totals, parts, told) = (told_of(total), told_of(part), told_of(told));
    if !totals.is_empty() {
        return;
    }
    let difference = |one: &Claim, other: &Claim| Some(number(one)? - number(other)?);
    let pair = ranked[total].iter().enumerate().find_map(|(at, high)| {
        // What is labelled as the part may be the total: `Suma` is either.
        if parts.iter().any(|part| Some(*part) != number(high)) {
            return None;
        }
        let fits = |low: &Claim| {
            stand_together(high, low, WORDS_BETWEEN_PAIR)
                && difference(high, low).is_some_and(|number| told.contains(&number))
        };
        Some((at, ranked[part].iter().position(fits)?))
    });
    let Some((high, low)) = pair else { return };
    for (field, at) in [(total, high), (part, low)] {
        let mut claim = ranked[field].remove(at);
        claim.score = claim.score.max(LABELLED);
        ranked[field].insert(0, claim);
    }
}

/// How well numbers agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
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
        (Agreement::Sum { .. }, _) => return parts_are_told(claims),
        _ => 1,
    };
    labelled(claims) >= least
}

/// Among many numbers some add up by chance, as a wage and a bonus do to the gross pay. At most one member
/// of a sum is found by the sum alone, or two that stand side by side: `from 13 423 to 13 909`.
fn parts_are_told(claims: &[&Claim]) -> bool {
    let untold: Vec<&&Claim> = claims.iter().filter(|claim| claim.score < LABELLED).collect();
    match untold.as_slice() {
        [] | [_] => claims.len() > untold.len(),
        [one, other] => claims.len() > 2 && stand_together(one, other, WORDS_BETWEEN),
        _ => false,
    }
}

fn stand_together(one: &Claim, other: &Claim, most_words: usize) -> bool {
    let (first, second) = if one.words < other.words { (one, other) } else { (other, one) };
    one.page == other.page && second.words.0.saturating_sub(first.words.1) <= most_words
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
        Agreement::Product { .. } => "product",
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
        Agreement::EffectiveRate { .. } | Agreement::Product { .. } => None,
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

/// A price whose product with the quantity stands on the paper to the cent is that of the quantity: other
/// prices, as that of the power beside that of the energy, have theirs. Both gain by it.
fn settle_product(price: usize, quantity: usize, amount: usize, ranked: &mut [Ranked]) {
    let amounts: Vec<Decimal> = ranked[amount].iter().filter_map(|claim| claim.value.as_decimal()).collect();
    let stands = |price: &Claim, quantity: &Claim| {
        let (Some(price), Some(quantity)) = (price.value.as_decimal(), quantity.value.as_decimal()) else {
            return false;
        };
        // Short numbers meet some amount by chance.
        if price.normalize().scale() < LEAST_PRICE_PLACES || quantity < Decimal::TEN {
            return false;
        }
        let product = price * quantity;
        amounts.iter().any(|amount| (amount - product).abs() <= Decimal::new(51, 4))
    };
    let mut best: Option<(f32, usize, usize)> = None;
    for (at, one) in ranked[price].iter().enumerate().take(MOST_CLAIMS) {
        for (other, many) in ranked[quantity].iter().enumerate().take(MOST_CLAIMS) {
            let weight = one.score * many.score;
            if many.score >= LABELLED && best.is_none_or(|(most, ..)| weight > most) && stands(one, many) {
                best = Some((weight, at, other));
            }
        }
    }
    let Some((_, at, other)) = best else { return };
    for (field, at) in [(price, at), (quantity, other)] {
        let mut claim = ranked[field].remove(at);
        claim.score += (1.0 - claim.score) * PRODUCT_GAIN;
        claim.checks.push(crate::domain::Check::new("product", true));
        ranked[field].insert(0, claim);
    }
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
    use crate::extract::labels::evidence::testing;

    fn claim(value: Decimal, score: f32, at: usize) -> Claim {
        testing::claim(Value::Text(value.to_string()), score, (at, at + 1))
    }

    #[test]
    fn a_price_whose_product_stands_on_the_paper_is_that_of_the_quantity() {
        let power = claim(Decimal::new(104_229, 6), 0.9, 1);
        let energy = claim(Decimal::new(171_377, 6), 0.5, 2);
        let kwh = vec![claim(Decimal::new(574, 0), 0.8, 3)];
        let amounts = vec![claim(Decimal::new(16526, 2), 0.9, 4), claim(Decimal::new(9837, 2), 0.06, 5)];
        let mut ranked = [vec![power, energy.clone()], kwh, amounts];
        settle_product(0, 1, 2, &mut ranked);
        assert_eq!(ranked[0][0].value, energy.value);
        assert!(ranked[0][0].score > 0.8 && ranked[0][0].checks.len() == 1);
        // Nothing is settled where no amount is the product.
        ranked[0].reverse();
        ranked[2].truncate(1);
        let before = ranked[0][0].score;
        settle_product(0, 1, 2, &mut ranked);
        assert_eq!(ranked[0][0].score.to_bits(), before.to_bits());
    }

    #[test]
    fn a_sum_alone_tells_one_member() {
        let (told, untold) = (claim(Decimal::new(486, 0), 0.8, 40), |number: i64, at| {
            claim(Decimal::new(number, 0), 0.06, at)
        });
        let (high, near, far) = (untold(13909, 20), untold(13423, 17), untold(13423, 90));
        assert!(parts_are_told(&[&high, &near, &told]), "from one to the other");
        assert!(!parts_are_told(&[&high, &far, &told]));
        assert!(parts_are_told(&[&told, &told, &far]));
        assert!(!parts_are_told(&[&high, &near, &far]));
    }

    #[test]
    fn two_numbers_with_the_told_difference_count_as_told() {
        let number = |number: i64, score, at| claim(Decimal::new(number, 0), score, at);
        let mut ranked = [
            vec![number(555, 0.06, 300), number(13909, 0.003, 20)],
            vec![number(13, 0.06, 1), number(13423, 0.002, 17)],
            vec![number(486, 0.85, 40), number(542, 0.7, 200)],
        ];
        raise_pair(0, 1, 2, &mut ranked);
        assert_eq!(ranked[0][0].value.as_decimal(), Some(Decimal::new(13909, 0)));
        assert_eq!(ranked[1][0].value.as_decimal(), Some(Decimal::new(13423, 0)));
        assert!(ranked[0][0].score >= LABELLED && ranked[1][0].score >= LABELLED);
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
