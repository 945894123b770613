//! Rule tests as data: `<flow>/*.cases.toml`. A file holds one complete base case; each case says what
//! differs from it and what must come out, so that an analyst tests a policy without a document.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value as Json;

use super::build_case::{Changes, build};
use super::load::{meaning, parse};
use super::records::{Record, Records, RecordsUnavailable};
use super::{Flow, RulesError, decide, evaluate};
use crate::config::Bundle;
use crate::domain::{Decision, Outcome};

/// One file of cases. Unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile {
    pub(super) base: Base,
    #[serde(rename = "case")]
    pub(super) cases: Vec<TestCase>,
}

/// A complete case that the flow decides without a person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Base {
    pub(super) received_on: NaiveDate,
    #[serde(default)]
    pub(super) declared: toml::Table,
    /// By document type: its fields.
    pub(super) documents: BTreeMap<String, toml::Table>,
    /// By table: its rows.
    #[serde(default)]
    pub(super) records: BTreeMap<String, Vec<Record>>,
}

/// What differs from the base, and what must come out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestCase {
    /// What the case shows, in a sentence.
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) changes: Changes,
    pub(super) outcome: Outcome,
    /// The codes that must come out, no others; a code given for two reasons stands once.
    pub(super) codes: Vec<String>,
    /// Outputs that must come out among others.
    #[serde(default)]
    pub(super) outputs: BTreeMap<String, String>,
    /// The fields that `UNCERTAIN_FIELD` must name, no others.
    #[serde(default)]
    pub(super) asks: Option<Vec<String>>,
}

/// What running one case gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    pub file: String,
    pub name: String,
    /// What came out otherwise than expected; empty when the case passes.
    pub differences: Vec<String>,
    /// Codes that the case expects.
    pub codes: Vec<String>,
}

