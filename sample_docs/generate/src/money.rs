//! Money in whole cents, and the arithmetic of loans (French amortisation, yearly rate).

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cents(pub i64);

impl Cents {
    /// Rounds half away from zero.
    pub fn from_units(units: f64) -> Self {
        Self((units * 100.0).round() as i64)
    }

    pub fn whole(units: i64) -> Self {
        Self(units * 100)
    }

    pub fn units(self) -> f64 {
        self.0 as f64 / 100.0
    }

    pub fn times(self, factor: f64) -> Self {
        Self::from_units(self.units() * factor)
    }

    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.abs() / 100, self.0.abs() % 100)
    }
}

impl Add for Cents {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Cents {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Cents {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Cents {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        Self(items.map(|c| c.0).sum())
    }
}

impl From<Cents> for Value {
    fn from(cents: Cents) -> Self {
        Value::String(cents.to_string())
    }
}

impl serde::Serialize for Cents {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Basis points of a percent: `rate(6.95)` prints as `6.95`.
pub fn percent(value: f64) -> String {
    format!("{value:.2}")
}

/// The constant instalment of a loan: `principal · i / (1 − (1 + i)^−n)` with `i` a month's rate.
pub fn french_instalment(principal: Cents, nominal_rate: f64, months: u32) -> Cents {
    let i = nominal_rate / 1200.0;
    let power = (1.0 + i).powi(-(months as i32));
    principal.times(i / (1.0 - power))
}

/// One line of an amortisation table.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub instalment: Cents,
    pub interest: Cents,
    pub principal: Cents,
    pub outstanding: Cents,
}

/// The whole table; the last instalment takes up the rounding.
pub fn amortisation(principal: Cents, nominal_rate: f64, months: u32) -> Vec<Line> {
    let usual = french_instalment(principal, nominal_rate, months);
    let mut outstanding = principal;
    (1..=months)
        .map(|number| {
            let interest = outstanding.times(nominal_rate / 1200.0);
            let repaid = if number == months { outstanding } else { usual - interest };
            outstanding = outstanding - repaid;
            Line { instalment: repaid + interest, interest, principal: repaid, outstanding }
        })
        .collect()
}

/// The yearly rate (TAE) at which the instalments are worth what was paid out: found by bisection.
pub fn apr(paid_out: Cents, lines: &[Line]) -> f64 {
    let worth = |monthly: f64| -> f64 {
        lines
            .iter()
            .enumerate()
            .map(|(k, line)| line.instalment.units() / (1.0 + monthly).powi(k as i32 + 1))
            .sum()
    };
    let (mut low, mut high) = (0.0, 0.1);
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if worth(middle) > paid_out.units() { low = middle } else { high = middle }
    }
    ((1.0 + low).powi(12) - 1.0) * 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_prints_with_two_places() {
        assert_eq!(Cents(-5).to_string(), "-0.05");
        assert_eq!(Cents(123_456).to_string(), "1234.56");
    }

    #[test]
    fn instalment_is_the_french_one() {
        assert_eq!(french_instalment(Cents::whole(12_000), 6.95, 48), Cents(28_708));
    }

    #[test]
    fn table_ends_at_zero_and_repays_the_principal() {
        let lines = amortisation(Cents::whole(12_000), 6.95, 48);
        assert_eq!(lines.len(), 48);
        assert_eq!(lines[47].outstanding, Cents(0));
        assert_eq!(lines.iter().map(|l| l.principal).sum::<Cents>(), Cents::whole(12_000));
    }

    #[test]
    fn yearly_rate_lies_above_the_nominal_one() {
        let lines = amortisation(Cents::whole(12_000), 6.95, 48);
        let rate = apr(Cents::whole(12_000), &lines);
        assert!((rate - 7.18).abs() < 0.02, "{rate}");
    }
}
