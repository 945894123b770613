//! From what the rules gave to one outcome with its reasons: the contract's "which outcome wins".
//!
//! Certain verdicts give the established outcome, the strongest of theirs. A rule whose result rests
//! on an uncertain or absent field is undetermined; it matters only if the strongest thing it could
//! give is stronger than what is established. Then the case goes to a person, who is asked about just
//! those fields.

use std::collections::{BTreeMap, BTreeSet};

use rhai::Dynamic;

use super::documents::{Missing, Prepared, Side};
use super::flow::RuleConfig;
use super::trace::{Certainty, End, RuleRun, Verdict};
use super::wording::Messages;
use crate::domain::{Decision, Outcome, Reason};

/// Reasons that the engine gives by itself.
pub(super) mod codes {
    pub(crate) const MISSING_DOCUMENT: &str = "MISSING_DOCUMENT";
    pub(crate) const UNREADABLE_DOCUMENT: &str = "UNREADABLE_DOCUMENT";
    pub(crate) const UNCERTAIN_FIELD: &str = "UNCERTAIN_FIELD";
    pub(crate) const RECORDS_UNAVAILABLE: &str = "RECORDS_UNAVAILABLE";
    pub(crate) const RULE_FAILED: &str = "RULE_FAILED";
    /// No rule said why the case could be accepted.
    pub(crate) const NOT_DECIDED: &str = "NOT_DECIDED";

    pub(crate) const ALL: [&str; 6] = [
        MISSING_DOCUMENT,
        UNREADABLE_DOCUMENT,
        UNCERTAIN_FIELD,
        RECORDS_UNAVAILABLE,
        RULE_FAILED,
        NOT_DECIDED,
    ];
}

const NEEDED_DOCUMENTS: &str = "needed_documents";
const READABLE_DOCUMENTS: &str = "readable_documents";

/// What the combination needs beside the runs.
pub(super) struct Combination<'a> {
    pub(super) rules: &'a [RuleConfig],
    pub(super) accept_code: Option<&'a str>,
    pub(super) messages: &'a Messages,
}

