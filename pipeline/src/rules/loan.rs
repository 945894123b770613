//! The arithmetic of loans.

use rust_decimal::Decimal;

/// The constant instalment that repays `principal` in `months` at `rate` percent a year, paid at the
/// end of each month (French amortisation): P·i / (1 − (1 + i)^−n), i = rate / 1200. `None` when the
/// numbers make no loan.
pub(super) fn french_instalment(principal: Decimal, rate: Decimal, months: i64) -> Option<Decimal> {
    if months <= 0 || months > 1_200 || principal <= Decimal::ZERO || rate < Decimal::ZERO {
        return None;
    }
    let monthly_rate = rate.checked_div(Decimal::from(1_200))?;
    if monthly_rate.is_zero() {
        return principal.checked_div(Decimal::from(months));
    }
    let mut growth = Decimal::ONE;
    for _ in 0..months {
        growth = growth.checked_mul(Decimal::ONE.checked_add(monthly_rate)?)?.round_dp(20);
    }
    let share = Decimal::ONE.checked_sub(Decimal::ONE.checked_div(growth)?)?;
    principal.checked_mul(monthly_rate)?.checked_div(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instalment(principal: &str, rate: &str, months: i64) -> Option<String> {
        let instalment = french_instalment(principal.parse().unwrap(), rate.parse().unwrap(), months)?;
        Some(instalment.round_dp(2).to_string())
    }

    #[test]
    fn instalments_follow_the_formula() {
        assert_eq!(instalment("12000", "6.95", 48).as_deref(), Some("287.08"));
        assert_eq!(instalment("10000", "12", 12).as_deref(), Some("888.49"));
        assert_eq!(instalment("1200", "0", 12).as_deref(), Some("100"));
        assert!(instalment("300000", "29.99", 480).is_some());
        assert_eq!(instalment("12000", "6.95", 0), None);
        assert_eq!(instalment("-1", "6.95", 12), None);
    }
}
