//! What reports need to know of one case: a pure function of the case, its history and its corrections.
//! Everything that is counted is counted from these.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::policy::FlowPolicy;
use super::timeline::{Stage, Stay, Timeline, Work, seconds, timeline};
use crate::clock::Micros;
use crate::domain::{CaseResult, Mode, Outcome, Timings};
use crate::review::QUALITY_FALLBACK;
use crate::store::{Correction, Event};

const UNCERTAIN_FIELD: &str = "UNCERTAIN_FIELD";

/// A case as the store keeps it, with what belongs to it.
#[derive(Debug, Clone)]
pub struct CaseRecord {
    pub created_at: Micros,
    pub first_response_at: Option<Micros>,
    pub final_at: Option<Micros>,
    pub result: CaseResult,
    /// The result as the machine gave it, where people changed something.
    pub machine_result: Option<CaseResult>,
    pub events: Vec<Event>,
    pub corrections: Vec<Correction>,
    pub blind: Option<Blind>,
}

/// Drawn for a blind review, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    /// `None` until a person has judged.
    pub was_wrong: Option<bool>,
}

/// What became of one field of a document type in one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own: several can be true")]
pub struct FieldFacts {
    /// Documents of which the machine read it.
    pub read: u32,
    /// Of these, at or above the flow's threshold.
    pub certain: u32,
    /// A person found it right.
    pub confirmed: bool,
    /// A person gave it another value.
    pub corrected: bool,
    /// A person keyed it where the machine had read nothing.
    pub added: bool,
    /// A person took it away.
    pub removed: bool,
    /// It was certain and yet corrected or removed.
    pub certain_but_wrong: bool,
}

/// A reason that sent the case to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentReason {
    pub code: String,
    /// What a person then decided.
    pub judged: Option<Outcome>,
    /// Whether that agrees with what the machine proposed by the reason; `None` until somebody decided.
    pub agreed: Option<bool>,
}

/// What is counted of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFacts {
    pub outcome: Outcome,
    pub mode: Option<Mode>,
    /// Codes of its reasons now.
    pub reasons: BTreeSet<String>,
    pub sent: Vec<SentReason>,
    /// Id of who last corrected or decided; `None` when nobody did.
    pub reviewer: Option<String>,
    pub work: BTreeMap<String, Work>,
    pub documents: u32,
    /// Documents that nobody changed, confirmed or retyped.
    pub untouched_documents: u32,
    /// Fields of the result, and those that nobody confirmed or entered.
    pub field_count: u32,
    pub untouched_fields: u32,
    /// By `document_type.field`.
    pub fields: BTreeMap<String, FieldFacts>,
    pub first_response_s: Option<u32>,
    pub resolution_s: Option<u32>,
    /// Whether people decided in time; `None` when nobody had to, or has yet.
    pub in_time: Option<bool>,
    pub stages: BTreeMap<Stage, u32>,
    pub pages: u32,
    pub timings_ms: Timings,
    pub blind: Option<Blind>,
}

impl CaseFacts {
    pub fn of(case: &CaseRecord, policy: &FlowPolicy) -> Self {
        let result = &case.result;
        let line = timeline(&case.events);
        let fields = || result.documents.iter().flat_map(|document| document.fields.values());
        let documents = count(result.documents.len());
        let since = |moment: Option<Micros>| moment.map(|moment| seconds(moment - case.created_at));
        Self {
            outcome: result.outcome,
            mode: result.mode,
            reasons: result.reasons.iter().map(|reason| reason.code.clone()).collect(),
            sent: sent_reasons(&line),
            documents,
            untouched_documents: documents.saturating_sub(count(line.touched_documents.len())),
            field_count: count(fields().count()),
            untouched_fields: count(fields().filter(|field| !field.confirmed && !field.entered).count()),
            fields: field_facts(case, policy),
            first_response_s: since(case.first_response_at),
            resolution_s: since(case.final_at),
            in_time: in_time(&line.stays),
            stages: line.stages.iter().map(|(stage, micros)| (*stage, seconds(*micros))).collect(),
            pages: result.pages,
            timings_ms: result.timings_ms,
            blind: case.blind,
            reviewer: line.last_person,
            work: line.work,
        }
    }