impl Combination<'_> {
    pub(super) fn decide(&self, prepared: &Prepared, missing: &[Missing], runs: &[RuleRun]) -> Decision {
        let mut reasons: Vec<(Outcome, Reason)> =
            missing.iter().map(|missing| self.missing_document(missing)).collect();
        reasons.extend(self.unreadable_documents(prepared));
        let mut established = reasons.iter().map(|(outcome, _)| *outcome).max().unwrap_or(Outcome::Accept);
        for (rule, run) in self.rules.iter().zip(runs) {
            let certain = run.trace.verdicts.iter().filter(|verdict| verdict.certain);
            established = certain.map(|verdict| verdict.outcome).fold(established, Outcome::max);
            reasons.extend(run.trace.verdicts.iter().map(|verdict| self.reason(rule, verdict)));
            if let End::Failed(_) = run.end {
                established = established.max(Outcome::Review);
                reasons.push((Outcome::Review, self.rule_failed(rule)));
            }
        }
        let open = self.open_questions(established, runs);
        let outcome = if open.is_empty() { established } else { established.max(Outcome::Review) };
        reasons.extend(open.into_iter().map(|reason| (Outcome::Review, reason)));
        self.close(outcome, reasons, runs)
    }

    fn close(&self, outcome: Outcome, reasons: Vec<(Outcome, Reason)>, runs: &[RuleRun]) -> Decision {
        let outputs = runs.iter().flat_map(|run| run.trace.outputs.clone()).collect();
        let decision = |outcome, reasons| Decision { outcome, reasons, outputs };
        if outcome != Outcome::Accept {
            let failing = reasons.into_iter().filter(|(outcome, _)| *outcome != Outcome::Accept);
            return decision(outcome, failing.map(|(_, reason)| reason).collect());
        }
        let mut because: Vec<Reason> = reasons.into_iter().map(|(_, reason)| reason).collect();
        because.extend(self.accept_code.map(|code| self.accepted(code, runs)));
        if because.is_empty() {
            let message = self.messages.text(codes::NOT_DECIDED, &BTreeMap::new());
            return decision(Outcome::Review, vec![plain(codes::NOT_DECIDED, message, "accept", Vec::new())]);
        }
        decision(Outcome::Accept, because)
    }

    /// One reason for each field, or record, that could change the outcome.
    fn open_questions(&self, established: Outcome, runs: &[RuleRun]) -> Vec<Reason> {
        let mut asked = BTreeSet::new();
        let mut reasons = Vec::new();
        for (rule, run) in self.rules.iter().zip(runs) {
            if !run.is_undetermined() || !could_change(established, rule, run) {
                continue;
            }
            for (path, certainty) in run.trace.open_fields() {
                if asked.insert(path.to_owned()) {
                    reasons.push(self.uncertain_field(rule, path, certainty));
                }
            }
            for table in &run.trace.unavailable {
                if asked.insert(format!("records.{table}")) {
                    reasons.push(self.records_unavailable(rule, table));
                }
            }
        }
        reasons
    }

    fn missing_document(&self, missing: &Missing) -> (Outcome, Reason) {
        let document = self.messages.document(&missing.needed);
        let what = match missing.side {
            None => document,
            Some(Side::Back) => self.messages.side("front", &document),
            Some(Side::Front) => self.messages.side("back", &document),
        };
        let details = BTreeMap::from([("document".to_owned(), Dynamic::from(what))]);
        let message = self.messages.text(codes::MISSING_DOCUMENT, &details);
        let reason = plain(codes::MISSING_DOCUMENT, message, NEEDED_DOCUMENTS, Vec::new());
        (Outcome::RequestDocuments, reason)
    }

    fn unreadable_documents(&self, prepared: &Prepared) -> impl Iterator<Item = (Outcome, Reason)> {
        prepared.unreadable.iter().map(|(file, finding)| {
            let details = BTreeMap::from([
                ("file".to_owned(), Dynamic::from(file.clone())),
                ("finding".to_owned(), Dynamic::from(finding.message.clone())),
            ]);
            let message = self.messages.text(codes::UNREADABLE_DOCUMENT, &details);
            (Outcome::Review, plain(codes::UNREADABLE_DOCUMENT, message, READABLE_DOCUMENTS, Vec::new()))
        })
    }

    fn reason(&self, rule: &RuleConfig, verdict: &Verdict) -> (Outcome, Reason) {
        let message = self.messages.text(&verdict.code, &verdict.details);
        (verdict.outcome, plain(&verdict.code, message, &rule.name, verdict.fields.clone()))
    }

    fn rule_failed(&self, rule: &RuleConfig) -> Reason {
        let details = BTreeMap::from([("rule".to_owned(), Dynamic::from(rule.name.clone()))]);
        plain(codes::RULE_FAILED, self.messages.text(codes::RULE_FAILED, &details), &rule.name, Vec::new())
    }

    fn uncertain_field(&self, rule: &RuleConfig, path: &str, certainty: Certainty) -> Reason {
        let message = self.messages.open_field(path, certainty == Certainty::Absent);
        plain(codes::UNCERTAIN_FIELD, message, &rule.name, vec![path.to_owned()])
    }

    fn records_unavailable(&self, rule: &RuleConfig, table: &str) -> Reason {
        let details = BTreeMap::from([("table".to_owned(), Dynamic::from(table.to_owned()))]);
        let message = self.messages.text(codes::RECORDS_UNAVAILABLE, &details);
        plain(codes::RECORDS_UNAVAILABLE, message, &rule.name, vec![format!("records.{table}")])
    }

    fn accepted(&self, code: &str, runs: &[RuleRun]) -> Reason {
        let fields: BTreeSet<String> = runs.iter().flat_map(|run| run.trace.reads.keys().cloned()).collect();
        let message = self.messages.text(code, &BTreeMap::new());
        plain(code, message, "accept", fields.into_iter().collect())
    }
}

/// Whether knowing the fields that the rule could not trust may give another result: a stronger
/// outcome, or other outputs of an accept.
fn could_change(established: Outcome, rule: &RuleConfig, run: &RuleRun) -> bool {
    rule.worst() > established || (established == Outcome::Accept && gives_a_result(run))
}

fn gives_a_result(run: &RuleRun) -> bool {
    !run.trace.outputs.is_empty() || !run.trace.verdicts.is_empty()
}

fn plain(code: &str, message: String, rule: &str, fields: Vec<String>) -> Reason {
    Reason { code: code.to_owned(), message, rule: rule.to_owned(), fields }
}
