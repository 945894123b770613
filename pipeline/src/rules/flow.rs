//! A flow's configuration: `<flow>/flow.toml`. What it needs, its thresholds, its numbers, its rules
//! and their wording. Knows no case.

use std::collections::BTreeMap;

use rhai::Dynamic;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::calendar::Calendar;
use super::connector::{ConnectorConfig, RecordsPolicy};
use super::service::{Awaited, Effort, Quality, Retention, Sla};
use super::statement::Phrases;
use crate::domain::{FindingCode, Outcome};

/// `flow.toml` as written. Unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowConfig {
    pub title: Wording,
    /// The language of the messages.
    #[serde(default)]
    pub language: Language,
    /// The code of an accept that no rule gives by itself.
    #[serde(default)]
    pub accept_code: Option<String>,
    #[serde(default)]
    pub sla: Sla,
    #[serde(default)]
    pub calendar: Calendar,
    #[serde(default)]
    pub effort: Effort,
    #[serde(default)]
    pub quality: Quality,
    #[serde(default)]
    pub review: ReviewPolicy,
    pub documents: NeededDocuments,
    #[serde(default)]
    pub awaited: Awaited,
    #[serde(default)]
    pub retention: Retention,
    #[serde(default)]
    pub records: RecordsPolicy,
    /// Tables that are looked up in other systems; the rest is CSV.
    #[serde(default, rename = "connector")]
    pub connectors: Vec<ConnectorConfig>,
    pub confidence: Thresholds,
    /// Every number and word list of the policy, by name.
    #[serde(default)]
    pub limits: BTreeMap<String, toml::Value>,
    #[serde(rename = "rule")]
    pub rules: Vec<RuleConfig>,
    #[serde(default)]
    pub messages: BTreeMap<String, Wording>,
}

/// One sentence in the languages that people get.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    pub es: String,
    pub en: String,
}

impl Wording {
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Es => &self.es,
            Language::En => &self.en,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    Es,
    En,
}

/// What people decide about and how.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewPolicy {
    /// What is at stake, for the order of the queue and for four eyes: the first of these that is
    /// there. `declared.a.b` is declared data, else `document_type.field`.
    #[serde(default)]
    pub amount_fields: Vec<String>,
    /// A person's decision on more than this needs a second person; nobody is asked twice without it.
    #[serde(default)]
    pub four_eyes_above: Option<Decimal>,
}

/// Which documents a case must bring and which one counts when several came.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeededDocuments {
    /// Document types; `id_card|passport` is one or the other.
    pub needed: Vec<String>,
    /// Types that come as a front and a back.
    #[serde(default)]
    pub two_sided: Vec<String>,
    /// Of several documents of a type, the one with the latest date in this field counts.
    #[serde(default)]
    pub newest_by: BTreeMap<String, String>,
    /// Two documents of a type with equal values in these fields are copies of one.
    #[serde(default)]
    pub copies_agree_on: BTreeMap<String, Vec<String>>,
    /// Findings on a file that do not keep the case from being decided.
    #[serde(default)]
    pub harmless_findings: Vec<FindingCode>,
}

/// From which confidence on a field is certain.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    pub default: f64,
    /// By `document_type.field`.
    #[serde(default)]
    pub fields: BTreeMap<String, f64>,
}

impl Thresholds {
    pub fn of(&self, path: &str) -> f64 {
        self.fields.get(path).copied().unwrap_or(self.default)
    }
}

/// One rule: a function of `rules.rhai` and what it can give.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    pub name: String,
    /// Codes with the outcome, or outcomes, they come with.
    pub gives: BTreeMap<String, Outcomes>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Outcomes {
    One(Outcome),
    Several(Vec<Outcome>),
}

impl Outcomes {
    pub fn as_slice(&self) -> &[Outcome] {
        match self {
            Outcomes::One(outcome) => std::slice::from_ref(outcome),
            Outcomes::Several(outcomes) => outcomes,
        }
    }
}

impl RuleConfig {
    /// The strongest outcome that the rule can give.
    pub fn worst(&self) -> Outcome {
        let outcomes = self.gives.values().flat_map(Outcomes::as_slice);
        outcomes.copied().max().unwrap_or(Outcome::Accept)
    }

    pub fn can_give(&self, code: &str, outcome: Outcome) -> bool {
        self.gives.get(code).is_some_and(|outcomes| outcomes.as_slice().contains(&outcome))
    }
}

/// A limit whose name ends in `_words`: a list of phrases, see [`Phrases`].
pub(super) fn phrases_value(value: &toml::Value) -> Result<Dynamic, &'static str> {
    let phrases: Option<Vec<&str>> =
        value.as_array().and_then(|items| items.iter().map(toml::Value::as_str).collect());
    phrases.map(|phrases| Dynamic::from(Phrases::new(phrases))).ok_or("must be a list of phrases")
}

/// A limit as a script sees it: numbers are decimals or integers, texts that are numbers stay exact.
pub(super) fn limit_value(value: &toml::Value) -> Result<Dynamic, &'static str> {
    match value {
        toml::Value::Integer(number) => Ok(Dynamic::from_int(*number)),
        // The shortest text of a float is what the analyst wrote, so 0.35 stays 0.35.
        toml::Value::Float(number) => {
            number.to_string().parse::<Decimal>().map(Dynamic::from_decimal).map_err(|_| "is no number")
        }
        toml::Value::String(text) => {
            Ok(text.parse::<Decimal>().map_or_else(|_| Dynamic::from(text.clone()), Dynamic::from_decimal))
        }
        toml::Value::Boolean(truth) => Ok(Dynamic::from_bool(*truth)),
        toml::Value::Array(items) => {
            let items: Result<Vec<Dynamic>, _> = items.iter().map(limit_value).collect();
            items.map(Dynamic::from_array)
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => Err("must be a number, a text or a list"),
    }
}