    /// What lists of cases are filtered by beside their columns: a figure of a report leads to its cases
    /// by one of these.
    pub fn marks(&self) -> BTreeSet<String> {
        let mut marks = BTreeSet::new();
        marks.extend(self.work.keys().map(|user| format!("worked:{user}")));
        marks.insert(format!("by:{}", self.reviewer_group()));
        for reason in &self.sent {
            marks.insert(format!("sent:{}", reason.code));
            if let Some(outcome) = reason.judged {
                marks.insert(format!("sent:{}:{}", reason.code, outcome.as_str()));
            }
            if let Some(agreed) = reason.agreed {
                let word = if agreed { "agreed" } else { "disagreed" };
                marks.insert(format!("sent:{}:{word}", reason.code));
            }
        }
        for (path, field) in &self.fields {
            let kinds = [
                (field.corrected, "corrected"),
                (field.confirmed, "confirmed"),
                (field.added, "added"),
                (field.removed, "removed"),
                (field.certain_but_wrong, "certain_but_wrong"),
            ];
            let kinds = kinds.into_iter().filter(|(is_so, _)| *is_so);
            marks.extend(kinds.map(|(_, kind)| format!("field:{path}:{kind}")));
        }
        if let Some(in_time) = self.in_time {
            marks.insert(if in_time { "sla:met" } else { "sla:missed" }.to_owned());
        }
        if let Some(blind) = self.blind {
            marks.insert("blind:drawn".to_owned());
            if let Some(was_wrong) = blind.was_wrong {
                marks.insert("blind:judged".to_owned());
                marks.extend(was_wrong.then(|| "blind:wrong".to_owned()));
            }
        }
        marks
    }

    /// Under which reviewer the case is counted: an id, or `nobody` or `pending`.
    pub(super) fn reviewer_group(&self) -> &str {
        match &self.reviewer {
            Some(user) => user,
            None if self.mode.is_some() => NOBODY,
            None => PENDING,
        }
    }
}

/// Decided, and no person had a part in it.
pub(super) const NOBODY: &str = "nobody";
/// Not decided, and no person has had a part in it yet.
pub(super) const PENDING: &str = "pending";

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The reasons of every stay in the queue; of one that came twice, the last stay counts.
fn sent_reasons(line: &Timeline) -> Vec<SentReason> {
    let mut sent: BTreeMap<&str, SentReason> = BTreeMap::new();
    for stay in &line.stays {
        let judged = stay.judged.as_ref().and_then(|(_, outcome)| outcome_of(outcome));
        for (code, fields) in &stay.reasons {
            let agreed = judged.map(|outcome| {
                if code == UNCERTAIN_FIELD {
                    fields.is_disjoint(&stay.corrected)
                } else if code == QUALITY_FALLBACK {
                    stay.held_back.as_deref() == Some(outcome.as_str())
                } else {
                    outcome != Outcome::Accept
                }
            });
            sent.insert(code, SentReason { code: code.clone(), judged, agreed });
        }
    }
    sent.into_values().collect()
}

fn outcome_of(name: &str) -> Option<Outcome> {
    [Outcome::Accept, Outcome::RequestDocuments, Outcome::Review, Outcome::Reject]
        .into_iter()
        .find(|outcome| outcome.as_str() == name)
}

/// In time when every stay that a person ended was ended by its deadline.
fn in_time(stays: &[Stay]) -> Option<bool> {
    let ended = stays.iter().filter_map(|stay| Some((stay.judged.as_ref()?.0, stay.due_at?)));
    ended.map(|(judged_at, due_at)| judged_at <= due_at).reduce(|all, one| all && one)
}

fn field_facts(case: &CaseRecord, policy: &FlowPolicy) -> BTreeMap<String, FieldFacts> {
    let machine = case.machine_result.as_ref().unwrap_or(&case.result);
    let mut facts: BTreeMap<String, FieldFacts> = BTreeMap::new();
    for document in &machine.documents {
        for (name, field) in document.fields.iter().filter(|(_, field)| !field.entered) {
            let path = format!("{}.{name}", document.document_type.as_str());
            let threshold = policy.thresholds.of(&path);
            let fact = facts.entry(path).or_default();
            fact.read += 1;
            fact.certain += u32::from(field.confidence >= threshold);
        }
    }
    for correction in &case.corrections {
        let path = format!("{}.{}", correction.document_type, correction.field);
        let was_certain =
            correction.machine_confidence.is_some_and(|confidence| confidence >= policy.thresholds.of(&path));
        let fact = facts.entry(path).or_default();
        match correction.kind.as_str() {
            "confirmed" => fact.confirmed = true,
            "added" => fact.added = true,
            "removed" => {
                fact.removed = true;
                fact.certain_but_wrong |= was_certain;
            }
            // Keyed as it was read: the machine's value, confirmed.
            _ if correction.before == correction.after => fact.confirmed = true,
            _ => {
                fact.corrected = true;
                fact.certain_but_wrong |= was_certain;
            }
        }
    }
    facts
}