impl CaseReport {
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs all cases of a flow.
///
/// # Errors
/// When a file of cases is no such file.
pub fn run_cases(flow: &Flow, bundle: &Bundle) -> Result<Vec<CaseReport>, RulesError> {
    let mut reports = Vec::new();
    for file in case_files(flow, bundle) {
        let content: CaseFile = parse(bundle, &file)?;
        for test in &content.cases {
            let decision = decide_case(flow, &content.base, &test.changes)
                .map_err(|problem| meaning(&file, format!("{}: {problem}", test.name)))?;
            reports.push(CaseReport {
                file: file.clone(),
                name: test.name.clone(),
                differences: differences(test, &decision),
                codes: test.codes.clone(),
            });
        }
    }
    Ok(reports)
}

fn case_files(flow: &Flow, bundle: &Bundle) -> Vec<String> {
    let names = bundle.names_in(&flow.name).filter(|name| name.ends_with(".cases.toml"));
    names.map(str::to_owned).collect()
}

/// Runs every rule on the base case of each file: a rule that cannot run is found at load.
pub(super) fn try_out(flow: &Flow, bundle: &Bundle) -> Result<(), RulesError> {
    for file in case_files(flow, bundle) {
        let content: CaseFile = parse(bundle, &file)?;
        let (case, records) =
            build(flow, &content.base, &Changes::default()).map_err(|problem| meaning(&file, problem))?;
        let (_, runs) = evaluate(flow, &case, &records);
        for (rule, run) in flow.config.rules.iter().zip(runs) {
            if let super::trace::End::Failed(problem) = run.end {
                let script = format!("{}/rules.rhai", flow.name);
                return Err(meaning(
                    &script,
                    format!("rule {} fails on the base case: {problem}", rule.name),
                ));
            }
        }
    }
    Ok(())
}

fn decide_case(flow: &Flow, base: &Base, changes: &Changes) -> Result<Decision, String> {
    let (case, records) = build(flow, base, changes)?;
    Ok(decide(flow, &case, &records))
}

fn differences(test: &TestCase, decision: &Decision) -> Vec<String> {
    let mut differences = Vec::new();
    if decision.outcome != test.outcome {
        differences.push(format!("outcome is {}, not {}", decision.outcome.as_str(), test.outcome.as_str()));
    }
    let codes = sorted(decision.reasons.iter().map(|reason| reason.code.as_str()));
    let expected = sorted(test.codes.iter().map(String::as_str));
    if codes != expected {
        differences.push(format!("codes are {}, not {}", codes.join(", "), expected.join(", ")));
    }
    for (name, expected) in &test.outputs {
        let found = decision.outputs.get(name).map(shown);
        if found.as_ref() != Some(expected) {
            differences
                .push(format!("{name} is {}, not {expected}", found.as_deref().unwrap_or("not given")));
        }
    }
    if let Some(asks) = &test.asks {
        let asked = decision.reasons.iter().filter(|reason| reason.code == "UNCERTAIN_FIELD");
        let asked = sorted(asked.flat_map(|reason| reason.fields.iter().map(String::as_str)));
        let expected = sorted(asks.iter().map(String::as_str));
        if asked != expected {
            differences.push(format!("asks about {}, not {}", asked.join(", "), expected.join(", ")));
        }
    }
    let unfilled = decision.reasons.iter().filter(|reason| reason.message.contains(['{', '}']));
    differences.extend(unfilled.map(|reason| format!("the message has an open place: {}", reason.message)));
    differences
}

fn sorted<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The records of a case file.
#[derive(Debug, Default)]
pub(super) struct GivenRecords {
    pub(super) tables: BTreeMap<String, Vec<Record>>,
    pub(super) unavailable: bool,
}

impl Records for GivenRecords {
    fn find(&self, table: &str, key: &str) -> Result<Option<Record>, RecordsUnavailable> {
        if self.unavailable {
            let problem = "the case says so".to_owned();
            return Err(RecordsUnavailable { table: table.to_owned(), problem });
        }
        let column = if table == "customers" { "cups" } else { "policy_number" };
        let rows = self.tables.get(table).map(Vec::as_slice).unwrap_or_default();
        Ok(rows.iter().find(|row| row.get(column).is_some_and(|cell| cell == key)).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(name: &str) -> (Flow, Bundle) {
        let bundle = Bundle::embedded_rules();
        let flow = Flow::load(&bundle, name).unwrap_or_else(|error| panic!("{error:?}"));
        (flow, bundle)
    }

    #[test]
    fn every_shipped_case_gives_what_it_says() {
        let bundle = Bundle::embedded_rules();
        assert_eq!(Flow::names(&bundle), ["consumer_loan", "energy_claim", "insurance_claim"]);
        let mut wrong = Vec::new();
        for name in Flow::names(&bundle) {
            let (flow, bundle) = flow(&name);
            let reports = run_cases(&flow, &bundle).unwrap_or_else(|error| panic!("{error:?}"));
            assert!(reports.len() > 40, "{name} has few cases");
            wrong.extend(reports.into_iter().filter(|report| !report.passed()));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_case_that_gives_something_else_says_what() {
        let (flow, bundle) = flow("consumer_loan");
        let mut content: CaseFile = parse(&bundle, "consumer_loan/policy.cases.toml").unwrap();
        let mut test = content.cases.remove(0);
        test.outcome = Outcome::Reject;
        test.outputs.insert("debt_to_income".to_owned(), "0.99".to_owned());
        let decision = decide_case(&flow, &content.base, &test.changes).unwrap();
        let differences = differences(&test, &decision);
        assert_eq!(differences, ["outcome is accept, not reject", "debt_to_income is 0.16, not 0.99"]);
    }

    #[test]
    fn deciding_twice_gives_the_same() {
        for name in ["consumer_loan", "energy_claim", "insurance_claim"] {
            let (flow, bundle) = flow(name);
            let content: CaseFile = parse(&bundle, &format!("{name}/policy.cases.toml")).unwrap();
            for test in &content.cases {
                let decided = || decide_case(&flow, &content.base, &test.changes).unwrap();
                assert_eq!(decided(), decided(), "{name}: {}", test.name);
            }
        }
    }

    /// No uncertain field may lead to an accept or a reject that a better reading could overturn: an
    /// uncertain field either is asked about or does not matter, whatever else is wrong.
    #[test]
    fn an_uncertain_field_never_makes_a_case_more_final() {
        for name in ["consumer_loan", "energy_claim", "insurance_claim"] {
            let (flow, bundle) = flow(name);
            let content: CaseFile = parse(&bundle, &format!("{name}/policy.cases.toml")).unwrap();
            let fields =
                content.base.documents.iter().flat_map(|(document, fields)| {
                    fields.keys().map(move |field| format!("{document}.{field}"))
                });
            for path in fields {
                let changes = Changes { uncertain: vec![path.clone()], ..Changes::default() };
                let decision = decide_case(&flow, &content.base, &changes).unwrap();
                let asked = decision.reasons.iter().any(|reason| reason.fields == [path.clone()]);
                let expected = if asked { Outcome::Review } else { Outcome::Accept };
                assert_eq!(decision.outcome, expected, "{name}: {path}");
                let confirmed = Changes { confirmed: vec![path.clone()], ..changes };
                let decision = decide_case(&flow, &content.base, &confirmed).unwrap();
                assert_eq!(decision.outcome, Outcome::Accept, "{name}: {path} confirmed");
            }
        }
    }
}
