use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};

/// A typed value that was read from a document, with where it stands and how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    pub value: Value,
    /// The text as it stands on the page.
    pub raw: String,
    /// Calibrated probability that `value` is right, 0 to 1.
    #[serde(serialize_with = "three_places")]
    pub confidence: f64,
    /// Page in `file`, from 1.
    pub page: u32,
    pub file: String,
    /// Left, top, width, height as fractions of the page as shown upright.
    #[serde(rename = "box")]
    pub bounds: [f64; 4],
    #[serde(default)]
    pub checks: Vec<Check>,
    /// A check digit chose among the recogniser's runner-ups.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repaired: bool,
    /// A person confirmed or entered it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
    /// The value is a person's, not the machine's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub entered: bool,
}

/// A test that a value passed or failed, such as a check letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub passed: bool,
}

impl Check {
    pub fn new(name: impl Into<String>, passed: bool) -> Self {
        Self { name: name.into(), passed }
    }
}

/// A normalised value (shapes in the contract, section 3). In JSON: a string, an integer, a boolean
/// or a list of transactions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Boolean(bool),
    Integer(i64),
    Transactions(Vec<Transaction>),
    /// Text, a date `YYYY-MM-DD` or a decimal with a point.
    Text(String),
}

impl Value {
    pub fn date(date: NaiveDate) -> Self {
        Value::Text(date.format("%Y-%m-%d").to_string())
    }

    /// Money: two places, half away from zero.
    pub fn money(amount: Decimal) -> Self {
        Value::Text(format_money(amount))
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Value::Text(text) => text.parse().ok(),
            Value::Integer(number) => Some(Decimal::from(*number)),
            _ => None,
        }
    }

    pub fn as_date(&self) -> Option<NaiveDate> {
        self.as_text().and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
    }

    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Value::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    pub fn as_transactions(&self) -> Option<&[Transaction]> {
        match self {
            Value::Transactions(rows) => Some(rows),
            _ => None,
        }
    }
}

/// One row of a statement's table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// The operation date.
    pub date: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
    pub description: String,
    /// Signed: negative leaves the account.
    #[serde(serialize_with = "money")]
    pub amount: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "optional_money")]
    pub balance: Option<Decimal>,
    #[serde(serialize_with = "three_places")]
    pub confidence: f64,
    pub page: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    #[serde(rename = "box")]
    pub bounds: [f64; 4],
}

/// Two places and a point, half away from zero.
pub fn format_money(amount: Decimal) -> String {
    let strategy = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    let mut rounded = amount.round_dp_with_strategy(2, strategy);
    rounded.rescale(2);
    if rounded.is_zero() {
        rounded.set_sign_positive(true);
    }
    rounded.to_string()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn three_places<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((number * 1000.0).round() / 1000.0)
}

fn money<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_money(*amount))
}

fn optional_money<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => money(amount, serializer),
        None => serializer.serialize_none(),
    }
}
